"""The table of claims: the worst outcome of a claim counts, decoys must be rejected wherever they are visible."""

import json

import pytest

from simulate.summary import document, lines, markdown, overview, read, text, totals
from simulate.verdict import Verdict
from theory.claims import CLAIMS

LAST, COLUMN, PRINTED, CORRECTED = (
    next(claim for claim in CLAIMS if claim.id == name)
    for name in ("fc.lemma3.last", "fc.lemma3.column", "joint.thm1.printed", "joint.thm1.corrected")
)


def verdict(claim, outcome, n=1, visible=(), rejected=(), samples=100, resolution=0.01):
    return Verdict(
        claim.id, {"n": n, "rows": (n,)}, "qr", outcome, 0.02, 0.05, resolution, 0.1, samples, 100, 0.01, visible,
        rejected,
    )  # fmt: skip


@pytest.fixture
def table():
    return lines(
        CLAIMS,
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
    assert "fc.thm1.swap" in text(table, ["fc.thm1.swap"]).splitlines()[-1]


def test_a_claim_that_should_fail_and_agrees_contradicts_the_table():
    (line,) = lines(CLAIMS, [verdict(PRINTED, "agrees")])
    assert line.unexpected


def test_markdown_has_a_row_per_claim_or_per_paper(table):
    assert markdown(table).count("\n") == 1 + len(table)
    papers = overview(table).splitlines()
    assert len(papers) == 2 + 2
    assert papers[2] == "| Feature compression | 2 | 0 | 1 | 1 | 0 | 0 | 0 | 0 | 2/3 | 300 |"


def test_what_was_written_is_read_again(table):
    written = json.loads(document(table, ["fc.thm1.swap"], {"seed": 0}))
    assert markdown(read(written, CLAIMS)) == markdown(table)
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
            read(content, CLAIMS)
