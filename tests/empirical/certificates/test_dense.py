"""Certified distances beside dense grids, closed forms and points of the certified balls."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from empirical.attacks.bracket import bracket
from empirical.certificates.dense import linear_distance, lipschitz_distance, region_distance, relu_distance

SIZE = 6


def networks(heights, seed=0, size=SIZE):
    """Layers of `size` random ReLU networks on the plane, and a point for each."""
    stream = np.random.default_rng(seed)
    layers = [
        (stream.normal(size=(size, high, wide)) * (2 / wide) ** 0.5, stream.normal(size=(size, high)) / 2)
        for wide, high in zip((2, *heights), heights, strict=False)
    ]
    return layers, stream.normal(size=(size, 2))


def logits(layers, points):
    """Logits (size, K, classes) of points (size, K, 2)."""
    for number, (weight, bias) in enumerate(layers):
        points = np.maximum(points, 0) if number else points
        points = np.einsum("boi,bki->bko", weight, points) + bias[:, None]
    return points


def grid_distance(layers, x, label, target=None, reach=2.4, side=241):
    """Least distance of a grid point that flips, (size,), and the grid's diagonal step; inf where none does."""
    ticks = np.linspace(-reach, reach, side)
    offsets = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    said = logits(layers, x[:, None] + offsets).argmax(2)
    flipped = said != label[:, None] if target is None else said == target[:, None]
    return np.where(flipped, np.linalg.norm(offsets, axis=1), np.inf).min(1), 2**0.5 * (ticks[1] - ticks[0])


def test_linear_networks_by_hand():
    probes = np.array([[[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]])
    x = np.array([[2.0, 1.0], [2.0, 1.0], [1.0, 1.0]])
    label, bias = np.array([0, 1, 0]), np.zeros((1, 3))
    assert linear_distance(probes, bias, x, label) == pytest.approx([0.5**0.5, 0, 0])
    # Class 2 must pass both others: 2 from class 0, 1 from class 1.
    assert linear_distance(probes, bias, x, label, np.array([2, 2, 2])) == pytest.approx([2, 2, 1])
    assert linear_distance(probes, bias, x, label, np.array([0, 0, 0])) == pytest.approx([0, 0, 0])
    same = np.ones((1, 2, 2))
    assert linear_distance(same, np.array([[1.0, 0.0]]), x, np.array([0, 0, 1])).tolist() == [np.inf, np.inf, 0]


@pytest.mark.parametrize("heights", [(4, 2), (6, 3), (5, 4, 3)])
@pytest.mark.parametrize("targeted", [False, True])
def test_certified_distances_lie_below_a_dense_grid(heights, targeted):
    layers, x = networks(heights, seed=len(heights))
    clean = logits(layers, x[:, None])[:, 0]
    label, target = clean.argmax(1), clean.argmin(1) if targeted else None
    truth, step = grid_distance(layers, x, label, target)
    assert np.isfinite(truth).any()
    piece, exact = region_distance(layers, x, label, target)
    best = relu_distance(layers, x, label, target)
    for lower in (piece, lipschitz_distance(layers, x, label, target), best):
        assert (lower >= 0).all()
        assert (lower <= truth + 1e-9).all()
    assert (best > lipschitz_distance(layers, x, label, target)).any()
    assert (truth[exact] - piece[exact] <= step).all()
    assert not (targeted and exact.any())


def test_a_piece_that_holds_the_boundary_gives_the_exact_distance():
    # One unit, open from z_0 = -1 on: the boundary z_0 = 1 is nearer to 0.5 than the kink, and farther from -0.5.
    layers = [(np.array([[[1.0, 0.0]]]), np.ones((1, 1))), (np.array([[[0.0], [1.0]]]), np.array([[2.0, 0.0]]))]
    x, label = np.array([[0.5, 7.0], [-0.5, 7.0]]), np.zeros(2, int)
    distance, exact = region_distance(layers, x, label)
    assert exact.tolist() == [True, False]
    assert distance == pytest.approx([0.5, 0.5], rel=1e-5)
    assert relu_distance(layers, x, label) == pytest.approx([0.5, 1.5], rel=1e-3)


def test_networks_that_never_flip_and_points_that_have():
    layers = [(np.zeros((1, 2, 2)), np.ones((1, 2))), (np.ones((1, 2, 2)), np.array([[1.0, 0.0]]))]
    x = np.zeros((2, 2))
    found = relu_distance(layers, x, np.array([0, 1]))
    assert found[0] > 1e6
    assert found[1] == 0


def test_brackets_close_on_small_networks():
    layers, x = networks((8, 3), seed=4)
    tensors = [(torch.tensor(weight), torch.tensor(bias)) for weight, bias in layers]

    def model(z):
        for number, (weight, bias) in enumerate(tensors):
            z = torch.einsum("boi,bi->bo", weight, z.relu() if number else z) + bias
        return z

    label = logits(layers, x[:, None])[:, 0].argmax(1)
    truth, step = grid_distance(layers, x, label)
    lower = relu_distance(layers, x, label)
    found = bracket(model, torch.tensor(x), torch.tensor(label), lower=lower, attacks=("deepfool", "ddn"))
    inside = np.isfinite(truth)
    assert inside.any()
    assert (found.lower <= found.upper * (1 + 1e-6)).all()
    assert (truth[inside] <= found.upper[inside] + step).all()
    assert np.median(found.upper[inside] / truth[inside]) < 1.02
    assert np.median(found.lower[inside] / truth[inside]) > 0.7


@pytest.mark.parametrize("targeted", [False, True])
def test_within_a_box_linear_distances_are_those_of_a_solver(targeted):
    stream = np.random.default_rng(5)
    size, classes, n = 8, 3, 6
    probes, bias = stream.normal(size=(size, classes, n)), stream.normal(size=(size, classes)) / 4
    x = np.clip(stream.random((size, n)) * 1.6 - 0.3, 0, 1)
    logits = np.einsum("bcn,bn->bc", probes, x) + bias
    label, target = logits.argmax(1), logits.argmin(1)
    found = linear_distance(probes, bias, x, label, target if targeted else None, box=(0, 1))

    def solved(b, winner, loser):
        normal, gap = probes[b, winner] - probes[b, loser], logits[b, loser] - logits[b, winner]
        if (normal * np.where(normal > 0, 1 - x[b], -x[b])).sum() < gap:
            return np.inf
        bounds = list(zip(-x[b], 1 - x[b], strict=True))
        least = minimize(
            lambda d: d @ d / 2,
            np.where(normal > 0, 1 - x[b], -x[b]),
            jac=lambda d: d,
            method="SLSQP",
            bounds=bounds,
            constraints={"type": "ineq", "fun": lambda d: normal @ d - gap, "jac": lambda _: normal},
            options={"ftol": 1e-15, "maxiter": 500},
        )
        assert least.success
        return np.sqrt(2 * least.fun)

    for b in range(size):
        rivals = [k for k in range(classes) if k != (target if targeted else label)[b]]
        pairs = [(target[b], k) if targeted else (k, label[b]) for k in rivals]
        expected = (max if targeted else min)(solved(b, *pair) for pair in pairs)
        assert found[b] == pytest.approx(expected, rel=1e-4)
    free = linear_distance(probes, bias, x, label, target if targeted else None)
    wide = linear_distance(probes, bias, x, label, target if targeted else None, box=(-99, 99))
    assert wide == pytest.approx(free, rel=1e-9)
    assert (found >= free * (1 - 1e-9)).all()


def test_a_flip_that_only_a_corner_of_the_box_reaches_is_not_certified_away():
    probes, x = np.array([[[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]]]), np.array([[0.1, 0.7, 0.3]])
    for bias, flips in ((-0.6, True), (-0.6 - 1e-12, True), (-0.7, False)):
        found = linear_distance(probes, np.array([[0.0, bias]]), x, np.array([0]), box=(0, 1))[0]
        assert found <= np.linalg.norm(1 - x) * (1 + 1e-6) if flips else found == np.inf
