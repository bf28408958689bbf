"""Adversarial weight perturbation: a step goes down the gradient that a perturbed copy of the network has.

For each batch the inputs are attacked, the weights go one step up the loss at those inputs, and the gradient there is
applied to the weights as they were (Wu et al. 2020, Algorithm 1, with one step in the weights). The paper on joint
robustness holds that such training "is not meaningful". Wu et al. bound the perturbation of a layer by its own norm in
l_2; here it is the l_inf ball of the threat, in which one step by signs ends at a corner.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from empirical.training.adversarial import InputAttack


@dataclass(frozen=True)
class AdversarialWeights:
    """The mean cross-entropy of attacked inputs under weights that were moved to raise it.

    Parameters
    ----------
    radius : by which every weight and bias moves.
    attack : moves the inputs, before the weights move.
    """

    radius: float
    attack: InputAttack

    def backward(self, model: nn.Module, x: Tensor, y: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Adds its gradient to that of the parameters; (mean loss, logits of the moved weights), detached.

        The moved weights are copies: those of the model are not touched, whatever interrupts it.
        """
        point = self.attack.moved(model, x, y, generator)
        held = dict(model.named_parameters())
        slopes = torch.autograd.grad(nn.functional.cross_entropy(model(point), y), list(held.values()))
        moved = {
            name: weight + self.radius * slope.sign()
            for (name, weight), slope in zip(held.items(), slopes, strict=True)
        }
        logits = functional_call(model, moved, (point,))
        loss = nn.functional.cross_entropy(logits, y)
        loss.backward()
        return loss.detach(), logits.detach()
