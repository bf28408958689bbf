"""A shard's numbers depend on its coordinates only."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fragility.backends.numpy_backend import BACKEND
from fragility.engine.shard import Shard, compute, find_study, shard_size
from fragility.engine.study import label

METHODS = st.sampled_from(["qr", "lu"])
SHARDS = st.builds(
    lambda method, n, layers, seed, index: Shard(
        "simulate.qr_product", method, (("n", n), ("rows", (n,) * layers)), seed, index, size=3
    ),
    METHODS, st.integers(2, 9), st.integers(1, 3), st.integers(0, 2**63), st.integers(0, 2**40),
)  # fmt: skip


def numbers(shard):
    (block,) = compute(shard, BACKEND)
    return block


@given(SHARDS)
@settings(max_examples=40)
def test_twice_alike(shard):
    first, second = numbers(shard), numbers(shard)
    for statistic in first:
        np.testing.assert_array_equal(first[statistic], second[statistic])


@given(SHARDS, SHARDS)
@settings(max_examples=40)
def test_other_coordinates_give_other_numbers(one, other):
    same = (one.key, one.index) == (other.key, other.index)
    alike = np.array_equal(numbers(one)["last"], numbers(other)["last"])
    assert same == alike


def test_every_coordinate_but_the_index_is_in_the_key():
    base = dict(study="a", method="qr", point=(("n", 3),), seed=0, index=0, size=4)
    changes = [dict(study="b"), dict(method="lu"), dict(point=(("n", 4),)), dict(seed=1)]
    keys = {Shard(**{**base, **change}).key for change in [{}, *changes]}
    assert len(keys) == 5
    assert Shard(**{**base, "index": 9}).key == Shard(**base).key


@given(st.integers(1, 5000), st.integers(1, 4))
def test_the_size_of_a_shard_is_a_power_of_two_and_fits(n, layers):
    point = {"n": n, "rows": (n,) * layers}
    size = shard_size(find_study("simulate.qr_product").methods["qr"], point, BACKEND)
    assert size & (size - 1) == 0
    assert size == 1 or size * layers * n * n * 8 <= BACKEND.world_bytes


def test_points_have_short_and_distinct_labels():
    assert label({"n": 8, "rows": (8, 8, 9)}) == "n=8 rows=8^2x9"
    assert len(label({"n": 1000, "rows": (1000,) * 256})) < 40
