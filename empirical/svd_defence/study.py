"""Classifiers of images whose bottom singular values are shrunk, as a defence against adversarial examples.

1L, 2L and LRL ("Making neural nets robust again", 2.3) are trained on images. The bottom x % of the singular values of
all their weight matrices are zeroed or scaled down, for x = 0, 5, ..., 100, and the changed networks are shown clean
images and adversarial examples (Figure 7). One draw is one seed with all three classifiers.

The paper shows the changed network the examples of the original one. On these the original is wrong by construction, so
that any change of its weights can only help. Random singular directions and noise of the same norm are changed beside
the bottom ones, therefore, and each changed network is attacked anew: as the paper attacks the original, and by the
smallest perturbation that turns its decision, which does not depend on the scale of the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from empirical.shared import seeds
from empirical.shared.axes import between, whole
from empirical.svd_defence.measure import STATISTICS, measure
from empirical.svd_defence.trainings import Setting, parts
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among
from theory.things.shrinking import ROUNDINGS

DATASETS = ("mnist", "fashion-mnist", "digits")


def points(dataset: Sequence[str], **axes: Sequence[Any]) -> list[Point]:
    """As `seeds.points`, of networks that can be trained here; see `seeds.fitting`."""
    return seeds.fitting(seeds.points(dataset, **axes), lambda point: parts(Setting(**point)))


def _confidences(text: str) -> list[float]:
    found = between("--confidence")(text)
    if max(found) >= 1:
        raise UsageError(f"--confidence must be below 1, got {max(found):g}")
    return found


STUDY = Study(
    name="empirical.svd_defence",
    says="adversarial accuracy as bottom singular values are shrunk (Making neural nets robust again, Figure 7)",
    grid={
        "dataset": Axis(among(DATASETS, "--dataset"), ["mnist"], f"{', '.join(DATASETS)}; a list sweeps"),
        "width": Axis(whole(1, "--width"), [100], "hidden units of 2L and LRL"),
        "penalty": Axis(between("--penalty"), [0.01], "of the attack, per unit of ||x_adv - x||: the paper's lambda"),
        "confidence": Axis(
            _confidences,
            [0.95],
            "probability of the goal at which the attack ends, below 1; the paper's .95",
        ),
        "pairs": Axis(
            whole(1, "--pairs", 10_000), [2], "examples of each ordered pair of classes; 2 make the paper's 180"
        ),
        "training": Axis(whole(1, "--training"), [20_000], "training images"),
        "epochs": Axis(whole(1, "--epochs"), [50], "of training"),
        "rounding": Axis(
            among(tuple(ROUNDINGS), "--rounding"),
            ["floor"],
            f"of x per cent of the singular values of a layer to a whole number: {', '.join(ROUNDINGS)}",
        ),
        "images": Axis(whole(1, "--images"), [500], "test images whose decisions are certified, at most"),
        "attacked": Axis(
            whole(1, "--attacked"), [50], "test images whose smallest perturbation is looked for, at most"
        ),
    },
    points=points,
    methods={
        "trained": Method(
            "three classifiers trained from each seed",
            seeds.draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda **_: 1,
            block=1,
        )
    },
)
