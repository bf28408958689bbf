"""A table as one value, and its renderers: text for a terminal, Markdown, and plain values for JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias


class Interval(NamedTuple):
    """An interval around an estimate from n observations; without limits where these are too few for one."""

    low: float
    high: float
    n: int


CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Code without any of what follows; what begins a tag or an entity; a backtick; and what begins the address of a link.
MARKUP = re.compile(r"`[^`<&\]]+`|<(?=[A-Za-z/!?])|&(?=#?\w+;)|`|(?<=\])\(")
Cell: TypeAlias = str | int | float | Interval | None


@dataclass(frozen=True)
class Column:
    """How a column is called, and how its cells are written.

    Parameters
    ----------
    name, unit : what stands above it.
    key : its name for a machine, where that differs from `name`.
    align : the side on which its cells are flush.
    form : format of its numbers; by default four digits, and integers with commas.
    prose : whether its cells are sentences, and the rule above them is no longer than the name.
    code : whether Markdown sets its cells as code.
    """

    name: str
    unit: str = ""
    key: str = ""
    align: Literal["left", "right"] = "left"
    form: str = ""
    prose: bool = False
    code: bool = False

    @property
    def head(self) -> str:
        """Its name with its unit."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name

    def written(self, cell: Cell) -> str:
        """A cell as a reader sees it; "-" stands for a number that does not exist."""
        if isinstance(cell, Interval):
            if math.isfinite(cell.low) and math.isfinite(cell.high):
                return f"{self.written(cell.low)} to {self.written(cell.high)}"
            return "too few" if cell.n else ""
        if cell is None or isinstance(cell, str):
            return cell or ""
        if math.isnan(cell):
            return "-"
        if self.form:
            return format(cell, self.form)
        if isinstance(cell, int):
            return f"{cell:,}"
        return f"{cell:.4f}" if 1e-3 <= abs(cell) < 100 else f"{cell:.4g}"


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns, with a title above them and notes below.

    Parameters
    ----------
    rows : a cell per column in each.
    confidence : probability with which each interval by itself holds what it estimates.
    headings : what stands above the row at that position, where the rows come in groups.
    facts : makes what a machine is told of each row, where that is more than the cells.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    notes: Sequence[str] = ()
    confidence: float | None = None
    headings: Mapping[int, str] = field(default_factory=dict)
    facts: Callable[[], Sequence[Mapping[str, Any]]] | None = None


def listing(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], notes: Sequence[str] = ()) -> Table:
    """A table with columns that are only named; those without words are flush right."""
    worded = [any(isinstance(row[position], str) for row in rows) for position in range(len(head))]
    columns = [Column(name, align="left" if words else "right") for name, words in zip(head, worded, strict=True)]
    return Table(columns, rows, title, notes)


def text(table: Table) -> str:
    """The table for a terminal; columns in which nothing stands are left out."""
    columns, rows = shown(table)
    heads = [column.head for column in columns]
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)]

    def aligned(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if column.align == "right" else cell.ljust(width)
            for cell, width, column in zip(cells, widths, columns, strict=True)
        ).rstrip()

    rules = ["-" * (len(column.head) if column.prose else width) for column, width in zip(columns, widths, strict=True)]
    lines = [*([table.title, ""] if table.title else []), aligned(heads), "  ".join(rules)]
    for position, cells in enumerate(rows):
        lines += ["", table.headings[position]] if position in table.headings else []
        lines.append(aligned(cells))
    return "\n".join([*lines, *(["", *table.notes] if table.notes else [])])


def markdown(table: Table) -> str:
    """The table in Markdown; columns in which nothing stands are left out, and no text is taken for markup."""
    columns, rows = shown(table)
    lines = [[column.head for column in columns], ["---:" if column.align == "right" else "---" for column in columns]]
    for position, cells in enumerate(rows):
        if position in table.headings:
            lines.append([f"**{_plain(table.headings[position])}**", *[""] * (len(columns) - 1)])
        lines.append(
            [_code(cell) if column.code else _plain(cell) for cell, column in zip(cells, columns, strict=True)]
        )
    return "\n".join(
        [
            *([f"**{_plain(table.title)}**", ""] if table.title else []),
            *("| {} |".format(" | ".join(cell.replace("|", r"\|") for cell in cells)) for cells in lines),
            *(["", *map(_plain, table.notes)] if table.notes else []),
        ]
    )


def shown(table: Table) -> tuple[list[Column], list[list[str]]]:
    """The columns in which something stands, and their cells as a reader sees them."""
    every = [
        [_line(column.written(cell)) for column, cell in zip(table.columns, row, strict=True)] for row in table.rows
    ]
    filled = [k for k in range(len(table.columns)) if not every or any(row[k] for row in every)]
    return [table.columns[k] for k in filled], [[row[k] for k in filled] for row in every]


def plain_rows(table: Table) -> list[Mapping[str, Any]]:
    """The rows for a machine: what each column's key stands for, an interval as its two ends."""
    if table.facts:
        return list(table.facts())
    keys = [column.key or column.name for column in table.columns]
    return [
        {
            key: [cell.low, cell.high] if isinstance(cell, Interval) else cell
            for key, cell in zip(keys, row, strict=True)
        }
        for row in table.rows
    ]


def document(table: Table) -> dict[str, Any]:
    """All of the table for a machine, as JSON has it."""
    sure = {} if table.confidence is None else {"confidence": table.confidence}
    return {"title": table.title, **sure, "rows": plain_rows(table), "notes": list(table.notes)}


def finite(value: Any) -> Any:
    """A plain value with None for the numbers that JSON has no word for."""
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(words: str) -> str:
    """Words as they stand, for Markdown: no tag, entity or link; formulas stay formulas, and code between backticks."""
    return MARKUP.sub(lambda mark: mark[0] if len(mark[0]) > 1 else f"&#{ord(mark[0])};", _line(words))


def _code(words: str) -> str:
    """Words as code, for Markdown; more backticks around them than there are within."""
    words = _line(words)
    ticks = "`" * (1 + max(map(len, re.findall("`+", words)), default=0))
    space = " " if "`" in words else ""
    return f"{ticks}{space}{words}{space}{ticks}" if words else ""


def _line(words: str) -> str:
    """Words without line breaks, or anything else that moves the cursor."""
    return CONTROL.sub(" ", words)
