"""Laws of attack sizes against the oracles of their derivation, draws, mpmath and themselves."""

import math
import pickle

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtr

from fragility.law import Law
from fragility.testing import assert_agrees
from theory.points.attack_size import (
    ColumnLaw,
    bound_mean,
    column_law,
    flip_law,
    pair_margin_law,
    swap_law,
    target_probability,
    typical_average_tolerance,
    typical_nearest_tolerance,
)
from theory.products.qr_product import corner_law, diagonal_laws

QUANTILES = [  # p, ||e|| of Theorem 1, pair margin, r_mm
    (0.01, 0.2005027267, 0.0088625013, 0.0125334695),
    (0.05, 0.4529604591, 0.0443403879, 0.0627067779),
    (0.25, 1.0727200426, 0.2253120550, 0.3186393640),
    (0.50, 1.6651092223, 0.4769362762, 0.6744897502),
    (0.75, 2.3548200450, 0.8134198476, 1.1503493804),
    (0.95, 3.4616367652, 1.3859038243, 1.9599639845),
    (0.99, 4.2919320526, 1.8213863677, 2.5758293035),
]
PROBABILITIES = [  # degrees of the swap's factors less 2 (heights less n), P(||e|| <= 0.5, 1, 3, 10)
    ((0,), 0.06058693719, 0.2211992169, 0.8946007754, 1 - 1.3888e-11),
    ((0, 0), 0.1058419341, 0.2680855235, 0.7467093627, 0.9970252401),
    ((0, 0, 0), 0.1354918851, 0.2877225925, 0.6751100408, 0.9700361298),
    ((0, 0, 0, 0, 0), 0.1704379935, 0.3030600269, 0.5990522717, 0.8888493656),
    ((2, 1, 3), 0.001479212255, 0.009331805328, 0.1160223174, 0.6593556836),
]
MEANS = {1: 1.7724538509, 2: 2.2214414691, 3: 2.7841639984, 5: 4.3733545819, 10: 13.5242871430}
TARGETS = {
    3: 0.8459659954,
    4: 0.7250790790,
    8: 0.4343343781,
    16: 0.2135466836,
    64: 0.0340228282,
    256: 0.0039711850,
    1024: 0.0003926621,
}
COLUMN_MEDIANS = {8: 0.283, 16: 0.244, 32: 0.218, 64: 0.200, 128: 0.187, 256: 0.175, 512: 0.166, 1024: 0.158}
shapes = st.integers(2, 8).flatmap(lambda n: st.tuples(st.just(n), st.integers(n, n + 6)))


@pytest.mark.parametrize(("p", "swap", "margin", "last"), QUANTILES)
def test_quantiles(p, swap, margin, last):
    for d in (2, 12):
        assert swap_law(d, (d,)).ppf(p) == pytest.approx(swap, abs=6e-11, rel=1e-9)
        assert pair_margin_law(d, (d,)).ppf(p) == pytest.approx(margin, abs=6e-11, rel=1e-9)
        assert flip_law(d, (d,)).ppf(p) == pytest.approx(2 * last, abs=1e-10, rel=1e-9)


@pytest.mark.parametrize(("more", "half", "one", "three", "ten"), PROBABILITIES)
def test_swap_probabilities(more, half, one, three, ten):
    law = swap_law(4, tuple(4 + extra for extra in more))
    np.testing.assert_allclose(law.cdf([0.5, 1, 3, 10]), [half, one, three, ten], rtol=1e-9)


def test_moments_of_square_factors():
    for layers, mean in MEANS.items():
        law = swap_law(7, (7,) * layers)
        assert law.mean() == pytest.approx(mean, rel=1e-10)
        assert law.moment(2) == pytest.approx(2.0 ** (layers + 1))
    assert pair_margin_law(9, (9,)).mean() == pytest.approx(0.5641895835)
    assert pair_margin_law(9, (9,)).moment(2) == pytest.approx(0.5)


def test_tails_that_no_constant_cuts():
    """P(||e|| > 3) = e^(-9/4) and P(r_mm > D) = 2 Phi(-D) in every dimension; levels 0.1 and 0.01 of Theorem 6."""
    for d in (2, 50):
        assert swap_law(d, (d,)).sf(3) == pytest.approx(0.1053992246, rel=1e-9)
        np.testing.assert_allclose(
            flip_law(d, (d,)).sf([2, 4, 6]), [0.3173105079, 0.0455002639, 0.0026997961], atol=6e-11
        )
        np.testing.assert_allclose(flip_law(d, (d,)).isf([0.1, 0.01]), [3.289707254, 5.151658607], rtol=1e-9)


def test_fewer_points_than_dimensions():
    assert swap_law(4, (9,)).moment(2) == pytest.approx(2 * 7)
    assert pair_margin_law(4, (9,), scale=3).moment(2) == pytest.approx(9 * 6 / 2)
    assert flip_law(4, (9, 5), scale=0.5).moment(2) == pytest.approx(4 * 6 * 2 / 4)
    assert flip_law(1, (3,)).moment(2) == pytest.approx(4 * 3)


def test_two_square_factors_are_a_bessel_function():
    w = math.sqrt(2.5 / 2)
    assert swap_law(5, (5, 5)).sf(math.sqrt(2.5)) == pytest.approx(float(w * mp.besselk(1, w)), rel=1e-10)


def test_the_construction_exceeds_the_minimum_by_2_to_the_depth():
    for layers in (1, 3):
        gap = swap_law(6, (6,) * layers, 0.5).log_mean() - pair_margin_law(6, (6,) * layers).log_mean()
        assert gap == pytest.approx(layers * math.log(2))


def test_means_of_the_bound():
    assert bound_mean(5, (5,)) == pytest.approx(2.8490832589)
    assert bound_mean(9, (9, 9)) == pytest.approx(3.4806556439)
    n, rows = 4, (6, 5)
    parts = [*diagonal_laws(n, rows)[-2:], corner_law(n, rows)]
    assert bound_mean(n, rows) == pytest.approx(sum(law.mean() for law in parts))
    assert bound_mean(n, rows) > swap_law(n, rows).mean()


@pytest.mark.parametrize(("d", "expected"), TARGETS.items())
def test_target_probabilities(d, expected):
    assert target_probability(d, d) == pytest.approx(expected, abs=6e-11)


def test_the_target_of_three_classes_is_a_student_probability():
    assert target_probability(2, 2) == pytest.approx(1, abs=1e-12)
    assert target_probability(3, 3) == pytest.approx(stats.t(3).cdf(math.sqrt(1.5)), rel=1e-12)
    assert target_probability(3, 10) == pytest.approx(stats.t(10).cdf(math.sqrt(5)), rel=1e-12)


@given(shapes)
def test_more_classes_make_the_target_less_likely(shape):
    n, d = shape
    assert 0 < target_probability(n + 1, d + 1) < target_probability(n, d) <= 1 + 1e-12


@pytest.mark.parametrize(("d", "median"), COLUMN_MEDIANS.items())
def test_medians_of_the_column_law(d, median):
    assert column_law(d, d).median() == pytest.approx(median, abs=1.1e-3)


@pytest.mark.parametrize(("n", "d"), [(2, 2), (3, 5), (20, 20)])
def test_the_column_law_of_draws(n, d):
    law = column_law(n, d)
    decoys = {"without the other classes": flip_law(n, (d,))}
    assert_agrees(law.rvs(20_000, random_state=5), law, tolerance=0.04, decoys=decoys)


def test_two_points_in_the_plane_have_the_pair_margin():
    """Two points, two dimensions: along q_2 with one other class; U = r / |1 + Z / C| is a ratio with heavy tail."""
    law = column_law(2, 2)
    with mp.workdps(20):

        def above(u):  # P(|N| > u |C + Z| / C), given the ratio s = Z / C with density s -> (1 + s^2)^(-3/2) / 2
            return mp.quad(
                lambda s: mp.erfc(u * abs(1 + s) / mp.sqrt(2)) * (1 + s * s) ** mp.mpf(-1.5) / 2,
                [-mp.inf, -3, -1, 0, 2, mp.inf],
            )

        expected = [float(above(mp.mpf(u))) for u in (0.1, 1.0, 5.0, 40.0)]
    np.testing.assert_allclose(law.sf([0.1, 1, 5, 40]), expected, rtol=2e-5)
    assert law.mean() == math.inf


def both_tails(n, d, u, nodes=400):
    """P(U > u) = E P(|C + Z| <= r C / u | r, C)^(n-1), and its complement, by Gauss rules over the roots of r and C."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    points, weights = ((1 + points) / 2) ** 4, 2 * ((1 + points) / 2) ** 3 * weights  # small r matter for small U
    rules = []
    for law in (stats.chi(d - n + 1), stats.chi(d - n + 2)):
        low, high = law.ppf(1e-20), law.isf(1e-20)
        x = low + (high - low) * points
        rules.append((x, law.pdf(x) * weights * (high - low)))
    (r, chance), (c, likely) = rules
    most = r[:, None] * c / u
    outside = stats.norm.sf(most - c) + stats.norm.sf(most + c)
    inside = np.log(np.maximum(np.where(outside < 0.5, 1 - outside, ndtr(most - c) - ndtr(-most - c)), 1e-300))
    return chance @ np.exp((n - 1) * inside) @ likely, -chance @ np.expm1((n - 1) * inside) @ likely


@pytest.mark.parametrize(
    ("n", "d"),
    [
        *((2, 2), (2, 4), (2, 10), (2, 784), (2, 10**6), (3, 3), (3, 6), (10, 10), (10, 784), (100, 784), (784, 784)),
        *((10, 10**6), (1000, 10**6), (10**6 - 1, 10**6), (10**6, 10**6)),
    ],
)
def test_the_column_law_in_every_corner(n, d):
    law = column_law(n, d)
    for u in [*law.ppf([1e-3, 0.1, 0.5]), *law.isf([0.1, 1e-3, 1e-5])]:
        above, below = both_tails(n, d, u)
        assert law.sf(u) == pytest.approx(above, abs=1e-8)
        assert law.cdf(u) == pytest.approx(below, abs=1e-8)


def test_a_narrow_peak_in_a_wide_interval():
    """By mpmath, over r and C about their means."""
    assert column_law(10, 784).sf(26.168) == pytest.approx(0.6208840943, abs=1e-9)


def test_moments_of_the_column_law_by_its_tail():
    """E U^s = int s u^(s-1) P(U > u) du, for negative s of P(U <= u)."""
    y = np.arange(-20, 9, 0.1)
    tails = np.array([both_tails(10, 14, u, 120) for u in np.exp(y)])
    law = column_law(10, 14)
    for order in (1, 2, 5):
        assert law.moment(order) == pytest.approx(0.1 * np.sum(order * np.exp(order * y) * tails[:, 0]), rel=1e-6)
    expected = 0.1 * np.sum(1.5 * np.exp(-1.5 * y) * tails[:, 1])
    assert law.moment(-1.5) == pytest.approx(expected, rel=1e-5)


@settings(max_examples=10)
@given(shapes)
def test_the_column_law_is_a_law(shape):
    law = column_law(*shape)
    q = np.array([1e-9, 1e-3, 0.2, 0.5, 0.9, 0.999])
    u = law.ppf(q)
    assert isinstance(law, Law)
    assert np.all(np.diff(u) > 0)
    np.testing.assert_allclose(law.cdf(u), q, rtol=1e-9)
    np.testing.assert_allclose(law.sf(law.isf(q)), q, rtol=1e-9)
    np.testing.assert_allclose(law.cdf(u) + law.sf(u), 1, rtol=1e-12)
    h = 1e-5 * u[3]
    assert law.pdf(u[3]) == pytest.approx((law.cdf(u[3] + h) - law.cdf(u[3] - h)) / (2 * h), rel=1e-6)
    np.testing.assert_allclose(law.cdf([-1.0, 0.0, np.inf]), [0, 0, 1], rtol=1e-14)
    np.testing.assert_array_equal(law.ppf([0, 1, 2]), [0, np.inf, np.nan])
    np.testing.assert_array_equal(law.isf([1, 0, -1]), [0, np.inf, np.nan])
    assert pickle.loads(pickle.dumps(law)) == law == eval(repr(law), {"ColumnLaw": ColumnLaw})


def test_many_points_are_read_from_a_table():
    law, u = column_law(6, 8), np.exp(np.linspace(-12, 4, 2000))
    parts = np.split(u, 20)
    np.testing.assert_allclose(law.cdf(u), np.concatenate([law.cdf(part) for part in parts]), rtol=1e-7, atol=1e-300)
    np.testing.assert_allclose(law.sf(u), np.concatenate([law.sf(part) for part in parts]), rtol=1e-6, atol=1e-300)


def test_moments_of_the_column_law():
    law = column_law(6, 6)
    draws = law.rvs(10**5, random_state=1)
    assert law.mean() == pytest.approx(draws.mean(), abs=5 * law.std() / 10**2.5)
    assert law.moment(0) == pytest.approx(1)
    assert law.moment(5) == math.inf
    assert column_law(3, 3).var() == math.inf
    assert law.support() == (0.0, math.inf)
    with pytest.raises(ValueError, match="order must be above -1"):
        law.moment(-1)
    for order in (4.9, -0.9):
        with pytest.raises(ValueError, match=r"order must be from -0.5 to 4.5, or at least 5, got"):
            law.moment(order)


def test_the_column_attack_falls_like_the_root_of_a_logarithm():
    scaled = [column_law(2**k, 2**k).median() * math.sqrt(2 * math.log(2**k)) for k in (4, 8, 12, 16)]
    np.testing.assert_allclose(scaled, 0.585, atol=0.02)
    assert column_law(10**6, 10**6).sf(1.0) < column_law(100, 100).sf(1.0) < column_law(10, 10).sf(1.0)


@pytest.mark.parametrize(  # E ln of the lead: -Euler's constant / 2 for two, else by mpmath
    ("d", "lead"), [(2, -0.2886078324507664), (3, -0.127074858842), (10, 0.284062662560), (10**6, 1.557425598580)]
)
def test_the_lead_of_the_largest(d, lead):
    assert typical_nearest_tolerance(d) == pytest.approx(d * math.exp(-lead), rel=1e-10)
    lengths = float((mp.log(2) + mp.digamma(0.5)) + (mp.log(2) + mp.digamma(d / 2))) / 2
    assert typical_average_tolerance(d) == pytest.approx(math.exp(lengths - lead), rel=1e-10)


@pytest.mark.parametrize("d", [10**9, 10**15, 10**50, 10**100])
def test_the_lead_in_vast_dimensions(d):
    """The largest of many normals is Gumbel's variable on their scale, and hardly moves; z_0 by Gauss's rule."""
    with mp.workdps(120):
        level = float(
            mp.findroot(lambda x: mp.log(mp.erfc(x / mp.sqrt(2)) / 2) + mp.log(d), math.sqrt(2 * math.log(d)))
        )
    z, weight = np.polynomial.hermite_e.hermegauss(60)
    lead = weight @ np.log(np.maximum(level - z, 1e-3)) / weight.sum()
    assert math.log(d / typical_nearest_tolerance(d)) == pytest.approx(lead, abs=1.2 / level**2)


def test_average_tolerances_of_draws():
    """Geometric means over random directions, within five standard errors; nearest neighbours to leading order."""
    d, draws, rng = 24, 20_000, np.random.default_rng(12)
    theta = rng.standard_normal((draws, d))
    theta /= np.linalg.norm(theta, axis=1, keepdims=True)
    lead = theta.max(axis=1) - theta[:, 0]
    logs = np.log(np.abs(rng.standard_normal(draws))[lead > 0] / lead[lead > 0])
    assert abs(math.log(typical_average_tolerance(d)) - logs.mean()) < 5 * logs.std() / math.sqrt(logs.size)
    points = rng.standard_normal((400, d, d))
    steps = points[:, :, 1:] - points[:, :, :1]
    leads, squares = steps[:, 0], np.sum(steps**2, axis=1)
    leaves = np.min(np.where(leads > 0, squares / (2 * np.where(leads > 0, leads, 1)), np.inf), axis=1)
    typical = math.exp(np.mean(np.log(leaves[np.isfinite(leaves)])))
    assert typical_nearest_tolerance(d) == pytest.approx(typical, rel=0.35)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: swap_law(1, (3,)), "n must be at least 2, got 1"),
        (lambda: swap_law(4, (5, 3)), "every height must be at least n = 4, got 3"),
        (lambda: swap_law(4, (5,), scale=0), "scale must be positive"),
        (lambda: pair_margin_law(1, (3,)), "n must be at least 2, got 1"),
        (lambda: flip_law(0, (3,)), "n must be at least 1, got 0"),
        (lambda: bound_mean(3, (3, 3, 3)), "at most 2 factors, got 3"),
        (lambda: target_probability(5, 4), "d must be at least n = 5, got 4"),
        (lambda: column_law(1, 4), "n must be at least 2, got 1"),
        (lambda: ColumnLaw(5, 4), "d must be at least n = 5, got 4"),
        (lambda: column_law(5, 10**6 + 1), "d must be at most 1000000, got 1000001"),
        (lambda: typical_nearest_tolerance(10**101), "d must be at most 1e.100, got 1000"),
        (lambda: typical_average_tolerance(1), "d must be at least 2, got 1"),
        (lambda: typical_nearest_tolerance(1), "d must be at least 2, got 1"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()


@pytest.mark.parametrize(
    ("n", "d"),
    [
        (2, 10**12),
        (3, 3),
        (3, 10**12),
        (50, 50),
        (10**6, 10**6),
        (10**12, 10**12),
        (10**6, 10**12),
        (10**12, 10**12 + 200),
    ],
)
def test_the_target_probability_over_the_whole_domain(n, d):
    """E Phi(C / sqrt 2)^(n - 2) with the density of C about sqrt(degrees), at 30 digits."""
    with mp.workdps(30):
        degrees = mp.mpf(d - n + 3)
        root, constant = mp.sqrt(degrees), (1 - degrees / 2) * mp.log(2) - mp.loggamma(degrees / 2)

        def weighted(offset):
            c = root + offset
            log = constant + (degrees - 1) * mp.log(c) - c * c / 2
            return mp.exp(log + (n - 2) * mp.log(mp.ncdf(c / mp.sqrt(2)))) if c else mp.mpf(0)

        start = max(-root, mp.mpf(-14))
        exact = mp.quad(weighted, [start + j for j in range(29)])
    assert target_probability(n, d) == pytest.approx(float(exact), rel=1e-12)
    assert 0 <= target_probability(n, d) <= 1
