"""Classifiers by name: the user's own module, or Inception-ResNet-v2 with its published weights."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import torch
from torch import Tensor, nn

from empirical.decisions.inputs import reason
from empirical.models.files import tensors
from fragility.engine.backend import UnavailableError
from fragility.engine.study import UsageError

INCEPTION = "inception_resnet_v2"
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours: what pytorchcv's weights expect


class Normalised(nn.Module):
    """A network of standardised colours, (x - mean) / spread, as one of images (B, 3, H, W) in [0, 1]."""

    mean: Tensor
    spread: Tensor

    def __init__(self, network: nn.Module, mean: tuple[float, ...] = MEAN, spread: tuple[float, ...] = SPREAD) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("spread", torch.tensor(spread)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        return self.network((x - self.mean) / self.spread)


def build(spec: str, checkpoint: Path | None = None, device: str = "cpu") -> nn.Module:
    """The classifier from images (B, 3, H, W) in [0, 1] to logits, in evaluation mode, its weights without gradients.

    Parameters
    ----------
    spec : "module:function" of the user, from Python's path or the current folder, called without arguments; or
        "inception_resnet_v2", for images of 299 x 299, whose weights pytorchcv downloads and checks by their SHA-1
        where no checkpoint is given.
    checkpoint : a state_dict that torch.save wrote, loaded into what the function returned; keys and shapes must fit.

    Raises
    ------
    UsageError : there is no such module or function, it fails, or it returns no nn.Module; the checkpoint cannot be
        read or is one of another network.
    UnavailableError : pytorchcv is not installed, or its weights cannot be downloaded.
    """
    network = _inception(download=checkpoint is None) if spec == INCEPTION else _made(spec)
    if checkpoint is not None:
        _take(network, checkpoint, spec)
    network = Normalised(network) if spec == INCEPTION else network
    return network.to(device).eval().requires_grad_(False)


def weights_digest(model: nn.Module) -> str:
    """12 hex digits over names, types, shapes and values of weights and buffers, the same on every device."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()[:12]


def own(spec: str) -> Callable[[], nn.Module]:
    """The user's function "module:function", not called.

    Raises
    ------
    UsageError : there is none, or its module cannot be imported.
    """
    where, _, function = spec.partition(":")
    if not where or not function:
        raise UsageError(f"--model must be {INCEPTION} or module:function, got {spec!r}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        return getattr(import_module(where), function)
    except ModuleNotFoundError as error:
        if error.name and (where + ".").startswith(error.name + "."):
            raise UsageError(
                f"--model {spec} must name a module on Python's path, got no module {error.name}: "
                "run where it lies, or set PYTHONPATH"
            ) from None
        raise UsageError(f"--model {spec} needs {error.name}, which is not installed") from None
    except AttributeError:
        raise UsageError(f"--model {spec} must name a function of {where}, which has no {function}") from None
    except Exception as error:
        raise UsageError(f"--model {spec} must be importable, got {reason(error)}") from None


def _made(spec: str) -> nn.Module:
    """What the user's function returns."""
    made = own(spec)
    try:
        network = made()
    except Exception as error:
        raise UsageError(f"--model {spec} is called without arguments and must return, got {reason(error)}") from None
    if not isinstance(network, nn.Module):
        raise UsageError(f"--model {spec} must return a torch.nn.Module, got {type(network).__name__}")
    return network


def _inception(download: bool) -> nn.Module:
    try:
        from pytorchcv.models.inceptionresnetv2 import inceptionresnetv2
    except ImportError:
        raise UnavailableError(f"--model {INCEPTION} needs pytorchcv: pip install pytorchcv") from None
    if not download:
        return inceptionresnetv2()
    try:
        with redirect_stdout(sys.stderr):  # it prints how the download goes, and stdout is the result's
            return inceptionresnetv2(pretrained=True)
    except Exception as error:  # of the network, the disk, or a checksum
        raise UnavailableError(
            f"the weights of {INCEPTION} cannot be had ({reason(error)}): get pytorchcv's state_dict elsewhere and "
            "give it as --checkpoint FILE"
        ) from None


def _take(network: nn.Module, checkpoint: Path, spec: str) -> None:
    """Loads a checkpoint into the network, all of it and nothing else."""
    state = tensors(checkpoint)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UsageError(f"--checkpoint must be a state_dict of tensors, got {type(state).__name__} in {checkpoint}")
    wanted = network.state_dict()
    missing, foreign = [key for key in wanted if key not in state], [key for key in state if key not in wanted]
    bent = [key for key in wanted if key in state and wanted[key].shape != state[key].shape]
    misfits = ((missing, "lacks"), (foreign, "has the foreign"), (bent, "has another shape of"))
    found = [f"{says} {keys[0]} ({len(keys)} in all)" for keys, says in misfits if keys]
    if found:
        raise UsageError(f"--checkpoint must hold the weights of {spec}, and {checkpoint} {', '.join(found)}")
    network.load_state_dict(state)
