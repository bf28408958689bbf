"""A small page with one of everything that a page may hold."""

import pytest

from figures.report.content import Figure, Judged, Origin, Page, Section, Statement, Tabled
from fragility.tables import Column, Interval, Table

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
PICTURE = """\
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"
 width="504pt" height="90pt" viewBox="0 0 504 90" aria-labelledby="{name}-title"><title id="{name}-title">{name}</title>
<defs><path id="{name}-mark" d="M0 -3V3"/></defs><path d="M0 80H500" stroke="#000000"/>
<use xlink:href="#{name}-mark" x="9" y="9" stroke="#0072B2"/>
<image width="9" height="9" xlink:href="data:image/png;base64,{PIXEL}"/></svg>"""


def picture(name):
    return Figure(
        name,
        f"The law of {name}",
        "Draws (blue) beside the law, at n = 32.",
        PICTURE.format(name=name, PIXEL=PIXEL),
        ["Figure 2"],
        ["origin-draws"],
    )


def claim(name, **changed):
    values = dict(
        source="A paper, Lemma 3",
        says=f"what {name} says",
        formula=r"r_{nn} \overset{d}{=} \prod_{i=1}^{L} \chi_{n_i-n+1}",
        domain="n >= 1",
        kind="law",
        status="printed",
        meaning="the paper says it, and it holds",
        verdict="agrees",
        judged=[Judged("n=32", "agrees", "0.0026", "0.0057", "0.01", 1300, "2/2", "origin-draws")],
    )
    return Statement(name, **values | changed)


@pytest.fixture(scope="session")
def page():
    refuted = claim(
        "one.theorem.printed",
        kind="bound",
        status="refuted",
        meaning="false as printed",
        verdict="disagrees",
        quotes=[("for any network we have [..]", "Theorem 1")],
        counterexample="weights = [[1, -9/10]]\nleft 543/1250 > right 1699/5000",
        hypotheses=["no biases", "L >= 2"],
        more={"Read": "L is finite"},
        links={"What holds": ["one.theorem.corrected", "elsewhere.unknown"]},
        judged=[Judged("", "disagrees", "0.1", "0", "1e-9", 1, "-", "")],
    )
    wide = Table(
        [Column("network"), Column("epsilon", "input units", align="right"), Column("what", prose=True)]
        + [Column(f"measured {k}", "|cos|", align="right") for k in range(9)]
        + [Column("empty")],
        [
            ["linear", 0.1, "as printed", *[0.0234] * 8, Interval(0.0213, 0.0251, 20), None],
            ["ReLU", 1, "", *[1234] * 9, None],
        ],
        title="Table 1",
        notes=["Intervals hold with 95 % each."],
        headings={0: "MNIST", 1: "Fashion-MNIST"},
    )
    numbers = [Column("paper"), *(Column(name, align="right") for name in ("claims", "agree", "disagree"))]
    return Page(
        title="What theory says, and what holds",
        sentence="Of two papers, five claims were put to the test.",
        first=picture("first"),
        verdicts=Table(numbers, [["One", 4, 2, 2], ["Two", 2, 1, 0]]),
        sections=[
            Section(
                "one",
                "One",
                "The first paper",
                "Most of it holds.",
                {"claims": 4, "agree": 2, "disagree": 2, "refuted": 1},
                [
                    claim("one.lemma"),
                    refuted,
                    claim("one.theorem.corrected", kind="bound", status="corrected"),
                    claim("one.surprise", verdict="disagrees", unexpected=True, kind="moment"),
                ],
                [Tabled("table-one", wide, "origin-nets")],
                [picture("figure-one"), picture("figure-beside")],
            ),
            Section(
                "two",
                "Two",
                "The second paper",
                "",
                {},
                [
                    claim("two.rate", kind="rate", verdict="blunt"),
                    claim("two." + "long" * 40, verdict="not judged", judged=[], status="extension"),
                ],
                [],
                [],
            ),
        ],
        origins=[
            Origin(
                "origin-draws",
                "simulate.qr_product",
                "python -m simulate.qr_product --n 32 " + "--layers 2 " * 20,
                0,
                "1,300 draws",
                "numba",
                {"numpy": "2.4.6"},
                "abc1234",
                "2 cores",
                "2026-01-01 00:00 UTC",
            ),
            Origin(
                "origin-nets",
                "empirical.conditioning",
                "python -m empirical.conditioning",
                0,
                "20 networks",
                "cpu",
                {},
                "",
                "2 cores",
                "2026-01-01 00:00 UTC",
                "a tenth of the images",
            ),
        ],
        notes=["Error rate 0.05 for all rows together."],
    )
