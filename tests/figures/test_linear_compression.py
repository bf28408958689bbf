"""The figure of trained linear networks, from records that are made up."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from empirical.linear_compression.study import LOOKS, STATISTICS
from figures.linear_compression import PICTURE, numbers
from figures.shared.records import measured
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store


def point(n, scale, rate=0.001):
    return {"n": n, "scale": scale, "hidden": 3000, "optimiser": "adam", "rate": rate, "epochs": 1024}


def written(tmp_path, points, count=20):
    """A run with `count` networks at each point, half of them valid at the end and none at first."""
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    rng = np.random.default_rng(0)
    for where in points:
        values = {name: rng.random(shape) for name, shape in STATISTICS.shapes(count).items()}
        values["valid"] = np.arange(count) % 2.0
        values["valid_path"] = np.outer(values["valid"], np.arange(len(LOOKS)) > 0).astype(float)
        shard = Shard("empirical.linear_compression", "trained", tuple(where.items()), 3, 0, count)
        store.write(shard, raw_table(values))
    store.save_manifest(points=points, seed=3)
    return store.root, json.loads((store.root / "manifest.json").read_text())


def drawn(found):
    figure = Figure(PICTURE.inches(found), layout="constrained")
    PICTURE.draw_titled(figure, found)
    figure.draw_without_rendering()
    return figure


def texts(figure):
    return [
        entry.get_text() for axes in figure.axes for entry in (axes.get_legend() or SimpleNamespace(texts=[])).texts
    ]


def columns(root, where):
    return measured(root, "empirical.linear_compression", where)


def test_a_row_for_each_scale(tmp_path):
    points = [point(n, scale) for n in (8, 12, 16) for scale in (1.0, 5.0)]
    root, manifest = written(tmp_path, points)
    found = numbers(root, manifest, None)
    assert ([row.scale for row in found.rows], found.n, found.lacking) == ([5.0, 1.0], 12, ())
    figure = drawn(found)
    assert len(figure.axes) == 6 + 3  # panels and legends
    assert {"printed", "printed, its share not known", "equal, as in Theorem 6"} <= set(texts(figure))
    assert "20 a point" in figure.get_suptitle()
    assert "seed 3" in figure.get_suptitle()


def test_means_are_over_valid_networks_with_intervals_over_them(tmp_path):
    points = [point(n, scale) for n in (8, 12, 16) for scale in (1.0, 5.0)]
    root, manifest = written(tmp_path, points)
    row = numbers(root, manifest, None).rows[0]
    np.testing.assert_array_equal(row.dimensions, [8, 12, 16])
    np.testing.assert_array_equal(row.networks, [20, 20, 20])
    np.testing.assert_array_equal(row.valid, [10, 10, 10])
    for name, means in (("fraction", row.fraction), ("cos_1", row.cosine)):
        for place, n in enumerate((8, 12, 16)):
            kept = columns(root, point(n, 5.0))[name][1::2]
            half = stats.t.ppf(0.975, 9) * kept.std(ddof=1) / 10**0.5
            assert means.value[place] == pytest.approx(kept.mean())
            assert means.low[place] == pytest.approx(kept.mean() - half)
            assert means.high[place] == pytest.approx(kept.mean() + half)


def test_single_networks_and_their_course_are_those_of_the_papers_dimension(tmp_path):
    root, manifest = written(tmp_path, [point(n, 5.0) for n in (8, 12)])
    (row,), held = numbers(root, manifest, None).rows, columns(root, point(12, 5.0))
    np.testing.assert_array_equal(row.single.fraction, held["fraction"])
    np.testing.assert_array_equal(row.single.cosine, held["cos_1"])
    np.testing.assert_array_equal(row.single.valid, held["valid"])
    assert row.single.count == 20
    assert len(row.course.share) == len(LOOKS) - 1  # none is valid at the first look
    np.testing.assert_allclose(row.course.share, 0.5)
    np.testing.assert_allclose(row.course.fraction.value, held["fraction"][1::2].mean())


def test_of_many_networks_a_few_are_drawn_and_the_caption_says_so(tmp_path):
    root, manifest = written(tmp_path, [point(12, 5.0)], count=1001)
    found = numbers(root, manifest, None)
    (row,) = found.rows
    assert (len(row.single.fraction), row.single.count) == (400, 1001)
    held = columns(root, point(12, 5.0))["fraction"]
    np.testing.assert_array_equal(row.single.fraction[[0, -1]], held[[0, -1]])
    assert "400 of 1,001 networks" in PICTURE.caption(found)
    np.testing.assert_array_equal(row.valid, [500])


def test_other_dimensions_have_nothing_printed(tmp_path):
    found = numbers(*written(tmp_path, [point(7, 5.0), point(9, 5.0)]), point(7, 5.0))
    assert found.n == 7
    figure = drawn(found)
    assert len(figure.axes) == 3 + 3
    assert not {"printed", "printed, its share not known"} & set(texts(figure))


def test_settings_are_not_mixed(tmp_path):
    root, manifest = written(tmp_path, [point(12, 5.0), point(12, 5.0, rate=0.1)])
    assert numbers(root, manifest, None).settings["rate"] == 0.001
    assert numbers(root, manifest, point(12, 5.0, rate=0.1)).settings["rate"] == 0.1


def test_what_is_lacking_is_said(tmp_path):
    root, manifest = written(tmp_path, [point(12, 5.0)])
    manifest["points"].append(point(13, 5.0))
    (line,) = numbers(root, manifest, None).lacking
    assert "n=13" in line
    manifest["points"] = manifest["points"][1:]
    with pytest.raises(FileNotFoundError, match=r"empirical\.linear_compression"):
        numbers(root, manifest, None)
