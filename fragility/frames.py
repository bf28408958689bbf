"""Records, verdicts and tables as data frames of pandas, for notebooks."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Point, Study, UsageError

if TYPE_CHECKING:
    from pandas import DataFrame

    from fragility.engine.statistics import Statistic
    from fragility.tables import Table

ROOMS = ("simulate", "empirical")  # whose studies are imported by the name that a record gives; a file chooses no other
NAMES = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, None: math.nan}  # of numbers that JSON has no word for
OF_VERDICTS = {
    "gap": "the discrepancy found",
    "band": "how far chance, or of a relation rounding, may carry the gap of a claim that holds",
    "tolerance": "the smallest gap worth seeing",
    "resolution": "the smallest discrepancy, in its unit, that the draws rule out where none was found",
    "unit": "of the resolution",
    "wanted": "the resolution at which no gap makes 'agrees'",
    "samples": "draws looked at",
    "needed": "draws at which the resolution reaches what is wanted, 0 where none would do",
    "alpha": "error rate of the look",
    "visible": "decoys that the tolerance should show",
    "rejected": "decoys that the draws reject",
    "fault": "which number is missing",
}


def frame(
    source: Any,
    *,
    study: str | Study | None = None,
    run: str | None = None,
    method: str | Sequence[str] | None = None,
    points: Point | Sequence[Point] | None = None,
    statistics: str | Sequence[str] | None = None,
    samples: int | None = None,
    counts: bool = False,
) -> DataFrame:
    """Gives records, verdicts or a table as a tidy data frame of pandas, with units and sentences in its `attrs`.

    Records have a row per draw: the axes of the point, method, seed and number of the draw, and a column for each
    statistic that is one number. A statistic of shape (size, k, ...) comes where it is named: then there is a row per
    draw and entry, columns `..._index` number the entries from 0, and single numbers are repeated beside them. A
    statistic that is called like one of these columns gets `_recorded` behind its name; what a world does not record is
    NaN. Verdicts have a row each: the fields of `Verdict`, the point as text, and its axes as the last columns. A table
    has its own rows; an interval becomes two columns, `..._low` and `..._high`. A value of an axis that is several
    numbers is text, as in a folder's name: "8^2" for two factors of 8 rows. Texts of records are categories.

    Parameters
    ----------
    source : a folder of records: of a run, of a study (then its newest run), or the --out folder of commands; a file of
        verdicts, or a summary, in JSON; a campaign; a `Verdict` or several; a table; or the numbers of a figure.
    study : name of the study where a folder has several, or the study itself, whose descriptions are then used.
    run : name of the run where a study has several, such as "numba-seed0".
    method : that of the worlds to read, or several of them.
    points : values of axes, such as {"n": 8}, or a list of such; only worlds whose points have them are read.
    statistics : names of those to keep. Those that are not one number per draw must share a shape.
    samples : draws of each world to read at most.
    counts : whether to give records of counts, a row for each cell: `count` draws lie in [low, high).

    Returns
    -------
    DataFrame : in its `attrs` "rows" (what one is), "study", "source", "units" and "says" by column, "left_out" (names
        of statistics that were not asked for) and "provenance", as far as they are known.

    Raises
    ------
    UnavailableError : pandas is not installed.
    FileNotFoundError : there are no such records, or is no such file.
    DamagedRecordError : a file cannot be what was written.
    UsageError : the folder holds several studies, what is asked for is not there, records hold counts, or the frame
        would not fit in memory.
    """
    _pandas()
    asked = {"method": method, "points": points, "statistics": statistics, "samples": samples, "counts": counts or None}
    place, described = _records(source, study, run)
    if place is not None:
        return _of_records(place, described, **{name: _several(value) for name, value in asked.items()})
    if named := [name for name, value in {"study": study, "run": run, **asked}.items() if value is not None]:
        raise UsageError(f"{named[0]} chooses among records, and {type(source).__name__} holds none: leave it out")
    return _of_rest(source)


def _records(source: Any, study: str | Study | None, run: str | None) -> tuple[Path | None, Study | None]:
    """The folder of the run that a source names, if it is one of records, and its study, if that may be imported."""
    from fragility.engine.store import Store
    from fragility.judging.draws import Draws

    given = study if isinstance(study, Study) else None
    if isinstance(source, Draws):
        return source.store.root, given or source.study
    if isinstance(source, Store):
        return source.root, given
    if isinstance(source, str | PathLike):
        path = Path(fspath(source))
        if path.is_dir():
            return _run(path, study.name if isinstance(study, Study) else study, run), given
        if not path.exists():
            raise FileNotFoundError(f"no {path}")
    return None, None


def _run(path: Path, study: str | None, run: str | None) -> Path:
    """The run that is meant by a folder: of a run, of a study, or of several studies."""
    from fragility.engine.store import MANIFEST, runs

    if (path / MANIFEST).exists():
        return path
    held = {folder.name: found for folder in sorted(path.iterdir()) if (found := runs(path, folder.name))}
    if own := runs(path.absolute().parent, path.absolute().name):
        held = {path.absolute().name: own}
    if not held or (study is not None and study not in held):
        wanted = study or "a study"
        raise FileNotFoundError(f"no records of {wanted} in {path} (held: {', '.join(held) or 'none'})")
    if study is None and len(held) > 1:
        raise UsageError(f"{path} holds records of {', '.join(held)}: name one, such as study={min(held)!r}")
    found = held[study or min(held)]
    chosen = [one for one in found if run in (None, one.name)]
    if not chosen:
        raise FileNotFoundError(f"no run {run} in {path} (held: {', '.join(one.name for one in found)})")
    return chosen[-1]


def _of_records(
    run: Path,
    given: Study | None,
    method: Sequence[str] | None,
    points: Sequence[Point] | None,
    statistics: Sequence[str] | None,
    samples: int | None,
    counts: bool | None,
) -> DataFrame:
    from fragility.engine.store import read_manifest
    from fragility.engine.tidy import of_cells, of_draws, worlds

    if samples is not None and (counts or samples < 1):
        raise UsageError(f"samples must be at least 1, and is of records of single draws alone, got {samples}")
    chosen = worlds(run, method, points)
    study = given or _study(chosen[0].study)
    described = _described(study) if study else {}
    found = of_cells(chosen, statistics) if counts else of_draws(chosen, statistics, samples, described)
    named = {column: described[name] for column, name in found.statistics.items() if name in described}
    axes = {axis: of.help for axis, of in study.grid.items() if axis in chosen[0].point} if study else {}
    held = dict.fromkeys(name for world in chosen for name in world.shapes)
    made = _framed(found.columns)
    made.attrs = {
        "rows": found.rows,
        "study": chosen[0].study,
        "source": str(run),
        "units": {column: one.unit for column, one in named.items() if one.unit},
        "says": axes | {column: one.says for column, one in named.items()},
        "left_out": [name for name in held if name not in found.statistics.values()],
        "provenance": {name: said for name, said in read_manifest(run).items() if name not in ("pace", "points")},
    }
    return made


def _study(name: str) -> Study | None:
    """The study of that name if it is one of the package's, or is loaded already: of it one may ask what it records."""
    from fragility.engine.shard import find_study

    if name.partition(".")[0] not in ROOMS and name not in sys.modules:
        return None
    try:
        return find_study(name)
    except (LookupError, ImportError):
        return None


def _described(study: Study) -> dict[str, Statistic]:
    """What a study says of its statistics, as far as it says anything."""
    from fragility.engine.statistics import Statistics

    held = [method.statistics for method in study.methods.values() if isinstance(method.statistics, Statistics)]
    return {name: one for statistics in held for name, one in statistics.items()}


def _of_rest(source: Any) -> DataFrame:
    """The frame of what holds no records."""
    from fragility.judging.verdict import Verdict
    from fragility.tables import Table

    if isinstance(source, str | PathLike):
        return _of_file(Path(fspath(source)))
    if isinstance(source, Table):
        return _of_table(source)
    if hasattr(source, "tidy"):
        return _of_table(source.tidy())
    if isinstance(source, Verdict):
        source = [source]
    if isinstance(source, Iterable):
        held = list(source)
        if all(isinstance(one, Verdict) for one in held):
            return _of_verdicts([asdict(one) | {"point": dict(one.point)} for one in held])
    raise UsageError(
        "a frame is made of a folder, a file of verdicts, a campaign, verdicts, a table or a figure's numbers, got "
        f"{type(source).__name__}"
    )


def _of_file(path: Path) -> DataFrame:
    """The verdicts in a file of JSON: those of a command, or all of a summary."""
    from fragility.engine.files import DamagedRecordError, read_json

    content = read_json(path)
    try:
        several = content.get("judgements", [content])
        rows = [_whole(row) | _by(one) for one in several for row in one["verdicts"]]
        made = _of_verdicts(rows)
        made.attrs |= {"source": str(path), "not_reached": list(content.get("not reached", ()))}
        if "provenance" in content:
            made.attrs["provenance"] = dict(content["provenance"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedRecordError(f"{path} must hold verdicts, got something else") from error
    return made


def _by(one: Mapping[str, Any]) -> dict[str, str]:
    """Which study, or command, gave verdicts, if that is said."""
    said = one.get("origin") or one.get("provenance") or {}
    return {"study": str(said["study"])} if "study" in said else {}


def _whole(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a verdict and what else a file says of it, where it leaves out what is usual.

    Raises
    ------
    KeyError, TypeError, ValueError : it is none.
    """
    from fragility.judging.verdict import Verdict

    told = {"status": row["status"], "kind": row["kind"]} if "kind" in row else {}
    found: dict[str, Any] = {}
    for field in fields(Verdict):
        value = row[field.name] if field.default is MISSING else row.get(field.name, field.default)
        if field.type == "float":
            value = float(NAMES[value] if value is None or isinstance(value, str) else value)
        found[field.name] = tuple(value) if isinstance(value, list) else value
    return {**found, "point": dict(found["point"]), **told}


def _of_verdicts(rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """A row per verdict; one on a relation in worlds made for it has no point but the claim itself."""
    from fragility.engine.study import label
    from fragility.engine.tidy import AXIS, entries, free, written
    from fragility.judging.verdict import Verdict

    others = [field.name for field in fields(Verdict) if field.name not in ("claim", "point")]
    extra = [name for name in ("study", "status", "kind") if any(name in row for row in rows)]
    columns = ["claim", *extra, "point", *others]
    made = []
    for row in rows:
        axes = {} if row["unit"] in ("worlds", "witness") else row["point"]
        point = {free(axis, columns, AXIS): written(value) for axis, value in axes.items()}
        made.append({**row, "point": label({axis: entries(value) for axis, value in axes.items()}), **point})
    every = [*columns, *dict.fromkeys(name for row in made for name in row if name not in columns)]
    found = _pandas().DataFrame(made, columns=every)
    found.attrs = {"rows": "verdicts", "says": dict(OF_VERDICTS), "units": {"samples": "draws", "needed": "draws"}}
    return found


def _of_table(table: Table) -> DataFrame:
    """The rows of a table, as a reader sees them but for how numbers are written."""
    from fragility.engine.tidy import free
    from fragility.tables import Interval

    columns: dict[str, list[Any]] = {}
    units: dict[str, str] = {}
    if table.headings:
        columns["group"] = [_heading(table, place) for place in range(len(table.rows))]
    for place, column in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        name = free(column.key or column.name, columns, "_")
        parts = {name: cells}
        if any(isinstance(cell, Interval) for cell in cells):
            ends = [cell if isinstance(cell, Interval) else Interval(math.nan, math.nan, 0) for cell in cells]
            parts = {f"{name}_low": [end.low for end in ends], f"{name}_high": [end.high for end in ends]}
        columns |= parts
        units |= dict.fromkeys(parts, column.unit)
    made = _pandas().DataFrame(columns)
    made.attrs = {
        "rows": "rows of a table",
        "title": table.title,
        "notes": list(table.notes),
        "units": {name: unit for name, unit in units.items() if unit},
    } | ({} if table.confidence is None else {"confidence": table.confidence})
    return made


def _heading(table: Table, place: int) -> str:
    """What stands above the group of a row."""
    above = [start for start in table.headings if start <= place]
    return table.headings[max(above)] if above else ""


def _framed(columns: Mapping[str, Any]) -> DataFrame:
    """The frame of tidy columns, without a copy of them."""
    from fragility.engine.tidy import Labels

    pandas = _pandas()
    labelled = {
        name: pandas.Categorical.from_codes(one.codes, one.values) if isinstance(one, Labels) else one
        for name, one in columns.items()
    }
    return pandas.DataFrame(labelled, copy=False)


def _several(value: Any) -> Any:
    """One name or point as a list of one."""
    return [value] if isinstance(value, str | Mapping) else value


def _pandas() -> Any:
    from fragility.engine.backend import UnavailableError

    try:
        import pandas
    except ImportError:
        raise UnavailableError("frame needs pandas: pip install 'fragility[notebook]'") from None
    return pandas
