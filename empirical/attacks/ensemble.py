"""AutoAttack (Croce and Hein 2020) by the package pyautoattack: which images survive all of its attacks.

The package brings the four attacks and their settings: APGD on the cross-entropy, APGD and FAB at nine targets each,
and Square, which looks at no gradient. What it draws is a function of our seed, and what it proposes is judged again
here: a proposal counts if it is classified wrong at a point of the ball and of [0, 1] (`judge.flips`).

The package sets torch's global generators, so only one thread attacks at a time, and the generators are put back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from empirical.decisions import inputs
from empirical.decisions.judge import Model, flips, spread
from fragility.engine.backend import UnavailableError
from fragility.engine.stop import look
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor

NORMS: Mapping[str, tuple[str, float]] = {"l2": ("L2", 2.0), "linf": ("Linf", np.inf)}
STANDARD = ("apgd-ce", "apgd-t", "fab-t", "square")
UNTARGETED = ("apgd-ce", "fab", "square")
NAMES = tuple(dict.fromkeys(STANDARD + UNTARGETED))
BOX = (0.0, 1.0)
TARGETS = 9  # of the targeted attacks: the most likely other classes
QUERIES = 5000  # forward passes of Square
AT_ONCE = 250  # images attacked together, the package's own choice
SIDE = 5  # the least height and width of images that Square can attack in l2
_SILENT = logging.Logger("AutoAttack", logging.CRITICAL + 1)


def auto_attack(
    model: Model,
    x: Tensor,
    labels: Tensor,
    norm: str,
    radius: float,
    seed: int,
    attacks: Sequence[str] = STANDARD,
    queries: int = QUERIES,
) -> Tensor:
    """Whether each image is classified right and stays so under every attack within the radius, (B,) bool.

    Attacks run in their order, each on what has survived so far. Equal arguments give equal results.

    Parameters
    ----------
    model : (M, ...) -> logits (M, classes), differentiable, of the dtype of x, the same function for every image.
    x : (B, ...) in [0, 1], float32 or float64; the attacks themselves compute in float32.
    labels : (B,) class numbers.
    norm : of the ball, "l2" or "linf".
    radius : at least 0.
    seed : of all that is drawn, at least 0.
    attacks : among NAMES. "apgd-t" compares four logits: with fewer classes give UNTARGETED.
    queries : of "square", at least 1.

    Raises
    ------
    UsageError : no such norm or attack; images, labels, radius, seed or queries out of range; too few classes; a model
        that cannot be attacked.
    UnavailableError : pyautoattack is not installed.
    """
    inputs.check_points(x)
    if float(x.min()) < BOX[0] or float(x.max()) > BOX[1]:
        raise UsageError(f"images must lie in [0, 1], got entries from {float(x.min()):g} to {float(x.max()):g}")
    if norm not in NORMS:
        raise UsageError(f"the norm must be one of {', '.join(NORMS)}, got {norm!r}")
    if not 0 <= radius < np.inf:
        raise UsageError(f"the radius must be finite and at least 0, got {radius}")
    if seed < 0 or queries < 1:
        raise UsageError(f"the seed must be at least 0 and queries at least 1, got {seed} and {queries}")
    x = x.detach()
    classes = inputs.check_model(model, x[:AT_ONCE], BOX)
    _check_attacks(attacks, classes)
    chosen = torch.as_tensor(inputs.class_numbers("labels", labels, len(x), classes), device=x.device)
    with torch.no_grad():
        alive = torch.cat([inputs.logits(model, part).argmax(1) for part in x.split(AT_ONCE)]) == chosen
    if radius == 0:
        return alive
    for number, name in enumerate(attacks):
        if not bool(alive.any()):
            break
        drawn = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
        for part in alive.nonzero()[:, 0].split(AT_ONCE):
            look()
            proposal = _proposed(name, model, x[part], chosen[part], norm, radius, drawn, queries, classes)
            alive[part] = ~_fooled(model, x[part], chosen[part], proposal, NORMS[norm][1], radius)
    return alive


def _check_attacks(attacks: Sequence[str], classes: int) -> None:
    if unknown := [name for name in attacks if name not in NAMES] or ([] if attacks else ["none"]):
        raise UsageError(f"attacks must be names among {', '.join(NAMES)}, got {unknown[0]!r}")
    if "apgd-t" in attacks and classes < 4:
        raise UsageError(f"apgd-t needs four classes at least, got {classes}: take attacks={UNTARGETED}")


def _fooled(model: Model, x: Tensor, labels: Tensor, proposal: Tensor, order: float, radius: float) -> Tensor:
    """Whether proposals, moved into the ball and into [0, 1], are classified wrong, (size,) bool."""
    way = proposal.double() - x.double()
    length = torch.linalg.vector_norm(way.flatten(1), order, dim=1)
    inwards = spread((radius / length.clamp(min=torch.finfo(torch.float64).tiny)).clamp(max=1.0), way)
    point = (x.double() + inwards * way).clamp(*BOX).to(x.dtype)
    with torch.no_grad():
        return flips(model(point), labels)


def _proposed(
    name: str,
    model: Model,
    x: Tensor,
    labels: Tensor,
    norm: str,
    radius: float,
    seed: int,
    queries: int,
    classes: int,
) -> Tensor:
    """What one attack makes of images that are classified right, as x."""
    shape = _shape(x) if name == "square" else x.shape[1:]
    padded = torch.zeros(len(x), *shape, device=x.device).flatten(1)
    padded[:, : x[0].numel()] = x.flatten(1)
    view = _View(model, x)
    with inputs.DRAWING, torch.random.fork_rng(_devices()):
        package = _package()(
            view, norm=NORMS[norm][0], eps=radius, seed=seed, attacks=[name], version="custom", device=x.device
        )
        found = _attack(package, name, queries, min(TARGETS, classes - 1))(padded.unflatten(1, shape), labels)
    return view.images(found.detach())


def _shape(x: Tensor) -> tuple[int, ...]:
    """The shape in which Square sees an element: an image as it is, anything else as a square with room to spare."""
    if x.ndim == 4 and min(x.shape[2:]) >= SIDE:
        return tuple(x.shape[1:])
    side = max(SIDE, int(np.ceil(np.sqrt(x[0].numel()))))
    return (1, side, side)


class _View:
    """The model as the package sees it: float32, elements in any shape, gradients with respect to them alone."""

    def __init__(self, model: Model, x: Tensor) -> None:
        self.model, self.like = model, x

    def images(self, z: Tensor) -> Tensor:
        """Elements in the shape and the dtype of the images; what was added to fill a square is left out."""
        return z.flatten(1)[:, : self.like[0].numel()].unflatten(1, self.like.shape[1:]).to(self.like.dtype)

    def __call__(self, z: Tensor) -> Tensor:
        look()
        return single(lambda point: self.model(self.images(point)), z)


def single(model: Model, z: Tensor) -> Tensor:
    """Logits in float32, with a gradient with respect to z and to nothing else.

    FAB goes back through them by `backward`, which would add to the gradients of weights.
    """
    return _Logits.apply(z, model)


class _Logits(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, model: Model) -> Tensor:
        with torch.set_grad_enabled(ctx.needs_input_grad[0]):
            ctx.z = z.detach().requires_grad_(ctx.needs_input_grad[0])
            ctx.logits = model(ctx.z).float()
        return ctx.logits.detach().clone()  # Square writes into it

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (gradient,) = torch.autograd.grad(ctx.logits, ctx.z, outer[0], retain_graph=True)
        return gradient.contiguous(), None


def _attack(package: Any, name: str, queries: int, targets: int) -> Callable[[Tensor, Tensor], Tensor]:
    """The attack of that name, (images, labels) -> proposals, in the settings of the package's standard version."""
    package.apgd.n_restarts = package.fab.n_restarts = 1
    package.apgd.logger = package.apgd_targeted.logger = _SILENT  # it warns of gradients that vanish
    package.apgd_targeted.n_target_classes = package.fab.n_target_classes = targets
    package.fab.targeted = name == "fab-t"
    package.square.n_queries = queries
    attack = {"apgd-ce": package.apgd, "apgd-t": package.apgd_targeted, "square": package.square}
    return attack.get(name, package.fab).perturb


@cache
def _package() -> Any:
    """The package's AutoAttack."""
    try:
        from pyautoattack import AutoAttack
    except ImportError:
        raise UnavailableError("AutoAttack needs the package pyautoattack: pip install pyautoattack") from None
    return AutoAttack


def _devices() -> list[int]:
    """The graphics cards whose generators the package sets, too."""
    return list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
