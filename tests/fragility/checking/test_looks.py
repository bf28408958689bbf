"""Looks spend no more than there is, and the last of them decides."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.checking.looks import EARLY, FIRST, fewest, planned

RATES = st.floats(1e-6, 0.5)


def needed(scale):
    """Draws that a normal mean takes."""
    return lambda alpha, beta: math.ceil(scale * (math.log(1 / alpha) + math.log(1 / beta)))


@given(RATES, RATES, st.integers(1, 10**5))
def test_parts_add_up_to_the_whole(alpha, beta, scale):
    looks = planned(needed(scale), alpha, beta)
    assert sum(look.alpha for look in looks) == pytest.approx(alpha, rel=0.03)
    assert sum(look.alpha for look in looks) <= alpha * (1 + 1e-12)
    assert sum(look.beta for look in looks) == pytest.approx(beta, rel=1e-12)
    assert all(look.alpha > 0 for look in looks)
    *gross, early, last = looks
    assert [look.samples for look in looks] == sorted(look.samples for look in looks)
    assert last.samples == needed(scale)(last.alpha, last.beta)
    assert early.samples == math.ceil(EARLY * last.samples)
    assert all(look.beta == 0 for look in gross)
    assert [look.samples for look in gross] == [FIRST * 2**k for k in range(len(gross))]


def test_looks_come_early_enough_to_see_what_is_grossly_wrong():
    looks = planned(needed(1000), 0.05, 0.05)
    assert looks[0].samples == FIRST
    assert len(looks) == 10


@pytest.mark.parametrize("number", [1, 2, 3, 17, 1000, 1024])
def test_the_fewest_draws_are_found(number):
    tried = []
    assert fewest(lambda samples: tried.append(samples) or samples >= number) == number
    assert len(tried) < 25
