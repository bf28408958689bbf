"""Both tails of the odds chain as a mixture: F^2 ~ Beta(a_L, b + J) over a Markov chain J of integers.

All sums are of positive terms, so that it serves where the contour of theory/_jacobi.py cancels. a: (L,), half degrees
of the layers in decreasing order, positive; b: positive.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import betainc, expit, gammaln

from theory.laws.gamma import stirling_tail

BLOCK = 12  # nodes of the Gauss rule on a block of integers
RAREST = 1e-75  # probability of a node that is still kept


def tails(y: np.ndarray, a: np.ndarray, b: float, j: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(whether it is the lower tail, its logarithm) at log-odds y, given nodes and weights of J."""
    last, beta = a[-1], b + j
    p, q = expit(y)[:, None], expit(-y)[:, None]
    cdf, sf = betainc(last, beta, p) @ weight, betainc(beta, last, q) @ weight
    below = sf > 0.5
    with np.errstate(divide="ignore"):
        return below, np.log(np.where(below, cdf, sf))


def nodes(a: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes j and weights P(J = j), J = J_L: J_1 = 0, J_{i+1} given F_i is negative binomial (n_{i+1} / 2, F_i^2).

    With F_i^2 ~ Beta(a_i, b + J_i) integrated out, A = n_{i+1} / 2,
    P(J_{i+1} = k | J_i = j) = (A)_k / k! B(a_i + A, b + j + k) / B(a_i, b + j).
    Any order of the factors will do: with the smallest a_i last, J spreads as late as possible.
    """
    A = a + b
    end = 50 * (A.max() + 10) * 10 ** (30 / A[-1])
    grid, count = (np.concatenate(part) for part in zip(*_blocks(end, A.max()), strict=True))
    j, weight, previous = np.zeros(1), np.ones(1), None
    for i in range(a.size - 1):
        if (key := (a[i], A[i + 1], j.size)) != previous:  # else the kernel of the last step serves again
            kernel = np.exp(
                (_rise(grid + 1, A[i + 1] - 1) - gammaln(A[i + 1]) + _rise(np.array(a[i]), A[i + 1]))
                + _rise(b + j, a[i])[:, None]
                - _rise(b + j[:, None] + grid, a[i] + A[i + 1])
            )
        previous, mass = key, weight @ kernel * count
        kept = mass > RAREST
        j, weight = grid[kept], mass[kept]
    return j, weight


def _rise(x: np.ndarray, d: float) -> np.ndarray:
    """ln Gamma(x + d) - ln Gamma(x) without the cancellation at large x."""
    large = x > 30
    v = np.where(large, x, 30.0)
    stirling = (v + d - 0.5) * np.log1p(d / v) + d * np.log(v) - d + stirling_tail(v + d) - stirling_tail(v)
    return np.where(large, stirling, gammaln(x + d) - gammaln(x))


def _blocks(end: float, scale: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Gauss rules for sums over the integers 0 <= j < end, in blocks that grow with j; the first are the integers.

    A block of N integers has the Gram polynomials, and they have the recurrence k^2 (N^2 - k^2) / (4 (4 k^2 - 1)).
    """
    start, k = 0.0, np.arange(1, BLOCK)
    while start < end:
        length = max(BLOCK, np.ceil(min(2.0, 4 / np.sqrt(1 + min(start, scale))) * start))
        beta = np.sqrt(k**2 * (1 - (k / length) ** 2) / (4 * (4 * k**2 - 1)))
        nodes, vectors = np.linalg.eigh(np.diag(beta, 1) + np.diag(beta, -1))
        yield start + (length - 1) / 2 + length * nodes, length * vectors[0] ** 2
        start += length
