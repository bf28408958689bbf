"""Rows on the exact joint optimum and on the order of all bounds above it: exact <= LP <= interval <= tau + zeta."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Sides
from theory.claims.joint.margins import SOLVER, Quantity, Theory, ours, row
from theory.joint import margins
from theory.joint.crown import crown_increase, tightest_increase
from theory.joint.optimum import joint_optimum
from theory.joint.perturbations import increase
from theory.numerics.array import Array
from theory.things.network import Budget, Network
from theory.worlds import margins as worlds

PAIR = (0, 1)


def _exact(network: Network, x: Array, budget: Budget) -> float:
    """The increase that the worst network found has, evaluated."""
    return joint_optimum(network, x, budget, PAIR).increase[0]


def _proved(network: Network, x: Array, budget: Budget) -> float:
    """The increase that no network exceeds, as the solver proved."""
    return joint_optimum(network, x, budget, PAIR).increase[1]


def _relaxed(network: Network, x: Array, budget: Budget) -> float:
    """The increase that no network exceeds, by the linear relaxation."""
    return joint_optimum(network, x, budget, PAIR, relax=True).increase[1]


def _below(lower: Quantity, upper: Quantity) -> Theory:
    """Two quantities of one network, input and budget."""

    def sides(
        weights: Sequence[Array],
        x: Array,
        radii: Sequence[float],
        radius_x: float,
        biases: Sequence[Array] | None = None,
    ) -> Sides:
        world = Network.dense(weights, biases), x, Budget(radius_x, tuple(radii), 0 if biases is None else radii[0])
        values = (np.asarray(quantity(*world)) for quantity in (lower, upper))
        return Sides(*(value[..., 0, 1] if value.ndim else value for value in values))

    return sides


def _attained(relax: bool) -> Theory:
    """What the worst network found attains, against what the solver proved."""

    def sides(
        weights: Sequence[Array],
        x: Array,
        radii: Sequence[float],
        radius_x: float,
        biases: Sequence[Array] | None = None,
    ) -> Sides:
        budget = Budget(radius_x, tuple(radii), 0 if biases is None else radii[0])
        return Sides(*joint_optimum(Network.dense(weights, biases), x, budget, PAIR, relax=relax).increase)

    return sides


def _attack(
    weights: Sequence[Array],
    x: Array,
    moved: Sequence[Array],
    moved_x: Array,
    radii: Sequence[float],
    radius_x: float,
) -> Sides:
    """The increase that an attack found, against the exact optimum."""
    found = increase(weights, x, moved, moved_x, radii, radius_x)[PAIR]
    return Sides(found, _proved(Network.dense(weights), x, Budget(radius_x, tuple(radii))))


def _half(**world: Any) -> Sides:
    """The same, against half of it."""
    left, right = _attack(**world)
    return Sides(left, right / 2)


def _reachable(formula: Callable[[Array, Array], Array]) -> Theory:
    """max of c . W'h over the corners of the ball, which hold it by linearity, against a formula for it."""

    def sides(weight: Array, h: Array, c: Array, radius: float) -> Sides:
        signs = np.array(list(product((-1, 1), repeat=weight.size))).reshape(-1, *weight.shape)
        return Sides(np.max((weight + radius * signs) @ h @ c), c @ weight @ h + radius * formula(h, c))

    return sides


def _chain(bound: Quantity) -> Theory:
    """Increase of a positive scalar chain whose weights and input all move outwards, against a bound on it."""

    def sides(weights: Sequence[Array], x: Array, radii: Sequence[float], radius_x: float) -> Sides:
        moved = [weight + radius for weight, radius in zip(weights, radii, strict=True)]
        moved[-1] = weights[-1] + radii[-1] * np.array([[1], [-1]])
        found = increase(weights, x, moved, x + radius_x, radii, radius_x)
        return Sides(found[PAIR], bound(Network.dense(weights), x, Budget(radius_x, tuple(radii)))[PAIR])

    return sides


def _order(id: str, *, lower: Quantity, upper: Quantity, **fields: Any) -> Claim:  # noqa: A002, as in `rows`
    """A row which says that one quantity is never above another."""
    return ours(
        id,
        at="beside Theorem 1",
        kind="bound",
        theory=_below(lower, upper),
        decoys=(Decoy("the other way round", _below(upper, lower)),),
        **{"domain": "dense ReLU networks, with or without biases", **fields},
    )


CLAIMS: tuple[Claim, ...] = (
    row(
        "joint.reachable",
        at="beside Theorem 1",
        says="entry-wise perturbed weights take a vector to a box of radius epsilon ||h||_1, rows independent",
        kind="identity",
        theory=_reachable(lambda h, c: np.sum(np.abs(h)) * np.sum(np.abs(c))),
        world=worlds.product,
        formula=r"\{ \hat W h \} = W h + \epsilon \| h \|_1 [-1, 1]^n",
        domain="any matrix and vector",
        status="extension",
        credit="Oettli and Prager 1964",
        note="What makes the exact problem a mixed integer linear program: no product of variables is left.",
        decoys=(
            Decoy("Euclidean norms", _reachable(lambda h, c: np.linalg.norm(h) * np.linalg.norm(c))),
            Decoy("the plain sum of h", _reachable(lambda h, c: np.sum(h) * np.sum(np.abs(c)))),
        ),
    ),
    ours(
        "joint.exact.attained",
        at="beside Theorem 1",
        says="the network and input read off the mixed program attain its optimum",
        kind="identity",
        theory=_attained(relax=False),
        world=worlds.with_biases(worlds.tiny, largest=0.8),
        formula=r"\hat W = W + \epsilon \theta\, \mathrm{sgn}(h)^T, \quad \theta = (a - W h) / (\epsilon \| h \|_1)",
        domain="dense ReLU networks, with or without biases",
        note="The program of Tjeng, Xiao and Tedrake 2019 for inputs, with weights that move, too.",
        tolerance=SOLVER,
        code=joint_optimum,
        decoys=(Decoy("of its relaxation", _attained(relax=True)),),
    ),
    ours(
        "joint.exact",
        at="beside Theorem 1",
        says="no attack exceeds the optimum of the mixed program",
        kind="bound",
        theory=_attack,
        world=worlds.attacked(size=worlds.tiny, others=False),
        formula=r"f_{\hat W}^{ij}(\hat x) - f_W^{ij}(x) \le \max\mathrm{MILP}",
        domain="dense ReLU networks",
        tolerance=SOLVER,
        code=joint_optimum,
        decoys=(Decoy("half of it", _half),),
    ),
    _order(
        "joint.order.relaxation",
        says="the linear relaxation is never below the exact optimum",
        lower=_exact,
        upper=_relaxed,
        world=worlds.with_biases(worlds.tiny, largest=0.8),
        formula=r"\max\mathrm{MILP} \le \max\mathrm{LP}",
        code=joint_optimum,
        credit="textbook",
        tolerance=SOLVER,
    ),
    _order(
        "joint.order.interval",
        says="the interval bound is never below the linear relaxation",
        lower=_relaxed,
        upper=margins.interval_increase,
        world=worlds.with_biases(worlds.tiny, largest=0.8),
        formula=r"\max\mathrm{LP} \le \mathrm{interval}",
        code=margins.interval_increase,
        tolerance=SOLVER,
    ),
    _order(
        "joint.order.linear",
        says="the linear (CROWN) bound is never below the exact optimum",
        lower=_exact,
        upper=crown_increase,
        world=worlds.with_biases(worlds.tiny, largest=0.8),
        formula=r"\max\mathrm{MILP} \le \mathrm{CROWN}",
        code=crown_increase,
        tolerance=SOLVER,
        note="CROWN of Zhang et al. 2018 for inputs, with weights that move, too. Not ordered with the interval bound.",
    ),
    _order(
        "joint.order.tightest",
        says="the smaller of linear and interval bound on refined boxes is never above the interval bound",
        lower=tightest_increase,
        upper=margins.interval_increase,
        world=worlds.with_biases(),
        formula=r"\min(\mathrm{CROWN}, \mathrm{interval}) \le \mathrm{interval}",
        code=tightest_increase,
    ),
    _order(
        "joint.order.theorem",
        says="tau + zeta, corrected, is never below the interval bound",
        lower=margins.interval_increase,
        upper=margins.theorem_increase,
        world=worlds.with_biases(),
        formula=r"\mathrm{interval} \le \tau^{ij} + \zeta^{ij}",
        code=margins.interval_increase,
    ),
    _order(
        "joint.order.clean",
        says="the recursion on clean activations is never below tau + zeta",
        lower=margins.theorem_increase,
        upper=margins.clean_increase,
        world=worlds.with_biases(),
        formula=r"\tau^{ij} + \zeta^{ij} \le (D_{ij} + 2 d_L \epsilon_L) R_{L-1} + 2 \epsilon_L \| z^{L-1} \|_1",
        code=margins.clean_increase,
        note="R_0 = epsilon_x, R_m = (N_m + d_m epsilon_m) R_{m-1} + epsilon_m ||z^{m-1}||_1.",
    ),
    _order(
        "joint.order.one_sided",
        says="the one-sided repair of h^{k*} is never below the corrected zeta",
        lower=margins.zeta,
        upper=margins.zeta_one_sided,
        world=worlds.with_biases(),
        formula=r"\zeta^{ij} \le \zeta_+^{ij}, \quad u_+^k = \rho((W^k + \epsilon_k)^+ u_+^{k-1})",
        code=margins.zeta_one_sided,
    ),
    _order(
        "joint.order.as_printed",
        says="from three layers on the printed zeta is never above the corrected one",
        lower=margins.zeta_printed,
        upper=margins.zeta,
        world=worlds.fixed(budget_x=True, size=worlds.deep),
        formula=r"\zeta_{\mathrm{printed}}^{ij} \le \zeta^{ij}, \quad L \ge 3",
        code=margins.zeta_printed,
        domain="dense ReLU networks without biases, L >= 3",
        note="Because h^{k*} <= u^k; so where it is a bound, it is the better one.",
    ),
    ours(
        "joint.chain",
        at="Theorem 1, eq. (1)",
        says="on a positive scalar chain the corrected tau + zeta is attained",
        kind="identity",
        theory=_chain(margins.theorem_increase),
        world=worlds.chain,
        formula=r"f_{\hat W}^{12}(\hat x) = f_W^{12}(x) + \tau^{12} + \zeta^{12}",
        domain="widths 1, positive weights and input, w_1 > w_2 in the last layer",
        note="Every bound of the order above equals it there: the constants cannot be improved.",
        decoys=(Decoy("zeta alone", _chain(margins.zeta)), Decoy("tau alone", _chain(margins.tau))),
    ),
)
