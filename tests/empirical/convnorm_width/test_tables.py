"""The tables of width and normalisation, from columns of networks that behave as the paper says."""

import numpy as np
import pytest

from empirical.convnorm_width.columns import WORDS, cells
from empirical.convnorm_width.study import STUDY
from empirical.convnorm_width.tables import tables
from fragility.tables import plain_rows, text
from tests.empirical.convnorm_width.made import COLLAPSED, COLLAPSES, EPOCHS, LAYERS, columns
from theory.reported import CONVNORM, find

DEFAULTS = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}


def found(title, made=None, **point):
    """The one table whose title begins so, and its rows."""
    every = tables([(DEFAULTS | point, columns() if made is None else made)])
    (table,) = [table for table in every if table.title.startswith(title)]
    return table, plain_rows(table)


def overfitting(made):
    return {(row["k"], row["normalisation"]): row for row in found("Catastrophic", made)[1]}


def test_printed_and_measured_stand_side_by_side():
    made = columns()
    table, rows = found("Table 1", made)
    assert len(rows) == 20
    assert table.headings == {0: "top-1, PGD", 5: "top-1, FGSM", 10: "top-5, PGD", 15: "top-5, FGSM"}
    row = rows[7]  # FGSM, k = 3
    assert row["k"] == 3
    assert row["ConvNorm printed"] == 71.27
    assert row["ConvNorm measured"] == pytest.approx(100 * made["fgsm"][:, 2, 2].mean())
    low, high = row["ConvNorm interval"]
    assert low < row["ConvNorm measured"] < high
    assert rows[14]["BN+ConvNorm printed"] == float(find(CONVNORM, "Table 1", "PGD top-5 k=5", "bn+convnorm").value)
    assert rows[14]["BN+ConvNorm measured"] == pytest.approx(100 * made["pgd5"][:, 4, 3].mean())


def test_what_was_not_run_is_said_to_be_so():
    made = columns(widths=(1, 5), normalisations=("bn", "convnorm"))
    made["width"][:, 1] = 6
    rows = found("Table 1", made)[1]
    assert [row["k"] for row in rows[:6]] == [1, 2, 3, 4, 5, 6]
    assert rows[0]["vanilla measured"] == "not run"
    assert rows[1]["BN measured"] == "not run"
    assert rows[0]["BN measured"] == pytest.approx(100 * made["pgd"][:, 0, 0].mean())
    assert rows[5]["ConvNorm measured"] == pytest.approx(100 * made["pgd"][:, 1, 1].mean())
    assert rows[5]["ConvNorm printed"] is None


def test_nothing_is_printed_of_other_images():
    table, rows = found("Table 1", columns(widths=(2, 3)), dataset="digits")
    assert [row["k"] for row in rows[:3]] == [2, 3, 2]
    assert rows[0]["vanilla printed"] is None
    assert rows[0]["vanilla measured"] is not None
    assert text(table).splitlines()[2].split()[:4] == ["k", "vanilla", "interval", "BN"]


def test_one_seed_has_no_interval():
    row = found("Table 1", columns(seeds=1))[1][0]
    assert row["BN interval"] == [-np.inf, np.inf]
    assert "over 1 seed," in found("Table 1", columns(seeds=1))[0].notes[0]


def test_natural_accuracy_has_a_row_for_each_network():
    made = columns()
    rows = found("Figures 2 and 3", made)[1]
    assert [(row["k"], row["normalisation"]) for row in rows[:5]] == [
        (1, "vanilla"), (1, "BN"), (1, "ConvNorm"), (1, "BN+ConvNorm"), (2, "vanilla"),
    ]  # fmt: skip
    assert rows[6]["top-1 measured"] == pytest.approx(100 * made["clean"][:, 1, 2].mean())
    assert rows[6]["top-5 measured"] == pytest.approx(100 * made["clean5"][:, 1, 2].mean())
    assert rows[6]["on training images measured"] == pytest.approx(100 * made["train_accuracy"][:, 1, 2].mean())


def test_overfitted_networks_are_flagged_from_their_first_epoch_on():
    made = columns()
    rows = overfitting(made)
    for cell in cells(made):
        row = rows[cell.width, WORDS[cell.normalisation]]
        collapsed = (cell.normalisation, cell.width) in COLLAPSED
        assert row["flagged"] == ("3 of 3" if collapsed else "0 of 3")
        assert row["first epoch"] == " ".join([str(COLLAPSES + 1) if collapsed else "-"] * 3)
        assert row["on the way"] == f"{3 * (EPOCHS - COLLAPSES) if collapsed else 0} of {3 * EPOCHS}"
        assert (row["rise with radius"] > 20) == collapsed
        assert row["gap"] == pytest.approx(row["FGSM"] - row["PGD"])
        assert row["AutoAttack"] == pytest.approx(0.9 * row["PGD"])
    assert {row["flagged"] for row in overfitting(columns(overfitted=False)).values()} == {"0 of 3"}


def test_the_rise_is_the_largest_above_any_smaller_radius():
    made = columns(seeds=1, widths=(1,), normalisations=("bn",))
    made["curve_fgsm"][0, 0, 0] = [0.8, 0.5, 0.6, 0.4, 0.55, 0.3, 0.35]
    (row,) = found("Catastrophic", made)[1]
    assert row["rise with radius"] == pytest.approx(15)


def test_auto_attack_that_was_not_run_leaves_no_numbers():
    table, rows = found("Catastrophic", columns(auto=False))
    assert {row["AutoAttack"] for row in rows} == {None}
    assert "AutoAttack  " not in text(table).splitlines()[2]


def test_courses_show_some_epochs_with_the_last():
    made = columns()
    table, rows = found("Figure 2: accuracy along training", made)
    assert len(rows) == 4 * 20
    assert table.headings[4 * 2] == "ConvNorm, k = 1"
    row = rows[4 * (4 * 2 + 2) + 2]  # PGD of ConvNorm, k = 3
    assert row["accuracy"] == "PGD"
    assert row[f"epoch {EPOCHS}"] == pytest.approx(100 * made["course_pgd"][:, 2, 2, -1].mean())
    assert rows[4 * (4 * 2 + 2) + 3][f"epoch {EPOCHS}"] == "3"
    long = {name: np.repeat(value, 10, axis=-1) if name.startswith("course") else value for name, value in made.items()}
    heads = [column.name for column in found("Figure 2: accuracy along training", long)[0].columns]
    assert len(heads) == 9
    assert heads[1] == "epoch 1"
    assert heads[-1] == f"epoch {10 * EPOCHS}"


def test_curves_have_a_column_for_each_radius():
    made = columns()
    table, rows = found("Accuracy over the radius", made)
    assert [column.name for column in table.columns][1:] == [f"{n}/255" for n in (0, 2, 4, 6, 8, 12, 16)]
    assert rows[1]["attack"] == "FGSM"
    assert rows[1]["16/255"] == pytest.approx(100 * made["curve_fgsm"][:, 0, 0, -1].mean())


def test_sentences_are_paired_over_seeds():
    """What differs between seeds alone cancels in a difference."""
    made = columns(widths=(1, 2))
    shift = np.array([0.0, 0.1, 0.05])[:, None, None]
    made["clean"] = shift + np.array([[0.4, 0.5, 0.45, 0.5], [0.42, 0.56, 0.5, 0.5]])
    rows = {row["quantity"]: row for row in found("Sections 4.2 and 5", made)[1]}
    for words, expected in (
        ("natural, vanilla, k = 2 less k = 1", 2),
        ("natural, BN, k = 2 less k = 1", 6),
        ("natural, BN, k = 1 less vanilla", 10),
        ("natural, ConvNorm, k = 2 less vanilla", 8),
    ):
        assert rows[words]["measured"] == pytest.approx(expected)
        assert rows[words]["interval"] == pytest.approx([expected, expected])
        assert rows[words]["note"] == "the paper: > 0"
    assert rows["PGD, range of vanilla over k"]["measured"] == pytest.approx(
        100 * np.ptp(made["pgd"][:, :, 0], axis=1).mean()
    )
    assert rows["PGD, ConvNorm, k = 2 less k = 1"]["note"] == "the paper: < 0"


def test_sentences_of_cells_that_were_not_run_are_left_out():
    alone = {row["quantity"] for row in found("Sections", columns(widths=(2,), normalisations=("vanilla", "bn")))[1]}
    assert alone == {f"{words}, BN, k = 2 less vanilla" for words in ("natural", "PGD", "FGSM")}
    without = [row["quantity"] for row in found("Sections", columns(normalisations=("bn", "convnorm")))[1]]
    assert not [words for words in without if "vanilla" in words]
    assert "FGSM, ConvNorm, k = 5 less k = 1" in without


def test_norms_by_layer_and_how_often_they_are_raised():
    made = columns(widths=(1, 2))
    made["norm_layer"][0, 1, 2, 5] = made["norm_weights"][0, 1, 2, 5] + 1
    table, rows = found("Spectral norms", made)
    assert table.headings == {0: "k = 1", LAYERS: "k = 2"}  # 15 convolutions and the product
    assert rows[LAYERS - 1]["convolution"] == "Lipschitz product, median"
    row = rows[LAYERS + 5]
    assert row["convolution"] == "6"
    assert row["ConvNorm raised"] == "1 of 3"
    assert row["BN+ConvNorm raised"] == "0 of 3"
    assert row["ConvNorm ||A||"] == pytest.approx(made["norm_weights"][:, 1, 2, 5].mean())
    assert row["ConvNorm ||Q||"] == pytest.approx(made["norm_layer"][:, 1, 2, 5].mean())
    assert row["ConvNorm bound"] == pytest.approx(made["bound"][:, 1, 2, 5].mean())
    assert "vanilla ||Q||" not in row


def test_the_residual_network_at_the_start_and_trained():
    table, rows = found("Figure 1", columns())
    assert len(rows) == 20
    assert {row["raised at the start"] for row in rows} == {"3 of 3"}
    assert {row["raised trained"] for row in rows} == {"0 of 3"}
    assert rows[0]["||Q|| / ||A|| trained"] == pytest.approx(0.4)
    assert table.notes[-1].endswith("at the start: 60 of 60 are raised; trained: 0 of 60 are raised.")
    begun = found("Figure 1", columns(trained=False))[1][0]
    assert "||A|| trained" not in begun


def test_a_title_says_what_is_not_as_usual():
    title = found("Table 1", noise="random", kept="best")[0].title
    assert "cifar10" in title
    assert "noise random" in title
    assert "kept best" in title
    assert "leak" not in title


def test_every_table_can_be_read():
    for table in tables([(DEFAULTS, columns()), (DEFAULTS | {"adversary": "pgd"}, columns(seeds=1, auto=False))]):
        assert text(table)
        assert plain_rows(table)
