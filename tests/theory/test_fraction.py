"""The law of the fraction against closed forms, mpmath, the chain it comes from, and itself under permutation."""

import math
import pickle
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import beta, betaincc, betaln, log_expit

from theory.laws import jacobi
from theory.products.fraction import FractionLaw, fraction_law

ONE_FACTOR = [  # rows, n, E F, E F^2, median, P(F <= 0.1), E ln F
    (3, 3, 0.5, 0.3333333333, 0.5, 0.1, -1),
    (6, 6, 0.3395305453, 0.1666666667, 0.3090725126, 0.168917721, -1.443147181),
    (12, 12, 0.235172672, 0.08333333333, 0.205786857, 0.254850092, -1.834813847),
    (50, 50, 0.1134034813, 0.02, 0.09662146605, 0.5149425687, -2.581126269),
    (100, 100, 0.07998817343, 0.01, 0.06788170702, 0.6802515259, -2.93274985),
    (784, 784, 0.02850496531, 0.001275510204, 0.02410849, 0.9949582268, -3.966747907),
    (10, 4, 0.8278078056, 0.7, 0.8533424034, 2.319136707e-7, -0.2014805139),
    (100, 51, 0.7053414277, 0.5, 0.7071067812, 5.012606228e-37, -0.3516235803),
]
TWO_FACTORS = [  # (n, n_1, n_2), E F, E F^2, E F^4, P(F > 0.05), P(F > 0.3), E ln F
    ((2, 2, 2), 0.4412712003, 1 - np.log(2), 0.2102792292, 0.8726791933, 0.5649820586, -1.386294361),
    ((6, 6, 6), 0.1229613141, 0.0342640972, 0.006980729002, 0.600164151, 0.108390542, -2.886294361),
    ((12, 12, 12), 0.05741428805, 0.007952319493, 0.000498064021, 0.3817660889, 0.01272771856, -3.669627694),
    ((4, 6, 5), 0.4175102813, 0.2289353331, 0.1025473319, 0.98058386, 0.6352731574, -1.083333333),
    ((50, 50, 50), 0.01298684029, 0.0004156301613, 1.542012388e-6, 0.03662585545, 5.192959432e-8, -5.162252539),
    ((100,) * 3, 0.006429846979, 0.0001019784187, 9.340622397e-8, 0.002281865472, 7.069967117e-15, -5.865499699),
]
MONTE_CARLO = [  # n, number of shapes in the chain n_0 ... n_L, moment, value, standard error
    (12, 4, 1, 0.0141110, 121e-7),
    (12, 4, 2, 7.8391e-4, 20e-8),
    (6, 4, 1, 0.0453979, 37e-6),
    (6, 4, 2, 0.0076119, 15e-6),
    (12, 6, 1, 8.5307e-4, 13e-7),
    (100, 4, 1, 5.17291e-4, 44e-8),
    (100, 4, 2, 1.04233e-6, 27e-10),
]
SHAPES = [
    (2, (2, 2)),
    (2, (2,) * 16),
    (3, (5, 3, 9)),
    (6, (6,) * 5),
    (30, (60, 45)),
    (40, (40,) * 3),
    (1000, (2000, 2000)),
    (50, (500,) * 4),
]
shapes = st.integers(2, 60).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.integers(n, 4 * n), min_size=1, max_size=4).map(tuple))
)


@pytest.mark.parametrize(("height", "n", "mean", "square", "median", "below", "log_mean"), ONE_FACTOR)
def test_one_factor(height, n, mean, square, median, below, log_mean):
    law, square_law = fraction_law(n, (height,)), stats.beta((height - n + 1) / 2, (n - 1) / 2)
    assert law.mean() == pytest.approx(mean, rel=1e-9)
    assert law.moment(2) == pytest.approx(square, rel=1e-9)
    assert law.median() == pytest.approx(median, rel=1e-6)
    assert law.cdf(0.1) == pytest.approx(below, rel=1e-9)
    assert law.log_mean() == pytest.approx(log_mean, rel=1e-9)
    x = np.array([0.02, 0.1, 0.3, 0.6, 0.9, 0.99])
    np.testing.assert_allclose(law.cdf(x), square_law.cdf(x**2), rtol=1e-10, atol=1e-60)
    kept = np.minimum(square_law.sf(x**2), square_law.cdf(x**2)) > 1e-58
    np.testing.assert_allclose(law.sf(x)[kept], square_law.sf(x**2)[kept], rtol=1e-10)
    np.testing.assert_allclose(law.pdf(x)[kept], (2 * x * square_law.pdf(x**2))[kept], rtol=1e-9)


def test_quantiles_of_one_factor():
    law = fraction_law(12, (12,))
    points = law.ppf([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    known = [0.0038657182, 0.0193390028, 0.0980401281, 0.2057868570, 0.3438464371, 0.5529426595, 0.6835276329]
    np.testing.assert_allclose(points, known, atol=6e-11)
    assert law.cdf(0.1480) == pytest.approx(0.3705674, abs=6e-8)


@pytest.mark.parametrize(("shape", "mean", "square", "fourth", "above", "far_above", "log_mean"), TWO_FACTORS)
def test_two_factors(shape, mean, square, fourth, above, far_above, log_mean):
    law = fraction_law(shape[0], shape[1:])
    found = [law.mean(), law.moment(2), law.moment(4), law.sf(0.05), law.sf(0.3), law.log_mean()]
    np.testing.assert_allclose(found, [mean, square, fourth, above, far_above, log_mean], rtol=1e-9)


@pytest.mark.parametrize(("n", "shapes", "order", "value", "error"), MONTE_CARLO)
def test_deeper_moments(n, shapes, order, value, error):
    assert abs(fraction_law(n, (n,) * (shapes - 1)).moment(order) - value) < 4 * error


def test_three_factors_above_a_point():
    assert abs(fraction_law(12, (12,) * 3).sf(0.05) - 0.06425) < 4 * 0.00012


@pytest.mark.parametrize(("n", "rows"), [(3, (4, 3)), (7, (7, 9)), (20, (31, 22)), (40, (40, 40))])
@pytest.mark.parametrize("order", [-0.5, 0.5, 1, 3])
def test_moments_of_two_factors_are_hypergeometric(n, rows, order):
    a1, a2 = ((mp.mpf(height) - n + 1) / 2 for height in rows)
    A, b, s = mp.mpf(rows[1]) / 2, mp.mpf(n - 1) / 2, mp.mpf(order) / 2
    with mp.workdps(30):  # at 15 digits mpmath sums the slow series to 9 only
        expected = mp.gammaprod([a2 + s, A], [a2, A + s]) * mp.beta(a1 + A, b) / mp.beta(a1, b)
        expected *= mp.hyp3f2(A, A, b, A + s, a1 + b + A, 1)
    assert fraction_law(n, rows).moment(order) == pytest.approx(float(expected), rel=1e-12)


HEIGHTS = [(2, 2), (2, 3), (2, 10**6), (3, 3), (12, 12), (12, 32), (100, 10**5), (5000, 10**6), (10**6, 10**6)]


def beta_moment(q, a, b):
    """ln E F^(2 q) of one factor, at 40 digits."""
    q, a, b = map(mp.mpf, (q, a, b))
    return mp.loggamma(a + q) + mp.loggamma(a + b) - mp.loggamma(a) - mp.loggamma(a + b + q)


@pytest.mark.parametrize(("n", "height"), HEIGHTS)
def test_moments_of_one_factor_over_the_whole_domain(n, height):
    law, lowest = fraction_law(n, (height,)), n - 1 - height
    orders = [lowest * (1 - 1e-9), lowest * 0.99, lowest / 2, -0.5, 1e-6, 0.5, 1, 2, 3.7, 100, 1e4]
    with mp.workdps(40):
        for s in (s for s in orders if s > lowest):
            expected = beta_moment(s / 2, law._a[0], law._b)
            if abs(expected) < 650:
                assert law.moment(s) == pytest.approx(float(mp.exp(expected)), rel=1e-12 * (1 + abs(float(expected))))
    if height == 12:
        assert law.moment(-0.99) == pytest.approx(255.87951151, rel=1e-10)


@pytest.mark.parametrize(("n", "height"), HEIGHTS)
def test_the_sum_over_poles_and_the_line_give_the_same(n, height):
    """What serves for several factors, on one."""
    law, lowest = fraction_law(n, (height,)), n - 1 - height
    with mp.workdps(40):
        for s in (max(lowest * (1 - 1e-9), -500.0), max(lowest * 0.99, -80.0), -0.4, 0.5, 1, n / 2, n - 1.001, 500):
            q = s / 2
            found = jacobi._log_line(q, law._a, law._b)
            if q < law._b / 2:
                found = np.logaddexp(found, jacobi._log_poles(q, law._a, law._b))
            expected = float(beta_moment(q, law._a[0], law._b))
            assert abs(found - expected) < 1e-12 * (1 + abs(expected))


@pytest.mark.parametrize(
    ("n", "rows"),
    [
        (3, (8, 9)),
        (12, (17,) * 64),
        (1000, (1005, 1500, 2000)),
        (5 * 10**5, (10**6,) * 64),
        (2, (10**6,) * 64),
        (50, (10**6, 60, 55)),
    ],
)
def test_inverse_even_moments_are_exact(n, rows):
    """E t^2 and E t^4 by the chain t'^2 = ((t rho + g)^2 + s^2) / c^2, in fractions: F^-2 = 1 + t^2."""
    one = two = Fraction(0)
    for h in rows:
        shift, degrees = n - 1, h - n + 1
        # numerator N = t^2 rho^2 + 2 t rho g + g^2 + s^2, with rho^2 ~ chi^2_h and g^2 + s^2 ~ chi^2_(n-1)
        square = two * h * (h + 2) + one * h * (2 * shift + 4) + shift * (shift + 2)
        one, two = (one * h + shift) / (degrees - 2), square / ((degrees - 2) * (degrees - 4))
    law = fraction_law(n, rows)
    for s, expected in ((-2, 1 + one), (-4, 1 + 2 * one + two)):
        log = math.log(expected.numerator) - math.log(expected.denominator)
        assert law.moment(s) == pytest.approx(math.exp(log), rel=1e-12 * (1 + abs(log)))


@pytest.mark.parametrize(("n", "rows"), [(12, (12,) * 3), (40, (40, 45, 60, 41)), (2, (2,) * 5), (3, (5, 3, 9))])
def test_moments_of_several_factors_are_integrals_of_the_law(n, rows):
    law = fraction_law(n, rows)
    y, weights = law._quadrature
    for s in (-0.3, 0.3, 1, 2, 5, 20, 80):
        assert law.moment(s) == pytest.approx(weights @ np.exp(s * log_expit(y) / 2), rel=1e-11)


def test_near_their_last_pole_moments_grow_like_the_power_of_its_order():
    """m_i(s) has one pole at s = a_i per factor of least height: E F^s (s - s_0)^L tends to a constant."""
    for layers in (1, 2, 5):
        law = fraction_law(12, (12,) * layers + (30,))
        near, nearer = (law.moment(-1 + gap) * gap**layers for gap in (1e-6, 1e-9))
        assert near == pytest.approx(nearer, rel=1e-4)


@pytest.mark.parametrize(
    ("n", "rows", "relative"),
    [
        (2, (2,), 1e-13),
        (2, (10**6,), 1e-9),
        (50, (10**5,), 1e-10),
        (5 * 10**5, (10**6,), 1e-10),
        (1000, (1000,), 1e-11),
    ],
)
def test_variances_of_one_factor(n, rows, relative):
    law = fraction_law(n, rows)
    with mp.workdps(40):
        one, two = (mp.exp(beta_moment(q, law._a[0], law._b)) for q in (0.5, 1))
        assert law.mean() == pytest.approx(float(one), rel=1e-14)
        assert law.var() == pytest.approx(float(two - one**2), rel=relative)


@pytest.mark.parametrize(
    ("n", "rows", "expected"),  # E F^2 - (E F)^2 by the sum over the poles and the line at 50 digits
    [
        (2, (10**6,) * 2, 1.9999910000509997e-12),
        (2, (1000, 2000, 5000), 1.4390604302713813e-06),
        (12, (10**4,) * 3, 4.931447304202572e-07),
        (5 * 10**5, (10**6,) * 2, 3.749998437472656e-07),
        (10**6, (10**6,) * 2, 5.947164548587745e-13),
    ],
)
def test_variances_of_several_factors(n, rows, expected):
    assert fraction_law(n, rows).var() == pytest.approx(expected, rel=1e-8 if max(rows) > 10**4 else 1e-10)


def test_expected_logarithms_of_tall_factors():
    with mp.workdps(40):
        expected = (mp.psi(0, mp.mpf(10**6 - 1) / 2) - mp.psi(0, mp.mpf(10**6) / 2)) / 2
    assert fraction_law(2, (10**6,)).log_mean() == pytest.approx(float(expected), rel=1e-13)


@pytest.mark.parametrize(("n", "rows"), [(2, (2, 2)), (5, (5, 7)), (12, (12, 12)), (10, (40, 80))])
@pytest.mark.parametrize("x", [0.2, 0.5, 0.8, 0.97])
def test_direct_sum_of_two_factors(n, rows, x):
    a1, a2, b, A = (rows[0] - n + 1) / 2, (rows[1] - n + 1) / 2, (n - 1) / 2, rows[1] / 2
    term, terms = mp.beta(a1 + A, b) / mp.beta(a1, b), []
    for j in range(int(50 / x**2 + 3 * a2 / x**2) + 60):
        terms.append(term * float(stats.beta.sf(x**2, a2, b + j)))
        term *= (A + j) * (b + j) / ((j + 1) * (a1 + b + A + j))
    assert fraction_law(n, rows).sf(x) == pytest.approx(float(mp.fsum(terms)), rel=1e-10)


@pytest.mark.parametrize(("n", "rows", "x"), [(6, (6, 7, 8), 0.7), (10, (12, 10, 14), 0.6), (14, (14, 14, 14), 0.75)])
def test_direct_double_sum_of_three_factors(n, rows, x):
    """Every pair (J_2, J_3) one by one; J_2 beyond the sum returns with a probability of order J_2^-(n_3 / 2)."""
    a, b = [(height - n + 1) / 2 for height in rows], (n - 1) / 2
    j, A = np.arange(30000.0), rows[1] / 2
    steps = (A + j) * (b + j) / ((j + 1) * (a[0] + A + b + j))
    weight = beta(a[0] + A, b) / beta(a[0], b) * np.cumprod(np.append(1, steps[:-1]))
    A, total = rows[2] / 2, 0.0
    term = weight * np.exp(betaln(a[1] + A, b + j) - betaln(a[1], b + j))
    for k in range(250):
        total += term.sum() * betaincc(a[2], b + k, x**2)
        term *= (A + k) * (b + j + k) / ((k + 1) * (a[1] + A + b + j + k))
    assert fraction_law(n, rows).sf(x) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("layers", range(1, 7))
def test_expected_logarithm(layers):
    for n, rows in [(2, (2,) * layers), (9, (9, 12, 10, 30, 9, 11)[:layers]), (300, (300,) * layers)]:
        law = fraction_law(n, rows)
        y, weights = law._quadrature
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        assert weights @ log_expit(y) / 2 == pytest.approx(law.log_mean(), rel=1e-11)


@pytest.mark.parametrize(("n", "rows"), SHAPES)
def test_contour_and_mixture_are_the_same_law(n, rows):
    """Two derivations, no common code: an integral over eigenvalues and a sum over a Markov chain."""
    law, y = fraction_law(n, rows), np.linspace(-1.4, 0, 9)
    below, by_contour = law._by_contour(y)
    both, by_mixture = law._by_mixture(y)
    seen = np.isfinite(by_contour) & (by_contour > -140)
    assert seen.any()
    tails = np.where(below == both, by_mixture, np.log(-np.expm1(by_mixture)))
    np.testing.assert_allclose(by_contour[seen], tails[seen], rtol=1e-11, atol=1e-10)


@pytest.mark.parametrize(("n", "rows"), [(3, (3, 8, 40)), (20, (25, 20, 90)), (200, (200, 260, 1000))])
def test_order_of_the_factors_leaves_no_trace(n, rows):
    """Weak commutation, on the mixture, whose steps know the order (the contour's integrand does not)."""
    y = np.linspace(0.0, 1.5, 7)
    tails = []
    for order in (slice(None), slice(None, None, -1)):
        law = fraction_law(n, rows)
        law.__dict__["_a"] = (np.sort(np.array(rows, dtype=float))[::-1][order] - n + 1) / 2
        below, tail = law._by_mixture(y)
        tails.append(np.where(below, np.log(-np.expm1(tail)), tail))
    kept = tails[0] > -140
    np.testing.assert_allclose(tails[0][kept], tails[1][kept], rtol=1e-11, atol=1e-10)
    assert fraction_law(n, rows).cdf(0.3) == fraction_law(n, rows[::-1]).cdf(0.3)


@pytest.mark.parametrize(("n", "rows"), SHAPES)
def test_table_reproduces_what_it_was_made_from(n, rows):
    law = fraction_law(n, rows)
    edges = law._table[0]
    y = np.random.default_rng(3).uniform(edges[0], edges[-1], 60)
    np.testing.assert_allclose(law._interpolate(y), law._exact(y), rtol=1e-11, atol=2e-11)


@pytest.mark.parametrize(("n", "rows"), [(2, (2, 2)), (5, (7, 5, 6)), (40, (40,) * 4), (30, (300, 90)), (2, (2,) * 12)])
def test_chain_agrees_within_the_dkw_band(n, rows):
    law, samples, alpha = fraction_law(n, rows), 10**5, 1e-9
    drawn = np.sort(law.rvs(samples, random_state=np.random.default_rng(20)))
    u, grid = law.cdf(drawn), np.arange(samples + 1) / samples
    distance = max(np.max(grid[1:] - u), np.max(u - grid[:-1]))
    assert distance < np.sqrt(np.log(2 / alpha) / (2 * samples))


def test_matrices_agree_within_the_dkw_band():
    n, rows, samples, alpha = 3, (4, 3, 5), 40000, 1e-9
    rng, product = np.random.default_rng(8), np.eye(3)
    for height, width in zip(rows, (n, *rows), strict=False):
        product = rng.standard_normal((samples, height, width)) @ product
    last = np.abs(np.linalg.qr(product, mode="r")[:, -1, -1])
    u = fraction_law(n, rows).cdf(np.sort(last / np.linalg.norm(product[:, :, -1], axis=1)))
    grid = np.arange(samples + 1) / samples
    distance = max(np.max(grid[1:] - u), np.max(u - grid[:-1]))
    assert distance < np.sqrt(np.log(2 / alpha) / (2 * samples))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_wide_limit_is_a_product_of_half_normals(layers):
    n, x = 10**6, [0.1, 1.0, 3.0]
    above = [
        float(mp.meijerg([[], [1]], [[0] + [mp.mpf(1) / 2] * layers, []], mp.mpf(v) ** 2 / 2**layers))
        / float(mp.sqrt(mp.pi) ** layers)
        for v in x
    ]
    np.testing.assert_allclose(fraction_law(n, (n,) * layers).sf(np.array(x) / n ** (layers / 2)), above, rtol=2e-5)


@settings(max_examples=10, derandomize=True)
@given(shapes)
def test_it_is_a_law(shape):
    law = fraction_law(*shape)
    x = np.sort(np.concatenate([law.ppf(np.linspace(0.001, 0.999, 25)), np.linspace(0.01, 0.99, 25)]))
    cdf, sf = law.cdf(x), law.sf(x)
    assert np.all(np.diff(cdf) >= 0)
    assert np.all(law.pdf(x) >= 0)
    np.testing.assert_allclose(cdf + sf, 1, atol=1e-14)
    q = np.array([1e-50, 1e-20, 1e-3, 0.2, 0.5, 0.9])
    np.testing.assert_allclose(law.cdf(law.ppf(q)), q, rtol=1e-9)
    apart = law.isf(q) < 1 - 1e-6  # nearer to 1 a double does not tell F from 1
    np.testing.assert_allclose(law.sf(law.isf(q))[apart], q[apart], rtol=1e-7)
    moments = [law.moment(s) for s in (0, 0.5, 1, 2, 4, 8)]
    assert moments[0] == pytest.approx(1, abs=1e-11)
    assert np.all(np.diff(moments) < 0)
    assert min(moments) > 0
    assert law.var() == pytest.approx(law.moment(2) - law.mean() ** 2, rel=1e-7, abs=1e-14)
    again = pickle.loads(pickle.dumps(law))
    assert again == law == eval(repr(law))
    assert again.cdf(0.4) == law.cdf(0.4)


def test_density_is_the_slope_of_the_cdf():
    law, h = fraction_law(8, (8, 10, 9)), 1e-5
    x = np.linspace(0.01, 0.9, 30)
    np.testing.assert_allclose(law.pdf(x), (law.cdf(x + h) - law.cdf(x - h)) / (2 * h), rtol=2e-5)


def test_edges_and_shapes():
    law = fraction_law(4, (4, 4))
    assert law.support() == (0.0, 1.0)
    np.testing.assert_array_equal(law.cdf([-1, 0, 1, 2, np.nan]), [0, 0, 1, 1, np.nan])
    np.testing.assert_array_equal(law.sf([-1, 0, 1, 2]), [1, 1, 0, 0])
    np.testing.assert_array_equal(law.pdf([-1, 0, 1, np.nan]), [0, 0, 0, np.nan])
    np.testing.assert_array_equal(law.ppf([0, 1, -0.1, 1.1]), [0, 1, np.nan, np.nan])
    assert law.cdf(np.full((2, 3), 0.3)).shape == law.rvs((2, 3), random_state=1).shape == (2, 3)
    assert np.ndim(law.rvs(random_state=1)) == np.ndim(law.cdf(0.3)) == np.ndim(law.ppf(0.3)) == 0
    np.testing.assert_array_equal(law.rvs(5, random_state=1), law.rvs(5, random_state=1))
    low, high = law.interval(0.9)
    assert law.cdf(high) - law.cdf(low) == pytest.approx(0.9, abs=1e-12)
    with pytest.raises(AttributeError):
        law.n = 5


def test_deepest_and_largest_shapes():
    law = fraction_law(1000, (1000,) * 64)
    assert law.log_mean() == pytest.approx(law._quadrature[1] @ log_expit(law._quadrature[0]) / 2, rel=1e-10)
    assert 0 < law.rvs(random_state=0) < 1e-40
    wide = fraction_law(10**6, (10**6,) * 2)
    assert wide.moment(2) == pytest.approx(1.0e-12, rel=1e-4)


@pytest.mark.parametrize(
    ("n", "rows", "says"),
    [
        (1, (3,), "n must be at least 2, got 1"),
        (3, (), "rows must hold 1 or more integers, got 0"),
        (5, (6, 4), "trapezoidal and r_nn = 0"),
        (5, (5,) * 65, "at most 64"),
        (5, (10**6 + 1,), r"at most 10\*\*6"),
    ],
)
def test_bad_input(n, rows, says):
    with pytest.raises(ValueError, match=says):
        fraction_law(n, rows)
    with pytest.raises(ValueError, match=says):
        FractionLaw(n, rows)
    with pytest.raises(ValueError, match="s > -2 only"):
        fraction_law(5, (6, 9)).moment(-2)
