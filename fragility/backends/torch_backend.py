"""The backend of trained networks: worlds drawn as on numpy, networks trained by torch on one device."""

from __future__ import annotations

import os
from functools import cache

import torch

from fragility.backends.numpy_backend import NumpyBackend


def unavailable(device: str) -> str | None:
    """One line on why a device cannot be used; None where it can."""
    return None if device == "cpu" or torch.cuda.is_available() else "torch finds no CUDA device"


class TorchBackend(NumpyBackend):
    """A world is drawn in host memory, the same on every device; what torch makes of it is of `device`.

    On one device and version of torch the same world gives the same numbers, bit for bit.
    """

    def __init__(self, device: str) -> None:
        self.name = self.device = device
        self.concurrency = 1 if device == "cuda" else NumpyBackend.concurrency


@cache
def on(device: str) -> TorchBackend:
    """The backend of a device, and torch made deterministic there.

    Shards run side by side, so each has one thread; algorithms that add up in an order of their own are refused.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = False  # its 10 binary digits would do for training, not for a distance
    return TorchBackend(device)
