"""Exact facts against enumeration and rational sums, laws against Gaussian entries, expansions against each other."""

import math
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import betainc

from theory.conditioning.gaussian_spectrum import smallest_singular_law
from theory.conditioning.universality import (
    KURTOSIS,
    determinant_fourth,
    kurtosis,
    last_expansion,
    last_law,
    last_limit,
    mean_rank,
    norm_law,
    singular_probability,
    smallest_law,
    squared_norm_cumulants,
)

MARGINS = {
    "gaussian": (stats.norm.pdf, np.inf),
    "uniform": (stats.uniform(-(3**0.5), 2 * 3**0.5).pdf, 3**0.5),
    "student": (stats.t(5, scale=0.6**0.5).pdf, np.inf),
}


def signs(m, n):
    return np.array(list(product((-1.0, 1.0), repeat=m * n))).reshape(-1, m, n)


@pytest.mark.parametrize("entries", MARGINS)
def test_the_fourth_cumulant_is_that_of_the_density(entries):
    density, end = MARGINS[entries]
    moments = [2 * integrate.quad(lambda x, p=p: x**p * density(x), 0, end)[0] for p in (2, 4)]
    assert moments[0] == pytest.approx(1, rel=1e-7)
    assert moments[1] - 3 == pytest.approx(kurtosis(entries), abs=1e-5)


def test_the_determinant_of_signs_by_enumeration():
    for n in (1, 2, 3):
        determinants = np.linalg.det(signs(n, n))
        assert np.mean(determinants**2) == pytest.approx(math.factorial(n))
        assert np.mean(determinants**4) / math.factorial(n) ** 2 == pytest.approx(determinant_fourth(n, "signs"))
        assert np.mean(np.abs(determinants) < 0.5) == pytest.approx(singular_probability(n))


def test_the_fourth_moment_of_a_determinant():
    """2 x 2: E (ad - bc)^4 = 2 m^2 + 6 with m = E x^4; normal entries: (n+1)(n+2)/2."""
    for entries in KURTOSIS:
        fourth = kurtosis(entries) + 3
        assert determinant_fourth(2, entries) == pytest.approx((2 * fourth**2 + 6) / 4)
    assert determinant_fourth(7, "gaussian") == pytest.approx(36)


def test_oracles_of_sign_matrices():
    assert [singular_probability(n) for n in (1, 2, 3, 4, 5)] == [0, 1 / 2, 5 / 8, 169 / 256, 42976 / 65536]
    for m, n in ((3, 2), (2, 3), (4, 3)):
        assert mean_rank(m, n) == pytest.approx(np.mean(np.linalg.matrix_rank(signs(m, n))))


PROBABILITIES = np.concatenate([[1e-7, 1e-4], np.linspace(0.001, 0.999, 999), [1 - 1e-4, 1 - 1e-7]])
ROWS = [2, 3, 10, 15, 16, 17, 100, 1000, 10**4, 10**6]


def near(law, exact):
    x = exact.ppf(PROBABILITIES)
    return np.max(np.abs(law.cdf(x) - exact.cdf(x)))


@pytest.mark.parametrize("m", ROWS)
def test_normal_entries_give_the_exact_laws(m):
    assert near(norm_law(m, "gaussian"), stats.chi(m)) < 1e-6
    for n in {2, max(m // 2, 2), max(m - 2, 2), m}:
        assert near(last_law(n, m, "gaussian"), last_limit(n, m)) < 1e-6
        x = np.linspace(0.05, 5, 100)
        assert last_expansion(n, m, "gaussian", x) == pytest.approx(last_limit(n, m).cdf(x))


@pytest.mark.parametrize("m", ROWS)
@pytest.mark.parametrize("entries", ["gaussian", "uniform", "student"])
def test_moments_of_the_norm(m, entries):
    """E ||a||^2 = m; what lies beyond the table has a share of it for t(5) only."""
    law = norm_law(m, entries)
    assert (law.var() + law.mean() ** 2) / m == pytest.approx(1, rel=2e-4 if entries == "student" else 1e-7)


def test_the_norm_of_two_entries():
    """||a|| <= r is a disc in a square for uniform entries; for t(5) by the law of one of them."""
    r = np.linspace(0, 1.7, 18)
    assert norm_law(2, "uniform").cdf(r) == pytest.approx(math.pi * r**2 / 12, abs=1e-6)
    r = np.linspace(1.75, 2.45, 15)  # the disc less four segments
    half = np.arccos(math.sqrt(3) / r)
    disc = math.pi * r**2 - 4 * r**2 * (half - np.sin(2 * half) / 2)
    assert norm_law(2, "uniform").cdf(r) == pytest.approx(np.where(r < math.sqrt(6), disc / 12, 1), abs=1e-6)
    one = stats.t(5, scale=0.6**0.5)
    for r in (0.003, 0.2, 1.0, 3.0, 12.0):
        inside = integrate.quad(
            lambda a, r=r: 2 * one.pdf(r * math.sin(a)) * r * math.cos(a) * (2 * one.cdf(r * math.cos(a)) - 1),
            0,
            math.pi / 2,
            points=(0.05, 0.3),
            epsabs=1e-11,
        )[0]
        assert norm_law(2, "student").cdf(r) == pytest.approx(inside, abs=1e-6)


@pytest.mark.parametrize(("m", "reach"), [(3, 12), (10, 40), (20, 70), (100, 320)])
def test_the_norm_of_uniform_entries_on_a_lattice(m, reach):
    """Squares on a fine lattice, split over two points so that their mean stays, summed by Fourier transform."""
    cells = 1 << 19
    edges = reach / cells * np.arange(cells + 1)
    root = np.minimum(np.sqrt(edges / 3), 1)
    mass, first = np.diff(root), np.diff(root**3)
    right = (first - mass * edges[:-1]) / edges[1]
    single = mass - right
    single[1:] += right[:-1]
    total = np.cumsum(np.fft.irfft(np.fft.rfft(single) ** m, cells))
    gap = norm_law(m, "uniform").cdf(np.sqrt(edges[:-1] + edges[1] / 2)) - total
    assert np.max(np.abs(gap[cells // 100 :])) < 1e-6


@pytest.mark.parametrize("m", [100, 1000, 10**4, 10**6])
@pytest.mark.parametrize(("entries", "variance"), [("uniform", 0.8), ("student", 8.0)])
def test_the_norm_of_many_entries_by_mpmath(m, entries, variance):
    """Gil-Pelaez's integral of hypergeometric functions, in an adaptive quadrature."""
    spread = math.sqrt(m * variance)

    def characteristic(t):
        if entries == "uniform":
            return mp.hyp1f1(0.5, 1.5, 3j * t)
        return mp.gamma(3) / mp.gamma(2.5) * mp.hyperu(0.5, -1.5, -3j * t)

    with mp.workdps(18):
        s = m - spread / 2
        integral = mp.quad(
            lambda t: mp.im(mp.exp(m * mp.log(characteristic(t)) - 1j * t * s)) / t,
            [x / spread for x in (0, 0.05, 0.5, 2, 4, 10)],
            maxdegree=4,
        )
    assert norm_law(m, entries).cdf(math.sqrt(s)) == pytest.approx(float(0.5 - integral / mp.pi), abs=1e-6)


@pytest.mark.parametrize(
    ("n", "m"), [(2, 3), (3, 10), (10, 10), (16, 17), (2, 100), (50, 100), (100, 100), (2, 10**6), (10**6, 10**6)]
)
@pytest.mark.parametrize("entries", ["uniform", "student"])
def test_the_last_entry_is_norm_times_share(n, m, entries):
    """Either variable in many equally likely places, whichever spreads less."""
    k, places = m - n + 1, (np.arange(10**5) + 0.5) / 10**5
    law, norm = last_law(n, m, entries), norm_law(m, entries)
    x = law.ppf([0.02, 0.4, 0.95])
    if k < m - k:
        exact = [betainc(k / 2, (m - k) / 2, np.minimum((r / norm.ppf(places)) ** 2, 1)).mean() for r in x]
    else:
        share = 1 - stats.beta((m - k) / 2, k / 2).ppf(places)
        exact = [norm.cdf(r / np.sqrt(share)).mean() for r in x]
    assert law.cdf(x) == pytest.approx(exact, abs=2e-6)


@pytest.mark.parametrize(("n", "m"), [(2, 2), (2, 1000), (3, 10**6), (5, 8), (100, 100), (10**6, 10**6)])
def test_signs_have_the_law_of_the_share(n, m):
    k, law = m - n + 1, last_law(n, m, "signs")
    x = math.sqrt(m) * np.sqrt(1 - stats.beta((m - k) / 2, k / 2).ppf(PROBABILITIES))
    exact = betainc(k / 2, (m - k) / 2, np.minimum(x**2 / m, 1))
    assert np.max(np.abs(law.cdf(x) - exact)) < 1e-6 + 1e-7 * math.sqrt(m) * (n == 2)


@pytest.mark.parametrize("n", [1, 2, 8, 1000, 10**6])
@pytest.mark.parametrize("entries", ["gaussian", "uniform"])
def test_the_least_singular_value_is_the_normal_one_scaled(n, entries):
    exact = smallest_singular_law(n, math.sqrt(n) * (1 - kurtosis(entries) / (2 * n)))
    assert near(smallest_law(n, entries), exact) < 1e-6


@pytest.mark.parametrize(("n", "m"), [(40, 40), (40, 42)])
@pytest.mark.parametrize("entries", ["signs", "uniform"])
def test_the_expansion_agrees_to_the_next_order(n, m, entries):
    x = np.linspace(0.05, 4, 80)
    law, limit = last_law(n, m, entries).cdf(x), last_limit(n, m).cdf(x)
    assert np.max(np.abs(law - last_expansion(n, m, entries, x))) < 0.1 * np.max(np.abs(law - limit))


def test_cumulants_of_squares():
    assert squared_norm_cumulants("gaussian") == (2, 48)
    assert squared_norm_cumulants("signs") == (0, 0)
    u = np.random.default_rng(1).permutation((np.arange(10**5) + 0.5) / 10**5)
    second, fourth = squared_norm_cumulants("uniform")
    assert second == pytest.approx(np.var(3 * u**2), rel=1e-6)
    centred = 3 * u**2 - np.mean(3 * u**2)
    assert fourth == pytest.approx(np.mean(centred**4) - 3 * np.var(3 * u**2) ** 2, rel=1e-6)


def test_the_least_singular_value_moves_against_the_kurtosis():
    medians = {entries: float(smallest_law(20, entries).median()) for entries in KURTOSIS}
    for entries, median in medians.items():
        assert median == pytest.approx(medians["gaussian"] * (1 - kurtosis(entries) / 40), rel=1e-5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: kurtosis("cauchy"), "entries must be one of"),
        (lambda: norm_law(4, "signs"), "no density"),
        (lambda: norm_law(4, "cauchy"), "entries must be one of"),
        (lambda: norm_law(1, "uniform"), "m must be at least 2, got 1"),
        (lambda: norm_law(10**6 + 1, "uniform"), "m must be at most 1000000, got 1000001"),
        (lambda: last_law(2, 10**6 + 1, "signs"), "m must be at most 1000000, got 1000001"),
        (lambda: last_law(5, 4, "uniform"), "m must be at least 5"),
        (lambda: singular_probability(6), "at most 16"),
        (lambda: squared_norm_cumulants("student"), "eight moments"),
        (lambda: smallest_law(2, "student"), "scale must be positive"),
    ],
)
def test_errors_say_what_must_hold(call, text):
    with pytest.raises(ValueError, match=text):
        call()
