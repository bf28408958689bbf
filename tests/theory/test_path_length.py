"""Section 5 against oracles, closed forms, other integrators, and attacks on small problems."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp

from theory.gradients.path_length import (
    change_along,
    cosines,
    descent,
    descent_change,
    first_order_length,
    length_bounds,
    nodes,
    quadrature_error,
    ratio_bounds,
    sign_inflation,
    signed_length,
    tie_ratio,
    weighted_compression,
)

RULES = ["ends", "left", "right", "midpoint"]
SEEDS = st.integers(0, 10**6)


def bowl(y):
    """Gradient of the quadratic 1 - y_1 - y_2 / 2 + y_1^2 / 8 - y_1 y_2 / 10."""
    return np.stack((-1 + y[..., 0] / 4 - y[..., 1] / 10, -0.5 - y[..., 0] / 10), axis=-1)


@pytest.mark.parametrize(("slope", "smoothness", "drop", "low", "high"), [
    (1.3, 0.7, 0.9, 0.5965091482, 0.9203659251),
    (1, 1, 0.6, 0.4832396974, np.inf),
    (2, 0, 3, 1.5, 1.5),
    (0, 1, 0.5, 1, np.inf),
    (0, 0, 0, 0, 0),
    (0, 0, 1, np.inf, np.inf),
    (0, 3, 0, 0, 0),
    (2, 2, 1, 2 / (2 + 8**0.5), 1),
])  # fmt: skip
def test_length_bounds(slope, smoothness, drop, low, high):
    assert length_bounds(slope, smoothness, drop) == pytest.approx((low, high), abs=1e-10)


@given(st.floats(0.01, 100), st.floats(0, 1e-6), st.floats(0.01, 100))
def test_nothing_cancels_in_nearly_linear_functions(slope, smoothness, drop):
    with mpmath.workdps(50):
        g, b, D = map(mpmath.mpf, (slope, smoothness, drop))
        inside = g * g - 2 * b * D
        exact = [
            2 * D / (g + mpmath.sqrt(g * g + 2 * b * D)),
            2 * D / (g + mpmath.sqrt(inside)) if inside > 0 else mpmath.inf,
        ]
    low, high = length_bounds(slope, smoothness, drop)
    assert low == pytest.approx(float(exact[0]), rel=1e-14)
    assert low <= drop / slope * (1 + 1e-15)
    assert high >= drop / slope * (1 - 1e-15)
    if inside > 0.01 * slope**2:
        assert high == pytest.approx(float(exact[1]), rel=1e-13)


@given(st.floats(0.1, 5), st.floats(0.01, 5), st.floats(0.01, 0.9))
def test_quadratics_attain_both_bounds(slope, smoothness, share):
    drop = share * slope**2 / (2 * smoothness)
    low, high = length_bounds(slope, smoothness, drop)
    assert slope * low + smoothness * low**2 / 2 == pytest.approx(drop)
    assert slope * high - smoothness * high**2 / 2 == pytest.approx(drop)


@pytest.mark.parametrize(("rule", "mean"), list(zip(RULES, (-2 - 1 / 18, -1.855, -2.155, -1.9975), strict=True)))
def test_the_four_rules_on_a_cubic(rule, mean):
    """f = 1 - t - t^3, ten nodes."""
    h = -1 - 3 * nodes(10, rule) ** 2
    assert np.mean(h) == pytest.approx(mean, rel=1e-12)
    assert quadrature_error(rule, 10, (-1, -4), (0, -6), -2) == pytest.approx(mean + 2, rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("count", [50, 100])
def test_the_error_of_a_smooth_function_to_second_order(rule, count):
    error = np.mean(np.exp(nodes(count, rule))) - (np.e - 1)
    predicted = quadrature_error(rule, count, (1, np.e), (1, np.e), np.e - 1)
    assert abs(error - predicted) < 0.1 / count**3


def test_nodes():
    assert nodes(10) == pytest.approx(np.arange(10) / 9)
    assert nodes(2, "left") == pytest.approx([0, 0.5])
    assert nodes(2, "right") == pytest.approx([0.5, 1])
    assert nodes(1, "midpoint") == pytest.approx([0.5])


@given(SEEDS)
def test_linear_functions_are_exact_with_any_nodes(seed):
    rng = np.random.default_rng(seed)
    d, count = rng.integers(1, 6), rng.integers(1, 9)
    g, difference = rng.standard_normal((2, d))
    gradients = np.tile(g, (count, 1))
    cosine = cosines(gradients, difference)
    length = np.linalg.norm(difference)
    assert change_along(gradients, difference) == pytest.approx(g @ difference)
    assert signed_length(gradients, difference, g) == pytest.approx(length * cosine[0])
    assert first_order_length(g @ difference, g) == pytest.approx(length * cosine[0])
    assert weighted_compression(gradients, difference) == pytest.approx(-cosine[0])


def test_dead_gradients_have_no_angle():
    gradients = np.array([[0.0, 0], [1, 1]])
    assert np.isnan(cosines(gradients, np.array([1.0, 0]))[0])
    assert cosines(gradients, np.array([1.0, 0]))[1] == pytest.approx(0.5**0.5)
    assert weighted_compression(gradients, np.array([1.0, 0])) == pytest.approx(-(0.5**0.5))
    assert np.isnan(signed_length(gradients, np.array([1.0, 0]), np.zeros(2)))


def test_the_plain_mean_of_cosines_is_another_number_than_the_weighted_one():
    gradients = np.array([[-10.0, 0], [0, 1]])
    assert -np.mean(cosines(gradients, np.array([1.0, 0]))) == 0.5
    assert weighted_compression(gradients, np.array([1.0, 0])) == pytest.approx(10 / 11)


def test_descent_is_the_solution_of_its_equation():
    path = descent(bowl, np.zeros(2), 1.5)
    solved = solve_ivp(lambda t, y: -bowl(y) / np.linalg.norm(bowl(y)), (0, 1.5), np.zeros(2), rtol=1e-11, atol=1e-12)
    assert path.points[-1] == pytest.approx(solved.y[:, -1], abs=1e-8)
    assert path.points.shape == path.gradients.shape == (65, 2)
    u, v = path.points[-1]
    assert descent_change(path.gradients, 1.5) == pytest.approx(-u - v / 2 + u * u / 8 - u * v / 10, abs=1e-8)


def test_descent_of_batches_and_of_length_0():
    starts = np.array([[0.0, 0], [1, -1], [0.5, 2]])
    together = descent(bowl, starts, 0.7, steps=8)
    for start, end in zip(starts, together.points[-1], strict=True):
        assert descent(bowl, start, 0.7, steps=8).points[-1] == pytest.approx(end, rel=1e-12)
    assert descent_change(together.gradients, 0.7).shape == (3,)
    assert descent(bowl, starts, 0.0, steps=1).points[-1] == pytest.approx(starts)
    assert np.all(np.isnan(descent(lambda y: 0 * y, np.ones(2), 1.0, steps=2).points[-1]))


def test_compression_without_gradients_is_neither_necessary():
    """f = 1 - u - K v^2: straight along the gradient 1, beside it 1 / sqrt(K)."""
    K = 100
    u = 1 / (2 * K)
    nearest = np.hypot(u, np.sqrt((1 - u) / K))
    assert nearest == pytest.approx(np.sqrt(1 / K - 1 / (4 * K * K)))
    assert nearest == pytest.approx(0.0999, abs=1e-4)
    low, _ = length_bounds(1.0, 2.0 * K, 1.0)
    assert low == pytest.approx(0.0951, abs=1e-4)
    assert low <= nearest


def test_nor_sufficient():
    """f = 1 - u/10 - tanh(v)/2, fall 2: the compression at the start promises 3.92, the least is 15.27."""
    prediction = 20 * 0.1 / np.hypot(0.1, 0.5)
    assert prediction == pytest.approx(3.92, abs=0.01)
    v = np.linspace(0, 10, 200_001)
    nearest = np.min(np.hypot((2 - 0.5 * np.tanh(v)) / 0.1, v))
    assert nearest == pytest.approx(15.27, abs=0.01)

    def gradient(y):
        return np.stack((-0.1 + 0 * y[..., 0], -0.5 / np.cosh(y[..., 1]) ** 2), axis=-1)

    path = descent(gradient, np.zeros(2), 16.25, steps=800)
    assert descent_change(path.gradients, 16.25) == pytest.approx(-2, abs=2e-3)


def test_ties():
    assert tie_ratio(np.array(-0.6), 1.0, -1.0) == pytest.approx(0.3)
    assert tie_ratio(-1.0, 3.0, -1.0) == 0.75
    assert ratio_bounds(0.5, 1.0, 4.0) == (0.125, 2.0)


@given(SEEDS)
def test_the_inflation_of_sign_steps(seed):
    rng = np.random.default_rng(seed)
    g = rng.standard_normal(rng.integers(1, 30)) * rng.choice((1, 10, 100))
    value = sign_inflation(g)
    assert 1 - 1e-12 <= value <= np.sqrt(g.size) + 1e-12
    assert sign_inflation(-3 * g) == pytest.approx(value)
    assert sign_inflation(np.append(g, 0.0)) == pytest.approx(value)


def test_the_inflation_of_gaussian_gradients():
    g = np.random.default_rng(0).standard_normal((4, 200_000))
    assert sign_inflation(g) == pytest.approx(np.full(4, np.sqrt(np.pi / 2)), rel=0.01)
    assert np.isnan(sign_inflation(np.zeros(3)))
    assert sign_inflation(np.array([0.0, 2])) == 1


def test_equation_8_by_quadrature():
    x_2, x_1 = np.zeros(2), np.array([1.2, 0.4])

    def rate(t):
        g = bowl(x_2 + t * (x_1 - x_2))[None]
        return np.linalg.norm(g) * cosines(g, x_1 - x_2)[0] * np.linalg.norm(x_1 - x_2)

    along = bowl(x_2 + nodes(40, "midpoint")[:, None] * (x_1 - x_2))
    assert change_along(along, x_1 - x_2) == pytest.approx(quad(rate, 0, 1)[0])


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    G, difference, clean = rng.standard_normal((3, 5, 4)), rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    t_G, t_d, t_c = (torch.tensor(a, requires_grad=True) for a in (G, difference, clean))
    pairs = [
        (cosines, (G, difference), (t_G, t_d)),
        (change_along, (G, difference), (t_G, t_d)),
        (weighted_compression, (G, difference), (t_G, t_d)),
        (signed_length, (G, difference, clean), (t_G, t_d, t_c)),
        (sign_inflation, (clean,), (t_c,)),
        (lambda g: descent_change(g, 0.5), (G,), (t_G,)),
    ]
    for function, ours, theirs in pairs:
        assert function(*theirs).detach().numpy() == pytest.approx(function(*ours), rel=1e-12)
        torch.autograd.gradcheck(function, theirs)
    slope, drop = (torch.tensor([1.3, 2.0], dtype=torch.float64, requires_grad=True) for _ in range(2))
    torch.autograd.gradcheck(lambda g, D: length_bounds(g, 0.2, D), (slope, drop))
    end = descent(lambda y: y - 2, t_c, 0.5, steps=4).points[-1]
    assert end.detach().numpy() == pytest.approx(descent(lambda y: y - 2, clean, 0.5, steps=4).points[-1], rel=1e-12)


EXTREMES = [0.0, 1e-300, 1e-160, 1e-8, 1.0, 3e8, 1e160, 1e300]


@pytest.mark.parametrize("slope", EXTREMES)
@pytest.mark.parametrize("smoothness", EXTREMES)
def test_length_bounds_to_the_ends_of_floating_point(slope, smoothness):
    with mpmath.workdps(700):
        for drop in EXTREMES:
            g, b, D = map(mpmath.mpf, (slope, smoothness, drop))
            inside, below = g * g - 2 * b * D, g + mpmath.sqrt(g * g + 2 * b * D)
            low = 2 * D / below if below else (mpmath.inf if D else mpmath.mpf(0))
            high = mpmath.inf
            if inside >= 0 or not D:
                below = g + mpmath.sqrt(max(inside, 0))
                high = 2 * D / below if below else (mpmath.inf if D else mpmath.mpf(0))
            with np.errstate(over="ignore"):  # where the bound itself is beyond
                found = length_bounds(slope, smoothness, drop)
            assert [float(bound) for bound in found] == pytest.approx([float(low), float(high)], rel=1e-14, abs=1e-300)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=1, max_size=4), st.floats(-20, 20))
def test_cosines_and_compression_keep_their_ranges(entries, power):
    gradients = np.array(entries)
    for difference in (gradients[0], -gradients[-1] * 10**power, np.array([1e-5, 3.0])):
        found = cosines(gradients, difference)
        assert np.all(np.isnan(found) | (abs(found) <= 1))
        dead = np.all(gradients == 0, axis=1) | np.all(difference == 0)
        assert np.array_equal(np.isnan(found), dead)
        mean = weighted_compression(gradients, difference)
        assert np.isnan(mean) == np.all(dead)
        assert np.isnan(mean) or -1 <= mean <= 1
    inflation = sign_inflation(gradients)
    assert np.all(np.isnan(inflation) | ((inflation >= 1) & (inflation <= np.sqrt(2) * (1 + 1e-15))))


def test_what_has_no_value_is_nan_and_what_is_missing_stays_missing():
    assert np.isnan(first_order_length(2.0, np.zeros(3)))
    assert np.isnan(tie_ratio(0.5, 1.0, 1.0))
    assert np.isnan(tie_ratio(np.array([np.nan, 0.5]), np.array([1.0, 2]), np.array([-1.0, 2]))).tolist() == [True] * 2
    assert np.isnan(ratio_bounds(np.nan, 1.0, 2.0)).all()
    assert tie_ratio(np.empty(0), np.empty(0), np.empty(0)).shape == (0,)
    assert tie_ratio(Fraction(-1, 2), 3, Fraction(-1)) == Fraction(3, 8)
    assert np.isnan(quadrature_error("left", 2, (np.nan, 1), (0, 0), 1))
    assert quadrature_error("ends", 2, (Fraction(1), 0), (0, Fraction(-2)), Fraction(1, 3)) == Fraction(0)


def test_constant_gradients_of_integers_lead_a_descent():
    path = descent(lambda _: np.array([3, -4], dtype=np.int8), np.array([1, 1], dtype=np.uint8), 5.0, steps=2)
    assert path.points[-1] == pytest.approx([-2, 5])
    assert descent_change(path.gradients, 5.0) == pytest.approx(-25)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nodes(1), "count must be at least 2, got 1"),
        (lambda: nodes(0, "left"), "count must be at least 1, got 0"),
        (lambda: nodes(3, "simpson"), "rule must be"),
        (lambda: quadrature_error("simpson", 3, (0, 0), (0, 0), 0), "rule must be"),
        (lambda: cosines(np.ones(3), np.ones(3)), "gradients must have at least 2 axes"),
        (lambda: cosines(np.ones((2, 3)), np.ones(2)), "same dimension, got 3 and 2"),
        (lambda: length_bounds(-1, 1, 1), "slope must be at least 0 and finite, got -1"),
        (lambda: length_bounds(1, np.nan, 1), "smoothness must be at least 0 and finite"),
        (lambda: length_bounds(1, 1, np.array([1, np.inf])), "drop must be finite, got NaN or inf"),
        (lambda: descent(lambda x: x[0], np.zeros(2), 1.0), r"gradient must keep the shape \(2,\), got \(\)"),
        (lambda: change_along(np.eye(2), np.ones(2), np.ones(3) / 3), "weights must be 2, one per gradient, got 3"),
        (lambda: change_along(np.eye(2), np.ones(2), np.ones(2)), "weights must have the sum 1, got 2"),
        (lambda: change_along(np.eye(2), np.ones(3)), "gradients and difference must have the same dimension, got 2"),
        (lambda: weighted_compression(np.eye(2), np.ones(2), np.array([2.0, -1])), "weights must be at least 0"),
        (lambda: signed_length(np.eye(2), np.ones(2), np.ones(3)), "gradients and clean must have the same dimension"),
        (lambda: quadrature_error("ends", 1, (0, 0), (0, 0), 0), "count must be at least 2, got 1"),
        (lambda: quadrature_error("ends", 2, (0, 0, 0), (0, 0), 0), "values must be two, at 0 and at 1"),
        (lambda: quadrature_error("ends", 2, (0, 0), 1.0, 0), "slopes must be two, at 0 and at 1, got 1.0"),
        (lambda: descent_change(np.ones((3, 2)), -1.0), "length must be at least 0 and finite, got -1.0"),
        (lambda: ratio_bounds(0.5, 0, 1), "0 < least <= largest must hold"),
        (lambda: ratio_bounds(0.5, 2.0, np.array([3.0, 1])), "0 < least <= largest must hold"),
        (lambda: descent(bowl, np.zeros(2), -1.0), "length must be at least 0"),
        (lambda: descent(bowl, np.zeros(2), 1.0, steps=0), "steps must be at least 1"),
        (lambda: descent_change(np.ones((4, 2)), 1.0), "3, 5, 7, ... points, got 4"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
