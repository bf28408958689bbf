"""Exact facts against enumeration and rational sums, laws against Gaussian entries, expansions against each other."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats

from theory.universality import (
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


def test_normal_entries_give_the_exact_laws():
    x = np.linspace(0.05, 5, 100)
    assert norm_law(8, "gaussian").cdf(x) == pytest.approx(stats.chi(8).cdf(x), abs=2e-5)
    for n, m in ((8, 8), (8, 10), (24, 24)):
        assert last_law(n, m, "gaussian").cdf(x) == pytest.approx(last_limit(n, m).cdf(x), abs=5e-5)
        assert last_expansion(n, m, "gaussian", x) == pytest.approx(last_limit(n, m).cdf(x))


@pytest.mark.parametrize("entries", ["gaussian", "uniform", "student"])
def test_moments_of_the_norm(entries):
    law = norm_law(8, entries)
    square = law.var() + law.mean() ** 2
    assert square == pytest.approx(8, rel=2e-3)


def test_the_norm_of_two_uniform_entries():
    """||a|| <= r < sqrt 3 is a quarter of a disc in a square."""
    r = np.linspace(0.1, 1.7, 9)
    assert norm_law(2, "uniform").cdf(r) == pytest.approx(math.pi * r**2 / 12, abs=1e-4)


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
        (lambda: last_law(5, 4, "uniform"), "m must be at least 5"),
        (lambda: singular_probability(6), "at most 16"),
        (lambda: squared_norm_cumulants("student"), "eight moments"),
        (lambda: smallest_law(2, "student"), "scale must be positive"),
    ],
)
def test_errors_say_what_must_hold(call, text):
    with pytest.raises(ValueError, match=text):
        call()
