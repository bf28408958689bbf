"""Rows on WideResNet-16-k: its weights, and how far its Lipschitz constant carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory.convolution import wide_resnet
from theory.convolution.matrices import norm
from theory.convolution.wide_resnet import Block
from theory.numerics.array import Array
from theory.worlds import wide_resnet as worlds

Weights = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None]  # D_1, D_2 K_1, K_2, S


def _relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def _block(weights: Weights, x: np.ndarray) -> np.ndarray:
    """The block's output at x, (channels, pixels), with convolutions of one tap: pixel by pixel."""
    entry, first, second, shortcut = weights
    inside = _relu(entry[:, None] * x)
    return (x if shortcut is None else shortcut @ inside) + second @ _relu(first @ inside)


def _norms(weights: Weights) -> Block:
    """What the Lipschitz constant of a block is made of."""
    entry, first, second, shortcut = weights
    return Block(float(np.max(np.abs(entry))), norm(first), norm(second), None if shortcut is None else norm(shortcut))


def _quotient(weights: Weights, x: np.ndarray, y: np.ndarray) -> float:
    """How much further two images are apart behind a block."""
    return float(np.linalg.norm(_block(weights, x) - _block(weights, y)) / np.linalg.norm(x - y))


def _of_block(weights: Weights, x: np.ndarray, y: np.ndarray) -> Sides:
    """That quotient, against the Lipschitz constant."""
    return Sides(_quotient(weights, x, y), _norms(weights).lipschitz)


def _branch_only(weights: Weights, x: np.ndarray, y: np.ndarray) -> Sides:
    """That quotient, against the constant of the branch without its shortcut."""
    block = _norms(weights)
    return Sides(_quotient(weights, x, y), block.entry * block.first * block.second)


def _network(first: Array, blocks: Sequence[Weights], final: Array, connected: Array, x: Array) -> Array:
    """The network's outputs at x."""
    x = first @ x
    for weights in blocks:
        x = _block(weights, x)
    return connected @ np.mean(_relu(final[:, None] * x), axis=1)


def _of_network(first: Array, blocks: Sequence[Weights], final: Array, connected: Array, x: Array, y: Array) -> Sides:
    """How much further two images are apart behind the network, against the Lipschitz constant."""
    net = (first, blocks, final, connected)
    measured = np.linalg.norm(_network(*net, x) - _network(*net, y)) / np.linalg.norm(x - y)
    beta = float(np.max(np.abs(final)))
    return Sides(measured, wide_resnet.lipschitz(norm(first), list(map(_norms, blocks)), beta, norm(connected)))


def _without_identities(blocks: Sequence[Weights], **world: Any) -> Sides:
    """The same, against the constant without shortcuts."""
    measured, bound = _of_network(blocks=blocks, **world)
    sizes = [_norms(weights) for weights in blocks]
    return Sides(measured, bound * math.prod(b.entry * b.first * b.second / b.lipschitz for b in sizes))


def _pool_by_pixels(**world: Any) -> Sides:
    """The same, against the constant with the pool's factor counted twice."""
    measured, bound = _of_network(**world)
    return Sides(measured, bound / wide_resnet.POOLED)


def _polynomial(widen: int, everywhere: bool = False) -> Sides:
    """The number of weights, against the polynomial."""
    shortcut = 256 * widen * (everywhere or widen > 1)
    return Sides(wide_resnet.weight_count(widen), 432 + 170752 * widen**2 + 2944 * widen + shortcut)


def _distance(weights: np.ndarray, x: np.ndarray, label: int) -> float:
    """Exact distance of x from the class boundary of a linear classifier; 0 on the wrong side."""
    margins = weights[label] @ x - weights @ x
    lengths = np.linalg.norm(weights[label] - weights, axis=1)
    return max(0.0, min(m / d for j, (m, d) in enumerate(zip(margins, lengths, strict=True)) if j != label))


def _by_pair(weights: np.ndarray, x: np.ndarray, label: int) -> Sides:
    """The radius from every margin's own constant, against the exact one."""
    lengths = np.linalg.norm(weights[label] - weights, axis=1)
    return Sides(wide_resnet.certified_radius(weights @ x, label, lengths), _distance(weights, x, label))


def _by_network(weights: np.ndarray, x: np.ndarray, label: int, factor: float = math.sqrt(2)) -> Sides:
    """The radius from a multiple of the network's constant, against the exact one."""
    constant = factor * np.linalg.norm(weights, 2)
    return Sides(wide_resnet.certified_radius(weights @ x, label, constant), _distance(weights, x, label))


_row = rows("ConvNorm, Section 4", kind="bound", status="extension", credit="textbook", tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.wide_resnet.weights",
        says="WideResNet-16-k has 170752 k^2 + 2944 k + 432 weights, and 256 k more for k > 1",
        formula=r"170752 k^2 + (2944 + 256 \cdot [k > 1]) k + 432",
        domain="k >= 1, 10 classes; convolutions and the last layer, without biases and normalisation",
        theory=_polynomial,
        world=worlds.widening,
        kind="identity",
        credit="ours, from the shapes of Zagoruyko and Komodakis 2016",
        note="174128, 689840, 2745264 and 10954160 for k = 1, 2, 4, 8.",
        code=wide_resnet.weight_count,
        decoys=(
            Decoy("a shortcut convolution where the width stays", lambda widen: _polynomial(widen, everywhere=True)),
        ),
    ),
    _row(
        "norm.wide_resnet.block",
        says="a basic block is Lipschitz with 1 + beta_1 ||D_2 K_1|| ||K_2||, or beta_1 (||S|| + ||D_2 K_1|| ||K_2||)",
        formula=r"L_{id} = 1 + \beta_1 \|D_2 K_1\| \|K_2\|, \quad L_{proj} = \beta_1 (\|S\| + \|D_2 K_1\| \|K_2\|)",
        domain="evaluation mode, 2-norm",
        theory=_of_block,
        world=worlds.block,
        note="Attained by positive weights of one channel.",
        code=Block,
        decoys=(Decoy("the branch alone", _branch_only),),
    ),
    _row(
        "norm.wide_resnet.lipschitz",
        says="the network is Lipschitz with the product of its layers' and blocks' constants, 1/8 for the pool",
        formula=r"\mathrm{Lip} \le \|K_1\| \left( \prod_{blocks} L \right) \beta_{fin} \cdot"
        r" \frac{1}{8} \cdot \|W_{fc}\|",
        domain="evaluation mode, 2-norm, 8 x 8 pixels before the pool",
        theory=_of_network,
        world=worlds.network,
        credit="Szegedy et al. 2014 for the product of norms",
        note="An order of magnitude above the largest slope found in trained nets: report both.",
        code=wide_resnet.lipschitz,
        decoys=(
            Decoy("shortcuts forgotten", _without_identities),
            Decoy("the pool taken for 1/64", _pool_by_pixels),
        ),
    ),
    _row(
        "norm.wide_resnet.radius",
        says="margins over their own Lipschitz constants are a radius in which a class cannot change, exact if linear",
        formula=r"r = \min_{j \ne y} \frac{f_y(x) - f_j(x)}{\mathrm{Lip}(f_y - f_j)}",
        domain="linear classifiers; a lower bound for all others",
        theory=_by_pair,
        world=worlds.linear_classifier,
        kind="identity",
        credit="Hein and Andriushchenko 2017; Tsuzuku, Sato and Sugiyama 2018",
        code=wide_resnet.certified_radius,
        decoys=(Decoy("sqrt 2 times the constant of the network", _by_network),),
    ),
    _row(
        "norm.wide_resnet.radius.network",
        says="sqrt 2 times the network's Lipschitz constant serves for every margin",
        formula=r"r \ge \min_{j \ne y} \frac{f_y(x) - f_j(x)}{\sqrt{2} \, \mathrm{Lip}(f)}",
        domain="2-norm",
        theory=_by_network,
        world=worlds.linear_classifier,
        credit="Tsuzuku, Sato and Sugiyama 2018",
        code=wide_resnet.certified_radius,
        decoys=(Decoy("sqrt 2 forgotten", lambda **world: _by_network(**world, factor=1.0)),),
    ),
)
