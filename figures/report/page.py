"""The page as one file of HTML: text stays text, formulas are MathML, and nothing outside of the file is asked for."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from figures.report.content import Page, Section
from figures.report.mathml import mathml
from fragility.tables import Table, shown

VERDICTS = ("agrees", "blunt", "disagrees", "faulty", "not judged")
AGAINST = "against the table"  # what one looks for first, and hopes not to find
# Control characters, which no page may hold; those that turn the direction of what follows; halves of characters.
UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
NO_ANCHOR = re.compile(r"[\s\ufffd]+")
WIDTH = re.compile(r'<svg\b[^>]*\bviewBox="\s*[-\d.]+[\s,]+[-\d.]+[\s,]+([\d.]+)')
MOST_NAMED = 40  # claims, one by one, beside what they were judged by
USUAL_WIDTH = "504"  # points, of a picture that does not say


class Choice(NamedTuple):
    """What a reader may ask for: a value of one of the filters, and how many claims have it."""

    value: str
    name: str
    claims: int


class Uses(NamedTuple):
    """What stands on the numbers of an origin: figures and tables, id -> how they are called; ids of claims."""

    shown: dict[str, str]
    judged: dict[str, None]


class Group(NamedTuple):
    """Rows of a table that come together, and what stands above them."""

    heading: str
    rows: Sequence[Sequence[str]]


def rendered(page: Page) -> str:
    """The whole page: the same bytes for the same content, with its style and its script inside.

    All text of the page is escaped, whatever it holds; only the pictures are taken for the markup that they are.
    """
    environment = Environment(
        loader=PackageLoader("figures.report"),
        autoescape=True,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(anchor=anchor, link=link, mathml=lambda formula: mathml(seen(formula)), groups=groups)
    environment.filters.update(columns=lambda table: shown(table)[0], picture=Markup, width=_width)
    style, script = (_source(environment, name) for name in ("page.css", "page.js"))
    return environment.get_template("page.html").render(
        page=page,
        style=style,
        script=script,
        digest=b64encode(sha256(script.encode()).digest()).decode(),
        claims={statement.id for section in page.sections for statement in section.statements},
        papers={section.name: section.id for section in page.sections},
        origins={origin.id: origin.study for origin in page.origins},
        uses=_uses(page),
        filters=_filters(page.sections),
        against=AGAINST,
        most=MOST_NAMED,
        verdicts=VERDICTS,
    )


def seen(value: Any) -> Any:
    """The value, and of a text all characters that can be seen; a mark for each of the others."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else UNSEEN.sub("\ufffd", value)


def anchor(name: str) -> str:
    """The name as the id of an element, which holds no space."""
    return NO_ANCHOR.sub("-", seen(name)) or "-"


def link(name: str) -> str:
    """The address of what has that name on the page."""
    return f"#{quote(anchor(name))}"


def groups(table: Table) -> list[Group]:
    """The rows of a table as a reader sees them, cut where a heading stands."""
    _, rows = shown(table)
    starts = sorted({0, *(start for start in table.headings if start < len(rows))})
    return [
        Group(table.headings.get(start, ""), rows[start:end])
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True)
    ]


def _source(environment: Environment, name: str) -> Markup:
    """A file beside the templates, as it is."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


def _width(svg: str) -> str:
    """The width of a picture in points."""
    found = WIDTH.search(svg)
    return found[1] if found else USUAL_WIDTH


def _uses(page: Page) -> Mapping[str, Uses]:
    """What stands on the numbers of each origin."""
    uses = {origin.id: Uses({}, {}) for origin in page.origins}
    figures = [
        *([page.first] if page.first else []),
        *(figure for section in page.sections for figure in section.figures),
    ]
    shown_from = [(figure.id, figure.title or figure.id, figure.origins) for figure in figures]
    for section in page.sections:
        shown_from += [(held.id, held.table.title or held.id, [held.origin]) for held in section.tables]
    for place, name, origins in shown_from:
        for origin in uses.keys() & {*origins}:
            uses[origin].shown[place] = name
    for statement in (statement for section in page.sections for statement in section.statements):
        for origin in uses.keys() & {row.origin for row in statement.judged}:
            uses[origin].judged[statement.id] = None
    return uses


def _filters(sections: Sequence[Section]) -> Mapping[str, Sequence[Choice]]:
    """What claims are told apart by, and which values there are."""
    statements = [statement for section in sections for statement in section.statements]
    verdicts = Counter(statement.verdict for statement in statements)
    against = sum(statement.unexpected for statement in statements)
    ordered = [name for name in VERDICTS if name in verdicts] + [name for name in verdicts if name not in VERDICTS]
    return {
        "paper": [Choice(section.id, section.name, len(section.statements)) for section in sections],
        "verdict": [Choice(name, name, verdicts[name]) for name in ordered]
        + ([Choice(AGAINST, AGAINST, against)] if against else []),
        "status": _choices(statement.status for statement in statements),
        "kind": _choices(statement.kind for statement in statements),
    }


def _choices(values: Iterable[str]) -> list[Choice]:
    """Values with their number, the most frequent first."""
    return [Choice(name, name, count) for name, count in Counter(values).most_common()]
