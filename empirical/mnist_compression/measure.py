"""What a network makes of a 7 and of the 1 that is made out of it, and how far the one is from the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import TARGETED, bracket
from empirical.certificates.convolutional import conv_distance
from empirical.data import splits
from empirical.measures.path import ends, midpoints, path
from empirical.mnist_compression.strokes import blocked, recentred, upper_stroke
from fragility.engine.statistics import FLAG, SHARE, Statistic, Statistics

if TYPE_CHECKING:
    import torch

    from fragility.backends.torch_backend import TorchBackend

SEVEN, ONE = 7, 1
NODES = 10  # alpha = 0, .111, ..., 1, as in the paper's tables
AT_ONCE = 256  # pictures classified together
FLAGS = ("zero_gradient", "saturated", "out_of_box", "disagreement")
WAY, PIXELS = (NODES,), ("pixels",)
ATTACKS = ("fast_gradient", "sign_gradient", *TARGETED)
BY = tuple(map("by_{}".format, ATTACKS))
# x_2 is the 7, x_1 the artificial 1, f = f_7 - f_1 of the network's logits.
STATISTICS = Statistics(
    {
        "image": Statistic("number of the 7 in the test set"),
        "says": Statistic("the network's class of it"),
        "stroke": Statistic("length of its upper stroke", "pixels"),
        "verdict": Statistic("class when the whole stroke is blocked"),
        "moved": Statistic("class of that picture with its centre of mass in the middle, where MNIST has it"),
        "blocked": Statistic("how many are blocked in x_1, NaN where the construction fails", "pixels"),
        "works": Statistic("whether the construction works", FLAG),
        "test_accuracy": Statistic("of the network", SHARE),
        "clean": Statistic("x_2", SHARE, PIXELS),
        "artificial": Statistic("x_1", SHARE, PIXELS),
        "length": Statistic("L = ||x_1 - x_2||", optional=True),
        "margin": Statistic("f(x_2)", optional=True),
        "other": Statistic("f(x_1)", optional=True),
        "cosine": Statistic("cosine of grad f(x_2) and x_1 - x_2, negative where f falls", optional=True),
        "weighted": Statistic("mean of -cos theta along the way, weighted by ||grad f||", optional=True),
        "signed_length": Statistic("Table 8's formula at the nodes", optional=True),
        "midpoint_length": Statistic("the same at as many midpoints", optional=True),
        "distance": Statistic("length of the least perturbation found that makes x_2 a 1 in [0, 1]", optional=True),
        "lower": Statistic("certified bound of it, 0 without a certificate", optional=True),
        "attack": Statistic("which attack found it, by its place in the bracket", optional=True),
        "first_order": Statistic("its first-order estimate", optional=True),
        "untargeted": Statistic("the least length to any other class", optional=True),
        **dict.fromkeys(FLAGS, Statistic("flag of the bracket", FLAG, optional=True)),
        **dict.fromkeys(BY, Statistic("distance of this attack, inf where it fails", optional=True)),
        "cosines": Statistic("cosine at each node, both ends included", "", WAY, optional=True),
        "norms": Statistic("||grad f|| there", "", WAY, optional=True),
        "gradient": Statistic("grad f(x_2)", "", PIXELS, optional=True),
        "perturbed": Statistic("the nearest picture found that is classified as 1", SHARE, PIXELS, optional=True),
    }
)
World = tuple[np.ndarray, np.ndarray]


def measure(
    backend: TorchBackend,
    world: World,
    dataset: str,
    construction: str,
    certificate: str,
    epochs: int,
    network: int,
    data: str,
) -> dict[str, np.ndarray]:
    """`STATISTICS` of what a trained network makes of each 7; most of them there are only where a construction works.

    The artificial picture x_1 of a 7, x_2, lacks so many pixels of the upper stroke that the network says 1, and for
    the construction "whole" all of them; if it never says 1, it lacks all, too. The construction works if x_2 is
    classified as 7 and x_1 as 1; for "whole" x_1 may be classified as anything, but there must be a stroke.
    """
    import torch

    numbers, pictures = world
    size = len(numbers)
    net, accuracy = trained_network(dataset, data, epochs, network, backend.device)

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
    if works.any():
        read = _read(net, tensor(pictures[works]), tensor(artificial[works]), certificate == "crown")
        for name, values in read.items():
            found[name] = np.full((size, *values.shape[1:]), np.nan)
            found[name][works] = values
    return found


def _artificial(classes: Any, picture: np.ndarray, construction: str) -> tuple[np.ndarray, int, int, int, int, float]:
    """x_1; class of the picture; pixels of its stroke; class without the stroke, and moved; pixels blocked, or NaN."""
    order = upper_stroke(picture).order
    prefixes = blocked(picture, order)
    said = classes(np.concatenate([prefixes, recentred(picture, prefixes[-1])[None]]))
    counts = np.flatnonzero(said[:-1] == ONE) if construction != "whole" else np.arange(len(order), 0, -1)
    works = said[0] == SEVEN and len(counts) > 0
    chosen = prefixes[counts[0] if works else -1]
    return chosen, int(said[0]), len(order), int(said[-2]), int(said[-1]), float(counts[0]) if works else np.nan


def _read(net: Any, clean: torch.Tensor, artificial: torch.Tensor, certified: bool) -> dict[str, np.ndarray]:
    """All that there is only where the construction works."""
    import torch

    direct = path(net, clean, artificial, SEVEN, ONE, ends(NODES))
    between = path(net, clean, artificial, SEVEN, ONE, midpoints(NODES))
    x = clean.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad((net(x)[:, SEVEN] - net(x)[:, ONE]).sum(), x)
    label = torch.full((len(clean),), SEVEN, device=clean.device)
    target = torch.full_like(label, ONE)
    lower = conv_distance(net, clean, label, target) if certified else np.zeros(len(clean))
    attacked = bracket(net, clean, label, target=target, box=(0.0, 1.0), lower=lower, attacks=ATTACKS)
    escaped = bracket(net, clean, label, box=(0.0, 1.0))
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


def _classes(net: Any, images: torch.Tensor) -> np.ndarray:
    """Classes of pictures (size, 1, height, width)."""
    import torch

    with torch.no_grad():
        return torch.cat([net(part).argmax(1) for part in images.split(AT_ONCE)]).cpu().numpy()


def trained_network(dataset: str, data: str, epochs: int, number: int, device: str) -> tuple[Any, float]:
    """The network of that number, trained on the images of that digest, and its accuracy on the test set."""
    from empirical.models.mnist import two_conv
    from empirical.training.once import trained

    train, test = splits(dataset, data)
    build = partial(two_conv, size=train.x.shape[1])
    net, history = trained(build, "two_conv", number, epochs, train, test, device, dataset)
    return net, history[-1]["test_accuracy"]
