"""What brackets and certificates ask of their input, the user's model included: one line per error."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.decisions.judge import Box, Model, spread
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor

Dense = list[tuple[np.ndarray, np.ndarray]]
FAULTS = (Exception, SystemExit)  # what a user's code may raise; an interrupt is the user's own
DRAWING = threading.RLock()  # held while torch's global random state is drawn from, or looked at
STEADY = (
    "the model must give a point the same logits every time, whatever the others are, as in evaluation mode "
    "(model.eval()), got one that"
)


def shown(value: Any) -> str:
    """What a value is written as, in a short line."""
    return " ".join(str(value).split())[:120]


def reason(error: BaseException) -> str:
    """An exception in a short line; that of a user may fail even at saying what it is."""
    try:
        said = shown(error)
    except Exception:
        said = ""
    return f"{type(error).__name__}: {said}".removesuffix(": ")


def numbers(name: str, values: Any, shape: Sequence[int | None], *, finite: bool = True) -> np.ndarray:
    """Values of NumPy, torch or lists as float64, if they are real numbers, not NaN, of this shape (None: any length).

    Raises
    ------
    UsageError : they are not, or, if asked for, they are not finite.
    """
    array = _host(name, values)
    if array.dtype.kind not in "iuf":
        raise UsageError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if len(shape) != array.ndim or any(want not in (None, got) for want, got in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise UsageError(f"{name} must have shape ({wanted}), got {array.shape}")
    array = array.astype(np.float64)
    if np.isnan(array).any() or (finite and np.isinf(array).any()):
        raise UsageError(f"{name} must {'be finite' if finite else 'be no NaN'}, got NaN or infinite entries")
    return array


def class_numbers(name: str, values: Any, size: int, classes: int) -> np.ndarray:
    """Class numbers of `size` points, integers of NumPy, torch or lists, as int64.

    Raises
    ------
    UsageError : they are no integers from 0 to classes - 1, one for each point.
    """
    array = _host(name, values)
    if array.dtype.kind not in "iu":
        raise UsageError(f"{name} must be a class number for each point, an integer, got dtype {array.dtype}")
    if array.shape != (size,):
        raise UsageError(f"{name} must be a class number for each of {size} points, got shape {array.shape}")
    if len(strange := array[(array < 0) | (array >= classes)]):
        raise UsageError(f"{name} must be class numbers from 0 to {classes - 1}, got {strange[0]}")
    return array.astype(np.int64)


def dense(layers: Any, x: Any, label: Any, target: Any) -> tuple[Dense, np.ndarray, np.ndarray, np.ndarray | None]:
    """Layers (weight (size or 1, out, in), bias (size or 1, out)), x (size, n) and classes, as NumPy arrays.

    Raises
    ------
    UsageError : they do not fit together, are not finite, or there are fewer than two classes.
    """
    x = numbers("x", x, (None, None))
    if 0 in x.shape:
        raise UsageError(f"x must hold a point and a coordinate at least, got shape {x.shape}")
    size, width, found = len(x), x.shape[1], []
    for number, layer in enumerate(layers):
        try:
            weight, bias = layer
        except (TypeError, ValueError):
            raise UsageError(f"layers must be pairs of weight and bias, got {type(layer).__name__}") from None
        weight = numbers(f"weight {number}", weight, (None, None, width))
        width = weight.shape[1]
        bias = numbers(f"bias {number}", bias, (None, width))
        for name, array in (("weight", weight), ("bias", bias)):
            if len(array) not in (1, size):
                raise UsageError(f"{name} {number} must be of 1 network or of {size}, one a point, got {len(array)}")
        found.append((weight, bias))
    if not found or width < 2:
        raise UsageError(f"layers must end in two classes at least, got {width if found else 'no layers'}")
    chosen = class_numbers("label", label, size, width)
    return found, x, chosen, None if target is None else class_numbers("target", target, size, width)


def check_points(x: Any) -> None:
    """Raises UsageError unless x is a torch tensor (points, ...) of finite float32 or float64 numbers, not empty."""
    import torch

    if not isinstance(x, torch.Tensor):
        raise UsageError(f"x must be a tensor of torch, got {type(x).__name__}")
    if x.dtype not in (torch.float32, torch.float64):
        raise UsageError(f"x must be floating point, float32 or float64 in the units of the box, got {x.dtype}")
    if x.ndim < 2 or not x.numel():
        raise UsageError(f"x must be (points, ...), a point and a coordinate at least, got shape {tuple(x.shape)}")
    if not bool(x.isfinite().all()):
        raise UsageError("x must be finite, got NaN or infinite entries")


def limits(box: Any) -> Box:
    """The box as two floats, or None.

    Raises
    ------
    UsageError : it is no pair of finite numbers, the lower first.
    """
    if box is None:
        return None
    try:
        low, high = (float(limit) for limit in box)
        ordered = -np.inf < low < high < np.inf
    except (TypeError, ValueError, RuntimeError):
        ordered = False
    if not ordered:
        raise UsageError(f"box must be the lowest and the highest value, finite, or None, got {shown(box)}")
    return low, high


def logits(model: Model, x: Tensor) -> Tensor:
    """The model's logits at x, (points, classes).

    Raises
    ------
    UsageError : as `answer`; the model changes x; or the logits are not finite.
    """
    import torch

    given = x.clone()
    found = answer(model, given)
    if not torch.equal(given, x):
        raise UsageError("the model must leave its input as it is, got one that changes it in place")
    if not bool(found.isfinite().all()):
        raise UsageError("the model's logits at x must be finite, got NaN or infinite ones")
    return found


def answer(model: Model, x: Tensor) -> Tensor:
    """The model's answer at x, (points, classes).

    Raises
    ------
    UsageError : the model fails on x, or returns anything but logits of two classes at least, of x's dtype, on its
        device.
    """
    import torch

    try:
        found = model(x)
    except FAULTS as error:
        shape = tuple(x.shape)
        raise UsageError(f"the model must take x, {x.dtype} of shape {shape}, got {reason(error)}") from error
    if not isinstance(found, torch.Tensor):
        raise UsageError(f"the model must return a tensor of logits, got {type(found).__name__}")
    if found.dtype != x.dtype or found.device != x.device:
        place = f"{x.dtype} on {x.device}, got {found.dtype} on {found.device}"
        raise UsageError(f"the model's logits must be of the dtype and on the device of x, {place}")
    if found.ndim != 2 or len(found) != len(x) or found.shape[1] < 2:
        wanted = f"({len(x)}, classes) with two classes at least, got shape {tuple(found.shape)}"
        raise UsageError(f"the model must return logits {wanted}")
    return found


def gradient(values: Tensor, x: Tensor) -> Tensor:
    """Gradient with respect to x of the sum of what a model made of it.

    Raises
    ------
    UsageError : there is none, or it is finite at no point.
    """
    import torch

    try:
        found = torch.autograd.grad(values.sum(), x, allow_unused=True)[0] if values.requires_grad else None
    except FAULTS as error:
        raise UsageError(f"the model must be differentiable, got {reason(error)}") from error
    if found is None:
        raise UsageError(
            "the model's logits must have a gradient with respect to x, got ones that are detached from it"
        )
    if not bool(found.flatten(1).isfinite().all(1).any()):
        raise UsageError(
            "the gradient of the model's logits must be finite, got NaN or infinite entries at every point"
        )
    return found


def check_model(model: Model, x: Tensor, box: Box) -> int:
    """The number of classes of a model that can be attacked at x; neither it nor a random number is left changed.

    Forward passes tell: two on x, which must agree, one with its gradient, and two for each binary digit of the
    points' numbers: those with the digit 0 are replaced, and the logits of the others must stay, and the other way
    round. Every two points differ in some digit.

    Raises
    ------
    UsageError : as `logits`; there is no gradient with respect to x; or the model draws random numbers, changes its
        own buffers, answers differently the second time, or lets points change the logits of others.
    """
    import torch

    with _left_alone(model, x), torch.no_grad():
        seen = logits(model, x)
        if not torch.equal(seen, answer(model, x.clone())):
            raise UsageError(f"{STEADY} gives others when it is called again")
        other, count = _others(x, box), torch.arange(len(x), device=x.device)
        for digit in range((len(x) - 1).bit_length()):
            for value in (0, 1):
                moved = (count >> digit) & 1 == value
                again = answer(model, torch.where(spread(moved, x), other, x))
                if not torch.equal(seen[~moved], again[~moved]):
                    raise UsageError(f"{STEADY} mixes points: when some are replaced, the logits of others change")
        with torch.enable_grad():
            point = x.clone().requires_grad_()
            gradient(answer(model, point), point)
    return seen.shape[1]


def takes_any_batch(model: Model, x: Tensor) -> bool:
    """Whether points keep their logits, but for rounding, when the batch is turned round, repeated and cut.

    A model whose elements have weights of their own does not; it may fail on such batches, which is no error here.
    To be called after `check_model`.
    """
    import torch

    def alike(seen: Tensor, wanted: Tensor) -> bool:
        size = wanted.abs().amax().clamp(min=torch.finfo(wanted.dtype).tiny)
        return seen.shape == wanted.shape and bool(((seen - wanted).abs() <= 1e-4 * size).all())

    with _left_alone(model, x), torch.no_grad():
        wanted = model(x)
        try:
            twice = model(torch.cat((x.flip(0), x)))
            part = model(x[-1:])
        except FAULTS:
            return False
        return alike(twice, torch.cat((wanted.flip(0), wanted))) and alike(part, wanted[-1:])


def _host(name: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError, RuntimeError):
        raise UsageError(f"{name} must be an array of numbers, got {type(values).__name__}") from None


def _others(x: Tensor, box: Box) -> Tensor:
    """Points in the range of x that differ from it, by no common factor or shift, which normalisation would undo."""
    import torch

    low, high = (0.0, 1.0) if box is None else box
    factor = torch.linspace(0.25, 0.75, x[0].numel(), dtype=x.dtype, device=x.device).reshape(x[0].shape)
    moved = low + (x - low) * factor
    return torch.where(spread((moved == x).flatten(1).all(1), x), high, moved)


@contextmanager
def _left_alone(model: Model, x: Tensor) -> Iterator[None]:
    """Puts back what calls inside change of torch's random state and of the model's buffers; then that is an error."""
    with DRAWING, _watched(model, x):
        yield


@contextmanager
def _watched(model: Model, x: Tensor) -> Iterator[None]:
    import torch

    def buffers() -> dict[str, Tensor]:
        return dict(model.named_buffers()) if isinstance(model, torch.nn.Module) else {}

    def state() -> list[Tensor]:
        return [torch.get_rng_state(), *([torch.cuda.get_rng_state(x.device)] if x.is_cuda else [])]

    kept, before = {name: buffer.clone() for name, buffer in buffers().items()}, state()
    try:
        yield
    finally:  # what is found here explains whatever was found inside
        drawn = not all(map(torch.equal, before, state()))
        if drawn:
            torch.set_rng_state(before[0])
            if x.is_cuda:
                torch.cuda.set_rng_state(before[1], x.device)
        after = buffers()
        changed = [name for name in kept if name in after and not _same(after[name], kept[name])]
        with torch.no_grad():
            for name in changed:
                after[name].copy_(kept[name])
        if drawn or changed:
            what = "draws random numbers" if drawn else f"changes its {changed[0]} when it is called"
            raise UsageError(f"{STEADY} {what}") from None


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(((one == other) | ((one != one) & (other != other))).all())
