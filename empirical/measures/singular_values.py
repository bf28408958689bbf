"""The largest and the smallest singular value of a linear map that is given by what it does to a vector.

A convolution with its stride and the zeros around its images is a matrix that nobody can write down: 200,704 rows and
columns where 64 channels of 56 x 56 come and go. Golub and Kahan's bidiagonalisation needs only its products. After k
steps from a random start the largest singular value found lies below the true one, and the chance that its square falls
short by more than a share eps is at most 1.648 sqrt(n) exp(-sqrt(eps) (2 k - 1)), n the smaller side of the matrix
(Kuczynski and Woźniakowski 1992, Theorem 4.2): an interval, whatever the map. The least one found lies above the least.
No vector is kept: the bases stay orthogonal until the largest value has converged (Paige 1971), which is where it ends.
Maps that are small are written down and decomposed.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

ENTRIES, OPERATIONS = 1 << 24, 1 << 34  # of a matrix that is written down and decomposed: a second or two
CHANCE = 1e-6  # that a norm exceeds its upper end
WIDTH = 0.01  # relative width of the interval of a norm that ends the steps
SETTLED = 1e-6  # residual of the largest singular value, relative to it, that counts as converged
STEPS = 200  # at most
EACH = 5  # steps after which the bidiagonal matrix is decomposed
ROUNDINGS = 100  # units of rounding, relative to the norm, by which products may move a singular value


class LinearMap(NamedTuple):
    """A linear map and its adjoint, on batches.

    Parameters
    ----------
    inputs, outputs : shapes of one vector on either side.
    apply, adjoint : (B, *inputs) -> (B, *outputs), and back.
    like : a tensor of the dtype and on the device that they take.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    apply: Callable[[Tensor], Tensor]
    adjoint: Callable[[Tensor], Tensor]
    like: Tensor

    @property
    def turned(self) -> LinearMap:
        """The adjoint as a map."""
        return LinearMap(self.outputs, self.inputs, self.adjoint, self.apply, self.like)


class Extremes(NamedTuple):
    """The ends of the singular values of an m x n matrix.

    Parameters
    ----------
    largest : attained by a vector, but for rounding: the spectral norm is no smaller.
    at_most : it exceeds this with a chance of `CHANCE` at most; not at all where `exact`.
    smallest : sigma_min(m, n) where `exact`, else no less than it.
    exact : whether all singular values were computed.
    """

    largest: float
    at_most: float
    smallest: float
    exact: bool


def of_module(module: nn.Module, inputs: tuple[int, ...], like: Tensor) -> LinearMap:
    """The linear part of an affine module on inputs of this shape, in the dtype and on the device of `like`."""
    linear: Any = copy.deepcopy(module).to(like).eval().requires_grad_(False)
    if getattr(linear, "bias", None) is not None:
        linear.bias = None
    with torch.no_grad():
        outputs = tuple(linear(like.new_zeros(1, *inputs)).shape[1:])

    def apply(x: Tensor) -> Tensor:
        with torch.no_grad():
            return linear(x)

    def adjoint(y: Tensor) -> Tensor:
        x = like.new_zeros(len(y), *inputs).requires_grad_()
        with torch.enable_grad():
            return torch.autograd.grad(linear(x), x, y)[0]

    return LinearMap(inputs, outputs, apply, adjoint, like)


def extremes(linear: LinearMap, seed: int, steps: int = STEPS) -> Extremes:
    """The extreme singular values: all of them where the matrix is small, else by bidiagonalisation.

    Parameters
    ----------
    seed : of the random start.
    steps : of the bidiagonalisation at most, at least 1.
    """
    size = math.prod(linear.inputs), math.prod(linear.outputs)
    if math.prod(size) <= ENTRIES and math.prod(size) * min(size) <= OPERATIONS:
        return of_matrix(matrix(linear))
    return bidiagonalised(linear if size[0] <= size[1] else linear.turned, seed, steps)


def of_matrix(entries: Tensor) -> Extremes:
    """Of a matrix (m, n), or of many (..., m, n) that act side by side; in float64."""
    sigma = torch.linalg.svdvals(entries.double())
    largest, smallest = float(sigma.max()), float(sigma.min())
    floor = max(entries.shape[-2:]) * torch.finfo(torch.float64).eps * largest
    return Extremes(largest, largest, smallest if smallest > floor else 0.0, True)


def matrix(linear: LinearMap) -> Tensor:
    """The map written down, (m, n) in float64: a column for each entry of an input."""
    narrow = linear if math.prod(linear.inputs) <= math.prod(linear.outputs) else linear.turned
    count = math.prod(narrow.inputs)
    unit = torch.eye(count, dtype=linear.like.dtype, device=linear.like.device).reshape(count, *narrow.inputs)
    rows = torch.cat([narrow.apply(part).flatten(1).double() for part in unit.split(64)])
    return rows.T if narrow is linear else rows


def bidiagonalised(linear: LinearMap, seed: int, steps: int = STEPS) -> Extremes:
    """By Golub and Kahan's bidiagonalisation from a random start on the side of the inputs, best the smaller one."""
    start = torch.randn(1, *linear.inputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    v = (start / start.norm()).to(linear.like)
    n, u, beta = math.prod(linear.inputs), torch.zeros(1), 0.0
    diagonal, above = list[float](), list[float]()
    largest = at_most = smallest = 0.0
    for step in range(1, min(steps, n) + 1):
        u = linear.apply(v) - beta * u if above else linear.apply(v)
        alpha = float(u.double().norm())
        diagonal.append(alpha)
        if alpha:
            u = u / alpha
            v = linear.adjoint(u) - alpha * v
            beta = float(v.double().norm())
        ended = not alpha or beta <= SETTLED**2 * max(diagonal) or step == n
        if ended or step % EACH == 0 or step == min(steps, n):
            left, sigma = _decomposed(diagonal, above)
            largest, smallest = float(sigma[0]), float(sigma[-1])
            at_most = largest if ended else largest * _reach(n, step)
            rests = ended or beta * abs(float(left[-1])) <= SETTLED * largest
            if rests and at_most <= (1 + WIDTH) * largest:
                break
        if ended:
            break
        v = v / beta
        above.append(beta)
    rounding = ROUNDINGS * torch.finfo(linear.like.dtype).eps
    return Extremes(largest, at_most * (1 + rounding), smallest + rounding * largest, False)


def _decomposed(diagonal: list[float], above: list[float]) -> tuple[Tensor, Tensor]:
    """The left singular vector of the largest singular value of an upper bidiagonal matrix, and all its values."""
    entries = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if above:
        entries += torch.diag(torch.tensor(above[: len(diagonal) - 1], dtype=torch.float64), 1)
    left, sigma, _ = torch.linalg.svd(entries)
    return left[:, 0], sigma


def _reach(n: int, step: int) -> float:
    """Factor from the value found after so many steps to what the norm exceeds with a chance of `CHANCE` at most."""
    share = (math.log(1.648 * math.sqrt(n) / CHANCE) / (2 * step - 1)) ** 2
    return 1 / math.sqrt(1 - share) if share < 1 else math.inf
