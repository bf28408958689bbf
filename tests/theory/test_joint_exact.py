"""The exact joint optimum against oracles, enumeration, attackers and every bound above it."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulate.worlds._attacker import attack, draw_network, draw_radii
from tests.theory.test_margins import column, oracle
from theory.joint_crown import tightest_increase
from theory.joint_exact import closed_form_increase, joint_optimum, worst_margin
from theory.layers import AveragePool, Conv, Dense, Flatten
from theory.margins import interval_increase
from theory.network import Budget, Network, pairwise_margins

SEEDS = st.integers(0, 10_000)
few = settings(deadline=None, max_examples=20)


def biased(seed, depth=None):
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng, depth)
    biases = [None if rng.random() < 0.3 else rng.normal(size=weight.shape[0]) for weight in weights]
    radii = draw_radii(rng, len(weights))
    return Network.dense(weights, biases), x, Budget(rng.choice([0, 0.1, 0.4]), radii, rng.choice([0, 0.1]))


def test_oracles():
    network, x, budget = oracle()
    assert joint_optimum(network, x, budget, (0, 1)).increase == pytest.approx((0.4049971957,) * 2, abs=1e-8)
    relaxed = joint_optimum(network, x, budget, (0, 1), relax=True)
    assert relaxed.increase[1] == pytest.approx(0.4260576663, abs=1e-8)
    assert relaxed.increase[0] <= 0.4049971957 + 1e-8
    signs = Network.dense(np.array([[[1, -2], [0.5, 1]], [[1, -1], [2, 0.5]], [[1, 0], [-1, 2]]]))
    found = joint_optimum(signs, np.array([1, -0.5]), Budget(0.1, 0.1), (0, 1))
    assert (found.clean, found.increase) == (-4, pytest.approx((2.43, 2.43)))
    chain = Network.dense([column(1.5), column(0.5), column(1, -0.25)])
    found = joint_optimum(chain, np.array([2.0]), Budget(0.1, (0.2, 0.05, 0.01)), (0, 1))
    assert found.increase == pytest.approx((0.618645,) * 2)


def test_the_worst_weights_can_lie_inside():
    network = Network.dense([column(1, 1.05), np.array([[1.0, -1], [-1, 1]]), np.array([[-1.0, -1], [0, 0]])])
    found = joint_optimum(network, np.ones(1), Budget(0, (0.1, 0, 0)), (0, 1))
    assert found.attained == pytest.approx(0, abs=1e-9)
    inner = found.network.layers[0].weight
    assert inner[0] == pytest.approx(inner[1])
    assert found.robust is False


@few
@given(SEEDS)
def test_the_network_found_is_within_the_budget_and_attains_the_optimum(seed):
    network, x, budget = biased(seed)
    found = joint_optimum(network, x, budget, (1, 2))
    assert found.status == "optimal"
    assert found.attained == pytest.approx(found.upper, abs=1e-6)
    assert pairwise_margins(found.network.logits(found.x))[1, 2] == found.attained
    assert np.all(np.abs(found.x - x) <= budget.input + 1e-12)
    for (before, _), (after, _), radius in zip(
        network.stages, found.network.stages, budget.layers(network), strict=True
    ):
        assert np.all(np.abs(after.weight - before.weight) <= radius.weight + 1e-12)
        if before.bias is not None:
            assert np.all(np.abs(after.bias - before.bias) <= radius.bias + 1e-12)


@few
@given(SEEDS)
def test_it_lies_between_attacks_and_bounds(seed):
    network, x, budget = biased(seed)
    exact, relaxed = (joint_optimum(network, x, budget, (0, 1), relax=relax) for relax in (False, True))
    assert exact.upper <= relaxed.upper + 1e-6
    assert relaxed.increase[1] <= interval_increase(network, x, budget)[0, 1] + 1e-6
    assert exact.increase[0] <= tightest_increase(network, x, budget)[0, 1] + 1e-6
    assert relaxed.attained <= exact.upper + 1e-6


def test_no_attack_exceeds_it_and_most_come_near():
    reached = []
    for seed in range(15):
        rng = np.random.default_rng(seed)
        weights, x = draw_network(rng, depth=3)
        moved, moved_x = attack(rng, weights, x, [0.1] * 3, 0.2, starts=4)
        found = pairwise_margins(Network.dense(moved).logits(moved_x))[0, 1]
        exact = joint_optimum(Network.dense(weights), x, Budget(0.2, 0.1), (0, 1))
        assert found <= exact.upper + 1e-6
        if exact.increase[0] > 1e-6:  # else every hidden neuron stays off
            reached.append((found - exact.clean) / exact.increase[0])
    assert len(reached) > 10
    assert np.median(reached) > 0.99


@few
@given(SEEDS, st.integers(1, 2))
def test_closed_forms(seed, depth):
    network, x, budget = biased(seed, depth)
    budget = Budget(budget.input if depth == 1 else 0, budget.weights, budget.biases)
    found = joint_optimum(network, x, budget, (0, 1)).increase
    assert found == pytest.approx((closed_form_increase(network, x, budget)[0, 1],) * 2, abs=1e-6)


@given(SEEDS)
def test_closed_forms_are_those_of_their_formulas(seed):
    rng = np.random.default_rng(seed)
    W, x = rng.normal(size=(2, 4)), rng.normal(size=4)
    v = W[0] - W[1]
    one = sum(max(v[b] * (x[b] + s) + 0.2 * abs(x[b] + s) for s in (-0.3, 0.3)) for b in range(4)) - v @ x
    assert closed_form_increase(Network.dense([W]), x, Budget(0.3, 0.1))[0, 1] == pytest.approx(one)
    first = rng.normal(size=(4, 4))
    c = v + 0.2
    moved = first @ x + np.sign(c) * 0.1 * np.sum(np.abs(x))
    two = c @ np.maximum(moved, 0) - v @ np.maximum(first @ x, 0)
    assert closed_form_increase(Network.dense([first, W]), x, Budget(0, 0.1))[0, 1] == pytest.approx(two)


def test_two_layers_by_enumeration():
    rng = np.random.default_rng(5)
    weights, x = [rng.normal(size=(2, 2)), rng.normal(size=(2, 2))], rng.normal(size=2)
    best = max(
        pairwise_margins(Network.dense(weights + 0.3 * np.reshape(sign, (2, 2, 2))).logits(x))[0, 1]
        for sign in product((-1, 1), repeat=8)
    )
    found = joint_optimum(Network.dense(weights), x, Budget(0, 0.3), (0, 1))
    assert (found.attained, found.upper) == pytest.approx((best, best))


@few
@given(SEEDS)
def test_the_worst_margin_is_that_of_the_worst_class(seed):
    network, x, budget = biased(seed)
    found = worst_margin(network, x, 2, budget)
    each = [joint_optimum(network, x, budget, (i, 2)) for i in (0, 1)]
    assert found.upper == pytest.approx(max(one.upper for one in each), abs=1e-6)
    assert found.attained == pytest.approx(max(one.attained for one in each), abs=1e-6)


def test_pixels_stay_in_their_range():
    network, x = Network([Flatten(2), Dense(np.array([[1.0, -1], [0, 0]]))]), np.array([[0.9], [0.05]])
    found = joint_optimum(network, x, Budget(0.2), (0, 1), within=(0, 1))
    assert found.x == pytest.approx(np.array([[1], [0]]))
    assert found.attained == pytest.approx(1)


def test_a_stopped_solver_says_so():
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=(30, 30)) / 4 for _ in range(4)]
    network, x = Network.dense(weights), rng.normal(size=30)
    found = joint_optimum(network, x, Budget(0.1, 0.05), (0, 1), time_limit=0.2)
    assert found.status == "stopped at the time limit"
    assert found.clean < found.attained < found.upper
    assert found.increase[1] <= interval_increase(network, x, Budget(0.1, 0.05))[0, 1] + 1e-6


def test_a_margin_too_close_to_call():
    found = joint_optimum(Network.dense([np.eye(2)]), np.array([0.0, 1e-9]), Budget(), (0, 1))
    assert found.robust is None
    assert joint_optimum(Network.dense([np.eye(2)]), np.array([0.0, 1]), Budget(0.1), (0, 1)).robust is True


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: joint_optimum(Network([Conv(np.ones((1, 1, 1, 1))), Flatten(), Dense(np.eye(2))]),
                               np.ones((1, 1, 2)), Budget(), (0, 1)), "layers must be dense .* got Conv"),
        (lambda: joint_optimum(Network([AveragePool(1), Flatten(), Dense(np.eye(2))]), np.ones((1, 1, 2)), Budget(),
                               (0, 1)), "layers must be dense .* got AveragePool"),
        (lambda: joint_optimum(Network.dense([np.eye(2)], activation="tanh"), np.ones(2), Budget(), (0, 1)),
         "the activation must be relu for the exact optimum"),
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones((3, 2)), Budget(), (0, 1)), "x must be one sample"),
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones(2), Budget(), (1, 1)), "pair must be two different"),
        (lambda: worst_margin(Network.dense([np.eye(2)]), np.ones(2), 2, Budget()), "label must be a class below 2"),
        (lambda: closed_form_increase(Network.dense([np.eye(2)] * 2), np.ones(2), Budget(0.1)), "layers must be 1, or"),
    ],
)  # fmt: skip
def test_wrong_uses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
