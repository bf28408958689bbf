"""What a step of training descends: the cross-entropy, or any other loss that knows how to go back through itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn


class Objective(Protocol):
    """A loss with its gradient: a frozen dataclass, whose `repr` says all of it in the identity of a training."""

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds the gradient of a batch's loss to that of the parameters; (mean loss, logits), detached.

        Weights and buffers are afterwards what they were, whatever was tried with them in between.

        Parameters
        ----------
        x : (B, ...) in [0, 1].
        y : (B,) int64.
        generator : of all randomness of the loss, on the device; a function of seed and epoch.
        """
        ...


@dataclass(frozen=True)
class CrossEntropy:
    """The mean cross-entropy of the logits."""

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, _generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds its gradient to that of the parameters; (mean loss, logits), detached."""
        logits = model(x)
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        return loss.detach(), logits.detach()


CROSS_ENTROPY = CrossEntropy()
