"""Photographs in folders named after the classes of ImageNet."""

from __future__ import annotations

import struct
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from empirical.data.catalogue import PHOTOGRAPHS
from empirical.data.download import home
from empirical.data.folders import unreadable, wnids
from empirical.data.packages import package
from fragility.engine.backend import UnavailableError
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = {".jpeg", ".jpg", ".png"}
MOST_PIXELS = 89_000_000  # of a photograph, as it is and scaled; a little below Pillow's own limit
_FILTERS = threading.Lock()  # the filters of warnings are one for all threads


class Photograph(NamedTuple):
    """A file, and the class that it shows as an offset of WordNet, such as n02102040."""

    wnid: str
    path: Path


def photographs(data_dir: str | Path | None = None) -> list[Photograph]:
    """All photographs below imagenet/val or imagenet, sorted by class and name of the file; none is opened.

    Raises
    ------
    UsageError : the folder that was named, by `data_dir` or the context, has none.
    UnavailableError : no folder was named, and the cache has none; they cannot be downloaded freely.
    """
    folder = home(PHOTOGRAPHS, data_dir=data_dir)
    found = [
        Photograph(wnid, path)
        for wnid in wnids(folder)
        for path in sorted((folder / wnid).iterdir())
        if path.suffix.lower() in SUFFIXES
    ]
    if not found:
        raise UnavailableError(f"{folder} has class folders but no photograph in them, *.JPEG: put some there")
    return found


def read_photograph(path: Path, size: int = 224, shorter: int = 256) -> np.ndarray:
    """The middle of a photograph whose shorter side has been scaled, bilinearly, to `shorter`: uint8 (size, size, 3).

    Parameters
    ----------
    size : side of the square in pixels, at most `shorter`; 224, or 299 with a `shorter` of 342.

    Raises
    ------
    UsageError : the square is larger than the scaled photograph.
    UnavailableError : the file is missing, damaged, no JPEG or PNG, or larger than any photograph.
    """
    import numpy as np

    if not 1 <= size <= shorter:
        raise UsageError(f"the middle must have between 1 and {shorter} pixels, the scaled shorter side, got {size}")
    try:
        with _opened(path) as image:
            width, height = image.size
            scaled = _scaled(width, height, shorter)
            if max(width * height, scaled[0] * scaled[1]) > MOST_PIXELS:
                unreadable(path, f"{width} x {height} pixels are more than a photograph has")
            whole = image.convert("RGB").resize(scaled, package("PIL.Image", "pillow").Resampling.BILINEAR)
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        unreadable(path, str(error))
    left, top = (round((side - size) / 2) for side in scaled)
    return np.array(whole.crop((left, top, left + size, top + size)))


def _opened(path: Path) -> Any:
    """The image with nothing but its head read; a size beyond Pillow's own limit is an error, not a warning."""
    Image = package("PIL.Image", "pillow")
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return Image.open(path, formats=("JPEG", "PNG"))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            unreadable(path, "it has more pixels than a photograph has")


def _scaled(width: int, height: int, shorter: int) -> tuple[int, int]:
    if width <= height:
        return shorter, int(shorter * height / width)
    return int(shorter * width / height), shorter
