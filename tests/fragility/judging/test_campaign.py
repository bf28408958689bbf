"""Campaigns: prefixes, workers, kills and resumption change no number; looks and budgets are kept."""

import itertools
import math
import re
from contextlib import closing, nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fragility.backends.numpy_backend import BACKEND
from fragility.claim import Claim, Decoy, Sides
from fragility.engine.context import Context
from fragility.engine.executor import AHEAD, in_process
from fragility.engine.looks import FILE
from fragility.engine.shard import Shard, find_study, record
from fragility.engine.store import DamagedRecordError, Store
from fragility.engine.study import UsageError
from fragility.engine.workers import on_workers
from fragility.judging.campaign import Campaign
from fragility.judging.evidence import Evidence
from theory.claims import BOOK as TABLE

STUDY = find_study("simulate.qr_product")
POINT = {"n": 4, "rows": (4, 4)}
BOOK = TABLE.about("simulate.qr_product")
FEW = [claim for claim in BOOK if claim.statistic in ("diagonal", "last", "stretch")]


class Small(type(BACKEND)):
    """The reference backend with small shards, so that a short run has many."""

    world_bytes = 1 << 16


def campaign(folder, **settings):
    backend = Small()
    fields = dict(executor=in_process(backend, Context()), store=Store(folder, lambda _: "code"), samples=100)
    return Campaign(STUDY, backend, **{**fields, **settings})


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def run(folder, method="qr", points=(POINT,), claims=FEW, alpha=0.05, budget=math.inf, **settings):
    return campaign(folder, **settings).run(claims, list(points), method, alpha, budget)


def test_the_lemma_agrees_and_every_visible_decoy_is_rejected(tmp_path):
    campaign = Campaign(STUDY, BACKEND, in_process(BACKEND, Context()), Store(tmp_path, lambda _: "code"))
    for verdict in campaign.run(BOOK, [POINT], "auto"):
        assert verdict.outcome == "agrees", verdict
        assert set(verdict.rejected) == set(verdict.visible), verdict


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


def test_a_run_killed_between_any_two_looks_comes_to_the_same_verdicts(tmp_path):
    (claim,) = [claim for claim in FEW if claim.statistic == "stretch"]
    few = [replace(claim, id=f"finer{k}", tolerance=claim.tolerance / k) for k in (2, 3)]  # that look together
    first = run(tmp_path, samples=None, claims=few)
    path = tmp_path / FILE
    looks = path.read_bytes().splitlines(keepends=True)
    assert len(looks) > len(few)  # so that some claim was looked at twice
    for kept in range(len(looks)):
        path.write_bytes(b"".join(looks[:kept]))
        assert run(tmp_path, samples=None, claims=few) == first
        assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(looks)


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
    with on_workers(backend, Context(), workers) as crew:
        for folder, executor in ((alone, in_process(backend, Context())), (together, crew)):
            Campaign(STUDY, backend, executor, Store(folder, lambda _: "code"), samples=5000).run(FEW, [point], "lu")
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
    assert any(path.startswith("lu/n=4 rows=4^2/") for path in files(tmp_path))


OTHER = {"n": 2, "rows": (2, 2)}


def compared(theory, decoys=()):
    """A claim on one point of the study beside another."""
    return Claim(
        id="compared",
        source="s",
        says="x",
        kind="majority",
        theory=theory,
        tolerance=0.1,
        study=STUDY.name,
        statistic="last",
        decoys=decoys,
        beside=lambda point, other: (point["n"], other["n"]) == (POINT["n"], OTHER["n"]),
    )


def test_two_points_are_compared_draw_by_draw(tmp_path):
    """What is shown to the statement is what either point alone has, of each the same draws."""
    seen = []

    def theory(last, last_beside):
        seen.append((last, last_beside))
        return Sides(np.zeros_like(last), np.abs(last - last_beside))

    swapped = Decoy("equal", lambda last_beside, last: Sides(np.abs(last - last_beside), 0.0))
    claim = compared(theory, (swapped,))
    (verdict,) = run(tmp_path, points=(OTHER, POINT), claims=[claim])
    assert (verdict.outcome, verdict.samples, verdict.point) == ("agrees", 100, POINT)
    assert verdict.rejected == ("equal",)
    assert claim.columns == ("last",)
    alone = campaign(tmp_path)
    for values, point in zip(seen[-1], (POINT, OTHER), strict=True):
        tables = list(alone.tables("qr", point, 4))
        np.testing.assert_array_equal(values, Evidence(tables, 100).values("last"))


def test_a_comparison_is_made_where_both_points_are(tmp_path):
    claim = compared(lambda last, last_beside: Sides(last, last_beside))
    with pytest.raises(UsageError, match="no claim speaks"):
        run(tmp_path, points=(POINT,), claims=[claim])
    assert not files(tmp_path)
    assert [job.names for job in campaign(tmp_path).jobs([claim, *FEW], [POINT, OTHER])][-1] == ["compared"]


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
        yield from reversed(list(in_process(Small(), Context())(shards)))

    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    assert run(ours) == run(theirs, executor=backwards)
    assert files(ours) == files(theirs)


def logged(monkeypatch):
    """Lists that fill with the indices of shards that are planned, asked of the disk, read from it and drawn."""
    logs = {"planned": [], "asked": [], "read": [], "drawn": []}

    def log(name, function, index):
        def called(*arguments):
            logs[name].append(index(arguments))
            assert len(logs[name]) < 1000
            return function(*arguments)

        return called

    monkeypatch.setattr("fragility.judging.draws.Shard", log("planned", Shard, lambda given: given[4]))
    monkeypatch.setattr("fragility.engine.executor.record", log("drawn", record, lambda given: given[0].index))
    for name, method in (("asked", "holds"), ("read", "read")):
        monkeypatch.setattr(Store, method, log(name, getattr(Store, method), lambda given: given[1].index))
    return logs


@pytest.mark.parametrize("held", [0, 3])
def test_a_plan_of_a_billion_shards_costs_no_more_than_what_is_drawn(tmp_path, monkeypatch, held):
    few = campaign(tmp_path)
    first = [*few.tables("qr", POINT, held)] if held else []
    logs = logged(monkeypatch)
    ahead = AHEAD * few.backend.concurrency
    with closing(few.tables("qr", POINT, 10**9)) as arriving:
        for index in range(held + 1):
            table = next(arriving)
            assert not first[index:] or table.equals(first[index])
            assert len(logs["read"]) == index + 1, "each is read when its turn comes"
            assert len(logs["planned"]) <= index + 1 + (0 if index < held else 2 * ahead + 1)
    assert set(logs["drawn"]) <= set(range(held, held + 2 * ahead))
    assert len(logs["asked"]) <= 2 * len(logs["planned"])


def test_a_plan_may_be_of_any_size(tmp_path):
    """More draws than there are 64-bit numbers, of which a budget that is spent leaves one shard per method."""
    verdicts = run(tmp_path, method="auto", samples=10**30 + 1, budget=-1.0)
    assert {verdict.outcome for verdict in verdicts} <= {"blunt", "agrees"}
    assert len(files(tmp_path)) == len({verdict.method for verdict in verdicts}) == 2


@pytest.mark.parametrize("place", ["threads", "workers"])
def test_a_deadline_that_has_passed_draws_one_shard_at_most(tmp_path, monkeypatch, place):
    with (
        on_workers(BACKEND, Context(), 1)
        if place == "workers"
        else nullcontext(in_process(Small(), Context())) as executor
    ):
        drawing = campaign(tmp_path, executor=executor)
        for _ in range(2):  # the second time it is there already
            assert len([*drawing.tables("qr", POINT, 10**9, deadline=-math.inf)]) == 1
            assert len(files(tmp_path)) == 1


class Clock:
    """Seconds that pass while a shard is drawn, one for each, and at no other time."""

    def __init__(self, monkeypatch):
        self.now, self.begun = 0.0, []
        monkeypatch.setattr("fragility.engine.executor.record", self.record)
        monkeypatch.setattr("time.monotonic", lambda: self.now)

    def record(self, shard, backend, context):
        self.begun.append(shard.index)
        self.now += 1.0
        return record(shard, backend, Context())


class Alone(Small):
    """One thread."""

    concurrency = 1


@pytest.mark.parametrize("budget", [0.5, 3.5, 7.0])
def test_no_shard_is_begun_after_the_deadline(tmp_path, monkeypatch, budget):
    """The shard that runs when time is up is the last: those that wait for a thread are dropped."""
    drawing, clock = campaign(tmp_path, executor=in_process(Alone(), Context())), Clock(monkeypatch)
    [*drawing.tables("qr", POINT, 10**9, deadline=budget)]
    assert clock.begun == [*range(math.ceil(budget) if budget % 1 else int(budget) + 1)]


def test_a_sweep_looks_at_the_clock_between_shards(tmp_path, monkeypatch):
    claim = next(claim for claim in TABLE if claim.kind == "rate" and claim.theory().sizes)
    drawing = Campaign(
        find_study(claim.study), Alone(), in_process(Alone(), Context()), Store(tmp_path, lambda _: "code")
    )
    (job,) = drawing.sweeps([claim])
    clock = Clock(monkeypatch)
    job.decide(0.05, 0.5)
    assert clock.begun == [0]
    assert job.verdicts == []


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("holes", [{0}, {3}, {1, 2, 6}, {0, 7}])
def test_holes_are_filled_and_tables_come_in_order(tmp_path, holes, damaged):
    drawing = campaign(tmp_path, resume=damaged)
    whole, before = [*drawing.tables("qr", POINT, 8)], files(tmp_path)
    for place in holes:
        path = sorted(tmp_path.rglob("*.parquet"))[place] if damaged else tmp_path / sorted(before)[place]
        path.write_bytes(b"") if damaged else path.unlink()
    again = [*drawing.tables("qr", POINT, 8)]
    assert len(again) == len(whole)
    assert all(table.equals(other) for table, other in zip(again, whole, strict=True))
    assert files(tmp_path) == before


def test_threads_take_no_more_shards_than_are_asked_for(monkeypatch):
    taken = []

    def endless():
        for index in itertools.count():
            taken.append(index)
            yield Shard("simulate.qr_product", "qr", tuple(POINT.items()), 0, index, 4)

    backend = Small()
    with closing(in_process(backend, Context())(endless())) as results:
        for _ in range(5):
            next(results)
    assert len(taken) <= 5 + (AHEAD + 1) * backend.concurrency


def test_a_finished_run_spends_no_look_when_it_is_run_again(tmp_path):
    """Of a law that was blunt at its early look, and decided at the next."""
    wide = [replace(claim, tolerance=0.05) for claim in FEW]
    first = run(tmp_path, samples=None, claims=wide)
    looks = (tmp_path / "looks.jsonl").read_bytes()
    assert run(tmp_path, samples=None, claims=wide) == first
    assert (tmp_path / "looks.jsonl").read_bytes() == looks
    assert looks.count(b"\n") > len(first)


def test_what_another_run_writes_meanwhile_is_drawn_all_the_same(tmp_path, monkeypatch):
    run(tmp_path)
    drawing, read, asked = campaign(tmp_path), Store.read, []

    def late(store, shard):
        asked.append(shard)
        return None if len(asked) == 1 else read(store, shard)

    monkeypatch.setattr(Store, "read", late)
    assert len([*drawing.tables("qr", POINT, 2)]) == 2
