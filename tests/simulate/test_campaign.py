"""Campaigns: prefixes, workers, kills and resumption change no number; looks and budgets are kept."""

import math
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulate.backends.numpy_backend import BACKEND
from simulate.campaign import Campaign
from simulate.engine.executor import in_process, on_cluster
from simulate.engine.shard import find_study
from simulate.engine.store import DamagedRecordError, Store, world
from simulate.engine.study import UsageError
from theory.claims import CLAIMS as TABLE

STUDY = find_study("qr_product")
POINT = {"n": 4, "rows": (4, 4)}
CLAIMS = [claim for claim in TABLE if claim.study == "qr_product"]
FEW = [claim for claim in CLAIMS if claim.statistic in ("diagonal", "last", "stretch")]


class Small(type(BACKEND)):
    """The reference backend with small shards, so that a short run has many."""

    world_bytes = 1 << 16


def campaign(folder, **settings):
    backend = Small()
    fields = dict(executor=in_process(backend), store=Store(folder, "code"), samples=100)
    return Campaign(STUDY, backend, **{**fields, **settings})


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def run(folder, method="qr", points=(POINT,), claims=FEW, alpha=0.05, budget=math.inf, **settings):
    return campaign(folder, **settings).run(claims, list(points), method, alpha, budget)


def test_the_lemma_agrees_and_every_visible_decoy_is_rejected(tmp_path):
    campaign = Campaign(STUDY, BACKEND, in_process(BACKEND), Store(tmp_path, "code"))
    for verdict in campaign.run(CLAIMS, [POINT], "auto"):
        assert verdict.outcome == "agrees", verdict
        assert set(verdict.rejected) == set(verdict.visible), verdict


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_draws_of_a_longer_run_are_those_of_a_shorter_one(tmp_path_factory, few, more):
    folders = [tmp_path_factory.mktemp("run") for _ in range(2)]
    for folder, samples in zip(folders, sorted((few, few + more)), strict=True):
        run(folder, samples=samples)
    shorter, longer = map(files, folders)
    assert shorter.items() <= longer.items()


def test_a_second_run_draws_nothing_anew(tmp_path):
    run(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    run(tmp_path, samples=200)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(files(tmp_path)) > len(before)


def test_what_is_decided_stays_decided_without_a_new_draw(tmp_path):
    first = run(tmp_path, samples=None)
    before = files(tmp_path)
    assert run(tmp_path, samples=None) == first
    assert files(tmp_path) == before


def test_a_finer_tolerance_goes_on_from_the_same_draws(tmp_path):
    few = [claim for claim in FEW if claim.statistic == "stretch"]
    run(tmp_path, samples=None, claims=few)
    before = files(tmp_path)
    finer = [replace(claim, tolerance=claim.tolerance / 2) for claim in few]
    assert {verdict.outcome for verdict in run(tmp_path, samples=None, claims=finer)} == {"agrees"}
    assert before.items() < files(tmp_path).items()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_the_same_bytes(tmp_path, workers):
    backend = BACKEND
    alone, together = tmp_path / "alone", tmp_path / "together"
    point = {"n": 60, "rows": (60,)}
    with on_cluster(backend, workers, None) as cluster:
        for folder, executor in ((alone, in_process(backend)), (together, cluster)):
            Campaign(STUDY, backend, executor, Store(folder, "code"), samples=5000).run(FEW, [point], "lu")
    assert files(alone) == files(together)
    assert len(files(alone)) > 4


def test_a_damaged_record_stops_the_run_and_resume_draws_it_again(tmp_path):
    run(tmp_path)
    before = files(tmp_path)
    victim = sorted(tmp_path.rglob("*.parquet"))[1]
    victim.write_bytes(victim.read_bytes()[:100])
    with pytest.raises(DamagedRecordError, match=re.escape(str(victim)) + ".*add --resume"):
        run(tmp_path)
    notes = []
    run(tmp_path, resume=True, note=notes.append)
    assert files(tmp_path) == before
    assert len(notes) == 1
    assert victim.with_suffix(".damaged").exists()


def test_looks_spend_the_error_rate_once_for_the_same_draws(tmp_path):
    first = run(tmp_path)
    again = run(tmp_path)
    later = run(tmp_path, samples=300)
    assert [verdict.alpha for verdict in again] == [verdict.alpha for verdict in first]
    assert all(late.alpha == pytest.approx(early.alpha / 3) for late, early in zip(later, first, strict=True))


def test_all_error_rates_of_a_run_add_up_to_less_than_alpha(tmp_path):
    verdicts = run(tmp_path, points=[POINT, {"n": 2, "rows": (5,)}], alpha=0.05)
    assert sum(verdict.alpha for verdict in verdicts) <= 0.05 / 2  # the first look has half


def test_a_spent_budget_ends_with_honest_verdicts(tmp_path):
    point = {"n": 200, "rows": (200, 200)}
    verdicts = run(tmp_path, method="lu", points=[point], samples=None, budget=0.2)
    assert {verdict.outcome for verdict in verdicts} <= {"blunt", "agrees"}
    assert any(verdict.samples < verdict.needed for verdict in verdicts)


def test_methods_share_the_work(tmp_path):
    verdicts = run(tmp_path, method="auto")
    assert {verdict.claim: verdict.method for verdict in verdicts}["fc.lemma3.diagonal"] == "qr"
    assert {verdict.claim: verdict.method for verdict in verdicts}["fc.lemma3.last"] == "lu"
    assert len(world(tmp_path, "lu", POINT)) > 0


def test_a_method_that_cannot_be_used_says_why(tmp_path):
    with pytest.raises(UsageError, match="--method lu cannot be used at n=2 rows=3: the LU chain needs square"):
        run(tmp_path, method="lu", points=[{"n": 2, "rows": (3,)}])
    with pytest.raises(UsageError, match="use --method direct"):
        run(tmp_path, method="auto", points=[{"n": 1000, "rows": (1000,) * 200}])


def test_an_interruption_leaves_only_whole_shards(tmp_path):
    def interrupt(_what, done, _target):
        if done > 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=interrupt)
    kept = files(tmp_path)
    run(tmp_path)
    assert kept
    assert kept.items() <= files(tmp_path).items()
    assert not list(tmp_path.rglob("*.tmp"))


def test_evidence_does_not_depend_on_the_order_of_arrival(tmp_path):
    def backwards(shards):
        yield from reversed(list(in_process(Small())(shards)))

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert run(ours) == run(theirs, executor=backwards)
    assert files(ours) == files(theirs)
