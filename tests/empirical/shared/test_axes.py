"""Axes take the numbers that networks can be made with, and say in a line which those are."""

import importlib

import pytest

from empirical.shared.axes import between, whole
from fragility.engine.study import UsageError

EXPERIMENTS = (
    "conditioning",
    "convnorm_width",
    "imagenet_compression",
    "joint_robustness",
    "latent_defence",
    "linear_compression",
    "mnist_compression",
    "relu_compression",
    "svd_defence",
)
NAMES = ("model", "source", "partners")  # axes whose texts are looked up later
NONE = ("", ",", "1,", "nan", "inf", "-inf", "-1", "1e300", "1e-300", "x", "1.5.2", "0x10", "1e", "9" * 300)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_no_axis_takes_what_is_no_value_of_it(name):
    study = importlib.import_module(f"empirical.{name}.study").STUDY
    for axis in study.grid.keys() - set(NAMES):
        for text in NONE:
            if (name, axis, text) in {("conditioning", "initial", "1e-300"), ("svd_defence", "confidence", "1e-300")}:
                continue  # as good as 0, which it takes; it has a bound of its own
            with pytest.raises(UsageError) as line:
                pytest.fail(f"{axis} takes {text!r}: {study.grid[axis].parse(text)}")
            assert str(line.value).startswith(f"--{axis.replace('_', '-')} must"), (axis, text)
            assert "\n" not in str(line.value)
            assert len(str(line.value)) < 500


def test_whole_numbers():
    assert whole(2, "--n", 8)("2,8") == [2, 8]
    assert whole(1, "--n")("1e9") == [10**9]
    with pytest.raises(UsageError, match=r"^--n must be at most 8, got 9$"):
        whole(2, "--n", 8)("2,9")
    with pytest.raises(UsageError, match=r"^--n must be at most 1,000,000,000, got one of 101 digits$"):
        whole(2, "--n")("1e100")
    with pytest.raises(UsageError, match="--n must be an integer of at least 2, got 1"):
        whole(2, "--n")("1")


def test_numbers_between():
    assert between("--rate")("1e-12,0.5,1e6") == [1e-12, 0.5, 1e6]
    with pytest.raises(UsageError, match=r"^--rate must be from 1e-12 to 1e\+06, got 1e\+07$"):
        between("--rate")("1e7")
    with pytest.raises(UsageError, match="--rate must be positive, got 0"):
        between("--rate")("0")
