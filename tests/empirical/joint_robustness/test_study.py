"""The study of joint robustness on scikit-learn's digits: what is trained, on what, and what is recorded."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from empirical.attacks.joint import Ascent
from empirical.data import Images, digest, load
from empirical.joint_robustness.measure import STATISTICS, stronger
from empirical.joint_robustness.study import STUDY, points
from empirical.joint_robustness.trainings import TRAININGS, Setting, network, objectives, parts, pooled
from empirical.shared.seeds import draw
from empirical.training.margin_loss import MarginLoss
from empirical.training.objective import CROSS_ENTROPY
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

measure = STUDY.methods["trained"].measure


def axes(**changed):
    small = {
        "dataset": ["digits"], "epochs": [2], "training": [128], "images": [6], "attack_steps": [3], "grid_x": [3],
        "grid_w": [2],
    }  # fmt: skip
    return {name: axis.default for name, axis in STUDY.grid.items()} | small | changed


def point(**changed):
    (found,) = points(**axes(**{name: [value] for name, value in changed.items()}))
    return found


def measured(size=1, index=0, **changed):
    there = point(**changed)
    return measure(on("cpu"), draw(on("cpu").stream(7, index), size, **there), **there)


@pytest.fixture(scope="module", autouse=True)
def checkpoints(tmp_path_factory):
    with using(Context(checkpoints=tmp_path_factory.mktemp("checkpoints"))):
        yield


@pytest.fixture
def no_certificates(monkeypatch):
    """They have tests of their own, and take most of the time."""

    def none(network, x, _labels, radii_x, radii_w):
        return dict.fromkeys(("theorem", "interval", "crown"), np.zeros((len(x), len(radii_x), len(radii_w)), bool))

    monkeypatch.setattr("empirical.certificates.joint.certified", none)


@pytest.fixture(scope="module")
def whole(checkpoints):
    return measured(2)


def test_what_is_recorded(whole):
    for name, shape in STATISTICS.shapes(2, trainings=7, x=3, w=2, layers=3).items():
        assert whole[name].shape == shape, name
        if name not in ("stronger", "exact", "exact_open"):
            assert np.isfinite(whole[name]).all(), name
    assert (whole["moved_weights"] == 0).all()
    np.testing.assert_array_equal(whole["clean"], whole["accuracy"][:, :, 0, 0])
    np.testing.assert_allclose(whole["radii_x"][0], [0, 0.15, 0.3])
    for name in ("theorem", "interval", "crown"):
        assert (whole[f"certified_{name}"] <= whole["accuracy"]).all()
    assert (whole["auc"] <= whole["clean"]).all()
    assert len(set(whole["seed"])) == 2


def test_of_one_seed_all_trainings_differ_and_are_the_same_again(whole):
    again = measured(1)
    for name in STATISTICS:
        np.testing.assert_array_equal(again[name][0], whole[name][0])
    assert len({tuple(norms) for norms in whole["norms"][0]}) == len(TRAININGS)


def test_a_stronger_attack_leaves_no_more_than_the_paper_s(no_certificates):
    for weights in ("batch", "image"):
        found = measured(weights=weights, restarts=1)
        assert (found["stronger"] <= found["accuracy"]).all()
    ascents = stronger(Ascent(9), 2)
    assert [ascent.random for ascent in ascents] == [False, False, True, True, True, True]
    assert {ascent.loss for ascent in ascents} == {"cross_entropy", "margin"}


def test_a_tiny_network_is_answered_exactly():
    found = measured(architecture="tiny", images=2, grid_x=2)
    assert (found["exact"] + found["exact_open"] <= 1).all()
    assert (found["certified_crown"] <= found["exact"]).all()
    assert (found["exact"] <= found["accuracy"]).all()


@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_biases_and_convolutions_have_no_printed_certificate(architecture):
    found = measured(architecture=architecture, biases=1, zeta="corrected", images=3, grid_x=2)
    assert np.isnan(found["certified_printed"]).all()
    assert (found["certified_theorem"] <= found["certified_interval"]).all()


def test_all_trainings_of_a_seed_begin_with_the_same_weights(monkeypatch):
    begun = []
    monkeypatch.setattr("empirical.training.once.train", lambda model, *_, **__: begun.append(model) or [{}])
    setting = Setting(**point())
    train, _, test = parts(setting)
    for seed in (1, 2):
        for training in TRAININGS:
            network(setting, training, seed, train, test, "cpu")
    weights = [model[1].weight for model in begun]
    assert all(torch.equal(weights[0], weight) for weight in weights[:7])
    assert not torch.equal(weights[0], weights[7])


def test_what_each_training_descends():
    setting = replace(Setting(**point()), alpha_tau=0.3, beta=0.2, beta_attacked=0.08, radius_x=0.15, radius_w=0.01)
    made = objectives(setting)
    assert tuple(made) == TRAININGS
    assert made["standard"] is CROSS_ENTROPY
    assert made["weight"] == MarginLoss(0.15, 0.01, 0.0, 0.2, True)
    attack = made["adversarial"].attack
    assert attack.radius == 0.15
    assert made["adversarial_beta_half"] == MarginLoss(0.15, 0.01, 0.0, 0.04, True, attack)
    assert made["adversarial_beta"] == MarginLoss(0.15, 0.01, 0.0, 0.08, True, attack)
    assert made["jiwp"] == MarginLoss(0.15, 0.01, 0.3, 0.2, True)
    assert (made["awp"].radius, made["awp"].attack) == (0.01, attack)
    assert not objectives(replace(setting, zeta="corrected"))["jiwp"].printed


def test_no_network_is_trained_on_what_is_held_out_or_tested_on():
    train, held_out, test = parts(Setting(**point(training=1150)))
    whole = load("digits", "train")
    assert (len(train), len(held_out), len(test)) == (1150, 287, 360)
    np.testing.assert_array_equal(np.concatenate([train.x, held_out.x]), whole.x)
    with pytest.raises(UsageError, match=r"--training must be at most 1150 for digits, .* got 1151"):
        parts(Setting(**point(training=1151)))


def test_held_out_images_are_others(no_certificates):
    first, second = (measured(held_out=held_out, images=50) for held_out in (0, 1))
    np.testing.assert_array_equal(first["test_accuracy"], second["test_accuracy"])
    assert not np.array_equal(first["clean"], second["clean"])


def test_pooled_images_are_means_of_windows():
    x = np.zeros((1, 8, 8), np.uint8)
    x[0, :2, 2:4] = [[1, 2], [3, 4]]
    x[0, 6:, 6:] = 200
    found = pooled(Images(x, np.array([3]), ("a",))).x[0]
    assert found[0].tolist() == [0, 2, 0, 0]  # 2.5 is rounded to even
    assert found[3].tolist() == [0, 0, 0, 200]
    assert parts(Setting(**point(architecture="tiny")))[2].x.shape == (360, 4, 4)


def test_points_are_all_combinations_and_name_their_images():
    sweep = points(**axes(beta=[0.1, 0.2], weights=["batch", "image"]))
    assert len(sweep) == 4
    assert tuple(sweep[0]) == (*STUDY.grid, "data")
    assert {one["data"] for one in sweep} == {digest("digits")}


@pytest.mark.parametrize("changed", [{"architecture": ["cnn"]}, {"biases": [1]}])
def test_the_printed_zeta_is_stated_for_dense_layers_without_biases(changed):
    with pytest.raises(UsageError, match="--zeta must be corrected with --architecture cnn or --biases 1, got printed"):
        points(**axes(**changed))
    assert points(**axes(**changed, zeta=["corrected"]))


@pytest.mark.parametrize(
    ("axis", "text", "match"),
    [
        ("dataset", "cifar10", "--dataset must be among mnist, fashion-mnist, digits, got cifar10"),
        ("weights", "all", "--weights must be among batch, image, got all"),
        ("biases", "2", "--biases must be among 0, 1, got 2"),
        ("grid_x", "1", "--grid-x must be an integer of at least 2, got 1"),
        ("beta", "-1", "--beta must be positive, got -1"),
    ],
)
def test_flags_out_of_their_range_are_a_line(axis, text, match):
    with pytest.raises(UsageError, match=match):
        STUDY.grid[axis].parse(text)


def test_a_training_that_diverges_is_a_line(monkeypatch):
    def diverged(build, *_, **__):
        model = build(0)
        torch.nn.init.constant_(next(iter(model.parameters())), torch.nan)
        return model, []

    monkeypatch.setattr("empirical.training.once.trained", diverged)
    setting = Setting(**point())
    train, _, test = parts(setting)
    with pytest.raises(
        UsageError, match=r"the training jiwp must end in finite weights, .* choose smaller --alpha-tau"
    ):
        network(setting, "jiwp", 0, train, test, "cpu")
