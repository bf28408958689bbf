"""Relations in random worlds: what fails is found, replays from its number, and is made small within the domain."""

import numpy as np
import pytest

from fragility import UsageError, check


def world(rng):
    return {"A": rng.standard_normal((4, 3)), "x": rng.standard_normal(3)}


def stretch(A, x):
    """The length of A x is at most the Frobenius norm times the length of x."""
    return np.linalg.norm(A @ x), np.linalg.norm(A) * np.linalg.norm(x)


def spectral(A, x):
    """The wrong way round."""
    return np.linalg.norm(A, 2) * np.linalg.norm(x), np.linalg.norm(A @ x)


def test_what_holds_agrees_with_the_share_of_worlds_that_it_rules_out():
    verdict = check(stretch, world)
    assert verdict.agrees
    assert verdict.samples == 299  # 0.99^299 < 0.05 < 0.99^298
    assert verdict.resolution == pytest.approx(1 - 0.05 ** (1 / 299))
    assert verdict.gap < 0
    assert verdict.failure is None
    assert check(stretch, world, rare=0.1, power=0.5).samples == 7


def test_what_fails_is_made_small_and_still_fails():
    verdict = check(spectral, world)
    assert verdict.outcome == "disagrees"
    assert verdict.gap > verdict.band
    failure = verdict.failure
    left, right = spectral(**failure.smallest)
    assert (failure.left, failure.right) == (left, right)
    assert left > right
    assert failure.smallest["A"].shape[1] == failure.smallest["x"].shape[0]
    assert failure.smallest["A"].size + failure.smallest["x"].size <= 4 < 15
    assert all(entry == round(entry) for array in failure.smallest.values() for entry in array.flat)


def test_a_world_replays_from_its_number():
    def rarely(x):
        return x[0], 2.0

    verdict = check(rarely, lambda rng: {"x": rng.standard_normal(3)}, seed=7, rare=0.001)
    number = verdict.failure.number
    assert number == verdict.samples - 1 > 3
    rng = np.random.default_rng(np.random.SeedSequence(7, spawn_key=(number,)))
    np.testing.assert_array_equal(verdict.failure.world["x"], rng.standard_normal(3))
    assert verdict.failure.world["x"][0] > 2
    (smallest,) = verdict.failure.smallest["x"]
    assert smallest > 2


def test_a_small_world_is_one_that_the_relation_speaks_of():
    def long_and_positive(x):
        return len(x) >= 2 and bool(np.all(x > 0))

    def short(x):
        return np.sum(x), 0.5

    verdict = check(short, lambda rng: {"x": rng.random(6) + 0.1}, domain=long_and_positive)
    assert long_and_positive(verdict.failure.smallest["x"])
    assert len(verdict.failure.smallest["x"]) == 2
    assert sum(short(**verdict.failure.smallest)) > 1
    anywhere = check(short, lambda rng: {"x": rng.random(6) + 0.1})
    assert anywhere.failure.smallest["x"].tolist() == [1]


def test_a_domain_may_be_undefined_for_a_world_that_is_too_small():
    """It is asked of fractions, too, which no linear algebra takes."""
    verdict = check(
        lambda A: (np.linalg.norm(A), 1.0),
        lambda rng: {"A": rng.standard_normal((3, 3))},
        domain=lambda A: np.linalg.cond(A) < 100 and A[1, 0] is not None,
    )
    smallest = verdict.failure.smallest["A"]
    assert smallest.shape == (2, 2)
    assert np.linalg.cond(smallest) < 100


@pytest.mark.parametrize(
    ("drawn", "kind"),
    [
        (lambda rng: rng.integers(-4, 9, size=5), np.int64),
        (lambda rng: rng.random(5) < 0.9, np.bool_),
        (lambda rng: rng.random(5).astype(np.float32), np.float32),
    ],
)
def test_a_small_world_has_the_types_of_the_one_that_was_drawn(drawn, kind):
    seen = set()

    def relation(values, count, scale):
        seen.add((type(count), type(scale)))
        if values.dtype != object:  # where exact sides are tried
            assert values.dtype == kind
        return np.sum(values) * count, -100 * scale

    verdict = check(relation, lambda rng: {"values": drawn(rng), "count": 3, "scale": 0.5})
    assert verdict.outcome == "disagrees"
    assert verdict.failure.smallest["values"].dtype == kind
    assert isinstance(verdict.failure.smallest["count"], int)
    assert {(int, float)} <= seen


def test_what_are_no_numbers_is_left_as_it_was_drawn():
    verdict = check(lambda word, x: (x, -1.0), lambda rng: {"word": "any", "x": rng.random()})
    assert verdict.failure.smallest is verdict.failure.world
    infinite = check(lambda x: (x[1], 0.0), lambda rng: {"x": np.array([-np.inf, 1.0])})
    assert infinite.failure.smallest is infinite.failure.world


def test_a_relation_that_fails_by_rounding_only_holds():
    def rounded(x):
        return x * (1 + 1e-12), x

    assert check(rounded, lambda rng: {"x": rng.random()}).agrees
    strict = check(rounded, lambda rng: {"x": rng.random()}, tolerance=1e-14)
    assert strict.outcome == "disagrees"


def test_entries_are_compared_one_by_one():
    assert check(lambda x: (x, x + 1), lambda rng: {"x": rng.random(4)}).agrees
    wrong = check(lambda x: (x, x + np.array([1, 1, -1, 1])), lambda rng: {"x": rng.random(4)})
    assert wrong.gap == pytest.approx(1, rel=1)


def test_wrong_relations_are_rejected_in_the_same_worlds():
    verdict = check(stretch, world, decoys={"backwards": spectral, "the same": stretch})
    assert (verdict.visible, verdict.rejected) == (("backwards", "the same"), ("backwards",))
    assert "decoys 1/2" in str(verdict)


def test_a_side_that_is_no_number_is_a_fault():
    verdict = check(lambda x: (np.sqrt(x), 1.0), lambda rng: {"x": float(rng.integers(0, 2)) * np.nan}, seed=3)
    assert verdict.outcome == "faulty"
    assert verdict.fault == "both sides must be numbers, got NaN in world 0 of seed 3"


@pytest.mark.parametrize(
    ("relation", "world", "says"),
    [
        (stretch, lambda rng: 3.0, "world(rng) must return names and their values, got float"),
        (stretch, lambda rng: 1 / 0, "must return what the relation takes, got ZeroDivisionError: division by zero"),
        (stretch, lambda rng: {"A": np.eye(2)}, "must return two sides, left and right, got TypeError"),
        (lambda x: x, lambda rng: {"x": 1.0}, "must return two sides, left and right, got TypeError"),
        (lambda x: (1, 2, x), lambda rng: {"x": 1.0}, "must return two sides, left and right, got ValueError"),
    ],
)
def test_what_is_no_relation_or_no_world_is_said(relation, world, says):
    with pytest.raises(UsageError) as raised:
        check(relation, world)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_budget_ends_it():
    import time

    def slow(x):
        time.sleep(0.02)
        return 0, x

    verdict = check(slow, lambda rng: {"x": 1.0}, budget=0.1)
    assert verdict.outcome == "blunt"
    assert verdict.samples < 50
    assert verdict.needed == 299
    assert "up to 299 worlds would decide" in str(verdict)
