"""The loss that trains for joint robustness: cross-entropy and two penalties ("Joint margin bounds", eq. (4)).

    l'(f_W(x), y) = CE + alpha max_{j != y} tau^{jy} + beta max_{j != y} zeta^{jy}(x)

The penalties are taken at the clean input; the cross-entropy there, too, or at an input that an attack has moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from empirical.models.described import described
from empirical.training.adversarial import InputAttack
from theory.things.network import Budget
from theory.things.penalties import margin_penalties, margin_penalties_printed


@dataclass(frozen=True)
class MarginLoss:
    """The mean of eq. (4) over a batch.

    Parameters
    ----------
    radius_x, radius_w : budgets of the penalties, of inputs in [0, 1] and of all weights and biases.
    alpha, beta : coefficients of tau and zeta.
    printed : whether zeta is that of eq. (3), which is no bound from three layers on and which the paper trained with;
        else the corrected one. Without convolutions and biases only.
    attack : moves the input of the cross-entropy; None for the clean input.
    """

    radius_x: float
    radius_w: float
    alpha: float
    beta: float
    printed: bool
    attack: InputAttack | None = None

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds its gradient to that of the parameters; (mean loss, logits at the cross-entropy's inputs), detached.

        Raises
        ------
        UsageError : `described` cannot say what the model is.
        """
        logits = model(self.attack.moved(model, x, y, generator) if self.attack else x)
        of = margin_penalties_printed if self.printed else margin_penalties
        tau, zeta = of(described(model), x, y, Budget(self.radius_x, self.radius_w, self.radius_w))
        loss = nn.functional.cross_entropy(logits, y) + self.alpha * tau.mean() + self.beta * zeta.mean()
        loss.backward()
        return loss.detach(), logits.detach()
