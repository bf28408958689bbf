"""Growth of relative errors in layers, against theory's formulas and against the inequality itself."""

import numpy as np
import pytest
import torch

from empirical.conditioning.growth import growth, growths, layer_inputs
from empirical.conditioning.looks import matrix
from empirical.models.mnist import pooled_conv, softmax
from theory.conditioning import condition_numbers as formulas

LAYERS = ("conv0", "conv1", "dense", "logits")
X = torch.rand(130, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9), (5, 5), (1, 7)])
def test_it_is_that_of_the_formulas(shape):
    W, x = gaussian(*shape), gaussian(130, shape[1], seed=1)
    found = growth(W, x, np.random.default_rng(5))
    np.testing.assert_allclose(found.effective, formulas.effective_condition(W, x), rtol=1e-10)
    np.testing.assert_allclose(found.worst, formulas.effective_condition(W, x), rtol=1e-10)
    np.testing.assert_allclose(found.row_space, formulas.row_space_factor(W, x), rtol=1e-8)
    random = np.random.default_rng(5)
    d = np.concatenate([random.standard_normal((count, shape[1])) for count in (100, 30)])
    relative = formulas.relative_growth(W, x, d) * np.linalg.norm(x, axis=1) / np.linalg.norm(d, axis=1)
    np.testing.assert_allclose(found.random, relative, rtol=1e-10)


@pytest.mark.parametrize("shape", [(9, 4), (4, 9)])
def test_the_corrected_bound_holds_and_the_printed_one_only_for_full_column_rank(shape):
    W, x = gaussian(*shape), gaussian(300, shape[1], seed=1)
    corrected, printed = growth(W, x, np.random.default_rng(0)).of_bound
    assert 0 < corrected <= 1 + 1e-12
    assert (printed > 1) is (shape[1] > shape[0])


def test_it_is_attained():
    """x along the last right singular vector of a tall matrix: the growth is its condition number."""
    W = gaussian(9, 4)
    corrected, printed = growth(W, np.linalg.svd(W)[2][-1:], np.random.default_rng(0)).of_bound
    assert corrected == pytest.approx(1)
    assert printed == pytest.approx(1)


def test_what_a_layer_annihilates_is_left_out():
    W = np.array([[1.0, 0.0], [2.0, 0.0]])
    x = np.array([[0.0, 0.0], [0.0, 3.0], [1.0, 1.0]])
    found = growth(W, x, np.random.default_rng(0))
    np.testing.assert_allclose(found.row_space, [2**0.5])
    np.testing.assert_allclose(found.effective, [2**0.5])
    nothing = growth(np.zeros((2, 3)), gaussian(5, 3), np.random.default_rng(0))
    assert len(nothing.effective) == 0
    assert np.isnan(nothing.of_bound).all()


def test_layers_are_given_what_the_network_computes():
    """W x + b, from the inputs and the matrix, is what the layer returns: at its middle, for a convolution."""
    model = pooled_conv(2, 8).eval()
    given = layer_inputs(model, LAYERS, X)
    answers = {}
    for name in LAYERS:
        model.get_submodule(name).register_forward_hook(lambda _layer, _x, out, name=name: answers.update({name: out}))
    model(X)
    for name in LAYERS:
        z = answers[name].detach()
        z = z[:, :, z.shape[2] // 2, z.shape[3] // 2] if z.ndim == 4 else z
        np.testing.assert_allclose(given[name] @ matrix(model, name), z.numpy(), atol=1e-5)
    assert [given[name].shape for name in LAYERS] == [(130, 9), (130, 288), (130, 256), (130, 128)]


def test_directions_are_of_the_seed():
    model = softmax(0, 8).requires_grad_(False)
    one, again, other = (growths(model, ("simple",), X, seed)[0].random for seed in (7, 7, 8))
    np.testing.assert_array_equal(one, again)
    assert (one != other).all()
