"""Points beside one rival class each: the problems of two classes of which a problem of many classes is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from empirical.decisions.judge import Judge

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Problem

AT_ONCE = 128  # rows through the network together: with more, activations leave the cache


@dataclass(frozen=True)
class Pairs:
    """A model of two classes for rows of points and rivals: the logit to overtake, and the one that shall.

    Without a target these are the label's and the rival's; with one, the largest other and the target's, whatever the
    rivals are. The same point may stand in many rows, each with a rival of its own.

    Parameters
    ----------
    judge : of the points.
    element : (rows,) which point each row has: all of them, again and again, if the model takes whole batches only.
    rival : (rows,) class numbers.
    """

    judge: Judge
    element: Tensor
    rival: Tensor

    @classmethod
    def beside(cls, judge: Judge, rivals: Tensor) -> Pairs:
        """A row for every point and rival, `rivals` (times, size), in its order."""
        import torch

        element = torch.arange(rivals.shape[1], device=rivals.device).repeat(len(rivals))
        return cls(judge, element, rivals.flatten())

    @property
    def movable(self) -> bool:
        """Whether rows may be left out and put in another order."""
        return self.judge.any_batch

    @property
    def x(self) -> Tensor:
        """The clean points, (rows, ...)."""
        return self.judge.x[self.element]

    def at(self, rows: Tensor) -> Pairs:
        """Some of the rows."""
        return Pairs(self.judge, self.element[rows], self.rival[rows])

    def __call__(self, point: Tensor) -> Tensor:
        """The two logits, (rows, 2)."""
        import torch

        parts = point.split(AT_ONCE if self.movable else len(self.judge.x))
        logits = torch.cat([self.judge.model(part) for part in parts])
        if self.judge.target is None:
            own = logits.gather(1, self.judge.label[self.element, None])
            return torch.cat((own, logits.gather(1, self.rival[:, None])), 1)
        chosen = self.judge.target[self.element, None]
        others = logits.scatter(1, chosen, torch.finfo(logits.dtype).min).amax(1, keepdim=True)
        return torch.cat((others, logits.gather(1, chosen)), 1)

    def ahead(self, point: Tensor) -> Tensor:
        """By how much the rival is ahead, (rows,)."""
        import torch

        with torch.no_grad():
            return self(point).diff(dim=1)[:, 0]

    def slope(self, point: Tensor) -> tuple[Tensor, Tensor]:
        """By how much the rival is ahead, (rows,), and the gradient of that, (rows, n); 0 where it is not finite."""
        import torch

        point = point.detach().requires_grad_()
        with torch.enable_grad():
            ahead = self(point).diff(dim=1)[:, 0]
        (gradient,) = torch.autograd.grad(ahead.sum(), point)
        return ahead.detach(), gradient.flatten(1).nan_to_num(0.0, 0.0, 0.0)

    def problem(self, seed: int) -> Problem:
        """Flipping each row's two logits, for attacks that know problems only."""
        import torch

        from empirical.attacks.problem import Problem

        label = torch.zeros_like(self.rival)
        return Problem(Judge(self, self.x, label, None, self.judge.box), seed)
