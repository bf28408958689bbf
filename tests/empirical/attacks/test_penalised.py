"""The goal-directed attack beside theory on linear models: where it stalls, and how far it has to go."""

import numpy as np
import pytest
import torch

from empirical.attacks.penalised import Penalised, chosen
from empirical.decisions.judge import lengths
from empirical.models.shallow import CLASSIFIERS
from fragility.engine.study import UsageError
from theory.latent.codes import certified_distance, stall_penalty

CONFIDENCE = 0.95


def linear(classes, n, seed=0, size=12, scale=1.0):
    """Weights (classes, n) of a linear model, points in [0, 1], some pixels 0 or 1, and goals that are not theirs."""
    stream = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, n, generator=stream, dtype=torch.float64) * scale
    x = torch.rand(size, n, generator=stream, dtype=torch.float64)
    x = torch.where(x < 0.3, 0.0, torch.where(x > 0.8, 1.0, x))
    label = (x @ weight.T).argmax(1)
    return weight, x, label, (label + 1) % classes


def thresholds(weight, x, goal):
    """The penalties from which each attempt stalls, by theory, of the softmax's gradient written out."""
    residual = (x @ weight.T).softmax(1) - torch.nn.functional.one_hot(goal, len(weight))
    return stall_penalty(residual @ weight, x)


def distances(weight, x, label, goal):
    """Theory's least lengths at which the goal has the confidence."""
    margin = ((weight[label] - weight[goal]) * x).sum(1)
    return certified_distance(margin, (weight[goal] - weight[label]).norm(dim=1), CONFIDENCE)


def test_an_attempt_stalls_from_theorys_penalty_on_and_moves_below_it():
    weight, x, _, goal = linear(5, 10)
    for index, threshold in enumerate(thresholds(weight, x, goal).tolist()):
        one, aim = x[index : index + 1], goal[index : index + 1]
        above = Penalised(threshold * (1 + 1e-9)).run(lambda z: z @ weight.T, one, aim)
        assert above.stalled.all()
        assert not above.reached.any()
        assert above.steps.tolist() == [0]
        assert torch.equal(above.x_adv, one)
        below = Penalised(threshold * (1 - 1e-6), steps=1).run(lambda z: z @ weight.T, one, aim)
        assert not below.stalled.any()
        assert below.steps.tolist() == [1]


def test_a_step_from_the_clean_point_lowers_the_objective_just_below_the_penalty_that_stalls():
    weight, x, _, goal = linear(5, 10, seed=1)

    def objective(z, penalty):
        return torch.nn.functional.cross_entropy(z @ weight.T, goal, reduction="none") + penalty * lengths(x, z)

    penalty = float(thresholds(weight, x, goal).min()) * 0.9
    found = Penalised(penalty, steps=1, rate=1e-3).run(lambda z: z @ weight.T, x, goal)
    assert (objective(found.x_adv, penalty) < objective(x, penalty)).all()


def test_no_example_is_nearer_than_theory_certifies():
    weight, x, label, goal = linear(6, 20, seed=2)
    found = Penalised(0.02).run(lambda z: z @ weight.T, x, goal)
    assert found.reached.sum() >= 10
    ratio = lengths(x, found.x_adv) / distances(weight, x, label, goal)
    assert (ratio[found.reached] >= 1).all()
    assert found.x_adv.min() >= 0
    assert found.x_adv.max() <= 1


def test_where_the_confidence_is_out_of_reach_the_way_ends_at_the_objectives_minimum():
    weight, x, _, goal = linear(2, 8, seed=8)
    slope = float((weight[0] - weight[1]).norm())
    found = Penalised(0.2 * slope, box=None).run(lambda z: z @ weight.T, x, goal)
    assert not found.reached.any()
    assert not found.stalled.any()
    # There (1 - p) ||w_g - w_y|| is the penalty.
    assert found.probability.numpy() == pytest.approx(0.8, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_two_classes_without_a_box_are_reached_at_theorys_distance_in_any_units(scale):
    weight, x, label, goal = linear(2, 8, seed=3, scale=scale)
    found = Penalised(0.01 * scale, box=None).run(lambda z: z @ weight.T, x, goal)
    assert found.reached.all()
    ratio = lengths(x, found.x_adv) / distances(weight, x, label, goal)
    assert ratio.min() >= 1
    assert ratio.max() < 1 + 1e-4
    assert found.steps.max() < 300


def test_moving_the_origin_of_codes_moves_the_examples_with_it():
    weight, x, _, goal = linear(4, 6, seed=4)
    attack, shift = Penalised(0.01, box=None), torch.linspace(-50, 90, 6, dtype=torch.float64)
    here = attack.run(lambda z: z @ weight.T, x, goal)
    there = attack.run(lambda z: (z - shift) @ weight.T, x + shift, goal)
    assert torch.equal(here.steps, there.steps)
    assert torch.allclose(here.x_adv + shift, there.x_adv, rtol=0, atol=1e-10)


def test_smaller_steps_end_at_the_same_place():
    weight, x, _, goal = linear(6, 20, seed=5)
    coarse = Penalised(0.02, box=None).run(lambda z: z @ weight.T, x, goal)
    fine = Penalised(0.02, rate=0.01, steps=3000, box=None).run(lambda z: z @ weight.T, x, goal)
    assert coarse.reached.all()
    assert fine.reached.all()
    assert (lengths(x, coarse.x_adv) / lengths(x, fine.x_adv)).numpy() == pytest.approx(1, abs=2e-3)


def test_the_first_point_with_the_confidence_is_returned_and_steps_count_the_way_there():
    weight, x, _, goal = linear(6, 20, seed=6)
    found = Penalised(0.02).run(lambda z: z @ weight.T, x, goal)
    assert torch.equal(found.reached, found.probability >= CONFIDENCE)
    assert found.probability[found.reached].max() < CONFIDENCE + 1e-4
    exact = (found.x_adv @ weight.T).softmax(1)[torch.arange(len(x)), goal]
    assert torch.equal(found.probability, exact)
    for index in found.reached.nonzero()[:3, 0]:
        one, aim, steps = x[index : index + 1], goal[index : index + 1], int(found.steps[index])
        short = Penalised(0.02, steps=steps - 1).run(lambda z: z @ weight.T, one, aim)
        assert not short.reached.any()
        assert Penalised(0.02, steps=steps).run(lambda z: z @ weight.T, one, aim).reached.all()


def test_a_goal_that_has_the_confidence_already_takes_no_step_and_is_not_stalled():
    weight, x, label, _ = linear(3, 8, seed=7, scale=20.0)
    sure = (x @ weight.T).softmax(1).amax(1) >= CONFIDENCE
    assert sure.any()
    found = Penalised(0.1).run(lambda z: z @ weight.T, x, label)
    assert found.reached[sure].all()
    assert not found.stalled[sure].any()
    assert not found.steps[sure].any()
    assert torch.equal(found.x_adv[sure], x[sure])


def test_elements_do_not_depend_on_one_another():
    layers = CLASSIFIERS["lrl"](0, 16, 8).double().requires_grad_(False)
    network = lambda z: 30 * layers(z)  # noqa: E731
    x = torch.rand(9, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    goal = (network(x).argmax(1) + 1) % 10
    attack = Penalised(0.001, box=None)
    whole = attack.run(network, x, goal)
    parts = [attack.run(network, *part) for part in zip(x.split(4), goal.split(4), strict=True)]
    assert whole.reached.any()
    assert torch.allclose(whole.x_adv, torch.cat([part.x_adv for part in parts]), rtol=0, atol=1e-12)
    assert torch.equal(whole.steps, torch.cat([part.steps for part in parts]))


def test_no_points_are_no_attempts():
    found = Penalised(0.1).run(lambda z: z, torch.ones(0, 3), torch.zeros(0, dtype=torch.long))
    assert found.x_adv.shape == (0, 3)
    assert found.reached.shape == found.stalled.shape == found.probability.shape == found.steps.shape == (0,)


def test_a_dead_model_stalls_without_a_penalty():
    dead = lambda z: torch.stack([z.sum(1) * 0 + 1, z.sum(1) * 0], 1)  # noqa: E731
    found = Penalised(0.0).run(dead, torch.ones(2, 3) / 2, torch.ones(2, dtype=torch.long))
    assert found.stalled.all()
    assert torch.equal(found.x_adv, torch.ones(2, 3) / 2)


def test_parameters_collect_no_gradients():
    network = CLASSIFIERS["2l"](0, 4, 3)
    Penalised(0.0, steps=3).run(network, torch.ones(2, 4) / 2, torch.tensor([0, 1]))
    assert all(parameter.grad is None for parameter in network.parameters())


def test_pairs_get_their_first_images_that_are_classified_right():
    labels = torch.tensor([0, 0, 1, 0, 2, 1, 0])
    said = torch.tensor([1, 0, 1, 0, 0, 1, 0])
    model = lambda z: torch.nn.functional.one_hot(said[z[:, 0].long()], 3).float()  # noqa: E731
    index, goal = chosen(model, torch.arange(7.0)[:, None], labels, 2, classes=3)
    assert list(zip(index.tolist(), goal.tolist(), strict=True)) == [
        (1, 1), (3, 1), (1, 2), (3, 2), (2, 0), (5, 0), (2, 2), (5, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"penalty": -1.0}, "penalty"),
        ({"confidence": 1.0}, "confidence"),
        ({"steps": 0}, "steps"),
        ({"rate": 0.0}, "rate"),
        ({"box": (1.0, 0.0)}, "box"),
    ],
)
def test_what_cannot_be_descended_is_refused(change, says):
    with pytest.raises(UsageError, match=says):
        Penalised(**{"penalty": 0.1, **change})


@pytest.mark.parametrize(
    ("x", "goal", "says"),
    [
        (np.ones((2, 3)), [0, 0], "tensor of torch"),
        (torch.ones(2, 3) * 2, [0, 0], "inside the box"),
        (torch.ones(2, 3), [0, 3], "from 0 to 2"),
        (torch.ones(2, 3), [0], "each of 2 points"),
    ],
)
def test_what_cannot_be_attacked_is_refused(x, goal, says):
    with pytest.raises(UsageError, match=says):
        Penalised(0.1).run(lambda z: z * 1.5, x, np.array(goal))


def test_no_points_of_a_pair_are_asked_for_in_vain():
    with pytest.raises(UsageError, match="count"):
        chosen(lambda z: z, torch.ones(2, 3), torch.zeros(2, dtype=torch.long), 0)
