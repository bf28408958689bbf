"""Rows on areas under surfaces of robust accuracy, and on how far an attack comes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory.convolution import robust_accuracy
from theory.convolution.robust_accuracy import projected_ascent
from theory.worlds import robust_accuracy as worlds


def _bilinear(coefficients: np.ndarray, input_radii: np.ndarray, weight_radii: np.ndarray) -> np.ndarray:
    """The bilinear surface on a grid of radii."""
    a, b, c, d = coefficients
    x = input_radii[:, None]
    return a + b * x + c * weight_radii + d * x * weight_radii


def _area(coefficients: np.ndarray, input_radii: np.ndarray, weight_radii: np.ndarray) -> Sides:
    """The trapezoid rule integrates bilinear surfaces exactly: their mean is the value at the rectangle's centre."""
    surface = _bilinear(coefficients, input_radii, weight_radii)
    centre = (radii[[0, -1]].mean(keepdims=True) for radii in (input_radii, weight_radii))
    exact = _bilinear(coefficients, *centre)[0, 0]
    return Sides(exact, robust_accuracy.area(surface, input_radii, weight_radii))


def _grid_mean(**world: np.ndarray) -> Sides:
    """The mean of the surface, against that of its values on the grid."""
    return Sides(_area(**world).left, np.mean(_bilinear(**world)))


def _envelope(accuracy: np.ndarray) -> Sides:
    """Each value of the envelope against its two neighbours at smaller radii and against the accuracy itself."""
    envelope, _ = robust_accuracy.monotone_envelope(accuracy)
    before = (np.pad(envelope, ((1, 0), (0, 0)), "edge")[:-1], np.pad(envelope, ((0, 0), (1, 0)), "edge")[:, :-1])
    return Sides(np.stack([envelope] * 3), np.stack([accuracy, *before]))


def _as_measured(accuracy: np.ndarray) -> Sides:
    """Each row of a surface, against the one before it."""
    return Sides(accuracy[1:], accuracy[:-1])


def _reach(x: np.ndarray, slopes: np.ndarray, epsilon: float, step: float, steps: int) -> Sides:
    """How far an attack comes on a loss whose gradient turns with the iterate."""
    last = projected_ascent(x, lambda iterate: np.cos(slopes @ iterate), epsilon, step, steps)
    return Sides(np.max(np.abs(last - x)), min(epsilon, steps * step))


def _leaves_the_ball(**world: Any) -> Sides:
    """How far an attack comes, against a quarter of its steps."""
    return Sides(_reach(**world).left, world["steps"] * world["step"] / 4)


_textbook = rows("Joint margin bounds", kind="bound", tolerance=1e-9, status="extension", credit="textbook")


CLAIMS: tuple[Claim, ...] = (
    _textbook(
        "joint.auc",
        at="Figure 1",
        says="the area under an accuracy surface is its mean over the rectangle of radii, by the trapezoid rule",
        formula=r"\mathrm{AUC} = \frac{1}{|X| |W|} \int \int A(\epsilon_x, \epsilon_w) \, d\epsilon_x \, d\epsilon_w",
        domain="any grid of radii; exact for bilinear surfaces",
        theory=_area,
        world=worlds.bilinear_surface,
        kind="identity",
        note="The paper gives areas without saying of what.",
        code=robust_accuracy.area,
        decoys=(Decoy("the mean of the grid's values", _grid_mean),),
    ),
    _textbook(
        "joint.auc.envelope",
        at="Figure 1",
        says="the running minimum of an accuracy surface never rises and stays below it",
        formula=r"\bar A(x', w') \le \bar A(x, w) \le A(x, w), \quad x' \ge x, \; w' \ge w",
        domain="any surface",
        theory=_envelope,
        world=worlds.surface,
        note="True robust accuracy falls in both radii: what the envelope corrects is a defect of the attack.",
        code=robust_accuracy.monotone_envelope,
        decoys=(Decoy("the surface as measured never rises", _as_measured),),
    ),
    _textbook(
        "joint.attack.reach",
        at="Section 4",
        says="an attack of T steps of size alpha comes no farther than T alpha, however large the ball",
        formula=r"\|x^T - x\|_\infty \le \min(\epsilon, T \alpha)",
        domain="any loss",
        theory=_reach,
        world=worlds.attack,
        note="100 weight steps of 0.0005 reach 0.05: accuracies at larger weight radii are those at 0.05.",
        code=robust_accuracy.projected_ascent,
        decoys=(Decoy("a quarter of the way", _leaves_the_ball),),
    ),
)
