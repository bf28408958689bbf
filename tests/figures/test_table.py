"""The verdict table as text and as Markdown, and what is said where there is none."""

import json

import pytest

from figures.table import main
from fragility.book import load
from fragility.judging.summary import VERIFY, document, kept, lines
from fragility.judging.verdict import Verdict
from theory.claims import BOOK

OWN_BOOK = """
from fragility.book import Book, Paper
from fragility.claim import Claim, Decoy, Sides

SUM = Claim(
    "mine.sum", "mine", "x and x is two x", "identity", lambda x: Sides(x + x, 2 * x), 1e-9,
    world=lambda rng: {"x": rng.random()}, decoys=(Decoy("it is three x", lambda x: Sides(x + x, 3 * x)),),
)
BOOK = Book((SUM,), __file__, {"mine": Paper("A paper of mine")})
"""
ORIGIN = {
    "seed": 0,
    "backend": "numpy",
    "command": "simulate/verify.py",
    "time": "2026-11-30T10:00:00+00:00",
    "versions": {},
}
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
    path.write_text(document(lines(claims, [verdict(claim) for claim in claims]), [], ORIGIN))
    return tmp_path


def test_a_row_per_paper(out, capsys):
    assert main(["--markdown", "--out", str(out)]) == 0
    table = capsys.readouterr().out
    assert "| Feature compression | 2 | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 4/4 | 2,000 |" in table
    assert "| Joint margin bounds | 1 | 0 | 1 | 0 | 1 | 0 | 0 | 0 |" in table
    assert "3 claims: 2 agree, 0 are blunt, 1 disagree" in table


def test_the_same_for_a_terminal(out, capsys):
    assert main(["--out", str(out)]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Feature compression")]
    assert row.split()[2:5] == ["2", "2", "0"]


def test_rows_of_claims(out, capsys):
    assert main(["--markdown", "--out", str(out), "--claim"]) == 0
    table = capsys.readouterr().out
    assert all(f"| `{name}` |" in table for name in IDS)
    assert main(["--markdown", "--out", str(out), "--claim", "fc.lemma3"]) == 0
    table = capsys.readouterr().out
    assert "| `fc.lemma3.last` |" in table
    assert "fc.fraction" not in table


def test_a_book_of_ones_own(tmp_path, capsys):
    book = tmp_path / "own_book_of_verdicts.py"
    book.write_text(OWN_BOOK)
    path = kept(tmp_path / VERIFY, str(book))
    path.parent.mkdir()
    path.write_text(document(lines(load(str(book)), [verdict(load(str(book))["mine.sum"])]), [], ORIGIN))
    assert main(["--markdown", "--out", str(tmp_path), "--claims", str(book)]) == 0
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


@pytest.mark.parametrize(("field", "value"), [("samples", True), ("gap", float("nan")), ("resolution", float("nan"))])
def test_what_no_verdict_says_is_no_table(out, capsys, field, value):
    path = out / "verify" / "verdicts.json"
    held = json.loads(path.read_text())
    held["verdicts"][0][field] = value
    path.write_text(json.dumps(held))
    assert main(["--out", str(out)]) == 3
    assert "must be a table of verdicts, got something else" in capsys.readouterr().err


def test_markup_in_a_verdict_is_text(out, capsys):
    path = out / "verify" / "verdicts.json"
    path.write_text(path.read_text().replace('"qr"', '"<script>alert(1)</script>|"'))
    assert main(["--markdown", "--out", str(out), "--claim", "joint"]) == 0
    shown = capsys.readouterr().out
    assert "<script" not in shown
    assert r"&#60;script>alert(1)&#60;/script>\|" in shown
