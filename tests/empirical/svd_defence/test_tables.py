"""The tables of Figure 7, from columns of networks that behave as the paper says."""

import math

import numpy as np
import pytest

from empirical.svd_defence.measure import STATISTICS
from empirical.svd_defence.study import STUDY
from empirical.svd_defence.tables import SHOWN, TWO, WORDS, tables
from empirical.svd_defence.trainings import CLASSIFIERS
from empirical.svd_defence.treatments import SHARES, TREATMENTS
from fragility.tables import plain_rows, text
from tests.empirical.svd_defence.made import columns

DEFAULTS = {axis: of.default[0] for axis, of in STUDY.grid.items()} | {"data": "0" * 12}
AT = {share: number for number, share in enumerate(SHARES)}
LRL = CLASSIFIERS.index("lrl")


def found(title, made=None, **point):
    """The one table whose title begins so, and its rows."""
    given = [(DEFAULTS | point, columns() if made is None else made)]
    (table,) = [table for table in tables(given) if table.title.startswith(title)]
    return table, plain_rows(table)


def place(treatment, share):
    """The row of a treatment and share, below the original's."""
    return 1 + list(WORDS).index(treatment) * len(SHOWN) + SHOWN.index(share)


def quantities(made=None):
    return {row["quantity"]: row for row in found("Section 3.6", made)[1]}


def test_what_is_made_is_what_is_recorded():
    assert set(columns()) == set(STATISTICS)


def test_figure_7_has_the_original_and_every_treatment():
    made = columns()
    table, rows = found("Figure 7: accuracy as singular values are shrunk (LRL", made)
    assert len(rows) == 1 + len(TREATMENTS) * len(SHOWN)
    assert list(table.headings.values()) == list(WORDS.values())
    for treatment in TREATMENTS:
        for share in SHOWN:
            row, cell = rows[place(treatment, share)], (slice(None), LRL, TREATMENTS.index(treatment), AT[share])
            assert row["share"] == share
            for name in ("test", "train", "adversarial"):
                assert row[name] == pytest.approx(made[f"{name}_accuracy"][cell].mean())
    row = rows[place("tenth", 40)]
    values = made["test_accuracy"][:, LRL, 1, AT[40]]
    half = 4.302652729911275 * values.std(ddof=1) / math.sqrt(3)  # Student's .975 quantile, two degrees of freedom
    assert row["test, interval"] == pytest.approx([values.mean() - half, values.mean() + half])
    assert row["of each layer"] == "40, 4"
    assert rows[0]["adversarial"] == 0
    assert "(LRL, dataset=mnist)" in table.title


def test_one_layer_has_one_number():
    rows = found("Figure 7: accuracy as singular values are shrunk (1L")[1]
    assert rows[place("zeroed", 60)]["of each layer"] == "6"


def test_attacks_made_anew_stand_beside_what_is_certified():
    made = columns()
    table, rows = found("Attacked anew, and decisions that stand (2L", made)
    row = rows[place("tenth", 60)]
    cell = (slice(None), TWO, 1, AT[60])
    assert row["attempts"] == 180
    assert row["success"] == pytest.approx(made["anew_success"][cell].mean())
    assert row["stalled"] == pytest.approx(made["anew_stalled"][cell].mean())
    assert row["size"] == pytest.approx(made["anew_robustness"][cell].mean())
    assert row["pixels"] == pytest.approx(made["pixels"][cell].mean())
    assert row["unchanged"] == pytest.approx(1 - made["changed"][cell].mean())
    assert row["certified"] == pytest.approx(made["certified"][cell].mean())
    assert rows[place("random", 60)]["certified"] is None
    assert math.isnan(rows[place("zeroed", 100)]["size"])
    assert "above what stands: 0.0000" in table.notes[-1]
    made["certified"] = made["certified"].copy()
    made["certified"][1, 0, 2, 3] = 1.25 - made["changed"][1, 0, 2, 3]
    assert "above what stands: 0.2500" in found("Attacked anew, and decisions that stand (2L", made)[0].notes[-1]


def test_decisions_that_cannot_be_turned_have_no_interval():
    made = columns()
    made["pixels"][0, TWO, 0, AT[40]] = np.inf
    row = found("Attacked anew, and decisions that stand (2L", made)[1][place("zeroed", 40)]
    assert row["pixels"] == math.inf
    assert row["pixels, interval"] == [-math.inf, math.inf]


def test_no_length_is_said_to_be_negative():
    made = columns()
    made["pixels"][:, TWO, 0, AT[40]] = [0, 0.1, 0]
    row = found("Attacked anew, and decisions that stand (2L", made)[1][place("zeroed", 40)]
    assert row["pixels"] == pytest.approx(0.1 / 3)
    assert row["pixels, interval"][0] == 0
    assert quantities(made)[f"{WORDS['zeroed']}, 40 %: change in pixels, per cent"]["interval"][0] == -100


def test_sentences_are_differences_within_a_seed():
    made = columns()
    rows = quantities(made)
    for treatment in ("tenth", "zeroed"):
        number = TREATMENTS.index(treatment)
        for words, key in (
            ("gain on the original's examples", "adversarial_accuracy"),
            ("change of test accuracy", "test_accuracy"),
            ("change of training accuracy", "train_accuracy"),
            ("success anew", "anew_success"),
        ):
            values = made[key][:, TWO, number]
            row = rows[f"{WORDS[treatment]}, 40 %: {words}"]
            assert row["measured"] == pytest.approx((values[:, AT[40]] - values[:, 0]).mean(), abs=1e-12)
            assert row["interval"] == pytest.approx([row["measured"]] * 2, abs=1e-9), "seeds cancel"
            assert row["seeds"] == 3
    values = made["test_accuracy"][:, TWO, TREATMENTS.index("nine_tenths")]
    row = rows[f"{WORDS['nine_tenths']}, 5 to 15 %: change of test accuracy"]
    assert row["measured"] == pytest.approx((values[:, 1:4].mean(1) - values[:, 0]).mean())
    both = made["adversarial_accuracy"][:, TWO, :, AT[40]]
    row = rows["zeroed less times 1/10, 40 %: original's examples"]
    assert row["measured"] == pytest.approx((both[:, 0] - both[:, 1]).mean())
    assert f"{WORDS['random']}, 40 %: gain on the original's examples" in rows
    pixels = made["pixels"][:, TWO, 1]
    row = rows[f"{WORDS['tenth']}, 40 %: change in pixels, per cent"]
    assert row["measured"] == pytest.approx(100 * (pixels[:, AT[40]] / pixels[:, 0] - 1).mean())


def test_energies_stand_beside_chance():
    made = columns()
    _, rows = found("Energy along", made)
    assert len(rows) == 3 * 5
    row = rows[5 + 1]
    assert (row["directions"], row["number"]) == ("bottom 40 %", "40 of 100")
    assert row["chance"] == pytest.approx(0.4)
    assert row["perturbation"] == pytest.approx(made["energy"][:, TWO, AT[40]].mean())
    assert row["gradient"] == pytest.approx(made["gradient_energy"][:, TWO, AT[40]].mean())
    assert row["||W||_F^2"] == pytest.approx(made["weight_energy"][:, TWO, AT[40]].mean())
    last = rows[5 + 4]
    assert (last["directions"], last["number"]) == ("outside", "684 of 784")
    assert last["chance"] == pytest.approx(684 / 784)
    assert last["perturbation"] == pytest.approx(made["outside"][:, TWO].mean())


def test_where_the_first_layer_sees_everything_nothing_lies_outside():
    made = columns()
    made["directions"] = made["directions"].copy()
    made["directions"][:, 0] = [10, 10]
    assert found("Energy along", made)[1][4]["chance"] == 0


def test_how_many_the_shares_of_the_text_are():
    table, rows = found("How many", rounding="ceil")
    assert [tuple(row.values()) for row in rows] == [
        ("5 % of 10", 0, 0, 1), ("5 % of 100", 5, 5, 5), ("15 % of 10", 1, 2, 2), ("15 % of 100", 15, 15, 15),
        ("40 % of 10", 4, 4, 4), ("40 % of 100", 40, 40, 40),
    ]  # fmt: skip
    assert "here: ceil" in table.notes[0]
    assert table.title.endswith("(dataset=mnist rounding=ceil)")


def test_factors_are_set_beside_balanced_ones():
    made = columns()
    rows = found("2L is not 1L", made)[1]
    assert (rows[0]["measured"], rows[0]["predicted"]) == (pytest.approx(0.3), 0)
    assert [row["measured"] for row in rows[1:]] == pytest.approx([0.2**4, 0.4**4, 0.6**4, 0.8**4])
    assert rows[2]["note"] == "chance 0.40"


def test_several_points_are_compared_and_one_seed_is_enough():
    made = columns(seeds=1)
    several = tables([(DEFAULTS, made), (DEFAULTS | {"dataset": "fashion-mnist"}, made)])
    rows = plain_rows(several[-1])
    assert len(rows) == 2 * 5
    assert rows[5]["quantity"] == "dataset=fashion-mnist: gain on the original's examples"
    assert rows[0]["measured"] == pytest.approx(made["adversarial_accuracy"][0, TWO, 1, AT[40]])
    assert "too few" in text(several[0])
    assert len(several) == 2 * 10 + 1
