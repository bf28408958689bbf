"""The fraction F = |r_nn| / ||a_n|| of Theorem 6 among the networks that are kept, if large ones are.

The paper reports runs of training accuracy 1 only (Tables 1 and 2, Figure 2), and its mean over them lies far above
E F. Two ways to keep a share p of all runs are made exact here: by F itself, and by |r_nn|, the margin of the network
that interpolates the labels. A is n x n with independent N(0, 1) entries, so that F^2 ~ Beta(1/2, (n - 1)/2) is
independent of ||a_n|| ~ chi_n, and |r_nn| ~ |N(0, 1)|.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import beta as beta_function
from scipy.special import betaincc, betainccinv, gammaincc, ndtri

from theory import _require
from theory._frozen import Derived, elementwise

By = Literal["fraction", "last"]
NODES = np.polynomial.legendre.leggauss(40)


@dataclass(frozen=True)
class FractionSelected(Derived):
    """Law of F given F > cut; see `selected_by_fraction`."""

    n: int
    kept: float

    def support(self) -> tuple[float, float]:
        return self.cut, 1.0

    @cached_property
    def cut(self) -> float:
        """The (1 - kept)-quantile of F."""
        return math.sqrt(betainccinv(0.5, (self.n - 1) / 2, self.kept))

    @elementwise
    def sf(self, x):
        above = betaincc(0.5, (self.n - 1) / 2, np.clip(x, self.cut, 1.0) ** 2) / self.kept
        return np.where(np.isnan(x), np.nan, np.minimum(above, 1.0))

    @elementwise
    def cdf(self, x):
        return 1 - self.sf(x)

    @elementwise
    def pdf(self, x):
        inside = (x > self.cut) & (x < 1)
        return np.where(np.isnan(x), np.nan, np.where(inside, _density(x, self.n) / self.kept, 0.0))

    @elementwise
    def isf(self, q):
        return np.where((q >= 0) & (q <= 1), np.sqrt(betainccinv(0.5, (self.n - 1) / 2, self.kept * q)), np.nan)

    def ppf(self, q):
        return self.isf(1 - np.asarray(q, dtype=float))

    def mean(self) -> float:
        """E F (1 - cut^2)^((n - 1) / 2) / kept."""
        return mean_fraction(self.n) * math.exp((self.n - 1) / 2 * math.log1p(-(self.cut**2))) / self.kept

    def var(self) -> float:
        square = betaincc(1.5, (self.n - 1) / 2, self.cut**2) / (self.n * self.kept)
        return square - self.mean() ** 2

    def rvs(self, size=None, random_state=None):
        """Draws by the quantiles of uniform ones."""
        return self.isf(np.random.default_rng(random_state).random(size))


@dataclass(frozen=True)
class LastSelected(Derived):
    """Law of F given |r_nn| > cut; see `selected_by_last`."""

    n: int
    kept: float

    def support(self) -> tuple[float, float]:
        return 0.0, 1.0

    @cached_property
    def cut(self) -> float:
        """The (1 - kept)-quantile of |r_nn|."""
        return float(-ndtri(self.kept / 2))

    @elementwise
    def cdf(self, x):
        inside = np.where(np.isnan(x), np.nan, np.arcsin(np.clip(x, 0.0, 1.0)))
        return np.clip(self._integral(np.zeros_like(inside), inside, 0), 0.0, 1.0)

    @elementwise
    def sf(self, x):
        inside = np.where(np.isnan(x), np.nan, np.arcsin(np.clip(x, 0.0, 1.0)))
        return np.clip(self._integral(inside, np.full_like(inside, np.pi / 2), 0), 0.0, 1.0)

    @elementwise
    def pdf(self, x):
        inside = (x > 0) & (x < 1)
        tried = np.where(inside, x, 0.5)
        density = _density(tried, self.n) * gammaincc(self.n / 2, (self.cut / tried) ** 2 / 2) / self.kept
        return np.where(np.isnan(x), np.nan, np.where(inside, density, 0.0))

    @elementwise
    def ppf(self, q):
        return np.array([self._root(self.cdf, level, 0.0) for level in q])

    @elementwise
    def isf(self, q):
        return np.array([self._root(self.sf, level, 1.0) for level in q])

    def mean(self) -> float:
        return float(self._integral(np.zeros(1), np.full(1, np.pi / 2), 1)[0])

    def var(self) -> float:
        return float(self._integral(np.zeros(1), np.full(1, np.pi / 2), 2)[0]) - self.mean() ** 2

    def rvs(self, size=None, random_state=None):
        """Draws from |r_nn|, cut off, and the rest of ||a_n||, which is independent of it."""
        rng = np.random.default_rng(random_state)
        last = -ndtri(self.kept * rng.random(size) / 2)
        return last / np.sqrt(last**2 + rng.chisquare(self.n - 1, size))

    def _integral(self, start: np.ndarray, end: np.ndarray, power: int) -> np.ndarray:
        """E [F^power; sin(start) < F < sin(end)] given |r_nn| > cut, over the angle: a smooth integrand."""
        # the tail rises where sin = cut / ||a_n||, and ||a_n|| is about sqrt(n); the density falls over 1 / sqrt(n)
        rise = np.arcsin(np.minimum(1.0, self.cut / math.sqrt(self.n) * np.array([0.4, 0.7, 1.0, 1.4, 2.5])))
        marks = np.concatenate((rise, np.array([0.5, 1.0, 2.0, 4.0]) / math.sqrt(self.n)))
        inner = np.clip(np.sort(marks), start[:, None], end[:, None])
        edges = np.concatenate((start[:, None], inner, end[:, None]), axis=1)[:, :, None]
        half = np.diff(edges, axis=1) / 2
        angle = edges[:, :-1] + half * (1 + NODES[0])
        sine = np.sin(angle)
        tail = gammaincc(self.n / 2, (self.cut / np.where(sine > 0, sine, 1e-300)) ** 2 / 2)
        parts = half * NODES[1] * np.cos(angle) ** (self.n - 2) * sine**power * tail
        return 2 * parts.sum(axis=(1, 2)) / (beta_function(0.5, (self.n - 1) / 2) * self.kept)

    @staticmethod
    def _root(tail: Callable, level: float, nought: float) -> float:
        """Where a tail that vanishes at `nought`, 0 or 1, has the value `level`."""
        if not 0 <= level <= 1:
            return math.nan
        if level in (0, 1):
            return abs(nought - level)
        return brentq(lambda x: tail(x) - level, 0.0, 1.0, xtol=1e-15, rtol=1e-14)


def selected_by_fraction(n: int, kept: float) -> FractionSelected:
    """Law of F given that it exceeds its own (1 - kept)-quantile: F^2 is a truncated Beta(1/2, (n - 1)/2). Exact.

    Of all ways to keep a share `kept` of the runs this has the largest mean.

    Parameters
    ----------
    n : input dimension, at least 2.
    kept : share of runs that are kept, in (0, 1].

    Raises
    ------
    ValueError : outside that domain.
    """
    return FractionSelected(_require.integer("n", n, 2), _share(kept))


def selected_by_last(n: int, kept: float) -> LastSelected:
    """Law of F given |r_nn| > t, t being the (1 - kept)-quantile of |N(0, 1)|.

    Density f_F(x) P(chi_n > t / x) / kept, f_F that of F; cdf and moments by Gauss rules, right to 1e-12.

    Parameters
    ----------
    n, kept : as in `selected_by_fraction`.
    """
    return LastSelected(_require.integer("n", n, 2), _share(kept))


def mean_fraction(n: int) -> float:
    """E F = Gamma(n/2) / (sqrt(pi) Gamma((n + 1)/2)), nothing selected (Theorem 6; n = 12: 0.2352)."""
    _require.integer("n", n, 2)
    return math.exp(math.lgamma(n / 2) - math.lgamma((n + 1) / 2)) / math.sqrt(math.pi)


def selected(n: int, kept: float, by: By) -> FractionSelected | LastSelected:
    """The law of F among the share `kept` of runs that is largest `by` "fraction" or "last" (|r_nn|)."""
    if by not in ("fraction", "last"):
        raise ValueError(f'by must be "fraction" or "last", got {by!r}')
    return selected_by_fraction(n, kept) if by == "fraction" else selected_by_last(n, kept)


def share_of_mean(n: int, mean: float, by: By) -> float:
    """The share of runs that must be kept for a mean fraction of `mean`; the inverse of `selected(n, ., by).mean()`.

    Parameters
    ----------
    mean : from E F up to the mean at the share 1e-9, below 1.

    Raises
    ------
    ValueError : no share gives that mean.
    """
    least, most = selected(n, 1.0, by).mean(), selected(n, 1e-9, by).mean()
    if not least <= mean <= most:
        raise ValueError(f"mean must lie from E F = {least:.4f} to {most:.4f}, got {mean}")
    if mean == least:
        return 1.0
    return math.exp(brentq(lambda log: selected(n, math.exp(log), by).mean() - mean, math.log(1e-9), 0.0, xtol=1e-13))


def mean_error(n: int, kept: float, runs: int, by: By) -> float:
    """Standard error of the mean fraction over independent runs that were kept."""
    return selected(n, kept, by).std() / math.sqrt(_require.integer("runs", runs, 1))


def _density(x: np.ndarray, n: int) -> np.ndarray:
    return 2 * (1 - x * x) ** ((n - 3) / 2) / beta_function(0.5, (n - 1) / 2)


def _share(kept: float) -> float:
    if not 0 < kept <= 1:
        raise ValueError(f"kept must be a share of runs, above 0 and at most 1, got {kept}")
    return float(kept)
