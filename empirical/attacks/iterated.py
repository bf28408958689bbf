"""Iterated sign attacks with a fixed step and no ball: FGSM away from the prediction, FGMT to the least likely class.

    x <- clip_[0, 1](x + epsilon sign grad_x CE(f(x), y)),   y what the network says of the clean image      (FGSM)
    x <- clip_[0, 1](x - epsilon sign grad_x CE(f(x), t)),   t what it holds for least likely there          (FGMT)

repeated, each time by the full epsilon, so that s steps reach s epsilon (conditioning, III-C; the code that it cites
steps so). No label is used: an image that is classified wrong from the start is attacked like any other, and is right
afterwards where the attack drove the network away from its error. Gradients are those of the images' precision: where
float32 rounds the largest probability to 1, what is left of them is small, or 0, and so is its sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from empirical.decisions import inputs
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.decisions.judge import Model

METHODS = ("fgsm", "fgmt")
AT_ONCE = 100  # images through the network together: with more, activations leave the cache


def iterated(
    model: Model, x: Tensor, method: str, radius: float, steps: int, at_once: int = AT_ONCE
) -> tuple[np.ndarray, np.ndarray, Tensor]:
    """What the network says after each step, how far each step has come, and where the last one ends.

    Returns classes (steps, N) int64 of the images after step 1, ..., `steps`, distances ||x_s - x||_inf (steps, N) in
    float64, and the images after the last step, (N, ...). The images after s steps are the same for any larger `steps`.

    Parameters
    ----------
    model : differentiable, (M, ...) -> logits (M, classes); what it gives for an image does not depend on the others.
    x : clean images, (N, ...) in [0, 1], on the model's device.
    method : one of METHODS.
    radius : epsilon, at least 0, in units of the input.
    steps : at least 1.
    at_once : images that go through the model together: bounds the memory, and changes results by rounding only.

    Raises
    ------
    UsageError : no such method; radius, steps or images out of range; a model that fails on them or has no gradient.
    """
    import torch

    if method not in METHODS:
        raise UsageError(f"the method must be one of {', '.join(METHODS)}, got {method!r}")
    if not 0 <= radius < np.inf:
        raise UsageError(f"the radius must be finite and at least 0, got {radius}")
    if min(steps, at_once) < 1:
        raise UsageError(f"steps and at_once must be at least 1, got {steps} and {at_once}")
    inputs.check_points(x)
    if float(x.min()) < 0 or float(x.max()) > 1:
        raise UsageError(f"images must lie in [0, 1], got entries from {float(x.min()):g} to {float(x.max()):g}")
    classes, moved, ends = [], [], []
    for clean in x.split(at_once):
        said, far = [], []
        for point, logits in _walk(model, clean, method, radius, steps):
            said.append(logits.argmax(1))
            far.append((point - clean).flatten(1).abs().amax(1).double())
        classes.append(torch.stack(said))
        moved.append(torch.stack(far))
        ends.append(point)
    return torch.cat(classes, 1).cpu().numpy(), torch.cat(moved, 1).cpu().numpy(), torch.cat(ends)


def _walk(model: Model, clean: Tensor, method: str, radius: float, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The images after each step, with their logits, from which the next step takes its gradient."""
    import torch

    away = method == "fgsm"
    step = radius if away else -radius
    point, chosen = clean, None
    for number in range(steps + 1):
        point = point.detach().requires_grad_(number < steps)
        with torch.set_grad_enabled(number < steps):
            logits = inputs.answer(model, point)
        if chosen is None:
            chosen = logits.detach().argmax(1) if away else logits.detach().argmin(1)
        if number:
            yield point.detach(), logits.detach()
        if number < steps:
            with torch.enable_grad():
                loss = torch.nn.functional.cross_entropy(logits, chosen, reduction="sum")
            point = (point.detach() + step * inputs.gradient(loss, point).sign()).clamp(0, 1)
