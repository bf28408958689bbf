"""One check of the survey: a sampler at some parameters, and what its draws should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Gaps between probabilities that are to be seen, by what a draw and its probability cost.
FINE, MIDDLE, COARSE, ROUGH = 0.01, 0.03, 0.05, 0.1
SEEDS = 2**63

Draw = Callable[[np.random.Generator, int], Any]


@dataclass(frozen=True)
class Row:
    """A sampler, and what is claimed of it.

    Parameters
    ----------
    of : the sampler as its library calls it.
    at : its parameters, and which part of a draw is looked at.
    make : () -> draw and what `check` takes beside it, such as {"against": law}; it may raise what the library raises.
    tolerance : the gap that is to be seen.
    """

    of: str
    at: str
    make: Callable[[], tuple[Draw, Mapping[str, Any]]] = field(repr=False)
    tolerance: float = FINE

    @property
    def name(self) -> str:
        """Of the check."""
        return f"{self.of}({self.at})"


def row(of: str, at: str, draw: Draw, tolerance: float = FINE, **claimed: Any) -> Row:
    """A check that takes no library to make."""
    return Row(of, at, lambda: (draw, claimed), tolerance)


def shown(*values: Any) -> str:
    """Parameters as a reader sees them."""
    return ", ".join(f"{value:.12g}" if isinstance(value, float) else f"{value}" for value in values)


def seed_of(rng: np.random.Generator) -> int:
    """A seed for a generator of another library, so that all randomness is the generator's."""
    return int(rng.integers(SEEDS))
