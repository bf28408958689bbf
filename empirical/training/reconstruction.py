"""What autoencoders descend: how far the decoded images are from the images, and for a variational one, how likely.

The paper does not print its losses. Both take a pixel in [0, 1] for the probability of a Bernoulli variable, whose
binary cross-entropy is summed over the pixels of an image and averaged over images: so do Kingma and Welling (2013,
appendix C.1), whom the paper follows, and it keeps a gradient at a sigmoid that is saturated on the wrong side, where
the squared error has none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from empirical.models.autoencoders import Coder, VariationalAutoencoder, drawn


@dataclass(frozen=True)
class Reconstruction:
    """Binary cross-entropy between images and what a `Coder` decodes of their codes, in nats of an image."""

    def backward(self, model: nn.Module, x: Tensor, _y: Tensor, _generator: torch.Generator) -> tuple[Tensor, None]:
        """Adds its gradient to that of the parameters; (mean loss, None), detached."""
        coder = cast(Coder, model)
        loss = _cross_entropy(coder.logits(coder.encode(x)), x)
        loss.backward()
        return loss.detach(), None


@dataclass(frozen=True)
class EvidenceBound:
    """Minus the evidence lower bound of a `VariationalAutoencoder`, in nats of an image.

    That is the binary cross-entropy at one sampled code of each image, and the divergence KL of the code's normal
    distribution from the standard one, in closed form.
    """

    def backward(self, model: nn.Module, x: Tensor, _y: Tensor, generator: torch.Generator) -> tuple[Tensor, None]:
        """Adds its gradient to that of the parameters; (mean loss, None), detached. Noise comes from `generator`."""
        coder = cast(VariationalAutoencoder, model)
        mean, log_variance = coder.moments(x)
        divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
        loss = _cross_entropy(coder.logits(drawn(mean, log_variance, generator)), x) + divergence
        loss.backward()
        return loss.detach(), None


def _cross_entropy(logits: Tensor, x: Tensor) -> Tensor:
    """Summed over pixels, mean over images."""
    return nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
