"""The tables of the conditioning study, on columns that are made up so that the answers are known."""

import math

import numpy as np
import pytest
from scipy import stats

from empirical.conditioning import columns as reading
from empirical.conditioning.measure import ARMS, LAYERS, RADII, STATISTICS, TABLE_RADII, TEXT_RADII
from empirical.conditioning.study import STUDY
from empirical.conditioning.tables import printed_entries, tables
from empirical.conditioning.tables_of_courses import courses, ends
from fragility.tables import plain_rows, text
from theory import reported
from theory.claims.cond import trained_settings
from theory.conditioning.gaussian_condition import tall_condition

STEPS = 3
POINT = {
    "dataset": "mnist",
    "networks": "pair",
    "treatments": "all",
    "optimiser": "sgd",
    "rate": 0.5,
    "batch": 100,
    "iterations": 1000,
    "initial": "0.005",
    "epochs": 5,
    "orientation": "inputs",
    "images": 1000,
    "steps": STEPS,
    "data": "0" * 12,
}


def made(networks=6, models=2, arms=4, steps=STEPS, looks=5):
    """Columns of so many networks: random, but with steps and radii that could be."""
    rng = np.random.default_rng(0)
    sizes = {"models": models, "arms": arms, "layers": 1 if models == 1 else 5, "steps": steps, "looks": looks}
    found = {
        name: rng.uniform(0.1, 0.9, shape) for name, shape in STATISTICS.shapes(networks, **sizes, pixels=9).items()
    }
    for name in ("kappa", "first", "course"):
        found[name] = 1 + 10 * found[name]
        found[f"{name}_strict"] = found[name].copy()
    found["looks"][:] = np.arange(looks)
    return found


def rows_of(table):
    return {row["quantity"]: row for row in plain_rows(table)}


def named(made_tables, start):
    (found,) = [table for table in made_tables if table.title.startswith(start)]
    return found


def test_radii_are_those_of_the_paper():
    assert tuple(map(float, reported.RADII)) == TABLE_RADII
    assert pytest.approx(trained_settings.ALL_RADII) == RADII
    assert len(RADII) == 13
    assert set(TEXT_RADII) <= set(RADII)


def test_rows_speak_of_what_the_study_does_by_default():
    default = {name: axis.default[0] for name, axis in STUDY.grid.items()}
    assert default.items() >= trained_settings.RECIPE.items()
    assert (default["steps"], default["epochs"]) == (trained_settings.STEPS, trained_settings.EPOCHS)
    assert trained_settings.pair_attacked(**default)
    assert not trained_settings.treated(**default)
    assert trained_settings.treated(**default | {"treatments": "all"})
    assert not trained_settings.simple(**default | {"initial": "0"})


def test_what_the_paper_prints_of_the_mean_is_met_and_what_is_far_off_is_not():
    """Networks scatter around Table I, so that one more could be it; its number at 0.01 lies 30 sd away."""
    columns = made(networks=8)
    noise = np.linspace(-0.01, 0.01, 8)
    for k, radius in enumerate(reported.RADII):
        printed = reported.attacked_accuracy(1, "simple", radius).value
        columns["fgsm"][:, 0, 0, RADII.index(TABLE_RADII[k]), -1] = printed + noise
    columns["fgsm"][:, 0, 0, RADII.index(0.01), -1] += 0.2
    columns["test_accuracy"][:, 0, 0] = 0.9175 + noise
    table = named(tables([(POINT, columns)]), "Tables I (FGSM) and II (FGMT), the simple model")
    found = [row for row in plain_rows(table) if row["quantity"] == "test accuracy"]
    assert [row["meets"] for row in found] == ["I, II"]
    start = min(position for position, heading in table.headings.items() if heading == f"FGSM, {STEPS} steps")
    attacked = plain_rows(table)[start : start + 8]
    assert [row["quantity"] for row in attacked] == [f"epsilon = {radius}" for radius in reported.RADII]
    assert [row["meets"] for row in attacked] == ["I" if row["printed I"] != 0.088 else "no" for row in attacked]
    assert all(row["printed II"] is None for row in attacked)


def test_one_more_network_lies_in_students_interval():
    """Of means of normal draws 95 per cent, by simulation; and by the formula of one sample."""
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((4000, 6))
    inside = [reading.further(row[:5]).low <= row[5] <= reading.further(row[:5]).high for row in draws]
    assert abs(np.mean(inside) - 0.95) < 0.015
    one = reading.further(draws[0], entries=4)
    half = stats.t.isf(0.05 / 8, 5) * draws[0].std(ddof=1) * math.sqrt(7 / 6)
    assert (one.low, one.high) == pytest.approx((draws[0].mean() - half, draws[0].mean() + half))
    few = reading.further(draws[0, :1])
    assert (few.low, few.high) == (-math.inf, math.inf)
    assert not reading.lies_within(0.0, few)
    assert reading.further(np.array([0.9, 1.0]), within=(0.0, 1.0)).high == 1.0


def test_condition_numbers_are_geometric_means_and_transposing_exchanges_two():
    columns = made(networks=3)
    columns["kappa"][:, 0, 0] = [[1, 2, 3, 4], [10, 20, 30, 40], [100, 200, 300, 400]]
    plain, swapped = (printed_entries(columns, 0, swapped=which)["kappa of simple"] for which in (False, True))
    assert [entry.mean().value for entry in plain] == pytest.approx([10, 20, 30, 40])
    assert [entry.mean().value for entry in swapped] == pytest.approx([30, 20, 10, 40])
    assert [entry.printed[1].decimal for entry in swapped] == ["159.33", "36.48", "115.99", "62.33"]


def test_initial_layers_stand_beside_gaussian_ones():
    columns = made()
    table = named(tables([(POINT, columns)]), "Tables I (FGSM) and II (FGMT), the CNN")
    predicted = [row["predicted"] for row in plain_rows(table) if row["predicted"] is not None]
    assert predicted == pytest.approx(
        [tall_condition(*size)[0] for size in ((32, 9), (288, 64), (3136, 128), (128, 10))]
    )
    zeros = tables([({**POINT, "initial": "0", "dataset": "digits"}, made(models=1))])
    table = named(zeros, "Tables I (FGSM) and II (FGMT), the simple model")
    assert not [row for row in plain_rows(table) if row["predicted"] is not None or row["printed I"] is not None]


def test_a_singular_network_is_counted():
    columns = made()
    columns["kappa_strict"][[1, 4], 0, 0] = np.inf
    table = named(tables([(POINT, columns)]), "Tables I (FGSM) and II (FGMT), the simple model")
    assert rows_of(table)["kappa_1"]["note"] == "sigma_n = 0 in 2 of 6"


def test_a_setting_that_is_all_that_is_printed_is_found():
    """The map has a row for each setting, attack and orientation, and says which of them could be Table I."""
    columns = made(networks=8, models=1)
    noise = np.linspace(-0.002, 0.002, 8)
    columns["fgsm"][..., 0] = 0.9 + noise[:, None, None, None]  # a step alone does little
    columns["test_accuracy"][:, 0, 0] = reported.clean_accuracy(1, "simple").value + noise
    for k, radius in enumerate(reported.RADII):
        place = RADII.index(TABLE_RADII[k])
        columns["fgsm"][:, 0, 0, place, -1] = reported.attacked_accuracy(1, "simple", radius).value + noise
    for k, norm in enumerate(reported.NORMS):
        columns["kappa"][:, 0, 0, k] = reported.condition_number(1, norm, "simple").value * np.exp(noise)
    other = {**POINT, "networks": "simple", "initial": "glorot"}
    points = [({**POINT, "networks": "simple"}, columns), (other, made(networks=8, models=1))]
    table = named(tables(points), "Settings of the simple model")
    assert len(table.rows) == 2 + 2 * 2 * 2
    assert table.notes[-1] == (
        "All that a table prints is met by: sgd 0.5, batch 100, 1000 steps from normal 0.005, 3 steps, "
        "inputs x outputs: Table I."
    )
    best = plain_rows(table)[4]
    assert best["FGSM apart"] == pytest.approx(0, abs=1e-12)
    assert best["kappa_F / kappa_2"] == pytest.approx(62.33 / 36.48)
    assert "No" not in text(table)
    assert len([one for one in tables(points[:1]) if one.title.startswith("Settings")]) == 0


def test_radii_of_the_text_and_how_far_pixels_move():
    columns = made()
    table = named(tables([(POINT, columns)]), "Accuracy at the radii that Section IV lists")
    rows = plain_rows(table)
    assert [row["radius"] for row in rows[:6]] == [f"epsilon = {radius:g}" for radius in TEXT_RADII]
    assert len(rows) == 12
    place = RADII.index(0.105)
    assert rows[8]["FGMT, 3 steps"] == pytest.approx(columns["fgmt"][:, 0, 1, place, -1].mean())
    assert rows[8]["moved, 1 step"] == columns["moved"][:, 1, place, 0].max()


def test_courses_know_first_largest_and_last():
    columns = made(networks=3, looks=4)
    columns["looks"][:, 1] = [0, 1, 10, np.nan]
    columns["course"][:, 1] = np.array([2.0, 90.0, 30.0, np.nan])[:, None]
    columns["course_strict"][:, 1] = np.array([2.0, np.inf, np.inf, np.nan])[:, None]
    found = ends(columns, 1)
    assert [found[name][0] for name in ("first", "largest", "at", "last", "strict", "steps")] == [
        2,
        90,
        1,
        30,
        np.inf,
        10,
    ]
    table = courses(POINT, columns)
    row = plain_rows(table)[4]
    assert (row["largest"], row["at step"], row["of"], row["largest / last"]) == (90, 1, 10, 3)
    assert row["trend"] == pytest.approx(0.5)
    assert "conv0: norms agree to a rank correlation of 1.00" in text(table)


def test_treatments_are_compared_seed_by_seed():
    """The plain networks differ by far more than the treatment changes."""
    columns = made(networks=5)
    columns["distance"][:, 0, 1] = np.arange(5.0)
    columns["distance"][:, ARMS.index("penalty"), 1] = [0.1, 1.2, 2.3, 3.2, 3.9]
    table = named(tables([(POINT, columns)]), "Treatments of the weights")
    start = next(position for position, heading in table.headings.items() if heading == "the CNN, penalty minus plain")
    row = next(row for row in plain_rows(table)[start:] if row["quantity"] == "distance")
    assert row["measured"] == pytest.approx(0.14)
    assert row["interval"][0] < 0.14 < row["interval"][1] < 0.4
    assert row["note"] == "lower in 1 of 5"
    assert not [one for one in tables([(POINT, made(arms=1))]) if one.title.startswith("Treatments")]


def test_broken_inequalities_are_counted():
    columns = made()
    columns["growth_of_bound"][:, LAYERS.index("logits")] = [0.9, 1.5]
    columns["growth_of_bound"][0, LAYERS.index("logits"), 1] = 0.7
    table = named(tables([(POINT, columns)]), "Relative errors")
    start = next(position for position, heading in table.headings.items() if heading == "logits")
    notes = {row["quantity"]: row["note"] for row in plain_rows(table)[start:]}
    assert notes["worst growth over kappa_2, as printed"] == "broken in 5 of 6 networks, at most 1.5"
    assert notes["worst growth over kappa_2 ||x|| / ||P x||"] == "broken in 0 of 6 networks, at most 0.9"


@pytest.mark.parametrize("shape", [(1, 2, 4, 12), (2, 1, 1, 1), (4, 2, 1, 1)])
def test_every_size_of_a_run_makes_tables(shape):
    """One network, one model, one arm, one step."""
    networks, models, arms, steps = shape
    point = {**POINT, "networks": "pair" if models == 2 else "simple", "steps": steps}
    made_tables = tables([(point, made(networks, models, arms, steps))])
    assert len(made_tables) == models + 4 + (arms > 1)
    assert all(text(table) for table in made_tables)
