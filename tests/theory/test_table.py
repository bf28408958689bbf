"""The table as text and as Markdown."""

from dataclasses import replace
from itertools import pairwise

from theory import pages, table
from theory.claims import CLAIMS
from theory.defects import counted, counts, defects

BY_ID = {claim.id: claim for claim in CLAIMS}


def linked(module, function):
    return f"{module}#{function}"


def test_a_correction_follows_what_it_corrects():
    """Or another correction of the same row."""
    for before, after in pairwise(CLAIMS):
        if after.status == "corrected":
            assert before.status == "corrected" or after.id in before.instead, after.id


def test_every_row_is_on_the_page_with_formula_and_code():
    page = pages.claims_page(CLAIMS, linked)
    for claim in CLAIMS:
        module, function, _ = table.implementation(claim)
        assert f"### `{claim.id}`" in page
        assert claim.formula in page
        assert f'href="{module}#{function}"' in page


def test_what_fails_shows_its_counterexample_and_what_it_meets():
    claim = BY_ID["fc.lemma3.heights.printed"]
    page = pages.claims_page([claim], linked)
    assert "`n = 2, rows = [1]` gives left 1 ≠ right 2. It meets: " in page
    assert f"> {claim.quotes[0].words} ({claim.quotes[0].place})" in page
    assert f"*Read:* {claim.reading.rstrip('.')} ({table.LOST})." in page
    assert all(f"[`{name}`](#claim-" in page for name in claim.instead)


def test_the_page_of_a_row_tells_whose_it_is_and_what_stands_beside_it():
    wrong, right = BY_ID["joint.thm1.printed"], BY_ID["joint.thm1.corrected"]
    page = table.page(wrong, CLAIMS)
    for shown in (wrong.quotes[0].words, wrong.quotes[0].place, wrong.reading, wrong.formula, wrong.defect):
        assert shown in page
    assert "refuted: false as printed, within the paper's own hypotheses" in page
    assert f"{right.id}: {right.says}" in page
    assert "python -m theory --replay joint.thm1.printed" in page
    page = table.page(right, CLAIMS)
    assert "corrected: what holds instead" in page
    assert wrong.quotes[0].words in page
    assert wrong.id in page
    assert "ours" in table.page(BY_ID["fc.thm6.order"], CLAIMS)


def test_every_paper_has_its_title():
    assert {table.paper(claim) for claim in CLAIMS} - {"Beyond the papers"} == set(table.TITLES)


def test_every_defect_is_listed_once():
    listed, page = table.faults(CLAIMS), pages.defects_page(CLAIMS)
    for defect in defects(CLAIMS):
        assert listed.count(f"{defect.says}.") == page.lower().count(f"\n{defect.says.lower()}.\n") == 1
        for row in defect.rows:
            assert row.id in listed
            assert all(quote.words in page for quote in row.quotes)
    assert sum(counts(CLAIMS).values()) == len(defects(CLAIMS))
    assert counted(CLAIMS) in listed


def test_rows_with_one_cause_are_one_defect():
    one, other = BY_ID["joint.thm1.printed"], BY_ID["joint.eq3.printed"]
    assert other.cause == one.id
    assert counts([one, other]) == {"refuted": 1, "gap": 0, "slip": 0, "reading": 0}
    assert counted([one, other]) == "1 defect refuted, 0 gaps, 0 slips, 0 readings"
    assert not defects([claim for claim in CLAIMS if claim.holds or claim.tempting])


def test_a_page_leaves_out_what_a_claim_does_not_have():
    claim = replace(BY_ID["fc.lemma3.last"], note="", study="", decoys=())
    page = table.page(claim, [claim])
    assert not any(f"  {field} " in page for field in ("note", "study", "figure", "decoys", "witness"))
    assert "code         theory/qr_product.py:" in page
