"""Tables: one value, and what a terminal, a page and a machine are told of it."""

import json
import math

import pytest

from fragility.tables import Column, Interval, Table, document, finite, listing, markdown, plain_rows, text

TABLE = Table(
    [
        Column("name", code=True),
        Column("length", unit="cm", align="right", form=".1f"),
        Column("empty"),
        Column("95 % interval", key="interval", align="right"),
        Column("says", prose=True),
    ],
    [
        ("short", 1.25, None, Interval(1.0, 1.5, 4), "a sentence that is longer than its name"),
        ("unknown", math.nan, None, Interval(-math.inf, math.inf, 1), "another"),
        ("none", None, None, Interval(-math.inf, math.inf, 0), "a | b"),
    ],
    title="Lengths",
    notes=["a note"],
    confidence=0.95,
    headings={0: "measured", 2: "not measured"},
)


def test_a_terminal_gets_aligned_columns_of_which_none_is_empty():
    assert text(TABLE).splitlines() == [
        "Lengths",
        "",
        "name     length [cm]     95 % interval  says",
        "-------  -----------  ----------------  ----",
        "",
        "measured",
        "short            1.2  1.0000 to 1.5000  a sentence that is longer than its name",
        "unknown            -           too few  another",
        "",
        "not measured",
        "none                                    a | b",
        "",
        "a note",
    ]


def test_a_page_gets_markdown():
    assert markdown(TABLE).splitlines() == [
        "**Lengths**",
        "",
        "| name | length [cm] | 95 % interval | says |",
        "| --- | ---: | ---: | --- |",
        "| **measured** |  |  |  |",
        "| `short` | 1.2 | 1.0000 to 1.5000 | a sentence that is longer than its name |",
        "| `unknown` | - | too few | another |",
        "| **not measured** |  |  |  |",
        r"| `none` |  |  | a \| b |",
        "",
        "a note",
    ]


def test_a_machine_gets_every_number():
    told = json.loads(json.dumps(finite(document(TABLE))))
    assert list(told) == ["title", "confidence", "rows", "notes"]
    assert told["rows"][0] == {
        "name": "short",
        "length": 1.25,
        "empty": None,
        "interval": [1.0, 1.5],
        "says": "a sentence that is longer than its name",
    }
    assert told["rows"][1]["interval"] == [None, None]


def test_a_machine_may_be_told_more():
    assert plain_rows(Table([Column("n")], [(1,)], facts=lambda: [{"n": 1, "more": 2}])) == [{"n": 1, "more": 2}]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (None, ""),
        ("word", "word"),
        (12345, "12,345"),
        (math.nan, "-"),
        (0.25, "0.2500"),
        (123.456, "123.5"),
        (1e-4, "0.0001"),
        (0.0, "0"),
        (Interval(0.0, 0.5, 3), "0 to 0.5000"),
    ],
)
def test_a_cell_is_written_by_its_type(cell, written):
    assert Column("x").written(cell) == written


def test_a_listing_has_a_row_per_run():
    lines = text(listing("Table 1", ("run", "fraction", "valid"), [("1", 0.148, 1), ("2", math.nan, 0)])).splitlines()
    assert lines[2] == "run  fraction  valid"
    assert lines[4].split() == ["1", "0.1480", "1"]
    assert lines[5].split() == ["2", "-", "0"]


def test_a_listing_may_be_empty():
    assert text(listing("Left out", ("reason", "images"), [])).splitlines()[2].split() == ["reason", "images"]


def test_a_row_without_its_cells_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        text(Table([Column("a"), Column("b")], [(1,)]))


def test_no_text_is_taken_for_markup():
    """Nor does it break a line; formulas and what compares numbers stand as they are."""
    columns = [Column("method"), Column("claim", code=True)]
    row = ("<script>a</script>\\<b> &lt; `c` [d](e) `<f>` | $a < b \\leq [0, 1]$ n <= 3\nnext\x1b[1m", "x`y|\nz")
    made = markdown(Table(columns, [row, ("", "")], title="t <i>", notes=["n <img src=x>"], headings={1: "</b>"}))
    assert made.splitlines() == [
        "**t &#60;i>**",
        "",
        "| method | claim |",
        "| --- | --- |",
        r"| &#60;script>a&#60;/script>\&#60;b> &#38;lt; `c` [d]&#40;e) &#96;&#60;f>&#96; \| "
        r"$a < b \leq [0, 1]$ n <= 3 next [1m | `` x`y\| z `` |",
        "| **&#60;/b>** |  |",
        "|  |  |",
        "",
        "n &#60;img src=x>",
    ]
    assert "\x1b" not in text(Table(columns, [row]))
    assert len(text(Table(columns, [row])).splitlines()) == 3
