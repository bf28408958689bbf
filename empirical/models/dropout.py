"""Dropout whose masks come from a generator that is handed to it, never from torch's global one.

Trainings share a process with one another, and on threads the global stream belongs to none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Dropout(nn.Dropout):
    """torch's layer but for the generator: in training, entries are 0 with probability p, the others divided by 1 - p.

    p is in [0, 1).
    """

    generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x itself in evaluation. Raises RuntimeError in training outside of `drawn_from`."""
        if not self.training:
            return x
        if self.generator is None:
            raise RuntimeError("Dropout in training needs a generator: with drawn_from(model, generator): ...")
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept / (1 - self.p)


@contextmanager
def drawn_from(model: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """Inside, all dropout of the model draws from `generator`, of the model's device, in the order of its layers.

    Raises
    ------
    TypeError : the model has dropout of torch's own, which draws from the global generator.
    """
    layers = [module for module in model.modules() if isinstance(module, Dropout)]
    for module in model.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd) and module not in layers:
            raise TypeError(f"dropout must be empirical.models.dropout.Dropout to be reproducible, got {module}")
    for layer in layers:
        layer.generator = generator
    try:
        yield
    finally:
        for layer in layers:
            del layer.generator
