"""Which models take any batch of points."""

import torch

from empirical.decisions.inputs import takes_any_batch


def test_models_with_weights_of_their_own_are_told_from_others():
    weight, x = torch.randn(5, 3, 4), torch.randn(5, 4)
    own = lambda z: torch.einsum("bcn,bn->bc", weight, z)  # noqa: E731
    by_place = lambda z: z @ weight[0].T + torch.arange(len(z))[:, None]  # noqa: E731
    assert takes_any_batch(lambda z: z @ weight[0].T, x)
    assert not takes_any_batch(own, x)
    assert not takes_any_batch(by_place, x)
    assert not takes_any_batch(lambda z: own(z), x[:5])
