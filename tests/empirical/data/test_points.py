"""Labelled points: their name, their parts, and what is refused."""

import numpy as np
import pytest

from empirical.data.points import Points
from fragility.engine.study import UsageError


@pytest.fixture
def points():
    rng = np.random.default_rng(0)
    return Points(rng.normal(size=(6, 2)).astype(np.float32), rng.integers(0, 3, 6))


def test_the_digest_tells_every_number_label_and_shape(points):
    changed = points.x.copy()
    changed[-1, -1] += 1e-6
    others = [
        Points(changed, points.labels),
        Points(points.x, 1 - points.labels),
        Points(points.x.reshape(6, 1, 2), points.labels),
        points.first(5),
    ]
    assert Points(points.x.copy(), points.labels.copy()).digest == points.digest
    assert len({points.digest, *(other.digest for other in others)}) == 5
    assert len(points.digest) == 12


def test_the_first_points_keep_their_labels(points):
    part = points.first(4)
    assert len(part) == 4
    np.testing.assert_array_equal(part.x, points.x[:4])
    np.testing.assert_array_equal(part.labels, points.labels[:4])
    for count in (0, 7):
        with pytest.raises(UsageError, match=f"between 1 and 6 points, .* got {count}"):
            points.first(count)


def test_other_dtypes_and_missing_labels_are_refused(points):
    for x, labels in (
        (points.x.astype(np.float64), points.labels),
        (points.x, points.labels.astype(np.int32)),
        (points.x, points.labels[:5]),
    ):
        with pytest.raises(UsageError, match=r"float32 .* with int64 labels"):
            Points(x, labels)
