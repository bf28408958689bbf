"""What is read of a pair of photographs: the network's gradient on the way, and the lengths that attacks need."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.imagenet_compression.pairs import BOX, Pair, album, coded, named, pixels, population, try_out, unit
from empirical.models.files import digest
from fragility.engine.context import Context, current
from fragility.engine.statistics import FLAG, Statistic, Statistics
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    import torch

OWN = "own"  # in place of a digest: the weights with which the default network comes
STEP = 1 / 255  # of the sign attack: one grey level (Kurakin et al. 2017)
MOST_STEPS = 64  # after which the sign attack gives up
DIRECTIONS = 2  # random ones, in which the change of the gradient is sampled beside the steepest and the attack's
PICTURE = 112  # side of the pictures that are kept of the first pair
FLAGS = ("zero_gradient", "saturated", "out_of_box", "disagreement")
WAY = ("nodes",)
# x_2 is the clean photograph, x_1 its partner's, f = logit of the class of x_2 - logit of that of x_1.
STATISTICS = Statistics(
    {
        "clean": Statistic("class of x_2"),
        "partner": Statistic("class of x_1"),
        "place": Statistic("of x_1 in its folder, from 0"),
        "clean_right": Statistic("whether the network says so of x_2", FLAG),
        "partner_right": Statistic("whether it says so of x_1", FLAG),
        "length": Statistic("L = ||x_1 - x_2||"),
        "margin": Statistic("f", "", WAY),
        "gradient": Statistic("||grad f||", "", WAY),
        "cosine": Statistic("cos theta_k of grad f and x_1 - x_2, NaN where the gradient is 0", "", WAY),
        "mean_cosine": Statistic("plain mean of these"),
        "weighted": Statistic("minus their mean weighted with ||grad f||"),
        "signed_length": Statistic("the paper's M, by quadrature, NaN where the gradient at x_2 is 0"),
        "first_order": Statistic("(f(x_1) - f(x_2)) / ||grad f(x_2)||"),
        "tie": Statistic("f(x_2) / ||grad f(x_2)||, negative where f(x_2) < 0"),
        "sign_attack": Statistic("length of the paper's attack at its first success, NaN where it fails"),
        "sign_steps": Statistic("steps that it took", "grey levels"),
        "sign_tie": Statistic("length to which it can be drawn back towards x_2"),
        "distance": Statistic("least of sign_tie and the attacks of minimal norm on the target, NaN if all fail"),
        "attack": Statistic("which of them is the best, by its place; -1: sign_tie"),
        "untargeted": Statistic("the least length to any other class, NaN if all fail"),
        "smoothness": Statistic(
            "largest ||grad f(x) - grad f(x_2)|| / ||x - x_2|| seen at that distance, a lower estimate of the "
            "Lipschitz constant; NaN without a distance"
        ),
        **dict.fromkeys(FLAGS, Statistic("flag of the bracket of the targeted attacks", FLAG)),
        "peak": Statistic("largest entry of the least perturbation delta, in absolute value"),
        "pictures": Statistic(
            "of pair 0, else NaN: x_2, x_1 and (128 + 127 delta / peak) / 255, as `coded` writes them",
            "65536 red + 256 green + blue",
            (3 * PICTURE**2,),
        ),
        "network": Statistic("digest of the weights that were measured, as a number"),
    }
)
World = Mapping[str, np.ndarray]


def measure(backend: Any, world: World, model: str, weights: str, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of each pair; NaN where no attack succeeds, or no gradient gives a direction."""
    net, network = tried_network(model, weights, point["size"], backend.device, current())
    pairs = population(point["source"], point["partners"], point["photographs"])
    rows = []
    for number, directions in zip(world["pairs"], world["directions"], strict=True):
        with named(model):
            row = _pair(net, backend.device, pairs[number], directions, **point)
        if number:
            row["pictures"] = np.full_like(row["pictures"], np.nan)
        rows.append({**row, "network": int(network, 16)})
    columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in rows[0]}
    return {name: np.where(np.isinf(column), np.nan, column) for name, column in columns.items()}


def _pair(
    net: Any, device: str, pair: Pair, directions: np.ndarray, attacks: str, size: int, nodes: int, batch: int, **_: Any
) -> dict[str, Any]:
    import torch

    from empirical.attacks.bracket import bracket
    from empirical.decisions.judge import Judge
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
def tried_network(spec: str, weights: str, size: int, device: str, context: Context) -> tuple[Any, str]:
    """The network of a point, after it was tried on a few photographs, and the digest of the weights that it has.

    Raises
    ------
    UsageError : the weights are not those of the point, or the network is no classifier of photographs.
    """
    from empirical.models.load import INCEPTION, Watched, weights_digest

    if (found := weights_named(spec)) != weights:
        given = "--checkpoint must be the file" if context.weights else f"--model {spec} must have the weights"
        raise UsageError(f"{given} {weights} wherever shards are measured, and every time, got {found}")
    net = _built(spec, context)
    try_out(net, album(), size, spec)
    moved = net.to(device)
    return moved if spec == INCEPTION else Watched(moved), weights_digest(net)


def weights_named(spec: str) -> str:
    """What a point says of the weights of a network: a digest of the file that has them, or else of themselves.

    Those that the default network comes with have a checksum of their own, and are not looked at for that.

    Raises
    ------
    UsageError : there is no such file or network.
    """
    if given := current().weights:
        return digest(given)

    from empirical.models.load import INCEPTION, weights_digest

    return OWN if spec == INCEPTION else weights_digest(_built(spec, current()))


@lru_cache(maxsize=2)  # so that a network which begins at random is the same for a point and for what is measured there
def _built(spec: str, context: Context) -> Any:
    from empirical.models.load import build

    return build(spec, context.weights)
