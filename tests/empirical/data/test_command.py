"""`python -m empirical.data`: what it prints, and how it exits."""

import os
import subprocess
import sys

import pytest

from empirical.data.__main__ import main
from fragility.engine.context import DATA


@pytest.fixture
def command(tmp_path):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "empirical.data", *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_listing(command, idx_set, tmp_path, cache):
    idx_set(tmp_path / "MNIST/raw")
    done = command(**{DATA: str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert list(lines) == ["mnist", "fashion-mnist", "cifar10", "digits", "imagenet"]
    assert lines["mnist"] == str(tmp_path / "MNIST/raw")
    assert lines["cifar10"] == f"not here: python -m empirical.data cifar10 --data-dir {tmp_path} fetches it"
    assert "not here: python -m empirical.data mnist fetches it" in command().stdout
    assert not cache.exists()


def test_a_set_that_is_there_is_read_through(command, idx_set, tmp_path):
    idx_set(tmp_path / "MNIST/raw")
    done = command("mnist", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "5 train (" in done.stdout
    path = tmp_path / "MNIST/raw" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(b"x")
    done = command("mnist", "--data-dir", str(tmp_path))
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["minst"], 2, "must be one of mnist, fashion-mnist, cifar10, digits, imagenet, got 'minst'"),
        (["--seed", "1"], 2, "unrecognized arguments"),
        (["imagenet"], 3, "image-net.org"),
    ],
)
def test_errors_are_one_line(command, arguments, code, says):
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1
    assert says in done.stderr


def test_help_loads_no_numbers(command):
    done = command("--help", PYTHONVERBOSE="1")
    assert done.returncode == 0
    assert "import 'empirical.data'" in done.stderr
    for heavy in ("numpy", "torch", "PIL", "pooch", "sklearn"):
        assert f"import '{heavy}'" not in done.stderr


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("empirical.data.__main__._fetched", interrupted)
    assert main(["mnist"], None) == 130
    said = capsys.readouterr()
    assert said == ("", "empirical.data: interrupted; what was whole is kept, the same command goes on\n")
