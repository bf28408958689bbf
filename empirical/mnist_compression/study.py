"""Sevens and the ones made out of them by blocking a stroke: how far apart they are, and how far a network sees them.

A 7 of the test set loses pixel after pixel of its upper-left stroke, from the free end to the corner, until the network
calls it a 1 (feature compression, Section 6, MNIST). Between the two pictures, and around the 7, the network's logits
f = f_7 - f_1 and their gradient are read, and the smallest perturbation that makes the 7 a 1 is sought (Tables 5, 6).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.data import digest, load, splits
from empirical.mnist_compression.measure import ONE, SEVEN, STATISTICS, World, measure
from empirical.mnist_compression.strokes import recentred
from empirical.shared.axes import whole
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among

if TYPE_CHECKING:
    from fragility.backends import Stream

DATASETS = ("mnist", "digits")
RULES = ("enough", "halfway", "whole")
CERTIFICATES = ("none", "crown")
SHUFFLE = 7  # key of the order in which the sevens of a test set are taken


def draw(stream: Stream, units: range, dataset: str, construction: str, data: str, **_: Any) -> World:
    """Numbers (size,) in the test set of the sevens that are `units` in a fixed random order, and pictures in [0, 1].

    No draw is left: which network is trained is in the point, and the sevens are a finite population. For the
    construction "halfway" a picture is moved half the way that would bring what lies below its upper stroke to the
    middle of the frame: in its place the stem stands aside from where MNIST, which centres by mass, has its ones.
    """
    test = splits(dataset, data)[1]
    sevens = np.flatnonzero(test.labels == SEVEN)
    shuffled = sevens[np.random.Generator(np.random.Philox(SHUFFLE)).random(len(sevens)).argsort()]
    chosen = shuffled[units.start : units.stop]
    pictures = test.x[chosen] / 255.0
    if construction == "halfway":
        pictures = np.stack([recentred(picture, picture, 0.5) for picture in pictures])
    return chosen.astype(float), pictures


def points(
    dataset: Sequence[str],
    construction: Sequence[str],
    epochs: Sequence[int],
    network: Sequence[int],
    certificate: Sequence[str],
) -> list[Point]:
    """Every data set with every construction, length of training and network, with certificates or without.

    A point names its images by a digest.

    Raises
    ------
    UsageError : there is no 7 or 1 to train on, or no 7 to be made a 1.
    """
    axes = ("dataset", "construction", "certificate", "epochs", "network", "data")
    held = {name: digest(name) for name in dataset}
    for name in dataset:
        _check_classes(name)
    swept = product(dataset, construction, certificate, epochs, network)
    return [dict(zip(axes, (*values, held[values[0]]), strict=True)) for values in swept]


def _check_classes(dataset: str) -> None:
    wanted = f"--data-dir must hold 7s and 1s of {dataset} to train on, and 7s with some ink to test"
    train, test = load(dataset, "train"), load(dataset, "test")
    for images, split, digit in ((train, "training", SEVEN), (train, "training", ONE), (test, "test", SEVEN)):
        if not (images.labels == digit).any():
            raise UsageError(f"{wanted}, got no {digit} among the {len(images)} {split} images")
    if blank := int((~test.x[test.labels == SEVEN].any((1, 2))).sum()):
        raise UsageError(f"{wanted}, got {blank} without any")


def _sevens(dataset: str, **_: Any) -> int:
    return int((load(dataset, "test").labels == SEVEN).sum())


STUDY = Study(
    name="empirical.mnist_compression",
    says="sevens against the ones made by blocking their upper stroke (feature compression, Tables 5 and 6)",
    grid={
        "dataset": Axis(among(DATASETS, "--dataset"), ["mnist"], "mnist, or digits of 8 x 8 pixels; a list sweeps"),
        "construction": Axis(
            among(RULES, "--construction"),
            ["enough"],
            "the artificial 1: enough, the upper stroke is blocked until the network says 1; halfway, the same after "
            "the 7 has been moved so that it and its stem are equally far from the middle; whole, all of the stroke "
            "is blocked whatever the network says; a list sweeps",
        ),
        "epochs": Axis(whole(1, "--epochs"), [5], "epochs of training; a list sweeps"),
        "certificate": Axis(
            among(CERTIFICATES, "--certificate"),
            ["none"],
            "certified lower bounds of the perturbation: none, or crown, some seconds an image; a list sweeps",
        ),
        "network": Axis(
            whole(0, "--network"), [0], "networks by number, which is the seed of their training; a list sweeps"
        ),
    },
    points=points,
    methods={
        "trained": Method(
            "the two-convolution network trained on all digits",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda **_: 4 * 28 * 28,
            block=16,
            units=_sevens,
        )
    },
)
