"""Small grey pictures as text, a character for each pixel, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase, digits
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEVELS = ascii_uppercase + ascii_lowercase + digits + "+"  # from the least to the largest; the middle is one of them
NOTHING = "."  # in place of a pixel that there is none of
INK, CHANGE = "gray_r", "PuOr"


@dataclass(frozen=True)
class Pixels:
    """Pictures of values between two ends, in 63 levels: finer than print, and small in a document.

    Parameters
    ----------
    rows : a picture each, a character of `LEVELS` for each of its pixels.
    """

    rows: tuple[str, ...]
    low: float
    high: float

    @property
    def values(self) -> np.ndarray:
        """(pictures, pixels), NaN where there are none."""
        codes = np.array([[LEVELS.find(letter) for letter in row] for row in self.rows])
        return np.where(codes < 0, np.nan, self.low + (self.high - self.low) * codes / (len(LEVELS) - 1))


def packed(values: np.ndarray, low: float = 0.0, high: float = 1.0) -> Pixels:
    """Pictures (..., pixels) in one row; what lies beyond an end is drawn as the end."""
    flat = values.reshape(-1, values.shape[-1])
    scaled = (np.clip(flat, low, high) - low) / (high - low) * (len(LEVELS) - 1)
    rows = ("".join(NOTHING if np.isnan(one) else LEVELS[round(one)] for one in row) for row in scaled.tolist())
    return Pixels(tuple(rows), low, high)


def show(axes: Axes, picture: np.ndarray, low: float = 0.0, high: float = 1.0, shades: str = INK) -> Any:
    """Draws a square picture (pixels,), or leaves its place empty where there is none; returns the image."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if np.isfinite(picture).all():
        side = round(len(picture) ** 0.5)
        return axes.imshow(picture.reshape(side, side), cmap=shades, vmin=low, vmax=high, interpolation="nearest")
    return None


def named(axes: Axes, text: str) -> None:
    """Names a row of pictures at its first."""
    axes.set_ylabel(text, rotation=0, ha="right", va="center", fontsize=7)
