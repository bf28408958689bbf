"""The figure of ConvNorm by width, from records that are made up."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

from empirical.convnorm_width.columns import WORDS
from empirical.convnorm_width.study import STUDY
from empirical.convnorm_width.trainings import NORMALISATIONS
from figures.convnorm_width import OF_KIND, OF_NORM, OF_NORMALISATION, PICTURE, numbers, size
from figures.shared.style import DECOY, SETTINGS
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from tests.empirical.convnorm_width.made import COLLAPSED, COLLAPSES, EPOCHS, LAYERS, RESNET_LAYERS, columns
from theory.reported import WIDTHS, robust_accuracy

POINT = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}


def title(axes):
    return axes.get_title() or axes.get_title(loc="left")


def drawn(tmp_path, widths, seeds=2, normalisations=NORMALISATIONS, trained=True, **other):
    """The figure of a run with a shard for each seed, and the columns that it is drawn from."""
    point = POINT | {"widths": "+".join(map(str, widths)), "normalisations": "+".join(normalisations)} | other
    made = columns(seeds, widths, normalisations, trained=trained)
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    for seed in range(seeds):
        shard = Shard(STUDY.name, "trained", tuple(point.items()), 0, seed, 1)
        store.write(shard, raw_table({name: np.asarray(column[seed : seed + 1]) for name, column in made.items()}))
    store.save_manifest(points=[point], seed=0)
    found = numbers(store.root, json.loads((store.root / "manifest.json").read_text()), point)
    with mpl.rc_context(SETTINGS):
        figure = Figure(size(found), layout="constrained")
        PICTURE.draw_titled(figure, found)
        figure.draw_without_rendering()
    return figure, made


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Both of the default widths, with all normalisations."""
    return drawn(tmp_path_factory.mktemp("two"), (1, 2))


def panels(figure):
    """Axes by the letter of their panel: the first two name themselves, others follow row by row."""
    table, row = len(NORMALISATIONS), [axes for axes in figure.axes if title(axes) or axes.lines]
    found = {"a": row[:1], "b": row[1:2], "c": row[2 : 2 + table]}
    rest = row[2 + table :]
    return found | {"d": rest[: 2 * table], "e": rest[2 * table :]}


def lines(axes, color, mark=None):
    """Lines of a colour, and of a mark, in order."""
    return [
        line
        for line in axes.lines
        if to_hex(line.get_color()) == to_hex(color)
        and line.get_marker() == mark
        and (mark == "None" or line.get_markerfacecolor() != "none")
    ]


def open_marks(axes, mark):
    """Lines of printed numbers with that mark."""
    return [line for line in axes.lines if line.get_marker() == mark and line.get_markerfacecolor() == "none"]


def test_natural_accuracy_is_the_mean_over_seeds_at_each_width(two):
    figure, made = two
    (axes,) = panels(figure)["a"]
    assert title(axes).startswith("(a)")
    for place, (color, mark) in enumerate(OF_NORMALISATION.values()):
        (line,) = lines(axes, color, mark)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2])
        np.testing.assert_allclose(line.get_ydata(), made["clean"][:, :, place].mean(axis=0))
    assert len(axes.collections) == len(NORMALISATIONS)  # intervals


def test_curves_are_those_of_the_widest_networks(two):
    figure, made = two
    (axes,) = panels(figure)["b"]
    assert title(axes).endswith("k = 2")
    for place, (color, mark) in enumerate(OF_NORMALISATION.values()):
        for line, attack in zip(lines(axes, color, mark), ("pgd", "fgsm"), strict=True):
            np.testing.assert_allclose(line.get_xdata(), 255 * made["radii"][0])
            np.testing.assert_allclose(line.get_ydata(), made[f"curve_{attack}"][:, 1, place].mean(axis=0))


def test_the_table_stands_beside_what_was_measured_also_where_nothing_was(two):
    figure, made = two
    for place, (axes, name) in enumerate(zip(panels(figure)["c"], NORMALISATIONS, strict=True)):
        assert title(axes) == WORDS[name]
        for attack in ("pgd", "fgsm"):
            color, mark, _ = OF_KIND[attack]
            (found,) = lines(axes, color, mark)
            np.testing.assert_allclose(found.get_ydata(), made[attack][:, :, place].mean(axis=0))
            (printed,) = open_marks(axes, mark)
            expected = [robust_accuracy(attack.upper(), k, name.replace("_", "+")).value / 100 for k in WIDTHS]
            np.testing.assert_array_equal(printed.get_xdata(), WIDTHS)
            np.testing.assert_allclose(printed.get_ydata(), expected)


def test_courses_are_medians_over_seeds_and_overfitted_epochs_are_marked(two):
    figure, made = two
    courses = np.reshape(panels(figure)["d"], (2, len(NORMALISATIONS)))
    assert [axes.get_ylabel() for axes in courses[:, 0]] == ["k = 1", "k = 2"]
    for i, width in enumerate((1, 2)):
        for j, name in enumerate(NORMALISATIONS):
            axes = courses[i, j]
            for kind, (color, _, _) in OF_KIND.items():
                (found,) = lines(axes, color, "None")
                np.testing.assert_allclose(found.get_ydata(), np.median(made[f"course_{kind}"][:, i, j], axis=0))
            (marked,) = lines(axes, DECOY, "v")
            late = list(range(COLLAPSES + 1, EPOCHS + 1)) if (name, width) in COLLAPSED else []
            assert list(marked.get_xdata()) == late


def test_numbers_are_means_over_seeds_with_students_intervals(tmp_path):
    made = columns(4, (1, 2))
    point = POINT | {"widths": "1+2", "normalisations": "+".join(NORMALISATIONS)}
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.write(Shard(STUDY.name, "trained", tuple(point.items()), 0, 0, 4), raw_table(made))
    store.save_manifest(points=[point], seed=0)
    found = numbers(store.root, {}, point)
    assert (found.seeds, found.normalisations) == (4, NORMALISATIONS)
    np.testing.assert_array_equal(found.widths, [1, 2])
    np.testing.assert_array_equal(found.epochs, 1 + np.arange(EPOCHS))
    expected = {kind: (found.accuracies[kind], made[kind]) for kind in ("clean", "fgsm", "pgd")}
    for kind, course in found.courses.items():
        values = np.sort(made[f"course_{kind}"], axis=0)
        np.testing.assert_allclose(course.middle, (values[1] + values[2]) / 2)
        np.testing.assert_array_equal([course.low, course.high], values[[0, 3]])
    expected |= {f"curve {kind}": (found.curves[kind], made[f"curve_{kind}"][:, 1]) for kind in ("fgsm", "pgd")}
    wide = found.norms[-1].norms
    expected["after"] = (wide["after"], made["norm_layer"][:, 1, 2])
    expected["bound"] = (wide["bound"], made["bound"][:, 1, 2])
    for name, (means, values) in expected.items():
        half = stats.t.ppf(0.975, 3) * values.std(axis=0, ddof=1) / 2
        np.testing.assert_allclose(means.value, values.mean(axis=0), err_msg=name)
        low = np.maximum(values.mean(axis=0) - half, 0)
        np.testing.assert_allclose(means.low, low, atol=1e-9, err_msg=name)
    for place in np.ndindex(2, len(NORMALISATIONS)):
        name, width = NORMALISATIONS[place[1]], place[0] + 1
        late = [4 * ((name, width) in COLLAPSED) * (epoch >= COLLAPSES) for epoch in range(EPOCHS)]
        np.testing.assert_array_equal(found.overfitted[place], late)


def test_norms_are_drawn_before_and_after_normalising(two):
    figure, made = two
    untrained, trained, wide = panels(figure)["e"]
    assert [title(axes) for axes in (untrained, trained, wide)] == [
        "ResNet18, untrained",
        "ResNet18, trained",
        "WideResNet-16-2, trained",
    ]
    for axes, ending in ((untrained, ""), (trained, "_trained")):
        for key in ("before", "after"):
            (line,) = lines(axes, *OF_NORM[key][:2])
            np.testing.assert_array_equal(line.get_xdata(), 1 + np.arange(RESNET_LAYERS))
            np.testing.assert_allclose(line.get_ydata(), made[f"resnet_{key}{ending}"].mean(axis=0))
    place = {
        "before": ("norm_weights", 2),
        "after": ("norm_layer", 2),
        "bound": ("bound", 2),
        "vanilla": ("norm_layer", 0),
    }
    for key, (name, normalisation) in place.items():
        (line,) = lines(wide, *OF_NORM[key][:2])
        assert len(line.get_xdata()) == LAYERS
        np.testing.assert_allclose(line.get_ydata(), made[name][:, 1, normalisation].mean(axis=0))
    (bound,) = lines(wide, *OF_NORM["bound"][:2])
    assert bound.get_linestyle() == "None"


def test_layers_that_a_narrow_network_lacks_are_left_out(tmp_path):
    figure, _ = drawn(tmp_path, (1,), normalisations=("convnorm",))
    (axes,) = [axes for axes in figure.axes if title(axes).startswith("WideResNet")]
    for key in ("before", "after", "bound"):
        (line,) = lines(axes, *OF_NORM[key][:2])
        assert len(line.get_xdata()) == LAYERS - 1
    assert not lines(axes, *OF_NORM["vanilla"][:2])


def test_one_network_of_one_seed_is_drawn_without_intervals_and_without_what_was_not_trained(tmp_path):
    figure, _ = drawn(tmp_path, (1,), seeds=1, normalisations=("vanilla",), trained=False)
    titles = [title(axes) for axes in figure.axes]
    assert "ResNet18, untrained" in titles
    assert not any(words.startswith(("WideResNet", "ResNet18, trained")) for words in titles)
    assert "1 seed:" in figure.get_suptitle()
    assert not figure.axes[0].collections


def test_other_images_are_not_set_beside_the_table(tmp_path):
    figure, _ = drawn(tmp_path, (1,), normalisations=("bn",), dataset="digits")
    assert not [line for axes in figure.axes for mark in "os^" for line in open_marks(axes, mark)]


def test_no_records_are_said(tmp_path):
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.save_manifest(points=[POINT], seed=0)
    with pytest.raises(FileNotFoundError, match=r"no records of .*python -m empirical.convnorm_width"):
        numbers(store.root, {}, POINT)
