"""The figure is drawn from records only, for whatever records there are."""

import subprocess
import sys

import pytest


def python(module, *arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    for arguments in (["--n", "6,5", "--layers", "2"], ["--n", "4", "--method", "lu", "--seed", "1"]):
        done = python("simulate.qr_product", *arguments, "--samples", "400", "--backend", "numpy", cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def test_it_prints_where_the_picture_lies(records):
    done = python("figures.qr_product", "--run", "numpy-seed0", cwd=records)
    assert done.stdout == "results/figures/qr_product.png\n", done.stderr
    assert (records / done.stdout.strip()).read_bytes().startswith(b"\x89PNG")


def test_any_point_and_format(records):
    done = python("figures.qr_product", "--run", "numpy-seed0", "--point", "2", "--to", "two.svg", cwd=records)
    assert done.returncode == 0, done.stderr
    assert "<svg" in (records / "two.svg").read_text()


def test_the_same_records_give_the_same_bytes(records):
    for name in ("one.svg", "again.svg"):
        python("figures.qr_product", "--to", name, cwd=records)
    assert (records / "one.svg").read_bytes() == (records / "again.svg").read_bytes()


def test_records_of_the_trailing_block_alone_are_enough(records):
    assert python("figures.qr_product", "--run", "numpy-seed1", "--to", "block.pdf", cwd=records).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["--run", "numpy-seed7"], 3, "no records of numpy-seed7"),
        (["--out", "nowhere"], 3, "python -m simulate.qr_product makes some"),
        (["--run", "numpy-seed0", "--point", "3"], 2, "--point must be at most 2"),
        (["--point", "0"], 2, "--point must be an integer of at least 1, got 0"),
        (["--to", "picture.bmp"], 2, "--to must end in .png, .svg, .pdf, got picture.bmp"),
    ],
)
def test_bad_usage_is_one_line(records, arguments, code, line):
    done = python("figures.qr_product", *arguments, cwd=records)
    assert done.returncode == code
    assert line in done.stderr
    assert done.stderr.count("\n") == 1
