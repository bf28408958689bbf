"""Free adversarial training: one backward pass gives a step of the weights and a step of the perturbation at once.

Each batch is met several times in a row. Every backward pass has the gradients with respect to both weights and
perturbation; the weights descend, and the perturbation ascends by a sign step within its l_inf ball (Shafahi et al.
2019). ConvNorm's networks were trained so, without a word on how a batch's perturbation begins: the method carries that
of the batch before on, the code that the paper cites begins with 0 each time, and a random start is what keeps
single-step training from overfitting catastrophically (Wong, Rice and Kolter 2020).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

Noise = Literal["zero", "carried", "random"]
NOISES: tuple[Noise, ...] = get_args(Noise)
HELD = "perturbation"  # its name in what is kept from batch to batch


@dataclass(frozen=True)
class Free:
    """The mean cross-entropy at inputs that are moved further at each pass over a batch, `Passes`.

    Parameters
    ----------
    radius : of the l_inf ball, in units of the pixels' [0, 1].
    step : of the perturbation after each pass, in the same unit; with the radius as step, as in the cited code, it is a
        corner of the ball from the second pass on.
    replays : passes over each batch, at least 1; each is a step of the weights.
    noise : how the perturbation of a batch begins: "zero"; "carried", as that of the batch before ended, image by image
        in the order of the batch; or "random", uniform in the ball.
    """

    radius: float
    step: float
    replays: int
    noise: Noise

    def passes(
        self, model: nn.Module, x: Tensor, y: Tensor, memory: dict[str, Tensor], generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yields (mean loss, logits) at the inputs of each pass, detached; they are clipped to [0, 1], as x is.

        Where clipping has stopped an input its gradient is 0, and its perturbation stays.
        """
        perturbation = self._start(x, memory, generator)
        for _ in range(self.replays):
            perturbation.requires_grad_()
            logits = model((x + perturbation).clamp(0, 1))
            loss = nn.functional.cross_entropy(logits, y)
            loss.backward()
            ascent = perturbation.grad
            assert ascent is not None, "the loss depends on its input"
            yield loss.detach(), logits.detach()
            perturbation = (perturbation.detach() + self.step * ascent.sign()).clamp(-self.radius, self.radius)
        if self.noise == "carried":
            memory[HELD] = torch.cat([perturbation, memory.get(HELD, x[:0])[len(x) :]])

    def _start(self, x: Tensor, memory: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        """The perturbation of a batch before its first pass, as x."""
        if self.noise == "random":
            uniform = torch.rand(x.shape, dtype=x.dtype, device=x.device, generator=generator)
            return self.radius * (2 * uniform - 1)
        if self.noise == "carried":
            held = memory.get(HELD, x[:0])[: len(x)]
            return torch.cat([held, torch.zeros_like(x[len(held) :])])
        return torch.zeros_like(x)
