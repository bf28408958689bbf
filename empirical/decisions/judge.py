"""The one judge: classifies again what an attack proposes, and measures it again.

No attack's own claim of success or of length is used anywhere. A proposal is moved into the box, classified in the
model's own arithmetic, and its distance from x is summed in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Model = Callable[["Tensor"], "Tensor"]
Box = tuple[float, float] | None
STRETCHES = (1.001, 1.02)  # tried where a proposal does not flip: one on the boundary may, within rounding, miss it
BISECTIONS = 20  # halvings of the segment: its end is then within 1e-6 of the boundary, relative to its length


def margin(logits: Tensor, label: Tensor, target: Tensor | None = None) -> Tensor:
    """Label's logit minus the largest other, or largest other minus the target's, (size,): a flip is below zero."""
    from torch import finfo

    chosen = (label if target is None else target)[:, None]
    own = logits.gather(1, chosen)[:, 0]
    other = logits.scatter(1, chosen, finfo(logits.dtype).min).amax(1)
    return own - other if target is None else other - own


def flips(logits: Tensor, label: Tensor, target: Tensor | None = None) -> Tensor:
    """Whether another class than the label is strictly ahead, or the target is ahead of all others: (size,) bool.

    A tie is no flip, and logits that are not all finite are none either.
    """
    return (margin(logits, label, target) < 0) & logits.isfinite().all(1)


def lengths(x: Tensor, x_adv: Tensor) -> Tensor:
    """Distance ||x_adv - x|| of every element, (size,), subtracted and summed in float64."""
    return (x_adv.double() - x.double()).flatten(1).norm(dim=1)


def spread(values: Tensor, like: Tensor) -> Tensor:
    """A value for each element, (size,), with as many axes as `like`."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class Judge:
    """Classifies and measures proposals for one batch.

    Parameters
    ----------
    model : (size, ...) -> logits (size, classes), its elements independent of one another.
    x : (size, ...), the clean points.
    label : (size,), the class to leave.
    target : (size,), the class to reach, or None for any but the label.
    box : limits of every coordinate, or None.
    any_batch : whether the model gives a point its logits in any batch. If not, elements may have weights of their own,
        and the batch must be presented whole and in order.
    """

    model: Model
    x: Tensor
    label: Tensor
    target: Tensor | None = None
    box: Box = None
    any_batch: bool = False

    def flips(self, x_adv: Tensor) -> Tensor:
        """Whether each point flips, (size,) bool."""
        from torch import no_grad

        with no_grad():
            return flips(self.model(x_adv), self.label, self.target)

    def inside(self, x_adv: Tensor) -> Tensor:
        """The nearest points of the box."""
        return x_adv if self.box is None else x_adv.clamp(*self.box)

    def outside(self, x_adv: Tensor, slack: float = 1e-6) -> Tensor:
        """Whether a proposal leaves the box by more than rounding, (size,) bool."""
        return ((x_adv - self.inside(x_adv)).abs() > slack).flatten(1).any(1)

    def measure(self, x_adv: Tensor) -> Tensor:
        """Length of each perturbation, (size,) float64: inf where the point, moved into the box, does not flip."""
        point = self.inside(x_adv)
        return lengths(self.x, point).where(self.flips(point), float("inf"))

    def bisect(self, x_adv: Tensor, steps: int = BISECTIONS) -> tuple[Tensor, Tensor]:
        """The proposals drawn towards x as far as they still flip, and their lengths (size,); inf for those that fail.

        Halves the segment from x to each proposal and keeps the end that flips; a failing proposal is returned as x.
        If the segment crosses the boundary several times, one of the crossings is found.
        """
        import torch

        end = self.inside(x_adv.detach())
        found = self.flips(end)
        for stretch in STRETCHES:
            if bool(found.all()):
                break
            longer = self.inside(torch.lerp(self.x, x_adv.detach(), stretch))
            end = torch.where(spread(found, end), end, longer)
            found = self.flips(end)
        end = torch.where(spread(found, end), end, self.x)
        low, high = torch.zeros_like(self.x.flatten(1)[:, 0]), torch.ones_like(self.x.flatten(1)[:, 0])
        best = end
        for _ in range(steps if bool(found.any()) else 0):
            middle = (low + high) / 2
            point = self.inside(torch.lerp(self.x, end, spread(middle, end)))
            over = found & self.flips(point)
            low, high = torch.where(over, low, middle), torch.where(over, middle, high)
            best = torch.where(spread(over, end), point, best)
        return best, self.measure(best)
