"""The figure of sevens and the ones made of them, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from empirical.mnist_compression.measure import STATISTICS
from figures.mnist_compression import PICTURE, SIZE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store

POINT = {
    "dataset": "digits",
    "construction": "enough",
    "certificate": "crown",
    "epochs": 5,
    "network": 0,
    "data": "0" * 12,
}


def written(tmp_path, works):
    """A run with a shard for each half of the images."""
    rng = np.random.default_rng(0)
    size = len(works)
    values = {name: rng.random(shape) for name, shape in STATISTICS.shapes(size, pixels=64).items()}
    values |= {"works": np.array(works, float), "other": -values["other"], "cosines": -values["cosines"]}
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    for index, half in enumerate((slice(size // 2), slice(size // 2, None))):
        shard = Shard("empirical.mnist_compression", "trained", tuple(POINT.items()), 0, index, size)
        store.write(shard, raw_table({name: column[half] for name, column in values.items()}))
    store.save_manifest(points=[POINT], seed=0)
    return store.root, json.loads((store.root / "manifest.json").read_text()), values


def test_only_what_works_is_drawn(tmp_path):
    root, manifest, values = written(tmp_path, [1, 0, 1, 1, 1, 0, 1, 1])
    found = numbers(root, manifest, POINT)
    assert found.tried == 8
    figure = Figure(SIZE, layout="constrained")
    PICTURE.draw_titled(figure, found)
    figure.draw_without_rendering()
    assert "6 of 8 sevens of digits" in figure.get_suptitle()
    images = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert len(images) == 20
    chosen = np.flatnonzero(values["works"])[:5]
    change = values["perturbed"] - values["clean"]
    most = abs(change[chosen]).max()
    np.testing.assert_allclose(images[2].ravel(), values["clean"][chosen[2]], atol=1 / 124 + 1e-9)
    np.testing.assert_allclose(images[17].ravel(), change[chosen[2]], atol=most / 62 + 1e-9)
    scatter = next(axes for axes in figure.axes if axes.get_xlabel().startswith("predicted"))
    (tie,) = [line for line in scatter.lines if "to the tie" in line.get_label()]
    kept = values["works"] == 1
    expected = 2 * (values["distance"] / values["length"])[kept]
    np.testing.assert_allclose(tie.get_ydata(), expected)
    assert len(scatter.collections[0].get_segments()) == 6


def test_numbers_are_those_of_the_images_that_work(tmp_path):
    root, manifest, values = written(tmp_path, [1, 0, 1, 1, 1, 0, 1, 1])
    found, kept = numbers(root, manifest, POINT), values["works"] == 1
    half = values["length"][kept] / 2
    np.testing.assert_allclose(found.ratios.found, values["distance"][kept] / half)
    np.testing.assert_allclose(found.ratios.lower, values["lower"][kept] / half)
    np.testing.assert_allclose(found.ratios.cosine, np.abs(values["cosine"][kept]))
    expected = [
        2 * abs(cosine) * margin / (margin - other)
        for cosine, margin, other in zip(*(values[name][kept] for name in ("cosine", "margin", "other")), strict=True)
    ]
    np.testing.assert_allclose(found.ratios.tie, expected)
    cosines = -values["cosines"][kept]
    np.testing.assert_allclose(found.quantiles, np.percentile(cosines, [5, 25, 50, 75, 95], axis=0))
    np.testing.assert_allclose(found.average.value, cosines.mean(axis=0))
    spread = stats.t.ppf(0.975, 5) * cosines.std(axis=0, ddof=1) / 6**0.5
    np.testing.assert_allclose(found.average.high, np.minimum(cosines.mean(axis=0) + spread, 1))
    np.testing.assert_array_equal(found.pairs.distance, values["distance"][kept][:5])
    np.testing.assert_array_equal(found.pairs.length, values["length"][kept][:5])


@pytest.mark.parametrize("works", [[1, 0, 0, 1], [0, 1, 0, 0]])
def test_fewer_than_five_images_are_enough(tmp_path, works):
    root, manifest, _ = written(tmp_path, works)
    figure = Figure(SIZE, layout="constrained")
    PICTURE.draw_titled(figure, numbers(root, manifest, POINT))
    assert sum(bool(axes.images) for axes in figure.axes) == 4 * sum(works)


def test_what_is_lacking_is_said(tmp_path):
    root, manifest, _ = written(tmp_path, [0, 0])
    with pytest.raises(FileNotFoundError, match="works for none of 2 images"):
        numbers(root, manifest, POINT)
    with pytest.raises(FileNotFoundError, match=r"no records of .*network=3.*python -m empirical.mnist_compression"):
        numbers(root, manifest, POINT | {"network": 3})
