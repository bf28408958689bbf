"""Tails of Lemma 2, unions over pairs and the separation of classes, against mpmath, brute force and each other."""

import itertools
import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from theory.points.separation import (
    closest_pair_probability_floor,
    distance_law,
    largest_share,
    largest_sign_share,
    log_chernoff_bound,
    log_layered_chernoff_bound,
    log_norm_probability,
    log_pairs,
    log_product_union_bound,
    log_series_bound,
    log_sign_bound,
    log_sign_pairs,
    log_union_bound,
    normalising_scale,
)

TAILS = [  # d, share, Chernoff, exact
    (4, 0.5, 0.2801055669, 0.09020401043),
    (12, 0.3, 0.0001249404103, 2.172757329e-5),
    (12, 0.5, 0.0219768387, 0.004455980775),
    (12, 0.8, 0.5958760426, 0.1903891768),
    (50, 0.5, 1.23458715e-7, 1.287922655e-8),
    (100, 0.5, 1.524205432e-14, 1.135006957e-15),
    (100, 0.8, 0.01337517193, 0.001934168749),
    (1000, 0.8, 1.832287988e-19, 8.992438351e-21),
]
LARGEST = [  # d, then the largest share at 0.01: pairs of d points, 4^(d-1), 3^(d-1) (Chernoff, exact), strata, one
    (
        6,
        0.1822713738,
        0.2348145513,
        0.08902743277,
        0.1143426994,
        0.1134258576,
        0.1457644695,
        0.2730783257,
        0.3812458372,
    ),
    (12, 0.3053546651, 0.3585006129, 0.1167501954, 0.1361211811, 0.1527177096, 0.178200095, 0.4540084615, 0.5454790685),
    (50, 0.5618834619, 0.5989424182, 0.1436531209, 0.1512155648, 0.1919897259, 0.202206367, 0.7706934123, 0.7708006577),
    (
        100,
        0.6625764231,
        0.6907713365,
        0.1484564757,
        0.1528548855,
        0.1991187851,
        0.2050910405,
        0.8370476677,
        0.837047758,
    ),
    (
        400,
        0.8077536795,
        0.8227539569,
        0.152168951,
        0.1535560105,
        0.2046534611,
        0.2065453402,
        0.9180894747,
        0.9180894747,
    ),
    (1000, 0.8699482415, 0.8795172746, 0.1529230372, 0.1535511314, 0.2057803222, 0.2066380989, None, None),
]
dimensions = st.integers(1, 3000)
shares = st.floats(1e-6, 0.999)


@pytest.mark.parametrize(("d", "share", "chernoff", "exact"), TAILS)
def test_oracles_of_lemma_2(d, share, chernoff, exact):
    assert math.exp(log_chernoff_bound(d, share)) == pytest.approx(chernoff, rel=1e-9)
    assert math.exp(log_norm_probability(d, share)) == pytest.approx(exact, rel=1e-9)


def test_tails_beyond_the_doubles():
    """1.041024935e-327 and 5.311827777e-326 are no normal doubles any more."""
    assert log_norm_probability(1000, 0.3) == pytest.approx(math.log(1.041024935) - 327 * math.log(10), rel=1e-12)
    assert log_chernoff_bound(1000, 0.3) == pytest.approx(math.log(5.311827777) - 326 * math.log(10), rel=1e-12)


@pytest.mark.parametrize(
    ("d", "share"), [(1, 1e-300), (3, 1e-200), (31, 1e-5), (2000, 0.2), (5 * 10**5, 0.947), (10**6, 0.95)]
)
def test_far_tails_against_mpmath(d, share):
    with mp.workdps(40):
        a = mp.mpf(d) / 2
        x = mp.mpf(share) ** 2 * a
        exact = a * mp.log(x) - x - mp.loggamma(a + 1) + mp.log(mp.hyp1f1(1, a + 1, x))
    assert log_norm_probability(d, share) == pytest.approx(float(exact), rel=1e-13)


@pytest.mark.parametrize("d", [1, 30, 10**6, 10**12])
@pytest.mark.parametrize("gap", [0.5, 1e-3, 1e-6, 1e-9])
def test_bounds_near_the_mean_against_mpmath(d, gap):
    """ln(share) + (1 - share^2) / 2 is about -gap^2, and is multiplied by d."""
    share = 1 - gap
    with mp.workdps(40):
        s, a = mp.mpf(share), mp.mpf(d) / 2
        chernoff = d * (mp.log(s) + (1 - s * s) / 2)
        series = a * mp.log(s * s * a) - s * s * a - mp.loggamma(a + 1) + mp.log((a + 1) / (a + 1 - s * s * a))
    assert log_chernoff_bound(d, share) == pytest.approx(float(chernoff), rel=1e-13)
    assert log_series_bound(d, share) == pytest.approx(float(series), rel=1e-12, abs=1e-12)


@given(dimensions, shares)
def test_both_bounds_are_above_the_probability(d, share):
    exact = log_norm_probability(d, share)
    slack = 1e-10 * (1 + abs(exact))
    assert exact <= log_chernoff_bound(d, share) + slack
    assert exact <= log_series_bound(d, share) + slack


@given(dimensions, st.lists(st.floats(1e-6, 3), min_size=2, max_size=5))
def test_the_probability_grows_with_the_share_and_is_that_of_chi(d, values):
    ordered = np.sort(values)
    found = log_norm_probability(d, ordered)
    assert np.all(np.diff(found) >= 0)
    np.testing.assert_allclose(np.exp(found), stats.chi2(d).cdf(ordered**2 * d), rtol=1e-9, atol=1e-300)


def test_the_chernoff_bound_is_loose_by_the_square_root_of_d():
    d, share = 10**6, 0.9
    expected = math.log(math.sqrt(math.pi * d) * (1 - share**2))
    assert log_chernoff_bound(d, share) - log_norm_probability(d, share) == pytest.approx(expected, rel=1e-4)


def test_the_series_bound_is_nearly_sharp_in_the_tail_and_void_past_the_mean():
    assert log_series_bound(50, 0.1) - log_norm_probability(50, 0.1) == pytest.approx(0, abs=2e-4)
    assert log_series_bound(4, 2.0) == math.inf


@pytest.mark.parametrize("row", LARGEST, ids=lambda row: str(row[0]))
def test_largest_shares(row):
    d, *expected = row
    counts = (log_pairs(d), log_sign_pairs(d), log_sign_pairs(d, distinct=True))
    found = [largest_share(d, count, 0.01, chernoff) for count in counts for chernoff in (True, False)]
    found += [largest_sign_share(d, 0.01), largest_share(d, 0.0, 0.01)]
    known = [pair for pair in zip(found, expected, strict=True) if pair[1] is not None]
    np.testing.assert_allclose(*zip(*known, strict=True), rtol=2e-9)


def test_limits_of_the_largest_shares_in_theorem_6():
    d = 10**6
    assert largest_share(d, log_sign_pairs(d), 0.01, chernoff=True) == pytest.approx(0.1534279359, abs=1e-5)
    assert largest_share(d, log_sign_pairs(d, True), 0.01, chernoff=True) == pytest.approx(0.2065353137, abs=1e-5)


@given(dimensions, st.floats(0, 500), st.floats(1e-12, 0.9), st.booleans())
def test_the_largest_share_inverts_the_union(d, log_count, delta, chernoff):
    share = largest_share(d, log_count, delta, chernoff)
    assert log_union_bound(d, log_count, share, chernoff) == pytest.approx(math.log(delta), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(
    ("d", "share", "expected"),
    [
        (6, 0.2, 0.001596597378),
        (6, 0.5, 0.3196152967),
        (12, 0.2, 7.581241039e-7),
        (12, 0.5, 0.02939288504),
        (50, 0.5, 1.287997182e-8),
        (50, 0.8, 0.0224334223),
    ],
)
def test_oracles_of_the_stratified_bound(d, share, expected):
    assert math.exp(log_sign_bound(d, share)) == pytest.approx(expected, rel=1e-9)


@given(st.integers(1, 7), st.floats(0.05, 2), st.floats(0.1, 6))
def test_the_strata_are_a_sum_over_all_differences(d, share, scale):
    spreads = [math.sqrt(1 + scale**2 * sum(map(abs, u))) for u in itertools.product((-1, 0, 1), repeat=d - 1)]
    direct = sum(math.exp(log_norm_probability(d, share / spread)) for spread in spreads)
    assert log_sign_bound(d, share, scale) == pytest.approx(math.log(direct), rel=1e-9, abs=1e-9)


def test_the_first_moment_median_of_theorem_6():
    """t_1/2 / sqrt(m): half of the draws have T* above it."""
    for m, expected in ((4, 0.513), (8, 0.578), (12, 0.648), (20, 0.770), (40, 0.953), (100, 0.996)):
        assert largest_sign_share(m, 0.5) == pytest.approx(expected, abs=5.1e-4)


def test_a_large_scale_leaves_the_last_column_alone():
    assert largest_sign_share(30, 0.01, scale=1e4) == pytest.approx(largest_share(30, 0.0, 0.01), rel=1e-9)


@given(st.integers(1, 40), st.integers(2, 60), shares)
def test_the_union_is_above_the_disjoint_pairs(d, points, share):
    floor = closest_pair_probability_floor(d, points, share)
    assert 0 <= floor <= math.exp(log_union_bound(d, log_pairs(points), share)) * (1 + 1e-12)


def test_the_closest_pair_of_draws_lies_between(error_rate):
    d, points, share, draws = 6, 5, 0.6, 4000
    data = np.random.default_rng(3).standard_normal((draws, points, d))
    distances = np.linalg.norm(data[:, :, None] - data[:, None], axis=-1)[:, *np.triu_indices(points, 1)]
    hits = np.mean(distances.min(axis=1) <= share * math.sqrt(2 * d))
    slack = math.sqrt(math.log(2 / error_rate) / (2 * draws))  # Hoeffding
    assert closest_pair_probability_floor(d, points, share) - slack < hits
    assert hits < math.exp(log_union_bound(d, log_pairs(points), share)) + slack


def test_generated_points():
    rows = (7, 5, 6)
    law = distance_law(rows, 0.5)
    assert law.moment(2) == pytest.approx(0.25 * 2 * 7 * 5 * 6)
    assert normalising_scale(rows) == pytest.approx(1 / math.sqrt(35))
    assert distance_law(rows, normalising_scale(rows)).moment(2) == pytest.approx(2 * 6)
    assert normalising_scale((4,)) == 1
    assert log_product_union_bound((9,), 5, 2.0) == pytest.approx(
        log_union_bound(9, log_pairs(5), math.sqrt(2 / 9)), rel=1e-9
    )
    assert log_product_union_bound((2,), 50, 100.0) == 0


def test_depth_at_16_dimensions():
    """ln(||x_i - x_j||^2 / 2d) has mean -4.083 and deviation 2.92 after 64 layers."""
    rows = (16,) * 64
    law = distance_law(rows, normalising_scale(rows))
    assert 2 * law.log_mean() - math.log(32) == pytest.approx(-4.083, abs=5e-4)
    assert 2 * math.sqrt(law.log_var()) == pytest.approx(2.92, abs=5e-3)


@given(st.integers(1, 60), st.integers(1, 5), st.floats(0.1, 0.99))
def test_the_bound_by_layers(d, layers, share):
    law = distance_law((d,) * layers, 1 / math.sqrt(2 * float(d) ** layers))
    assert law.logcdf(share**layers) <= log_layered_chernoff_bound(d, layers, share) + 1e-9


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: log_norm_probability(0, 0.5), "d must be at least 1, got 0"),
        (lambda: log_norm_probability(2.5, 0.5), "d must be an integer"),
        (lambda: log_chernoff_bound(3, 0.0), "share must be positive and finite, got 0"),
        (lambda: log_series_bound(3, [0.5, np.nan]), "share must be positive"),
        (lambda: log_pairs(1), "points must be at least 2, got 1"),
        (lambda: largest_share(5, 0.0, 1.0), "delta must be below the count 1, got 1"),
        (lambda: largest_share(5, 0.0, 0.0), "delta must be positive"),
        (lambda: largest_sign_share(5, 1.5), "delta must lie strictly between 0 and 1"),
        (lambda: log_sign_bound(5, 0.5, -1), "scale must be positive"),
        (lambda: closest_pair_probability_floor(5, 1, 0.5), "points must be at least 2"),
        (lambda: normalising_scale(()), "rows must hold 1 or more integers, got 0"),
        (lambda: log_layered_chernoff_bound(5, 0, 0.5), "layers must be at least 1"),
    ],
)
def test_bad_input(call, says):
    with pytest.raises(ValueError, match=says):
        call()
