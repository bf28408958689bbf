"""Draws that are seeds, and points that name their images."""

import numpy as np
import pytest

from empirical.data import digest
from empirical.shared.seeds import draw, points
from fragility.backends.torch_backend import on
from fragility.engine.study import UsageError


def test_seeds_are_whole_numbers_that_the_stream_gives():
    seeds = draw(on("cpu").stream(3, 0), 1000, dataset="digits")["seed"]
    assert (seeds == np.floor(seeds)).all()
    assert 0 <= seeds.min() <= seeds.max() < 2**31
    assert len(set(seeds)) == 1000
    np.testing.assert_array_equal(draw(on("cpu").stream(3, 0), 1000)["seed"], seeds)
    assert not set(draw(on("cpu").stream(3, 1), 1000)["seed"]) & set(seeds)


def test_points_are_all_combinations_and_name_their_images():
    found = points(["digits"], width=[1, 2], code=["a", "b", "c"])
    assert [(point["width"], point["code"]) for point in found] == [(w, c) for w in (1, 2) for c in "abc"]
    assert all(point["dataset"] == "digits" and point["data"] == digest("digits") for point in found)
    assert list(found[0]) == ["dataset", "width", "code", "data"]


def test_a_data_set_that_is_not_known_is_a_line():
    with pytest.raises(UsageError, match=r"a data set must be one of .*, got 'letters'"):
        points(["letters"])
