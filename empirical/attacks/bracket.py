"""A bracket of the smallest l2 perturbation that flips a decision: certified lower bound, best of several attacks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.gradient import fast_gradient, sign_gradient
from empirical.attacks.judge import Box, Judge, Model, spread
from empirical.attacks.problem import Known, Problem
from empirical.attacks.trusted import brendel_bethge, carlini_wagner, ddn, deepfool, least_likely
from simulate.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor

ATTACKS: Mapping[str, Callable[..., Tensor]] = {
    "fast_gradient": fast_gradient,
    "sign_gradient": sign_gradient,
    "deepfool": deepfool,
    "least_likely": least_likely,
    "ddn": ddn,
    "carlini_wagner": carlini_wagner,
    "brendel_bethge": brendel_bethge,
}
# Gradients and forward passes per element, bisection apart: fast and sign 1 and 32, DeepFool 50 times the rivals (it
# stops when all have flipped), least likely 160, DDN 100, C&W 400, Brendel-Bethge 40 and one compilation.
QUICK = ("fast_gradient", "sign_gradient", "deepfool", "least_likely", "ddn", "carlini_wagner")
FULL = (*QUICK, "brendel_bethge")
STRONG = ("deepfool", "ddn", "carlini_wagner", "brendel_bethge")
MIXING = ("BatchNorm", "Dropout")  # modules that in training mode make an element's logits depend on others or chance
DISAGREEMENT = 1.1  # second shortest of the strong attacks over the shortest of all


@dataclass(frozen=True)
class Bracket:
    """Lower and upper bounds of the distance to the decision boundary, element by element.

    Parameters
    ----------
    lower : (size,) certified lower bounds; 0 where none is known or the clean point flips already.
    upper : (size,) judged lengths of the shortest successful perturbation; inf where every attack failed.
    delta : (size, ...) that perturbation, x_adv - x; zeros where there is none.
    attack : (size,) its attack, an index into `names`; -1 where there is none.
    first_order : (size,) distance of the nearest linearised boundary; inf where the gradient of the margin vanishes.
    flags : (size,) bool each. "zero_gradient": gradients of all margins vanish or are not finite; "saturated": the
        label's probability rounds to 1, so that cross-entropy of the raw logits has no gradient; "out_of_box": an
        attack proposed a point outside the box; "disagreement": the second shortest of the strong attacks is more
        than a tenth above the shortest of all; "misclassified": the clean point is not given its label;
        "crossed": lower exceeds upper by more than rounding, so the certificate is wrong.
    each : (size, attacks) judged lengths; inf where an attack failed.
    names : the attacks, in the order they ran.
    """

    lower: np.ndarray
    upper: np.ndarray
    delta: np.ndarray
    attack: np.ndarray
    first_order: np.ndarray
    flags: Mapping[str, np.ndarray]
    each: np.ndarray
    names: tuple[str, ...]


def bracket(
    model: Model,
    x: Tensor,
    label: Tensor,
    *,
    target: Tensor | None = None,
    box: Box = None,
    lower: Any = None,
    attacks: Sequence[str] = QUICK,
    seed: int = 0,
) -> Bracket:
    """Bracket of the smallest ||delta|| with argmax f(x + delta) != label, or == target.

    Where the clean point flips already (it is misclassified, or given the target), lower = upper = 0.

    Parameters
    ----------
    model : (size, ...) -> logits (size, classes), differentiable, of the dtype of x; elements are independent of one
        another and may have weights of their own, so the batch is always presented whole and in order.
    x : (size, ...) clean points, float32 or float64, inside the box.
    label, target : (size,) class numbers.
    box : lowest and highest value of every coordinate, or None.
    lower : (size,) certified lower bounds.
    attacks : names among `ATTACKS`, run in this order: later ones work in units of the shortest perturbation so far.
    seed : of the attacks' random numbers; equal arguments give equal results.

    Raises
    ------
    UsageError : for an unknown attack, points outside the box, or a model that mixes or changes its elements.
    """
    import torch

    judge = Judge(model, x.detach(), label, target, box)
    _check(judge, attacks)
    problem = Problem(judge, seed)
    settled = problem.margin < 0
    upper = torch.zeros_like(problem.first_order).where(settled, torch.inf)
    best, winner = x.detach(), torch.full_like(label, -1)
    outside = torch.zeros_like(settled)
    columns = []
    for number, name in enumerate(attacks):
        proposal = ATTACKS[name](problem, Known(upper, best))
        outside |= judge.outside(proposal) & ~settled
        point, length = judge.bisect(proposal)
        length = length.where(~settled, 0.0)
        closer = length < upper
        best = torch.where(spread(closer, point), point, best)
        upper, winner = torch.where(closer, length, upper), winner.where(~closer, number)
        columns.append(length)
    each = torch.stack(columns, 1)
    flags = {name: flag.cpu().numpy() for name, flag in _flags(problem, each, attacks, upper).items()}
    found = np.zeros(len(x)) if lower is None else np.where(settled.cpu().numpy(), 0.0, np.asarray(lower, float))
    top = upper.cpu().numpy()
    return Bracket(
        lower=found,
        upper=top,
        delta=(best - x.detach()).cpu().numpy(),
        attack=winner.cpu().numpy(),
        first_order=problem.first_order.cpu().numpy(),
        flags={**flags, "out_of_box": outside.cpu().numpy(), "crossed": found > top * 1.001},
        each=each.cpu().numpy(),
        names=tuple(attacks),
    )


def _check(judge: Judge, attacks: Sequence[str]) -> None:
    import torch

    unknown = [name for name in attacks if name not in ATTACKS]
    if unknown or not attacks:
        raise UsageError(f"attacks must be among {', '.join(ATTACKS)}, got {', '.join(unknown) or 'none'}")
    if not judge.x.is_floating_point():
        raise UsageError(f"x must be floating point, in the units of the box, got {judge.x.dtype}")
    if bool(judge.outside(judge.x, 0.0).any()):
        raise UsageError(f"x must lie inside the box {judge.box}: clip it first")
    modules = judge.model.modules() if isinstance(judge.model, torch.nn.Module) else ()
    if any(module.training and any(word in type(module).__name__ for word in MIXING) for module in modules):
        raise UsageError("the model must be in evaluation mode, as dropout and batch statistics mix it: model.eval()")


def _flags(problem: Problem, each: Tensor, attacks: Sequence[str], upper: Tensor) -> dict[str, Tensor]:
    label = problem.judge.label
    own = problem.logits.softmax(1).gather(1, label[:, None])[:, 0]
    strong = each[:, [name in STRONG for name in attacks]].sort(1).values
    spread_out = strong[:, 1] > DISAGREEMENT * upper if strong.shape[1] > 1 else upper < 0
    return {
        "zero_gradient": problem.linearised[0].isinf().all(1),
        "saturated": own == 1,
        "disagreement": spread_out & upper.isfinite(),
        "misclassified": problem.logits.argmax(1) != label,
    }
