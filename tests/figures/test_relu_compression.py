"""The figure of the ReLU study shows the accurate networks of its records and nothing else."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.relu_compression.measure import STATISTICS
from figures.relu_compression import PICTURE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store

POINT = {"n": 12, "layers": 1, "width": 8, "scale": 5.0, "inputs": 4, "epochs": 3}
MANIFEST = {"seed": 0, "points": [POINT]}


def columns(valid):
    rng = np.random.default_rng(0)
    made = {name: rng.uniform(0.1, 0.9, shape) for name, shape in STATISTICS.shapes(len(valid), inputs=4).items()}
    return made | {"valid": np.asarray(valid, float)}


def written(run, point, *shards):
    store = Store(run, lambda _: "code")
    store.save_manifest(seed=0)
    for index, shard in enumerate(shards):
        store.write(Shard("empirical.relu_compression", "trained", tuple(point.items()), 0, index, 4), raw_table(shard))


def test_numbers_are_those_of_accurate_networks_of_all_shards(tmp_path):
    first, second = columns([1, 0, 1]), columns([0, 1])
    written(tmp_path, POINT, first, second)
    found = numbers(tmp_path, MANIFEST, POINT)
    assert found.networks == 5
    expected = np.concatenate([first["distance"][[0, 2]], second["distance"][[1]]])
    np.testing.assert_array_equal(found.columns["distance"], expected)


@pytest.mark.parametrize("other", [{}, {"layers": 3}])
def test_what_is_drawn(tmp_path, other):
    """One attack failed; of deeper networks nothing is printed."""
    point, made = {**POINT, **other}, columns([1, 0, 1])
    made["distance"][0, 1] = np.inf
    written(tmp_path, point, made)
    figure = Figure()
    PICTURE.draw_titled(figure, numbers(tmp_path, MANIFEST, point))
    left, right = figure.axes
    text = [entry.get_text() for entry in left.get_legend().get_texts()]
    assert ("printed means" in text) == (not other)
    assert right.get_title(loc="left") == "(b)  7 inputs"
    (found,) = [line for line in right.lines if line.get_label().startswith("found")]
    kept = np.isfinite(made["distance"]) & (made["valid"] == 1)[:, None]
    np.testing.assert_array_equal(found.get_ydata(), made["distance"][kept])
    assert figure.get_suptitle().startswith("2 of 3 ReLU networks")


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of n=12"):
        numbers(tmp_path, MANIFEST, POINT)
    written(tmp_path, POINT, columns([0, 0]))
    with pytest.raises(FileNotFoundError, match="more --epochs"):
        numbers(tmp_path, MANIFEST, POINT)
