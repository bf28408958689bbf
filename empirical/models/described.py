"""A torch network as the `Network` that theory speaks of: the same layers, with the weights themselves, not copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fragility.engine.study import UsageError
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import Network


def described(model: nn.Module, weights: Mapping[str, Tensor] | None = None) -> Network:
    """The network as a value: of inputs (..., channels, height, width) it has the same logits, and differentiates.

    Parameters
    ----------
    model : a sequence of linear layers and convolutions with zero padding, a ReLU after each but the last; between
        them `nn.Flatten`, and `nn.AvgPool2d` and `nn.MaxPool2d` without padding.
    weights : by the names of `model.named_parameters()`, in place of the model's own; of any precision.

    Raises
    ------
    UsageError : it is no sequence, or has other modules, or in another order.
    """
    if not isinstance(model, nn.Sequential):
        raise UsageError(f"the model must be a sequence of layers, got {type(model).__name__}")
    held = dict(model.named_parameters()) if weights is None else weights
    layers: list[Any] = []
    modules = dict(model.named_children())
    weighted = [name for name, module in modules.items() if isinstance(module, nn.Linear | nn.Conv2d)]
    after = [name for name, before in zip([*modules][1:], modules, strict=False) if before in weighted[:-1]]
    for name, module in modules.items():
        relu = isinstance(module, nn.ReLU)
        if relu != (name in after):
            raise UsageError(f"a ReLU must stand right after every weighted layer but the last, got {module} at {name}")
        if not relu:
            layers.append(_layer(module, held.get(f"{name}.weight"), held.get(f"{name}.bias")))
    return Network(layers)


def _layer(module: nn.Module, weight: Any, bias: Any) -> Any:
    if isinstance(module, nn.Linear):
        return Dense(weight, bias)
    if isinstance(module, nn.Conv2d) and module.padding_mode == "zeros" and not isinstance(module.padding, str):
        place = {"stride": module.stride, "padding": module.padding, "dilation": module.dilation}
        return Conv(weight, bias, groups=module.groups, **place)
    if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
        return Flatten()
    pools = {nn.AvgPool2d: AveragePool, nn.MaxPool2d: MaxPool}
    if type(module) in pools and not module.padding and not module.ceil_mode and getattr(module, "dilation", 1) == 1:
        return pools[type(module)](module.kernel_size, module.stride)
    raise UsageError(f"layers must be dense, convolutions, flattenings or pools without padding, got {module}")
