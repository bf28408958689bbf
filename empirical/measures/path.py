"""What a difference of two logits does along the segment between two images (feature compression, Section 5).

f = logit of `label` - logit of `target`, x_2 an image of class `label` and x_1 one of class `target`, at the nodes
x_2 + alpha_k (x_1 - x_2), k = 1..N. Cosines are negative where f falls on the way to x_1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.decisions import inputs
from fragility.engine.study import UsageError

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
    if count < 2:
        raise UsageError(f"count must be at least 2 where both ends are nodes, got {count}")
    return np.linspace(0.0, 1.0, count)


def midpoints(count: int) -> np.ndarray:
    """Fractions (k - 1/2) / count, in the middle of `count` equal pieces: (count,), count at least 1."""
    if count < 1:
        raise UsageError(f"count must be at least 1, got {count}")
    return (np.arange(count) + 0.5) / count


def path(
    model: Callable[[Any], Any],
    clean: torch.Tensor,
    other: torch.Tensor,
    label: Any,
    target: Any,
    fractions: Any,
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

    Raises
    ------
    UsageError : images that are not finite or differ in shape or precision, fractions outside [0, 1], classes that the
        model does not have, or a model that fails on them or has no gradient.
    """
    import torch

    alphas = _checked(clean, other, fractions, at_once)
    size, count = clean.shape[0], len(alphas)
    difference = other - clean
    steps = torch.as_tensor(alphas, dtype=clean.dtype, device=clean.device)
    read: list[torch.Tensor] = []
    for numbers in torch.arange(size * count, device=clean.device).split(at_once):
        row, node = numbers // count, numbers % count
        along = difference[row]
        x = clean[row] + steps[node].reshape(-1, *[1] * (clean.ndim - 1)) * along
        x = x.detach().requires_grad_()
        with torch.enable_grad():
            logits = inputs.answer(model, x)
            own, rival = (
                torch.as_tensor(_classes(*named, size, logits.shape[1]), device=x.device)[row, None]
                for named in (("label", label), ("target", target))
            )
            margin = logits.gather(1, own) - logits.gather(1, rival)
            gradient = inputs.gradient(margin, x)
        flat = gradient.double().flatten(1)
        slope = (flat * along.double().flatten(1)).sum(1)
        read.append(torch.stack([margin[:, 0].detach().double(), slope, torch.linalg.vector_norm(flat, dim=1)]))
    values, slopes, norms = torch.cat(read, dim=1).reshape(3, size, count).cpu().numpy()
    length = torch.linalg.vector_norm(difference.double().flatten(1), dim=1).cpu().numpy()
    return Path(alphas, length, values, slopes, norms)


def _checked(clean: Any, other: Any, fractions: Any, at_once: int) -> np.ndarray:
    """The fractions."""
    inputs.check_points(clean)
    inputs.check_points(other)
    if clean.shape != other.shape or clean.dtype != other.dtype:
        both = f"{tuple(clean.shape)} {clean.dtype} and {tuple(other.shape)} {other.dtype}"
        raise UsageError(f"clean and other must have one shape and dtype, got {both}")
    alphas = inputs.numbers("fractions", fractions, (None,))
    if not len(alphas) or alphas.min() < 0 or alphas.max() > 1:
        raise UsageError(f"fractions must be numbers in [0, 1], one at least, got {alphas}")
    if at_once < 1:
        raise UsageError(f"at_once must be at least 1, got {at_once}")
    return alphas


def _classes(name: str, values: Any, size: int, classes: int) -> np.ndarray:
    """A class number for each segment, of one for all of them too."""
    return inputs.class_numbers(name, [values] * size if np.ndim(values) == 0 else values, size, classes)


def _or_nan(value: np.ndarray) -> np.ndarray:
    return np.where(value > 0, value, np.nan)
