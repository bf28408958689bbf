"""Kolmogorov's distance of draws from a law, atoms and rounding included, and what is said of a law that is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fragility.checking.finding import Fault, Terms
from fragility.checking.laws import CELLS, Cdf, Distance, HasLaw
from fragility.checking.looks import Look
from fragility.engine.study import UsageError

TERMS = Terms(0.05, 0.05, 0.05)


class Mixed:
    """Atoms at some numbers, and for the rest the uniform law on [0, 1]."""

    def __init__(self, atoms):
        self.atoms = atoms

    def cdf(self, x):
        x = np.asarray(x, dtype=float)
        rest = 1 - sum(self.atoms.values())
        return rest * np.clip(x, 0, 1) + sum(mass * (x >= place) for place, mass in self.atoms.items())

    def below(self, x):
        return self.cdf(x) - sum(mass * (x == place) for place, mass in self.atoms.items())


def distance(law, *pieces):
    found = Distance(Cdf(law, "law"))
    for piece in pieces:
        found.add(*np.unique(piece, return_counts=True))
    return found.gap


def by_hand(values, law, below):
    """At every draw and just below it."""
    gaps = []
    for value in values:
        gaps.append(abs(np.mean(values <= value) - law(value)))
        gaps.append(abs(np.mean(values < value) - below(value)))
    return float(max(gaps))


PLACES = st.sampled_from([0.0, 0.2, 0.25, 0.5, 1.0])


@settings(max_examples=50)
@given(
    st.lists(PLACES | st.floats(0, 1).map(lambda x: round(x, 6)), min_size=1, max_size=12),
    st.dictionaries(PLACES, st.sampled_from([0.05, 0.1, 0.2]), max_size=4),
    st.integers(0, 12),
)
def test_a_distance_is_the_one_by_hand(draws, atoms, cut):
    law, values = Mixed(atoms), np.array(draws)
    wanted = by_hand(values, law.cdf, law.below)
    found = distance(law, *(piece for piece in (values[:cut], values[cut:]) if len(piece)))
    assert wanted - 1 / CELLS - 1e-12 <= found <= wanted + 1e-12


def test_a_distance_is_that_of_scipy():
    values = np.random.default_rng(0).normal(0.1, 1.1, 700)
    wanted = stats.ks_1samp(values, stats.norm.cdf).statistic
    assert wanted - 1 / CELLS <= distance(stats.norm, values) <= wanted + 1e-12


def test_draws_of_one_cell_count_as_one_step():
    """Draws that differ by less than a cell, next to one another and in any order."""
    values = 0.5 + np.random.default_rng(0).permutation(200) * 1e-10
    wanted = by_hand(values, stats.uniform.cdf, stats.uniform.cdf)
    assert distance(stats.uniform, values[:100], values[100:]) == pytest.approx(wanted, abs=1 / CELLS)


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.float32, np.float64])
def test_draws_on_a_lattice_are_those_of_a_law_on_it(kind):
    values = np.random.default_rng(1).poisson(3, 400).astype(kind)
    law = stats.poisson(3)
    wanted = by_hand(values.astype(int), law.cdf, lambda k: law.cdf(k - 1))
    question = HasLaw(law, "poisson(3)", TERMS, {})
    question.add(values)
    assert question.finding(Look(400, 0.05, 0.05)).gap == pytest.approx(wanted, abs=1 / CELLS)


def test_booleans_are_draws_of_a_law_on_0_and_1():
    question = HasLaw(stats.bernoulli(0.3), "bernoulli(0.3)", TERMS, {})
    question.add(np.arange(100) < 36)
    assert question.finding(Look(100, 0.05, 0.05)).gap == pytest.approx(0.06, abs=1 / CELLS)


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_rounding_is_no_gap(kind):
    """Numbers near 1000 have steps of one half as float16, so that F misses a tenth at most of them."""
    law = stats.norm(1000, 1)
    exact = law.rvs(size=4000, random_state=2)
    rounded = exact.astype(kind)
    assert distance(law, rounded) <= distance(law, exact) + 1 / CELLS
    if kind is np.float16:
        assert stats.ks_1samp(rounded.astype(float), law.cdf).statistic > 0.1
    shifted = (exact + 1).astype(kind)
    assert distance(law, shifted) > 0.15


class Given:
    """A distribution function as it comes."""

    def __init__(self, cdf):
        self.cdf = cdf


@pytest.mark.parametrize(
    ("cdf", "says"),
    [
        (lambda x: 1 - stats.norm.cdf(x), r"must not decrease, got 0.841345 at -1 and 0.5 at 0$"),
        (lambda x: 1.5 * stats.norm.cdf(x), r"must lie in \[0, 1\], got 1.26202 at 1$"),
        (lambda x: stats.norm.cdf(x) - 0.5, r"must lie in \[0, 1\], got -0.341345 at -1$"),
        (lambda x: np.where(x > 0, np.nan, 0.5), r"must lie in \[0, 1\], got nan at 1$"),
    ],
)
def test_what_is_no_distribution_function_is_said(cdf, says):
    with pytest.raises(Fault, match=f"^the cdf of mine {says}"):
        Cdf(Given(cdf), "mine")(np.array([-1.0, 0.0, 1.0]))


@pytest.mark.parametrize(
    ("cdf", "says"),
    [
        (lambda x: 0.5 if x > 0 else 0.0, "must take an array of numbers, got ValueError"),
        (lambda x: 0.5, r"must give a probability for each of 3 numbers, got \(\)"),
    ],
)
def test_a_distribution_function_takes_arrays(cdf, says):
    with pytest.raises(UsageError, match=says):
        Cdf(Given(cdf), "mine")(np.array([-1.0, 0.0, 1.0]))


def test_rounding_is_no_fault_of_a_distribution_function():
    ripple = 1e-12 * np.array([1.0, -1.0, 1.0])
    np.testing.assert_allclose(Cdf(Given(lambda x: 1 + ripple), "mine")(np.zeros(3)), 1.0, atol=1e-11)
    assert Cdf(Given(lambda x: 1 + ripple), "mine")(np.zeros(3)).max() == 1.0


def asked(values, **decoys):
    question = HasLaw(stats.norm, "norm", TERMS, decoys)
    question.add(values)
    return question


def test_decoys_that_are_near_are_left_out_and_others_rejected():
    values = stats.norm.rvs(size=3000, random_state=3)
    question = asked(values, near=stats.norm(0.03, 1), far=stats.norm(0.5, 1), wide=stats.norm(0, 1.3))
    found = question.finding(Look(3000, 0.05, 0.05))
    assert (found.outcome, found.visible, found.rejected, found.final) == ("agrees", *(("far", "wide"),) * 2, True)
    question = asked(values[:60], wide=stats.norm(0, 1.3))
    found = question.finding(Look(60, 0.001, 0.0))
    assert (found.outcome, found.visible, found.rejected, found.final) == ("blunt", ("wide",), (), False)


def test_a_decoy_that_is_the_same_law_is_refused():
    with pytest.raises(UsageError, match="a decoy must differ from what is claimed, got also, which is the same law"):
        asked(np.linspace(-1, 1, 50), also=stats.norm(0, 1))


def test_a_decoy_that_differs_where_no_draw_is_counts_as_near():
    """It is another law, and yet the same at all draws."""

    class Late:
        def cdf(self, x):
            return np.where(x > 0.9, 1.0, stats.uniform.cdf(x))

    question = HasLaw(stats.uniform, "uniform", TERMS, {"late": Late()})
    question.add(np.linspace(0, 0.8, 50))
    assert question.finding(Look(50, 0.05, 0.05)).visible == ()


@pytest.mark.parametrize("kind", [float, np.float32])
def test_no_number_is_a_fault(kind):
    with pytest.raises(Fault, match="every draw must be a number, got NaN in 2 of 5"):
        asked(np.array([0.0, np.nan, 1.0, np.nan, 2.0], dtype=kind))


def test_infinite_draws_are_judged_as_they_are():
    question = asked(np.array([-np.inf, 0.0, np.inf]))
    assert question.finding(Look(3, 0.05, 0.05)).gap == pytest.approx(1 / 3, abs=1 / CELLS)


def test_the_last_look_decides_whatever_comes():
    """Where the gap is no alarm it is small enough to agree."""
    question = asked(stats.norm.rvs(size=50, random_state=4))
    last = question.looks()[-1]
    found = question.finding(last)
    assert question.needed == last.samples
    assert found.band + (found.resolution - found.gap) <= TERMS.tolerance
    fewer = question.finding(Look(last.samples - 1, last.alpha, last.beta))
    assert fewer.band + (fewer.resolution - fewer.gap) > TERMS.tolerance
    assert [look.samples for look in HasLaw(stats.norm, "norm", Terms(0.05, 0.05, 0.05, 77), {}).looks()] == [77]


def test_error_rates_of_given_draws_are_as_promised():
    """Exactly, of draws that are 0 or 1, for every probability that is off by the tolerance."""
    samples, tolerance = 50, 0.3
    counts = np.arange(samples + 1)
    for chance in (0.02, 0.65):
        outcomes = []
        for count in counts:
            question = HasLaw(stats.bernoulli(chance), "claim", Terms(tolerance, 0.05, 0.1, samples), {})
            question.add(counts[:samples] < count)
            outcomes.append(question.finding(Look(samples, 0.05, 0.1)).outcome)
        outcomes = np.array(outcomes)
        assert stats.binom.pmf(counts, samples, chance)[outcomes == "disagrees"].sum() <= 0.05
        for other in (chance - tolerance, chance + tolerance):
            if 0 < other < 1:
                assert stats.binom.pmf(counts, samples, other)[outcomes == "agrees"].sum() <= 0.1
