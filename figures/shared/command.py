"""The command of every figure: which records, which file."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from figures.shared.picture import Picture
from figures.shared.target import picture_file
from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_claims_flag
from fragility.engine.backend import UnavailableError
from fragility.engine.context import OWN, Context, using


def main(picture: Picture, claims: str = OWN) -> NoReturn:
    """Draws a picture from its study's records, prints where it lies, and exits.

    Parameters
    ----------
    claims : the book that is shown where no flag names another.
    """
    module, pages = picture.module, picture.pages
    parser = Parser(prog=f"python -m {module}", description="Draws from records only.", allow_abbrev=False)
    add_claims_flag(parser)
    parser.set_defaults(claims=claims)
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder of the records (default results)")
    parser.add_argument("--run", help="run to draw, such as numba-seed0 (default: the newest)")
    if pages:
        parser.add_argument("--page", help="overview (default), or of one paper: the first part of its ids, such as fc")
    else:
        default = "default 1" if picture.point else "default: those that show the most"
        parser.add_argument(
            "--point", default=picture.point, help=f"which of the points of the run's last command ({default})"
        )
    parser.add_argument("--to", type=Path, help="picture to write: .png, .svg or .pdf (default OUT/figures/NAME.png)")
    flags = parser.parse_args()

    def run() -> int:
        with using(Context(flags.claims)):
            choice = picture.page(flags.page) if pages else flags.point
            name = f"{picture.name}-{choice}" if pages and choice != pages()[0] else picture.name
            path = flags.to or flags.out / "figures" / f"{name}.png"
            target = picture_file(path, "--to" if flags.to else "--out")
            try:
                chosen = picture.read(flags.out, flags.run, choice)
            except FileNotFoundError as error:
                raise UnavailableError(str(error)) from None

            from figures.shared.style import save

            save(partial(picture.draw_titled, drawn=chosen), picture.inches(chosen), target)
            for line in getattr(chosen, "lacking", ()):
                print(f"{module}: {line}", file=sys.stderr)
        print(target, flush=True)
        return 0

    sys.exit(guarded(module, run, keeps=False))
