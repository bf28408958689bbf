"""Speed of the chi-product law beside what one would otherwise run: `pytest benchmarks/bench_laws.py -s`.

The alternatives are timed on a few points, in seconds per point, and shown as a ratio to the law.
"""

from time import perf_counter

import mpmath as mp
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import chi

from theory.laws.chi_product import chi_product

DEGREES = (3, 2, 4)
POINTS = np.random.default_rng(1).uniform(0.01, 20, 1_000_000)


def meijer_g(x):
    halves = [mp.mpf(degree) / 2 for degree in DEGREES]
    value = mp.meijerg([[1], []], [halves, [0]], mp.mpf(x) ** 2 / 8)
    return float(value / mp.fprod(map(mp.gamma, halves)))


def nested_quadrature(x):
    first, second, third = map(chi, DEGREES)

    def inner(a):
        return quad(lambda b: third.pdf(b) * first.cdf(x / (a * b)), 0, np.inf)[0]

    return quad(lambda a: second.pdf(a) * inner(a), 0, np.inf, epsabs=1e-8)[0]


def monte_carlo(x):
    """A million draws for each value: right to three digits."""
    return np.mean(chi_product(DEGREES).rvs(1_000_000, random_state=1) <= x)


def test_a_million_values(benchmark):
    law = chi_product(DEGREES)
    law.cdf(POINTS[:1000])  # makes the table
    benchmark.pedantic(law.cdf, (POINTS,), rounds=3)


def test_a_million_values_of_a_fresh_law(benchmark):
    benchmark.pedantic(lambda: chi_product(DEGREES).cdf(POINTS), rounds=3)


def test_a_hundred_values_of_each_of_a_thousand_laws(benchmark):
    def sweep():
        for degree in range(1, 1001):
            law = chi_product((degree, degree))
            law.cdf(np.exp(law.log_mean() + np.sqrt(law.log_var()) * np.linspace(-4, 4, 100)))

    benchmark.pedantic(sweep, rounds=1)


def test_one_value(benchmark):
    benchmark(chi_product(DEGREES).cdf, 3.0)


@pytest.mark.parametrize(
    ("other", "points", "digits"), [(meijer_g, 5, 9), (nested_quadrature, 1, 5), (monte_carlo, 2, 2)]
)
def test_ratio_to(other, points, digits):
    law, x = chi_product(DEGREES), np.linspace(0.5, 8, points)
    start = perf_counter()
    law.cdf(POINTS)
    ours = (perf_counter() - start) / POINTS.size
    start = perf_counter()
    values = [other(point) for point in x]
    theirs = (perf_counter() - start) / points
    np.testing.assert_allclose(law.cdf(x), values, atol=10.0**-digits)
    print(f"\n{other.__name__}: {theirs:.2g} s a point, chi_product {ours:.2g} s a point, ratio {theirs / ours:.2g}")
