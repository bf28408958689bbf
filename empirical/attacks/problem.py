"""What every attack is given: the clean points with their margins, gradients and first-order distances."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from empirical.decisions.judge import Judge, margin

if TYPE_CHECKING:
    from torch import Generator, Tensor

CANDIDATES = 9  # most likely other classes whose boundaries are looked at, of however many there are


@dataclass(frozen=True)
class Known:
    """What earlier attacks have found.

    Parameters
    ----------
    upper : (size,) float64, lengths of the shortest perturbations; inf where there is none.
    x_adv : (size, ...), the points they lead to; the clean point where there is none.
    """

    upper: Tensor
    x_adv: Tensor


@dataclass(frozen=True)
class Problem:
    """A batch to attack: everything is per element, and elements are never mixed, cut out or put in another order.

    Parameters
    ----------
    judge : the model, the points, labels, targets and box.
    seed : of all randomness of the attacks.
    """

    judge: Judge
    seed: int = 0

    @property
    def x(self) -> Tensor:
        """The clean points, (size, ...)."""
        return self.judge.x

    def generator(self) -> Generator:
        """A source of random numbers of its own for each attack, so that none depends on which others ran."""
        from torch import Generator

        return Generator().manual_seed(self.seed)

    @cached_property
    def logits(self) -> Tensor:
        """Logits of the clean points, (size, classes)."""
        from torch import no_grad

        with no_grad():
            return self.judge.model(self.x)

    @cached_property
    def margin(self) -> Tensor:
        """Distance of the logits from a flip, (size,): not positive where the clean point flips or is a tie."""
        return margin(self.logits, self.judge.label, self.judge.target)

    @cached_property
    def least_likely(self) -> Tensor:
        """The class with the smallest clean logit, (size,)."""
        return self.logits.argmin(1)

    @cached_property
    def rivals(self) -> Tensor:
        """Classes whose boundaries are looked at, (boundaries, size).

        With a target it is the only one; else they are the label's strongest rivals, `CANDIDATES` of them at most.
        """
        import torch

        if self.judge.target is not None:
            return self.judge.target[None]
        ranked = self.logits.scatter(1, self.judge.label[:, None], -torch.inf).argsort(1, descending=True)
        return ranked[:, : min(CANDIDATES, ranked.shape[1] - 1)].T

    @cached_property
    def linearised(self) -> tuple[Tensor, Tensor]:
        """Signed distances (size, boundaries) of the linearised boundaries, float64, and gradients of the margins.

        The gradients are (boundaries, size, ...). With a target the margin is that of the strongest other class. A
        distance is inf where the gradient vanishes or is not finite.
        """
        import torch

        label, rivals = self.judge.label, self.rivals
        if self.judge.target is not None:
            label = self.logits.scatter(1, rivals.T, -torch.inf).argmax(1)
        point = self.x.detach().clone().requires_grad_()
        with torch.enable_grad():
            logits = self.judge.model(point)
            margins = [(logits.gather(1, label[:, None]) - logits.gather(1, rival[:, None]))[:, 0] for rival in rivals]
        distances, gradients = [], []
        for number, values in enumerate(margins):
            (found,) = torch.autograd.grad(values.sum(), point, retain_graph=number + 1 < len(margins))
            size = found.double().flatten(1).norm(dim=1)
            usable = (size > 0) & size.isfinite()
            distances.append((values.detach().double() / size).where(usable, torch.inf))
            gradients.append(found)
        return torch.stack(distances, 1), torch.stack(gradients)

    @cached_property
    def first_order(self) -> Tensor:
        """Distance of the nearest linearised boundary, (size,) float64; 0 where the clean point flips already."""
        return self.linearised[0].amin(1).clamp(min=0.0)

    def unit(self, known: Known) -> Tensor:
        """A length near the distance sought, (size,) float64, positive: the attacks' unit.

        The shortest perturbation known, else the first-order distance, else what is usual in the batch.
        """
        import torch

        length = torch.where(known.upper.isfinite(), known.upper, self.first_order)
        length = length.where(length.isfinite() & (length > 0), torch.nan)
        usual = length.nanmedian().nan_to_num(nan=1.0)
        return length.where(length.isfinite(), usual)
