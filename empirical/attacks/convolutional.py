"""Certified radii of convolutional ReLU networks with max-pooling, by bounds over an l2 ball.

Three bounds of each unit's input are intersected: the ball of the layer's output (radius times the spectral norms so
far times the length of the unit's own weights, exact for the first layer), intervals, and for dense layers the linear
relaxation of `crown`. The margins come from the relaxation. A spectral norm of a convolution is bounded by that of the
circular one on the padded grid, of which it is a part. Weak where many units are undecided: on a trained two-layer
network of MNIST it certifies a small part of what attacks find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks import inputs
from empirical.attacks.crown import SLACK, largest, lines
from simulate.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn

CLOSE = 0.02  # relative width at which the search for a radius ends: a trial costs seconds


def conv_distance(network: nn.Sequential, x: Tensor, label: Any, target: Any = None) -> np.ndarray:
    """Certified lower bound of the distance to a flip, (size,); 0 where the point flips already.

    Parameters
    ----------
    network : of Conv2d (no dilation), ReLU, MaxPool2d (stride as its kernel), Flatten and, at the end,
        Linear; in evaluation mode it may have dropout, too.
    x : (size, channels, height, width), or (size, n) for dense layers.
    label, target : (size,) class numbers.

    Raises
    ------
    UsageError : for other modules, points that do not fit or are not finite, or classes that there are not.
    """
    import torch

    inputs.check_points(x)
    if not isinstance(network, torch.nn.Sequential):
        raise UsageError(f"certified radii need a torch.nn.Sequential, got {type(network).__name__}")
    with torch.no_grad():
        steps = [_Step.of(module) for module in network if module.training or not _is_dropout(module)]
        if not steps or steps[-1].kind != "linear":
            raise UsageError(f"certified radii need a network that ends in Linear, got {inputs.shown(network[-1:])}")
        values: list[Tensor] = []

        def forward(point: Tensor) -> Tensor:
            values[:] = [point]
            for step in steps:
                values.append(step.forward(values[-1]))
            return values[-1]

        size, classes = inputs.logits(forward, x.detach().double().cpu()).shape
        chosen = inputs.class_numbers("label", label, size, classes)
        if target is not None:
            chosen = inputs.class_numbers("target", target, size, classes)
        norms = [step.norm(value.shape) for step, value in zip(steps, values, strict=False)]
        found = []
        for b in range(size):
            image = _Image(steps, norms, [value[b : b + 1] for value in values])
            found.append(image.distance(int(chosen[b]), target is not None))
    return np.array(found)


def _is_dropout(module: nn.Module) -> bool:
    return "dropout" in type(module).__name__.lower()


class _Step:
    """One module in float64, with its bounds forwards and its relaxation backwards."""

    def __init__(self, kind: str, weight: Any = None, bias: Any = None, how: dict[str, Any] | None = None) -> None:
        self.kind, self.weight, self.bias, self.how = kind, weight, bias, how or {}

    @staticmethod
    def of(module: nn.Module) -> _Step:
        import torch
        from torch import nn

        if isinstance(module, (nn.Linear, nn.Conv2d)):
            weight = module.weight.detach().double().cpu()
            bias = torch.zeros(len(weight)).double() if module.bias is None else module.bias.detach().double().cpu()
            if isinstance(module, nn.Linear):
                return _Step("linear", weight, bias)
            plain = module.dilation == (1, 1) and not isinstance(module.padding, str)
            if plain and module.padding_mode == "zeros":
                how = {"stride": module.stride, "padding": module.padding, "groups": module.groups}
                return _Step("conv", weight, bias, how)
        if isinstance(module, nn.MaxPool2d) and module.stride == module.kernel_size:
            rest = module.padding, module.dilation, module.ceil_mode, module.return_indices
            if rest == (0, 1, False, False):
                return _Step("pool", how={"kernel_size": module.kernel_size})
        if isinstance(module, nn.ReLU):
            return _Step("relu")
        if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
            return _Step("flatten")
        raise UsageError(
            "certified radii need plain Conv2d, ReLU, MaxPool2d, Flatten and Linear, and dropout in evaluation mode, "
            f"got {inputs.shown(module)}"
        )

    def forward(self, value: Tensor, weight: Any = None, bias: Any = None) -> Tensor:
        from torch.nn import functional

        weight, bias = self.weight if weight is None else weight, self.bias if bias is None else bias
        if self.kind == "linear":
            return functional.linear(value, weight, bias)
        if self.kind == "conv":
            return functional.conv2d(value, weight, bias, **self.how)
        if self.kind == "pool":
            return functional.max_pool2d(value, **self.how)
        return value.relu() if self.kind == "relu" else value.flatten(1)

    def backward(self, slopes: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Slopes at the input of a layer with weights, and what its biases add."""
        from torch.nn.grad import conv2d_input

        if self.kind == "linear":
            return slopes @ self.weight, slopes @ self.bias
        grown = conv2d_input((len(slopes), *shape[1:]), self.weight, slopes, **self.how)
        return grown, slopes.sum((2, 3)) @ self.bias

    def norm(self, shape: tuple[int, ...]) -> float:
        """An upper bound of the factor by which the step lengthens a difference of its inputs."""
        import torch

        if self.kind == "linear":
            return float(torch.linalg.matrix_norm(self.weight, 2))
        if self.kind == "conv":
            grid = [side + 2 * pad for side, pad in zip(shape[2:], self.how["padding"], strict=True)]
            blocks = torch.fft.fft2(self.weight, grid).unflatten(0, (self.how["groups"], -1))
            return float(torch.linalg.matrix_norm(blocks.permute(0, 3, 4, 1, 2), 2).max())
        return 1.0

    def rows(self) -> Tensor:
        """Length of each unit's weights, shaped to go with its output."""
        length = self.weight.flatten(1).norm(dim=1)
        return length[None] if self.kind == "linear" else length[None, :, None, None]


class _Image:
    """One point: `values` are the inputs of every step, and the logits."""

    def __init__(self, steps: list[_Step], norms: list[float], values: list[Tensor]) -> None:
        self.steps, self.norms, self.values = steps, norms, values

    def distance(self, chosen: int, targeted: bool) -> float:
        import torch

        logits = self.values[-1][0]
        rows = torch.eye(len(logits)).double()
        rows = rows[chosen] - rows[torch.arange(len(logits)) != chosen]
        rows = -rows if targeted else rows
        worst = torch.max if targeted else torch.min
        if float(worst(rows @ logits)) <= 0:
            return 0.0
        lengthened = (rows @ self.steps[-1].weight).norm(dim=1) * float(np.prod(self.norms[:-1]))
        start = float(worst((rows @ logits / lengthened).nan_to_num(0.0, torch.inf, -torch.inf)))

        def certified(radius: np.ndarray) -> np.ndarray:
            return np.array([float(worst(self.below(rows, self.relaxed(float(radius[0])), float(radius[0])))) > 0])

        return float(largest(certified, np.array([start]), CLOSE)[0]) * (1 - SLACK)

    def relaxed(self, radius: float) -> list[tuple[Any, ...]]:
        """What replaces each step before the last in a backward pass: lines of ReLUs, picks of pools."""
        import torch
        from torch.nn import functional

        low, high = self.values[0] - radius, self.values[0] + radius
        reach, found = radius, list[tuple[Any, ...]]()
        for number, step in enumerate(self.steps[:-1]):
            kept: tuple[Any, ...] = ()
            if step.weight is not None:
                middle, ball = self.values[number + 1], reach * step.rows()
                if number:
                    centre, half = (
                        step.forward((low + high) / 2),
                        step.forward((high - low) / 2, step.weight.abs(), 0 * step.bias),
                    )
                    low, high = torch.maximum(middle - ball, centre - half), torch.minimum(middle + ball, centre + half)
                else:
                    low, high = middle - ball, middle + ball
                if step.kind == "linear" and number:
                    identity = torch.eye(len(step.bias)).double()
                    low = torch.maximum(low, self.below(identity, found, radius, number)[None])
                    high = torch.minimum(high, -self.below(-identity, found, radius, number)[None])
            elif step.kind == "relu":
                kept = lines(low, high, torch)
                low, high = low.relu(), high.relu()
            elif step.kind == "pool":
                least, index = functional.max_pool2d(low, return_indices=True, **step.how)
                others = high.flatten(2).scatter(2, index.flatten(2), -torch.inf).reshape(high.shape)
                most = step.forward(high)
                kept = (index, least >= step.forward(others), most)
                low, high = least, most
            else:
                low, high = low.flatten(1), high.flatten(1)
            reach *= self.norms[number]
            found.append(kept)
        return found

    def below(self, rows: Tensor, relaxed: list[tuple[Any, ...]], radius: float, depth: int | None = None) -> Tensor:
        """Lower bounds of rows @ (what the step of weights at `depth` gives) over the ball, (rows,)."""
        import torch

        depth = len(self.steps) - 1 if depth is None else depth
        slopes, constant = self.steps[depth].backward(rows, self.values[depth].shape)
        for number in range(depth - 1, -1, -1):
            step, shape = self.steps[number], tuple(self.values[number].shape)
            if step.weight is not None:
                slopes, shift = step.backward(slopes, shape)
                constant = constant + shift
            elif step.kind == "relu":
                under, chord, offset = relaxed[number]
                negative = slopes.clamp(max=0)
                constant = constant + (negative * offset).flatten(1).sum(1)
                slopes = slopes.clamp(min=0) * under + negative * chord
            elif step.kind == "pool":
                index, decided, most = relaxed[number]
                negative = torch.where(decided, 0.0, slopes.clamp(max=0))
                constant = constant + (negative * most).flatten(1).sum(1)
                picks = index.expand(len(slopes), *index.shape[1:]).flatten(2)
                wide = slopes.new_zeros(len(slopes), shape[1], shape[2] * shape[3])
                slopes = wide.scatter_add(2, picks, (slopes - negative).flatten(2)).unflatten(2, shape[2:])
            else:
                slopes = slopes.reshape(len(slopes), *shape[1:])
        return (slopes * self.values[0]).flatten(1).sum(1) + constant - radius * slopes.flatten(1).norm(dim=1)
