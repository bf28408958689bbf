"""What treatments do to singular values, and what they leave alone."""

from functools import partial

import numpy as np
import pytest
import torch

from empirical.conditioning.looks import matrix
from empirical.conditioning.treatments import CLIP, clipped, orthogonal
from empirical.models.mnist import pooled_conv, softmax

LAYERS = ("conv0", "conv1", "dense", "logits")
BUILD = partial(pooled_conv, size=8)


def singular_values(model, name):
    return np.linalg.svd(matrix(model, name), compute_uv=False)


def test_an_orthogonal_start_has_equal_singular_values_of_the_same_sum_of_squares():
    plain, model, again = BUILD(3), orthogonal(BUILD, 3), orthogonal(BUILD, 3)
    for name in LAYERS:
        values = singular_values(model, name)
        np.testing.assert_allclose(values, values[0], rtol=1e-5)
        assert np.linalg.norm(values) == pytest.approx(np.linalg.norm(singular_values(plain, name)), rel=1e-6)
        assert torch.equal(model.get_parameter(f"{name}.weight"), again.get_parameter(f"{name}.weight"))


def test_it_is_the_nearest_such_matrix():
    """The polar factor: W^T Q is symmetric and positive."""
    W, Q = matrix(softmax(1), "simple"), matrix(orthogonal(softmax, 1), "simple")
    product = W.T @ Q
    np.testing.assert_allclose(product, product.T, atol=1e-6)
    assert np.linalg.eigvalsh(product).min() > 0


def test_a_start_at_zero_stays_there():
    assert not matrix(orthogonal(partial(softmax, deviation=0.0), 1), "simple").any()


@pytest.mark.parametrize("level", [CLIP, 0.9, 1e-3])
def test_clipping_raises_what_is_small_and_changes_nothing_else(level):
    plain = BUILD(3)
    model = clipped(plain, level)
    for name in LAYERS:
        before, after = singular_values(plain, name), singular_values(model, name)
        np.testing.assert_allclose(after, np.maximum(before, level * before[0]), rtol=1e-5)
        change = matrix(model, name) - matrix(plain, name)
        assert np.linalg.norm(change, 2) == pytest.approx(max(level * before[0] - before[-1], 0), rel=1e-4, abs=1e-6)
    assert torch.equal(plain.get_parameter("dense.weight"), BUILD(3).get_parameter("dense.weight"))


def test_a_functional_added_to_all_logits_is_all_that_a_lost_gauge_costs():
    """Raising the singular value along (1, ..., 1) changes a condition number and no difference of logits."""
    model = softmax(1, deviation=0.1)
    with torch.no_grad():
        model[1].weight -= 0.999 * model[1].weight.mean(0)
    after = clipped(model, 0.3)
    x = torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    differences = [out - out.mean(1, keepdim=True) for out in (model(x), after(x))]
    torch.testing.assert_close(*differences, atol=1e-3, rtol=1e-3)
    first, last = (np.linalg.cond(matrix(net, "simple")) for net in (model, after))
    assert first > 100
    assert last == pytest.approx(1 / 0.3, rel=1e-4)
