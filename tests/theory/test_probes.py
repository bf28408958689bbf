"""Theorem 5 and linear classifiers against oracles, brute force, and attacks that look for something shorter."""

from fractions import Fraction
from itertools import combinations

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from theory.points.probes import (
    class_distances,
    pair_distance,
    pair_perturbation,
    probing_vectors,
    projected_distance,
    sign_step,
    targeted_perturbation,
    untargeted_distance,
    worst_margin,
)

SEEDS = st.integers(0, 10**6)
NORMS = st.sampled_from(["l2", "linf"])
ORDER = {"l2": 2, "linf": np.inf}
# Theorem 1's example: columns are points, rows of the inverse are probing vectors
POINTS = np.array([[1.0, 2, 1], [0, 2, 1], [0, 0, 3]])
ROWS = np.linalg.inv(POINTS)
THIRD = np.array([[1.0, 0], [0, 1], [0.9, 0.9]])


def classifier(seed):
    rng = np.random.default_rng(seed)
    K, d = rng.integers(2, 6), rng.integers(1, 8)
    rows, bias, x = rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal(d)
    return rows, bias, x, int(np.argmax(rows @ x + bias)), rng


def test_a_pair():
    p_1, p_2, x = np.array([2.0, 0, 1]), np.array([0.0, 1, 1]), np.array([1.0, 1, 5])
    assert pair_distance(p_1, p_2, x) == pytest.approx(5**-0.5)
    assert pair_perturbation(p_1, p_2, x) == pytest.approx([-0.4, 0.2, 0])
    assert pair_distance(p_1, p_2, x, norm="linf") == pytest.approx(1 / 3)
    assert pair_perturbation(p_1, p_2, x, norm="linf") == pytest.approx([-1 / 3, 1 / 3, 0])


def test_the_perturbation_of_fractions_is_exact():
    p_1, p_2, x = (np.array([Fraction(v) for v in values]) for values in ((2, 0, 1), (0, 1, 1), (1, 1, 5)))
    assert list(pair_perturbation(p_1, p_2, x)) == [Fraction(-2, 5), Fraction(1, 5), 0]
    assert list(pair_perturbation(p_1, p_2, x, Fraction(1, 2), "linf")) == [Fraction(-1, 2), Fraction(1, 2), 0]


def test_all_pairs_of_three_points():
    expected = [[np.inf, 0.5523447707, 0.6882472016], [0.5523447707, np.inf, 2**0.5], [0.6882472016, 2**0.5, np.inf]]
    labels = np.array([0, 1, 2])
    assert class_distances(ROWS, POINTS.T, labels) == pytest.approx(np.array(expected), abs=1e-10)
    assert untargeted_distance(ROWS, POINTS.T, labels) == pytest.approx(np.min(expected, axis=1), abs=1e-10)


@pytest.mark.parametrize(
    ("target", "e", "scores"),
    [
        (1, [0, 1, -1], [-1, 2 / 3, 2 / 3]),
        (0, [9 / 19, -9 / 19, -3 / 19], [18 / 19, -4 / 19, 18 / 19]),
        (2, [0, 0, 0], [0, 0, 1]),
    ],
)
def test_targets(target, e, scores):
    found = targeted_perturbation(ROWS, POINTS[:, 2], target)
    assert found == pytest.approx(e, abs=1e-9)
    assert ROWS @ (POINTS[:, 2] + found) == pytest.approx(scores, abs=1e-9)


def test_a_third_class_in_the_way():
    bias, x = np.array([0, 0, -0.35]), np.array([1.0, 0])
    tie = x + pair_perturbation(THIRD[0], THIRD[1], x)
    assert THIRD @ tie + bias == pytest.approx([0.5, 0.5, 0.55])
    e = targeted_perturbation(THIRD, x, 1, bias)
    scores = THIRD @ (x + e) + bias
    assert scores[1] >= np.max(scores) - 1e-12
    assert np.linalg.norm(e) > pair_distance(THIRD[0], THIRD[1], x)


def test_a_class_that_wins_nowhere():
    rows = np.array([[1.0, 0], [-1, 0], [0, 0]])
    assert np.all(np.isnan(targeted_perturbation(rows, np.array([1.0, 2]), 2, np.array([0, 0, -1.0]))))


def test_a_misclassified_neighbour_may_be_too_near():
    p_1, p_2, x_1, x_2 = np.array([1.0, 0]), np.array([0.0, 1]), np.array([1.0, 0]), np.array([1, 0.5])
    assert projected_distance(p_1, p_2, x_1, x_2) == pytest.approx(0.5)
    assert pair_distance(p_1, p_2, x_1) == pytest.approx(0.5**0.5)


def test_equal_and_opposite_vectors():
    p, x = np.array([1.0, 2]), np.array([1.0, 1])
    assert pair_distance(p, p, x, 1.0) == np.inf
    assert pair_distance(p, p, x) == np.inf
    assert pair_distance(p, p, x, -1.0) == 0
    assert np.all(pair_perturbation(p, p, x, 1.0) == 0)
    assert pair_distance(p, -p, x) == pytest.approx(3 / 5**0.5)


@given(SEEDS, NORMS)
def test_just_past_the_distance_the_label_changes_and_before_it_never(seed, norm):
    rows, bias, x, label, rng = classifier(seed)
    distances = class_distances(rows, x, label, bias, norm)
    k = int(np.argmin(distances))
    e = pair_perturbation(rows[label], rows[k], x, bias[label] - bias[k], norm)
    assert np.linalg.norm(e, ORDER[norm]) == pytest.approx(distances[k], rel=1e-9)
    assert np.argmax(rows @ (x + (1 + 1e-6) * e) + bias) != label
    shorter = rng.standard_normal((300, len(x)))
    shorter *= 0.999 * distances[k] / np.linalg.norm(shorter, ORDER[norm], axis=1, keepdims=True)
    assert np.all(np.argmax((x + np.vstack((shorter, 0.999 * e))) @ rows.T + bias, axis=1) == label)


@given(SEEDS, NORMS, st.floats(0, 3))
def test_the_worst_margin_is_below_every_attack(seed, norm, radius):
    rows, bias, x, label, rng = classifier(seed)
    worst = worst_margin(rows, x, label, radius, bias, norm)
    tried = rng.standard_normal((200, len(x)))
    tried *= radius / np.linalg.norm(tried, ORDER[norm], axis=1, keepdims=True)
    scores = (x + tried) @ rows.T + bias
    margins = scores[:, label] - np.max(np.delete(scores, label, axis=1), axis=1)
    assert worst <= np.min(margins) + 1e-9
    g = rows[label] - np.delete(rows, label, axis=0)
    ends = [-radius * np.sign(v) if norm == "linf" else -radius * v / np.linalg.norm(v) for v in g]
    scores = (x + np.array(ends)) @ rows.T + bias
    assert worst == pytest.approx(np.min(scores[:, label] - np.max(np.delete(scores, label, axis=1), axis=1)), abs=1e-9)


@given(SEEDS)
def test_the_targeted_minimum_is_feasible_and_below_what_solvers_of_other_norms_find(seed):
    rows, bias, x, label, rng = classifier(seed)
    target = int(rng.integers(len(rows)))
    e = targeted_perturbation(rows, x, target, bias)
    G = rows[target] - np.delete(rows, target, axis=0)
    h = -(G @ x + bias[target] - np.delete(bias, target))
    d = len(x)
    smallest = linprog(  # the least linf norm, a feasible point for the l2 program
        np.append(np.zeros(d), 1),
        A_ub=np.block([[-G, np.zeros((len(G), 1))], [np.eye(d), -np.ones((d, 1))], [-np.eye(d), -np.ones((d, 1))]]),
        b_ub=np.concatenate((-h, np.zeros(2 * d))),
        bounds=[(None, None)] * d + [(0, None)],
    )
    if smallest.status == 2:
        assert np.all(np.isnan(e))
        return
    assert np.all(G @ e >= h - 1e-6 * (1 + np.abs(h)))
    assert np.linalg.norm(e) <= np.linalg.norm(smallest.x[:-1]) * (1 + 1e-6) + 1e-9
    if target != label:
        assert np.linalg.norm(e) >= class_distances(rows, x, label, bias)[target] - 1e-9


@given(SEEDS, st.floats(0, 2))
def test_a_sign_step_never_beats_the_worst_case_and_attains_it_for_two_classes(seed, radius):
    rows, bias, x, label, _ = classifier(seed)
    scores = rows @ sign_step(rows, x, label, radius, bias) + bias
    margin = scores[label] - np.max(np.delete(scores, label))
    worst = worst_margin(rows, x, label, radius, bias, "linf")
    assert margin >= worst - 1e-9
    if len(rows) == 2:
        assert margin == pytest.approx(worst, abs=1e-9)


def test_sign_steps():
    W, x = np.array([[1, -2, 0.5], [0, 1, 1.5]]), np.array([0.5, 0.2, 0.4])
    assert sign_step(W, x, 0, 0.1) == pytest.approx([0.4, 0.3, 0.5])
    assert sign_step(W, x, 0, 0.1, descend=True) == pytest.approx([0.6, 0.1, 0.3])
    assert sign_step(W, 1e4 * x, 1, 0.1) == pytest.approx(1e4 * x + [0.1, -0.1, -0.1])


def test_a_chain_of_layers():
    rng = np.random.default_rng(2)
    hidden = [rng.standard_normal(shape) for shape in ((5, 4), (6, 5), (3, 6))]
    outputs = rng.standard_normal((2, 3))
    expected = outputs @ hidden[2] @ hidden[1] @ hidden[0]
    assert probing_vectors(outputs, hidden) == pytest.approx(expected)
    assert probing_vectors(outputs) is outputs


@given(SEEDS)
def test_batches_are_single_points(seed):
    rows, bias, _, _, rng = classifier(seed)
    x, labels = rng.standard_normal((4, 3, rows.shape[1])), rng.integers(len(rows), size=(4, 3))
    batch = class_distances(rows, x, labels, bias, "linf")
    worst = worst_margin(rows, x, labels, np.full((4, 3), 0.1), bias, "linf")
    for at in np.ndindex(4, 3):
        assert batch[at] == pytest.approx(class_distances(rows, x[at], int(labels[at]), bias, "linf"))
        assert worst[at] == pytest.approx(worst_margin(rows, x[at], int(labels[at]), 0.1, bias, "linf"))


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    rows, bias, x = rng.standard_normal((4, 5)), rng.standard_normal(4), rng.standard_normal((6, 5))
    labels = np.argmax(x @ rows.T + bias, axis=1)
    t_rows, t_bias, t_x = (torch.tensor(a, requires_grad=True) for a in (rows, bias, x))
    t_labels = torch.tensor(labels)
    for norm in ("l2", "linf"):
        ours = class_distances(rows, x, labels, bias, norm)
        assert class_distances(t_rows, t_x, t_labels, t_bias, norm).detach().numpy() == pytest.approx(ours, rel=1e-12)
        ours = worst_margin(rows, x, labels, 0.3, bias, norm)
        theirs = worst_margin(t_rows, t_x, t_labels, 0.3, t_bias, norm)
        assert theirs.detach().numpy() == pytest.approx(ours, rel=1e-12)
        for function in (
            lambda r, b, v, norm=norm: untargeted_distance(r, v, t_labels, b, norm),
            lambda r, b, v, norm=norm: worst_margin(r, v, t_labels, 0.3, b, norm),
            lambda r, b, v, norm=norm: pair_perturbation(r[0], r[1], v, b[0] - b[1], norm),
        ):
            torch.autograd.gradcheck(function, (t_rows, t_bias, t_x))
    theirs = projected_distance(t_rows[0], t_rows[1], t_x[0], t_x[1])
    assert theirs.item() == pytest.approx(projected_distance(rows[0], rows[1], x[0], x[1]), rel=1e-12)
    assert sign_step(t_rows, t_x, t_labels, 0.1, t_bias).detach().numpy() == pytest.approx(
        sign_step(rows, x, labels, 0.1, bias), rel=1e-12
    )


def rational(values):
    return np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(values)


@pytest.mark.parametrize("delta", [0, 1e-14, 1e-8, 1])
def test_nearly_equal_classes_against_fractions(delta):
    """Scores near 1e4 whose differences are tiny: nothing but the rounding of one inner product may be lost."""
    rng = np.random.default_rng(4)
    for _ in range(30):
        rows, x = rng.standard_normal((3, 4)), 1e4 * rng.standard_normal(4)
        rows[1] = rows[0] + delta * rng.standard_normal(4)
        bias = np.array([2.0, 2.0, -1e6])
        g, exact_x = rational(rows[0]) - rational(rows[1]), rational(x)
        gap = g @ exact_x
        sizes = {"l2": float(g @ g) ** 0.5, "linf": float(np.sum(abs(g)))}
        for norm, size in sizes.items():
            expected = max(float(gap), 0) / size if size else np.inf
            near = {"rel": 1e-12, "abs": 1e-14 * np.linalg.norm(x)}
            assert pair_distance(rows[0], rows[1], x, 0, norm) == pytest.approx(expected, **near)
            assert class_distances(rows, x, 0, bias, norm)[1] == pytest.approx(expected, **near)
            worst = worst_margin(rows, x, 0, 0.5, bias, norm)
            assert worst == pytest.approx(
                float(gap) - 0.5 * size, abs=1e-14 * (1 + np.linalg.norm(x)) * max(size, 1e-14)
            )


def least_length(G, h):
    """min ||e||^2 with G e >= h in fractions, by all sets of constraints that may hold with equality; None if none."""
    best = None
    for count in range(min(G.shape) + 1):
        for tight in map(list, combinations(range(len(G)), count)):
            table = [[*(G[i] @ G[j] for j in tight), h[i]] for i in tight]
            for k in range(count):
                pivot = next((row for row in range(k, count) if table[row][k] != 0), None)
                if pivot is None:
                    break
                table[k], table[pivot] = table[pivot], table[k]
                for row in set(range(count)) - {k}:
                    factor = table[row][k] / table[k][k]
                    table[row] = [a - factor * b for a, b in zip(table[row], table[k], strict=True)]
            else:
                weights = [table[k][count] / table[k][k] for k in range(count)]
                e = sum((weight * G[i] for weight, i in zip(weights, tight, strict=True)), 0 * G[0])
                if np.all(G @ e >= h) and (best is None or e @ e < best):
                    best = e @ e
    return best


@pytest.mark.parametrize("delta", [0, 1e-14, 1e-8, 1e-4])
def test_targets_beside_a_nearly_equal_class_against_fractions(delta):
    rng = np.random.default_rng(5)
    for trial in range(20):
        K, d = int(rng.integers(3, 5)), int(rng.integers(1, 5))
        rows, bias, x = rng.standard_normal((K, d)), rng.standard_normal(K), rng.standard_normal(d)
        rows[1] = rows[0] + delta * rng.standard_normal(d)
        bias[1] = bias[0] + delta * trial % 2
        target = int(rng.integers(K))
        G = rational(rows[target]) - rational(np.delete(rows, target, axis=0))
        h = -(G @ rational(x) + Fraction(bias[target]) - rational(np.delete(bias, target)))
        least, found = least_length(G, h), np.linalg.norm(targeted_perturbation(rows, x, target, bias))
        assert np.isnan(found) if least is None else found == pytest.approx(float(least) ** 0.5, rel=1e-11)


def test_a_class_everywhere_below_another_never_wins():
    rows = np.array([[1.0, 0], [1.0, 0], [0, 1]])
    assert np.all(np.isnan(targeted_perturbation(rows, np.array([1e3, 1]), 1, np.array([1e-12, 0, 0]))))
    assert np.all(targeted_perturbation(rows, np.array([1e3, 1]), 1) == 0)


def test_signs_survive_where_terms_of_the_gradient_underflow():
    """The second class moves only the first entry; the second entry hangs on a class whose softmax is e^-2000."""
    rows, x = np.array([[0.0, 0], [-1, 0], [-1, 1]]), np.array([-3.0, -2000])
    assert np.exp(rows[2] @ x - rows[1] @ x) == 0
    assert sign_step(rows, x, 0, 0.5) == pytest.approx([-3.5, -1999.5])
    assert sign_step(rows[:2], x, 0, 0.5) == pytest.approx([-3.5, -2000])


@given(SEEDS)
def test_signs_against_the_gradient_in_many_digits(seed):
    rows, bias, x, label, rng = classifier(seed)
    rows[rng.random(rows.shape) < 0.3] = 0
    rows, x = np.round(rows, 1), 200 * x
    with mpmath.workdps(400):
        scores = [mpmath.fdot(row, x) + b for row, b in zip(rows.tolist(), bias.tolist(), strict=True)]
        weights = [mpmath.exp(score - max(scores)) for score in scores]
        gradient = [
            mpmath.fdot(weights, [row - own for row in column])
            for column, own in zip(rows.T.tolist(), rows[label].tolist(), strict=True)
        ]
        expected = [float(mpmath.sign(entry)) for entry in gradient]
    assert sign_step(rows, 0 * x + x, label, 1.0, bias) - x == pytest.approx(expected, abs=1e-10)


def test_the_projected_difference_is_no_longer_than_the_whole():
    rng = np.random.default_rng(7)
    for _ in range(300):
        p_1, x_1, x_2 = rng.standard_normal((3, 2))
        whole = np.linalg.norm(x_2 - x_1)
        for p_2 in (rng.standard_normal(2), p_1 * (1 + 1e-8), p_1 + 1e-14 * rng.standard_normal(2), 0 * p_1):
            assert projected_distance(p_1, p_2, x_1, x_2) <= whole * (1 + 1e-15)
    assert projected_distance(p_1, 2 * p_1, x_1, x_2) == pytest.approx(
        abs(p_1 @ (x_2 - x_1)) / np.linalg.norm(p_1), rel=1e-14
    )


EYE = np.eye(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pair_distance(EYE[0], EYE[1], np.ones(2)), "must have the same dimension, got 3, 3 and 2"),
        (lambda: pair_distance(EYE[0], EYE[1], np.full(3, np.inf)), "x must be finite"),
        (lambda: pair_distance(EYE[0], EYE[1], EYE[2], norm="l1"), 'norm must be "l2" or "linf"'),
        (lambda: pair_perturbation(EYE[0], EYE[1], EYE[2], norm="l1"), 'norm must be "l2" or "linf"'),
        (lambda: probing_vectors(EYE, [np.ones((2, 3))]), r"hidden must have 3 rows here, got shape \(2, 3\)"),
        (lambda: class_distances(EYE, np.ones(2), 0), "the same dimension, got 3 and 2"),
        (lambda: class_distances(EYE[:1], np.ones(3), 0), "at least 2 in number, got 1"),
        (lambda: class_distances(EYE, np.ones(3), 3), "label must be from 0 to 2, got 3"),
        (lambda: class_distances(EYE, np.ones(3), np.array([0.5])), "label must hold integers"),
        (lambda: class_distances(EYE, np.eye(3), np.array([0, 1])), r"label must have shape \(3,\), one for each x"),
        (lambda: class_distances(EYE, np.ones(3), True), "label must be an integer, got True"),
        (lambda: class_distances(EYE, np.ones(3), 0, np.ones(2)), "bias must have 3 entries, got 2"),
        (lambda: worst_margin(EYE, np.ones(3), 0, -0.1), "radius must be at least 0 and finite, got -0.1"),
        (
            lambda: worst_margin(EYE, np.ones((1, 3)), 0, np.array([-1.0])),
            "radius must be at least 0 and finite, got ent",
        ),
        (lambda: worst_margin(EYE, np.ones(3), 0, np.nan), "radius must be at least 0 and finite, got nan"),
        (lambda: pair_distance(EYE[0], EYE[1], EYE[2], np.inf), "offset must be finite, got inf"),
        (lambda: pair_distance(EYE[0], EYE[1], np.float64(1)), "must have the same dimension, got 3, 3 and 0"),
        (lambda: targeted_perturbation(EYE[:1], np.ones(3), 0), "at least 2 in number, got 1"),
        (lambda: sign_step(EYE, np.ones(3), 0, -1.0), "radius must be at least 0"),
        (lambda: targeted_perturbation(EYE, np.ones(3), -1), "target must be from 0 to 2, got -1"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
