"""The verdict table as Markdown, and what is said where there is none."""

import pytest

from figures.table import main
from simulate.summary import document, lines
from simulate.verdict import Verdict
from theory.claims import CLAIMS

IDS = ("fc.lemma3.last", "fc.fraction", "joint.thm1.printed")


def verdict(claim):
    outcome = "agrees" if claim.holds else "disagrees"
    return Verdict(claim.id, {"n": 8}, "qr", outcome, 0.01, 0.02, 0.05, 0.1, 1000, 900, 0.05, ("a", "b"), ("a", "b"))


@pytest.fixture
def out(tmp_path):
    claims = [claim for claim in CLAIMS if claim.id in IDS]
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
    assert main(["--out", str(out), "--claims"]) == 0
    table = capsys.readouterr().out
    assert all(f"| `{name}` |" in table for name in IDS)
    assert main(["--out", str(out), "--claims", "fc.lemma3"]) == 0
    table = capsys.readouterr().out
    assert "| `fc.lemma3.last` |" in table
    assert "fc.fraction" not in table


def test_an_id_that_was_not_judged(out, capsys):
    assert main(["--out", str(out), "--claims", "nowhere"]) == 2
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
