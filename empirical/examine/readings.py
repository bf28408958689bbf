"""What is read of a network at images: brackets of the smallest perturbation, ways to other images, certificates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from inspect import signature

import numpy as np
import torch
from torch import Tensor, nn

from empirical.attacks.bracket import ATTACKS, bracket, crossed
from empirical.attacks.problem import Problem
from empirical.certificates import joint
from empirical.certificates.chosen import Certified, certified, sequence
from empirical.decisions.judge import Judge, margin, spread
from empirical.measures.path import ends, path
from empirical.models.described import described
from empirical.models.load import Watched
from fragility.engine.study import UsageError

BOX = (0.0, 1.0)
NOISES = 8  # random perturbations of the length of the shortest one found
STEP = 0.05  # of a difference quotient, in first-order distances
LARGEST = 1 << 17  # numbers in all layers of the largest network that is certified: twice what those of MNIST hold
Columns = dict[str, np.ndarray]


def attacked(
    net: nn.Module, x: Tensor, labels: np.ndarray, lower: np.ndarray, attacks: Sequence[str], steps: int, seed: int
) -> Columns:
    """The bracket of the smallest perturbation of each image, its prediction, and what tells masked gradients.

    Parameters
    ----------
    labels, lower : (B,), class numbers and certified lengths.
    steps : of each attack that takes steps.
    seed : of the random perturbations.
    """
    model = Watched(net)
    stepping = {name: steps for name in attacks if "steps" in signature(ATTACKS[name]).parameters}
    found = bracket(model, x, labels, box=BOX, lower=lower, attacks=attacks, steps=stepping)
    right = torch.as_tensor(labels, device=x.device)
    judge = Judge(model, x, right, None, BOX)
    with torch.no_grad():
        clean = margin(model(x), right).double().cpu().numpy()
    slope = _slope(model, x, right)
    return {
        "margin": clean,
        "upper": np.where(np.isinf(found.upper), np.nan, found.upper),
        "lower": found.lower,
        "first_order": np.where(np.isinf(found.first_order), np.nan, found.first_order),
        **{name: found.flags[name] for name in ("zero_gradient", "saturated", "disagreement")},
        "crossed": crossed(found.lower, found.upper),
        "quotient": _quotient(model, x, right, slope, found.first_order),
        "noise": _noise(judge, found.upper, seed),
        "slope": slope.norm(dim=1).cpu().numpy(),
        "sign_factor": _sign_factor(slope),
    }


def _slope(model: nn.Module, x: Tensor, labels: Tensor) -> Tensor:
    """Gradient of the margin of each image, (B, n) in float64."""
    at = x.detach().requires_grad_()
    with torch.enable_grad():
        (found,) = torch.autograd.grad(margin(model(at), labels).sum(), at)
    return found.flatten(1).double()


def _quotient(model: nn.Module, x: Tensor, labels: Tensor, slope: Tensor, first_order: np.ndarray) -> np.ndarray:
    """Central difference quotient of the margin along its gradient, over the gradient's length, (B,); NaN without one.

    Of a step that is a part of the first-order distance: where it is far from 1, gradients do not tell of the network.
    """
    length = slope.norm(dim=1)
    step = torch.as_tensor(STEP * np.abs(first_order), device=x.device)
    step = step.where(step.isfinite() & (step > 0), 1e-3)
    way = spread(step / length, x) * slope.reshape(x.shape)
    with torch.no_grad():
        values = [margin(model((x.double() + sign * way).to(x.dtype)), labels).double() for sign in (1, -1)]
    return ((values[0] - values[1]) / (2 * step * length)).where(length > 0, torch.nan).cpu().numpy()


def _noise(judge: Judge, upper: np.ndarray, seed: int) -> np.ndarray:
    """How many random perturbations of the length `upper` turn each image, (B,); NaN where that is 0 or not known."""
    generator = torch.Generator().manual_seed(seed)
    known = np.isfinite(upper) & (upper > 0)
    lengths = torch.as_tensor(np.where(known, upper, 0.0), device=judge.x.device)
    turned = np.zeros(len(upper))
    for _ in range(NOISES):
        way = torch.randn(judge.x.shape, generator=generator, dtype=torch.float64).to(judge.x.device)
        way = spread(lengths / way.flatten(1).norm(dim=1), way) * way
        turned += judge.flips(judge.inside((judge.x.double() + way).to(judge.x.dtype))).cpu().numpy()
    return np.where(known, turned, np.nan)


def _sign_factor(slope: Tensor) -> np.ndarray:
    """sqrt(n) ||g||_2 / ||g||_1, (B,): at least 1; NaN where the gradient is 0."""
    total = slope.abs().sum(1)
    factor = math.sqrt(slope.shape[1]) * slope.norm(dim=1) / total
    return factor.where(total > 0, torch.nan).cpu().numpy()


def partners(x: np.ndarray, numbers: np.ndarray, said: np.ndarray) -> np.ndarray:
    """Place of the nearest image (l2) that is put elsewhere, for each of some images; -1 where all are of one class.

    Parameters
    ----------
    x : all images, (N, ...).
    numbers : places of some, (B,).
    said : classes of all, (N,).
    """
    flat, found = x.reshape(len(x), -1), []
    for number in numbers:
        apart = np.array([np.linalg.norm((other - flat[number]).astype(np.float64)) for other in flat])
        apart[said == said[number]] = np.inf
        found.append(int(np.argmin(apart)) if np.isfinite(apart).any() else -1)
    return np.array(found)


def way(net: nn.Module, x: Tensor, other: Tensor, label: np.ndarray, target: np.ndarray, nodes: int) -> Columns:
    """Values, gradients and cosines on the segments from images to others, of label against target."""
    segment = path(Watched(net), x, other, label, target, ends(nodes), at_once=max(1, len(x)))
    slope = np.where(segment.norms[:, 0] > 0, segment.norms[:, 0], np.nan)
    return {
        "length": segment.length,
        "values": segment.values,
        "gradient": segment.norms,
        "cosine": segment.cosines,
        "weighted": segment.weighted,
        "signed_length": segment.change / slope,
        "change": (segment.values[:, -1] - segment.values[:, 0]) / slope,
    }


def linearised(net: nn.Module, x: Tensor, labels: np.ndarray) -> Columns:
    """What a network says, its margins, and the least distance of a linearised boundary, (B,) each."""
    right = torch.as_tensor(labels, device=x.device)
    problem = Problem(Judge(Watched(net), x, right, None, BOX))
    first_order = problem.first_order.cpu().numpy()
    return {
        "said": problem.logits.argmax(1).cpu().numpy(),
        "margin": problem.margin.double().cpu().numpy(),
        "first_order": np.where(np.isinf(first_order), np.nan, first_order),
    }


def smallest(net: nn.Module, x: Tensor, labels: np.ndarray, size: int) -> Certified:
    """The certificate of the smallest perturbation that the architecture allows, of networks up to `LARGEST`.

    Parameters
    ----------
    size : numbers that all layers hold of one image.
    """
    if why_not := _uncertified(net, size):
        return Certified(np.zeros(len(x)), "", why_not)
    return certified(net, x, labels, None, BOX)


def jointly(
    net: nn.Module, x: Tensor, labels: np.ndarray, radii_x: Sequence[float], radii_w: Sequence[float], size: int
) -> np.ndarray | str:
    """Whether images are right and stay so at each pair of radii, (B, x, w), by linear bounds; or why nobody knows."""
    if why_not := _uncertified(net, size):
        return why_not
    try:
        modules = sequence(net)
        network = described(nn.Sequential(*(module.to(x) for module in modules)))
        held = joint.certified(network, x, torch.as_tensor(labels, device=x.device), radii_x, radii_w)
    except (UsageError, ValueError) as error:
        return str(error)
    return held["crown"].astype(float)


def _uncertified(net: nn.Module, size: int) -> str:
    """Why there is no certificate of such a network, if that can be told from its class and its size."""
    if not isinstance(net, nn.Sequential):
        return f"certificates are for torch.nn.Sequential, the network is a {type(net).__name__}"
    if size > LARGEST:
        return f"certificates are for networks whose layers hold up to {LARGEST:,} numbers of an image, got {size:,}"
    return ""
