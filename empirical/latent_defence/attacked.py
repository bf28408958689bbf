"""Examples made for each classifier in its own space, and what other classifiers make of those of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from empirical.latent_defence.codes import ATTACKED, Coding
from empirical.latent_defence.setting import CODES, KINDS, PENALTIES

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.attacks.penalised import Penalised
    from empirical.decisions.judge import Box

Models = Mapping[str, "nn.Sequential"]  # classifiers of one space, by kind
COARSE, LONG = 200, 0.2  # steps of the attack where many penalties are tried, and their rate


class Examples(NamedTuple):
    """What an attack on one classifier came to, attempt by attempt.

    Parameters
    ----------
    x, x_adv : (attempts, ...) clean inputs and where the attempts ended.
    labels, goal : (attempts,) int64.
    reached : (attempts,) bool, whether the goal has 95 % there.
    stalled : (attempts,) bool, whether the attempt never left its clean input.
    """

    x: Tensor
    x_adv: Tensor
    labels: Tensor
    goal: Tensor
    reached: Tensor
    stalled: Tensor

    @property
    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """||x_adv - x|| and ||x|| of the attempts that reached their goals, in float64."""
        kept = self.reached
        moved, clean = (
            values.double().flatten(1).norm(dim=1)[kept].cpu().numpy() for values in (self.x_adv - self.x, self.x)
        )
        return moved, clean


def attempts(model: nn.Module, x: Tensor, labels: Tensor, pairs: int, attack: Penalised) -> Examples:
    """The attack of Section 2.4 on `pairs` inputs of every ordered pair of classes that are classified right.

    Parameters
    ----------
    x : (N, ...) inputs of which those that are attacked are chosen, the first of each class.
    """
    from empirical.attacks.penalised import chosen

    index, goal = chosen(model, x, labels, pairs)
    clean = x[index]
    found = attack.run(model, clean, goal)
    return Examples(clean, found.x_adv, labels[index], goal, found.reached, found.stalled)


def sizes(found: Examples) -> dict[str, float]:
    """Section 3.4's robustness, mean length, success and stalled shares, and the number of attempts."""
    moved, clean = found.lengths
    count = len(found.goal)
    return {
        "robustness": _mean(moved / clean),
        "absolute": _mean(moved),
        "success": float(found.reached.sum()) / count if count else np.nan,
        "stalled": float(found.stalled.sum()) / count if count else np.nan,
        "attempts": float(count),
    }


def penalties(model: nn.Module, x: Tensor, labels: Tensor, box: Box) -> dict[str, np.ndarray]:
    """What each of PENALTIES leaves of the attack, in fewer and longer steps, one attempt for each pair of classes.

    "stalled_at" is the share of attempts that never left their clean input, "stall_certified" the share that cannot,
    by theory's threshold.
    """
    from empirical.attacks.penalised import Penalised
    from empirical.certificates.stalling import stall_penalties

    rows = []
    for penalty in PENALTIES:
        found = attempts(model, x, labels, 1, Penalised(penalty, steps=COARSE, rate=LONG, box=box))
        threshold = stall_penalties(model, found.x, found.goal, box) if len(found.goal) else np.empty(0)
        measured = sizes(found)
        rows.append((measured["stalled"], measured["success"], measured["robustness"], _mean(threshold <= penalty)))
    names = "stalled_at", "success_at", "robustness_at", "stall_certified"
    return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def background(found: Examples) -> tuple[float, float]:
    """Shares of ||x_adv - x||^2 where the clean pixel is 0, and of such pixels, means over examples that reached."""
    delta = (found.x_adv - found.x)[found.reached].double().flatten(1)
    white = (found.x[found.reached] == 0).flatten(1)
    energy = (delta**2 * white).sum(1) / (delta**2).sum(1)
    return _mean(energy.cpu().numpy()), _mean(white.double().mean(1).cpu().numpy())


def transfer(models: Models, examples: Mapping[str, Examples]) -> np.ndarray:
    """Accuracy of each image classifier (columns) on the examples that reached their goals in each other (rows)."""
    return np.array([[_right(models[kind], found.x_adv, found) for kind in KINDS] for found in _all(examples)])


def coded(
    ways: Mapping[str, Coding], models: Mapping[str, Models], examples: Mapping[str, Examples]
) -> dict[str, np.ndarray]:
    """What Figure 6 shows: codes of images' examples given to the classifiers of codes of the kind they were made for.

    Parameters
    ----------
    models : classifiers by space and kind.
    examples : of the image classifiers, by kind; those that did not reach their goals are left out.
    """
    found = {name: np.full((len(CODES), len(KINDS)), np.nan) for name in ("adversarial_accuracy", "coded_accuracy")}
    found["hit"] = np.full((len(CODES), len(KINDS)), np.nan)
    for i, space in enumerate(CODES):
        for j, kind in enumerate(KINDS):
            model, made = models[space][kind], examples[kind]
            if not bool(made.reached.any()):
                continue
            moved, clean = (ways[space].codes(values[made.reached], ATTACKED) for values in (made.x_adv, made.x))
            labels, goal = made.labels[made.reached], made.goal[made.reached]
            said = model(moved).argmax(1)
            found["adversarial_accuracy"][i, j] = float((said == labels).double().mean())
            found["hit"][i, j] = float((said == goal).double().mean())
            found["coded_accuracy"][i, j] = float((model(clean).argmax(1) == labels).double().mean())
    return found


def _all(examples: Mapping[str, Examples]) -> Sequence[Examples]:
    return [examples[kind] for kind in KINDS]


def _right(model: nn.Module, x: Tensor, found: Examples) -> float:
    said = model(x[found.reached]).argmax(1)
    return float((said == found.labels[found.reached]).double().mean()) if len(said) else np.nan


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else np.nan
