"""Lemma 3 beside its simulation: pooled diagonal, last entry, fraction, and second moments right of the diagonal."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from figures.style import CHANCE, DECOY, SIMULATION, THEORY
from simulate.bands import Catoni, Dkw
from simulate.engine.store import world
from simulate.engine.study import Point, label
from simulate.evidence import Evidence, transform
from theory.fraction import fraction_law
from theory.qr_product import diagonal_laws, last_law, off_diagonal_power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from theory.laws import Law

ALPHA = 0.05  # of all bands of the figure together
PANELS = 4
ROWS = 60  # of R, spaced evenly on a logarithmic axis
ROW_ALPHA = ALPHA / PANELS / ROWS
POINTS = 1500  # of a curve: more than print resolves


@dataclass(frozen=True)
class Numbers:
    """What is drawn: evidence by statistic (from the method with the most draws), and whose it is."""

    point: Point
    evidence: Mapping[str, Evidence]
    manifest: Mapping[str, Any]


def numbers(run: Path, manifest: Mapping[str, Any], point: Point) -> Numbers:
    """Records of one point of a run.

    Raises
    ------
    FileNotFoundError : there are none.
    """
    held: dict[str, Evidence] = {}
    for folder in sorted(path for path in run.iterdir() if path.is_dir()):
        tables = world(run, folder.name, point)
        if not tables:
            continue
        evidence = Evidence(tables)
        names = set(tables[0]["statistic"].to_pylist()) if evidence.counted else tables[0].column_names
        for statistic in names:
            if statistic not in held or held[statistic].samples < evidence.samples:
                held[statistic] = evidence
    if not held:
        raise FileNotFoundError(f"no records of {label(point)} in {run}")
    return Numbers(point, held, manifest)


def draw(figure: Figure, drawn: Numbers) -> None:
    """Fills a figure with a panel for every statistic that there are records of."""
    n, rows = drawn.point["n"], drawn.point["rows"]
    panels = []
    if "diagonal" in drawn.evidence:
        panels.append(lambda axes: pooled_diagonal(axes, drawn.evidence["diagonal"], n, rows))
    if "row_power" in drawn.evidence and math.isfinite(_row_band(drawn.evidence["row_power"], 1.0)):
        panels.append(lambda axes: off_diagonal(axes, drawn.evidence["row_power"], n, rows))
    if "last" in drawn.evidence:
        panels.append(lambda axes: law(axes, drawn, "last", last_law, "last diagonal entry $r_{nn}$"))
    if "fraction" in drawn.evidence:
        panels.append(lambda axes: law(axes, drawn, "fraction", fraction_law, r"fraction $r_{nn} / \Vert a_n \Vert$"))
    grid = figure.subplots(math.ceil(len(panels) / 2), min(len(panels), 2), squeeze=False).ravel()
    for letter, axes, panel in zip("abcd", grid, panels, strict=False):
        panel(axes)
        axes.set_title(f"({letter})  {axes.get_title(loc='left')}")
    for axes in grid[len(panels) :]:
        axes.remove()
    factors = f"{len(rows)} Gaussian factor{'s' if len(rows) > 1 else ''}"
    shape = f"{n} × {n}" if set(rows) == {n} else " <- ".join(map(str, (*reversed(rows), n)))
    figure.suptitle(
        f"R of a product of {factors}, {shape}, seed {drawn.manifest['seed']}", fontsize=9, x=0.01, ha="left"
    )


def pooled_diagonal(axes: Axes, evidence: Evidence, n: int, rows: tuple[int, ...]) -> None:
    """Empirical minus exact distribution function of all F_k(r_kk) together, with its simultaneous band."""
    values = evidence.values("diagonal")
    band = Dkw().band(values.size, ALPHA / PANELS)
    axes.axhspan(-band, band, color=CHANCE, lw=0, label=f"95 % band, {values.size:,} entries")
    axes.axhline(0, color=THEORY, lw=0.8, label="Lemma 3")
    level, gap = _deviation(transform(diagonal_laws(n, rows), values))
    axes.plot(level, gap, color=SIMULATION, label=f"{evidence.samples:,} draws of R")
    level, gap = _deviation(transform(diagonal_laws(n, _one_row_more(rows)), values))
    axes.plot(level, gap, color=DECOY, ls="--", label="one degree of freedom off")
    axes.set(xlabel="$u$", ylabel="$F_N(u) - u$", xlim=(0, 1))
    axes.set_title("all diagonal entries, $u = F_k(r_{kk})$", loc="left")
    _headroom(axes)
    axes.legend(loc="upper right")


def law(axes: Axes, drawn: Numbers, statistic: str, theory: Callable[..., Law], name: str) -> None:
    """Empirical and exact distribution function of one statistic on a logarithmic axis."""
    n, rows, evidence = drawn.point["n"], drawn.point["rows"], drawn.evidence[statistic]
    exact, wrong = theory(n, rows), theory(n, _one_row_more(rows))
    values, share = evidence.ecdf(statistic)
    keep = np.unique(np.linspace(0, len(values) - 1, POINTS).astype(int))
    values, share = values[keep], share[keep]
    band = Dkw().band(evidence.samples, ALPHA / PANELS)
    axes.fill_between(
        values,
        np.clip(share - band, 0, 1),
        np.clip(share + band, 0, 1),
        step="post",
        color=CHANCE,
        lw=0,
        label="95 % band",
    )
    axes.step(values, share, where="post", color=SIMULATION, label=f"{evidence.samples:,} draws of R")
    low, high = exact.ppf(np.array([0.002, 0.9995]))
    x = np.geomspace(low, high, 400)
    axes.plot(x, exact.cdf(x), color=THEORY, label="exact law")
    axes.plot(x, wrong.cdf(x), color=DECOY, ls="--", label="one degree of freedom off")
    axes.set(xscale="log", xlim=(x[0], x[-1]), ylim=(0, 1.02), xlabel=name, ylabel="distribution function")
    axes.set_title(name, loc="left")
    axes.legend(loc="upper left")


def off_diagonal(axes: Axes, evidence: Evidence, n: int, rows: tuple[int, ...]) -> None:
    """Mean square right of the diagonal, row by row, over its exact expectation."""
    mean, sd = off_diagonal_power(n, rows)
    power = evidence.values("row_power")
    shown = np.unique(np.geomspace(1, n - 1, ROWS).astype(int))[::-1]  # n - k: entries right of the diagonal
    k = n - shown - 1
    estimate = np.array([Catoni(sd[j]).estimate(power[:, j], ROW_ALPHA) for j in k]) / mean[k]
    band = np.array([_row_band(evidence, sd[j]) for j in k]) / mean[k]
    axes.fill_between(shown, 1 - band, 1 + band, color=CHANCE, lw=0, label="95 % band, all rows together")
    axes.axhline(1, color=THEORY, lw=0.8, label=r"$\prod(n_i-k+1) - \prod(n_i-k)$")
    axes.plot(shown, estimate, ".", color=SIMULATION, ms=3.5, label=f"{evidence.samples:,} draws of R")
    axes.set(xscale="log", xlabel="entries right of the diagonal, $n - k$", ylabel="measured / exact", ylim=(0, None))
    axes.set_title(r"second moment $E\,r_{kj}^2$, $j > k$", loc="left")
    axes.legend(loc="upper right")


def _row_band(evidence: Evidence, sd: float) -> float:
    return Catoni(sd).band(evidence.samples, ROW_ALPHA)


def _one_row_more(rows: tuple[int, ...]) -> tuple[int, ...]:
    return (rows[0] + 1, *rows[1:])


def _deviation(uniform: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordered = np.sort(uniform.ravel())
    keep = np.unique(np.linspace(0, len(ordered) - 1, POINTS).astype(int))
    return ordered[keep], (keep + 1) / len(ordered) - ordered[keep]


def _headroom(axes: Axes) -> None:
    """Room above the curves for the legend."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.45 * (high - low))


if __name__ == "__main__":
    from figures.command import main

    main("qr_product", draw, numbers, size=(7.2, 5.2))
