"""Relations hold in every random world drawn for them, and their decoys fail in some."""

import numpy as np
import pytest

from fragility.claim import excess
from theory.claims import BOOK

TRIED = [claim for claim in BOOK if claim.of_worlds and claim.holds]
DRAWS = 40


@pytest.mark.parametrize("claim", TRIED, ids=lambda claim: claim.id)
def test_it_holds_in_every_world_and_each_decoy_fails_in_some(claim):
    rng = np.random.default_rng(1)
    worlds = [claim.world(rng) for _ in range(DRAWS)]

    def worst(theory):
        return max(excess(claim.kind, theory(**world)) for world in worlds)

    assert worst(claim.theory) <= claim.tolerance
    assert claim.decoys
    for decoy in claim.decoys:
        assert worst(decoy.theory) > 10 * claim.tolerance, decoy.says


def test_worlds_are_drawn_for_relations_that_hold_and_for_nothing_else():
    assert [claim for claim in BOOK if claim.world] == TRIED
