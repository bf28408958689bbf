"""Rows on networks of Latent and SVD defences, on columns that are made up: what complies agrees, decoys do not."""

from inspect import signature

import numpy as np
import pytest

from empirical.latent_defence import setting
from empirical.svd_defence import trainings, treatments
from fragility.claim import BESIDE
from fragility.engine.records import raw_table
from fragility.engine.shard import find_study
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from tests.each import each
from tests.empirical.latent_defence import made as latent
from tests.empirical.svd_defence import made as svd
from theory.claims import BOOK
from theory.claims.latent import trained_codes
from theory.claims.latent import trained_settings as settings
from theory.claims.latent.trained_settings import ONE, TWO, at

ALPHA, SEEDS = 0.001, 40
FASHION = "fashion-mnist"
COLUMNS = {"empirical.latent_defence": latent.columns(SEEDS), "empirical.svd_defence": svd.columns(SEEDS)}
ROWS = [claim for study in COLUMNS for claim in BOOK.about(study)]
MAJORITIES = [claim for claim in ROWS if claim.kind == "majority"]
BY_ID = {claim.id: claim for claim in ROWS}
PAPER = {
    "confidence": 0.95,
    "epochs": 50,
    "epochs_codes": 150,
    "projection": "l2",
    "projection_steps": 500,
    "held_out": 0,
}


def point(study, **axes):
    """The study's defaults, trained as the paper says."""
    grid = find_study(study).grid
    there = {axis: value for axis, value in PAPER.items() if axis in grid}
    return {axis: of.default[0] for axis, of in grid.items()} | there | axes


def points(claim):
    return [where for dataset in settings.DATASETS if claim.where(**(where := point(claim.study, dataset=dataset)))]


def columns(claim, **changed):
    found = COLUMNS[claim.study]
    beside = {} if claim.beside is None else {f"test_accuracy{BESIDE}": found["test_accuracy"] + 0.01}
    return found | beside | changed


def both(claim):
    """Both sides of a row, for each draw."""
    found = columns(claim)
    return np.broadcast_arrays(*claim.theory(**{name: found[name] for name in signature(claim.theory).parameters}))


def verdict(claim, found):
    evidence = Evidence([raw_table({name: np.asarray(found[name], float) for name in found})])
    (where, *_) = points(claim)
    return reject_decoys(claim, judge(claim, where, "trained", evidence, ALPHA), evidence)


def outcome(name, **changed):
    """The verdict on a row once some columns are others."""
    return verdict(BY_ID[name], columns(BY_ID[name], **changed)).outcome


def altered(name, column, *where, by):
    """That verdict once one cell of a column, in every seed, is moved."""
    values = np.array(columns(BY_ID[name])[column], dtype=float)
    values[:, *where] += by
    return outcome(name, **{column: values})


@each("study", COLUMNS)
def test_the_made_columns_are_those_of_the_study(study):
    (method,) = find_study(study).methods.values()
    assert set(COLUMNS[study]) == set(method.statistics())


@each("claim", ROWS)
def test_every_row_speaks_of_the_paper_s_data_sets_alone(claim):
    on_one = {settings.shrunk_mnist: ["mnist"], settings.shrunk_fashion: [FASHION], settings.coded_fashion: [FASHION]}
    assert [where["dataset"] for where in points(claim)] == on_one.get(claim.where, list(settings.DATASETS))
    assert not claim.where(**point(claim.study, dataset="digits"))
    assert not any(claim.where(**point(claim.study, dataset=name, epochs=49)) for name in settings.DATASETS)


def test_data_sets_are_compared_where_networks_are_trained_alike():
    row = BY_ID["latent.trained.accuracy.dataset"]
    fashion, mnist = (point("empirical.latent_defence", dataset=name, data=name) for name in (FASHION, "mnist"))
    assert row.beside(fashion, mnist)
    assert not row.beside(fashion, fashion)
    assert not row.beside(fashion, {**mnist, "training": 20_000})


@each("claim", ROWS)
def test_what_complies_agrees_and_no_decoy_does(claim):
    """Of a bound, fewer than 299 networks are too few to agree, and none contradicts it."""
    found = verdict(claim, columns(claim))
    assert found.outcome in (("agrees",) if claim.kind == "majority" else ("agrees", "blunt"))
    assert claim.decoys
    assert set(found.rejected) == set(found.visible) == {decoy.says for decoy in claim.decoys}


@each("claim", MAJORITIES)
def test_there_are_two_sides_for_each_seed(claim):
    left, right = both(claim)
    assert len(left) == SEEDS
    assert not np.any(np.isnan(left) | np.isnan(right))


@each("claim", [claim for claim in ROWS if claim.kind == "bound"])
def test_a_bound_counts_networks(claim):
    left, _ = both(claim)
    assert len(left) == SEEDS * {"empirical.latent_defence": 15, "empirical.svd_defence": 3}[claim.study]


def test_an_epoch_is_the_first_near_the_other_s_last_loss():
    """1L ends at 1 and 2, so that what counts is at most 1.05 and 2.1; 2L never comes there in the second space."""
    nan = np.nan
    losses = np.array([[[[4.0, 3.0, 1.04, 1.0], [2.0, 1.05, 0.5, 0.4]], [[3.0, 2.0, nan, nan], [9.0, 2.11, nan, nan]]]])
    after, before = trained_codes._faster(losses, TWO, ONE)
    np.testing.assert_array_equal(after, [[2 + 1, np.inf]])
    np.testing.assert_array_equal(before, [[3, 2]])


@pytest.mark.parametrize(
    ("name", "column", "where", "by"),
    [
        ("latent.trained.accuracy.image", "test_accuracy", (settings.VAE_PROJECTION, ONE), 0.1),
        ("latent.trained.accuracy.best", "test_accuracy", (settings.VAE_ENCODING, settings.LRL), 0.01),
        ("latent.trained.accuracy.linear", "test_accuracy", (settings.AE_PROJECTION, TWO), 0.2),
        ("latent.trained.accuracy.dataset", "test_accuracy", (), 0.02),
        ("latent.trained.accuracy.par", "test_accuracy", (settings.VAE_ENCODING, slice(None)), -0.01),
        ("latent.trained.projection", "reconstruction", (settings.CODES.index("vae_projection"),), 0.1),
        ("latent.trained.transfer", "transfer", (ONE, slice(TWO, None)), 0.41),
        ("latent.trained.background", "background", (settings.LRL,), -0.54),
        ("latent.trained.background.chance", "background", (ONE,), -0.2),
        ("latent.trained.attack", "success", (settings.IMAGE, TWO), -0.1),
        ("latent.trained.attack", "robustness", (settings.IMAGE, TWO), 0.4),
        ("latent.trained.stall", "stalled_at", (settings.AE_ENCODING, TWO, 3), -0.1),
        ("latent.trained.robust.vae", "robustness", (settings.AE_PROJECTION,), 0.5),
        ("latent.trained.robust.least", "robustness", (settings.AE_ENCODING,), 0.3),
        ("latent.trained.adversarial.highest", "adversarial_accuracy", (settings.CODES.index("vae_projection"),), 0.2),
        ("latent.trained.adversarial.least", "adversarial_accuracy", (settings.CODES.index("ae_encoding"),), 0.25),
        ("latent.trained.pixels.vae", "pixels", (settings.IMAGE, ONE), 1.0),
        ("latent.trained.pixels.adaptive", "pixels_by", (settings.VAE_PROJECTION, TWO, settings.TRANSFER), -1.5),
        ("latent.trained.pixels.certified", "pixels_lower", (settings.AE_ENCODING, TWO), 2.0),
        ("latent.svd.trained.large", "adversarial_accuracy", (TWO, settings.TENTH, at(40)), -0.5),
        ("latent.svd.trained.large", "train_accuracy", (TWO, settings.TENTH, at(40)), -0.03),
        ("latent.svd.trained.slight", "train_accuracy", (TWO, settings.NINE_TENTHS, at(0)), 0.004),
        ("latent.svd.trained.fashion", "test_accuracy", (TWO, settings.NINE_TENTHS, at(0)), 0.004),
        ("latent.svd.trained.match", "adversarial_accuracy", (TWO, settings.ZEROED, at(25)), -0.06),
        ("latent.svd.trained.robust", "anew_robustness", (TWO, settings.ZEROED, at(40)), -0.05),
        ("latent.svd.trained.robust", "test_accuracy", (TWO, settings.TENTH, at(40)), -0.06),
        ("latent.svd.trained.both", "anew_robustness", (TWO,), -0.1),
        ("latent.svd.trained.nothing", "adversarial_accuracy", (ONE, settings.NOISE, at(0)), 0.01),
        ("latent.svd.trained.random", "adversarial_accuracy", (TWO, settings.RANDOM, at(40)), -0.15),
        ("latent.svd.trained.anew", "anew_success", (TWO, settings.TENTH, at(40)), -0.3),
        ("latent.svd.trained.scale", "anew_robustness", (TWO, settings.NINE_TENTHS, at(100)), -0.006),
        ("latent.svd.trained.scale", "pixels", (TWO, settings.NINE_TENTHS, at(100)), 0.03),
        ("latent.svd.trained.certified", "changed", (ONE, settings.TENTH, at(5)), 0.3),
        ("latent.svd.trained.energy", "energy", (settings.LRL, at(50)), 0.3),
        ("latent.svd.trained.gradient", "gradient_energy", (ONE, at(50)), 0.4),
        ("latent.svd.trained.outside", "outside", (TWO,), 0.45),
    ],
)
def test_one_cell_that_does_not_comply_contradicts(name, column, where, by):
    assert altered(name, column, *where, by=by) == "disagrees"


def test_no_row_is_left_out_of_the_cells_but_the_one_on_epochs():
    (mark,) = test_one_cell_that_does_not_comply_contradicts.pytestmark
    assert {claim.id for claim in ROWS} - {case[0] for case in mark.args[1]} == {"latent.trained.faster"}
    losses = np.array(COLUMNS["empirical.latent_defence"]["losses"])
    assert outcome("latent.trained.faster", losses=losses[:, :, [TWO, ONE, settings.LRL]]) == "disagrees"


def test_other_networks_are_no_business_of_rows_on_2l():
    """1L and LRL may behave as they like."""
    changed = {
        name: np.where(np.arange(3).reshape(1, 3, *(1,) * (np.ndim(values) - 2)) == TWO, values, 0.123)
        for name, values in COLUMNS["empirical.svd_defence"].items()
        if name in ("test_accuracy", "train_accuracy", "anew_success", "anew_robustness")
    }
    for claim in ROWS:
        if claim.id.startswith("latent.svd.trained.") and set(claim.columns) & set(changed):
            assert verdict(claim, columns(claim, **changed)).outcome == "agrees", claim.id


def test_axes_stand_in_the_orders_of_the_studies():
    assert (settings.SPACES, settings.CODES, settings.GRADIENTS) == (setting.SPACES, setting.CODES, setting.GRADIENTS)
    assert settings.CLASSIFIERS == setting.KINDS == trainings.CLASSIFIERS
    assert (settings.TREATMENTS, settings.SHARES) == (treatments.TREATMENTS, treatments.SHARES)
    assert [settings.TREATMENTS[factor] for factor in settings.FACTORS] == list(treatments.FACTORS)
    assert [settings.SHARES[settings.at(share)] for share in (0, 5, 40, 100)] == [0, 5, 40, 100]
