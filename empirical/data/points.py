"""Labelled points that are no images, latent codes above all, as a frozen value with a name of twelve hex digits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, eq=False)
class Points:
    """Points of any range with labels: what `Images` are, but for pixels.

    Parameters
    ----------
    x : float32, (N, ...).
    labels : int64, (N,), at least 0.
    """

    x: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        """Raises UsageError: other dtypes, or not one label for each point."""
        kinds = str(self.x.dtype), str(self.labels.dtype)
        if kinds != ("float32", "int64") or self.labels.shape != self.x.shape[:1]:
            raise UsageError(
                "points must be float32 (N, ...) with int64 labels (N,), "
                f"got {kinds[0]} {self.x.shape} with {kinds[1]} {self.labels.shape}: convert them with astype"
            )

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits over shape, numbers and labels: what a training says of the points that it is about."""
        digest = hashlib.sha256(f"points {self.x.shape}".encode())
        digest.update(self.x.astype("<f4").tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()[:12]

    def first(self, count: int) -> Points:
        """The first `count` points, 1 <= count <= N."""
        if not 1 <= count <= len(self):
            raise UsageError(f"there must be between 1 and {len(self)} points, as many as the set has, got {count}")
        return Points(self.x[:count], self.labels[:count])
