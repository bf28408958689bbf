"""Condition numbers of trained layers beside accuracies under FGSM and FGMT, without knowing what theory says of them.

A softmax regression and a convolutional network are trained on digits from one seed (conditioning, Section IV). The
condition numbers of their layers are recorded along training, at its end and before it, in four norms (Figures 4, 5);
both are attacked with growing radii (Tables I, II), and relative errors are sent through every layer. Treatments change
the conditioning and leave all else alone, so that what it does to the accuracy under attack can be told from what
merely comes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.conditioning.measure import MODELS, STATISTICS, World, measure
from empirical.data import digest, load
from empirical.shared.axes import LARGE, between, whole
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among

if TYPE_CHECKING:
    from fragility.backends import Stream

DATASETS = ("mnist", "fashion-mnist", "digits")
NETWORKS = (MODELS[0], "pair")
TREATMENTS = ("none", "all")
OPTIMISERS = ("sgd", "adam")
ORIENTATIONS = ("inputs", "outputs")
SEEDS = 2**31


def draw(stream: Stream, size: int, **_: Any) -> World:
    """Seeds of the trainings and of the random directions, integers from 0 to 2^31 - 1, (size,) each."""
    seeds = np.floor(stream.uniform(size, 2) * SEEDS)
    return seeds[:, 0], seeds[:, 1]


def points(dataset: Sequence[str], images: Sequence[int], batch: Sequence[int], **others: Sequence[Any]) -> list[Point]:
    """Every combination, with a digest of its images.

    Raises
    ------
    UsageError : more images are to be attacked than there are, or are in a batch.
    """
    held = {name: digest(name) for name in dataset}
    for name in dataset:
        for flag, most, split in (("--images", max(images), "test"), ("--batch", max(batch), "train")):
            if most > (count := len(load(name, split))):
                raise UsageError(f"{flag} must be at most {count}, the {split} images of {name}, got {most}")
    given = {"dataset": dataset, "images": images, "batch": batch, **others}
    axes = list(STUDY.grid)
    swept = (dict(zip(axes, values, strict=True)) for values in product(*(given[axis] for axis in axes)))
    return [{**point, "data": held[point["dataset"]]} for point in swept]


def _initial(text: str) -> list[str]:
    """Standard deviations, each as the shortest text of its number, or "glorot"."""
    found = []
    for part in text.split(","):
        try:
            number = float("nan" if part.strip() == "glorot" else part)
        except ValueError:
            number = -1.0
        if part.strip() != "glorot" and not 0 <= number <= LARGE:
            raise UsageError(f"--initial must be glorot or a number from 0 to {LARGE:g}, got {part}")
        found.append("glorot" if part.strip() == "glorot" else f"{number + 0.0:.12g}")
    return found


STUDY = Study(
    name="empirical.conditioning",
    says="condition numbers of trained layers and accuracies under attack (conditioning, Tables I, II, Figures 1 to 5)",
    grid={
        "dataset": Axis(among(DATASETS, "--dataset"), ["mnist"], f"{', '.join(DATASETS)}; a list sweeps"),
        "networks": Axis(
            among(NETWORKS, "--networks"),
            ["pair"],
            "simple, softmax regressions, or pair, each with a convolutional network; a list sweeps",
        ),
        "treatments": Axis(
            among(TREATMENTS, "--treatments"),
            ["none"],
            "none, or all: the same networks with an orthogonal start, with a penalty on the spread of singular "
            "values, and with small singular values raised after training; a list sweeps",
        ),
        "optimiser": Axis(
            among(OPTIMISERS, "--optimiser"), ["sgd"], f"{' or '.join(OPTIMISERS)}, of the simple model; a list sweeps"
        ),
        "rate": Axis(between("--rate"), [0.5], "learning rate of the simple model; a list sweeps"),
        "batch": Axis(whole(1, "--batch"), [100], "images in a step of the simple model; a list sweeps"),
        "iterations": Axis(whole(1, "--iterations"), [1000], "steps of the simple model; a list sweeps: 1000,4000"),
        "initial": Axis(
            _initial,
            ["0.005"],
            "standard deviation of the simple model's initial weights, or glorot; a list sweeps: 0,0.005,glorot",
        ),
        "epochs": Axis(whole(1, "--epochs"), [5], "epochs of the convolutional network; a list sweeps"),
        "orientation": Axis(
            among(ORIENTATIONS, "--orientation"),
            ["inputs"],
            "rows of the matrices whose condition numbers are taken: inputs, as the paper reshapes kernels, or "
            "outputs, which exchanges the norms 1 and inf; a list sweeps",
        ),
        "images": Axis(whole(1, "--images"), [1000], "test images attacked, spread over all; a list sweeps"),
        "steps": Axis(whole(1, "--steps", 10_000), [12], "steps of the attacks, each by epsilon; a list sweeps"),
    },
    points=points,
    methods={
        "trained": Method(
            "networks trained from one seed, and attacked",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda **_: 2,
            block=1,
        )
    },
)
