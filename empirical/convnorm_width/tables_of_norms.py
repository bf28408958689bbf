"""Spectral norms layer by layer, of kernels as they are and of what normalising makes of them (Figure 1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from empirical.convnorm_width.columns import WORDS, Columns, cells, seeds
from fragility.tables import Cell, Column, Table

NORMALISED = ("convnorm", "bn_convnorm")


def networks(name: str, columns: Columns) -> Table:
    """A row for each convolution of each width, and what they multiply up to."""
    found = cells(columns)
    names = list(dict.fromkeys(cell.normalisation for cell in found))
    head = [Column("convolution")]
    for normalisation in names:
        word = WORDS[normalisation]
        head.append(_column(f"{word} ||A||"))
        if normalisation in NORMALISED:
            head += [_column(f"{word} ||Q||"), _column(f"{word} bound"), _column(f"{word} raised")]
    rows: list[list[Cell]] = []
    headings: dict[int, str] = {}
    for width in dict.fromkeys(cell.width for cell in found):
        own = {cell.normalisation: cell for cell in found if cell.width == width}
        headings[len(rows)] = f"k = {width}"
        per_cell = {
            key: {name: cell.of(columns[key]) for name, cell in own.items()}
            for key in ("norm_weights", "norm_layer", "bound", "lipschitz")
        }
        layers = int(np.isfinite(per_cell["norm_weights"][names[0]][0]).sum())
        for layer in range(layers):
            row: list[Cell] = [str(layer + 1)]
            for normalisation in names:
                before = per_cell["norm_weights"][normalisation][:, layer]
                row.append(float(before.mean()))
                if normalisation in NORMALISED:
                    after, bound = (per_cell[key][normalisation][:, layer] for key in ("norm_layer", "bound"))
                    row += [float(after.mean()), float(bound.mean()), _share(after > before)]
            rows.append(row)
        whole: list[Cell] = ["Lipschitz product, median"]
        for normalisation in names:
            whole.append(float(np.median(per_cell["lipschitz"][normalisation])))
            whole += [None] * (3 if normalisation in NORMALISED else 0)
        rows.append(whole)
    return Table(
        head,
        rows,
        f"Spectral norms of the WideResNets' convolutions ({name})",
        [
            f"Means over {seeds(columns)}. ||A||: of the kernel as it is. ||Q||: of the normalised convolution, "
            "without what follows it. bound: Proposition 3.1's, the root of the sum of ||Q_k||^2.",
            "raised: in how many of the seeds normalising raises the norm.",
            "Lipschitz product: a bound on the whole network in evaluation, with all that follows the convolutions.",
        ],
        headings=headings,
    )


def residual(name: str, columns: Columns) -> Table:
    """Figure 1: the 20 convolutions of a ResNet18 before and after normalising."""
    stages: Mapping[str, tuple[np.ndarray, np.ndarray]] = {
        "at the start": (columns["resnet_before"], columns["resnet_after"]),
        "trained": (columns["resnet_before_trained"], columns["resnet_after_trained"]),
    }
    stages = {words: both for words, both in stages.items() if not np.isnan(both[0]).all()}
    head = [Column("convolution", align="right")]
    for words in stages:
        head += [_column(f"{what} {words}") for what in ("||A||", "||Q||", "||Q|| / ||A||", "raised")]
    rows: list[list[Cell]] = []
    for layer in range(columns["resnet_before"].shape[1]):
        row: list[Cell] = [layer + 1]
        for before, after in stages.values():
            one, other = before[:, layer], after[:, layer]
            row += [float(one.mean()), float(other.mean()), float((other / one).mean()), _share(other > one)]
        rows.append(row)
    totals = [
        f"{words}: {int((after > before).sum())} of {before.size} are raised"
        for words, (before, after) in stages.items()
    ]
    return Table(
        head,
        rows,
        f"Figure 1: spectral norms of the convolutions of ResNet18 ({name})",
        [
            f"Means over {seeds(columns)}; ||A|| of the kernel, ||Q|| of the normalised convolution. The paper takes "
            "its figure from the one it cites; its caption: 'ConvNorm reduces the spectral norm'.",
            f"Convolutions of which normalising raises the norm, over all seeds: {'; '.join(totals)}.",
        ],
    )


def _column(name: str) -> Column:
    return Column(name, align="right", form="" if "raised" in name else ".4g")


def _share(flags: np.ndarray) -> str:
    return f"{int(flags.sum())} of {len(flags)}"
