"""The command of every figure: which records, which file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from simulate.engine.study import UsageError, integer

USAGE, UNAVAILABLE = 2, 3
FORMATS = (".png", ".svg", ".pdf")


def main(study: str, draw: Callable[..., None], numbers: Callable[..., Any], size: tuple[float, float]) -> NoReturn:
    """Draws the figure of a study from its records, prints where it lies, and exits."""
    parser = argparse.ArgumentParser(prog=f"python -m figures.{study}", description="Draws from records only.")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--run", help="run to draw, such as numba-seed0 (default: the newest)")
    parser.add_argument("--point", default="1", help="which of the points of the run's last command (default 1)")
    parser.add_argument("--to", type=Path, help="picture to write: .png, .svg or .pdf (default OUT/figures/NAME.png)")
    flags = parser.parse_args()
    try:
        target = _target(flags.to or flags.out / "figures" / f"{study}.png")
        chosen = numbers(*_records(flags.out, study, flags.run, flags.point))
    except UsageError as error:
        print(f"figures.{study}: {error}", file=sys.stderr)
        sys.exit(USAGE)
    except FileNotFoundError as error:
        print(f"figures.{study}: {error}", file=sys.stderr)
        sys.exit(UNAVAILABLE)

    from figures.style import save

    save(lambda figure: draw(figure, chosen), size, target)
    print(target)
    sys.exit(0)


def _target(path: Path) -> Path:
    if path.suffix not in FORMATS:
        raise UsageError(f"--to must end in {', '.join(FORMATS)}, got {path}")
    return path


def _records(out: Path, study: str, run: str | None, point: str) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """Run folder, manifest and point that the flags name."""
    from simulate.engine.store import runs

    found = runs(out, study)
    chosen = {path: manifest for path, manifest in found.items() if run in (None, path.name)}
    if not chosen:
        held = ", ".join(path.name for path in found) or "none"
        raise FileNotFoundError(
            f"no records of {run or 'any run'} in {out / study} (held: {held}): python -m simulate.{study} draws some"
        )
    path, manifest = list(chosen.items())[-1]
    points = manifest["points"]
    number = integer(point, 1, "--point")
    if number > len(points):
        raise UsageError(f"--point must be at most {len(points)}, the points of that run, got {number}")
    axes = points[number - 1]
    return path, manifest, {axis: tuple(value) if isinstance(value, list) else value for axis, value in axes.items()}
