"""Products of chi variables against tables, closed forms, Meijer G and the Mellin integral at 30 digits."""

import pickle
import subprocess
import sys
from collections import Counter

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
import scipy.stats as st
from hypothesis import given, settings
from hypothesis import strategies as some

from theory.laws import Law, chi_product, symmetrised

RELATIVE = 1e-10  # what the law promises

# degrees; E ln r, Var ln r; then F and f at 0.1, 1 and 3
TABLE = [
    ((1,), -0.6351814227, 1.23370055, 0.07965567455, 0.793905095, 0.6826894921, 0.483941449, 0.9973002039, 0.008863696824),
    ((1, 1), -1.270362845, 2.4674011, 0.2178286503, 1.54512013, 0.791006337, 0.268032482, 0.9803614026, 0.02211585537),
    ((1, 1, 1), -1.905544268, 3.70110165, 0.3634634524, 1.865297016, 0.8533838449, 0.173046839, 0.9768638348, 0.01782001753),
    ((1,) * 5, -3.175907114, 6.168502751, 0.6012511408, 1.70887413, 0.9221127739, 0.08431763198, 0.9823495329, 0.009766349779),
    ((1,) * 10, -6.351814227, 12.3370055, 0.885536949, 0.6827850783, 0.9810034476, 0.01884572702, 0.9944309811, 0.002321701409),
    ((2, 2), 0.1159315157, 0.8224670334, 0.01461552191, 0.2427069025, 0.3980927698, 0.4210244382, 0.8795307066, 0.1042185132),
    ((2, 2, 2), 0.1738972735, 1.23370055, 0.02582676546, 0.3672212554, 0.3960972352, 0.340677527, 0.7953504129, 0.105246872),
    ((3, 2, 4), 0.9807500929, 0.8061675836, 0.002313398646, 0.04456425084, 0.1348345376, 0.1999718893, 0.5144539834, 0.1552325765),
    ((3,) * 4, 1.459274309, 0.9348022005, 0.0008470232887, 0.01868729014, 0.07439471909, 0.1187986953, 0.3295067921, 0.1191228421),
]  # fmt: skip

# the 5, 50, 95 and 99 % points
QUANTILES = [
    ((1,), 0.06270677794, 0.6744897502, 1.959963985, 2.575829304),
    ((1, 1), 0.01472340718, 0.3651680118, 2.181948984, 3.604213202),
    ((1, 1, 1), 0.004258898502, 0.1949120003, 2.065214209, 4.162144706),
    ((1,) * 5, 0.0004648758594, 0.05503311782, 1.461993991, 4.13726804),
    ((1,) * 10, 3.493221418e-6, 0.002307520119, 0.3344816487, 1.833187306),
    ((2, 2), 0.2145830299, 1.257151391, 3.998522311, 5.767143124),
    ((2, 2, 2), 0.1611070565, 1.335951983, 5.922884368, 9.674478375),
]

# the corners of the declared domain; the last number keeps x inside the doubles
CORNERS = [
    ((1,), 1.0),
    ((2,), 1.0),
    ((10**6,), 1.0),
    ((1, 2), 1.0),
    ((1, 10**6), 1e-3),
    ((1, 1, 1), 1.0),
    ((3, 2, 4), 1.0),
    ((17, 500_000, 10**6), 1.0),
    ((1,) * 256, 1e150),
    ((10**6,) * 256, 1e-300),
    ((1,) * 255 + (10**6,), 1e150),
    ((1,) + (5,) * 100, 1.0),
    ((1,) + (10**6,) * 255, 1e-300),
    ((40,) * 30 + (41,), 1e-20),
]

LEVELS = [1e-250, 1e-100, 1e-30, 1e-5, 0.1, 0.4]


def name(degrees):
    return " ".join(f"{degree}^{count}" for degree, count in Counter(degrees).items())


def mellin_integral(degrees, scale, x, lower):
    """The tail and the density at x by trapezoidal sums on a vertical line through the saddle point."""
    groups = [(mp.mpf(nu) / 2, count) for nu, count in Counter(degrees).items()]
    factors = len(degrees)
    y = mp.log(mp.mpf(float(x)) / mp.mpf(scale)) - factors * mp.log(2) / 2
    constant = mp.fsum(count * mp.loggamma(a) for a, count in groups)

    def exponent(t):
        return mp.fsum(count * mp.loggamma(a + t / 2) for a, count in groups) - constant - t * y

    def slope(c):
        return mp.fsum(count * mp.psi(0, a + c / 2) for a, count in groups) / 2 - y - 3 / c

    low, high = (-min(degrees), mp.mpf(0)) if lower else (mp.mpf(0), mp.mpf(1))
    while not lower and slope(high) < 0:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
    c = (low + high) / 2
    bend = mp.fsum(count * mp.psi(1, a + c / 2) for a, count in groups) / 4
    step, peak = 1 / mp.sqrt(bend), exponent(c)

    def line(offset, step):
        sums, j = [mp.mpf(0), mp.mpf(0)], 0
        while True:
            t = mp.mpc(c, (j + offset) * step)
            value = mp.exp(exponent(t) - peak) / (2 if j == offset == 0 else 1)
            sums = [sums[0] + mp.re(value / t), sums[1] + mp.re(value)]
            if abs(value) < 1e-20:
                return mp.matrix(sums) * step
            j += 1

    coarse = line(0, step)
    while True:
        fine = (coarse + line(mp.mpf(1) / 2, step)) / 2
        step /= 2
        if max(abs(1 - coarse[i] / fine[i]) for i in (0, 1)) < 1e-7:
            size = mp.exp(peak) / mp.pi
            return abs(fine[0]) * size, fine[1] * size / mp.mpf(float(x))
        coarse = fine


@pytest.mark.parametrize("row", TABLE, ids=lambda row: name(row[0]))
def test_tabulated_values(row):
    degrees, log_mean, log_var, *values = row
    law = chi_product(degrees)
    x = [0.1, 1, 3]
    np.testing.assert_allclose(law.log_mean(), log_mean, rtol=5e-9)
    np.testing.assert_allclose(law.log_var(), log_var, rtol=5e-9)
    np.testing.assert_allclose(np.stack([law.cdf(x), law.pdf(x)], axis=1).ravel(), values, rtol=1e-9)


@pytest.mark.parametrize("row", QUANTILES, ids=lambda row: name(row[0]))
def test_tabulated_quantiles(row):
    law = chi_product(row[0])
    np.testing.assert_allclose(law.ppf([0.05, 0.5, 0.95, 0.99]), row[1:], rtol=1e-9)
    np.testing.assert_allclose(law.isf([0.95, 0.5, 0.05, 0.01]), row[1:], rtol=1e-9)


def test_tabulated_far_tails():
    np.testing.assert_allclose(chi_product((1,)).sf(8), 1.244192115e-15, rtol=1e-9)
    np.testing.assert_allclose(chi_product((2, 2)).sf(100), 4.679853736e-43, rtol=1e-9)
    np.testing.assert_allclose(chi_product((1,)).cdf(1e-50), 7.978845608e-51, rtol=1e-9)


def test_one_half_normal():
    law, x = chi_product((1,)), np.array([1e-300, 1e-9, 0.3, 1, 2, 5, 20, 37])
    np.testing.assert_allclose(law.cdf(x), sp.erf(x / np.sqrt(2)), rtol=RELATIVE)
    np.testing.assert_allclose(law.sf(x), sp.erfc(x / np.sqrt(2)), rtol=RELATIVE)
    np.testing.assert_allclose(law.logsf([100, 1e4, 1e8]), np.log(2) + sp.log_ndtr([-100, -1e4, -1e8]), rtol=1e-13)


@pytest.mark.parametrize("degree", [2, 3, 7, 30, 1000])
def test_one_chi_is_that_of_scipy(degree):
    law, chi = chi_product((degree,), scale=2.5), st.chi(degree, scale=2.5)
    x = chi.ppf(np.linspace(0.001, 0.999, 50))
    for function in ("cdf", "sf", "pdf", "logcdf", "logsf", "logpdf"):
        np.testing.assert_allclose(getattr(law, function)(x), getattr(chi, function)(x), rtol=RELATIVE, atol=1e-13)
    for function in ("mean", "var", "std", "median"):
        np.testing.assert_allclose(getattr(law, function)(), getattr(chi, function)(), rtol=1e-9)
    np.testing.assert_allclose(law.interval(0.9), chi.interval(0.9), rtol=RELATIVE)


def test_two_half_normals_are_bessel_and_struve():
    law, x = chi_product((1, 1)), np.array([1e-100, 1e-10, 0.01, 0.5, 2, 10, 50, 600])
    np.testing.assert_allclose(law.pdf(x), 2 / np.pi * sp.k0(x), rtol=RELATIVE)
    small = x[1:5]
    closed = small * (sp.k0(small) * sp.modstruve(-1, small) + sp.k1(small) * sp.modstruve(0, small))
    np.testing.assert_allclose(law.cdf(small), closed, rtol=RELATIVE)


def test_two_rayleighs_are_bessel():
    x = np.array([1e-3, 0.1, 1, 5, 100, 650])
    np.testing.assert_allclose(chi_product((2, 2)).sf(x), x * sp.k1(x), rtol=RELATIVE)
    np.testing.assert_allclose(chi_product((2, 2)).pdf(x), x * sp.k0(x), rtol=RELATIVE)


@pytest.mark.parametrize("degree", [1, 2, 5, 40])
def test_neighbours_are_gamma_by_duplication(degree):
    law, gamma = chi_product((degree, degree + 1)), st.gamma(degree)
    x = gamma.ppf([1e-200, 1e-50, 1e-5, 0.01, 0.5, 0.99])
    np.testing.assert_allclose(law.cdf(x), gamma.cdf(x), rtol=RELATIVE)
    x = gamma.isf([1e-250, 1e-50, 1e-5, 0.01, 0.5])
    np.testing.assert_allclose(law.sf(x), gamma.sf(x), rtol=RELATIVE)
    np.testing.assert_allclose(law.pdf(x), gamma.pdf(x), rtol=RELATIVE)


@pytest.mark.parametrize("degrees", [(1, 1, 1), (3, 2, 4), (2, 2), (1, 4, 4, 9)], ids=name)
@pytest.mark.parametrize("x", [1e-3, 0.7, 4.0])
def test_meijer_g(degrees, x):
    law, halves = chi_product(degrees), [mp.mpf(degree) / 2 for degree in degrees]
    with mp.workdps(25):
        z = mp.mpf(x) ** 2 / 2 ** len(degrees)
        constant = 1 / mp.fprod(mp.gamma(half) for half in halves)
        cdf = constant * mp.meijerg([[1], []], [halves, [0]], z)
        pdf = 2 * constant / mp.mpf(x) * mp.meijerg([[], []], [halves, []], z)
    np.testing.assert_allclose([law.cdf(x), law.pdf(x)], [float(cdf), float(pdf)], rtol=RELATIVE)


@pytest.mark.parametrize(("degrees", "scale"), CORNERS, ids=[name(degrees) for degrees, _ in CORNERS])
def test_mellin_integral_in_the_corners(degrees, scale):
    law = chi_product(degrees, scale)
    with mp.workdps(30):
        for lower, quantile, tail in ((True, law.ppf, law.cdf), (False, law.isf, law.sf)):
            for level in LEVELS:
                x = quantile(level)
                if lower and level < 1e-5 and Counter(degrees)[min(degrees)] < 10:
                    continue  # a vertical line is slow there: see test_lower_tail_is_a_power
                expected, density = mellin_integral(degrees, scale, x, lower)
                assert abs(tail(x) / expected - 1) < RELATIVE, (level, x)
                assert abs(law.pdf(x) / density - 1) < RELATIVE, (level, x)
                assert abs(tail(x) / level - 1) < RELATIVE, (level, x)


@pytest.mark.parametrize(
    "degrees", [(1,), (2,), (17, 500_000, 10**6), (1, 10**6), (3, 2, 4), (1, *(5,) * 100), (1, *(10**6,) * 255)], ids=name
)
def test_lower_tail_is_a_power(degrees):
    # a simple pole at -nu: P(r <= x) = C x^nu / nu (1 + O(x^2)), C = residue of E r^t at t = -nu
    lowest, others = min(degrees), sorted(degrees)[1:]
    with mp.workdps(40):
        moment = mp.fsum(
            count * (mp.loggamma(mp.mpf(nu - lowest) / 2) - mp.loggamma(mp.mpf(nu) / 2)) for nu, count in Counter(others).items()
        )
        log_residue = moment + mp.log(2) - mp.loggamma(mp.mpf(lowest) / 2) - len(degrees) * lowest * mp.log(2) / 2
        scale = mp.mpf(float(chi_product(others, 1e-300 if len(degrees) > 50 else 1.0).median())) if others else mp.mpf(1)
        scale = 1e-300 if len(degrees) > 50 else 1.0
        typical = mp.exp((log_residue - lowest * mp.log(scale) - mp.log(lowest)) / -lowest)
        for level in (1e-12, 1e-30, 1e-80):
            x = float(typical * mp.mpf(level))
            if x < 1e-290:
                continue
            expected = log_residue - mp.log(lowest) + lowest * (mp.log(mp.mpf(x)) - mp.log(scale))
            law = chi_product(degrees, scale)
            assert abs(law.logcdf(x) - expected) < max(RELATIVE, 1e-12 * abs(expected)), level
