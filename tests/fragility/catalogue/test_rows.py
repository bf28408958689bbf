"""The table as text and as Markdown."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from fragility.book import Paper
from fragility.catalogue import pages, rows
from fragility.catalogue.defects import counted, counts, defects
from fragility.catalogue.places import implementation, variable_place
from fragility.tables import plain_rows, text
from theory.claims import BOOK


def linked(module, function):
    return f"{module}#{function}"


def test_a_correction_follows_what_it_corrects():
    """Or another correction of the same row."""
    for before, after in pairwise(BOOK):
        if after.status == "corrected":
            assert before.status == "corrected" or after.id in before.instead, after.id


def test_every_row_is_on_the_page_with_formula_and_code():
    page = pages.claims_page(BOOK, linked)
    for claim in BOOK:
        module, function, _ = implementation(claim)
        assert f"### `{claim.id}`" in page
        assert claim.formula in page
        assert f'href="{module}#{function}"' in page


def test_what_fails_shows_its_counterexample_and_what_it_meets():
    claim = BOOK["fc.lemma3.heights.printed"]
    page = pages.claims_page(replace(BOOK, claims=(claim,)), linked)
    assert "`n = 2, rows = [1]` gives left 1 ≠ right 2. It meets: " in page
    assert f"> {claim.quotes[0].words} ({claim.quotes[0].place})" in page
    assert f"*Read:* {claim.reading.rstrip('.')} ({rows.LOST})." in page
    assert all(f"[`{name}`](#claim-" in page for name in claim.instead)


def test_the_page_of_a_row_tells_whose_it_is_and_what_stands_beside_it():
    wrong, right = BOOK["joint.thm1.printed"], BOOK["joint.thm1.corrected"]
    page = rows.page(wrong, BOOK)
    for shown in (wrong.quotes[0].words, wrong.quotes[0].place, wrong.reading, wrong.formula, wrong.defect):
        assert shown in page
    assert "refuted: false as printed, within the paper's own hypotheses" in page
    assert f"{right.id}: {right.says}" in page
    assert "python -m theory --replay joint.thm1.printed" in page
    page = rows.page(right, BOOK)
    assert "corrected: what holds instead" in page
    assert wrong.quotes[0].words in page
    assert wrong.id in page
    assert "ours" in rows.page(BOOK["fc.thm6.order"], BOOK)


def test_the_page_of_a_row_tells_where_its_code_stands(monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    claim = next(claim for claim in BOOK if claim.world and claim.space and variable_place(claim.space))
    fields = dict(line.strip().partition("  ")[::2] for line in rows.page(claim, BOOK).splitlines()[1:])
    shown = {name: fields[name].strip() for name in ("row", "code", "world", "space", "study")}
    lines = {}
    for name in ("row", "code", "world", "space"):
        file, _, line = shown[name].split()[0].partition(":")
        assert file.startswith("theory/")
        lines[name] = Path(file).read_text().splitlines()[int(line) - 1]
    assert f'"{claim.id}"' in lines["row"]
    assert lines["code"].startswith("def ")
    assert "def " in lines["world"]
    assert lines["space"].partition(" = ")[0] == shown["space"].split()[1]
    assert (
        f'"{claim.id}"'
        in Path(shown["row"].split(":")[0]).read_text().splitlines()[int(shown["row"].split(":")[1]) - 1]
    )
    assert shown["study"] == "python -m simulate.statements (statistic excess)"


def test_a_page_names_all_statistics_that_a_row_speaks_of():
    page = rows.page(BOOK["fc.trained.linear.match"], BOOK)
    assert "python -m empirical.linear_compression (statistics cos_1, cos_2, fraction)" in page
    assert "python -m figures.linear_compression" in page


def test_the_table_has_a_heading_per_paper():
    """With the title that the book gives it, or the name of the prefix."""
    table = rows.table(tuple(BOOK), BOOK)
    assert [text.rpartition(" (")[0] for text in table.headings.values()] == [
        paper.name for paper in BOOK.papers.values()
    ]
    assert text(table).splitlines()[-2].startswith(f"{len(BOOK)} rows; of the papers' statements")
    assert [row["id"] for row in plain_rows(table)] == [claim.id for claim in BOOK]
    stranger = replace(BOOK, papers={"fc": Paper("Here")})
    assert list(rows.table(tuple(BOOK), stranger).headings.values())[1].startswith("joint (")


def test_every_defect_is_listed_once():
    listed, page = rows.faults(BOOK), pages.defects_page(BOOK)
    for defect in defects(BOOK):
        assert listed.count(f"{defect.says}.") == page.lower().count(f"\n{defect.says.lower()}.\n") == 1
        for row in defect.rows:
            assert row.id in listed
            assert all(quote.words in page for quote in row.quotes)
    assert sum(counts(BOOK).values()) == len(defects(BOOK))
    assert counted(BOOK) in listed


def test_rows_with_one_cause_are_one_defect():
    one, other = BOOK["joint.thm1.printed"], BOOK["joint.eq3.printed"]
    assert other.cause == one.id
    assert counts([one, other]) == {"refuted": 1, "gap": 0, "slip": 0, "reading": 0}
    assert counted([one, other]) == "1 defect refuted, 0 gaps, 0 slips, 0 readings"
    assert not defects([claim for claim in BOOK if claim.holds or claim.tempting])


def test_a_page_leaves_out_what_a_claim_does_not_have():
    claim = replace(BOOK["fc.lemma3.last"], note="", study="", decoys=())
    page = rows.page(claim, replace(BOOK, claims=(claim,)))
    assert not any(
        f"  {field} " in page for field in ("note", "study", "figure", "decoys", "world", "space", "witness")
    )
    assert "theory/products/qr_product.py:" in page
