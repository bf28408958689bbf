"""A book of claims: it finds rows by id, by study and by place, and refuses what would be two rows of one name."""

from pathlib import Path

import pytest

from fragility import Book, Claim, Paper, Sides, UsageError
from fragility.book import load, put_right_after


def row(name, **fields):
    given = dict(id=name, source="s", says="x", kind="bound", theory=Sides, tolerance=1e-9)
    return Claim(**given | fields)


PAGE = """
BOOK = Book(
    (
        row("one.first", at="eq. (1)"),
        Claim(
            id="one.second",
        ),
    ),
)
"""


@pytest.fixture
def book(tmp_path):
    (tmp_path / "page.py").write_text(PAGE)
    claims = (row("one.first"), row("one.second", study="simulate.probes", statistic="x"), row("two.glued"))
    return Book(claims, str(tmp_path / "page.py"), {"one": Paper("The first paper", "*Of one*")})


def test_rows_are_found_by_id(book):
    assert [claim.id for claim in book] == ["one.first", "one.second", "two.glued"]
    assert "one.second" in book
    assert "one.third" not in book
    assert book["one.second"] is book.claims[1]
    assert len(book) == 3
    with pytest.raises(UsageError, match=r"no claim one\.secnd; near it: one\.second"):
        book["one.secnd"]


def test_rows_are_found_by_study(book):
    assert [claim.id for claim in book.about("simulate.probes")] == ["one.second"]
    assert [claim.id for claim in book.about("simulate.statements")] == ["one.first", "two.glued"]
    assert book.about("empirical.probes") == []


def test_a_paper_without_a_name_is_called_by_the_ids(book):
    assert [book.paper(claim).name for claim in book] == ["The first paper", "The first paper", "two"]


def test_the_place_of_a_row_is_where_its_id_stands_whole(book, tmp_path):
    assert book.place("one.first") == (tmp_path / "page.py", 4)
    assert book.place("one.second") == (tmp_path / "page.py", 6)
    assert book.place("two.glued") is None


def test_counterexamples_lie_beside_the_book_unless_it_says_where(book, tmp_path):
    assert book.witnesses == tmp_path / "witnesses"
    assert Book((), __file__, witnesses=Path("elsewhere")).witnesses == Path("elsewhere")


def test_one_id_is_one_row():
    with pytest.raises(ValueError, match="ids of claims must differ, got twice more than once"):
        Book((row("twice"), row("once"), row("twice")), __file__)


def test_a_correction_stands_after_the_first_row_that_it_puts_right():
    failing = {"status": "refuted", "instead": ("b.corrected",)}
    rows = (
        row("a"),
        row("b.printed", **failing),
        row("b.printed.again", **failing),
        row("c"),
        row("b.corrected", status="corrected"),
    )
    assert [claim.id for claim in put_right_after(rows)] == ["a", "b.printed", "b.corrected", "b.printed.again", "c"]


TWICE = """from fragility import Book, Claim
row = Claim(id="a.b", source="s", says="x", kind="rate", theory=dict, tolerance=1)
BOOK = Book((row, row), __file__)
"""


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("unclosed", "BOOK = [", "SyntaxError: '[' was never closed (unclosed.py, line 1)"),
        ("unnamed", "\nBOOK = name", "NameError: name 'name' is not defined, in line 2"),
        ("lacking", "from fragility import Claim\nClaim(id='a.b')", "TypeError: Claim.__init__() missing 5 required"),
        ("repeated", TWICE, "ValueError: ids of claims must differ, got a.b more than once, in line 3"),
    ],
)
def test_what_an_import_raises_is_said_with_its_line(name, content, line, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / f"{name}.py").write_text(content)
    for spelling, what in ((str(tmp_path / f"{name}.py"), "file"), (f"{name}:BOOK", "module")):
        with pytest.raises(UsageError) as refused:
            load(spelling)
        said = str(refused.value)
        assert said.startswith(f"--claims must be a {what} that can be imported, got {spelling}: {line}")
        assert "\n" not in said


@pytest.mark.parametrize("spelling", ["./walk", "walk.py:BOOK", "walk-ing:BOOK", "walk:", ":BOOK"])
def test_a_spelling_that_names_no_module(spelling):
    with pytest.raises(UsageError, match=r"--claims must be"):
        load(spelling)
