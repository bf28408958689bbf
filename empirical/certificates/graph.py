"""An upper bound on the l2 Lipschitz constant of a network whose forward pass can be written as a graph of calls.

From the input, each step multiplies the constant by its own: a linear layer by its spectral norm, an activation by its
steepest slope; sums add constants, joined channels add their squares. On a chain this is the product of the layers'
norms. A step that is not known, or has no constant, as the product of two values has none, ends it with its name.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from empirical.decisions.inputs import FAULTS, shown
from empirical.measures.singular_values import extremes, of_module
from fragility.engine.study import UsageError

Norm = Callable[[str, nn.Module, Tensor], float | None]
ACTIVATIONS: Mapping[Any, float] = {
    **dict.fromkeys(("ReLU", "ReLU6", "Tanh", "Hardtanh", "Identity", "Flatten", "Softplus", "Softsign"), 1.0),
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "Unflatten", "Softmax"), 1.0),
    "Sigmoid": 0.25,
    "Hardsigmoid": 1 / 6,
    "Hardswish": 1.5,
    "SELU": 1.7581,
    "GELU": 1.1290,
    "SiLU": 1.0999,
    "Mish": 1.0885,
}
SLOPES: Mapping[Any, float] = {
    **dict.fromkeys((torch.relu, torch.relu_, functional.relu, functional.relu6, functional.hardtanh), 1.0),
    **dict.fromkeys((torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.permute), 1.0),
    **dict.fromkeys((torch.transpose, torch.chunk, torch.split), 1.0),
    **dict.fromkeys((torch.tanh, functional.tanh, functional.dropout, functional.softplus), 1.0),
    **dict.fromkeys((torch.sigmoid, functional.sigmoid), 0.25),
    functional.gelu: 1.1290,
    functional.silu: 1.0999,
    functional.hardswish: 1.5,
    functional.hardsigmoid: 1 / 6,
}
METHODS = ("view", "reshape", "flatten", "contiguous", "permute", "transpose", "squeeze", "unsqueeze", "relu", "relu_")
ADDED = (operator.add, operator.iadd, torch.add, operator.sub, operator.isub, torch.sub, "add", "add_", "sub", "sub_")
MULTIPLIED = (operator.mul, operator.imul, torch.mul, "mul", "mul_")
DIVIDED = (operator.truediv, operator.itruediv, torch.div, "div", "div_")
POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)


def lipschitz(graph: fx.GraphModule, x: Tensor, norm: Norm) -> float:
    """Upper bound on the l2 Lipschitz constant, from inputs to logits.

    Parameters
    ----------
    graph : of the network in evaluation mode, as `empirical.measures.layers.traced` has it.
    x : one image, (1, ...), on the network's device.
    norm : (name, module, input) -> the Lipschitz constant of a module with weights, None of one that is not known.

    Raises
    ------
    UsageError : a step has no constant, or none that is known; it is named.
    """
    walk = _Walk(graph, norm)
    try:
        with torch.no_grad():
            walk.run(x)
    except FAULTS as error:
        raise UsageError(f"the graph of the network cannot be run ({type(error).__name__})") from None
    if walk.fault is not None:
        raise walk.fault
    return walk.found


class _Walk(fx.Interpreter):
    """Runs the graph, and keeps beside each value the Lipschitz constant of the way to it; 0 of constants."""

    def __init__(self, graph: fx.GraphModule, norm: Norm) -> None:
        super().__init__(graph, garbage_collect_values=False)
        self.graph_module, self.norm, self.found = graph, norm, math.nan
        self.fault: UsageError | None = (
            None  # the first; the interpreter would add lines of its own to one that is raised
        )
        self.constants: dict[fx.Node, float] = {}

    def run_node(self, n: fx.Node) -> Any:
        """The node's value."""
        value = super().run_node(n)
        try:
            self.constants[n] = self._constant(n, value)
        except UsageError as fault:
            self.fault, self.constants[n] = self.fault or fault, math.nan
        return value

    def _constant(self, node: fx.Node, value: Any) -> float:
        if node.op == "placeholder":
            return 1.0
        if node.op == "output":
            self.found = self._of(node.args[0])
            return self.found
        parts = value if isinstance(value, tuple | list) else (value,)
        if node.op == "get_attr" or not any(isinstance(part, Tensor) for part in parts):
            return 0.0  # sizes and weights do not depend on the input's values
        before = [self._of(one) for one in node.all_input_nodes]
        if not any(before):
            return 0.0
        if node.op == "call_module":
            return before[0] * self._module(node)
        return self._called(node, value, before)

    def _arguments(self, node: fx.Node) -> Any:
        """What a step is called with."""
        return self.map_nodes_to_values(node.args, node)

    def _of(self, node: Any) -> float:
        return self.constants[node] if isinstance(node, fx.Node) else 0.0

    def _module(self, node: fx.Node) -> float:
        name = str(node.target)
        module = self.graph_module.get_submodule(name)
        given: Any = self._arguments(node)[0]
        factor = self.norm(name, module, given)
        if factor is None:
            factor = _plain(module, given)
        if factor is None:
            raise UsageError(f"no Lipschitz constant is known of {name} ({shown(type(module).__name__)})")
        return factor

    def _called(self, node: fx.Node, value: Any, before: list[float]) -> float:
        """Of a function or a method."""
        target, moving = node.target, [one for one in node.all_input_nodes if self.constants[one]]
        if target in ADDED and node.kwargs.get("alpha", 1) == 1:
            return sum(self._of(one) for one in node.args[:2])
        if len(moving) > 1 and target not in (torch.cat, torch.concat):
            raise UsageError(f"no Lipschitz constant has a step of two values, {_named(node)}")
        first = max(before)
        arguments = self._arguments(node)
        if target in (torch.cat, torch.concat):
            return math.hypot(*before)
        if target in (*MULTIPLIED, *DIVIDED) and (target in MULTIPLIED or moving == [node.args[0]]):
            other = arguments[1] if node.args[0] in moving else arguments[0]
            sizes = torch.as_tensor(other, dtype=torch.float64).abs()
            return first * float(sizes.max() if target in MULTIPLIED else 1 / sizes.min())
        if target in SLOPES or target in METHODS or target in ("chunk", "split") or _is_part(target, arguments):
            return first * SLOPES.get(target, 1.0)
        if target is functional.pad and node.kwargs.get("mode", "constant") == "constant" and len(arguments) < 3:
            return first
        if target in ("mean", torch.mean, functional.adaptive_avg_pool2d) and isinstance(value, Tensor):
            pooled = arguments[0].numel() / value.numel()
            if target is not functional.adaptive_avg_pool2d or value.shape[-2:].numel() == 1:
                return first / math.sqrt(pooled)
        raise UsageError(f"no Lipschitz constant is known of the step {_named(node)}")


def _is_part(target: Any, arguments: Any) -> bool:
    """Whether a step takes a part of its value: by numbers and slices, which repeat no entry."""
    index = arguments[1] if target is operator.getitem else ()
    places = index if isinstance(index, tuple) else (index,)
    return target is operator.getitem and all(
        isinstance(place, int | slice | type(None) | type(...)) for place in places
    )


def _plain(module: nn.Module, given: Tensor) -> float | None:
    """Of a module without weights; None of one that is not known."""
    if isinstance(module, POOLS):
        linear = of_module(module, tuple(given.shape[2:]), given[:1, 0])
        return extremes(linear, seed=0).at_most
    if isinstance(module, nn.MaxPool1d | nn.MaxPool2d | nn.MaxPool3d):
        return math.sqrt(_windows(module, given.ndim - 2))
    if isinstance(module, nn.LeakyReLU):
        return max(1.0, abs(module.negative_slope))
    if isinstance(module, nn.ELU | nn.CELU):
        return max(1.0, module.alpha) if isinstance(module, nn.ELU) else 1.0
    return ACTIVATIONS.get(type(module).__name__)


def _windows(module: Any, axes: int) -> int:
    """Into how many windows of a max-pool one entry can fall."""

    def each(value: Any) -> tuple[int, ...]:
        return tuple(value) if isinstance(value, tuple | list) else (value,) * axes

    sizes, strides, apart = each(module.kernel_size), each(module.stride), each(module.dilation)
    return math.prod(
        size if gap > 1 else -(-size // step) for size, step, gap in zip(sizes, strides, apart, strict=True)
    )


def _named(node: fx.Node) -> str:
    """A step as a reader knows it."""
    return shown(getattr(node.target, "__name__", node.target))
