"""What a difference of two logits does along the segment between two images (feature compression, Section 5).

f = logit of `label` - logit of `target`, x_2 an image of class `label` and x_1 one of class `target`, at the nodes
x_2 + alpha_k (x_1 - x_2), k = 1..N. Cosines are negative where f falls on the way to x_1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import torch

AT_ONCE = 64  # images that go through the network together


@dataclass(frozen=True)
class Path:
    """f and its gradient at N nodes of each of `size` segments, float64.

    Parameters
    ----------
    fractions : alpha_k, (N,), the place of the nodes, in [0, 1].
    length : L = ||x_1 - x_2||, (size,), at least 0, in units of the input.
    values : f(x_k), (size, N).
    slopes : df/dalpha = grad f(x_k) . (x_1 - x_2), (size, N).
    norms : ||grad f(x_k)||, (size, N).
    """

    fractions: np.ndarray
    length: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    norms: np.ndarray

    @property
    def cosines(self) -> np.ndarray:
        """cos theta_k between grad f(x_k) and x_1 - x_2, (size, N) (Tables 5 to 7); NaN where either is 0."""
        return self.slopes / _or_nan(self.norms * self.length[:, None])

    @property
    def change(self) -> np.ndarray:
        """Mean of the slopes, (size,): the paper's quadrature of f(x_1) - f(x_2), equation (8)."""
        return self.slopes.mean(axis=1)

    def signed_length(self, clean: np.ndarray) -> np.ndarray:
        """(L/N sum_k ||grad f(x_k)|| cos theta_k) / ||grad f(x_2)||, (size,) (Tables 5 and 8); NaN for a gradient of 0.

        Parameters
        ----------
        clean : ||grad f(x_2)||, (size,); the first column of `norms` if the first node is x_2.
        """
        return self.change / _or_nan(clean)

    @property
    def weighted(self) -> np.ndarray:
        """-sum ||grad f|| cos theta / sum ||grad f||, (size,), in [-1, 1]: the compression of equations (8) and (9).

        NaN where all gradients, or the segment, have length 0.
        """
        return -self.change / _or_nan(self.norms.mean(axis=1) * self.length)


def ends(count: int) -> np.ndarray:
    """Fractions (k - 1) / (count - 1), both ends included, as in Table 3: (count,), count at least 2."""
    return np.linspace(0.0, 1.0, count)


def midpoints(count: int) -> np.ndarray:
    """Fractions (k - 1/2) / count, in the middle of `count` equal pieces: (count,)."""
    return (np.arange(count) + 0.5) / count


def path(
    model: Callable[[Any], Any],
    clean: torch.Tensor,
    other: torch.Tensor,
    label: int | torch.Tensor,
    target: int | torch.Tensor,
    fractions: np.ndarray,
    at_once: int = AT_ONCE,
) -> Path:
    """f and its gradient at the nodes of the segments from `clean` to `other`.

    Parameters
    ----------
    model : differentiable, (M, ...) -> logits (M, classes); what it gives for an image does not depend on the others.
    clean, other : x_2 and x_1, (size, ...), in one precision, on the model's device.
    label, target : classes whose logits are subtracted: an int for all segments, or (size,).
    fractions : alpha_k, (N,), in [0, 1].
    at_once : images that go through the model together: bounds the memory, and changes results by rounding only.
    """
    import torch

    size, count = clean.shape[0], len(fractions)
    difference = other - clean
    labels = torch.as_tensor(label, device=clean.device).expand(size)
    targets = torch.as_tensor(target, device=clean.device).expand(size)
    steps = torch.as_tensor(fractions, dtype=clean.dtype, device=clean.device)
    read: list[torch.Tensor] = []
    for numbers in torch.arange(size * count, device=clean.device).split(at_once):
        row, node = numbers // count, numbers % count
        along = difference[row]
        x = clean[row] + steps[node].reshape(-1, *[1] * (clean.ndim - 1)) * along
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            logits = model(x)
            margin = logits.gather(1, labels[row, None]) - logits.gather(1, targets[row, None])
            (gradient,) = torch.autograd.grad(margin.sum(), x)
        flat = gradient.double().flatten(1)
        slope = (flat * along.double().flatten(1)).sum(1)
        read.append(torch.stack([margin[:, 0].detach().double(), slope, torch.linalg.vector_norm(flat, dim=1)]))
    values, slopes, norms = torch.cat(read, dim=1).reshape(3, size, count).cpu().numpy()
    length = torch.linalg.vector_norm(difference.double().flatten(1), dim=1).cpu().numpy()
    return Path(np.asarray(fractions, float), length, values, slopes, norms)


def _or_nan(value: np.ndarray) -> np.ndarray:
    return np.where(value > 0, value, np.nan)
