"""What is read off networks under attack, on linear models, where all of it is known."""

import numpy as np
import pytest
import torch

from empirical.attacks.iterated import iterated
from empirical.conditioning.attacked import attacked, classes_of, distances, first_right, lead, most_taken_for
from empirical.models.mnist import pooled_conv, softmax

X = torch.rand(130, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
RADII = (0.01, 0.2)


@pytest.fixture(scope="module")
def model():
    return softmax(3, 8, deviation=0.3).double().requires_grad_(False)


def test_accuracies_are_those_of_the_trajectories(model):
    y = np.arange(130) % 10
    found = attacked(model, X, y, "fgsm", RADII, 3)
    for k, radius in enumerate(RADII):
        classes, moved, ends = iterated(model, X, "fgsm", radius, 3)
        np.testing.assert_array_equal(found.accuracy[k], (classes == y).mean(1))
        np.testing.assert_array_equal(found.classes[k], classes[-1])
        np.testing.assert_array_equal(found.pictures[k], ends[0].flatten())
        np.testing.assert_array_equal(found.moved[k], [moved[0].max(), moved[-1].max()])


def test_the_distance_of_a_linear_model_is_exact(model):
    """Along -sign(w_y - w_j) the margin is gone at that distance, and no image within it is classified otherwise."""
    y = torch.tensor(classes_of(model, X))
    y[::7] = (y[::7] + 1) % 10
    right = (classes_of(model, X) == y.numpy()).nonzero()[0]
    found = distances(model, X, y)
    assert found.shape == (len(right),)
    W, b = model[1].weight.numpy(), model[1].bias.numpy()
    for image, far in zip(right, found, strict=True):
        x, label = X[image].flatten().numpy(), int(y[image])
        tries = []
        for j in set(range(10)) - {label}:
            at = x - far * np.sign(W[label] - W[j])
            logits = W @ at + b
            tries.append((logits[label] - logits[j]) / np.abs(W).max())
        assert min(tries) == pytest.approx(0, abs=1e-12)


def test_scale_of_logits_changes_the_lead_and_no_distance():
    model = pooled_conv(0, 8).double().eval().requires_grad_(False)
    y = torch.tensor(classes_of(model, X))
    before, far = lead(model, X), distances(model, X, y)
    model.get_submodule("logits").weight.mul_(3)
    assert lead(model, X) == pytest.approx(3 * before)
    np.testing.assert_allclose(distances(model, X, y), far, rtol=1e-9)
    tops = model(X).sort(dim=1).values
    assert lead(model, X) == pytest.approx((tops[:, -1] - tops[:, -2]).mean().item())


def test_without_a_gradient_the_boundary_is_nowhere():
    model = softmax(0, 8, deviation=0.0).requires_grad_(False)
    assert (distances(model, X.float(), torch.zeros(130, dtype=torch.int64)) == np.inf).all()
    assert distances(model, X.float(), torch.ones(130, dtype=torch.int64)).shape == (0,)


def test_first_images_and_commonest_errors():
    y = np.array([0, 1, 1, 2, 1, 1, 0])
    assert first_right(y, np.array([1, 0, 1, 0, 1, 1, 1], bool), 4) == [0, 2, None, None]
    said = np.array([0, 2, 0, 3, 2, 1, 0])
    np.testing.assert_array_equal(most_taken_for(y, said, 4), [np.nan, 2, 3, np.nan])
