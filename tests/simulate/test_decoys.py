"""The check of the checker: at the draws that a claim asks for it agrees, and each of its decoys disagrees."""

import pytest

from simulate.backends.numba_backend import BACKEND
from simulate.campaign import Campaign
from simulate.engine.executor import in_process
from simulate.engine.shard import find_study
from simulate.engine.store import Store
from theory.claims import CLAIMS as TABLE

CLAIMS = [claim for claim in TABLE if claim.study == "qr_product"]
# One factor, two square factors, and unequal heights, where widths and heights can be mistaken for each other.
POINTS = [{"n": 8, "rows": (8,)}, {"n": 8, "rows": (8, 8)}, {"n": 4, "rows": (12, 9)}]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("records"), "code")
    campaign = Campaign(find_study("qr_product"), BACKEND, in_process(BACKEND), store, seed=1)
    return campaign.run(CLAIMS, POINTS, "auto")


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
class TestClaim:
    def test_it_agrees_at_the_draws_it_asks_for(self, claim, verdicts):
        found = [verdict for verdict in verdicts if verdict.claim == claim.id]
        assert found
        for verdict in found:
            assert verdict.outcome == "agrees", verdict
            assert verdict.samples >= verdict.needed

    def test_each_decoy_is_rejected_by_the_same_draws(self, claim, verdicts):
        found = [verdict for verdict in verdicts if verdict.claim == claim.id]
        for decoy in claim.decoys:
            seen = [verdict for verdict in found if decoy.says in verdict.visible]
            assert seen, f"{decoy.says}: no point shows it"
            assert all(decoy.says in verdict.rejected for verdict in seen), decoy.says
