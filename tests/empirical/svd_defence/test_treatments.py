"""What treatments do to the weights of a classifier, by its singular values and by dense matrices."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models.shallow import CLASSIFIERS
from empirical.svd_defence.treatments import FACTORS, TREATMENTS, changed, counts, linear_weights

INPUTS, WIDTH = 30, 12


def network(name="lrl"):
    return CLASSIFIERS[name](3, inputs=INPUTS, width=WIDTH)


def matrices(model):
    return [weight.detach().double().numpy() for weight in linear_weights(model)]


def values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


def test_the_layers_of_each_classifier():
    assert [matrix.shape for matrix in matrices(network("1l"))] == [(10, INPUTS)]
    for name in ("2l", "lrl"):
        assert [matrix.shape for matrix in matrices(network(name))] == [(WIDTH, INPUTS), (10, WIDTH)]


@pytest.mark.parametrize(
    ("share", "rounding", "expected"),
    [
        (5, "floor", (0, 0)),
        (5, "round", (1, 0)),  # .6 and .5, a tie
        (5, "ceil", (1, 1)),
        (15, "floor", (1, 1)),
        (15, "round", (2, 2)),  # 1.8 and 1.5
        (40, "floor", (4, 4)),
        (0, "ceil", (0, 0)),
        (100, "floor", (12, 10)),
    ],
)
def test_how_many_a_share_is(share, rounding, expected):
    assert counts(network(), share, rounding) == expected


@pytest.mark.parametrize("treatment", FACTORS)
def test_bottom_singular_values_are_multiplied_and_their_directions_kept(treatment):
    model, numbers = network(), (5, 3)
    for before, after, k in zip(matrices(model), matrices(changed(model, treatment, numbers, 0)), numbers, strict=True):
        left, sigma, right = np.linalg.svd(before, full_matrices=False)
        sigma[-k:] *= {"zeroed": 0, "tenth": 0.1, "nine_tenths": 0.9}[treatment]
        np.testing.assert_allclose(after, (left * sigma) @ right, atol=1e-6)


def test_random_places_are_zeroed_and_the_rest_of_the_spectrum_kept():
    model = network()
    for seed in (0, 1):
        for before, after, k in zip(
            matrices(model), matrices(changed(model, "random", (5, 3), seed)), (5, 3), strict=True
        ):
            kept, old = values(after), values(before)
            np.testing.assert_allclose(kept[-k:], 0, atol=1e-6)
            where = np.abs(old[:, None] - kept[: len(kept) - k]).argmin(0)
            assert len(set(where)) == len(kept) - k
            np.testing.assert_allclose(kept[: len(kept) - k], old[where], atol=1e-6)
            assert set(where) != set(range(len(kept) - k)), "the bottom ones"


def test_random_places_of_fewer_are_among_those_of_more():
    model = network("1l")
    (before,) = matrices(model)
    (less,), (more,) = (matrices(changed(model, "random", (k,), 4)) for k in (3, 6))
    gone = np.linalg.svd(before - less)[2][:3]
    assert np.abs(more @ gone.T).max() < 1e-6
    assert np.abs(before @ gone.T).max() > 0.1


def test_noise_has_the_norm_of_what_zeroing_removes_and_one_direction():
    model, found = network(), []
    for numbers in ((5, 3), (9, 7)):
        zeroed, noisy = (matrices(changed(model, treatment, numbers, 2)) for treatment in ("zeroed", "noise"))
        moves = []
        for before, one, other in zip(matrices(model), zeroed, noisy, strict=True):
            assert np.linalg.norm(other - before) == pytest.approx(np.linalg.norm(one - before), rel=1e-5)
            moves.append((other - before) / np.linalg.norm(other - before))
        found.append(moves)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
        assert abs(values(one)[-1]) > 0.01, "of full rank"


def test_seeds_and_layers_have_places_and_noise_of_their_own():
    square = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    square[1].weight.data = square[0].weight.data.clone()
    for treatment in ("random", "noise"):
        first, again, other = (changed(square, treatment, (4, 4), seed) for seed in (0, 0, 1))
        assert torch.equal(first[0].weight, again[0].weight)
        assert not torch.equal(first[0].weight, other[0].weight)
        assert not torch.equal(first[0].weight, first[1].weight)


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_nothing_else_is_changed(treatment):
    model = network()
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    none = changed(model, treatment, (0, 0), 5)
    assert all(torch.equal(value, kept[name]) for name, value in none.state_dict().items())
    some = changed(model, treatment, (4, 0), 5).state_dict()
    assert [name for name, value in some.items() if not torch.equal(value, kept[name])] == ["1.weight"]
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())
