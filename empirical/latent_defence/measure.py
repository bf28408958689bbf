"""What classifiers of images and of four kinds of latent codes withstand, each in its own space and all in pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.data import Images
from empirical.data.points import Points
from empirical.latent_defence import attacked, pixels
from empirical.latent_defence.attacked import Examples, Models
from empirical.latent_defence.codes import JUDGED, TRAIN, Coding, codings
from empirical.latent_defence.setting import KINDS, PENALTIES, PICTURED, SPACES, Setting
from empirical.latent_defence.shown import shown
from empirical.latent_defence.trainings import classifier, parts

if TYPE_CHECKING:
    from torch import Tensor

    from fragility.backends.torch_backend import TorchBackend

World = Mapping[str, np.ndarray]
Sets = tuple["Images | Points", "Images | Points"]  # trained on, judged by
Inputs = tuple["Tensor", "Tensor"]  # images or codes, and their labels


def measure(backend: TorchBackend, world: World, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of all classifiers of each seed."""
    setting = Setting(**point)
    draws = [_draw(setting, int(seed), backend.device) for seed in world["seed"]]
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}


def _draw(setting: Setting, seed: int, device: str) -> dict[str, np.ndarray]:
    """Of one seed, without the axis of draws."""
    train, judged = parts(setting)
    ways = codings(setting, seed, train, device)
    sets: dict[str, Sets] = {"image": (train, judged)}
    for space, way in ways.items():
        sets[space] = way.points(train, TRAIN, device), way.points(judged, JUDGED, device)
    made = {
        space: {kind: classifier(setting, space, kind, seed, sets[space][0], device) for kind in KINDS}
        for space in SPACES
    }
    models = {space: {kind: model for kind, (model, _) in row.items()} for space, row in made.items()}
    losses = {space: {kind: [epoch["loss"] for epoch in row[kind][1]] for kind in KINDS} for space, row in made.items()}
    clean = {space: _given(some, device) for space, (_, some) in sets.items()}
    found = {"seed": np.array(float(seed)), "penalties": np.array(PENALTIES), "losses": _courses(losses)}
    found |= _accuracies(models, {space: _given(some, device) for space, (some, _) in sets.items()}, "train_accuracy")
    found |= _accuracies(models, clean, "test_accuracy")
    found |= _described(ways, clean)
    found |= _in_own_space(setting, models, ways, clean)
    return found | _in_pixels(setting, models, ways, clean["image"], seed)


def _given(some: Images | Points, device: str) -> Inputs:
    """Images in [0, 1], or codes, and their labels."""
    from empirical.training.network import pixels as scaled
    from empirical.training.once import tensors

    x, labels = tensors(some)
    return scaled(x).to(device), labels.to(device)


def _courses(losses: Mapping[str, Mapping[str, Sequence[float]]]) -> np.ndarray:
    """Mean losses (spaces, kinds, epochs) of the longest training, NaN where a shorter one has ended."""
    longest = max(len(course) for row in losses.values() for course in row.values())
    padded = [[[*losses[space][kind], *[np.nan] * longest][:longest] for kind in KINDS] for space in SPACES]
    return np.array(padded)


def _accuracies(models: Mapping[str, Models], given: Mapping[str, Inputs], name: str) -> dict[str, np.ndarray]:
    from empirical.training.network import evaluate

    return {name: np.array([[evaluate(models[space][kind], *given[space]) for kind in KINDS] for space in SPACES])}


def _described(ways: Mapping[str, Coding], clean: Mapping[str, Inputs]) -> dict[str, np.ndarray]:
    """How long images and codes are, and how far what is decoded lies from the images."""
    import torch

    x = clean["image"][0]
    size = [float(clean[space][0].flatten(1).norm(dim=1).mean()) for space in SPACES]
    missed = []
    for space, way in ways.items():
        with torch.no_grad():
            gap = way.coder.decode(clean[space][0]) - x
        missed.append(float((gap.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)).mean()))
    return {"size": np.array(size), "reconstruction": np.array(missed)}


def _in_own_space(
    setting: Setting, models: Mapping[str, Models], ways: Mapping[str, Coding], clean: Mapping[str, Inputs]
) -> dict[str, np.ndarray]:
    """The attack of Section 2.4 on every classifier, and what others make of the examples of images."""
    from empirical.attacks.penalised import Penalised

    examples: dict[str, Examples] = {}
    cells = []
    for space in SPACES:
        box = pixels.BOX if space == "image" else None  # the paper clamps pixels, and codes have no limits
        attack = Penalised(setting.penalty, box=box)
        for kind in KINDS:
            made = attacked.attempts(models[space][kind], *clean[space], setting.pairs, attack)
            cells.append(attacked.sizes(made) | attacked.penalties(models[space][kind], *clean[space], box))
            if space == "image":
                examples[kind] = made
    where = np.array([attacked.background(examples[kind]) for kind in KINDS])
    found = {"background": where[:, 0], "background_pixels": where[:, 1]}
    found["transfer"] = attacked.transfer(models["image"], examples)
    return found | _grid(cells) | attacked.coded(ways, models, examples)


def _in_pixels(
    setting: Setting, models: Mapping[str, Models], ways: Mapping[str, Coding], clean: Inputs, seed: int
) -> dict[str, np.ndarray]:
    """The smallest perturbations of the first images through every classifier's whole pipeline."""
    x, labels = (values[: setting.images] for values in clean)
    cells, direct, pictured = [], dict[str, pixels.Found](), []
    for space in SPACES:
        for kind in KINDS:
            pipeline = pixels.Pipeline(setting, ways.get(space), models[space][kind], x, labels, seed)
            one, found = pixels.cell(pipeline, direct.get(kind))
            direct.setdefault(kind, found)  # the first space is that of images
            cells.append(one)
            if kind == PICTURED:
                pictured.append((pipeline, found))
    return _grid(cells) | shown(pictured)


def _grid(cells: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """What is recorded of each classifier, in the order of spaces and kinds, as arrays (spaces, kinds, ...)."""
    shape = len(SPACES), len(KINDS)
    return {
        name: np.array([cell[name] for cell in cells]).reshape(*shape, *np.shape(cells[0][name])) for name in cells[0]
    }
