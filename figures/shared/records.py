"""The records that a figure is drawn from: what a run holds of a world, or of all worlds of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from fragility.claim import Claim, Rate
from fragility.engine.shard import find_study
from fragility.engine.statistics import Statistics
from fragility.engine.store import DamagedRecordError, world
from fragility.engine.study import Method, Point, label
from fragility.judging.evidence import Evidence

Needed: TypeAlias = Callable[..., Sequence[str]]
NOT_BLIND = "†"
MOST_NAMED = 3  # claims, or starts of ids, in one line


@dataclass(frozen=True)
class Held:
    """Evidence, and whether it was drawn without the theory that it stands beside."""

    evidence: Evidence
    blind: bool

    @property
    def draws(self) -> str:
        """For a legend, marked where the theory had a part in them."""
        return f"{self.evidence.samples:,}{'' if self.blind else NOT_BLIND} draws"


def _nothing(**_: Any) -> Sequence[str]:
    return ()


def _only(statistic: str, **_: Any) -> Sequence[str]:
    return (statistic,)


def _always(way: Method, **point: Any) -> Sequence[str]:
    """What a method measures in every draw, as far as it says so."""
    described = way.statistics if isinstance(way.statistics, Statistics) else {}
    return [name for name in way.statistics(**point) if not (name in described and described[name].optional)]


def held(run: Path, study: str, point: Point) -> dict[str, Held]:
    """Evidence on every statistic at a point: of a blind method rather than of any other, and of many draws.

    Parameters
    ----------
    run : the run's folder.
    study : its room and name.
    """
    chosen: dict[str, Held] = {}
    for method, way in find_study(study).methods.items():
        tables = drawn(run, study, method, point)
        if not tables:
            continue
        found = Held(Evidence(tables), way.blind)
        for statistic in found.evidence.statistics:
            if statistic not in chosen or _rank(chosen[statistic]) < _rank(found):
                chosen[statistic] = found
    return chosen


def measured(run: Path, study: str, point: Point) -> dict[str, np.ndarray]:
    """All that an experiment recorded at a point, each statistic (units,) or (units, k).

    Raises
    ------
    FileNotFoundError : it recorded nothing there.
    """
    ((method, way),) = find_study(study).methods.items()
    tables = drawn(run, study, method, point, partial(_always, way))
    if not tables:
        raise FileNotFoundError(f"no records of {label(point)} in {run}: python -m {study} makes some")
    evidence = Evidence(tables)
    return {name: evidence.values(name) for name in tables[0].column_names}


def swept(run: Path, claim: Claim) -> dict[int, Held] | None:
    """Evidence on a rate at every size of its sweep, of one method; None where there is none that has all sizes."""
    rate: Rate = claim.theory()
    assert rate.at is not None
    points = {size: rate.at(size) for size in rate.sizes}
    best: dict[int, Held] | None = None
    for method, way in find_study(claim.study).methods.items():
        if claim.statistic not in way.statistics(**points[max(points)]):
            continue
        needed = partial(_only, claim.statistic)
        tables = {size: drawn(run, claim.study, method, point, needed) for size, point in points.items()}
        if not all(tables.values()):
            continue
        found = {size: Held(Evidence(of_size), way.blind) for size, of_size in tables.items()}
        if best is None or _rank(_fewest(best)) < _rank(_fewest(found)):
            best = found
    return best


def statement(run: Path, claim: Claim) -> Evidence | None:
    """Evidence on a bound or an identity: its random worlds or, if it fails, the witness; None without records."""
    method = "worlds" if claim.holds else "witness"
    tables = drawn(run, claim.study, method, {"claim": claim.id}, partial(_only, "excess"))
    return Evidence(tables) if tables else None


def wanting(claims: Sequence[str], run: Path) -> str:
    """The one line on claims without records in a run, with the command that draws them into the same folder."""
    parts = [name.split(".") for name in claims]
    starts: list[str] = []
    for depth in range(max(map(len, parts)), 0, -1):
        starts = list(dict.fromkeys(".".join(part[:depth]) for part in parts))
        if len(starts) <= MOST_NAMED:
            break
    named = ", ".join(claims[:MOST_NAMED])
    more = f" and {len(claims) - MOST_NAMED} more claims" if len(claims) > MOST_NAMED else ""
    flags = [f"--claim {start}" for start in starts if len(starts) <= MOST_NAMED]
    out = run.parent.parent
    flags += [f"--out {out}"] if out != Path("results") else []
    return f"no records of {named}{more} in {run}: {' '.join(['python -m simulate.verify', *flags])} draws them"


def _rank(found: Held) -> tuple[bool, int]:
    return found.blind, found.evidence.samples


def _fewest(sweep: Mapping[int, Held]) -> Held:
    return min(sweep.values(), key=_rank)


def drawn(run: Path, study: str, method: str, point: Point, needed: Needed = _nothing) -> list[pa.Table]:
    """Tables of all shards that a run holds of one world, in order; none where there are none.

    Parameters
    ----------
    needed : (**point) -> statistics that the figure cannot do without.

    Raises
    ------
    DamagedRecordError : a record cannot be what was written, or lacks what is needed.
    """
    try:
        tables = world(run, study, method, point)
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}: the command that drew it, with --resume, repairs it") from None
    if tables and (lacking := [name for name in needed(**point) if name not in Evidence(tables).statistics]):
        raise DamagedRecordError(
            f"records of {label(point)} in {run} must have {lacking[0]}, got none: they were drawn by other code, and "
            "another --out has room for new ones"
        )
    return tables
