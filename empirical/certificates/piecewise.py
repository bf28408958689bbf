"""Certified distances of sequences of dense layers with ReLU or leaky ReLU, an encoder and its classifier for one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.certificates.dense import Layers, linear_distance, relu_distance
from empirical.decisions.inputs import shown
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn


def piecewise_distance(
    modules: Iterable[nn.Module], x: Tensor, label: Any, target: Any = None, box: Any = None, slope_steps: int = 0
) -> np.ndarray:
    """Certified lower bound of the l2 distance to a flip, (size,); where all is linear, that of `linear_distance`.

    Parameters
    ----------
    modules : Flatten, Linear, ReLU and LeakyReLU in their order, Linear at the end; no containers.
    x : (size, ...), which is flattened.
    label, target : (size,) class numbers; 0 is certified where a point flips already.
    box : lowest and highest value of every coordinate, or None; only where all is linear it makes a difference.
    slope_steps : as of `crown.crown_distance`.

    Raises
    ------
    UsageError : for other modules, or points or labels that do not fit.
    """
    (first, bias), *rest = relu_layers(modules)
    points = x.detach().flatten(1).double().cpu().numpy()
    if not rest:
        return linear_distance(first, bias, points, label, target, box)
    seen, rows = np.linalg.qr(first[0].T)  # only what lies in the span of its rows tells the first layer anything
    return relu_distance([(rows.T[None], bias), *rest], points @ seen, label, target, slope_steps)


def relu_layers(modules: Iterable[nn.Module]) -> Layers:
    """The same function as dense layers with ReLU between them, weights (1, out, in) and biases (1, out) in float64.

    Layers with nothing between them are multiplied. A leaky ReLU of slope s is max(v, 0) - s max(-v, 0), so its layer
    is doubled: v and -v go through a ReLU each.
    """
    from torch import nn

    layers: list[tuple[np.ndarray, np.ndarray]] = []
    weight, bias = None, np.zeros(0)  # of the affine map since the last ReLU
    for module in modules:
        if isinstance(module, nn.Linear):
            own, added = (np.asarray(part.detach().double().cpu()) for part in (module.weight, module.bias))
            weight, bias = (own, added) if weight is None else (own @ weight, own @ bias + added)
        elif isinstance(module, (nn.ReLU, nn.LeakyReLU)) and weight is not None:
            slope, units = getattr(module, "negative_slope", 0.0), np.eye(len(weight))
            if slope:
                weight, bias = np.concatenate((weight, -weight)), np.concatenate((bias, -bias))
            layers.append((weight[None], bias[None]))
            weight = np.concatenate((units, -slope * units), 1) if slope else units
            bias = np.zeros(len(units))
        elif not isinstance(module, nn.Flatten):
            raise UsageError(f"certified distances need Flatten, Linear, ReLU and LeakyReLU, got {shown(module)}")
    if weight is None:
        raise UsageError("certified distances need a Linear layer at the end, got none")
    return [*layers, (weight[None], bias[None])]
