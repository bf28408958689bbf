"""The user's network: built once, tried on their images, and changed as the SVD defence changes it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from empirical.decisions.inputs import FAULTS, logits, reason
from empirical.examine.images import images
from empirical.imagenet_compression.pairs import named
from empirical.measures.layers import CONVOLUTIONS, Found, found, is_short, matrices
from empirical.models.load import Watched, build, weights_digest
from fragility.engine.context import Context, current
from fragility.engine.study import UsageError
from theory.things.shrinking import count_from_percent, shrink_bottom

MOST = 8  # networks of a sweep that are kept: one that begins at random is another one when it is made again
AT_ONCE = 16  # images that go through the network together where only logits are wanted
_ONE_AT_A_TIME = Lock()  # threads that want the same network wait for the first to make it


@lru_cache(maxsize=MOST)
def _built(spec: str, context: Context) -> nn.Module:
    network = build(spec, context.weights)
    if not any(True for _ in network.parameters()):
        raise UsageError(f"--model {spec} must have weights, got a network without parameters")
    return network


def network(spec: str) -> nn.Module:
    """The network as its function made it, in evaluation mode, with the weights that the context names.

    Raises
    ------
    UsageError : as `empirical.models.load.build`; it has no parameters.
    """
    with _ONE_AT_A_TIME:
        return _built(spec, current())


def admitting(device: str) -> None:
    """Admits steps of a network for which a GPU knows no deterministic algorithm: its numbers are rounded anew then."""
    if device != "cpu":
        torch.use_deterministic_algorithms(True, warn_only=True)


def weights(spec: str) -> str:
    """12 hex digits over its weights."""
    return weights_digest(network(spec))


def like(model: nn.Module) -> Tensor:
    """An empty tensor of the precision and on the device that a network takes: float64 where its weights are."""
    weight = next(model.parameters())
    return torch.empty(0, dtype=torch.promote_types(weight.dtype, torch.float32), device=weight.device)


def shown(model: nn.Module, size: int | None, numbers: Any = slice(None)) -> Tensor:
    """Some of the context's images as the network takes them, (B, channels, ...)."""
    return torch.from_numpy(images(size).x[numbers]).to(like(model))


@lru_cache(maxsize=MOST)
def _said(spec: str, size: int | None, context: Context) -> Tensor:
    model = _built(spec, context)
    with torch.no_grad(), named(spec):
        parts = shown(model, size).split(AT_ONCE)
        return torch.cat([logits(Watched(model), part).cpu() for part in parts])


def all_logits(spec: str, size: int | None) -> Tensor:
    """The network's logits of all images, (N, classes), in host memory.

    Raises
    ------
    UsageError : it takes no such images, or gives none that are finite, of two classes at least.
    """
    with _ONE_AT_A_TIME:
        return _said(spec, size, current())


@lru_cache(maxsize=MOST)
def _layers(spec: str, size: int | None, context: Context) -> Found:
    model = _built(spec, context)
    with named(spec), told(spec, "show its layers"):
        return found(model, shown(model, size, slice(1)))


def layers(spec: str, size: int | None) -> Found:
    """The linear layers that an image meets, and what else has weights."""
    with _ONE_AT_A_TIME:
        return _layers(spec, size, current())


def activations(spec: str, size: int | None) -> int:
    """Numbers that the layers of the network hold of one image, its own among them."""
    return images(size).x[0].size + sum(torch.Size(layer.outputs).numel() for layer in layers(spec, size).layers)


@lru_cache(maxsize=2 * MOST)
def _shrunk(spec: str, size: int | None, percent: float, context: Context) -> nn.Module:
    changed = copy.deepcopy(_built(spec, context))
    modules = dict(changed.named_modules())
    for layer in _layers(spec, size, context).layers:
        if can_shrink(layer.module):
            weight = modules[layer.name].weight
            (held,) = matrices(layer.module)
            count = count_from_percent(percent, min(held.shape), "floor")
            with torch.no_grad():
                weight.copy_(shrink_bottom(held, count, 0.0).reshape(weight.shape))
    return changed


def shrunk(spec: str, size: int | None, percent: float) -> nn.Module:
    """A copy without the bottom singular values of each layer's matrix of weights, so many per cent of them."""
    with _ONE_AT_A_TIME, told(spec, "be copied"):
        return _shrunk(spec, size, percent, current())


def can_shrink(layer: nn.Module) -> bool:
    """Whether the weights are one matrix of outputs by inputs, of which all singular values can be had."""
    plain = isinstance(layer, (nn.Linear, *CONVOLUTIONS)) and getattr(layer, "groups", 1) == 1
    return plain and is_short(matrices(layer))


@contextmanager
def told(spec: str, what: str) -> Iterator[None]:
    """Tells any fault inside as one of the user's network, which must do `what`."""
    try:
        yield
    except UsageError:
        raise
    except FAULTS as error:
        raise UsageError(f"--model {spec} must {what}, got {reason(error)}") from error
