"""What is built on differences of ln Gamma, against mpmath at 40 digits, to arguments of 10^12."""

import mpmath as mp
import numpy as np
import pytest

from theory.laws import gamma

ARGUMENTS = [0.5, 1.0, 3.0, 15.5, 16.0, 17.0, 100.0, 5e5, 5e11]


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(40):
        yield


@pytest.mark.parametrize("a", ARGUMENTS)
def test_steps(a):
    exact = mp.mpf(a)
    half = mp.loggamma(exact + 0.5) - mp.loggamma(exact) - mp.log(exact) / 2
    assert gamma.log_half_step(a) == pytest.approx(float(half), rel=1e-12)
    assert gamma.log_less_digamma(a) == pytest.approx(float(mp.log(exact) - mp.psi(0, exact)), rel=1e-13)
    for step in (0.5, 3.0, 100.0, 5e5):
        rise = float(mp.psi(0, exact + step) - mp.psi(0, exact))
        assert gamma.digamma_step(np.float64(a), step) == pytest.approx(rise, rel=1e-13)


@pytest.mark.parametrize("y", [-700.0, -0.3, -0.151, -0.149, -1e-3, -1e-9, 0.0, 1e-9, 1e-3, 0.149, 0.151, 0.3, 30.0])
def test_excesses(y):
    assert gamma.exp_excess(y) == pytest.approx(float(mp.expm1(y) - mp.mpf(y)), rel=1e-13)
    if y > -1:
        assert gamma.log_excess(y) == pytest.approx(float(mp.mpf(y) - mp.log1p(mp.mpf(y))), rel=1e-13)


@pytest.mark.parametrize("a", ARGUMENTS)
def test_densities(a):
    for log_share in np.append([-30.0, -1.0, -0.2, 0.2, 1.0, 3.0], np.array([-5, -1, 0, 1, 5]) / np.sqrt(a)):
        x = mp.mpf(a) * mp.exp(mp.mpf(log_share))
        exact = float(mp.mpf(a) * mp.log(x) - x - mp.loggamma(mp.mpf(a)))
        found = gamma.log_gamma_density(a, np.float64(log_share))
        assert abs(found - exact) < 1e-13 * (1 + abs(exact))
    root = mp.sqrt(2 * mp.mpf(a))
    for offset in (-0.5, 1e-3, 1.0, 9.0):
        x = root + mp.mpf(offset)
        exact = float(
            (2 * mp.mpf(a) - 1) * mp.log(x) - x * x / 2 + (1 - mp.mpf(a)) * mp.log(2) - mp.loggamma(mp.mpf(a))
        )
        found = gamma.log_chi_density(2 * a, np.float64(float(x)), np.float64(offset))
        assert abs(found - exact) < 1e-12 * (1 + abs(exact))
