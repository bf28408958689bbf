"""Classifiers of codes as models of pixels: closed forms, and that nothing is recorded that does not flip."""

from functools import partial

import numpy as np
import pytest
import torch

from empirical.attacks import bracket, ensemble
from empirical.latent_defence.codes import Coding
from empirical.latent_defence.pixels import Found, Pipeline, cell
from empirical.latent_defence.setting import GRADIENTS, Setting
from empirical.latent_defence.shown import shown
from empirical.models.autoencoders import autoencoder, variational
from empirical.models.projection import Projection
from empirical.models.shallow import CLASSIFIERS

SIZE, COUNT = 6, 4
SETTING = Setting(
    dataset="digits", width=9, penalty=0.01, pairs=1, training=1, tested=1, held_out=0, projection="l2",
    projection_steps=12, code="mean", epochs=1, epochs_codes=1, epochs_autoencoder=1, images=COUNT, noises=3,
    ddn_implicit=4, ddn_steps=2, auto="short", auto_radius=0.1, data="",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A short attack in place of all: they have tests of their own."""
    monkeypatch.setattr(bracket, "bracket", partial(bracket.bracket, attacks=("ddn",)))
    monkeypatch.setattr(ensemble, "STANDARD", ("apgd-ce",))


def near(kind, way):
    """A classifier whose ten logits are all 0 at a grey image: every other image is close to several decisions."""
    model = CLASSIFIERS[kind](0, SIZE**2 if way is None else 32, 9).requires_grad_(False)
    grey = torch.full((1, 1, SIZE, SIZE), 0.5)
    model[-1].bias.sub_(model(grey if way is None else way.codes(grey, 0))[0])
    return model


def coding(space, sampled=False, norm="l2"):
    coder = (variational if space.startswith("vae") else autoencoder)(1, SIZE).requires_grad_(False)
    projection = Projection(SETTING.projection_steps, norm) if space.endswith("projection") else None
    start = torch.randn(32, generator=torch.Generator().manual_seed(0))
    return Coding(coder, projection, start, sampled, (3, 1))


def pipeline(way, kind="1l"):
    """Attacked at images in the middle of the box, with the labels that it gives them, but for the last."""
    model = near(kind, way)
    x = 0.4 + 0.2 * torch.rand(COUNT, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        labels = Pipeline(SETTING, way, model, x, torch.zeros(COUNT, dtype=torch.long), 0).judged(x).argmax(1)
    labels[-1] = (labels[-1] + 1) % 10
    return Pipeline(SETTING, way, model, x, labels, 5)


def distances(weight, bias, x, labels):
    """Of linear logits, by the quotient for every rival."""
    logits = x.flatten(1) @ weight.T + bias
    found = []
    for row, own in zip(logits.double(), labels, strict=True):
        quotients = [(row[own] - row[j]) / (weight[own] - weight[j]).double().norm() for j in range(10) if j != own]
        found.append(max(float(min(quotients)), 0.0))
    return np.array(found)


def test_a_linear_classifier_of_images_has_its_distance():
    made = pipeline(None)
    expected = distances(made.classifier[1].weight, made.classifier[1].bias, made.x, made.labels)
    found = made.found(None)
    assert list(found) == ["exact"]
    np.testing.assert_allclose(found["exact"].lengths, expected, rtol=0.02)
    np.testing.assert_allclose(made.lower(), expected, rtol=1e-4, atol=1e-9)
    assert expected[-1] == 0
    assert made.accuracy() == 1 - 1 / COUNT


def test_a_linear_encoder_with_a_linear_classifier_has_its_distance():
    """The mean of a variational encoder whose units all are on the right side of the leaky ReLU."""
    way = coding("vae_encoding")
    way.coder.encoder[1].bias.add_(5.0)
    made = pipeline(way)
    first, mean, last = way.coder.encoder[1], way.coder.mean, made.classifier[1]
    weight = last.weight @ mean.weight @ first.weight
    bias = last.weight @ (mean.weight @ first.bias + mean.bias) + last.bias
    expected = distances(weight, bias, made.x, made.labels)
    np.testing.assert_allclose(made.found(None)["exact"].lengths, expected, rtol=0.02)
    np.testing.assert_allclose(made.lower(), expected, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize(
    ("way", "ways"),
    [
        (coding("ae_encoding"), ["transfer", "exact"]),
        (coding("vae_encoding", sampled=True), ["transfer", "exact", "expected"]),
        (coding("ae_projection"), ["transfer", "implicit", "steps"]),
        (coding("vae_projection", norm="l1"), ["transfer", "implicit"]),
    ],
)
def test_every_perturbation_flips_the_whole_pipeline_and_has_its_length(way, ways):
    made = pipeline(way, "lrl")
    images = pipeline(None).found(None)["exact"]
    found = made.found(images)
    assert list(found) == ways
    for name, one in found.items():
        point = made.x + one.delta
        flipped = made.judged(point).argmax(1) != made.labels
        assert (flipped.numpy() == np.isfinite(one.lengths)).all(), name
        assert one.lengths[-1] == 0
        kept = np.isfinite(one.lengths[:-1])
        lengths = one.delta[:-1].double().flatten(1).norm(dim=1).numpy()
        np.testing.assert_allclose(lengths[kept], one.lengths[:-1][kept], rtol=1e-5)
        assert point.min() >= 0
        assert point.max() <= 1
    assert np.isfinite(found[ways[-1]].lengths).all()
    assert (made.lower() <= np.min([one.lengths for one in found.values()], axis=0)).all()


def test_transfer_looks_along_the_images_perturbation():
    made = pipeline(coding("ae_encoding"))
    images = pipeline(None).found(None)["exact"]
    found = made.found(images)["transfer"]
    kept = np.flatnonzero(np.isfinite(found.lengths) & (found.lengths > 0) & (images.lengths > 0))
    assert len(kept)
    along = torch.cosine_similarity(found.delta.flatten(1), images.delta.flatten(1))[kept]
    assert (along > 0.99).all()


def test_samples_without_spread_are_the_mean():
    way = coding("vae_encoding", sampled=True)
    way.coder.log_variance.weight.zero_()
    way.coder.log_variance.bias.fill_(-40.0)
    made, plain = pipeline(way), pipeline(coding("vae_encoding"))
    np.testing.assert_allclose(made.found(None)["expected"].lengths, plain.found(None)["exact"].lengths, rtol=1e-2)
    assert (made.lower() == 0).all()


def test_what_is_recorded_is_the_best_of_all_ways(monkeypatch):
    made = pipeline(coding("ae_projection"))
    lengths = {"transfer": [4.0, np.inf, np.inf, 0], "implicit": [2.0, 3.0, np.inf, 0], "steps": [3.0, 1.0, np.inf, 0]}
    deltas = {name: torch.full_like(made.x, number) for number, name in enumerate(lengths)}
    given = {name: Found(np.array(row), deltas[name]) for name, row in lengths.items()}
    monkeypatch.setattr(Pipeline, "found", lambda *_: given)
    recorded, best = cell(made, None)
    assert recorded["pixels"] == 1.5
    assert recorded["failed"] == 0.25
    by, failed = (dict(zip(GRADIENTS, recorded[name], strict=True)) for name in ("pixels_by", "failed_by"))
    assert (by["implicit"], by["steps"], by["transfer"]) == (2.5, 2.0, np.inf)
    assert (failed["implicit"], failed["transfer"]) == (0.25, 0.5)
    assert np.isnan([by["exact"], failed["expected"], recorded["auto"], recorded["auto_clean"]]).all()
    np.testing.assert_array_equal(best.lengths, [2, 1, np.inf, 0])
    assert best.delta[:2, 0, 0, 0].tolist() == [1, 2]


class Steep:
    """Two classes by the first pixel: it is 1 from `edge` on."""

    def __init__(self, edge):
        self.edge = edge

    def __call__(self, x):
        first = x.flatten(1)[:, 0]
        return torch.stack([self.edge - first, first - self.edge, torch.full_like(first, -9.0)], 1)


def test_the_picture_is_the_first_that_all_have_right():
    x = torch.zeros(3, 1, 2, 2)
    x[:, 0, 0, 0] = torch.tensor([0.5, 0.3, 0.2])
    labels = torch.tensor([0, 0, 0])
    edges, lengths = (0.6, 0.4), (np.array([0.1, 0.3, 0.4]), np.array([0.0, np.inf, 0.2]))
    attacked = []
    for edge, length in zip(edges, lengths, strict=True):
        delta = torch.zeros_like(x)
        delta[:, 0, 0, 0] = torch.tensor(length).nan_to_num(posinf=0.0)
        attacked.append((Pipeline(SETTING, None, Steep(edge), x, labels, 0), Found(length, delta)))
    found = shown(attacked)
    np.testing.assert_allclose(found["picture"], [0.3, 0, 0, 0])
    assert found["picture_label"] == 0
    np.testing.assert_array_equal(found["picture_length"], [0.3, np.inf])
    np.testing.assert_allclose(found["picture_attacked"][0], [0.6, 0, 0, 0])
    assert np.isnan(found["picture_attacked"][1]).all()
    np.testing.assert_array_equal(found["picture_as"], [1, np.nan])
    never = shown([(Pipeline(SETTING, None, Steep(0.1), x, labels, 0), attacked[0][1])])
    np.testing.assert_allclose(never["picture"], [0.5, 0, 0, 0])
