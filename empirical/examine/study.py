"""A user's own network on their own images, without knowing what theory says of it.

Every image is a draw: its smallest perturbation is bracketed and predicted, its gradient is read on the way to the
nearest image that the network puts into another class, and its decision is taken again without the bottom singular
values of the weights. The layers are measured with the first image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import ATTACKS
from empirical.examine.measure import STATISTICS, classes, measure
from empirical.examine.parsed import lists
from empirical.shared.axes import whole
from empirical.shared.classifiers import attacks as known_attacks
from empirical.shared.classifiers import names, network_code
from empirical.shared.seeds import draw as seeds
from fragility.engine.memory import check_memory
from fragility.engine.study import Axis, Method, Point, Study, UsageError

if TYPE_CHECKING:
    from fragility.backends import Stream

COPIES = 16  # of an image's activations, at least, while it is attacked
SHARD = 1 << 18  # numbers that an image is taken to need at least, so that 16 images at most are measured together


def draw(stream: Stream, units: range, **_: Any) -> Mapping[str, np.ndarray]:
    """Places of the images, and a seed for the random starts and perturbations of their shard, (images,) each."""
    return {"images": np.array(units), **seeds(stream, len(units))}


def points(model: Sequence[str] | None, size: int | None, **axes: Any) -> list[Point]:
    """Every network, under its flags; a point names weights, images and labels by digests.

    Raises
    ------
    UsageError : a network that cannot be examined, images that are none, or labels that fit neither.
    """
    from empirical.examine.images import images

    if not model:
        raise UsageError("--model must be module:function, a function that builds a torch module, got none")
    shown, sweep = images(size), list[Point]()

    from empirical.examine.network import activations, all_logits, weights

    for spec in model:
        named = {"model": spec, "weights": weights(spec)}
        logits = all_logits(spec, size)
        labels = classes(size, logits.argmax(1).numpy())
        if labels.min() < 0 or labels.max() >= logits.shape[1]:
            strange = int(labels.min() if labels.min() < 0 else labels.max())
            raise UsageError(
                f"--labels must be class numbers from 0 to {logits.shape[1] - 1}, the outputs of {spec}, got {strange}"
            )
        held = activations(spec, size)
        check_memory("an attack on one image", held * COPIES, 4, "choose smaller images")
        given = {"images": shown.digest, "labels": shown.labels_digest, "size": size}
        for values in product(*axes.values()):
            sweep.append({**named, **given, **dict(zip(axes, values, strict=True))})
    return sweep


def _side(text: str) -> int:
    sides = whole(1, "--size", 4096)(text)
    if len(sides) > 1:
        raise UsageError(f"--size must be one side for all images, got {text}")
    return sides[0]


def _floats(model: str, size: int | None, **_: Any) -> int:
    """Numbers that one image needs beside the network: they decide how many are measured together."""
    from empirical.examine.network import activations

    return max(SHARD, COPIES * activations(model, size))


def _count(size: int | None, **_: Any) -> int:
    from empirical.examine.images import images

    return len(images(size).x)


STUDY = Study(
    name="empirical.examine",
    says="what the five papers say of a network of your own, on images of your own",
    grid={
        "model": Axis(
            names("--model"),
            None,
            "module:function that builds a torch module from images in [0, 1] to logits; a list sweeps",
        ),
        "size": Axis(
            _side,
            None,
            "side of the square that is cut out of the middle of each photograph (default: photographs as they are)",
        ),
        "attacks": Axis(
            known_attacks, ["ddn"], f"of minimal norm, joined by +, of {', '.join(ATTACKS)}; a list sweeps"
        ),
        "steps": Axis(whole(1, "--steps", 10_000), [20], "of each attack that takes steps; a list sweeps"),
        "nodes": Axis(whole(2, "--nodes", 10_000), [10], "points of the way to another image; a list sweeps"),
        "shrunk": Axis(
            lists("--shrunk", 0, 100),
            ["5+40"],
            "per cent of each layer's singular values, from the bottom, to leave out, joined by +; a list sweeps",
        ),
        "radii_x": Axis(
            lists("--radii-x", 0, 1),
            ["0.004+0.016"],
            "largest change of every pixel at which joint margins are certified, joined by +; a list sweeps",
        ),
        "radii_w": Axis(
            lists("--radii-w", 0, 1e6),
            ["0+0.0001"],
            "largest change of every weight at which they are, joined by +; a list sweeps",
        ),
    },
    points=points,
    methods={
        "images": Method(
            "a network on images",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            _floats,
            units=_count,
            uses=network_code,
        )
    },
)
