"""Rows on the networks of Conditioning, on columns that are made up: what complies agrees, and decoys are rejected."""

import numpy as np
import pytest

from fragility.engine.records import raw_table
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from tests.each import each
from theory import reported
from theory.claims import BOOK
from theory.claims.cond.trained_settings import ALL_RADII, RECIPE, at, paired, printed_radii
from theory.conditioning.gaussian_condition import tall_condition

STUDY, ALPHA = "empirical.conditioning", 0.001
POINT = RECIPE | {"networks": "pair", "treatments": "all", "epochs": 5, "steps": 12, "images": 10_000}
NETWORKS, LOOKS, STEPS = 40, 20, 12
RANKS = np.array([10, 9, 64, 128, 10])
LAYERS = [40.0, 140.0, 3000.0, 1e5, 20.0]  # kappa_2 at the end, of the simple model and of the CNN
NORMS = [3.0, 1.0, 2.5, 1.7]  # over kappa_2
SIMPLE = dict(zip(map(float, reported.RADII), (0.903, 0.847, 0.456, 0.2, 0.034, 0.031, 0.031, 0.031), strict=True))
CNN = dict(zip(map(float, reported.RADII), (0.985, 0.98, 0.93, 0.4, 0.006, 0.005, 0.004, 0.004), strict=True))


def along(values):
    """Accuracies at all radii, from those at the radii of the tables: the largest of these that is not above."""
    return np.array([values[max(known for known in values if known <= radius)] for radius in ALL_RADII])


def columns():
    """Networks of which every sentence holds: the worse conditioned, the more fragile, by pairs and by treatment."""
    order = np.random.default_rng(0).permutation(NETWORKS) / NETWORKS
    arms, lower = np.arange(4), np.array([0, 0, -1, -1])
    scale = np.exp(0.2 * order[:, None] + 0.5 * lower)  # networks, arms
    sturdy = 0.02 * (1.1 * arms - order[:, None])  # of accuracies where they are fragile
    kappa = scale[:, :, None, None] * np.array(LAYERS)[:, None] * np.array(NORMS)
    gaussian = [tall_condition(*shape)[0] for shape in ((784, 10), (32, 9), (288, 64), (3136, 128), (128, 10))]
    first = np.ones((NETWORKS, 4, 5, 4)) * np.array(gaussian)[:, None]
    first[:, 1] = 1.0
    first[:, 1, :, 3] = RANKS
    course = np.empty((NETWORKS, 5, LOOKS))
    course[:, [0, 3, 4]] = np.concatenate(([2, 30, 500], np.linspace(400, 40, LOOKS - 3)))
    course[:, [1, 2]] = np.linspace(2, 140, LOOKS)
    course = course[..., None] * np.array(NORMS)
    looks = np.tile(np.arange(LOOKS, dtype=float), (NETWORKS, 5, 1))
    beyond = np.full((NETWORKS, 5, 3), np.nan)  # the simple model's training is the longer one
    beyond[:, 0] = np.arange(LOOKS, LOOKS + 3)
    looks = np.concatenate((looks, beyond), axis=2)
    course = np.concatenate((course, (beyond[..., None] * 0 + 40) * np.array(NORMS)), axis=2)
    fgsm = np.full((NETWORKS, 4, 2, len(ALL_RADII), STEPS), 0.9)
    fgmt = fgsm.copy()
    fgsm[..., -1] = np.stack([along(SIMPLE), along(CNN)])
    fgsm[:, :, :, at("0.005") : at("0.01") + 1, -1] += sturdy[:, :, None, None]
    fgmt[..., -1] = [along({0.001: 0.92, 0.01: 0.6, 0.05: 0.0}), along({0.001: 0.99, 0.01: 0.9, 0.05: 0.0})]
    radii = np.array(ALL_RADII)
    both = np.stack((radii, np.minimum(STEPS * radii, 1)), axis=-1)
    accuracy = np.broadcast_to([0.92, 0.99], (NETWORKS, 4, 2))
    return {
        "clean": accuracy,
        "test_accuracy": accuracy,
        "train_accuracy": np.broadcast_to([0.921, 0.999], (NETWORKS, 4, 2)),
        "fgsm": fgsm,
        "fgmt": fgmt,
        "moved": np.broadcast_to(both, (NETWORKS, 2, *both.shape)),
        "kappa": kappa,
        "kappa_strict": kappa,
        "first": first,
        "first_strict": first,
        "gauge": kappa[:, :, [0, 4], 1] / 2,
        "looks": looks,
        "course": course,
        "course_strict": course,
        "distance": np.broadcast_to(0.05 * np.array([1.0, 1.02, 0.9, 1.0])[:, None], (NETWORKS, 4, 2)),
        "effective": np.full((NETWORKS, 5, 3), 2.0),
        "growth_random": np.full((NETWORKS, 5, 3), 0.7),
        "growth_of_bound": np.broadcast_to([0.5, 1.5], (NETWORKS, 5, 2)),
    }


COLUMNS = columns()
ROWS = BOOK.about(STUDY)


def verdict(claim, found):
    evidence = Evidence([raw_table({name: np.asarray(values, float) for name, values in found.items()})])
    return reject_decoys(claim, judge(claim, POINT, "trained", evidence, ALPHA), evidence)


def test_every_row_speaks_at_the_point():
    assert ROWS
    assert all(claim.where(**POINT) for claim in ROWS)


@each("claim", [claim for claim in ROWS if claim.of_records])
def test_what_complies_agrees_and_no_decoy_does(claim):
    """Of a bound, fewer than 299 networks are too few to agree, and none contradicts it."""
    found = verdict(claim, COLUMNS)
    assert found.outcome == ("agrees" if claim.kind == "majority" else "blunt")
    assert set(found.rejected) == set(found.visible) == {decoy.says for decoy in claim.decoys}


@each("claim", [claim for claim in ROWS if claim.kind == "majority"])
def test_there_are_two_sides_for_each_network_or_pair(claim):
    sides = claim.theory(**{name: COLUMNS[name] for name in claim.columns})
    left, right = np.broadcast_arrays(*sides)
    assert len(left) in (NETWORKS, NETWORKS // 2)
    assert not np.any(np.isnan(left) | np.isnan(right))


def near(table):
    """Networks that scatter around all that one of the tables prints."""
    noise = np.random.default_rng(table).normal(0, 0.003, NETWORKS)
    found = {name: np.array(values) for name, values in COLUMNS.items()}
    for model, name in enumerate(("simple", "conv")):
        found["test_accuracy"][:, 0, model] = reported.clean_accuracy(table, name).value + noise
        attack = ("fgsm", "fgmt")[table - 1]
        printed = [reported.attacked_accuracy(table, name, radius).value for radius in reported.RADII]
        found[attack][:, 0, model, printed_radii(), -1] = printed + noise[:, None]
    for layer, name in enumerate(reported.LAYERS):
        printed = [reported.condition_number(table, norm, name).value for norm in reported.NORMS]
        found["kappa"][:, 0, layer] = printed * np.exp(10 * noise)[:, None]
    return found


@pytest.mark.parametrize("table", [1, 2])
def test_printed_numbers_agree_with_networks_around_them(table):
    found = near(table)
    third = {name: values / 3 for name, values in found.items()}
    rows = [claim for claim in ROWS if claim.kind == "reported" and claim.id.startswith(f"cond.table{table}.")]
    assert len(rows) == 5
    for claim in rows:
        judged = verdict(claim, found)
        assert judged.outcome == "agrees", claim.id
        assert set(judged.rejected) == {decoy.says for decoy in claim.decoys}, claim.id
        assert verdict(claim, third).outcome == "disagrees", claim.id


def test_the_initial_layer_of_the_simple_model_is_the_one_that_is_averaged():
    (claim,) = [claim for claim in ROWS if claim.id == "cond.trained.initial.simple"]
    for dataset, pixels in (("mnist", 784), ("digits", 64)):
        moment = claim.theory(**POINT | {"dataset": dataset})
        assert (np.exp(moment.mean), moment.sd) == pytest.approx(tall_condition(pixels, 10))
    first = np.ones((3, 4, 5, 4))
    first[:, 0, 0, 1] = np.exp([1.0, 2.0, 3.0])
    np.testing.assert_allclose(moment.per_draw(first), [1, 2, 3])
    assert not claim.where(**POINT | {"initial": "0"})


def test_pairs_are_neighbours_and_an_odd_one_is_left_out():
    one, other = np.array([1.0, 2.0, 5.0, 3.0, 9.0]), np.array([0.0, 1.0, 1.0, 2.0, 0.0])
    np.testing.assert_array_equal(paired(one, other), [1, -2])
