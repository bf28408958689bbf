"""Sevens and the ones made out of them by blocking a stroke: how far apart they are, and how far a network sees them.

A 7 of the test set loses pixel after pixel of its upper-left stroke, from the free end to the corner, until the network
calls it a 1 (feature compression, Section 6, MNIST). Between the two pictures, and around the 7, the network's logits
f = f_7 - f_1 and their gradient are read, and the smallest perturbation that makes the 7 a 1 is sought (Tables 5, 6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import QUICK, bracket
from empirical.attacks.convolutional import conv_distance
from empirical.measures.path import ends, midpoints, path
from empirical.measures.strokes import blocked, centred, upper_stroke, without
from simulate.engine.study import Axis, Method, Point, Study, UsageError, integers

if TYPE_CHECKING:
    import torch

    from empirical.data import Images
    from simulate.backends import Stream
    from simulate.backends.torch_backend import TorchBackend

SEVEN, ONE = 7, 1
NODES = 10  # alpha = 0, .111, ..., 1, as in the paper's tables
DATASETS = ("mnist", "digits")
RULES = ("enough", "halfway", "whole")
CERTIFICATES = ("none", "crown")
SHUFFLE = 7  # key of the order in which the sevens of a test set are taken
AT_ONCE = 256  # pictures classified together
ALWAYS = ("image", "says", "stroke", "verdict", "moved", "blocked", "works", "test_accuracy", "clean", "artificial")
NUMBERS = (
    "length",
    "margin",
    "other",
    "cosine",
    "weighted",
    "signed_length",
    "midpoint_length",
    "distance",
    "lower",
    "attack",
    "first_order",
    "untargeted",
)
FLAGS = ("zero_gradient", "saturated", "out_of_box", "disagreement")
World = tuple[np.ndarray, np.ndarray]


def draw(stream: Stream, units: range, dataset: str, construction: str, **_: Any) -> World:
    """Numbers (size,) in the test set of the sevens that are `units` in a fixed random order, and pictures in [0, 1].

    No draw is left: which network is trained is in the point, and the sevens are a finite population. For the
    construction "halfway" a picture is moved half the way that would bring what lies below its upper stroke to the
    middle of the frame: in its place the stem stands aside from where MNIST, which centres by mass, has its ones.
    """
    test = _images(dataset, "test")
    sevens = np.flatnonzero(test.labels == SEVEN)
    shuffled = sevens[np.random.Generator(np.random.Philox(SHUFFLE)).random(len(sevens)).argsort()]
    chosen = shuffled[units.start : units.stop]
    pictures = test.x[chosen] / 255.0
    if construction == "halfway":
        pictures = np.stack([_moved(picture, picture, 0.5) for picture in pictures])
    return chosen.astype(float), pictures


def _moved(picture: np.ndarray, shown: np.ndarray, share: float = 1.0) -> np.ndarray:
    """What is shown, moved as centres what lies below the upper stroke of the picture, or this share of the way."""
    rest = without(picture, upper_stroke(picture).order)
    return centred(picture, rest, shown, share) if rest.any() else shown


def measure(
    backend: TorchBackend, world: World, dataset: str, construction: str, certificate: str, epochs: int, network: int
) -> dict[str, np.ndarray]:
    """What a trained network makes of each 7, (size,) or (size, k).

    image, its number in the test set; clean, its pixels; says, the network's class; stroke, pixels of the upper stroke;
    verdict, the class when the whole stroke is blocked; moved, the class of that picture when its centre of mass is
    moved to the middle, where MNIST has it; test_accuracy of the network.
    artificial, the picture x_1: without so many pixels of the stroke that the network says 1, and for the construction
    "whole" without all of them; if it never says 1, without all, too. works: 1 if the 7 is classified as 7 and x_1 as
    1; for "whole" x_1 may be classified as anything, but there must be a stroke. blocked is then the number of pixels.

    NaN where works is 0:
    length L = ||x_1 - x_2||; margin and other f(x_2), f(x_1) for f = f_7 - f_1, gradient grad f(x_2); cosine of
    grad f(x_2) and x_1 - x_2, negative where f falls; cosines and norms ||grad f|| at `NODES` nodes, both ends
    included; weighted, the mean of -cos theta there, weighted by ||grad f||; signed_length by Table 8's formula
    at these nodes, midpoint_length at as many midpoints.
    perturbed, the nearest picture found that is classified as 1, in the box [0, 1], and distance from the 7; lower, a
    lower bound, 0 without a certificate; attack that found it; first_order estimate; by_..., the distance of each
    attack, inf where it failed; flags; untargeted, the distance to any other class.
    """
    import torch

    numbers, pictures = world
    size = len(numbers)
    net, accuracy = _network(dataset, epochs, network, backend.device)

    def tensor(images: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(images[:, None], dtype=torch.float32, device=backend.device)

    def classes(images: np.ndarray) -> np.ndarray:
        return _classes(net, tensor(images))

    built = [_artificial(classes, picture, construction) for picture in pictures]
    artificial = np.stack([picture for picture, *_ in built])
    says, stroke, verdict, moved, count = (np.array(column, float) for column in list(zip(*built, strict=True))[1:])
    works = ~np.isnan(count)
    found: dict[str, np.ndarray] = {
        "image": numbers,
        "says": says,
        "stroke": stroke,
        "verdict": verdict,
        "moved": moved,
        "blocked": count,
        "works": works.astype(float),
        "test_accuracy": np.full(size, accuracy),
        "clean": pictures.reshape(size, -1),
        "artificial": artificial.reshape(size, -1),
    }
    read = _read(net, tensor(pictures[works]), tensor(artificial[works]), certificate == "crown") if works.any() else {}
    for name, width in _shapes(pictures[0].size).items():
        column = np.full((size, width) if width else size, np.nan)
        if works.any():
            column[works] = read[name]
        found[name] = column
    return found


def _artificial(classes: Any, picture: np.ndarray, construction: str) -> tuple[np.ndarray, int, int, int, int, float]:
    """x_1; class of the picture; pixels of its stroke; class without the stroke, and moved; pixels blocked, or NaN."""
    order = upper_stroke(picture).order
    prefixes = blocked(picture, order)
    said = classes(np.concatenate([prefixes, _moved(picture, prefixes[-1])[None]]))
    counts = np.flatnonzero(said[:-1] == ONE) if construction != "whole" else np.arange(len(order), 0, -1)
    works = said[0] == SEVEN and len(counts) > 0
    chosen = prefixes[counts[0] if works else -1]
    return chosen, int(said[0]), len(order), int(said[-2]), int(said[-1]), float(counts[0]) if works else np.nan


def _read(net: Any, clean: torch.Tensor, artificial: torch.Tensor, certified: bool) -> dict[str, np.ndarray]:
    """All that `measure` says is NaN where the construction fails."""
    import torch

    direct = path(net, clean, artificial, SEVEN, ONE, ends(NODES))
    between = path(net, clean, artificial, SEVEN, ONE, midpoints(NODES))
    x = clean.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad((net(x)[:, SEVEN] - net(x)[:, ONE]).sum(), x)
    label = torch.full((len(clean),), SEVEN, device=clean.device)
    target = torch.full_like(label, ONE)
    lower = conv_distance(net, clean, label, target) if certified else np.zeros(len(clean))
    attacked = bracket(net, clean, label, target=target, box=(0.0, 1.0), lower=lower, attacks=QUICK)
    escaped = bracket(net, clean, label, box=(0.0, 1.0), attacks=QUICK)
    return {
        "length": direct.length,
        "margin": direct.values[:, 0],
        "other": direct.values[:, -1],
        "cosine": direct.cosines[:, 0],
        "cosines": direct.cosines,
        "norms": direct.norms,
        "weighted": direct.weighted,
        "signed_length": direct.signed_length(direct.norms[:, 0]),
        "midpoint_length": between.signed_length(direct.norms[:, 0]),
        "gradient": gradient.flatten(1).cpu().numpy(),
        "perturbed": clean.flatten(1).cpu().numpy() + attacked.delta.reshape(len(clean), -1),
        "lower": attacked.lower,
        "distance": attacked.upper,
        "untargeted": np.minimum(escaped.upper, attacked.upper),
        "attack": attacked.attack,
        "first_order": attacked.first_order,
        **{name: attacked.flags[name] for name in FLAGS},
        **{f"by_{name}": attacked.each[:, k] for k, name in enumerate(attacked.names)},
    }


def _images(dataset: str, split: str) -> Images:
    from empirical.data import load

    return load(dataset, split)


def _network(dataset: str, epochs: int, network: int, device: str) -> tuple[Any, float]:
    """Network number `network` and its accuracy on the test set."""
    from empirical.training.mnist import trained

    net, history = trained(network, epochs, _images(dataset, "train"), _images(dataset, "test"), device, dataset)
    return net, history[-1]["test_accuracy"]


def _classes(net: Any, images: torch.Tensor) -> np.ndarray:
    """Classes of pictures (size, 1, height, width)."""
    import torch

    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in images.split(AT_ONCE)]).cpu().numpy()


def _shapes(pixels: int) -> dict[str, int]:
    """Columns that are NaN where the construction fails, and their widths, 0 for a single number."""
    single = dict.fromkeys((*NUMBERS, *FLAGS, *(f"by_{name}" for name in QUICK)), 0)
    return single | {"cosines": NODES, "norms": NODES, "gradient": pixels, "perturbed": pixels}


def points(
    dataset: Sequence[str],
    construction: Sequence[str],
    epochs: Sequence[int],
    network: Sequence[int],
    certificate: Sequence[str],
) -> list[Point]:
    """Every data set with every construction, length of training and network, with certificates or without."""
    axes = ("dataset", "construction", "certificate", "epochs", "network")
    swept = product(dataset, construction, certificate, epochs, network)
    return [dict(zip(axes, values, strict=True)) for values in swept]


def _among(flag: str, names: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        for part in text.split(","):
            if part not in names:
                raise UsageError(f"{flag} must be among {', '.join(names)}, got {part}")
        return text.split(",")

    return parse


def _sevens(dataset: str, **_: Any) -> int:
    return int((_images(dataset, "test").labels == SEVEN).sum())


STUDY = Study(
    name="mnist_compression",
    says="sevens against the ones made by blocking their upper stroke (feature compression, Tables 5 and 6)",
    grid={
        "dataset": Axis(_among("--dataset", DATASETS), ["mnist"], "mnist, or digits of 8 x 8 pixels; a list sweeps"),
        "construction": Axis(
            _among("--construction", RULES),
            ["enough"],
            "the artificial 1: enough, the upper stroke is blocked until the network says 1; halfway, the same after "
            "the 7 has been moved so that it and its stem are equally far from the middle; whole, all of the stroke "
            "is blocked whatever the network says; a list sweeps",
        ),
        "epochs": Axis(integers(1, "--epochs"), [5], "epochs of training; a list sweeps"),
        "certificate": Axis(
            _among("--certificate", CERTIFICATES),
            ["none"],
            "certified lower bounds of the perturbation: none, or crown, some seconds an image; a list sweeps",
        ),
        "network": Axis(
            integers(0, "--network"), [0], "networks by number, which is the seed of their training; a list sweeps"
        ),
    },
    points=points,
    methods={
        "trained": Method(
            "the two-convolution network trained on all digits",
            draw,
            measure,
            lambda **_: (*ALWAYS, *_shapes(0)),
            lambda **_: 4 * 28 * 28,
            block=16,
            units=_sevens,
        )
    },
)

if __name__ == "__main__":
    from empirical.command import main

    full = {"epochs": [14], "network": list(range(5)), "construction": list(RULES), "samples": 1028}
    main(STUDY, samples=256, full=full)
