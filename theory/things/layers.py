"""Layers of a feed-forward network as plain data, in PyTorch's layouts, on NumPy, torch and CuPy arrays alike.

A weighted layer is bilinear in its weight and its input, plus a bias. Bounds under weight perturbations need it with
other weights than its own, so `product` and its transpose `pull` take the weight. Any number of leading axes of the
input are samples. Nothing is written in place: everything differentiates, and `Dense` also computes with `Fraction`.
Weights and biases are kept in floating point (`_require.finite`); where precisions differ, the higher one is used.
Layers take what comes in as it is: it is `theory.things.network.Network` that lets in no integers that wrap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

import array_api_compat
from array_api_compat import array_namespace

from theory.numerics import require
from theory.numerics.array import Array

Shape = tuple[int, ...]


def _plane(name: str, value: int | tuple[int, int], least: int) -> tuple[int, int]:
    """A pair of integers, from one or two."""
    pair = value if isinstance(value, tuple) else (value, value)
    if len(pair) != 2:
        raise ValueError(f"{name} must be one integer or two, got {value}")
    return require.integer(name, pair[0], least), require.integer(name, pair[1], least)


def _windows(size: int, window: int, stride: int, dilation: int = 1) -> int:
    """How many windows fit along an axis."""
    count = (size - dilation * (window - 1) - 1) // stride + 1
    if count < 1:
        raise ValueError(f"a window of {dilation * (window - 1) + 1} must fit into the image, got {size} pixels")
    return count


def _zeros(like: Array, shape: Shape) -> Array:
    return array_namespace(like).zeros(shape, dtype=like.dtype, device=array_api_compat.device(like))


def _matmul(left: Array, right: Array) -> Array:
    """The product in the higher of two precisions: of all operations torch's alone does not promote."""
    xp = array_namespace(left, right)
    if left.dtype != right.dtype:
        dtype = xp.result_type(left, right)
        left, right = xp.astype(left, dtype), xp.astype(right, dtype)
    return xp.matmul(left, right)


def _placed(values: Array, size: int, start: int, stride: int, axis: int) -> Array:
    """`values` at positions start, start + stride, ... of a zero axis (-1 or -2) of `size`; what falls off is cut."""
    xp = array_namespace(values)
    device = array_api_compat.device(values)
    position = xp.arange(size, device=device)[None, :]
    target = start + stride * xp.arange(values.shape[axis], device=device)[:, None]
    selection = xp.astype(position == target, values.dtype)
    return xp.matmul(values, selection) if axis == -1 else xp.matmul(selection.T, values)


class _Weighted:
    """The base class of `Dense` and `Conv`: norms, window sums and the bias."""

    weight: Array
    bias: Array
    axes: int
    groups = 1

    def product(self, weight: Array, x: Array) -> Array:
        """What the layer makes of `x` with this weight in place of its own, without the bias."""
        raise NotImplementedError

    def pull(self, weight: Array, y: Array, shape: Shape) -> Array:
        """The transpose of `product` for inputs of this shape, applied to functionals `y` of the output."""
        raise NotImplementedError

    def shape_after(self, shape: Shape) -> Shape:
        """The shape of the output for inputs of this shape, both without samples."""
        raise NotImplementedError

    def __call__(self, x: Array) -> Array:
        """Weight times input, plus the bias."""
        return self.product(self.weight, x) + self.shift

    @property
    def shift(self) -> Array:
        """The bias, shaped to be added to an output; 0 without one."""
        return 0 if self.bias is None else self.beside(self.bias)

    def beside(self, values: Array) -> Array:
        """One number per row or channel of the outputs, shaped to go with an output."""
        return values[(slice(None), *[None] * (self.axes - 1))]

    def added(self, mu: Array) -> Array:
        """What the bias adds to a functional `mu` of the output, one number for each."""
        return array_namespace(mu).sum(mu * self.shift, axis=tuple(range(-self.axes, 0)))

    @property
    def _ones(self) -> Array:
        """A weight of ones with one row or channel of outputs per group."""
        return array_namespace(self.weight).ones_like(self.weight[: self.groups, ...])

    def window_sums(self, h: Array) -> Array:
        """The sum of the inputs that each output sees, shaped to be added to an output."""
        sums = self.product(self._ones, h)
        if self.groups == 1:
            return sums
        return array_namespace(h).repeat(sums, self.weight.shape[0] // self.groups, axis=-self.axes)

    def pull_sums(self, y: Array, shape: Shape) -> Array:
        """The transpose: for each input, the sum of the outputs `y` that see it; `shape` is the input's."""
        xp = array_namespace(y)
        rows, rest = self.weight.shape[0], y.shape[len(y.shape) - self.axes + 1 :]
        grouped = xp.reshape(y, (*y.shape[: -self.axes], self.groups, rows // self.groups, *rest))
        return self.pull(self._ones, xp.sum(grouped, axis=-self.axes), shape)

    def reach(self, h: Array) -> Array:
        """Largest sum of a window of `h`, one per sample: ||h||_1 of a dense layer with h >= 0.

        An entry-wise weight perturbation of radius epsilon moves an output by at most epsilon times this sum of |h|.
        """
        return array_namespace(h).max(self.window_sums(h), axis=tuple(range(-self.axes, 0)))

    def norm_inf(self, shape: Shape, radius: Array = 0) -> Array:
        """Norm induced by l_inf, the largest over all weights within `radius`: ||W||_inf + d radius if dense.

        Exact, zero padding included; `shape` is the input's without samples.
        """
        xp = array_namespace(self.weight)
        ones = _zeros(self.weight, shape) + 1
        return xp.max(self.product(xp.abs(self.weight) + radius, ones))

    def norm_one(self, shape: Shape) -> Array:
        """Norm induced by l_1, the largest absolute column sum; exact, zero padding included."""
        xp = array_namespace(self.weight)
        ones = _zeros(self.weight, self.shape_after(shape)) + 1
        return xp.max(self.pull(xp.abs(self.weight), ones, shape))


def _check(layer: Any, ndim: int) -> None:
    """Refuses what is no weight and bias; keeps what is in floating point."""
    object.__setattr__(layer, "weight", require.finite("weight", layer.weight, ndim))
    if layer.bias is not None:
        object.__setattr__(layer, "bias", require.finite("bias", layer.bias, 1))
        require.library(weight=layer.weight, bias=layer.bias)
        if layer.bias.shape[0] != layer.weight.shape[0]:
            raise ValueError(f"bias must have {layer.weight.shape[0]} entries, got {layer.bias.shape[0]}")


@dataclass(frozen=True, eq=False)
class Dense(_Weighted):
    """weight (rows, columns) takes inputs (..., columns) to (..., rows); bias (rows,) or None."""

    weight: Array
    bias: Array = None
    axes = 1

    def __post_init__(self) -> None:
        _check(self, 2)

    def taps(self, weight: Array, x: Array) -> Iterator[tuple[Array, Array]]:
        """Pairs of a matrix (rows, inputs) and the inputs (..., inputs, positions) it meets."""
        yield weight, x[..., None]

    def product(self, weight: Array, x: Array) -> Array:
        return _matmul(x, weight.T)

    def pull(self, weight: Array, y: Array, shape: Shape) -> Array:
        return _matmul(y, weight)

    def shape_after(self, shape: Shape) -> Shape:
        if len(shape) != 1 or shape[0] != self.weight.shape[1]:
            raise ValueError(f"a dense layer of {self.weight.shape[1]} columns must be given as many, got {shape}")
        return (self.weight.shape[0],)


@dataclass(frozen=True, eq=False)
class Conv(_Weighted):
    """weight (C_out, C_in / groups, height, width), cross-correlation with zero padding, takes (..., C_in, H, W).

    stride, padding and dilation are one integer or (vertical, horizontal). Of `groups` equal parts of the channels each
    sees its own part of the inputs. The kernel is perturbed, not the matrix that it unrolls to: every position shares
    the perturbation.
    """

    weight: Array
    bias: Array = None
    stride: Any = 1
    padding: Any = 0
    dilation: Any = 1
    groups: int = 1
    axes = 3

    def __post_init__(self) -> None:
        _check(self, 4)
        if self.weight.shape[0] % require.integer("groups", self.groups, 1):
            raise ValueError(f"groups must divide the output channels, got {self.groups} for {self.weight.shape[0]}")
        for name, least in (("stride", 1), ("padding", 0), ("dilation", 1)):
            object.__setattr__(self, name, _plane(name, getattr(self, name), least))

    def _taps(self) -> list[tuple[int, int]]:
        return [(a, b) for a in range(self.weight.shape[2]) for b in range(self.weight.shape[3])]

    def _matrix(self, weight: Array, tap: tuple[int, int]) -> Array:
        """The weights of a tap, (groups, outputs, inputs)."""
        rows, columns = weight.shape[:2]
        matrices = (self.groups, rows // self.groups, columns)
        return array_namespace(weight).reshape(weight[:, :, tap[0], tap[1]], matrices)

    def taps(self, weight: Array, x: Array) -> Iterator[tuple[Array, Array]]:
        """Pairs of matrices (groups, outputs, inputs) and what they meet, (..., groups, inputs, positions), per tap."""
        xp = array_namespace(x)
        for axis, pad in ((-2, self.padding[0]), (-1, self.padding[1])):
            if pad:
                shape = list(x.shape)
                shape[axis] = pad
                edge = _zeros(x, tuple(shape))
                x = xp.concat([edge, x, edge], axis=axis)
        (v, h), (dv, dh) = self.stride, self.dilation
        height = _windows(x.shape[-2], self.weight.shape[2], v, dv)
        width = _windows(x.shape[-1], self.weight.shape[3], h, dh)
        parts = (*x.shape[:-3], self.groups, x.shape[-3] // self.groups, height * width)
        for a, b in self._taps():
            rows = slice(a * dv, a * dv + v * (height - 1) + 1, v)
            columns = slice(b * dh, b * dh + h * (width - 1) + 1, h)
            yield self._matrix(weight, (a, b)), xp.reshape(x[..., rows, columns], parts)

    def product(self, weight: Array, x: Array) -> Array:
        xp = array_namespace(x)
        after = self.shape_after(tuple(x.shape[-3:]))
        flat = reduce(add, (_matmul(matrix, part) for matrix, part in self.taps(weight, x)))
        return xp.reshape(flat, (*x.shape[:-3], weight.shape[0], *after[1:]))

    def pull(self, weight: Array, y: Array, shape: Shape) -> Array:
        xp = array_namespace(y)
        parts = (self.groups, y.shape[-3] // self.groups, y.shape[-2] * y.shape[-1])
        flat = xp.reshape(y, (*y.shape[:-3], *parts))
        total: Array = 0
        for a, b in self._taps():
            part = _matmul(xp.matrix_transpose(self._matrix(weight, (a, b))), flat)
            part = xp.reshape(part, (*y.shape[:-3], shape[0], *y.shape[-2:]))
            part = _placed(part, shape[1], a * self.dilation[0] - self.padding[0], self.stride[0], -2)
            total = total + _placed(part, shape[2], b * self.dilation[1] - self.padding[1], self.stride[1], -1)
        return total

    def shape_after(self, shape: Shape) -> Shape:
        channels = self.weight.shape[1] * self.groups
        if len(shape) != 3 or shape[0] != channels:
            raise ValueError(f"a convolution of {channels} channels must be given as many, got {shape}")
        sizes = (
            _windows(size + 2 * pad, window, stride, dilation)
            for size, pad, window, stride, dilation in zip(
                shape[1:], self.padding, self.weight.shape[2:], self.stride, self.dilation, strict=True
            )
        )
        return (self.weight.shape[0], *sizes)


@dataclass(frozen=True)
class AveragePool:
    """Mean over windows of `size`, `stride` apart (or side by side), each one integer or two; no padding."""

    size: Any
    stride: Any = None
    axes = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _plane("size", self.size, 1))
        stride = self.size if self.stride is None else self.stride
        object.__setattr__(self, "stride", _plane("stride", stride, 1))

    def _parts(self, x: Array) -> list[Array]:
        height, width = self.shape_after(tuple(x.shape[-3:]))[1:]
        v, h = self.stride
        return [
            x[..., a : a + v * (height - 1) + 1 : v, b : b + h * (width - 1) + 1 : h]
            for a in range(self.size[0])
            for b in range(self.size[1])
        ]

    def __call__(self, x: Array) -> Array:
        parts = self._parts(x)
        return reduce(add, parts) / len(parts)

    def pull(self, y: Array, shape: Shape) -> Array:
        """The transposed map: from functionals `y` of the output to those of inputs of this shape."""
        parts = [
            _placed(_placed(y, shape[1], a, self.stride[0], -2), shape[2], b, self.stride[1], -1)
            for a in range(self.size[0])
            for b in range(self.size[1])
        ]
        return reduce(add, parts) / len(parts)

    def shape_after(self, shape: Shape) -> Shape:
        if len(shape) != 3:
            raise ValueError(f"a pool must be given channels, height and width, got shape {shape}")
        sizes = (_windows(*along) for along in zip(shape[1:], self.size, self.stride, strict=True))
        return (shape[0], *sizes)


@dataclass(frozen=True)
class MaxPool(AveragePool):
    """Maximum over windows of `size`, `stride` apart (or side by side), each one integer or two; no padding."""

    def __call__(self, x: Array) -> Array:
        return reduce(array_namespace(x).maximum, self._parts(x))

    def pull(self, y: Array, shape: Shape) -> Array:
        raise ValueError("max pooling is not linear: linear bounds do not pass through it, use the interval bound")


@dataclass(frozen=True)
class Flatten:
    """The last `axes` axes as one: 3 for (channels, height, width)."""

    axes: int = 3

    def __call__(self, x: Array) -> Array:
        return array_namespace(x).reshape(x, (*x.shape[: -self.axes], *self.shape_after(tuple(x.shape[-self.axes :]))))

    def pull(self, y: Array, shape: Shape) -> Array:
        """The transposed map: from functionals `y` of the output to those of inputs of this shape."""
        return array_namespace(y).reshape(y, (*y.shape[:-1], *shape))

    def shape_after(self, shape: Shape) -> Shape:
        if len(shape) != self.axes:
            raise ValueError(f"a flattening of {self.axes} axes must be given as many, got shape {shape}")
        return (reduce(lambda a, b: a * b, shape),)


Weighted = Dense | Conv
Pass = AveragePool | MaxPool | Flatten
