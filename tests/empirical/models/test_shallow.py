"""The three classifiers of images and codes, against their formulas."""

import numpy as np
import pytest
import torch

from empirical.models.shallow import CLASSIFIERS


def arrays(model):
    return [value.detach().numpy() for value in model.parameters()]


def test_logits_are_those_of_the_formulas():
    x = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0)).double() - 0.5
    flat = x.numpy().reshape(5, 16)
    w, b = arrays(one := CLASSIFIERS["1l"](3, 16, 7).double())
    np.testing.assert_allclose(one(x).detach(), flat @ w.T + b)
    w1, b1, w2, b2 = arrays(two := CLASSIFIERS["2l"](3, 16, 7).double())
    np.testing.assert_allclose(two(x).detach(), flat @ (w2 @ w1).T + w2 @ b1 + b2)
    w1, b1, w2, b2 = arrays(relu := CLASSIFIERS["lrl"](3, 16, 7).double())
    hidden = flat @ w1.T + b1
    assert (hidden < 0).any()
    np.testing.assert_allclose(relu(x).detach(), np.maximum(hidden, 0) @ w2.T + b2)


@pytest.mark.parametrize(("name", "count"), [("1l", 330), ("2l", 33 * 100 + 1010), ("lrl", 33 * 100 + 1010)])
def test_parameters_are_counted_with_biases_and_are_a_function_of_the_seed(name, count):
    first, again, other = (arrays(CLASSIFIERS[name](seed, 32, 100)) for seed in (1, 1, 2))
    assert sum(value.size for value in first) == count
    for value, same, another in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(value, same)
        assert not np.array_equal(value, another)
