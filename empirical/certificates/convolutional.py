"""Certified radii of convolutional ReLU networks with max-pooling, by bounds over an l2 ball.

Three bounds of each unit's input are intersected: the ball of the layer's output (radius times the spectral norms so
far times the length of the unit's own weights, exact for the first layer), intervals, and for dense layers the linear
relaxation of `theory.things.relaxation`. The margins come from the relaxation. A spectral norm of a convolution is
bounded by that of the circular one on the padded grid, of which it is a part. Weak where many units are undecided: on a
trained two-layer network of MNIST it certifies a small part of what attacks find.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from empirical.attacks import inputs
from empirical.certificates.crown import SLACK, largest
from fragility.engine.study import UsageError
from theory.things.layers import Conv, Dense, Flatten, MaxPool
from theory.things.network import ACTIVATIONS, Activation
from theory.things.relaxation import Lines, relu_lines

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
    UsageError : for other modules, weights or points that are not finite, points that do not fit, or classes that
        there are not.
    """
    import torch

    inputs.check_points(x)
    if not isinstance(network, torch.nn.Sequential):
        raise UsageError(f"certified radii need a torch.nn.Sequential, got {type(network).__name__}")
    with torch.no_grad():
        steps = _steps(network, x.ndim - 1)
        if not steps or not isinstance(last := steps[-1], Dense):
            raise UsageError(f"certified radii need a network that ends in Linear, got {inputs.shown(network[-1:])}")
        values: list[Tensor] = []

        def forward(point: Tensor) -> Tensor:
            values[:] = [point]
            for step in steps:
                values.append(step(values[-1]))
            return values[-1]

        size, classes = inputs.logits(forward, x.detach().double().cpu()).shape
        chosen = inputs.class_numbers("label", label, size, classes)
        if target is not None:
            chosen = inputs.class_numbers("target", target, size, classes)
        norms = [_norm(step, tuple(value.shape[1:])) for step, value in zip(steps, values, strict=False)]
        found = []
        for b in range(size):
            image = _Image(steps, last, norms, [value[b : b + 1] for value in values])
            found.append(image.distance(int(chosen[b]), target is not None))
    return np.array(found)


class _Linear(Dense):
    """A dense layer, evaluated by the very call that the network makes."""

    def __call__(self, x: Tensor) -> Tensor:
        from torch.nn import functional

        return functional.linear(x, self.weight, self.bias)


class _Conv2d(Conv):
    """A convolution by torch's own kernels, which are faster than the taps one by one."""

    def __call__(self, x: Tensor) -> Tensor:
        return self._convolved(self.weight, x, self.bias)

    def product(self, weight: Tensor, x: Tensor) -> Tensor:
        return self._convolved(weight, x, None)

    def _convolved(self, weight: Tensor, x: Tensor, bias: Tensor | None) -> Tensor:
        from torch.nn import functional

        return functional.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def pull(self, weight: Tensor, y: Tensor, shape: tuple[int, ...]) -> Tensor:
        from torch.nn.grad import conv2d_input

        return conv2d_input((len(y), *shape), weight, y, self.stride, self.padding, self.dilation, self.groups)


Step = _Linear | _Conv2d | MaxPool | Flatten | Activation


def _steps(network: nn.Sequential, axes: int) -> list[Step]:
    """The modules in float64 for points of so many axes, without dropout that does nothing."""
    from torch import nn

    steps = []
    for module in network:
        if module.training or "dropout" not in type(module).__name__.lower():
            steps.append(_step(module, axes))
        axes = 1 if isinstance(module, nn.Flatten) else axes
    return steps


def _step(module: nn.Module, axes: int) -> Step:
    """One module whose inputs have so many axes besides that of the points."""
    import torch
    from torch import nn

    if isinstance(module, (nn.Linear, nn.Conv2d)):
        weight = module.weight.detach().double().cpu()
        bias = torch.zeros(len(weight)).double() if module.bias is None else module.bias.detach().double().cpu()
        if not bool(weight.isfinite().all() and bias.isfinite().all()):
            raise UsageError(f"certified radii need finite weights and biases, got others in {inputs.shown(module)}")
        if isinstance(module, nn.Linear):
            return _Linear(weight, bias)
        plain = module.dilation == (1, 1) and not isinstance(module.padding, str)
        if plain and module.padding_mode == "zeros":
            return _Conv2d(weight, bias, module.stride, module.padding, groups=module.groups)
    if isinstance(module, nn.MaxPool2d) and module.stride == module.kernel_size:
        rest = module.padding, module.dilation, module.ceil_mode, module.return_indices
        if rest == (0, 1, False, False):
            return MaxPool(module.kernel_size)
    if isinstance(module, nn.ReLU):
        return ACTIVATIONS["relu"]
    if isinstance(module, nn.Flatten) and (module.start_dim, module.end_dim) == (1, -1):
        return Flatten(axes)
    raise UsageError(
        "certified radii need plain Conv2d, ReLU, MaxPool2d, Flatten and Linear, and dropout in evaluation mode, "
        f"got {inputs.shown(module)}"
    )


def _norm(step: Step, shape: tuple[int, ...]) -> float:
    """An upper bound of the factor by which the step lengthens a difference of its inputs, points of this shape."""
    import torch

    if isinstance(step, Dense):
        return float(torch.linalg.matrix_norm(step.weight, 2))
    if isinstance(step, Conv):
        grid = [side + 2 * pad for side, pad in zip(shape[1:], step.padding, strict=True)]
        blocks = torch.fft.fft2(step.weight, grid).unflatten(0, (step.groups, -1))
        return float(torch.linalg.matrix_norm(blocks.permute(0, 3, 4, 1, 2), 2).max())
    return 1.0


class _Picks(NamedTuple):
    """What max-pooling lies above, window by window: the input with the highest lower end.

    Parameters
    ----------
    place : where that input stands in its channel.
    decided : whether it is the largest of its window everywhere in the box.
    most : the window's highest upper end, which bounds the maximum where it is not and a slope is negative.
    shape : of the inputs of one point.
    """

    place: Tensor
    decided: Tensor
    most: Tensor
    shape: tuple[int, ...]

    def lowest(self, slopes: Tensor) -> tuple[Tensor, Tensor]:
        """Slopes and constants of linear functions of the inputs nowhere above slopes * maxima, as of `Lines`."""
        import torch

        negative = torch.where(self.decided, 0.0, slopes.clamp(max=0))
        picks = self.place.expand(len(slopes), *self.place.shape[1:]).flatten(2)
        wide = slopes.new_zeros(len(slopes), self.shape[0], self.shape[1] * self.shape[2])
        picked = wide.scatter_add(2, picks, (slopes - negative).flatten(2)).unflatten(2, self.shape[1:])
        return picked, negative * self.most


class _Image:
    """One point: `values` are the inputs of every step, and the logits, which the `last` step gives."""

    def __init__(self, steps: Sequence[Step], last: Dense, norms: Sequence[float], values: Sequence[Tensor]) -> None:
        self.steps, self.last, self.norms, self.values = steps, last, norms, values

    def distance(self, chosen: int, targeted: bool) -> float:
        import torch

        logits = self.values[-1][0]
        rows = torch.eye(len(logits)).double()
        rows = rows[chosen] - rows[torch.arange(len(logits)) != chosen]
        rows = -rows if targeted else rows
        worst = torch.max if targeted else torch.min
        if float(worst(rows @ logits)) <= 0:
            return 0.0
        lengthened = (rows @ self.last.weight).norm(dim=1) * float(np.prod(self.norms[:-1]))
        start = float(worst((rows @ logits / lengthened).nan_to_num(0.0, torch.inf, -torch.inf)))

        def certified(radius: np.ndarray) -> np.ndarray:
            return np.array([float(worst(self.below(rows, self.relaxed(float(radius[0])), float(radius[0])))) > 0])

        return float(largest(certified, np.array([start]), CLOSE)[0]) * (1 - SLACK)

    def relaxed(self, radius: float) -> list[Lines | _Picks | None]:
        """What replaces each step before the last in a backward pass, None where it is linear."""
        import torch
        from torch.nn import functional

        low, high = self.values[0] - radius, self.values[0] + radius
        reach, found = radius, list[Lines | _Picks | None]()
        for number, step in enumerate(self.steps[:-1]):
            kept: Lines | _Picks | None = None
            if isinstance(step, (Dense, Conv)):
                middle, ball = self.values[number + 1], reach * step.beside(step.weight.flatten(1).norm(dim=1))
                if number:
                    centre, half = step((low + high) / 2), step.product(step.weight.abs(), (high - low) / 2)
                    low, high = torch.maximum(middle - ball, centre - half), torch.minimum(middle + ball, centre + half)
                else:
                    low, high = middle - ball, middle + ball
                if isinstance(step, Dense) and number:
                    identity = torch.eye(len(step.bias)).double()
                    low = torch.maximum(low, self.below(identity, found, radius, number)[None])
                    high = torch.minimum(high, -self.below(-identity, found, radius, number)[None])
            elif isinstance(step, MaxPool):
                least, index = functional.max_pool2d(low, step.size, return_indices=True)
                others = high.flatten(2).scatter(2, index.flatten(2), -torch.inf).reshape(high.shape)
                most = step(high)
                kept = _Picks(index, least >= step(others), most, tuple(high.shape[1:]))
                low, high = least, most
            else:
                kept = relu_lines(low, high, level=0) if isinstance(step, Activation) else None
                low, high = step(low), step(high)
            reach *= self.norms[number]
            found.append(kept)
        return found

    def below(
        self, rows: Tensor, relaxed: Sequence[Lines | _Picks | None], radius: float, depth: int | None = None
    ) -> Tensor:
        """Lower bounds of rows @ (what the step of weights at `depth` gives) over the ball, (rows,)."""
        depth = len(self.steps) - 1 if depth is None else depth
        slopes, constant = rows, rows.new_zeros(len(rows))
        for number in range(depth, -1, -1):
            step, shape = self.steps[number], tuple(self.values[number].shape[1:])
            if isinstance(step, (Dense, Conv)):
                constant = constant + step.added(slopes)
                slopes = step.pull(step.weight, slopes, shape)
            elif isinstance(step, Flatten):
                slopes = step.pull(slopes, shape)
            elif (between := relaxed[number]) is not None:
                slopes, added = between.lowest(slopes)
                constant = constant + added.flatten(1).sum(1)
        return (slopes * self.values[0]).flatten(1).sum(1) + constant - radius * slopes.flatten(1).norm(dim=1)
