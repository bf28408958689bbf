"""What joint attacks on inputs and weights leave of networks that were trained in seven ways, and what is certified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.joint_robustness.surface import running_minimum, survivors, volume, worst
from empirical.joint_robustness.trainings import TRAININGS, Setting, network, parts
from fragility.engine.statistics import FLAG, SHARE, Statistic, Statistics

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.attacks.joint import Ascent
    from empirical.data import Images
    from fragility.backends.torch_backend import TorchBackend

LARGEST_X, LARGEST_W = 0.3, 0.02  # of the grid; 100 steps of 0.0005 reach 0.05
BEYOND = (0.05, 0.1, 0.2)  # weight radii at the end of the paper's reach, and beyond it
SECONDS = 10.0  # for the exact answer on one class of one image at one pair of radii
EACH, CELLS = ("trainings",), ("trainings", "x", "w")
CERTIFICATES = ("theorem", "printed", "interval", "crown")
STATISTICS = Statistics(
    {
        "seed": Statistic("of initial weights and the order of images"),
        "radii_x": Statistic("radii of the inputs", SHARE, ("x",)),
        "radii_w": Statistic("radii of every weight", "", ("w",)),
        "clean": Statistic("accuracy on the images that are attacked", SHARE, EACH),
        "test_accuracy": Statistic("accuracy on all test images", SHARE, EACH),
        "train_accuracy": Statistic("accuracy on the training images", SHARE, EACH),
        "accuracy": Statistic("accuracy under the paper's joint attack", SHARE, CELLS),
        "monotone": Statistic("largest correction that its running minimum makes", SHARE, EACH),
        "auc": Statistic("mean of its running minimum over the rectangle of radii", SHARE, EACH),
        "stronger": Statistic("the least that several attacks leave, the paper's among them", SHARE, CELLS, True),
        "beyond_printed": Statistic(
            "accuracy under the paper's attack on weights alone, radii .05, .1, .2", SHARE, ("trainings", len(BEYOND))
        ),
        "beyond_rescaled": Statistic("the same in steps that reach the radius", SHARE, ("trainings", len(BEYOND))),
        "certified_theorem": Statistic("share right and certified by tau + zeta, corrected", SHARE, CELLS),
        "certified_printed": Statistic("by tau + zeta as printed, which is no bound", SHARE, CELLS, True),
        "certified_interval": Statistic("by intervals", SHARE, CELLS),
        "certified_crown": Statistic("by linear bounds or intervals", SHARE, CELLS),
        "exact": Statistic("share that no perturbation turns, of tiny networks", SHARE, CELLS, True),
        "exact_open": Statistic("share of which the solver does not know", SHARE, CELLS, True),
        "moved_weights": Statistic("whether a stored weight differs in a bit after all attacks", FLAG),
        "tau": Statistic("mean over the images of the largest tau at the radii of the training", "", EACH),
        "zeta": Statistic("the same of zeta", "", EACH),
        "norms": Statistic("||W^m||_inf", "", ("trainings", "layers")),
    }
)
World = Mapping[str, np.ndarray]
Radii = tuple[list[float], list[float]]  # of inputs and weights


def measure(backend: TorchBackend, world: World, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of all trainings of each seed."""
    setting = Setting(**point)
    draws = [_draw(setting, int(seed), backend.device) for seed in world["seed"]]
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}


def _draw(setting: Setting, seed: int, device: str) -> dict[str, np.ndarray]:
    """Of one seed, without the axis of draws."""
    train, held_out, test = parts(setting)
    judged = held_out if setting.held_out else test
    attacked = judged.first(min(setting.images, len(judged)))
    radii = np.linspace(0, LARGEST_X, setting.grid_x).tolist(), np.linspace(0, LARGEST_W, setting.grid_w).tolist()
    rows = []
    for training in TRAININGS:
        model, history = network(setting, training, seed, train, test, device)
        rows.append(
            {"test_accuracy": history[-1]["test_accuracy"], "train_accuracy": _accuracy(model, train, device)}
            | _measured(setting, model, attacked, radii, seed, device)
        )
    found = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    lowest = running_minimum(found["accuracy"])
    return found | {
        "seed": np.float64(seed),
        "radii_x": np.array(radii[0]),
        "radii_w": np.array(radii[1]),
        "clean": found["accuracy"][:, 0, 0],
        "monotone": (found["accuracy"] - lowest).max((1, 2)),
        "auc": volume(lowest, *radii),
        "moved_weights": found["moved_weights"].max(),
    }


def _measured(
    setting: Setting, model: nn.Module, attacked: Images, radii: Radii, seed: int, device: str
) -> dict[str, Any]:
    """Of one network on the images that are attacked."""
    import torch

    x, y = attacked.tensor(device), torch.tensor(attacked.labels, device=device)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = _attacked(setting, model, x, y, radii, seed)
    after = model.state_dict()
    found["moved_weights"] = float(not all(torch.equal(value, after[name]) for name, value in before.items()))
    return found | _described(setting, model, x, y) | _certified(setting, model, x, y, radii)


def _attacked(setting: Setting, model: nn.Module, x: Tensor, y: Tensor, radii: Radii, seed: int) -> dict[str, Any]:
    from empirical.attacks.joint import Ascent

    shared, paper = setting.weights == "batch", Ascent(setting.attack_steps)
    right = survivors(model, x, y, *radii, paper, shared)
    found = {"accuracy": right.mean(0)}
    for name, ascent in (("beyond_printed", paper), ("beyond_rescaled", replace(paper, rescaled=True))):
        found[name] = survivors(model, x, y, [0.0], BEYOND, ascent, shared).mean(0)[0]
    if setting.restarts:
        others = [
            survivors(model, x, y, *radii, ascent, shared, seed + number)
            for number, ascent in enumerate(stronger(paper, setting.restarts))
        ]
        found["stronger"] = worst([right, *others], shared).mean(0)
    return found


def stronger(paper: Ascent, restarts: int) -> Sequence[Ascent]:
    """Attacks that look for what the paper's misses: by its own loss and by the margin, each from every start.

    The first start is the clean point, the others are random. All reach their radii and keep their best iterate; by
    the margin inputs and weights take turns.
    """
    far = replace(paper, rescaled=True, best=True)
    kinds = far, replace(far, loss="margin", alternating=True)
    return [replace(kind, random=start > 0) for start in range(restarts + 1) for kind in kinds]


def _described(setting: Setting, model: nn.Module, x: Tensor, y: Tensor) -> dict[str, Any]:
    """The penalties that the trainings had, and the norms of which they are made."""
    from empirical.models.described import described
    from theory.things.network import Budget
    from theory.things.penalties import margin_penalties, margin_penalties_printed

    seen = described(model)
    of = margin_penalties_printed if setting.zeta == "printed" else margin_penalties
    tau, zeta = of(seen, x, y, Budget(setting.radius_x, setting.radius_w, setting.radius_w))
    stages = zip(seen.stages, seen.shapes(x), strict=True)
    norms = [float(stage.layer.norm_inf(shape)) for stage, shape in stages]
    return {"tau": float(tau.mean()), "zeta": float(zeta.mean()), "norms": np.array(norms)}


def _certified(setting: Setting, model: nn.Module, x: Tensor, y: Tensor, radii: Radii) -> dict[str, Any]:
    from empirical.certificates.joint import certified, exact
    from empirical.models.described import described

    seen = described(model)
    sure = certified(seen, x, y, *radii)
    found = {f"certified_{name}": sure[name].mean(0) for name in CERTIFICATES if name in sure}
    if setting.architecture == "tiny":
        answers = exact(seen, x, y, *radii, SECONDS)
        found |= {"exact": (answers == 1).mean(0), "exact_open": np.isnan(answers).mean(0)}
    return found


def _accuracy(model: nn.Module, images: Images, device: str) -> float:
    from empirical.training.network import evaluate
    from empirical.training.once import tensors

    return evaluate(model, *(part.to(device) for part in tensors(images)))
