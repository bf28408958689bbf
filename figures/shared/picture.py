"""A figure as one value: the records behind it, how it is drawn, what stands below it, what of the papers it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, TypeAlias

from figures.shared.runs import newest
from fragility.catalogue.places import figure
from fragility.engine.study import Point, UsageError, integer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Size: TypeAlias = tuple[float, float]  # width and height in inches


@dataclass(frozen=True)
class Picture:
    """What `python -m figures.NAME` draws, and where it stands on the page of everything.

    Parameters
    ----------
    study : room and name of what records its numbers, such as "simulate.qr_product"; the figure is called by the name
        alone, or by both where studies of two rooms share the name.
    numbers : takes a run's folder, its manifest and a point, and gives all that is drawn, a dataclass of plain values
        and arrays; raises FileNotFoundError where there are no records. If it has lines in `lacking`, on what there are
        no records of, the user is told.
    draw : takes a matplotlib figure and what `numbers` gives.
    size : in inches; or what gives it for the numbers.
    title : of the numbers: what is shown, a line or two, drawn above the panels.
    caption : of the numbers: sentences for a reader who has nothing but the picture, with n, units, intervals, marks.
    shows : figures of a paper that it stands for, each as the paper's name and number: "ConvNorm, Figure 1".
    point : default of --point; None for a figure that chooses its points itself.
    private : fields of the numbers, None where they are missing, that stay with the records: a page leaves them out.
    pages : names the pages of a figure that has several, in place of points, the first of them being the default;
        `numbers` takes the name of one in place of the point.
    """

    study: str
    numbers: Callable[..., Any]
    draw: Callable[..., None]
    size: Size | Callable[[Any], Size]
    title: Callable[[Any], str]
    caption: Callable[[Any], str]
    shows: tuple[str, ...] = ()
    point: str | None = "1"
    private: tuple[str, ...] = ()
    pages: Callable[[], Sequence[str]] | None = None

    @property
    def module(self) -> str:
        """Where it stands, such as "figures.qr_product"."""
        return figure(self.study)

    @property
    def name(self) -> str:
        """How it is called within the room."""
        return self.module.removeprefix("figures.")

    def read(self, out: Path | str = "results", run: str | None = None, choice: int | str | None = None) -> Any:
        """All that is drawn, of records under `out`; what has `tidy` is a table for `fragility.frame`.

        Parameters
        ----------
        run : such as "numba-seed0"; by default the newest.
        choice : which of the points of the run's last command, from 1, or which page; by default as the command has it.

        Raises
        ------
        FileNotFoundError : there are no records of it.
        UsageError : there are fewer points, or is no such page.
        """
        page = self.page(choice) if self.pages else None
        held, manifest = newest(Path(out), self.study, run)
        chosen = self.point if choice is None else choice
        return self.numbers(held, manifest, page or _point(manifest, chosen))

    def page(self, name: int | str | None) -> str:
        """The page of that name, the first by default, of a figure that has some.

        Raises
        ------
        UsageError : there is none of that name.
        """
        assert self.pages is not None
        pages = self.pages()
        if name not in (None, *pages):
            raise UsageError(f"--page must be among {', '.join(pages)}, got {name}")
        return str(name or pages[0])

    def inches(self, drawn: Any) -> Size:
        """Width and height for these numbers."""
        return self.size(drawn) if callable(self.size) else self.size

    def draw_titled(self, sheet: Figure, drawn: Any) -> None:
        """Draws the numbers with the title above them, for a picture that stands by itself."""
        self.draw(sheet, drawn)
        sheet.suptitle(self.title(drawn), fontsize=8.5, x=0.01, ha="left")


def _point(manifest: Mapping[str, Any], point: int | str | None) -> Point | None:
    """The point of that number, or None."""
    if point is None:
        return None
    points = manifest["points"]
    number = integer(str(point), 1, "--point")
    if number > len(points):
        raise UsageError(f"--point must be at most {len(points)}, the points of that run, got {number}")
    return points[number - 1]


def pictures() -> dict[str, Picture]:
    """All pictures of the room by name, in alphabetical order: the modules at its top that have one."""
    import figures

    found = {}
    for entry in iter_modules(figures.__path__):
        if entry.ispkg or entry.name.startswith("_"):
            continue
        picture = getattr(import_module(f"figures.{entry.name}"), "PICTURE", None)
        if isinstance(picture, Picture):
            found[entry.name] = picture
    return found
