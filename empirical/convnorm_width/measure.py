"""Accuracies of WideResNets under attacks of one step and of many, on their way and at the end, and their norms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.convnorm_width.attacks import RADIUS, attacks
from empirical.convnorm_width.trainings import (
    NORMALISATIONS,
    Parts,
    Setting,
    parts,
    residual_network,
    wide_network,
)
from fragility.engine.statistics import SHARE, Statistic, Statistics

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.convnorm_width.course import Course
    from empirical.data import Images
    from empirical.models.load import Normalised
    from fragility.backends.torch_backend import TorchBackend

RADII = tuple(step / 255 for step in (0, 2, 4, 6, 8, 12, 16))
LAYERS, RESNET_LAYERS = 16, 20  # convolutions of a WideResNet-16 (15 where no block widens), and of a ResNet18
CURVE, AUTO = 5, 6  # streams of random numbers of a seed; trainings have 0 to 3, their watch 4
CELLS = ("k", "norms")
COURSES, CURVES, NORMS, RESNET = (*CELLS, "looks"), (*CELLS, "radii"), (*CELLS, LAYERS), (RESNET_LAYERS,)
# Accuracies at radius 8/255 are of the same images, those over the radius and AutoAttack's of the first of them.
STATISTICS = Statistics(
    {
        "seed": Statistic("of initial weights, order of images and perturbations"),
        "width": Statistic("widening factors, the first axis of cells", "", CELLS[:1]),
        "normalisation": Statistic("numbers of the normalisations, the second axis of cells", "", CELLS[1:]),
        "radii": Statistic("of the attacks over which accuracy is taken", SHARE, ("radii",)),
        "clean": Statistic("accuracy without attack", SHARE, CELLS),
        "fgsm": Statistic("accuracy under FGSM", SHARE, CELLS),
        "pgd": Statistic("accuracy under PGD", SHARE, CELLS),
        "clean5": Statistic("label among the first five classes, without attack", SHARE, CELLS),
        "fgsm5": Statistic("the same under FGSM", SHARE, CELLS),
        "pgd5": Statistic("the same under PGD", SHARE, CELLS),
        "auto": Statistic("accuracy that AutoAttack leaves", SHARE, CELLS, True),
        "auto_clean": Statistic("accuracy on its images without attack", SHARE, CELLS, True),
        "auto_pgd": Statistic("accuracy on its images under PGD", SHARE, CELLS, True),
        "train_accuracy": Statistic("accuracy on the first training images, as many as are judged", SHARE, CELLS),
        "course_clean": Statistic("accuracy on watched images after each epoch", SHARE, COURSES),
        "course_fgsm": Statistic("the same under FGSM", SHARE, COURSES),
        "course_pgd": Statistic("the same under PGD", SHARE, COURSES),
        "curve_fgsm": Statistic("accuracy under FGSM at each radius", SHARE, CURVES),
        "curve_pgd": Statistic("accuracy under PGD at each radius", SHARE, CURVES),
        "norm_weights": Statistic("spectral norm of each convolution's kernel, NaN beyond the last", "", NORMS),
        "norm_layer": Statistic("the same of the convolution that is applied: normalised, if it is", "", NORMS),
        "bound": Statistic("Proposition 3.1's, NaN of what is not normalised", "", NORMS),
        "lipschitz": Statistic("Lipschitz bound of the whole network in evaluation", "", CELLS),
        "resnet_before": Statistic("spectral norms of the initial kernels of ResNet18", "", RESNET),
        "resnet_after": Statistic("the same, normalised", "", RESNET),
        "resnet_before_trained": Statistic("spectral norms of its kernels after training", "", RESNET, True),
        "resnet_after_trained": Statistic("the same, normalised", "", RESNET, True),
    }
)
World = Mapping[str, np.ndarray]
Found = dict[str, Any]


def measure(backend: TorchBackend, world: World, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of all networks of each seed."""
    setting = Setting(**point)
    given = parts(setting)
    draws = [_draw(setting, int(seed), given, backend.device) for seed in world["seed"]]
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}


def _draw(setting: Setting, seed: int, given: Parts, device: str) -> Found:
    """Of one seed, without the axis of draws."""
    widths, normalisations = setting.cells
    rows = []
    for width in widths:
        row = []
        for normalisation in normalisations:
            network, course = wide_network(setting, width, normalisation, seed, given, device)
            row.append(_accuracies(setting, network, given, seed, device) | _course(course) | _norms(network))
        rows.append(row)
    return {
        "seed": np.float64(seed),
        "width": np.array(widths, dtype=float),
        "normalisation": np.array([NORMALISATIONS.index(name) for name in normalisations], dtype=float),
        "radii": np.array(RADII),
        **{name: np.array([[cell[name] for cell in row] for row in rows]) for name in rows[0][0]},
        **_residual(setting, seed, given, device),
    }


def _accuracies(setting: Setting, network: nn.Module, given: Parts, seed: int, device: str) -> Found:
    from empirical.convnorm_width.ranks import accuracy, ranks
    from empirical.training.network import generator

    x, y = _tensors(given.judged, device)
    found: Found = {}
    attacked = {"clean": None, **attacks()}
    for name, attack in attacked.items():
        place = ranks(network, x, y, generator(device, seed, CURVE), attack)
        found |= {name: accuracy(place), f"{name}5": accuracy(place, 5)}
        if setting.auto_images and name != "fgsm":
            found["auto_" + name] = accuracy(place[: setting.auto_images])
    few, labels = x[: setting.curve_images], y[: setting.curve_images]
    for name, curve in _curves(network, few, labels, seed, device).items():
        found[f"curve_{name}"] = curve
    if setting.auto_images:
        from empirical.attacks.ensemble import auto_attack

        few, labels = x[: setting.auto_images], y[: setting.auto_images]
        start = np.random.SeedSequence((seed, AUTO)).generate_state(1)[0]
        found["auto"] = float(auto_attack(network, few, labels, "linf", RADIUS, int(start)).float().mean())
    trained = given.train.first(min(len(given.judged), len(given.train)))
    return found | {
        "train_accuracy": accuracy(ranks(network, *_tensors(trained, device), generator(device, seed, CURVE)))
    }


def _curves(network: nn.Module, x: Tensor, y: Tensor, seed: int, device: str) -> dict[str, list[float]]:
    """Accuracy at each of `RADII`, under both attacks; the random starts are the same but for their length."""
    from empirical.convnorm_width.ranks import accuracy, ranks
    from empirical.training.network import generator

    return {
        name: [
            accuracy(ranks(network, x, y, generator(device, seed, CURVE), attacks(radius)[name])) for radius in RADII
        ]
        for name in attacks()
    }


def _course(course: Course) -> Found:
    return {f"course_{name}": course.accuracies(name) for name in ("clean", "fgsm", "pgd")}


def _norms(network: Normalised) -> Found:
    """Of the convolutions of a WideResNet in evaluation, and of the whole of it."""
    from empirical.certificates.spectral import layer_norms, lipschitz

    found = layer_norms(network)
    return {
        "norm_weights": _filled(found.weights),
        "norm_layer": _filled(found.layer),
        "bound": _filled(found.bound),
        "lipschitz": lipschitz(network),
    }


def _filled(values: np.ndarray) -> np.ndarray:
    """NaN beyond the last."""
    return np.pad(values, (0, LAYERS - len(values)), constant_values=np.nan)


def _residual(setting: Setting, seed: int, given: Parts, device: str) -> Found:
    """Norms of the ResNet18 before and, if it is trained, after training."""
    from empirical.certificates.spectral import layer_norms
    from empirical.models.resnet18 import resnet18

    begun = layer_norms(resnet18(seed, "convnorm", setting.options))
    found = {"resnet_before": begun.weights, "resnet_after": begun.layer}
    if setting.resnet:
        ended = layer_norms(residual_network(setting, seed, given, device))
        found |= {"resnet_before_trained": ended.weights, "resnet_after_trained": ended.layer}
    return found


def _tensors(images: Images, device: str) -> tuple[Tensor, Tensor]:
    import torch

    return images.tensor(device), torch.tensor(images.labels, device=device)
