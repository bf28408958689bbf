"""Which run of a study a figure is drawn from, and the points of that run."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any

from fragility.engine.files import DamagedRecordError
from fragility.engine.study import Point, Study

EXPERIMENTS = "empirical."  # start of the names of studies that train networks


def newest(out: Path, study: str, run: str | None = None) -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of a study's newest run, or of the one that is named; of others nothing is read.

    Raises
    ------
    FileNotFoundError : there is none; the line says which command makes one.
    DamagedRecordError : its manifest is of another study.
    """
    from fragility.engine.shard import find_study
    from fragility.engine.store import read_manifest, runs

    found = runs(out, study)
    chosen = [path for path in found if run in (None, path.name)]
    if not chosen:
        held = ", ".join(path.name for path in found) or "none"
        wanted = "any run" if run is None else run
        raise FileNotFoundError(f"no records of {wanted} in {out / study} (held: {held}): python -m {study} makes some")
    manifest = read_manifest(chosen[-1], "seed", "points")
    foreign = [point for point in manifest["points"] if not _is_point(find_study(study), point)]
    if foreign:
        raise DamagedRecordError(
            f"{chosen[-1]} must hold points of {study} in its manifest, got {foreign[0]}: python -m {study} with "
            "the flags of that run makes it anew"
        )
    points = [{axis: _entries(value) for axis, value in point.items()} for point in manifest["points"]]
    return chosen[-1], manifest | {"points": points}


def _entries(value: Any) -> Any:
    """An axis's value as the study has it: JSON knows lists only."""
    return tuple(value) if isinstance(value, list) else value


def _is_point(study: Study, point: Point) -> bool:
    """Whether its axes are those that the study draws and measures at."""
    method = next(iter(study.methods.values()))
    try:
        for function in (method.draw, method.measure):
            signature(function).bind(None, None, **point)
    except TypeError:
        return False
    return True
