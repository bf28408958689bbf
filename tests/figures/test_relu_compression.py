"""The figure of the ReLU study shows the accurate networks of its records and nothing else."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from empirical.relu_compression.measure import STATISTICS
from figures.relu_compression import PICTURE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from theory.gradients.gradient_plane import mean_compression

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
    assert (found.networks, found.accurate, found.seed) == (5, 3, 0)
    kept = {name: np.concatenate([first[name][[0, 2]], second[name][[1]]]) for name in first}
    for name, means in found.series.items():
        half = stats.t.ppf(0.975, 2) * kept[name].std(axis=0, ddof=1) / 3**0.5
        np.testing.assert_allclose(means.value, kept[name].mean(axis=0))
        np.testing.assert_allclose(means.low, np.maximum(kept[name].mean(axis=0) - half, 0))
    np.testing.assert_array_equal(found.inputs.found, kept["distance"].ravel())
    np.testing.assert_array_equal(found.inputs.lower, kept["lower"].ravel())
    np.testing.assert_array_equal(found.inputs.optimum, kept["optimum"].ravel())
    expected = [
        c * column for row, column in zip(kept["perturbation_cosine"], kept["column"], strict=True) for c in row
    ]
    np.testing.assert_allclose(found.inputs.predicted, expected)


@pytest.mark.parametrize("other", [{}, {"layers": 3}])
def test_what_is_drawn(tmp_path, other):
    """One attack failed; of deeper networks nothing is printed."""
    point, made = {**POINT, **other}, columns([1, 0, 1])
    made["distance"][0, 1] = np.inf
    written(tmp_path, point, made)
    figure, found = Figure(layout="constrained"), numbers(tmp_path, MANIFEST, point)
    PICTURE.draw_titled(figure, found)
    left, right, *below = figure.axes
    text = [entry.get_text() for axes in below for entry in axes.get_legend().get_texts()]
    assert ("printed means" in text) == (not other)
    assert ("Table 3" in PICTURE.caption(found)) == (not other)
    assert right.get_title() == "(b)  smallest perturbations of 7 inputs"
    (shown,) = [line for line in right.lines if line.get_label().startswith("shortest found")]
    kept = np.isfinite(made["distance"]) & (made["valid"] == 1)[:, None]
    np.testing.assert_array_equal(shown.get_ydata(), made["distance"][kept])
    level = [line.get_ydata()[0] for line in left.lines if str(line.get_label()).startswith("mean of the law")]
    assert level == [pytest.approx(mean_compression(12, gradients)) for gradients in (2, 1)]
    assert figure.get_suptitle().startswith("2 of 3 ReLU networks")


def test_of_many_inputs_a_few_are_drawn(tmp_path):
    written(tmp_path, POINT, columns(np.ones(150)))
    found = numbers(tmp_path, MANIFEST, POINT)
    assert (len(found.inputs.found), found.inputs.count) == (400, 600)
    assert "400 of 600 inputs" in PICTURE.caption(found)


def test_nothing_to_draw_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of n=12"):
        numbers(tmp_path, MANIFEST, POINT)
    written(tmp_path, POINT, columns([0, 0]))
    with pytest.raises(FileNotFoundError, match="more --epochs"):
        numbers(tmp_path, MANIFEST, POINT)
