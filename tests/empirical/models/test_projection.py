"""Projection onto the range of a decoder, against the pseudoinverse, a linear program and finite differences."""

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from empirical.models import projection
from empirical.models.projection import Projection
from fragility.engine.study import UsageError
from theory.latent.codes import linear_projection

PIXELS, LATENT = 9, 3
LONG = Projection()
START = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


MATRIX = normal(0, PIXELS, LATENT)


def linear(z):
    return z @ MATRIX.T


def curved(z):
    return torch.sigmoid(z @ MATRIX.T)


def test_of_a_linear_decoder_it_is_the_pseudoinverse():
    x = normal(1, 4, PIXELS)
    found = LONG.codes(linear, x, START)
    torch.testing.assert_close(found, linear_projection(MATRIX, x), atol=1e-3, rtol=1e-3)
    assert not found.requires_grad


def test_the_encoding_is_the_projection_if_the_encoder_is_the_pseudoinverse_and_not_otherwise():
    x = normal(2, 4, PIXELS)
    encoder = torch.linalg.pinv(MATRIX)
    other = encoder + normal(3, LATENT, PIXELS) / 10
    found = LONG.codes(linear, x, START)
    assert (found - x @ encoder.T).abs().max() < 1e-3 < 0.1 < (found - x @ other.T).abs().max()


def test_with_the_norm_l1_it_is_the_linear_program_s_optimum():
    x = normal(4, 3, PIXELS)
    found = (linear(Projection(norm="l1").codes(linear, x, START)) - x).abs().sum(1)
    one, d = np.eye(PIXELS), MATRIX.numpy()
    for image, distance in zip(x.numpy(), found, strict=True):
        least = linprog(
            np.r_[np.zeros(LATENT), np.ones(PIXELS)],
            A_ub=np.block([[d, -one], [-d, -one]]),
            b_ub=np.r_[image, -image],
            bounds=[(None, None)] * LATENT + [(0, None)] * PIXELS,
        ).fun
        assert least - 1e-9 <= float(distance) < 1.002 * least


def test_the_derivative_through_the_steps_is_that_of_finite_differences():
    x = normal(5, 2, PIXELS).sigmoid().requires_grad_()
    short = Projection(30)
    assert torch.autograd.gradcheck(lambda images: short.codes(curved, images, START, through=True), x)
    through = short.codes(curved, x, START, through=True)
    assert torch.equal(through, short.codes(curved, x, START))


def test_the_derivative_through_many_steps_of_a_linear_decoder_is_the_pseudoinverse():
    x = normal(6, 1, PIXELS).requires_grad_()
    found = torch.autograd.functional.jacobian(lambda images: LONG.codes(linear, images, START, through=True)[0], x)
    torch.testing.assert_close(found[:, 0], torch.linalg.pinv(MATRIX), atol=1e-2, rtol=1e-2)


def test_images_are_projected_each_alone(monkeypatch):
    x = normal(7, 7, PIXELS).sigmoid()
    found = Projection(50).codes(curved, x, START)
    alone = torch.cat([Projection(50).codes(curved, image[None], START) for image in x])
    torch.testing.assert_close(found, alone)
    monkeypatch.setattr(projection, "TOGETHER", 3)
    torch.testing.assert_close(Projection(50).codes(curved, x, START), alone)
    starts = torch.stack([START, -START, 2 * START])
    each = torch.cat([Projection(5).codes(curved, x[:1], start) for start in starts])
    torch.testing.assert_close(Projection(5).codes(curved, x[:1].expand(3, -1), starts), each)


def test_an_image_that_is_decoded_exactly_stays_where_it_is():
    x = curved(START[None]).requires_grad_()
    found = Projection(3).codes(curved, x, START, through=True)
    torch.testing.assert_close(found[0], START)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert gradient.isfinite().all()


def test_what_cannot_be_is_refused():
    for wrong, says in (
        ({"norm": "l3"}, "one of l1, l2"),
        ({"steps": 0}, "at least 1 step"),
        ({"rate": 0.0}, "above 0"),
    ):
        with pytest.raises(UsageError, match=says):
            Projection(**wrong)
    with pytest.raises(UsageError, match="implicit gradient"):
        Projection(5, "l1").codes(linear, torch.zeros(1, PIXELS), START, through=True)
