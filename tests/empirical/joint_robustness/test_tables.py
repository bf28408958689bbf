"""The tables of Figure 1 and the rows on its networks, from columns of networks that behave as the paper says."""

from inspect import signature

import numpy as np
import pytest

from empirical.joint_robustness.measure import STATISTICS
from empirical.joint_robustness.study import STUDY
from empirical.joint_robustness.tables import INDEX, tables
from empirical.joint_robustness.trainings import TRAININGS
from fragility.claim import excess
from fragility.tables import plain_rows, text
from tests.each import each
from tests.empirical.joint_robustness.made import RADII_W, RADII_X, columns
from theory.claims import BOOK
from theory.claims.joint import trained_settings
from theory.convolution.robust_accuracy import area

DEFAULTS = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}
CLAIMS = {claim.id: claim for claim in BOOK.about(STUDY.name)}
MAJORITIES = [claim for claim in CLAIMS.values() if claim.kind == "majority"]
RELATIONS = [claim for claim in CLAIMS.values() if claim.is_relation]
PRINTED = [claim for claim in CLAIMS.values() if claim.kind == "reported"]


def found(title, made=None, **point):
    """The rows of the one table whose title begins so."""
    (table,) = [
        table
        for table in tables([(DEFAULTS | point, columns() if made is None else made)])
        if table.title.startswith(title)
    ]
    return table, plain_rows(table)


def sides(theory, made):
    left, right = np.broadcast_arrays(*theory(**{name: made[name] for name in signature(theory).parameters}))
    return left, right


def complying(theory, made):
    """In how many draws left <= right in all entries."""
    left, right = sides(theory, made)
    return int((left <= right).reshape(len(left), -1).all(axis=1).sum())


def test_a_row_for_each_panel():
    made = columns()
    table, rows = found("Figure 1", made)
    assert [row["panel"] for row in rows] == ["(a)", "(b)", "(c)", "(d)", "(e)", "(f)", ""]
    assert len({row["training"] for row in rows}) == len(TRAININGS)
    for training, k in INDEX.items():
        row, accuracy = rows[k], made["accuracy"][:, k]
        assert row["AUC"] == pytest.approx(made["auc"][:, k].mean()), training
        assert row["95 % interval"][0] < row["AUC"] < row["95 % interval"][1]
        assert row["A(x = 0.3)"] == pytest.approx(accuracy[:, -1, 0].mean())
        assert row["A(w = 0.02)"] == pytest.approx(accuracy[:, 0, -1].mean())
        assert row["A(both)"] == pytest.approx(accuracy[:, -1, -1].mean())
        both = accuracy[:, -1, 0] + accuracy[:, 0, -1] - accuracy[:, 0, 0] - accuracy[:, -1, -1]
        assert row["excess"] == pytest.approx(both.mean())
    assert "dataset=mnist architecture=mlp)" in table.title


def test_edges_are_means_along_one_axis():
    made = columns()
    rows = found("Figure 1", made)[1]
    edge = made["accuracy"][:, :, :, 0]
    steps = np.diff(RADII_X) * (edge[..., 1:] + edge[..., :-1]) / 2
    assert [row["x alone"] for row in rows] == pytest.approx((steps.sum(-1) / RADII_X[-1]).mean(0))
    one = trained_settings.along_weights(made["accuracy"], RADII_W)
    assert [row["w alone"] for row in rows] == pytest.approx(one.mean(0))
    flat = np.broadcast_to(np.linspace(1, 0, len(RADII_W)), (len(RADII_X), len(RADII_W)))
    assert trained_settings.along_weights(flat, RADII_W) == pytest.approx(0.5)
    assert trained_settings.along_inputs(flat, RADII_X) == pytest.approx(1)
    assert area(flat, RADII_X, RADII_W) == pytest.approx(0.5)


def test_gains_are_paired_over_seeds():
    """What differs between seeds alone cancels in a difference."""
    made = columns()
    made["auc"] = np.array([[0.1], [0.3], [0.2]]) + np.array([0.0, 0.0, 0.1, 0.15, 0.2, 0.12, 0.1])
    rows = {row["quantity"]: row for row in found("Section 4.1", made)[1]}
    points = rows["  the same in points"]
    assert (points["printed"], points["measured"]) == (24, pytest.approx(10))
    assert points["interval"] == pytest.approx([10, 10])
    relative = rows["AUC of the better AT + beta over AT, per cent of AT's"]
    assert relative["measured"] == pytest.approx(np.mean([50, 25, 100 / 3]))
    assert relative["printed"] == 24
    assert rows["AUC, AT + beta less JIWP"]["measured"] == pytest.approx(0.08)
    assert relative["seeds"] == 3


def test_certificates_stand_beside_the_stronger_attack():
    made = columns()
    table, rows = found("Certified beside attacked", made)
    assert len(rows) == 3 * len(TRAININGS)
    k = INDEX["jiwp"]
    row = rows[3 * k + 2]
    assert row["attacked"] == pytest.approx(made["stronger"][:, k, 1, 1].mean())
    assert row["linear"] == pytest.approx(made["certified_crown"][:, k, 1, 1].mean())
    assert "above what attacks leave: 0.0000" in table.notes[-1]
    made["certified_interval"][0, 0, 1, 1] = made["stronger"][0, 0, 1, 1] + 0.25
    assert "above what attacks leave: 0.2500" in found("Certified beside attacked", made)[0].notes[-1]


def test_what_was_not_measured_has_no_table():
    titles = [table.title for table in tables([(DEFAULTS, columns(stronger=False))])]
    assert not [title for title in titles if title.startswith(("What the paper's attack misses", "Distance"))]
    assert [row["attacked"] for row in found("Certified", columns(stronger=False))[1]]
    biased = columns()
    biased["certified_printed"] = np.full_like(biased["accuracy"], np.nan)
    assert "as printed" not in found("Certified", biased)[1][0]


def test_the_gap_to_the_exact_share():
    made = columns(tiny=True)
    rows = found("Distance", made, architecture="tiny")[1]
    k = INDEX["awp"]
    assert rows[k]["robust"] == pytest.approx(made["exact"][:, k].mean())
    assert rows[k]["paper's attack"] == pytest.approx((made["accuracy"] - made["exact"])[:, k].mean())
    assert rows[k]["interval"] == pytest.approx((made["exact"] - made["certified_interval"])[:, k].mean())
    assert rows[k]["paper's attack, largest"] == pytest.approx((made["accuracy"] - made["exact"])[:, k].max())


def test_what_the_stronger_attack_takes_and_what_steps_do_not_reach():
    made = columns()
    rows = {row["quantity"]: row for row in found("What the paper's attack misses", made)[1]}
    gap = (made["accuracy"] - made["stronger"])[:, 0]
    assert rows["standard: mean over the grid"]["measured"] == pytest.approx(gap.mean())
    assert rows["standard: largest"]["measured"] == pytest.approx(gap.max((1, 2)).mean())
    table, beyond = found("Beyond", made)
    assert (beyond[0]["w = 0.2, printed"], beyond[0]["w = 0.2, longer"]) == pytest.approx((0.4, 0))
    assert "end at 0.05" in table.notes[0]


def test_several_points_are_compared_and_one_seed_is_enough():
    made = columns(seeds=1)
    several = tables([(DEFAULTS, made), (DEFAULTS | {"dataset": "fashion-mnist", "beta": 0.5}, made)])
    rows = plain_rows(several[-1])
    assert [row["quantity"] for row in rows] == [
        "dataset=mnist architecture=mlp",
        "dataset=fashion-mnist architecture=mlp beta=0.5",
    ]
    assert "too few" in text(several[0])


def test_trainings_stand_in_the_order_that_rows_count_on():
    assert tuple(trained_settings.PANELS) == TRAININGS
    assert TRAININGS[trained_settings.BETA] == "adversarial_beta"
    assert [TRAININGS[k] for k in trained_settings.SINGULAR] == ["standard", "weight", "adversarial"]


@each("claim", list(CLAIMS.values()))
def test_rows_speak_of_what_is_recorded(claim):
    assert set(claim.columns) <= set(STATISTICS)


@each("claim", MAJORITIES)
def test_the_papers_networks_comply_and_contradict_each_decoy(claim):
    made = columns()
    assert complying(claim.theory, made) == len(made["auc"])
    for decoy in claim.decoys:
        assert complying(decoy.theory, made) == 0, decoy.says


@each("claim", RELATIONS)
def test_what_holds_of_every_network_holds_here_and_its_decoys_do_not(claim):
    for stronger in (True, False):
        made = columns(tiny=True, stronger=stronger)
        assert excess(claim.kind, sides(claim.theory, made)) <= claim.tolerance
        for decoy in claim.decoys:
            assert excess(claim.kind, sides(decoy.theory, made)) > claim.tolerance, decoy.says


@pytest.mark.parametrize(
    ("id", "name", "change"),
    [
        ("joint.trained.certified", "certified_theorem", lambda values: values + 1),
        ("joint.trained.certified.order", "certified_interval", lambda values: 0 * values),
        ("joint.trained.exact", "exact", lambda values: values + 1),
        ("joint.trained.falls", "monotone", lambda values: 0 * values),
        ("joint.trained.area", "auc", lambda values: values + 0.01),
        ("joint.trained.restored", "moved_weights", lambda values: values + 1),
    ],
)
def test_a_defect_of_one_column_is_seen(id, name, change):  # noqa: A002, as of a claim
    made = columns(tiny=True)
    made[name] = change(made[name])
    assert excess(CLAIMS[id].kind, sides(CLAIMS[id].theory, made)) > CLAIMS[id].tolerance


def test_rows_on_networks_count_networks():
    made = columns(seeds=2, tiny=True)
    assert len(sides(CLAIMS["joint.trained.certified"].theory, made)[0]) == 2 * len(TRAININGS)
    assert len(sides(CLAIMS["joint.trained.area"].theory, made)[0]) == 2 * len(TRAININGS)


@each("claim", PRINTED)
def test_the_printed_gain_is_read_in_per_cent_and_in_points(claim):
    auc = np.tile([0.1, 0.2, 0.5, 0.6, 0.62, 0.4, 0.5], (2, 1))
    reported = claim.theory(**DEFAULTS)
    assert reported.printed == 24
    expected = 24 if claim.id == "joint.figure1.gain" else 12
    assert reported.per_draw(auc) == pytest.approx([expected] * 2)


def test_where_rows_speak():
    point = DEFAULTS
    assert CLAIMS["joint.trained.above"].where(**point)
    assert not CLAIMS["joint.trained.above"].where(**point | {"dataset": "digits"})
    assert not CLAIMS["joint.trained.above"].where(**point | {"held_out": 1})
    assert not CLAIMS["joint.trained.exact"].where(**point)
    assert CLAIMS["joint.trained.exact"].where(**point | {"architecture": "tiny"})
    assert not CLAIMS["joint.trained.reach"].where(**point | {"attack_steps": 200})
