"""The smallest perturbation that changes a decision, in one call: attacked from above, certified from below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import bracket, crossed
from empirical.certificates.chosen import Certified, certified
from empirical.decisions import inputs
from empirical.decisions.judge import Box, Model
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SmallestPerturbation:
    """The nearest points found that flip, and how near others may be.

    Parameters
    ----------
    x_adv : (size, ...) torch, as x: the points; x itself where it flips already or every attack failed.
    upper : (size,) their distances ||x_adv - x||_2, float64; inf where every attack failed.
    lower : (size,) certified: no point nearer than this flips; 0 where nothing is certified.
    attack : (size,) name of the attack that found it, "" where none did.
    flags : (size,) bool each, as of `empirical.attacks.bracket.Bracket`.
    certificate : what the lower bounds rest on, "" where there are none.
    why_not : why there are none, "" where there are.
    """

    x_adv: Tensor
    upper: np.ndarray
    lower: np.ndarray
    attack: np.ndarray
    flags: Mapping[str, np.ndarray]
    certificate: str
    why_not: str


def smallest_perturbation(
    model: Model,
    x: Tensor,
    y: Any,
    *,
    box: Box,
    target: Any = None,
    certify: bool = True,
    slope_steps: int = 0,
    attacks: Sequence[str] | None = None,
    steps: Mapping[str, int] | None = None,
    seed: int = 0,
) -> SmallestPerturbation:
    """The least ||delta||_2 with x + delta in the box that makes the model say another class than y, or the target.

    What is found is judged again in the model's own arithmetic, whatever an attack says of it.

    Parameters
    ----------
    model : (size, ...) -> logits (size, classes), torch, in evaluation mode.
    x : (size, ...) points inside the box, torch, float32 or float64.
    y, target : (size,) integers, class numbers; the target is another than y.
    box : lowest and highest value of a coordinate, such as (0, 1) for images; None for no limits. There is no default:
        without limits an image gets a distance at which no image lies.
    certify : whether to look for a lower bound, by the architecture: milliseconds a point for dense networks, a second
        or two for convolutional ones.
    slope_steps : of gradient ascent on the relaxation of a dense ReLU network; 20 raise the bound by 1 to 3 %, in a
        hundred times the time.
    attacks : names among `empirical.attacks.bracket.ATTACKS`, such as `THOROUGH` there; its default if None.
    steps : of attacks by name, in place of their defaults.
    seed : of the attacks' random numbers.

    Raises
    ------
    UsageError : for anything that cannot be attacked, with what must hold and what came.
    """
    import torch

    if not isinstance(x, torch.Tensor):
        raise UsageError(f"x must be a tensor of torch, got {type(x).__name__}: torch.as_tensor makes one of an array")
    if y is None:
        raise UsageError("y must be the points' class numbers, got None: model(x).argmax(1) are those that it says")
    if slope_steps < 0:
        raise UsageError(f"slope_steps must be at least 0, got {slope_steps}")
    found = bracket(model, x, y, target=target, box=box, attacks=attacks, steps=steps, seed=seed)
    bound = Certified(np.zeros(len(x)), "", "no certificate was asked for")
    if certify:
        bound = certified(model, x, y, target, inputs.limits(box), slope_steps)
    lower = np.where(found.upper == 0, 0.0, bound.lower)
    return SmallestPerturbation(
        x_adv=torch.from_numpy(found.x_adv).to(x.device),
        upper=found.upper,
        lower=lower,
        attack=np.array([*found.names, ""])[found.attack],
        flags={**found.flags, "crossed": crossed(lower, found.upper)},
        certificate=bound.method,
        why_not=bound.why_not,
    )
