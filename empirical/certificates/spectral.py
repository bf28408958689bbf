"""Spectral norms of a network's convolutions, normalised or not, and the Lipschitz constant of a WideResNet.

Theory's norms are those of circular convolutions. With zeros around its images, a convolution is a circular one on a
grid on which nothing wraps around, between a padding and a crop that lengthen nothing: its norm is at most the one that
is given here, which is exact on that grid. A normalised layer filters on that very grid. Everything is of evaluation
mode, with the running averages that normalisers and batch normalisation then take, and is computed in the precision of
the weights, on the CPU.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from empirical.models.convnorm import ConvNorm2d
from empirical.models.load import Normalised
from empirical.models.wide_resnet import Block, WideResNet
from fragility.engine.study import UsageError
from theory.conditioning import condition_numbers
from theory.convolution import circulant, convnorm, wide_resnet
from theory.things import kernels

SHAPE = (3, 32, 32)  # of CIFAR-10's images
Convolution = nn.Conv2d | ConvNorm2d


class LayerNorms(NamedTuple):
    """What is said of the convolutions of a network, in the order of its modules; arrays have the shape (layers,).

    Parameters
    ----------
    names : of the modules, as in `theory.convolution.wide_resnet.layers`.
    weights : ||A||, the norm of the kernel as it is stored, strided as the layer is.
    layer : ||Q||, that of the convolution which the layer applies: normalised, or as it is, and then the same.
    bound : Proposition 3.1's sqrt(sum_k ||Q_k||^2) over the output channels of a normalised layer; NaN of others.
    after : the norm of the depth-wise convolution and the batch normalisation within a normalised layer; 1 without.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    layer: np.ndarray
    bound: np.ndarray
    after: np.ndarray


def layer_norms(model: nn.Module, shape: tuple[int, int, int] = SHAPE) -> LayerNorms:
    """The spectral norms of all convolutions of a model of images (B, *shape), `nn.Conv2d` and `ConvNorm2d`.

    Raises
    ------
    UsageError : for a convolution with another padding than zeros, with dilation or with two different strides, and for
        weights that are not finite.
    """
    names, rows = [], []
    for name, module, side in _convolutions(model, shape):
        operator = _operator(module, side)
        norm = operator.norm()
        names.append(name)
        if isinstance(module, ConvNorm2d):
            lengths = torch.linalg.vector_norm(operator.spectrum, dim=-1).amax((0, 1))
            stored = operator._replace(spectrum=_spectrum(module.convolution, operator.grid))
            rows.append((stored.norm(), norm, float(convnorm.stack_bounds(lengths)[1]), _behind(module)))
        else:
            rows.append((norm, norm, math.nan, 1.0))
    return LayerNorms(tuple(names), *np.array(rows).reshape(-1, 4).T)


def lipschitz(model: Normalised) -> float:
    """Upper bound on the l2 Lipschitz constant of a `wide_resnet` in evaluation, from pixels in [0, 1] to logits.

    The product of `theory.convolution.wide_resnet.lipschitz`. The spread of the colours is folded into the first
    convolution, batch normalisation into the convolution in front of it where nothing branches off, else it counts with
    its largest factor; of a normalised layer, the normalised convolution and what stands behind it count separately.

    Raises
    ------
    UsageError : for another network, and for weights that are not finite.
    """
    network = model.network
    if not isinstance(network, WideResNet):
        raise UsageError(f"the Lipschitz constant is known of a WideResNet, got {type(network).__name__}")
    placed: dict[nn.Module, tuple[Convolution, int]] = {
        module: (module, side) for _, module, side in _convolutions(model, SHAPE)
    }

    def norm(module: nn.Module, factor: Tensor | None = None, spread: Tensor | None = None) -> float:
        return _whole(*placed[module], factor, spread)

    blocks = [
        wide_resnet.Block(
            _largest(block.norm1),
            norm(block.conv1, _factor(block.norm2)),
            norm(block.conv2),
            None if block.shortcut is None else norm(block.shortcut),
        )
        for block in network.modules()
        if isinstance(block, Block)
    ]
    first = norm(network.conv1, spread=model.spread.detach().cpu().flatten())
    connected = torch.linalg.matrix_norm(network.fc.weight.detach().cpu(), 2)
    return float(wide_resnet.lipschitz(first, blocks, _largest(network.norm), connected))


class _Operator(NamedTuple):
    """A circular convolution of images of grid x grid pixels, of which every stride-th is kept.

    Parameters
    ----------
    spectrum : its transfer function at half of the frequencies, (grid, grid // 2 + 1, C_O, C_I / groups).
    """

    spectrum: Tensor
    grid: int
    stride: int
    groups: int

    def norm(self) -> float:
        """Its spectral norm; where the stride does not divide the grid, that without a stride, which is no smaller."""
        if self.stride == 1 or self.grid % self.stride:
            blocks = self.spectrum.unflatten(2, (self.groups, -1))
            return float(condition_numbers.matrix_norm(blocks).max())
        kernel = torch.fft.irfft2(self.spectrum.permute(2, 3, 0, 1), s=(self.grid,) * 2)
        return float(circulant.spectral_norm(kernel, (self.grid,) * 2, self.stride, self.groups))


def _convolutions(model: nn.Module, shape: tuple[int, int, int]) -> list[tuple[str, Convolution, int]]:
    """The convolutions: their names, the modules, and the side of the images that each of them gets."""
    inner = {module for layer in model.modules() if isinstance(layer, ConvNorm2d) for module in layer.children()}
    inner |= {module for layer in model.modules() if isinstance(layer, ConvNorm2d) for module in layer.after}
    found: dict[str, Convolution] = {}
    for name, module in model.named_modules():
        if isinstance(module, Convolution) and module not in inner:
            found[name] = module
    sides: dict[nn.Module, int] = {}
    hooks = [
        module.register_forward_pre_hook(lambda module, given: sides.update({module: given[0].shape[-1]}))
        for module in found.values()
    ]
    mode, weight = model.training, next(model.parameters())
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(1, *shape, dtype=weight.dtype, device=weight.device))
    finally:
        model.train(mode)
        for hook in hooks:
            hook.remove()
    return [(name.removeprefix("network."), module, sides[module]) for name, module in found.items()]


def _operator(module: Convolution, side: int) -> _Operator:
    """The convolution that a layer applies in evaluation; of one tap on the smallest grid, for it is alike on all."""
    if isinstance(module, ConvNorm2d):
        inner, grid, stride = module.convolution, module.grid, module.stride
    else:
        inner, (stride, _) = module, module.stride
        if inner.padding_mode != "zeros" or inner.dilation != (1, 1) or len({*inner.stride}) > 1:
            raise UsageError(f"norms need convolutions with zeros around, one stride and no dilation, got {inner}")
        grid = max(circulant.padded_grid((side, side), inner.kernel_size, stride))
    grid = stride if inner.kernel_size == (1, 1) else grid
    spectrum = _spectrum(inner, grid)
    if isinstance(module, ConvNorm2d):
        mode = module.training
        with torch.no_grad():
            spectrum = spectrum * module.eval().normaliser().cpu()[..., None]
        module.train(mode)
    return _Operator(spectrum, grid, stride, inner.groups)


def _spectrum(convolution: nn.Conv2d, grid: int) -> Tensor:
    """The kernel's transfer function at half of the frequencies of grid x grid pixels."""
    weight = convolution.weight.detach().cpu()
    if not bool(weight.isfinite().all()):
        raise UsageError("norms need finite weights, got others, as a training that diverges leaves them")
    return kernels.transfer(weight, (grid, grid), half=True)


def _whole(module: Convolution, side: int, factor: Tensor | None, spread: Tensor | None) -> float:
    """Bound on the norm of a whole layer, its outputs multiplied by `factor` and its inputs divided by `spread`."""
    operator = _operator(module, side)
    if spread is not None:
        operator = operator._replace(spectrum=operator.spectrum / spread)
    if isinstance(module, ConvNorm2d):
        return operator.norm() * _behind(module, factor)
    if factor is not None:
        operator = operator._replace(spectrum=operator.spectrum * factor[:, None])
    return operator.norm()


def _behind(module: ConvNorm2d, factor: Tensor | None = None) -> float:
    """Norm of what stands behind the normalised convolution, its outputs multiplied by `factor`."""
    kernel = torch.ones_like(module.convolution.weight[:, :1, :1, :1], device="cpu").detach()
    for layer in module.after:
        if isinstance(layer, nn.Conv2d):
            kernel = layer.weight.detach().cpu()
        elif (own := _factor(layer)) is not None:
            kernel = kernels.fold_batch_norm(kernel, own)
    if factor is not None:
        kernel = kernels.fold_batch_norm(kernel, factor)
    return float(circulant.zero_padding_bound(kernel, (len(module.kept),) * 2, groups=len(kernel)))


def _factor(module: nn.Module) -> Tensor | None:
    """What batch normalisation multiplies channels by in evaluation; None of what is none."""
    if not isinstance(module, nn.BatchNorm2d) or module.running_var is None:
        return None
    variance = module.running_var.detach().cpu()
    scale = torch.ones_like(variance) if module.weight is None else module.weight.detach().cpu()
    return kernels.batch_norm_factor(scale, variance, module.eps)


def _largest(module: nn.Module) -> float:
    """The Lipschitz constant of a batch normalisation in evaluation; 1 without one."""
    factor = _factor(module)
    return 1.0 if factor is None else float(factor.abs().max())
