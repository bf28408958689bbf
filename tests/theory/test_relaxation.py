"""The two lines of a ReLU: where they touch it, and on which side of it linear bounds are carried."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.things.relaxation import relu_lines


def test_lines_over_a_relu_at_every_width():
    """In fractions, from subnormal ends to ones whose distance overflows: the line meets both ends to rounding."""
    sizes = [5e-324, 1e-310, 1e-200, 1e-9, 1.0, 1e9, 1e200, 1.7e308]
    lower, upper = np.array([(-a, b) for a, b in product(sizes, sizes)]).T
    over, intercept, under = relu_lines(lower, upper)
    for low, high, slope, shift, below in zip(lower, upper, over, intercept, under, strict=True):
        low, high, slope, shift = map(Fraction, (low, high, slope, shift))
        rounding = high / 2**50 + Fraction(5e-324) * (1 + high - low)  # the least slope there is
        assert abs(slope * low + shift) <= rounding
        assert abs(slope * high + shift - high) <= rounding
        assert 0 <= slope <= 1
        assert below in (0, 1)
    fixed = relu_lines(np.array([-2.0, 0, 3, 0]), np.array([-1.0, 0, 4, 5]))
    assert [line.tolist() for line in fixed] == [[0, 1, 1, 1], [0, 0, 0, 0], [0, 1, 1, 1]]


def test_the_lower_line_leaves_the_smaller_area():
    lower, upper = np.array([-2.0, -1.0, -1.0]), np.array([1.0, 2.0, 1.0])
    assert relu_lines(lower, upper).under.tolist() == [0, 1, 1]
    assert relu_lines(lower, upper, level=0).under.tolist() == [0, 1, 0]


@given(st.integers(0, 10_000))
def test_carried_bounds_stay_on_their_side_and_touch(seed):
    rng = np.random.default_rng(seed)
    lower, upper = np.sort(rng.normal(size=(2, 6)), axis=0)
    slopes, share = rng.normal(size=(4, 6)), rng.random((100, 1, 6))
    lines, points = relu_lines(lower, upper), lower + share * (upper - lower)
    exact = np.sum(slopes * np.maximum(points, 0), axis=-1)
    (high, above), (low, below) = lines.highest(slopes), lines.lowest(slopes)
    assert np.all(exact <= np.sum(high * points + above, axis=-1) + 1e-12)
    assert np.all(exact >= np.sum(low * points + below, axis=-1) - 1e-12)
    mirrored, constant = lines.highest(-slopes)  # a lower bound is an upper one of the negative
    assert low == pytest.approx(-mirrored)
    assert below == pytest.approx(-constant)
    ends = np.where(slopes > 0, upper, lower)  # the chord meets the ReLU there
    above_chord = np.sum(np.where(slopes > 0, high * ends + above, 0), axis=-1)
    assert above_chord == pytest.approx(np.sum(np.where(slopes > 0, slopes * np.maximum(ends, 0), 0), axis=-1))
