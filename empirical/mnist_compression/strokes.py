"""The upper-left stroke of a picture of a 7: which pixels make it up, in the order from its free end to the corner.

Ink is a road, and a path over it takes the time int dl / I of a walk at the speed of the pixels' intensity I, so that
it keeps to the strokes and crosses gaps only where it must. The foot is the lowest pixel of the ink, the tip the one
that takes longest to be reached from the foot, the corner the one that lies farthest to the upper right of the line
from tip to foot. u = time from the tip - time from the foot grows along the figure from the tip over the corner to the
foot, and does not change on branches such as a bar across the stem. The upper stroke is all ink with u below that of
the corner: what lies on the tip's side of the line that halves the angle there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SOLID = 0.5  # of the greatest intensity: what tip, corner and foot are chosen from
FAINTEST = 0.02  # of it: speed on blank paper


class Stroke(NamedTuple):
    """The upper stroke of a picture and the three points that it was found by.

    Parameters
    ----------
    order : pixels of the stroke, (k,), as row * width + column, from the tip to the corner.
    tip, corner, foot : (row, column).
    """

    order: np.ndarray
    tip: tuple[int, int]
    corner: tuple[int, int]
    foot: tuple[int, int]


def upper_stroke(picture: np.ndarray) -> Stroke:
    """The upper-left stroke of a 7, from the picture alone.

    No pixel is named twice. The order is empty where the figure has no corner to the right of its tip and above its
    foot, so that there is no upper stroke to speak of.

    Parameters
    ----------
    picture : (height, width), at least 0: ink is what is positive.

    Raises
    ------
    ValueError : a picture of another shape, or without ink.
    """
    if picture.ndim != 2 or not picture.max(initial=0) > 0 or picture.min() < 0:
        raise ValueError(f"picture must be (height, width) with some ink and none negative, got {picture.shape}")
    light = picture / picture.max()
    width = picture.shape[1]
    solid = np.flatnonzero(light >= SOLID)
    rows, columns = solid // width, solid % width
    lowest = solid[rows == rows.max()]
    foot = lowest[len(lowest) // 2]
    from_foot = _times(light, foot)
    tip = solid[np.argmax(from_foot[solid])]
    u = _times(light, tip) - from_foot
    # How far right of the line that goes down from tip to foot, rows counted downwards.
    down, across = foot // width - tip // width, foot % width - tip % width
    beyond = (columns - tip % width) * down - (rows - tip // width) * across
    corner = solid[np.argmax(beyond)]
    order = np.empty(0, dtype=int)
    if tip % width < corner % width and max(tip, corner) // width < foot // width and beyond.max() > 0:
        ink = np.flatnonzero((light.ravel() > 0) & (u < u[corner]))
        order = ink[np.argsort(u[ink], kind="stable")]
    return Stroke(order, *((int(p) // width, int(p) % width) for p in (tip, corner, foot)))


def blocked(picture: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The picture with the first 0, 1, ..., k pixels of `order` set to 0, (k + 1, height, width)."""
    flat = np.repeat(picture.reshape(1, -1), len(order) + 1, axis=0)
    for count, pixel in enumerate(order, start=1):
        flat[count:, pixel] = 0
    return flat.reshape(-1, *picture.shape)


def without(picture: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The picture with all pixels of `order` set to 0."""
    return blocked(picture, order)[-1]


def centred(picture: np.ndarray, rest: np.ndarray, shown: np.ndarray, share: float = 1.0) -> np.ndarray:
    """What is shown, moved as brings the centre of mass of the rest of a picture to the middle of the frame.

    In whole pixels, and no farther than the ink of all the picture stays inside the frame.

    Parameters
    ----------
    picture, rest, shown : (height, width), at least 0, some ink in the first two. MNIST's pictures are centred by mass.
    share : of the way; with 1/2 picture and rest end equally far from the middle, if the picture was in the middle.
    """
    shift = []
    for axis, length in enumerate(picture.shape):
        ink, mass = np.flatnonzero(picture.any(axis=1 - axis)), rest.sum(axis=1 - axis)
        wanted = share * ((length - 1) / 2 - (np.arange(length) * mass).sum() / mass.sum())
        shift.append(int(np.clip(np.rint(wanted), -ink[0], length - 1 - ink[-1])))
    return np.roll(shown, shift, (0, 1))


def recentred(picture: np.ndarray, shown: np.ndarray, share: float = 1.0) -> np.ndarray:
    """What is shown, moved as centres what lies below the upper stroke of the picture, or this share of the way."""
    rest = without(picture, upper_stroke(picture).order)
    return centred(picture, rest, shown, share) if rest.any() else shown


def _times(light: np.ndarray, start: int) -> np.ndarray:
    """Time of the quickest walk from a pixel to every other, (height * width,), over its 8 neighbours at each step."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    height, width = light.shape
    slowness = 1 / np.maximum(light.ravel(), FAINTEST)
    number = np.arange(height * width).reshape(height, width)
    pairs = [
        (number[:, :-1], number[:, 1:], 1.0),
        (number[:-1], number[1:], 1.0),
        (number[:-1, :-1], number[1:, 1:], 2**0.5),
        (number[:-1, 1:], number[1:, :-1], 2**0.5),
    ]
    here = np.concatenate([one.ravel() for one, _, _ in pairs])
    there = np.concatenate([other.ravel() for _, other, _ in pairs])
    apart = np.concatenate([np.full(one.size, distance) for one, _, distance in pairs])
    time = apart * (slowness[here] + slowness[there]) / 2
    graph = coo_array((time, (here, there)), shape=(number.size, number.size)).tocsr()
    return dijkstra(graph, directed=False, indices=start)
