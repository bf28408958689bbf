"""When a distance is looked at while draws come in, and which part of each error rate a look spends.

What is grossly wrong is seen long before all draws are there, and what is right often at seven tenths of them. The
parts add up to the whole, so that looking does not spoil a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

FIRST = 16  # draws
EARLY = 0.7  # of all draws: where a law that holds agrees more often than not
EARLY_ALPHA, EARLY_BETA = 0.05, 0.5  # parts that are spent there
GROSS_ALPHA = 0.02  # the part of all looks before, which may only disagree


@dataclass(frozen=True)
class Look:
    """A look at so many draws: chance makes what holds disagree, or what is off agree, at most this often."""

    samples: int
    alpha: float
    beta: float


def planned(needed: Callable[[float, float], int], alpha: float, beta: float) -> list[Look]:
    """Looks, the last of them at as many draws as decide whatever comes.

    Parameters
    ----------
    needed : (alpha, beta) -> fewest draws that decide at one look.
    """
    last_alpha, last_beta = alpha * (1 - EARLY_ALPHA - GROSS_ALPHA), beta * (1 - EARLY_BETA)
    most = needed(last_alpha, last_beta)
    early = math.ceil(EARLY * most)
    doublings = [*takewhile(lambda samples: 2 * samples <= early, (FIRST << k for k in range(64)))]
    gross = [Look(samples, alpha * GROSS_ALPHA / len(doublings), 0.0) for samples in doublings]
    return [*gross, Look(early, alpha * EARLY_ALPHA, beta * EARLY_BETA), Look(most, last_alpha, last_beta)]


def fewest(decides: Callable[[int], bool]) -> int:
    """The smallest number of draws that decides, where more of them do, too."""
    few, many = 0, 1
    while not decides(many):
        few, many = many, 2 * many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if decides(middle) else (middle, many)
    return many
