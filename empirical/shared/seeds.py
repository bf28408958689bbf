"""What studies of trained networks have in common where one draw is one seed, and a point names its images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.data import digest
from fragility.engine.memory import TRAINED, check_memory
from fragility.engine.study import Point

if TYPE_CHECKING:
    from empirical.data.images import Images
    from fragility.backends import Stream

SEEDS = 2**31


def draw(stream: Stream, size: int, **_: Any) -> Mapping[str, np.ndarray]:
    """ "seed", (size,), whole numbers below 2^31: all that is random about a network is a function of its own."""
    return {"seed": np.floor(SEEDS * stream.uniform(size))}


def points(dataset: Sequence[str], **axes: Sequence[Any]) -> list[Point]:
    """Every combination of data sets and axes; a point names its images by a digest, "data".

    Raises
    ------
    UsageError : the folder that was named does not hold a data set.
    UnavailableError : one is not here and cannot be downloaded.
    """
    held = {name: digest(name) for name in dataset}
    swept = product(dataset, *axes.values())
    return [dict(zip(("dataset", *axes), values, strict=True)) | {"data": held[values[0]]} for values in swept]


def fitting(points: list[Point], parts: Callable[[Point], tuple[Images, Images]]) -> list[Point]:
    """The points, if a network with one hidden layer of `width` units can be trained at each of them.

    Parameters
    ----------
    parts : training and test images at a point.

    Raises
    ------
    UsageError : there are fewer training images than asked for, or the network does not fit into memory.
    """
    for point in points:
        train, _ = parts(point)
        numbers = point["width"] * (train.x[0].size + len(train.classes))
        check_memory(f"a network of {point['width']:,} hidden units", numbers, TRAINED, "choose a smaller --width")
    return points
