"""A verdict in one line, and as a small table."""

import numpy as np
import pytest

from fragility.checking.checked import Checked
from fragility.checking.relations import Failure

DRAWN = {
    "claim": "mine: law norm", "point": {}, "method": "check", "outcome": "agrees", "gap": 0.0123, "band": 0.0456,
    "tolerance": 0.05, "resolution": 0.0391, "unit": "gap", "wanted": 0.05, "samples": 1546, "needed": 2209,
    "alpha": 0.05,
}  # fmt: skip
WORLDS = {**DRAWN, "claim": "mine", "unit": "worlds", "wanted": 0.01, "resolution": 0.01, "samples": 299, "needed": 0}
FAILED = Failure(4, {}, {"x": np.array([0.5, -2.0]), "n": 3, "word": "<b>"}, 2.0, np.array([1.0, 1 / 3]))


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        (DRAWN, "mine: law norm: agrees, gap 0.012, band 0.046, would see 0.039, draws 1,546"),
        (
            {**DRAWN, "visible": ("a", "b"), "rejected": ("b",), "note": "every draw is 2"},
            "mine: law norm: agrees, gap 0.012, band 0.046, would see 0.039, draws 1,546, decoys 1/2; every draw is 2",
        ),
        (
            {**DRAWN, "outcome": "disagrees", "gap": 0.2},
            "mine: law norm: disagrees, gap 0.2, band 0.046, draws 1,546",
        ),
        (
            {**DRAWN, "outcome": "blunt", "samples": 16, "resolution": 0.3},
            "mine: law norm: blunt, gap 0.012, band 0.046, would see 0.3, draws 16; up to 2,209 draws would decide",
        ),
        (
            {**DRAWN, "outcome": "blunt", "resolution": 0.06, "needed": 0},
            "mine: law norm: blunt, gap 0.012, band 0.046, would see 0.06, draws 1,546; more draws would not decide",
        ),
        (
            {**DRAWN, "outcome": "faulty", "samples": 16, "fault": "every draw must be a number,\n got NaN"},
            "mine: law norm: faulty, draws 16; every draw must be a number, got NaN",
        ),
        (WORLDS, "mine: agrees, gap 0.012, band 0.046, would see 1 % of worlds, worlds 299"),
        (
            {**WORLDS, "outcome": "disagrees", "gap": 1.0, "samples": 5, "failure": FAILED},
            "mine: disagrees, gap 1, band 0.046, worlds 5; world 4, made small: x = [1/2, -2], n = 3, word = <b>, where"
            " 2 > [1, 1/3]",
        ),
        ({**WORLDS, "outcome": "faulty", "samples": 0, "fault": "no number"}, "mine: faulty, worlds 0; no number"),
    ],
)
def test_a_verdict_in_one_line(changed, line):
    verdict = Checked(**changed)
    assert str(verdict) == line
    assert verdict.agrees == (changed["outcome"] == "agrees")


def test_a_verdict_as_a_table_says_the_same_and_is_safe():
    html = Checked(**{**WORLDS, "claim": "<mine>", "outcome": "disagrees", "failure": FAILED})._repr_html_()
    assert html.startswith("<table><tr><th>claim</th><td>&lt;mine&gt;</td></tr><tr><th>verdict</th><td>disagrees</td>")
    assert "<th>worlds</th><td>299</td>" in html
    assert "word = &lt;b&gt;, where 2 &gt; [1, 1/3]" in html
    assert html.count("<tr>") == html.count("</tr>") == 6
    assert "note" not in Checked(**DRAWN)._repr_html_()


def test_numbers_that_are_no_short_rationals_are_rounded():
    failure = Failure(0, {}, {"x": np.pi, "y": np.array([[1e8, -1 / 7]])}, 1e300, 0)
    line = str(Checked(**{**WORLDS, "outcome": "disagrees", "failure": failure}))
    assert line.endswith("x = 3.14159, y = [[100000000, -1/7]], where 1e+300 > 0")
