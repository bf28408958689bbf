"""The images of a point, the autoencoders that code them, and the classifiers of images and of codes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from empirical.data import Images, splits
from empirical.data.points import Points
from empirical.latent_defence.setting import Setting
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import nn

    from empirical.models.autoencoders import Autoencoder, VariationalAutoencoder
    from empirical.training.loop import History

HELD_OUT = 5000  # last images of the training set, which no network is trained on; a fifth where there are few
RATE = 1e-3  # of Adam, torch's own: the paper prints none
BATCH, BATCH_OF_CODERS = 1000, 100  # of classifiers as printed (3.3); of autoencoders Kingma and Welling's


def parts(setting: Setting) -> tuple[Images, Images]:
    """(trained on, judged by): the first of the training set; the first test images, or the held-out training images.

    Raises
    ------
    UsageError : there are not so many to train on, or the folder of data sets holds other images than the setting.
    """
    train, test = splits(setting.dataset, setting.data)
    held = min(HELD_OUT, len(train) // 5) if setting.held_out else 0
    if setting.held_out and not held:
        raise UsageError(f"--held-out must find 5 training images of {setting.dataset} at least, got {len(train)}")
    if setting.training > len(train) - held:
        besides = f", whose last {held} training images are held out" if held else ""
        raise UsageError(
            f"--training must be at most {len(train) - held} for {setting.dataset}{besides}, got {setting.training}"
        )
    judged = Images(train.x[-held:], train.labels[-held:], train.classes) if held else test
    return train.first(setting.training), judged.first(min(setting.tested, len(judged)))


def autoencoders(setting: Setting, seed: int, train: Images, device: str) -> tuple[Autoencoder, VariationalAutoencoder]:
    """The autoencoder and the variational one of a seed, from their files where they were trained before."""
    from empirical.models.autoencoders import autoencoder, variational
    from empirical.training.network import Recipe
    from empirical.training.once import trained
    from empirical.training.reconstruction import EvidenceBound, Reconstruction

    recipe = Recipe("Adam", rate=RATE, decay=1.0, batch=BATCH_OF_CODERS)
    size, epochs, data = train.x.shape[1], setting.epochs_autoencoder, setting.dataset
    plain, _ = trained(
        partial(autoencoder, size=size), "ae", seed, epochs, train, None, device, data, recipe, Reconstruction()
    )
    normal, _ = trained(
        partial(variational, size=size), "vae", seed, epochs, train, None, device, data, recipe, EvidenceBound()
    )
    return cast("Autoencoder", plain), cast("VariationalAutoencoder", normal)


def classifier(
    setting: Setting, space: str, kind: str, seed: int, train: Images | Points, device: str
) -> tuple[nn.Sequential, History]:
    """The classifier of that seed, space and kind, as `autoencoders`, and the history of its epochs.

    Classifiers of a kind begin with the same weights in every space of codes.
    """
    from empirical.training.network import Recipe
    from empirical.training.once import trained

    build = partial(_untrained, kind, int(train.x[0].size), setting.width)
    epochs = setting.epochs if space == "image" else setting.epochs_codes
    recipe = Recipe("Adam", rate=RATE, decay=1.0, batch=BATCH)
    name = f"{kind}-of-{space.replace('_', '-')}"
    model, history = trained(build, name, seed, epochs, train, None, device, setting.dataset, recipe)
    return cast("nn.Sequential", model), history


def _untrained(kind: str, inputs: int, width: int, seed: int) -> nn.Sequential:
    from empirical.models.shallow import CLASSIFIERS

    return CLASSIFIERS[kind](seed, inputs, width)
