"""Feature compression of an ImageNet classifier on photographs, without knowing what theory says of it.

A photograph is taken with the nearest one (l2) of another class. The gradient of the difference of the two logits is
read along the segment between them, and the shortest perturbation is searched that makes the first a member of the
second's class: by the paper's attack, steps by the sign of the gradient, and by attacks of minimal norm.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import ATTACKS
from empirical.measures.photographs import (
    AFGHAN,
    ALL,
    NEAREST,
    SPRINGER,
    Pair,
    album,
    coded,
    pixels,
    population,
    try_out,
    unit,
)
from simulate.engine.study import Axis, Method, Point, Study, UsageError, integers

if TYPE_CHECKING:
    import torch

    from simulate.backends import Stream

WEIGHTS = "FRAGILITY_WEIGHTS"  # environment variable, so that workers find the file that --checkpoint names
SIDES = {"inception_resnet_v2": 299}  # of the square that a network sees; others 224
STEP = 1 / 255  # of the sign attack: one grey level (Kurakin et al. 2017)
BOX = (0.0, 1.0)
MOST_STEPS = 64  # after which the sign attack gives up
DIRECTIONS = 2  # random ones, in which the change of the gradient is sampled beside the steepest and the attack's
PICTURE = 112  # side of the pictures that are kept of the first pair
FLAGS = ("zero_gradient", "saturated", "out_of_box", "disagreement")
STATISTICS = (
    *("clean", "partner", "place", "clean_right", "partner_right", "length", "margin", "gradient", "cosine"),
    *("mean_cosine", "weighted", "signed_length", "first_order", "tie", "sign_attack", "sign_steps", "sign_tie"),
    *("distance", "attack", "untargeted", "smoothness", *FLAGS, "peak", "pictures"),
)
World = Mapping[str, np.ndarray]


def draw(stream: Stream, units: range, size: int, **_: Any) -> World:
    """Numbers of the pairs, (pairs,), and directions in which to sample the gradient, (pairs, DIRECTIONS, 3 size^2)."""
    return {"pairs": np.array(units), "directions": stream.normal(len(units), DIRECTIONS, 3 * size * size)}


def measure(backend: Any, world: World, model: str, weights: str, **point: Any) -> dict[str, np.ndarray]:
    """What is read of each pair, (pairs,) or (pairs, k); label and target are the classes of clean image and partner.

    clean, partner: these classes; place: of the partner's photograph in its folder, from 0; clean_right, partner_right:
    whether the network says so (0, 1); length: L = ||x_1 - x_2|| in units of [0, 1].
    margin, gradient, cosine: f = logit of label - logit of target, ||grad f|| and cos theta_k (NaN where the gradient
    is 0), at the (nodes,) nodes; mean_cosine: their plain mean; weighted: minus their mean weighted with ||grad f||.
    signed_length: the paper's M, by quadrature; first_order: (f(x_1) - f(x_2)) / ||grad f(x_2)||; tie: f(x_2) over
    the same, negative where f(x_2) < 0. NaN where the gradient at x_2 is 0.
    sign_attack: length of the paper's attack at its first success, after sign_steps steps; sign_tie: the length to
    which that can be drawn back towards x_2. distance: the least of sign_tie and the attacks of minimal norm on the
    target, `attack` of them the best (-1: sign_tie). untargeted: the least to any other class. NaN if all fail.
    smoothness: largest ||grad f(x) - grad f(x_2)|| / ||x - x_2|| seen at distance `distance`, a lower estimate of the
    Lipschitz constant there; NaN without a distance. `FLAGS`: of the bracket of the targeted attacks (0, 1).
    pictures: of pair 0 (else NaN) clean, partner and (128 + 127 delta / peak) / 255, as `coded` writes them.
    """
    net = _verified(model, weights, backend.device)
    pairs = population(point["source"], point["partners"], point["photographs"])
    rows = []
    for number, directions in zip(world["pairs"], world["directions"], strict=True):
        row = _pair(net, backend.device, pairs[number], directions, **point)
        if number:
            row["pictures"] = np.full_like(row["pictures"], np.nan)
        rows.append(row)
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    return {name: np.where(np.isinf(column), np.nan, column) for name, column in columns.items()}


def _pair(
    net: Any, device: str, pair: Pair, directions: np.ndarray, attacks: str, size: int, nodes: int, batch: int, **_: Any
) -> dict[str, Any]:
    import torch

    from empirical.attacks.bracket import bracket
    from empirical.attacks.judge import Judge
    from empirical.measures.path import ends, path

    seen = pixels(pair.clean, size)
    partner, place, nearest = album().nearest(seen, pair, size)
    label, target = album().output(pair.source), album().output(partner)
    x, other = (torch.from_numpy(unit(image)).to(device) for image in (seen, nearest))
    with torch.no_grad():
        said = [int(net(image).argmax()) for image in (x, other)]
    segment = path(net, x, other, label, target, ends(nodes), at_once=batch)
    slope = segment.norms[0, 0] or np.nan

    labels, targets = (torch.tensor([k], device=device) for k in (label, target))
    judge = Judge(net, x, labels, targets, box=BOX)
    stepped, steps = _sign_attack(judge)
    drawn, sign_tie = judge.bisect(stepped)
    found = bracket(net, x, labels, target=targets, box=BOX, attacks=attacks.split("+"))
    delta, least, best = torch.as_tensor(found.delta), float(found.upper[0]), int(found.attack[0])
    if float(sign_tie[0]) < least:
        delta, least, best = (drawn - x).cpu(), float(sign_tie[0]), -1
    peak = float(delta.abs().max())
    shown = (x, other, (128 + delta * (127 / (peak or 1.0))) / 255)
    return {
        "clean": label,
        "partner": target,
        "place": place,
        "clean_right": said[0] == label,
        "partner_right": said[1] == target,
        "length": segment.length[0],
        "margin": segment.values[0],
        "gradient": segment.norms[0],
        "cosine": segment.cosines[0],
        "mean_cosine": segment.cosines[0].mean(),
        "weighted": segment.weighted[0],
        "signed_length": segment.change[0] / slope,
        "first_order": (segment.values[0, -1] - segment.values[0, 0]) / slope,
        "tie": segment.values[0, 0] / slope,
        "sign_attack": float(judge.measure(stepped)[0]),
        "sign_steps": steps,
        "sign_tie": float(sign_tie[0]),
        "distance": least,
        "attack": best,
        "untargeted": min(_untargeted(net, pair.clean, label, size, attacks, device), least),
        "smoothness": _smoothness(net, x, label, target, delta.to(device), directions),
        **{name: found.flags[name][0] for name in FLAGS},
        "peak": peak,
        "pictures": np.concatenate([coded(image, PICTURE) for image in shown]),
    }


def _sign_attack(judge: Any) -> tuple[torch.Tensor, int]:
    """x moved by the sign of the gradient of the target's cross-entropy until the judge sees it flip, and the steps."""
    import torch

    moved = judge.x
    for step in range(MOST_STEPS):
        if bool(judge.flips(moved)[0]):
            return moved, step
        at = moved.detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(judge.model(at), judge.target)
        (slope,) = torch.autograd.grad(loss, at)
        moved = judge.inside(moved - STEP * slope.sign())
    return moved, MOST_STEPS


@lru_cache(maxsize=256)
def _untargeted(net: Any, clean: Path, label: int, size: int, attacks: str, device: str) -> float:
    """Least length that makes any other class of a photograph: the same for all its partners."""
    import torch

    from empirical.attacks.bracket import bracket

    x = torch.from_numpy(unit(pixels(clean, size))).to(device)
    labels = torch.tensor([label], device=device)
    return float(bracket(net, x, labels, box=BOX, attacks=attacks.split("+")).upper[0])


def _smoothness(
    net: Any, x: torch.Tensor, label: int, target: int, delta: torch.Tensor, directions: np.ndarray
) -> float:
    """Largest change of grad f over the distance ||delta||: along delta, against the gradient, in random directions."""
    import torch

    def gradient(at: torch.Tensor) -> torch.Tensor:
        at = at.detach().requires_grad_()
        logits = net(at)
        return torch.autograd.grad(logits[0, label] - logits[0, target], at)[0].double()

    here, radius = gradient(x), float(delta.double().norm())
    if not radius:
        return np.nan
    random = [torch.from_numpy(direction).to(x.device).reshape(x.shape) for direction in directions]
    changes = []
    for direction in (delta.double(), -here, *random):
        if length := float(direction.norm()):
            there = gradient((x.double() + radius / length * direction).to(x.dtype))
            changes.append(float((there - here).norm()) / radius)
    return max(changes)


@lru_cache(maxsize=2)
def _network(spec: str, checkpoint: str | None, device: str) -> Any:
    from empirical.models.load import build

    return build(spec, Path(checkpoint) if checkpoint else None, device)


@lru_cache(maxsize=2)
def _verified(spec: str, weights: str, device: str) -> Any:
    """The network of a point, whose weights must be those that the point names."""
    from empirical.models.load import weights_digest

    net = _network(spec, os.environ.get(WEIGHTS), device)
    if weights_digest(net) != weights:
        raise UsageError(f"{WEIGHTS} must name the weights {weights} on every machine, got {weights_digest(net)}")
    return net


def points(
    model: Sequence[str], checkpoint: str | None, size: Sequence[int] | None, source: Sequence[str], **axes: Any
) -> list[Point]:
    """Every network with every population of pairs; a point names its weights and photographs by their digests.

    `batch` belongs to a point, since it changes results by rounding.
    """
    from empirical.models.load import weights_digest

    if checkpoint:
        if len(model) > 1:
            raise UsageError(f"--model must be one where --checkpoint holds its weights, got {len(model)}")
        os.environ[WEIGHTS] = str(Path(checkpoint).absolute())
    pairs = {ends: album().pairs(*ends) for ends in product(source, axes["partners"])}
    shown = {ends: album().digest(chosen) for ends, chosen in pairs.items()}
    sweep: list[Point] = []
    for spec in model:
        net = _network(spec, os.environ.get(WEIGHTS), "cpu")
        weights = weights_digest(net)
        for side in size or [SIDES.get(spec, 224)]:
            try_out(net, album(), side, spec)
            for ends, attacks, nodes, batch in product(pairs, axes["attacks"], axes["nodes"], axes["batch"]):
                held = {"model": spec, "weights": weights, "photographs": shown[ends], "source": ends[0]}
                how = {"attacks": attacks, "size": side, "nodes": nodes, "batch": batch}
                sweep.append({**held, "partners": ends[1], **how})
    return sweep


def _names(flag: str) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        if "" in text.split(",") or "/" in text:
            raise UsageError(f"{flag} must be names without a slash, separated by commas, got {text!r}")
        return text.split(",")

    return parse


def _attacks(text: str) -> list[str]:
    if unknown := set(text.replace("+", ",").split(",")) - set(ATTACKS):
        raise UsageError(f"--attacks must be among {', '.join(ATTACKS)}, got {', '.join(sorted(unknown))}")
    return text.split(",")


STUDY = Study(
    name="imagenet_compression",
    says="compression between two photographs, for an ImageNet classifier (feature compression, Tables 7 and 8)",
    grid={
        "model": Axis(
            _names("--model"),
            ["inception_resnet_v2"],
            "inception_resnet_v2, or module:function that builds a torch module from images in [0, 1] to logits",
        ),
        "checkpoint": Axis(str, None, f"file of the network's weights (default: {WEIGHTS}, else the network's own)"),
        "source": Axis(_names("--source"), [SPRINGER], f"wnid of the clean photographs, or {ALL}; a list sweeps"),
        "partners": Axis(
            _names("--partners"),
            [AFGHAN],
            f"wnid of the class to be taken for, {ALL}, or {NEAREST}: that of the nearest photograph; a list sweeps",
        ),
        "attacks": Axis(
            _attacks, ["deepfool+ddn"], f"of minimal norm, joined by +, of {', '.join(ATTACKS)}; a list sweeps"
        ),
        "size": Axis(
            integers(32, "--size"), None, "side of the images in pixels (default 299 for inception_resnet_v2, else 224)"
        ),
        "nodes": Axis(integers(2, "--nodes"), [10], "points of the way at which gradients are taken; a list sweeps"),
        "batch": Axis(integers(1, "--batch"), [4], "images that go through the network together: bounds its memory"),
    },
    points=points,
    methods={
        "trained": Method(
            "a trained network on photographs",
            draw,
            measure,
            lambda **_: STATISTICS,
            lambda size, **_: 3 * size * size * (DIRECTIONS + 8),
            block=1,
            units=lambda source, partners, photographs, **_: len(population(source, partners, photographs)),
        )
    },
)

if __name__ == "__main__":
    from empirical.command import main

    main(STUDY, samples=None, full={"partners": [ALL], "attacks": ["deepfool+ddn+carlini_wagner"]})
