"""A suite of tests that draws, run by pytest in a process of its own as a user runs it."""

import re
import subprocess
import sys

import pytest

from fragility import UsageError, check
from fragility.checking.ledger import summary, told
from fragility.testing import assert_agrees

SUITE = """
import numpy as np
import pytest
from scipy.stats import norm
from fragility.testing import assert_agrees

def normal(rng, size):
    return rng.standard_normal(size)

def test_right():
    assert assert_agrees(normal, norm, tolerance=0.1, decoys=[norm(0.5)]).rejected

def test_wrong():
    assert_agrees(normal, norm(1), tolerance=0.1)

def test_few():
    assert_agrees(np.random.default_rng(0).standard_normal(20), norm, tolerance=0.1)

def test_decoy():
    assert_agrees(np.random.default_rng(0).random(2000), mean=0.5, bounds=(0, 1), tolerance=0.02, decoys=[0.52])

@pytest.mark.parametrize("mean", [0.1, 0.2])
def test_mean(mean):
    first = assert_agrees(lambda rng, size: normal(rng, size) + mean, mean=mean, sd=1, tolerance=0.5)
    second = assert_agrees(lambda rng, size: normal(rng, size) + mean, mean=mean, sd=1, tolerance=0.5)
    print("alphas", first.alpha, second.alpha)

def test_rate(error_rate):
    print("rate", error_rate)

def test_alpha():
    assert_agrees(normal, norm, tolerance=0.1, alpha=0.1)

def test_plain():
    pass
"""
OTHER = """
import test_suite

def test_uncounted():
    test_suite.assert_agrees(test_suite.normal, test_suite.norm, tolerance=0.1)
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    (folder / "test_suite.py").write_text(SUITE)
    (folder / "test_other.py").write_text(OTHER)
    return folder


def run(folder, *flags):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def rows(said):
    """The table of all checks, without the line that sums up."""
    listed = re.search(r"checks of random draws =+\n.*\n[- ]+\n((?:test_.*\n)+)", said)
    return sorted(listed[1].splitlines())


def test_a_suite_shares_one_error_rate(suite):
    ended = run(suite, "-rP")
    said = ended.stdout
    assert ended.returncode == 1
    assert "3 failed, 5 passed, 2 inconclusive" in said
    assert re.search(r"AssertionError: normal: law norm\(1\): disagrees, gap", said)
    assert re.search(r"Inconclusive: draws: law norm: blunt, gap .* draws 20; up to [\d,]+ draws would decide", said)
    assert re.search(r"Inconclusive: draws: mean 0.5: agrees, .* decoys 0/1", said)
    share = 0.05 / 9  # of the nine tests of the file that imports it
    assert f"rate {share / 2:.12g}"[:15] in said
    alphas = {tuple(map(float, found)) for found in re.findall(r"alphas (\S+) (\S+)", said)}
    assert alphas == {(share / 2, share / 6)}
    assert "test_other.py::test_uncounted must have a share of the session's error rate" in said
    assert "alpha is the session's, got alpha=0.1: leave it out, or use --fragility-alpha" in said
    assert re.search(r"8 checks with an error rate of 0.05 together, [\d,]+ draws, seed 0", said)


def test_processes_share_it_and_draw_the_same(suite):
    alone, together = run(suite, "-q"), run(suite, "-q", "-n", "2")
    assert rows(alone.stdout) == rows(together.stdout)
    assert len(rows(alone.stdout)) == 8


def test_a_session_has_its_own_rate_and_seed(suite):
    first = run(suite, "-q", "-k", "right or rate", "-rP", "--fragility-alpha", "0.01")
    other = run(suite, "-q", "-k", "right or rate", "-rP", "--fragility-alpha", "0.01", "--fragility-seed", "1")
    assert first.returncode == other.returncode == 0
    assert "rate 0.0025" in first.stdout  # half of what one of two tests has
    assert rows(first.stdout) != rows(other.stdout)
    assert "1 check with an error rate of 0.01 together" in first.stdout
    assert "error rate of" not in run(suite, "-q", "-k", "plain").stdout


def test_a_session_whose_checks_all_agree_says_so_without_a_table():
    right = told(check([True] * 100, probability=1, tolerance=0.1))
    lines = summary([("one", right), ("two", right)], 0.05, 3, every=False).splitlines()
    assert lines == [
        "2 checks with an error rate of 0.05 together, 200 draws, seed 3",
        "2 that agree are not listed: -v lists them",
    ]
    assert "would see" in summary([("one", right)], 0.05, 3, every=True)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--fragility-alpha", "2"), "must be a number between 0 and 1, got 2"),
        (("--fragility-alpha", "x"), "must be a number between 0 and 1, got x"),
        (("--fragility-seed", "-1"), "must be a whole number from 0 on, got -1"),
    ],
)
def test_flags_that_are_none(suite, flags, line):
    ended = run(suite, *flags)
    assert ended.returncode == 4
    assert line in ended.stderr


def test_outside_of_pytest_nothing_is_spent():
    code = "from fragility.testing import assert_agrees; assert_agrees([1.0], mean=0, sd=1, tolerance=1)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr.splitlines()[-1].endswith("got none: use check elsewhere")


def test_the_plugin_loads_no_numbers():
    code = "import sys, fragility.checking.plugin; print([name for name in ('numpy', 'scipy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_seed_is_the_sessions():
    with pytest.raises(UsageError, match="seed is the session's, got seed=3: leave it out, or use --fragility-seed"):
        assert_agrees([1.0], mean=0, sd=1, tolerance=1, seed=3)
