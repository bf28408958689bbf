"""Rows on the joint input-weight margin bounds as printed, and what is true instead: Theorem 1, eqs. (1)-(4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory import margins
from theory.claim import Claim, Decoy, Sides
from theory.network import Budget, Network, pairwise_margins

PAPER = "Joint margin bounds"
ROUNDING, SOLVER = 1e-9, 1e-6


def inside(weights: Any, moved: Any, radii: Any, scope: int = 0) -> None:
    """Refuses weights outside the ball of their radii; `scope` = 1 leaves the last row and column out, as printed.

    Raises
    ------
    ValueError : if an entry is further off than its radius (beyond rounding).
    """
    for weight, other, radius in zip(weights, moved, radii, strict=True):
        rows, columns = weight.shape[0] - scope, weight.shape[1] - scope
        off = np.abs(other - weight)[:rows, :columns]
        if off.size and np.max(off) > radius + (0 if weight.dtype == object else 1e-12):
            raise ValueError("the perturbed weights must lie within their radii")


def increase(weights: Any, x: Any, moved: Any, moved_x: Any, radii: Any, radius_x: Any) -> Any:
    """Perturbed less clean margins (K, K), measured on a network and an input that lie within the budget."""
    inside(weights, moved, radii)
    inside([x[None]], [moved_x[None]], [radius_x])
    after, before = Network.dense(moved).logits(moved_x), Network.dense(weights).logits(x)
    return pairwise_margins(after) - pairwise_margins(before)


def largest(left: Any, right: Any) -> Sides:
    """The pair of classes for which the bound is nearest to failing."""
    pick = np.argmax(left - right)
    return Sides(left.flat[pick], np.broadcast_to(right, left.shape).flat[pick])


def theorem(zeta: Any, tau: Any = margins.tau) -> Any:
    """Eq. (1) with this zeta, on a world of a network, an input and a perturbation of both."""

    def sides(weights: Any, x: Any, moved: Any, moved_x: Any, radii: Any, radius_x: Any) -> Sides:
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        bound = tau(network, x, budget) + zeta(network, x, budget)
        return largest(increase(weights, x, moved, moved_x, radii, radius_x), bound)

    return sides


def _weights_only(zeta: Any) -> Any:
    """The part of eq. (3): the clean input, perturbed weights."""

    def sides(weights: Any, x: Any, moved: Any, radii: Any) -> Sides:
        return theorem(zeta)(weights, x, moved, x, radii, 0)

    return sides


def _input_part(tau: Any) -> Any:
    """The part of eq. (2): the same perturbed weights, with and without the perturbation of the input."""

    def sides(weights: Any, x: Any, moved: Any, moved_x: Any, radii: Any, radius_x: Any) -> Sides:
        inside(weights, moved, radii)
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        left = increase(moved, x, moved, moved_x, [0] * len(radii), radius_x)
        return largest(left, tau(network, x, budget))

    return sides


def _monotone(zeta: Any, reverse: bool = False) -> Any:
    """zeta at some radii against zeta at larger ones."""

    def sides(weights: Any, x: Any, smaller: Any, larger: Any) -> Sides:
        network = Network.dense(weights)
        left, right = (zeta(network, x, Budget(0, tuple(radii))) for radii in (smaller, larger))
        return largest(right, left) if reverse else largest(left, right)

    return sides


def _reach(sizes: Any) -> Any:
    """||h^{L-1}||_1 of a perturbed network against that of an upper end said to hold it."""

    def sides(weights: Any, x: Any, moved: Any, radii: Any) -> Sides:
        inside(weights, moved, radii)
        network, budget = Network.dense(weights), Budget(0, tuple(radii))
        return Sides(np.sum(Network.dense(moved).activations(x)[-1]), np.sum(sizes(network, x, budget)))

    return sides


def _upper_ends(network: Network, x: Any, budget: Budget) -> Any:
    return margins.weight_reach(network, x, budget).inputs[-1].upper


def _first_layer(upper: Any) -> Any:
    """The largest first pre-activation, corner by corner, against a formula for it."""

    def sides(weight: Any, x: Any, radius: Any) -> Sides:
        corners = np.stack([(weight - radius) * x, (weight + radius) * x])
        return Sides(np.max(corners, axis=0).sum(axis=-1), upper(weight, x, radius))

    return sides


def _halved(network: Network, x: Any, budget: Budget) -> Any:
    """The last layer's rows as if only one of them moved."""
    return margins.zeta(network, x, Budget(0, (*budget.weights[:-1], budget.weights[-1] / 2)))


def _without_first(network: Network, x: Any, budget: Budget) -> Any:
    return margins.zeta(network, x, Budget(0, (0, *budget.weights[1:])))


def _tau_of_clean_norms(network: Network, x: Any, budget: Budget) -> Any:
    return margins.tau(network, x, Budget(budget.input))


def _tau_of_half(network: Network, x: Any, budget: Budget) -> Any:
    return margins.tau(network, x, Budget(budget.input, tuple(radius / 2 for radius in budget.weights)))


def _negated(network: Network, x: Any, budget: Budget) -> Any:
    return -margins.zeta(network, x, budget)


MOVED = "dense ReLU networks without biases, L >= 1, any input, any weights and input within their radii"
AT_X = "dense ReLU networks without biases, L >= 2, the clean input, any weights within their radii"
RECURSION = (
    r"\zeta^{ij} = D_{ij} S_{L-1} + 2\epsilon_L \| u^{L-1} \|_1, \quad "
    r"S_m = \| W^m \|_\infty S_{m-1} + \epsilon_m \| u^{m-1} \|_1"
)
HYBRID = "The printed h^{k*} is replaced by upper ends u^k of boxes; proved by changing one layer after the other."


def row(part: str, where: str, says: str, kind: Any, theory: Any, **other: Any) -> Claim:
    """A row of this paper; `solver` if a side comes from a solver and not just from arithmetic."""
    source = f"{PAPER}, {where}"
    tolerance = SOLVER if other.pop("solver", False) else ROUNDING
    return Claim(f"joint.{part}", source, says, kind, theory, tolerance=tolerance, **other)


CLAIMS: tuple[Claim, ...] = (
    row(
        "thm1.printed",
        "Theorem 1, eq. (1)",
        "tau + zeta as printed bounds the increase of every pairwise margin",
        "bound",
        theorem(margins.zeta_printed),
        formula=r"f_{\hat W}^{ij}(\hat x) \le f_W^{ij}(x) + \tau_W^{ij}(\xi) + \zeta_W^{ij}(x, \xi)",
        domain="printed for every L; undefined for L = 1, false for L >= 3",
        status="refuted",
        note="Where W^k + epsilon_k < 0 the printed h^{k*} takes upper ends for lower ones; a bound of 0 is exceeded.",
    ),
    row(
        "thm1.corrected",
        "Theorem 1, eq. (1)",
        "tau plus the corrected zeta bounds the increase of every pairwise margin, at every depth",
        "bound",
        theorem(margins.theorem_increase, lambda *_: 0),
        formula=rf"f_{{\hat W}}^{{ij}}(\hat x) \le f_W^{{ij}}(x) + \tau^{{ij}} + \zeta^{{ij}}, \quad {RECURSION}",
        domain=MOVED,
        status="corrected",
        note=HYBRID,
        code=margins.theorem_increase,
        decoys=(
            Decoy("zeta with its sign turned", theorem(_negated)),
            Decoy("the last layer moving one row only, no tau", theorem(_halved, lambda *_: 0)),
        ),
    ),
    row(
        "eq2",
        "eq. (2)",
        "perturbing the input raises a margin by at most tau, whatever the perturbed weights",
        "bound",
        _input_part(margins.tau),
        formula=r"\tau^{ij} = \epsilon_x (D_{ij} + 2 d_L \epsilon_L) \prod_{m<L} (\| W^m \|_\infty + d_m \epsilon_m)",
        domain=MOVED,
        note="Attained on positive chains; d_m is the number of columns of W^m.",
        code=margins.tau,
        decoys=(
            Decoy("norms of the clean weights", _input_part(_tau_of_clean_norms)),
            Decoy("half the radii of the weights", _input_part(_tau_of_half)),
        ),
    ),
    row(
        "eq3.printed",
        "eq. (3)",
        "zeta as printed is the worst-case error of perturbed weights at the clean input",
        "bound",
        _weights_only(margins.zeta_printed),
        formula=r"f_{\hat W}^{ij}(x) - f_W^{ij}(x) \le \zeta_W^{ij}(x, \xi)",
        domain="printed for every L; false for L >= 3",
        status="refuted",
    ),
    row(
        "eq3.corrected",
        "eq. (3)",
        "perturbing the weights at the clean input raises a margin by at most the corrected zeta",
        "bound",
        _weights_only(margins.zeta),
        formula=RECURSION,
        domain=MOVED,
        status="corrected",
        note=HYBRID,
        code=margins.zeta,
        decoys=(
            Decoy("the first layer forgotten", _weights_only(_without_first)),
            Decoy("the last layer moving one row only", _weights_only(_halved)),
        ),
    ),
    row(
        "reach.printed",
        "eq. (3), h^{k*}",
        "the printed h^{L-1*} is the largest activation that perturbed weights reach",
        "bound",
        _reach(lambda *world: margins.reach_printed(*world)[-1]),
        formula=r"\| \hat h^{L-1} \|_1 \le \| h^{L-1*} \|_1",
        domain="true for L = 2, false for L >= 3",
        status="refuted",
        note="It fails on random networks, too; there the slack of the product of norms can hide it"
        " from the bound itself.",
    ),
    row(
        "reach.corrected",
        "eq. (3), h^{k*}",
        "upper ends of interval boxes hold every activation that perturbed weights reach",
        "bound",
        _reach(_upper_ends),
        formula=r"u^k = \rho((W^k+\epsilon_k)^+ u^{k-1} + (W^k+\epsilon_k)^- l^{k-1})",
        domain=AT_X,
        status="corrected",
        code=margins.weight_reach,
        decoys=(Decoy("the clean activations", _reach(lambda network, x, budget: network.activations(x)[-1])),),
    ),
    row(
        "first_layer",
        "eq. (3), W^{1*}",
        "the largest first pre-activation is W^1 x + epsilon_1 ||x||_1: W^{1*} carries the sign of x",
        "identity",
        _first_layer(lambda weight, x, radius: weight @ x + radius * np.sum(np.abs(x))),
        formula=r"\max_{\hat W^1} \hat W^1 x = W^1 x + \epsilon_1 \| x \|_1 = W^{1*} x",
        domain="any W^1, x and epsilon_1",
        decoys=(Decoy("without the sign", _first_layer(lambda weight, x, radius: (weight + radius) @ x)),),
    ),
    row(
        "monotone.printed",
        "Section 3.2, after Theorem 1",
        "the printed zeta, called a worst-case error, does not decrease as the radii grow",
        "bound",
        _monotone(margins.zeta_printed),
        formula=r"\epsilon \le \epsilon' \Rightarrow \zeta^{ij}(x, \epsilon) \le \zeta^{ij}(x, \epsilon')",
        domain="false for L >= 3",
        status="refuted",
    ),
    row(
        "monotone.corrected",
        "Section 3.2, after Theorem 1",
        "the corrected zeta does not decrease as the radii grow",
        "bound",
        _monotone(margins.zeta),
        formula=r"\epsilon \le \epsilon' \Rightarrow \zeta^{ij}(x, \epsilon) \le \zeta^{ij}(x, \epsilon')",
        domain=AT_X,
        status="corrected",
        decoys=(Decoy("nor increase", _monotone(margins.zeta, reverse=True)),),
    ),
)
