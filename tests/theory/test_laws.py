"""Products of chi variables against tables, closed forms, Meijer G and the Mellin integral at 25 digits."""

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st

from theory.laws.chi_product import chi_product, symmetrised

# degrees: E ln r, Var ln r; F and f at 0.1, at 1, at 3
TABLE = """
1: -0.6351814227 1.23370055 0.07965567455 0.793905095 0.6826894921 0.483941449 0.9973002039 0.008863696824
1 1: -1.270362845 2.4674011 0.2178286503 1.54512013 0.791006337 0.268032482 0.9803614026 0.02211585537
1 1 1: -1.905544268 3.70110165 0.3634634524 1.865297016 0.8533838449 0.173046839 0.9768638348 0.01782001753
1*5: -3.175907114 6.168502751 0.6012511408 1.70887413 0.9221127739 0.08431763198 0.9823495329 0.009766349779
1*10: -6.351814227 12.3370055 0.885536949 0.6827850783 0.9810034476 0.01884572702 0.9944309811 0.002321701409
2 2: 0.1159315157 0.8224670334 0.01461552191 0.2427069025 0.3980927698 0.4210244382 0.8795307066 0.1042185132
2 2 2: 0.1738972735 1.23370055 0.02582676546 0.3672212554 0.3960972352 0.340677527 0.7953504129 0.105246872
3 2 4: 0.9807500929 0.8061675836 0.002313398646 0.04456425084 0.1348345376 0.1999718893 0.5144539834 0.1552325765
3*4: 1.459274309 0.9348022005 0.0008470232887 0.01868729014 0.07439471909 0.1187986953 0.3295067921 0.1191228421
"""

# degrees: the 5, 50, 95 and 99 % points
QUANTILES = """
1: 0.06270677794 0.6744897502 1.959963985 2.575829304
1 1: 0.01472340718 0.3651680118 2.181948984 3.604213202
1 1 1: 0.004258898502 0.1949120003 2.065214209 4.162144706
1*5: 0.0004648758594 0.05503311782 1.461993991 4.13726804
1*10: 3.493221418e-6 0.002307520119 0.3344816487 1.833187306
2 2: 0.2145830299 1.257151391 3.998522311 5.767143124
2 2 2: 0.1611070565 1.335951983 5.922884368 9.674478375
"""

HUGE = 10**6

# the corners of the declared domain; after the colon a scale that keeps x inside the doubles
CORNERS = """
1: 1; 2: 1; 1000000: 1; 1 2: 1; 1 1000000: 1e-3; 1*3: 1; 2 3 4: 1; 17 500000 1000000: 1
1*256: 1e100; 1*256: 1e300; 1000000*100: 1e-300; 10000*256: 1e-300; 1*255 1000000: 1e300
1 5*100: 1; 1 1000000*100: 1e-300; 40*30 41: 1e-20
"""


def spread(groups):
    return tuple(degree for degree, count in groups for _ in range(count))


def near(actual, expected, relative=1e-10):
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=0)


def rows(table):
    """(groups of equal degrees, numbers) of every entry."""
    for row in table.strip().replace(";", "\n").splitlines():
        degrees, numbers = row.split(":")
        groups = [(*map(int, word.split("*")), 1)[:2] for word in degrees.split()]
        yield pytest.param(groups, [float(number) for number in numbers.split()], id=degrees.strip())


def mellin_integral(groups, scale, x, lower):
    """ln of the tail and of the density at x: trapezoidal sums on a vertical line through the saddle point."""
    halves = [(mp.mpf(nu) / 2, count) for nu, count in groups]
    y = mp.log(mp.mpf(float(x)) / mp.mpf(scale)) - sum(count for _, count in groups) * mp.log(2) / 2
    constant = mp.fsum(count * mp.loggamma(a) for a, count in halves)

    def exponent(t):
        return mp.fsum(count * mp.loggamma(a + t / 2) for a, count in halves) - constant - t * y

    def slope(c):
        return mp.fsum(count * mp.psi(0, a + c / 2) for a, count in halves) / 2 - y - 3 / c

    low, high = (-min(groups)[0], mp.mpf(0)) if lower else (mp.mpf(0), mp.mpf(1))
    while not lower and slope(high) < 0:
        high *= 2
    for _ in range(30):
        c = (low + high) / 2
        low, high = (c, high) if slope(c) < 0 else (low, c)
    step = 1 / mp.sqrt(mp.fsum(count * mp.psi(1, a + c / 2) for a, count in halves) / 4)
    peak = exponent(c)

    def line(offset, step):
        sums, value, j = mp.matrix(2, 1), mp.mpf(1), offset
        while abs(value) > 1e-16:
            t = mp.mpc(c, j * step)
            value = mp.exp(exponent(t) - peak)
            sums += mp.matrix([mp.re(value / abs(c) if j == 0 else value / t * mp.sign(c)), mp.re(value)]) / (
                2 if j == 0 else 1
            )
            j += 1
        return sums * step

    coarse, fine = mp.matrix(2, 1), line(0, step)
    while max(abs(1 - coarse[i] / fine[i]) for i in (0, 1)) > 1e-7:
        coarse, fine, step = fine, (fine + line(mp.mpf(1) / 2, step)) / 2, step / 2
    return [mp.log(fine[0]) + peak - mp.log(mp.pi), mp.log(fine[1]) + peak - mp.log(mp.pi * mp.mpf(float(x)))]


@pytest.mark.parametrize(("groups", "numbers"), list(rows(TABLE)))
def test_tabulated_values(groups, numbers):
    law, x = chi_product(spread(groups)), [0.1, 1, 3]
    near([law.log_mean(), law.log_var(), *np.stack([law.cdf(x), law.pdf(x)], axis=1).ravel()], numbers, 1e-9)


@pytest.mark.parametrize(("groups", "numbers"), list(rows(QUANTILES)))
def test_tabulated_quantiles(groups, numbers):
    near(chi_product(spread(groups)).ppf([0.05, 0.5, 0.95, 0.99]), numbers, 1e-9)
    near(chi_product(spread(groups)).isf([0.95, 0.5, 0.05, 0.01]), numbers, 1e-9)


def test_tabulated_far_tails():
    near(chi_product((1,)).sf(8), 1.244192115e-15, 1e-9)
    near(chi_product((2, 2)).sf(100), 4.679853736e-43, 1e-9)
    near(chi_product((1,)).cdf(1e-50), 7.978845608e-51, 1e-9)


@pytest.mark.parametrize(
    ("degree", "mean"),
    [(1, 0.7978845608), (2, 1.253314137), (3, 1.595769122), (4, 1.879971206), (12, 3.392760536), (100, 9.97503164)],
)
def test_means_of_one_chi(degree, mean):
    assert chi_product((degree,)).mean() == pytest.approx(mean, rel=6e-10)


def test_one_factor():
    law, x = chi_product((1,)), np.array([1e-300, 1e-9, 0.3, 1, 2, 5, 20, 37])
    near(law.cdf(x), sp.erf(x / np.sqrt(2)))
    near(law.sf(x), sp.erfc(x / np.sqrt(2)))
    for degree in (2, 7, 300):
        law, chi = chi_product((degree,), scale=2.5), st.chi(degree, scale=2.5)
        x = chi.ppf(np.linspace(0.001, 0.999, 50))
        for function in ("cdf", "sf", "pdf", "logcdf", "logsf", "logpdf"):
            np.testing.assert_allclose(getattr(law, function)(x), getattr(chi, function)(x), rtol=1e-10, atol=1e-12)
        near([law.mean(), law.median()], [chi.mean(), chi.median()])
        near([law.var(), law.std()], [chi.var(), chi.std()], 1e-8)  # that of scipy cancels
        near(law.interval(0.9), chi.interval(0.9))


def test_two_factors_are_bessel_and_struve():
    law, x = chi_product((1, 1)), np.array([1e-100, 1e-10, 0.01, 0.5, 2, 10, 50, 600])
    near(law.pdf(x), 2 / np.pi * sp.k0(x))
    x = x[1:5]
    near(law.cdf(x), x * (sp.k0(x) * sp.modstruve(-1, x) + sp.k1(x) * sp.modstruve(0, x)))
    law, x = chi_product((2, 2)), np.array([1e-3, 0.1, 1, 5, 100, 650])
    near(law.sf(x), x * sp.k1(x))
    near(law.pdf(x), x * sp.k0(x))


@pytest.mark.parametrize("degree", [1, 2, 5, 40])
def test_neighbours_are_gamma_by_duplication(degree):
    law, gamma = chi_product((degree, degree + 1)), st.gamma(degree)
    x = gamma.ppf([1e-200, 1e-50, 1e-5, 0.01, 0.5, 0.99])
    near(law.cdf(x), gamma.cdf(x))
    x = gamma.isf([1e-250, 1e-50, 1e-5, 0.01, 0.5])
    near(law.sf(x), gamma.sf(x))
    near(law.pdf(x), gamma.pdf(x))


@pytest.mark.parametrize("degrees", [(1, 1, 1), (3, 2, 4), (1, 4, 4, 9)])
@pytest.mark.parametrize("x", [1e-3, 0.7, 4.0])
def test_meijer_g(degrees, x):
    halves = [mp.mpf(degree) / 2 for degree in degrees]
    with mp.workdps(25):
        z, constant = mp.mpf(x) ** 2 / 2 ** len(degrees), 1 / mp.fprod(map(mp.gamma, halves))
        near(chi_product(degrees).cdf(x), float(constant * mp.meijerg([[1], []], [halves, [0]], z)))
        near(chi_product(degrees).pdf(x), float(2 * constant / x * mp.meijerg([[], []], [halves, []], z)))


@pytest.mark.parametrize(("groups", "scale"), list(rows(CORNERS)))
def test_mellin_integral_in_the_corners(groups, scale):
    law = chi_product(spread(groups), scale[0])
    low_order = groups[0][1] < 10 and groups[0][0] < 100
    for lower, quantile, log_tail in ((True, law.ppf, law.logcdf), (False, law.isf, law.logsf)):
        for level in (1e-250, 1e-100, 1e-30, 1e-5, 0.1, 0.4):
            x = quantile(level)
            if not 1e-300 < x < 1e300 or (lower and level < 0.05 and low_order):
                continue  # a pole of low order is slow on a vertical line: see test_lower_tail_is_a_power
            with mp.workdps(25):
                tail, density = mellin_integral(groups, law.scale, x, lower)
            assert abs(log_tail(x) - tail) < 1e-10
            assert abs(law.logpdf(x) - density) < 1e-10
            assert abs(log_tail(x) - np.log(level)) < 1e-10


@pytest.mark.parametrize(("groups", "scale"), [row for row in rows(CORNERS) if row.values[0][0] in ((1, 1), (2, 1))])
def test_lower_tail_is_a_power(groups, scale):
    # E r^t has a simple pole at -nu: P(r <= x) = residue / nu * x^nu (1 + O(x^2)), far below the last digit here
    lowest, law = groups[0][0], chi_product(spread(groups), scale[0])
    with mp.workdps(30):
        gammas = [n * (mp.loggamma(mp.mpf(nu - lowest) / 2) - mp.loggamma(mp.mpf(nu) / 2)) for nu, n in groups[1:]]
        log_residue = mp.fsum(gammas) + mp.log(2) - mp.loggamma(mp.mpf(lowest) / 2)
        log_unit = len(law.degrees) * mp.log(2) / 2 + mp.log(mp.mpf(law.scale))
        for x in (1e-15, 1e-40, 1e-140):
            expected = log_residue - mp.log(lowest) + lowest * (mp.log(mp.mpf(x)) - log_unit)
            assert abs(law.logcdf(x) - expected) < 1e-10
            assert abs(law.logpdf(x) - (expected + mp.log(lowest) - mp.log(mp.mpf(x)))) < 1e-10


@pytest.mark.parametrize("factors", [2, 3, 6])
def test_small_ball(factors):
    # F(x) ~ (2/pi)^(L/2) x ln(1/x)^(L-1) / (L-1)!, with a relative correction of order 1 / ln(1/x)
    x = np.array([1e-150, 1e-300])
    limit = (2 / np.pi) ** (factors / 2) * x * (-np.log(x)) ** (factors - 1) / sp.gamma(factors)
    gaps = chi_product((1,) * factors).cdf(x) / limit - 1
    assert abs(gaps[0] / gaps[1] - 2) < 0.1
    assert abs(gaps[1]) < factors**2 / 690


@pytest.mark.parametrize("groups", [[(1, 1)], [(1, 3)], [(1, 1), (HUGE, 1)], [(500, 2)], [(7, 256)]], ids=str)
def test_table_agrees_with_single_points(groups):
    law = chi_product(spread(groups), 1e-100)
    x = np.concatenate([law.ppf(np.logspace(-200, -0.31, 800)), law.isf(np.logspace(-0.31, -300, 800))])
    for function in (law.logcdf, law.logsf, law.logpdf):
        assert np.abs(function(x)[::23] - [function(point) for point in x[::23]]).max() < 2e-11
    near(law.ppf(np.tile(law.cdf(x[:800]), 2)), np.tile(x[:800], 2), 1e-9)


def test_logarithms_go_on_beyond_the_doubles():
    law = chi_product((3, 2, 4))
    assert law.sf(1e6) == 0
    near(law.logsf([1e60, 1e90]), [-1.5e40, -1.5e60], 1e-12)  # -(L/2) x^(2/L)
    near(np.diff(chi_product((50, 60)).logcdf([1e-200, 1e-190])), 500 * np.log(10), 1e-12)


def test_ends_and_shapes():
    law, x, q = chi_product((3, 2, 4)), [-np.inf, -1, 0, np.inf, np.nan], [-0.1, 0, 1, 1.1, np.nan]
    np.testing.assert_array_equal(law.cdf(x), [0, 0, 0, 1, np.nan])
    np.testing.assert_array_equal(law.sf(x), [1, 1, 1, 0, np.nan])
    np.testing.assert_array_equal(law.pdf(x), [0, 0, 0, 0, np.nan])
    np.testing.assert_array_equal(law.ppf(q), [np.nan, 0, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(law.isf(q), [np.nan, np.inf, 0, np.nan, np.nan])
    assert law.support() == (0, np.inf)
    assert law.cdf(np.ones((2, 3))).shape == (2, 3)
    assert law.cdf([]).shape == (0,)
    assert isinstance(law.cdf(1), np.float64)
    near(chi_product((1,)).pdf(0), np.sqrt(2 / np.pi), 1e-15)
    near(chi_product((1, 5, 9), 3).pdf(0), chi_product((1, 5, 9), 3).pdf(1e-100), 1e-12)
    assert chi_product((1, 1)).pdf(0) == np.inf


def test_moments_of_large_degrees_do_not_cancel():
    with mp.workdps(40):
        mean = mp.sqrt(2) * mp.gammaprod([mp.mpf(HUGE + 1) / 2], [mp.mpf(HUGE) / 2])
        near(chi_product((HUGE,)).mean(), float(mean), 1e-14)
        near(chi_product((HUGE,)).var(), float(HUGE - mean**2), 1e-12)
    with pytest.raises(ValueError, match=r"order must be finite and above -min\(degrees\) = -2, got -2"):
        chi_product((2, 3)).moment(-2)


def test_bad_input():
    for degrees, scale, message in (
        ((), 1.0, "degrees must be 1 to 256 in number, got 0"),
        ((1,) * 257, 1.0, "degrees must be 1 to 256 in number, got 257"),
        ((3, 0), 1.0, "degrees must be between 1 and 1000000, got 0"),
        ((HUGE + 1,), 1.0, "degrees must be between 1 and 1000000, got 1000001"),
        ((2.5,), 1.0, "degrees must be an integer, got 2.5"),
        ((3,), 0.0, "scale must be positive and finite, got 0.0"),
        ((3,), np.inf, "scale must be positive and finite, got inf"),
        ((3,), np.nan, "scale must be positive and finite, got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            chi_product(degrees, scale)


SIZE = 40_000
SEEN = np.sqrt(np.log(2 / 1e-9) / (2 * SIZE))  # Dvoretzky-Kiefer-Wolfowitz


def gap(law, draws):
    return np.abs(law.cdf(np.sort(draws)) - (np.arange(SIZE) + 0.5) / SIZE).max()


@pytest.mark.parametrize(("right", "wrong"), [((3, 2, 4), (3, 2, 5)), ((1,) * 64, (1,) * 63 + (2,)), ((1, 9), (1, 10))])
def test_draws_obey_their_law_and_not_the_one_a_degree_off(right, wrong):
    draws = chi_product(right, 2.0).rvs(SIZE, random_state=7)
    assert gap(chi_product(right, 2.0), draws) < SEEN < gap(chi_product(wrong, 2.0), draws)
    again = chi_product(right, 2.0).rvs((200, 200), random_state=np.random.default_rng(7))
    np.testing.assert_array_equal(again.ravel(), draws)


def test_symmetrised():
    normal, law = st.norm(scale=1.5), symmetrised(chi_product((1,), 1.5))
    for function in ("cdf", "sf", "pdf"):
        x = np.array([-40.0, -2, -0.1, 0, 0.1, 2, 40])
        near(getattr(law, function)(x), getattr(normal, function)(x))
    for function in ("ppf", "isf"):
        q = np.array([0, 1e-250, 0.1, 0.5, 0.9, 1])
        np.testing.assert_allclose(getattr(law, function)(q), getattr(normal, function)(q), rtol=1e-10, atol=1e-12)
    near([law.mean(), law.var(), law.std()], [0, 2.25, 1.5], 1e-13)
    assert law.support() == (-np.inf, np.inf)
    draws = law.rvs(SIZE, random_state=3)
    assert gap(normal, draws) < SEEN < gap(chi_product((1,), 1.5), draws)
