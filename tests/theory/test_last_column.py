"""The attacks of Theorems 1 and 6 against worked examples, definitions, brute force and torch."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fragility.testing import assert_agrees
from fragility.witness import exact, stored
from theory.claims import BOOK
from theory.gradients.gradient_plane import projection
from theory.points import last_column
from theory.points.attack_size import column_law, flip_law, pair_margin_law, swap_law
from theory.points.last_column import (
    column_perturbation,
    flip_perturbation,
    outputs,
    pair_margin,
    pair_margins,
    probing_vectors,
    sign_outputs,
    swap_bound,
    swap_perturbation,
    swap_size,
    targeted_perturbation,
    untargeted_margins,
)
from theory.worlds.last_column import points

EXAMPLE = np.array([[1.0, 2, 1], [0, 2, 1], [0, 0, 3]])  # Q = I, R = A
seeds = st.integers(0, 2**32 - 1)


def drawn(seed, least=2):
    rng = np.random.default_rng(seed)
    data = points(rng, least)
    label, target = rng.permutation(data.shape[1])[:2] if data.shape[1] > 1 else (0, 0)
    return data, int(label), int(target)


def test_the_worked_example_of_theorem_1():
    e = swap_perturbation(EXAMPLE, 2, 1)
    np.testing.assert_allclose(e, [0, 1, -3], atol=1e-14)
    assert swap_size(EXAMPLE, 2, 1) == pytest.approx(np.sqrt(10), rel=1e-14)
    np.testing.assert_allclose(outputs(EXAMPLE, EXAMPLE[:, 2] + e), [-1, 1, 0], atol=1e-14)
    np.testing.assert_allclose(probing_vectors(EXAMPLE), [[1, -1, 0], [0, 1 / 2, -1 / 6], [0, 0, 1 / 3]], atol=1e-15)
    margins = pair_margins(EXAMPLE)
    assert [margins[2, 1], pair_margin(EXAMPLE, 2, 1)] == pytest.approx([np.sqrt(2)] * 2, rel=1e-14)
    assert margins[2, 0] == untargeted_margins(EXAMPLE)[2] == pytest.approx(0.6882472016)
    assert margins[1, 0] == pytest.approx(0.5523447707)
    assert np.all(np.isinf(np.diagonal(margins)))
    np.testing.assert_allclose(column_perturbation(EXAMPLE, 2), [0, 0, -2], atol=1e-14)


def test_the_least_distance_programs_of_the_worked_example():
    for target, expected, scores in (
        (1, [0, 1, -1], [-1, 2 / 3, 2 / 3]),
        (0, np.array([9, -9, -3]) / 19, np.array([18, -4, 18]) / 19),
    ):
        e = targeted_perturbation(EXAMPLE, 2, target)
        np.testing.assert_allclose(e, expected, atol=1e-12)
        np.testing.assert_allclose(outputs(EXAMPLE, EXAMPLE[:, 2] + e), scores, atol=1e-12)


def test_a_product_of_two_blocks():
    data = np.array([[1, -1], [0, 0.5]]) @ np.array([[2.0, 1], [0, 1]])
    np.testing.assert_allclose(data, np.diag([2, 0.5]))
    assert swap_size(data, 1, 0) == pytest.approx(np.sqrt(17) / 2)
    assert pair_margin(data, 1, 0) == pytest.approx(2 / np.sqrt(17))
    assert np.linalg.norm(column_perturbation(data, 1)) == pytest.approx(0.5)


@given(seeds)
def test_the_swap_and_its_size(seed):
    data, label, target = drawn(seed)
    e, p = swap_perturbation(data, label, target), np.linalg.pinv(data)
    loss = 1e-13 * np.linalg.cond(data)
    scores = p @ (data[:, label] + e)
    np.testing.assert_allclose(scores[[label, target]], [0, 1], atol=loss)
    assert np.argmax(p @ (data[:, label] + 0.500001 * e)) != label
    assert np.argmax(scores) != label
    assert np.linalg.norm(e) == pytest.approx(swap_size(data, label, target), rel=1e-12)
    others = np.delete(data, (label, target), axis=1)
    np.testing.assert_allclose(others.T @ e, 0, atol=1e-12 * np.linalg.norm(data) ** 2)
    assert swap_size(data, label, target) <= swap_bound(data, label, target) * (1 + 1e-14)


@given(seeds)
def test_margins_by_definition_and_their_order(seed):
    data, label, target = drawn(seed)
    p, loss = np.linalg.pinv(data), 1e-13 * np.linalg.cond(data)
    margins = pair_margins(data)
    apart = np.linalg.norm(p[:, None] - p, axis=-1)
    off = ~np.eye(len(p), dtype=bool)
    np.testing.assert_allclose(margins[off], 1 / apart[off], rtol=10 * loss)
    np.testing.assert_allclose(margins, margins.T, rtol=1e-12)
    pair = pair_margin(data, label, target)
    assert pair == pytest.approx(margins[label, target], rel=10 * loss)
    assert pair <= swap_size(data, label, target) / 2 * (1 + 1e-12)
    smallest = untargeted_margins(data)[label]
    assert smallest == margins[label].min()
    assert smallest <= np.linalg.norm(column_perturbation(data, label)) * (1 + loss)
    targeted = np.linalg.norm(targeted_perturbation(data, label, target))
    assert targeted >= pair * (1 - loss - 1e-9)


@settings(max_examples=30)
@given(seeds)
def test_no_shorter_perturbation_changes_the_label(seed):
    data, label, _ = drawn(seed)
    rng, p, smallest = np.random.default_rng(seed), np.linalg.pinv(data), untargeted_margins(data)[label]
    directions = np.concatenate([rng.standard_normal((200, len(data))), np.delete(p - p[label], label, axis=0)])
    directions *= 0.999 * smallest / np.linalg.norm(directions, axis=1, keepdims=True)
    if np.linalg.cond(data) < 1e8:
        assert np.all(np.argmax(p @ (data[:, [label]] + directions.T), axis=0) == label)
        nearest = np.argmin(pair_margins(data)[label])
        step = (p[nearest] - p[label]) * 1.001 * smallest**2
        assert np.argmax(p @ (data[:, label] + step)) != label


@given(seeds)
def test_the_column_direction_is_a_tie_along_one_probing_vector(seed):
    data, label, _ = drawn(seed)
    e, p = column_perturbation(data, label), probing_vectors(data)
    loss = 1e-12 * np.linalg.cond(data)
    cosine = e @ p[label] / (np.linalg.norm(e) * np.linalg.norm(p[label]))
    assert abs(cosine) == pytest.approx(1)
    scores = outputs(data, data[:, label] + e)
    assert np.max(np.delete(scores, label)) == pytest.approx(scores[label], abs=loss * (1 + np.abs(scores).max()))


@given(seeds)
def test_the_attack_on_signs(seed):
    data, _, _ = drawn(seed, least=1)
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(5, data.shape[1]))
    x, loss = signs @ data.T, 1e-12 * np.linalg.cond(data)
    e = flip_perturbation(data, signs[:, -1])
    assert e.shape == x.shape
    np.testing.assert_allclose(sign_outputs(data, x), signs[:, -1:] * [1, -1], atol=loss)
    np.testing.assert_allclose(sign_outputs(data, x + e), signs[:, -1:] * [-1, 1], atol=loss)
    np.testing.assert_allclose(sign_outputs(data, x + e / 2), 0, atol=loss)
    last = abs(np.linalg.qr(data)[1][-1, -1])
    np.testing.assert_allclose(np.linalg.norm(e, axis=-1), 2 * last, rtol=1e-12)
    assert 2 * last == pytest.approx(2 / np.linalg.norm(np.linalg.pinv(data)[-1]), rel=10 * loss)


@given(seeds, st.floats(0.01, 100))
def test_scale_rotation_and_order_of_the_points(seed, scale):
    data, label, target = drawn(seed)
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.standard_normal((len(data), len(data))))[0]
    order = rng.permutation(data.shape[1])
    place = {int(old): new for new, old in enumerate(order)}
    moved = scale * (turn @ data)[:, order]
    e, loss = swap_perturbation(data, label, target), 1e-12 * np.linalg.cond(data)
    size = scale * np.linalg.norm(e)
    turned = swap_perturbation(moved, place[label], place[target])
    np.testing.assert_allclose(turned, scale * turn @ e, atol=loss * np.linalg.norm(moved))
    assert swap_size(moved, place[label], place[target]) == pytest.approx(size, abs=loss * np.linalg.norm(moved))


def test_stacks_of_matrices_and_inputs():
    rng = np.random.default_rng(5)
    stack, inputs = rng.standard_normal((2, 3, 6, 4)), rng.standard_normal((2, 3, 6))
    for function in (
        probing_vectors,
        pair_margins,
        untargeted_margins,
        lambda data: swap_perturbation(data, 3, 0),
        lambda data: swap_size(data, 1, 2),
        lambda data: swap_bound(data, 1, 2),
        lambda data: pair_margin(data, 1, 2),
        lambda data: column_perturbation(data, 2),
    ):
        together = function(stack)
        np.testing.assert_allclose(together[1, 2], function(stack[1, 2]), rtol=1e-12)
    np.testing.assert_allclose(outputs(stack, inputs)[1, 2], np.linalg.pinv(stack[1, 2]) @ inputs[1, 2], rtol=1e-10)


@pytest.mark.parametrize(("d", "n"), [(3, 3), (8, 8), (9, 5)])
def test_sizes_follow_their_laws(d, n):
    """Four sizes of one batch of Gaussian data."""
    data = np.random.default_rng(d).standard_normal((4000, d, n))
    sizes = (
        swap_size(data, 0, 1),
        pair_margin(data, 1, 0),
        np.linalg.norm(column_perturbation(data, n - 1), axis=-1),
        np.linalg.norm(flip_perturbation(data, np.ones(len(data))), axis=-1),
    )
    right, wrong = (
        (swap_law(n, (rows,)), pair_margin_law(n, (rows,)), column_law(n, rows), flip_law(n, (rows,)))
        for rows in (d, d + 1)
    )
    for size, law, decoy in zip(sizes, right, wrong, strict=True):
        assert_agrees(size, law, tolerance=0.07, decoys={"a dimension more": decoy})


def test_the_tie_point_and_the_margin_differ_by_an_arcsine_factor():
    data = np.random.default_rng(2).standard_normal((4000, 6, 6))
    ratio = 2 * pair_margin(data, 0, 1) / swap_size(data, 0, 1)
    assert_agrees(ratio**2, stats.arcsine, tolerance=0.07, decoys={"a uniform ratio": stats.beta(0.5, 1)})


def test_other_outputs_after_the_swap_follow_student():
    data = np.random.default_rng(6).standard_normal((4000, 7, 7))
    scores = outputs(data, data[..., 6] + swap_perturbation(data, 6, 5))[..., 0]
    law, inverted = (stats.t(3, scale=np.sqrt(square)) for square in (2 / 3, 3 / 2))
    assert_agrees(scores, law, tolerance=0.07, decoys={"the scale upside down": inverted})


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    data = np.random.default_rng(7).standard_normal((2, 5, 4))
    theirs = torch.tensor(data, requires_grad=True)
    functions = (
        lambda A: swap_perturbation(A, 2, 0),
        lambda A: swap_size(A, 2, 0),
        lambda A: swap_bound(A, 2, 0),
        lambda A: pair_margin(A, 2, 0),
        untargeted_margins,
        lambda A: column_perturbation(A, 1),
        lambda A: flip_perturbation(A, A[..., 0, 0] * 0 + 1),
        lambda A: sign_outputs(A, A[..., 1] + 0.1),
    )
    for function in functions:
        np.testing.assert_allclose(function(theirs).detach().numpy(), function(data), rtol=1e-12, atol=1e-13)
        assert torch.autograd.gradcheck(function, (theirs,), atol=1e-5, rtol=1e-4)


def test_the_stored_case_in_floating_point():
    """What the exact replay of fc.thm1.target.reading says, by the functions themselves."""
    data = exact(stored("fc.thm1.target.reading", BOOK.witnesses)["data"]).astype(float)
    scores = outputs(data, data[:, 2] + swap_perturbation(data, 2, 1))
    np.testing.assert_allclose(scores, [2, 1, 0], atol=1e-14)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: swap_perturbation(np.ones((2, 3)), 0, 1), "data must have at least as many rows as points"),
        (lambda: swap_perturbation(np.eye(3), 0, 0), "target must differ from the label, got 0 twice"),
        (lambda: swap_size(np.eye(3), 3, 0), "label must be from 0 to 2, got 3"),
        (lambda: pair_margin(np.eye(3), 0, -1), "target must be from 0 to 2, got -1"),
        (lambda: column_perturbation(np.eye(3), 5), "label must be from 0 to 2, got 5"),
        (lambda: column_perturbation(np.eye(1), 0), "data must hold at least 2 points, got 1"),
        (lambda: untargeted_margins(np.eye(1)), "data must hold at least 2 points, got 1"),
        (lambda: targeted_perturbation(np.zeros((2, 3, 3)), 0, 1), "data must have 2 axes"),
        (lambda: probing_vectors(np.array([[np.nan]])), "data must be finite"),
        (lambda: probing_vectors(np.ones(3)), "data must have at least 2 axes"),
        (lambda: swap_size(np.eye(1), 0, 0), "data must hold at least 2 points, got 1"),
        (lambda: swap_size(np.eye(3), True, 0), "label must be an integer, got True"),
        (lambda: pair_margin(np.eye(3), 1.0, 0), "label must be an integer, got 1.0"),
        (lambda: flip_perturbation(np.eye(3), 0.5), "sign must be 1 or -1 everywhere"),
        (lambda: flip_perturbation(np.eye(3), np.array([1, 0])), "sign must be 1 or -1 everywhere"),
        (lambda: outputs(np.eye(3), np.ones(2)), "x must have 3 entries, got shape"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def exact_vectors(data):
    """p_k in fractions: x_k without its part in the span of the others, over its squared length."""
    columns = [np.array([Fraction(value) for value in column], dtype=object) for column in data.T.tolist()]
    left = [
        column - projection(np.stack(columns[:k] + columns[k + 1 :]), column) if len(columns) > 1 else column
        for k, column in enumerate(columns)
    ]
    return np.array([vector / (vector @ vector) for vector in left])


@pytest.mark.parametrize("delta", [1e-14, 1e-8, 1e-4])
def test_nearly_dependent_points_against_fractions(delta):
    rng = np.random.default_rng(3)
    for _ in range(20):
        n = int(rng.integers(2, 5))
        data = rng.standard_normal((n + int(rng.integers(0, 3)), n))
        data[:, -1] = data[:, 0] + 4 * delta * np.linalg.norm(data[:, 0]) * data[:, -1]
        values = np.linalg.svd(data / np.linalg.norm(data, axis=0), compute_uv=False)
        near = {"rel": min(1.0, 2e-15 * values[0] / values[-1])}  # what rounding of the data itself may do
        p = exact_vectors(data)
        apart = np.array([[float(np.sum((a - b) ** 2)) ** 0.5 for a in p] for b in p])
        expected = 1 / np.where(np.eye(n, dtype=bool), 1, apart)
        off = ~np.eye(n, dtype=bool)
        assert pair_margins(data)[off] == pytest.approx(expected[off], **near)
        assert pair_margin(data, n - 1, 0) == pytest.approx(expected[-1, 0], **near)
        largest = float(np.max(np.abs(p)))
        assert probing_vectors(data) == pytest.approx(p.astype(float), abs=near["rel"] * largest)
        own = float(np.sum(p[0] ** 2)) ** 0.5
        assert np.linalg.norm(flip_perturbation(data[:, ::-1], 1)) == pytest.approx(2 / own, **near)
        gains = [float(np.sum((p[0] - other) * p[0])) / own for other in p]
        assert np.linalg.norm(column_perturbation(data, 0)) == pytest.approx(1 / max(map(abs, gains)), **near)
        targeted = np.linalg.norm(targeted_perturbation(data, n - 1, 0))
        assert targeted >= expected[-1, 0] * (1 - near["rel"])


DEPENDENT = {
    "twice the same point": np.array([[1.0, 1, 0], [2, 2, 1], [3, 3, 5]]),
    "the origin": np.array([[1.0, 0, 0], [2, 0, 1], [3, 0, 5]]),
    "a sum": np.array([[1.0, 0, 1], [2, 1, 3], [3, 5, 8]]),
    "a sum of nearly equal points": np.array([[1.0, 1, 2], [2, 2 + 2.0**-30, 4 + 2.0**-30], [3, 3, 6]]),
    "one class at the origin": np.zeros((3, 1)),
    "one of a stack": np.stack([np.eye(3), np.ones((3, 3))]),
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_dependent_points_are_refused(name):
    data = DEPENDENT[name]
    calls = [lambda: probing_vectors(data), lambda: outputs(data, np.ones(3)), lambda: flip_perturbation(data, 1)]
    calls += [lambda: sign_outputs(data, np.ones(3))]
    if data.shape[-1] > 1:
        calls += [lambda f=f: f(data, 2, 0) for f in (swap_perturbation, swap_size, swap_bound, pair_margin)]
        calls += [lambda: pair_margins(data), lambda: untargeted_margins(data), lambda: column_perturbation(data, 1)]
    if data.ndim == 2 and data.shape[-1] > 1:
        calls += [lambda: targeted_perturbation(data, 2, 0)]
    for call in calls:
        with pytest.raises(ValueError, match="data must have full column rank, got columns that depend on each other"):
            call()


def test_one_point():
    data = np.array([[3.0], [4]])
    np.testing.assert_allclose(probing_vectors(data), [[0.12, 0.16]], rtol=1e-15)
    np.testing.assert_allclose(flip_perturbation(data, np.array([1, -1])), [[-6, -8], [6, 8]], rtol=1e-15)
    np.testing.assert_allclose(sign_outputs(data, data[:, 0]), [1, -1], rtol=1e-15)


def test_points_of_unlike_lengths():
    """e has the length of the lengths' harmonic sum: p_i = x_i / |x_i|^2 for orthogonal points."""
    data = np.diag([1e-200, 1.0, 1e100])
    assert pair_margin(data, 0, 1) == pair_margins(data)[0, 1] == pytest.approx(1e-200, rel=1e-15)
    assert pair_margin(data, 1, 2) == pair_margins(data)[1, 2] == pytest.approx(1, rel=1e-15)
    assert np.linalg.norm(column_perturbation(data, 2)) == pytest.approx(1e100, rel=1e-15)


def test_every_public_function_is_tested_here():
    ours = {name for name, item in vars(last_column).items() if getattr(item, "__module__", "") == last_column.__name__}
    assert {name for name in ours if not name.startswith("_")} <= set(globals())
