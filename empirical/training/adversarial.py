"""Adversarial training: every step descends the cross-entropy at inputs that an attack has moved first.

The attack is projected gradient ascent within an l_inf ball and the box of pixels, from a random start (Madry et al.
2018, which the joint-robustness paper names for its models of singular and non-singular robustness).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

REACH = 2.5  # radii that all steps are long together: enough to cross the ball from any start, and to turn


@dataclass(frozen=True)
class InputAttack:
    """Projected gradient ascent on the cross-entropy, by signs, over the input alone.

    A single step from the input itself is FGSM: it reaches beyond the ball and is drawn back to its corner.

    Parameters
    ----------
    radius : of the l_inf ball, in units of the pixels' [0, 1].
    steps : at least 1, of 2.5 radius / steps each.
    random : whether it starts at a uniform point of the ball, or at the input.
    """

    radius: float
    steps: int = 10
    random: bool = True

    def moved(self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
        """The last iterate, as x; gradients of weights are left alone.

        Parameters
        ----------
        x : (B, ...) in [0, 1].
        generator : of the starts, on the device of x.
        """
        low, high = (x - self.radius).clamp(min=0), (x + self.radius).clamp(max=1)
        point = x.clone()
        if self.random:
            noise = torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=generator)
            point = torch.clamp(x + self.radius * (2 * noise - 1), low, high)
        for _ in range(self.steps):
            point.requires_grad_()
            (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(model(point), y, reduction="sum"), point)
            step = REACH * self.radius / self.steps
            point = torch.clamp(point.detach().add_(gradient.sign_(), alpha=step), low, high)
        return point


@dataclass(frozen=True)
class Adversarial:
    """The mean cross-entropy at attacked inputs."""

    attack: InputAttack

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds its gradient to that of the parameters; (mean loss, logits at the attacked inputs), detached."""
        logits = model(self.attack.moved(model, x, y, generator))
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        return loss.detach(), logits.detach()
