"""The networks of one seed: a simple one, perhaps a convolutional one beside it, trained plainly and as treatments say.

A training is a function of its seed, and is kept as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from empirical.conditioning.looks import Looks
from empirical.conditioning.treatments import COEFFICIENT, clipped, orthogonal
from empirical.data.images import Images
from empirical.models.mnist import pooled_conv, softmax
from empirical.training.network import Recipe
from empirical.training.objective import CROSS_ENTROPY
from empirical.training.once import tensors, trained
from empirical.training.penalised import Conditioned

OPTIMISERS = {"sgd": "SGD", "adam": "Adam"}
GLOROT = "glorot"
CNN_RATE, CNN_BATCH = 1e-3, 128  # of Adam, in the cited code
LOOKED_AT = 1000  # test images on which the accuracy is taken on the way


@dataclass(frozen=True)
class Networks:
    """How the networks of a point are built and trained.

    Parameters
    ----------
    train, test : images; the first of the test images are looked at on the way.
    device : "cpu" or "cuda".
    point : of the study.
    """

    train: Images
    test: Images
    device: str
    point: dict[str, Any]

    def untrained(self, model: str, arm: str, seed: int) -> nn.Module:
        """The network that the training of an arm begins with."""
        return self._build(model, arm)(seed)

    def trained(
        self, model: str, layers: Sequence[str], arms: Sequence[str], seed: int
    ) -> tuple[dict[str, nn.Module], Looks]:
        """The networks of some arms at the end, the plain one among them, and what its layers were on their way."""
        recipe, epochs = self.recipe(model)
        x, y = (tensor.to(self.device) for tensor in tensors(self.test.first(min(LOOKED_AT, len(self.test)))))
        looks = Looks(layers, epochs, recipe.steps or -(-len(self.train) // recipe.batch), x, y)
        plain = self._fit(model, "plain", seed, looks)
        made = {"plain": plain, "clipped": clipped(plain)} if "clipped" in arms else {"plain": plain}
        return {arm: made[arm] if arm in made else self._fit(model, arm, seed, None) for arm in arms}, looks

    def recipe(self, model: str) -> tuple[Recipe, int]:
        """Optimiser, and epochs; the simple model has one, of as many steps as the point says."""
        if model == "conv":
            return Recipe("Adam", CNN_RATE, 1.0, CNN_BATCH), self.point["epochs"]
        point = self.point
        kind, steps = OPTIMISERS[point["optimiser"]], point["iterations"]
        return Recipe(kind, point["rate"], 1.0, point["batch"], steps=steps), 1

    def _fit(self, model: str, arm: str, seed: int, looks: Looks | None) -> nn.Module:
        recipe, epochs = self.recipe(model)
        network, _ = trained(
            self._build(model, arm),
            f"{model}-{self.point['initial']}-{arm}" if model == "simple" else f"{model}-{arm}",
            seed,
            epochs,
            self.train,
            self.test,
            self.device,
            self.point["dataset"],
            recipe,
            Conditioned(COEFFICIENT) if arm == "penalty" else CROSS_ENTROPY,
            looks,
        )
        return network

    def _build(self, model: str, arm: str) -> Callable[[int], nn.Module]:
        size = self.train.x.shape[1]
        initial = self.point["initial"]
        plain: Callable[[int], nn.Module] = (
            partial(pooled_conv, size=size)
            if model == "conv"
            else partial(softmax, size=size, deviation=None if initial == GLOROT else float(initial))
        )
        return partial(orthogonal, plain) if arm == "orthogonal" else plain
