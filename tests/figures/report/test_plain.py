"""Plain values of what a figure is drawn from: back again as they were, by declared types alone."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.report.plain import from_plain, to_plain
from figures.shared.picture import pictures
from fragility.tables import Column, Interval, Table


class Pair(NamedTuple):
    low: float
    high: float


@dataclass(frozen=True)
class Inner:
    values: np.ndarray
    wrong: np.ndarray | None = None


@dataclass(frozen=True)
class Other:
    exponent: float


@dataclass(frozen=True)
class Outer:
    point: Mapping[str, Any]
    shown: Sequence[Inner | Other]
    named: Mapping[str, Pair]
    draws: str
    count: int
    blind: bool


def through(value, declared):
    return from_plain(json.loads(json.dumps(to_plain(value, declared), allow_nan=False)), declared)


def test_everything_comes_back():
    value = Outer(
        point={"n": 8, "rows": (8, 8), "rate": 0.001, "word": "adam", "none": None},
        shown=[Inner(np.array([[1.5, math.inf], [math.nan, -2.0]])), Other(-0.5), Inner(np.zeros(2), np.ones(2))],
        named={"a": Pair(0.25, math.inf)},
        draws="1,024 draws",
        count=3,
        blind=True,
    )
    found = through(value, Outer)
    assert found.point == value.point
    np.testing.assert_array_equal(found.shown[0].values, value.shown[0].values)
    assert found.shown[0].wrong is None
    assert found.shown[1] == Other(-0.5)
    assert found.shown[2].wrong.tolist() == [1, 1]
    assert (found.named, found.draws, found.count, found.blind) == ({"a": Pair(0.25, math.inf)}, "1,024 draws", 3, True)


@given(st.lists(st.floats(allow_nan=True), max_size=8))
def test_floats_keep_five_digits(values):
    found = through(np.array(values, dtype=float), np.ndarray)
    np.testing.assert_allclose(found.astype(float), np.array(values), rtol=5.1e-5, equal_nan=True)


def test_integers_and_truth_values_stay_what_they_are():
    assert through(np.array([123456789, 3]), np.ndarray).tolist() == [123456789, 3]
    assert through(np.array([True, False]), np.ndarray).dtype == bool


def test_what_was_rounded_is_not_rounded_again():
    once = through(np.geomspace(1e-300, 1e300, 50), np.ndarray)
    np.testing.assert_array_equal(through(once, np.ndarray), once)


def test_a_table_comes_back():
    columns = [Column("what"), Column("mean", unit="px", align="right", form=".3f"), Column("95 %")]
    rows = [("a", 0.5, Interval(0.25, 0.75, 5)), ("b", math.nan, Interval(math.nan, math.nan, 1)), ("c", None, None)]
    table = Table(columns, rows, "Table 1", ["a note"], 0.95, {1: "second"}, facts=list)
    found = through(table, Table)
    assert (list(found.columns), found.title, found.confidence) == (columns, "Table 1", 0.95)
    assert found.headings == {1: "second"}
    assert found.rows[0] == rows[0]
    assert math.isnan(found.rows[1][1])
    assert found.rows[2] == rows[2]


@pytest.mark.parametrize(
    ("plain", "declared"),
    [
        ({"exponent": "more"}, Other),
        ({"exponent": True}, Other),
        ({"exponent": 1.0, "also": 2}, Other),
        ({}, Other),
        ([1], Other),
        (["x"], np.ndarray),
        ({"a": 1}, np.ndarray),
        ([[1], [1, 2]], np.ndarray),
        ("1", int),
        (1, str),
    ],
)
def test_something_else_is_refused(plain, declared):
    with pytest.raises(ValueError, match="must be what"):
        from_plain(plain, declared)


@pytest.mark.parametrize("name", pictures())
def test_every_figure_declares_what_it_is_drawn_from(name):
    from figures.report.plain import drawn_from

    declared = drawn_from(pictures()[name].numbers)
    with pytest.raises(ValueError, match="must be what"):
        from_plain({"nothing": "of it"}, declared)
