"""Relations hold in every random world drawn for them, and their decoys fail in some."""

import numpy as np
import pytest

from fragility.claim import excess
from theory.claims import BOOK

TRIED = [claim for claim in BOOK if claim.of_worlds and claim.holds]
DRAWS = 40


def worst(claim, theory):
    rng = np.random.default_rng(1)
    return max(excess(claim.kind, theory(**claim.world(rng))) for _ in range(DRAWS))


@pytest.mark.parametrize("claim", TRIED, ids=lambda claim: claim.id)
class TestStatement:
    def test_it_holds_in_every_world(self, claim):
        assert worst(claim, claim.theory) <= claim.tolerance

    def test_each_decoy_fails_in_some_world(self, claim):
        assert claim.decoys
        for decoy in claim.decoys:
            assert worst(claim, decoy.theory) > 10 * claim.tolerance, decoy.says


def test_worlds_are_drawn_for_relations_that_hold_and_for_nothing_else():
    assert [claim for claim in BOOK if claim.world] == TRIED
