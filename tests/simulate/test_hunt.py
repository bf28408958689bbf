"""The hunt as a command: what it prints, how it exits, and every bad input as one clear line."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from simulate import hunt
from theory.claims import BOOK

FAILING = "cond.relative_error.printed"
HOLDING = "norm.pgd"
CHEAP = "norm.fgsm.corrected"


def run(capsys, *arguments):
    """Exit code, stdout and stderr of the command."""
    with pytest.raises(SystemExit) as end:
        hunt.main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return end.value.code, shown.out, shown.err


def test_a_failure_that_is_known_exits_0_with_its_witness(capsys, tmp_path):
    code, out, _ = run(capsys, FAILING, "--out", tmp_path)
    assert code == 0
    assert "already known to fail, refuted): fails in exact arithmetic" in out
    assert set(json.loads(out.splitlines()[1])) == {"W", "x", "delta"}
    assert (tmp_path / f"simulate.hunt/{FAILING}-seed0/manifest.json").exists()


def test_json_is_one_document(capsys, tmp_path):
    _, out, _ = run(capsys, FAILING, "--out", tmp_path, "--json", "--seed", 3)
    document = json.loads(out)
    assert document["outcome"] == "found"
    assert document["seed"] == 3
    assert document["trials"] >= 1
    assert document["size"] <= document["size_found"]


def test_a_statement_that_holds_says_how_hard_it_was_looked(capsys, tmp_path):
    code, out, _ = run(capsys, HOLDING, "--restarts", 1, "--out", tmp_path)
    assert code == 0
    assert "no counterexample: tight to 0.9" in out
    assert "500 trials in 1 restarts, seed 0" in out


def test_a_failure_that_the_table_does_not_know_exits_1(capsys, tmp_path, monkeypatch):
    claims = tuple(replace(claim, status="printed") if claim.id == FAILING else claim for claim in BOOK)
    monkeypatch.setattr("fragility.book.load", lambda _: replace(BOOK, claims=claims))
    code, out, _ = run(capsys, FAILING, "--out", tmp_path)
    assert code == 1
    assert "(printed): fails in exact arithmetic" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["joint.thm1.print"],
            "must be an id of python -m theory, got 'joint.thm1.print': near it is joint.thm1.printed",
        ),
        (["cond.conclusion.fgsm.printed"], "got cond.conclusion.fgsm.printed, whose row names none"),
        (["fc.thm1.size.law"], "CLAIM must be a bound or an identity, got fc.thm1.size.law, a law"),
        (
            ["fc.depth.normal"],
            "CLAIM must have a space of worlds to search, got fc.depth.normal",
        ),
        ([FAILING, "--budget", "soon"], "--budget must be a time such as 60s, 5m or 2h, got soon"),
        ([FAILING, "--restarts", "0"], "--restarts must be an integer of at least 1, got 0"),
        ([FAILING, "--seed", "-1"], "--seed must be an integer of at least 0, got -1"),
        ([], "the following arguments are required: CLAIM"),
    ],
)
def test_bad_input_is_one_line(arguments, message, capsys, tmp_path):
    code, out, err = run(capsys, *arguments, "--out", tmp_path)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_records_of_other_code_are_refused(capsys, tmp_path, monkeypatch):
    run(capsys, FAILING, "--out", tmp_path)
    monkeypatch.setattr("fragility.engine.fingerprint.fingerprint", lambda *_: "0123456789ab")
    code, _, err = run(capsys, FAILING, "--out", tmp_path)
    assert code == 2
    assert "records of other code" in err


def test_a_killed_hunt_goes_on_to_the_same_bytes(capsys, tmp_path):
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    command = [sys.executable, "-m", "simulate.hunt", CHEAP, "--restarts", "2", "--out", str(killed)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(killed.rglob("*.parquet")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(capsys, CHEAP, "--restarts", 2, "--out", killed)[0] == 0
    assert run(capsys, CHEAP, "--restarts", 2, "--out", whole)[0] == 0
    files = sorted(path.relative_to(whole) for path in whole.rglob("*.parquet"))
    assert len(files) == 2
    assert all((killed / path).read_bytes() == (whole / path).read_bytes() for path in files)
