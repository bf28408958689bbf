"""Theorem 7 against oracles, least squares, and laws by other routes."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from fragility.testing import assert_agrees
from theory.gradients.gradient_plane import (
    compression,
    difficulty_of_means,
    dimension_from_mean,
    dimension_from_median,
    error_bound,
    log_gradient_moments,
    mean_compression,
    mean_difficulty,
    median_compression,
    median_difficulty,
    perturbation,
    projection,
    size_law,
    span_law,
    tanh_smoothness,
    zero_gradient_probability,
)

DELTA = np.array([1.0, 2, 2])
SEEDS = st.integers(0, 10**6)
# d, E rho, median and P(rho > 0.3278) for two gradients, E rho for three
TABLE = [
    (6, 0.5333333333, 0.5411961001, 0.7966404328, 0.6790610905),
    (12, 0.3694083694, 0.3597908235, 0.5664425409, 0.4703453441),
    (14, 0.340992341, 0.3303048317, 0.5055766812, 0.434164933),
    (15, 0.329038879, 0.3180393479, 0.477642124, 0.4189453125),
    (16, 0.3182595183, 0.3070445175, 0.4512510309, 0.4052206041),
    (50, 0.1781337719, 0.1687248021, 0.06533533747, 0.2268069627),
    (100, 0.125645129, 0.1185169956, 0.003810021705, 0.1599763469),
    (784, 0.04477549481, 0.04208544327, 4.974946626e-20, 0.05700993063),
]


@pytest.mark.parametrize(
    ("gradients", "seen"),
    [
        ([[1, 0, 0], [1, 1, 0]], [1, 2, 0]),
        ([[0, -1, 0]], [0, 2, 0]),
        ([[1, 0, 0], [-2, 0, 0]], [1, 0, 0]),
        ([[0, 0, 0], [0, 0, 0]], [0, 0, 0]),
        ([[1, 0, 0], [0, 1, 0], [1, 1, 1], [2, 0, 1]], [1, 2, 2]),
    ],
)
def test_planes(gradients, seen):
    assert projection(np.array(gradients, dtype=float), DELTA) == pytest.approx(seen)
    exact = np.array([[Fraction(v) for v in row] for row in gradients])
    assert list(projection(exact, np.array([Fraction(1), Fraction(2), Fraction(2)]))) == seen


def test_the_ends_of_compression():
    assert compression(np.array([[1.0, 0, 0], [1, 1, 0]]), DELTA) == pytest.approx(5**0.5 / 3)
    assert compression(np.zeros((2, 3)), DELTA) == 0
    assert compression(DELTA[None], -2 * DELTA) == pytest.approx(1)
    assert np.isnan(compression(np.eye(3)[:2], np.zeros(3)))


@given(SEEDS, st.floats(-100, 100), st.booleans())
def test_the_projection_solves_least_squares_in_any_unit(seed, power, dependent):
    rng = np.random.default_rng(seed)
    k, d = rng.integers(1, 6), rng.integers(1, 9)
    gradients, v = rng.standard_normal((k, d)), rng.standard_normal(d)
    if dependent and k > 1:
        gradients[-1] = gradients[0] - 2 * gradients[k // 2]
    expected = np.linalg.lstsq(gradients, gradients @ v, rcond=1e-12)[0]
    seen = projection(gradients * 10**power, v)
    assert seen == pytest.approx(expected, abs=1e-8)
    assert projection(gradients, seen) == pytest.approx(seen, abs=1e-9)
    assert 0 <= compression(gradients, v) <= 1 + 1e-12
    assert perturbation(gradients, v, 0.25) == pytest.approx(0.25 * seen, abs=1e-9)


def test_nearly_dependent_gradients():
    gradients = np.array([[1.0, 0, 0], [1, 1e-9, 0], [1, 1e-20, 0]])
    assert projection(gradients, DELTA) == pytest.approx([1, 2, 0], abs=1e-6)


@given(SEEDS, st.floats(-4, 0), st.booleans())
def test_the_error_of_tanh_networks_is_within_its_bound(seed, power, at_input):
    rng = np.random.default_rng(seed)
    d, width, size = rng.integers(2, 6), rng.integers(1, 7), 10**power
    W, A, (x, x_1, x_2) = rng.standard_normal((width, d)), rng.standard_normal((2, width)), rng.standard_normal((3, d))

    def value(y):
        return A @ np.tanh(W @ y)

    def gradients(y):
        return (A * (1 - np.tanh(W @ y) ** 2)) @ W

    seen = gradients(x + size * x_1 if at_input else x)
    error = np.abs(value(x + size * x_1 + perturbation(seen, x_2 - x_1, size)) - value(x + size * x_2))
    bound = error_bound(seen, x_1, x_2, size, tanh_smoothness(A, W), at_input)
    assert np.all(error <= bound * (1 + 1e-9) + 1e-14)
    y, z = rng.standard_normal((2, d))
    steepening = np.linalg.norm(gradients(y) - gradients(z), axis=1) / np.linalg.norm(y - z)
    assert np.all(steepening <= tanh_smoothness(A, W) + 1e-12)


def test_the_smoothness_of_one_tanh_is_attained():
    z = np.arctanh(3**-0.5)
    assert tanh_smoothness(np.array([-2.0]), np.array([[3.0]])) == pytest.approx(
        2 * 9 * 2 * 3**-0.5 * (1 - np.tanh(z) ** 2)
    )


@pytest.mark.parametrize(("d", "mean", "median", "tail", "three"), TABLE)
def test_the_table_of_the_law(d, mean, median, tail, three):
    law = span_law(d)
    assert [law.mean(), law.median(), law.sf(0.3278)] == pytest.approx([mean, median, tail], rel=1e-9)
    assert [mean_compression(d), median_compression(d), mean_compression(d, 3)] == pytest.approx(
        [mean, median, three], rel=1e-9
    )
    assert law.cdf(0.2) == pytest.approx(1 - 0.96 ** ((d - 2) / 2), rel=1e-9)


@pytest.mark.parametrize(
    ("d", "mean"), [(4, 0.4244131816), (8, 0.2910261817), (12, 0.2351726720), (16, 0.2026103021), (64, 0.1001259082)]
)
def test_one_gradient(d, mean):
    assert mean_compression(d, 1) == pytest.approx(mean, abs=1e-10)


def test_many_gradients():
    assert [mean_compression(d, 10) for d in (12, 784)] == pytest.approx([0.9090909091, 0.1101896943], abs=1e-10)


def test_table_3_read_backwards():
    assert dimension_from_mean(0.3278) == pytest.approx(15.10993845, abs=1e-8)
    assert dimension_from_median(0.3270) == pytest.approx(14.25841579, abs=1e-8)
    assert dimension_from_mean(0.3278, 1) == pytest.approx(6.403793745, abs=1e-8)
    assert dimension_from_median(0.3270, 1) == pytest.approx(5.487864278, abs=1e-8)


@given(st.floats(0.001, 0.999), st.integers(1, 5))
def test_dimensions_and_values_invert_each_other(value, gradients):
    assert mean_compression(dimension_from_mean(value, gradients), gradients) == pytest.approx(value, rel=1e-9)
    assert median_compression(dimension_from_median(value, gradients), gradients) == pytest.approx(value, rel=1e-9)


def test_the_mean_in_huge_dimensions():
    with mpmath.workdps(40):
        exact = mpmath.sqrt(mpmath.pi) / 2 * mpmath.gammaprod([mpmath.mpf(10**12) / 2], [mpmath.mpf(10**12 + 1) / 2])
    assert mean_compression(1e12) == pytest.approx(float(exact), rel=1e-13)


# d, sqrt(E rho^2) for two gradients, E rho for ten
MORE = [
    (12, 0.4082482905, 0.9090909091),
    (14, 0.377964473, 0.8391608392),
    (15, 0.3651483717, 0.8097441163),
    (16, 0.3535533906, 0.7832167832),
    (50, 0.2, 0.4383760794),
    (100, 0.1414213562, 0.3092048097),
    (784, 0.05050762723, 0.1101896943),
]


@pytest.mark.parametrize(("d", "root_mean_square", "ten"), MORE)
def test_root_mean_squares_and_ten_gradients(d, root_mean_square, ten):
    assert span_law(d).moment(2) ** 0.5 == pytest.approx(root_mean_square, rel=1e-8)
    assert mean_compression(d, 10) == pytest.approx(ten, rel=1e-8)


@pytest.mark.parametrize(("d", "mean"), [(4, 0.6666666667), (8, 0.4571428571), (64, 0.1572774088)])
def test_means_of_two_gradients(d, mean):
    assert mean_compression(d) == pytest.approx(mean, abs=1e-10)


@given(st.integers(1, 6), st.integers(1, 40), st.floats(0.01, 0.99))
def test_the_square_is_beta(gradients, more, x):
    d = gradients + more
    law, square = span_law(d, gradients), beta(gradients / 2, more / 2)
    assert law.cdf(x) == pytest.approx(square.cdf(x * x), rel=1e-8, abs=1e-12)
    assert law.moment(2) == pytest.approx(gradients / d, rel=1e-9)
    assert law.var() == pytest.approx(gradients / d - mean_compression(d, gradients) ** 2, rel=1e-6)
    assert median_difficulty(d, gradients) == pytest.approx(law.median() ** -2, rel=1e-8)


@pytest.mark.parametrize(("d", "median"), [(12, 7.7250239589), (16, 10.6071156902), (64, 45.2254095509)])
def test_difficulties(d, median):
    assert median_difficulty(d) == pytest.approx(median, abs=1e-9)
    assert median == pytest.approx(1 / (1 - 2 ** (-2 / (d - 2))))
    assert difficulty_of_means(d) == d / 2
    assert mean_difficulty(d) == mean_difficulty(d, 1) == np.inf
    assert mean_difficulty(d, 4) == (d - 2) / 2


def relu_gradients(rng, draws, d, width):
    """Gradients at a fixed point of networks with two hidden layers and biases."""
    x = np.arange(1.0, d + 1)
    W_1, W_2 = rng.standard_normal((draws, width, d)), rng.standard_normal((draws, width, width))
    b_1, b_2, a = rng.standard_normal((3, draws, width))
    h_1 = W_1 @ x + b_1
    h_2 = (W_2 @ np.maximum(h_1, 0)[..., None])[..., 0] + b_2
    return np.einsum("sj,sji,sik->sk", a * (h_2 > 0), W_2 * (h_1 > 0)[:, None], W_1)


def test_relu_networks_at_initialisation():
    d, width, draws = 6, 2, 20_000
    gradients = relu_gradients(np.random.default_rng(4), draws, d, width)
    alive = gradients[np.any(gradients != 0, axis=1)]
    for direction in (np.arange(1.0, d + 1), np.eye(d)[2]):
        decoys = {"a dimension more": span_law(d + 1, 1)}
        assert_agrees(compression(alive[:, None], direction), span_law(d, 1), tolerance=0.04, decoys=decoys)
    dead, one_layer = (zero_gradient_probability(widths) for widths in ((width, width), (width,)))
    assert_agrees(~gradients.any(axis=1), probability=dead, tolerance=0.03, decoys={"one layer": one_layer})
    logs = np.log(np.sum(alive**2, axis=1))
    mean, variance = log_gradient_moments(d, (width, width))
    other, _ = log_gradient_moments(d + 1, (width, width))
    assert_agrees(logs, mean=mean, sd=np.sqrt(variance), tolerance=0.15, decoys={"a dimension more": other})
    assert np.var(logs) == pytest.approx(variance, rel=0.1)


def test_dead_networks():
    assert zero_gradient_probability((2,)) == pytest.approx(0.25)
    assert zero_gradient_probability((5, 5, 5)) == pytest.approx(0.0908508301, abs=1e-10)
    assert zero_gradient_probability(()) == 0
    assert zero_gradient_probability((2000,)) == 0
    assert zero_gradient_probability((60,)) == pytest.approx(2.0**-60, rel=1e-12)


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    G, x_1, x_2 = rng.standard_normal((4, 2, 6)), rng.standard_normal((4, 6)), rng.standard_normal((4, 6))
    t_G, t_1, t_2 = (torch.tensor(a, requires_grad=True) for a in (G, x_1, x_2))
    assert compression(t_G, t_1).detach().numpy() == pytest.approx(compression(G, x_1), rel=1e-12)
    assert error_bound(t_G, t_1, t_2, 0.1, 2.0).detach().numpy() == pytest.approx(
        error_bound(G, x_1, x_2, 0.1, 2.0), rel=1e-12
    )
    torch.autograd.gradcheck(compression, (t_G, t_1))
    torch.autograd.gradcheck(projection, (t_G, t_1))
    torch.autograd.gradcheck(lambda g, a, b: error_bound(g, a, b, 0.1, 2.0, at_input=True), (t_G, t_1, t_2))
    dead = torch.zeros((1, 2, 6), dtype=torch.float64, requires_grad=True)
    compression(dead, t_1).sum().backward()
    assert bool(torch.all(torch.isfinite(dead.grad)))
    a, W = torch.tensor([1.0, -2], dtype=torch.float64), torch.tensor(rng.standard_normal((2, 3)))
    assert tanh_smoothness(a, W).item() == pytest.approx(tanh_smoothness(a.numpy(), W.numpy()), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: projection(np.ones(3), np.ones(3)), "gradients must have at least 2 axes"),
        (lambda: projection(np.ones((2, 3)), np.ones(2)), "same dimension, got 3 and 2"),
        (lambda: projection(np.full((2, 3), np.nan), np.ones(3)), "gradients must be finite"),
        (lambda: error_bound(np.eye(2), np.ones(2), np.ones(2), -1.0, 1.0), "size must be at least 0 and finite"),
        (lambda: error_bound(np.eye(2), np.ones(2), np.ones(3), 1.0, 1.0), "gradients and x_2 must have the same"),
        (lambda: error_bound(np.eye(2), np.ones(2), np.ones(2), 1.0, -1.0), "smoothness must be at least 0 and finite"),
        (lambda: tanh_smoothness(np.ones(3), np.ones((2, 4))), r"output must have 2 entries, got shape \(3,\)"),
        (lambda: perturbation(np.eye(2), np.ones(2), np.nan), "size must be finite, got nan"),
        (lambda: span_law(2), "d must be at least 3, got 2"),
        (lambda: median_difficulty(5, 0), "gradients must be positive and finite, got 0"),
        (lambda: median_difficulty(5, 5.0), "gradients must be below d = 5, got 5.0"),
        (lambda: dimension_from_mean(1e-51), "mean must lie from 1e-50 to 0.9999999999, got 1e-51"),
        (lambda: dimension_from_mean(1.0), "mean must lie from 1e-50 to 0.9999999999"),
        (lambda: dimension_from_median(0.0), "median must lie from 1e-50 to 0.9999999999"),
        (lambda: zero_gradient_probability((0,)), "widths must be at least 1"),
        (lambda: log_gradient_moments(0, (3,)), "d must be at least 1"),
        (lambda: log_gradient_moments(3, (3, -1)), "widths must be at least 1"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_projected_size_is_a_share_of_the_whole():
    """E ||P D||^2 = E rho^2 E ||D||^2, the two being independent."""
    d = 9
    assert size_law(2).moment(2) == pytest.approx(span_law(d).moment(2) * size_law(d).moment(2), rel=1e-10)
    with pytest.raises(ValueError, match="gradients must be at least 1, got 0"):
        size_law(0)


def rational(values):
    return np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(values)


@pytest.mark.parametrize("delta", [0, 1e-14, 1e-8, 1e-4])
def test_nearly_dependent_gradients_against_fractions(delta):
    """The exact span of the very numbers, up to eps over the distance of the gradients."""
    rng = np.random.default_rng(11)
    for _ in range(40):
        d = int(rng.integers(4, 9))
        gradients, v = rng.standard_normal((int(rng.integers(2, 5)), d)), rng.standard_normal(d)
        away = rng.standard_normal(d)
        gradients[-1] = 2.0 ** rng.integers(-3, 4) * gradients[0]
        gradients[-1] += 4 * delta * np.linalg.norm(gradients[-1]) / np.linalg.norm(away) * away
        expected = projection(rational(gradients), rational(v)).astype(float)
        unit = gradients / np.linalg.norm(gradients, axis=1, keepdims=True)
        values = np.linalg.svd(unit, compute_uv=False)
        condition = values[0] / values[-1 if delta else -2]
        found = projection(gradients, v)
        assert np.linalg.norm(found - expected) <= 1e-15 * condition * np.linalg.norm(v)
        assert np.linalg.norm(found) <= np.linalg.norm(v) * (1 + 1e-15)
        assert 0 <= compression(gradients, v) <= 1


def test_a_near_pair_does_not_lend_its_rounding_to_a_third():
    """Three gradients in a plane: the second is the first but for 2^-40, the third parts them."""
    gradients = np.array([[1, 0, 0, 0], [1, 2.0**-40, 0, 0], [1, 1, 0, 0], [-1, 3, 0, 0]])
    turn = np.linalg.qr(np.random.default_rng(1).standard_normal((4, 4)))[0]
    seen = projection(gradients @ turn, np.arange(1.0, 5) @ turn)
    assert seen @ turn.T == pytest.approx([1, 2, 0, 0], abs=1e-12)


def test_batches_that_mix_ranks_are_single_worlds():
    gradients = np.stack([np.eye(3)[:2], np.ones((2, 3)), np.zeros((2, 3)), [[0.0, 0, 0], [1, 1, 0]]])
    together = projection(gradients, DELTA)
    assert together == pytest.approx(np.array([[1, 2, 0], [5 / 3] * 3, [0, 0, 0], [1.5, 1.5, 0]]), abs=1e-15)
    assert np.array_equal(together, [projection(each, DELTA) for each in gradients])
    assert compression(gradients, DELTA) == pytest.approx([5**0.5 / 3, 5 / 27**0.5, 0, 0.5**0.5], rel=1e-15)


def test_single_precision_in_the_dimension_of_photographs():
    """What counts as rounding does not grow with the dimension."""
    d = 1_200_000
    gradients = np.random.default_rng(2).standard_normal((2, d)).astype(np.float32)
    gradients[1] = gradients[0] + 1e-3 * gradients[1]
    assert compression(gradients, gradients[1] - gradients[0]) == pytest.approx(1, abs=1e-3)
