"""How other tools answer the questions that `fragility.check` does, by their own methods, in their own settings.

A tool is (question, draw, seed) -> whether it passes, and how many draws that took; None where it cannot be asked. What
a tool leaves to its user, the number of draws, is USUAL. A package is imported by its first call, which raises
ImportError where it is not installed; the statistical assertions of TensorFlow Probability are a few formulas, which
stand here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from fragility import check

Draw = Callable[[np.random.Generator, int], np.ndarray]
USUAL = 1000  # draws where the user has to say how many
LAW_DRAWS = 10_000  # the default of pytest-stochastic
RESAMPLES = 100  # the default of stochtest is 500, which takes long and changes little
ALPHA = BETA = 0.05


@dataclass(frozen=True)
class Question:
    """What is asked of a sampler, a sampler for which it holds and one that is off by exactly the tolerance.

    Parameters
    ----------
    says : what is asked.
    asked : what `check` is told besides the sampler and the tolerance.
    variance : of the draws, where a user knows it.
    """

    says: str
    tolerance: float
    asked: Mapping[str, Any]
    right: Draw
    off: Draw
    variance: float | None = None

    @property
    def against(self) -> Any:
        """A law or another sampler; None where a number is asked for."""
        return self.asked.get("against")

    @property
    def law(self) -> Any:
        """The law in question; None where another thing is."""
        return self.against if hasattr(self.against, "cdf") else None

    @property
    def other(self) -> Draw | None:
        """The sampler that is to have the same law; None where another thing is asked."""
        return None if self.law else self.against

    @property
    def mean(self) -> float | None:
        """Mean or probability; None where another thing is asked."""
        return self.asked.get("mean", self.asked.get("probability"))

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Between which all draws are known to lie."""
        return (0.0, 1.0) if "probability" in self.asked else self.asked.get("bounds")


@dataclass(frozen=True)
class Answer:
    """What a tool says: whether it passes, after so many draws of the sampler in question."""

    passes: bool
    draws: int


Tool = Callable[[Question, Draw, int], Answer | None]


def ours(question: Question, draw: Draw, seed: int) -> Answer:
    """`fragility.check`; what is blunt does not pass."""
    verdict = check(draw, **question.asked, tolerance=question.tolerance, alpha=ALPHA, power=1 - BETA, seed=seed)
    return Answer(verdict.agrees, verdict.samples)


def tensorflow_probability(question: Question, draw: Draw, seed: int) -> Answer | None:
    """The assertions of tensorflow_probability.distributions.internal.statistical_testing, with their own draws.

    min_num_samples_for_dkwm_cdf_test, ..._mean_test and ..._cdf_two_sample_test say how many, and the assertions of
    the same names pass where the envelopes of Dvoretzky, Kiefer, Wolfowitz and Massart leave room.
    """
    first, second = _streams(seed)
    if question.law:
        n = _dkw_draws(question.tolerance, ALPHA, BETA)
        gap = _distance(draw(first, n), question.law)
        return Answer(gap <= _envelope(n, ALPHA), n)
    if question.other:
        n = _dkw_draws(question.tolerance / 2, ALPHA / 2, BETA / 2)
        gap = stats.ks_2samp(draw(first, n), question.other(second, n), method="asymp").statistic
        return Answer(gap <= 2 * _envelope(n, ALPHA), n)
    if question.bounds is None or question.mean is None:
        return None
    low, high = question.bounds
    n = _dkw_draws(question.tolerance / (high - low), ALPHA, BETA)
    values, envelope = np.sort(draw(first, n).astype(float)), _envelope(n, ALPHA)
    # The smallest and the largest mean of a law within the envelope: its weight is moved to an end.
    kept = np.clip(np.arange(1, n + 1) / n - envelope, 0.0, 1 / n)
    most, least = kept @ values + envelope * high, kept @ values[::-1] + envelope * low
    return Answer(least <= question.mean <= most, n)


def pytest_stochastic(question: Question, draw: Draw, seed: int) -> Answer | None:
    """Its decorators with the tolerance as `atol`; of a law its test of Kolmogorov and Smirnov at its 10,000 draws."""
    return _stochastic(question, draw, seed, question.tolerance)


def pytest_stochastic_halved(question: Question, draw: Draw, seed: int) -> Answer | None:
    """The same with half the tolerance: what is off by all of it then passes as rarely as what is right fails."""
    return None if question.mean is None else _stochastic(question, draw, seed, question.tolerance / 2)


def stochtest(question: Question, draw: Draw, seed: int) -> Answer | None:
    """Its assertions that a law, a mean or a rate lies within a margin, at as many draws as its user says.

    has_distribution passes where 95 % of its resamples are within the margin, by the statistic of Kolmogorov and
    Smirnov. It is computed here, since the package has scipy.stats compute a p-value of each, and takes a second.
    """
    from stochtest import assert_that

    first, second = _streams(seed)
    values = draw(first, USUAL)
    if question.against:
        ordered = np.sort(values)
        drawn = first.multinomial(USUAL, np.full(USUAL, 1 / USUAL), size=RESAMPLES)
        reached = np.cumsum(drawn, axis=1) / USUAL
        if question.law:
            law = question.law.cdf(ordered)
            gaps = np.maximum(reached - law, np.where(drawn > 0, law - reached + drawn / USUAL, 0.0)).max(axis=1)
        else:
            places = np.concatenate([ordered, other := np.sort(question.other(second, USUAL))])
            theirs = np.searchsorted(other, places, side="right") / USUAL
            before = np.concatenate([np.zeros((RESAMPLES, 1)), reached], axis=1)
            gaps = np.abs(before[:, np.searchsorted(ordered, places, side="right")] - theirs).max(axis=1)
        return Answer(bool(np.mean(gaps <= question.tolerance) >= 1 - ALPHA), USUAL)
    asserted = assert_that(values)
    within = asserted.has_acceptance_rate_of if values.dtype == bool else asserted.has_expected_value_of
    return Answer(_holds(lambda: within(question.mean, question.tolerance, ALPHA)), USUAL)


def scipy_stats(question: Question, draw: Draw, seed: int) -> Answer:
    """What a user writes with scipy.stats alone: a p-value above 0.05."""
    first, second = _streams(seed)
    values = draw(first, USUAL)
    if question.law:
        p = stats.kstest(values, question.law.cdf).pvalue
    elif question.other:
        p = stats.ks_2samp(values, question.other(second, USUAL)).pvalue
    elif values.dtype == bool:
        p = stats.binomtest(int(values.sum()), USUAL, question.mean).pvalue
    else:
        p = stats.ttest_1samp(values, question.mean).pvalue
    return Answer(bool(p > ALPHA), USUAL)


TOOLS: Mapping[str, Tool] = {
    "check": ours,
    "TensorFlow Probability": tensorflow_probability,
    "pytest-stochastic": pytest_stochastic,
    "pytest-stochastic, half the tolerance": pytest_stochastic_halved,
    "stochtest": stochtest,
    "scipy.stats, p > 0.05": scipy_stats,
}


def _stochastic(question: Question, draw: Draw, seed: int, tolerance: float) -> Answer | None:
    from pytest_stochastic import distributional_test
    from pytest_stochastic.runtime import check_assertion, compute_estimate
    from pytest_stochastic.selection import select_bound
    from pytest_stochastic.validation import validate_and_build_config

    rng = np.random.default_rng(seed)
    if question.law:
        values = iter(draw(rng, LAW_DRAWS).astype(float))  # the function under test returns one draw after another
        tests = distributional_test(reference=question.law, test="ks", significance=ALPHA, n_samples=LAW_DRAWS)
        return Answer(_holds(tests(lambda: next(values))), LAW_DRAWS)
    if question.mean is None:
        return None
    config = validate_and_build_config(
        expected=question.mean,
        atol=tolerance,
        rtol=0.0,
        failure_prob=ALPHA,
        bounds=question.bounds,
        variance=question.variance,
        sub_gaussian_param=None,
        symmetric=False,
        moment_bound=None,
        side="two-sided",
    )
    bound, n = select_bound(dict(config.declared_properties), config.tol, config.failure_prob, config.side)
    estimate = compute_estimate(draw(rng, n).astype(float), bound.estimator_type, ALPHA)
    return Answer(check_assertion(estimate, config, bound, n, 0).passed, n)


def _holds(assertion: Callable[[], Any]) -> bool:
    try:
        assertion()
    except AssertionError:
        return False
    return True


def _streams(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    first, second = np.random.SeedSequence(seed).spawn(2)
    return np.random.default_rng(first), np.random.default_rng(second)


def _dkw_draws(discrepancy: float, false_fail: float, false_pass: float) -> int:
    """Half the discrepancy for each error."""
    return math.ceil(max(-math.log(rate / 2) / (2 * (discrepancy / 2) ** 2) for rate in (false_fail, false_pass)))


def _envelope(samples: int, rate: float) -> float:
    return math.sqrt(-math.log(rate / 2) / (2 * samples))


def _distance(values: np.ndarray, law: Any) -> float:
    """Kolmogorov's; of a law with atoms it needs the probabilities of less than each draw, too."""
    places, counts = np.unique(values, return_counts=True)
    share = np.cumsum(counts) / len(values)
    at = law.cdf(places)
    before = at - law.pmf(places) if hasattr(law, "pmf") else at
    return float(max(np.max(share - at), np.max(before - share + counts / len(values))))
