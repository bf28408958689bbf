"""Accuracy under attack as a function of its radius: area, monotone envelope, and the signs of an attack that fails.

What an attack leaves is an upper bound on the true robust accuracy, and the true one falls as the radius grows: an
accuracy that rises with the radius, or a one-step attack that does worse than it looks, speaks of the attack and not of
the network (ConvNorm, Sections 2.3 and 5; Joint margin bounds, Figure 1). All but the flag work on NumPy, CuPy and
torch arrays and, exactly, on NumPy arrays of fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array


def area(accuracy: Array, input_radii: Array, weight_radii: Array) -> Array:
    """Mean accuracy over the rectangle of radii by the trapezoid rule, shape (...): 1 for accuracy 1 everywhere.

    The paper names the area under its surfaces but does not define it (Joint margin bounds, Figure 1); this is the
    integral over both radii divided by the rectangle's area, so that it lies between the least and the largest accuracy
    and no unit matters.

    Parameters
    ----------
    accuracy : (..., X, W), a fraction of 1; the mean of any other surface is taken, too.
    input_radii, weight_radii : (X,) and (W,), at least 2 each, increasing and none negative; the spacing may vary.

    Raises
    ------
    ValueError : for radii that are negative or do not increase, and for shapes that do not fit.
    """
    accuracy, input_radii, weight_radii = require.alike(
        accuracy=_surface(accuracy),
        input_radii=_radii("input_radii", input_radii),
        weight_radii=_radii("weight_radii", weight_radii),
    )
    xp, steps = array_namespace(accuracy), []
    for name, radii, size in (
        ("input_radii", input_radii, accuracy.shape[-2]),
        ("weight_radii", weight_radii, accuracy.shape[-1]),
    ):
        if radii.shape[0] != size or size < 2:
            raise ValueError(f"{name} must be 2 or more, one per accuracy, got {radii.shape[0]} for {size}")
        unit = magnitudes.unit(radii)
        widths = (radii[1:] - radii[:-1]) / unit
        if not bool(xp.all(widths > 0)):
            raise ValueError(f"{name} must increase, got a smallest step of {xp.min(widths) * unit[0]}")
        steps.append(widths / xp.sum(widths))
    along, across = steps
    corners = accuracy[..., 1:, 1:] + accuracy[..., 1:, :-1] + accuracy[..., :-1, 1:] + accuracy[..., :-1, :-1]
    mean = xp.sum(xp.sum(corners * along[:, None] * across, axis=-1), axis=-1) / 4
    below = magnitudes.at_most(mean, xp.max(xp.max(accuracy, axis=-1), axis=-1))
    return -magnitudes.at_most(-below, -xp.min(xp.min(accuracy, axis=-1), axis=-1))


def monotone_envelope(accuracy: Array) -> tuple[Array, Array]:
    """Running minimum of the surface along both axes, and the largest correction, shapes (..., X, W) and (...).

    Accuracy at smaller radii bounds nothing, but what an attack does within a small radius it may do within a large
    one: the envelope is the better estimate, and the correction a defect of the attack.
    """
    accuracy = _surface(accuracy)
    xp = array_namespace(accuracy)
    envelope = _running_minimum(_running_minimum(accuracy, -1), -2)
    return envelope, xp.max(xp.max(accuracy - envelope, axis=-1), axis=-1)


def joint_excess(accuracy: Array) -> Array:
    """A(x, 0) + A(0, w) - A(0, 0) - A(x, w), (..., X, W): what both cost together beyond the sum of single losses.

    Row 0 and column 0 of the surface must belong to radius 0.
    """
    accuracy = _surface(accuracy)
    return accuracy[..., :, :1] + accuracy[..., :1, :] - accuracy[..., :1, :1] - accuracy


def overfitted(fgsm: Array, pgd: Array, gap: float = 20.0, ratio: float = 0.5) -> Array:
    """Flags of catastrophic overfitting: FGSM - PGD > gap and PGD < ratio FGSM, accuracies in per cent.

    A single-step attack that leaves far more than a multi-step one within the same radius has failed: the training
    has bent the loss surface, and the higher accuracy is no robustness. It flags 7 of the 20 top-1
    cells of the paper's table (ConvNorm, Table 1); the next has a gap of 22.22 but a ratio of 0.60.

    Raises
    ------
    ValueError : for accuracies outside 0 to 100.
    """
    require.numbers("gap", gap)
    require.numbers("ratio", ratio)
    fgsm, pgd = require.alike(fgsm=require.numbers("fgsm", fgsm, 0, 100), pgd=require.numbers("pgd", pgd, 0, 100))
    return (fgsm - pgd > gap) & (pgd < ratio * fgsm)


def signed_step(x: Array, gradient: Array, epsilon: Array) -> Array:
    """FGSM, x + epsilon sign(gradient): the corner of the box around x that a linear loss is largest at.

    The paper prints it without "x +" (ConvNorm, Section 2.3.1).

    Parameters
    ----------
    x, gradient : arrays of one shape, or of shapes that broadcast.
    epsilon : at least 0, in the units of x; broadcasts.
    """
    x, gradient, epsilon = require.alike(
        x=require.finite("x", x),
        gradient=require.finite("gradient", gradient),
        epsilon=require.numbers("epsilon", epsilon, 0),
    )
    return x + epsilon * array_namespace(x).sign(gradient)


def projected_ascent(x: Array, gradient: Callable[[Array], Array], epsilon: Array, step: Array, steps: int) -> Array:
    """PGD: x^(t+1) = clip(x^t + step sign(gradient(x^t))) into [x - epsilon, x + epsilon], the last iterate.

    The paper prints the gradient at x instead of x^t (ConvNorm, Section 2.3.2). It is then the same at every step, and
    as soon as steps * step >= epsilon the result is that of `signed_step`.

    Parameters
    ----------
    x : array of any shape; epsilon, step : at least 0, in its units; they broadcast.
    gradient : of the loss with respect to the input, at any point.
    steps : at least 0.
    """
    epsilon, step = require.numbers("epsilon", epsilon, 0), require.numbers("step", step, 0)
    x, epsilon = require.alike(x=require.finite("x", x), epsilon=epsilon)
    xp, iterate = array_namespace(x), x
    for _ in range(require.integer("steps", steps, 0)):
        iterate = signed_step(iterate, gradient(iterate), step)
        iterate = xp.minimum(xp.maximum(iterate, x - epsilon), x + epsilon)
    return iterate


@dataclass(frozen=True)
class MaskedMargin:
    """A margin (t - centre)^2 - depth of one input t = 0: wrong only near the centre, so long steps overshoot it.

    The smallest world with masked gradients: FGSM accuracy rises with the radius while the true one falls.

    Parameters
    ----------
    centre : positive.
    depth : positive; below centre^2 the clean input is classified correctly.
    """

    centre: Array = 0.4
    depth: Array = 0.1

    def __post_init__(self) -> None:
        require.positive("centre", self.centre)
        require.positive("depth", self.depth)

    def margin(self, t: Array) -> Array:
        """Label minus runner-up at the input t, a number or an array; correct if positive."""
        t, centre, depth = require.alike(t=require.numbers("t", t), centre=self.centre, depth=self.depth)
        return (t - centre) ** 2 - depth

    def smallest_margin(self, epsilon: Array) -> Array:
        """min of the margin over |t| <= epsilon, exact."""
        return self.margin(min(require.budget("epsilon", epsilon), self.centre))

    def fgsm_accuracy(self, epsilon: Array) -> int:
        """1 if the input survives one signed step of this length, else 0."""
        return int(self.margin(require.budget("epsilon", epsilon)) > 0)

    def accuracy(self, epsilon: Array) -> int:
        """1 if no input within epsilon is misclassified, else 0."""
        return int(self.smallest_margin(epsilon) > 0)


def steps_to_boundary(epsilon: float, step: float) -> int:
    """Steps that an attack needs to reach the boundary of its own ball, ceil(epsilon / step) up to rounding.

    100 weight steps of 0.0005 stop at 0.05 (Joint margin bounds, Section 4): surfaces beyond it are of the attack.
    """
    quotient = require.budget("epsilon / step", require.budget("epsilon", epsilon) / require.positive("step", step))
    whole = round(quotient)
    return whole if abs(quotient - whole) <= 2 * math.ulp(quotient) else math.ceil(quotient)


def _surface(accuracy: Array) -> Array:
    accuracy = require.finite("accuracy", accuracy)
    if len(accuracy.shape) < 2:
        raise ValueError(f"accuracy must have an axis per radius, got shape {tuple(accuracy.shape)}")
    return accuracy


def _radii(name: str, radii: Array) -> Array:
    return require.numbers(name, require.finite(name, radii, ndim=1), 0)


def _running_minimum(values: Array, axis: int) -> Array:
    """min of all values up to each place; a loop, for the array standard has no such function."""
    xp = array_namespace(values)
    values = xp.moveaxis(values, axis, 0)
    rows = [values[0, ...]]
    for place in range(1, values.shape[0]):
        rows.append(xp.minimum(rows[-1], values[place, ...]))
    return xp.moveaxis(xp.stack(rows), 0, axis)
