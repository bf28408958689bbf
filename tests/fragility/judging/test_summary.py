"""The table of claims: the worst outcome of a claim counts, decoys must be rejected wherever they are visible."""

import json
import math
from dataclasses import replace

import pytest

from fragility.judging.summary import claim_table, document, lines, paper_table, read, totals
from fragility.judging.verdict import Verdict
from fragility.tables import markdown, text
from theory.claims import BOOK

LAST, COLUMN, PRINTED, CORRECTED = (
    BOOK[name] for name in ("fc.lemma3.last", "fc.lemma3.column", "joint.thm1.printed", "joint.thm1.corrected")
)


def verdict(claim, outcome, n=1, visible=(), rejected=(), samples=100, resolution=0.01):
    return Verdict(
        claim=claim.id,
        point={"n": n, "rows": (n,)},
        method="qr",
        outcome=outcome,
        gap=0.02,
        band=0.05,
        tolerance=0.1,
        resolution=resolution,
        unit="gap",
        wanted=0.1,
        samples=samples,
        needed=100,
        alpha=0.01,
        visible=visible,
        rejected=rejected,
    )


@pytest.fixture
def table():
    return lines(
        BOOK,
        [
            verdict(PRINTED, "disagrees", samples=1),
            verdict(LAST, "agrees", 1, ("a", "b"), ("a", "b")),
            verdict(LAST, "blunt", 2, ("b", "c"), ("c",), resolution=0.3),
            verdict(CORRECTED, "agrees", samples=299),
            verdict(COLUMN, "disagrees"),
        ],
    )


def test_a_line_takes_the_worst_of_its_verdicts(table):
    last = table[0]
    assert last.claim.id == LAST.id
    assert last.outcome == "blunt"
    assert last.samples == 200
    assert last.decoys == (2, 3)  # b is missed at one of the points that show it
    assert last.resolution == "0.3"


def test_lines_stand_in_the_order_of_the_claims(table):
    assert [line.claim.id for line in table] == [LAST.id, COLUMN.id, PRINTED.id, CORRECTED.id]


def test_what_contradicts_the_table_is_said(table):
    assert [line.unexpected for line in table] == [False, True, False, False]
    said = totals(table)
    assert said[0].startswith("4 claims: 1 agree, 1 are blunt, 2 disagree, 1 of them as the table says; 2 of 3")
    assert said[1] == (
        "Shown of the papers: 1 defect refuted, 0 gaps, 0 slips, 0 readings; of what one might think: 0 false."
    )
    assert said[2:] == [f"(!) {COLUMN.id} contradicts the table"]
    assert text(claim_table(table, totals(table, ["fc.thm1.swap"]))).splitlines()[-1] == (
        "not reached within the budget: fc.thm1.swap"
    )


def test_a_claim_that_should_fail_and_agrees_contradicts_the_table():
    (line,) = lines(BOOK, [verdict(PRINTED, "agrees")])
    assert line.unexpected


def test_markdown_has_a_row_per_claim_or_per_paper(table):
    rows = markdown(claim_table(table)).splitlines()
    assert len(rows) == 2 + len(table)
    assert rows[1] == "| --- | --- | --- | ---: | ---: | ---: | ---: | --- |"
    assert rows[2] == f"| `{LAST.id}` | printed | law | 2 points | 200 | 0.3 | 2/3 | blunt |"
    papers = markdown(paper_table(table, BOOK)).splitlines()
    assert len(papers) == 2 + 2
    assert papers[2] == "| Feature compression | 2 | 0 | 1 | 1 | 0 | 0 | 0 | 0 | 2/3 | 300 |"


def test_what_was_written_is_read_again(table):
    written = json.loads(document(table, ["fc.thm1.swap"], {"seed": 0}))
    assert text(claim_table(read(written, BOOK))) == text(claim_table(table))
    (row, *rest) = written["verdicts"]
    foreign = [{**row, name: value} for name in Verdict.__dataclass_fields__ for value in (None, {"a": []}, [7], -1.5j)]
    foreign.remove({**row, "point": {"a": []}})  # a point of one axis
    for content in (
        {},
        [],
        None,
        7,
        "x",
        {"verdicts": 7},
        {"verdicts": {}},
        *({"verdicts": [e, *rest]} for e in foreign),
    ):
        with pytest.raises(ValueError, match="not a table of verdicts"):
            read(content, BOOK)


def test_too_few_draws_for_an_estimate_are_a_verdict_all_the_same():
    few = replace(verdict(LAST, "blunt", resolution=math.inf), gap=math.nan, band=math.inf)
    written = json.loads(document(lines(BOOK, [few]), [], {}))
    ((found,),) = [line.verdicts for line in read(written, BOOK)]
    assert (found.outcome, math.isnan(found.gap), found.resolution) == ("blunt", True, math.inf)
    written["verdicts"][0]["resolution"] = 0.1
    with pytest.raises(ValueError, match="not a table"):
        read(written, BOOK)
