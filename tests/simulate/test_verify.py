"""`python -m simulate.verify` as a user runs it, and the order in which it decides."""

import json
import math
import subprocess
import sys

import pytest

from simulate.verify import decide

SETTINGS = {"capture_output": True, "text": True, "timeout": 200}


def run(*flags, cwd):
    return subprocess.run([sys.executable, "-m", "simulate.verify", *flags], cwd=cwd, **SETTINGS)


class Made:
    """A job that takes as long as it says."""

    def __init__(self, name, seconds, log, chances=1):
        self.names, self.seconds, self.log, self.chances, self.verdicts = [name], seconds, log, chances, []

    def remaining(self, alpha):
        return self.seconds

    def decide(self, alpha, deadline):
        self.log.append((self.names[0], alpha))
        self.verdicts = ["made up"]


def test_what_takes_least_comes_first_and_shares_the_error_rate():
    log = []
    jobs = [Made("slow", 9, log), Made("quick", 1, log), Made("worlds", 3, log, chances=0)]
    assert decide(jobs, 0.05, math.inf, lambda _: None, lambda _: None) == []
    assert log == [("quick", 0.025), ("worlds", 0.025), ("slow", 0.025)]


def test_what_was_not_reached_is_returned():
    log = []
    jobs = [Made("first", 1, log), Made("second", 1, log)]
    assert decide(jobs, 0.05, -1.0, lambda _: None, lambda _: None) == jobs
    assert log == []


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    chosen = [part for start in ("fc.lemma3.last", "cond.relative_error") for part in ("--claim", start)]
    return folder, chosen, run(*chosen, "--json", cwd=folder)


def test_one_document_with_every_verdict(judged):
    _, _, result = judged
    assert result.returncode == 0, result.stderr  # what disagrees is known to fail
    found = json.loads(result.stdout)
    assert found["not reached"] == []
    outcomes = {row["claim"]: row["outcome"] for row in found["verdicts"]}
    assert outcomes.pop("cond.relative_error.printed") == "disagrees"
    assert set(outcomes.values()) == {"agrees"}
    assert sum(row["claim"] == "fc.lemma3.last" for row in found["verdicts"]) >= 3


def test_a_second_run_draws_nothing_anew_and_a_tighter_one_only_more(judged):
    folder, chosen, _ = judged
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    again = run(*chosen, cwd=folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")} == before
    said = again.stdout.splitlines()
    assert said[-2].startswith("5 claims: 4 agree, 0 are blunt, 1 disagree, 1 of them as the table says; ")
    assert said[-1].startswith("Shown of the papers: 1 defect refuted, 0 gaps, ")
    tighter = run(*chosen, "--tighter", "1.5", "--markdown", cwd=folder)
    assert tighter.returncode == 0
    assert tighter.stdout.startswith("| claim | status |")
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*.parquet")}
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--claim", "fc.lemma33"], "--claim must be the start of an id, got fc.lemma33"),
        (["--tighter", "0.5"], "--tighter must be a number of at least 1, got 0.5"),
        (["--tighter", "1e300"], "--tighter must be at most 1e+06, got 1e300"),
        (["--budget", "never"], "--budget must be a time such as 60s"),
    ],
)
def test_bad_flags_get_one_line(flags, message, tmp_path):
    result = run(*flags, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
