"""Decisions that shrinking the bottom singular values of all layers provably leaves as they are (latent and SVD, 3.6).

A decision stands if its margin over every other class is above a bound of how much the margin can change. One linear
layer has the bound of `theory.latent.truncation.margin_change_bounds`, which knows the direction of the input, two or
more have `cascade_margin_bound`. Everything is computed in double precision, and the margin must also leave room for
what rounding does to both networks where they run in the precision of their weights, single or double.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from fragility.engine.study import UsageError
from theory.joint.certificates import FLOAT32, FLOAT64, rounding_slack
from theory.latent.truncation import cascade_margin_bound, margin_change_bounds
from theory.things.network import Budget, Network, pairwise_margins
from theory.things.shrinking import shrink_bottom

if TYPE_CHECKING:
    from torch import Tensor, nn

STILL = Budget(0.0, 0.0, 0.0)  # neither inputs nor weights are perturbed
ROUNDINGS = 2  # of a changed network: its weights are rounded once before it runs, by less than its sums are


@dataclass(frozen=True)
class Shrinking:
    """What is done to a network: the bottom counts[l] singular values of layer l times `factor`, from 0 to 1."""

    counts: tuple[int, ...]
    factor: float


def unchanged(network: nn.Sequential, x: Tensor, shrinkings: Sequence[Shrinking]) -> np.ndarray:
    """Whether each decision is certified to stand, (shrinkings, images) of bool.

    Parameters
    ----------
    network : Flatten and Linear, with a ReLU between all Linear or between none; it is taken to run in the precision
        of its weights.
    x : (images, ...).
    shrinkings : each with as many counts as there are Linear.

    Raises
    ------
    UsageError : the network has other modules.
    ValueError : a count is negative or above the number of singular values, or a factor does not lie in [0, 1].
    """
    held, unit = _network(network)
    points = x.detach().flatten(1).double().cpu().numpy()
    logits = held.logits(points)
    decision = logits.argmax(1)
    lead = np.take_along_axis(-pairwise_margins(logits), decision[:, None, None], axis=2)[..., 0]  # (images, classes)
    lead[np.arange(len(lead)), decision] = np.inf
    slack = rounding_slack(held, points, STILL, unit)
    compact = [_compact(stage.layer.weight, h) for stage, h in zip(held.stages, held.activations(points), strict=True)]
    found = []
    for shrinking in shrinkings:
        layers = zip(held.stages, shrinking.counts, strict=True)
        weights = [shrink_bottom(stage.layer.weight, k, shrinking.factor) for stage, k in layers]
        changed = Network.dense(weights, [stage.layer.bias for stage in held.stages], held.activation)
        room = slack + ROUNDINGS * rounding_slack(changed, points, STILL, unit)
        needed = _changes(compact, shrinking) + room
        found.append((lead > np.take_along_axis(needed, decision[:, None, None], axis=2)[..., 0]).all(1))
    return np.array(found, dtype=bool).reshape(len(shrinkings), len(points))


def _network(model: nn.Sequential) -> tuple[Network, float]:
    """The same network in double precision, and the unit roundoff of the arithmetic that it runs in."""
    import torch
    from torch.nn import Flatten, Linear, ReLU

    modules = [module for module in model if not isinstance(module, Flatten)]
    linear = [module for module in modules if isinstance(module, Linear)]
    kinds: list[type] = [type(module) for module in modules]
    bare, rectified = [Linear] * len(linear), ([Linear, ReLU] * len(linear))[:-1]
    if not linear or kinds not in (bare, rectified):
        raise UsageError(
            "certificates of shrunk networks need Linear with a ReLU between all of them or between none, got "
            f"{', '.join(kind.__name__ for kind in kinds) or 'nothing'}"
        )

    def double(parameter: Tensor) -> np.ndarray:
        return parameter.detach().double().cpu().numpy()

    weights = [double(module.weight) for module in linear]
    biases = [None if module.bias is None else double(module.bias) for module in linear]
    single = any(module.weight.dtype != torch.float64 for module in linear)
    network = Network.dense(weights, biases, "identity" if kinds == bare else "relu")
    return network, FLOAT32 if single else FLOAT64


def _compact(weight: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """U Sigma, (m, q), and V^T h, (images, q): to the bounds the same as W and h, with fewer columns."""
    left, sigma, right = np.linalg.svd(weight, full_matrices=False)
    return left * sigma, h @ right.T


def _changes(compact: Sequence[tuple[np.ndarray, np.ndarray]], shrinking: Shrinking) -> np.ndarray:
    """Bounds of the change of the margin of every pair of classes, (images, classes, classes), 0 on the diagonal.

    Theory has a bound of one pair. The pairs go side by side, each with the rows of the last layer in an order of its
    own, its pair first: singular values and directions do not depend on that order.
    """
    *lower, (last, h) = compact
    classes = len(last)
    pairs = list(combinations(range(classes), 2))
    orders = [[*pair, *(row for row in range(classes) if row not in pair)] for pair in pairs]
    tops, counts, factor = last[orders][:, None], shrinking.counts, shrinking.factor
    if lower:
        weights, activations = [weight for weight, _ in lower], [value for _, value in lower]
        bounds = cascade_margin_bound([*weights, tops], [*activations, h], counts, factor, 0, 1)
    else:
        bounds = margin_change_bounds(tops, h, 0, 1, counts[0], factor)[0]
    found = np.zeros((len(h), classes, classes))
    for (one, other), bound in zip(pairs, np.broadcast_to(bounds, (len(pairs), len(h))), strict=True):
        found[:, one, other] = found[:, other, one] = bound
    return found
