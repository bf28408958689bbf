"""The margin bounds against the oracles of their derivation, their invariances, torch, and the printed formula."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility import witness
from fragility.witness import exact
from theory.claims import BOOK
from theory.joint import margins
from theory.things import penalties
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import Budget, Network, pairwise_margins
from theory.worlds.networks import attack, draw_network, draw_radii

SEEDS = st.integers(0, 10_000)
BOUNDS = [
    margins.tau, margins.zeta, margins.zeta_one_sided, margins.theorem_increase, margins.clean_increase,
    margins.interval_increase,
]  # fmt: skip
each = pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.__name__)


def oracle():
    """Widths 3-4-4-3, entries 0.8 sin(1.7 t + 0.1 t^2 + m) in row-major order."""
    weights = []
    for m, shape in enumerate([(4, 3), (4, 4), (3, 4)], start=1):
        t = np.arange(np.prod(shape))
        weights.append(0.8 * np.sin(1.7 * t + 0.1 * t**2 + m).reshape(shape))
    return Network.dense(weights), np.cos(np.arange(3.0)), Budget(0.1, (0.05, 0.04, 0.03))


def column(*entries):
    return np.array(entries, dtype=float)[:, None]


def world(seed, depth=None):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng, depth)
    return rng, weights, x, draw_radii(rng, len(weights))


def test_oracle_of_three_layers():
    found = {bound.__name__: bound(*oracle())[0, 1] for bound in [*BOUNDS, margins.zeta_printed]}
    network, x, _ = oracle()
    assert pairwise_margins(network.logits(x))[0, 1] == pytest.approx(0.5705340855, abs=1e-10)
    assert found == pytest.approx(
        {
            "tau": 2.2348947355, "zeta": 1.2852939018, "zeta_one_sided": 1.3240193091, "zeta_printed": 1.2763136106,
            "theorem_increase": 2.2348947355 + 1.2852939018, "clean_increase": 3.5986042073,
            "interval_increase": 0.5408758435,
        },
        abs=1e-10,
    )  # fmt: skip


def test_every_bound_is_attained_on_a_positive_chain():
    network = Network.dense([column(1.5), column(0.5), column(1, -0.25)])
    world = network, np.array([2.0]), Budget(0.1, (0.2, 0.05, 0.01))
    assert margins.tau(*world)[0, 1] == pytest.approx(0.118745)
    assert margins.zeta(*world)[0, 1] == pytest.approx(0.4999)
    for bound in (margins.theorem_increase, margins.clean_increase, margins.interval_increase):
        assert bound(*world)[0, 1] == pytest.approx(0.618645)


def test_oracle_of_both_signs():
    network = Network.dense(np.array([[[1, -2], [0.5, 1]], [[1, -1], [2, 0.5]], [[1, 0], [-1, 2]]]))
    world = network, np.array([1, -0.5]), Budget(0.1, 0.1)
    names = (margins.tau, margins.zeta_printed, margins.zeta, margins.interval_increase)
    assert [bound(*world)[0, 1] for bound in names] == pytest.approx([3.8016, 3.787, 3.814, 4.608])


def test_oracles_of_one_and_two_layers():
    one = Network.dense([np.array([[1, -2, 0.5], [0, 1, 0.5]])]), np.array([1, -1, 0.25]), Budget(0.1, 0.1)
    values = [bound(*one)[0, 1] for bound in (margins.tau, margins.zeta, margins.interval_increase)]
    assert values == pytest.approx([0.46, 0.45, 0.91])
    two = Network.dense([column(1), column(1, 0)]), np.array([1.0]), Budget(0, 0.1)
    values = [bound(*two)[0, 1] for bound in (margins.zeta_printed, margins.zeta, margins.interval_increase)]
    assert values == pytest.approx([0.42, 0.32, 0.32])


def test_the_printed_bound_is_exceeded_with_distinct_last_rows():
    network = Network.dense([column(1, 1), np.array([[1.0, -1]]), column(1, 0)])
    world = network, np.array([1.0]), Budget(0, 0.1)
    values = [bound(*world)[0, 1] for bound in (margins.zeta_printed, margins.interval_increase, margins.zeta)]
    assert values == pytest.approx([0.464, 0.48, 0.5])
    moved = [column(1.1, 0.9), np.array([[1.1, -0.9]]), column(1.1, -0.1)]
    assert pairwise_margins(Network.dense(moved).logits(world[1]))[0, 1] == pytest.approx(0.48)


def test_the_stored_counterexample_is_an_ordinary_network():
    """No entry is 0, no neuron is off, no two classes are alike, and everything moves."""
    stored = {name: exact(part) for name, part in witness.stored("joint.thm1.printed", BOOK.witnesses).items()}
    network = Network.dense(stored["weights"])
    assert all(np.all(weight != 0) for weight in stored["weights"])
    assert all(np.all(hidden > 0) for hidden in network.activations(stored["x"]))
    assert penalties.row_distances(network)[0, 1] > 0
    assert min(stored["radii"]) > 0 < stored["radius_x"]


def test_the_printed_bound_is_exceeded_by_softplus_on_a_scalar_chain():
    chain = [column(1), column(-2), column(0, 0)]
    world = Network.dense(chain, activation="softplus"), np.array([1.0]), Budget(0, 0.5)
    moved = Network.dense([column(0.5), column(-1.5), column(0.5, -0.5)], activation="softplus")
    attained = pairwise_margins(moved.logits(world[1]))[0, 1]
    assert margins.zeta_printed(*world)[0, 1] == pytest.approx(0.0750298393, abs=1e-10)
    assert attained == pytest.approx(0.2086204925, abs=1e-10)
    assert margins.zeta(*world)[0, 1] == pytest.approx(attained)


def test_the_printed_bound_shrinks_as_a_radius_grows():
    network = Network.dense([column(1, 0.2), np.array([[1.0, -3]]), column(0, 0)])
    values = [margins.zeta_printed(network, np.ones(1), Budget(0, (e, 0, 0.1)))[0, 1] for e in (0, 0.05, 0.1)]
    assert values == pytest.approx([0.08, 0.06, 0.04])


@given(SEEDS)
def test_the_printed_bound_is_right_where_no_perturbed_hidden_weight_is_negative(seed):
    _, weights, x, radii = world(seed, depth=4)
    network = Network.dense([weights[0], *map(np.abs, weights[1:-1]), weights[-1]])
    printed, corrected = (zeta(network, x, Budget(0, radii)) for zeta in (margins.zeta_printed, margins.zeta))
    assert printed == pytest.approx(corrected)


@given(SEEDS)
def test_no_attack_exceeds_a_bound_and_no_bound_the_next(seed):
    rng, weights, x, radii = world(seed)
    network, budget = Network.dense(weights), Budget(0.1, radii)
    moved, moved_x = attack(rng, weights, x, radii, 0.1)
    margin = pairwise_margins(Network.dense(moved).logits(moved_x)) - pairwise_margins(network.logits(x))
    one_sided = margins.tau(network, x, budget) + margins.zeta_one_sided(network, x, budget)
    chain = [margin, margins.interval_increase(network, x, budget), margins.theorem_increase(network, x, budget)]
    for upper in (margins.clean_increase(network, x, budget), one_sided):
        for lower, higher in zip([*chain], [*chain[1:], upper], strict=True):
            assert np.all(lower <= higher + 1e-9 * (1 + np.abs(higher)))


@each
@given(seed=SEEDS)
def test_invariances(bound, seed):
    rng, weights, x, radii = world(seed)
    value = bound(Network.dense(weights), x, Budget(0.1, radii))
    assert np.all(np.diagonal(value) == 0)
    assert bound(Network.dense(weights), x, Budget()) == pytest.approx(0, abs=1e-12)
    assert np.all(value <= bound(Network.dense(weights), x, Budget(0.2, [r + 0.1 for r in radii])) + 1e-9)
    if bound is not margins.interval_increase:
        assert value == pytest.approx(value.T)
    # Inputs and their radius, and in a ReLU network weights and their radii layer by layer, only set the scale.
    assert bound(Network.dense(weights), 3 * x, Budget(0.3, radii)) == pytest.approx(3 * value)
    if len(weights) > 1:
        m = int(rng.integers(len(weights) - 1))
        factor = {m: 4.0, m + 1: 0.25}
        weights = [factor.get(k, 1) * weight for k, weight in enumerate(weights)]
        scaled = [factor.get(k, 1) * radius for k, radius in enumerate(radii)]
        assert bound(Network.dense(weights), x, Budget(0.1, scaled)) == pytest.approx(value)
        order = rng.permutation(len(weights[m]))
        weights = [*weights[:m], weights[m][order], weights[m + 1][:, order], *weights[m + 2 :]]
        assert bound(Network.dense(weights), x, Budget(0.1, scaled)) == pytest.approx(value)


def networks(xp):
    """A dense and a convolutional network with biases, as functions of their arrays, with arrays and inputs."""
    rng = np.random.default_rng(3)
    dense = [rng.normal(size=shape) for shape in [(4, 3), (4,), (3, 4), (3,), (3, 3), (3,)]]
    conv = [rng.normal(size=shape) for shape in [(2, 1, 3, 3), (2,), (3, 8), (3,)]]
    yield lambda *a: Network.dense(a[::2], a[1::2]), map(xp.asarray, dense), xp.asarray(rng.normal(size=(5, 3)))
    for pool in (AveragePool(2), MaxPool(2)):

        def convolution(kernel, bias, last, shift, pool=pool):
            return Network([Conv(kernel, bias, padding=1), pool, Flatten(), Dense(last, shift)])

        yield convolution, map(xp.asarray, conv), xp.asarray(rng.normal(size=(2, 1, 4, 4)))


BUDGET = Budget(0.1, 0.05, 0.02)


@each
def test_torch_agrees_and_differentiates(bound):
    torch = pytest.importorskip("torch")
    for (ours, arrays, x), (theirs, tensors, points) in zip(networks(np), networks(torch), strict=True):
        expected = bound(ours(*arrays), x, BUDGET)
        tensors = [tensor.requires_grad_() for tensor in tensors]
        found = bound(theirs(*tensors), points, BUDGET)
        assert found.detach().numpy() == pytest.approx(expected, rel=1e-12)
        few = points[:1].clone().requires_grad_()
        free = few, *tensors
        assert torch.autograd.gradcheck(lambda x, *a: bound(theirs(*a), x, BUDGET), free, fast_mode=True)  # noqa: B023


@each
def test_a_batch_is_its_samples(bound):
    for network, arrays, x in networks(np):
        made = network(*arrays)
        each = np.stack([np.broadcast_to(bound(made, sample, BUDGET), (3, 3)) for sample in x])
        assert np.broadcast_to(bound(made, x, BUDGET), each.shape) == pytest.approx(each)


@given(SEEDS)
def test_the_penalties_of_the_loss_are_the_largest_entries(seed):
    rng, weights, _, radii = world(seed)
    network, budget = Network.dense(weights), Budget(0.1, radii)
    x, labels = rng.normal(size=(6, weights[0].shape[1])), rng.integers(0, 3, size=6)
    first, second = penalties.margin_penalties(network, x, labels, budget)
    tau, zeta = margins.tau(network, x, budget), margins.zeta(network, x, budget)
    assert first == pytest.approx(np.max(tau, axis=0)[labels])
    assert second == pytest.approx(np.max(zeta, axis=1)[np.arange(6), labels])
    assert first + second == pytest.approx(np.max(tau + zeta, axis=1)[np.arange(6), labels])


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_penalties_as_printed_are_the_largest_entries_of_what_is_printed(depth):
    rng, weights, _, radii = world(depth, depth)
    network, budget = Network.dense(weights), Budget(0.1, radii)
    x, labels = rng.normal(size=(6, weights[0].shape[1])), rng.integers(0, 3, size=6)
    first, second = penalties.margin_penalties_printed(network, x, labels, budget)
    assert first == pytest.approx(penalties.margin_penalties(network, x, labels, budget)[0])
    assert second == pytest.approx(np.max(margins.zeta_printed(network, x, budget), axis=1)[np.arange(6), labels])
    flattened = Network([Flatten(2), *network.layers])
    again = penalties.margin_penalties_printed(flattened, x[:, :, None], labels, budget)
    assert np.array_equal(again[1], second)


def test_the_penalties_as_printed_train_in_torch():
    torch = pytest.importorskip("torch")
    rng, weights, _, radii = world(1, 3)
    x, labels = torch.asarray(rng.normal(size=(4, weights[0].shape[1]))), torch.asarray([0, 1, 2, 1])
    assert torch.autograd.gradcheck(
        lambda *w: sum(
            part.sum() for part in penalties.margin_penalties_printed(Network.dense(w), x, labels, Budget(0.1, radii))
        ),
        [torch.asarray(weight, requires_grad=True) for weight in weights],
        fast_mode=True,
    )


def test_the_penalties_train_in_torch():
    torch = pytest.importorskip("torch")
    labels = torch.asarray([0, 1, 2, 1, 0])
    network, tensors, x = next(networks(torch))
    tensors = [tensor.requires_grad_() for tensor in tensors]
    assert torch.autograd.gradcheck(
        lambda *a: sum(part.sum() for part in penalties.margin_penalties(network(*a), x, labels, BUDGET)),
        tensors,
        fast_mode=True,
    )


def test_fractions_stay_exact():
    eighth, half = Fraction(1, 8), Fraction(1, 2)
    weights = [np.array([[half, -half]]), np.array([[half], [-half]])]
    world = Network.dense(weights), np.array([Fraction(1), half]), Budget(eighth, eighth)
    values = [bound(*world)[0, 1] for bound in [*BOUNDS, margins.zeta_printed]]
    assert all(isinstance(value, Fraction) for value in values)


@each
def test_what_overflows_is_refused_in_one_line_and_what_does_not_is_right(bound):
    """Entries of 1e150 to 1e300 in one layer are nothing to fear where the next one makes up for them."""
    _, weights, x, radii = world(7, depth=3)
    expected = bound(Network.dense(weights), x, Budget(0.1, radii))
    for factor in (1e-300, 1e-150, 1e150, 1e300):
        scaled = [factor * weights[0], weights[1] / factor, weights[2]]
        moved = [factor * radii[0], radii[1] / factor, radii[2]]
        assert bound(Network.dense(scaled), x, Budget(0.1, moved)) == pytest.approx(expected, rel=1e-12)
    huge = Network.dense([1e200 * np.eye(2)] * 3)
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ValueError, match=r"^(logits|bounds|weight) must (be finite|stay within float64), got .*$"),
    ):
        bound(huge, np.ones(2), Budget(0, 0.1) if bound is margins.tau else Budget(0.1, 0.1))


def test_wrong_uses():
    one = Network.dense([np.eye(2)])
    with pytest.raises(ValueError, match="layers must be at least 2 for the printed bound"):
        margins.zeta_printed(one, np.ones(2), Budget())
    with pytest.raises(ValueError, match="dense layers without biases only"):
        margins.zeta_printed(Network.dense([np.eye(2)] * 2, [np.ones(2)] * 2), np.ones(2), Budget())
    with pytest.raises(ValueError, match="the activation must be non-negative for the one-sided bound, got tanh"):
        margins.zeta_one_sided(Network.dense([np.eye(2)], activation="tanh"), np.ones(2), Budget())
