"""A check ends as soon as it is decided or the time is up, and says beforehand if that takes long."""

import math
import time

import numpy as np
import pytest
from scipy import stats

from fragility import check
from fragility.checking.looks import FIRST
from fragility.checking.running import Watch


def uniform(rng, size):
    return rng.random(size)


def slow(rng, size):
    time.sleep(0.05)
    return rng.random(size)


@pytest.mark.parametrize("off", [0.3, 0.5])
def test_what_is_grossly_wrong_is_seen_at_once(off):
    verdict = check(uniform, stats.uniform(off, 1), tolerance=0.01)
    assert verdict.outcome == "disagrees"
    assert verdict.samples <= 16 * FIRST < check(uniform, stats.uniform, tolerance=0.05).samples


def test_what_is_right_agrees_before_all_draws_are_there():
    verdicts = [check(uniform, stats.uniform, tolerance=0.05, alpha=1e-6, seed=seed) for seed in range(3)]
    assert all(verdict.agrees for verdict in verdicts)
    needed = check([0.5], stats.uniform, tolerance=0.05, alpha=1e-6).needed
    assert min(verdict.samples for verdict in verdicts) == math.ceil(0.7 * needed)


def test_the_numbers_of_a_verdict_say_the_same_as_its_outcome():
    for seed in range(10):
        for law in (stats.uniform, stats.uniform(0.02, 1), stats.uniform(0.2, 1)):
            verdict = check(uniform, law, tolerance=0.06, seed=seed)
            assert (verdict.outcome == "disagrees") == (verdict.gap > verdict.band)
            assert verdict.outcome != "agrees" or verdict.resolution <= verdict.tolerance
            mean = check(uniform, mean=law.mean(), bounds=(0, 1), tolerance=0.06, seed=seed)
            assert (mean.outcome == "disagrees") == (mean.gap > mean.band)
            assert mean.outcome != "agrees" or mean.resolution <= mean.tolerance


@pytest.mark.parametrize(
    "asked",
    [{"against": stats.uniform}, {"mean": 0.5, "bounds": (0, 1)}, {"against": uniform}],
    ids=["law", "mean", "sampler"],
)
def test_a_budget_ends_it_and_what_is_missing_is_said(asked):
    verdict = check(slow, **asked, tolerance=0.01, budget=0.12)
    assert verdict.outcome == "blunt"
    assert verdict.samples < verdict.needed
    assert f"up to {verdict.needed:,} draws would decide" in str(verdict)
    assert verdict.resolution > 0.01


def test_a_budget_does_not_hide_what_is_wrong():
    assert check(slow, stats.uniform(0.7, 1), tolerance=0.01, budget=0.01).outcome == "disagrees"


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(("budget", "end"), [(math.inf, "budget= ends it earlier"), (300.0, "ended after 5 minutes")])
def test_what_takes_long_is_said_beforehand(clock, capsys, budget, end):
    with Watch("mine", 10**9, budget, "draws") as watch:
        clock[0] = 5.0  # until the first draws were there, which may load what they need
        watch.update(1000)
        assert capsys.readouterr().err == ""
        clock[0] = 7.0
        watch.update(4 * 10**6)
        assert not watch.over
    assert capsys.readouterr().err == f"mine: up to 1,000,000,000 draws, about 8.3 minutes; {end}\n"


@pytest.mark.parametrize(("most", "budget"), [(2 * 10**6, math.inf), (10**9, 30.0)])
def test_what_is_done_soon_needs_no_word(clock, capsys, most, budget):
    with Watch("mine", most, budget, "draws") as watch:
        watch.update(1000)
        clock[0] = 2.0
        watch.update(10**6)
        clock[0] = 31.0
        assert watch.over == (budget == 30.0)
    assert capsys.readouterr().err == ""


def test_ten_to_the_nine_draws_are_told_by_a_check(clock, capsys):
    """A call takes a second by the clock."""

    def late(rng, size):
        clock[0] += 1.0
        return rng.random(size)

    verdict = check(late, mean=0.5, sd=1.0, tolerance=1e-4, budget=70)
    assert verdict.outcome == "blunt"
    assert verdict.needed > 10**8
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith(f"late: mean 0.5: up to {verdict.needed:,} draws, about ")
    assert told.endswith("; ended after 1.2 minutes")


def test_a_fault_ends_it():
    def late(rng, size):
        return np.where(rng.random(size) < 0.01, np.nan, rng.random(size))

    verdict = check(late, stats.uniform, tolerance=0.05)
    assert verdict.outcome == "faulty"
    assert "every draw must be a number, got NaN in" in str(verdict)
    assert not verdict.agrees
    assert math.isnan(verdict.gap)
