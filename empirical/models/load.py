"""Classifiers by name: the user's own module, or Inception-ResNet-v2 with its published weights."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from empirical.decisions.inputs import FAULTS, answer, reason
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


class Watched(nn.Module):
    """A user's network, every answer of which is looked at: whatever it raises, and whenever, is told in a line."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Logits.

        Raises
        ------
        UsageError : the network fails, or returns no logits (points, classes) of the dtype of x.
        """
        return answer(self.network, x)


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
    UsageError : there is no such module or function, it fails, or it returns no nn.Module, or one without numbers in
        it; the checkpoint cannot be read or is one of another network.
    UnavailableError : pytorchcv is not installed, or its weights cannot be downloaded.
    """
    network = _inception(download=checkpoint is None) if spec == INCEPTION else _made(spec)
    if checkpoint is not None:
        take(network, checkpoint, spec)
    network = Normalised(network) if spec == INCEPTION else network
    with _told(spec, "be moved to its device and put into evaluation mode"):
        network = network.to(device).eval()
        for weight in network.parameters():
            weight.requires_grad_(False)
    return network


def weights_digest(model: nn.Module) -> str:
    """12 hex digits over names, types, shapes and values of weights and buffers, the same on every device.

    Tensors and arrays that modules hold as plain attributes, or as buffers that are not stored, count as well.
    """
    digest = hashlib.sha256()
    stored = model.state_dict()
    others = {name: buffer for name, buffer in model.named_buffers() if name not in stored}
    for prefix, module in model.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor | np.ndarray):
                others[f"{prefix}.{name}"] = torch.as_tensor(value)
    for name, value in (*stored.items(), *sorted(others.items())):
        if not isinstance(value, Tensor):  # what a module stores beside its weights
            digest.update(f"{name} {value!r}\n".encode())
            continue
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
        with redirect_stdout(sys.stderr):
            return getattr(import_module(where), function)
    except ModuleNotFoundError as error:
        if error.name and (where + ".").startswith(error.name + "."):
            raise UsageError(
                f"--model {spec} must name a module on Python's path, got no module {error.name}: "
                "run where it lies, or set PYTHONPATH"
            ) from None
        raise UsageError(f"--model {spec} needs {error.name}, which is not installed") from None
    except AttributeError as error:
        if error.name == function and isinstance(error.obj, ModuleType) and error.obj.__name__ == where:
            raise UsageError(f"--model {spec} must name a function of {where}, which has no {function}") from None
        raise UsageError(f"--model {spec} must be importable, got {reason(error)}") from None
    except FAULTS as error:
        raise UsageError(f"--model {spec} must be importable, got {reason(error)}") from None


@contextmanager
def _told(spec: str, what: str) -> Iterator[None]:
    """Tells any fault inside as one of the user's model, which must do `what`; what it prints goes to stderr."""
    try:
        with redirect_stdout(sys.stderr):  # stdout is the result's
            yield
    except UsageError:
        raise
    except FAULTS as error:
        raise UsageError(f"--model {spec} must {what}, got {reason(error)}") from None


def _made(spec: str) -> nn.Module:
    """What the user's function returns."""
    made = own(spec)
    with _told(spec, "return when it is called without arguments"):
        network = made()
    if not isinstance(network, nn.Module):
        raise UsageError(f"--model {spec} must return a torch.nn.Module, got {type(network).__name__}")
    for name, value in (*network.named_parameters(), *network.named_buffers()):
        if is_lazy(value) or value.is_meta:
            raise UsageError(f"--model {spec} must have numbers in its weights, got none in {name}: load them")
    with _told(spec, "have weights that can be read"):
        weights_digest(network)
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
    except FAULTS as error:  # of the network, the disk, or a checksum
        raise UnavailableError(
            f"the weights of {INCEPTION} cannot be had ({reason(error)}): get pytorchcv's state_dict elsewhere and "
            "give it as --checkpoint FILE"
        ) from None


def take(network: nn.Module, checkpoint: Path, spec: str) -> None:
    """Loads a checkpoint into the network, all of it and nothing else.

    Raises
    ------
    UsageError : it cannot be read, or holds other weights than the network has, or no numbers of their kind.
    """
    state = tensors(checkpoint)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UsageError(f"--checkpoint must be a state_dict of tensors, got {type(state).__name__} in {checkpoint}")
    wanted = {key: value for key, value in network.state_dict().items() if isinstance(value, Tensor)}
    missing, foreign = [key for key in wanted if key not in state], [key for key in state if key not in wanted]
    both = [key for key in wanted if key in state]
    bent = [key for key in both if wanted[key].shape != state[key].shape]
    odd = [key for key in both if not _same_kind(wanted[key], state[key])]
    misfits = ((missing, "lacks"), (foreign, "has the foreign"), (bent, "has another shape of"))
    found = [f"{says} {keys[0]} ({len(keys)} in all)" for keys, says in misfits if keys]
    if odd:
        found.append(f"has no numbers like the network's in {odd[0]}, but {_kind(state[odd[0]])}")
    if found:
        raise UsageError(f"--checkpoint must hold the weights of {spec}, and {checkpoint} {', '.join(found)}")
    with _told(spec, f"take the weights of {checkpoint}"):
        network.load_state_dict(state)


def _same_kind(wanted: Tensor, given: Tensor) -> bool:
    """Whether a tensor holds numbers that can stand for the wanted: a float of any precision for another one."""
    floats = wanted.is_floating_point() and given.is_floating_point()
    return _kind(given) == str(given.dtype) and (floats or wanted.dtype == given.dtype)


def _kind(value: Tensor) -> str:
    """What a tensor is: its dtype, unless its numbers are elsewhere, or not all there, or in another code."""
    if value.is_meta:
        return "shapes alone (a tensor of the meta device)"
    if value.is_quantized:
        return "quantised ones"
    return str(value.dtype) if value.layout == torch.strided and not value.is_nested else "sparse ones"
