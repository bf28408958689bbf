"""The figure of joint robustness, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from empirical.joint_robustness.study import STUDY
from empirical.joint_robustness.tables import INDEX
from empirical.joint_robustness.trainings import TRAININGS
from figures.joint_robustness import EDGES, PANELS, PICTURE, SIZE, TITLES, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from tests.empirical.joint_robustness.made import RADII_X, columns

UNSEEN = ("seed", "norms", "train_accuracy", "test_accuracy")  # that are recorded, and not drawn

LINES = ("-", ":")
POINT = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}


def title(axes):
    return axes.get_title() or axes.get_title(loc="left")


@pytest.fixture(params=[1, 3])
def drawn(request, tmp_path):
    """The figure of a run with a shard for each seed, and the columns that it is drawn from."""
    made, store = columns(seeds=request.param), Store(tmp_path / "run", lambda _: "0" * 12)
    for seed in range(request.param):
        shard = Shard("empirical.joint_robustness", "trained", tuple(POINT.items()), 0, seed, 1)
        drawn = {name: np.asarray(column[seed : seed + 1]) for name, column in made.items()}
        store.write(shard, raw_table({name: np.ones(1) for name in UNSEEN} | drawn))
    store.save_manifest(points=[POINT], seed=0)
    manifest = json.loads((store.root / "manifest.json").read_text())
    figure = Figure(SIZE, layout="constrained")
    PICTURE.draw_titled(figure, numbers(store.root, manifest, POINT))
    figure.draw_without_rendering()
    return figure, made


def test_every_training_has_a_panel_with_its_area(drawn):
    figure, made = drawn
    assert {training for row in PANELS for training, _ in row} == set(TRAININGS)
    titles = list(map(title, figure.axes))
    for training, name in (panel for row in PANELS for panel in row):
        (found,) = [text for text in titles if text.startswith(f"{name}\n")]
        assert f"AUC {made['auc'][:, INDEX[training]].mean():.3f}" in found
        assert found.endswith("]") == (len(made["auc"]) > 1)
    assert f"{len(made['auc'])} seed" in figure.get_suptitle()


def test_all_surfaces_share_their_levels(drawn):
    figure, _ = drawn
    shades = [axes.collections[0] for axes in figure.axes if "AUC" in title(axes)]
    assert len(shades) == len(TRAININGS)
    assert len({(*one.levels, one.cmap.name) for one in shades}) == 1


def test_edges_have_what_attacks_leave_above_what_is_certified(drawn):
    figure, made = drawn
    (axes,) = [axes for axes in figure.axes if title(axes).startswith("(h)")]
    curves = [one for one in axes.lines if len(one.get_xdata()) == len(RADII_X) and one.get_linestyle() in LINES]
    assert len(curves) == 2 * len(EDGES)
    for training, attacked, certified in zip(EDGES, curves[::2], curves[1::2], strict=True):
        np.testing.assert_allclose(attacked.get_xdata(), RADII_X, atol=0.02 * RADII_X[-1])
        for line, name in ((attacked, "accuracy"), (certified, "certified_crown")):
            np.testing.assert_allclose(line.get_ydata(), made[name][:, INDEX[training], :, 0].mean(axis=0))
        assert (certified.get_ydata() <= attacked.get_ydata()).all()


def test_numbers_are_means_over_seeds_with_students_intervals(tmp_path):
    made, store = columns(seeds=4), Store(tmp_path / "run", lambda _: "0" * 12)
    table = raw_table({name: np.ones(4) for name in UNSEEN} | made)
    store.write(Shard("empirical.joint_robustness", "trained", tuple(POINT.items()), 0, 0, 4), table)
    store.save_manifest(points=[POINT], seed=0)
    found = numbers(store.root, {}, POINT)
    assert found.seeds == 4
    for training, number in INDEX.items():
        accuracy, area = made["accuracy"][:, number], made["auc"][:, number]
        np.testing.assert_allclose(found.surfaces[training], accuracy.mean(axis=0))
        half = stats.t.ppf(0.975, 3) * area.std(ddof=1) / 2
        place = list(TITLES).index(training)
        assert found.areas.value[place] == pytest.approx(area.mean())
        assert found.areas.high[place] == pytest.approx(area.mean() + half)
    for edges, place in ((found.inputs, np.s_[:, 0]), (found.weights, np.s_[0, :])):
        for training, edge in edges.items():
            attacked = np.array([surface[place] for surface in made["accuracy"][:, INDEX[training]]])
            half = stats.t.ppf(0.975, 3) * attacked.std(axis=0, ddof=1) / 2
            np.testing.assert_allclose(edge.attacked.value, attacked.mean(axis=0))
            np.testing.assert_allclose(edge.attacked.low, np.maximum(attacked.mean(axis=0) - half, 0), atol=1e-12)
            certified = [surface[place] for surface in made["certified_crown"][:, INDEX[training]]]
            np.testing.assert_allclose(edge.certified, np.mean(certified, axis=0))


def test_no_records_are_said(tmp_path):
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.save_manifest(points=[POINT], seed=0)
    with pytest.raises(FileNotFoundError, match=r"no records of .*python -m empirical.joint_robustness"):
        numbers(store.root, {}, POINT)
