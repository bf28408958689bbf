"""Free adversarial training against the same loop written out, with gradients of a linear model by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from empirical.training.free import HELD, NOISES, Free
from empirical.training.network import Minibatches, Recipe, train
from empirical.training.objective import CROSS_ENTROPY

RATE, PIXELS, CLASSES = 0.5, 6, 3
FREE = Free(0.1, 0.08, 3, "zero")


class Kept(nn.Linear):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__(PIXELS, CLASSES, dtype=torch.float64)
        self.met = []

    def forward(self, images):
        self.met.append(images.detach())
        return super().forward(images)


def data(images=10, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.random((images, PIXELS)) ** 3  # some pixels so near 0 that clipping stops them
    return torch.tensor(x), torch.tensor(rng.integers(0, CLASSES, images))


def linear(seed=0):
    model = nn.Linear(PIXELS, CLASSES, bias=False, dtype=torch.float64)
    values = np.random.default_rng(seed).normal(size=(CLASSES, PIXELS))
    model.weight.data = torch.tensor(values)
    return model


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def softmax(z):
    shifted = np.exp(z - z.max(1, keepdims=True))
    return shifted / shifted.sum(1, keepdims=True)


def by_hand(W, x, y, free, starts):
    """Weights after all batches, by the gradients (p - e_y) x^T / B and W^T (p - e_y) / B of softmax regression.

    starts : a perturbation for each batch, or None for that of the batch before, the first being 0.
    """
    W, held = W.copy(), np.zeros((0, x[0].shape[1]))
    for images, labels, start in zip(x, y, starts, strict=True):
        count = len(images)
        if start is None:
            start = np.concatenate([held, np.zeros((max(count - len(held), 0), images.shape[1]))])[:count]
        noise = start
        for _ in range(free.replays):
            moved = images + noise
            inside = (moved >= 0) & (moved <= 1)
            moved = np.clip(moved, 0, 1)
            slope = (softmax(moved @ W.T) - np.eye(CLASSES)[labels]) / count
            ascent = np.where(inside, slope @ W, 0)
            W = W - RATE * slope.T @ moved
            noise = np.clip(noise + free.step * np.sign(ascent), -free.radius, free.radius)
        held = np.concatenate([noise, held[count:]])
    return W


def batches(x, y, size=4):
    return x.split(size), y.split(size)


def stepped(model, x, y, free, drawn=None, size=4):
    """The model after the passes over all batches in order, and what was yielded and kept."""
    optimiser, memory, told = torch.optim.SGD(model.parameters(), lr=RATE), {}, []
    drawn = drawn or generator()
    for images, labels in zip(*batches(x, y, size), strict=True):
        for loss, logits in free.passes(model, images, labels, memory, drawn):
            told.append((float(loss), logits))
            optimiser.step()
            optimiser.zero_grad()
    return model.weight.detach().numpy(), told, memory


@pytest.mark.parametrize("noise", ["zero", "carried"])
def test_it_is_the_loop_of_the_cited_code(noise):
    """The last batch has 2 images of 4: what it does not use of a carried perturbation stays."""
    x, y = data()
    free = replace(FREE, noise=noise)
    found, _, _ = stepped(linear(), x, y, free)
    starts = [np.zeros((len(part), PIXELS)) if noise == "zero" else None for part in batches(x, y)[0]]
    arrays = ([part.numpy() for part in parts] for parts in batches(x, y))
    np.testing.assert_allclose(found, by_hand(linear().weight.detach().numpy(), *arrays, free, starts), rtol=1e-10)


def test_a_random_start_is_uniform_in_the_ball():
    x, y = torch.full((500, PIXELS), 0.5, dtype=torch.float64), torch.zeros(500, dtype=torch.int64)
    met = []
    for seed in (1, 1, 2):
        model = Kept()
        list(replace(FREE, noise="random", replays=1).passes(model, x, y, {}, generator(seed)))
        met.append(model.met[0] - 0.5)
    assert torch.equal(met[0], met[1])
    assert not torch.equal(met[0], met[2])
    assert met[0].abs().max() <= 0.1
    assert met[0].abs().max() > 0.0999
    low, high = (met[0] < -0.05).double().mean(), (met[0] > 0.05).double().mean()
    assert abs(low - 0.25) < 0.04  # 5 standard deviations
    assert abs(high - 0.25) < 0.04


@pytest.mark.parametrize("noise", NOISES)
def test_inputs_stay_in_the_ball_and_the_box(noise):
    x, y = data(40)
    model = Kept()
    stepped(model, x, y, replace(FREE, noise=noise), size=40)
    assert len(model.met) == FREE.replays
    for images in model.met:
        assert (images - x).abs().max() <= 0.1 + 1e-15
        assert images.min() >= 0
        assert images.max() <= 1
    assert torch.equal(model.met[0], x) == (noise != "random")


def test_with_the_radius_as_step_training_meets_corners_only():
    """From 0 every offset is 0 or a corner at each pass, which is what single-step training overfits to."""
    x = torch.full((8, PIXELS), 0.5, dtype=torch.float64)
    y = torch.arange(8) % CLASSES
    model = Kept()
    stepped(model, x, y, Free(0.1, 0.1, 4, "zero"), size=8)
    assert torch.equal(model.met[0], x)
    for offset in (images - x for images in model.met[1:]):
        corner, still = (offset.abs() - 0.1).abs() < 1e-12, offset.abs() < 1e-12
        assert (corner | still).all()
        assert corner.any()


def test_one_pass_from_zero_is_training_on_clean_images():
    x, y = data(40)
    models = linear(), linear()
    for model, descended in zip(models, (CROSS_ENTROPY, Free(0.1, 0.1, 1, "zero")), strict=True):
        train(model, x, y, 2, 0, Recipe("SGD", RATE, batch=16), objective=descended)
    assert torch.equal(models[0].weight, models[1].weight)


def test_a_training_steps_after_every_pass_and_reports_their_mean():
    x, y = data(10)
    model = linear()
    trainee = Minibatches(model, x, y, 0, Recipe("SGD", RATE, 1.0, batch=10), objective=FREE)
    report = trainee.epoch(1)
    assert trainee.steps == FREE.replays
    again, told, _ = stepped(linear(), x, y, FREE, size=10)  # one batch: its order matters to rounding only
    np.testing.assert_allclose(model.weight.detach().numpy(), again, rtol=1e-12)
    assert report["loss"] == pytest.approx(np.mean([loss for loss, _ in told]), rel=1e-12)
    right = [float((logits.argmax(1) == y).double().mean()) for _, logits in told]
    assert report["accuracy"] == pytest.approx(np.mean(right))


def test_a_carried_perturbation_survives_a_stop(tmp_path):
    x, y = data(40)
    whole, begun, resumed = linear(), linear(), linear()
    free, recipe = replace(FREE, noise="carried"), Recipe("SGD", RATE, batch=16)
    history = train(whole, x, y, 3, 0, recipe, objective=free)
    train(begun, x, y, 1, 0, recipe, checkpoint=tmp_path / "free.pt", objective=free)
    assert train(resumed, x, y, 3, 0, recipe, checkpoint=tmp_path / "free.pt", objective=free) == history
    assert torch.equal(resumed.weight, whole.weight)
    restarted = linear()
    train(restarted, x, y, 3, 0, recipe, objective=FREE)
    assert not torch.equal(restarted.weight, whole.weight)


def test_only_what_is_carried_is_kept():
    x, y = data()
    for noise in NOISES:
        kept = stepped(linear(), x, y, replace(FREE, noise=noise))[2]
        assert set(kept) == ({HELD} if noise == "carried" else set())
