"""The command of every figure: which records, which file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from figures.shared.target import picture_file
from fragility.catalogue.places import figure
from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_claims_flag
from fragility.engine.backend import UnavailableError
from fragility.engine.context import OWN, Context, using
from fragility.engine.files import DamagedRecordError
from fragility.engine.study import Point, Study, UsageError, integer

Size: TypeAlias = tuple[float, float]  # width and height in inches


def main(
    study: str,
    draw: Callable[..., None],
    numbers: Callable[..., Any],
    size: Size | Callable[[Any], Size],
    point: str | None = "1",
    pages: Callable[[], Sequence[str]] | None = None,
    claims: str = OWN,
) -> NoReturn:
    """Draws the figure of a study from its records, prints where it lies, and exits.

    Parameters
    ----------
    study : room and name, such as "simulate.qr_product"; the figure is called by the name alone, or by both where
        studies of two rooms share the name.
    draw : takes a matplotlib figure and what `numbers` gives.
    numbers : takes a run's folder, its manifest and a point; raises FileNotFoundError where there are no records. If
        what it gives has lines in `lacking`, on what there are no records of, the user is told.
    size : in inches; or what gives it for the numbers.
    point : default of --point; None for a figure that chooses its points itself.
    pages : names the pages of a figure that has several, in place of points, the first of them being the default;
        `numbers` takes the name of one in place of the point.
    claims : the book that is shown where no flag names another.
    """
    module = figure(study)
    parser = Parser(prog=f"python -m {module}", description="Draws from records only.", allow_abbrev=False)
    add_claims_flag(parser)
    parser.set_defaults(claims=claims)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--run", help="run to draw, such as numba-seed0 (default: the newest)")
    if pages:
        parser.add_argument("--page", help="overview (default), or of one paper: the first part of its ids, such as fc")
    else:
        default = "default 1" if point else "default: those that show the most"
        parser.add_argument("--point", default=point, help=f"which of the points of the run's last command ({default})")
    parser.add_argument("--to", type=Path, help="picture to write: .png, .svg or .pdf (default OUT/figures/NAME.png)")
    flags = parser.parse_args()

    def run() -> int:
        with using(Context(flags.claims)):
            page = _page(flags.page, pages()) if pages else None
            figure_name = module.removeprefix("figures.")
            name = f"{figure_name}-{page}" if pages and page != pages()[0] else figure_name
            picture = flags.to or flags.out / "figures" / f"{name}.png"
            target = picture_file(picture, "--to" if flags.to else "--out")
            try:
                held, manifest = _run(flags.out, study, flags.run)
                chosen = numbers(held, manifest, page or _point(manifest, flags.point))
            except FileNotFoundError as error:
                raise UnavailableError(str(error)) from None

            from figures.shared.style import save

            save(lambda sheet: draw(sheet, chosen), size(chosen) if callable(size) else size, target)
            for line in getattr(chosen, "lacking", ()):
                print(f"{module}: {line}", file=sys.stderr)
        print(target, flush=True)
        return 0

    sys.exit(guarded(module, run, keeps=False))


def _page(page: str | None, pages: Sequence[str]) -> str:
    """The page that the flag names, the first by default."""
    if page not in (None, *pages):
        raise UsageError(f"--page must be among {', '.join(pages)}, got {page}")
    return page or pages[0]


def _run(out: Path, study: str, run: str | None) -> tuple[Path, dict[str, Any]]:
    """Folder and manifest of the run that the flags name; of others nothing is read."""
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


def _point(manifest: dict[str, Any], point: str | None) -> Point | None:
    """The point that the flag names, or None."""
    if point is None:
        return None
    points = manifest["points"]
    number = integer(point, 1, "--point")
    if number > len(points):
        raise UsageError(f"--point must be at most {len(points)}, the points of that run, got {number}")
    return points[number - 1]
