"""Training of one network on images: minibatches, optimiser and schedule, deterministic on one device.

torch's threads add in an order of their own, so weights depend in their last bits on how many there are. The number
belongs to the process, and experiments set it to 1: two threads help one training on two idle cores, and nothing else.
Batches of 512 would train an epoch in less time than the example's 64, and be another training.

Measurement stays in float32 or float64 whatever a network was trained in: a smallest perturbation ends where two logits
are equal, and bfloat16, which keeps 8 binary digits of a logit, would move that end by more than what is measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from empirical.models.dropout import drawn_from
from empirical.training.augmentation import Shifted
from empirical.training.loop import History, fit
from empirical.training.objective import CROSS_ENTROPY, Objective, Passes
from empirical.training.reporter import Reporter
from fragility.engine.stop import look
from fragility.engine.study import UsageError

OPTIMISERS = ("Adadelta", "Adam", "AdamW", "SGD")
EVALUATED = 100  # images at once: with more, activations leave the cache, and malloc maps them anew every time


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. The defaults are those of PyTorch's MNIST example, which the paper's words fit.

    Parameters
    ----------
    optimiser : one of OPTIMISERS, torch's own.
    rate : learning rate of the first epoch.
    decay : factor of the learning rate after each epoch.
    batch : images per step; the last step of an epoch may have fewer.
    options : further arguments of the optimiser, ("momentum", 0.9) for one.
    steps : batches of an epoch; None for one pass over the images. Beyond a pass another one begins, in another order.
    augmentation : how each batch is changed before it is learnt from; None for images as they are.
    """

    optimiser: str = "Adadelta"
    rate: float = 1.0
    decay: float = 0.7
    batch: int = 64
    options: tuple[tuple[str, float], ...] = ()
    steps: int | None = None
    augmentation: Shifted | None = None

    def __str__(self) -> str:
        options = "".join(f", {key} {value:g}" for key, value in self.options)
        steps = f", {self.steps} steps an epoch" if self.steps else ""
        changed = f", {self.augmentation}" if self.augmentation else ""
        return f"{self.optimiser} {self.rate:g}{options}, decay {self.decay:g}, batch {self.batch}{steps}{changed}"


STOCK = Recipe()


class Watch(Protocol):
    """Looks at a network while it is trained, and keeps what it saw in the checkpoint."""

    def look(self, step: int, model: nn.Module) -> None:
        """Called before the first step with 0, and after every step 1, 2, ... over all epochs."""
        ...

    def state(self) -> dict[str, Any]:
        """What it has seen: tensors, numbers and texts, in dictionaries, lists and tuples."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state, as `Trainee.restore` does."""
        ...


class Minibatches:
    """One network on one set of images, a `Trainee`.

    The order of the images in epoch k, how they are augmented, its dropout masks and what its objective draws are
    functions of (seed, k). What an objective of several passes keeps from batch to batch is stored with the weights.

    Parameters
    ----------
    model : returns logits (B, classes); it is moved to `device` and trained in place.
    x : (N, ...) uint8 of 0..255, scaled to [0, 1] batch by batch, or float.
    y : (N,) int64.
    test : images and labels on which the accuracy is reported after each epoch as "test_accuracy".
    objective : what each step descends, or what the steps on a batch descend one after another.
    watch : looks at the network on its way.

    Raises
    ------
    UsageError : no such optimiser.
    """

    def __init__(
        self,
        model: nn.Module,
        x: Tensor,
        y: Tensor,
        seed: int,
        recipe: Recipe = STOCK,
        device: str = "cpu",
        test: tuple[Tensor, Tensor] | None = None,
        reporter: Reporter | None = None,
        objective: Objective | Passes = CROSS_ENTROPY,
        watch: Watch | None = None,
    ) -> None:
        if recipe.optimiser not in OPTIMISERS:
            raise UsageError(f"the optimiser must be one of {', '.join(OPTIMISERS)}, got {recipe.optimiser!r}")
        self.model, self.seed, self.recipe = model.to(device), seed, recipe
        self.device, self.reporter = device, reporter
        self.objective, self.watch, self.steps = objective, watch, 0
        self.memory: dict[str, Tensor] = {}
        self.x, self.y = x.to(device), y.to(device)
        self.test = test and (test[0].to(device), test[1].to(device))
        make = getattr(torch.optim, recipe.optimiser)
        self.optimiser = make(model.parameters(), lr=recipe.rate, **dict(recipe.options))
        self.schedule = torch.optim.lr_scheduler.ExponentialLR(self.optimiser, recipe.decay)

    def epoch(self, number: int) -> dict[str, float]:
        """Mean loss and accuracy over the epoch, each image as its batch met it, dropout and all; "test_accuracy".

        The accuracy of a model that does not classify is NaN.
        """
        order = self._order(generator("cpu", self.seed, number, 0)).to(self.device)
        drawn, shifts = (generator(self.device, self.seed, number, stream) for stream in (2, 3))
        totals, seen = torch.zeros(2, dtype=torch.float64, device=self.device), 0
        if self.watch and not self.steps:
            self.watch.look(0, self.model)
        self.model.train()
        with drawn_from(self.model, generator(self.device, self.seed, number, 1)):
            for chosen in order.split(self.recipe.batch):
                look()
                totals += self._steps(chosen, drawn, shifts)
                seen += len(chosen)
                if self.reporter and self.reporter.due():
                    self.reporter.within(seen / len(order), _report(totals, seen))
        self.model.eval()
        self.schedule.step()
        return _report(totals, seen) | ({"test_accuracy": evaluate(self.model, *self.test)} if self.test else {})

    def _order(self, stream: torch.Generator) -> Tensor:
        """Numbers of the images as the epoch meets them: one permutation, or as much of several as its steps take."""
        images = len(self.x)
        wanted = images if self.recipe.steps is None else self.recipe.steps * self.recipe.batch
        passes = [torch.randperm(images, generator=stream) for _ in range(-(-wanted // images))]
        return torch.cat(passes)[:wanted]

    def _steps(self, chosen: Tensor, drawn: torch.Generator, shifts: torch.Generator) -> Tensor:
        """The steps on these images; the sums of their losses and of those classified right, means over the steps."""
        x, y = pixels(self.x[chosen]), self.y[chosen]
        if self.recipe.augmentation:
            x = self.recipe.augmentation.moved(x, shifts)
        found = []
        self.optimiser.zero_grad()
        for loss, logits in self._passes(x, y, drawn):
            self.optimiser.step()
            self.optimiser.zero_grad()
            self.steps += 1
            if self.watch:
                self.watch.look(self.steps, self.model)
            right = torch.full_like(loss, torch.nan) if logits is None else (logits.argmax(1) == y).sum()
            found.append(torch.stack([loss.double() * len(y), right]))
        return torch.stack(found).mean(0)

    def _passes(self, x: Tensor, y: Tensor, drawn: torch.Generator) -> Iterator[tuple[Tensor, Tensor | None]]:
        """(loss, logits) of every backward pass over these images, the step after which is taken before the next."""
        if isinstance(self.objective, Passes):
            yield from self.objective.passes(self.model, x, y, self.memory, drawn)
        else:
            yield self.objective.backward(self.model, x, y, drawn)

    def state(self) -> dict[str, Any]:
        """Weights, the optimiser's averages and learning rate, what passes keep between batches, what was watched."""
        seen = {"watch": self.watch.state()} if self.watch else {}
        return {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
            "memory": self.memory,
            **seen,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a `state`."""
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps = int(state["steps"])
        self.memory = {name: value.to(self.device) for name, value in state["memory"].items()}
        if self.watch:
            self.watch.restore(state["watch"])


def train(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    epochs: int,
    seed: int,
    recipe: Recipe = STOCK,
    device: str = "cpu",
    test: tuple[Tensor, Tensor] | None = None,
    name: str = "network",
    checkpoint: Path | None = None,
    identity: str = "",
    objective: Objective | Passes = CROSS_ENTROPY,
    watch: Watch | None = None,
) -> History:
    """Trains the model in place, or takes its weights from a finished checkpoint, and returns the history of epochs.

    Afterwards the model is in evaluation mode and its weights ask for no gradient. Parameters and errors are those of
    `Minibatches` and `fit`.
    """
    reporter = Reporter()
    trainee = Minibatches(model, x, y, seed, recipe, device, test, reporter, objective, watch)
    history = fit(trainee, epochs, name, checkpoint, identity=identity, reporter=reporter)
    model.eval().requires_grad_(False)
    return history


def evaluate(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of images classified right, in evaluation mode and on the device of x and y; the mode is put back.

    Parameters
    ----------
    x : (N, ...) uint8 of 0..255, or float in [0, 1].
    y : (N,) int64.
    """
    mode = model.training
    model.eval()
    with torch.no_grad():
        parts = zip(x.split(EVALUATED), y.split(EVALUATED), strict=True)
        right = sum(int((model(pixels(images)).argmax(1) == labels).sum()) for images, labels in parts)
    model.train(mode)
    return right / len(y)


def pixels(x: Tensor) -> Tensor:
    """Images in [0, 1]: bytes divided by 255 as float32, floats as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def generator(device: str, *coordinates: int) -> torch.Generator:
    """torch's generator on the device, its stream a function of nonnegative integers."""
    return torch.Generator(device).manual_seed(int(np.random.SeedSequence(coordinates).generate_state(1)[0]))


def _report(totals: Tensor, seen: int) -> dict[str, float]:
    loss, right = (totals / seen).tolist()
    return {"loss": loss, "accuracy": right}
