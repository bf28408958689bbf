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
