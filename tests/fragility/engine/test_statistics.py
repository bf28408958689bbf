"""What a study says that it records is what it records."""

import inspect

import numpy as np
import pytest

from fragility.engine.fingerprint import definitions, fingerprint
from fragility.engine.statistics import Statistic, Statistics

STATISTICS = Statistics(
    {
        "valid": Statistic("whether it is", "0 or 1"),
        "path": Statistic("along the way", shape=("nodes",)),
        "picture": Statistic("what is seen", shape=("pixels",)),
        "change": Statistic("what is added", shape=("pixels",), optional=True),
    }
)


def measure(backend, world, nodes, **_):
    return {name: np.zeros(shape) for name, shape in world.items()}


def recorded(**changes):
    world = {"picture": (3, 5), "valid": (3,), "path": (3, 2), "change": (3, 5)} | changes
    return STATISTICS.checked(measure)(None, {name: shape for name, shape in world.items() if shape}, nodes=2)


def test_columns_come_in_the_order_in_which_they_are_described():
    assert list(recorded()) == list(STATISTICS) == list(STATISTICS(nodes=2))
    assert {name: column.shape for name, column in recorded().items()} == STATISTICS.shapes(3, nodes=2, pixels=5)


def test_what_no_draw_has_is_nan_where_it_may_be_missing():
    change = recorded(change=None)["change"]
    assert change.shape == (3, 5)
    assert np.isnan(change).all()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"valid": None}, r"none of \['valid'\]"),
        ({"margin": (3,)}, r"the foreign \['margin'\]"),
        ({"path": (3, 4)}, r"path of shape \(3, 2\), got \(3, 4\)"),
        ({"path": (3,)}, r"path of shape \(3, 2\), got \(3,\)"),
        ({"change": (3, 4)}, r"change of shape \(3, 5\), got \(3, 4\)"),
        ({"valid": (2,)}, r"valid of shape \(3,\), got \(2,\)"),
    ],
)
def test_another_result_is_refused(changes, says):
    with pytest.raises(ValueError, match=says):
        recorded(**changes)


def test_a_measure_that_is_checked_is_the_same_to_who_asks_for_its_code_or_its_arguments():
    held = STATISTICS.checked(measure)
    assert inspect.signature(held) == inspect.signature(measure)
    assert definitions(measure) < definitions(held)


@pytest.mark.parametrize(
    ("described", "same"),
    [
        (Statistic("how large it is, put better", "in [0, 1]"), True),
        (Statistic("how large it is", "", (2,)), False),
        (Statistic("how large it is", optional=True), False),
    ],
)
def test_its_prose_is_no_part_of_its_code(described, same):
    one, other = (Statistics({"size": each}).checked(measure) for each in (Statistic("how large it is"), described))
    assert (fingerprint(one) == fingerprint(other)) == same
