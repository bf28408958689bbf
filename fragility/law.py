"""What a theory may say of a random number: its law, or one of its moments."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Law(Protocol):
    """What is asked of a law on the line; every continuous frozen distribution of scipy.stats answers it."""

    def cdf(self, x: Any) -> Any: ...
    def sf(self, x: Any) -> Any: ...
    def pdf(self, x: Any) -> Any: ...
    def ppf(self, q: Any) -> Any: ...
    def isf(self, q: Any) -> Any: ...
    def mean(self) -> Any: ...
    def var(self) -> Any: ...
    def support(self) -> Any: ...
    def rvs(self, size: Any = ..., random_state: Any = ...) -> Any: ...


@dataclass(frozen=True)
class Moment:
    """The expectation of one number per draw, with a bound on its standard deviation under the same theory.

    The spread is what makes a band for an unbounded variable possible at all: without one, no finite sample
    says anything about a mean.

    Parameters
    ----------
    per_draw : maps the recorded statistic, (size, ...), to one number per draw, (size,).
    mean : what the theory says E[per_draw] is.
    sd : an upper bound on its standard deviation, positive.
    laws : one per column; `per_draw` is then given the columns' probability integral transforms instead.

    Raises
    ------
    ValueError : the mean is not finite, or the spread not positive and finite: there is no band then.
    """

    per_draw: Callable[[np.ndarray], np.ndarray]
    mean: float
    sd: float
    laws: Sequence[Law] | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and 0 < self.sd < math.inf):
            raise ValueError(
                f"a moment must have a finite mean and a positive, finite spread, got {self.mean:g} and {self.sd:g}"
            )
