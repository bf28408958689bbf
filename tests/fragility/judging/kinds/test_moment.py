"""Moments: judged by Catoni's estimate of the mean, and told apart by their means."""

from dataclasses import replace

import numpy as np
import pytest

from fragility.claim import Claim, Decoy
from fragility.engine.records import raw_table
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, needed, reject_decoys
from fragility.judging.kinds.moment import difference, estimate
from fragility.law import Moment

POINT = {"n": 1}
RATE = 0.05
SPREAD = np.sqrt(2)


def square(x):
    return x**2


CLAIM = Claim(
    id="test.square", source="a test", says="E x^2 = 1", kind="moment", theory=lambda **_: Moment(square, 1.0, SPREAD),
    statistic="x", study="none", tolerance=0.3,
    decoys=(
        Decoy("twice", lambda **_: Moment(square, 2.0, SPREAD)),
        Decoy("next door", lambda **_: Moment(square, 1.1, SPREAD)),
        Decoy("of another number", lambda **_: Moment(np.abs, 1.0, 1.0)),
    ),
)  # fmt: skip


def drawn(samples, scale=1.0):
    return Evidence([raw_table({"x": scale * np.random.default_rng(4).standard_normal(samples)})])


def test_a_moment_is_judged_by_its_mean():
    enough = needed(CLAIM, POINT, RATE)
    found = judge(CLAIM, POINT, "made up", drawn(enough), RATE)
    assert (found.outcome, found.unit, found.wanted) == ("agrees", "gap", CLAIM.tolerance)
    assert found.gap == abs(estimate(CLAIM.theory(), drawn(enough), "x", RATE) - 1.0)
    assert judge(CLAIM, POINT, "made up", drawn(enough, 1.5), RATE).outcome == "disagrees"
    assert judge(CLAIM, POINT, "made up", drawn(5), RATE).outcome == "blunt"


def test_decoys_that_are_large_enough_or_of_another_number_count():
    seen = drawn(needed(CLAIM, POINT, RATE))
    found = reject_decoys(CLAIM, judge(CLAIM, POINT, "made up", seen, RATE), seen)
    assert found.visible == ("twice", "of another number")
    assert "twice" in found.rejected


@pytest.mark.parametrize("per_draw", [square, lambda x: (x > 0).astype(float), lambda x: np.nan_to_num(x)])
def test_a_nan_is_no_verdict_whatever_is_made_of_it(per_draw):
    values = drawn(4000).values("x")
    values[7] = np.nan
    row = replace(CLAIM, theory=lambda **_: Moment(per_draw, 1.0, SPREAD))
    found = judge(row, POINT, "made up", Evidence([raw_table({"x": values})]), RATE)
    assert (found.outcome, found.fault) == ("faulty", "1 of 4,000 draws has no number for x")


@pytest.mark.parametrize(("mean", "sd"), [(np.nan, 1.0), (np.inf, 1.0), (0.0, 0.0), (0.0, np.inf), (0.0, np.nan)])
def test_a_moment_without_a_band_is_none(mean, sd):
    with pytest.raises(ValueError, match="a finite mean and a positive, finite spread"):
        Moment(square, mean, sd)


def test_moments_of_the_same_number_differ_by_their_means():
    assert difference(Moment(square, 1.0, 1.4), Moment(square, 1.25, 1.4)) == 0.25
    assert difference(Moment(square, 1.0, 1.4), Moment(np.abs, 1.0, 1.4)) == np.inf


@pytest.mark.parametrize("laws", [None, "uniform"])
def test_it_may_speak_of_probability_integral_transforms(laws):
    from scipy.stats import norm

    moment = Moment(lambda u: u[:, 0], 0.5, 0.3, laws and (norm(),))
    values = np.random.default_rng(5).standard_normal((4000, 1))
    mean = estimate(moment, Evidence([raw_table({"x": values})]), "x", RATE)
    assert mean == pytest.approx(0.5 if laws else 0.0, abs=0.05)
