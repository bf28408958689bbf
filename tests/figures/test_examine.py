"""The figure of a user's network, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.examine.measure import STATISTICS
from figures.examine import KINDS, PICTURE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store

POINT = {"model": "m:f", "weights": "w", "labels": "0" * 12, "shrunk": "5+40"}
IMAGES = 6


def written(tmp_path, **changes):
    """A run of six images of a network of three layers, one of them wrong."""
    rng = np.random.default_rng(0)
    sizes = {"layers": 3, "nodes": 4, "shares": 2, "x": 1, "w": 1}
    values = {name: rng.uniform(0.5, 1, shape) for name, shape in STATISTICS.shapes(IMAGES, **sizes).items()}
    values |= {"label": np.zeros(IMAGES), "said": np.r_[1, np.zeros(IMAGES - 1)], "numbers": np.full(IMAGES, 36.0)}
    values["layer_kind"][0], values["layer_smallest_exact"][0] = [1, 2, 0], [0, 1, 1]
    values["layer_norm_at_most"][0] = values["layer_norm"][0] + 0.1
    values["layer_smallest"][0], values["layer_kernel_condition"][0] = [0.1, 0, 0.2], [np.inf, 3, 4]
    values |= changes
    store = Store(tmp_path / "run", lambda _: "0" * 12)
    store.write(Shard("empirical.examine", "images", tuple(POINT.items()), 3, 0, IMAGES), raw_table(values))
    store.save_manifest(points=[POINT], seed=3)
    return store.root, json.loads((store.root / "manifest.json").read_text()), values


def drawn(tmp_path, **changes):
    run, manifest, values = written(tmp_path, **changes)
    found = numbers(run, manifest, POINT)
    figure = Figure(PICTURE.inches(found), layout="constrained")
    PICTURE.draw_titled(figure, found)
    panels = {axes.get_title()[1]: axes for axes in figure.axes if axes.get_title()}
    return found, figure, panels, values


def test_wrong_images_are_not_drawn_and_layers_are_those_of_the_first(tmp_path):
    found, figure, panels, values = drawn(tmp_path)
    figure.draw_without_rendering()
    assert (found.images, found.right) == (IMAGES, IMAGES - 1)
    np.testing.assert_allclose(found.found, values["upper"][1:])
    np.testing.assert_allclose(found.layers.norm, values["layer_norm"][0])
    assert figure.get_suptitle() == "m:f, 6 images, 5 of them classified right"
    kinds = [container.get_label() for container in panels["a"].containers]
    assert kinds == [words for words, _ in KINDS]
    found_line, certified, equal = panels["d"].get_lines()
    np.testing.assert_allclose(found_line.get_xdata(), values["first_order"][1:])
    np.testing.assert_allclose(certified.get_ydata(), values["lower"][1:])
    np.testing.assert_allclose(*equal.get_data())


def test_condition_numbers_are_drawn_where_they_are_finite(tmp_path):
    _, _, panels, values = drawn(tmp_path)
    weights, exact, bounds, lost = panels["b"].get_lines()
    assert list(weights.get_xdata()) == [2, 3]
    assert list(exact.get_xdata()) == [3]
    assert list(lost.get_xdata()) == [1, 2]
    np.testing.assert_allclose(bounds.get_ydata(), values["layer_norm"][0, 0] / 0.1)


def test_what_is_left_of_margins_is_a_curve_for_each_share(tmp_path):
    found, _, panels, values = drawn(tmp_path)
    kept = values["shrunk_margin"][1:] / values["margin"][1:, None]
    np.testing.assert_allclose(found.kept, kept)
    for column, line in enumerate(panels["e"].get_lines()[:2]):
        np.testing.assert_allclose(line.get_xdata()[1:], np.sort(kept[:, column]))
        np.testing.assert_allclose(line.get_ydata(), np.linspace(0, 1, IMAGES))
        assert line.get_label() == f"without {(5, 40)[column]} %"


def test_what_there_is_not_is_not_drawn(tmp_path):
    nothing = {name: np.full((IMAGES, 4), np.nan) for name in ("cosine", "gradient", "values")}
    lengths = {name: np.full(IMAGES, np.nan) for name in ("upper", "first_order", "noise")}
    found, figure, panels, _ = drawn(tmp_path, **nothing, **lengths, lower=np.zeros(IMAGES))
    figure.draw_without_rendering()
    assert found.lacking
    assert not panels["c"].get_lines()
    assert not len(panels["d"].get_lines()[0].get_xdata())
    layers = {f"layer_{name}": np.full((IMAGES, 3), np.nan) for name in ("norm", "norm_at_most", "folded_norm", "kind")}
    _, _, panels, _ = drawn(tmp_path / "none", **layers)
    assert not panels["a"].containers


def test_without_records_it_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of model="):
        numbers(tmp_path, {}, POINT)
