"""The linear relaxation of a ReLU on an interval, and linear bounds carried through it (CROWN, Zhang et al. 2018).

On [l, u] with l < 0 < u the ReLU lies below its chord, u (p - l) / (u - l), and above s p for every slope s in [0, 1];
here s is 0 or 1, whichever leaves the smaller area between the lines. On an interval that does not cross 0 both lines
are the ReLU itself.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from theory.numerics.array import Array


class Lines(NamedTuple):
    """The lines over and under ReLUs, unit by unit, shaped as the units are.

    Parameters
    ----------
    over : slope of the upper line.
    intercept : value of the upper line at 0.
    under : slope of the lower line, which goes through 0.
    """

    over: Array
    intercept: Array
    under: Array

    def highest(self, slopes: Array) -> tuple[Array, Array]:
        """Slopes and constants, unit by unit, of linear functions of the inputs nowhere below slopes * ReLU(inputs)."""
        positive, negative = _parts(slopes)
        return positive * self.over + negative * self.under, positive * self.intercept

    def lowest(self, slopes: Array) -> tuple[Array, Array]:
        """Slopes and constants, unit by unit, of linear functions of the inputs nowhere above slopes * ReLU(inputs)."""
        positive, negative = _parts(slopes)
        return positive * self.under + negative * self.over, negative * self.intercept


def _parts(slopes: Array) -> tuple[Array, Array]:
    """The positive and the negative part."""
    xp = array_namespace(slopes)
    zero = xp.zeros_like(slopes)
    return xp.maximum(slopes, zero), xp.minimum(slopes, zero)


def relu_lines(lower: Array, upper: Array, *, level: int = 1) -> Lines:
    """The lines of ReLUs on [lower, upper], entry by entry; exact on `Fraction`, and at every scale of a dtype.

    Parameters
    ----------
    level : slope of the lower line where 0 and 1 leave the same area, u = -l.
    """
    xp = array_namespace(lower)
    one, zero, below = xp.ones_like(upper), xp.zeros_like(upper), -lower
    crossing = (lower < 0) & (upper > 0)
    on = xp.where(lower >= 0, one, zero)
    longer = xp.where(crossing, xp.maximum(upper, below), one)  # the width itself may overflow
    slope = xp.where(crossing, upper / longer, one) / xp.where(crossing, upper / longer - lower / longer, one)
    over = xp.where(crossing, slope, on)
    intercept = xp.where(crossing, -slope * lower, zero)
    under = xp.where(crossing & (upper >= below if level else upper > below), one, on)
    return Lines(over, intercept, under)
