"""What the guide shows is what the code does, and what pages say of the papers is what the table says."""

import doctest
from pathlib import Path

import pytest

from fragility.catalogue.pages import defects_list, defects_page
from theory.claims import BOOK

ROOT = Path(__file__).parent.parent


def test_the_guide_runs():
    pytest.importorskip("torch")
    guide = ROOT / "docs" / "guide.md"
    failed, tried = doctest.testfile(str(guide), module_relative=False)
    assert tried > 20
    assert not failed


def test_the_page_of_defects_is_that_of_the_table():
    """`python -m theory --defects --markdown > docs/defects.md` makes it anew."""
    assert (ROOT / "docs" / "defects.md").read_text("utf-8") == defects_page(BOOK) + "\n"


def test_the_readme_has_a_sentence_for_each_defect():
    assert defects_list(BOOK, "docs/defects.md") in (ROOT / "README.md").read_text("utf-8")
