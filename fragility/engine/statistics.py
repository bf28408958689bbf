"""What a study records, statistic by statistic: what each number is, its unit, and how many there are per draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

FLAG, SHARE = "0 or 1", "in [0, 1]"  # units of numbers that have none


@dataclass(frozen=True)
class Statistic:
    """One statistic of a study.

    Parameters
    ----------
    says : what the number is, half a sentence.
    unit : of the number, or the range of a number without one; empty where `says` tells.
    shape : of what one draw gives: () for a number. A dimension is a number, the axis of the point that counts it, or
        any other word: all statistics of the study that name it have as many there.
    optional : whether a draw may lack it, which is NaN then; `measure` may leave it out if all draws of a block do.
    """

    says: str = field(metadata={"prose": True})
    unit: str = field(default="", metadata={"prose": True})
    shape: tuple[int | str, ...] = ()
    optional: bool = False


class Statistics(Mapping[str, Statistic]):
    """All statistics of a study by name, in the order of their columns; called, it names them, as a `Method` wants."""

    def __init__(self, described: Mapping[str, Statistic]) -> None:
        self._described = dict(described)

    def __getitem__(self, name: str) -> Statistic:
        return self._described[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._described)

    def __len__(self) -> int:
        return len(self._described)

    def __call__(self, **_: Any) -> tuple[str, ...]:
        """The names, which are the same at every point."""
        return tuple(self)

    def shapes(self, size: int, **sizes: int) -> dict[str, tuple[int, ...]]:
        """The shape of every column over so many draws, given what the dimensions count."""
        return {name: (size, *_counted(one.shape, sizes)) for name, one in self.items()}

    def checked(self, measure: Callable[..., Mapping[str, Any]]) -> Callable[..., dict[str, Any]]:
        """The same `measure`, held to return these statistics and no others, each with its shape.

        Raises
        ------
        ValueError : it does not.
        """

        @wraps(measure)
        def held(*world: Any, **point: Any) -> dict[str, Any]:
            return self._whole(dict(measure(*world, **point)), point)

        return held

    def _whole(self, found: dict[str, Any], point: Mapping[str, Any]) -> dict[str, Any]:
        """The columns in order, NaN in place of an optional one that no draw has."""
        lacking = [name for name, one in self.items() if name not in found and not one.optional]
        foreign = [name for name in found if name not in self]
        if lacking or foreign:
            raise ValueError(f"measure must return what is described, got none of {lacking} and the foreign {foreign}")
        sizes: dict[Any, Any] = dict(point)
        draws = len(next(iter(found.values())))
        for name, column in found.items():
            shape = self[name].shape
            if len(column.shape) == 1 + len(shape):
                sizes = dict(zip(shape, column.shape[1:], strict=True)) | sizes
            if column.shape != (wanted := (draws, *_counted(shape, sizes))):
                raise ValueError(f"measure must return {name} of shape {wanted}, got {column.shape}")
        absent = {name for name in self if name not in found}
        return {name: _nowhere(draws, self[name].shape, sizes) if name in absent else found[name] for name in self}


def _counted(shape: tuple[int | str, ...], sizes: Mapping[Any, Any]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else sizes[d] for d in shape)


def _nowhere(draws: int, shape: tuple[int | str, ...], sizes: Mapping[Any, Any]) -> Any:
    import numpy as np

    return np.full((draws, *_counted(shape, sizes)), np.nan)
