"""The verdict table as Markdown, and what is said where there is none."""

import pytest

from figures.table import main
from fragility.book import load
from fragility.judging.summary import document, kept, lines
from fragility.judging.verdict import Verdict
from theory.claims import BOOK

OWN_BOOK = """
from fragility.book import Book, Paper
from fragility.claim import Claim, Sides

SUM = Claim("mine.sum", "mine", "one and one is two", "identity", lambda: Sides(1 + 1, 2), 1e-9)
BOOK = Book((SUM,), __file__, {"mine": Paper("A paper of mine")})
"""
IDS = ("fc.lemma3.last", "fc.fraction", "joint.thm1.printed")


def verdict(claim):
    outcome = "agrees" if claim.holds else "disagrees"
    return Verdict(
        claim=claim.id,
        point={"n": 8},
        method="qr",
        outcome=outcome,
        gap=0.01,
        band=0.02,
        tolerance=0.1,
        resolution=0.05,
        unit="gap",
        wanted=0.1,
        samples=1000,
        needed=900,
        alpha=0.05,
        visible=("a", "b"),
        rejected=("a", "b"),
    )


@pytest.fixture
def out(tmp_path):
    claims = [claim for claim in BOOK if claim.id in IDS]
    path = tmp_path / "verify" / "verdicts.json"
    path.parent.mkdir()
    path.write_text(document(lines(claims, [verdict(claim) for claim in claims]), [], {}))
    return tmp_path


def test_a_row_per_paper(out, capsys):
    assert main(["--out", str(out)]) == 0
    table = capsys.readouterr().out
    assert "| Feature compression | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 4/4 | 2,000 |" in table
    assert "| Joint margin bounds | 1 | 0 | 1 | 0 | 1 | 0 | 0 | 0 |" in table
    assert "3 claims: 2 agree, 0 are blunt, 1 disagree" in table


def test_rows_of_claims(out, capsys):
    assert main(["--out", str(out), "--claim"]) == 0
    table = capsys.readouterr().out
    assert all(f"| `{name}` |" in table for name in IDS)
    assert main(["--out", str(out), "--claim", "fc.lemma3"]) == 0
    table = capsys.readouterr().out
    assert "| `fc.lemma3.last` |" in table
    assert "fc.fraction" not in table


def test_a_book_of_ones_own(tmp_path, capsys):
    book = tmp_path / "own_book_of_verdicts.py"
    book.write_text(OWN_BOOK)
    path = kept(tmp_path, str(book))
    path.parent.mkdir()
    path.write_text(document(lines(load(str(book)), [verdict(load(str(book))["mine.sum"])]), [], {}))
    assert main(["--out", str(tmp_path), "--claims", str(book)]) == 0
    assert "| A paper of mine | 1 | 1 | 0 |" in capsys.readouterr().out
    path.unlink()
    assert main(["--out", str(tmp_path), "--claims", str(book)]) == 3
    assert f"python -m simulate.verify --out {tmp_path} --claims {book} makes them" in capsys.readouterr().err


def test_an_id_that_was_not_judged(out, capsys):
    assert main(["--out", str(out), "--claim", "nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_table(tmp_path, capsys):
    assert main(["--out", str(tmp_path)]) == 3
    error = capsys.readouterr().err
    assert f"python -m simulate.verify --out {tmp_path} makes them" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("content", ["", "[]", '{"verdicts": [{"claim": 1}]}', "\udcff"])
def test_something_else_in_its_place(out, capsys, content):
    (out / "verify" / "verdicts.json").write_bytes(content.encode(errors="surrogateescape"))
    assert main(["--out", str(out)]) == 3
    assert "must be a table of verdicts" in capsys.readouterr().err
