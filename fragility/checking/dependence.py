"""Whether draws that come one after another hang together, as those of a Markov chain do, and how long."""

from __future__ import annotations

import math

import numpy as np

LAGS = (1, 2, 3, 5, 8, 16)
CERTAIN = 16.0  # -ln of how often independent draws are called a chain at one lag
WINDOW = 5.0  # autocorrelation times over which correlations are added up (Sokal 1997)
NOISE = 2.0  # standard deviations of a correlation of independent draws
# Autocorrelation times between draws that are kept: correlations are below 1 % where they fall geometrically.
APART = 3.0


def is_chain(values: np.ndarray) -> bool:
    """Whether independent draws, (k,), would hardly ever hang together as these do.

    It looks at correlations of ranks, so that the draws may have any law, beyond the bound of Bernstein (1924). A few
    dozen draws never pass that, however they hang together.
    """
    score = _scores(values)
    if score is None:
        return False
    heavy = CERTAIN * float(np.max(score**2)) / 3
    chance = heavy + math.sqrt(heavy**2 + 2 * CERTAIN * len(score))
    return any(abs(float(score[:-lag] @ score[lag:])) > chance for lag in LAGS if lag < len(score))


def autocorrelation_time(values: np.ndarray) -> float:
    """How many draws of a chain, (k,), tell as much of a mean as one independent draw does.

    One plus twice the sum of the correlations of ranks, up to five times itself: 1 of independent draws, less of those
    that swing from side to side.
    """
    correlations = _correlations(values)
    return 1.0 if correlations is None else _time(correlations)


def spacing(values: np.ndarray) -> int:
    """How many draws of a chain, (k,), lie from one that is kept to the next.

    Correlations of either sign count: what swings from side to side hangs together as long as what creeps.
    """
    correlations = _correlations(values)
    if correlations is None:
        return 1
    size = np.abs(correlations)
    return math.ceil(APART * _time(np.where(size > NOISE / math.sqrt(len(values)), size, 0.0)))


def _correlations(values: np.ndarray) -> np.ndarray | None:
    """Those of ranks at every lag from 0 on, (k,); None of draws that are all the same."""
    score = _scores(values)
    if score is None:
        return None
    power = np.abs(np.fft.rfft(score, 1 << (2 * len(score) - 1).bit_length())) ** 2
    products = np.fft.irfft(power)[: len(score)]
    return products / products[0]


def _time(correlations: np.ndarray) -> float:
    times = 2 * np.cumsum(correlations) - 1
    inside = np.arange(len(times)) >= WINDOW * times
    return max(float(times[np.argmax(inside)] if inside.any() else times[-1]), 0.0)


def _scores(values: np.ndarray) -> np.ndarray | None:
    """Ranks with mean 0 and variance 1; None of draws that are all the same."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    spread = ranks.std()
    return (ranks - ranks.mean()) / spread if spread else None
