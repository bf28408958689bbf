"""Condition numbers of trained layers, accuracies under attack, and what lies between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.iterated import METHODS
from empirical.data import splits
from empirical.measures.condition import NORMS, condition, gauge_condition
from fragility.engine.statistics import SHARE, Statistic, Statistics

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.conditioning.looks import Looks
    from empirical.conditioning.trainings import Networks
    from fragility.backends.torch_backend import TorchBackend

MODELS = ("simple", "conv")
LAYERS = ("simple", "conv0", "conv1", "dense", "logits")
OF_MODEL = {"simple": LAYERS[:1], "conv": LAYERS[1:]}
ATTACKS = METHODS
ARMS = ("plain", "orthogonal", "penalty", "clipped")
TABLE_RADII = (0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.15, 0.2)  # of the tables
TEXT_RADII = (0.005, 0.055, 0.105, 0.155, 0.205, 0.255)  # "[0.005, 0.3] with a step size of 0.05"
RADII = tuple(sorted({*TABLE_RADII, *TEXT_RADII}))
SHOWN = 0.01  # radius of the pictures of all classes, Figure 3
CLASSES = 10
LEVELS = (0.1, 0.5, 0.9)  # of quantiles over the images
EACH, OF_LAYER, RADIAL = ("arms", "models"), ("arms", "layers", len(NORMS)), ("arms", "models", len(RADII), "steps")
COURSE, QUANTILES = ("layers", "looks", len(NORMS)), ("layers", len(LEVELS))
ONES = ("models", CLASSES, "pixels")
NORMED = ("kappa", "kappa_strict", "first", "first_strict", "course", "course_strict")  # what orientation changes
# Matrices are (inputs, outputs) where --orientation says so. Images are the test images that are attacked.
STATISTICS = Statistics(
    {
        "seed": Statistic("seed of the trainings"),
        "clean": Statistic("accuracy on the images without attack", SHARE, EACH),
        "test_accuracy": Statistic("accuracy on all test images", SHARE, EACH),
        "train_accuracy": Statistic("accuracy on all training images, without dropout", SHARE, EACH),
        "fgsm": Statistic("accuracy after each step of FGSM from the prediction, by epsilon", SHARE, RADIAL),
        "fgmt": Statistic("accuracy after each step towards the least likely class, by epsilon", SHARE, RADIAL),
        "moved": Statistic("largest ||x_adv - x||_inf of FGSM, after one step and after all", "", (*RADIAL[1:3], 2)),
        "kappa": Statistic("||W|| ||W^+|| in four norms after training", "", OF_LAYER),
        "kappa_strict": Statistic("the same, infinite where rank is lost", "", OF_LAYER),
        "first": Statistic("||W|| ||W^+|| before training", "", OF_LAYER),
        "first_strict": Statistic("the same, infinite where rank is lost", "", OF_LAYER),
        "sigma_max": Statistic("largest singular value after training", "", OF_LAYER[:2]),
        "sigma_min": Statistic("smallest singular value after training", "", OF_LAYER[:2]),
        "gauge": Statistic("sigma_1 / sigma_(K-1) of the last layer, its logits centred", "", EACH),
        "looks": Statistic("steps after which plain layers were looked at, NaN beyond the last", "steps", COURSE[:2]),
        "course": Statistic("||W|| ||W^+|| of plain layers at these looks", "", COURSE),
        "course_strict": Statistic("the same, infinite where rank is lost", "", COURSE),
        "accuracy_course": Statistic(
            "accuracy on the first 1000 test images, at some looks", SHARE, ("models", "looks")
        ),
        "sharpness": Statistic("mean lead of the largest logit over the second", "", EACH),
        "distance": Statistic(
            "median l_inf distance to the boundary of images classified right, first order", "", EACH
        ),
        "effective": Statistic("quantiles of ||W|| ||x|| / ||W x||, 2-norm, plain layers", "", QUANTILES),
        "growth_random": Statistic("quantiles of the growth of a random relative error", "", QUANTILES),
        "row_space": Statistic("quantiles of ||x|| / ||P x||, P the projector on the row space", "", QUANTILES),
        "growth_of_bound": Statistic("largest growth over the corrected bound, and over kappa", "", ("layers", 2)),
        "digit": Statistic("the first image", SHARE, ("pixels",)),
        "digit_fgsm": Statistic("it after all steps of FGSM", SHARE, ("models", len(TABLE_RADII), "pixels")),
        "digit_fgmt": Statistic("it after all steps of FGMT", SHARE, ("models", len(TABLE_RADII), "pixels")),
        "ones_clean": Statistic("first image of each class that all plain models have right", SHARE, ONES[1:]),
        "ones": Statistic("these after FGSM with epsilon .01", SHARE, ONES),
        "ones_as": Statistic("what images of a class are most often taken for then", "", ONES[:2]),
    }
)
World = tuple[np.ndarray, np.ndarray]
Found = dict[str, np.ndarray]
Made = Mapping[str, Mapping[str, "nn.Module"]]  # networks by model and arm


def measure(
    backend: TorchBackend,
    world: World,
    dataset: str,
    orientation: str,
    images: int,
    steps: int,
    data: str,
    **point: Any,
) -> dict[str, np.ndarray]:
    """`STATISTICS` of the networks of each seed; `world` has seeds of trainings and of random directions, (size,) each.

    What images or layers do not have is NaN: a class without an image, a median over none.
    """
    from empirical.conditioning.trainings import Networks

    train, test = splits(dataset, data)
    networks = Networks(train, test, backend.device, {"dataset": dataset, **point})
    models = MODELS if point["networks"] == "pair" else MODELS[:1]
    arms = ARMS if point["treatments"] == "all" else ARMS[:1]
    chosen, found = test.spread(images), []
    for seed, directions in zip(*world, strict=True):
        made, looks = {}, {}
        for model in models:
            made[model], looks[model] = networks.trained(model, OF_MODEL[model], arms, int(seed))
        first = {model: {arm: networks.untrained(model, arm, int(seed)) for arm in arms} for model in models}
        kappa, strict = conditions(made, arms)
        before, before_strict = conditions(first, arms)
        x, y = chosen.tensor(backend.device), chosen.labels
        one: Found = {
            "seed": np.array(float(seed)),
            "kappa": kappa,
            "kappa_strict": strict,
            "first": before,
            "first_strict": before_strict,
            **spectra(made, arms),
            **courses(looks),
            **accuracies(made, arms, networks),
            **attacks(made, arms, x, y, steps),
            **growths(made, x, int(directions)),
        }
        found.append(
            {name: _oriented(values, orientation) if name in NORMED else values for name, values in one.items()}
        )
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def conditions(made: Made, arms: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """kappa and strict kappa of all layers, each (arms, layers, 4); a matrix is (inputs, outputs)."""
    from empirical.conditioning.looks import matrix

    both = np.array([[condition(matrix(made[m][arm], name)) for m in made for name in OF_MODEL[m]] for arm in arms])
    return both[:, :, 0], both[:, :, 1]


def spectra(made: Made, arms: Sequence[str]) -> Found:
    """Ends of the spectrum of each layer, and the gauge-free condition number of each last layer."""
    from empirical.conditioning.looks import matrix

    sigma = [
        [np.linalg.svd(matrix(made[model][arm], name), compute_uv=False) for model in made for name in OF_MODEL[model]]
        for arm in arms
    ]
    last = [[gauge_condition(matrix(made[model][arm], OF_MODEL[model][-1]).T) for model in made] for arm in arms]
    return {
        "sigma_max": np.array([[values[0] for values in of_arm] for of_arm in sigma]),
        "sigma_min": np.array([[values[-1] for values in of_arm] for of_arm in sigma]),
        "gauge": np.array(last),
    }


def courses(looks: Mapping[str, Looks]) -> Found:
    """What was seen of the plain networks on their way, NaN where a model has fewer looks than another."""
    most = max(len(own.steps) for own in looks.values())

    def padded(values: np.ndarray, axis: int) -> np.ndarray:
        widths = [(0, most - values.shape[axis] if k == axis else 0) for k in range(values.ndim)]
        return np.pad(values.astype(float), widths, constant_values=np.nan)

    return {
        "looks": np.stack([padded(np.array(own.steps), 0) for own in looks.values() for _ in own.names]),
        "course": np.concatenate([padded(own.conditions[0], 1) for own in looks.values()]),
        "course_strict": np.concatenate([padded(own.conditions[1], 1) for own in looks.values()]),
        "accuracy_course": np.stack([padded(own.accuracies, 0) for own in looks.values()]),
    }


def accuracies(made: Made, arms: Sequence[str], networks: Networks) -> Found:
    """Accuracies on whole sets."""
    from empirical.training.network import evaluate
    from empirical.training.once import tensors

    found = {}
    for name, images in (("test_accuracy", networks.test), ("train_accuracy", networks.train)):
        x, y = (tensor.to(networks.device) for tensor in tensors(images))
        found[name] = np.array([[evaluate(made[model][arm], x, y) for model in made] for arm in arms])
    return found


def attacks(made: Made, arms: Sequence[str], x: Tensor, y: np.ndarray, steps: int) -> Found:
    """All that is asked of the attacked images x (N, 1, height, width), with labels y."""
    import torch

    from empirical.conditioning.attacked import attacked, classes_of, distances, first_right, lead, most_taken_for

    labels = torch.tensor(y, device=x.device)
    nets = [[made[model][arm] for model in made] for arm in arms]
    right = [[classes_of(net, x) == y for net in row] for row in nets]
    found = {
        "clean": np.mean(right, axis=2),
        "sharpness": np.array([[lead(net, x) for net in row] for row in nets]),
        "distance": np.array([[_quantiles(distances(net, x, labels), (0.5,))[0] for net in row] for row in nets]),
        "digit": x[0].flatten().cpu().numpy(),
    }
    table = [RADII.index(radius) for radius in TABLE_RADII]
    for method in ATTACKS:
        done = [[attacked(net, x, y, method, RADII, steps) for net in row] for row in nets]
        found[method] = np.array([[one.accuracy for one in row] for row in done])
        found[f"digit_{method}"] = np.stack([one.pictures[table] for one in done[0]])
        if method == "fgsm":
            found["moved"] = np.stack([one.moved for one in done[0]])
            said = [one.classes[RADII.index(SHOWN)] for one in done[0]]
            found["ones_as"] = np.stack([most_taken_for(y, classes, CLASSES) for classes in said])
    return found | pictures(nets[0], x, first_right(y, np.all(right[0], axis=0), CLASSES), steps)


def pictures(plain: Sequence[nn.Module], x: Tensor, chosen: Sequence[int | None], steps: int) -> Found:
    """The chosen image of each class, and what FGSM makes of it for each network; NaN where there is none."""
    from empirical.attacks.iterated import iterated

    there = [label for label, number in enumerate(chosen) if number is not None]
    clean = x[[number for number in chosen if number is not None]]
    blank = np.full((CLASSES, x[0].numel()), np.nan)
    rows = [clean, *(iterated(net, clean, "fgsm", SHOWN, steps)[2] if there else clean for net in plain)]
    filled = []
    for row in rows:
        filled.append(blank.copy())
        filled[-1][there] = row.flatten(1).cpu().numpy()
    return {"ones_clean": filled[0], "ones": np.stack(filled[1:])}


def growths(made: Made, x: Tensor, seed: int) -> Found:
    """Growth of relative errors in the plain layers at what the images give them, along directions of the seed."""
    from empirical.conditioning.growth import growths as of_layers

    found = [one for m, nets in made.items() for one in of_layers(nets["plain"], OF_MODEL[m], x, seed)]
    return {
        "effective": np.stack([_quantiles(one.effective) for one in found]),
        "growth_random": np.stack([_quantiles(one.random) for one in found]),
        "row_space": np.stack([_quantiles(one.row_space) for one in found]),
        "growth_of_bound": np.array([one.of_bound for one in found]),
    }


def _quantiles(values: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Quantiles by counting, which infinities do not spoil; NaN of nothing."""
    return np.quantile(values, levels, method="inverted_cdf") if len(values) else np.full(len(levels), np.nan)


def _oriented(kappa: np.ndarray, orientation: str) -> np.ndarray:
    """Condition numbers of matrices (inputs, outputs), or of their transposes: norms 1 and inf change places."""
    return kappa if orientation == "inputs" else kappa[..., [2, 1, 0, 3]]
