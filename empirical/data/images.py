"""Labelled images as a frozen value with a name of twelve hex digits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, eq=False)
class Images:
    """Images in the order of their files, with labels.

    Parameters
    ----------
    x : uint8, (N, height, width) of grey or (N, height, width, 3) of red, green and blue.
    labels : int64, (N,), indices of `classes`.
    classes : names, by label.
    """

    x: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def digest(self) -> str:
        """Twelve hex digits over shape, pixels and labels: what records say of the data that they are about."""
        digest = hashlib.sha256(repr(self.x.shape).encode())
        digest.update(self.x.tobytes())
        digest.update(self.labels.astype("<i8").tobytes())
        return digest.hexdigest()[:12]

    def first(self, count: int) -> Images:
        """The first `count` images, 1 <= count <= N."""
        if not 1 <= count <= len(self):
            raise UsageError(f"there must be between 1 and {len(self)} images, as many as the set has, got {count}")
        return Images(self.x[:count], self.labels[:count], self.classes)

    def spread(self, count: int) -> Images:
        """`count` images at equal distances over all, the first one first; 1 <= count <= N."""
        if not 1 <= count <= len(self):
            raise UsageError(f"there must be between 1 and {len(self)} images, as many as the set has, got {count}")
        chosen = [number * len(self) // count for number in range(count)]
        return Images(self.x[chosen], self.labels[chosen], self.classes)

    def of_class(self, label: int) -> Images:
        """The images with that label, in their order."""
        if not 0 <= label < len(self.classes):
            raise UsageError(f"a label must be between 0 and {len(self.classes) - 1}, got {label}")
        chosen = self.labels == label
        return Images(self.x[chosen], self.labels[chosen], self.classes)

    def tensor(self, device: str = "cpu") -> torch.Tensor:
        """float32 (N, channels, height, width) in [0, 1], in which a pixel of 255 is exactly 1.

        It is divided here, since a GPU multiplies by the rounded 1/255 instead: devices are to get the same numbers.
        """
        import numpy as np
        import torch

        planes = self.x[:, None] if self.x.ndim == 3 else self.x.transpose(0, 3, 1, 2)
        scaled = np.ascontiguousarray(planes, dtype=np.float32)
        scaled /= 255
        return torch.from_numpy(scaled).to(device)
