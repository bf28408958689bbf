"""Many ReLU networks of one shape, each with weights of its own, evaluated together.

A network of L hidden layers is L + 1 pairs of a weight (size, outputs, inputs) and a bias (size, outputs), one matrix
for each of `size` networks. Each network has points of its own, x of shape (size, points, n).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from torch import Tensor

    from fragility.backends import Stream

Layers: TypeAlias = "Sequence[tuple[Tensor, Tensor]]"


def initial(stream: Stream, size: int, heights: Sequence[int]) -> list[tuple[Any, Any]]:
    """Weights and biases uniform in +-1/sqrt(inputs of a unit), torch's own for linear layers, as float64 arrays.

    Parameters
    ----------
    heights : inputs, units of each hidden layer, outputs.
    """
    drawn = []
    for inputs, outputs in pairwise(heights):
        bound = inputs**-0.5
        weight, bias = stream.uniform(size, outputs, inputs), stream.uniform(size, outputs)
        drawn.append((bound * (2 * weight - 1), bound * (2 * bias - 1)))
    return drawn


def layers(arrays: Sequence[tuple[Any, Any]], dtype: Any, device: str = "cpu") -> Layers:
    """Layers from pairs of arrays or tensors, of one dtype on one device."""
    import torch

    return [
        (torch.as_tensor(weight, dtype=dtype, device=device), torch.as_tensor(bias, dtype=dtype, device=device))
        for weight, bias in arrays
    ]


def logits(network: Layers, x: Tensor) -> Tensor:
    """Outputs, (size, points, classes), at x (size, points, n)."""
    import torch

    columns = x.transpose(1, 2)  # weights from the left: half the time of weights from the right
    for number, (weight, bias) in enumerate(network):
        columns = torch.baddbmm(bias[:, :, None], weight, columns.relu() if number else columns)
    return columns.transpose(1, 2)


def jacobian(network: Layers, x: Tensor) -> Tensor:
    """Gradients of all outputs by the input, (size, points, classes, n); a unit at exactly 0 counts as shut."""
    import torch

    gates, columns = [], x.transpose(1, 2)
    for weight, bias in network[:-1]:
        columns = torch.baddbmm(bias[:, :, None], weight, columns).relu()
        gates.append((columns > 0).to(x.dtype))
    gradients = network[-1][0][:, None].expand(-1, x.shape[1], -1, -1)
    for (weight, _), gate in zip(network[-2::-1], gates[::-1], strict=True):
        gradients = (gradients * gate.transpose(1, 2)[:, :, None]) @ weight[:, None]
    return gradients


def flat(network: Layers) -> Callable[[Tensor], Tensor]:
    """A model of batches (size * points, n) -> logits (size * points, classes), the points of a network side by side.

    The batch must be whole: element b belongs to network b // points.
    """
    return lambda x: logits(network, x.reshape(len(network[0][0]), -1, x.shape[-1])).flatten(0, 1)
