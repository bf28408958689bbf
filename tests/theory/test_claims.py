"""Every row of the table resolves: its study, statistic, figure, theory and decoys exist and are what they say."""

import importlib
from collections.abc import Sequence

import pytest

from simulate.engine.shard import find_study
from theory.claim import Moment
from theory.claims import CLAIMS

POINTS = ({"n": 8, "rows": (8,)}, {"n": 8, "rows": (8, 8)}, {"n": 5, "rows": (9, 6)}, {"n": 1, "rows": (3, 2)})


def laws(theory):
    return theory if isinstance(theory, Sequence) else (theory,)


def test_ids_are_unique():
    ids = [claim.id for claim in CLAIMS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
class TestRow:
    def test_it_has_source_sentence_and_tolerance(self, claim):
        assert claim.source
        assert claim.says
        assert claim.tolerance > 0

    def test_its_statistic_is_measured_by_a_blind_method(self, claim):
        methods = find_study(claim.study).methods.values()
        for point in filter(lambda point: claim.where(**point), POINTS):
            offered = [
                method.statistics(**point) for method in methods if method.blind and not method.obstacle(**point)
            ]
            assert any(claim.statistic in names for names in offered), point

    def test_its_figure_draws(self, claim):
        assert callable(importlib.import_module(f"figures.{claim.figure}").draw)

    def test_its_theory_is_of_its_kind(self, claim):
        for point in filter(lambda point: claim.where(**point), POINTS):
            theory = claim.theory(**point)
            if claim.kind == "moment":
                assert isinstance(theory, Moment)
                assert theory.sd > 0
            else:
                assert all(0 < law.cdf(law.mean()) < 1 for law in laws(theory))

    def test_it_ships_decoys_that_differ_from_it(self, claim):
        assert claim.decoys
        for decoy in claim.decoys:
            points = [point for point in POINTS if claim.where(**point) and decoy.where(**point)]
            assert any(decoy.theory(**point) != claim.theory(**point) for point in points), decoy.says
