"""Surfaces of accuracy over radii: their area and envelope, and the groups of images that are attacked together."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from empirical.attacks.joint import Ascent
from empirical.joint_robustness import surface
from empirical.joint_robustness.surface import running_minimum, survivors, volume, worst
from empirical.models.small import tiny
from theory.convolution.robust_accuracy import area, monotone_envelope


def world(images):
    rng = np.random.default_rng(0)
    model = tiny(1)
    x = torch.tensor(rng.random((images, 1, 4, 4), dtype=np.float32))
    y = model(x).argmax(1)
    y[::5] = (y[::5] + 1) % 10
    return model, x, y


@pytest.mark.parametrize(
    ("accuracy", "x", "w", "expected"),
    [
        (np.ones((3, 4)), [0.0, 0.1, 0.3], [0.0, 1.0, 2.0, 7.0], 1),
        (np.outer(1 - np.arange(6) / 5, 1 - np.arange(3) / 2), np.arange(6) / 5, np.arange(3) / 2, Fraction(1, 4)),
        ([[1, 0.8, 0.2], [0.9, 0.5, 0.1], [0.4, 0.1, 0]], [0, 0.1, 0.3], [0, 0.02, 0.04], Fraction(5, 12)),
    ],
)
def test_areas_under_known_surfaces(accuracy, x, w, expected):
    assert volume(np.array(accuracy), x, w) == pytest.approx(float(expected), rel=1e-12)


def test_area_and_envelope_are_those_of_the_theory():
    accuracy = np.random.default_rng(1).random((5, 4, 3))
    x, w = [0, 0.1, 0.15, 0.3], [0, 0.02, 0.05]
    np.testing.assert_allclose(volume(accuracy, x, w), area(accuracy, np.array(x), np.array(w)), rtol=1e-12)
    np.testing.assert_array_equal(running_minimum(accuracy), monotone_envelope(accuracy)[0])


@pytest.mark.parametrize("shared", [True, False])
def test_cells_and_images_come_back_in_their_places(shared, monkeypatch):
    """Attacked cell by cell and group by group, where many go side by side otherwise."""
    monkeypatch.setattr(surface, "BATCH", 8)
    model, x, y = world(21)
    radii = [0.0, 0.05, 0.2], [0.0, 0.01]
    ascent = Ascent(5)
    found = survivors(model, x, y, *radii, ascent, shared)
    monkeypatch.setattr(surface, "FLOATS", 1)
    np.testing.assert_array_equal(found, survivors(model, x, y, *radii, ascent, shared))
    np.testing.assert_array_equal(found[:, 0, 0], (model(x).argmax(1) == y).numpy())
    groups = [slice(0, 8), slice(8, 16), slice(16, 21)] if shared else [slice(k, k + 1) for k in range(21)]
    for group in groups:
        one = survivors(model, x[group], y[group], [0.2], [0.01], ascent, shared)
        np.testing.assert_array_equal(found[group, 2, 1], one[:, 0, 0])


def test_a_perturbation_for_every_image_turns_more_than_one_for_all():
    model, x, y = world(60)
    shared, own = (survivors(model, x, y, [0.0], [0.02], Ascent(40), shared).mean() for shared in (True, False))
    assert own < shared


def test_random_starts_depend_on_their_seed_only():
    model, x, y = world(40)
    ascent = Ascent(0, random=True)
    first, again, other = (survivors(model, x, y, [0.3], [0.1], ascent, False, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_worst_attack_is_chosen_for_each_group_and_cell(monkeypatch):
    monkeypatch.setattr(surface, "BATCH", 2)
    one, other = (np.array(rows, dtype=bool).reshape(5, 1, 1) for rows in ([1, 0, 1, 1, 1], [1, 1, 0, 0, 0]))
    assert worst([one, other], shared=True).ravel().tolist() == [True, False, False, False, False]
    assert worst([one, other], shared=False).ravel().tolist() == [True, False, False, False, False]
    turned = np.array([[1], [0]], dtype=bool).reshape(2, 1, 1), np.array([[0], [1]], dtype=bool).reshape(2, 1, 1)
    assert worst(turned, shared=True).sum() == 1
    assert worst(turned, shared=False).sum() == 0
