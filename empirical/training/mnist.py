"""The two-convolution network, trained once on images of ten classes and then kept as a file."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from empirical.data.images import Images
from empirical.models.mnist import two_conv
from empirical.places import checkpoints
from empirical.training.loop import History
from empirical.training.network import STOCK, Recipe, train


def trained(
    seed: int,
    epochs: int,
    images: Images,
    test: Images,
    device: str = "cpu",
    name: str = "mnist",
    recipe: Recipe = STOCK,
) -> tuple[nn.Sequential, History]:
    """(network, history) after `epochs` epochs: from the folder of checkpoints if it is there, else trained into it.

    The network is on `device`, in evaluation mode, without gradients of weights. The history has "loss" and "accuracy"
    of each epoch as its minibatches met them, dropout and all, and "test_accuracy" after it. Threads and processes that
    ask for the same network wait for the first, which trains it. Weights are bit for bit those of any other run on the
    same kind of device with the same number of threads.

    Parameters
    ----------
    seed : of initial weights, order of images and dropout masks, at least 0.
    epochs : at least 1. Every number of epochs is a file of its own.
    images, test : training images, square; images whose accuracy is reported after each epoch.
    device : "cpu" or "cuda".
    name : of the data, as files and lines on stderr call them.

    Raises
    ------
    UsageError : the checkpoint is damaged or one of other images.
    StorageError : the folder of checkpoints cannot be written.
    """
    x, y = tensors(images)
    network = two_conv(seed, x.shape[-1])
    history = train(
        network,
        x,
        y,
        epochs,
        seed,
        recipe,
        device,
        tensors(test),
        name=f"two_conv on {name}, seed {seed}",
        checkpoint=checkpoints() / f"{name}-two_conv-seed{seed}-epochs{epochs}-{device}.pt",
        identity=f"two_conv, seed {seed}, {device}; {recipe}; {len(x)} images {images.digest}, tested on {test.digest}",
    )
    return network, history


def tensors(images: Images) -> tuple[Tensor, Tensor]:
    """Grey images as (N, 1, H, W) uint8 and their labels as (N,) int64."""
    return torch.tensor(images.x)[:, None], torch.tensor(images.labels)
