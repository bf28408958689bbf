"""What a step of training descends: the cross-entropy, or any other loss that knows how to go back through itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn


class Objective(Protocol):
    """A loss with its gradient: a frozen dataclass, whose `repr` says all of it in the identity of a training."""

    def backward(
        self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor | None]:
        """Adds the gradient of a batch's loss to that of the parameters; (mean loss, logits), detached.

        Logits are None of a model that does not classify.

        Weights are afterwards what they were, whatever was tried with them in between. Averages of batch normalisation
        count every forward pass in training, those of an attack, too.

        Parameters
        ----------
        x : (B, ...) in [0, 1].
        y : (B,) int64.
        generator : of all randomness of the loss, on the device; a function of seed and epoch.
        """
        ...


@runtime_checkable
class Passes(Protocol):
    """What descends a batch in several steps, one after each backward pass: a frozen dataclass, as an `Objective`."""

    def passes(
        self, model: nn.Module, x: Tensor, y: Tensor, memory: dict[str, Tensor], generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (mean loss, logits), detached, after each backward pass; a step of the weights is taken in between.

        Gradients of the parameters are zero before each pass, and hold that of the loss when it yields.

        Parameters
        ----------
        x, y, generator : as an `Objective` is given them.
        memory : what it keeps from one batch to the next: empty at the first, stored with the weights after an epoch.
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
