"""The figure of photographs, from records that are made up."""

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.imagenet_compression.measure import PICTURE as SIDE
from empirical.imagenet_compression.measure import STATISTICS
from figures.imagenet_compression import PICTURE, QUANTILES, numbers
from figures.shared.records import measured
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from fragility.tables import plain_rows

POINT = {"model": "m:f", "weights": "w", "source": "n1", "partners": "all", "size": 32, "nodes": 5}
COLOUR = (200, 100, 50)


def written(tmp_path, pairs, misclassified=()):
    """A run with a shard for each pair, all clean pictures of one colour and all perturbations +peak everywhere."""
    store, rng = Store(tmp_path / "run", lambda _: "0" * 12), np.random.default_rng(0)
    for index in range(pairs):
        values = {name: rng.uniform(0.5, 1.0, shape) for name, shape in STATISTICS.shapes(1, nodes=5).items()}
        values |= {"clean": np.array([217.0]), "partner": np.array([160.0 + index]), "peak": np.array([0.1])}
        values |= {"clean_right": np.array([float(index not in misclassified)]), "partner_right": np.ones(1)}
        codes = [65536 * red + 256 * green + blue for red, green, blue in (COLOUR, (0, 0, 0), (255, 255, 255))]
        pictures = np.repeat(np.array(codes, dtype=float), SIDE**2)[None]
        values["pictures"] = pictures if index == 0 else np.full_like(pictures, np.nan)
        store.write(
            Shard("empirical.imagenet_compression", "trained", tuple(POINT.items()), 3, index, 1), raw_table(values)
        )
    store.save_manifest(points=[POINT], seed=3)
    return store.root, json.loads((store.root / "manifest.json").read_text())


def drawn(tmp_path, pairs, **how):
    run, manifest = written(tmp_path, pairs, **how)
    found = numbers(run, manifest, POINT)
    return found, *shown(found)


def shown(found):
    """The figure, and its photographs and panels."""
    figure = Figure(PICTURE.inches(found), layout="constrained")
    PICTURE.draw_titled(figure, found)
    panels = 4 if found.pictures is not None else 0
    return figure, figure.axes[:panels], dict(zip("bcd", figure.axes[panels : panels + 3], strict=True))


def test_pictures_are_those_of_the_first_pair_and_the_last_adds_the_perturbation(tmp_path):
    _, _, row, _ = drawn(tmp_path, 3)
    clean, partner, _, adversarial = (axes.images[0].get_array() for axes in row)
    assert clean.shape == (SIDE, SIDE, 3)
    np.testing.assert_allclose(clean, np.broadcast_to(np.array(COLOUR) / 255, clean.shape))
    assert not partner.any()
    np.testing.assert_allclose(adversarial - clean, 0.1, atol=1e-12)
    for axes, words in zip(row, ("English springer", "Afghan hound", "5 times", "Afghan hound"), strict=True):
        assert axes.get_title().endswith(words)


def test_its_numbers_are_tidy(tmp_path):
    found, *_ = drawn(tmp_path, 3)
    rows = plain_rows(found.tidy())
    lengths = [row["value"] for row in rows if row["quantity"] == "found length over L / 2" and row["attack"] == "sign"]
    np.testing.assert_array_equal(lengths, found.lengths.found["sign"])
    assert {row["level"] for row in rows if row["quantity"] == "quantile of cosine"} == {*QUANTILES}


def test_photographs_may_be_kept_out(tmp_path):
    found, _, _, _ = drawn(tmp_path, 3)
    without = replace(found, pictures=None)
    figure, _, _ = shown(without)
    assert not any(axes.images for axes in figure.axes)
    assert "stay with the records" in figure.subfigs[0].get_suptitle()
    assert PICTURE.inches(without)[1] < PICTURE.inches(found)[1]


def test_numbers_are_of_the_pairs_that_can_be_compared(tmp_path):
    run, manifest = written(tmp_path, 4, misclassified=(2,))
    found, columns = numbers(run, manifest, POINT), measured(run, "empirical.imagenet_compression", POINT)
    assert found.lacking == ("1 of 4 pairs cannot be compared and are not drawn",)
    assert (found.pairs, found.compared) == (4, 3)
    held = {name: values[[0, 1, 3]] for name, values in columns.items()}
    for name, quantiles in (("cosine", found.cosine), ("gradient", found.gradient)):
        np.testing.assert_allclose(quantiles, np.percentile(held[name], [5, 50, 95], axis=0))
    np.testing.assert_array_equal(found.first.gradient, columns["gradient"][0])
    np.testing.assert_array_equal(found.first.cosine, columns["cosine"][0])
    lengths, half = found.lengths, held["length"] / 2
    np.testing.assert_allclose(lengths.predicted["sign"], abs(held["signed_length"]) / half)
    np.testing.assert_allclose(lengths.predicted["least"], held["tie"] / half)
    np.testing.assert_allclose(lengths.found["sign"], held["sign_attack"] / half)
    np.testing.assert_allclose(lengths.found["least"], held["distance"] / half)


def test_all_of_it_is_drawn(tmp_path):
    found, figure, _, panels = drawn(tmp_path, 4, misclassified=(2,))
    for letter, quantiles, first in (
        ("b", found.cosine, found.first.cosine),
        ("c", found.gradient, found.first.gradient),
    ):
        middle, one = panels[letter].get_lines()[:2]
        np.testing.assert_allclose(middle.get_ydata(), quantiles[1])
        np.testing.assert_allclose(one.get_ydata(), first)
    sign, least, printed, _ = panels["d"].get_lines()
    np.testing.assert_allclose(sign.get_ydata(), found.lengths.found["sign"])
    np.testing.assert_allclose(least.get_xdata(), found.lengths.predicted["least"])
    np.testing.assert_allclose(printed.get_xdata(), [0.0765, 0.0349, 0.0387, 0.0806])
    assert printed.get_markerfacecolor() == "none"
    assert "3 pairs of 4" in figure.get_suptitle()


def test_one_pair_has_no_band_and_no_pair_no_points(tmp_path):
    _, _, _, panels = drawn(tmp_path / "one", 1)
    assert len(panels["c"].get_lines()) == 1
    _, _, _, panels = drawn(tmp_path / "none", 1, misclassified=(0,))
    assert not len(panels["d"].get_lines()[0].get_xdata())


def test_without_records_it_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of model="):
        numbers(tmp_path, {}, POINT)
