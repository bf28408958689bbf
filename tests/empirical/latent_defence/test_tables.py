"""The tables of Figures 4 to 6 and of pixels, from columns of networks that behave as the paper says."""

import numpy as np
import pytest

from empirical.latent_defence.columns import STATISTICS
from empirical.latent_defence.setting import CODES, GRADIENTS, KINDS, SPACES
from empirical.latent_defence.study import STUDY
from empirical.latent_defence.tables import SPEED, tables
from fragility.tables import plain_rows, text
from tests.empirical.latent_defence.made import columns

DEFAULTS = {name: axis.default[0] for name, axis in STUDY.grid.items()} | {"data": ""}


def found(title, made=None, **point):
    """The one table whose title begins so, and its rows as a machine gets them."""
    (table,) = [
        table
        for table in tables([(DEFAULTS | point, columns() if made is None else made)])
        if table.title.startswith(title)
    ]
    return table, plain_rows(table)


def test_all_columns_are_those_of_the_study():
    made = columns()
    for name, shape in STATISTICS.shapes(3, course=made["losses"].shape[-1], pixels=9).items():
        assert made[name].shape == shape, name


@pytest.mark.parametrize(
    ("title", "head", "name", "spaces"),
    [
        ("Figure 4", "test", "test_accuracy", SPACES),
        ("Figure 4", "train", "train_accuracy", SPACES),
        ("Figure 5", "||delta|| / ||x||", "robustness", SPACES),
        ("Figure 5", "reached 95 %", "success", SPACES),
        ("Figure 6", "examples", "adversarial_accuracy", CODES),
        ("Figure 6", "given the goal", "hit", CODES),
        ("The same in input pixels", "all ways", "pixels", SPACES),
        ("The same in input pixels", "certified", "pixels_lower", SPACES),
    ],
)
def test_a_row_for_each_classifier_under_what_it_is_given(title, head, name, spaces):
    made = columns()
    table, rows = found(title, made)
    assert list(table.headings) == list(range(0, 3 * len(spaces), 3))
    assert [row["classifier"] for row in rows] == ["1L", "2L", "LRL"] * len(spaces)
    expected = made[name].mean(0).ravel()
    np.testing.assert_allclose([row[head] for row in rows], expected, rtol=1e-12)


def test_the_first_number_has_an_interval_over_seeds():
    made = columns()
    for row, values in zip(found("Figure 4", made)[1], made["test_accuracy"].reshape(3, -1).T, strict=True):
        low, high = row["interval"]
        assert low < values.mean() < high <= 1
    assert "too few" in text(found("Figure 4", columns(seeds=1))[0])


def test_ways_of_attack_stand_side_by_side_and_what_does_not_apply_is_empty():
    made = columns()
    rows = found("The same in input pixels", made)[1]
    for row, ways in zip(rows, made["pixels_by"].mean(0).reshape(-1, len(GRADIENTS)), strict=True):
        for way, value in zip(GRADIENTS, ways, strict=True):
            assert (row[way] is None) if np.isnan(value) else (row[way] == pytest.approx(value))


def test_an_attack_that_finds_nothing_is_infinite_and_has_no_interval():
    made = columns()
    made["pixels"][0, 1, 2] = np.inf
    table, rows = found("The same in input pixels", made)
    row = rows[3 + 2]
    assert row["all ways"] == np.inf
    assert "inf  " in text(table)
    assert row["interval"] == [-np.inf, np.inf]


def test_gains_are_ratios_to_the_image_classifier_of_the_same_kind():
    made = columns()
    rows = found("Gain over the image classifier", made)[1]
    i, j = SPACES.index("vae_encoding"), KINDS.index("2l")
    row = rows[3 * (i - 1) + j]
    own = made["robustness"][:, i, j] / made["robustness"][:, 0, j]
    assert row["||delta|| / ||x||, Figure 5"] == pytest.approx(own.mean())
    every = made["pixels"][:, i, j] / made["pixels"][:, 0, j]
    assert row["pixels, all ways"] == pytest.approx(every.mean())
    transfer = made["pixels_by"][:, i, j, GRADIENTS.index("transfer")] / made["pixels"][:, 0, j]
    assert row["pixels, by transfer"] == pytest.approx(transfer.mean())
    made["pixels"][:, 0, j] = 0.0
    assert found("Gain over", made)[1][3 * (i - 1) + j]["pixels, all ways"] is None


def test_what_the_paper_says_is_a_paired_difference():
    """What differs between seeds alone cancels."""
    made = columns()
    drift = np.array([0.0, 0.1, -0.1])[:, None, None]
    made["test_accuracy"] = np.full((3, 5, 3), 0.5) + drift
    made["test_accuracy"][:, 0] += 0.2
    made["test_accuracy"][:, SPACES.index("ae_encoding"), KINDS.index("lrl")] += 0.1
    made["robustness"] = np.full((3, 5, 3), 0.5) + drift
    made["robustness"][:, SPACES.index("vae_encoding")] += 0.3
    made["robustness"][:, [0, 1]] -= 0.1
    made["adversarial_accuracy"] = np.full((3, 4, 3), 0.5) + drift
    made["adversarial_accuracy"][:, CODES.index("vae_encoding")] += 0.2
    made["adversarial_accuracy"][:, CODES.index("ae_encoding")] -= 0.25
    rows = {row["quantity"]: row for row in found("Sections 3.3", made)[1]}
    expected = {
        "test, best of images less best of codes": 0.1,
        "test, AE encoding LRL less the best other of codes": 0.1,
        "test, least LRL less 1L or 2L of its space": 0.0,
        "robustness, VAE encoding less the best other": 0.3,
        "robustness, AE encoding or image less the least other": -0.1,
        "examples, VAE encoding less the best other": 0.2,
        "examples, AE encoding less the least other": -0.25,
    }
    for quantity, value in expected.items():
        assert rows[quantity]["measured"] == pytest.approx(value, abs=1e-12), quantity
        assert rows[quantity]["interval"] == pytest.approx([value, value], abs=1e-9)


def test_the_epochs_of_two_layers_to_the_loss_of_one():
    """Up to 5 % above 0.3 + 2 / 6 comes 1L, which has 0.3 + 2 / t, at t = 6, and 2L, which has 0.3 + 1 / t, at 3."""
    rows = {row["quantity"]: row for row in found("Sections 3.3")[1]}
    assert rows[f"{SPEED}image"]["measured"] == pytest.approx(3 / 6)
    assert rows[f"{SPEED}AE encoding"]["measured"] == pytest.approx(5 / 9)
    slow = columns()
    slow["losses"][0, 0, 1] += 1
    row = {row["quantity"]: row for row in found("Sections 3.3", slow)[1]}[f"{SPEED}image"]
    assert row["seeds"] == 2
    assert row["note"].endswith("never in 1 seeds")


def test_background_and_transfer():
    made = columns()
    rows = found("Figure 1", made)[1]
    assert rows[0]["measured"] == pytest.approx(made["background"][:, 0].mean())
    assert rows[1]["measured"] == pytest.approx((made["background"] - made["background_pixels"])[:, 0].mean())
    rows = found("Section 1.1", made)[1]
    for row, expected in zip(rows, made["transfer"].mean(0), strict=True):
        assert list(row.values())[1:] == pytest.approx(expected)


def test_stalls_stand_beside_those_that_theory_knows_of():
    made = columns()
    rows = found("What larger penalties do", made)[1]
    assert [row["penalty"] for row in rows[:4]] == ["0", "0.1", "1", "10"]
    assert rows[2]["stalled"] == pytest.approx(made["stalled_at"][:, 0, :, 2].mean())
    assert rows[2]["cannot leave"] == pytest.approx(made["stall_certified"][:, 0, :, 2].mean())
    made["robustness_at"][..., 3] = np.nan
    assert found("What larger penalties do", made)[1][3]["||delta|| / ||x||"] is None


def test_several_points_are_compared():
    made = columns()
    several = tables([(DEFAULTS, made), (DEFAULTS | {"dataset": "fashion-mnist", "code": "mean"}, made)])
    rows = plain_rows(several[-1])
    assert rows[0]["quantity"] == "dataset=mnist: test accuracy, mean of all"
    assert rows[6]["quantity"] == "dataset=fashion-mnist code=mean: test accuracy, mean of all"
    assert rows[0]["measured"] == pytest.approx(made["test_accuracy"].mean())
