"""The function as a user calls it: each question, its error rates, and one line for what is wrong with the call."""

import numpy as np
import pytest
from scipy import stats

from fragility import UsageError, check
from fragility.judging.bands import clopper_pearson

REPEATS, RATE = 80, 0.1


def normal(rng, size):
    return rng.standard_normal(size)


def coin(rng, size):
    return rng.random(size) < 0.3


def world(rng):
    return {"x": rng.random()}


def relation(x):
    return x, 1.0


def test_each_question_is_answered():
    decoys = [
        check(normal, stats.norm, tolerance=0.1, decoys=[stats.norm(0, 2), stats.t(1)]),
        check(normal, normal, tolerance=0.1, decoys=[lambda rng, size: 1 + normal(rng, size)]),
        check(normal, mean=0, sd=1, tolerance=0.2, decoys=[0.5, -0.5]),
        check(coin, mean=0.3, bounds=(0, 1), tolerance=0.1, decoys={"half": 0.5}),
        check(coin, probability=0.3, tolerance=0.1, decoys=[0.2]),
        check(relation, world, decoys=[lambda x: (x, 0.5)]),
    ]
    assert all(verdict.agrees for verdict in decoys)
    assert all(verdict.rejected == verdict.visible for verdict in decoys)
    assert [len(verdict.rejected) for verdict in decoys] == [2, 1, 2, 1, 1, 1]
    assert [verdict.claim for verdict in decoys] == [
        "normal: law norm",
        "normal: the law of normal",
        "normal: mean 0",
        "coin: mean 0.3",
        "coin: probability 0.3",
        "relation",
    ]
    assert decoys[0].rejected == ("norm(0, 2)", "t(1)")
    assert decoys[3].rejected == ("half",)
    assert check(normal, stats.norm, tolerance=0.1, name="mine").claim == "mine"


def test_a_law_needs_no_more_than_a_distribution_function():
    class Law:
        def cdf(self, x):
            return stats.norm.cdf(x)

    verdict = check(normal, Law(), tolerance=0.1)
    assert verdict.agrees
    assert verdict.claim == "normal: law Law"


@pytest.mark.parametrize("cdf", [lambda x: 1 - stats.norm.cdf(x), lambda x: 2 * stats.norm.cdf(x)])
def test_a_law_that_is_none_is_said_and_not_judged(cdf):
    class Law:
        name = "mine"

    Law.cdf = staticmethod(cdf)
    verdict = check(normal, Law(), tolerance=0.1)
    assert verdict.outcome == "faulty"
    assert verdict.fault.startswith("the cdf of mine must ")


@pytest.mark.parametrize(
    "asked",
    [
        {"against": stats.norm, "tolerance": 0.15},
        {"mean": 0.0, "sd": 1.0, "tolerance": 0.3},
    ],
    ids=["law", "mean"],
)
def test_error_rates_are_as_promised(asked, error_rate):
    """Counted; benchmarks/bench_checks.py does so a thousand times."""

    def shifted(by):
        return lambda rng, size: rng.standard_normal(size) + by

    # Kolmogorov's distance of a shifted normal law is largest in the middle.
    off = 2 * stats.norm.ppf(0.5 + asked["tolerance"] / 2) if "against" in asked else asked["tolerance"]
    rates = {"alpha": RATE, "power": 1 - RATE}
    right = [check(shifted(0.0), **asked, **rates, seed=seed).outcome for seed in range(REPEATS)]
    wrong = [check(shifted(off), **asked, **rates, seed=seed).outcome for seed in range(REPEATS)]
    assert clopper_pearson(right.count("disagrees"), REPEATS, error_rate)[0] <= RATE
    assert clopper_pearson(wrong.count("agrees"), REPEATS, error_rate)[0] <= RATE
    assert right.count("agrees") > 0.8 * REPEATS


def test_more_certainty_takes_more_draws():
    samples = [
        check(normal, mean=0, sd=1, tolerance=0.2, alpha=alpha, power=power).samples
        for alpha, power in [(0.05, 0.9), (0.05, 0.999)]
    ]
    assert samples == sorted(set(samples))
    needed = [
        check(np.zeros(1), stats.norm, tolerance=0.2, alpha=alpha, power=power).needed
        for alpha, power in [(0.1, 0.9), (0.01, 0.9), (0.01, 0.99)]
    ]
    assert needed == sorted(set(needed))


class NoCdf:
    pass


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: check(normal), "a check must be against one thing, a law, another sampler, mean=, probability=, or the"
         " world of a relation, got 0 of them"),
        (lambda: check(normal, stats.norm, mean=0), "got 2 of them"),
        (lambda: check(normal, stats.norm), "tolerance must say which gap is to be seen, got none: add tolerance="),
        (lambda: check(normal, stats.norm, tolerance=0), "tolerance must lie between 7.62939e-06 and 1, got 0: it is a"
         " gap between probabilities"),
        (lambda: check(normal, stats.norm, tolerance=1.5), "tolerance must lie between 7.62939e-06 and 1, got 1.5"),
        (lambda: check(normal, stats.norm, tolerance="x"), "tolerance must be a number, got 'x'"),
        (lambda: check(normal, normal, tolerance=-1), "tolerance must lie between"),
        (lambda: check(coin, probability=0.3, tolerance=1), "tolerance must lie between"),
        (lambda: check(normal, mean=0, sd=1, tolerance=0), "tolerance must be larger than 0, and finite, got 0"),
        (lambda: check(relation, world, tolerance=np.nan), "tolerance must be larger than 0, and finite, got nan"),
        (lambda: check(normal, mean=0, tolerance=1), "a mean needs sd=, a bound on the standard deviation, or bounds="
         " of all draws, got neither"),
        (lambda: check(normal, mean=0, sd=1, bounds=(0, 1), tolerance=1), "got both"),
        (lambda: check(normal, mean=0, sd=0, tolerance=1), "sd must be larger than 0, and finite, got 0"),
        (lambda: check(normal, mean=np.inf, sd=1, tolerance=1), "mean must be finite, got inf"),
        (lambda: check(normal, mean=2, bounds=(0, 1), tolerance=1), "mean must lie between 0 and 1, got 2"),
        (lambda: check(normal, mean=2, bounds=(1, 0), tolerance=1), "bounds must be finite and increasing, got (1, 0)"),
        (lambda: check(normal, mean=2, bounds=3, tolerance=1), "bounds must be two numbers, such as (0, 1), got 3"),
        (lambda: check(normal, stats.norm, sd=1, tolerance=0.1), "sd and bounds speak of a mean, got none: add mean="),
        (lambda: check(coin, probability=1.1, tolerance=0.1), "probability must lie between 0 and 1, got 1.1"),
        (lambda: check(normal, stats.norm, tolerance=0.1, alpha=0), "alpha must lie between 0 and 1, got 0"),
        (lambda: check(normal, stats.norm, tolerance=0.1, power=1), "power must lie between 0 and 1, got 1"),
        (lambda: check(normal, stats.norm, tolerance=0.1, seed=-1), "seed must be a whole number, at least 0, got -1"),
        (lambda: check(normal, stats.norm, tolerance=0.1, seed=None), "seed must be a whole number"),
        (lambda: check(normal, stats.norm, tolerance=0.1, workers=0), "workers must be a whole number, at least 1"),
        (lambda: check(normal, stats.norm, tolerance=0.1, thin=0), 'thin, if not "auto", must be a whole number'),
        (lambda: check(normal, stats.norm, tolerance=0.1, thin=True), 'thin, if not "auto", must be a whole number'),
        (lambda: check(normal, stats.norm, tolerance=0.1, budget="soon"), "budget must be a time such as 60s, 5m or 2h,"
         " got soon"),
        (lambda: check(normal, stats.norm, tolerance=0.1, budget=0), "budget must be larger than 0, and finite, got 0"),
        (lambda: check(normal, stats.norm, tolerance=0.1, domain=bool), "domain speaks of the worlds of a relation"),
        (lambda: check(relation, world, workers=2), "workers and thin speak of a sampler, got a relation"),
        (lambda: check(relation, world, thin="auto"), "workers and thin speak of a sampler, got a relation"),
        (lambda: check(relation, world, rare=0), "rare must lie between 0 and 1, got 0"),
        (lambda: check(normal, stats.norm, tolerance=0.1, decoys=stats.t(3)), "decoys must be a list, or names"),
        (lambda: check(normal, stats.norm, tolerance=0.1, decoys="t"), "decoys must be a list, or names"),
        (lambda: check(normal, stats.norm, tolerance=0.1, decoys=[3]), "a decoy of a law must have a cdf, got int"),
        (lambda: check(normal, stats.norm, tolerance=0.1, decoys=[stats.norm]), "a decoy must differ from what is"
         " claimed, got norm for itself"),
        (lambda: check(normal, stats.norm, tolerance=0.1, decoys=[stats.norm(0, 1)]), "a decoy must differ from what is"
         " claimed, got norm(0, 1), which is the same law as norm"),
        (lambda: check(normal, mean=0, sd=1, tolerance=0.1, decoys=[0]), "a decoy must differ from what is claimed, got"
         " 0 for 0"),
        (lambda: check(coin, probability=0.3, tolerance=0.1, decoys=[2]), "a decoy must lie between 0 and 1, got 2"),
        (lambda: check(coin, probability=0.3, tolerance=0.1, decoys={"same": 0.3}), "got same for 0.3"),
        (lambda: check(normal, NoCdf(), tolerance=0.1), "samplers that are compared must both be functions or both be"
         " draws"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_line(call, says):
    with pytest.raises(UsageError) as raised:
        call()
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_decoys_of_one_name_are_told_apart():
    verdict = check(normal, stats.norm, tolerance=0.1, decoys=[stats.norm(0, 2), stats.norm(0, 2)])
    assert verdict.rejected == ("norm(0, 2)", "norm(0, 2) (2)")


def test_a_sampler_may_have_a_size_by_default():
    def default(rng, size=1):
        return rng.standard_normal(size)

    assert check(normal, default, tolerance=0.2).agrees
    assert check(relation, lambda rng, most=1.0: {"x": most * rng.random()}).agrees


def test_decoys_that_are_near_are_said():
    verdict = check(normal, stats.norm, tolerance=0.1, decoys={"near": stats.norm(0.01, 1)})
    assert (verdict.visible, verdict.note) == ((), "nearer than the tolerance, and left out: near")
