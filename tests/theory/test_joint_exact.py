"""The exact joint optimum against oracles, enumeration, attackers and every bound above it."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.theory.test_margins import column, oracle
from theory.joint import program
from theory.joint.crown import crown_increase, tightest_increase
from theory.joint.margins import clean_increase, interval_increase, theorem_increase
from theory.joint.optimum import closed_form_increase, joint_optimum, worst_margin
from theory.things.layers import AveragePool, Conv, Dense, Flatten
from theory.things.network import Budget, Network, pairwise_margins
from theory.worlds.networks import attack, draw_network, draw_radii

SEEDS = st.integers(0, 10_000)
few = settings(max_examples=20)


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


def test_networks_in_training_are_taken_as_they_are():
    torch = pytest.importorskip("torch")
    network, x, budget = oracle()
    weights = [torch.asarray(layer.weight, requires_grad=True) for layer in network.layers]
    found = joint_optimum(Network.dense(weights), torch.asarray(x, requires_grad=True), budget, (0, 1))
    assert found.increase == joint_optimum(network, x, budget, (0, 1)).increase


def test_a_stopped_solver_says_so():
    rng = np.random.default_rng(1)
    weights = [rng.normal(size=(30, 30)) / 4 for _ in range(4)]
    network, x = Network.dense(weights), rng.normal(size=30)
    found = joint_optimum(network, x, Budget(0.1, 0.05), (0, 1), time_limit=0.2)
    assert found.status == "stopped at the time limit"
    assert found.clean < found.attained < found.upper
    assert found.increase[1] <= interval_increase(network, x, Budget(0.1, 0.05))[0, 1] + 1e-6


def test_a_margin_too_close_to_call():
    """|x_1 + x_2| + |x_1 - x_2| <= 2 on the unit square, where intervals say 8 and lines 4, against 2 + offset."""
    first = np.array([[1.0, 1], [-1, -1], [1, -1], [-1, 1]])
    for scale in (1e-9, 1, 1e9):
        for offset, robust in ((1e-8, None), (1e-3, True), (-1e-3, False)):
            last = scale * np.array([[1.0] * 4, [0] * 4])
            network = Network.dense([first, last], [None, scale * np.array([0, 2 + offset])])
            found = joint_optimum(network, np.zeros(2), Budget(1), (0, 1))
            assert found.robust is robust
            assert abs(found.upper + offset * scale) < 1e-9 * scale
            assert found.tolerance / scale == pytest.approx(4e-6, rel=1e-3)
    # Where nothing moves, or intervals are exact, rounding is all that is left to doubt.
    for scale in (1e-200, 1e-9, 1, 1e9):
        network = Network.dense([scale * np.eye(2)])
        assert joint_optimum(network, np.array([0.0, 1e-9]), Budget(), (0, 1)).robust is True
        assert joint_optimum(network, np.array([0.0, 0.2 + 1e-9]), Budget(0.1), (0, 1)).robust is True
        assert joint_optimum(network, np.array([0.0, 0.2 - 1e-9]), Budget(0.1), (0, 1)).robust is False


def test_a_small_hidden_layer_behind_large_weights():
    """-1e6 a with a in [1.5e-6, 2.5e-6], which a solver with absolute tolerances takes for anything."""
    network = Network.dense([column(2e-6), column(-3e6, -2e6)])
    for pair, most in (((0, 1), -1.5), ((1, 0), 2.5)):
        found = joint_optimum(network, np.ones(1), Budget(0, (0.5e-6, 0)), pair)
        assert (found.upper, found.attained) == pytest.approx((most, most), rel=1e-12)
        assert (found.status, found.robust) == ("optimal", most < 0)


def rescaled(seed, depth, units, exponents):
    """A random network, and the same with neighbours multiplied and divided by 10^exponent, or each of the units."""
    rng = np.random.default_rng(seed)
    weights, x = draw_network(rng, depth)
    biases = [None if rng.random() < 0.3 else rng.normal(size=weight.shape[0]) for weight in weights]
    for weight in weights:  # units that are dead, and now and then a whole layer
        weight[rng.integers(len(weight)) if rng.random() < 0.9 else slice(None)] *= rng.random() < 0.7
    radii, shifts = (np.zeros(depth) if units else np.array(draw_radii(rng, depth)) for _ in range(2))
    given = Network.dense(weights, biases), x, Budget(rng.choice([0.1, 0.4]), radii, shifts)
    weights, biases, radii, shifts = [*weights], [*biases], radii.copy(), shifts.copy()
    for m, exponent in zip(range(depth - 1), exponents, strict=False):
        factor = 10.0 ** (rng.integers(-9, 10, size=len(weights[m])) if units else np.full(len(weights[m]), exponent))
        weights[m], weights[m + 1] = factor[:, None] * weights[m], weights[m + 1] / factor
        biases[m] = None if biases[m] is None else factor * biases[m]
        radii[m], shifts[m], radii[m + 1] = factor[0] * radii[m], factor[0] * shifts[m], radii[m + 1] / factor[0]
    return given, (Network.dense(weights, biases), x, Budget(given[2].input, radii, shifts))


EXPONENTS = st.lists(st.integers(-9, 9), min_size=3, max_size=3)


@settings(max_examples=40)
@given(SEEDS, st.integers(2, 4), st.booleans(), EXPONENTS)
def test_neighbouring_layers_and_units_only_set_the_scale(seed, depth, units, exponents):
    """Exact and relaxed to 1e-6 of the margin's range over the boxes, closed forms to rounding."""
    given, scaled = rescaled(seed, depth, units, exponents)
    bounds = [crown_increase, tightest_increase, interval_increase]
    for bound in bounds if units else [*bounds, theorem_increase, clean_increase]:
        assert bound(*scaled) == pytest.approx(bound(*given), rel=1e-9, abs=1e-12)
    for relax in (False, True):
        plain, found = (joint_optimum(*world, (0, 1), relax=relax) for world in (given, scaled))
        assert found.upper == pytest.approx(plain.upper, rel=1e-9, abs=plain.tolerance + found.tolerance + 1e-12)
        assert (plain.status, found.status) == ("optimal", "optimal")
        assert found.upper >= max(found.attained, found.clean)
        if not relax:
            assert found.attained == pytest.approx(found.upper, rel=1e-9, abs=found.tolerance + 1e-12)
    checked_within(found, *scaled)


def checked_within(found, network, x, budget):
    """In fractions: a perturbation leaves its ball by no more than the last place of an entry."""
    pairs = [(x, found.x, budget.input)]
    for before, after, radius in zip(network.stages, found.network.stages, budget.layers(network), strict=True):
        pairs.append((before.layer.weight, after.layer.weight, radius.weight))
        if before.layer.bias is not None:
            pairs.append((before.layer.bias, after.layer.bias, radius.bias))
    for centre, moved, radius in pairs:
        for old, new in zip(centre.flat, moved.flat, strict=True):
            assert abs(Fraction(new) - Fraction(old)) <= Fraction(float(radius)) + Fraction(np.spacing(abs(new)))


@pytest.mark.parametrize("exponent", [-100, -30, -9, -3, 3, 9, 30, 100])
def test_margins_scale_with_the_last_layer_and_with_the_input(exponent):
    factor = 10.0**exponent
    for seed in range(6):
        network, x, budget = biased(seed)
        expected = joint_optimum(network, x, budget, (0, 1))
        stages = [stage.layer for stage in network.stages]
        last = Dense(factor * stages[-1].weight, None if stages[-1].bias is None else factor * stages[-1].bias)
        part = np.where(np.arange(len(stages)) == len(stages) - 1, factor, 1)
        outer = Budget(budget.input, part * budget.weights, part * budget.biases)
        found = joint_optimum(Network([*stages[:-1], last]), x, outer, (0, 1))
        biases = [None if layer.bias is None else factor * layer.bias for layer in stages]
        inner = Budget(factor * budget.input, budget.weights, factor * budget.biases)
        same = joint_optimum(Network.dense([layer.weight for layer in stages], biases), factor * x, inner, (0, 1))
        for scaled in (found, same):
            assert (scaled.status, scaled.robust) == ("optimal", expected.robust)
            assert scaled.upper / factor == pytest.approx(expected.upper, rel=1e-9, abs=expected.tolerance)
            assert scaled.attained / factor == pytest.approx(expected.attained, rel=1e-9, abs=expected.tolerance)


@pytest.mark.parametrize("factor", [1e-100, 1e-9, 1e-6, 1e6, 1e9, 1e100])
def test_two_layers_of_extreme_scale_by_enumeration(factor):
    rng = np.random.default_rng(5)
    first, last, x = factor * rng.normal(size=(2, 2)), rng.normal(size=(2, 2)) / factor, rng.normal(size=2)
    best = max(
        pairwise_margins(
            Network.dense([first + 0.3 * factor * np.array(inner), last + 0.3 / factor * np.array(outer)]).logits(x)
        )[0, 1]
        for (*corner,) in product((-1, 1), repeat=8)
        for inner, outer in [np.reshape(corner, (2, 2, 2))]
    )
    found = joint_optimum(Network.dense([first, last]), x, Budget(0, (0.3 * factor, 0.3 / factor)), (0, 1))
    assert (found.attained, found.upper) == pytest.approx((best, best))


@pytest.mark.parametrize("radius", [1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 1e-18])
def test_small_radii_are_solved_to_rounding(radius):
    """The increase over the radius tends to the one-sided derivative, which the closed form has."""
    for seed in range(8):
        network, x, _ = biased(seed, depth=2)
        found = joint_optimum(network, x, Budget(0, radius, radius), (0, 1))
        exact = closed_form_increase(network, x, Budget(0, radius, radius))[0, 1]
        assert found.status == "optimal"
        assert found.increase == pytest.approx((exact, exact), rel=1e-6, abs=1e-14 * (1 + abs(found.clean)))


class Answer:
    """What `scipy.optimize.milp` returns."""

    def __init__(self, status=0, message="", x=None, fun=None, mip_dual_bound=None):
        self.status, self.message, self.x, self.fun, self.mip_dual_bound = status, message, x, fun, mip_dual_bound


@pytest.mark.parametrize("status", [1, 2, 3, 4])
def test_a_solver_without_a_solution_leaves_the_other_bounds(status, monkeypatch):
    network, x, budget = oracle()
    monkeypatch.setattr(program, "milp", lambda *_, **__: Answer(status, "The problem is infeasible."))
    for relax, bound in ((False, tightest_increase), (True, interval_increase)):
        found = joint_optimum(network, x, budget, (0, 1), relax=relax)
        assert found.increase[1] == pytest.approx(bound(network, x, budget)[0, 1], rel=1e-12)
        assert found.attained >= found.clean - 1e-12
        failed = "not solved, other bounds stand in: The problem is infeasible."
        assert found.status == ("stopped at the time limit" if status == 1 else failed)
    worst = worst_margin(network, x, 1, budget)
    assert "optimal" not in worst.status
    assert worst.upper >= joint_optimum(network, x, budget, (0, 1)).upper


@pytest.mark.parametrize("lie", [-1.0, -0.01, 0.01, 1.0])
def test_a_solver_that_claims_too_much_or_too_little_is_not_believed(lie, monkeypatch):
    network, x, budget = oracle()
    honest, solve = joint_optimum(network, x, budget, (0, 1)), program.milp

    def liar(*given, **options):
        answer = solve(*given, **options)
        return Answer(0, "", answer.x, answer.fun, answer.mip_dual_bound * (1 + lie))

    monkeypatch.setattr(program, "milp", liar)
    found = joint_optimum(network, x, budget, (0, 1))
    assert found.status.startswith("not solved, other bounds stand in: the solver claims ")
    assert "\n" not in found.status
    assert found.increase[1] == pytest.approx(tightest_increase(network, x, budget)[0, 1], rel=1e-12)
    assert found.attained == honest.attained
    assert found.robust in (honest.robust, None)


@pytest.mark.parametrize("relax", [False, True])
def test_where_nothing_can_move_it_is_the_clean_margin(relax):
    for seed in range(20):
        network, x, _ = biased(seed)
        found = joint_optimum(network, x, Budget(), (0, 1), relax=relax)
        assert (found.upper, found.attained) == pytest.approx((found.clean,) * 2, rel=1e-12, abs=1e-14)
        assert found.status == "optimal"
    nothing = joint_optimum(Network.dense([np.zeros((2, 2))] * 3), np.zeros(2), Budget(), (0, 1), relax=relax)
    assert (nothing.upper, nothing.attained, nothing.status) == (0, 0, "optimal")


def test_what_leaves_double_precision_is_refused_in_one_line():
    huge = Network.dense([1e200 * np.eye(2)] * 2)
    with np.errstate(over="ignore", invalid="ignore"):
        for solve in (
            lambda: joint_optimum(huge, np.ones(2), Budget(0.1, 0.1), (0, 1)),
            lambda: joint_optimum(huge, np.ones(2), Budget(0.1, 0.1), (0, 1), relax=True),
            lambda: worst_margin(huge, np.ones(2), 0, Budget(0.1, 0.1)),
        ):
            with pytest.raises(ValueError, match=r"^.*must (stay within|be finite).*$"):
                solve()


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
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones(2), Budget(), 1), "pair must be two different"),
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones(2), Budget(), (0.0, 1)), "pair must be an integer"),
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones(2), Budget(), (0, 1), gap=-1),
         "gap must be at least"),
        (lambda: joint_optimum(Network.dense([np.eye(2)]), np.ones(2), Budget(), (0, 1), time_limit=0),
         "time_limit must be positive"),
        (lambda: worst_margin(Network.dense([np.eye(2)]), np.ones(2), 2, Budget()), "label must be a class below 2"),
        (lambda: worst_margin(Network.dense([np.eye(2)]), np.ones(2), 1.0, Budget()), "label must be an integer"),
        (lambda: closed_form_increase(Network.dense([np.eye(2)] * 2), np.ones(2), Budget(0.1)), "layers must be 1, or"),
    ],
)  # fmt: skip
def test_wrong_uses(make, message):
    with pytest.raises(ValueError, match=message):
        make()
