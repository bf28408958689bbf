"""Condition numbers and accuracy of a network on its way: what Figures 4 and 5 of conditioning draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.measures.condition import NORMS, condition

if TYPE_CHECKING:
    from torch import Tensor, nn

EARLY = 50  # steps after each of which condition numbers are looked at
GROWTH = 1.15  # of one look's step to the next later on
EVERY, MOST = 100, 50  # steps from one accuracy to the next, unless that would be more than 50 of them


class Looks:
    """Looks at condition numbers and test accuracy while a network is trained, a `Watch`.

    Condition numbers are looked at before the first step, after each of the first 50, then ever more rarely, at the end
    of every epoch, and wherever the accuracy is: every 100 steps, and at the end of every epoch. The steps are a
    function of the numbers of epochs and of their steps.

    Parameters
    ----------
    names : of the layers.
    epochs, steps : of the training, and of each of its epochs.
    x, y : images and labels (N, ...) and (N,) on which the accuracy is taken, on the model's device.
    """

    def __init__(self, names: Sequence[str], epochs: int, steps: int, x: Tensor, y: Tensor) -> None:
        self.names, self.x, self.y = names, x, y
        self.coarse, self.steps = schedule(epochs, steps)
        self._seen: dict[int, tuple[np.ndarray, float]] = {}

    @property
    def conditions(self) -> tuple[np.ndarray, np.ndarray]:
        """kappa and strict kappa of the layers at all looks, each (layers, looks, 4); the norms are `NORMS`."""
        both = np.stack([self._seen[step][0] for step in self.steps])
        return both[:, :, 0].swapaxes(0, 1), both[:, :, 1].swapaxes(0, 1)

    @property
    def accuracies(self) -> np.ndarray:
        """Test accuracy at the looks, (looks,), NaN at those that are on condition numbers alone."""
        return np.array([self._seen[step][1] for step in self.steps])

    def look(self, step: int, model: nn.Module) -> None:
        """Takes in the network after that many steps, if it is one of the looks."""
        from empirical.training.network import evaluate

        if step in self.steps:
            accuracy = evaluate(model, self.x, self.y) if step in self.coarse else np.nan
            self._seen[step] = np.stack([condition(matrix(model, name)) for name in self.names]), accuracy

    def state(self) -> dict[str, Any]:
        """What was seen so far, by step."""
        import torch

        conditions = [torch.from_numpy(both) for both, _ in self._seen.values()]
        return {"steps": list(self._seen), "conditions": conditions, "accuracies": [a for _, a in self._seen.values()]}

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
        conditions = [both.reshape(len(self.names), 2, len(NORMS)).numpy() for both in state["conditions"]]
        seen = zip(conditions, state["accuracies"], strict=True)
        self._seen = dict(zip(state["steps"], seen, strict=True))


def schedule(epochs: int, steps: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Steps of the accuracies and, these among them, of all looks, of a training of `epochs` times `steps` steps."""
    total = epochs * steps
    every = EVERY * -(-total // (EVERY * MOST))
    coarse = {*range(0, total + 1, every), *range(steps, total + 1, steps)}
    fine, step = set(range(min(EARLY, total) + 1)), float(EARLY)
    while (step := step * GROWTH) < total:
        fine.add(round(step))
    return tuple(sorted(coarse)), tuple(sorted(coarse | fine))


def matrix(model: nn.Module, name: str) -> np.ndarray:
    """Weights of a layer as (inputs, outputs), float64: a kernel as (C_in K_x K_y, N_f), conditioning V-C.

    The paper orders a kernel's rows (K_x, K_y, C_in); the order of rows changes no norm.
    """
    weight = model.get_parameter(f"{name}.weight").detach().flatten(1)
    return weight.T.double().cpu().numpy()
