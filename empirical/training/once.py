"""A network on images that is trained once and then kept as a file, whoever asks for it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch
from torch import Tensor, nn

from empirical.data.images import Images
from empirical.data.points import Points
from empirical.training.loop import History
from empirical.training.network import STOCK, Recipe, Watch, train
from empirical.training.objective import CROSS_ENTROPY, Objective, Passes
from fragility.engine.context import current
from fragility.engine.fingerprint import fingerprint


def trained(
    build: Callable[[int], nn.Module],
    name: str,
    seed: int,
    epochs: int,
    images: Images | Points,
    test: Images | Points | None = None,
    device: str = "cpu",
    data: str = "images",
    recipe: Recipe = STOCK,
    objective: Objective | Passes = CROSS_ENTROPY,
    watch: Watch | None = None,
) -> tuple[nn.Module, History]:
    """(network, history) after `epochs` epochs: from the context's folder of checkpoints if it is there, else trained.

    The network is on `device`, in evaluation mode, without gradients of weights. The history has "loss" and "accuracy"
    of each epoch as its minibatches met them, dropout and all, and "test_accuracy" after it if there is a test. Threads
    and processes that ask for the same network wait for the first, which trains it. Weights are bit for bit those of
    any other run on the same kind of device with the same number of threads. The file's name has a digest of all that
    makes the network, its images and the code of its training included: whatever differs is another file.

    Parameters
    ----------
    build : the network of a seed, untrained; it maps images (B, channels, height, width) in [0, 1], or points (B, ...),
        to what the objective takes, logits of the cross-entropy.
    name : of the network, as files and lines on stderr call it; another network has another.
    seed : of initial weights, order of images and dropout masks, at least 0.
    epochs : at least 1.
    images, test : what is trained on; that on which the accuracy is reported after each epoch, None for no report.
    device : "cpu" or "cuda".
    data : name of the images, as files and lines on stderr call them.
    watch : looks at the network while it is trained; of one that is taken from its file it takes up what was seen.

    Raises
    ------
    DamagedRecordError : the checkpoint is damaged.
    StorageError : the folder of checkpoints cannot be written.
    """
    x, y = tensors(images)
    network = build(seed)
    code = fingerprint(train, build, objective, watch and type(watch))
    identity = (
        f"{name}, seed {seed}, {epochs} epochs, {device}; {recipe}; {objective}; "
        f"{len(x)} images {images.digest}, tested on {test and test.digest}; code {code}"
    )
    file = f"{data}-{name}-seed{seed}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.pt"
    history = train(
        network,
        x,
        y,
        epochs,
        seed,
        recipe,
        device,
        None if test is None else tensors(test),
        name=f"{name} on {data}, seed {seed}",
        checkpoint=current().checkpoints / file,
        identity=identity,
        objective=objective,
        watch=watch,
    )
    return network, history


def tensors(images: Images | Points) -> tuple[Tensor, Tensor]:
    """Images as (N, channels, height, width) uint8, points as they are, and their labels as (N,) int64."""
    x = torch.tensor(images.x)
    if isinstance(images, Points):
        return x, torch.tensor(images.labels)
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous(), torch.tensor(images.labels)
