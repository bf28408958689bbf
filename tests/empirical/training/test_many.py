"""Networks trained side by side against torch training each of them by itself."""

from itertools import pairwise
from threading import Event

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models import mlp
from empirical.training.loop import fit
from empirical.training.many import ManyNetworks, Schedule
from fragility.backends.numpy_backend import NumpyBackend
from fragility.engine import stop
from fragility.engine.study import UsageError

SIZE, POINTS, HEIGHTS = 3, 40, (4, 6, 5, 2)
SCHEDULE = Schedule(epochs=4, batch=16, rate=0.02)


def start(size=SIZE):
    return mlp.layers(mlp.initial(NumpyBackend().stream(3, 0), size, HEIGHTS), torch.float64)


def task(size=SIZE):
    rng = np.random.default_rng(5)
    x = torch.tensor(rng.normal(size=(size, POINTS, HEIGHTS[0])))
    return x, torch.tensor(rng.integers(0, 2, POINTS))


def trained(network, x, labels, schedule=SCHEDULE):
    trainee = ManyNetworks(network, x, labels, schedule)
    history = fit(trainee, schedule.epochs)
    return trainee.trained, history


def alone(network, number, x, labels):
    """The same network trained by torch's modules, loss and (not fused) Adam, in the same order of points."""
    modules = []
    for weight, bias in network:
        linear = nn.Linear(weight.shape[2], weight.shape[1], dtype=torch.float64)
        linear.weight.data, linear.bias.data = weight[number].clone(), bias[number].clone()
        modules += [linear, nn.ReLU()]
    model = nn.Sequential(*modules[:-1])
    optimiser = torch.optim.Adam(model.parameters(), lr=SCHEDULE.rate, foreach=False)
    for epoch in range(1, SCHEDULE.epochs + 1):
        optimiser.param_groups[0]["lr"] = SCHEDULE.rate * (1 + np.cos(np.pi * (epoch - 1) / SCHEDULE.epochs)) / 2
        order = torch.randperm(POINTS, generator=torch.Generator().manual_seed(epoch))
        for first in range(0, POINTS, SCHEDULE.batch):
            chosen = order[first : first + SCHEDULE.batch]
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x[number, chosen]), labels[chosen]).backward()
            optimiser.step()
    return model


def test_each_network_is_the_one_that_torch_trains_by_itself():
    network, (x, labels) = start(), task()
    together, _ = trained(network, x, labels)
    for number in range(SIZE):
        model = alone(network, number, x, labels)
        for (weight, bias), linear in zip(together, model[::2], strict=True):
            torch.testing.assert_close(weight[number], linear.weight.detach(), rtol=1e-9, atol=1e-11)
            torch.testing.assert_close(bias[number], linear.bias.detach(), rtol=1e-9, atol=1e-11)


def test_training_leaves_the_initial_layers_alone_and_moves_the_copies():
    network, (x, labels) = start(), task()
    kept = [weight.clone() for weight, _ in network]
    together, _ = trained(network, x, labels)
    for (weight, _), (moved, _), before in zip(network, together, kept, strict=True):
        assert torch.equal(weight, before)
        assert not torch.equal(moved, before)


def test_a_killed_training_ends_like_one_that_never_stopped(tmp_path):
    network, (x, labels) = start(), task()
    whole, history = trained(network, x, labels)

    class Killed(ManyNetworks):
        def epoch(self, number):
            if number == 3:
                raise KeyboardInterrupt
            return super().epoch(number)

    file = tmp_path / "many.pt"
    with pytest.raises(KeyboardInterrupt):
        fit(Killed(network, x, labels, SCHEDULE), SCHEDULE.epochs, checkpoint=file)
    resumed = ManyNetworks(network, x, labels, SCHEDULE)
    assert fit(resumed, SCHEDULE.epochs, checkpoint=file) == history
    for pair, other in zip(whole, resumed.trained, strict=True):
        assert all(torch.equal(*parts) for parts in zip(pair, other, strict=True))
    with pytest.raises(UsageError, match="does not fit"):
        fit(ManyNetworks(start(2), *task(2), SCHEDULE), SCHEDULE.epochs, checkpoint=file)


def test_a_report_is_of_points_as_they_were_met():
    network, (x, labels) = start(), task()
    frozen = Schedule(epochs=1, batch=POINTS, rate=0.0)
    _, (report,) = trained(network, x, labels, frozen)
    outputs = mlp.logits(network, x).flatten(0, 1)
    expected = labels.repeat(SIZE)
    assert report["loss"] == pytest.approx(float(nn.functional.cross_entropy(outputs, expected)), rel=1e-12)
    assert report["accuracy"] == pytest.approx(float((outputs.argmax(1) == expected).double().mean()), rel=1e-12)


def test_the_learning_rate_falls_and_stays_positive():
    rates = [Schedule(10).rate_at(epoch) for epoch in range(1, 11)]
    assert rates[0] == Schedule(10).rate
    assert all(later < earlier for earlier, later in pairwise(rates))
    assert 0 < rates[-1] < 0.03 * rates[0]


def test_an_epoch_ends_within_a_step_of_the_end_of_the_process(monkeypatch):
    monkeypatch.setattr(stop, "_ENDING", Event())
    trainee = ManyNetworks(start(), *task(), SCHEDULE)
    trainee.epoch(1)
    stop.stop()
    with pytest.raises(stop.StoppedError):
        trainee.epoch(2)
    with pytest.raises(stop.StoppedError):
        fit(trainee, 1)
