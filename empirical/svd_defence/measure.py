"""What shrinking the bottom singular values of a classifier does to its accuracy, its decisions and attacks on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.svd_defence import spectrum
from empirical.svd_defence.trainings import CLASSIFIERS, Setting, classifier, parts
from empirical.svd_defence.treatments import FACTORS, SHARES, TREATMENTS, changed, counts, linear_weights
from fragility.engine.statistics import SHARE, Statistic, Statistics

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.data import Images
    from fragility.backends.torch_backend import TorchBackend

JUDGED = 10_000  # first training images on which the training accuracy is taken, at most
RATE, STEPS = 0.5, 200  # of the attack: sizes are .5 % above those of a rate of .1, in a fifth of the time
LAYERS = 2  # at most
EACH, CELLS, CURVES = ("classifiers",), ("classifiers", "treatments", "shares"), ("classifiers", "shares")
STATISTICS = Statistics(
    {
        "seed": Statistic("of initial weights, the order of images, random directions and noise"),
        "shares": Statistic("of the singular values of every layer that are shrunk", "per cent", ("shares",)),
        "removed": Statistic(
            "singular values that this is; NaN where there is no layer", "", ("classifiers", "shares", LAYERS)
        ),
        "test_accuracy": Statistic("accuracy on all test images", SHARE, CELLS),
        "train_accuracy": Statistic("accuracy on the first 10,000 training images", SHARE, CELLS),
        "adversarial_accuracy": Statistic("accuracy on examples made for the original network", SHARE, CELLS),
        "anew_attempts": Statistic("attacks made anew on the changed network", "", CELLS),
        "anew_success": Statistic("share of these that reached the confidence", SHARE, CELLS),
        "anew_stalled": Statistic("share of these that never left the clean image", SHARE, CELLS),
        "anew_robustness": Statistic("mean ||x_adv - x|| / ||x|| of those that did", "", CELLS),
        "original_success": Statistic("share of the attacks on the original network that did", SHARE, EACH),
        "original_robustness": Statistic("mean ||x_adv - x|| / ||x|| of those that did", "", EACH),
        "pixels": Statistic(
            "median over test images of the smallest perturbation found that turns the changed network's decision; "
            "0 for images that it has wrong",
            "||x_adv - x||",
            CELLS,
        ),
        "changed": Statistic("share of the certified test images whose decision changes", SHARE, CELLS),
        "certified": Statistic(
            "share of the same images whose decision certainly does not", SHARE, ("classifiers", len(FACTORS), "shares")
        ),
        "energy": Statistic(
            "mean share of ||x_adv - x||^2 on the bottom right singular vectors of the first layer, of what lies in "
            "their span",
            SHARE,
            CURVES,
        ),
        "gradient_energy": Statistic("the same of the gradient of the attack's loss at the clean point", SHARE, CURVES),
        "weight_energy": Statistic("share of the first layer's ||W||_F^2 on the same", SHARE, CURVES),
        "outside": Statistic("mean share of ||x_adv - x||^2 outside of the span", SHARE, EACH),
        "directions": Statistic("rank of the first layer, and number of its inputs", "", ("classifiers", 2)),
        "imbalance": Statistic("||W_2^T W_2 - W_1 W_1^T||_F / ||W_2 W_1||_F of 2L"),
        "carried": Statistic(
            "share of ||W_2 W_1||_F^2 of 2L that goes through the bottom singular directions of W_1", SHARE, ("shares",)
        ),
    }
)
World = Mapping[str, np.ndarray]
Found = dict[str, Any]


def measure(backend: TorchBackend, world: World, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of all classifiers of each seed."""
    setting = Setting(**point)
    draws = [_draw(setting, int(seed), backend.device) for seed in world["seed"]]
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}


def _draw(setting: Setting, seed: int, device: str) -> Found:
    """Of one seed, without the axis of draws."""
    train, test = parts(setting)
    models = {name: classifier(setting, name, seed, train, device) for name in CLASSIFIERS}
    held = _Held(setting, seed, *_tensors(train, device, JUDGED), *_tensors(test, device, len(test)))
    rows = [_of(model, held) for model in models.values()]
    first, second = _weights(models["2l"])
    through = [counts(models["2l"], share, setting.rounding)[0] for share in SHARES]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]} | {
        "seed": np.float64(seed),
        "shares": np.array(SHARES, dtype=np.float64),
        "imbalance": np.float64(spectrum.imbalance(second, first)),
        "carried": spectrum.bottom(spectrum.carried(second, first), through),
    }


@dataclass(frozen=True)
class _Held:
    """The images of a draw: training images on which accuracy is taken, and the test images."""

    setting: Setting
    seed: int
    train_x: Tensor
    train_y: Tensor
    x: Tensor
    y: Tensor

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        """The first test images, at most so many."""
        return self.x[:count], self.y[:count]


@dataclass(frozen=True)
class _Attempts:
    """Attacks on one network: what they began with and aimed at, and where they ended."""

    x: Tensor
    labels: Tensor
    goals: Tensor
    x_adv: Tensor
    reached: Tensor
    stalled: Tensor

    @property
    def examples(self) -> tuple[Tensor, Tensor]:
        """The examples that reached their goal, and the labels that they ought to have."""
        return self.x_adv[self.reached], self.labels[self.reached]

    @property
    def success(self) -> float:
        """Share that reached their goal; NaN of none."""
        return float(self.reached.double().mean())

    @property
    def perturbations(self) -> Tensor:
        """x_adv - x of the examples, one row each."""
        return (self.x_adv - self.x)[self.reached].flatten(1)

    @property
    def robustness(self) -> float:
        """Mean ||x_adv - x|| / ||x|| of the examples; NaN of none."""
        sizes = self.perturbations.double().norm(dim=1) / self.x[self.reached].flatten(1).double().norm(dim=1)
        return float(sizes.mean())


def _of(model: nn.Sequential, held: _Held) -> Found:
    """Of one classifier, without the axis of classifiers."""
    numbers = [counts(model, share, held.setting.rounding) for share in SHARES]
    own = _attacked(model, held)
    decisions = model(held.first(held.setting.images)[0]).argmax(1)

    @cache
    def shown(treatment: str, number: tuple[int, ...]) -> Found:
        return _shown(changed(model, treatment, number, held.seed), held, own, decisions)

    # Shares may be as many singular values; where they are none, all treatments give one network.
    rows = [
        [shown(treatment if any(number) else TREATMENTS[0], number) for number in numbers] for treatment in TREATMENTS
    ]
    removed = np.full((len(SHARES), LAYERS), np.nan)
    removed[:, : len(numbers[0])] = numbers
    return (
        {name: np.array([[cell[name] for cell in row] for row in rows]) for name in rows[0][0]}
        | {"removed": removed, "original_success": own.success, "original_robustness": own.robustness}
        | {"certified": _certified(model, held, numbers)}
        | _directions(model, held, own, [number[0] for number in numbers])
    )


def _shown(model: nn.Sequential, held: _Held, own: _Attempts, decisions: Tensor) -> Found:
    """Of one changed network: what it makes of images and of the original's examples, and attacks on it."""
    from empirical.attacks.bracket import bracket
    from empirical.training.network import evaluate

    anew, few = _attacked(model, held), held.first(held.setting.attacked)
    found = bracket(model, *few, box=(0.0, 1.0), seed=held.seed)
    return {
        "test_accuracy": evaluate(model, held.x, held.y),
        "train_accuracy": evaluate(model, held.train_x, held.train_y),
        "adversarial_accuracy": evaluate(model, *own.examples) if own.reached.any() else np.nan,
        "anew_attempts": len(anew.x),
        "anew_success": anew.success,
        "anew_stalled": float(anew.stalled.double().mean()),
        "anew_robustness": anew.robustness,
        "pixels": float(np.median(found.upper)),
        "changed": float((model(held.first(held.setting.images)[0]).argmax(1) != decisions).double().mean()),
    }


def _attacked(model: nn.Sequential, held: _Held) -> _Attempts:
    """The paper's attack (2.4) on test images that the network has right."""
    from empirical.attacks.penalised import Penalised, chosen

    index, goals = chosen(model, held.x, held.y, held.setting.pairs)
    x, labels = held.x[index], held.y[index]
    attack = Penalised(held.setting.penalty, held.setting.confidence, STEPS, RATE)
    found = attack.run(model, x, goals)
    return _Attempts(x, labels, goals, found.x_adv, found.reached, found.stalled)


def _certified(model: nn.Sequential, held: _Held, numbers: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Shares of decisions that certainly stand, (factors, shares)."""
    from empirical.certificates.shrunk import Shrinking, unchanged

    shrinkings = [Shrinking(number, factor) for factor in FACTORS.values() for number in numbers]
    sure = unchanged(model, held.first(held.setting.images)[0], shrinkings)
    return sure.mean(1).reshape(len(FACTORS), len(numbers))


def _directions(model: nn.Sequential, held: _Held, own: _Attempts, numbers: Sequence[int]) -> Found:
    """Where perturbations and gradients lie among the right singular vectors of the first layer."""
    from empirical.measures.condition import row_space

    first = _weights(model)[0]
    within, outside = spectrum.profile(first, own.perturbations.cpu().numpy())
    gradients, _ = spectrum.profile(first, _gradients(model, own).cpu().numpy())
    return {
        "energy": spectrum.bottom(within, numbers),
        "gradient_energy": spectrum.bottom(gradients, numbers),
        "weight_energy": spectrum.bottom(spectrum.squares(first), numbers),
        "outside": outside,
        "directions": np.array([len(row_space(first)), first.shape[1]], dtype=np.float64),
    }


def _gradients(model: nn.Sequential, own: _Attempts) -> Tensor:
    """Of the cross-entropy of the goals at the clean points, one row for each attempt."""
    import torch

    point = own.x.detach().requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(point), own.goals, reduction="sum")
    return torch.autograd.grad(loss, point)[0].flatten(1)


def _weights(model: nn.Sequential) -> list[np.ndarray]:
    return [weight.detach().cpu().numpy() for weight in linear_weights(model)]


def _tensors(images: Images, device: str, count: int) -> tuple[Tensor, Tensor]:
    """The first images, at most so many, as float32 in [0, 1], and their labels."""
    import torch

    some = images.first(min(count, len(images)))
    return some.tensor(device), torch.tensor(some.labels, device=device)
