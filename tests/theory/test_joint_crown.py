"""Joint linear bounds against their oracle, attackers, another library and the exact optimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.test_joint_boxes import twin
from tests.theory.test_margins import BUDGET, column, networks, oracle
from theory.joint.crown import crown_increase, refined_boxes, tightest_increase
from theory.joint.margins import clean_increase, interval_increase, theorem_increase
from theory.things.boxes import joint_boxes
from theory.things.layers import Conv, Dense, Flatten
from theory.things.network import Budget, Network, pairwise_margins
from theory.worlds.networks import attack, draw_network, draw_radii

SEEDS = st.integers(0, 10_000)


def test_oracles():
    assert crown_increase(*oracle())[0, 1] == pytest.approx(0.4227268811, abs=1e-10)
    signs = Network.dense(np.array([[[1, -2], [0.5, 1]], [[1, -1], [2, 0.5]], [[1, 0], [-1, 2]]]))
    assert crown_increase(signs, np.array([1, -0.5]), Budget(0.1, 0.1))[0, 1] == pytest.approx(2.86)
    chain = Network.dense([column(1.5), column(0.5), column(1, -0.25)])
    found = crown_increase(chain, np.array([2.0]), Budget(0.1, (0.2, 0.05, 0.01)))
    assert found[0, 1] == pytest.approx(0.618645)


@given(SEEDS, st.booleans())
def test_no_attack_exceeds_it(seed, pixels):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng)
    radii = draw_radii(rng, len(weights))
    network, budget = Network.dense(weights), Budget(0.1, radii)
    within, x = ((0, 1), np.clip(x, 0, 1)) if pixels else (None, x)
    moved, moved_x = attack(rng, weights, x, radii, 0.1)
    moved_x = np.clip(moved_x, 0, 1) if pixels else moved_x
    found = pairwise_margins(Network.dense(moved).logits(moved_x)) - pairwise_margins(network.logits(x))
    tightest = tightest_increase(network, x, budget, within)
    assert np.all(found <= tightest + 1e-9)
    assert np.all(tightest <= interval_increase(network, x, budget, within) + 1e-9)
    assert np.all(tightest <= crown_increase(network, x, budget, within))
    assert np.all(np.diagonal(crown_increase(network, x, budget, within)) == 0)


@given(SEEDS)
def test_one_layer_is_exact_and_no_budget_no_increase(seed):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng, depth=1)
    network, budget = Network.dense(weights), Budget(0.2, 0.1)
    assert crown_increase(network, x, budget) == pytest.approx(interval_increase(network, x, budget))
    deep = Network.dense(draw_network(rng, depth=4)[0])
    x = rng.normal(size=deep.layers[0].weight.shape[1])
    assert crown_increase(deep, x, Budget()) == pytest.approx(0, abs=1e-12)


@given(SEEDS)
def test_refined_boxes_lie_in_the_boxes_and_hold_every_activation(seed):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng)
    radii = draw_radii(rng, len(weights))
    network, budget = Network.dense(weights), Budget(0.1, radii)
    loose, fine = (boxes(network, x, budget).before for boxes in (joint_boxes, refined_boxes))
    for wide, narrow in zip(loose, fine, strict=True):
        assert np.all(wide.lower <= narrow.lower + 1e-9)
        assert np.all(narrow.upper <= wide.upper + 1e-9)
    for _ in range(5):
        moved = [
            weight + radius * rng.choice([-1, 1], weight.shape) for weight, radius in zip(weights, radii, strict=True)
        ]
        moved = Network.dense(moved)
        values = moved.activations(x + 0.1 * rng.choice([-1, 1], x.shape))
        for value, (layer, _), box in zip(values, moved.stages, fine, strict=False):
            assert np.all((box.lower - 1e-9 <= layer(value)) & (layer(value) <= box.upper + 1e-9))


@settings(max_examples=30)
@given(SEEDS)
def test_without_weight_perturbation_it_is_the_known_linear_bound(seed):
    bound_propagation = pytest.importorskip("bound_propagation")
    torch = pytest.importorskip("torch")
    network, model, x = twin(torch, seed)
    last = torch.nn.Linear(3, 9, bias=False).double()  # all margins at once: rows e_i - e_j
    last.weight.data = pairwise_margins(torch.eye(3, dtype=torch.float64)).reshape(3, 9).T
    merged = torch.nn.Linear(model[-1].in_features, 9).double()
    merged.weight.data, merged.bias.data = last.weight @ model[-1].weight, last.weight @ model[-1].bias
    model = torch.nn.Sequential(*list(model)[:-1], merged)
    region = bound_propagation.HyperRectangle.from_eps(torch.asarray(x), 0.1)
    known = bound_propagation.BoundModelFactory(adaptive_relu=True).build(model).crown(region).concretize().upper
    ours = crown_increase(network, x, Budget(0.1)) + pairwise_margins(network.logits(x))
    assert ours.reshape(6, 9) == pytest.approx(known.detach().numpy(), abs=1e-9)


def averaged(xp):
    """The networks that linear bounds take: those without max pooling."""
    return list(networks(xp))[:2]


@pytest.mark.parametrize("bound", [crown_increase, tightest_increase])
def test_torch_agrees_and_differentiates(bound):
    torch = pytest.importorskip("torch")
    for (ours, arrays, x), (theirs, tensors, points) in zip(averaged(np), averaged(torch), strict=True):
        arrays, tensors = list(arrays), [tensor.requires_grad_() for tensor in tensors]
        expected = bound(ours(*arrays), x, BUDGET)
        found = bound(theirs(*tensors), points, BUDGET)
        assert found.detach().numpy() == pytest.approx(expected, rel=1e-12)
        assert np.stack([bound(ours(*arrays), sample, BUDGET) for sample in x]) == pytest.approx(expected)
        free = points[:1].clone().requires_grad_(), *tensors
        assert torch.autograd.gradcheck(lambda x, *a: bound(theirs(*a), x, BUDGET), free, fast_mode=True)  # noqa: B023


@given(SEEDS)
def test_a_convolution_is_bounded_by_its_unrolled_layers(seed):
    """Without weight perturbation a convolution is a dense layer, and shared kernels cost nothing."""
    rng = np.random.default_rng(seed)
    conv = Conv(rng.normal(size=(2, 1, 2, 2)), rng.normal(size=2), stride=1, padding=1)
    second = Conv(rng.normal(size=(2, 2, 2, 2)), stride=2)
    last, x = Dense(rng.normal(size=(3, 8))), rng.normal(size=(2, 1, 4, 4))

    def unrolled(layer, shape):
        unit = np.eye(int(np.prod(shape))).reshape(-1, *shape)
        matrix = layer.product(layer.weight, unit).reshape(len(unit), -1).T
        return Dense(matrix, (0 * layer(unit[0]) + layer.shift).reshape(-1))

    dense = Network([Flatten(), unrolled(conv, (1, 4, 4)), unrolled(second, (2, 5, 5)), last])
    ours = crown_increase(Network([conv, second, Flatten(), last]), x, Budget(0.1))
    assert ours == pytest.approx(crown_increase(dense, x, Budget(0.1)))


@pytest.mark.parametrize("bound", [crown_increase, interval_increase])
@pytest.mark.parametrize("within", [None, (-1, 1), (0, 1)])
def test_groups_are_networks_side_by_side(bound, within):
    """Neither input nor weights are shared, so that what one part adds to a margin the other cannot change."""
    rng = np.random.default_rng(3)
    first, bias = rng.normal(size=(4, 1, 2, 2)), rng.normal(size=4)
    second, last = rng.normal(size=(6, 2, 2, 2)), rng.normal(size=(3, 6 * 4))
    x, budget = rng.random(size=(2, 2, 4, 4)), Budget(0.1, (0.05, 0.02, 0.03), 0.01)

    def network(groups, *part):
        """Of all channels, or of one part in two."""
        one, shift, two, head = (
            np.split(array, 2, axis)[part[0]] if part else array
            for array, axis in ((first, 0), (bias, 0), (second, 0), (last, 1))
        )
        convolutions = Conv(one, shift, padding=1, groups=groups), Conv(two, stride=2, groups=groups)
        return Network([*convolutions, Flatten(), Dense(head)])

    whole = bound(network(2), x, budget, within)
    parts = [bound(network(1, part), x[:, [part]], budget, within) for part in (0, 1)]
    assert whole == pytest.approx(sum(parts))
    assert np.all(interval_increase(network(2), x, budget) <= theorem_increase(network(2), x, budget) + 1e-9)
    assert np.all(theorem_increase(network(2), x, budget) <= clean_increase(network(2), x, budget) + 1e-9)


def test_wrong_uses():
    with pytest.raises(ValueError, match="the activation must be relu for linear bounds, got tanh"):
        crown_increase(Network.dense([np.eye(2)], activation="tanh"), np.ones(2), Budget())
    pooled = list(networks(np))[2]
    with pytest.raises(ValueError, match="max pooling is not linear"):
        crown_increase(pooled[0](*pooled[1]), pooled[2], BUDGET)
