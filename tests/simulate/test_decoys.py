"""The check of the checker: at the draws that a claim asks for it agrees, and each of its decoys disagrees."""

import pytest

from fragility.backends.numba_backend import BACKEND
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.room import studies
from fragility.engine.shard import find_study
from fragility.engine.store import Store
from fragility.judging.campaign import Campaign
from theory.claims import BOOK

STUDIES = [study for study in map(find_study, studies("simulate")) if study.table]
CASES = [
    pytest.param(study, claim, id=claim.id)
    for study in STUDIES
    for claim in BOOK.about(study.name)
    if claim.kind in ("law", "moment")
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Of a study, at the points of the table: drawn when first asked for."""
    drawn = {}

    def of(study):
        if study.name not in drawn:
            store = Store(tmp_path_factory.mktemp(study.name), lambda _: "code")
            campaign = Campaign(study, BACKEND, in_process(BACKEND, Context()), store, seed=1)
            drawn[study.name] = campaign.run(BOOK.about(study.name), study.table)
        return drawn[study.name]

    return of


@pytest.mark.parametrize(("study", "claim"), CASES)
class TestClaim:
    def test_it_agrees_at_the_draws_it_asks_for(self, study, claim, verdicts):
        found = [verdict for verdict in verdicts(study) if verdict.claim == claim.id]
        assert found
        for verdict in found:
            assert verdict.outcome == "agrees", verdict
            assert verdict.samples >= verdict.needed

    def test_each_decoy_is_rejected_by_the_same_draws(self, study, claim, verdicts):
        found = [verdict for verdict in verdicts(study) if verdict.claim == claim.id]
        for decoy in claim.decoys:
            seen = [verdict for verdict in found if decoy.says in verdict.visible]
            assert seen, f"{decoy.says}: no point shows it"
            assert all(decoy.says in verdict.rejected for verdict in seen), decoy.says
