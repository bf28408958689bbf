"""What is done to the weights of a trained classifier: bottom singular values shrunk, and two controls (2.2, 3.6).

"zeroed", "tenth" and "nine_tenths" multiply the bottom x % of the singular values of every layer by 0, 1/10 and 9/10:
Section 2.2 scales them "by a factor of 10", Section 3.6 "by 10%". Beside them "random" zeroes as many singular values
at random places of the spectrum, and "noise" adds Gaussian noise of the Frobenius norm of what "zeroed" takes away,
layer by layer. Biases stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Literal

from theory.things.shrinking import bottom_part, count_from_percent, decomposed, shrink_bottom

if TYPE_CHECKING:
    from torch import Tensor, nn

FACTORS: Mapping[str, float] = {"zeroed": 0.0, "tenth": 0.1, "nine_tenths": 0.9}
TREATMENTS = (*FACTORS, "random", "noise")
SHARES = tuple(range(0, 101, 5))  # per cent; the paper does not print its steps
PLACES, ENTRIES = 3, 4  # streams of a seed, after those of its training
Rounding = Literal["floor", "round", "ceil"]


def linear_weights(network: nn.Sequential) -> list[Tensor]:
    """The weight matrices (out, in) of the linear layers, the first one first: the very parameters."""
    from torch.nn import Linear

    return [module.weight for module in network if isinstance(module, Linear)]


def counts(network: nn.Sequential, share: float, rounding: Rounding) -> tuple[int, ...]:
    """How many singular values of each layer `share` per cent are."""
    return tuple(count_from_percent(share, min(weight.shape), rounding) for weight in linear_weights(network))


def changed(network: nn.Sequential, treatment: str, numbers: Sequence[int], seed: int) -> nn.Sequential:
    """A copy in which the treatment has been applied to that many singular values of each layer.

    Of one seed the random places of k singular values are among those of k + 1, and the noise for all k is one matrix
    in different sizes. With k = 0 every treatment leaves a layer as it is, bit for bit.

    Parameters
    ----------
    treatment : one of TREATMENTS.
    numbers : of singular values, one a layer, as `counts` gives them.
    seed : of places and noise, at least 0; whatever else they depend on is the number and the shape of the layer.
    """
    from torch import no_grad

    copied = deepcopy(network)
    for layer, (weight, k) in enumerate(zip(linear_weights(copied), numbers, strict=True)):
        with no_grad():
            weight.copy_(_treated(weight.double().cpu(), treatment, k, seed, layer))
    return copied


def _treated(W: Tensor, treatment: str, k: int, seed: int, layer: int) -> Tensor:
    """The weights of a layer, in double precision, after the treatment."""
    import torch

    from empirical.training.network import generator

    if treatment in FACTORS:
        return shrink_bottom(W, k, FACTORS[treatment])
    if treatment == "random":
        left, sigma, right, size = decomposed(W)
        places = torch.randperm(len(sigma), generator=generator("cpu", seed, layer, PLACES))[:k]
        return W - size * ((left[:, places] * sigma[places]) @ right[places])
    noise = torch.randn(W.shape, dtype=W.dtype, generator=generator("cpu", seed, layer, ENTRIES))
    return W + torch.linalg.matrix_norm(bottom_part(W, k)) / torch.linalg.matrix_norm(noise) * noise
