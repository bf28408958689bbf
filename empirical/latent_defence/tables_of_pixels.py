"""All classifiers in one unit, that of pixels, by each way of attack; and what is left of their gains over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from empirical.latent_defence.setting import CODES, GRADIENTS, KINDS
from empirical.latent_defence.tables_of_classifiers import NAMES, WORDS, Columns, averaged, grid, over_seeds, seeds
from fragility.engine.study import Point
from fragility.judging.estimates import CONFIDENCE
from fragility.tables import Cell, Column, Table

TRANSFER = GRADIENTS.index("transfer")


def in_pixels(name: str, point: Point, columns: Columns) -> Table:
    """The smallest perturbations of the same images, by way of attack, the best of all first."""
    ways = {way: columns["pixels_by"][..., k] for k, way in enumerate(GRADIENTS)}
    titles = {
        "pixels": "all ways",
        **{way: way for way in GRADIENTS},
        "failed": "failed",
        "pixels_lower": "certified",
        "pixels_clean": "accuracy",
        "auto": f"AutoAttack {point['auto_radius']:g}",
    }
    return grid(
        dict(columns) | ways,
        titles,
        f"The same in input pixels: median ||delta|| through the whole pipeline ({name})",
        [
            f"Means over {seeds(columns)} of medians over at most {point['images']} test images; a misclassified one "
            "counts 0. All ways: per image the smallest of all; one way alone misses what others find.",
            "transfer: along the smallest perturbation for the image classifier of the same kind. exact: by the "
            "encoder's derivative. implicit: by that of the point which projections look for. steps: through all steps "
            "of the projection. expected: over samples of the code.",
            "failed: share of images for which no way found any; their length is infinite. certified: median lower "
            "bound, 0 where there is none. AutoAttack: accuracy that it leaves within this radius; not of projections.",
        ],
    )


def gains(name: str, columns: Columns) -> Table:
    """Ratios to the image classifier of the same kind: in units of its own, by transfer, and by all attacks."""
    rows: list[Sequence[Cell]] = []
    headings = {}
    kinds: Mapping[str, np.ndarray] = {
        "own": columns["robustness"],
        "transfer": columns["pixels_by"][..., TRANSFER],
        "all": columns["pixels"],
    }
    for i, space in enumerate(CODES, 1):
        headings[len(rows)] = WORDS[space]
        for j, kind in enumerate(KINDS):
            image = {key: values[:, 0, j] for key, values in kinds.items()} | {"transfer": columns["pixels"][:, 0, j]}
            ratio = {key: _ratio(values[:, i, j], image[key]) for key, values in kinds.items()}
            best = over_seeds(ratio["all"])
            value = None if np.isnan(best.value) else best.value
            rows.append([NAMES[kind], averaged(ratio["own"]), averaged(ratio["transfer"]), value, best.interval])
    heads = "||delta|| / ||x||, Figure 5", "pixels, by transfer", "pixels, all ways"
    return Table(
        [
            Column("classifier"),
            *(Column(head, align="right", form=".2f") for head in heads),
            Column(f"{100 * CONFIDENCE:g} % interval", key="interval", align="right", form=".2f"),
        ],
        rows,
        f"Gain over the image classifier of the same kind ({name})",
        [
            f"Ratios, means over {seeds(columns)}. Where the first is above 1 and the last is not, the gain is one of "
            "units; where the second is and the last is not, one over attacks that do not know of the defence."
        ],
        CONFIDENCE,
        headings,
    )


def _ratio(values: np.ndarray, image: np.ndarray) -> np.ndarray:
    """values / image; NaN where an image classifier has no length to compare with."""
    usable = np.isfinite(image) & (image > 0)
    return np.divide(values, image, out=np.full(len(values), np.nan), where=usable)
