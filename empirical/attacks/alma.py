"""The augmented Lagrangian attack ALMA (Rony et al. 2021): least squared length under the constraint of a flip.

    minimise ||u||^2   subject to   d(u) <= 0,   by gradient descent on   ||u||^2 + P(d(u), rho, mu)

with d the margin over its clean value, the multiplier mu averaged over the steps, the penalty weight rho raised where
the constraint makes no progress, and

    P(d, rho, mu) = mu d + mu rho d^2 + rho^2 d^3 / 6   for d >= 0,   mu d / (1 - rho d)   else.

The paper divides the margin by the distance of the largest and the third largest logit, which two classes have not.
Rates of descent are in units of the distance expected, and fall geometrically.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from empirical.attacks.gradient import MARGIN
from empirical.attacks.rivals import towards_nearest
from empirical.decisions.judge import margin, spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Known, Problem

NEAREST = 4  # rivals
MEMORY = 0.9  # of the averages of multipliers, gradients and their squares
FIRST, LAST = 0.3, 0.003  # rates at the start and the end, in units of the distance expected
WINDOW, PROGRESS, GROWTH = 10, 0.95, 1.2  # rho grows where no flip, and no such progress, is seen in so many steps
MULTIPLIERS = (1e-6, 1e12)


def alma(problem: Problem, known: Known, steps: int = 300) -> tuple[Tensor, ...]:
    """Proposals of ALMA towards each of the nearest rivals: the shortest flips that its steps meet."""
    import torch

    view = towards_nearest(problem, NEAREST)
    label, u, best = view.problem.judge.label, view.start(), view.start()
    low, high = (torch.as_tensor(limit).to(u) for limit in view.bounds)
    mu, rho, power = (torch.full_like(u.flatten(1)[:, 0], value) for value in (1.0, 1.0, 0.0))
    shortest, momentum = torch.full_like(mu, torch.inf), torch.zeros_like(u)
    flipped, before = torch.zeros_like(mu, dtype=torch.bool), torch.full_like(mu, torch.inf)
    for number in range(steps):
        u = u.detach().requires_grad_()
        with torch.enable_grad():
            gap = margin(view.logits(u), label) / MARGIN
            length = u.flatten(1).square().sum(1)
            seen = gap.detach()
            if number:
                mu = torch.lerp(_slope(seen, rho, mu), mu, MEMORY).clamp(*MULTIPLIERS)
            loss = length + _penalty(gap, rho, mu)
        (gradient,) = torch.autograd.grad(loss.sum(), u)
        u, length = u.detach(), length.detach()
        closer = (seen < 0) & (length < shortest)
        best, shortest = torch.where(spread(closer, u), u, best), length.where(closer, shortest)
        flipped |= seen < 0
        if number % WINDOW == 0:
            rho = torch.where(~flipped & (seen > PROGRESS * before), GROWTH * rho, rho)
            flipped, before = torch.zeros_like(flipped), seen
        gradient = gradient.nan_to_num(0.0, 0.0, 0.0)
        power = torch.lerp(gradient.flatten(1).square().sum(1), power, MEMORY if number else 0.0)
        step = gradient / spread(power.sqrt().clamp(min=torch.finfo(u.dtype).tiny), u)
        momentum = MEMORY * momentum + (1 - MEMORY) * step if number else step
        rate = FIRST * (LAST / FIRST) ** (number / steps)
        u = torch.minimum(torch.maximum(u - rate * momentum, low), high)
    return view.point(best).split(len(problem.x))


def _penalty(gap: Tensor, rho: Tensor, mu: Tensor) -> Tensor:
    above, below = gap.clamp(min=0), gap.clamp(max=0)
    return mu * above + mu * rho * above**2 + rho**2 * above**3 / 6 + mu * below / (1 - rho * below)


def _slope(gap: Tensor, rho: Tensor, mu: Tensor) -> Tensor:
    """Derivative of the penalty with respect to the gap."""
    above, below = gap.clamp(min=0), gap.clamp(max=0)
    return (mu + 2 * mu * rho * above + rho**2 * above**2 / 2).where(gap >= 0, mu / (1 - rho * below) ** 2)
