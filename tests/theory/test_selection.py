"""The law of the fraction among selected runs against quadrature, draws and its own other methods."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import betainccinv, betaincinv, gammaln
from scipy.stats import chi, halfnorm

from fragility import check
from fragility.law import Law
from fragility.testing import assert_agrees
from theory.products.fraction import fraction_law
from theory.products.selection import mean_error, mean_fraction, selected, selected_by_last, share_of_mean
from theory.reported import FEATURE, find

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


EVERY_N = [2, 3, 12, 100, 10**4, 10**6]
EVERY_SHARE = [1e-12, 1e-3, 0.3, 0.9, 1 - 1e-9, 1.0]


def angle_of(n, kept):
    """The angle theta from 0 to the right one with P(F > cos(theta)) = kept, by Newton's method in mpmath."""
    b, half, share = mpmath.mpf(n - 1) / 2, mpmath.mpf(1) / 2, mpmath.mpf(kept)
    if kept == 1:
        return mpmath.pi / 2
    square = float(betaincinv((n - 1) / 2, 0.5, kept))
    theta = (
        mpmath.asin(mpmath.sqrt(square)) if square < 0.5 else mpmath.acos(np.sqrt(betainccinv(0.5, (n - 1) / 2, kept)))
    )
    for _ in range(3):
        tail = mpmath.re(mpmath.betainc(b, half, 0, mpmath.sin(theta) ** 2, regularized=True))
        theta -= (tail - share) * mpmath.beta(b, half) / (2 * mpmath.sin(theta) ** (n - 2))
    return theta


@pytest.mark.parametrize("kept", EVERY_SHARE)
@pytest.mark.parametrize("n", EVERY_N)
def test_by_fraction_over_the_whole_domain(n, kept):
    """Integrals over the angle theta, of density sin^(n-2) below that of the cut; 25 digits."""
    law = selected(n, kept, "fraction")
    with mpmath.workdps(25):
        theta = angle_of(n, kept)
        low = max(theta - 12 / mpmath.sqrt(n), mpmath.mpf(0))
        ends = [low + (theta - low) * j / 10 for j in range(11)]

        def integral(of):
            return mpmath.quad(lambda t: (mpmath.sin(t) / mpmath.sin(theta)) ** (n - 2) * of(t), ends)

        mass = integral(lambda t: 1)
        mean = integral(mpmath.cos) / mass
        var = integral(lambda t: (mpmath.cos(t) - mean) ** 2) / mass
        assert law.mean() == pytest.approx(float(mean), rel=1e-13)
        assert law.mean() <= 1
        assert law.var() == pytest.approx(float(var), rel=2e-12)
        assert law.std() == pytest.approx(float(mpmath.sqrt(var)), rel=1e-12)
        for share in (1e-3, 0.5, 0.97):
            x = float(law.isf(share))
            b, square = mpmath.mpf(n - 1) / 2, mpmath.mpf(x) ** 2
            above = mpmath.re(mpmath.betainc(b, mpmath.mpf(1) / 2, 0, 1 - square, regularized=True)) / mpmath.mpf(kept)
            assert law.sf(x) == pytest.approx(float(above), rel=1e-12)
            assert law.cdf(x) == pytest.approx(float(1 - above), abs=1e-13)
            if x < 1 - 1e-9:  # nearer to 1 a double does not tell F from 1
                assert above == pytest.approx(share, rel=1e-6)
                assert law.ppf(1 - share) == pytest.approx(x, rel=1e-12)
                assert law.pdf(x) == pytest.approx(float(density(x, n) / mpmath.mpf(kept)), rel=1e-12)


@pytest.mark.parametrize("kept", EVERY_SHARE)
@pytest.mark.parametrize("n", EVERY_N)
def test_by_last_over_the_whole_domain(n, kept):
    """Over rho = ||a_n|| of the exact means of F cut off at cut / rho, and over the rest of ||a_n||; 25 digits."""
    law = selected(n, kept, "last")
    with mpmath.workdps(25):
        share, b = mpmath.mpf(kept), mpmath.mpf(n - 1) / 2
        cut = mpmath.sqrt(2) * mpmath.erfinv(1 - share)
        assert law.cut == pytest.approx(float(cut), rel=1e-14)

        def chi_integral(degrees, of, low, scale):
            """Of a chi density with `degrees` times a function, from low on; panels shrink towards low."""
            mode = mpmath.sqrt(max(degrees - 1, 1))
            start, width = max(low, mode - 10, 0), max(mode, low) + 11
            ends = [start + (width - start) * j / 10 for j in range(11)]
            ends += [start + scale * mpmath.mpf(4) ** j for j in range(-2, 12)]
            log = (1 - mpmath.mpf(degrees) / 2) * mpmath.log(2) - mpmath.loggamma(mpmath.mpf(degrees) / 2)

            def weighted(s):
                return mpmath.exp(log + (degrees - 1) * mpmath.log(s) - s * s / 2) * of(s) if s else mpmath.mpf(0)

            return mpmath.quad(weighted, sorted({end for end in ends if end <= width}))

        # with v^2 = rho^2 - cut^2, rho = ||a_n||: E [F; F > cut / rho] = E F (v / rho)^(n-1), and this times the
        # density of rho is that of chi_n at v times e^(-cut^2 / 2) v / rho
        rise = chi_integral(n, lambda v: v / mpmath.sqrt(cut**2 + v * v), mpmath.mpf(0), cut / 16 + 1e-6)
        mean = mean_fraction(n) / share * mpmath.exp(-(cut**2) / 2) * rise
        assert law.mean() == pytest.approx(float(mean), rel=1e-12)
        for x in (float(law.isf(0.9)), float(law.isf(1e-6))):
            slope = mpmath.mpf(x) / mpmath.sqrt(1 - mpmath.mpf(x) ** 2)
            start, scale = cut / slope, 1 / (slope * (cut + 1))
            above = chi_integral(n - 1, lambda s, k=slope: mpmath.erfc(k * s / mpmath.sqrt(2)) / share, start, scale)
            above += mpmath.gammainc(b, 0, start**2 / 2, regularized=True)
            assert law.sf(x) == pytest.approx(float(above), rel=1e-11)
            assert law.cdf(x) == pytest.approx(float(1 - above), abs=1e-12)
            assert law.isf(law.sf(x)) == pytest.approx(x, rel=1e-11)
            sure = mpmath.gammainc(mpmath.mpf(n) / 2, (cut / mpmath.mpf(x)) ** 2 / 2, regularized=True) if cut else 1
            assert law.pdf(x) == pytest.approx(float(density(x, n) * sure / share), rel=1e-11)


@pytest.mark.parametrize(("n", "kept"), [(2, 1e-12), (2, 1 - 1e-6), (3, 0.01), (100, 1e-6), (10**4, 0.5)])
def test_the_variance_of_by_last(n, kept):
    """Over the angle phi, of density cos^(n-2) P(chi_n > cut / sin phi), about the mean; 20 digits."""
    law = selected(n, kept, "last")
    with mpmath.workdps(20):
        cut, half = mpmath.mpf(law.cut), mpmath.mpf(n) / 2
        start, end = cut / (mpmath.sqrt(n) + 12) + mpmath.mpf(10) ** -9, mpmath.pi / 2
        end = min(end, (cut + 14) / mpmath.sqrt(n)) if n > 200 else end
        ends = [start * (end / start) ** (mpmath.mpf(j) / 24) for j in range(25)]

        def integral(of):
            def weighted(phi):
                rise = mpmath.gammainc(half, (cut / mpmath.sin(phi)) ** 2 / 2, regularized=True)
                return mpmath.cos(phi) ** (n - 2) * rise * of(mpmath.sin(phi))

            return mpmath.quad(weighted, [0 * start, *ends] if n == 2 and kept > 0.5 else ends, maxdegree=5)

        mass = integral(lambda x: 1)
        mean = integral(lambda x: x) / mass
        var = integral(lambda x: (x - mean) ** 2) / mass
    assert law.var() == pytest.approx(float(var), rel=1e-9)


def test_tails_of_a_single_run():
    """Both tails relative to themselves where all are kept, as `fraction_law` has them."""
    for way in WAYS:
        law = selected(12, 1.0, way)
        for q in (1e-30, 1e-12, 1e-3):
            assert law.cdf(law.ppf(q)) == pytest.approx(q, rel=1e-10)
            assert law.ppf(q) == pytest.approx(q * np.sqrt(np.pi) / 2 * np.exp(gammaln(5.5) - gammaln(6)), rel=1e-3)


@given(st.integers(2, 10**6), st.floats(-12, 0))
def test_no_variance_is_negative_and_no_mean_above_1(n, log_kept):
    law = selected(n, 10.0**log_kept, "fraction")
    assert 0 <= law.var() < 1
    assert mean_fraction(n) * (1 - 1e-14) <= law.mean() <= 1
    assert 0 <= law.sf(law.mean()) <= 1


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
    for n in (2, 3):
        for kept in (0.9, 0.01):
            assert share_of_mean(n, selected(n, kept, way).mean(), way) == pytest.approx(kept, rel=1e-9)
    with pytest.raises(ValueError, match="mean must lie from"):
        share_of_mean(2, 1.0, way)
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


def test_draws_of_a_gaussian_matrix_that_were_kept():
    rng = np.random.default_rng(0)
    data = rng.standard_normal((20_000, 6, 6))
    last = np.abs(np.linalg.qr(data)[1][:, -1, -1])
    fraction = last / np.linalg.norm(data[:, :, -1], axis=1)
    law, other = selected_by_last(6, 0.4), selected(6, 0.4, "fraction")
    assert_agrees(fraction[last > law.cut], law, tolerance=0.05, decoys={"kept by the fraction": other})
    assert check(fraction[fraction > other.cut], law, tolerance=0.05, alpha=1e-9).outcome == "disagrees"


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
