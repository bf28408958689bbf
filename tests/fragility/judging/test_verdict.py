"""Verdicts say in which unit they would have seen something."""

import pytest

from fragility.judging.verdict import Verdict


@pytest.mark.parametrize(
    ("unit", "seen", "of_worlds"),
    [
        ("gap", "0.01", False),
        ("worlds", "1 % of worlds", True),
        ("draws", "1 % of draws", False),
        ("witness", "a witness", True),
        ("share", "1 % below half", False),
        ("printed", "0.01", False),
    ],
)
def test_the_resolution_knows_its_unit(unit, seen, of_worlds):
    verdict = Verdict(
        claim="test", point={}, method="m", outcome="agrees", gap=0.0, band=0.1, tolerance=0.1, resolution=0.01,
        unit=unit, wanted=0.01, samples=1, needed=1, alpha=0.0,
    )  # fmt: skip
    assert verdict.seen == seen
    assert verdict.of_worlds is of_worlds
