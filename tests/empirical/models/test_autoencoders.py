"""The autoencoder and the variational one: the paper's layers, computed by hand."""

import numpy as np
import pytest
import torch

from empirical.models.autoencoders import HIDDEN, LATENT, autoencoder, variational


def leaky(values):
    return np.where(values > 0, values, 0.01 * values)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


@pytest.fixture
def images():
    return torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def dense(layer, values):
    return values @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


@pytest.mark.parametrize(("build", "count"), [(autoencoder, 50_992), (variational, 250_748)])
def test_the_paper_s_images_give_the_paper_s_number_of_parameters(build, count):
    assert sum(value.numel() for value in build(0).parameters()) == count
    assert build(0).encode(torch.zeros(3, 1, 28, 28)).shape == (3, LATENT)


def test_the_autoencoder_is_a_leaky_relu_between_two_layers(images):
    model = autoencoder(1, 8).double()
    code = leaky(dense(model.encoder[1], images.numpy().reshape(4, 64)))
    assert (code < 0).any()
    np.testing.assert_allclose(model.encode(images).detach(), code)
    shown = sigmoid(dense(model.decoder[0], code)).reshape(4, 1, 8, 8)
    np.testing.assert_allclose(model(images).detach(), shown)


def test_the_variational_one_has_linear_moments_and_a_leaky_relu_on_either_side(images):
    model = variational(1, 8).double()
    hidden = leaky(dense(model.encoder[1], images.numpy().reshape(4, 64)))
    assert hidden.shape == (4, HIDDEN)
    for found, layer in zip(model.moments(images), (model.mean, model.log_variance), strict=True):
        np.testing.assert_allclose(found.detach(), dense(layer, hidden))
    code = model.encode(images)
    np.testing.assert_array_equal(code.detach(), model.moments(images)[0].detach())
    shown = sigmoid(dense(model.decoder[2], leaky(dense(model.decoder[0], code.detach().numpy()))))
    np.testing.assert_allclose(model(images).detach(), shown.reshape(4, 1, 8, 8))


def test_a_sample_is_the_mean_and_as_many_deviations_as_the_generator_says(images):
    model = variational(2, 8).double()
    found = model.sample(images, torch.Generator().manual_seed(5))
    noise = torch.randn(4, LATENT, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    mean, log_variance = model.moments(images)
    torch.testing.assert_close(found, mean + noise * log_variance.exp().sqrt())


@pytest.mark.parametrize("build", [autoencoder, variational])
def test_weights_are_a_function_of_the_seed(build):
    first, again, other = (build(seed, 8).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not any(torch.equal(value, other[name]) for name, value in first.items())


def test_no_derivative_of_a_pixel_is_a_denormal_number(monkeypatch):
    """Half the squared distance from a black image, for which derivatives of a plain sigmoid are."""
    model = autoencoder(0, 8)
    logits = torch.linspace(-120, 120, 2401, requires_grad=True)
    tiny = torch.finfo(torch.float32).tiny

    def denormal(shown):
        (gradient,) = torch.autograd.grad(shown.square().sum() / 2, logits)
        return int(((gradient != 0) & (gradient.abs() < tiny)).sum())

    monkeypatch.setattr(model, "logits", lambda _: logits)
    shown = model.decode(torch.zeros(1, LATENT))
    torch.testing.assert_close(shown, logits.sigmoid(), rtol=0, atol=1e-13)
    assert denormal(shown) == 0 < denormal(logits.sigmoid())
