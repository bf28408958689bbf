"""The figure of shrunk singular values, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from scipy import stats

from empirical.svd_defence.study import STUDY
from figures.svd_defence import CURVES, KINDS, OF_TREATMENTS, PANELS, PICTURE, SIZE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from tests.empirical.svd_defence.made import columns
from theory.claims.latent.trained_settings import CLASSIFIERS, SHARES, TENTH, TREATMENTS, TWO

POINT = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}


def title(axes):
    return axes.get_title() or axes.get_title(loc="left")


def panel(figure, letter):
    (axes,) = [axes for axes in figure.axes if title(axes).startswith(f"({letter})")]
    return axes


def curve(axes, color, line="-"):
    (found,) = [
        one
        for one in axes.lines
        if one.get_color() == color and one.get_linestyle() == line and len(one.get_xdata()) == len(SHARES)
    ]
    np.testing.assert_array_equal(found.get_xdata(), SHARES)
    return np.asarray(found.get_ydata())


@pytest.fixture(scope="module", params=[1, 3])
def drawn(request, tmp_path_factory):
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


def test_a_panel_for_each_treatment_has_the_three_curves_of_2l_and_new_attacks(drawn):
    figure, made = drawn
    assert f"{len(made['seed'])} seed" in figure.get_suptitle()
    assert tuple(PANELS) == TREATMENTS
    for number, treatment in enumerate(TREATMENTS):
        axes = panel(figure, "abcde"[number])
        assert PANELS[treatment] in title(axes)
        for name, (color, line, *_) in CURVES.items():
            of_two = 1 - made["anew_success"][:, TWO] if name == "resisted" else made[name][:, TWO]
            np.testing.assert_allclose(curve(axes, color, line), of_two[:, number].mean(axis=0), err_msg=name)
        assert bool(axes.collections[0].get_paths()) == (len(made["seed"]) > 1)


def test_numbers_are_means_over_seeds_with_students_intervals(tmp_path):
    made, store = columns(seeds=4), Store(tmp_path / "run", lambda _: "0" * 12)
    store.write(Shard(STUDY.name, "trained", tuple(POINT.items()), 0, 0, 4), raw_table(made))
    store.save_manifest(points=[POINT], seed=0)
    found = numbers(store.root, {}, POINT)
    assert found.seeds == 4
    expected = {
        "test_accuracy": (found.curves["test_accuracy"], made["test_accuracy"][:, TWO]),
        "resisted": (found.curves["resisted"], 1 - made["anew_success"][:, TWO]),
        "pixels": (found.pixels, made["pixels"][:, TWO]),
        "kept": (found.kept, 1 - made["changed"][:, :, TENTH]),
        "certified": (found.certified, made["certified"][:, :, TENTH]),
        "perturbation": (found.perturbation, made["energy"]),
        "gradient": (found.gradient, made["gradient_energy"]),
    }
    for name, (means, values) in expected.items():
        np.testing.assert_allclose(means.value, values.mean(axis=0), atol=1e-12, err_msg=name)
        half = stats.t.ppf(0.975, 3) * values.std(axis=0, ddof=1) / 4**0.5
        low = np.maximum(values.mean(axis=0) - half, np.minimum(values.mean(axis=0), 0))
        np.testing.assert_allclose(means.low, low, atol=1e-12, err_msg=name)


def test_smallest_perturbations_of_2l_are_those_of_its_treatments(drawn):
    figure, made = drawn
    for number, treatment in enumerate(TREATMENTS):
        found = curve(panel(figure, "f"), *OF_TREATMENTS[treatment][:2])
        np.testing.assert_allclose(found, made["pixels"][:, TWO, number].mean(axis=0))


def test_certified_decisions_stand_beside_those_that_are_kept(drawn):
    figure, made = drawn
    axes = panel(figure, "g")
    for number, kind in enumerate(CLASSIFIERS[-1:], start=2):  # the made classifiers are alike: the last one is on top
        kept, certified = (curve(axes, KINDS[kind][1], line) for line in ("-", ":"))
        np.testing.assert_allclose(kept, 1 - made["changed"][:, number, TENTH].mean(axis=0))
        np.testing.assert_allclose(certified, made["certified"][:, number, TENTH].mean(axis=0))
        assert (certified <= kept).all()


def test_energy_stands_beside_that_of_a_random_direction(drawn):
    figure, made = drawn
    axes = panel(figure, "h")
    for number, kind in enumerate(CLASSIFIERS):
        for name, line in (("energy", "-"), ("gradient_energy", ":")):
            np.testing.assert_allclose(curve(axes, KINDS[kind][1], line), made[name][:, number].mean(axis=0))
    (chance,) = [line for line in axes.lines if len(line.get_xdata()) == 2]
    np.testing.assert_array_equal(chance.get_xydata(), [[0, 0], [100, 1]])


def test_every_colour_is_explained(drawn):
    figure, _ = drawn
    legends = [one for axes in figure.axes for one in axes.get_children() if isinstance(one, Legend)]
    said = {text.get_text() for legend in legends for text in legend.get_texts()}
    assert {words for *_, words in CURVES.values()} <= said
    assert {words for words, *_ in KINDS.values()} | set(PANELS.values()) <= said


def test_no_records_are_said(tmp_path):
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.save_manifest(points=[POINT], seed=0)
    with pytest.raises(FileNotFoundError, match=r"no records of .*python -m empirical.svd_defence"):
        numbers(store.root, {}, POINT)
