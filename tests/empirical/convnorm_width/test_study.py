"""The study of width and normalisation on scikit-learn's digits: what is trained, on what, and what is recorded."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch import nn

from empirical.convnorm_width.attacks import RADIUS
from empirical.convnorm_width.measure import LAYERS, RESNET_LAYERS, STATISTICS
from empirical.convnorm_width.study import NOISES, STUDY, points
from empirical.convnorm_width.trainings import (
    NORMALISATIONS,
    Setting,
    coloured,
    objective,
    parts,
    recipe,
    residual_network,
    wide_network,
)
from empirical.data import digest, load
from empirical.models import normalisations
from empirical.models.wide_resnet import wide_resnet
from empirical.shared.seeds import draw
from empirical.training import free
from empirical.training.adversarial import Adversarial, InputAttack
from empirical.training.free import Free
from empirical.training.network import evaluate
from empirical.training.once import tensors
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

measure = STUDY.methods["trained"].measure
RADII = (0.0, RADIUS)


def few(seed, widen, normalisation, options):
    """Two convolutions that leave little of the images, in place of a WideResNet."""
    made = normalisations.Parts(normalisation, options)
    body = nn.Sequential(
        nn.AvgPool2d(4), made.convolution(3, 4 * widen, 3, 8, 2), made.between(4 * widen), nn.ReLU(),
        made.convolution(4 * widen, 8, 3, 4), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip
    return normalisations.finished(body, seed)


def twenty(seed, normalisation, options):
    """As many convolutions as a ResNet18 has."""
    made = normalisations.Parts(normalisation, options)
    body = [made.convolution(3 if number == 0 else 2, 2, 3, 4) for number in range(RESNET_LAYERS)]
    return normalisations.finished(nn.Sequential(nn.AvgPool2d(8), *body, nn.Flatten(), nn.Linear(32, 10)), seed)


@pytest.fixture(scope="module", autouse=True)
def stand_ins(tmp_path_factory):
    """Small networks in place of large ones, two radii, and a folder of checkpoints."""
    with pytest.MonkeyPatch.context() as patch, using(Context(checkpoints=tmp_path_factory.mktemp("checkpoints"))):
        patch.setattr("empirical.models.wide_resnet.wide_resnet", few)
        patch.setattr("empirical.models.resnet18.resnet18", twenty)
        patch.setattr("empirical.convnorm_width.measure.RADII", RADII)
        patch.setattr("empirical.certificates.spectral.lipschitz", lambda model: float(model.spread.sum()))
        yield


def axes(**changed):
    small = {
        "dataset": ["digits"], "epochs": [2], "training": [32], "watched": [20], "images": [30], "curve_images": [10],
        "replays": [2],
    }  # fmt: skip
    return {name: axis.default for name, axis in STUDY.grid.items()} | small | changed


def point(**changed):
    (found,) = points(**axes(**{name: [value] for name, value in changed.items()}))
    return found


def setting(**changed):
    return Setting(**point(**changed))


def measured(size=1, **changed):
    there = point(**changed)
    return measure(on("cpu"), draw(on("cpu").stream(7, 0), size, **there), **there)


@pytest.fixture(scope="module")
def whole(stand_ins):
    return measured(2)


def test_what_is_recorded(whole):
    optional = {name for name, one in STATISTICS.items() if one.optional}
    for name, shape in STATISTICS.shapes(2, k=2, norms=4, looks=2, radii=len(RADII)).items():
        assert whole[name].shape == shape, name
        if name not in optional | {"bound", "norm_weights", "norm_layer"}:
            assert np.isfinite(whole[name]).all(), name
    assert all(np.isnan(whole[name]).all() for name in optional)
    assert whole["width"].tolist() == [[1, 2]] * 2
    assert whole["normalisation"].tolist() == [[0, 1, 2, 3]] * 2
    assert (whole["fgsm5"] >= whole["fgsm"]).all()
    assert len(set(whole["seed"])) == 2


def test_the_curve_begins_at_clean_accuracy_and_passes_the_accuracy_at_8_over_255():
    found = measured(curve_images=30, widths="1", normalisations="bn")
    for attack in ("fgsm", "pgd"):
        np.testing.assert_array_equal(found[f"curve_{attack}"][..., 0], found["clean"])
        np.testing.assert_array_equal(found[f"curve_{attack}"][..., 1], found[attack])


def test_norms_stand_beside_the_layers_there_are(whole):
    there = ~np.isnan(whole["norm_weights"])
    assert there[..., :2].all()
    assert not there[..., 2:].any()
    for name, column in (("vanilla", 0), ("bn", 1)):
        np.testing.assert_array_equal(
            whole["norm_layer"][:, :, column], whole["norm_weights"][:, :, column], err_msg=name
        )
        assert np.isnan(whole["bound"][:, :, column]).all()
    normalised = whole["norm_layer"][:, :, 2:, :2]
    assert (normalised <= whole["bound"][:, :, 2:, :2] * (1 + 1e-9)).all()
    assert (whole["resnet_before"] > 0).all()
    assert (whole["resnet_after"] != whole["resnet_before"]).all()


def test_a_network_alone_is_the_one_in_the_table_and_the_same_again(whole):
    given = setting()
    seed = int(whole["seed"][1])
    images = parts(given)
    network, course = wide_network(given, 2, "convnorm", seed, images, "cpu")
    np.testing.assert_array_equal(course.accuracies("pgd"), whole["course_pgd"][1, 1, 2])
    assert evaluate(network, *tensors(images.judged)) == pytest.approx(whole["clean"][1, 1, 2])
    assert not network.training
    again = measured(1)  # from the files of the trained networks
    for name in STATISTICS:
        np.testing.assert_array_equal(again[name][0], whole[name][0])


def test_auto_attack_has_the_first_images(monkeypatch):
    asked = []

    def ensemble(model, x, labels, norm, radius, seed):
        asked.append((len(x), norm, radius, seed))
        return (model(x).argmax(1) == labels) & (torch.arange(len(x)) < 3)

    monkeypatch.setattr("empirical.attacks.ensemble.auto_attack", ensemble)
    found = measured(widths="1", normalisations="vanilla", auto_images=8)
    full = measured(widths="1", normalisations="vanilla", auto_images=8, images=8)
    assert [one[:3] for one in asked] == [(8, "linf", RADIUS)] * 2
    assert asked[0][3] == asked[1][3]
    assert (found["auto"] <= found["auto_clean"]).all()
    assert found["auto"].max() <= 3 / 8
    np.testing.assert_array_equal(full["auto_clean"], full["clean"])
    np.testing.assert_array_equal(full["auto_pgd"], full["pgd"])


def test_the_residual_network_is_trained_where_it_is_asked_for():
    found = measured(widths="1", normalisations="bn", resnet=1)
    assert np.isfinite(found["resnet_before_trained"]).all()
    assert (found["resnet_before_trained"] != found["resnet_before"]).all()
    assert found["resnet_before"].shape == (1, RESNET_LAYERS)
    trained = residual_network(setting(resnet=1), int(found["seed"][0]), parts(setting()), "cpu")
    assert not trained.training


def test_what_is_held_out_is_not_trained_on_unless_there_is_a_leak():
    whole = coloured(load("digits", "train")), coloured(load("digits", "test"))
    found = parts(setting(training=1294, images=200, watched=50))
    assert (len(found.train), len(found.watched), len(found.judged)) == (1294, 50, 143)
    np.testing.assert_array_equal(np.concatenate([found.train.x, found.judged.x]), whole[0].x)
    np.testing.assert_array_equal(found.watched.x, found.judged.x[:50])
    test = parts(setting(evaluated="test", images=400))
    np.testing.assert_array_equal(test.judged.x, whole[1].x)
    np.testing.assert_array_equal(test.watched.x, found.watched.x[:20])
    leak = parts(setting(leak=1, training=100, images=30, watched=20))
    np.testing.assert_array_equal(leak.train.x, np.concatenate([whole[0].x[:100], whole[0].x[1294 : 1294 + 30]]))
    np.testing.assert_array_equal(leak.train.labels[100:], leak.judged.labels)


def test_digits_are_enlarged_to_coloured_images():
    grey = load("digits", "test")
    found = coloured(grey)
    assert found.x.shape == (360, 32, 32, 3)
    np.testing.assert_array_equal(found.x[5, 8:12, 20:24, 1], np.full((4, 4), grey.x[5, 2, 5]))
    assert coloured(found) is found


def test_what_the_weights_descend_and_how():
    assert objective(setting(replays=4)) == Free(RADIUS, RADIUS, 4, "zero")
    assert objective(setting(noise="carried", replays=8)) == Free(RADIUS, RADIUS, 8, "carried")
    assert objective(setting(adversary="pgd")) == Adversarial(InputAttack(RADIUS, 10))
    assert str(recipe(setting(batch=128))) == "AdamW 0.001, decay 1, batch 128, shifts by up to 4 pixels and flips"
    assert NOISES == free.NOISES
    assert NORMALISATIONS == normalisations.NORMALISATIONS


def test_epochs_are_divided_by_the_replays_rounded_up():
    found = measured(widths="1", normalisations="vanilla", epochs=5, divided=1, replays=2)
    assert found["course_clean"].shape == (1, 1, 1, 3)
    assert setting(divided=1, replays=4).length(40) == 10
    assert setting(divided=1, replays=7).length(40) == 6
    assert setting(divided=1, adversary="pgd").length(40) == 40
    assert setting().length(40) == 40


def test_options_of_the_layer_are_those_of_the_axes():
    stock = asdict(setting().options)
    assert [stock[option] for option in ("batch_norm", "detached", "running")] == [True] * 3
    for axis, option in (("inner_bn", "batch_norm"), ("detached", "detached"), ("running", "running")):
        assert asdict(setting(**{axis: 0}).options) == stock | {option: False}


def test_the_kept_network_is_the_last_or_the_best():
    given = setting(epochs=4)
    images = parts(given)
    last, course = wide_network(given, 1, "bn", 3, images, "cpu")
    best, again = wide_network(replace(given, kept="best"), 1, "bn", 3, images, "cpu")
    clean = course.accuracies("clean")
    assert clean.tolist() == again.accuracies("clean").tolist()
    assert len({*clean}) > 1
    x, y = tensors(images.watched)
    assert evaluate(last, x, y) == pytest.approx(clean[-1])
    assert evaluate(best, x, y) == pytest.approx(clean.max())


def test_other_trainings_are_other_networks():
    images = parts(setting(training=33))  # two batches in an epoch
    changes = [
        {}, {"adversary": "pgd"}, {"noise": "random"}, {"noise": "carried"}, {"replays": 3}, {"batch": 16},
        {"precision": "float32"}, {"inner_bn": 0}, {"detached": 0},
    ]  # fmt: skip
    made = [wide_network(setting(training=33, **change), 1, "convnorm", 3, images, "cpu")[0] for change in changes]
    kernels = {tuple(next(network.parameters()).flatten().tolist()) for network in made}
    assert len(kernels) == len(changes)


def test_a_real_network_goes_all_the_way(monkeypatch):
    """WideResNet-16-1 without normalisation, of which all 15 convolutions are seen."""
    monkeypatch.setattr("empirical.models.wide_resnet.wide_resnet", wide_resnet)
    small = {"training": 4, "watched": 2, "images": 2, "curve_images": 1, "epochs": 1, "replays": 1}
    found = measured(widths="1", normalisations="vanilla", **small)
    assert np.isfinite(found["norm_weights"]).sum() == 15
    assert found["norm_weights"].shape[-1] == LAYERS


def test_points_are_all_combinations_and_name_their_images():
    sweep = points(**axes(noise=["zero", "random"], widths=["1", "1+2"]))
    assert len(sweep) == 4
    assert tuple(sweep[0]) == (*STUDY.grid, "data")
    assert {one["data"] for one in sweep} == {digest("digits")}
    with pytest.raises(UsageError, match=r"--training must be at most 1294 for digits, whose last 143 .* got 1295"):
        points(**axes(training=[1295]))


@pytest.mark.parametrize(
    ("axis", "text", "match"),
    [
        ("dataset", "mnist", "--dataset must be among cifar10, digits, got mnist"),
        ("widths", "2+1", r"--widths must increase from one to the next, joined by \+, got 2\+1"),
        ("widths", "1+1", "--widths must increase"),
        ("widths", "0", "--widths must be an integer of at least 1, got 0"),
        ("normalisations", "bn+vanilla", r"--normalisations must be in the order vanilla\+bn"),
        ("normalisations", "bn+bn", "--normalisations must be in the order"),
        ("normalisations", "ln", "--normalisations must be among vanilla, bn, convnorm, bn_convnorm, got ln"),
        ("noise", "none", "--noise must be among zero, carried, random, got none"),
        ("replays", "0", "--replays must be an integer of at least 1, got 0"),
    ],
)
def test_flags_out_of_their_range_are_a_line(axis, text, match):
    with pytest.raises(UsageError, match=match):
        STUDY.grid[axis].parse(text)


def test_several_cells_are_one_point_and_a_comma_parts_points():
    assert STUDY.grid["widths"].parse("1+2,3") == ["1+2", "3"]
    assert STUDY.grid["normalisations"].parse("vanilla+convnorm,bn") == ["vanilla+convnorm", "bn"]
    assert setting(widths="1+4", normalisations="bn").cells == ((1, 4), ("bn",))
