"""Claims on what a study has recorded, from the draws to the table and the exit code."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.book import Book
from fragility.claim import Claim, Decoy, Reported, Sides
from fragility.command.study import exit_code
from fragility.engine import shard
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.store import Store
from fragility.engine.study import Method, Study
from fragility.judging.campaign import Campaign
from fragility.judging.summary import lines, totals
from fragility.judging.table import verdict_table
from fragility.tables import text

DRAWS = 40
POINT = {"width": 3}


def draw(stream, size, width):
    return stream.normal(size, width)


def measure(backend, world, width):
    return {"first": world[:, 0], "double": 2 * world[:, 0], "triple": world}


STUDY = Study(
    "normals",
    "normal numbers",
    {},
    lambda: [POINT],
    {"draw": Method("", draw, measure, lambda **_: ("first", "double", "triple"), lambda **_: 3, block=8)},
)


def below(first, double):
    """Of pairs of draws: what is larger of one is larger of the other; an odd one out is in none."""
    pairs = len(first) // 2
    change, other = (np.diff(column[: 2 * pairs].reshape(pairs, 2))[:, 0] for column in (first, double))
    return Sides(0, change * other)


def above(first, double):
    return Sides(*(-side for side in below(first, double)))


def printed(number):
    """Such a number in place of the first of three."""
    return lambda width=3: Reported(number, per_draw=lambda values: values[:, width - 3])


_common = dict(source="", says="", study="normals")
MAJORITY = Claim(
    id="majority", kind="majority", theory=below, tolerance=0.1, decoys=(Decoy("fewer", above),), **_common
)
OPPOSITE = Claim(id="opposite", kind="majority", theory=above, tolerance=0.1, **_common)
MET = Claim(
    id="met", kind="reported", theory=printed(0.5), tolerance=9.0, statistic="triple",
    decoys=(Decoy("far", printed(99.0)),), **_common,
)  # fmt: skip
UNMET = Claim(id="unmet", kind="reported", theory=printed(30.0), tolerance=9.0, statistic="triple", **_common)
ELSEWHERE = Claim(
    id="elsewhere", kind="reported", theory=printed(0.0), tolerance=9.0, statistic="triple",
    where=lambda width: width > 3, **_common,
)  # fmt: skip
ALONE = Claim(id="alone", kind="reported", theory=lambda: Reported(1.0), tolerance=1e-4, source="", says="")
BOOK = Book((MAJORITY, OPPOSITE, MET, UNMET, ELSEWHERE, ALONE), __file__)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """The verdicts on a book's claims, by id, and what the command shows of them."""
    monkeypatch.setattr(shard, "find_study", lambda name: STUDY)

    def of(*claims, samples=DRAWS):
        store = Store(tmp_path, lambda _: "code")
        store.save_manifest(seed=0, backend="numpy")
        campaign = Campaign(STUDY, BACKEND, in_process(BACKEND, Context()), store, samples=samples)
        verdicts = campaign.run(claims or [*BOOK], [POINT])
        return {verdict.claim: verdict for verdict in verdicts}, text(verdict_table(verdicts, STUDY, store))

    return of


def test_each_is_judged_where_it_speaks(judged):
    verdicts, _ = judged()
    assert {name: verdict.outcome for name, verdict in verdicts.items()} == {
        "majority": "agrees",
        "opposite": "disagrees",
        "met": "agrees",
        "unmet": "disagrees",
    }
    assert len({verdict.alpha for verdict in verdicts.values()}) == 1  # an equal share of the error rate


def test_decoys_are_put_to_all_draws_that_the_claim_was_judged_by(judged):
    """Though it counts pairs: of four of the eight the interval of the decoy would reach beyond one half."""
    verdicts, _ = judged(MAJORITY, samples=16)
    assert verdicts["majority"].samples == 8
    assert verdicts["majority"].rejected == ("fewer",)


def test_a_campaign_draws_as_many_as_a_majority_needs(judged):
    def least(triple):
        return Sides(np.min(triple, axis=1), np.max(triple, axis=1))

    verdicts, _ = judged(replace(MAJORITY, theory=least, decoys=()), samples=None)
    found = verdicts["majority"]
    assert found.samples == found.needed == math.ceil(math.log(found.alpha / 2) / math.log(0.4))
    assert found.outcome == "agrees"


def test_the_table_says_what_was_seen(judged):
    _, shown = judged()
    rows = {line.split()[0]: line for line in shown.splitlines() if line}
    assert "0 % below half" in rows["majority"]
    assert rows["majority"].split()[-2:] == ["1/1", "agrees"]
    assert rows["met"].split()[-2:] == ["1/1", "agrees"]
    assert rows["unmet"].split()[-1] == "disagrees"
    assert "gap of a majority: by how much the share of draws that comply falls short of one half." in shown
    assert "gap of a printed number: to the mean of the draws" in shown


def test_a_printed_number_that_no_draw_can_decide_asks_for_no_more(judged):
    _, shown = judged(replace(MET, tolerance=0.5))
    assert shown.splitlines()[2].split()[-1] == "blunt"
    _, shown = judged(MAJORITY, samples=4)
    assert "blunt (needs 5)" in shown


def test_a_printed_number_that_is_not_met_is_no_error_of_the_run(judged):
    verdicts, _ = judged(MAJORITY, MET, UNMET)
    assert exit_code([*verdicts.values()], BOOK) == 0
    verdicts, _ = judged(OPPOSITE)
    assert exit_code([*verdicts.values()], BOOK) == 1


def test_the_summary_names_it(judged):
    verdicts, _ = judged()
    summary = lines(BOOK, [*verdicts.values()])
    assert [line.claim.id for line in summary if line.unexpected] == ["opposite"]
    assert totals(summary)[2:] == [
        "(!) opposite contradicts the table",
        "printed, and not met by these draws: unmet",
    ]
