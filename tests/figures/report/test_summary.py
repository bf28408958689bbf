"""A summary is what records come to: its page and that of the records are the same bytes; other files are refused."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from figures.report.__main__ import main
from figures.report.gathered import summary
from figures.report.sections import page, sentence
from figures.report.summary import Judgement, Made, Summary, document, read
from fragility.book import load
from fragility.engine.context import OWN, Context, using
from fragility.judging.summary import lines
from fragility.judging.verdict import Verdict

ROOT = Path(__file__).parents[3]
BOOK = load(OWN)
COMMANDS = (
    "simulate.qr_product --n 8 --samples 256",
    "simulate.verify --claim fc.lemma3.last --claim joint.thm1.printed --budget 30s",
    "empirical.linear_compression --n 4 --hidden 16 --epochs 64 --samples 16",
)


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A folder of real records: of a study, of the table, of trained networks."""
    folder = tmp_path_factory.mktemp("records")
    for command in COMMANDS:
        words = [sys.executable, "-m", *shlex.split(command), "--out", str(folder)]
        assert subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode in (0, 1)
    return folder


@pytest.fixture(scope="module")
def made(out):
    with using(Context(OWN)):
        return summary(out)


def verdict(name, outcome="agrees"):
    return Verdict(name, {"n": 8}, "qr", outcome, 0.01, 0.02, 0.1, 0.05, "gap", 0.1, 100, 90, 0.05, ("a",), ("a",))


def judgement(*verdicts, hour=10, undecided=()):
    time = f"2026-11-30T{hour}:00:00+00:00"
    made = Made("simulate.verify", "python -m simulate.verify", time, 0, "numba", {}, "", "")
    return Judgement(made, list(verdicts), list(undecided))


def test_the_page_of_a_summary_is_the_page_of_its_records(out, tmp_path, capsys):
    pages = [tmp_path / name for name in ("of_records.html", "of_summary.html")]
    kept = tmp_path / "summary.json"
    assert main(["--out", str(out), "--to", str(pages[0])]) == 0
    assert main(["--out", str(out), "--save", str(kept)]) == 0
    assert main(["--summary", str(kept), "--to", str(pages[1])]) == 0
    assert capsys.readouterr().out.split() == [str(pages[0]), str(kept), str(pages[1])]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_it_holds_what_was_run(made):
    assert {run.study for run in made.runs} >= {"simulate.qr_product", "empirical.linear_compression"}
    (networks,) = [run for run in made.runs if run.study == "empirical.linear_compression"]
    assert networks.samples == "16 draws at each of 2 points"
    assert networks.origin.command == "python -m empirical.linear_compression " + COMMANDS[-1].partition(" ")[2]
    assert any(table.title.startswith("Table 1") for table in networks.tables)
    assert [drawn.picture for drawn in networks.drawn] == ["linear_compression"]
    assert {one.origin.study for one in made.judgements} >= {"simulate.verify", "empirical.linear_compression"}


def test_no_place_on_this_machine_is_in_it(made, out):
    assert str(out) not in document(made)
    assert str(ROOT) not in document(made)


def test_every_number_of_the_page_leads_to_what_made_it(made):
    with using(Context(OWN)):
        whole = page(made, BOOK)
    known = {origin.id for origin in whole.origins}
    assert len(known) == len(whole.origins)
    figures = [figure for section in whole.sections for figure in section.figures]
    used = {origin for figure in (*figures, whole.first) for origin in figure.origins}
    used |= {table.origin for section in whole.sections for table in section.tables}
    used |= {row.origin for section in whole.sections for one in section.statements for row in one.judged}
    assert used == known
    assert all(origin.command.startswith("python -m ") for origin in whole.origins)
    assert [one.id for section in whole.sections for one in section.statements] == [claim.id for claim in BOOK]


def test_a_refuted_claim_has_its_counterexample_written_out(made):
    with using(Context(OWN)):
        whole = page(made, BOOK)
    statements = {one.id: one for section in whole.sections for one in section.statements}
    refuted = statements["joint.thm1.printed"]
    assert (refuted.status, refuted.verdict) == ("refuted", "disagrees")
    assert " > " in refuted.counterexample
    assert refuted.hypotheses
    assert refuted.links["What holds"]
    assert all(one.counterexample for one in statements.values() if not BOOK[one.id].holds)
    assert not any(one.counterexample for one in statements.values() if BOOK[one.id].holds)


def test_the_latest_command_says_what_a_claim_comes_to():
    early, late = judgement(verdict("fc.fraction", "blunt"), hour=10), judgement(verdict("fc.fraction"), hour=11)
    for order in ((early, late), (late, early)):
        ((line, place),) = Summary(OWN, order, ()).verdicts(BOOK)
        assert line.outcome == "agrees"
        assert order[place] is late


def test_what_one_command_missed_another_may_have_judged():
    missed = judgement(verdict("fc.fraction"), undecided=["fc.lemma3.last", "fc.lemma3.column"])
    other = judgement(verdict("fc.lemma3.last"))
    assert Summary(OWN, (missed, other), ()).undecided == ["fc.lemma3.column"]


def test_the_sentence_counts():
    judged = lines(
        BOOK,
        [
            verdict("fc.fraction"),
            verdict("fc.lemma3.last", "blunt"),
            verdict("joint.thm1.printed", "disagrees"),
            verdict("joint.trained.less", "disagrees"),
        ],
    )
    assert sentence(judged, BOOK) == (
        "Of 4 claims on 2 papers 1 holds, 1 printed statement is refuted, of 1 on trained networks 1 is not met by "
        "those trained here and 1 is undecided."
    )
    assert sentence([], BOOK) == f"{len(BOOK)} claims, none of which has been judged."


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"claims": "theory.claims", "judgements": [{}], "runs": []}', '{"claims": 1, "runs": []}'],
)
def test_something_else_is_no_summary(tmp_path, capsys, content):
    path = tmp_path / "summary.json"
    path.write_text(content)
    assert main(["--summary", str(path), "--to", str(tmp_path / "page.html")]) == 3
    error = capsys.readouterr().err
    assert "must be a summary" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "page.html").exists()


def test_numbers_of_another_figure_are_refused(made, tmp_path, capsys):
    content = json.loads(document(made))
    drawn = next(run["drawn"] for run in content["runs"] if run["drawn"])
    drawn[0]["numbers"] = {"something": "else"}
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(content))
    assert main(["--summary", str(path), "--to", str(tmp_path / "page.html")]) == 2
    assert "must hold what" in capsys.readouterr().err


def test_records_that_do_not_say_how_they_were_made_are_refused(out, tmp_path, capsys):
    copied = tmp_path / "records"
    shutil.copytree(out, copied)
    (path,) = (copied / "empirical.linear_compression").glob("*/manifest.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"versions": ["all"]}))
    assert main(["--out", str(copied), "--to", str(tmp_path / "page.html")]) == 3
    assert "must say in its manifest how it was made: python -m empirical.linear_compression" in capsys.readouterr().err


def test_what_is_read_is_what_was_written(made):
    assert document(read(json.loads(document(made)))) == document(made)
