"""Nearest points of half-spaces in boxes by their optimality conditions, and projections where the answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from empirical.attacks.inputs import takes_any_batch
from empirical.attacks.judge import Judge
from empirical.attacks.linearised import nearest, projections
from empirical.attacks.pairs import Pairs

BOX = (0.0, 1.0)


def problem(seed, n, share):
    """A point of the unit cube, some coordinates of it at its faces, a normal, and a share of what it can gain."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    x[rng.random(n) < 0.3] = 0.0
    x[rng.random(n) < 0.2] = 1.0
    normal = rng.normal(size=n) * (rng.random(n) < 0.8)
    most = np.where(normal > 0, normal * (1 - x), -normal * x).sum()
    return x, normal, share * most


@settings(max_examples=200)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), share=st.floats(1e-3, 0.999), guess=st.floats(0, 100))
def test_it_meets_the_conditions_of_an_optimum(seed, n, share, guess):
    x, normal, offset = problem(seed, n, share)
    if offset <= 0:
        return
    rows = [torch.tensor(value)[None] for value in (x, normal)]
    delta, multiplier = nearest(*rows, torch.tensor([offset]), BOX, torch.tensor([guess], dtype=torch.float64))
    reach = lambda t: normal @ np.clip(t * normal, -x, 1 - x) - offset  # noqa: E731
    highest = 1 / np.abs(normal[normal != 0]).min() + 1
    t = brentq(reach, 0, highest, xtol=1e-14, rtol=1e-14)
    assert delta[0].numpy() == pytest.approx(np.clip(t * normal, -x, 1 - x), abs=1e-9)
    assert normal @ delta[0].numpy() == pytest.approx(offset, rel=1e-9)
    assert delta[0].numpy() == pytest.approx(np.clip(float(multiplier) * normal, -x, 1 - x), abs=1e-12)


def test_without_a_box_it_is_the_foot_of_the_perpendicular():
    normal = torch.randn(5, 7, dtype=torch.float64)
    offset = torch.tensor([1.0, 2.0, 0.0, -1.0, 5.0], dtype=torch.float64)
    delta, _ = nearest(torch.randn(5, 7).double(), normal, offset, None)
    expected = normal * (offset.clamp(min=0) / normal.square().sum(1))[:, None]
    assert delta.numpy() == pytest.approx(expected.numpy(), rel=1e-12)


def test_what_the_box_does_not_reach_ends_as_far_as_it_goes():
    x, normal, offset = problem(3, 20, 1.5)
    delta, _ = nearest(torch.tensor(x)[None], torch.tensor(normal)[None], torch.tensor([offset]), BOX)
    assert 0 < normal @ delta[0].numpy() <= offset / 1.5 * (1 + 1e-12)
    still, _ = nearest(torch.tensor(x)[None], torch.zeros(1, 20).double(), torch.tensor([1.0]).double(), BOX)
    assert not still.any()


def pairs(model, x, any_batch=True, box=None):
    label = model(x).argmax(1)
    return Pairs.beside(Judge(model, x, label, None, box, any_batch), (1 - label)[None])


@pytest.mark.parametrize("any_batch", [True, False])
def test_on_a_plane_one_whole_step_is_enough(any_batch):
    weight = torch.randn(2, 9, dtype=torch.float64)
    some = pairs(lambda z: z @ weight.T, torch.randn(6, 9, dtype=torch.float64), any_batch)
    point, far = projections(some, some.x, (1.0,))
    gap = -some.ahead(some.x)
    assert far.numpy() == pytest.approx((gap / (weight[0] - weight[1]).norm()).numpy(), rel=1e-3)
    assert (some.ahead(point) > 0).all()


def test_parts_of_steps_settle_on_a_ridge_where_whole_ones_go_to_and_fro():
    # Class 1 is ahead where both coordinates exceed 1: from 0 the nearest such point is (1, 1), a ridge of two planes.
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, torch.minimum(z[:, 0], z[:, 1])), 1)  # noqa: E731
    some = pairs(model, torch.zeros(1, 2, dtype=torch.float64))
    start = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    _, full = projections(some, start, (1.0,) * 40)
    _, parts = projections(some, start, tuple(0.5 * 0.02 ** (k / 39) for k in range(40)))
    assert full > 1.5 * 2**0.5
    assert 2**0.5 <= float(parts) < 1.02 * 2**0.5


def test_a_row_without_gradient_stays_and_fails():
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, (z[:, 0] - 9).relu()), 1)  # noqa: E731
    some = pairs(model, torch.zeros(2, 3))
    point, far = projections(some, some.x, (0.5, 0.5))
    assert far.isinf().all()
    assert torch.equal(point, some.x)


def test_pairs_show_the_two_logits_of_each_row():
    weight = torch.randn(4, 5)
    x, label = torch.randn(3, 5), torch.tensor([0, 2, 3])
    rivals = torch.tensor([[1, 0, 0], [2, 3, 1]])
    rows = Pairs.beside(Judge(lambda z: z @ weight.T, x, label, None, None, True), rivals)
    logits = x @ weight.T
    for k, (own, rival) in enumerate(rows(rows.x)):
        assert own == pytest.approx(float(logits[k % 3, label[k % 3]]), rel=1e-5)
        assert rival == pytest.approx(float(logits[k % 3, rivals[k // 3, k % 3]]), rel=1e-5)
    gap, gradient = rows.at(torch.tensor([4])).slope(x[1:2])
    assert gap.item() == pytest.approx(float(logits[1, 3] - logits[1, 2]), rel=1e-5)
    assert gradient[0].numpy() == pytest.approx((weight[3] - weight[2]).numpy(), rel=1e-5)


def test_towards_a_target_the_other_logit_is_the_largest():
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    judge = Judge(lambda z: z, logits, torch.tensor([0, 2]), torch.tensor([1, 0]), None, True)
    rows = Pairs.beside(judge, judge.target[None])
    assert rows(rows.x).tolist() == [[3, 1], [2, 0]]


def test_models_with_weights_of_their_own_are_told_from_others():
    weight, x = torch.randn(5, 3, 4), torch.randn(5, 4)
    own = lambda z: torch.einsum("bcn,bn->bc", weight, z)  # noqa: E731
    by_place = lambda z: z @ weight[0].T + torch.arange(len(z))[:, None]  # noqa: E731
    assert takes_any_batch(lambda z: z @ weight[0].T, x)
    assert not takes_any_batch(own, x)
    assert not takes_any_batch(by_place, x)
    assert not takes_any_batch(lambda z: own(z), x[:5])
