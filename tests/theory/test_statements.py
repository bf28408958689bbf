"""Bounds and identities hold in every random world drawn for them, and their decoys fail in some."""

import numpy as np
import pytest

from simulate.worlds import WORLDS
from theory.claim import excess
from theory.claims import CLAIMS

TWO_SIDED = [claim for claim in CLAIMS if claim.of_worlds and claim.holds]
DRAWS = 40


def worst(claim, theory):
    rng = np.random.default_rng(1)
    return max(excess(claim.kind, theory(**WORLDS[claim.id](rng))) for _ in range(DRAWS))


@pytest.mark.parametrize("claim", TWO_SIDED, ids=lambda claim: claim.id)
class TestStatement:
    def test_it_holds_in_every_world(self, claim):
        assert worst(claim, claim.theory) <= claim.tolerance

    def test_each_decoy_fails_in_some_world(self, claim):
        assert claim.decoys
        for decoy in claim.decoys:
            assert worst(claim, decoy.theory) > 10 * claim.tolerance, decoy.says


def test_every_world_belongs_to_a_statement():
    assert set(WORLDS) == {claim.id for claim in TWO_SIDED}
