"""The figure of the conditioning study shows what its records hold, whatever models they are of."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from empirical.conditioning.measure import MODELS, RADII, STATISTICS, TABLE_RADII
from figures.empirical_conditioning import PICTURE, numbers, size
from figures.shared.style import SETTINGS
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from theory.conditioning.gaussian_condition import tall_condition
from theory.reported import attacked_accuracy

POINT = {
    "dataset": "mnist",
    "networks": "pair",
    "treatments": "none",
    "optimiser": "sgd",
    "rate": 0.5,
    "batch": 100,
    "iterations": 10,
    "initial": "0.005",
    "epochs": 5,
    "orientation": "inputs",
    "images": 100,
    "steps": 3,
    "data": "0" * 12,
}
STUDY = "empirical.conditioning"


def drawn(tmp_path, seeds=3, change=None, **other):
    """The figure of records that are made up, and these."""
    point = {**POINT, **other}
    models = 2 if point["networks"] == "pair" else 1
    layers = 5 if models == 2 else 1
    rng = np.random.default_rng(0)
    shapes = STATISTICS.shapes(seeds, models=models, arms=1, layers=layers, steps=point["steps"], looks=4, pixels=9)
    columns = {name: rng.uniform(0.1, 0.9, shape) for name, shape in shapes.items()}
    for name in ("course", "course_strict"):
        columns[name] = 1 + 10 * columns[name]
    columns["looks"][:] = [0, 1, 2, 10]
    if change:
        change(columns)
    store = Store(tmp_path / "run", lambda _: "code")
    store.save_manifest(seed=0)
    store.write(Shard(STUDY, "trained", tuple(point.items()), 0, 0, seeds), raw_table(columns))
    found = numbers(tmp_path / "run", {"seed": 0}, point)
    with mpl.rc_context(SETTINGS):
        figure = Figure(size(found), layout="constrained")
        PICTURE.draw_titled(figure, found)
    return figure, columns


def panels(figure):
    """Axes by their titles."""
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


def test_pictures_are_those_of_the_first_network(tmp_path):
    figure, columns = drawn(tmp_path)
    with mpl.rc_context(SETTINGS):
        figure.draw_without_rendering()
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 2 * 2 * (1 + len(TABLE_RADII)) + 3 * 10
    expected = {
        0: columns["digit"][0],
        8: columns["digit_fgsm"][0, 0, 7],
        2 * 9 + 1: columns["digit_fgmt"][0, 0, 0],
        36: columns["ones_clean"][0, 0],
        56: columns["ones"][0, 1, 0],
    }
    for number, picture in expected.items():
        np.testing.assert_allclose(images[number].ravel(), picture, atol=1 / 124 + 1e-9)


def test_numbers_are_those_of_the_networks(tmp_path):
    _, columns = drawn(tmp_path)
    found = numbers(tmp_path / "run", {"seed": 0}, POINT)
    assert (found.networks, list(found.models)) == (3, [0, 1])
    for attack in ("fgsm", "fgmt"):
        for name, step in (("first", 0), ("last", -1)):
            values = columns[attack][:, 0, :, :, step]
            half = stats.t.ppf(0.975, 2) * values.std(axis=0, ddof=1) / 3**0.5
            np.testing.assert_allclose(found.accuracies[attack][name].value, values.mean(axis=0))
            low = np.maximum(values.mean(axis=0) - half, 0)
            np.testing.assert_allclose(found.accuracies[attack][name].low, low)
    for layer, course in enumerate(found.courses):
        np.testing.assert_array_equal(course.steps, [0, 1, 2, 10])
        np.testing.assert_allclose(course.medians, np.median(columns["course"][:, layer], axis=0).T)
        np.testing.assert_allclose(course.low, columns["course"][:, layer, :, 1].min(axis=0))
        np.testing.assert_allclose(course.high, columns["course"][:, layer, :, 1].max(axis=0))
        assert not len(course.singular)
        assert not len(course.zero)


def test_a_class_without_an_image_stays_empty(tmp_path):
    def change(columns):
        columns["ones_clean"][:, 4] = columns["ones"][:, :, 4] = np.nan
        columns["ones_as"][:] = 7
        columns["ones_as"][:, 0, 2] = np.nan

    figure, _ = drawn(tmp_path, change=change)
    assert sum(bool(axes.images) for axes in figure.axes) == 4 * 9 + 3 * 9
    below = [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel() in ("7", "-")]
    assert below.count("-") == 1
    assert below.count("7") == 19


def test_courses_are_medians_beside_the_gaussian_law(tmp_path):
    def change(columns):
        columns["looks"][:, 2, 3] = np.nan
        columns["course"][:, 2, 3] = columns["course_strict"][:, 2, 3] = np.nan
        columns["course"][:, 0, 1] = 0
        columns["course_strict"][1, 0, 1] = np.inf

    figure, columns = drawn(tmp_path, change=change)
    conv1, simple = (panels(figure)[name] for name in ("conv1", "simple"))
    two = next(line for line in conv1.lines if line.get_label() == r"$\kappa_{2}$")
    np.testing.assert_array_equal(two.get_xdata(), [0, 1, 2])
    np.testing.assert_allclose(two.get_ydata(), np.median(columns["course"][:, 2, :3, 1], axis=0))
    law = next(line for line in conv1.lines if line.get_label().startswith("Gaussian"))
    mean, sd = tall_condition(288, 64)
    np.testing.assert_allclose(np.log(law.get_ydata()), np.log(mean) + 1.96 * sd * np.array([-1, 1]))
    marks = [line for line in simple.lines if line.get_marker() == "^" and len(line.get_xdata())]
    np.testing.assert_array_equal(marks[0].get_xdata(), [1])
    assert simple.get_yscale() == conv1.get_yscale() == "log"


@pytest.mark.parametrize(("dataset", "printed"), [("mnist", 2), ("digits", 0)])
def test_accuracies_are_means_beside_what_is_printed(tmp_path, dataset, printed):
    figure, columns = drawn(tmp_path, dataset=dataset)
    fgsm, fgmt = (panels(figure)[name] for name in ("(d)  FGSM", "(e)  FGMT"))
    line = next(bars for bars in fgmt.containers if bars.get_label() == "the CNN, 3 steps").lines[0]
    np.testing.assert_allclose(np.asarray(line.get_xdata(), dtype=float), RADII)
    np.testing.assert_allclose(line.get_ydata(), columns["fgmt"][:, 0, 1, :, -1].mean(axis=0))
    marks = [
        line for line in fgsm.lines if line.get_label().startswith("printed") and line.get_markerfacecolor() == "none"
    ]
    assert len(marks) == printed
    for mark, model in zip(marks, MODELS, strict=False):
        expected = [attacked_accuracy(1, model, str(radius)).value for radius in TABLE_RADII]
        np.testing.assert_allclose(mark.get_ydata(), expected)


@pytest.mark.parametrize("other", [{"steps": 1}, {"initial": "0"}, {"initial": "glorot", "dataset": "digits"}])
def test_a_simple_model_alone_is_drawn(tmp_path, other):
    figure, _ = drawn(tmp_path, seeds=1, networks="simple", **other)
    assert not {"conv0", "logits"} & set(panels(figure))
    law = [line for line in panels(figure)["simple"].lines if line.get_label().startswith("Gaussian")]
    assert bool(law) == (other.get("initial") != "0")


def test_what_is_lacking_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no records of dataset=mnist .*python -m empirical.conditioning"):
        numbers(tmp_path, {"seed": 0}, POINT)
