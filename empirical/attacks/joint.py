"""Joint attack on inputs and weights: projected gradient ascent on both at once ("Joint margin bounds", Section 4.1).

Images are attacked in groups. A group has one perturbed copy of the weights, shared by its images: groups of an
evaluation batch are the paper's reading, a group for every image is what its theorem allows. Several groups, each
with budgets of its own, go through the network side by side. The network's own weights are never touched: whatever
interrupts an attack, they are bit for bit what they were.

What counts is what the perturbed network says of the perturbed inputs when it is asked again after the attack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from fragility.engine.stop import look

PIXELS = (0.0, 1.0)
REACH = 2.5  # radii that all steps are long together where steps go by the radius
LOSSES = ("cross_entropy", "margin")


@dataclass(frozen=True)
class Ascent:
    """How an attack climbs; the default is the paper's.

    Parameters
    ----------
    steps : iterations.
    step_x, step_w : lengths of a step in every input and every weight.
    rescaled : steps of 2.5 radius / steps in place of these: 100 steps of 0.0005 end at 0.05, however large the radius.
    loss : "cross_entropy", summed over a group; or "margin", the largest other logit less the label's, where images
        that are turned already count no more. In float32 the cross-entropy rounds its gradient away: that of the
        label's logit from a lead of 17 on, all of it from 104 on.
    alternating : inputs move in the odd steps, weights in the even ones, each given what the other has become.
    random : a uniform start in both balls; else the clean point.
    best : of all iterates the one that leaves the fewest images of the group right; else the last.
    """

    steps: int = 100
    step_x: float = 0.01
    step_w: float = 0.0005
    rescaled: bool = False
    loss: str = "cross_entropy"
    alternating: bool = False
    random: bool = False
    best: bool = False

    def lengths(self, radii: Tensor, step: float) -> Tensor:
        """The step of each group."""
        moves = max(self.steps // 2 if self.alternating else self.steps, 1)
        return REACH * radii / moves if self.rescaled else torch.full_like(radii, step)


class Found(NamedTuple):
    """Where attacks on `groups` groups ended.

    Parameters
    ----------
    x : perturbed inputs, (groups, B, ...).
    weights : perturbed weights by name, each (groups, *shape).
    right : whether each image is classified right there, (groups, B) bool.
    """

    x: Tensor
    weights: dict[str, Tensor]
    right: Tensor


def joint_attack(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    radius_x: Sequence[float],
    radius_w: Sequence[float],
    ascent: Ascent,
    seeds: Sequence[Sequence[int]] = (),
) -> Found:
    """Attacks groups of images and, for each group, a copy of the weights.

    Every coordinate of an input moves by at most its radius, within [0, 1]; every weight and bias by at most its own.
    No rounding leads out of the balls. A start on which the loss does not depend stays where it is, as sgn(0) = 0.

    Parameters
    ----------
    model : in evaluation mode, maps (B, ...) to logits; an image's do not depend on the others.
    x : (groups, B, ...) in [0, 1].
    y : (groups, B) int64.
    radius_x, radius_w : one for each group, at least 0.
    seeds : nonnegative integers for each group, which random starts are a function of.
    """
    held = {name: value.detach() for name, value in model.named_parameters()}
    ball_x, ball_w = _Balls(x, radius_x, PIXELS), {}
    if any(radius_w):
        stacked = {name: value.expand(len(x), *value.shape) for name, value in held.items()}
        ball_w = {name: _Balls(value, radius_w) for name, value in stacked.items()}
    point = {"": x.clone(), **{name: ball.centre.clone() for name, ball in ball_w.items()}}
    balls = {"": ball_x, **ball_w}
    if ascent.random:
        for group, seed in enumerate(seeds):
            stream = torch.Generator(x.device).manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
            for name, ball in balls.items():
                point[name][group] = ball.somewhere(group, stream)
    reached = _climb(model, held, point, balls, y, ascent, moves_x=any(radius_x))
    weights = {name: reached.get(name, value.expand(len(x), *value.shape)) for name, value in held.items()}
    return Found(reached[""], weights, decisions(model, weights, reached[""], y))


def decisions(model: nn.Module, weights: Mapping[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Whether each image is classified right by the network with its group's weights, (groups, B) bool.

    Each group is one plain evaluation of the network: the judge of what an attack found.
    """
    right = []
    with torch.no_grad():
        for group, (images, labels) in enumerate(zip(x, y, strict=True)):
            own = {name: value[group] for name, value in weights.items()}
            right.append(functional_call(model, own, (images,)).argmax(1) == labels)
    return torch.stack(right)


class _Balls:
    """l_inf balls around `centre` (groups, ...), one radius for each group, cut off at `limits`.

    Their ends are rounded inwards: no float32 number between them is farther from the centre than the radius.
    """

    def __init__(self, centre: Tensor, radii: Sequence[float], limits: tuple[float, float] | None = None) -> None:
        self.centre = centre
        wide = torch.as_tensor(np.asarray(radii, dtype=float), device=centre.device)
        self.radii = wide.reshape(-1, *[1] * (centre.ndim - 1))
        self.low = _rounded(centre.double() - self.radii, centre, torch.inf)
        self.high = _rounded(centre.double() + self.radii, centre, -torch.inf)
        if limits is not None:
            self.low, self.high = self.low.clamp(min=limits[0]), self.high.clamp(max=limits[1])

    def somewhere(self, group: int, stream: torch.Generator) -> Tensor:
        """A uniform point of a group's ball, before it is cut off at the limits."""
        centre = self.centre[group]
        share = torch.rand(centre.shape, dtype=centre.dtype, device=centre.device, generator=stream)
        moved = centre + self.radii[group].to(centre.dtype) * (2 * share - 1)
        return torch.clamp(moved, self.low[group], self.high[group])

    def step(self, point: Tensor, gradient: Tensor, lengths: Tensor) -> None:
        """Moves a point of the balls in place, by the signs of the gradient."""
        point.addcmul_(gradient.sign_(), lengths.to(point.dtype).reshape(self.radii.shape))
        point.clamp_(self.low, self.high)


def _rounded(ends: Tensor, like: Tensor, inwards: float) -> Tensor:
    """Ends of balls in the precision of `like`, those that rounding moved outwards put one number back inwards."""
    near = ends.to(like.dtype)
    beyond = near.double() < ends if inwards > 0 else near.double() > ends
    return torch.where(beyond, torch.nextafter(near, torch.full_like(near, inwards)), near)


def _climb(
    model: nn.Module,
    held: Mapping[str, Tensor],
    point: dict[str, Tensor],
    balls: Mapping[str, _Balls],
    y: Tensor,
    ascent: Ascent,
    moves_x: bool,
) -> dict[str, Tensor]:
    """The last iterate, or the best of all, of the inputs (named "") and of all weights that move."""
    radii = {name: ball.radii.flatten() for name, ball in balls.items()}
    lengths = {name: ascent.lengths(radii[name], ascent.step_w if name else ascent.step_x) for name in balls}
    moving = [name for name in balls if name or moves_x]
    best, fewest = {name: value.clone() for name, value in point.items()}, torch.full_like(y[:, 0], y.shape[1] + 1)
    for number in range(ascent.steps):
        look()
        turn = [name for name in moving if not ascent.alternating or bool(name) == bool(number % 2)]
        for name in moving:
            point[name].requires_grad_(name in turn)
        logits = _logits(model, held, point)
        if ascent.best:
            fewest = _kept(best, fewest, point, logits, y)
        if turn:
            with torch.enable_grad():
                gradients = torch.autograd.grad(_loss(logits, y, ascent.loss), [point[name] for name in turn])
            with torch.no_grad():
                for name, gradient in zip(turn, gradients, strict=True):
                    balls[name].step(point[name], gradient, lengths[name])
    last = {name: value.detach() for name, value in point.items()}
    if not ascent.best:
        return last
    _kept(best, fewest, last, _logits(model, held, last).detach(), y)
    return best


def _logits(model: nn.Module, held: Mapping[str, Tensor], point: Mapping[str, Tensor]) -> Tensor:
    """(groups, B, classes)."""
    x = point[""]
    moved = {name: value for name, value in point.items() if name}
    if not moved:
        return functional_call(model, dict(held), (x.flatten(0, 1),)).unflatten(0, x.shape[:2])
    still = {name: value for name, value in held.items() if name not in moved}
    return vmap(lambda own, images: functional_call(model, {**still, **own}, (images,)))(moved, x)


def _loss(logits: Tensor, y: Tensor, loss: str) -> Tensor:
    if loss == "cross_entropy":
        return nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="sum")
    lead = logits.gather(2, y[:, :, None])[:, :, 0] - logits.scatter(2, y[:, :, None], -torch.inf).amax(2)
    return -lead.clamp(min=0).sum()


def _kept(best: dict[str, Tensor], fewest: Tensor, point: Mapping[str, Tensor], logits: Tensor, y: Tensor) -> Tensor:
    """Takes those groups into `best` that are the best so far, in place; the fewest images right so far, (groups,)."""
    right = (logits.detach().argmax(2) == y).sum(1)
    better = right < fewest
    if bool(better.any()):
        for name, value in point.items():
            best[name][better] = value.detach()[better]
    return torch.minimum(right, fewest)
