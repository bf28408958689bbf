"""The law of the fraction among selected runs against quadrature, draws and its own other methods."""

import mpmath
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi, halfnorm, kstest

from theory.fraction import fraction_law
from theory.laws import Law
from theory.reported import FEATURE, find
from theory.selection import mean_error, mean_fraction, selected, selected_by_last, share_of_mean

WAYS = ["fraction", "last"]
SHARES = [1.0, 0.7, 0.1, 1e-2]
PRINTED = find(FEATURE, "Table 2", "mean fraction").value


def density(x, n):
    """Of F, from its Beta law, in mpmath."""
    return 2 * (1 - mpmath.mpf(x) ** 2) ** (mpmath.mpf(n - 3) / 2) / mpmath.beta(0.5, mpmath.mpf(n - 1) / 2)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kept", SHARES)
@pytest.mark.parametrize("n", [2, 3, 12, 100])
def test_methods_agree(way, kept, n):
    law = selected(n, kept, way)
    assert isinstance(law, Law)
    q = np.array([1e-4, 0.1, 0.5, 0.9, 1 - 1e-4])
    x = law.ppf(q)
    assert np.all(np.diff(x) > 0)
    assert law.cdf(x) == pytest.approx(q, abs=1e-8)
    assert law.isf(law.sf(x)) == pytest.approx(x, rel=1e-9)
    assert law.cdf(x) + law.sf(x) == pytest.approx(np.ones(5), abs=1e-11)
    low, high = law.support()
    assert (law.cdf(low), law.sf(low), law.cdf(high), law.sf(high)) == pytest.approx((0, 1, 1, 0), abs=1e-12)
    assert (law.cdf(-1), law.cdf(2), law.pdf(-1), law.pdf(2)) == pytest.approx((0, 1, 0, 0))
    assert np.isnan([law.cdf(np.nan), law.pdf(np.nan), law.ppf(1.1), law.isf(-0.1)]).all()
    assert (law.ppf(0), law.ppf(1)) == pytest.approx((low, high))
    middle = law.median()
    step = 1e-3 * (law.ppf(0.6) - middle)
    assert law.pdf(middle) == pytest.approx((law.cdf(middle + step) - law.cdf(middle - step)) / (2 * step), rel=1e-4)


@pytest.mark.parametrize(("n", "kept"), [(3, 0.5), (12, 0.64), (12, 0.01), (60, 0.3)])
def test_by_fraction_is_the_law_of_the_fraction_cut_off(n, kept):
    law = selected(n, kept, "fraction")
    whole = fraction_law(n, (n,))
    assert law.cut == pytest.approx(whole.isf(kept))
    x = np.linspace(law.cut, 1, 7)
    assert law.sf(x) == pytest.approx(whole.sf(x) / kept, abs=1e-10)
    for power, found in ((1, law.mean()), (2, law.var() + law.mean() ** 2)):
        exact = mpmath.quad(lambda t, k=power: t**k * density(t, n), [law.cut, (law.cut + 1) / 2, 1]) / kept
        assert found == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize(("n", "kept"), [(3, 0.5), (12, 0.64), (12, 0.01), (30, 0.9)])
def test_by_last_against_a_double_integral(n, kept):
    """Over r = |r_nn| and s = the rest of ||a_n||, independent of r."""
    law = selected_by_last(n, kept)
    rest = chi(n - 1)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    r, s = law.cut + (12 - law.cut) * (nodes[:, None] + 1) / 2, 20 * (nodes + 1) / 2
    mass = weights[:, None] * weights * (12 - law.cut) / 2 * 10 * rest.pdf(s) * halfnorm.pdf(r) / kept
    assert law.mean() == pytest.approx(np.sum(mass * r / np.hypot(r, s)), rel=1e-8)
    assert law.var() + law.mean() ** 2 == pytest.approx(np.sum(mass * r**2 / (r**2 + s**2)), rel=1e-8)
    x = 0.4
    tail = quad(lambda r: rest.cdf(r * np.sqrt(1 / x**2 - 1)) * halfnorm.pdf(r), law.cut, 12)[0]
    assert law.sf(x) == pytest.approx(tail / kept, rel=1e-7)
    assert law.pdf(x) == pytest.approx(float(density(x, n)) * chi(n).sf(law.cut / x) / kept)


def test_nothing_selected():
    for way in WAYS:
        law, whole = selected(12, 1.0, way), fraction_law(12, (12,))
        assert law.mean() == pytest.approx(mean_fraction(12))
        assert law.cdf(0.3) == pytest.approx(whole.cdf(0.3))
        assert law.std() == pytest.approx(whole.std())
    assert mean_fraction(12) == pytest.approx(0.2351726720)
    assert mean_fraction(2) == pytest.approx(2 / np.pi)


@pytest.mark.parametrize("n", [2, 12, 40])
def test_selecting_by_fraction_raises_the_mean_most(n):
    for kept in (0.9, 0.5, 0.05):
        by_fraction, by_last = (selected(n, kept, way).mean() for way in WAYS)
        assert mean_fraction(n) < by_last < by_fraction < 1


@pytest.mark.parametrize("way", WAYS)
def test_share_of_a_mean(way):
    for kept in (0.9, 0.632, 1e-3):
        assert share_of_mean(12, selected(12, kept, way).mean(), way) == pytest.approx(kept)
    assert share_of_mean(12, mean_fraction(12), "fraction") == 1.0
    with pytest.raises(ValueError, match="mean must lie from"):
        share_of_mean(12, 0.2, way)


def test_the_printed_mean():
    """Far off by chance, and what two thirds of the runs give."""
    error = mean_error(12, 1.0, 18, "last")
    assert error == pytest.approx(np.sqrt(1 / 12 - mean_fraction(12) ** 2) / np.sqrt(18))
    assert 2 < (PRINTED - mean_fraction(12)) / error < 3
    assert 0.6 < share_of_mean(12, PRINTED, "last") < share_of_mean(12, PRINTED, "fraction") < 0.7


def test_draws_of_a_gaussian_matrix_that_were_kept(alpha):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((20_000, 6, 6))
    last = np.abs(np.linalg.qr(data)[1][:, -1, -1])
    fraction = last / np.linalg.norm(data[:, :, -1], axis=1)
    law = selected_by_last(6, 0.4)
    assert kstest(fraction[last > law.cut], law.cdf).pvalue > alpha
    assert kstest(fraction[fraction > selected(6, 0.4, "fraction").cut], law.cdf).pvalue < 1e-9


@pytest.mark.parametrize("way", WAYS)
def test_draws_of_the_law_itself(way):
    law = selected(5, 0.3, way)
    draws = law.rvs(20_000, random_state=1)
    assert draws.mean() == pytest.approx(law.mean(), abs=5 * law.std() / 20_000**0.5)
    assert (draws > law.median()).mean() == pytest.approx(0.5, abs=5 * 0.5 / 20_000**0.5)
    assert np.array_equal(draws, law.rvs(20_000, random_state=1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1, 0.5, "last"), "n must be"), ((12, 0, "last"), "kept must be"), ((12, 1.1, "fraction"), "kept must be")],
)
def test_outside_its_domain(arguments, message):
    with pytest.raises(ValueError, match=message):
        selected(*arguments)
    with pytest.raises(ValueError, match="by must be"):
        selected(12, 0.5, "luck")
