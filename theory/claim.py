"""What a row of the table of claims is: a statement, the theory behind it, and near-misses it must be told from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from theory.laws import Law

Kind = Literal["law", "moment"]


@dataclass(frozen=True)
class Moment:
    """The expectation of one number per draw, with a bound on its standard deviation under the same theory.

    The spread is what makes a band for an unbounded variable possible at all: without one, no finite sample
    says anything about a mean.

    Parameters
    ----------
    per_draw : maps the recorded statistic, (size, ...), to one number per draw, (size,).
    mean : what the theory says E[per_draw] is.
    sd : an upper bound on its standard deviation, positive.
    laws : one per column; `per_draw` is then given the columns' probability integral transforms instead.
    """

    per_draw: Callable[[np.ndarray], np.ndarray]
    mean: float
    sd: float
    laws: Sequence[Law] | None = None


def everywhere(**_point: Any) -> bool:
    return True


@dataclass(frozen=True)
class Decoy:
    """A near-miss of a claim: what someone might have stated instead, and the check has to reject.

    Parameters
    ----------
    says : the wrong statement, a phrase.
    theory : as in `Claim`, but wrong.
    where : at which points it differs from the truth enough to be told from it with the claim's own draws.
    """

    says: str
    theory: Callable[..., Any]
    where: Callable[..., bool] = everywhere


@dataclass(frozen=True)
class Claim:
    """A statement of a paper, and where its theory, its evidence and its picture are.

    Parameters
    ----------
    id : paper, statement, part, such as "fc.lemma3.last".
    source, says : where it stands; what it says, in one sentence.
    kind : "law": `theory(**point)` is a law, or one law per column of the statistic (columns are then pooled
        by probability integral transform); "moment": it is a `Moment`.
    statistic : the recorded number (or row of numbers) that it speaks of.
    study, figure : modules that measure it and show it.
    tolerance : the smallest discrepancy worth seeing, fixed before any draw. For laws the largest difference
        between two distribution functions; for moments in units of the moment.
    decoys : near-misses that the check must reject.
    where : the points that the statement covers.
    refuted : whether the table already knows it to be false as stated.
    """

    id: str
    source: str
    says: str
    kind: Kind
    theory: Callable[..., Any]
    statistic: str
    study: str
    figure: str
    tolerance: float
    decoys: tuple[Decoy, ...] = field(default=(), repr=False)
    where: Callable[..., bool] = everywhere
    refuted: bool = False
