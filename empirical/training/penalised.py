"""The cross-entropy with a penalty on ill-conditioned weights: what a training descends that is to keep kappa low."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Conditioned:
    """The mean cross-entropy plus `coefficient` times the sum over the layers of `spread`, biases left alone.

    Parameters
    ----------
    coefficient : at least 0.
    """

    coefficient: float

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, _generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds the gradient of both to that of the parameters; (their sum, logits), detached."""
        logits = model(x)
        spreads = [spread(weight.flatten(1)) for weight in model.parameters() if weight.ndim > 1]
        loss = nn.functional.cross_entropy(logits, y) + self.coefficient * torch.stack(spreads).sum()
        loss.backward()
        return loss.detach(), logits.detach()


def spread(W: Tensor) -> Tensor:
    """Squared coefficient of variation of the squared singular values of W (m, n), all min(m, n) of them.

    It is ||r G / tr G - I||_F^2 / r with G the smaller Gram matrix, r rows: 0 where all singular values are equal, and
    kappa_2 is 1; r - 1 for rank 1. It does not change with the scale of W, and its gradient needs no decomposition.
    W = 0 counts as r equal ones, with gradient 0.
    """
    G = W @ W.T if W.shape[0] < W.shape[1] else W.T @ W
    trace = G.trace()
    shares = G / trace.where(trace > 0, 1.0)
    return torch.where(trace > 0, len(G) * shares.square().sum() - 1, 0.0)
