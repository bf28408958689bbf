"""Mixed integer linear programs written in blocks of variables, with the blocks |x| and max(a, 0); NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import bmat, csr_array, diags_array, eye_array


class Program:
    """max objective . v over variables in boxes, with rows of linear constraints lower <= A v <= upper."""

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

    def solve(self, objective: dict[int, np.ndarray], relax: bool, options: dict[str, Any]) -> Any:
        sizes = [block.size for block in self.low]
        cost = np.concatenate([-objective.get(k, np.zeros(size)) for k, size in enumerate(sizes)])
        grid = [
            [csr_array(terms[k]) if k in terms else csr_array((limit.size, size)) for k, size in enumerate(sizes)]
            for terms, limit in self.rows
            if limit.size
        ]
        rules = []
        if grid:
            limits = np.concatenate([limit for _, limit in self.rows])
            rules.append(LinearConstraint(bmat(grid, format="csr"), -np.inf, limits))
        integral = 0 * np.concatenate(self.integral) if relax else np.concatenate(self.integral)
        bounds = Bounds(np.concatenate(self.low), np.concatenate(self.high))
        result = milp(cost, integrality=integral, bounds=bounds, constraints=rules, options=options)
        split = None if result.x is None else np.split(result.x, np.cumsum(sizes)[:-1])
        return result, split


def absolute(program: Program, x: int, lower: np.ndarray, upper: np.ndarray) -> int:
    """A block equal to |x| (with relaxed binaries: between |x| and the chord over it)."""
    fixed = np.where(lower >= 0, 1.0, 0.0)
    crossing = (lower < 0) & (upper > 0)
    sign = program.variables(np.where(crossing, 0.0, fixed), np.where(crossing, 1.0, fixed), integral=True)
    t = program.variables(0, np.maximum(np.abs(lower), np.abs(upper)))
    one, low, high = eye_array(lower.size), np.minimum(lower, 0), np.maximum(upper, 0)
    zero = np.zeros(lower.size)
    program.at_most({x: one, t: -one}, zero)
    program.at_most({x: -one, t: -one}, zero)
    program.at_most({t: one, x: -one, sign: -2 * diags_array(low)}, -2 * low)  # t <= x - 2 low (1 - sign)
    program.at_most({t: one, x: one, sign: -2 * diags_array(high)}, zero)  # t <= -x + 2 high sign
    return t


def relu(program: Program, a: int, lower: np.ndarray, upper: np.ndarray) -> int:
    """A block equal to max(a, 0) (with relaxed binaries: in the triangle over it)."""
    on = np.where(lower >= 0, 1.0, 0.0)
    crossing = (lower < 0) & (upper > 0)
    active = program.variables(np.where(crossing, 0.0, on), np.where(crossing, 1.0, on), integral=True)
    h = program.variables(0, np.maximum(upper, 0))
    one, low, high = eye_array(lower.size), np.minimum(lower, 0), np.maximum(upper, 0)
    zero = np.zeros(lower.size)
    program.at_most({a: one, h: -one}, zero)
    program.at_most({h: one, a: -one, active: -diags_array(low)}, -low)  # h <= a - lower (1 - active)
    program.at_most({h: one, active: -diags_array(high)}, zero)
    return h
