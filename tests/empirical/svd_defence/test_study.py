"""The study of shrunk singular values on scikit-learn's digits: what is trained, attacked and recorded."""

import numpy as np
import pytest
import torch

from empirical.data import digest, load
from empirical.shared.seeds import draw, points
from empirical.svd_defence.measure import STATISTICS
from empirical.svd_defence.study import STUDY
from empirical.svd_defence.trainings import CLASSIFIERS, Setting, classifier, parts
from empirical.svd_defence.treatments import TREATMENTS
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

measure = STUDY.methods["trained"].measure
SHARES = (0, 40, 100)


def axes(**changed):
    small = {
        "dataset": ["digits"], "width": [12], "training": [1000], "epochs": [10], "pairs": [1], "images": [40],
        "attacked": [4],
    }  # fmt: skip
    return {name: axis.default for name, axis in STUDY.grid.items()} | small | changed


def point(**changed):
    (found,) = points(**axes(**{name: [value] for name, value in changed.items()}))
    return found


def measured(size=1, index=0, **changed):
    there = point(**changed)
    return measure(on("cpu"), draw(on("cpu").stream(7, index), size, **there), **there)


@pytest.fixture(scope="module", autouse=True)
def few(tmp_path_factory):
    """Networks are trained once, in few but long steps; three shares stand for all."""
    with pytest.MonkeyPatch.context() as patch, using(Context(checkpoints=tmp_path_factory.mktemp("checkpoints"))):
        quick = {
            "measure.STEPS": 60,
            "trainings.RATE": 0.02,
            "trainings.BATCH": 100,
        }
        for name, value in {"measure.SHARES": SHARES, **quick}.items():
            patch.setattr(f"empirical.svd_defence.{name}", value)
        yield


@pytest.fixture(scope="module")
def whole(few):
    return measured()


@pytest.fixture(scope="module")
def networks(whole):
    """What was trained for `whole`."""
    setting = Setting(**point())
    train, test = parts(setting)
    models = {name: classifier(setting, name, int(whole["seed"][0]), train, "cpu") for name in CLASSIFIERS}
    return models, train, test


def test_what_is_recorded(whole):
    for name, shape in STATISTICS.shapes(1, classifiers=3, treatments=5, shares=3).items():
        assert whole[name].shape == shape, name
        if name not in ("anew_robustness", "removed"):
            assert np.isfinite(whole[name]).all(), name
    np.testing.assert_array_equal(whole["shares"], [SHARES])
    np.testing.assert_array_equal(whole["removed"][0, 1], [[0, 0], [4, 4], [12, 10]])
    np.testing.assert_array_equal(whole["removed"][0, 0], [[0, np.nan], [4, np.nan], [10, np.nan]])
    np.testing.assert_array_equal(whole["directions"][0], [[10, 64], [12, 64], [12, 64]])


def test_with_nothing_changed_all_is_as_before(whole):
    assert (whole["adversarial_accuracy"][..., 0] == 0).all()
    assert (whole["changed"][..., 0] == 0).all()
    for name in ("success", "robustness"):
        before = np.broadcast_to(whole[f"original_{name}"][..., None], whole[f"anew_{name}"][..., 0].shape)
        np.testing.assert_array_equal(whole[f"anew_{name}"][..., 0], before)
    assert (whole["original_success"] > 0.2).all()
    assert (whole["anew_attempts"][..., 0] == 90).all()
    for name in ("energy", "gradient_energy", "weight_energy"):
        assert (whole[name][..., 0] == 0).all()
        np.testing.assert_allclose(whole[name][..., -1], 1)


def test_no_more_is_certified_than_stands(whole):
    assert (whole["certified"] <= 1 - whole["changed"][:, :, :3] + 1e-9).all()
    assert 0 < whole["certified"][..., 1].mean() < 1


def test_accuracies_are_those_of_networks_written_out(whole, networks):
    models, train, test = networks
    layers = [(model.weight.double(), model.bias.double()) for model in models["lrl"][1::2]]
    weights = []
    for weight, _ in layers:
        left, sigma, right = torch.linalg.svd(weight, full_matrices=False)
        sigma[-4:] *= 0.1
        weights.append((left * sigma) @ right)

    def logits(images, matrices):
        x = torch.tensor(images.x).double().flatten(1) / 255
        hidden = (x @ matrices[0].T + layers[0][1]).clamp(min=0)
        return hidden @ matrices[1].T + layers[1][1]

    cell = (0, CLASSIFIERS.index("lrl"), TREATMENTS.index("tenth"), SHARES.index(40))
    for images, name in ((test, "test_accuracy"), (train, "train_accuracy")):
        right = (logits(images, weights).argmax(1).numpy() == images.labels).mean()
        assert whole[name][cell] == pytest.approx(right)
    some = test.first(40)
    before, after = (logits(some, matrices).argmax(1) for matrices in ([weight for weight, _ in layers], weights))
    assert whole["changed"][cell] == pytest.approx(float((before != after).double().mean()))


def test_everything_zeroed_leaves_the_biases_which_one_class_wins(whole):
    cell = (0, slice(None), TREATMENTS.index("zeroed"), -1)
    test = load("digits", "test")
    frequencies = np.bincount(test.labels) / len(test)
    for accuracy in whole["test_accuracy"][cell]:
        assert np.isclose(accuracy, frequencies).any()
    np.testing.assert_array_equal(whole["anew_attempts"][cell], 9)
    np.testing.assert_array_equal(whole["anew_success"][cell], 0)
    np.testing.assert_array_equal(whole["anew_stalled"][cell], 1)
    assert np.isnan(whole["anew_robustness"][cell]).all()


def test_perturbations_of_one_linear_layer_are_gradients_but_for_clamping(whole):
    """Steps are sums of rows of its weights, to which clamping adds what it takes away elsewhere."""
    assert 0 < whole["outside"][0, 0] < 0.5
    assert (np.diff(whole["energy"]) > 0).all()


def test_a_draw_is_a_function_of_its_seed(monkeypatch):
    monkeypatch.setattr("empirical.svd_defence.measure.SHARES", (30,))
    monkeypatch.setattr("empirical.svd_defence.measure.TREATMENTS", ("zeroed", "random", "noise"))
    monkeypatch.setattr("empirical.svd_defence.measure.STEPS", 10)
    both, first = measured(2, epochs=2), measured(1, epochs=2)
    for name in STATISTICS:
        np.testing.assert_array_equal(first[name][0], both[name][0])
    for name in ("seed", "imbalance", "carried"):
        assert not np.array_equal(both[name][0], both[name][1])


def test_examples_of_less_confidence_are_nearer(whole, monkeypatch):
    monkeypatch.setattr("empirical.svd_defence.measure.SHARES", (0,))
    found = measured(confidence=0.5)
    assert (found["original_robustness"] < whole["original_robustness"]).all()
    assert (found["adversarial_accuracy"] == 0).all()


def test_a_network_that_has_nothing_right_is_not_attacked(monkeypatch):
    monkeypatch.setattr("empirical.svd_defence.measure.SHARES", (0,))
    monkeypatch.setattr("empirical.attacks.penalised.chosen", lambda *_: (torch.arange(0), torch.arange(0)))
    found = measured(epochs=1)
    assert (found["anew_attempts"] == 0).all()
    for name in ("adversarial_accuracy", "anew_success", "anew_stalled", "anew_robustness", "outside"):
        assert np.isnan(found[name]).all(), name


def test_training_images_are_the_first_and_all_test_images_are_met():
    train, test = parts(Setting(**point(training=1437)))
    np.testing.assert_array_equal(train.x, load("digits", "train").x)
    np.testing.assert_array_equal(test.x, load("digits", "test").x)
    with pytest.raises(UsageError, match=r"--training must be at most 1437, as many images as digits has, got 1438"):
        parts(Setting(**point(training=1438)))


def test_points_are_all_combinations_and_name_their_images():
    sweep = points(**axes(penalty=[0.1, 0.2], rounding=["floor", "ceil"]))
    assert len(sweep) == 4
    assert tuple(sweep[0]) == (*STUDY.grid, "data")
    assert {one["data"] for one in sweep} == {digest("digits")}


@pytest.mark.parametrize(
    ("axis", "text", "match"),
    [
        ("dataset", "cifar10", "--dataset must be among mnist, fashion-mnist, digits, got cifar10"),
        ("rounding", "up", "--rounding must be among floor, round, ceil, got up"),
        ("penalty", "0", "--penalty must be positive, got 0"),
        ("confidence", "0.5,1", "--confidence must be below 1, got 1"),
        ("pairs", "0", "--pairs must be an integer of at least 1, got 0"),
    ],
)
def test_flags_out_of_their_range_are_a_line(axis, text, match):
    with pytest.raises(UsageError, match=match):
        STUDY.grid[axis].parse(text)
