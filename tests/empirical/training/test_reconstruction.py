"""What autoencoders descend: losses by hand, and trainings that go on bit for bit where they were stopped."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Normal, kl_divergence

from empirical.data import load
from empirical.models.autoencoders import autoencoder, variational
from empirical.training import reporter
from empirical.training.network import Minibatches, Recipe
from empirical.training.once import trained
from empirical.training.reconstruction import EvidenceBound, Reconstruction
from fragility.engine.context import Context, using

ADAM = Recipe("Adam", rate=1e-3, decay=1.0, batch=100)
KINDS = [(autoencoder, Reconstruction()), (variational, EvidenceBound())]


@pytest.fixture
def images():
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def descended(model, objective, x):
    """(loss, gradients of all parameters) as the objective has them."""
    model.zero_grad()
    loss, logits = objective.backward(model, x, torch.zeros(len(x)), torch.Generator().manual_seed(3))
    assert logits is None
    assert not loss.requires_grad
    return loss, [value.grad.clone() for value in model.parameters() if value.grad is not None]


def test_reconstruction_is_the_cross_entropy_of_pixels_summed_over_each_image(images):
    model = autoencoder(0, 8).double()
    loss, gradients = descended(model, Reconstruction(), images)
    shown = model(images)
    expected = -(images * shown.log() + (1 - images) * (1 - shown).log()).sum((1, 2, 3)).mean()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradients, list(torch.autograd.grad(expected, list(model.parameters()))))


def test_the_evidence_bound_is_that_of_the_distributions(images):
    model = variational(0, 8).double()
    loss, gradients = descended(model, EvidenceBound(), images)
    mean, log_variance = model.moments(images)
    code, z = Normal(mean, (log_variance / 2).exp()), model.sample(images, torch.Generator().manual_seed(3))
    likelihood = Bernoulli(logits=model.logits(z), validate_args=False).log_prob(images).sum((1, 2, 3))
    expected = (kl_divergence(code, Normal(0.0, 1.0)).sum(1) - likelihood).mean()
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradients, list(torch.autograd.grad(expected, list(model.parameters()))))


def test_a_pixel_that_is_wrong_for_certain_has_a_finite_loss(images):
    model = autoencoder(0, 8)
    with torch.no_grad():
        model.decoder[0].bias.fill_(1000.0)
    loss, gradients = descended(model, Reconstruction(), torch.zeros(2, 1, 8, 8))
    assert 0.9 * 64_000 < loss < 1.1 * 64_000
    assert all(gradient.isfinite().all() for gradient in gradients)


@pytest.mark.parametrize(("build", "objective"), KINDS)
def test_a_training_goes_on_bit_for_bit_where_it_was_stopped(build, objective, monkeypatch, tmp_path):
    images = load("digits", "train").first(450)

    def run(folder):
        with using(Context(checkpoints=tmp_path / folder)):
            return trained(
                partial(build, size=8), "coder", 1, 3, images, data="digits", recipe=ADAM, objective=objective
            )

    whole, history = run("whole")
    assert history[2]["loss"] < history[1]["loss"] < history[0]["loss"]
    assert all([*report] == ["loss", "accuracy"] and np.isnan(report["accuracy"]) for report in history)
    epoch = Minibatches.epoch

    def killed(trainee, number):
        if number == 3:
            raise KeyboardInterrupt
        return epoch(trainee, number)

    monkeypatch.setattr(Minibatches, "epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        run("parts")
    monkeypatch.setattr(Minibatches, "epoch", epoch)
    again, told = run("parts")
    assert [report["loss"] for report in told] == [report["loss"] for report in history]
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in whole.state_dict().items())
    assert not any(value.requires_grad for value in again.parameters())


def test_an_accuracy_that_there_is_not_is_not_printed(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(reporter, "EVERY", 0.0)
    with using(Context(checkpoints=tmp_path)):
        trained(
            partial(autoencoder, size=8), "coder", 0, 1, load("digits", "test"), recipe=ADAM, objective=Reconstruction()
        )
    said = capsys.readouterr().err
    assert "loss" in said
    assert "accuracy" not in said
    assert "nan" not in said
