"""Rows on the span of the outputs' gradients: Theorem 7 of feature compression, point by point."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.fc.right_sides import with_right_times
from theory.gradients import gradient_plane as plane
from theory.numerics.array import Array, Number
from theory.spaces import linear as spaces
from theory.worlds import gradient_plane as worlds

THEOREM = "Feature compression, Theorem 7"


def _outputs(gradients: Array, difference: Array, size: Number, seen: Array = None) -> Sides:
    """The outputs to first order and the length of the step, against those of the projection by least squares."""
    e = plane.perturbation(gradients if seen is None else seen, difference, size)
    wanted = gradients @ difference
    projected = np.linalg.lstsq(gradients, wanted, rcond=None)[0]
    return Sides(np.append(gradients @ e, np.linalg.norm(e)), size * np.append(wanted, np.linalg.norm(projected)))


def _outputs_by_one(gradients: Array, difference: Array, size: Number) -> Sides:
    """The same from the gradient of the difference of the first and the last output alone."""
    return _outputs(gradients, difference, size, seen=(gradients[0] - gradients[-1])[None, :])


def _shortest(gradients: Array, difference: Array, size: Number, other: Array) -> Sides:
    """The length of the step, against those of solutions that differ by a vector normal to the gradients."""
    e = plane.perturbation(gradients, difference, size)
    normal = other - plane.projection(gradients, other)
    return Sides(np.linalg.norm(e), np.linalg.norm(e + size * np.array([[0.0], [1.0]]) * normal, axis=-1))


def _difference_only(gradients: Array, difference: Array, size: Number) -> Sides:
    """The step along the gradient of one difference of outputs, against that along both gradients."""
    one = gradients[:1] - gradients[1:2]
    return Sides(
        np.linalg.norm(plane.perturbation(one, difference, size)),
        np.linalg.norm(plane.perturbation(gradients[:2], difference, size)),
    )


def _quadratic(gradients: Array, curvatures: Array, y: Array) -> Array:
    """The outputs at x + y of quadratics with these gradients at x, up to their values there."""
    return gradients @ y + (curvatures @ y) @ y / 2


def _error(gradients: Array, curvatures: Array, x_1: Array, x_2: Array, size: Number, at_input: bool = False) -> Sides:
    """The error of the first order at both outputs, against its bound."""
    seen = gradients + size * curvatures @ x_1 if at_input else gradients
    moved = size * x_1 + plane.perturbation(seen, x_2 - x_1, size)
    error = np.abs(_quadratic(gradients, curvatures, moved) - _quadratic(gradients, curvatures, size * x_2))
    smoothness = np.linalg.norm(curvatures, ord=2, axis=(1, 2))
    return Sides(error, plane.error_bound(seen, x_1, x_2, size, smoothness, at_input))


def _error_times(factor: Callable[[float], float], at_input: bool = False) -> Callable[..., Sides]:
    """The bound of the error times a factor that may depend on the size."""

    def theory(size: float, **world: Any) -> Sides:
        left, right = _error(size=size, at_input=at_input, **world)
        return Sides(left, right * factor(size))

    return theory


def _relu(hidden: Array, output: Array, x: Array) -> Array:
    """The outputs of a network of one hidden layer of ReLU units."""
    before = hidden @ x
    return output @ np.where(before > 0, before, 0 * before)


def _relu_plane(hidden: Array, output: Array, x: Array) -> Array:
    """The gradients of its outputs, that of a unit 0 at its kink."""
    before = hidden @ x
    return (output * np.where(before > 0, 1 + 0 * before, 0 * before)) @ hidden


def _at_both(hidden: Array, output: Array, x: Array, x_1: Array, x_2: Array, size: Number) -> Sides:
    """The outputs after the step, against those at the other point."""
    e = plane.perturbation(_relu_plane(hidden, output, x), x_2 - x_1, size)
    return Sides(_relu(hidden, output, x + size * x_1 + e), _relu(hidden, output, x + size * x_2))


def _kink(hidden: Array, output: Array, x: Array, x_1: Array, x_2: Array, size: Number) -> Sides:
    """The largest error over the size, which is the same for every smaller size if x is a kink of every unit."""
    given, wanted = _at_both(hidden, output, x, x_1, x_2, size)
    return Sides(np.max(abs(given - wanted)) / size, 0 * size)


def _at_a_kink(hidden: Array, output: Array, x: Array, size: Number, **_: Any) -> dict[str, bool]:
    return {
        "x is at the kink of every unit": bool(np.all(hidden @ x == 0)),
        "the layers fit": output.shape[-1] == hidden.shape[0],
        "the size is positive": size > 0,
    }


def _labels(gradients: Array, offset: Number, x_1: Array, x_2: Array, size: Number) -> Sides:
    """One, the label has changed, against whether it has, for linear outputs with f_1 - f_2 = offset at x."""
    before = offset + size * np.sum((gradients[0] - gradients[1]) * x_1)
    e = plane.perturbation(gradients, x_2 - x_1, size)
    after = before + np.sum((gradients[0] - gradients[1]) * e)
    return Sides(1, int((before > 0) != (after > 0)))


def _of_both_classes(gradients: Array, offset: Number, x_1: Array, x_2: Array, size: Number) -> dict[str, bool]:
    g = gradients[0] - gradients[1]
    return {
        "the size is positive": size > 0,
        "x + x_1 is of class 1": offset + g @ x_1 > 0,
        "x + x_2 is of class 2": offset + g @ x_2 < 0,
    }


def _near_boundary(gradients: Array, offset: Number, x_1: Array, x_2: Array, size: Number) -> Sides:
    """How far x is from a tie, against how far the steps to both points change the difference of the outputs."""
    g = gradients[0] - gradients[1]
    return Sides(abs(offset), size * max(abs(g @ x_1), abs(g @ x_2)))


_said = rows(THEOREM, reconstructed=True, code=plane.perturbation)
_corrected = rows(THEOREM, status="corrected")
_extension = rows(THEOREM, status="extension", tolerance=1e-9)

CLAIMS: tuple[Claim, ...] = (
    _said(
        "fc.thm7.outputs",
        says="the projected step, of the length of the projection, gives to first order the outputs of the whole step",
        formula=r"\nabla f_i^T e = \epsilon \nabla f_i^T (x_2 - x_1), \quad e = \epsilon P (x_2 - x_1)",
        domain="any gradients, dependent or 0 too; exact for linear outputs",
        kind="identity",
        theory=_outputs,
        world=worlds.local_gradients,
        tolerance=1e-7,
        quotes=(
            Quote(
                "we can add a perturbation [..] to [..] such that [..]"
                " (dot equality in the sense of first-order approximation of",
                "Theorem 7",
            ),
            Quote(
                "the magnitude of [..] satisfies [..], where [..] is the projection [..] onto the subspace spanned by",
                "Theorem 7",
            ),
        ),
        reading="The lost formulas are read as f_i(x + eps x_1 + e) = f_i(x + eps x_2) for the two classes and as"
        " ||e|| <= eps ||P (x_2 - x_1)||; tried for any number of outputs.",
        note="What the first order leaves out is bounded in fc.thm7.error.",
        decoys=(Decoy("the gradient of one difference is enough", _outputs_by_one),),
    ),
    _extension(
        "fc.thm7.size",
        says="no perturbation with the same outputs to first order is shorter",
        formula=r"\|\epsilon P \Delta\| \le \|e\|, \quad \nabla f_i^T e = \epsilon \nabla f_i^T \Delta",
        domain="any gradients",
        kind="bound",
        theory=_shortest,
        world=worlds.local_gradients_and_other,
        code=plane.perturbation,
        credit="textbook",
        note="The solution of least length of linear equations. The theorem says that a step of this size is enough.",
        decoys=(Decoy("half of it would do", with_right_times(_shortest, 0.5)),),
    ),
    _extension(
        "fc.thm7.difference",
        says="to change the order of two outputs only, their difference's gradient takes a shorter step",
        formula=r"\frac{\epsilon |g^T \Delta|}{\|g\|} \le \epsilon \|P \Delta\|, \quad g = \nabla f_1 - \nabla f_2",
        domain="two gradients and more",
        kind="bound",
        theory=_difference_only,
        world=worlds.local_gradients,
        code=plane.perturbation,
        credit="textbook",
        note="It gives the difference of both outputs, not the outputs.",
        decoys=(Decoy("it takes a longer one", lambda **world: _difference_only(**world).swapped),),
    ),
    _extension(
        "fc.thm7.error",
        says="the first-order equality errs by at most half the smoothness times the size squared times two lengths",
        formula=r"|f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)|"
        r" \le \frac{\beta_i \epsilon^2}{2} \|n\| (\|x_1 + P \Delta\| + \|x_2\|), \quad n = (I - P) \Delta",
        domain="gradients that are Lipschitz with constant beta_i",
        kind="bound",
        theory=_error,
        world=worlds.quadratics,
        code=plane.error_bound,
        credit="ours",
        note="Makes the dotted equality of the theorem exact; attained by quadratics.",
        decoys=(
            Decoy("half of it", _error_times(lambda size: 0.5)),
            Decoy("of the third order in the size", _error_times(lambda size: size)),
        ),
    ),
    _extension(
        "fc.thm7.error.input",
        says="with the gradients at the input itself the error has a bound of the same form",
        formula=r"|f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)|"
        r" \le \frac{\beta_i \epsilon^2}{2} \|n\| (\|P \Delta\| + \|\Delta\|)",
        domain="gradients that are Lipschitz with constant beta_i, taken at x + epsilon x_1",
        kind="bound",
        theory=partial(_error, at_input=True),
        world=worlds.quadratics,
        code=plane.error_bound,
        credit="ours",
        note="An attacker has the gradients at the input; the theorem takes them at x.",
        decoys=(
            Decoy("half of it", _error_times(lambda size: 0.5, at_input=True)),
            Decoy("of the third order in the size", _error_times(lambda size: size, at_input=True)),
        ),
    ),
    _extension(
        "fc.thm7.kink.tempting",
        says="for a ReLU network the error is small relative to the size at every point",
        formula=r"\frac{1}{\epsilon} |f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)| \to 0",
        domain="one hidden layer of ReLU units, gradient 0 of a unit at its kink; sides: the error over the size, 0",
        kind="bound",
        theory=_kink,
        space=spaces.kink,
        code=plane.perturbation,
        credit="ours",
        tempting=True,
        instead=("fc.thm7.kink",),
        hypotheses=_at_a_kink,
        note="The theorem does not speak of it: at a kink its assumption of a small first-order error fails. Where x is"
        " at the kink of every unit, the error over the size is the same at every size.",
    ),
    _extension(
        "fc.thm7.kink",
        says="for a ReLU network the equality is exact while x and both points share one activation pattern",
        formula=r"f_i(x + \epsilon x_1 + e) = f_i(x + \epsilon x_2)",
        domain="one hidden layer of ReLU units, one activation pattern",
        kind="identity",
        theory=_at_both,
        world=worlds.one_pattern,
        code=plane.perturbation,
        credit="textbook",
        note="There the network is linear, and the theorem's first-order error is 0.",
        decoys=(Decoy("beyond that pattern too", lambda size, **world: _at_both(size=100 * size, **world)),),
    ),
    _said(
        "fc.thm7.labels.reading",
        says="the perturbation of the theorem changes the classifier's label, at every point and every small size",
        formula=r"\mathrm{label}(x + \epsilon x_1 + e) \ne \mathrm{label}(x + \epsilon x_1)",
        domain="linear outputs, x + x_1 of class 1, x + x_2 of class 2; sides: 1 against whether the label changes",
        kind="bound",
        theory=_labels,
        space=spaces.two_labels,
        tolerance=1e-9,
        status="reading",
        quotes=(
            Quote("Consider a multi-layer neural network for classification and an arbitrary point", "Theorem 7"),
            Quote(
                "than just changing the classifier’s label locally using adversarial perturbations",
                "Theorem 7",
            ),
        ),
        reading="Changing the label is taken to be what e does at an arbitrary x, for every small size; a label is the"
        " class of the larger of two outputs. The theorem's formulas speak of outputs only.",
        defect="Theorem 7 compares its perturbation with changing the label; it gives the outputs of x + eps x_2, and"
        " off the boundary that point has the label of x + eps x_1 for every small eps, so that no label changes",
        instead=("fc.thm7.labels.corrected", "fc.thm7.outputs"),
        hypotheses=_of_both_classes,
        note="The outputs are linear, so that the theorem's first-order error is 0. In the stored world the label does"
        " not change at any smaller size either: f_1 - f_2 is positive at x, and linear.",
    ),
    _corrected(
        "fc.thm7.labels.corrected",
        says="the label changes only if x itself is within the order of the size of the boundary",
        formula=r"|f_1(x) - f_2(x)| \le \epsilon \max(|g^T x_1|, |g^T x_2|), \quad g = \nabla f_1 - \nabla f_2",
        domain="linear outputs, different labels at x + eps x_1 and x + eps x_2",
        kind="bound",
        theory=_near_boundary,
        world=worlds.two_labels,
        tolerance=1e-9,
        note="So 'locally' has to mean near the boundary: x is nearly a tie.",
        decoys=(Decoy("half as far", with_right_times(_near_boundary, 0.5)),),
    ),
)
