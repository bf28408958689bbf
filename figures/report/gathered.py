"""What the records under a folder come to: the newest run of each study, and every command's last verdicts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from figures.report.plain import drawn_from, from_plain, to_plain
from figures.report.summary import Drawn, Judgement, Made, Run, Summary, document, read
from figures.shared.picture import Picture, pictures
from figures.shared.records import measured
from figures.shared.runs import EXPERIMENTS, newest
from fragility.book import Book
from fragility.book import read as read_book
from fragility.engine.backend import UnavailableError
from fragility.engine.context import OWN, current
from fragility.engine.files import DamagedRecordError, read_json
from fragility.engine.shard import find_study
from fragility.engine.store import runs, world
from fragility.engine.study import Point, Study
from fragility.judging.summary import VERIFY, kept
from fragility.judging.summary import read as read_lines
from fragility.tables import Table

PLACES = ("--out", "--data-dir", "--checkpoint", "--scheduler")  # flags that say where files or workers are


def summary(out: Path) -> Summary:
    """All that the records under `out` come to, on the book of the current context.

    Raises
    ------
    UnavailableError : there are neither verdicts nor records.
    DamagedRecordError : some cannot be what was written.
    """
    judged = judgements(out)
    found = [_run(out, study) for study in _studies(out)]
    if not judged and not found:
        raise UnavailableError(f"no verdicts and no records in {out}: python -m simulate.verify makes some")
    return rounded(Summary(current().claims, judged, found))


def rounded(whole: Summary) -> Summary:
    """The summary as one that was kept and read again, so that there is no difference between both."""
    return read(json.loads(document(whole)))


def judgements(out: Path) -> list[Judgement]:
    """The last verdicts of every command under `out` on the book of the current context.

    Raises
    ------
    DamagedRecordError : a file of verdicts holds something else.
    """
    book = read_book()
    folders = [(out / VERIFY, "simulate.verify")]
    folders += [(path, study) for study in _studies(out) for path in runs(out, study)[-1:]]
    return [found for folder, command in folders if (found := _judgement(out, folder, command, book))]


def flags(out: Path) -> str:
    """What follows a command so that it writes under `out`, and judges the book of the current context."""
    named = f" --out {out}" if out != Path("results") else ""
    return named + (f" --claims {current().claims}" if current().claims != OWN else "")


def _judgement(out: Path, folder: Path, command: str, book: Book) -> Judgement | None:
    path = kept(folder, current().claims)
    again = f"python -m {command}{flags(out)} makes it anew"
    try:
        content = read_json(path)
        found = read_lines(content, book)
        judged = Judgement(
            origin=_origin({"study": command} | content["provenance"]),
            verdicts=[verdict for line in found for verdict in line.verdicts],
            undecided=content["not reached"],
        )
    except FileNotFoundError:
        return None
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}, and must be a table of verdicts: {again}") from None
    except (KeyError, TypeError, ValueError):
        raise DamagedRecordError(f"{path} must be a table of verdicts, got something else: {again}") from None
    if not judged.verdicts and folder == out / VERIFY:  # which judges something, or writes nothing
        raise DamagedRecordError(f"{path} must be a table of verdicts, got none: {again}")
    return judged if judged.verdicts else None


def _studies(out: Path) -> list[str]:
    """Names of the studies with records under `out`, in alphabetical order."""
    if not out.is_dir():
        return []
    return sorted(path.name for path in out.iterdir() if runs(out, path.name) and _is_study(path.name))


def _is_study(name: str) -> bool:
    try:
        return bool(find_study(name))
    except LookupError:
        return False


def _run(out: Path, name: str) -> Run:
    folder, manifest = newest(out, name)
    study = find_study(name)
    try:
        origin = _origin(manifest)
    except ValueError:
        again = f"python -m {name} with the flags of that run says it anew"
        raise DamagedRecordError(f"{folder} must say in its manifest how it was made: {again}") from None
    drawn, lacking = _drawn(folder, manifest, name)
    return Run(
        study=name,
        name=folder.name,
        origin=origin,
        samples=_samples(folder, study, manifest["points"]),
        smaller=_smaller(name, manifest["points"]),
        tables=_tables(folder, name, manifest["points"]),
        drawn=drawn,
        lacking=[line.replace(f" --out {out}", "").replace(f"{out}/", "") for line in lacking],
    )


def _origin(said: Mapping[str, Any]) -> Made:
    """What a manifest says of where its records are from, the command as one types it and wherever the folders lay.

    Raises
    ------
    ValueError : it says something else.
    """
    hardware = said.get("hardware")
    parts = {} if not isinstance(hardware, dict) else hardware
    named = [str(parts[name]) for name in ("processor", "machine") if parts.get(name)]
    return from_plain(
        {
            **{name: said.get(name) for name in ("study", "time", "seed", "backend", "versions")},
            "command": _typed(str(said.get("command", ""))),
            "git": said.get("git") or "",
            "hardware": ", ".join([*named, *([f"{parts['cores']} cores"] if parts.get("cores") else [])]),
            "alpha": said.get("alpha", 0.0),
        },
        Made,
    )


def _typed(command: str) -> str:
    """`python -m ROOM.NAME` and its flags, without those that only say where files lie."""
    program, *flags = shlex.split(command) or [""]
    file = Path(program).with_suffix("")
    module = file.parent if file.name == "__main__" else file
    places = [k for k, flag in enumerate(flags) if flag in PLACES]
    kept_flags = [flag for k, flag in enumerate(flags) if k not in places and k - 1 not in places]
    kept_flags = [flag for flag in kept_flags if not flag.startswith(tuple(f"{place}=" for place in PLACES))]
    return shlex.join(["python", "-m", ".".join(module.parts[-2:]), *kept_flags])


def _drawn(folder: Path, manifest: Mapping[str, Any], study: str) -> tuple[list[Drawn], list[str]]:
    """What the study's picture is drawn from, on each of its pages, and what is lacking."""
    found, lacking = list[Drawn](), list[str]()
    for name, picture in pictures().items():
        if picture.study != study:
            continue
        for page, chosen in _choices(picture, manifest):
            try:
                numbers = picture.numbers(folder, manifest, chosen)
            except FileNotFoundError as none:
                lacking.append(str(none))
                continue
            plain = to_plain(numbers, drawn_from(picture.numbers))
            plain |= dict.fromkeys(picture.private)
            if "lacking" in plain:  # of which the page speaks once
                lacking += plain["lacking"]
                plain["lacking"] = []
            found.append(Drawn(name, page, plain))
    return found, lacking


def _choices(picture: Picture, manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The pages of a picture, each of a paper, but for the first, which is of all; or its default point."""
    if picture.pages:
        yield from ((page, page) for page in picture.pages()[1:])
    elif picture.point is None:
        yield "", None
    elif manifest["points"]:
        yield "", manifest["points"][int(picture.point) - 1]


def _tables(folder: Path, study: str, points: Sequence[Point]) -> list[Table]:
    """The tables of an experiment, of the points that there are records of."""
    if not study.startswith(EXPERIMENTS):
        return []
    records = []
    for point in points:
        try:
            records.append((point, measured(folder, study, point)))
        except FileNotFoundError:
            continue
    return list(import_module(f"{study}.tables").tables(records)) if records else []


def _smaller(study: str, points: Sequence[Point]) -> str:
    """In what an experiment was not run as its `--full` has it, which is the size of the paper's; else nothing."""
    if not study.startswith(EXPERIMENTS):
        return ""
    full: Mapping[str, Sequence[Any]] = import_module(f"{study}.__main__").FULL
    parts = []
    for axis, wanted in full.items():
        held = list(dict.fromkeys(point[axis] for point in points if axis in point))
        if held and not {*map(str, wanted)} <= {*map(str, held)}:
            parts.append(f"{axis} {', '.join(map(str, held))} in place of {', '.join(map(str, wanted))}")
    return "; ".join(parts)


def _samples(folder: Path, study: Study, points: Sequence[Point]) -> str:
    """How many draws there are at how many points."""
    counts = [
        sum(map(len, tables))
        for point in points
        for method in study.methods
        if (tables := world(folder, study.name, method, point))
    ]
    if not counts:
        return "none"
    many = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    draws = f"{many} draw{'s' if max(counts) > 1 else ''}"
    return f"{draws} at each of {len(counts)} points" if len(counts) > 1 else f"{draws} at one point"
