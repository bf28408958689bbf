"""Mixed integer linear programs written in blocks of variables, with the blocks |x| and max(a, 0); NumPy only.

Solvers judge by absolute tolerances: they take a constraint for held and a gap for closed at 1e-6, and coefficients
below 1e-9 for zero. So nothing is solved as it was written. Every variable is replaced by where it lies in its box,
from its middle and in units of about half the width; every row and the objective are divided by their largest
coefficients. All units are powers of two. What is near enough to the solver is then near relative to the boxes, at
every scale.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import bmat, csr_array, diags_array, eye_array

from theory.numerics.magnitudes import power

NEGLECTED = 1e-9  # HiGHS drops coefficients that are smaller
FINE = 2.0**10  # range of the objective: HiGHS stops at an absolute gap of 1e-6


class Solution(NamedTuple):
    """What a solver says of a program.

    Parameters
    ----------
    bound : the objective is nowhere larger; None if the solver does not know.
    values : the blocks of variables at the best point found; None if none was.
    spread : by how much the objective can differ from its middle over the boxes; the unit of the solver's tolerances.
    why : why the solver stopped, "" at an optimum.
    """

    bound: float | None
    values: list[np.ndarray] | None
    spread: float
    why: str


class Program:
    """max objective . v over variables in boxes, with rows of linear constraints A v <= b."""

    def __init__(self) -> None:
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.integral: list[np.ndarray] = []
        self.rows: list[tuple[dict[int, Any], np.ndarray]] = []

    def variables(self, low: Any, high: Any, integral: bool = False) -> int:
        """A block of variables; its number."""
        low, high = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
        self.low.append(low)
        self.high.append(high)
        self.integral.append(np.full(low.size, int(integral)))
        return len(self.low) - 1

    def at_most(self, terms: dict[int, Any], limit: Any) -> None:
        """Sum of matrices times blocks <= limit, a vector."""
        self.rows.append((terms, np.asarray(limit, dtype=float)))

    def solve(self, objective: dict[int, np.ndarray], relax: bool, options: dict[str, Any]) -> Solution:
        """The largest value of the objective; with `relax` of the linear program without integrality."""
        low, high = np.concatenate(self.low), np.concatenate(self.high)
        integral = np.concatenate(self.integral)
        half = np.where(integral, 0.0, high / 2 - low / 2)
        middle = np.where(integral, 0.0, low / 2 + high / 2)
        unit = np.where(integral, 1.0, np.where(half > 0, power(half), 0.0))
        sizes = [block.size for block in self.low]
        weights = np.concatenate([objective.get(k, np.zeros(size)) for k, size in enumerate(sizes)])
        spread, scale = float(np.abs(weights) @ half), power(np.abs(weights) @ unit) / FINE
        divisor = np.where(unit > 0, unit, 1.0)
        result = milp(
            -weights * unit / scale,
            integrality=0 * integral if relax else integral,
            bounds=Bounds((low - middle) / divisor, (high - middle) / divisor),
            constraints=self._rules(middle, unit),
            options=options,
        )
        dual = result.fun if result.mip_dual_bound is None and result.status == 0 else result.mip_dual_bound
        return Solution(
            bound=None if dual is None or not np.isfinite(dual) else float(weights @ middle - scale * dual),
            values=None if result.x is None else np.split(middle + unit * result.x, np.cumsum(sizes)[:-1]),
            spread=spread,
            why={0: "", 1: "time limit"}.get(result.status, result.message),
        )

    def _rules(self, middle: np.ndarray, unit: np.ndarray) -> list[LinearConstraint]:
        """The rows in the units of the solver; what it would neglect widens them by as much as that can be."""
        sizes = [block.size for block in self.low]
        grid = [
            [csr_array(terms[k]) if k in terms else csr_array((limit.size, size)) for k, size in enumerate(sizes)]
            for terms, limit in self.rows
            if limit.size
        ]
        if not grid:
            return []
        rows = bmat(grid, format="csr")
        limit = np.concatenate([limit for _, limit in self.rows]) - rows @ middle
        rows = csr_array(rows @ diags_array(unit))
        largest = abs(rows).max(axis=1).toarray()
        moving = largest > 0
        rows = csr_array(diags_array(1 / power(largest[moving])) @ rows[moving])
        limit = limit[moving] / power(largest[moving])
        dropped = abs(rows)
        dropped.data[dropped.data >= NEGLECTED] = 0
        limit = limit + 2 * dropped.sum(axis=1)  # no variable is more than 2 of its units from the middle
        return [LinearConstraint(rows, -np.inf, limit)] if limit.size else []


def _crossing(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    return (lower < 0) & (upper > 0)


def _switches(program: Program, lower: np.ndarray, upper: np.ndarray) -> int:
    """Binaries that say which entries are positive; fixed where the box knows."""
    crossing, known = _crossing(lower, upper), np.where(lower >= 0, 1.0, 0.0)
    return program.variables(np.where(crossing, 0.0, known), np.where(crossing, 1.0, known), integral=True)


def absolute(program: Program, x: int, lower: np.ndarray, upper: np.ndarray) -> int:
    """A block equal to |x| (with relaxed binaries: between |x| and the chord over it)."""
    sign = _switches(program, lower, upper)
    least = np.where(_crossing(lower, upper), 0.0, np.minimum(np.abs(lower), np.abs(upper)))
    t = program.variables(least, np.maximum(np.abs(lower), np.abs(upper)))
    one, low, high = eye_array(lower.size, format="csr"), np.minimum(lower, 0), np.maximum(upper, 0)
    positive, negative = one[upper > 0], one[lower < 0]  # where x may be so
    program.at_most({x: positive, t: -positive}, 0 * low[upper > 0])
    program.at_most({x: -negative, t: -negative}, 0 * high[lower < 0])
    bent = {t: positive, x: -positive, sign: -2 * positive @ diags_array(low)}  # t <= x - 2 low (1 - sign)
    program.at_most(bent, -2 * low[upper > 0])
    bent = {t: negative, x: negative, sign: -2 * negative @ diags_array(high)}  # t <= -x + 2 high sign
    program.at_most(bent, 0 * high[lower < 0])
    return t


def relu(program: Program, a: int, lower: np.ndarray, upper: np.ndarray) -> int:
    """A block equal to max(a, 0) (with relaxed binaries: in the triangle over it)."""
    active = _switches(program, lower, upper)
    h = program.variables(np.maximum(lower, 0), np.maximum(upper, 0))
    one, low, high = eye_array(lower.size, format="csr"), np.minimum(lower, 0), np.maximum(upper, 0)
    alive, crossing = upper > 0, _crossing(lower, upper)
    on, bent = one[alive], one[crossing]
    program.at_most({a: on, h: -on}, 0 * low[alive])
    program.at_most({h: on, a: -on, active: -on @ diags_array(low)}, -low[alive])  # h <= a - lower (1 - active)
    program.at_most({h: bent, active: -bent @ diags_array(high)}, 0 * high[crossing])
    return h
