"""Rows on networks trained for ConvNorm, on columns that are made up: what complies agrees, and decoys are rejected."""

import numpy as np
import pytest

from empirical.convnorm_width.study import STUDY
from empirical.convnorm_width.trainings import NORMALISATIONS
from fragility.claim import excess
from fragility.engine.records import raw_table
from fragility.judging.evidence import Evidence
from fragility.judging.kinds import judge, reject_decoys
from tests.each import each
from tests.empirical.convnorm_width.made import COLLAPSED, columns
from theory.claims import BOOK
from theory.claims.norm import trained_settings
from theory.claims.norm.trained_settings import averaged, flagged
from theory.reported import WIDTHS, robust_accuracy

ALPHA = 0.001
NETWORKS = 40
POINT = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {
    "widths": "1+2+3+4+5",
    "epochs": 40,
    "training": 45_000,
    "auto_images": 500,
    "resnet": 40,
    "data": "0" * 12,
}
BY_PGD = POINT | {"adversary": "pgd"}
COLUMNS = columns(seeds=NETWORKS)
SPARED = columns(seeds=NETWORKS, overfitted=False)  # as networks would be that are trained by several steps
ROWS = BOOK.about(STUDY.name)


def point_of(claim):
    return POINT if claim.where(**POINT) else BY_PGD


def columns_of(claim):
    return COLUMNS if claim.where(**POINT) else SPARED


def verdict(claim, found, point=POINT):
    evidence = Evidence([raw_table({name: np.asarray(values, float) for name, values in found.items()})])
    return reject_decoys(claim, judge(claim, point, "trained", evidence, ALPHA), evidence)


def named(name):
    (claim,) = [claim for claim in ROWS if claim.id == name]
    return claim


def test_normalisations_are_those_of_the_study():
    assert trained_settings.NORMALISATIONS == NORMALISATIONS


def test_every_row_speaks_of_a_whole_table_trained_freely_or_by_pgd():
    assert ROWS
    assert all(claim.where(**point_of(claim)) for claim in ROWS)


@each("claim", [claim for claim in ROWS if claim.of_records])
def test_what_complies_agrees_and_no_decoy_does(claim):
    """Of a bound, fewer than 299 networks are too few to agree, and none contradicts it."""
    found = verdict(claim, columns_of(claim), point_of(claim))
    assert found.outcome == ("blunt" if found.samples < 299 and claim.kind == "bound" else "agrees")
    assert set(found.rejected) == set(found.visible) == {decoy.says for decoy in claim.decoys}


@each("claim", [claim for claim in ROWS if claim.kind == "majority"])
def test_there_are_two_sides_for_each_seed(claim):
    found = columns_of(claim)
    left, right = np.broadcast_arrays(*claim.theory(**{name: found[name] for name in claim.columns}))
    assert len(left) == NETWORKS
    assert not np.any(np.isnan(left) | np.isnan(right))


@pytest.mark.parametrize("attack", ["PGD", "FGSM"])
@pytest.mark.parametrize("top", [1, 5])
def test_printed_numbers_agree_with_networks_around_them_and_no_decoy_does(attack, top):
    claim = named(f"norm.table1.{attack.lower()}{'.top5' if top == 5 else ''}")
    judged = verdict(claim, COLUMNS)
    assert judged.outcome == "agrees"
    assert set(judged.rejected) == {decoy.says for decoy in claim.decoys}
    assert verdict(claim, {name: values / 3 for name, values in COLUMNS.items()}).outcome == "disagrees"


def test_printed_numbers_stand_at_the_cells_of_a_point():
    """Of some of the widths, one of which is not printed, and some of the normalisations."""
    printed = named("norm.table1.fgsm").theory(widths="2+5+8", normalisations="vanilla+bn_convnorm").printed
    expected = [[robust_accuracy("FGSM", k, name).value for name in ("vanilla", "bn+convnorm")] for k in (2, 5)]
    np.testing.assert_allclose(printed[:2], expected)
    assert np.isnan(printed[2]).all()


@pytest.mark.parametrize(
    "other",
    [{"epochs": 39}, {"training": 2000}, {"divided": 1}, {"adversary": "pgd"}, {"dataset": "digits"}],
)
def test_other_trainings_are_not_set_beside_the_printed_numbers(other):
    assert not named("norm.table1.pgd").where(**POINT | other)


def test_rows_keep_silent_where_their_cells_were_not_trained():
    some = POINT | {"widths": "1+2", "normalisations": "vanilla+convnorm"}
    speak = {claim.id for claim in ROWS if claim.where(**some)}
    assert {"norm.trained.accuracy.width", "norm.trained.accuracy.convnorm", "norm.trained.layers"} <= speak
    assert not {"norm.trained.pgd", "norm.trained.batch_norm", "norm.trained.drop"} & speak
    one = POINT | {"widths": "1"}
    silent = "norm.trained.accuracy.width", "norm.trained.accuracy.convnorm", "norm.trained.vanilla"
    assert not any(named(name).where(**one) for name in silent)


def test_rows_find_their_cells_by_what_is_recorded():
    """Without BatchNorm and without the widths in between a comparison is that of the same cells of the whole table."""
    few = columns(seeds=4, widths=(1, 3, 5), normalisations=("vanilla", "convnorm", "bn_convnorm"))
    clean, pgd, bound = (columns(seeds=4)[name] for name in ("clean", "pgd", "lipschitz"))
    expected = {
        "norm.trained.accuracy.convnorm": (clean[:, [2, 4], 0], clean[:, [2, 4], 2]),
        "norm.trained.pgd": (pgd[:, [2, 4], 2], 0.1),
        "norm.trained.lipschitz": (bound[:, [0, 2, 4], 2], bound[:, [0, 2, 4], 0]),
    }
    for name, sides in expected.items():
        claim = named(name)
        found = claim.theory(**{column: few[column] for column in claim.columns})
        for one, other in zip(found, sides, strict=True):
            np.testing.assert_array_equal(one, other)


def test_cells_that_look_overfitted_are_those_of_the_table():
    expected = [[(name, width) in COLLAPSED for name in NORMALISATIONS] for width in WIDTHS]
    found = flagged(COLUMNS["fgsm"], COLUMNS["pgd"])
    np.testing.assert_array_equal(found, np.broadcast_to(expected, found.shape))
    assert not flagged(SPARED["fgsm"], SPARED["pgd"]).any()


def test_the_mean_over_the_cells_of_a_seed_leaves_out_what_is_not_known():
    column = np.array([[[0.2, np.nan], [0.6, 0.1]], [[np.nan, np.nan], [np.nan, np.nan]]])
    np.testing.assert_allclose(averaged(column), [0.3, np.nan])


def test_seeds_without_an_overfitted_network_do_not_count_for_its_curve():
    claim = named("norm.trained.overfitted.curve")
    assert verdict(claim, SPARED).samples == 0
    mixed = {name: np.concatenate((COLUMNS[name], SPARED[name])) for name in COLUMNS}
    assert verdict(claim, mixed).samples == NETWORKS


def test_a_network_whose_norm_exceeds_the_bound_is_found():
    claim = named("norm.trained.bound")
    found = {name: COLUMNS[name].copy() for name in claim.columns}
    found["norm_layer"][7, 1, 2, 3] = 1.001 * found["bound"][7, 1, 2, 3]
    assert verdict(claim, found).outcome == "disagrees"
    assert excess("bound", claim.theory(**{name: COLUMNS[name] for name in claim.columns})) <= 0


@pytest.mark.parametrize("name", ["norm.trained.ensemble", "norm.trained.ensemble.pgd", "norm.trained.resnet18"])
def test_rows_keep_silent_on_what_was_not_run(name):
    assert named(name).where(**POINT)
    assert not named(name).where(**POINT | {"auto_images": 0, "resnet": 0})


def test_no_row_but_bounds_and_the_initial_network_speaks_of_other_images():
    other = POINT | {"dataset": "digits"}
    speak = {claim.id for claim in ROWS if claim.where(**other) and claim.kind != "bound"}
    assert speak == {"norm.trained.resnet18.initial", "norm.trained.ensemble.pgd"}


def test_a_norm_that_is_not_known_is_no_small_one():
    claim = named("norm.trained.layers")
    found = {name: COLUMNS[name].copy() for name in claim.columns}
    found["norm_layer"][:, 0, 2, 3] = np.nan
    assert verdict(claim, found).samples == 0


@pytest.mark.parametrize(("layer", "outcome"), [(0, "disagrees"), (15, "agrees")])
def test_a_layer_that_only_wider_networks_have_is_not_missed_in_the_narrow_one(layer, outcome):
    """Networks of width 1 have 15 convolutions, the others 16."""
    claim = named("norm.trained.layers")
    found = {name: COLUMNS[name].copy() for name in claim.columns}
    found["norm_layer"][:, 0, 2, layer] = np.where(layer == 15, np.nan, 9.0)
    assert verdict(claim, found).outcome == outcome
