"""Accuracy of a network after each epoch of its training, clean and under attack, and the best of these networks.

A single-step training may collapse from one epoch to the next: FGSM's accuracy jumps, and PGD's falls to nothing. It is
seen only by who looks on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.convnorm_width.attacks import attacks
from empirical.convnorm_width.ranks import accuracy, ranks
from empirical.training.network import generator

if TYPE_CHECKING:
    from torch import Tensor, nn

STARTS = 4  # number of the stream of random starts; trainings have the first four of a seed


class Course:
    """Looks at top-1 accuracies after each epoch, and keeps the weights of the best one, a `Watch`.

    Parameters
    ----------
    x, y : images (N, ...) in [0, 1] and labels that are not trained on, on the model's device.
    steps : of the weights in an epoch.
    seed : of random starts, which are the same after each epoch.
    """

    def __init__(self, x: Tensor, y: Tensor, steps: int, seed: int) -> None:
        self.x, self.y, self.steps, self.seed = x, y, steps, seed
        self._seen: dict[str, list[float]] = {"clean": [], **{name: [] for name in attacks()}}
        self._best: dict[str, Tensor] = {}

    def accuracies(self, name: str) -> np.ndarray:
        """After each epoch, (epochs,), of "clean" or of an attack."""
        return np.array(self._seen[name])

    @property
    def best(self) -> dict[str, Tensor]:
        """The state of the network after the epoch of the highest clean accuracy, the first of them."""
        return self._best

    def look(self, step: int, model: nn.Module) -> None:
        """Takes in the network after an epoch; after other steps it does not look."""
        if not step or step % self.steps:
            return
        mode = model.training
        model.eval()
        found = {}
        for name, attack in {"clean": None, **attacks()}.items():
            starts = generator(str(self.x.device), self.seed, STARTS)
            found[name] = accuracy(ranks(model, self.x, self.y, starts, attack))
        if found["clean"] > max(self._seen["clean"], default=-1.0):
            self._best = {name: value.detach().clone() for name, value in model.state_dict().items()}
        for name, value in found.items():
            self._seen[name].append(value)
        model.train(mode)

    def state(self) -> dict[str, Any]:
        """What was seen so far, and the best weights."""
        return {"seen": self._seen, "best": self._best}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
        self._seen, self._best = state["seen"], dict(state["best"])
