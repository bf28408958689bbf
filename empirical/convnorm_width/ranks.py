"""Where the label stands among the logits of images, as they are and under attack: top-1 and top-5 are read off it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from empirical.training.network import EVALUATED

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.training.adversarial import InputAttack

ON_GPU = 1000  # images at once; on a CPU as many as keep the activations in its cache


def ranks(
    model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator, attack: InputAttack | None = None
) -> np.ndarray:
    """How many classes are ahead of the label, (N,) int64: 0 where the image is classified right.

    Of equal logits the first class is ahead, as argmax has it; where a logit is not finite, all classes are.

    Parameters
    ----------
    model : in evaluation mode, its weights without gradients.
    x, y : images (N, ...) in [0, 1] and labels (N,), on the model's device.
    generator : of the attack's random starts, on that device.
    attack : moves the images first; None leaves them.
    """
    found = []
    at_once = ON_GPU if x.is_cuda else EVALUATED
    for images, labels in zip(x.split(at_once), y.split(at_once), strict=True):
        moved = images if attack is None else attack.moved(model, images, labels, generator)
        with torch.no_grad():
            found.append(_ahead(model(moved), labels))
    return torch.cat(found).cpu().numpy()


def accuracy(found: np.ndarray, top: int = 1) -> float:
    """Share of the ranks at which the label is among the first `top` classes."""
    return float((found < top).mean())


def _ahead(logits: Tensor, labels: Tensor) -> Tensor:
    own, place = logits.gather(1, labels[:, None]), labels[:, None]
    earlier = torch.arange(logits.shape[1], device=logits.device) < place
    ahead = ((logits > own) | ((logits == own) & earlier)).sum(1)
    return torch.where(logits.isfinite().all(1), ahead, logits.shape[1])
