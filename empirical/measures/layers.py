"""The layers of a network that are linear maps, found in the order in which an image meets them.

Dense layers and convolutions of any dimension, transposed, grouped, dilated and strided ones, with whatever stands
around their images: each is the linear map that it is on inputs of the size that it gets. A batch normalisation right
behind one only scales its outputs in evaluation, and is folded in. What else holds weights is named.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from threading import Lock, get_ident
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from empirical.decisions.inputs import FAULTS, reason
from empirical.measures.singular_values import Extremes, extremes, of_matrix, of_module
from theory.things import kernels
from theory.things.shrinking import count_from_percent

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
LINEAR = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)
FOLDED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SCALING = (*FOLDED, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, nn.PReLU)
_TRACING = Lock()  # of two networks at once torch would not put back what it changes for one
KINDS = ("dense", "convolution", "transposed convolution")
OPERATIONS = 1 << 37  # of the decomposition of a kernel's matrix: some ten seconds of a core


class Layer(NamedTuple):
    """A linear layer where it stands.

    Parameters
    ----------
    name, module : as in `model.named_modules()`.
    inputs, outputs : shapes of one image before and behind it.
    follower : the batch normalisation that sees its outputs and nothing else, if there is one.
    """

    name: str
    module: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    follower: nn.Module | None = None

    @property
    def kind(self) -> int:
        """Its place in `KINDS`."""
        return 0 if isinstance(self.module, nn.Linear) else 1 if isinstance(self.module, CONVOLUTIONS) else 2

    @property
    def applied(self) -> nn.Module:
        """The layer with its batch normalisation folded into its weights."""
        return self.module if self.follower is None else _scaled(self.module, _factor(self.follower))


class Found(NamedTuple):
    """The linear layers of a network, and what else has weights: names with kinds."""

    layers: tuple[Layer, ...]
    unknown: tuple[str, ...]


def found(model: nn.Module, x: Tensor) -> Found:
    """The layers that an image meets, each once, as they are where it first passes.

    Parameters
    ----------
    model : in evaluation mode.
    x : one image, (1, ...), on the model's device.
    """
    seen: dict[nn.Module, tuple[tuple[int, ...], tuple[int, ...]]] = {}

    def note(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        seen.setdefault(module, (tuple(given[0].shape[1:]), tuple(result.shape[1:])))

    modules = dict(model.named_modules())
    linear: dict[str, nn.Module] = {name: module for name, module in modules.items() if isinstance(module, LINEAR)}
    hooks = [module.register_forward_hook(note) for module in linear.values()]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    names = {module: name for name, module in linear.items()}
    followers = followed(model)
    layers = tuple(
        Layer(names[module], module, *shapes, followers.get(names[module])) for module, shapes in seen.items()
    )
    known = (*LINEAR, *SCALING)
    others = [
        f"{name or 'the network itself'} ({type(module).__name__})"
        for name, module in modules.items()
        if not isinstance(module, known) and any(True for _ in module.parameters(recurse=False))
    ]
    unmet = [f"{name} (not met by an image)" for name, module in linear.items() if module not in seen]
    return Found(layers, (*others, *unmet))


class _Tracer(fx.Tracer):
    """Looks into no layer that is a linear map, nor into a batch normalisation, whoever derived its class.

    While a network is traced, torch sends the calls of all modules here, those of other threads as well: these go on
    as if nothing was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.thread = get_ident()

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        if get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if get_ident() != self.thread:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, (*LINEAR, *FOLDED)) or super().is_leaf_module(m, module_qualified_name)


def traced(model: nn.Module) -> fx.GraphModule | str:
    """The network as a graph of calls, or in a line why it has none: what it does depends on the values it meets."""
    try:
        with _TRACING:
            return fx.GraphModule(model, _Tracer().trace(model))
    except FAULTS as error:
        return f"its forward pass cannot be written as a graph of calls ({reason(error)})"


def followed(model: nn.Module) -> dict[str, nn.Module]:
    """The batch normalisation behind each layer, by the layer's name, where it alone sees the layer's outputs."""
    graph = traced(model)
    if isinstance(graph, str):
        return {}
    modules, pairs = dict(model.named_modules()), {}
    for node in graph.graph.nodes:
        if node.op != "call_module" or not isinstance(modules[str(node.target)], FOLDED):
            continue
        before, follower = node.args[0], modules[str(node.target)]
        alone = isinstance(before, fx.Node) and before.op == "call_module" and len(before.users) == 1
        if alone and follower.running_var is not None:
            layer = modules[str(before.target)]
            if isinstance(layer, (nn.Linear, *CONVOLUTIONS)):
                pairs[str(before.target)] = follower
    return pairs


def matrices(layer: Any) -> Tensor:
    """The weights as matrices that stand side by side, (groups, m, n) in float64: one row for each output channel.

    Of a convolution this is its kernel, reshaped as the paper on conditioning does: no map of images.
    """
    weight = layer.weight.detach().double()
    if isinstance(layer, nn.Linear):
        return weight[None]
    if isinstance(layer, TRANSPOSED):
        return weight.unflatten(0, (layer.groups, -1)).transpose(1, 2).flatten(2)
    return weight.unflatten(0, (layer.groups, -1)).flatten(2)


def measured(layer: Layer, like: Tensor, seed: int, percents: Sequence[float]) -> Mapping[str, float | list[float]]:
    """What is said of one layer: the statistics whose names begin with "layer_" in the study, without that.

    Parameters
    ----------
    like : of the dtype in which products are taken, on the device.
    percents : of the singular values of the weights, from the bottom, that might be left out.
    """
    plain = _map_extremes(layer.module, layer.inputs, like, seed)
    whole = plain if layer.follower is None else _map_extremes(layer.applied, layer.inputs, like, seed)
    sigma = spectrum(layer.module)
    condition, left_out = math.nan, [math.nan] * len(percents)
    if sigma is not None and float(sigma[0]) > 0:
        floor = max(matrices(layer.module).shape[-2:]) * torch.finfo(torch.float64).eps * float(sigma[0])
        condition = float(sigma[0] / sigma[-1]) if float(sigma[-1]) > floor else math.inf
        counts = [count_from_percent(percent, len(sigma), "floor") for percent in percents]
        left_out = [float(sigma[-count] / sigma[0]) if count else 0.0 for count in counts]
    return {
        "kind": layer.kind,
        "weights": layer.module.weight.numel(),
        "inputs": math.prod(layer.inputs),
        "outputs": math.prod(layer.outputs),
        "norm": plain.largest,
        "norm_at_most": plain.at_most,
        "folded_norm": whole.largest,
        "folded_norm_at_most": whole.at_most,
        "smallest": plain.smallest,
        "smallest_exact": plain.exact,
        "kernel_condition": condition,
        "left_out": left_out,
    }


def spectrum(layer: nn.Module) -> Tensor | None:
    """The singular values of the weights' matrices together, in falling order; None where they would take long."""
    held = matrices(layer)
    if not is_short(held):
        return None
    return torch.linalg.svdvals(held).flatten().sort(descending=True)[0]


def is_short(held: Tensor) -> bool:
    """Whether the decomposition of matrices, (..., m, n), is a matter of seconds."""
    return held.numel() * min(held.shape[-2:]) <= OPERATIONS


def _map_extremes(module: Any, inputs: tuple[int, ...], like: Tensor, seed: int) -> Extremes:
    """Of the linear map of a layer on inputs of that size; weights that act place by place need no images."""
    pointwise = isinstance(module, nn.Linear) or (isinstance(module, CONVOLUTIONS) and _is_pointwise(module))
    held = matrices(module)
    if not (pointwise and is_short(held)):
        return extremes(of_module(module, inputs, like), seed)
    found = of_matrix(held)
    strided = isinstance(module, CONVOLUTIONS) and max(module.stride) > 1
    return found._replace(smallest=0.0) if strided and held.shape[-2] > held.shape[-1] else found


def _is_pointwise(module: Any) -> bool:
    """Whether a convolution sees one place at a time, and no place outside of its images; a derived class may pad."""
    padded = isinstance(module.padding, str) or any(module.padding)
    return type(module) in CONVOLUTIONS and math.prod(module.kernel_size) == 1 and not padded


def _factor(follower: Any) -> Tensor:
    """What batch normalisation multiplies channels by in evaluation."""
    variance = follower.running_var.detach()
    scale = torch.ones_like(variance) if follower.weight is None else follower.weight.detach()
    return kernels.batch_norm_factor(scale, variance, follower.eps)


def _scaled(module: Any, factor: Tensor) -> Any:
    """A copy whose outputs are multiplied by a factor, channel by channel."""
    scaled = copy.deepcopy(module)
    with torch.no_grad():
        scaled.weight.copy_(scaled.weight * factor.reshape(-1, *[1] * (scaled.weight.ndim - 1)))
    return scaled


def largest_factor(module: nn.Module) -> float:
    """The Lipschitz constant of a batch normalisation in evaluation."""
    return float(_factor(module).abs().max())
