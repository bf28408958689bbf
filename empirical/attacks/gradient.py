"""Attacks of one gradient: a direction at the clean point and a search along it.

The loss is cross-entropy, of logits scaled so that the clean margin is `MARGIN`: dividing all logits of an element by
one number changes no decision and, with two classes, no direction, but where the softmax saturates (a margin of 1e4
rounds to probability 1) it gives back the gradient that rounding took away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from empirical.decisions.judge import spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Known, Problem

MARGIN = 10.0  # of the scaled clean logits: rivals that are far behind weigh little, and nothing rounds away
GROWTH = 1.25
TRIALS = 32  # lengths from unit / 4 to 250 units


def loss_gradient(problem: Problem) -> Tensor:
    """Gradient of cross-entropy away from the label, or towards the target, at the clean points, as x."""
    import torch

    scale = MARGIN / problem.margin.abs().clamp(min=torch.finfo(problem.x.dtype).tiny ** 0.5)
    chosen = problem.judge.label if problem.judge.target is None else problem.judge.target
    point = problem.x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = torch.nn.functional.cross_entropy(problem.judge.model(point) * scale[:, None], chosen, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, point)
    return gradient if problem.judge.target is None else -gradient


def along(problem: Problem, direction: Tensor, known: Known) -> Tensor:
    """The first of a growing row of steps along each direction that flips, as x; the longest where none does."""
    import torch

    judge, x = problem.judge, problem.x
    norm = direction.double().flatten(1).norm(dim=1)
    step = direction / spread(norm.clamp(min=torch.finfo(torch.float64).tiny), direction)
    step = step.nan_to_num(0.0, 0.0, 0.0)
    length, best = problem.unit(known) / 4, x
    found = torch.zeros_like(norm, dtype=torch.bool)
    for _ in range(TRIALS):
        trial = judge.inside((x + spread(length, step) * step).to(x.dtype))
        best = torch.where(spread(found, x), best, trial)
        found |= judge.flips(trial)
        if bool(found.all()):
            break
        length = length * GROWTH
    return best


def fast_gradient(problem: Problem, known: Known) -> Tensor:
    """Proposals along the gradient of the loss (fast gradient method in l2)."""
    return along(problem, loss_gradient(problem), known)


def sign_gradient(problem: Problem, known: Known) -> Tensor:
    """Proposals along the signs of the gradient of the loss (Goodfellow et al. 2015), searched over epsilon."""
    return along(problem, loss_gradient(problem).sign(), known)
