"""Rows on path integrals: Section 5 of feature compression."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.gradients import path_length as paths
from theory.gradients.gradient_plane import tanh_smoothness
from theory.numerics.array import Array, Number
from theory.spaces import linear as spaces
from theory.worlds import path_length as worlds

SECTION = "Feature compression, Section 5"
POINTS, WEIGHTS = (np.polynomial.legendre.leggauss(40)[0] + 1) / 2, np.polynomial.legendre.leggauss(40)[1] / 2


def _network(output: Array, hidden: Array, bias: Array, x: Array) -> Array:
    """The output of a network of one hidden layer of tanh units."""
    return np.tanh(x @ hidden.T + bias) @ output


def network_gradient(output: Array, hidden: Array, bias: Array, x: Array) -> Array:
    """Its gradient with respect to the input."""
    return (output * (1 - np.tanh(x @ hidden.T + bias) ** 2)) @ hidden


def segment(output: Array, hidden: Array, bias: Array, x_1: Array, x_2: Array) -> tuple[Array, Array]:
    """The change of f, and its gradients at the Gauss points of the segment from x_2 to x_1."""
    change = _network(output, hidden, bias, x_1) - _network(output, hidden, bias, x_2)
    along = x_2 + POINTS[:, None] * (x_1 - x_2)
    return change, network_gradient(output, hidden, bias, along)


def _direct(x_1: Array, x_2: Array, **network: Any) -> Sides:
    """The change of f, and the integral of the gradient's length times a cosine, against the integral of the slope."""
    change, gradients = segment(x_1=x_1, x_2=x_2, **network)
    cosines = paths.cosines(gradients, x_1 - x_2)
    integral = np.linalg.norm(x_1 - x_2) * WEIGHTS @ (np.linalg.norm(gradients, axis=-1) * cosines)
    return Sides(np.array([change, integral]), np.full(2, paths.change_along(gradients, x_1 - x_2, WEIGHTS)))


def _steepest_all_the_way(x_1: Array, x_2: Array, **network: Any) -> Sides:
    """The change of f, against the fall if every cosine were -1."""
    change, gradients = segment(x_1=x_1, x_2=x_2, **network)
    return Sides(change, -np.linalg.norm(x_1 - x_2) * WEIGHTS @ np.linalg.norm(gradients, axis=-1))


def _gradient_of_the_start(x_1: Array, x_2: Array, **network: Any) -> Sides:
    """The change of f, against that by the gradient at x_2."""
    change, _ = segment(x_1=x_1, x_2=x_2, **network)
    return Sides(change, network_gradient(x=x_2, **network) @ (x_1 - x_2))


class _Attack(NamedTuple):
    """Steepest descent of a function from 0, where it is 0, and a straight path with the same fall."""

    drop: float
    end: Array
    gradients: Array
    straight: Array
    straight_gradients: Array


def _value(y: Array, slope: Array, curvature: Array, output: Array, hidden: Array) -> Array:
    """The sum of a quadratic and a network of tanh units."""
    return y @ slope + np.sum(y @ curvature * y, axis=-1) / 2 + np.tanh(y @ hidden.T) @ output


def _gradient(y: Array, slope: Array, curvature: Array, output: Array, hidden: Array) -> Array:
    return slope + y @ curvature + network_gradient(output, hidden, 0.0, y)


def _descend(length: float, direction: Array, **f: Any) -> _Attack:
    """Steepest descent of a given length, and a straight path as near to a direction as the same fall allows."""
    path = paths.descent(lambda y: _gradient(y, **f), np.zeros(len(direction)), length, steps=16)
    end = path.points[-1]
    drop, slope, ahead = -float(_value(end, **f)), np.linalg.norm(path.gradients[0]), end / np.linalg.norm(end)
    along = np.linspace(0, 20, 201)[:, None] * np.linalg.norm(end)
    share = 1.0
    while True:  # the nearest direction to the one wanted along which f falls as far, and steeply
        v = share * direction / np.linalg.norm(direction) + (1 - share) * ahead
        v /= np.linalg.norm(v)
        there = int(np.argmax(_value(along * v, **f) <= -drop))
        if there and np.all(_gradient(along[: there + 1] * v, **f) @ v < -0.04 * slope):
            break
        share *= 0.7
    far = brentq(lambda t: _value(t * v, **f) + drop, *along[there - 1 : there + 1, 0], xtol=1e-15)
    return _Attack(drop, end, path.gradients, far * v, _gradient(POINTS[:, None] * far * v, **f))


def _attack(length: float, **world: Any) -> Sides:
    """The fall on the path of steepest descent, against minus the integral of the gradient's length."""
    attack = _descend(length, **world)
    return Sides(-attack.drop, paths.descent_change(attack.gradients, length))


def _attack_at_start(length: float, **world: Any) -> Sides:
    """The fall, against that by the first gradient all the way."""
    attack = _descend(length, **world)
    return Sides(-attack.drop, -length * np.linalg.norm(attack.gradients[0]))


def _ratio(length: float, weighted: bool = True, **world: Any) -> Sides:
    """The ratio of both lengths, against the compression times the ratio of mean gradients."""
    attack = _descend(length, **world)
    direct = WEIGHTS @ np.linalg.norm(attack.straight_gradients, axis=-1)
    attacked = -paths.descent_change(attack.gradients, 1.0)
    compression = (
        paths.weighted_compression(attack.straight_gradients, attack.straight, WEIGHTS)
        if weighted
        else -WEIGHTS @ paths.cosines(attack.straight_gradients, attack.straight)
    )
    return Sides(length / np.linalg.norm(attack.straight), compression * direct / attacked)


def _ratio_without_gradients(length: float, **world: Any) -> Sides:
    """The ratio of both lengths, against the weighted compression alone."""
    attack = _descend(length, **world)
    compression = paths.weighted_compression(attack.straight_gradients, attack.straight, WEIGHTS)
    return Sides(length / np.linalg.norm(attack.straight), compression)


def _bounds(length: float, **world: Any) -> tuple[Array, Array, Array, Array]:
    """The ratio l / L, the mean compression, and the bounds from the gradients on both paths."""
    attack = _descend(length, **world)
    sizes = [np.linalg.norm(g, axis=-1) for g in (attack.gradients, attack.straight_gradients)]
    least, largest = min(map(np.min, sizes)), max(map(np.max, sizes))
    compression = -WEIGHTS @ paths.cosines(attack.straight_gradients, attack.straight)
    return length / np.linalg.norm(attack.straight), compression, *paths.ratio_bounds(compression, least, largest)


def _necessary(**world: Any) -> Sides:
    ratio, _, lower, _ = _bounds(**world)
    return Sides(lower, ratio)


def _sufficient(**world: Any) -> Sides:
    ratio, _, _, upper = _bounds(**world)
    return Sides(ratio, upper)


def _parabola(curvature: Number) -> Sides:
    """The straight way from 0 to (1, 0) along the gradient of f = 1 - u - K v^2, against the shortest to f = 0."""
    return Sides(1.0, float(_parabola_squared(curvature).right) ** 0.5)


def _parabola_squared(curvature: Number) -> Sides:
    """The squares of both, which keep fractions exact."""
    return Sides(1, 1 / curvature - 1 / (4 * curvature * curvature) if 2 * curvature > 1 else 1)


def _bent(curvature: Number) -> dict[str, bool]:
    return {"f falls beside the direct path too: K > 0": curvature > 0}


def _saturating(tilt: float, step: float, drop: float) -> Sides:
    """A bound (D - b) / a of the way to a fall D of 1 - a u - b tanh v, against L |cos theta| = D / ||grad f(0)||."""
    return Sides((drop - step) / tilt, drop / np.hypot(tilt, step))


def _saturating_squared(tilt: Number, step: Number, drop: Number) -> Sides:
    """The squares of both, which keep fractions exact."""
    return Sides(((drop - step) / tilt) ** 2, drop**2 / (tilt**2 + step**2))


def _beyond_saturation(tilt: Number, step: Number, drop: Number) -> dict[str, bool]:
    return {
        "f falls along both axes: a and b are positive": tilt > 0 and step > 0,
        "the fall is more than the saturating direction has: D > b": drop > step,
    }


def _lengths(length: float, **world: Any) -> Sides:
    """The lower bound, the distance reached and the length of descent, against what bounds each from above."""
    attack = _descend(length, **world)
    slope = float(np.linalg.norm(attack.gradients[0]))
    smoothness = np.linalg.norm(world["curvature"], 2) + tanh_smoothness(world["output"], world["hidden"])
    shortest, longest = paths.length_bounds(slope, float(smoothness), attack.drop)
    reached = np.linalg.norm(attack.end)
    return Sides(np.array([shortest, reached, length]), np.array([reached, length, longest]))


def _first_order_below(length: float, **world: Any) -> Sides:
    """The length to first order, against the distance reached."""
    attack = _descend(length, **world)
    return Sides(attack.drop / np.linalg.norm(attack.gradients[0]), np.linalg.norm(attack.end))


def _first_order_above(length: float, **world: Any) -> Sides:
    """The length of descent, against that to first order."""
    return Sides(length, _first_order_below(length, **world).left)


_said = rows(SECTION, reconstructed=True, tolerance=1e-6)
_extension = rows(SECTION, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    _said(
        "fc.eq8",
        at="equation (8)",
        says="the change of f along the segment is the integral of the gradient's length times a cosine",
        formula=r"f(x_1) - f(x_2) = \int_0^L \|\nabla f\| \cos \theta\, dl",
        domain="f with a continuous gradient; drawn: networks of tanh units, Gauss's rule",
        kind="identity",
        theory=_direct,
        world=worlds.network,
        code=paths.change_along,
        tolerance=1e-8,
        quotes=(
            Quote("Following this path, we can write [..] in another way", "Section 5, at equation (8)"),
            Quote(
                "[..] is the angle between the gradient of [..] (at the point [..]) and the direction",
                "Section 5, below equation (8)",
            ),
        ),
        reading="The lost equation is read as the fundamental theorem of calculus along the segment; that the gradient"
        " of f = f_2 - f_1 is continuous is added.",
        note="ReLU networks: fc.eq8.relu.",
        decoys=(
            Decoy("steepest descent all the way", _steepest_all_the_way),
            Decoy("the gradient of the clean point all the way", _gradient_of_the_start),
        ),
    ),
    _said(
        "fc.eq9",
        at="equation (9)",
        says="the change of f along the path of steepest descent is minus the integral of the gradient's length",
        formula=r"f(x_2 + e) - f(x_2) = -\int_0^{\ell} \|\nabla f\|\, dl",
        domain="gradient not 0 on the path; drawn: tanh networks plus quadratics, Runge and Kutta's steps",
        kind="identity",
        theory=_attack,
        world=worlds.descent,
        code=paths.descent_change,
        quotes=(
            Quote(
                "in each step (iteration), goes in the negative direction of the gradient of",
                "Section 5, above equation (9)",
            ),
            Quote(
                "from the perspective of the adversarial attackers, [..] can also be written in another way",
                "Section 5, at equation (9)",
            ),
        ),
        reading="The lost equation is read as the integral along the path of infinitely small steps; that the gradient"
        " is continuous and vanishes nowhere on the path is added.",
        decoys=(Decoy("the first gradient all the way", _attack_at_start),),
    ),
    _extension(
        "fc.sec5.ratio",
        says="for one change of f on both paths, l / L is the weighted compression times the ratio of mean gradients",
        formula=r"\frac{\ell}{L} = C \frac{\bar{g}_{\mathrm{direct}}}{\bar{g}_{\mathrm{attack}}},"
        r" \quad C = -\frac{\int \|\nabla f\| \cos \theta\, dl}{\int \|\nabla f\|\, dl}",
        domain="gradient not 0 on the attack's path",
        kind="identity",
        theory=_ratio,
        world=worlds.descent,
        code=paths.weighted_compression,
        tolerance=1e-6,
        note="Equations (8) and (9) divided by each other: what the section argues, as an equation.",
        decoys=(
            Decoy("the plain mean of the cosines", partial(_ratio, weighted=False)),
            Decoy("compression alone", _ratio_without_gradients),
        ),
    ),
    _said(
        "fc.sec5.necessary",
        says="the attack's path is at least the mean compression times the ratio of the least to the largest gradient",
        formula=r"\frac{g_{\min}}{g_{\max}}\, \overline{|\cos \theta|} \le \frac{\ell}{L}",
        domain="g_min <= ||grad f|| <= g_max on both paths, cos theta <= 0 on the direct one",
        kind="bound",
        theory=_necessary,
        world=worlds.descent,
        code=paths.ratio_bounds,
        quotes=(
            Quote(
                "feature compression is also a necessary condition for adversarial fragility to happen, if the"
                " magnitudes of the NN classifier’s gradients do not experience dramatic changes",
                "Section 5",
            ),
        ),
        reading="Fragile: l / L is small; compressed: the mean of |cos theta| on the direct path is; no dramatic"
        " changes: both bounds on the gradients, whose ratio is the price. That f never rises on the way is added.",
        note="Of steepest descent; of the shortest perturbation if g_max holds on the ball around x_2. Without the"
        " paper's condition on the gradients it fails: fc.sec5.necessary.tempting.",
        decoys=(
            Decoy(
                "the mean compression itself",
                lambda **world: Sides(_bounds(**world)[1], _bounds(**world)[0]),
            ),
        ),
    ),
    _extension(
        "fc.sec5.necessary.tempting",
        says="without compression on the direct path no perturbation is shorter than it, whatever the gradients beside",
        formula=r"\cos \theta = -1, \; \|\nabla f\| = 1 \; \mathrm{on\ the\ path} \;\Rightarrow\; L \le \min \|e\|",
        domain="f = 1 - u - K v^2, from 0 to the point (1, 0) of f = 0",
        kind="bound",
        theory=_parabola,
        space=spaces.parabola,
        replay=_parabola_squared,
        code=paths.ratio_bounds,
        tolerance=1e-9,
        tempting=True,
        instead=("fc.sec5.necessary",),
        hypotheses=_bent,
        note="Why the paper's condition on the gradients is needed: in the stored world the gradient is 1 on the direct"
        " path, and grows 20-fold beside it.",
    ),
    _said(
        "fc.sec5.sufficient",
        says="the attack's path is at most the mean compression times the ratio of the largest to the least gradient",
        formula=r"\frac{\ell}{L} \le \frac{g_{\max}}{g_{\min}}\, \overline{|\cos \theta|}",
        domain="g_min <= ||grad f|| <= g_max on both paths; drawn: cos theta <= 0 on the direct one",
        kind="bound",
        theory=_sufficient,
        world=worlds.descent,
        code=paths.ratio_bounds,
        quotes=(
            Quote(
                "because (8) has this compression term [..] the direct path’s length [..] needs to be much bigger than"
                " the path length [..] followed by the adversarial attack",
                "Section 5, below equation (9)",
            ),
            Quote(
                "assuming that the magnitudes of the gradients of [..] are roughly the same at locations of interest",
                "Section 5, below equation (9)",
            ),
        ),
        reading="Much bigger: at least by 1 over the mean of |cos theta| on the direct path, up to the ratio of the"
        " bounds on the gradients, which make 'roughly the same' a number.",
        note="Without the paper's condition on the gradients it fails: fc.sec5.sufficient.tempting.",
        decoys=(
            Decoy(
                "the mean compression itself",
                lambda **world: Sides(_bounds(**world)[0], _bounds(**world)[1]),
            ),
        ),
    ),
    _extension(
        "fc.sec5.sufficient.tempting",
        says="compression at x_2 alone makes fragile: the shortest perturbation is at most |cos theta| times L",
        formula=r"\min \|e\| \le L |\cos \theta|",
        domain="f = 1 - a u - b tanh v, from 0 to the point of f = 1 - D on the axis of u",
        kind="bound",
        theory=_saturating,
        space=spaces.saturation,
        replay=_saturating_squared,
        code=paths.ratio_bounds,
        tolerance=1e-9,
        tempting=True,
        instead=("fc.sec5.sufficient",),
        hypotheses=_beyond_saturation,
        note="Why the paper's condition on the gradients is needed: at x_2 the gradient mostly sees a direction that"
        " saturates soon, and in the stored world it falls 5-fold. Left side: tanh < 1 bounds the way from below.",
    ),
    _extension(
        "fc.sec5.lengths",
        says="slope, smoothness and fall bound the shortest perturbation below and steepest descent above",
        formula=r"\frac{2D}{g + \sqrt{g^2 + 2 \beta D}} \le \|e\| \le \ell \le \frac{2D}{g + \sqrt{g^2 - 2 \beta D}}",
        domain="gradient Lipschitz with constant beta; no upper bound where g^2 < 2 beta D",
        kind="bound",
        theory=_lengths,
        world=worlds.descent,
        code=paths.length_bounds,
        tolerance=1e-6,
        note="Attained by quadratics.",
        decoys=(
            Decoy("the first-order length as the lower bound", _first_order_below),
            Decoy("the first-order length as the upper bound", _first_order_above),
        ),
    ),
)
