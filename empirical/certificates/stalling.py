"""Penalties from which an attack that is penalised for its distance cannot leave its start: theory's threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from empirical.decisions import inputs
from theory.latent.codes import stall_penalty

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.decisions.judge import Box, Model


def stall_penalties(model: Model, x: Tensor, goal: Tensor, box: Box = None) -> np.ndarray:
    """The least penalty at which x is a stationary point of CE(goal, f(x)) + penalty ||x - x0||_2, (size,) float64.

    Exact for linear classifiers, of which such a point is the minimum (latent, 2.4); for others it says where the first
    step of a descent fails.

    Parameters
    ----------
    model : differentiable, (size, ...) -> logits (size, classes), elements independent of one another.
    x : (size, ...) inside the box.
    goal : (size,) int64.
    box : (0, 1), or None for none.
    """
    import torch

    point = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = torch.nn.functional.cross_entropy(inputs.answer(model, point), goal, reduction="sum")
    gradient = inputs.gradient(loss, point).double().flatten(1).cpu().numpy()
    clean = x.detach().double().flatten(1).cpu().numpy()
    return stall_penalty(gradient, clean if box else np.full_like(clean, 0.5))  # 0.5: no side of the box is near
