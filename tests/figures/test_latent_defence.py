"""The figure of classifiers of images and of codes, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy import stats

from empirical.latent_defence.study import STUDY
from figures.latent_defence import NAMES, PICTURE, SIZE, WAYS, numbers, reduced
from figures.shared.classifiers import KINDS
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from tests.empirical.latent_defence.made import NOT_OF, columns
from theory.claims.latent.trained_settings import CLASSIFIERS, CODES, GRADIENTS, IMAGE, SPACES

POINT = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}
MARKS = {mark for _, _, mark in KINDS.values()}


def drawn_from(made):
    figure = Figure(SIZE, layout="constrained")
    PICTURE.draw_titled(figure, reduced(made, POINT))
    return figure


def title(axes):
    return axes.get_title() or axes.get_title(loc="left")


def panel(figure, letter):
    (axes,) = [axes for axes in figure.axes if title(axes).startswith(f"({letter})")]
    return axes


def points(axes, marks):
    """(mark, x, y) of every point."""
    return [
        (line.get_marker(), *np.ravel(line.get_xdata()), *np.ravel(line.get_ydata()))
        for line in axes.lines
        if line.get_marker() in marks and len(np.ravel(line.get_xdata())) == 1
    ]


@pytest.fixture(scope="module", params=[1, 3])
def stored(request, tmp_path_factory):
    """The figure of a run with a shard for each seed, and the columns that it is drawn from."""
    made, store = columns(seeds=request.param), Store(tmp_path_factory.mktemp("run"), lambda _: "0" * 12)
    for seed in range(request.param):
        shard = Shard(STUDY.name, "trained", tuple(POINT.items()), 0, seed, 1)
        store.write(shard, raw_table({name: np.asarray(column[seed : seed + 1]) for name, column in made.items()}))
    store.save_manifest(points=[POINT], seed=0)
    manifest = json.loads((store.root / "manifest.json").read_text())
    figure = Figure(SIZE, layout="constrained")
    PICTURE.draw_titled(figure, numbers(store.root, manifest, POINT))
    figure.draw_without_rendering()
    return figure, made


def test_each_classifier_stands_in_the_row_of_its_space(stored):
    figure, made = stored
    assert f"{len(made['seed'])} seed" in figure.get_suptitle()
    rows = [text.get_text() for text in panel(figure, "b").get_yticklabels()]
    assert rows == [NAMES[space] for space in SPACES]
    for letter, name in (("b", "test_accuracy"), ("c", "robustness"), ("d", "adversarial_accuracy")):
        found = {(mark, round(y)): x for mark, x, y in points(panel(figure, letter), MARKS)}
        assert len(found) == len(SPACES) * len(CLASSIFIERS)
        for number, kind in enumerate(CLASSIFIERS):
            for place, value in enumerate(made[name].mean(axis=0)[:, number]):
                row = place + (name == "adversarial_accuracy")
                assert found[KINDS[kind][2], row] == pytest.approx(value), (letter, kind, row)


def test_examples_of_images_are_shown_to_the_other_classifiers_of_images(stored):
    figure, made = stored
    found = {mark: x for mark, x, y in points(panel(figure, "d"), MARKS) if round(y) == IMAGE}
    for number, kind in enumerate(CLASSIFIERS):
        others = [made["transfer"][:, other, number].mean() for other in range(3) if other != number]
        assert found[KINDS[kind][2]] == pytest.approx(np.mean(others))


def test_intervals_are_over_seeds_and_one_seed_has_none(stored):
    figure, made = stored
    axes = panel(figure, "b")
    spans = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert len(spans) == (len(made["seed"]) > 1) * len(SPACES) * len(CLASSIFIERS)
    for line in spans:
        low, high = line.get_xdata()
        assert low < high


def test_every_way_that_applies_has_a_mark_and_the_best_a_line(stored):
    figure, made = stored
    for number in range(len(CLASSIFIERS)):
        axes = panel(figure, "efg"[number])
        found = {(mark, round(y)): x for mark, x, y in points(axes, {mark for _, mark, _ in WAYS.values()})}
        expected = {
            (WAYS[way][1], row): np.median(made["pixels_by"][:, row, number, GRADIENTS.index(way)])
            for row, space in enumerate(SPACES)
            for way in GRADIENTS
            if way not in NOT_OF[space]
        }
        assert found == pytest.approx(expected)
        best = [line.get_xdata()[0] for line in axes.lines if to_hex(line.get_color()) == "#000000"]
        assert best == pytest.approx(list(np.median(made["pixels"][:, :, number], axis=0)))
        bars = [bar for bar in axes.patches if bar.get_height() < 0.95]  # bands have a height of 1
        ends = [bar.get_x() + bar.get_width() if bar.get_width() else 0.0 for bar in bars]
        assert ends == pytest.approx(list(np.median(made["pixels_lower"][:, :, number], axis=0)))


def test_what_is_lost_already_is_drawn_below_all_that_is_not():
    made = columns()
    row, way = SPACES.index("ae_encoding"), GRADIENTS.index("exact")
    made["pixels_by"][:, row, 1, way] = 0.0
    axes = panel(drawn_from(made), "f")
    found = {round(y): x for _, x, y in points(axes, {WAYS["exact"][1]})}
    assert axes.get_xlim()[0] <= found[row] < made["pixels_by"][made["pixels_by"] > 0].min()


def test_what_was_not_found_is_an_arrow_beyond_all_that_was():
    made = columns()
    row, way = SPACES.index("ae_projection"), GRADIENTS.index("steps")
    made["pixels_by"][:, row, 1, way] = np.inf
    axes = panel(drawn_from(made), "f")
    ((_, x, y),) = points(axes, {">"})
    assert round(y) == row
    assert x > made["pixels_by"][np.isfinite(made["pixels_by"])].max()
    assert x < axes.get_xlim()[1]


def test_a_mean_of_few_successes_is_hollow():
    made = columns()
    made["success"] = np.array(made["success"])
    made["success"][:, 1 + CODES.index("vae_encoding"), 2] = 0.5
    axes = panel(drawn_from(made), "c")
    hollow = [line for line in axes.lines if line.get_marker() in MARKS and line.get_markerfacecolor() == "white"]
    assert [round(line.get_ydata()[0]) for line in hollow] == [SPACES.index("vae_encoding")]
    assert hollow[0].get_marker() == KINDS["lrl"][2]


def test_numbers_are_means_with_students_intervals_and_medians_with_ranges():
    made = columns(seeds=4)
    found = reduced(made, POINT)
    assert found.seeds == 4
    for name, means in (("test_accuracy", found.accuracy), ("robustness", found.robustness)):
        half = stats.t.ppf(0.975, 3) * made[name].std(axis=0, ddof=1) / 2
        np.testing.assert_allclose(means.value, made[name].mean(axis=0))
        np.testing.assert_allclose(means.low, made[name].mean(axis=0) - half)
    np.testing.assert_allclose(found.reached, 0.99)
    np.testing.assert_allclose(found.coded, made["coded_accuracy"].mean(axis=0))
    ordered = np.sort(made["pixels_by"], axis=0)
    np.testing.assert_allclose(found.ways.low, ordered[0])
    np.testing.assert_allclose(found.ways.middle, (ordered[1] + ordered[2]) / 2)
    np.testing.assert_allclose(found.ways.high, ordered[3])
    np.testing.assert_allclose(found.best, np.sort(made["pixels"], axis=0)[1:3].mean(axis=0))
    np.testing.assert_allclose(found.certified, np.sort(made["pixels_lower"], axis=0)[1:3].mean(axis=0))


def test_one_image_stands_beside_what_flips_a_classifier_of_each_space():
    """The last is the classifier of images; of one space nothing was found."""
    made = columns(seeds=2)
    for name, nothing in (("picture_attacked", np.nan), ("picture_length", np.inf), ("picture_as", np.nan)):
        made[name] = np.array(made[name])
        made[name][0, SPACES.index("vae_encoding")] = nothing
    found = reduced(made, POINT).attacked
    clean, *moved = found.pictures.values
    np.testing.assert_allclose(clean, made["picture"][0], atol=1 / 124 + 1e-9)
    most = found.changes.high
    for place, (picture, change) in enumerate(zip(moved, found.changes.values, strict=True)):
        delta = made["picture_attacked"][0, place] - made["picture"][0]
        np.testing.assert_allclose(picture, made["picture_attacked"][0, place], atol=1 / 124 + 1e-9)
        np.testing.assert_allclose(change, delta, atol=most / 62 + 1e-9)
    np.testing.assert_array_equal(found.lengths, made["picture_length"][0])
    figure = drawn_from(made)
    above = figure.axes[: 1 + len(SPACES)]
    assert [title(axes) for axes in above] == [
        "clean\nclass 7",
        "AE encoding\ntaken for 2",
        "AE projection\ntaken for 3",
        "VAE encoding\nnone found",
        "VAE projection\ntaken for 9",
        "image\nwrong already: 1",
    ]
    np.testing.assert_array_equal(above[-1].get_images()[0].get_array().ravel(), found.pictures.values[1])
    assert not above[3].get_images()


def test_no_records_are_said(tmp_path):
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.save_manifest(points=[POINT], seed=0)
    with pytest.raises(FileNotFoundError, match=r"no records of .*python -m empirical.latent_defence"):
        numbers(store.root, {}, POINT)
