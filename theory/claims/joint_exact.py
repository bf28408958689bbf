"""Rows on the exact joint optimum and on the order of all bounds above it: exact <= LP <= interval <= tau + zeta."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from theory import margins
from theory.claim import Decoy, Sides
from theory.claims.margins import increase, ours, row
from theory.joint_crown import crown_increase, tightest_increase
from theory.joint_exact import joint_optimum
from theory.network import Budget, Network

PAIR = (0, 1)


def _exact(network: Network, x: Any, budget: Budget) -> float:
    """The increase that the worst network found has, evaluated."""
    return joint_optimum(network, x, budget, PAIR).increase[0]


def _proved(network: Network, x: Any, budget: Budget) -> float:
    return joint_optimum(network, x, budget, PAIR).increase[1]


def _relaxed(network: Network, x: Any, budget: Budget) -> float:
    return joint_optimum(network, x, budget, PAIR, relax=True).increase[1]


def _below(lower: Any, upper: Any) -> Any:
    """Two quantities of one network, input and budget."""

    def sides(weights: Any, x: Any, radii: Any, radius_x: Any, biases: Any = None) -> Sides:
        world = Network.dense(weights, biases), x, Budget(radius_x, tuple(radii), 0 if biases is None else radii[0])
        values = (np.asarray(quantity(*world)) for quantity in (lower, upper))
        return Sides(*(value[..., 0, 1] if value.ndim else value for value in values))

    return sides


def _attained(relax: bool) -> Any:
    """What the worst network found attains, against what the solver proved."""

    def sides(weights: Any, x: Any, radii: Any, radius_x: Any, biases: Any = None) -> Sides:
        budget = Budget(radius_x, tuple(radii), 0 if biases is None else radii[0])
        return Sides(*joint_optimum(Network.dense(weights, biases), x, budget, PAIR, relax=relax).increase)

    return sides


def _attack(weights: Any, x: Any, moved: Any, moved_x: Any, radii: Any, radius_x: Any, bound: Any = _proved) -> Sides:
    found = increase(weights, x, moved, moved_x, radii, radius_x)[PAIR]
    return Sides(found, bound(Network.dense(weights), x, Budget(radius_x, tuple(radii))))


def _half(**world: Any) -> Sides:
    left, right = _attack(**world)
    return Sides(left, right / 2)


def _reachable(formula: Any) -> Any:
    """max of c . W'h over the corners of the ball, which hold it by linearity, against a formula for it."""

    def sides(weight: Any, h: Any, c: Any, radius: Any) -> Sides:
        signs = np.array(list(product((-1, 1), repeat=weight.size))).reshape(-1, *weight.shape)
        return Sides(np.max((weight + radius * signs) @ h @ c), c @ weight @ h + radius * formula(h, c))

    return sides


def _chain(bound: Any) -> Any:
    """Increase of a positive scalar chain whose weights and input all move outwards, against a bound on it."""

    def sides(weights: Any, x: Any, radii: Any, radius_x: Any) -> Sides:
        moved = [weight + radius for weight, radius in zip(weights, radii, strict=True)]
        moved[-1] = weights[-1] + radii[-1] * np.array([[1], [-1]])
        found = increase(weights, x, moved, x + radius_x, radii, radius_x)
        return Sides(found[PAIR], bound(Network.dense(weights), x, Budget(radius_x, tuple(radii)))[PAIR])

    return sides


def _order(part: str, says: str, lower: Any, upper: Any, formula: str, code: Any, **other: Any) -> Any:
    return ours(
        f"order.{part}",
        "beside Theorem 1",
        says,
        "bound",
        _below(lower, upper),
        formula=formula,
        domain=other.pop("domain", "dense ReLU networks, with or without biases"),
        code=code,
        decoys=(Decoy("the other way round", _below(upper, lower)),),
        **other,
    )


CLAIMS = (
    row(
        "reachable",
        "beside Theorem 1",
        "entry-wise perturbed weights take a vector to a box of radius epsilon ||h||_1, rows independent",
        "identity",
        _reachable(lambda h, c: np.sum(np.abs(h)) * np.sum(np.abs(c))),
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
        "exact.attained",
        "beside Theorem 1",
        "the network and input read off the mixed program attain its optimum",
        "identity",
        _attained(relax=False),
        formula=r"\hat W = W + \epsilon \theta\, \mathrm{sgn}(h)^T, \quad \theta = (a - W h) / (\epsilon \| h \|_1)",
        domain="dense ReLU networks, with or without biases",
        note="The program of Tjeng, Xiao and Tedrake 2019 for inputs, with weights that move, too.",
        solver=True,
        code=joint_optimum,
        decoys=(Decoy("of its relaxation", _attained(relax=True)),),
    ),
    ours(
        "exact",
        "beside Theorem 1",
        "no attack exceeds the optimum of the mixed program",
        "bound",
        _attack,
        formula=r"f_{\hat W}^{ij}(\hat x) - f_W^{ij}(x) \le \max\mathrm{MILP}",
        domain="dense ReLU networks",
        solver=True,
        code=joint_optimum,
        decoys=(Decoy("half of it", _half),),
    ),
    _order(
        "relaxation",
        "the linear relaxation is never below the exact optimum",
        _exact,
        _relaxed,
        r"\max\mathrm{MILP} \le \max\mathrm{LP}",
        joint_optimum,
        credit="textbook",
        solver=True,
    ),
    _order(
        "interval",
        "the interval bound is never below the linear relaxation",
        _relaxed,
        margins.interval_increase,
        r"\max\mathrm{LP} \le \mathrm{interval}",
        margins.interval_increase,
        solver=True,
    ),
    _order(
        "linear",
        "the linear (CROWN) bound is never below the exact optimum",
        _exact,
        crown_increase,
        r"\max\mathrm{MILP} \le \mathrm{CROWN}",
        crown_increase,
        solver=True,
        note="CROWN of Zhang et al. 2018 for inputs, with weights that move, too. Not ordered with the interval bound.",
    ),
    _order(
        "tightest",
        "the smaller of linear and interval bound on refined boxes is never above the interval bound",
        tightest_increase,
        margins.interval_increase,
        r"\min(\mathrm{CROWN}, \mathrm{interval}) \le \mathrm{interval}",
        tightest_increase,
    ),
    _order(
        "theorem",
        "tau + zeta, corrected, is never below the interval bound",
        margins.interval_increase,
        margins.theorem_increase,
        r"\mathrm{interval} \le \tau^{ij} + \zeta^{ij}",
        margins.interval_increase,
    ),
    _order(
        "clean",
        "the recursion on clean activations is never below tau + zeta",
        margins.theorem_increase,
        margins.clean_increase,
        r"\tau^{ij} + \zeta^{ij} \le (D_{ij} + 2 d_L \epsilon_L) R_{L-1} + 2 \epsilon_L \| z^{L-1} \|_1",
        margins.clean_increase,
        note="R_0 = epsilon_x, R_m = (N_m + d_m epsilon_m) R_{m-1} + epsilon_m ||z^{m-1}||_1.",
    ),
    _order(
        "one_sided",
        "the one-sided repair of h^{k*} is never below the corrected zeta",
        margins.zeta,
        margins.zeta_one_sided,
        r"\zeta^{ij} \le \zeta_+^{ij}, \quad u_+^k = \rho((W^k + \epsilon_k)^+ u_+^{k-1})",
        margins.zeta_one_sided,
    ),
    _order(
        "as_printed",
        "from three layers on the printed zeta is never above the corrected one",
        margins.zeta_printed,
        margins.zeta,
        r"\zeta_{\mathrm{printed}}^{ij} \le \zeta^{ij}, \quad L \ge 3",
        margins.zeta_printed,
        domain="dense ReLU networks without biases, L >= 3",
        note="Because h^{k*} <= u^k; so where it is a bound, it is the better one.",
    ),
    ours(
        "chain",
        "Theorem 1, eq. (1)",
        "on a positive scalar chain the corrected tau + zeta is attained",
        "identity",
        _chain(margins.theorem_increase),
        formula=r"f_{\hat W}^{12}(\hat x) = f_W^{12}(x) + \tau^{12} + \zeta^{12}",
        domain="widths 1, positive weights and input, w_1 > w_2 in the last layer",
        note="Every bound of the order above equals it there: the constants cannot be improved.",
        decoys=(Decoy("zeta alone", _chain(margins.zeta)), Decoy("tau alone", _chain(margins.tau))),
    ),
)
