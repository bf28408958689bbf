"""The figure of trained linear networks, from records that are made up."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.linear_compression.study import LOOKS, STATISTICS
from figures.linear_compression import PICTURE, numbers, size
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


def texts(figure):
    return [
        entry.get_text() for axes in figure.axes for entry in (axes.get_legend() or SimpleNamespace(texts=[])).texts
    ]


def test_a_row_for_each_scale(tmp_path):
    points = [point(n, scale) for n in (8, 12, 16) for scale in (1.0, 5.0)]
    found = numbers(*written(tmp_path, points), None)
    assert (found.scales, found.n, found.lacking) == ([5.0, 1.0], 12, [])
    figure = Figure(size(found))
    PICTURE.draw_titled(figure, found)
    assert len(figure.axes) == 6
    assert {"as printed", "printed", "Theorem 6"} <= set(texts(figure))
    assert "20 a point" in figure.get_suptitle()
    assert "seed 3" in figure.get_suptitle()
    course = figure.axes[2].containers[0].lines[0]
    assert len(course.get_xdata()) == len(LOOKS) - 1  # none is valid at the first look
    values = found.of(5.0)[1][1]
    assert figure.axes[0].containers[0].lines[0].get_ydata()[1] == pytest.approx(
        values["fraction"][values["valid"] == 1].mean()
    )


def test_other_dimensions_have_nothing_printed(tmp_path):
    found = numbers(*written(tmp_path, [point(7, 5.0), point(9, 5.0)]), point(7, 5.0))
    assert found.n == 7
    figure = Figure(size(found))
    PICTURE.draw_titled(figure, found)
    assert len(figure.axes) == 3
    assert not {"as printed", "printed"} & set(texts(figure))


def test_settings_are_not_mixed(tmp_path):
    root, manifest = written(tmp_path, [point(12, 5.0), point(12, 5.0, rate=0.1)])
    assert len(numbers(root, manifest, None).records) == 1
    assert numbers(root, manifest, point(12, 5.0, rate=0.1)).records[0][0]["rate"] == 0.1


def test_what_is_lacking_is_said(tmp_path):
    root, manifest = written(tmp_path, [point(12, 5.0)])
    manifest["points"].append(point(13, 5.0))
    (line,) = numbers(root, manifest, None).lacking
    assert "n=13" in line
    manifest["points"] = manifest["points"][1:]
    with pytest.raises(FileNotFoundError, match=r"empirical\.linear_compression"):
        numbers(root, manifest, None)
