"""Training in bfloat16 where that is faster, of networks that are measured in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BFloat16(nn.Module):
    """A network whose forward pass is rounded to bfloat16 while it is trained, and is its own in evaluation.

    Weights, gradients and what the optimiser keeps stay in float32: torch's autocast rounds where an operation bears
    it, and runs the others as they are. Images are laid out with the channels last, as its kernels for bfloat16 like
    them.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        for weight in network.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of images (B, channels, height, width), in their dtype."""
        if not self.training:
            return self.network(x)
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.network(x.contiguous(memory_format=torch.channels_last)).to(x.dtype)
