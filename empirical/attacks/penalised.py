"""Goal-directed attack by gradient descent on a loss with a penalty on the distance ("Making neural nets robust", 2.4).

    minimise CE(goal, f(x)) + penalty ||x - x0||_2   from x0, each step followed by clamping to the box

The first point on the way at which the goal has the confidence asked for is the example. The norm is no square: it has
no derivative at x0, where the way starts. There the step goes along the steepest descent of the objective, (1 - penalty
/ ||s||) s for the part s of -grad CE that stays in the box; with ||s|| <= penalty there is none, and the attempt has
stalled on its clean input. It counts as such, since an example that never moved would read as robustness.

The paper prints no step. Here the rate of an element is

    rate (logit(confidence) - logit(p_goal(x0))) / max ||grad CE||^2

with the largest gradient met so far on its way: no step due to the loss is longer than `rate` times what the log-odds
lack over the slope of the loss, the distance to first order. So pixels and codes of any scale and origin are attacked
alike, provided that the penalty, in nats per unit of length, is scaled with them. Of the step that reaches the
confidence only as much is kept as it takes: it is halved until the rest is no part worth mentioning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from empirical.attacks.iterated import AT_ONCE
from empirical.decisions import inputs
from empirical.decisions.judge import Box, Model, spread
from fragility.engine.stop import look
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


HALVINGS = 12  # of the last step: what it overshoots is then at most a 4096th of it


class Attempt(NamedTuple):
    """Where attempts on `size` points ended.

    Parameters
    ----------
    x_adv : (size, ...), the first point of each way at which the goal had the confidence, else the last one.
    reached : (size,) bool, whether the goal has the confidence there.
    stalled : (size,) bool, whether it has not, and the point is the clean one: no step led away from it.
    probability : (size,) of the goal at x_adv.
    steps : (size,) int64, steps taken.
    """

    x_adv: Tensor
    reached: Tensor
    stalled: Tensor
    probability: Tensor
    steps: Tensor


@dataclass(frozen=True)
class Penalised:
    """How the attack descends.

    Parameters
    ----------
    penalty : weight of ||x - x0||_2 in the objective, in nats per unit of x, at least 0.
    confidence : probability of the goal at which an attempt ends, above 0 and below 1.
    steps : at most taken, at least 1.
    rate : longest step over the distance to first order, above 0; most ways take some 5 / rate steps, some 40 / rate.
    box : lowest and highest value of every coordinate, or None.

    Raises
    ------
    UsageError : one of them is out of its range.
    """

    penalty: float
    confidence: float = 0.95
    steps: int = 1000
    rate: float = 0.05
    box: Box = (0.0, 1.0)

    def __post_init__(self) -> None:
        if not 0 <= self.penalty < math.inf:
            raise UsageError(f"the penalty must be finite and at least 0, got {self.penalty}")
        if not 0 < self.confidence < 1:
            raise UsageError(f"the confidence must lie above 0 and below 1, got {self.confidence}")
        if self.steps < 1:
            raise UsageError(f"steps must be at least 1, got {self.steps}")
        if not 0 < self.rate < math.inf:
            raise UsageError(f"the rate must be finite and above 0, got {self.rate}")
        inputs.limits(self.box)

    def run(self, model: Model, x: Tensor, goal: Tensor | np.ndarray) -> Attempt:
        """Attempts to have each point classified as its goal.

        Parameters
        ----------
        model : (size, ...) -> logits (size, classes), differentiable; elements are independent of one another. The
            batch is always presented whole and in order.
        x : (size, ...) clean points, float32 or float64, inside the box; there may be none.
        goal : (size,) class numbers.

        Raises
        ------
        UsageError : points outside the box or not finite, goals that the model does not have, a model that fails on
            the points or has no gradient there.
        """
        import torch

        if not len(x):
            none = torch.zeros(0, dtype=torch.bool, device=x.device)
            return Attempt(x.detach(), none, none, x.new_zeros(0), none.long())
        inputs.check_points(x)
        clean = x.detach()
        if self.box is not None and not torch.equal(clean, clean.clamp(*self.box)):
            raise UsageError(f"x must lie inside the box {self.box}: clip it first")
        with torch.no_grad():
            logits = inputs.logits(model, clean)
        chosen = torch.as_tensor(inputs.class_numbers("goal", goal, len(x), logits.shape[1]), device=x.device)
        missing = math.log(self.confidence / (1 - self.confidence)) - _log_odds(logits, chosen)
        point, before, taken = clean, clean, torch.zeros_like(chosen)
        active, largest = torch.ones_like(chosen, dtype=torch.bool), torch.zeros_like(missing)
        for number in range(self.steps + 1):
            look()
            point = point.detach().requires_grad_()
            with torch.enable_grad():
                logits = inputs.answer(model, point)
                loss = torch.nn.functional.cross_entropy(logits, chosen, reduction="sum")
            probability = _probability(logits.detach(), chosen)
            active &= probability < self.confidence
            if number == self.steps or not bool(active.any()):
                break
            gradient = inputs.gradient(loss, point)
            point = point.detach()
            descent = self._onwards(point - clean, gradient) if number else self._first(clean, gradient)
            active &= descent.flatten(1).any(1)
            largest = torch.maximum(largest, _norm(gradient)).clamp(min=torch.finfo(x.dtype).tiny ** 0.5)
            moved = point.addcmul(spread(self.rate * missing / largest**2, x), descent)
            before = torch.where(spread(active, x), point, before)
            point = torch.where(spread(active, x), moved if self.box is None else moved.clamp(*self.box), point)
            taken += active
        point, probability = self._shortened(model, before, point.detach(), chosen)
        reached = probability >= self.confidence
        return Attempt(point, reached, ~reached & (point == clean).flatten(1).all(1), probability, taken)

    def _shortened(self, model: Model, before: Tensor, after: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """(points, probabilities): where the last steps first have the confidence; their ends where they have not."""
        import torch

        with torch.no_grad():
            for _ in range(HALVINGS):
                middle = torch.lerp(before, after, 0.5)
                over = spread(_probability(model(middle), chosen) >= self.confidence, middle)
                before, after = torch.where(over, before, middle), torch.where(over, middle, after)
            return after, _probability(model(after), chosen)

    def _first(self, clean: Tensor, gradient: Tensor) -> Tensor:
        """The objective's steepest descent at the clean points; 0 where nothing descends."""
        free = -gradient
        if self.box is not None:
            low, high = self.box
            free = free.where(~(((clean <= low) & (free < 0)) | ((clean >= high) & (free > 0))), 0.0)
        steepness = _norm(free)
        share = (1 - self.penalty / steepness).where(steepness > self.penalty, 0.0)
        return spread(share, free) * free

    def _onwards(self, way: Tensor, gradient: Tensor) -> Tensor:
        """Minus the objective's gradient where the way so far has a length, else minus that of its first term."""
        length = _norm(way)
        return -gradient.addcmul(spread(self.penalty / length.where(length > 0, 1.0), way), way)


def chosen(model: Model, x: Tensor, labels: Tensor, count: int, classes: int = 10) -> tuple[Tensor, Tensor]:
    """(index, goal) of the attempts on one classifier: `count` points of each ordered pair of classes, (attempts,).

    For each class and each other class as its goal they are the first points of the class that the model classifies
    right, fewer where there are fewer: 180 attempts for ten classes and 2 a pair (latent, 3.4, which says neither
    that pairs are equally frequent nor which images they get). No point is twice in a pair; it may be in all pairs of
    its class.

    Parameters
    ----------
    model : (M, ...) -> logits (M, classes).
    x : (N, ...) points.
    labels : (N,) int64.
    count : of each ordered pair, at least 1.

    Raises
    ------
    UsageError : there is no such number of points or classes.
    """
    import torch

    if count < 1 or classes < 2:
        raise UsageError(f"count must be at least 1, and classes at least 2, got {count} and {classes}")
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in x.split(AT_ONCE)]) == labels
    index, goal = [], []
    for label in range(classes):
        own = (right & (labels == label)).nonzero()[:count, 0]
        for other in range(classes):
            if other != label:
                index.append(own)
                goal.append(torch.full_like(own, other))
    return torch.cat(index), torch.cat(goal)


def _log_odds(logits: Tensor, chosen: Tensor) -> Tensor:
    """Logarithm of p / (1 - p) for the probability p of the chosen class, (size,)."""
    import torch

    others = logits.scatter(1, chosen[:, None], -torch.inf).logsumexp(1)
    return logits.gather(1, chosen[:, None])[:, 0] - others


def _probability(logits: Tensor, chosen: Tensor) -> Tensor:
    return logits.softmax(1).gather(1, chosen[:, None])[:, 0]


def _norm(values: Tensor) -> Tensor:
    return values.flatten(1).norm(dim=1)
