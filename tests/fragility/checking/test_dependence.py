"""Draws that hang together are found, with how long they do, and those that do not are let pass."""

import numpy as np
import pytest

from fragility.checking.dependence import APART, autocorrelation_time, is_chain, spacing

LAWS = {
    "normal": lambda rng, size: rng.standard_normal(size),
    "cauchy": lambda rng, size: rng.standard_cauchy(size),
    "coins": lambda rng, size: rng.random(size) < 0.5,
    "rare": lambda rng, size: rng.random(size) < 0.002,
    "nearly always": lambda rng, size: rng.random(size) < 0.99,
    "geometric": lambda rng, size: rng.geometric(0.4, size),
    "atom and tail": lambda rng, size: np.where(rng.random(size) < 0.9, 0.0, rng.exponential(size=size)),
}
SIZES = [16, 100, 1000, 4096]


def chain(r, size, seed=0):
    """Of the first order, with normal draws and correlation r from one to the next."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(size) * np.sqrt(1 - r**2)
    steps[0] = rng.standard_normal()
    return lfilter([1.0], [1.0, -r], steps)


@pytest.mark.parametrize("law", LAWS)
def test_independent_draws_are_no_chain(law):
    rng = np.random.default_rng(0)
    for size in SIZES:
        assert not any(is_chain(LAWS[law](rng, size)) for _ in range(100))


def test_two_rare_ones_in_a_row_are_no_chain():
    values = np.zeros(1000, dtype=bool)
    values[500:502] = True
    assert not is_chain(values)


@pytest.mark.parametrize("r", [0.3, 0.5, 0.9, 0.98, -0.5, -0.9])
def test_a_chain_is_found_and_how_long_it_hangs_together(r):
    for seed in range(10):
        values = chain(r, 4096, seed)
        assert is_chain(values)
        time = (1 + r) / (1 - r)
        if r > 0:  # within four standard deviations (Sokal 1997) and the bias of ranks
            assert autocorrelation_time(values) == pytest.approx(time, rel=4 * np.sqrt(22 * time / 4096) + 0.1)
        else:
            assert autocorrelation_time(values) < 0.7


@pytest.mark.parametrize("r", [0.3, 0.5, 0.9, -0.3, -0.5, -0.9])
def test_of_the_draws_that_are_kept_each_tells_hardly_anything_of_the_next(r):
    for seed in range(10):
        values = chain(r, 4096, seed)
        apart = spacing(values)
        assert abs(r) ** apart < 0.03
        assert apart < 2.5 * APART * (1 + abs(r)) / (1 - abs(r))
        assert not is_chain(values[::apart])


def test_independent_draws_have_a_time_of_one():
    assert autocorrelation_time(chain(0.0, 4096)) == pytest.approx(1, abs=0.15)


def test_pairs_of_opposite_draws_are_a_chain():
    half = np.random.default_rng(0).standard_normal(500)
    values = np.stack([half, -half], axis=1).ravel()
    assert is_chain(values)
    assert not is_chain(values[:: spacing(values)])


@pytest.mark.parametrize("lag", [1, 2, 3, 8])
def test_draws_that_repeat_after_a_while_are_a_chain(lag):
    fresh = np.random.default_rng(1).standard_normal((400 // lag, lag))
    assert is_chain(np.concatenate([fresh, fresh], axis=1).ravel())


@pytest.mark.parametrize("values", [np.zeros(50), np.ones(1), np.full(8, True)])
def test_draws_that_are_all_the_same_are_no_chain(values):
    assert not is_chain(values)
    assert autocorrelation_time(values) == 1.0
    assert spacing(values) == 1
