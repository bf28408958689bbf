"""Rows that are conditional: a draw that lacks a number changes nothing, and what they are conditional on is said."""

import warnings
from inspect import signature

import numpy as np
import pytest

from empirical.convnorm_width.study import STUDY as CONVNORM
from fragility.catalogue import pages, rows
from fragility.claim import BESIDE
from fragility.engine.records import raw_table
from fragility.engine.shard import find_study
from fragility.engine.store import Store
from fragility.engine.study import Method, Study
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from fragility.judging.table import conditions, verdict_table
from fragility.tables import text
from tests.each import each
from tests.empirical.convnorm_width import made as convnorm
from tests.empirical.joint_robustness import made as joint
from tests.empirical.latent_defence import made as latent
from tests.empirical.svd_defence import made as svd
from tests.theory.claims.test_trained_networks import COLUMNS as CONDITIONING
from theory.claims import BOOK
from theory.claims.cond import trained_fragility, trained_networks
from theory.claims.latent.trained_settings import IMAGE

ALPHA, DRAWS = 0.001, 40
LOOKS, PLACES = 7, 10
GIVEN = [claim for claim in BOOK if claim.given]
DEAD = 7  # number of the draw that lacks its numbers


def linear():
    """Columns of linear networks, none of them trained: sides need not comply."""
    rng = np.random.default_rng(0)
    names = ("cos_1", "fraction", "column", "mean_margin", "worst_margin", "last", "best_linear", "tolerance")
    single = {name: rng.uniform(0.1, 0.9, DRAWS) for name in names}
    selected = {"valid": np.ones(DRAWS), "cos_2": rng.uniform(0.91, 0.99, DRAWS)}  # by what Table 2 speaks of
    path = {name: rng.uniform(0.1, 0.9, (DRAWS, LOOKS)) for name in ("alignment_path", "cos_1_path")}
    return single | selected | path


def relu():
    rng = np.random.default_rng(0)
    single = {name: rng.uniform(0.05, 0.95, DRAWS) for name in ("untrained_cosine", "common_start")}
    along = {name: rng.uniform(0.05, 0.95, (DRAWS, PLACES)) for name in ("compression", "cosine")}
    return single | along | {"valid": np.ones(DRAWS)}


def photographs():
    lengths = {name: np.random.default_rng(0).uniform(1, 2, DRAWS) for name in ("sign_attack", "length")}
    return lengths | dict.fromkeys(("clean_right", "partner_right"), np.ones(DRAWS))


COLUMNS = {
    "empirical.linear_compression": linear(),
    "empirical.relu_compression": relu(),
    "empirical.imagenet_compression": photographs(),
    "empirical.conditioning": CONDITIONING,
    "empirical.joint_robustness": joint.columns(seeds=DRAWS),
    "empirical.latent_defence": latent.columns(DRAWS),
    "empirical.svd_defence": svd.columns(DRAWS),
    "empirical.convnorm_width": convnorm.columns(seeds=DRAWS),
}
ON_NOTHING = {"norm.trained.overfitted.curve"}  # a draw of which no cell looks overfitted has all its numbers
WHOLE = {"widths": "1+2+3+4+5", "normalisations": "vanilla+bn+convnorm+bn_convnorm"}


def point(claim):
    """The study's defaults; of what its theory takes of it."""
    return {axis: of.default[0] for axis, of in find_study(claim.study).grid.items() if of.default} | (
        WHOLE if claim.study == CONVNORM.name else {}
    )


def columns(claim):
    """Of the claim and its decoys, as they are recorded."""
    return {name: np.array(values, dtype=float) for name, values in COLUMNS[claim.study].items()}


def without(found, number):
    return {name: np.delete(values, number, axis=0) for name, values in found.items()}


def dead(claim, found):
    """The same columns, with a draw that lacks all that the claim takes."""
    for name in claim.columns:
        found[name][DEAD] = np.nan
    return found


def verdict(claim, found):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evidence = Evidence([raw_table(found)])
        return reject_decoys(claim, judge(claim, point(claim), "trained", evidence, ALPHA), evidence)


def named(name):
    return BOOK[name]


def test_every_study_of_a_conditional_row_has_made_columns():
    assert {claim.study for claim in GIVEN} <= set(COLUMNS)
    assert not any(
        name.endswith(BESIDE) for claim in GIVEN for name in signature(claim.theory).parameters if claim.of_records
    )


@each("claim", GIVEN)
def test_a_draw_that_lacks_its_numbers_changes_no_verdict(claim):
    found = columns(claim)
    expected = verdict(claim, without(found, DEAD))
    assert expected.outcome != "faulty"
    assert expected.samples > 0
    assert verdict(claim, dead(claim, found)) == expected


@each("claim", [claim for claim in GIVEN if claim.id not in ON_NOTHING])
def test_where_no_draw_has_its_numbers_nothing_is_said(claim):
    found = {
        name: np.full_like(values, np.nan) if name in claim.columns else values
        for name, values in columns(claim).items()
    }
    if claim.kind in ("law", "moment"):
        return  # of which a distribution of no values is none
    judged = verdict(claim, found)
    assert (judged.outcome, judged.samples) == ("blunt", 0)


@each("claim", GIVEN)
def test_its_pages_say_what_it_is_conditional_on(claim):
    assert claim.given in rows.page(claim, BOOK)
    assert rows.plain(claim, BOOK)["given"] == claim.given
    assert f"*Given that* {claim.given}; draws without are left out." in pages.claims_page(BOOK, lambda *_: "")


@each("claim", GIVEN)
def test_the_notes_of_a_run_say_how_many_draws_were_left_out(claim):
    found = dead(claim, columns(claim))
    where = point(claim)
    judged = verdict(claim, found)
    (line,) = conditions([judged], [claim], [(where, found)])
    assert line == f"given that {claim.given} (1 of {DRAWS} draws left out): {claim.id}."
    (line,) = conditions([judged], [claim])
    assert line == f"given that {claim.given}: {claim.id}."
    assert conditions([], [claim], [(where, found)]) == []


def test_rows_that_are_not_conditional_have_no_note():
    claim = named("latent.trained.accuracy.linear")
    assert conditions([verdict(claim, columns(claim))], [claim], [(point(claim), columns(claim))]) == []


def test_a_relation_of_no_draw_has_no_gap(tmp_path):
    """As of sevens of which none becomes a 1."""
    claim, where = named("fc.trained.mnist.length"), {"construction": "enough", "dataset": "mnist"}
    nowhere = {"works": np.zeros(4), "distance": np.full(4, np.nan), "length": np.full(4, np.nan)}
    judged = judge(claim, where, "trained", Evidence([raw_table(nowhere)]), ALPHA)
    assert (judged.outcome, judged.samples) == ("blunt", 0)
    study = Study(claim.study, "", {}, lambda: [where], {"trained": Method("", None, None, lambda **_: (), None)})
    store = Store(tmp_path, lambda _: "code")
    store.manifest.update(seed=0, backend="numpy")
    shown = text(verdict_table([judged], study, store, ["as it is."]))
    (line,) = [line for line in shown.splitlines() if line.startswith(claim.id)]
    assert "inf" not in line
    assert " - " in line
    assert "as it is." in shown


def test_an_area_of_nothing_has_no_gain():
    """What is left out of a printed number is left out of the count, and nothing is divided by 0."""
    claim = named("joint.figure1.gain")
    found = columns(claim)
    expected = verdict(claim, without(found, DEAD))
    found["auc"][DEAD] = 0.0
    assert verdict(claim, found) == expected
    assert "(1 of 40 draws left out)" in conditions([expected], [claim], [(point(claim), found)])[0]


def test_nothing_is_a_share_of_an_accuracy_of_nothing():
    claim = named("norm.trained.drop")
    found = columns(claim)
    expected = verdict(claim, without(found, DEAD))
    found["pgd"][DEAD] = 0.0
    assert verdict(claim, found) == expected
    assert "(1 of 40 draws left out)" in conditions([expected], [claim], [(point(claim), found)])[0]


def test_an_attack_that_never_reaches_its_goal_contradicts_that_it_does():
    """It has no length, and so was left out."""
    claim = named("latent.trained.attack")
    found = columns(claim)
    found["success"][:, IMAGE, 0] = 0.0
    found["robustness"][:, IMAGE, 0] = np.nan
    judged = verdict(claim, found)
    assert (judged.outcome, judged.samples) == ("disagrees", DRAWS)


@pytest.mark.parametrize(
    ("name", "column"),
    [("latent.trained.stall", "stalled_at"), ("latent.svd.trained.nothing", "adversarial_accuracy")],
)
def test_bounds_count_the_networks_that_were_attacked(name, column):
    claim = named(name)
    found = columns(claim)
    whole = verdict(claim, found).samples
    for known in claim.columns:
        found[known][DEAD, 0] = np.nan
    assert verdict(claim, found).samples == whole - (3 if name == "latent.trained.stall" else 1)
    found[column][DEAD - 1, 0, 0] = np.nan  # and a number that is missing by itself is a fault
    assert verdict(claim, found).outcome == "faulty"


def test_a_loss_that_was_lost_is_near_no_loss():
    claim = named("latent.trained.faster")
    found = columns(claim)
    found["losses"][DEAD, IMAGE] = np.nan
    assert verdict(claim, found).samples == DRAWS - 1


def test_a_blank_image_is_at_no_distance():
    claim = named("latent.trained.projection")
    found = columns(claim)
    found["reconstruction"][:] = np.inf
    assert verdict(claim, found).samples == 0


def test_two_networks_without_a_gradient_are_at_no_distance():
    distance = np.full((5, 4, 1), 0.05)
    distance[1, 0], distance[2, 1], distance[3, :2], distance[4, :2] = np.inf, np.inf, np.inf, 0.0
    moved = trained_fragility._moved(distance, 1, 0.1).left
    np.testing.assert_allclose(moved, [0, 1, np.inf, np.nan, np.nan])
    nearer = trained_fragility._brought_near(distance, 1)
    np.testing.assert_array_equal(np.isnan(nearer.right), [False, False, False, True, False])


def test_two_layers_that_lost_rank_are_as_badly_conditioned():
    gauge = np.array([[[np.inf, 2.0]], [[2.0, np.inf]]])
    kappa = np.full((2, 1, 5, 4), 4.0)
    kappa[:, :, 0, 1] = np.inf
    np.testing.assert_array_equal(trained_networks._centred(gauge, kappa).left, [[[1.0, 0.5]], [[0.0, np.inf]]])


@pytest.mark.parametrize(("initial", "started"), [("0", False), ("1e-40", False), ("glorot", True), ("0.005", True)])
def test_an_orthogonal_start_needs_weights(initial, started):
    row = named("cond.trained.initial.orthogonal")
    assert row.where(treatments="all", initial=initial) == started
    assert not row.where(treatments="none", initial=initial)


def test_rows_that_are_conditional_on_the_same_share_a_note():
    chosen = [named("fc.trained.linear.match"), named("fc.trained.linear.mean")]
    found = dead(chosen[0], columns(chosen[0]))
    judged = [verdict(claim, found) for claim in chosen]
    shared = conditions(judged, chosen, [(point(chosen[0]), found)])
    assert shared == [f"given that {chosen[0].given} (1 of {DRAWS} draws left out): {chosen[0].id}, {chosen[1].id}."]
