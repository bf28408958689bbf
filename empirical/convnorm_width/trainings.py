"""The networks of Table 1: WideResNets by width and normalisation, one adversarial training for all of them.

The paper names free adversarial training, AdamW with rate 1e-3 and 40 epochs; batches are those of the code that it
cites, 128 images shifted and flipped. What it leaves open is a part of the setting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from empirical.convnorm_width.attacks import RADIUS, pgd
from empirical.data import Images, splits

if TYPE_CHECKING:
    from torch import nn

    from empirical.convnorm_width.course import Course
    from empirical.models.convnorm import Options
    from empirical.models.load import Normalised
    from empirical.training.network import Recipe
    from empirical.training.objective import Objective, Passes

NORMALISATIONS = ("vanilla", "bn", "convnorm", "bn_convnorm")
SIDE = 32  # of the images that the networks take, in pixels
RATE = 1e-3  # of AdamW, without a schedule
HELD_OUT = 10  # one training image in so many is held out: the last ones


@dataclass(frozen=True)
class Setting:
    """A point of the study: its axes, which `empirical.convnorm_width.study` explains."""

    dataset: str
    widths: str
    normalisations: str
    adversary: str
    epochs: int
    batch: int
    replays: int
    divided: int
    noise: str
    inner_bn: int
    detached: int
    running: int
    leak: int
    evaluated: str
    kept: str
    training: int
    watched: int
    images: int
    curve_images: int
    auto_images: int
    precision: str
    resnet: int
    data: str

    @property
    def cells(self) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The widening factors and the normalisations, each of which is trained with each."""
        return tuple(int(width) for width in self.widths.split("+")), tuple(self.normalisations.split("+"))

    @property
    def passes(self) -> int:
        """Steps of the weights on each batch."""
        return self.replays if self.adversary == "free" else 1

    @property
    def options(self) -> Options:
        """What the paper does not say of its layer."""
        from empirical.models.convnorm import Options

        return Options(batch_norm=bool(self.inner_bn), detached=bool(self.detached), running=bool(self.running))

    def length(self, epochs: int) -> int:
        """Epochs of a training that is to have so many: divided by the replays, rounded up, where they are."""
        return -(-epochs // self.passes) if self.divided else epochs


@dataclass(frozen=True)
class Parts:
    """The images of a setting.

    Parameters
    ----------
    train : trained on.
    watched : held out, or trained on by a leak; looked at after each epoch.
    judged : those that accuracies are of.
    """

    train: Images
    watched: Images
    judged: Images


def parts(setting: Setting) -> Parts:
    """The first images of the training set, the first of its last tenth, which is held out, and those to judge by.

    A leak adds to the first all that is taken of the held-out ones.

    Raises
    ------
    UsageError : the folder of data sets holds other images than the setting.
    """
    train, test = (coloured(images) for images in splits(setting.dataset, setting.data))
    held = len(train) // HELD_OUT
    held_out = Images(train.x[-held:], train.labels[-held:], train.classes)
    judged = held_out if setting.evaluated == "held_out" else test
    given = train.first(setting.training)
    if setting.leak:
        seen = held_out.first(min(max(setting.watched, setting.images), held))
        given = Images(np.concatenate([given.x, seen.x]), np.concatenate([given.labels, seen.labels]), given.classes)
    return Parts(
        given,
        held_out.first(min(setting.watched, held)),
        judged.first(min(setting.images, len(judged))),
    )


def coloured(images: Images) -> Images:
    """Grey images of 8 x 8 pixels as red, green and blue ones of 32 x 32, each pixel a square; others as they are."""
    if images.x.ndim == 4:
        return images
    larger = images.x.repeat(SIDE // images.x.shape[1], axis=1).repeat(SIDE // images.x.shape[2], axis=2)
    return Images(larger[..., None].repeat(3, axis=3), images.labels, images.classes)


def objective(setting: Setting) -> Objective | Passes:
    """What the weights descend: free adversarial training, or the loss at what PGD finds.

    PGD looks for it in training mode, in which the weights are then stepped: its passes count for the running averages
    of BatchNorm and of the normaliser.
    """
    from empirical.training.adversarial import Adversarial
    from empirical.training.free import NOISES, Free

    if setting.adversary == "pgd":
        return Adversarial(pgd())
    (noise,) = (noise for noise in NOISES if noise == setting.noise)
    return Free(RADIUS, RADIUS, setting.replays, noise)


def recipe(setting: Setting) -> Recipe:
    """AdamW without a schedule, on batches of shifted and flipped images."""
    from empirical.training.augmentation import Shifted
    from empirical.training.network import Recipe

    return Recipe("AdamW", RATE, 1.0, setting.batch, augmentation=Shifted())


def wide_network(
    setting: Setting, width: int, normalisation: str, seed: int, given: Parts, device: str
) -> tuple[Normalised, Course]:
    """The WideResNet of a cell and seed, the last or the best on its way, and what was seen of it after each epoch.

    Networks of a seed meet the same images, shifted and flipped alike, in the same order.
    """
    from empirical.models.wide_resnet import wide_resnet

    build = partial(wide_resnet, widen=width, normalisation=normalisation, options=setting.options)
    name = f"wrn16-{width}-{normalisation}"
    return _network(setting, build, name, seed, setting.length(setting.epochs), given, device)


def residual_network(setting: Setting, seed: int, given: Parts, device: str) -> Normalised:
    """The ResNet18 with ConvNorm after the setting's epochs of the same training."""
    from empirical.models.resnet18 import resnet18

    build = partial(resnet18, normalisation="convnorm", options=setting.options)
    return _network(setting, build, "resnet18-convnorm", seed, setting.length(setting.resnet), given, device)[0]


def _network(
    setting: Setting, build: Callable[[int], Normalised], name: str, seed: int, epochs: int, given: Parts, device: str
) -> tuple[Normalised, Course]:
    import torch

    from empirical.convnorm_width.course import Course
    from empirical.models.load import Normalised
    from empirical.training.once import trained
    from empirical.training.precision import BFloat16

    steps = setting.passes * -(-len(given.train) // setting.batch)
    labels = torch.tensor(given.watched.labels, device=device)
    course = Course(given.watched.tensor(device), labels, steps, seed)
    network, _ = trained(
        partial(_rounded, build=build) if setting.precision == "bfloat16" else build,
        f"{name}-{setting.adversary}-{setting.precision}",
        seed,
        epochs,
        given.train,
        given.watched,
        device,
        setting.dataset,
        recipe(setting),
        objective(setting),
        course,
    )
    if setting.kept == "best":
        network.load_state_dict(course.best)
    itself = network.network if isinstance(network, BFloat16) else network
    assert isinstance(itself, Normalised), "it is what was built"
    return itself, course


def _rounded(seed: int, build: Callable[[int], Normalised]) -> nn.Module:
    from empirical.training.precision import BFloat16

    return BFloat16(build(seed))
