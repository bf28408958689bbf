"""Whole numbers against laws of whole numbers: what the cdf says between them, or after a shift, decides nothing."""

import numpy as np
import pytest
from scipy.stats import geom, hypergeom, norm, poisson

from fragility import check


@pytest.mark.parametrize(
    ("draw", "law", "decoy"),
    [
        (lambda rng, size: rng.hypergeometric(12, 18, 6, size), hypergeom(30, 12, 6), hypergeom(30, 15, 6)),
        (lambda rng, size: rng.geometric(0.5, size) - 1, geom(0.5, loc=-1), geom(0.5)),
        (lambda rng, size: rng.poisson(3.0, size), poisson(3.0), poisson(3.6)),
    ],
)
def test_a_law_of_whole_numbers_is_asked_at_these_only(draw, law, decoy):
    verdict = check(draw, law, tolerance=0.1, decoys={"decoy": decoy})
    assert verdict.agrees
    assert verdict.rejected == ("decoy",)


def test_whole_numbers_do_not_have_a_law_without_atoms():
    verdict = check(lambda rng, size: np.round(rng.normal(0, 2, size)).astype(int), norm(0, 2), tolerance=0.05)
    assert verdict.outcome == "disagrees"
