"""Properties of the law of products of chi variables over its whole declared domain."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats as st
from hypothesis import given, settings
from hypothesis import strategies as some

from fragility.law import Law
from theory.laws.chi_product import chi_product, symmetrised

HUGE = 10**6


def spread(groups):
    return tuple(degree for degree, count in groups for _ in range(count))


any_degree = some.one_of(some.integers(1, 6), some.integers(1, 300), some.integers(1, HUGE))
any_degrees = some.lists(some.tuples(any_degree, some.sampled_from([1, 1, 2, 60])), min_size=1, max_size=4).map(spread)


def centred(degrees):
    """The law with these degrees and E ln r = 0, or as near as a scale can bring it."""
    return chi_product(degrees, float(np.exp(np.clip(-chi_product(degrees).log_mean(), -700, 700))))


@settings(max_examples=60)
@given(any_degrees, some.floats(-250, -0.31))
def test_quantiles_invert_both_tails(degrees, exponent):
    law, level = centred(degrees), 10**exponent
    for quantile, tail in ((law.ppf, law.cdf), (law.isf, law.sf)):
        x = quantile(level)
        assert not 1e-300 < x < 1e300 or tail(x) == pytest.approx(level, rel=1e-10)


@settings(max_examples=60)
@given(any_degrees, some.lists(some.floats(0, 1e300), max_size=9))
def test_cdf_is_monotone_and_complements_sf(degrees, points):
    law = centred(degrees)
    x = np.sort(np.concatenate([points, law.ppf(np.linspace(0.01, 0.99, 9))]))
    assert np.all(np.diff(law.cdf(x)) >= -1e-13)
    np.testing.assert_allclose(law.cdf(x) + law.sf(x), 1, rtol=0, atol=1e-15)


@settings(max_examples=30)
@given(any_degrees, some.floats(-0.45, 3))
def test_moment_is_the_integral(degrees, order):
    law = centred(degrees)
    # The power tilts the law: what it weighs most may lie far out in a tail.
    with np.errstate(divide="ignore"):
        low, high = np.clip(np.log([law.ppf(1e-250), law.isf(1e-250)]), -690, 690)
    if abs(law.log_mean()) < 1:  # the scale could centre it
        y = np.linspace(low, high, 4001)
        integral = np.trapezoid(np.exp(law.logpdf(np.exp(y)) + (order + 1) * y), y)
        assert integral == pytest.approx(law.moment(order), rel=1e-9)


@settings(max_examples=30)
@given(any_degrees, some.integers(-30, 30), some.randoms(use_true_random=False))
def test_scale_and_order_of_the_factors(degrees, twos, random):
    law, shuffled = centred(degrees), random.sample(degrees, len(degrees))
    other = chi_product(shuffled, law.scale * 2.0**twos)
    x = law.ppf([1e-30, 0.1, 0.5, 0.9])
    assert np.abs(other.logcdf(x * 2.0**twos) - law.logcdf(x))[x > 1e-290].max() < 1e-12
    assert pickle.loads(pickle.dumps(other)) == other


def test_a_law_is_a_value():
    law = chi_product([3, np.int64(2), 4])
    assert repr(law) == "chi_product((3, 2, 4))"
    assert repr(chi_product((1,), 0.5)) == "chi_product((1,), scale=0.5)"
    assert law == chi_product((3, 2, 4)) != chi_product((3, 2, 5))
    assert hash(law) == hash(chi_product((3, 2, 4)))
    law.cdf(np.linspace(0, 9, 2000))
    assert len(pickle.dumps(law)) < 200
    with pytest.raises(AttributeError):
        law.scale = 2.0
    assert all(isinstance(each, Law) for each in (law, symmetrised(law), st.beta(1, 5)))
    code = "import sys, theory.laws.chi_product; sys.exit('scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
