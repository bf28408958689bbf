"""Certificates against attacks and exact optima, and rounding bounds against float32."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.joint.certificates import (
    FLOAT64,
    certified,
    certified_accuracy,
    certified_margins,
    certified_scale,
    rounding_slack,
)
from theory.joint.crown import tightest_increase
from theory.joint.margins import interval_increase, theorem_increase
from theory.joint.optimum import worst_margin
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import Budget, Network, pairwise_margins
from theory.worlds.joint_attacks import forward
from theory.worlds.networks import attack, draw_network, draw_radii

SEEDS = st.integers(0, 10_000)
BOUNDS = (theorem_increase, interval_increase, tightest_increase)


def test_the_wrong_class_comes_first():
    logits, increase = np.array([[3.0, 1, 0]]), np.zeros((1, 3, 3))
    increase[0, 1, 0] = 1.5  # how much f_1 - f_0 can grow
    assert certified_margins(logits, np.array([0]), increase) == pytest.approx(0.5)
    assert certified_margins(logits, np.array([1]), increase) == pytest.approx(-2)
    assert certified_margins(logits[0], np.array(0), increase[0]) == pytest.approx(0.5)
    increase[0, 1, 0] = np.inf
    assert not certified(logits, np.array([0]), increase)


@given(SEEDS)
def test_what_is_certified_no_attack_flips(seed):
    rng = np.random.default_rng(seed)
    weights, _ = draw_network(rng)
    network, radii = Network.dense(weights), draw_radii(rng, len(weights), 0.05)
    x, budget = rng.normal(size=(4, weights[0].shape[1])), Budget(0.05, radii)
    logits = network.logits(x)
    labels = np.argmax(logits, axis=-1)
    sure = [certified(logits, labels, bound(network, x, budget)) for bound in BOUNDS]
    assert np.all(sure[0] <= sure[1])
    assert np.all(sure[1] <= sure[2])
    for sample, label, safe in zip(x, labels, sure[-1], strict=True):
        other = int(rng.choice([j for j in range(3) if j != label]))
        moved, moved_x = attack(rng, weights, sample, radii, 0.05, pair=(other, label), starts=1, sweeps=1)
        assert not safe or np.argmax(forward(moved, moved_x)) == label


@settings(max_examples=25)
@given(SEEDS)
def test_what_is_certified_is_exactly_robust(seed):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng)
    network, budget = Network.dense(weights), Budget(0.05, 0.02)
    logits = network.logits(x)
    label = int(np.argmax(logits))
    bounds = [bound(network, x, budget) for bound in BOUNDS]
    exact = worst_margin(network, x, label, budget)
    if any(certified_margins(logits, np.array(label), bound) > 1e-5 for bound in bounds):
        assert exact.robust
    if exact.robust is False:
        assert not any(certified(logits, np.array(label), bound) for bound in bounds)


def test_accuracy_counts_samples_that_are_right_and_certified():
    logits = np.array([[2.0, 0], [0.5, 0], [0, 2.0], [3.0, 0]])
    increase = np.ones((4, 2, 2))
    assert certified_accuracy(logits, np.array([0, 0, 0, 0]), increase) == 0.5
    with pytest.raises(ValueError, match="labels must be classes 0 to 1"):
        certified(logits, np.array([0, 0, 0, 2]), increase)


def test_bounds_fit_the_margins():
    logits, labels = np.array([[2.0, 0], [0.5, 0]]), np.array([0, 0])
    shapes = [(2, 2), (1, 2, 2), (2, 2, 2), (5, 2, 2, 2), (5, 1, 2, 2)]
    for shape in shapes:
        found = certified_margins(logits, labels, np.full(shape, 0.25))
        assert found == pytest.approx(np.broadcast_to([1.75, 0.25], found.shape))
        assert found.shape == (*shape[:-3], 2)
    for shape in [(3, 3), (2,), (3, 2, 2), (2, 1), ()]:
        with pytest.raises(ValueError, match=r"^increase must fit margins of shape \(2, 2, 2\), got .*$"):
            certified_margins(logits, labels, np.full(shape, 0.25))
    with pytest.raises(ValueError, match=r"^increase must hold numbers, got NaN entries$"):
        certified_margins(logits, labels, np.full((2, 2), np.nan))


def test_torch_gives_the_same_certificates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    logits, labels, increase = rng.normal(size=(6, 3)), rng.integers(3, size=6), rng.uniform(0, 0.2, size=(6, 3, 3))
    found = certified_margins(*map(torch.asarray, (logits, labels, increase)))
    assert found.numpy() == pytest.approx(certified_margins(logits, labels, increase))


def test_the_certified_scale_of_a_linear_classifier():
    network, x = Network.dense([np.array([[1.0, 2], [0, 0]])]), np.array([1.0, 1])
    # The margin is 3, and an input radius of s takes 3 s from it.
    assert certified_scale(network, x, 0, Budget(1), most=4) == pytest.approx(1, abs=1e-6)
    assert certified_scale(network, x, 0, Budget(1), most=0.5) == 0.5
    assert certified_scale(network, x, 1, Budget(1)) == 0
    with pytest.raises(ValueError, match="most must be positive and finite, got 0"):
        certified_scale(network, x, 0, Budget(1), most=0)
    with pytest.raises(ValueError, match="label must be an integer, got True"):
        certified_scale(network, x, True, Budget(1))
    with pytest.raises(ValueError, match="labels must be classes 0 to 1"):
        certified_scale(network, x, 2, Budget(1))
    with pytest.raises(ValueError, match="labels must be one per sample"):
        certified_scale(network, np.ones((3, 2)), 0, Budget(1))


def exact_logits(weights, biases, x):
    """In fractions, from the very numbers that float32 holds."""
    weights, biases, x = (
        [np.vectorize(Fraction, otypes=[object])(np.asarray(part, dtype=float)) for part in parts]
        for parts in (weights, biases, [x])
    )
    return np.array(Network.dense(weights, biases).logits(x[0]), dtype=object)


@settings(max_examples=30)
@given(SEEDS)
def test_rounding_stays_within_its_slack(seed):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng, most=12)
    weights = [weight.astype(np.float32) for weight in weights]
    biases = [rng.normal(size=weight.shape[0]).astype(np.float32) for weight in weights]
    x = x.astype(np.float32)
    found = pairwise_margins(forward(weights, x, biases))
    assert found.dtype == np.float32
    exact = pairwise_margins(exact_logits(weights, biases, x))
    wide = Network.dense([weight.astype(float) for weight in weights], [bias.astype(float) for bias in biases])
    slack = rounding_slack(wide, x.astype(float), Budget())
    error = np.abs(np.vectorize(Fraction, otypes=[object])(found.astype(float)) - exact).astype(float)
    assert np.all(error <= slack)
    assert np.all(slack < 1e-2)
    assert np.all(slack <= rounding_slack(wide, x.astype(float), Budget(0.1, 0.1)))
    assert np.all(rounding_slack(wide, x.astype(float), Budget(), FLOAT64) < 1e-8 * (slack + 1e-300))


@pytest.mark.parametrize("pool", [AveragePool(2), MaxPool(2)])
def test_rounding_of_convolutions_stays_within_its_slack(pool):
    rng = np.random.default_rng(4)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in [(3, 2, 3, 3), (3,), (4, 27), (5, 2, 6, 6)]]

    def network(kernel, bias, last):
        return Network([Conv(kernel, bias, padding=1), pool, Flatten(), Dense(last)])

    wide = [array.astype(float) for array in arrays]
    found = network(*arrays[:3]).logits(arrays[3])
    assert found.dtype == np.float32
    error = pairwise_margins(found.astype(float)) - pairwise_margins(network(*wide[:3]).logits(wide[3]))
    slack = rounding_slack(network(*wide[:3]), wide[3], Budget())
    assert np.all(np.abs(error) <= slack + 1e-13)
    assert np.max(slack) < 1e-2


def test_wrong_uses():
    with pytest.raises(ValueError, match="the activation must be relu for a rounding bound, got tanh"):
        rounding_slack(Network.dense([np.eye(2)], activation="tanh"), np.ones(2), Budget())
    with pytest.raises(ValueError, match="unit must lie strictly between 0 and 1, got 0"):
        rounding_slack(Network.dense([np.eye(2)]), np.ones(2), Budget(), unit=0)
    with pytest.raises(ValueError, match="sums must be shorter than 1 / unit"):
        rounding_slack(Network.dense([np.eye(2)]), np.ones(2), Budget(), unit=0.5)
    with pytest.raises(ValueError, match="pools must not stand in front of the first layer"):
        rounding_slack(Network([AveragePool(1), Flatten(), Dense(np.eye(2))]), np.ones((1, 1, 2)), Budget())
