"""Draws come in pieces of their own generators, anywhere alike; what is wrong with a sampler is said in one line."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from fragility import UsageError, check
from fragility.checking.sampler import LONGEST, Given, Sampler

NORMAL = np.random.Generator.standard_normal  # draw(rng, size), which other processes can load


def chain(r):
    """A sampler of a chain of the first order, which begins where it stays."""

    def creeping(rng, size):
        steps = rng.standard_normal(size) * np.sqrt(1 - r**2)
        steps[0] = rng.standard_normal()
        return lfilter([1.0], [1.0, -r], steps)

    return creeping


def test_pieces_are_those_of_their_number():
    sampler = Sampler([NORMAL], 5)
    pieces = [*sampler.next(10), *sampler.next(LONGEST + 3)]
    assert [len(piece) for piece in pieces] == [10, LONGEST, 3]
    for number, piece in enumerate(pieces):
        rng = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(number, 0)))
        np.testing.assert_array_equal(piece, rng.standard_normal(len(piece)))


def test_samplers_side_by_side_have_generators_of_their_own():
    (pairs,) = Sampler([NORMAL, NORMAL], 5).next(1000)
    assert pairs.shape == (1000, 2)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 0.15


def test_draws_and_verdict_are_the_same_for_any_number_of_workers():
    options = {"tolerance": 0.2, "decoys": [stats.norm(0, 2)], "seed": 3}
    here = check(NORMAL, stats.norm, **options)
    for workers in (1, 2):
        assert check(NORMAL, stats.norm, **options, workers=workers) == here
    assert check(NORMAL, stats.norm, **{**options, "seed": 4}) != here


def test_workers_need_a_sampler_that_they_can_load():
    with pytest.raises(UsageError, match="with workers a sampler must be a function of a module, got <lambda>"):
        check(lambda rng, size: rng.random(size), stats.uniform, tolerance=0.2, workers=2)


@pytest.mark.parametrize("kind", [float, np.float32, np.float16, int, np.int8, bool, list])
def test_draws_may_be_of_any_kind_of_real_numbers(kind):
    """Of coins, which all of them can be."""

    def coins(rng, size):
        values = rng.integers(0, 2, size)
        return values.tolist() if kind is list else values.astype(kind)

    verdicts = [
        check(coins, stats.bernoulli(0.5), tolerance=0.1),
        check(coins, probability=0.5, tolerance=0.1),
        check(coins, mean=0.5, sd=0.5, tolerance=0.1),
        check(coins, coins, tolerance=0.1),
    ]
    assert all(verdict.agrees for verdict in verdicts)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda rng, size: rng.random(size + 1), r"(rng, 16) must have the shape (16,), got (17,)"),
        (lambda rng, size: rng.random((size, 1)), r"must have the shape (16,), got (16, 1)"),
        (lambda rng, size: rng.random(), r"must have the shape (16,), got ()"),
        (lambda rng, size: None, "must be real numbers, got object from NoneType"),
        (lambda rng, size: ["a"] * size, "must be real numbers, got <U1 from list"),
        (lambda rng, size: 1j * rng.random(size), "must be real numbers, got complex128 from ndarray"),
        (lambda rng, size: rng.no_such_law(size), "must return numbers, got AttributeError"),
        (lambda rng, size, more: rng.random(size), "must return numbers, got TypeError"),
    ],
)
def test_what_a_sampler_returns_is_looked_at(draw, says):
    with pytest.raises(UsageError) as raised:
        check(draw, stats.uniform, tolerance=0.1)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_sampler_that_raises_midway_is_told_with_the_piece_that_replays_it():
    def once(rng, size):
        if size > 100:
            raise RuntimeError("out of luck")
        return rng.random(size)

    with pytest.raises(UsageError) as raised:
        check(once, stats.uniform, tolerance=0.1, seed=9)
    assert str(raised.value) == (
        "once(rng, 264) must return numbers, got RuntimeError: out of luck (piece 4 of seed 9)"
    )
    assert isinstance(raised.value.__cause__, RuntimeError)


def test_a_sampler_with_a_generator_of_its_own_is_noticed():
    with pytest.raises(UsageError, match="must draw from rng, got the same 16 draws from two generators"):
        check(lambda rng, size: np.random.default_rng(1).random(size), stats.uniform, tolerance=0.1)


def test_a_sampler_with_randomness_of_its_own_is_noticed():
    hidden = np.random.default_rng(1)

    def draw(rng, size):
        return hidden.random(size)

    with pytest.warns(UserWarning, match="draw must take all randomness from rng") as caught:
        assert check(draw, stats.uniform, tolerance=0.1).agrees
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_coins_that_fall_alike_are_no_fault():
    """The first sixteen of two generators may well be the same where one side is rare."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(lambda rng, size: rng.random(size) < 1e-3, probability=1e-3, tolerance=0.05).agrees
        constant = check(lambda rng, size: np.full(size, 2.0), mean=2.0, sd=1.0, tolerance=0.5)
    assert constant.agrees
    assert constant.note == "every draw is 2"


def test_constant_draws_of_a_continuous_law_disagree():
    verdict = check(lambda rng, size: np.zeros(size), stats.norm, tolerance=0.1)
    assert verdict.outcome == "disagrees"
    assert str(verdict).endswith("draws 32; every draw is 0")


@pytest.mark.parametrize("r", [0.5, -0.5, -0.9])
@pytest.mark.parametrize("question", ["law", "mean", "two"])
def test_a_chain_is_refused_however_short_its_pieces(r, question):
    draw = chain(r)
    asked = {
        "law": {"against": stats.norm, "tolerance": 0.05},
        "mean": {"mean": 0.0, "sd": 1.0, "tolerance": 0.05},
        "two": {"against": draw, "tolerance": 0.05},
    }[question]
    with pytest.raises(UsageError, match=r"draws of creeping must be independent, got a chain .* keep one in \d+ by"):
        check(draw, **asked)


@pytest.mark.parametrize("thin", ["auto", 20])
def test_a_chain_is_thinned_and_that_is_said(thin):
    verdict = check(chain(0.6), stats.norm, tolerance=0.1, thin=thin)
    assert verdict.agrees
    apart = int(verdict.note.removeprefix("one in ").removesuffix(" draws of a chain"))
    assert apart == 20 if thin == 20 else 8 < apart < 20
    independent = check(NORMAL, stats.norm, tolerance=0.1, thin="auto")
    assert (independent.agrees, independent.note) == (True, "")


def test_given_draws_are_judged_once():
    values = np.random.default_rng(0).standard_normal(4000)
    verdict = check(values, stats.norm, tolerance=0.05)
    assert (verdict.agrees, verdict.samples, verdict.needed) == (True, 4000, 0)
    few = check(values[:100], stats.norm, tolerance=0.05)
    assert (few.outcome, few.samples, few.needed) == ("blunt", 100, 2226)
    assert "up to 2,226 draws would decide" in str(few)
    assert check(values[:2000], values[2000:], tolerance=0.1).agrees
    assert check(values < 0, probability=0.5, tolerance=0.05).agrees
    assert check(values.tolist(), mean=0.0, sd=1.0, tolerance=0.1).agrees


def test_a_given_chain_is_refused_or_thinned():
    values = chain(0.6)(np.random.default_rng(0), 60_000)
    with pytest.raises(UsageError, match=r"^draws must be independent, got a chain"):
        check(values, stats.norm, tolerance=0.05)
    verdict = check(values, stats.norm, tolerance=0.05, thin="auto")
    assert verdict.agrees
    assert verdict.note == f"one in {-(-60_000 // verdict.samples)} draws of a chain"


def test_given_draws_of_two_samplers_are_as_many():
    with pytest.raises(UsageError, match="as many draws must be there of each sampler, got 10 and 20: leave some out"):
        Given([np.arange(10), np.arange(20)])
    with pytest.raises(UsageError, match="must be draws, got none"):
        Given([[]])
    with pytest.raises(UsageError, match="must both be functions or both be draws, got one of each"):
        check(np.arange(10), NORMAL, tolerance=0.1)
