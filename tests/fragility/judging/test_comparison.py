"""Printed, predicted, measured: tables that say what they have."""

import json

import pytest

from fragility.judging.comparison import Row, comparison
from fragility.judging.estimates import mean
from fragility.tables import document, text

TABLE = comparison(
    "Table 2",
    [Row("mean fraction", mean([0.2, 0.3, 0.4]), printed=0.328, predicted=0.2352), Row("other", None)],
    ["a note"],
    unit="runs",
)


def test_a_comparison_shows_the_columns_that_have_something_in_them():
    lines = text(TABLE).splitlines()
    assert lines[0] == "Table 2"
    assert lines[2].split() == ["quantity", "printed", "predicted", "measured", "95", "%", "interval", "runs"]
    assert "0.3280" in lines[4]
    assert "0.2352" in lines[4]
    assert lines[-1] == "a note"


def test_a_column_without_an_entry_is_left_out():
    assert "printed" not in text(comparison("t", [Row("x", mean([1.0, 2.0]))]))


def test_one_value_has_no_interval():
    assert "too few" in text(comparison("t", [Row("x", mean([0.3]))]))


def test_the_document_has_every_number():
    (first, other) = json.loads(json.dumps(document(TABLE)))["rows"]
    assert first["printed"] == 0.328
    assert first["measured"] == pytest.approx(0.3)
    assert first["runs"] == 3
    assert first["interval"][0] < 0.3 < first["interval"][1]
    assert other["measured"] is None
