"""Rows on the span of the outputs' gradients: Theorem 7 of feature compression, point by point."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from theory import gradient_plane as plane
from theory.claim import Claim, Decoy, Sides

THEOREM = "Feature compression, Theorem 7"


def _outputs(gradients: Any, difference: Any, size: Any) -> Sides:
    return Sides(gradients @ plane.perturbation(gradients, difference, size), size * (gradients @ difference))


def _outputs_by_one(gradients: Any, difference: Any, size: Any) -> Sides:
    """From the gradient of the difference of the first two outputs alone."""
    one = (gradients[0] - gradients[-1])[None, :]
    return Sides(gradients @ plane.perturbation(one, difference, size), size * (gradients @ difference))


def _shortest(gradients: Any, difference: Any, size: Any, other: Any) -> Sides:
    """Against all solutions that differ by a vector normal to the gradients."""
    e = plane.perturbation(gradients, difference, size)
    normal = other - plane.projection(gradients, other)
    return Sides(np.linalg.norm(e), np.linalg.norm(e + size * np.array([[0.0], [1.0]]) * normal, axis=-1))


def _shorter_still(gradients: Any, difference: Any, size: Any, other: Any) -> Sides:
    left, right = _shortest(gradients, difference, size, other)
    return Sides(left, right / 2)


def _difference_only(gradients: Any, difference: Any, size: Any) -> Sides:
    one = gradients[:1] - gradients[1:2]
    return Sides(
        np.linalg.norm(plane.perturbation(one, difference, size)),
        np.linalg.norm(plane.perturbation(gradients[:2], difference, size)),
    )


def _quadratic(gradients: Any, curvatures: Any, y: Any) -> Any:
    """Outputs at x + y of quadratics with these gradients at x, up to their values there."""
    return gradients @ y + (curvatures @ y) @ y / 2


def _error(gradients: Any, curvatures: Any, x_1: Any, x_2: Any, size: Any, at_input: bool = False) -> Sides:
    seen = gradients + size * curvatures @ x_1 if at_input else gradients
    moved = size * x_1 + plane.perturbation(seen, x_2 - x_1, size)
    error = np.abs(_quadratic(gradients, curvatures, moved) - _quadratic(gradients, curvatures, size * x_2))
    smoothness = np.linalg.norm(curvatures, ord=2, axis=(1, 2))
    return Sides(error, plane.error_bound(seen, x_1, x_2, size, smoothness, at_input))


def _error_times(factor: Any, at_input: bool = False) -> Any:
    def theory(size: Any, **world: Any) -> Sides:
        left, right = _error(size=size, at_input=at_input, **world)
        return Sides(left, right * factor(size))

    return theory


def _relu(hidden: Any, output: Any, x: Any) -> Any:
    before = hidden @ x
    return output @ np.where(before > 0, before, 0 * before)


def _relu_plane(hidden: Any, output: Any, x: Any) -> Any:
    before = hidden @ x
    return (output * np.where(before > 0, 1 + 0 * before, 0 * before)) @ hidden


def _at_both(hidden: Any, output: Any, x: Any, x_1: Any, x_2: Any, size: Any) -> Sides:
    e = plane.perturbation(_relu_plane(hidden, output, x), x_2 - x_1, size)
    return Sides(_relu(hidden, output, x + size * x_1 + e), _relu(hidden, output, x + size * x_2))


def _kink(hidden: Any, output: Any, x: Any, x_1: Any, x_2: Any, size: Any) -> Sides:
    """Largest error over the size; the same for every smaller size where x is a kink of every unit."""
    given, wanted = _at_both(hidden, output, x, x_1, x_2, size)
    return Sides(np.max(abs(given - wanted)) / size, 0 * size)


def _labels(gradients: Any, offset: Any, x_1: Any, x_2: Any, size: Any) -> Sides:
    """1, the label has changed, against whether it has, for linear outputs with f_1 - f_2 = offset at x."""
    before = offset + size * np.sum((gradients[0] - gradients[1]) * x_1)
    e = plane.perturbation(gradients, x_2 - x_1, size)
    after = before + np.sum((gradients[0] - gradients[1]) * e)
    return Sides(1, int((before > 0) != (after > 0)))


def _near_boundary(gradients: Any, offset: Any, x_1: Any, x_2: Any, size: Any) -> Sides:
    g = gradients[0] - gradients[1]
    return Sides(abs(offset), size * max(abs(g @ x_1), abs(g @ x_2)))


def _halved(theory: Any) -> Any:
    return lambda **world: Sides(theory(**world).left, theory(**world).right / 2)


def _theorem_7(part: str, says: str, formula: str, **other: Any) -> Claim:
    return Claim(id=f"fc.thm7.{part}", source=THEOREM, says=says, formula=formula, **other)


CLAIMS: tuple[Claim, ...] = (
    _theorem_7(
        "outputs",
        "the projected step gives, to first order, the outputs of the whole step",
        r"\nabla f_i^T e = \epsilon \nabla f_i^T (x_2 - x_1), \quad e = \epsilon P (x_2 - x_1)",
        domain="any gradients, dependent or 0 too; exact for linear outputs",
        kind="identity",
        theory=_outputs,
        code=plane.perturbation,
        tolerance=1e-7,
        decoys=(Decoy("the gradient of one difference is enough", _outputs_by_one),),
    ),
    _theorem_7(
        "size",
        "no perturbation with the same outputs to first order is shorter",
        r"\|\epsilon P \Delta\| \le \|e\|, \quad \nabla f_i^T e = \epsilon \nabla f_i^T \Delta",
        domain="any gradients",
        kind="bound",
        theory=_shortest,
        code=plane.perturbation,
        tolerance=1e-9,
        decoys=(Decoy("half of it would do", _shorter_still),),
    ),
    _theorem_7(
        "difference",
        "to change the order of two outputs only, their difference's gradient takes a shorter step",
        r"\frac{\epsilon |g^T \Delta|}{\|g\|} \le \epsilon \|P \Delta\|, \quad g = \nabla f_1 - \nabla f_2",
        domain="two gradients and more",
        kind="bound",
        theory=_difference_only,
        code=plane.perturbation,
        tolerance=1e-9,
        status="extension",
        note="It gives the difference of both outputs, not the outputs.",
        decoys=(Decoy("it takes a longer one", lambda **world: Sides(*reversed(_difference_only(**world)))),),
    ),
    _theorem_7(
        "error",
        "the first-order equality errs by at most half the smoothness times the size squared times two lengths",
        r"|f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)|"
        r" \le \frac{\beta_i \epsilon^2}{2} \|n\| (\|x_1 + P \Delta\| + \|x_2\|), \quad n = (I - P) \Delta",
        domain="gradients that are Lipschitz with constant beta_i",
        kind="bound",
        theory=_error,
        code=plane.error_bound,
        tolerance=1e-9,
        status="extension",
        note="Makes the dotted equality of the theorem exact; attained by quadratics.",
        decoys=(
            Decoy("half of it", _error_times(lambda size: 0.5)),
            Decoy("of the third order in the size", _error_times(lambda size: size)),
        ),
    ),
    _theorem_7(
        "error.input",
        "with the gradients at the input itself the error has a bound of the same form",
        r"|f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)|"
        r" \le \frac{\beta_i \epsilon^2}{2} \|n\| (\|P \Delta\| + \|\Delta\|)",
        domain="gradients that are Lipschitz with constant beta_i, taken at x + epsilon x_1",
        kind="bound",
        theory=partial(_error, at_input=True),
        code=plane.error_bound,
        tolerance=1e-9,
        status="extension",
        decoys=(
            Decoy("half of it", _error_times(lambda size: 0.5, at_input=True)),
            Decoy("of the third order in the size", _error_times(lambda size: size, at_input=True)),
        ),
    ),
    _theorem_7(
        "kink.printed",
        "for a ReLU network the error is small relative to the size at every point",
        r"\frac{1}{\epsilon} |f_i(x + \epsilon x_1 + e) - f_i(x + \epsilon x_2)| \to 0",
        domain="one hidden layer of ReLU units, gradient 0 of a unit at its kink",
        kind="bound",
        theory=_kink,
        code=plane.perturbation,
        tolerance=1e-9,
        status="refuted",
        note="At a kink the theorem's assumption on first-order errors fails, at every size.",
    ),
    _theorem_7(
        "kink.corrected",
        "for a ReLU network the equality is exact while x and both points share one activation pattern",
        r"f_i(x + \epsilon x_1 + e) = f_i(x + \epsilon x_2)",
        domain="one hidden layer of ReLU units, one activation pattern",
        kind="identity",
        theory=_at_both,
        code=plane.perturbation,
        tolerance=1e-9,
        status="corrected",
        decoys=(Decoy("beyond that pattern too", lambda size, **world: _at_both(size=100 * size, **world)),),
    ),
    _theorem_7(
        "labels.printed",
        "the perturbation changes the classifier's label locally",
        r"\mathrm{label}(x + \epsilon x_1 + e) \ne \mathrm{label}(x + \epsilon x_1)",
        domain="any x, x_1 and x_2 and a small size; sides: 1 against whether the label changes",
        kind="bound",
        theory=_labels,
        code=plane.perturbation,
        tolerance=1e-9,
        status="refuted",
        note="Off the boundary x + eps x_1 and x + eps x_2 carry one label for small sizes.",
    ),
    _theorem_7(
        "labels.corrected",
        "the label changes only if x itself is within the order of the size of the boundary",
        r"|f_1(x) - f_2(x)| \le \epsilon \max(|g^T x_1|, |g^T x_2|), \quad g = \nabla f_1 - \nabla f_2",
        domain="linear outputs, different labels at x + eps x_1 and x + eps x_2",
        kind="bound",
        theory=_near_boundary,
        tolerance=1e-9,
        status="corrected",
        decoys=(Decoy("half as far", _halved(_near_boundary)),),
    ),
)
