"""Printed numbers of Feature compression beside networks that are made up: of whom a row speaks, and what it sees."""

import math

import numpy as np
import pytest

from fragility.engine.records import raw_table
from fragility.engine.shard import find_study
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from tests.each import each
from theory.claims import BOOK
from theory.reported import ALPHAS, FEATURE, find

ALPHA, NETWORKS = 0.001, 800
LINEAR = {"n": 12, "scale": 5.0, "hidden": 3000, "optimiser": "adam", "rate": 0.001, "epochs": 128}
RELU = {"n": 12, "layers": 1, "width": 64, "scale": 5.0, "inputs": 10, "epochs": 100}
PAIRS = {"model": "inception_resnet_v2", "source": "n02102040", "partners": "n02088094", "size": 299}
POINTS = {
    "empirical.linear_compression": LINEAR,
    "empirical.relu_compression": RELU,
    "empirical.imagenet_compression": PAIRS,
}
ROWS = [claim for claim in BOOK if claim.kind == "reported" and claim.id.startswith("fc.")]


def linear(spread=0.02, shift=0.0):
    """Networks around what Table 2 prints if they are valid and aligned, and far from it if they are not."""
    rng = np.random.default_rng(1)
    fraction = 0.3280 + shift + spread * rng.standard_normal(NETWORKS)
    cos_1 = fraction + 0.0365 + shift + 0.01 * rng.standard_normal(NETWORKS)
    valid = np.arange(NETWORKS) % 2
    # Few networks are not aligned, so that they make no difference to the means over all that are valid.
    cos_2 = np.where(np.arange(NETWORKS) < 4, 0.89, rng.uniform(0.985, 0.999, NETWORKS))
    return {
        "fraction": np.where(valid == 1, fraction, 0.9),
        "cos_1": np.where(valid == 1, cos_1, 0.1),
        "cos_2": np.where(valid == 1, cos_2, 0.1),
        "valid": valid,
    }


def relu(factor=1.0):
    """Networks around what Table 3 prints if they are valid, whose mean and median are one number."""
    rng = np.random.default_rng(2)
    printed = np.array([find(FEATURE, "Table 3", "mean", alpha).value for alpha in ALPHAS])
    around = factor * (printed + 0.05 * rng.standard_normal((NETWORKS, 1)))
    valid = np.arange(NETWORKS) % 2
    values = np.where(valid[:, None] == 1, around, 0.99)
    return {"compression": values, "cosine": values, "valid": valid}


def pairs(factor=1.0):
    """Photographs whose attack has a length around what Table 8 prints, if both are classified right."""
    rng = np.random.default_rng(3)
    right = np.arange(NETWORKS) % 2
    length = rng.uniform(100, 200, NETWORKS)
    found = factor * 0.07 * np.exp(0.1 * rng.standard_normal(NETWORKS)) * length / 2
    return {
        "sign_attack": np.where(right == 1, found, 1e6),
        "length": length,
        "clean_right": np.ones(NETWORKS),
        "partner_right": right,
    }


GOOD = {
    "empirical.linear_compression": linear(),
    "empirical.relu_compression": relu(),
    "empirical.imagenet_compression": pairs(),
}
FAR = {
    "empirical.linear_compression": linear(shift=0.4),
    "empirical.relu_compression": relu(1.8),
    "empirical.imagenet_compression": pairs(4.0),
}


def verdict(claim, columns):
    evidence = Evidence([raw_table({name: np.asarray(values, float) for name, values in columns.items()})])
    return reject_decoys(claim, judge(claim, POINTS[claim.study], "trained", evidence, ALPHA), evidence)


@each("claim", ROWS)
def test_networks_around_what_is_printed_agree_and_no_decoy_does(claim):
    found = verdict(claim, GOOD[claim.study])
    assert found.outcome == "agrees"
    assert set(found.rejected) == set(found.visible) == {decoy.says for decoy in claim.decoys}


@each("claim", [claim for claim in ROWS if claim.id not in ("fc.table1.alignment", "fc.table1.cosine")])
def test_networks_far_from_it_disagree(claim):
    assert verdict(claim, FAR[claim.study]).outcome == "disagrees"


def test_one_network_far_from_experiment_9_disagrees():
    columns = linear()
    for name, values in {"cos_2": 0.5, "cos_1": columns["fraction"] + 0.5}.items():
        row = BOOK[{"cos_2": "fc.table1.alignment", "cos_1": "fc.table1.cosine"}[name]]
        moved = columns | {name: values + 0.01 * np.random.default_rng(4).standard_normal(NETWORKS)}
        assert verdict(row, moved).outcome == "disagrees"


def test_a_row_speaks_of_networks_that_are_valid_and_of_those_of_them_that_are_aligned():
    columns = {
        "fraction": np.array([0.1, 0.2, 0.3, 0.4]),
        "cos_1": np.array([0.5, 0.1, 0.4, 0.6]),
        "cos_2": np.array([0.95, 0.95, 0.9, 0.91]),
        "valid": np.array([0.0, 1.0, 1.0, 1.0]),
    }
    nan = math.nan
    expected = {
        "fc.table1.cosine": [nan, 0.048, 0.248, 0.348],
        "fc.table1.alignment": [nan, 0.95, 0.9, 0.91],
        "fc.table2.fraction": [nan, 0.2, 0.3, 0.4],
        "fc.table2.cosine": [nan, 0.1, 0.4, 0.6],
        "fc.table2.difference": [nan, 0.1, 0.1, 0.2],
        "fc.table2.aligned.fraction": [nan, 0.2, nan, 0.4],
        "fc.table2.aligned.cosine": [nan, 0.1, nan, 0.6],
        "fc.table2.aligned.difference": [nan, 0.1, nan, 0.2],
    }
    for name, values in expected.items():
        row = BOOK[name]
        found = row.theory(**LINEAR).per_draw(*(columns[column] for column in row.columns))
        np.testing.assert_allclose(found, values, err_msg=name)


def test_a_median_is_compared_by_sides():
    stated = BOOK["fc.table3.median"].theory(**RELU)
    np.testing.assert_array_equal(stated.scale(stated.printed), np.zeros(10))
    np.testing.assert_array_equal(stated.scale(np.full((2, 10), [[0.1], [0.5]])), np.full((2, 10), [[-1.0], [1.0]]))


def test_lengths_are_taken_over_half_the_distance_for_each_experiment():
    stated = BOOK["fc.table8.found"].theory(**PAIRS)
    found = stated.per_draw(np.array([1.0, 1.0, 1.0]), np.full(3, 4.0), np.array([1, 1, 0]), np.array([1, 0, 1]))
    np.testing.assert_array_equal(found, [[0.5] * 4, [math.nan] * 4, [math.nan] * 4])


@pytest.mark.parametrize(
    ("name", "point", "speaks"),
    [
        ("fc.table2.fraction", LINEAR, True),
        ("fc.table2.fraction", LINEAR | {"n": 13}, False),
        ("fc.table2.fraction", LINEAR | {"hidden": 300}, False),
        ("fc.table2.fraction", LINEAR | {"scale": 1.0}, False),  # the paper multiplies the columns by something
        ("fc.table3.mean", RELU, True),
        ("fc.table3.mean", RELU | {"layers": 2}, False),
        ("fc.table3.mean", RELU | {"scale": 1.0}, False),  # on the data of the linear study
        ("fc.table3.mean", RELU | {"n": 8}, False),
        ("fc.table8.found", PAIRS, True),
        ("fc.table8.found", PAIRS | {"model": "own:build"}, False),
        ("fc.table8.found", PAIRS | {"partners": "all"}, False),
    ],
)
def test_a_row_speaks_where_what_is_known_of_the_protocol_is_met(name, point, speaks):
    assert BOOK[name].where(**point) is speaks


def test_the_classes_of_table_8_are_those_that_the_study_has_by_default():
    grid = find_study("empirical.imagenet_compression").grid
    assert BOOK["fc.table8.found"].where(**{axis: of.default[0] for axis, of in grid.items() if of.default})
