"""The picture of all verdicts: a mark for every claim, none drawn twice, each with the mark of what was found."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from figures.panels.verdicts import MARKS, draw, mark, numbers, of_networks
from fragility.book import load
from fragility.engine.context import OWN
from fragility.judging.summary import lines
from fragility.judging.verdict import Verdict

BOOK = load(OWN)
AGREES = Verdict("", {}, "qr", "agrees", 0.01, 0.02, 0.1, 0.05, "gap", 0.1, 100, 90, 0.05)
FOUND = {  # id -> outcome, and the mark that it should have
    "fc.fraction": ("agrees", "holds"),
    "fc.lemma3.last": ("blunt", "open"),
    "joint.thm1.printed": ("disagrees", "refuted"),
    "norm.eq1.input.printed": ("disagrees", "faulty"),
    "joint.trained.less": ("disagrees", "unmet"),
    "fc.lemma3.column": ("disagrees", "contradicts"),
    "fc.trained.linear.above.tempting": ("disagrees", "tempting"),
}


@pytest.fixture(scope="module")
def judged():
    return lines(BOOK, [replace(AGREES, claim=name, outcome=outcome) for name, (outcome, _) in FOUND.items()])


def test_marks(judged):
    assert {line.claim.id: mark(line) for line in judged} == {name: found for name, (_, found) in FOUND.items()}
    assert {line.claim.id for line in judged if of_networks(line)} == {"joint.trained.less"}


def test_every_claim_is_drawn_once(judged):
    drawn = numbers(judged, BOOK)
    assert sum(map(drawn.total, MARKS)) == len(judged)
    figure = Figure()
    draw(figure, drawn)
    places = [
        (id(axes), x, y) for axes in figure.axes for line in axes.lines for x, y in zip(*line.get_data(), strict=True)
    ]
    assert len(places) == len(set(places)) == len(judged)


def test_marks_are_told_apart_without_colours():
    looks = [(look.marker, look.filled) for look in MARKS.values()]
    assert len(set(looks)) == len(looks)
