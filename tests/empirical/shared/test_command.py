"""The command of an experiment as a user runs it: tables and verdicts, JSON, what is kept, one line for each error."""

import json
import signal
import subprocess
import sys
import time

import pytest

from empirical.linear_compression.study import STUDY
from empirical.shared.command import read
from fragility.engine.records import drawn
from fragility.engine.room import studies
from fragility.engine.store import read_manifest, runs, world

SMALL = ["--n", "4", "--scale", "5", "--hidden", "8", "--epochs", "64"]


def run(*arguments, study="linear_compression"):
    command = [sys.executable, "-m", f"empirical.{study}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    found = run(*SMALL, "--samples", 5, "--json", "--out", out)
    assert found.returncode == 0, found.stderr
    return out, json.loads(found.stdout)


def test_stdout_is_one_document_with_tables_and_verdicts(done):
    _, document = done
    titles = [table["title"] for table in document["tables"]]
    assert any(title.startswith("Table 1") for title in titles)
    assert any(title.startswith("Table 2") for title in titles)
    assert {verdict["claim"].split(".")[1] for verdict in document["verdicts"]} == {"trained"}
    assert all(verdict["samples"] <= 5 for verdict in document["verdicts"])
    assert document["provenance"]["seed"] == 0
    assert "torch" in document["provenance"]["versions"]


def test_an_interrupted_training_ends_at_once_and_says_how_to_go_on(tmp_path):
    flags = ["--n", "12", "--epochs", "1048576", "--samples", "64", "--out", str(tmp_path)]
    command = [sys.executable, "-m", "empirical.linear_compression", *flags]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert "records in" in running.stderr.readline()
    time.sleep(1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert said.strip().splitlines()[-1].endswith("--resume goes on from there")


def test_whole_blocks_are_kept_and_only_what_was_asked_for_is_told(done):
    out, _ = done
    (folder,) = runs(out, "empirical.linear_compression")
    (point,) = read_manifest(folder, "points")["points"]
    assert drawn(world(folder, "empirical.linear_compression", "trained", point)) >= 5


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--n", "0"], 2, "--n must be an integer of at least"),
        (["--n", "40"], 2, "--n must be at most"),
        (["--device", "tpu"], 2, "--device must be auto or one of cpu, cuda, got 'tpu'"),
        (["--samples", "0"], 2, "--samples must be an integer of at least 1"),
        (["--data-dir", "x"], 2, "unrecognized arguments"),
    ],
)
def test_an_error_is_one_line(tmp_path, arguments, code, says):
    found = run(*arguments, "--out", tmp_path)
    assert found.returncode == code
    assert says in found.stderr
    assert found.stderr.count("\n") == 1
    assert not found.stdout


STUDIES = [name.rpartition(".")[2] for name in studies("empirical")]
ON_IMAGES = {
    "mnist_compression",
    "imagenet_compression",
    "conditioning",
    "joint_robustness",
    "latent_defence",
    "svd_defence",
    "convnorm_width",
}


@pytest.mark.parametrize("study", STUDIES)
def test_help_loads_neither_torch_nor_numbers(study):
    command = [sys.executable, "-X", "importtime", "-m", f"empirical.{study}", "--help"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60)
    loaded = {line.split("|")[-1].strip() for line in found.stderr.splitlines()}
    assert "--full" in found.stdout
    assert ("--data-dir" in found.stdout) == (study in ON_IMAGES)
    assert "fragility.command.flags" in loaded
    assert not loaded & {"torch", "scipy", "foolbox", "matplotlib"}


def test_full_sets_what_is_not_given_wherever_it_stands():
    full = {"n": [9], "samples": 3}
    for arguments in (["--full", "--scale", "2"], ["--scale", "2", "--full"]):
        flags = read(STUDY, 64, full, arguments=arguments)
        assert (flags["n"], flags["samples"], flags["scale"]) == ([9], 3, [2.0])
    assert read(STUDY, 64, full, arguments=["--full", "--n", "4"])["n"] == [4]
    assert read(STUDY, 64, full, arguments=[])["samples"] == 64
