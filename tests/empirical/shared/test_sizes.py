"""What is asked for is compared with the machine and with the images before anything is drawn or trained."""

import importlib
import sys

import pytest

from fragility.engine import memory
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError


def points(name, **changed):
    study = importlib.import_module(f"empirical.{name}.study").STUDY
    axes = {axis: held.default for axis, held in study.grid.items()}
    return study.points(**axes | ({"dataset": ["digits"]} if "dataset" in axes else {}) | changed)


@pytest.mark.parametrize(
    ("name", "axes", "line"),
    [
        ("relu_compression", {"width": [10**6], "layers": [64]}, "16 networks of 64 x 1,000,000 units must fit into"),
        ("relu_compression", {"inputs": [10**6]}, "what 16 networks make of 1,000,000 pairs of points must fit into"),
        ("linear_compression", {"hidden": [10**9]}, "16 networks of 1,000,000,000 hidden units must fit into"),
        ("svd_defence", {"width": [10**9], "training": [9]}, "a network of 1,000,000,000 hidden units must fit into"),
        ("latent_defence", {"width": [10**9], "training": [9]}, "a network of 1,000,000,000 hidden units must fit"),
        ("convnorm_width", {"widths": ["1+1000000"], "training": [9]}, "a WideResNet-16-1000000 must fit into"),
        ("imagenet_compression", {"size": [4096]}, "an attack on images of 4096 x 4096 must fit into"),
        ("svd_defence", {"training": [1438]}, "--training must be at most 1437, as many images as digits has"),
        ("latent_defence", {"training": [1438]}, "--training must be at most 1437 for digits"),
        ("joint_robustness", {"training": [1151]}, "--training must be at most 1150 for digits, whose last 287"),
        ("convnorm_width", {"training": [1295]}, "--training must be at most 1294 for digits, whose last 143"),
        ("conditioning", {"batch": [1438], "images": [9]}, "--batch must be at most 1437"),
        ("conditioning", {"images": [361]}, "--images must be at most 360"),
    ],
)
def test_what_is_too_much_is_a_line(monkeypatch, tmp_path, name, axes, line):
    monkeypatch.setattr(memory, "memory", lambda: 2 * 10**9)
    with using(Context(checkpoints=tmp_path)), pytest.raises(UsageError) as refusal:
        points(name, **axes)
    assert str(refusal.value).startswith(line)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["relu_compression", "linear_compression"])
def test_what_has_its_size_by_default_fits(monkeypatch, name):
    monkeypatch.setattr(memory, "memory", lambda: 2 * 10**9)
    assert points(name)


def test_few_training_images_leave_none_to_be_held_out(monkeypatch):
    from empirical.data import load

    few = load("digits", "train").first(4)
    for study in ("joint_robustness", "latent_defence"):
        trainings = sys.modules[f"empirical.{study}.trainings"]
        monkeypatch.setattr(trainings, "splits", lambda *_: (few, few))
    with pytest.raises(UsageError, match="--data-dir must hold 5 training images of digits at least, got 4"):
        points("joint_robustness", training=[1])
    with pytest.raises(UsageError, match="--held-out must find 5 training images of digits at least, got 4"):
        points("latent_defence", training=[1], held_out=[1])
