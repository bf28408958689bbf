"""A bracket of the smallest l2 perturbation that flips a decision: certified lower bound, best of several attacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.alma import alma
from empirical.attacks.fab import fab
from empirical.attacks.foolbox_attacks import brendel_bethge, carlini_wagner, ddn, deepfool, least_likely
from empirical.attacks.gradient import fast_gradient, sign_gradient
from empirical.attacks.problem import Known, Problem
from empirical.attacks.rivals import APART, nearest_rivals
from empirical.decisions import inputs
from empirical.decisions.judge import Box, Judge, Model, spread
from fragility.engine.stop import look
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor

ATTACKS: Mapping[str, Callable[..., Tensor | tuple[Tensor, ...]]] = {
    "fast_gradient": fast_gradient,
    "sign_gradient": sign_gradient,
    "deepfool": deepfool,
    "least_likely": least_likely,
    "ddn": ddn,
    "carlini_wagner": carlini_wagner,
    "brendel_bethge": brendel_bethge,
    "nearest_rivals": nearest_rivals,
    "alma": alma,
    "fab": fab,
}
DEFAULT = ("nearest_rivals",)
TARGETED = ("nearest_rivals", "alma")  # with a target, which several rivals may tie: ALMA sees them all at once
THOROUGH = ("nearest_rivals", "ddn", "alma", "fab", "brendel_bethge")
CLOSE = 1.03  # lengths over the shortest up to which another class or another way makes a disagreement


@dataclass(frozen=True)
class Bracket:
    """Lower and upper bounds of the distance to the decision boundary, element by element.

    Parameters
    ----------
    lower : (size,) certified lower bounds; 0 where none is known or the clean point flips already.
    upper : (size,) judged lengths of the shortest successful perturbation; inf where every attack failed.
    x_adv : (size, ...) where it leads, as judged; the clean point where there is none.
    delta : (size, ...) that perturbation, x_adv - x; zeros where there is none.
    attack : (size,) its attack, an index into `names`; -1 where there is none.
    first_order : (size,) distance of the nearest linearised boundary; inf where the gradient of the margin vanishes.
    flags : (size,) bool each. "zero_gradient": gradients of all margins vanish or are not finite; "saturated": the
        label's probability rounds to 1, so that cross-entropy of the raw logits has no gradient; "out_of_box": an
        attack proposed a point outside the box; "disagreement": another class, or a way at a cosine below .9, comes
        within 3 % of the shortest, so that which class or direction is nearest is open; "misclassified": the clean
        point is not given its label; "crossed": lower exceeds upper by more than rounding, so the certificate is wrong.
    each : (size, attacks) judged lengths; inf where an attack failed.
    names : the attacks, in the order they ran.
    """

    lower: np.ndarray
    upper: np.ndarray
    x_adv: np.ndarray
    delta: np.ndarray
    attack: np.ndarray
    first_order: np.ndarray
    flags: Mapping[str, np.ndarray]
    each: np.ndarray
    names: tuple[str, ...]


def bracket(
    model: Model,
    x: Tensor,
    label: Any,
    *,
    target: Any = None,
    box: Box = None,
    lower: Any = None,
    attacks: Sequence[str] | None = None,
    steps: Mapping[str, int] | None = None,
    seed: int = 0,
) -> Bracket:
    """Bracket of the smallest ||delta|| with argmax f(x + delta) != label, or == target.

    Where the clean point flips already (it is misclassified, or given the target), lower = upper = 0.

    Parameters
    ----------
    model : (size, ...) -> logits (size, classes), two classes at least, differentiable, of the dtype of x; elements are
        independent of one another. It is tried before it is attacked, see `inputs.check_model`. Elements may have
        weights of their own: if the trial shows so, the batch is always presented whole and in order.
    x : (size, ...) clean points, float32 or float64, inside the box.
    label, target : (size,) class numbers, integers of torch, NumPy or lists; the target is another than the label.
    box : lowest and highest value of every coordinate, or None.
    lower : (size,) certified lower bounds, at least 0.
    attacks : names among `ATTACKS`, run in this order: later ones work in units of the shortest perturbation so far.
        If None, `DEFAULT`, or `TARGETED` with a target: these cost two to four times foolbox's DDN of 100 steps.
        `THOROUGH` costs 20 to 50 times that DDN.
    steps : of attacks by name, at least 1, in place of their defaults.
    seed : of the attacks' random numbers; equal arguments give equal results.

    Raises
    ------
    UsageError : for an unknown attack, points that are not finite or outside the box, classes that the model does not
        have, logits at x that are not finite, or a model that fails on x, draws random numbers, changes itself or its
        input, or lets elements change the logits of others.
    """
    import torch

    if attacks is None:
        attacks = DEFAULT if target is None else TARGETED
    _check_attacks(attacks, seed)
    if idle := [name for name in steps or {} if name not in attacks]:
        raise UsageError(f"steps must be of attacks that run, got some for {inputs.shown(idle[0])}")
    options = {name: _steps(name, steps or {}) for name in attacks}
    judge = _judge(model, x, label, target, box)
    certified = _certified(lower, len(x))
    problem = Problem(judge, int(seed))
    settled = problem.margin < 0
    upper = torch.zeros_like(problem.first_order).where(settled, torch.inf)
    best, winner = judge.x, torch.full_like(judge.label, -1)
    outside = torch.zeros_like(settled)
    seen, columns = [], []
    for number, name in enumerate(attacks):
        look()
        proposals = ATTACKS[name](problem, Known(upper, best), **options[name])
        shortest = torch.full_like(upper, torch.inf)
        for proposal in proposals if isinstance(proposals, tuple) else (proposals,):
            outside |= judge.outside(proposal) & ~settled
            point, length = judge.bisect(proposal)
            length = length.where(~settled, 0.0)
            closer = length < upper
            best = torch.where(spread(closer, point), point, best)
            upper, winner = torch.where(closer, length, upper), winner.where(~closer, number)
            shortest = torch.minimum(shortest, length)
            seen.append((point, length))
        columns.append(shortest)
    found = np.where(settled.cpu().numpy(), 0.0, certified)
    top = upper.cpu().numpy()
    flags = _flags(problem) | {"out_of_box": outside, "disagreement": _disagreement(judge, seen, best, upper)}
    return Bracket(
        lower=found,
        upper=top,
        x_adv=best.cpu().numpy(),
        delta=(best - judge.x).cpu().numpy(),
        attack=winner.cpu().numpy(),
        first_order=problem.first_order.cpu().numpy(),
        flags={**{name: flag.cpu().numpy() for name, flag in flags.items()}, "crossed": crossed(found, top)},
        each=torch.stack(columns, 1).cpu().numpy(),
        names=tuple(attacks),
    )


def _judge(model: Model, x: Any, label: Any, target: Any, box: Any) -> Judge:
    """The judge of what can be attacked."""
    import torch

    inputs.check_points(x)
    x, box = x.detach(), inputs.limits(box)
    if box is not None and not torch.equal(x, x.clamp(*box)):
        raise UsageError(f"x must lie inside the box {box}: clip it first")
    classes = inputs.check_model(model, x, box)
    own = inputs.class_numbers("label", label, len(x), classes)
    aim = None if target is None else inputs.class_numbers("target", target, len(x), classes)
    if aim is not None and len(same := own[own == aim]):
        raise UsageError(f"target must be another class than label, got {same[0]} for both")
    to_leave = torch.as_tensor(own, device=x.device)
    to_reach = None if aim is None else torch.as_tensor(aim, device=x.device)
    return Judge(model, x, to_leave, to_reach, box, inputs.takes_any_batch(model, x))


def crossed(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Whether certified bounds exceed judged lengths by more than rounding, (size,) bool."""
    return lower > upper * 1.001


def _certified(lower: Any, size: int) -> np.ndarray:
    if lower is None:
        return np.zeros(size)
    found = inputs.numbers("lower", lower, (size,), finite=False)
    if (found < 0).any():
        raise UsageError(f"lower must be at least 0, got {found.min()}")
    return found


def _check_attacks(attacks: Any, seed: Any) -> None:
    listed = isinstance(attacks, Sequence) and not isinstance(attacks, str)
    unknown = [name for name in attacks if not isinstance(name, str) or name not in ATTACKS] if listed else [attacks]
    if unknown or not attacks:
        got = inputs.shown(", ".join(map(repr, unknown)) or "none")
        raise UsageError(f"attacks must be a sequence of names among {', '.join(ATTACKS)}, got {got}")
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or not 0 <= seed < 2**64:
        raise UsageError(f"seed must be an integer from 0 to 2^64 - 1, got {inputs.shown(seed)}")


def _steps(name: str, steps: Mapping[str, int]) -> dict[str, int]:
    """The arguments of one attack."""
    if name not in steps:
        return {}
    if "steps" not in signature(ATTACKS[name]).parameters:
        raise UsageError(f"steps must be of attacks that take steps, got some for {name}")
    if not isinstance(count := steps[name], int | np.integer) or isinstance(count, bool) or count < 1:
        raise UsageError(f"steps must be integers from 1, got {inputs.shown(count)} for {name}")
    return {"steps": int(count)}


def _flags(problem: Problem) -> dict[str, Tensor]:
    label = problem.judge.label
    own = problem.logits.softmax(1).gather(1, label[:, None])[:, 0]
    return {
        "zero_gradient": problem.linearised[0].isinf().all(1),
        "saturated": own == 1,
        "misclassified": problem.logits.argmax(1) != label,
    }


def _disagreement(judge: Judge, seen: Sequence[tuple[Tensor, Tensor]], best: Tensor, upper: Tensor) -> Tensor:
    """Whether a point seen at nearly the least length has another class than the best or lies another way, (size,)."""
    import torch

    found, way = torch.zeros_like(upper, dtype=torch.bool), (best - judge.x).flatten(1)
    with torch.no_grad():
        said = judge.model(best).argmax(1)
        for point, length in seen:
            cosine = torch.nn.functional.cosine_similarity((point - judge.x).flatten(1), way)
            found |= (length <= CLOSE * upper) & ((judge.model(point).argmax(1) != said) | (cosine < APART))
    return found & upper.isfinite() & (upper > 0)
