"""The optimum of Theorem 6 and the best linear classifier against brute force, programs of other kinds, and oracles."""

from fractions import Fraction
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import chi, halfnorm

from fragility.testing import assert_agrees
from theory.gradients.gradient_plane import projection
from theory.points.optimal_tolerance import (
    _decode,
    angle_bounds,
    angle_cosines,
    fraction,
    interpolation_probability,
    last_distance,
    linear_margin,
    margins,
    mean_square_cosine,
    optimal_tolerance,
    point_tolerance,
    squared_tolerance,
)

EXAMPLE = np.array([[1.0, 0, 1], [0, 1, 1], [0, 0, 1]])
SHAPES = st.tuples(st.integers(1, 7), st.integers(0, 3), st.integers(0, 10**6))
SCALES = st.sampled_from([0.2, 1.0, 2.0, 5.0])


def gaussian(m, extra, seed):
    return np.random.default_rng(seed).standard_normal((m + extra, m))


@pytest.mark.parametrize(
    ("scale", "best", "linear"), [(1, 1, 1), (2, 3**0.5, 1), (0.25, (17 / 8) ** 0.5, (17 / 8) ** 0.5)]
)
def test_the_smallest_example(scale, best, linear):
    assert fraction(EXAMPLE) == pytest.approx(3**-0.5)
    assert last_distance(EXAMPLE) == pytest.approx(1)
    assert optimal_tolerance(EXAMPLE, scale).value == pytest.approx(best)
    assert linear_margin(EXAMPLE, scale).value == pytest.approx(linear)


def test_one_column():
    A = np.array([[3.0], [4.0]])
    assert optimal_tolerance(A) == (5.0, pytest.approx(np.empty(0)))
    assert linear_margin(A).value == last_distance(A) == 5
    assert fraction(A) == 1


@given(SHAPES, SCALES)
def test_four_distances_in_order(shape, scale):
    A = gaussian(*shape)
    best, linear = optimal_tolerance(A, scale), linear_margin(A, scale)
    order = [last_distance(A), linear.value, best.value, np.linalg.norm(A[:, -1])]
    assert np.all(np.diff(order) > -1e-9)
    assert set(best.coefficients) <= {-1, 0, 1}
    assert best.value == pytest.approx(np.sqrt(squared_tolerance(A, scale)))
    for solution in (best, linear):
        assert solution.value == pytest.approx(np.linalg.norm(A[:, -1] + scale * A[:, :-1] @ solution.coefficients))


@given(SHAPES, SCALES)
def test_the_decoder_finds_what_trying_all_finds(shape, scale):
    m, extra, seed = shape
    A = gaussian(m + 1, extra, seed)
    u = _decode(scale * A[:, :-1], A[:, -1], np.tile([-1, 0, 1], (m, 1)))
    assert np.linalg.norm(A[:, -1] + scale * A[:, :-1] @ u) == pytest.approx(
        optimal_tolerance(A, scale).value, rel=1e-12
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_decoder_at_a_size_with_a_frontier(seed):
    A = gaussian(11, 0, seed)
    assert optimal_tolerance(A).value == pytest.approx(np.sqrt(squared_tolerance(A)), rel=1e-12)
    A = gaussian(30, 0, seed)
    assert linear_margin(A).value <= optimal_tolerance(A).value + 1e-9


def test_dependent_columns_are_decoded_too():
    A = gaussian(10, 0, 5)
    A[:, 3] = A[:, 4] - A[:, 2]
    A[:, -1] = A[:, 0] - A[:, 7]
    assert optimal_tolerance(A).value == pytest.approx(0, abs=1e-12)


@given(SHAPES, SCALES)
def test_the_worst_point_has_the_optimum(shape, scale):
    m, extra, seed = shape
    A = gaussian(min(m, 5), extra, seed)
    signs = np.array(np.meshgrid(*[[-1, 1]] * A.shape[1])).reshape(A.shape[1], -1).T
    values = [point_tolerance(A, z, scale).value for z in signs]
    assert min(values) == pytest.approx(optimal_tolerance(A, scale).value)


def test_no_hyperplane_beats_the_margin_of_the_box():
    rng = np.random.default_rng(0)
    for _ in range(4):
        A = rng.standard_normal((4, 4))
        best = linear_margin(A).value
        for start in rng.standard_normal((2, 4)):
            found = minimize(lambda p, A=A: -float(margins(p, A).worst), start, method="Nelder-Mead", tol=1e-8)
            assert -found.fun <= best + 1e-9
        assert max(margins(p, A).worst for p in rng.standard_normal((200, 4))) <= best


@pytest.mark.parametrize(
    ("m", "scale", "chance"),
    [
        (1, 1, 1),
        (2, 1, 0.7071067812),
        (4, 1, 0.4589410716),
        (8, 1, 0.2793898963),
        (12, 1, 0.2045303879),
        (2, 5, 0.9805806757),
        (4, 5, 0.9594481833),
        (8, 5, 0.9376938657),
        (12, 5, 0.9248853866),
    ],
)
def test_the_chance_that_the_network_is_the_best_linear_classifier(m, scale, chance):
    assert interpolation_probability(m, scale) == pytest.approx(chance, abs=1e-10)


@pytest.mark.parametrize(
    ("m", "scale", "rows"), [(2, 0.01, 2), (30, 0.1, 30), (100, 3, 100), (5, 1, 12), (300, 1, 301)]
)
def test_the_chance_by_quadrature_in_many_digits(m, scale, rows):
    nu = rows - m + 2

    def integrand(t):
        return t ** (nu - 1) * mpmath.exp(-t * t / 2) * mpmath.erf(scale * t / mpmath.sqrt(2)) ** (m - 1)

    with mpmath.workdps(30):
        points = [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 40]
        exact = mpmath.quad(integrand, points) * 2 ** (1 - mpmath.mpf(nu) / 2) / mpmath.gamma(mpmath.mpf(nu) / 2)
    assert interpolation_probability(m, scale, rows) == pytest.approx(float(exact), rel=1e-9)


def test_the_chance_in_a_sample():
    rng = np.random.default_rng(7)
    draws = [rng.standard_normal((6, 4)) for _ in range(1500)]
    hits = [linear_margin(A).value <= last_distance(A) * (1 + 1e-9) for A in draws]
    decoys = {f"{m} columns, {rows} rows": interpolation_probability(m, rows=rows) for m, rows in ((4, 5), (5, 6))}
    assert_agrees(hits, probability=interpolation_probability(4, rows=6), tolerance=0.1, decoys=decoys)


def test_the_law_of_the_last_distance():
    A = np.random.default_rng(8).standard_normal((2000, 7, 7))
    assert_agrees(last_distance(A), halfnorm, tolerance=0.1, decoys={"a degree of freedom more": chi(2)})


@given(SHAPES)
def test_angles(shape):
    m, extra, seed = shape
    A = gaussian(m + 1, extra, seed)
    probe = np.random.default_rng(seed).standard_normal(len(A))
    first, second = angle_cosines(probe, A)
    low, high = angle_bounds(fraction(A), second)
    assert low - 1e-12 <= first <= high + 1e-12
    normal = np.linalg.pinv(A)[-1] if extra == 0 else None
    if normal is not None:
        aligned, one = angle_cosines(normal, A)
        assert one == pytest.approx(1)
        assert aligned == pytest.approx(fraction(A), abs=1e-9)
    assert margins(probe, A).worst <= margins(probe, A).mean


def test_angle_bounds_are_attained_in_the_plane_of_both_vectors():
    F, c = np.array(0.3), np.array(0.8)
    q, a = np.array([1.0, 0, 0]), np.array([0.3, np.sqrt(1 - 0.09), 0])
    tilt = np.sqrt(1 - 0.64)
    low, high = angle_bounds(F, c)
    assert abs(np.array([0.8, tilt, 0]) @ a) == pytest.approx(high)
    assert low == 0
    assert angle_bounds(np.array(0.9), c)[0] == pytest.approx(0.9 * 0.8 - np.sqrt(0.19 * 0.36))
    assert mean_square_cosine(F, np.array(1.0), 5) == pytest.approx((q @ a) ** 2)


def test_margins_of_all_points():
    A, p = np.array([[1.0, 0], [0, 1]]), np.array([1.0, 2])
    mean, worst = margins(p, A, 0.5)
    assert mean == pytest.approx(2 / 5**0.5)
    assert worst == pytest.approx(1.5 / 5**0.5)


@given(SHAPES, st.floats(-3, 3))
def test_units_do_not_matter(shape, power):
    A, unit = gaussian(*shape), 10**power
    assert fraction(unit * A) == pytest.approx(fraction(A), rel=1e-9)
    assert optimal_tolerance(unit * A).value == pytest.approx(unit * optimal_tolerance(A).value, rel=1e-9)
    assert linear_margin(unit * A).value == pytest.approx(unit * linear_margin(A).value, rel=1e-6, abs=1e-9 * unit)


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    A, p = rng.standard_normal((3, 5, 4)), rng.standard_normal((3, 5))
    ours = [fraction(A), last_distance(A), *angle_cosines(p, A), *margins(p, A, 2.0)]
    tA, tp = (torch.tensor(array, requires_grad=True) for array in (A, p))
    theirs = [fraction(tA), last_distance(tA), *angle_cosines(tp, tA), *margins(tp, tA, 2.0)]
    for one, other in zip(ours, theirs, strict=True):
        assert other.detach().numpy() == pytest.approx(one, rel=1e-12)
    torch.autograd.gradcheck(fraction, (tA,))
    torch.autograd.gradcheck(angle_cosines, (tp, tA))
    torch.autograd.gradcheck(lambda probe, matrix: tuple(margins(probe, matrix, 2.0)), (tp, tA))


def rational(values):
    return np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(values)


@pytest.mark.parametrize("delta", [0, 1e-14, 1e-8, 1e-4])
@pytest.mark.parametrize("near", [0, -1])
def test_nearly_dependent_columns_against_fractions(delta, near):
    """The last column close to another, or two of the others close to each other."""
    rng = np.random.default_rng(9)
    for _ in range(30):
        m = int(rng.integers(3, 6))
        A = rng.standard_normal((m + int(rng.integers(0, 3)), m))
        A[:, near] = 2 * A[:, 1] + 4 * delta * A[:, near]
        others, last = rational(A[:, :-1]).T, rational(A[:, -1])
        left = last - projection(others, last)
        expected = float(left @ left) ** 0.5
        unit = A[:, :-1] / np.linalg.norm(A[:, :-1], axis=0)
        values = np.linalg.svd(unit, compute_uv=False)
        condition = values[0] / values[-1 if delta or near else -2]
        loss = max(16 * m * 2.0**-53, 2e-15 * condition) * np.linalg.norm(A[:, -1])
        assert last_distance(A) == pytest.approx(expected, abs=loss)
        assert 0 <= fraction(A) <= 1
        probe = rng.standard_normal(len(A))
        first, second = angle_cosines(probe, A)
        assert 0 <= first <= 1
        assert np.isnan(second) if last_distance(A) == 0 else 0 <= second <= 1
        if expected > 1e3 * loss:
            exact = abs(float(rational(probe) @ left)) / (expected * np.linalg.norm(probe))
            assert second == pytest.approx(exact, abs=2 * loss / expected)


def test_columns_that_depend_on_each_other():
    A = np.array([[1.0, 1, 0], [0, 0, 1], [0, 0, 1]])  # the first two are one
    assert last_distance(A) == pytest.approx(2**0.5)
    assert fraction(A) == 1
    assert last_distance(A[:, [0, 2, 1]]) == 0
    assert fraction(A[:, [0, 2, 1]]) == 0
    assert np.isnan(angle_cosines(np.ones(3), A[:, [0, 2, 1]])[1])
    assert angle_cosines(np.ones(3), A) == pytest.approx([2 / 6**0.5] * 2)
    assert optimal_tolerance(A[:, [0, 2, 1]]).value == linear_margin(A[:, [0, 2, 1]]).value == 0
    mixed = np.stack([A, np.eye(3), np.ones((3, 3)), np.zeros((3, 3))])
    assert fraction(mixed) == pytest.approx([1, 1, 0, np.nan], nan_ok=True)
    assert last_distance(mixed) == pytest.approx([2**0.5, 1, 0, 0])
    assert np.array_equal(fraction(mixed), [fraction(each) for each in mixed], equal_nan=True)
    assert np.isnan(angle_cosines(np.zeros(3), np.eye(3))).all()
    assert np.isnan(margins(np.zeros(3), np.eye(3))).all()
    assert fraction(np.array([[3.0], [4]])) == 1


@pytest.mark.parametrize("kind", ["equal", "nearly equal", "zero", "half the last", "regular"])
def test_linear_margins_of_any_rank_by_all_active_sets(kind):
    rng = np.random.default_rng(10)
    for _ in range(15):
        A, c = rng.standard_normal((4, 4)), 10 ** rng.uniform(-2, 2)
        if kind == "equal":
            A[:, 1] = A[:, 0]
        elif kind == "nearly equal":
            A[:, 1] = A[:, 0] + 1e-14 * A[:, 1]
        elif kind == "zero":
            A[:, 0] = 0
        elif kind == "half the last":
            A[:, 0] = A[:, -1] / 2
        least = np.inf
        for ends in product((-1.0, 0.0, 1.0), repeat=3):
            free = np.flatnonzero(np.array(ends) == 0)
            rest = A[:, -1] + c * A[:, :-1] @ np.array(ends)
            inner = np.linalg.lstsq(c * A[:, free], -rest, rcond=1e-13)[0] if len(free) else np.zeros(0)
            if np.all(np.abs(inner) <= 1 + 1e-12):
                least = min(least, np.linalg.norm(rest + c * A[:, free] @ inner))
        assert linear_margin(A, c).value == pytest.approx(least, abs=1e-10)


@given(st.floats(0, 1), st.floats(0, 1))
def test_bounds_on_angles_are_cosines(F, cosine):
    low, high = angle_bounds(F, cosine)
    assert 0 <= low <= high <= 1
    with mpmath.workdps(30):
        phi, theta = mpmath.acos(F), mpmath.acos(cosine)
        expected = max(mpmath.cos(phi + theta), 0), mpmath.cos(phi - theta)
    assert [float(low), float(high)] == pytest.approx([float(value) for value in expected], abs=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fraction(np.ones((2, 3))), r"at least as many rows as columns, got shape \(2, 3\)"),
        (lambda: optimal_tolerance(np.ones((2, 3))), "at least as many rows"),
        (lambda: optimal_tolerance(np.full((2, 2), np.nan)), "matrix must be finite"),
        (lambda: optimal_tolerance(np.eye(2), 0), "scale must be positive and finite, got 0"),
        (lambda: point_tolerance(np.eye(2), [1, 0]), "each -1 or 1"),
        (
            lambda: optimal_tolerance(np.array([[1e10, 0], [0, 1e-10]]), 1e300),
            "scale must keep c a_k / a_m in the range",
        ),
        (lambda: squared_tolerance(np.eye(2), -1), "scale must be positive and finite, got -1"),
        (lambda: margins(np.ones(3), np.eye(2)), r"probe must have 2 entries, got shape \(3,\)"),
        (lambda: margins(np.ones(2), np.eye(2), 0), "scale must be positive and finite, got 0"),
        (lambda: angle_cosines(np.ones(2), np.ones((2, 3))), "at least as many rows as columns"),
        (
            lambda: angle_bounds(np.array(1.1), np.array(0.5)),
            "fraction must lie from 0 to 1.000001, got entries from 1.1",
        ),
        (lambda: angle_bounds(0.5, -0.5), "cosine must lie from 0 to 1.000001, got -0.5"),
        (lambda: mean_square_cosine(0.5, 2.0, 3), "cosine must lie from 0 to 1.000001, got 2.0"),
        (lambda: linear_margin(np.ones((2, 2, 2))), "matrix must have 2 axes"),
        (lambda: interpolation_probability(0), "m must be at least 1"),
        (lambda: interpolation_probability(3, rows=2), "rows must be at least 3"),
        (lambda: interpolation_probability(3, -1.0), "scale must be positive"),
        (lambda: mean_square_cosine(np.array(0.5), np.array(0.5), 1), "d must be at least 2"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("m", "scale", "rows"),
    [
        (1, 1.0, 10**12),
        (3, 1.0, 10**12),
        (10**6, 1.0, 10**6),
        (10**12, 1.0, 10**12),
        (10**12, 3.0, 10**12),
        (5, 1e-6, 10**12),
        (10**6, 1e-3, 10**8),
    ],
)
def test_the_chance_in_large_dimensions(m, scale, rows):
    """The same integral about sqrt(degrees), at 30 digits."""
    with mpmath.workdps(30):
        degrees = mpmath.mpf(rows - m + 2)
        root, constant = mpmath.sqrt(degrees), (1 - degrees / 2) * mpmath.log(2) - mpmath.loggamma(degrees / 2)

        def weighted(offset):
            t = root + offset
            log = constant + (degrees - 1) * mpmath.log(t) - t * t / 2 if t > 0 else -mpmath.inf
            return mpmath.exp(log + (m - 1) * mpmath.log(mpmath.erf(scale * t / mpmath.sqrt(2)))) if t > 0 else 0 * t

        start = max(-root, mpmath.mpf(-14))
        exact = mpmath.quad(weighted, [start + j for j in range(29)])
    found = interpolation_probability(m, scale, rows)
    assert found == pytest.approx(float(exact), rel=1e-12)
    assert 0 <= found <= 1
