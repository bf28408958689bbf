"""What the guide shows is what the code does, and what pages say of the papers is what the table says."""

import doctest
from itertools import pairwise
from pathlib import Path

import pytest

from figures.report.source import kept
from figures.table import verdicts
from fragility.catalogue.pages import defects_list, defects_page
from fragility.engine.context import OWN, Context, using
from fragility.tables import markdown
from theory.claims import BOOK

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("page", "least"), [("docs/guide.md", 20), ("README.md", 3)])
def test_what_a_page_shows_runs(page, least):
    pytest.importorskip("torch")
    failed, tried = doctest.testfile(str(ROOT / page), module_relative=False)
    assert tried > least
    assert not failed


def test_the_page_of_defects_is_that_of_the_table():
    """`python -m theory --defects --markdown > docs/defects.md` makes it anew."""
    assert (ROOT / "docs" / "defects.md").read_text("utf-8") == defects_page(BOOK) + "\n"


def test_the_readme_has_the_verdicts_of_the_full_run():
    """`python -m figures.table --markdown --summary docs/full_run.json` makes them anew."""
    with using(Context(OWN)):
        table = markdown(verdicts(kept(ROOT / "docs" / "full_run.json")))
    assert table in (ROOT / "README.md").read_text("utf-8")


def test_the_readme_has_a_sentence_for_each_defect():
    assert defects_list(BOOK, "docs/defects.md") in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_no_line_of_a_paragraph_begins_a_list(page):
    """A sum that is broken before its sign would become one."""
    lines = page.read_text("utf-8").splitlines()
    for before, line in pairwise(lines):
        if line.startswith("+ "):
            assert not before.strip(), line
