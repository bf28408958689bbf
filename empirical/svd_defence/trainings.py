"""The images of a point, and the classifiers that are trained on them (latent and SVD defences, 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from empirical.data import Images, splits
from empirical.svd_defence.treatments import Rounding
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import nn

CLASSIFIERS = ("1l", "2l", "lrl")
RATE, BATCH = 1e-3, 1000  # of Adam: the paper prints the batch, the rate is torch's own


@dataclass(frozen=True)
class Setting:
    """A point of the study: its axes, which `empirical.svd_defence.study` explains."""

    dataset: str
    width: int
    penalty: float
    confidence: float
    pairs: int
    training: int
    epochs: int
    rounding: Rounding
    images: int
    attacked: int
    data: str


def parts(setting: Setting) -> tuple[Images, Images]:
    """(trained on, test): the first images of the training set, and the test set.

    Raises
    ------
    UsageError : there are not so many to train on, or the folder of data sets holds other images than the setting.
    """
    train, test = splits(setting.dataset, setting.data)
    if setting.training > len(train):
        raise UsageError(
            f"--training must be at most {len(train)}, as many images as {setting.dataset} has, got {setting.training}"
        )
    return train.first(setting.training), test


def classifier(setting: Setting, name: str, seed: int, train: Images, device: str) -> nn.Sequential:
    """The classifier of that seed and name, from its file where it was trained before."""
    from empirical.models import shallow
    from empirical.training.network import Recipe
    from empirical.training.once import trained

    build = partial(shallow.CLASSIFIERS[name], inputs=train.x[0].size, width=setting.width)
    recipe = Recipe("Adam", rate=RATE, decay=1.0, batch=BATCH)
    model, _ = trained(build, name, seed, setting.epochs, train, None, device, setting.dataset, recipe)
    return cast("nn.Sequential", model)
