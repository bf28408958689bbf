"""CROWN's search for a radius, and slopes that are optimised, beside attacks and points of the balls."""

import numpy as np
import pytest
import torch

from empirical.attacks.bracket import bracket
from empirical.certificates.alpha import optimised
from empirical.certificates.backward import margins
from empirical.certificates.crown import crown_distance, largest
from empirical.certificates.dense import lipschitz_distance
from fragility.engine.study import UsageError


def mlp(heights, size=6, seed=0):
    """Layers of a random ReLU network, points, and what it makes of points (..., n)."""
    stream = np.random.default_rng(seed)
    shapes = list(zip(heights[1:], heights, strict=False))
    layers = [(stream.normal(size=(1, *shape)) * (2 / shape[1]) ** 0.5, np.zeros((1, shape[0]))) for shape in shapes]
    layers = [(weight, bias + stream.normal(size=bias.shape) / 5) for weight, bias in layers]
    tensors = [(torch.tensor(weight[0]), torch.tensor(bias[0])) for weight, bias in layers]

    def model(z):
        for number, (weight, bias) in enumerate(tensors):
            z = (z.relu() if number else z) @ weight.T + bias
        return z

    return layers, stream.normal(size=(size, heights[0])), model


@pytest.mark.parametrize("close", [1e-1, 1e-4])
@pytest.mark.parametrize("power", [0.3, 1, 2.5, 12])
def test_the_search_closes_and_returns_only_radii_that_it_tried(power, close):
    truth = np.array([0.011, 0.5, 3e5, 1.0, 2.0])
    start = np.array([0.01, 1e-6, 1.0, 0.0, np.inf])
    tried = [start]

    def margin(radius):
        tried.append(radius)
        return 3 * (1 - (radius / truth) ** power)

    found = largest(margin, start, np.full(5, 3.0), close)
    assert found[3:].tolist() == [0, np.inf]
    assert (found[:3] < truth[:3]).all()
    assert (found[:3] >= (1 - close) * truth[:3]).all()
    assert all(radius in column for radius, column in zip(found, np.transpose(tried), strict=True))
    assert len(tried) < 25


def test_the_search_closes_where_margins_jump_and_goes_on_where_they_never_end():
    found = largest(lambda radius: np.where(radius < 0.7, 1 - radius / 10, -1e300), np.array([0.1]), np.ones(1))
    assert 0.7 * (1 - 1e-4) <= found < 0.7
    assert largest(np.ones_like, np.array([0.1]), np.ones(1)) > 1e9


@pytest.mark.parametrize("targeted", [False, True])
def test_optimised_slopes_certify_more_and_never_more_than_there_is(targeted):
    layers, x, model = mlp((6, 16, 12, 4))
    clean = model(torch.tensor(x))
    label, target = clean.argmax(1), clean.argmin(1) if targeted else None
    given = x, label, target
    plain = crown_distance(layers, *given, lipschitz_distance(layers, *given))
    found = crown_distance(layers, *given, lipschitz_distance(layers, *given), slope_steps=15)
    assert (found >= plain).all()
    assert (found / plain).mean() > 1.005
    seen = bracket(model, torch.tensor(x), label, target=target, lower=found, attacks=("deepfool", "ddn"))
    assert not seen.flags["crossed"].any()
    assert np.isfinite(seen.upper).all()


def test_margins_of_points_in_the_ball_lie_above_their_bounds_whatever_the_slopes():
    layers, x, model = mlp((5, 12, 10, 10, 3), size=3)
    stream = np.random.default_rng(1)
    rows, radius = np.broadcast_to(stream.normal(size=(4, 3)), (3, 4, 3)), np.array([0.05, 0.4, 2.0])
    plain, lines = margins(layers, x, rows, radius)
    functions = [24, 20, 20, 4]
    slopes = [
        [stream.random(size=(3, count, line.under.shape[2])) for line in below]
        for below, count in zip(lines, functions, strict=True)
    ]
    drawn, best = margins(layers, x, rows, radius, slopes)[0], optimised(layers, x, rows, radius, 5)
    centre, reach, row = torch.tensor(x), torch.tensor(radius)[:, None], torch.tensor(rows[0])
    moves = torch.tensor(stream.normal(size=(4000, *x.shape)))
    for _ in range(30):  # down to where the first margin is least
        moves = reach * moves / moves.norm(dim=2, keepdim=True)
        points = (centre + moves).requires_grad_()
        (slope,) = torch.autograd.grad((model(points) @ row[0]).sum(), points)
        moves = moves - 0.2 * reach * slope / slope.norm(dim=2, keepdim=True)
    least = (model(points).detach() @ row.T).amin(0).numpy()
    for low in (plain, drawn, best):
        assert (low <= least + 1e-9).all()
    assert (best >= plain - 1e-12).all()
    assert (best[0] > least[0] - 0.05 * abs(least[0])).all()


def test_slopes_are_optimised_where_nothing_depends_on_them():
    """Weights of zero and units that are shut have no gradient: the bounds are CROWN's."""
    layers, x, _ = mlp((3, 4, 4, 2), size=2)
    rows, radius = np.ones((2, 1, 2)), np.array([0.0, 1.0])
    for weight, bias in ((0.0, 1.0), (0.0, 0.0), (1.0, -100.0)):
        shut = [(weight * layers[0][0], layers[0][1] + bias), (layers[1][0], 0 * layers[1][1] - 50), layers[2]]
        with torch.no_grad():
            np.testing.assert_allclose(optimised(shut, x, rows, radius, 3), margins(shut, x, rows, radius)[0])


def test_steps_below_zero_are_refused():
    layers, x, _ = mlp((3, 2), size=1)
    with pytest.raises(UsageError, match="slope_steps must be at least 0, got -1"):
        crown_distance(layers, x, [0], None, [0.1], -1)
