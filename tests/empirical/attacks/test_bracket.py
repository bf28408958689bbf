"""Attacks beside closed forms of linear networks, each element with weights of its own, and the flags."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from empirical.attacks import bracket as module
from empirical.attacks.bracket import ATTACKS, DEFAULT, TARGETED, THOROUGH, bracket
from empirical.certificates.dense import linear_distance
from fragility.engine.study import UsageError

SIZE = 16


def linear(classes, n, dtype=torch.float64, scale=1.0, seed=0, size=SIZE):
    """Probes (size, classes, n) and points of as many linear networks, presented as one callable."""
    stream = torch.Generator().manual_seed(seed)
    probes = torch.randn(size, classes, n, generator=stream, dtype=torch.float64).to(dtype) * scale
    x = torch.randn(size, n, generator=stream, dtype=torch.float64).to(dtype)

    def model(z):
        assert len(z) == size  # the batch is whole
        return torch.einsum("bcn,bn->bc", probes, z)

    return model, probes, x, model(x).argmax(1)


def exact(probes, x, label, target=None):
    return linear_distance(probes, torch.zeros(1, probes.shape[1]), x, label, target)


@pytest.mark.parametrize(
    ("dtype", "scale"), [(torch.float32, 1.0), (torch.float32, 1e4), (torch.float32, 1e-4), (torch.float64, 1.0)]
)
def test_attacks_meet_the_closed_form_of_two_classes(dtype, scale):
    model, probes, x, label = linear(2, 24, dtype, scale)
    distance = exact(probes, x, label)
    attacks = ("fast_gradient", "deepfool", "least_likely", "ddn")
    found = bracket(model, x, label, lower=distance, attacks=attacks)
    assert found.each == pytest.approx(np.repeat(distance[:, None], 4, 1), rel=1e-3)
    assert found.first_order == pytest.approx(distance, rel=1e-4)
    assert not found.flags["crossed"].any()
    assert found.delta.dtype == x.numpy().dtype


@pytest.mark.parametrize("name", ["nearest_rivals", "alma", "fab"])
@pytest.mark.parametrize("classes", [2, 6])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_longer_attacks_meet_the_closed_form(name, classes, scale):
    model, probes, x, label = linear(classes, 24, torch.float32, scale)
    found = bracket(model, x, label, attacks=("deepfool", name))
    ratio = found.each[:, 1] / exact(probes, x, label)
    assert ratio.min() > 1 - 1e-5
    assert ratio.max() < 1.002
    assert not found.flags["out_of_box"].any()


def test_carlini_wagner_comes_near_the_closed_form():
    model, probes, x, label = linear(2, 12)
    ratio = bracket(model, x, label, attacks=("carlini_wagner",)).upper / exact(probes, x, label)
    assert 1 <= ratio.min() <= ratio.max() < 1.05


@pytest.mark.slow
def test_carlini_wagner_comes_within_a_hundredth_in_long_runs(monkeypatch):
    model, probes, x, label = linear(2, 12)
    attack = module.ATTACKS["carlini_wagner"]
    long = {"carlini_wagner": lambda problem, known: attack(problem, known, steps=400, rate=0.02)}
    monkeypatch.setattr(module, "ATTACKS", long)
    ratio = bracket(model, x, label, attacks=("carlini_wagner",)).upper / exact(probes, x, label)
    assert 1 <= ratio.min() <= ratio.max() < 1.01


def test_the_sign_attack_meets_its_own_closed_form():
    model, probes, x, label = linear(2, 64)
    rows = np.arange(SIZE)
    difference = (probes[rows, label] - probes[rows, 1 - label]).numpy()
    epsilon = (difference * x.numpy()).sum(1) / np.abs(difference).sum(1)
    found = bracket(model, x, label, attacks=("sign_gradient",))
    assert found.upper == pytest.approx(8 * epsilon, rel=1e-5)


def test_ten_classes():
    model, probes, x, label = linear(10, 32)
    distance = exact(probes, x, label)
    found = bracket(model, x, label, lower=distance, attacks=("fast_gradient", "deepfool", "ddn"))
    assert found.upper == pytest.approx(distance, rel=1e-5)
    each = dict(zip(found.names, found.each.T / distance, strict=True))
    assert each["deepfool"].max() < 1.0001
    # DDN follows the class that is nearest in logits, which need not be the nearest in distance.
    assert np.median(each["ddn"]) < 1.001
    assert min(values.min() for values in each.values()) > 1 - 1e-6


def test_targets_are_reached_at_the_least_distance():
    model, probes, x, label = linear(4, 8, size=6)
    target = model(x).argmin(1)
    truth = []
    for rows, point, aim in zip(probes.numpy(), x.numpy(), target.numpy(), strict=True):
        rivals = np.delete(rows, aim, 0)
        solved = minimize(
            lambda d: d @ d,
            np.linalg.pinv(rows[aim] - rivals) @ np.full(3, 9.0),
            jac=lambda d: 2 * d,
            method="SLSQP",
            constraints={
                "type": "ineq",
                "fun": lambda d, r=rivals, p=point, w=rows[aim]: (w - r) @ (p + d),
                "jac": lambda _, r=rivals, w=rows[aim]: w - r,
            },
            options={"maxiter": 300, "ftol": 1e-12},
        )
        assert solved.success
        truth.append(np.sqrt(solved.fun))
    lower = exact(probes, x, label, target)
    found = bracket(model, x, label, target=target, lower=lower, attacks=("deepfool", "least_likely", "ddn"))
    best = bracket(model, x, label, target=target)
    assert best.upper == pytest.approx(truth, rel=2e-3)
    assert best.names == TARGETED
    each = dict(zip(found.names, found.each.T / truth, strict=True))
    single = lower / truth > 1 - 1e-6  # one rival decides; else the nearest point ties several
    assert found.upper[single] == pytest.approx(lower[single], rel=1e-4)
    assert found.upper == pytest.approx(truth, rel=0.04)
    assert max(each["ddn"].max(), each["least_likely"].max()) < 1.04
    assert min(values.min() for values in each.values()) > 1 - 1e-6
    assert 0 < single.sum() < 6
    assert (found.lower <= np.array(truth) * (1 + 1e-6)).all()
    assert torch.equal(model(x + torch.tensor(found.delta)).argmax(1), target)


def test_points_that_flip_already_have_distance_zero():
    model, _, x, label = linear(3, 6)
    wrong = label.clone()
    wrong[::2] = (label[::2] + 1) % 3
    found = bracket(model, x, wrong, lower=np.ones(SIZE), attacks=("fast_gradient", "ddn"))
    flagged = found.flags["misclassified"]
    assert flagged[::2].all()
    assert not flagged[1::2].any()
    assert (found.upper[::2] == 0).all()
    assert (found.lower[::2] == 0).all()
    assert (found.attack[::2] == -1).all()
    assert (found.delta[::2] == 0).all()
    assert (found.upper[1::2] > 0).all()


def test_lies_are_caught(monkeypatch):
    model, _, x, label = linear(2, 6)
    liars = {"clean": lambda problem, known: problem.x, "nan": lambda problem, known: problem.x * float("nan")}
    monkeypatch.setattr(module, "ATTACKS", liars)
    found = bracket(model, x, label, attacks=("clean", "nan"))
    assert np.isinf(found.each).all()
    assert (found.attack == -1).all()
    assert (found.delta == 0).all()


def test_flags_of_dead_and_saturated_networks():
    dead = lambda z: torch.stack((torch.ones_like(z[:, 0]), 2 * (z[:, 0] - 1).relu()), 1)  # noqa: E731
    x, label = torch.zeros(3, 2), torch.zeros(3, dtype=torch.long)
    found = bracket(dead, x, label, attacks=("fast_gradient", "ddn"))
    assert found.flags["zero_gradient"].all()
    assert np.isinf(found.first_order).all()
    assert not found.flags["saturated"].any()
    alive, _, x, label = linear(2, 6, torch.float32, 1e4)
    found = bracket(alive, x, label, attacks=("fast_gradient",))
    assert found.flags["saturated"].all()
    assert not found.flags["zero_gradient"].any()


def test_the_box_is_kept_and_violations_are_told(monkeypatch):
    x, label = torch.tensor([[0.1, 0.8], [0.0, 1.0]]), torch.tensor([0, 0])
    model = lambda z: torch.stack((torch.full_like(z[:, 0], 1.3), z[:, 0] + z[:, 1]), 1)  # noqa: E731
    found = bracket(model, x, label, box=(0.0, 1.0), attacks=("deepfool", "ddn", "carlini_wagner"))
    # From (0.1, 0.8) the shortest step (0.2, 0.2) stays inside; from (0, 1) only the first coordinate can grow.
    assert found.each == pytest.approx(np.repeat([[0.2 * 2**0.5], [0.3]], 3, 1), rel=0.02)
    assert found.upper == pytest.approx([0.2 * 2**0.5, 0.3], rel=1e-4)
    moved = x.numpy() + found.delta
    assert moved.min() >= 0
    assert moved.max() <= 1
    assert not found.flags["out_of_box"].any()
    monkeypatch.setattr(module, "ATTACKS", {"far": lambda problem, known: problem.x + 5})
    found = bracket(model, x, label, box=(0.0, 1.0), attacks=("far",))
    assert found.flags["out_of_box"].all()
    assert (x.numpy() + found.delta).max() <= 1


def test_false_certificates_are_flagged():
    model, probes, x, label = linear(2, 6)
    found = bracket(model, x, label, lower=exact(probes, x, label) * 1.01, attacks=("deepfool",))
    assert found.flags["crossed"].all()


@pytest.mark.parametrize(("further", "seen"), [(1.0, True), (1.02, True), (1.04, False)])
def test_a_second_class_within_three_per_cent_is_a_disagreement(further, seen):
    x, label = torch.zeros(4, 3, dtype=torch.float64), torch.zeros(4, dtype=torch.long)
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, z[:, 0], -z[:, 0] / further), 1)  # noqa: E731
    assert (bracket(model, x, label).flags["disagreement"] == seen).all()


@pytest.mark.parametrize(("further", "seen"), [(1.02, True), (1.04, False)])
def test_so_is_another_direction_to_the_same_class(further, seen, monkeypatch):
    x, label = torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2, dtype=torch.long)
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, torch.maximum(z[:, 0], z[:, 1] / further)), 1)  # noqa: E731
    ways = {"two": lambda problem, known: (problem.x + torch.eye(3)[0] * 2, problem.x + torch.eye(3)[1] * 2)}
    monkeypatch.setattr(module, "ATTACKS", ways)
    found = bracket(model, x, label, attacks=("two",))
    assert found.upper == pytest.approx([1, 1], rel=1e-5)
    assert (found.flags["disagreement"] == seen).all()


def test_several_proposals_count_by_their_shortest(monkeypatch):
    model, probes, x, label = linear(2, 6)
    nearest = torch.tensor(bracket(model, x, label, attacks=("deepfool",)).delta)
    pair = {"pair": lambda problem, known: (problem.x + nearest * 3, problem.x - nearest)}
    monkeypatch.setattr(module, "ATTACKS", pair)
    assert bracket(model, x, label, attacks=("pair",)).each[:, 0] == pytest.approx(exact(probes, x, label), rel=1e-5)


def test_what_is_returned_flips_bit_for_bit():
    net = torch.nn.Sequential(torch.nn.Linear(6, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    x = torch.rand(40, 6)
    label = net(x).argmax(1)
    found = bracket(net, x, label, box=(0.0, 1.0))
    reached = np.isfinite(found.upper)
    assert reached.any()
    assert (net(torch.tensor(found.x_adv)).argmax(1) != label).numpy()[reached].all()
    assert np.linalg.norm(found.x_adv.astype(float) - x.numpy(), axis=1)[reached] == pytest.approx(found.upper[reached])
    assert found.delta == pytest.approx(found.x_adv - x.numpy())


def test_batches_of_own_weights_and_of_shared_ones_find_the_same():
    shared = torch.nn.Sequential(torch.nn.Linear(6, 32), torch.nn.ReLU(), torch.nn.Linear(32, 3))
    x = torch.rand(12, 6)
    label = shared(x).argmax(1)
    given = []

    def whole(z):
        given.append(len(z))
        assert len(z) == 12
        return shared(z)

    found, again = bracket(shared, x, label, box=(0, 1)), bracket(whole, x, label, box=(0, 1))
    assert set(given) == {12, 24, 1} or set(given) == {12, 24}  # repeated and cut batches were tried, in vain
    assert again.upper == pytest.approx(found.upper, rel=2e-3)


def test_steps_are_given_by_name():
    model, probes, x, label = linear(3, 12, torch.float32)
    short, long = (bracket(model, x, label, attacks=("ddn",), steps={"ddn": count}) for count in (3, 200))
    assert np.median(long.upper / exact(probes, x, label)) < 1.001
    assert np.median(short.upper) > np.median(long.upper)
    for wrong in ({"ddn": 0}, {"ddn": 2.5}, {"ddn": True}):
        with pytest.raises(UsageError, match="steps must be"):
            bracket(model, x, label, attacks=("ddn",), steps=wrong)
    with pytest.raises(UsageError, match="fast_gradient"):
        bracket(model, x, label, attacks=("fast_gradient",), steps={"fast_gradient": 3})
    with pytest.raises(UsageError, match="nothing"):
        bracket(model, x, label, attacks=("ddn",), steps={"nothing": 3})


def test_equal_arguments_give_equal_results_whatever_the_global_generator():
    model, _, x, label = linear(3, 6, torch.float32)
    dead = lambda z: model(z).relu() - 3 * torch.nn.functional.one_hot(label, 3) * (z[:, :1] > 9)  # noqa: E731
    attacks = ("fast_gradient", "ddn")
    first = bracket(dead, x, label, attacks=attacks, seed=5)
    torch.rand(3)
    again = bracket(dead, x, label, attacks=attacks, seed=5)
    assert np.array_equal(first.delta, again.delta)
    assert np.array_equal(first.each, again.each)


def test_parameters_collect_no_gradients():
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    x = torch.ones(2, 4)
    bracket(net, x, net(x).argmax(1), attacks=("fast_gradient", "ddn"))
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"attacks": ("magic",)}, "magic"),
        ({"attacks": ()}, "none"),
        ({"box": (0.0, 0.5)}, "inside the box"),
        ({"x": torch.ones(2, 4, dtype=torch.long)}, "floating point"),
    ],
)
def test_what_cannot_be_attacked_is_refused(change, says):
    given = {"x": torch.ones(2, 4), "attacks": ("ddn",), **change}
    with pytest.raises(UsageError, match=says):
        bracket(lambda z: z, given.pop("x"), torch.zeros(2, dtype=torch.long), **given)


def test_networks_in_training_mode_are_refused():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    with pytest.raises(UsageError, match="evaluation mode"):
        bracket(net, torch.ones(2, 4), torch.zeros(2, dtype=torch.long))


@pytest.mark.slow
def test_brendel_bethge_meets_the_closed_form_and_improves_on_its_start():
    model, probes, x, label = linear(2, 24, torch.float32)
    distance = exact(probes, x, label)
    found = bracket(model, x, label, attacks=("sign_gradient", "brendel_bethge"))
    assert found.each[:, 1] == pytest.approx(distance, rel=0.01)
    assert (found.each[:, 0] > 1.05 * distance).all()
    wrong = label.clone()
    wrong[0] = 1 - label[0]
    mixed = bracket(model, x, wrong, attacks=("sign_gradient", "brendel_bethge"))
    assert mixed.upper[1:] == pytest.approx(distance[1:], rel=0.01)


def test_the_sets_name_attacks_that_there_are():
    assert set(DEFAULT) < set(TARGETED) < set(THOROUGH) < set(ATTACKS)
    assert THOROUGH[-1] == "brendel_bethge"  # it starts from what the others have found


def test_a_near_boundary_behind_the_point_is_found_where_there_are_few_rivals():
    """Every gradient leads to the boundary at 3, but there is one at -1, flat until -0.5."""

    def model(z):
        beyond = torch.maximum(z[:, 0] - 3, 4 * (-z[:, 0] - 1))
        return torch.stack((torch.zeros_like(beyond), beyond), 1)

    x, label = torch.full((8, 3), 1.5, dtype=torch.float64), torch.zeros(8, dtype=torch.long)
    by_ddn = bracket(model, x, label, attacks=("ddn",)).upper
    assert by_ddn == pytest.approx(1.5 * np.ones(8), rel=1e-3)
    x = x - 1  # to 0.5: 2.5 from the one boundary, 1.5 from the other, and the gradient still leads to the far one
    assert bracket(model, x, label, attacks=("fast_gradient",)).upper == pytest.approx(2.5 * np.ones(8), rel=1e-3)
    assert bracket(model, x, label).upper == pytest.approx(1.5 * np.ones(8), rel=1e-3)
