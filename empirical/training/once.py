"""A network on images that is trained once and then kept as a file, whoever asks for it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from empirical.data.images import Images
from empirical.training.loop import History
from empirical.training.network import STOCK, Recipe, train
from fragility.engine.context import current


def trained(
    build: Callable[[int], nn.Module],
    name: str,
    seed: int,
    epochs: int,
    images: Images,
    test: Images,
    device: str = "cpu",
    data: str = "images",
    recipe: Recipe = STOCK,
) -> tuple[nn.Module, History]:
    """(network, history) after `epochs` epochs: from the context's folder of checkpoints if it is there, else trained.

    The network is on `device`, in evaluation mode, without gradients of weights. The history has "loss" and "accuracy"
    of each epoch as its minibatches met them, dropout and all, and "test_accuracy" after it. Threads and processes that
    ask for the same network wait for the first, which trains it. Weights are bit for bit those of any other run on the
    same kind of device with the same number of threads.

    Parameters
    ----------
    build : the network of a seed, untrained; it maps images (B, channels, height, width) in [0, 1] to logits.
    name : of the network, as files and lines on stderr call it; another network has another.
    seed : of initial weights, order of images and dropout masks, at least 0.
    epochs : at least 1. Every number of epochs is a file of its own.
    images, test : training images; images whose accuracy is reported after each epoch.
    device : "cpu" or "cuda".
    data : name of the images, as files and lines on stderr call them.

    Raises
    ------
    UsageError : the checkpoint is damaged or one of other images.
    StorageError : the folder of checkpoints cannot be written.
    """
    x, y = tensors(images)
    network = build(seed)
    history = train(
        network,
        x,
        y,
        epochs,
        seed,
        recipe,
        device,
        tensors(test),
        name=f"{name} on {data}, seed {seed}",
        checkpoint=current().checkpoints / f"{data}-{name}-seed{seed}-epochs{epochs}-{device}.pt",
        identity=f"{name}, seed {seed}, {device}; {recipe}; {len(x)} images {images.digest}, tested on {test.digest}",
    )
    return network, history


def tensors(images: Images) -> tuple[Tensor, Tensor]:
    """Images as (N, channels, height, width) uint8 and their labels as (N,) int64."""
    x = torch.tensor(images.x)
    return x[:, None] if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous(), torch.tensor(images.labels)
