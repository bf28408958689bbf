"""Seven ways to train one network on the same images from the same weights, and the images that they are given.

The paper names five and says that they use its loss, eq. (4); which terms each has is in an appendix that is not
published, so what stands here is our reading. The seventh is what the paper calls not meaningful.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from empirical.data import Images, splits
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import nn

    from empirical.training.loop import History
    from empirical.training.objective import Objective

TRAININGS = ("standard", "weight", "adversarial", "adversarial_beta_half", "adversarial_beta", "jiwp", "awp")
HELD_OUT = 5000  # last images of the training set, which no network is trained on; a fifth where there are few
RATE = 1e-3  # of Adam
SIDE = 4  # of the images of the tiny network


@dataclass(frozen=True)
class Setting:
    """A point of the study: its axes, which `empirical.joint_robustness.study` explains."""

    dataset: str
    architecture: str
    biases: int
    zeta: str
    alpha_tau: float
    beta: float
    beta_attacked: float
    radius_x: float
    radius_w: float
    epochs: int
    training: int
    images: int
    held_out: int
    weights: str
    attack_steps: int
    restarts: int
    grid_x: int
    grid_w: int
    data: str


def objectives(setting: Setting) -> Mapping[str, Objective]:
    """What each training descends, by its name in `TRAININGS`.

    standard, the cross-entropy; weight, with beta zeta added; adversarial, the cross-entropy at attacked inputs, with
    half of their own beta times zeta and with all of it added; jiwp, at clean inputs with alpha tau and beta zeta; awp,
    at attacked inputs under weights that are moved, too.
    """
    from empirical.training.adversarial import Adversarial, InputAttack
    from empirical.training.margin_loss import MarginLoss
    from empirical.training.objective import CROSS_ENTROPY
    from empirical.training.weight_perturbation import AdversarialWeights

    attack, beta, attacked = InputAttack(setting.radius_x), setting.beta, setting.beta_attacked
    loss = partial(MarginLoss, setting.radius_x, setting.radius_w, printed=setting.zeta == "printed")
    made: tuple[Objective, ...] = (
        CROSS_ENTROPY,
        loss(0.0, beta),
        Adversarial(attack),
        loss(0.0, attacked / 2, attack=attack),
        loss(0.0, attacked, attack=attack),
        loss(setting.alpha_tau, beta),
        AdversarialWeights(setting.radius_w, attack),
    )
    return dict(zip(TRAININGS, made, strict=True))


def parts(setting: Setting) -> tuple[Images, Images, Images]:
    """(trained on, held out, test): the first of the training set, its last ones, and the test set.

    Raises
    ------
    UsageError : there are not so many to train on, or the folder of data sets holds other images than the setting.
    """
    held = check_counts(setting)
    train, test = splits(setting.dataset, setting.data)
    found = train.first(setting.training), _last(train, held), test
    return (pooled(found[0]), pooled(found[1]), pooled(found[2])) if setting.architecture == "tiny" else found


def check_counts(setting: Setting) -> int:
    """How many training images are held out: the last ones.

    Raises
    ------
    UsageError : as `parts`.
    """
    train, _ = splits(setting.dataset, setting.data)
    held = min(HELD_OUT, len(train) // 5)
    if not held:
        raise UsageError(f"--data-dir must hold 5 training images of {setting.dataset} at least, got {len(train)}")
    if setting.training > len(train) - held:
        raise UsageError(
            f"--training must be at most {len(train) - held} for {setting.dataset}, whose last {held} training images "
            f"are held out, got {setting.training}"
        )
    return held


def pooled(given: Images) -> Images:
    """Images of 4 x 4 pixels, means of equal windows, rounded to bytes; the sides must be multiples of 4."""
    count, height, width = given.x.shape
    windows = given.x.reshape(count, SIDE, height // SIDE, SIDE, width // SIDE).mean((2, 4))
    return Images(np.rint(windows).astype(np.uint8), given.labels, given.classes)


def network(
    setting: Setting, training: str, seed: int, train: Images, test: Images, device: str
) -> tuple[nn.Module, History]:
    """The network of that seed and training, from its file where it was trained before, and the history of its epochs.

    Trainings of a seed begin with the same weights and meet the same images in the same order.

    Raises
    ------
    UsageError : the training diverges.
    """
    from empirical.models.small import NETWORKS
    from empirical.training.network import Recipe
    from empirical.training.once import trained

    build = partial(NETWORKS[setting.architecture], size=train.x.shape[1], biases=bool(setting.biases))
    name = f"{setting.architecture}{'-biases' if setting.biases else ''}-{training}"
    recipe = Recipe("Adam", rate=RATE, decay=1.0, batch=128)
    objective = objectives(setting)[training]
    model, history = trained(build, name, seed, setting.epochs, train, test, device, setting.dataset, recipe, objective)
    if not all(bool(weight.isfinite().all()) for weight in model.parameters()):
        raise UsageError(
            f"the training {training} must end in finite weights, got NaN or infinite ones: choose smaller "
            "--alpha-tau, --beta, --beta-attacked or radii"
        )
    return model, history


def _last(given: Images, count: int) -> Images:
    return Images(given.x[-count:], given.labels[-count:], given.classes)
