"""The upper stroke of drawn sevens, whose strokes are known, and what is left of a picture without it."""

import numpy as np
import pytest

from empirical.mnist_compression.strokes import blocked, centred, upper_stroke, without


def seven(crossed=False, gap=None, hook=False):
    """A 7 of 20 x 20 pixels: a bar in rows 4, 5 and columns 4 to 15, a stem from its right end down to row 17."""
    picture = np.zeros((20, 20))
    picture[4:6, 4:16] = 1
    for row in range(4, 18):
        left = 14 - (row - 4) // 2
        picture[row, left : left + 2] = 1
    if hook:
        picture[6:9, 4] = 1
    if crossed:
        picture[11, 6:16] = 1
    if gap is not None:
        picture[:, gap] = 0
    return picture


def bar(picture):
    """The part of the bar that no stem shares: columns below 13."""
    part = np.zeros_like(picture, dtype=bool)
    part[4:6, :13] = picture[4:6, :13] > 0
    return np.flatnonzero(part)


@pytest.mark.parametrize("kind", [{}, {"crossed": True}, {"gap": 8}, {"hook": True}], ids=str)
def test_the_bar_is_found_and_the_stem_is_not(kind):
    picture = seven(**kind)
    stroke = upper_stroke(picture)
    assert set(bar(picture)) <= set(stroke.order)
    rows = stroke.order // 20
    assert rows.max() <= (8 if kind.get("hook") else 6)
    assert len(set(stroke.order)) == len(stroke.order)
    assert (picture.ravel()[stroke.order] > 0).all()
    assert stroke.corner[1] >= 14
    assert stroke.corner[0] <= 5
    assert stroke.foot[0] == 17


def test_the_order_goes_from_the_free_end_to_the_corner():
    columns = upper_stroke(seven()).order % 20
    assert columns[0] == 4
    assert columns[-1] >= 13
    assert (np.diff(columns) >= -1).all()


def test_a_hook_comes_first():
    order = upper_stroke(seven(hook=True)).order
    assert order[0] // 20 == 8
    assert set(order[:3] % 20) == {4}


def test_the_scale_of_the_ink_does_not_matter():
    np.testing.assert_array_equal(upper_stroke(seven()).order, upper_stroke(255 * seven()).order)


def test_what_has_no_corner_has_no_upper_stroke():
    stem = np.zeros((20, 20))
    stem[3:17, 9] = 1
    assert len(upper_stroke(stem).order) == 0
    assert len(upper_stroke(seven()[:, ::-1]).order) == 0  # a mirrored 7 has its free end on the right


@pytest.mark.parametrize("picture", [np.zeros((4, 4)), np.ones((2, 4, 4)), -np.eye(4)], ids=["blank", "stack", "minus"])
def test_what_is_no_picture_is_refused(picture):
    with pytest.raises(ValueError, match="some ink"):
        upper_stroke(picture)


def test_one_pixel_more_is_blocked_each_time():
    picture = seven()
    order = upper_stroke(picture).order
    prefixes = blocked(picture, order)
    assert prefixes.shape == (len(order) + 1, 20, 20)
    np.testing.assert_array_equal(prefixes[0], picture)
    np.testing.assert_array_equal(prefixes[-1], without(picture, order))
    for count in range(len(order)):
        (changed,) = np.flatnonzero(prefixes[count] != prefixes[count + 1])
        assert changed == order[count]
        assert prefixes[count + 1].flat[changed] == 0
    assert (picture == seven()).all()


def test_what_is_left_comes_to_the_middle_and_no_ink_is_lost():
    picture = np.roll(seven(), 2, 0)  # its mass is below the middle
    rest = without(picture, upper_stroke(picture).order)
    moved = centred(picture, rest, rest)
    for axis in (0, 1):
        place = (np.arange(20) * moved.sum(axis=1 - axis)).sum() / moved.sum()
        assert abs(place - 9.5) <= 0.5
    half, whole = centred(picture, rest, picture, 0.5), centred(picture, rest, picture)
    assert half.sum() == whole.sum() == picture.sum()
    assert np.flatnonzero(whole.any(1))[0] < np.flatnonzero(half.any(1))[0] < np.flatnonzero(picture.any(1))[0]


def test_ink_stops_at_the_edge():
    picture = np.zeros((9, 9))
    picture[[0, 8], 4] = 1, 9
    np.testing.assert_array_equal(centred(picture, picture, picture), picture)
