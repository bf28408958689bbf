"""Training of many small ReLU networks side by side, each on points of its own, with labels that all share.

The sum over the networks of their mean losses is stepped by Adam, which works on each number alone: every network goes
its own way, as if it were trained by itself. The order of the points in epoch k is a function of k, and the
learning rate one of k and the number of epochs, falling like half a cosine to almost nothing, so that the last
epochs leave a network at rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from empirical.models.mlp import Layers, logits
from fragility.engine.stop import look

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """How long, in which steps.

    Parameters
    ----------
    epochs : over which the learning rate falls.
    batch : points per step.
    rate : learning rate of the first epoch.
    """

    epochs: int
    batch: int = 128
    rate: float = 5e-3

    def rate_at(self, epoch: int) -> float:
        """Learning rate of epoch 1, 2, ..., positive up to the last."""
        return self.rate * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2


class ManyNetworks:
    """Networks in training, a `Trainee`.

    Parameters
    ----------
    network : initial layers; they are copied.
    x : (size, points, n), of the dtype and on the device of the layers.
    labels : (points,) class numbers.
    """

    def __init__(self, network: Layers, x: Tensor, labels: Tensor, schedule: Schedule) -> None:
        from torch.optim import Adam

        self.x, self.labels, self.schedule = x, labels, schedule
        self.network = [(_parameter(weight), _parameter(bias)) for weight, bias in network]
        self.optimiser = Adam([part for pair in self.network for part in pair], lr=schedule.rate, fused=True)

    @property
    def trained(self) -> Layers:
        """The layers as they are now, without gradients."""
        return [(weight.detach(), bias.detach()) for weight, bias in self.network]

    def epoch(self, number: int) -> Mapping[str, float]:
        """One pass over the points; means of loss and accuracy over points and networks, as each batch was met."""
        import torch

        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate_at(number)
        points, size = len(self.labels), len(self.x)
        order = torch.randperm(points, generator=torch.Generator().manual_seed(number)).to(self.x.device)
        totals = self.x.new_zeros(2)
        for chosen in order.split(self.schedule.batch):
            look()
            totals += self._step(chosen)
        loss, right = (totals / (points * size)).tolist()
        return {"loss": loss, "accuracy": right}

    def _step(self, chosen: Tensor) -> Tensor:
        """One step on these points; sums of losses and of right answers."""
        import torch

        label = self.labels[chosen].expand(len(self.x), -1)
        self.optimiser.zero_grad()
        outputs = logits(self.network, self.x.index_select(1, chosen))
        losses = torch.nn.functional.cross_entropy(outputs.transpose(1, 2), label, reduction="none")
        losses.mean(1).sum().backward()
        self.optimiser.step()
        best, own = outputs.detach().amax(2), outputs.detach().gather(2, label[:, :, None])[:, :, 0]
        return torch.stack([losses.detach().sum(), (own == best).sum()])

    def state(self) -> dict[str, Any]:
        """Weights and the optimiser's averages."""
        return {"network": [list(pair) for pair in self.trained], "optimiser": self.optimiser.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up a `state`."""
        import torch

        with torch.no_grad():
            for pair, kept in zip(self.network, state["network"], strict=True):
                for part, value in zip(pair, kept, strict=True):
                    part.copy_(value)
        self.optimiser.load_state_dict(state["optimiser"])


def _parameter(value: Tensor) -> Tensor:
    return value.detach().clone().requires_grad_()
