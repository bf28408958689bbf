"""The figure of photographs, from records that are made up."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure

from empirical.imagenet_compression.measure import PICTURE as SIDE
from empirical.imagenet_compression.measure import STATISTICS
from figures.imagenet_compression import PICTURE, numbers
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store

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
    figure = Figure(layout="constrained")
    PICTURE.draw_titled(figure, found)
    return found, figure, dict(zip("abcdef", figure.get_axes(), strict=True))


def test_pictures_are_those_of_the_first_pair_and_the_last_adds_the_perturbation(tmp_path):
    _, _, axes = drawn(tmp_path, 3)
    clean, partner, adversarial = (axes[letter].images[0].get_array() for letter in "abd")
    assert clean.shape == (SIDE, SIDE, 3)
    np.testing.assert_allclose(clean, np.broadcast_to(np.array(COLOUR) / 255, clean.shape))
    assert not partner.any()
    np.testing.assert_allclose(adversarial - clean, 0.1, atol=1e-12)
    assert axes["a"].get_title(loc="left").endswith("English springer")
    assert axes["b"].get_title(loc="left").endswith("Afghan hound")
    assert "5 times" in axes["c"].get_title(loc="left")


def test_lengths_and_cosines_are_of_the_pairs_that_can_be_compared(tmp_path):
    found, figure, axes = drawn(tmp_path, 4, misclassified=(2,))
    assert found.lacking == ("1 of 4 pairs cannot be compared and are not drawn",)
    lengths, half = axes["f"].get_lines(), found.columns["length"][[0, 1, 3]] / 2
    np.testing.assert_allclose(lengths[0].get_xdata(), found.columns["signed_length"][[0, 1, 3]] / half)
    np.testing.assert_allclose(lengths[1].get_ydata(), found.columns["distance"][[0, 1, 3]] / half)
    np.testing.assert_allclose(lengths[2].get_xdata(), [0.0765, 0.0349, 0.0387, 0.0806])
    middle, one = axes["e"].get_lines()
    np.testing.assert_allclose(middle.get_ydata(), np.median(found.columns["cosine"][[0, 1, 3]], axis=0))
    np.testing.assert_allclose(one.get_ydata(), found.columns["cosine"][0])
    assert "3 pairs of 4" in figure.get_suptitle()


def test_one_pair_has_no_band_and_no_pair_no_points(tmp_path):
    _, _, axes = drawn(tmp_path / "one", 1)
    assert len(axes["e"].get_lines()) == 1
    _, _, axes = drawn(tmp_path / "none", 1, misclassified=(0,))
    assert not len(axes["f"].get_lines()[0].get_xdata())


def test_without_records_it_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="no records of model="):
        numbers(tmp_path, {}, POINT)
