"""WideResNet-16-k for 32 x 32 images: its layers, weights, and the Lipschitz constant that follows from their norms.

Three groups of two basic blocks of widths 16k, 32k, 64k and strides 1, 2, 2 between a first convolution and a
normalised average pool with a fully connected layer (ConvNorm, Section 4, after Zagoruyko and Komodakis 2016). A block
maps x to shortcut + K_2 relu(D_2 K_1 o) with o = relu(D_1 x), where D are the factors of batch normalisation; the
shortcut is x itself, or a 1 x 1 convolution of o where the shape changes. The norms are those of
`theory.convolution.circulant`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import array_api_compat
from array_api_compat import array_namespace

from theory.numerics import magnitudes, require
from theory.numerics.array import Array
from theory.things.network import class_labels

POOLED = 8  # the last images are 8 x 8


@dataclass(frozen=True)
class Layer:
    """A convolution (or, with size and image 1, the fully connected layer) without bias.

    Parameters
    ----------
    name : such as "group2.block1.conv1".
    channels_in, channels_out : widths.
    size : taps along each axis.
    stride : 1 or 2.
    image : side of the input image in pixels.
    """

    name: str
    channels_in: int
    channels_out: int
    size: int
    stride: int
    image: int

    @property
    def weights(self) -> int:
        """Number of weights."""
        return self.channels_in * self.channels_out * self.size**2


@dataclass(frozen=True)
class Block:
    """Norms of a basic block, in the order of its forward pass.

    Parameters
    ----------
    entry : max |D_1|, the largest factor of the first batch normalisation; 1 without one.
    first : ||D_2 K_1||, the first convolution with the second normalisation folded in.
    second : ||K_2||.
    shortcut : norm of the 1 x 1 convolution; None where the shortcut is the identity.
    """

    entry: float
    first: float
    second: float
    shortcut: float | None = None

    @property
    def lipschitz(self) -> float:
        """1 + beta_1 ||D_2 K_1|| ||K_2||, or beta_1 (||S|| + ||D_2 K_1|| ||K_2||) with a convolution S as shortcut."""
        branch = magnitudes.product(self.entry, self.first, self.second)
        return 1 + branch if self.shortcut is None else self.entry * self.shortcut + branch


def layers(widen: int, classes: int = 10) -> tuple[Layer, ...]:
    """Convolutions in the order of the forward pass and last the fully connected layer.

    16 convolutions, or 15 for widen = 1, where the first group keeps its 16 channels and needs no convolution in its
    shortcut.

    Parameters
    ----------
    widen : k, at least 1.
    classes : number of logits.
    """
    widen, classes = require.integer("widen", widen, 1), require.integer("classes", classes, 1)
    found = [Layer("conv1", 3, 16, 3, 1, 32)]
    width, image = 16, 32
    for group, (wide, down) in enumerate(((16, 1), (32, 2), (64, 2)), 1):
        for block in (1, 2):
            name, stride, out = f"group{group}.block{block}", down if block == 1 else 1, wide * widen
            found.append(Layer(f"{name}.conv1", width, out, 3, stride, image))
            found.append(Layer(f"{name}.conv2", out, out, 3, 1, image // stride))
            if width != out or stride > 1:
                found.append(Layer(f"{name}.shortcut", width, out, 1, stride, image))
            width, image = out, image // stride
    return (*found, Layer("fc", width, classes, 1, 1, 1))


def weight_count(widen: int, classes: int = 10) -> int:
    """Weights of all convolutions and of the fully connected layer, without biases and batch normalisation."""
    return sum(layer.weights for layer in layers(widen, classes))


def average_pool_norm(side: int = POOLED) -> float:
    """1 / side: the 2-norm of the mean over side x side pixels, channel by channel."""
    return 1 / require.integer("side", side, 1)


def lipschitz(first: float, blocks: Sequence[Block], final: float, connected: Array) -> Array:
    """Upper bound ||K_1|| prod_blocks L beta_final / 8 ||W_fc|| on the network's 2-norm Lipschitz constant.

    Exact composition of exact layer norms, and yet far above the slopes met: a test net of three blocks has 21.3
    where no Jacobian beyond 1.69 was found. Norms of zero-padded convolutions must come from
    `theory.convolution.circulant.zero_padding_bound`.

    Parameters
    ----------
    first : norm of the first convolution.
    blocks : in any order.
    final : max |D| of the batch normalisation behind the blocks.
    connected : ||W_fc||_2, or ||w_i - w_j||_2 for the constant of one margin; an array gives an array.

    Raises
    ------
    ValueError : for a norm that is negative or not finite.
    """
    norms = [require.budget("first", first), require.budget("final", final), average_pool_norm()]
    for block in blocks:
        for name in ("entry", "first", "second"):
            require.budget(f"a block's {name}", getattr(block, name))
        if block.shortcut is not None:
            require.budget("a block's shortcut", block.shortcut)
    if array_api_compat.is_array_api_obj(connected):
        connected = require.finite("connected", connected, rational=False)
    connected = require.numbers("connected", connected, 0)
    return magnitudes.product(*norms, *(block.lipschitz for block in blocks), connected)


def certified_radius(logits: Array, labels: Array, constants: Array) -> Array:
    """2-norm radius min_j (f_y - f_j) / Lip(f_y - f_j) in which the class cannot change, shape (...); 0 if it is wrong.

    Parameters
    ----------
    logits : (..., K), K >= 2.
    labels : integers (...) from 0 to K - 1.
    constants : Lipschitz constants of the margins f_y - f_j, (..., K), positive; what stands at j = y is not read. One
        number is one for all: sqrt 2 times the constant of the network.

    Raises
    ------
    ValueError : for logits that are not finite or fewer than 2, or a constant that is not positive.
    """
    logits = require.finite("logits", logits, rational=False)
    xp, place = array_namespace(logits), array_api_compat.device(logits)
    classes = logits.shape[-1] if logits.shape else 1
    if classes < 2:
        raise ValueError(f"logits must be at least 2, got {classes}")
    labels = class_labels(xp.asarray(labels, device=place), classes, logits.shape[:-1])
    if not array_api_compat.is_array_api_obj(constants):
        constants = xp.asarray(constants, dtype=logits.dtype, device=place)
    require.library(logits=logits, constants=constants)
    own = xp.arange(classes, device=place) == labels[..., None]
    constants = xp.where(own, xp.ones_like(constants), constants)
    constants = require.finite("constants", constants, rational=False, unbounded=True)
    if not bool(xp.all(constants > 0)):
        raise ValueError("constants must be positive, got others")
    margins = xp.sum(xp.where(own, logits, xp.zeros_like(logits)), axis=-1)[..., None] - logits
    radii = xp.where(own, xp.full_like(logits, math.inf), margins / constants)
    nearest = xp.min(radii, axis=-1)
    return xp.where(nearest > 0, nearest, xp.zeros_like(nearest))
