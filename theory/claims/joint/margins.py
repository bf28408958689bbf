"""Rows on the joint input-weight margin bounds as printed, and what is true instead: Theorem 1, eqs. (1)-(4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.joint import margins
from theory.joint.perturbations import increase, inside
from theory.numerics.array import Array
from theory.spaces import joint as spaces
from theory.things import penalties
from theory.things.network import ACTIVATIONS, Activation, Budget, Network
from theory.worlds import margins as worlds

PAPER = "Joint margin bounds"
ROUNDING, SOLVER = 1e-9, 1e-6  # tolerances: of arithmetic alone, and where a solver gives one of the sides
Quantity = Callable[[Network, Array, Budget], Array]
Theory = Callable[..., Sides]


def _assumed(name: str) -> Activation:
    """An activation with the constant that the paper has for all: they "are assumed 1-Lipschitz"."""
    return replace(ACTIVATIONS[name], lipschitz=1)


def largest(left: Array, right: Array) -> Sides:
    """The pair of classes for which the bound is nearest to failing."""
    pick = np.argmax(left - right)
    return Sides(left.flat[pick], np.broadcast_to(right, left.shape).flat[pick])


def theorem(zeta: Quantity, tau: Quantity = margins.tau) -> Theory:
    """Eq. (1) with this zeta, on a world of a network, an input and a perturbation of both."""

    def sides(
        weights: Sequence[Array],
        x: Array,
        moved: Sequence[Array],
        moved_x: Array,
        radii: Sequence[float],
        radius_x: float,
        activation: str = "relu",
    ) -> Sides:
        network = Network.dense(weights, activation=_assumed(activation))
        budget = Budget(radius_x, tuple(radii))
        bound = tau(network, x, budget) + zeta(network, x, budget)
        return largest(increase(weights, x, moved, moved_x, radii, radius_x, activation), bound)

    return sides


def _weights_only(zeta: Quantity) -> Theory:
    """The part of eq. (3): the clean input, perturbed weights."""

    def sides(
        weights: Sequence[Array], x: Array, moved: Sequence[Array], radii: Sequence[float], activation: str = "relu"
    ) -> Sides:
        return theorem(zeta)(weights, x, moved, x, radii, 0, activation)

    return sides


def _input_part(tau: Quantity) -> Theory:
    """The part of eq. (2): the same perturbed weights, with and without the perturbation of the input."""

    def sides(
        weights: Sequence[Array],
        x: Array,
        moved: Sequence[Array],
        moved_x: Array,
        radii: Sequence[float],
        radius_x: float,
        activation: str = "relu",
    ) -> Sides:
        inside(weights, moved, radii)
        network = Network.dense(weights, activation=_assumed(activation))
        left = increase(moved, x, moved, moved_x, [0] * len(radii), radius_x, activation)
        return largest(left, tau(network, x, Budget(radius_x, tuple(radii))))

    return sides


def _monotone(zeta: Quantity, reverse: bool = False) -> Theory:
    """zeta at some radii against zeta at larger ones."""

    def sides(weights: Sequence[Array], x: Array, smaller: Sequence[float], larger: Sequence[float]) -> Sides:
        network = Network.dense(weights)
        left, right = (zeta(network, x, Budget(0, tuple(radii))) for radii in (smaller, larger))
        return largest(right, left) if reverse else largest(left, right)

    return sides


def _reach(sizes: Quantity) -> Theory:
    """||h^{L-1}||_1 of a perturbed network against that of an upper end said to hold it."""

    def sides(weights: Sequence[Array], x: Array, moved: Sequence[Array], radii: Sequence[float]) -> Sides:
        inside(weights, moved, radii)
        network, budget = Network.dense(weights), Budget(0, tuple(radii))
        return Sides(np.sum(Network.dense(moved).activations(x)[-1]), np.sum(sizes(network, x, budget)))

    return sides


def _upper_ends(network: Network, x: Array, budget: Budget) -> Array:
    """Upper ends of the activations that the last layer is given."""
    return penalties.weight_reach(network, x, budget).inputs[-1].upper


def _first_layer(upper: Callable[[Array, Array, float], Array]) -> Theory:
    """The largest first pre-activation, corner by corner, against a formula for it."""

    def sides(weight: Array, x: Array, radius: float) -> Sides:
        corners = np.stack([(weight - radius) * x, (weight + radius) * x])
        return Sides(np.max(corners, axis=0).sum(axis=-1), upper(weight, x, radius))

    return sides


def _halved(network: Network, x: Array, budget: Budget) -> Array:
    """The last layer's rows as if only one of them moved."""
    return margins.zeta(network, x, Budget(0, (*budget.weights[:-1], budget.weights[-1] / 2)))


def _without_first(network: Network, x: Array, budget: Budget) -> Array:
    return margins.zeta(network, x, Budget(0, (0, *budget.weights[1:])))


def _tau_of_clean_norms(network: Network, x: Array, budget: Budget) -> Array:
    return margins.tau(network, x, Budget(budget.input))


def _tau_of_half(network: Network, x: Array, budget: Budget) -> Array:
    return margins.tau(network, x, Budget(budget.input, tuple(radius / 2 for radius in budget.weights)))


def _negated(network: Network, x: Array, budget: Budget) -> Array:
    return -margins.zeta(network, x, budget)


def chained(weights: Sequence[Array], x: Array) -> bool:
    """Whether every weight takes what the one before it gives, the first one the input."""
    sizes = [len(x), *(weight.shape[0] for weight in weights)]
    return [weight.shape[1] for weight in weights] == sizes[:-1]


def near(weights: Sequence[Array], moved: Sequence[Array], radii: Sequence[float]) -> bool:
    """Whether every entry lies within its radius, exactly."""
    return all(
        bool(np.all(abs(other - weight) <= radius)) for weight, other, radius in zip(weights, moved, radii, strict=True)
    )


def _as_the_paper_has_it(name: str) -> bool:
    """Whether an activation is non-negative, does not decrease, and is 1-Lipschitz, on a grid."""
    step = 1 / 16
    values = ACTIVATIONS[name](np.arange(-8, 8, step))
    rises = np.diff(values)
    return bool(np.all(values >= 0) and np.all(rises >= 0) and np.all(rises <= step))


def _assumptions(
    weights: Sequence[Array],
    x: Array,
    moved: Sequence[Array],
    radii: Sequence[float],
    moved_x: Array = None,
    radius_x: float = 0,
    activation: str = "relu",
    **_world: Any,
) -> dict[str, bool]:
    """What Theorem 1 assumes, and whether a world meets it."""
    return {
        "an L-layer network without biases, L >= 2, so that eq. (3) is defined": chained(weights, x)
        and len(weights) >= 2,
        "rho is non-negative, monotone and 1-Lipschitz": _as_the_paper_has_it(activation),
        "every entry of W^m moves by at most epsilon_m, for m = 1, ..., L": near(weights, moved, radii),
        "every entry of x moves by at most epsilon_x": near([x], [x if moved_x is None else moved_x], [radius_x]),
    }


def _two_budgets(
    weights: Sequence[Array], x: Array, smaller: Sequence[float], larger: Sequence[float]
) -> dict[str, bool]:
    return {
        "a network of at least 2 layers": chained(weights, x) and len(weights) >= 2,
        "no radius is negative": min(smaller) >= 0,
        "no radius shrinks": all(less <= more for less, more in zip(smaller, larger, strict=True)),
    }


MOVED = "dense networks without biases, L >= 1, any input, any weights and input within their radii"
RHO = "rho is relu, relu6, softplus or sigmoid"
AT_X = "dense ReLU networks without biases, L >= 2, the clean input, any weights within their radii"
RECURSION = (
    r"\zeta^{ij} = D_{ij} S_{L-1} + 2\epsilon_L \| u^{L-1} \|_1, \quad "
    r"S_m = \| W^m \|_\infty S_{m-1} + \epsilon_m \| u^{m-1} \|_1"
)
HYBRID = "The printed h^{k*} is replaced by upper ends u^k of boxes; proved by changing one layer after the other."


row = rows(PAPER, tolerance=ROUNDING)
ours = rows(PAPER, tolerance=ROUNDING, status="extension", credit="ours")
textbook = rows(PAPER, tolerance=ROUNDING, status="extension", credit="textbook")


CLAIMS: tuple[Claim, ...] = (
    row(
        "joint.thm1.printed",
        at="Theorem 1, eq. (1)",
        says="tau + zeta as printed bounds the increase of every pairwise margin",
        kind="bound",
        theory=theorem(margins.zeta_printed),
        space=spaces.moving_weights_and_input(margins.zeta_printed),
        formula=r"f_{\hat W}^{ij}(\hat x) \le f_W^{ij}(x) + \tau_W^{ij}(\xi) + \zeta_W^{ij}(x, \xi)",
        domain="printed for every L; undefined for L = 1, true for L = 2, false for L >= 3",
        status="refuted",
        quotes=(
            Quote(
                "then for any set of pairwise margin bound between natural and joint perturbed settings, we have [..]",
                "Theorem 1",
            ),
            Quote("for multi-layer neural networks with ReLU activations", "Section 1"),
        ),
        reading="[L] and the index sets of the balls up to their last number, see joint.ball.printed; L >= 2; 'any set"
        " of pairwise margin' as every pair of classes",
        instead=("joint.thm1.corrected", "joint.thm1.two_layers"),
        defect="Theorem 1's bound is exceeded from three layers on, by a margin that rises by 0.4344 where it allows"
        " 0.3398: h^{k*} sends upper ends of the activations through negative weights, where lower ends give more",
        hypotheses=_assumptions,
        note="Where W^k + epsilon_k < 0, h^{k*} takes upper ends for lower ones. The exact worst case exceeds the bound"
        " in 40 of 4000 networks of widths 3-3-3-2 with standard normal weights and inputs, radii 0.2, 0.2 and 1 of the"
        " weights and 0 of the input, up to 2.1-fold, and in none of 1000 with three radii of 0.2 (seed 0). No factor"
        " mends it: where W^3 = 0 a bound of 0 is exceeded.",
    ),
    row(
        "joint.thm1.corrected",
        at="Theorem 1, eq. (1)",
        says="tau plus the corrected zeta bounds the increase of every pairwise margin, at every depth",
        kind="bound",
        theory=theorem(margins.theorem_increase, lambda *_: 0),
        world=worlds.attacked(),
        space=spaces.moving_weights_and_input(margins.zeta),
        formula=rf"f_{{\hat W}}^{{ij}}(\hat x) \le f_W^{{ij}}(x) + \tau^{{ij}} + \zeta^{{ij}}, \quad {RECURSION}",
        domain=f"{MOVED}; {RHO}",
        status="corrected",
        note=f"{HYBRID} For every activation that is not negative, does not decrease and is 1-Lipschitz.",
        code=margins.theorem_increase,
        decoys=(
            Decoy("zeta with its sign turned", theorem(_negated)),
            Decoy("the last layer moving one row only, no tau", theorem(_halved, lambda *_: 0)),
        ),
    ),
    row(
        "joint.eq2",
        at="eq. (2)",
        says="perturbing the input raises a margin by at most tau, whatever the perturbed weights",
        kind="bound",
        theory=_input_part(margins.tau),
        world=worlds.attacked(size=worlds.shallow),
        formula=r"\tau^{ij} = \epsilon_x (D_{ij} + 2 d_L \epsilon_L) \prod_{m<L} (\| W^m \|_\infty + d_m \epsilon_m)",
        domain=f"{MOVED}; {RHO}",
        quotes=(
            Quote(
                "the second term [..] represents the error induced by input perturbation when weight perturbation is"
                " taken into presumptions of the models",
                "Section 3.2, below Theorem 1",
            ),
            Quote("stands for non-negative monotone activation functions and are assumed 1-Lipschitz", "Section 3.1"),
        ),
        reading="'the error' as the largest increase of a margin; the weights perturbed alike before and after; d_m is"
        " the number of columns of W^m",
        note="Of an activation only the Lipschitz constant counts. Attained on positive chains.",
        code=margins.tau,
        decoys=(
            Decoy("norms of the clean weights", _input_part(_tau_of_clean_norms)),
            Decoy("half the radii of the weights", _input_part(_tau_of_half)),
        ),
    ),
    row(
        "joint.eq3.printed",
        at="eq. (3)",
        says="zeta as printed is the worst-case error of perturbed weights at the clean input",
        kind="bound",
        theory=_weights_only(margins.zeta_printed),
        space=spaces.moving_weights(margins.zeta_printed),
        formula=r"f_{\hat W}^{ij}(x) - f_W^{ij}(x) \le \zeta_W^{ij}(x, \xi)",
        domain="printed for every L; undefined for L = 1, true for L = 2, false for L >= 3",
        status="refuted",
        quotes=(
            Quote(
                "the term [..] stands for the worst-case error when we consider weight perturbation",
                "Section 3.2, below Theorem 1",
            ),
        ),
        reading="'stands for' as: is not exceeded by; epsilon_x = 0; index sets as in joint.thm1.printed",
        instead=("joint.eq3.corrected", "joint.thm1.two_layers"),
        cause="joint.thm1.printed",
        hypotheses=_assumptions,
        note="Theorem 1 with an input that does not move, where tau is 0. In the stored world the weights raise the"
        " margin by 0.43; the printed zeta is 0.326, the corrected one 0.438.",
    ),
    row(
        "joint.eq3.corrected",
        at="eq. (3)",
        says="perturbing the weights at the clean input raises a margin by at most the corrected zeta",
        kind="bound",
        theory=_weights_only(margins.zeta),
        world=worlds.attacked(clean=True),
        space=spaces.moving_weights(margins.zeta),
        formula=RECURSION,
        domain=f"{MOVED}; {RHO}",
        status="corrected",
        note=HYBRID,
        code=margins.zeta,
        decoys=(
            Decoy("the first layer forgotten", _weights_only(_without_first)),
            Decoy("the last layer moving one row only", _weights_only(_halved)),
        ),
    ),
    ours(
        "joint.reach.tempting",
        at="eq. (3), h^{k*}",
        says="the h^{L-1*} of eq. (3) is the largest activation that perturbed weights reach",
        kind="bound",
        theory=_reach(lambda *world: margins.reach_printed(*world)[-1]),
        space=spaces.moving_weights(),
        formula=r"\| \hat h^{L-1} \|_1 \le \| h^{L-1*} \|_1",
        domain="true for L = 2, false for L >= 3",
        tempting=True,
        instead=("joint.reach",),
        hypotheses=_assumptions,
        note="Why Theorem 1 fails: the paper defines h^{k*} without saying what it is, but the bound needs this of it."
        " It fails on random networks, too; there the slack of the product of norms can hide it from the bound.",
    ),
    textbook(
        "joint.reach",
        at="eq. (3), h^{k*}",
        says="upper ends of interval boxes hold every activation that perturbed weights reach",
        kind="bound",
        theory=_reach(_upper_ends),
        world=worlds.reached,
        space=spaces.moving_weights(),
        formula=r"u^k = \rho((W^k+\epsilon_k)^+ u^{k-1} + (W^k+\epsilon_k)^- l^{k-1})",
        domain=AT_X,
        code=penalties.weight_reach,
        note="Interval arithmetic, of weights and activations at once.",
        decoys=(Decoy("the clean activations", _reach(lambda network, x, budget: network.activations(x)[-1])),),
    ),
    textbook(
        "joint.first_layer",
        at="eq. (3), W^{1*}",
        says="the largest first pre-activation is W^1 x + epsilon_1 ||x||_1: W^{1*} carries the sign of x",
        kind="identity",
        theory=_first_layer(lambda weight, x, radius: weight @ x + radius * np.sum(np.abs(x))),
        world=worlds.vector,
        formula=r"\max_{\hat W^1} \hat W^1 x = W^1 x + \epsilon_1 \| x \|_1 = W^{1*} x",
        domain="any W^1, x and epsilon_1",
        decoys=(Decoy("without the sign", _first_layer(lambda weight, x, radius: (weight + radius) @ x)),),
    ),
    ours(
        "joint.monotone.tempting",
        at="Section 3.2, below Theorem 1",
        says="the printed zeta, called a worst-case error, does not decrease as the radii grow",
        kind="bound",
        theory=_monotone(margins.zeta_printed),
        space=spaces.growing_radii(margins.zeta_printed),
        formula=r"\epsilon \le \epsilon' \Rightarrow \zeta^{ij}(x, \epsilon) \le \zeta^{ij}(x, \epsilon')",
        domain="false for L >= 3",
        tempting=True,
        instead=("joint.monotone",),
        hypotheses=_two_budgets,
        note="A worst case over balls grows with them, and the paper calls zeta one. h^{k*} need not grow: behind a"
        " negative weight a larger activation counts against it.",
    ),
    ours(
        "joint.monotone",
        at="Section 3.2, below Theorem 1",
        says="the corrected zeta does not decrease as the radii grow",
        kind="bound",
        theory=_monotone(margins.zeta),
        world=worlds.grown,
        space=spaces.growing_radii(margins.zeta),
        formula=r"\epsilon \le \epsilon' \Rightarrow \zeta^{ij}(x, \epsilon) \le \zeta^{ij}(x, \epsilon')",
        domain=AT_X,
        note="Every factor and every upper end in it grows with the radii.",
        decoys=(Decoy("nor increase", _monotone(margins.zeta, reverse=True)),),
    ),
)
