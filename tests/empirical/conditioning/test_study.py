"""The study of conditioning on digits: what is recorded, how its parts fit together, and what its flags take."""

import numpy as np
import pytest
import torch

from empirical.conditioning import measure as measured
from empirical.conditioning.measure import ARMS, LAYERS, MODELS, NORMS, OF_MODEL, RADII, STATISTICS, TABLE_RADII
from empirical.conditioning.study import STUDY, draw, points
from empirical.data import digest, load
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError
from theory import reported

SMALL = {"iterations": [40], "epochs": [1], "images": [40], "steps": [2], "dataset": ["digits"]}
WAY = STUDY.methods["trained"]


def point(**flags):
    (one,) = points(**{name: axis.default for name, axis in STUDY.grid.items()} | SMALL | flags)
    return one


def world(size=1, index=0):
    return draw(on("cpu").stream(11, index), size)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints")


def run(folder, drawn=None, **flags):
    with using(Context(checkpoints=folder)):
        return WAY.measure(on("cpu"), drawn or world(), **point(**flags))


@pytest.fixture(scope="module")
def pair(folder):
    """Pairs of networks with all treatments."""
    return run(folder, treatments=["all"])


@pytest.fixture(scope="module")
def simple(folder):
    """Three simple networks."""
    return run(folder, world(3), networks=["simple"])


def test_every_statistic_has_its_shape(pair, simple):
    assert list(pair) == list(simple) == list(STATISTICS)
    sizes = {"models": 2, "arms": 4, "layers": 5, "pixels": 64, "steps": 2, "looks": pair["looks"].shape[2]}
    assert {name: column.shape for name, column in pair.items()} == STATISTICS.shapes(1, **sizes)
    sizes = {"models": 1, "arms": 1, "layers": 1, "pixels": 64, "steps": 2, "looks": simple["looks"].shape[2]}
    assert {name: column.shape for name, column in simple.items()} == STATISTICS.shapes(3, **sizes)


def test_the_same_seeds_give_the_same_numbers_and_others_others(pair, tmp_path):
    """Trained again, in a folder of its own."""
    again, other = run(tmp_path, treatments=["all"]), run(tmp_path, world(index=1))
    for name in STATISTICS:
        np.testing.assert_array_equal(again[name], pair[name], err_msg=name)
    for name in ("seed", "kappa", "fgsm", "distance", "growth_random", "course"):
        plain = pair[name][:, :1] if STATISTICS[name].shape[:1] == ("arms",) else pair[name]
        assert not np.array_equal(other[name], plain, equal_nan=True), name


def test_a_block_of_draws_is_its_draws(simple, tmp_path):
    seeds, directions = world(3)
    alone = run(tmp_path, (seeds[1:2], directions[1:2]), networks=["simple"])
    for name in STATISTICS:
        np.testing.assert_array_equal(alone[name][0], simple[name][1], err_msg=name)


def test_treatments_leave_the_plain_networks_alone(pair, folder):
    plain = run(folder)
    for name in ("kappa", "first", "fgsm", "fgmt", "clean", "gauge"):
        np.testing.assert_array_equal(plain[name][:, 0], pair[name][:, 0])
    np.testing.assert_array_equal(plain["course"], pair["course"])


def test_the_simple_network_of_a_pair_is_the_one_alone(pair, folder):
    alone = run(folder, networks=["simple"])
    np.testing.assert_array_equal(alone["kappa"][0, 0], pair["kappa"][0, 0, :1])
    np.testing.assert_array_equal(alone["fgsm"][0, 0], pair["fgsm"][0, 0, :1])


def test_both_ends_of_the_course_are_recorded_alone_too(pair):
    looks = pair["looks"][0]
    for layer in range(len(LAYERS)):
        last = int(np.nanargmax(looks[layer]))
        assert looks[layer, 0] == 0
        assert np.isnan(looks[layer, last + 1 :]).all()
        assert np.isnan(pair["course"][0, layer, last + 1 :]).all()
        np.testing.assert_array_equal(pair["course"][0, layer, 0], pair["first"][0, 0, layer])
        np.testing.assert_array_equal(pair["course"][0, layer, last], pair["kappa"][0, 0, layer])
        np.testing.assert_array_equal(pair["course_strict"][0, layer, last], pair["kappa_strict"][0, 0, layer])
    assert [np.nanmax(looks[k]) for k in (0, 1)] == [40, 12]


def test_condition_numbers_fit_their_singular_values(pair):
    np.testing.assert_allclose(pair["kappa"][..., 1], pair["sigma_max"] / pair["sigma_min"], rtol=1e-9)
    assert (pair["kappa"] >= 1 - 1e-12).all()
    assert (pair["kappa"][..., 3] >= pair["kappa"][..., 1]).all()
    assert (pair["gauge"] >= 1).all()


def test_treatments_do_what_they_are_for(pair):
    first, last = pair["first"][0, ..., 1], pair["kappa"][0, ..., 1]
    plain, orthogonal, penalty, clipped = range(len(ARMS))
    np.testing.assert_allclose(first[orthogonal], 1, rtol=1e-5)
    np.testing.assert_array_equal(first[penalty], first[plain])
    assert (last[penalty] < last[plain]).all()
    np.testing.assert_allclose(last[clipped], np.minimum(last[plain], 3), rtol=1e-5)


def test_the_accuracies_are_those_of_all_images(pair):
    assert (pair["test_accuracy"][0, :, 0] > 0.8).all()
    assert (pair["train_accuracy"] > pair["test_accuracy"] - 0.1).all()
    counted = pair["clean"] * 40
    np.testing.assert_allclose(counted, counted.round(), atol=1e-9)
    at = np.flatnonzero(pair["looks"][0, 0] == 40)[0]
    assert pair["accuracy_course"][0, 0, at] == pair["test_accuracy"][0, 0, 0]  # of digits there are fewer than 1000


def test_attacks_go_as_far_as_their_steps_and_the_box_let_them(pair):
    for k, radius in enumerate(RADII):
        np.testing.assert_allclose(pair["moved"][0, :, k, 0], radius, atol=1e-6)
        assert (pair["moved"][0, :, k, 1] <= min(2 * radius, 1) + 1e-6).all()
    assert (pair["fgsm"][..., 0, 0] >= pair["fgsm"][..., -1, -1]).all()


def test_pictures_are_images_moved_by_the_attack(pair):
    test = load("digits", "test")
    np.testing.assert_allclose(pair["digit"][0], test.x[0].ravel() / 255, atol=1e-7)
    for name in ("digit_fgsm", "digit_fgmt"):
        moved = np.abs(pair[name][0] - pair["digit"][0]).max(2)
        assert (moved <= np.minimum(2 * np.array(TABLE_RADII), 1) + 1e-6).all()
    there = ~np.isnan(pair["ones_clean"][0, :, 0])
    assert there.sum() >= 5
    moved = np.abs(pair["ones"][0] - pair["ones_clean"][0])[:, there]
    assert moved.max() == pytest.approx(0.02, abs=1e-6)
    for label in np.flatnonzero(there):
        same = (test.x / 255.0 - pair["ones_clean"][0, label].reshape(8, 8) < 1e-6).all((1, 2))
        assert label in test.labels[same]


def test_the_corrected_bound_holds_in_every_layer(pair):
    corrected, printed = pair["growth_of_bound"][0].T
    assert (corrected <= 1 + 1e-9).all()
    assert (printed >= corrected * (1 - 1e-12)).all()
    assert (pair["row_space"] >= 1 - 1e-9).all()
    assert (np.diff(pair["effective"], axis=2) >= 0).all()


def test_the_other_orientation_exchanges_1_and_inf(pair, folder):
    other = run(folder, treatments=["all"], orientation=["outputs"])
    for name in STATISTICS:
        swapped = pair[name][..., [2, 1, 0, 3]] if name in measured.NORMED else pair[name]
        np.testing.assert_array_equal(other[name], swapped, err_msg=name)
    assert NORMS == ("1", "2", "inf", "fro")


def test_from_zero_the_condition_number_is_0_and_then_numerically_none(tmp_path):
    found = run(tmp_path, networks=["simple"], initial=["0"])
    assert not found["first"].any()
    assert (found["first_strict"] == np.inf).all()
    assert found["course"][0, 0, 1:, 1].min() > 1e5
    assert found["gauge"][0, 0, 0] < 100


@pytest.mark.parametrize("flags", [{"initial": ["glorot"]}, {"optimiser": ["adam"], "rate": [1e-3]}, {"batch": [7]}])
def test_every_setting_is_another_training(simple, tmp_path, flags):
    found = run(tmp_path, networks=["simple"], **flags)
    assert found["seed"][0] == simple["seed"][0]
    assert not np.allclose(found["kappa"][0], simple["kappa"][0])


def test_draws_are_seeds():
    seeds, directions = world(4000)
    for values in (seeds, directions):
        assert values.min() >= 0
        assert values.max() < 2**31
        np.testing.assert_array_equal(values, values.round())
        assert abs(values.mean() / 2**31 - 0.5) < 5 / (12 * 4000) ** 0.5
    assert len({*seeds, *directions}) > 7990


def test_constants_are_those_of_the_paper():
    assert [float(radius) for radius in reported.RADII] == list(TABLE_RADII)
    text = {round(0.005 + 0.05 * k, 3) for k in range(6)}
    assert set(RADII) == {*TABLE_RADII, *text}
    assert list(RADII) == sorted(RADII)
    assert reported.LAYERS == LAYERS == tuple(layer for model in MODELS for layer in OF_MODEL[model])
    assert tuple(f"L{'F' if norm == 'fro' else norm}" for norm in NORMS) == reported.NORMS


def test_points_name_their_images():
    swept = points(**{name: axis.default for name, axis in STUDY.grid.items()} | SMALL | {"rate": [0.5, 0.1]})
    assert [one["rate"] for one in swept] == [0.5, 0.1]
    assert list(swept[0]) == [*STUDY.grid, "data"]
    assert swept[0]["data"] == digest("digits")


@pytest.mark.parametrize(
    ("flag", "text", "line"),
    [
        ("dataset", "cifar10", "--dataset must be among mnist, fashion-mnist, digits, got cifar10"),
        ("networks", "conv", "--networks must be among simple, pair, got conv"),
        ("treatments", "plain", "--treatments must be among none, all, got plain"),
        ("optimiser", "sgd,rmsprop", "--optimiser must be among sgd, adam, got rmsprop"),
        ("rate", "0", "--rate must be positive, got 0"),
        ("initial", "-1", "--initial must be glorot or a number from 0 to 1e\\+06, got -1"),
        ("initial", "nan", "--initial must be glorot or a number from 0 to 1e\\+06, got nan"),
        ("initial", "he", "--initial must be glorot or a number from 0 to 1e\\+06, got he"),
        ("orientation", "rows", "--orientation must be among inputs, outputs, got rows"),
        ("images", "0", "--images must be an integer of at least 1, got 0"),
    ],
)
def test_bad_flags_get_one_line(flag, text, line):
    with pytest.raises(UsageError, match=line):
        STUDY.grid[flag].parse(text)


def test_initial_weights_are_written_in_one_way():
    assert STUDY.grid["initial"].parse("0.0050,5e-3,-0,glorot") == ["0.005", "0.005", "0", "glorot"]


@pytest.mark.parametrize(("flag", "most", "what"), [("images", 360, "test"), ("batch", 1437, "train")])
def test_there_are_only_so_many_images(flag, most, what):
    with pytest.raises(
        UsageError, match=f"--{flag} must be at most {most}, the {what} images of digits, got {most + 1}"
    ):
        point(**{flag: [most + 1]})


def test_a_training_that_diverges_says_so(tmp_path):
    with pytest.raises(UsageError, match="weights must be finite"):
        run(tmp_path, networks=["simple"], rate=[1e38])


@pytest.mark.slow
def test_mnist(data, tmp_path):
    """The simple model is right for some 92 % of the test images, as the paper expects."""
    torch.set_num_threads(1)
    with using(Context(checkpoints=tmp_path, data=data)):
        one = point(dataset=["mnist"], networks=["simple"], iterations=[1000])
        found = WAY.measure(on("cpu"), world(), **one)
    assert found["test_accuracy"][0, 0, 0] == pytest.approx(0.92, abs=0.01)
