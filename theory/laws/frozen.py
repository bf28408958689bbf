"""What frozen laws share: methods that take arrays of any shape, and what follows from a few of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps

import numpy as np
from numpy.typing import ArrayLike

from theory.numerics import require


def elementwise(method: Callable) -> Callable:
    """Lets a method of flat float arrays take arrays of any shape, and scalars."""

    @wraps(method)
    def vectorised(self, x: ArrayLike):
        points = require.points("x", x)
        with np.errstate(all="ignore"):
            return method(self, points.ravel()).reshape(points.shape)[()]

    return vectorised


class Derived:
    """A law's base class: what can be derived from its ppf, isf and var."""

    ppf: Callable
    isf: Callable
    var: Callable

    def std(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.var())

    def median(self):
        """The x with P(x) = 1/2."""
        return self.ppf(0.5)

    def interval(self, confidence: ArrayLike):
        """Both ends of the interval of this probability that leaves equal tails."""
        tail = (1 - require.points("confidence", confidence)) / 2
        return self.ppf(tail), self.isf(tail)


class Positive(Derived):
    """A base class of laws on (0, inf), with a moment of their own; and a variance, since E X^2 - (E X)^2 cancels."""

    moment: Callable[[float], float]

    def mean(self) -> float:
        """Expectation."""
        return self.moment(1)

    def support(self) -> tuple[float, float]:
        """0 and infinity."""
        return 0.0, math.inf


class FromOne(Positive):
    """A base class of laws on (1, inf), as those of condition numbers are."""

    def support(self) -> tuple[float, float]:
        """1 and infinity."""
        return 1.0, math.inf
