"""Classifiers of codes as classifiers of images: their values by hand, their gradients by another way."""

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from torch import nn

from empirical.models.autoencoders import LATENT, Coder, autoencoder, variational
from empirical.models.coded import GRADIENTS, Encoded, Projected, Sampled
from empirical.models.projection import Projection
from empirical.models.shallow import CLASSIFIERS
from fragility.engine.study import UsageError

PIXELS, UNITS = 9, 3
START = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Made(Coder):
    """3 latent units, 3 x 3 pixels: linear, or with the sigmoid."""

    def __init__(self, curved):
        super().__init__()
        self.curved, self.matrix = curved, normal(0, PIXELS, UNITS)

    def decode(self, z):
        shown = (z @ self.matrix.T).unflatten(1, (1, 3, 3))
        return shown.sigmoid() if self.curved else shown


@pytest.fixture
def images():
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.fixture
def classifier():
    return CLASSIFIERS["lrl"](0, LATENT, 20).double()


def gradient(model, x):
    given = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(model(given)[:, 1].sum(), given)
    return found.flatten(1)


def test_the_encoded_classifier_is_the_composition(images, classifier):
    for coder in (autoencoder(0, 8).double(), variational(0, 8).double()):
        model = Encoded(coder, classifier)
        torch.testing.assert_close(model(images), classifier(coder.encode(images)))
        assert torch.autograd.gradcheck(model, images[:1].requires_grad_())
        images = images.detach()


def test_the_sampled_classifier_has_the_mean_of_probabilities(images, classifier):
    coder, noise = variational(0, 8).double(), normal(2, 5, LATENT)
    model = Sampled(coder, classifier, noise)
    mean, log_variance = coder.moments(images)
    each = [classifier(mean + (log_variance / 2).exp() * row).softmax(1) for row in noise]
    torch.testing.assert_close(model(images).exp(), sum(each) / 5)
    torch.testing.assert_close(model(images).softmax(1), model(images).exp())
    assert torch.autograd.gradcheck(model, images[:1].requires_grad_())


@pytest.mark.parametrize("way", GRADIENTS)
def test_the_projected_classifier_is_the_composition(way, images, classifier):
    coder, start, short = variational(0, 8).double(), normal(3, LATENT), Projection(20)
    model = Projected(coder, classifier, short, start, way)
    expected = classifier(short.codes(coder.decode, images, start))
    torch.testing.assert_close(model(images), expected)
    with torch.no_grad():
        assert torch.equal(model(images), model(images.clone().requires_grad_()))
    torch.testing.assert_close(torch.cat([model(image[None]) for image in images]), expected)
    apart = torch.cat([gradient(model, image[None]) for image in images])
    torch.testing.assert_close(gradient(model, images), apart)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_implicit_gradient_of_a_linear_decoder_goes_through_the_pseudoinverse(norm):
    coder, weight = Made(curved=False), normal(4, 4, UNITS)
    model = Projected(coder, lambda z: z @ weight.T, Projection(10, norm), START)
    expected = weight[1] @ torch.linalg.pinv(coder.matrix)
    torch.testing.assert_close(gradient(model, normal(5, 2, 1, 3, 3)), expected.expand(2, -1), rtol=1e-5, atol=1e-7)


def test_both_gradients_are_those_of_the_least_squares_solution_where_the_decoder_nearly_has_the_image():
    coder, weight = Made(curved=True), normal(4, 4, UNITS)
    x = coder.decode(normal(6, 1, UNITS) / 2) + 0.02 * normal(7, 1, 1, 3, 3)

    def logit(pixels):
        def away(z):
            return coder.decode(torch.tensor(z[None])).flatten().numpy() - pixels

        return float(weight[1] @ torch.tensor(least_squares(away, START.numpy(), xtol=1e-14, ftol=1e-14).x))

    around = x.flatten().numpy() + 1e-4 * np.stack([np.eye(PIXELS), -np.eye(PIXELS)])
    expected = [(logit(more) - logit(less)) / 2e-4 for more, less in zip(*around, strict=True)]
    for way, error in (("steps", 1e-3), ("implicit", 0.05)):
        found = gradient(Projected(coder, lambda z: z @ weight.T, Projection(), START, way), x)[0].numpy()
        assert np.linalg.norm(found - expected) < error * np.linalg.norm(expected)


def test_a_unit_that_decodes_to_nothing_has_a_finite_implicit_gradient():
    coder = Made(curved=True)
    coder.matrix[:, 2] = 0
    found = gradient(Projected(coder, lambda z: z, Projection(10), START), normal(8, 1, 1, 3, 3).sigmoid())
    assert found.isfinite().all()
    assert found.abs().max() > 0


def test_another_gradient_is_refused():
    with pytest.raises(UsageError, match="one of steps, implicit"):
        Projected(Made(curved=False), nn.Identity(), Projection(), START, "exact")
