"""The table as text and as Markdown."""

from dataclasses import replace
from itertools import pairwise

from theory import table
from theory.claims import CLAIMS

BY_ID = {claim.id: claim for claim in CLAIMS}


def linked(module, function):
    return f"{module}#{function}"


def test_a_correction_follows_what_it_corrects():
    ids = [claim.id for claim in CLAIMS]
    for before, after in pairwise(ids):
        if after.endswith(".corrected"):
            assert before == after.replace(".corrected", ".printed")


def test_every_row_is_on_the_page_with_formula_and_code():
    page = table.markdown(CLAIMS, linked)
    for claim in CLAIMS:
        module, function, _ = table.implementation(claim)
        assert f"### `{claim.id}`" in page
        assert claim.formula in page
        assert f'href="{module}#{function}"' in page


def test_what_is_refuted_shows_its_counterexample():
    page = table.markdown([BY_ID["fc.lemma3.heights.printed"]], linked)
    assert "`n = 2, rows = [1]` gives left 1 ≠ right 2." in page


def test_a_page_leaves_out_what_a_claim_does_not_have():
    claim = replace(BY_ID["fc.lemma3.last"], note="", study="", decoys=())
    page = table.page(claim)
    assert not any(f"  {field} " in page for field in ("note", "study", "figure", "decoys", "witness"))
    assert "code       theory/qr_product.py:" in page
