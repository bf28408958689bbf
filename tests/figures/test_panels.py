"""Panels are drawn from numbers, and the numbers are those of the records and the claims."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import stats

from figures.panels import deviation, law, moment, rate, tightness
from figures.panels.shared import short
from figures.shared.records import NOT_BLIND, Held
from fragility.claim import Claim, Decoy, Rate, Sides
from fragility.engine.records import raw_table
from fragility.judging.bands import Catoni, Dkw
from fragility.judging.evidence import Evidence
from fragility.law import Moment

POINT = {"n": 3}
LEVELS = (np.arange(75) + 0.5) / 75


def held(blind=True, **values):
    return Held(Evidence([raw_table({name: np.asarray(value) for name, value in values.items()})]), blind)


def claim(kind, theory, *decoys, **fields):
    return Claim(
        id="test", source="", says="", kind=kind, theory=theory, tolerance=0.1, statistic="x", decoys=decoys, **fields
    )


def drawn_on_axes(draw, *arguments, **keywords):
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    draw(axes, *arguments, **keywords)
    figure.draw_without_rendering()
    return axes


def lines(axes):
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def twice(_values):
    return 2 * _values


LAW = claim(
    "law",
    lambda n: stats.chi(n),
    Decoy("nowhere", lambda n: stats.chi(n), where=lambda n: n > 3),
    Decoy("absent", lambda n: math.sqrt(-n)),
    Decoy("too near to be promised", lambda n: stats.chi(n + 0.01)),
    Decoy("one more", lambda n: stats.chi(n + 1)),
)


class TestLaw:
    drawn = law.numbers(LAW, POINT, held(x=stats.chi(3).ppf(LEVELS)), alpha=0.01)

    def test_the_numbers_are_those_of_draws_and_law(self):
        np.testing.assert_allclose(self.drawn.values, stats.chi(3).ppf(LEVELS))
        np.testing.assert_allclose(self.drawn.share, (np.arange(75) + 1) / 75)
        np.testing.assert_allclose(self.drawn.exact, stats.chi(3).cdf(self.drawn.x))
        np.testing.assert_allclose(self.drawn.wrong, stats.chi(4).cdf(self.drawn.x))
        assert self.drawn.band == Dkw().band(75, 0.01)

    def test_the_decoy_is_one_that_the_tolerance_shows(self):
        assert self.drawn.decoy == "one more"

    def test_the_panel_shows_these_numbers(self):
        shown = lines(drawn_on_axes(law.draw, self.drawn))
        np.testing.assert_array_equal(shown["exact law"][:, 1], self.drawn.exact)
        np.testing.assert_array_equal(shown["75 draws"][:, 0], self.drawn.values)
        np.testing.assert_array_equal(shown["one more"][:, 1], self.drawn.wrong)

    @pytest.mark.parametrize(
        ("theory", "logarithmic"), [(stats.chi(1), True), (stats.norm(), False), (stats.chi(50), False)]
    )
    def test_its_axis_is_logarithmic_where_a_positive_law_spans_decades(self, theory, logarithmic):
        found = law.numbers(claim("law", lambda n: theory), POINT, held(x=theory.ppf(LEVELS)), 0.05)
        assert drawn_on_axes(law.draw, found).get_xscale() == ("log" if logarithmic else "linear")

    def test_draws_in_which_theory_had_a_part_are_marked(self):
        assert NOT_BLIND in law.numbers(LAW, POINT, held(blind=False, x=LEVELS), 0.05).draws
        assert NOT_BLIND not in self.drawn.draws


def test_pooled_columns_deviate_by_what_is_left_beside_the_uniform_law():
    columns = np.stack([stats.chi(k).ppf(LEVELS) for k in (3, 2)], axis=1)
    exact, wrong = (stats.chi(3), stats.chi(2)), (stats.chi(2), stats.chi(1))
    pooled = claim("law", lambda n: exact, Decoy("one less", lambda n: wrong))
    drawn = deviation.numbers(pooled, POINT, held(x=columns), alpha=0.05)
    assert drawn.values == 150
    assert drawn.band == Dkw().band(150, 0.05)
    np.testing.assert_allclose(np.abs(drawn.found[1]).max(), 1 / 150, atol=1e-12)
    assert np.abs(drawn.wrong[1]).max() > 0.05
    shown = lines(drawn_on_axes(deviation.draw, drawn))
    np.testing.assert_array_equal(shown["one less"], drawn.wrong.T)


def _moment(mean=2.0, far=30.0):
    return claim(
        "moment",
        lambda n: Moment(twice, mean * (n - 2), 0.5),
        Decoy("near", lambda n: Moment(twice, mean * (n - 2) + 0.1, 0.5)),
        Decoy("far", lambda n: Moment(twice, mean * (n - 2) + far, 0.5), where=lambda n: n == 4),
        Decoy("of another number", lambda n: Moment(np.square, 1.0, 0.5)),
    )


@pytest.mark.parametrize(("mean", "relative"), [(2.0, True), (0.0, False)])
def test_moments_stand_in_bands_around_the_theory(mean, relative):
    found = {f"n = {n}": ({"n": n}, held(x=mean * (n - 2) / 2 + 0.1 * (LEVELS - 0.5))) for n in (3, 4)}
    drawn = moment.numbers(_moment(mean), found, alpha=0.02)
    np.testing.assert_allclose(drawn.mean, [mean, 2 * mean])
    np.testing.assert_allclose(drawn.estimate, drawn.mean, atol=1e-3)
    np.testing.assert_allclose(drawn.band, Catoni(0.5).band(75, 0.01))
    assert drawn.relative == relative
    assert set(drawn.wrong) == {"near", "far"}
    np.testing.assert_array_equal(np.isnan(drawn.wrong["far"]), [True, False])
    axes = drawn_on_axes(moment.draw, drawn)
    estimates = next(line for line in axes.lines if line.get_marker() == "o").get_xdata()
    np.testing.assert_allclose(estimates, (drawn.estimate - drawn.mean) / (drawn.mean if relative else 1))
    arrows = [line for line in axes.lines if line.get_marker() == ">"]
    assert sum(len(line.get_xdata()) for line in arrows) == 1


def test_too_few_draws_for_a_band_are_drawn_without_a_warning():
    found = {"n = 3": (POINT, held(x=[1.0, 1.1]))}
    drawn = moment.numbers(_moment(), found, alpha=0.01)
    assert np.isinf(drawn.band).all()
    drawn_on_axes(moment.draw, drawn)


def test_a_rate_is_a_line_through_the_quantiles():
    falling = claim(
        "rate",
        lambda: Rate("n", -0.5, sizes=(4, 16, 64), at=lambda n: {"n": n}, quantile=0.5),
        Decoy("constant", lambda: Rate("n", 0.0)),
    )
    sweep = {n: held(x=stats.chi(3).ppf(LEVELS) / math.sqrt(n)) for n in (4, 16, 64)}
    drawn = rate.numbers(falling, sweep, alpha=0.05)
    assert drawn.slope.value == pytest.approx(-0.5)
    np.testing.assert_allclose(rate.line(drawn, -0.5), drawn.middle)
    assert (drawn.low < drawn.middle).all()
    assert (drawn.middle < drawn.high).all()
    axes = drawn_on_axes(rate.draw, drawn)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), drawn.middle)
    np.testing.assert_allclose(axes.lines[1].get_ydata(), rate.line(drawn, 0.0))
    slope, read = rate.summary(drawn)
    assert slope == f"slope −0.500 ± {math.ceil(1000 * drawn.slope.band) / 1000:.3f}; claim −0.5 ± 0.1"
    assert read == "median of 75 draws a size"


class TestStatement:
    excess = np.linspace(-1.0, -0.01, 100)

    def bound(self, status="printed"):
        return claim("bound", lambda: Sides(0, 1), Decoy("half", lambda: Sides(1, 0)), status=status)

    def numbers(self, status="printed"):
        table = raw_table({"excess": self.excess, "decoys": np.full((100, 1), 0.7)})
        return tightness.numbers(self.bound(status), Evidence([table]))

    def test_a_bound_has_slack(self):
        drawn = self.numbers()
        assert drawn.worst == pytest.approx(-0.1)
        np.testing.assert_allclose(drawn.slack, (0.01, 0.06, 0.95), atol=0.01)
        np.testing.assert_allclose(drawn.decoys, 7.0)

    def test_one_that_fails_has_none(self):
        drawn = self.numbers("refuted")
        assert drawn.slack is None

    def test_what_is_drawn(self):
        rows = [[self.numbers()], [], [self.numbers("refuted")]]
        axes = drawn_on_axes(tightness.draw_excess, rows, lane=0.2)
        decoys = [line.get_xydata() for line in axes.lines if line.get_marker() == "|"]
        np.testing.assert_allclose(decoys, [[(7.0, 0.2)], [(7.0, 2.2)]])
        axes = drawn_on_axes(tightness.draw_slack, rows, lines=True)
        (nearest,) = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
        np.testing.assert_allclose(nearest, [(0.01, 0.0)])


def test_points_are_named_shortly():
    named = short({"n": 8, "rows": (8,), "entries": "signs"}).replace("\N{NO-BREAK SPACE}", " ")
    assert named == "n = 8, signs"
    named = short({"n": 8, "rows": (8, 8)}).replace("\N{NO-BREAK SPACE}", " ")
    assert named == "n = 8, rows = 8, 8"
