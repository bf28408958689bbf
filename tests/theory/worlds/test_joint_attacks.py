"""The attackers against naive loops, closed forms and enumeration; the judge against proposals that cheat."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.worlds.joint_attacks import ATTACKS, MOST_MOVING, Problem, affordable, forward, judged, starts

SEEDS = st.integers(0, 10_000)
few = settings(max_examples=10)


def draw(rng, sizes, size=1):
    weights = [rng.normal(size=(size, *shape)) for shape in zip(sizes[1:], sizes[:-1], strict=True)]
    return (*weights, rng.normal(size=(size, sizes[0])))


def found(name, problem, rng, count=8):
    """What an attack attains in each network, as the judge sees it."""
    return np.max(judged(problem, ATTACKS[name](problem, starts(problem, lambda *shape: rng.random(shape), count))), 1)


def naive(weights, x):
    h = list(x)
    for m, weight in enumerate(weights):
        h = [sum(w * value for w, value in zip(row, h, strict=True)) for row in weight]
        h = h if m == len(weights) - 1 else [max(value, 0) for value in h]
    return h


def test_a_forward_pass_is_the_plain_one():
    parts = draw(np.random.default_rng(0), (3, 5, 4, 2), size=6)
    logits = forward(parts[:-1], parts[-1])
    for k in range(6):
        *weights, x = (part[k] for part in parts)
        assert logits[k] == pytest.approx(naive(weights, x))
        assert forward(weights, x) == pytest.approx(naive(weights, x))


@pytest.mark.parametrize("name", ["ascent", "gradient"])
@given(seed=SEEDS)
@few
def test_one_layer_and_two_at_the_clean_input_are_solved(name, seed):
    """One layer: every input entry at the better of its ends. Two: every hidden neuron as high or low as it goes."""
    rng = np.random.default_rng(seed)
    weight, x = draw(rng, (4, 2))
    v = weight[0, 0] - weight[0, 1]
    one = sum(max(v[b] * e + 0.2 * abs(e) for e in (x[0, b] - 0.3, x[0, b] + 0.3)) for b in range(4)) - v @ x[0]
    assert found(name, Problem((weight, x), (0.1, 0.3)), rng, 16) == pytest.approx([one])
    first, last, x = draw(rng, (3, 3, 2))
    c = last[0, 0] - last[0, 1] + 0.2
    high = first[0] @ x[0] + np.sign(c) * 0.1 * np.sum(np.abs(x))
    two = c @ np.maximum(high, 0) - (c - 0.2) @ np.maximum(first[0] @ x[0], 0)
    attained = found(name, Problem((first, last, x), (0.1, 0.1, 0)), rng, 16)
    assert attained <= two + 1e-12
    if name == "ascent":
        assert attained == pytest.approx([two])


@few
@given(SEEDS)
def test_vertices_are_all_corners(seed):
    rng = np.random.default_rng(seed)
    parts = draw(rng, (2, 2, 2))
    radii = [(0.2, 0.3, 0), (0.4, 0, 0.1), (0, 0, 0.5)][seed % 3]
    rises = []
    moving = sum(part.size for part, radius in zip(parts, radii, strict=True) if radius)
    for signs in product((-1, 1), repeat=moving):
        left = iter(signs)
        moved = [
            np.array([entry + radius * next(left) for entry in part.flat]).reshape(part[0].shape) if radius else part[0]
            for part, radius in zip(parts, radii, strict=True)
        ]
        after, before = naive(moved[:-1], moved[-1]), naive([p[0] for p in parts[:-1]], parts[-1][0])
        rises.append(after[0] - after[1] - before[0] + before[1])
    problem = Problem(parts, radii)
    assert found("vertices", problem, rng) == pytest.approx([max(rises)])
    for name in ("corners", "ascent"):
        assert found(name, problem, rng) <= max(rises) + 1e-12


def test_gradients_reach_weights_that_lie_inside():
    """-|a - g| of two neurons that share an input: no corner makes them equal."""
    layers = [[[1.0], [1.05]], [[1.0, -1], [-1, 1]], [[-1.0, -1], [0, 0]]]
    problem = Problem((*(np.array([layer]) for layer in layers), np.ones((1, 1))), (0.1, 0, 0, 0))
    rng = np.random.default_rng(0)
    assert found("vertices", problem, rng) == pytest.approx([0], abs=1e-12)
    assert found("gradient", problem, rng) == pytest.approx([0.05], abs=2e-3)


@few
@given(SEEDS)
def test_networks_beside_it_change_nothing(seed):
    rng = np.random.default_rng(seed)
    problem = Problem(draw(rng, (3, 4, 3), size=3), (0.1, 0.0, 0.2), (2, 1))
    noise = starts(problem, lambda *shape: rng.random(shape), 4)
    for name in ("corners", "ascent", "gradient"):
        together = judged(problem, ATTACKS[name](problem, noise))
        for k in range(3):
            alone = problem._replace(parts=tuple(part[k : k + 1] for part in problem.parts))
            mine = [part[k : k + 1] if len(part) > 1 else part for part in noise]
            assert judged(alone, ATTACKS[name](alone, mine))[0] == pytest.approx(together[k], abs=1e-12)


@pytest.mark.parametrize("name", ATTACKS)
def test_a_budget_of_nothing_gains_nothing(name):
    rng = np.random.default_rng(3)
    assert found(name, Problem(draw(rng, (2, 3, 3), size=2), (0, 0, 0)), rng).tolist() == [0, 0]


def test_the_judge_refuses_what_leaves_the_budget():
    rng = np.random.default_rng(4)
    problem = Problem(draw(rng, (2, 3, 3)), (0.1, 0.1, 0))
    moved = ATTACKS["gradient"](problem, starts(problem, lambda *shape: rng.random(shape), 2))
    assert np.max(judged(problem, moved)) > 0
    moved[1] = moved[1] + 0.2 * np.sign(moved[1] - problem.centre[1])
    with pytest.raises(ValueError, match="proposals must lie within their radii, got part 2 off by"):
        judged(problem, moved)
    moved = [*problem.centre[:2], problem.centre[2] * np.nan]
    with pytest.raises(ValueError, match="got part 3 off by nan"):
        judged(problem, moved)


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1, 1e6, 1e12])
@pytest.mark.parametrize("name", ["corners", "ascent", "gradient"])
def test_the_judge_judges_at_every_scale(name, scale):
    """What an attack proposes is within its radii to rounding; a tenth more than a radius is not, however small."""
    rng = np.random.default_rng(4)
    first, last, x = draw(rng, (3, 3, 2))
    problem = Problem((scale * first, last / scale, x), (0.1 * scale, 0.1 / scale, 0.1))
    moved = ATTACKS[name](problem, starts(problem, lambda *shape: rng.random(shape), 2))
    plain = Problem((first, last, x), (0.1, 0.1, 0.1))
    same = judged(plain, [moved[0] / scale, moved[1] * scale, moved[2]])
    assert judged(problem, moved) == pytest.approx(same)
    moved[0] = problem.centre[0] + 1.1 * problem.radii[0]
    with pytest.raises(ValueError, match="proposals must lie within their radii, got part 1 off by"):
        judged(problem, moved)


def test_what_is_too_large_is_not_enumerated():
    rng = np.random.default_rng(5)
    problem = Problem(draw(rng, (3, 4, 3)), (0.1, 0.1, 0.1))
    assert (problem.entries, problem.moving) == (27, 27)
    assert affordable(problem.entries, problem.moving) == ["corners", "ascent", "gradient"]
    assert affordable(problem.entries, MOST_MOVING) == [*ATTACKS]
    assert affordable(10_000, 3) == ["corners", "gradient"]
    with pytest.raises(ValueError, match="at most 12 entries may move for their corners to be counted, got 27"):
        ATTACKS["vertices"](problem, [])


@pytest.mark.parametrize(("depth", "width"), [(1, 64), (6, 4), (2, 512)])
def test_gradients_beat_random_corners_at_every_scale(depth, width):
    rng = np.random.default_rng(depth)
    parts = draw(rng, (width, *[width] * (depth - 1), 4))
    parts = (*(part / width**0.5 for part in parts[:-1]), np.abs(parts[-1]))
    problem = Problem(parts, (1e-3,) * depth + (1e-2,), (3, 0))
    assert found("gradient", problem, rng, 2) > found("corners", problem, rng, 2)
