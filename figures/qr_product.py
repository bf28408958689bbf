"""Lemma 3 beside its simulation: pooled diagonal, last entry, fraction, and second moments right of the diagonal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.panels import deviation, law
from figures.panels.shared import tick_plainly
from figures.shared.picture import Picture
from figures.shared.records import NOT_BLIND, Held, held
from figures.shared.style import CHANCE, SIMULATION, THEORY
from figures.shared.words import MOST_ENTRIES, written
from fragility import book
from fragility.claim import Claim
from fragility.engine.study import Point, label
from fragility.judging.bands import Catoni
from fragility.judging.stated import covers
from theory.products.qr_product import off_diagonal_power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STUDY = "simulate.qr_product"
ALPHA = 0.05  # of all bands of the figure together
PANELS = 4
ROWS = 60  # of R, spaced evenly on a logarithmic axis
ROW_ALPHA = ALPHA / PANELS / ROWS
DIAGONAL = ("fc.lemma3.diagonal", "fc.lemma3.heights.corrected")  # the latter where R is trapezoidal
LAWS = {
    "fc.lemma3.last": "last diagonal entry $r_{nn}$",
    "fc.fraction": r"fraction $r_{nn} / \Vert a_n \Vert$",
}


@dataclass(frozen=True)
class OffDiagonalNumbers:
    """Of some rows k of R: entries right of the diagonal, estimate and band of their mean square over the exact one."""

    entries: np.ndarray
    estimate: np.ndarray
    band: np.ndarray
    draws: str


@dataclass(frozen=True)
class Numbers:
    """What is drawn, for whatever there are records of."""

    point: Point
    seed: int
    diagonal: deviation.DeviationNumbers | None
    off_diagonal: OffDiagonalNumbers | None
    laws: Mapping[str, law.LawNumbers]


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """Records of one point of a run.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    found = held(run, STUDY, point)
    claims = {
        claim.id: claim for claim in book.read().about(STUDY) if claim.statistic in found and covers(claim, point)
    }
    diagonal = next((claims[name] for name in DIAGONAL if name in claims), None)
    drawn = Numbers(
        point=point,
        seed=manifest["seed"],
        diagonal=None if diagonal is None else _panel(deviation.numbers, diagonal, point, found),
        off_diagonal=off_diagonal_numbers(found["row_power"], **point) if "row_power" in found else None,
        laws={title: _panel(law.numbers, claims[name], point, found) for name, title in LAWS.items() if name in claims},
    )
    if not (drawn.diagonal or drawn.off_diagonal or drawn.laws):
        raise FileNotFoundError(f"no records of {label(point)} in {run}")
    return drawn


def off_diagonal_numbers(found: Held, n: int, rows: tuple[int, ...]) -> OffDiagonalNumbers | None:
    """None where the draws are too few for any band."""
    mean, sd = off_diagonal_power(n, rows)
    power, samples = found.evidence.values("row_power"), found.evidence.samples
    if math.isinf(Catoni(1.0).band(samples, ROW_ALPHA)):
        return None
    entries = np.unique(np.geomspace(1, n - 1, ROWS).astype(int))[::-1]
    k = n - entries - 1
    estimate = np.array([Catoni(sd[j]).estimate(power[:, j], ROW_ALPHA) for j in k])
    band = np.array([Catoni(sd[j]).band(samples, ROW_ALPHA) for j in k])
    return OffDiagonalNumbers(entries, estimate / mean[k], band / mean[k], found.draws)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Fills a figure with a panel for everything that there are records of."""
    panels: list[Callable[[Axes], None]] = []
    if drawn.diagonal:
        panels.append(partial(pooled_diagonal, drawn=drawn.diagonal))
    if drawn.off_diagonal:
        panels.append(partial(off_diagonal, drawn=drawn.off_diagonal))
    panels += [partial(one_law, title=title, drawn=of_law) for title, of_law in drawn.laws.items()]
    grid = figure.subplots(math.ceil(len(panels) / 2), min(len(panels), 2), squeeze=False).ravel()
    for letter, axes, panel in zip("abcd", grid, panels, strict=False):
        panel(axes)
        axes.set_title(f"({letter})  {axes.get_title(loc='left')}")
    for axes in grid[len(panels) :]:
        axes.remove()


def title(drawn: Numbers) -> str:
    """The factors, and whose draws they are."""
    n, rows = drawn.point["n"], drawn.point["rows"]
    factors = f"{len(rows)} Gaussian factor{'s' if len(rows) > 1 else ''}"
    several = len(rows) > MOST_ENTRIES
    shape = f"{n} columns, rows {written(rows)}" if several else " <- ".join(map(str, (*reversed(rows), n)))
    shape = f"{n} × {n}" if set(rows) == {n} else shape
    return f"R of a product of {factors}, {shape}, seed {drawn.seed}"


def caption(drawn: Numbers) -> str:
    """What the panels have in common; their legends count the draws."""
    direct = NOT_BLIND in "".join(of_law.draws for of_law in drawn.laws.values())
    own = f" {NOT_BLIND}: drawn by the lemma's own sampler." if direct else ""
    return (
        "R of the QR decomposition of a product of Gaussian matrices, in simulation (blue) and by Lemma 3 (black). "
        "Grey: the simultaneous 95 % band of each panel's quarter of the error rate. Vermilion, dashed: a wrong law "
        f"close to the right one, which the same draws reject.{own}"
    )


def pooled_diagonal(axes: Axes, drawn: deviation.DeviationNumbers) -> None:
    """Empirical minus exact distribution function of all F_k(r_kk) together, with its simultaneous band."""
    deviation.draw(axes, drawn)
    axes.set_title("all diagonal entries, $u = F_k(r_{kk})$", loc="left")
    axes.legend(loc="upper right")


def one_law(axes: Axes, title: str, drawn: law.LawNumbers) -> None:
    """Empirical and exact distribution function of one number."""
    law.draw(axes, drawn)
    axes.set_xlabel(title)
    axes.set_title(title, loc="left")
    axes.legend(loc="upper left" if drawn.logarithmic else "best")


def off_diagonal(axes: Axes, drawn: OffDiagonalNumbers) -> None:
    """Mean square right of the diagonal, row by row, over its exact expectation."""
    ends = 1 - drawn.band, 1 + drawn.band
    axes.fill_between(drawn.entries, *ends, color=CHANCE, lw=0, label="95 % band, all rows together")
    axes.axhline(1, color=THEORY, lw=0.8, label=r"$\prod(n_i-k+1) - \prod(n_i-k)$")
    axes.plot(drawn.entries, drawn.estimate, ".", color=SIMULATION, ms=3.5, label=drawn.draws)
    axes.set(xscale="log", xlabel="entries right of the diagonal, $n - k$", ylabel="measured / exact", ylim=(0, None))
    axes.set_title(r"second moment $E\,r_{kj}^2$, $j > k$", loc="left")
    tick_plainly(axes.xaxis)
    axes.legend(loc="lower right")


def _panel(of: Callable[..., Any], claim: Claim, point: Point, found: Mapping[str, Held]) -> Any:
    return of(claim, point, found[claim.statistic], ALPHA / PANELS)


PICTURE = Picture(STUDY, numbers, draw, (7.2, 5.2), title, caption)

if __name__ == "__main__":
    from figures.shared.command import main

    main(PICTURE)
