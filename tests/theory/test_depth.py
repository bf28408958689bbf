"""Deep products: exponents, normal limit and the depth at which rounding takes over."""

import math

import numpy as np
import pytest
from scipy import stats

from theory.laws.chi_product import chi_product
from theory.products import depth


def distance(layers):
    law, limit = chi_product((1,) * layers), depth.normal_limit((1,) * layers)
    x = np.exp(law.log_mean() + np.linspace(-4, 4, 8001) * np.sqrt(law.log_var()))
    return np.max(np.abs(law.cdf(x) - limit.cdf(x)))


@pytest.mark.parametrize(
    ("n", "precision", "layers"),
    [(50, 2**-53, 14.2), (100, 2**-53, 12.5), (50, 2**-24, 6.4), (100, 2**-24, 5.7)],
)
def test_rounding_hides_the_last_entry_at_the_known_depth(n, precision, layers):
    assert depth.breakdown_depth(n, precision) == pytest.approx(layers, abs=0.05)


def test_exponents_of_square_factors():
    exponents = depth.lyapunov_exponents(50, (50, 50))
    assert exponents[-1] == pytest.approx(-0.6351814227, abs=1e-10)
    assert exponents[0] - exponents[-1] == pytest.approx(2.5811, abs=5e-5)
    assert np.all(np.diff(exponents) < 0)


def test_exponents_are_means_of_logarithms():
    rows = (7, 5, 9)
    for k, exponent in enumerate(depth.lyapunov_exponents(5, rows), 1):
        means = [stats.chi(height - k + 1).expect(np.log) for height in rows]
        assert exponent == pytest.approx(np.mean(means), abs=1e-7)


def test_half_normals():
    assert depth.skewness((1,)) == pytest.approx(-1.535141591, abs=1e-9)
    assert depth.normal_limit_error((1,)) == pytest.approx(1.0259, abs=5e-5)
    assert depth.normal_limit_error((1,)) / depth.EQUAL_FACTORS == pytest.approx(2.1606239867, abs=1e-9)


@pytest.mark.parametrize("nu", [10**3, 10**6, 10**9, 10**12])
def test_a_chi_of_many_degrees_is_normal_in_the_logarithm(nu):
    """E |Z|^3 = sqrt(8 / pi), with a correction of the order 1 / nu."""
    bound = depth.normal_limit_error((nu,)) / depth.EQUAL_FACTORS
    assert bound == pytest.approx(math.sqrt(8 / math.pi), rel=3 / nu + 1e-9)


@pytest.mark.parametrize(
    ("layers", "scaled"), [(1, 0.09635), (4, 0.10091), (16, 0.10181), (64, 0.10201), (256, 0.10206)]
)
def test_distance_from_the_normal_limit(layers, scaled):
    assert math.sqrt(layers) * distance(layers) == pytest.approx(scaled, abs=6e-6)


@pytest.mark.parametrize("layers", [4, 16, 64])
def test_one_edgeworth_term(layers):
    law, limit = chi_product((1,) * layers), depth.normal_limit((1,) * layers)
    x = np.exp(np.linspace(math.log(limit.ppf(1e-4)), math.log(limit.isf(1e-4)), 1000))
    assert np.max(np.abs(law.cdf(x) - depth.edgeworth_cdf(x, (1,) * layers))) <= 0.052 / layers


def test_mixed_factors_keep_the_bound():
    factors = (1, 2, 5, 1, 9)
    law, limit = chi_product(factors), depth.normal_limit(factors)
    x = np.exp(np.linspace(-6, 6, 2000))
    assert np.max(np.abs(law.cdf(x) - limit.cdf(x))) <= depth.normal_limit_error(factors)
    assert math.log(limit.median()) == pytest.approx(law.log_mean(), abs=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: depth.breakdown_depth(1),
        lambda: depth.breakdown_depth(4, 2.0),
        lambda: depth.normal_limit(()),
        lambda: depth.skewness((1, 0)),
        lambda: depth.normal_limit_error((1.5,)),
        lambda: depth.lyapunov_exponents(3, ()),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="must"):
        call()
