"""The page as HTML: text stays text, nothing leaves the file, links lead somewhere, headings are in order."""

import re
from base64 import b64encode
from collections import Counter
from dataclasses import fields, is_dataclass, replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise
from urllib.parse import unquote

import pytest

from figures.report.content import Page, Section
from figures.report.mathml import ELEMENTS, mathml
from figures.report.page import rendered
from fragility.tables import Column
from theory.claims import BOOK

HOSTILE = [
    "<script>alert(1)</script>",
    "</style></script></title></textarea><img src=x onerror=alert(1)>",
    '" onclick="alert(1)" x=\'',
    "' onfocus='alert(1)",
    "javascript:alert(1)",
    "]]> --> <!-- {{ 7 * 7 }} {% raw %} ${7}",
    "&lt;b&gt; &amp; &#60;",
    "w" * 500,
]
UNSEEN = "\x00\x07\x1b[31m\x85\u202e\u2066\u2028\ud800"
KNOWN = re.compile(
    "html|head|meta|link|title|style|script|body|a|header|nav|ul|li|button|main|section|h1|h2|h3|p|figure|"
    "figcaption|strong|span|div|table|caption|thead|tbody|tr|th|td|dl|dt|dd|form|label|select|option|input|b|"
    "details|summary|code|blockquote|footer|article|pre"
    "|figure|svg|title|defs|path|use|image|symbol|circle"
)
EMPTY = {"meta", "link", "input"}


class Parsed(HTMLParser):
    """The elements of a page, each with its attributes and the text within, and which are open at the end."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])
        assert len(attributes) == len(dict(attributes)), attributes
        if tag not in EMPTY:
            self.open.append(self.elements[-1])

    def handle_startendtag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, text):
        for element in self.open:
            element[2] += text

    def all(self, *tags):
        return [element for element in self.elements if element[0] in tags]

    def text(self, tag):
        return " ".join(element[2] for element in self.all(tag))


def filled(value, text):
    """The value with `text` in every field that is text for a reader; what tells rows apart stays apart."""
    if isinstance(value, str):
        return f"{value} {text}"
    if is_dataclass(value) and not isinstance(value, Column):
        kept = ("svg", "formula", "facts")
        changes = {
            field.name: filled(getattr(value, field.name), text) for field in fields(value) if field.name not in kept
        }
        return replace(value, **changes)
    if isinstance(value, Column):
        return replace(value, name=f"{value.name} {text}", unit=text)
    if isinstance(value, dict):
        return {filled(key, text): filled(entry, text) for key, entry in value.items()}
    return type(value)(filled(entry, text) for entry in value) if type(value) in (list, tuple) else value


@pytest.fixture(scope="session")
def parsed(page):
    return Parsed(rendered(page))


def ids(parsed):
    return [attributes["id"] for _, attributes, _ in parsed.elements if "id" in attributes]


def test_the_same_bytes_of_the_same_page(page):
    text = rendered(page)
    assert text == rendered(page)
    assert text.endswith("</html>\n")
    assert text.startswith("<!doctype html>\n")


def test_every_element_is_closed_and_known(parsed):
    assert not parsed.open
    assert not [tag for tag, _, _ in parsed.elements if not (KNOWN.fullmatch(tag) or ELEMENTS.fullmatch(tag))]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(page, text):
    page = filled(page, text)
    parsed = Parsed(rendered(page))
    assert not parsed.open
    assert not [tag for tag, _, _ in parsed.elements if not (KNOWN.fullmatch(tag) or ELEMENTS.fullmatch(tag))]
    assert len(parsed.all("script")) == len(parsed.all("style")) == 1
    assert not [name for _, attributes, _ in parsed.elements for name in attributes if name.startswith("on")]
    for tag, attributes, _ in parsed.all("a", "use", "image", "link"):
        address = attributes.get("href") or attributes["xlink:href"]
        assert address.startswith("#" if tag in ("a", "use") else "data:image/"), address
    assert not [attributes for _, attributes, _ in parsed.elements if "src" in attributes]
    statement = page.sections[0].statements[1]
    for tag, said in (
        ("title", page.title),
        ("h1", page.title),
        ("summary", statement.says),
        ("blockquote", statement.quotes[0][0]),
        ("dd", statement.counterexample),
        ("dt", next(iter(statement.links))),
        ("caption", page.sections[0].tables[0].table.title),
        ("td", text),
        ("th", text),
        ("option", statement.kind),
        ("figcaption", page.first.caption),
        ("pre", page.origins[0].command),
    ):
        assert said in parsed.text(tag), tag


def test_links_lead_somewhere_whatever_ids_hold(page):
    for parsed in map(Parsed, (rendered(page), rendered(filled(page, 'a "b" <c> %41 &amp; ü')))):
        held = ids(parsed)
        assert not [name for name, times in Counter(held).items() if times > 1]
        assert not [name for name in held if re.search(r"\s", name)]
        for _, attributes, _ in parsed.elements:
            for address in (attributes.get("href") or "", attributes.get("xlink:href") or ""):
                assert not address.startswith("#") or unquote(address[1:]) in held
            assert attributes.get("aria-labelledby", held[0]) in held


def test_what_cannot_be_seen_is_marked(page):
    text = rendered(filled(page, UNSEEN))
    assert text.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert "\ufffd" in text


def test_nothing_outside_of_the_file_is_asked_for(page, parsed):
    policy = next(attributes["content"] for _, attributes, _ in parsed.all("meta") if "http-equiv" in attributes)
    script = parsed.text("script")
    assert f"script-src 'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert policy.strip().startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert not re.search(r"url\(|@import|@font-face", parsed.text("style"))
    assert not re.search(r"\b(fetch|XMLHttpRequest|import|eval|innerHTML|WebSocket)\b", script)


def test_headings_are_in_order(parsed):
    levels = [int(tag[1]) for tag, _, _ in parsed.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_landmarks_have_names(parsed):
    (main,) = parsed.all("main")
    assert parsed.all("a")[0][1]["href"] == f"#{main[1]['id']}"
    named = [attributes.get("aria-label") for _, attributes, _ in parsed.elements if attributes.get("role") == "region"]
    assert all(named)
    assert len(named) == len(set(named))


def test_tables_have_headers(page):
    text = rendered(page)
    tables = [Parsed(table) for table in re.findall(r"<table.*?</table>", text, re.DOTALL)]
    assert len(tables) == 2 + sum(bool(claim.judged) for section in page.sections for claim in section.statements)
    for table in tables:
        assert len(table.all("caption")) == 1
        columns = [attributes for tag, attributes, _ in table.all("th") if attributes["scope"] == "col"]
        rows = [attributes for tag, attributes, _ in table.all("th") if attributes["scope"] == "row"]
        assert len(rows) * (len(columns) - 1) == len(table.all("td"))
    wide = tables[1]
    assert [words for _, attributes, words in wide.all("th") if attributes["scope"] == "rowgroup"] == [
        "MNIST",
        "Fashion-MNIST",
    ]
    assert "epsilon [input units]" in wide.text("th")
    assert "empty" not in wide.text("th")
    numbers = [words for _, attributes, words in wide.all("td") if "number" in attributes["class"]]
    assert numbers[:2] == ["0.1000", "0.0234"]
    assert numbers[9] == "0.0213 to 0.0251"
    assert numbers[-1] == "1,234"


def test_a_paper_of_the_first_table_leads_to_its_claims(page):
    assert '<a href="#paper-one">One</a>' in rendered(page)


def test_all_of_a_claim_is_shown(page):
    entry = re.search(r'<details class="claim" id="one.theorem.printed".*?</details>', rendered(page), re.DOTALL)[0]
    claim = page.sections[0].statements[1]
    words = Parsed(entry).text("details")
    for said in (claim.source, claim.says, claim.domain, claim.kind, claim.status, claim.meaning, claim.verdict):
        assert said in words
    for said in (*claim.quotes[0], claim.counterexample, *claim.hypotheses, *claim.more, *claim.more.values()):
        assert said in words
    assert '<a href="#one.theorem.corrected">' in entry
    assert "<code>elsewhere.unknown</code>" in entry
    assert 'href="#elsewhere' not in entry


def test_all_numbers_lead_to_where_they_are_from(page, parsed):
    text = rendered(page)
    assert [words for _, _, words in parsed.all("pre")] == [origin.command for origin in page.origins]
    for place in ("first", "figure-one", "table-one"):
        element = re.search(rf'id="{place}".*?(?:</figure>|</p>\n</div>)', text, re.DOTALL)[0]
        assert re.search(r'href="#origin-(draws|nets)"', element)
        assert f'<a href="#{place}">' in text
    judged = [row for section in page.sections for claim in section.statements for row in claim.judged if row.origin]
    assert text.count('<a href="#origin-draws">simulate.qr_product</a>') == len(judged) + 3


def test_words_say_what_colours_say(page):
    text = rendered(page)
    for verdict in ("agrees", "blunt", "disagrees", "not judged"):
        assert re.search(rf'<svg class="mark mark-\w+" aria-hidden="true".*?</svg>{verdict}</span>', text)
    assert text.count('<span class="against">against the table</span>') == 1


def test_formulas_of_the_book_are_shown_as_such():
    assert [claim.id for claim in BOOK if not mathml(claim.formula).startswith('<math display="block">')] == []


@pytest.mark.parametrize(
    "formula",
    [
        r"\text{<script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{background:red}{x}",
        r"\class{claim}{x}",
        r'\color{red" onload="x}{x}',
        r"\unknown x",
        r"\frac{1",
        r"\text{\u0000 & <b>}",
        "</math><img src=x>" + "{" * 5000,
        "",
    ],
)
def test_a_formula_that_is_more_than_one_is_code(formula):
    shown = Parsed(mathml(formula))
    assert [tag for tag, _, _ in shown.elements] == ["code"]
    assert shown.text("code") == formula


@pytest.mark.parametrize("formula", ["<script>alert(1)</script>", "]]>", "a < b > c", r"\mathbf{0} \ne \mathbb{R}"])
def test_what_looks_like_markup_in_a_formula_is_symbols(formula):
    shown = Parsed(mathml(formula))
    assert shown.elements[0][0] == "math"
    assert all(ELEMENTS.fullmatch(tag) for tag, _, _ in shown.elements)


def test_a_page_of_nothing():
    parsed = Parsed(rendered(Page("Nothing yet", "", None, None, [], [])))
    assert parsed.text("h1") == "Nothing yet"
    assert not parsed.all("form", "table", "figure", "article", "details")


def test_a_paper_of_which_nothing_was_run():
    parsed = Parsed(
        rendered(Page("A page", "A sentence.", None, None, [Section("one", "One", "", "", {}, [], [], [])], []))
    )
    assert parsed.text("h2") == "One"
    assert not parsed.all("h3", "form")


def test_a_claim_takes_few_bytes(page):
    section = page.sections[0]
    more = [replace(section.statements[1], id=f"one.claim{k}") for k in range(100)]
    without = len(rendered(page))
    assert without < 60_000
    assert len(rendered(replace(page, sections=[replace(section, statements=more)]))) - without < 100 * 5_000
