"""Attacks through an autoencoder to a classifier of its codes, beside what the linear layers in between allow."""

import numpy as np
import pytest
import torch

from empirical.attacks.bracket import bracket
from empirical.attacks.ensemble import auto_attack
from empirical.attacks.penalised import Penalised, chosen
from empirical.certificates.dense import linear_distance
from empirical.data.sets import load
from empirical.decisions.judge import lengths
from empirical.models.autoencoders import autoencoder
from empirical.models.coded import Encoded, Projected
from empirical.models.projection import Projection
from empirical.models.shallow import CLASSIFIERS
from empirical.training.network import Recipe, train
from empirical.training.reconstruction import Reconstruction

BOX = (0.0, 1.0)
COUNT = 12
ADAM = Recipe("Adam", 0.01, 1.0, 100)


@pytest.fixture(scope="module")
def digits():
    """Images (N, 1, 8, 8) in [0, 1], in float64, and their classes."""
    images = load("digits", "train")
    return torch.tensor(images.x)[:, None].double() / 255, torch.tensor(images.labels)


@pytest.fixture(scope="module")
def trained(digits):
    """An autoencoder of digits and a linear classifier of its codes, 20 epochs each.

    In float64 a point that an attack drew up to the boundary stays on its side of it when it is added up again.
    """
    x, y = digits
    coder, classifier = autoencoder(0, 8).double(), CLASSIFIERS["1l"](0, 32, 1).double()
    train(coder, x, y, 20, 0, ADAM, objective=Reconstruction())
    train(classifier, coder.encode(x), y, 20, 0, ADAM)
    return coder, classifier


def attacked(digits, trained):
    """Images that the whole pipeline classifies right, and a bound below which none of them can be turned.

    The bound is the distance of the code to the linear classifier's boundary over the encoder's spectral norm: a leaky
    ReLU lengthens no difference.
    """
    (x, y), (coder, classifier) = digits, trained
    model = Encoded(coder, classifier)
    kept = (model(x).argmax(1) == y).nonzero()[:COUNT, 0]
    x, y = x[kept], y[kept]
    last, norm = classifier[-1], float(torch.linalg.matrix_norm(coder.encoder[1].weight, 2))
    of_codes = linear_distance(last.weight[None], last.bias[None], coder.encode(x), y)
    return model, x, y, of_codes, of_codes / norm


def test_the_pipeline_has_learnt_its_digits(digits, trained):
    x, y = digits
    assert (Encoded(*trained)(x).argmax(1) == y).double().mean() > 0.9


def test_a_bracket_in_pixels_moves_the_code_across_the_boundary_and_no_less(digits, trained):
    model, x, y, of_codes, bound = attacked(digits, trained)
    found = bracket(model, x, y, box=BOX, lower=bound, attacks=("fast_gradient", "deepfool", "ddn"))
    assert np.isfinite(found.upper).all()
    assert not found.flags["crossed"].any()
    moved = x + torch.tensor(found.delta)
    assert moved.min() >= 0
    assert moved.max() <= 1
    codes = lengths(model.coder.encode(x), model.coder.encode(moved)).numpy()
    assert (codes >= of_codes * (1 - 1e-5)).all()
    logits = model.coder.encode(moved) @ model.classifier[-1].weight.T + model.classifier[-1].bias
    assert (logits.argmax(1) != y).all()


def test_what_survives_autoattack_is_between_certificate_and_bracket(digits, trained):
    model, x, y, _, bound = attacked(digits, trained)
    upper = bracket(model, x, y, box=BOX, attacks=("fast_gradient", "deepfool", "ddn")).upper
    assert auto_attack(model, x, y, "l2", float(bound.min()), 0, ("apgd-ce",)).all()
    radius = float(np.median(upper))
    alive = auto_attack(model, x, y, "l2", radius, 0, ("apgd-ce", "apgd-t")).numpy()
    assert not alive[upper < 0.98 * radius].any()
    assert alive.any()


def test_goals_are_reached_in_codes_and_in_pixels_and_no_nearer_than_certified(digits, trained):
    (x, y), (coder, classifier) = digits, trained
    model = Encoded(coder, classifier)
    index, goal = chosen(model, x, y, 1)
    assert len(index) == 90
    index, goal = index[::8], goal[::8]
    codes, last = coder.encode(x), classifier[-1].weight
    in_codes = Penalised(0.01, box=None).run(classifier, codes[index], goal)
    in_pixels = Penalised(0.01).run(model, x[index], goal)
    assert in_codes.reached.all()
    assert in_pixels.reached.any()
    logits = classifier(codes[index])
    margin = logits.gather(1, y[index, None])[:, 0] - logits.gather(1, goal[:, None])[:, 0]
    least = (margin + np.log(19)) / (last[y[index]] - last[goal]).norm(dim=1)
    assert (lengths(codes[index], in_codes.x_adv) >= least * (1 - 1e-5)).all()
    norm = torch.linalg.matrix_norm(coder.encoder[1].weight, 2)
    assert (lengths(x[index], in_pixels.x_adv) >= least / norm * (1 - 1e-5))[in_pixels.reached].all()


def test_a_bracket_goes_through_a_projection(digits, trained):
    (x, y), (coder, classifier) = digits, trained
    model = Projected(coder, classifier, Projection(steps=20), torch.zeros(32, dtype=x.dtype))
    kept = (model(x[:100]).argmax(1) == y[:100]).nonzero()[:6, 0]
    found = bracket(model, x[kept], y[kept], box=BOX, attacks=("fast_gradient",))
    turned = np.isfinite(found.upper)
    assert turned.any()
    said = model(x[kept] + torch.tensor(found.delta)).argmax(1)
    assert ((said != y[kept]).numpy() == turned).all()
