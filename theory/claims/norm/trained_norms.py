"""Rows on spectral norms of trained networks' layers: Figure 1 and Proposition 3.1 of ConvNorm."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.claims.norm.trained_settings import CONV, VANILLA, networks, of, residual, trained
from theory.convolution import circulant, convnorm, wide_resnet
from theory.numerics.array import Array

FACTOR = math.sqrt(3)  # 1 over the root of the mean squared row norm of PyTorch's default kernels
NEAR = 0.05  # of that factor, in the mean over 20 layers
ROUNDING = 1e-5  # of networks that are trained and kept in single precision


def _bounded(norm_layer: Array, bound: Array) -> Sides:
    """Norms of normalised layers, against the bound, (networks with such layers, layers); 0 where there is none."""
    own, most = networks(norm_layer), networks(bound)
    there = ~np.isnan(most)
    some = there.any(axis=1)
    return Sides(*(np.where(there, values, 0.0)[some] for values in (own, most)))


def _contracts(norm_layer: Array, bound: Array) -> Sides:
    """Norms of normalised layers, against 1: the largest of the norms of their channels."""
    own, most = _bounded(norm_layer, bound)
    return Sides(own, np.where(most > 0, 1.0, 0.0))


def _reduces(before: Array, after: Array) -> Sides:
    """The norm of every layer as it is applied, against that of its kernel, (seeds, layers)."""
    return Sides(after, before)


def _raises(resnet_before: Array, resnet_after: Array, factor: float) -> Sides:
    """Each layer's norm before, against that after; and the mean factor between its ends, (seeds, layers + 2)."""
    mean = np.exp(np.mean(np.log(resnet_after / resnet_before), axis=1, keepdims=True))
    ends = np.broadcast_to(factor * np.array([1 - NEAR, 1 + NEAR]), (len(mean), 2))
    return Sides(
        np.concatenate((resnet_before, ends[:, :1], mean), axis=1),
        np.concatenate((resnet_after, mean, ends[:, 1:]), axis=1),
    )


def _per_layer(norm_layer: Array, normalisation: Array) -> Sides:
    """Norms of ConvNorm's layers as they are applied, against those of networks without, (seeds, widths, layers).

    Layers that neither network has are 0 on both sides.
    """
    pair = [of(norm_layer, normalisation, which) for which in (CONV, VANILLA)]
    lacking = np.isnan(pair[0]) & np.isnan(pair[1])
    lacking &= ~lacking.all(axis=-1, keepdims=True)
    return Sides(*(np.where(lacking, 0.0, norms) for norms in pair))


def _product(lipschitz: Array, normalisation: Array) -> Sides:
    """The product bound of networks with ConvNorm, against that of networks without, (seeds, widths)."""
    return Sides(of(lipschitz, normalisation, CONV), of(lipschitz, normalisation, VANILLA))


_row = rows(
    "ConvNorm",
    study="empirical.convnorm_width",
    kind="majority",
    tolerance=0.1,
    domain="every convolution of WideResNet-16-k after free adversarial training",
)
_ours = partial(_row, status="extension", credit="ours")

CLAIMS: tuple[Claim, ...] = (
    _row(
        "norm.trained.resnet18",
        at="Figure 1",
        says="in a trained ResNet18 normalising lowers the spectral norm of every convolution",
        formula=r"\|Q^\ell\| \le \|A^\ell\|",
        domain="the 20 convolutions of a ResNet18 trained with ConvNorm",
        theory=lambda resnet_before_trained, resnet_after_trained: _reduces(
            resnet_before_trained, resnet_after_trained
        ),
        code=convnorm.spectral_norm,
        where=residual,
        quotes=(Quote("Spectral norm for each layer on ResNet18 [..] ConvNorm reduces the spectral norm", "Figure 1"),),
        reading="Of one network's layers, as they are applied, against their kernels; each of them.",
        decoys=(
            Decoy(
                "it raises it",
                lambda resnet_before_trained, resnet_after_trained: _reduces(
                    resnet_after_trained, resnet_before_trained
                ),
            ),
        ),
    ),
    _ours(
        "norm.trained.resnet18.initial",
        at="beside Figure 1",
        says="in an untrained ResNet18 normalising raises the spectral norm of every convolution, by about sqrt 3",
        formula=r"\|A^\ell\| \le \|Q^\ell\|, \quad \left| \frac{1}{\sqrt 3} \left( \prod_\ell"
        r" \frac{\|Q^\ell\|}{\|A^\ell\|} \right)^{1/20} - 1 \right| \le 0.05",
        domain="the 20 convolutions of a ResNet18 that begins as PyTorch's default has it",
        theory=lambda resnet_before, resnet_after: _raises(resnet_before, resnet_after, FACTOR),
        code=convnorm.expected_row_power,
        note="Squared row norms are 1/3 on average; see norm.initial.power and norm.reduces.printed.",
        decoys=(
            Decoy(
                "by about sqrt 2",
                lambda resnet_before, resnet_after: _raises(resnet_before, resnet_after, math.sqrt(2)),
            ),
            Decoy(
                "it lowers it",
                lambda resnet_before, resnet_after: _reduces(resnet_before, resnet_after),
            ),
        ),
    ),
    _row(
        "norm.trained.layers",
        at="Figure 1",
        says="every convolution of a network trained with ConvNorm has a smaller spectral norm than the same one of a"
        " network trained without",
        formula=r"\|Q^\ell\| \le \|A^\ell_{vanilla}\|",
        theory=_per_layer,
        code=circulant.spectral_norm,
        where=trained("vanilla", "convnorm"),
        quotes=(Quote("ConvNorm reduces the spectral norm", "Figure 1"),),
        reading="Of WideResNet-16-k, where the figure has ResNet18; layers as they are applied, against those of the"
        " vanilla network of the same seed and width; each of them.",
        status="unmet",
        note="After 300 steps on 600 images, k = 1 and 2, it is 6 to 10 of 15 or 16 convolutions in three seeds: norms"
        " above 4 come out lower, those below 2 higher. Untrained, all are higher, by about sqrt 3.",
        decoys=(
            Decoy("a larger one", lambda norm_layer, normalisation: _per_layer(norm_layer, normalisation).swapped),
        ),
    ),
    _row(
        "norm.trained.lipschitz",
        at="Section 3",
        says="the product bound on the Lipschitz constant is smaller with ConvNorm than without",
        formula=r"\mathrm{Lip}_{ConvNorm} \le \mathrm{Lip}_{vanilla}",
        domain="WideResNet-16-k after free adversarial training, in evaluation",
        theory=_product,
        code=wide_resnet.lipschitz,
        where=trained("vanilla", "convnorm"),
        quotes=(
            Quote(
                "improves training and robustness through reducing the network's Lipschitzness",
                "Section 3",
            ),
        ),
        reading="Lipschitzness as the product of exact norms of all layers, an upper bound; at each width that was"
        " trained, against the vanilla network of the same seed.",
        status="unmet",
        note="After 300 steps on 600 images it is 35,000 to 160,000 times as large in three seeds: every normalised"
        " convolution has a norm of 2 to 5, and a depth-wise one and batch normalisation follow each.",
        decoys=(Decoy("larger", lambda lipschitz, normalisation: _product(lipschitz, normalisation).swapped),),
    ),
    _row(
        "norm.trained.bound",
        at="Proposition 3.1",
        says="the spectral norm of a normalised layer is at most the root of the sum of its channels' squared norms",
        formula=r"\|Q\| \le \sqrt{\sum_{k=1}^{C_O} \|Q_k\|^2}",
        domain="every normalised convolution of every network",
        kind="bound",
        tolerance=ROUNDING,
        theory=_bounded,
        code=convnorm.stack_bounds,
        quotes=(Quote("The spectral norm of Q induced in (2) can be bounded by [..]", "Proposition 3.1"),),
        reading="Of the layers as networks apply them, without what batch normalisation and factors do.",
        note="norm.prop3.1 says it of any operators.",
        decoys=(Decoy("the largest of their norms, 1", _contracts),),
    ),
)
