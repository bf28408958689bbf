"""The printed numbers: all there, findable, and with the relations that were worked out from them by hand."""

from fractions import Fraction

import numpy as np
import pytest

from theory.claims import BOOK
from theory.convolution.robust_accuracy import overfitted
from theory.products.fraction import fraction_law
from theory.reported import (
    CONVNORM,
    FEATURE,
    LAYERS,
    NORMALISATIONS,
    NORMS,
    NUMBERS,
    RADII,
    WIDTHS,
    attacked_accuracy,
    clean_accuracy,
    condition_number,
    find,
    robust_accuracy,
)

ROWS = [claim for claim in BOOK if claim.kind == "reported"]


def test_every_number_has_one_place_and_a_value():
    places = {(number.paper, number.table, number.row, number.column) for number in NUMBERS}
    assert len(places) == len(NUMBERS)
    assert {number.mark for number in NUMBERS} == {"printed", "secondary", "inferred"}
    assert all(float(number.exact) == number.value for number in NUMBERS)


def test_how_many():
    def count(paper, table):
        return sum((number.paper, number.table) == (paper, table) for number in NUMBERS)

    assert count(CONVNORM, "Table 1") == 2 * 2 * 5 * 4
    assert count(FEATURE, "Table 3") == 20
    assert count("Conditioning", "Table I") == count("Conditioning", "Table II") == 2 + 20 + 16


def test_some_cells():
    assert condition_number(1, "L2", "dense").exact == 1_830_000_000
    assert condition_number(2, "Linf", "conv1").value == 65200
    assert attacked_accuracy(1, "conv", "0.01").decimal == "0.583"
    assert attacked_accuracy(2, "simple", "0.002").exact == Fraction(921, 1000)
    assert clean_accuracy(2, "conv").value == 0.993
    assert robust_accuracy("FGSM", 5, "convnorm").decimal == "87.79"
    assert robust_accuracy("PGD", 3, "bn+convnorm", top=5).value == 68.35
    assert find(FEATURE, "Table 3", "median", "0.889").value == 0.3315


def test_rounding():
    assert condition_number(1, "L2", "dense").rounding == pytest.approx(5e6)
    assert condition_number(1, "L2", "simple").rounding == pytest.approx(0.005)
    assert find("Latent and SVD defences", "text", "latent size").rounding == 0.5


def test_seven_cells_are_flagged():
    cells = [(name, width) for name in NORMALISATIONS for width in WIDTHS]
    accuracies = [[robust_accuracy(attack, width, name).value for name, width in cells] for attack in ("FGSM", "PGD")]
    flagged = [cell for cell, flag in zip(cells, overfitted(*map(np.array, accuracies)), strict=True) if flag]
    assert flagged == [("convnorm", 3), ("convnorm", 4), ("convnorm", 5), *(("bn+convnorm", k) for k in (2, 3, 4, 5))]


def test_the_caps_on_the_stable_ranks():
    caps = [
        (condition_number(table, "LF", layer).value / condition_number(table, "L2", layer).value) ** 2
        for table in (1, 2)
        for layer in LAYERS
    ]
    assert caps == pytest.approx([2.92, 1.82, 7.02, 1.067, 3.64, 3.14, 2.28, 7.67, 1.525, 3.13], abs=0.006)


def test_predictions():
    theory = {claim.id: claim.theory for claim in ROWS}
    for name, printed in (("fc.table2.fraction", 0.3280), ("fc.table2.aligned.fraction", 0.3280)):
        assert theory[name]().printed == printed
        assert theory[name]().predicted == fraction_law(12, (12,)).mean() == pytest.approx(0.2352, abs=5e-5)
    # A fixed direction in a random plane: which dimensions would give the printed mean and median.
    assert theory["fc.table3.mean"](n=15).predicted == pytest.approx(0.329039, abs=1e-6)
    assert theory["fc.table3.mean"](n=15.10993845).predicted == pytest.approx(0.3278, abs=1e-9)
    assert theory["fc.table3.median"](n=14.25841579).predicted == pytest.approx(0.3270, abs=1e-9)
    # In 12 dimensions: Gamma(3/2) Gamma(6) / Gamma(13/2), Gamma(6) / (sqrt(pi) Gamma(13/2)) and 1 - (1 - m^2)^5 = 1/2.
    assert theory["fc.table3.mean"]().predicted == pytest.approx(0.3694, abs=5e-5)
    assert theory["fc.table3.mean.line"]().predicted == pytest.approx(0.2352, abs=5e-5)
    assert theory["fc.table3.median"]().predicted == pytest.approx(0.3598, abs=5e-5)
    np.testing.assert_array_equal(theory["fc.table8.found"]().printed, [0.0722, 0.0828, 0.0607, 0.0679])
    np.testing.assert_array_equal(theory["fc.table8.found"]().predicted, [0.0765, 0.0349, 0.0387, 0.0806])


def test_a_mean_in_print_is_of_as_many_as_the_paper_says():
    averages = {claim.id: claim.theory().mean_of for claim in ROWS if claim.theory().mean_of > 1}
    table_2 = {f"fc.table2.{part}" for part in ("fraction", "cosine", "difference")}
    assert {name for name, runs in averages.items() if runs == 18} == {
        *table_2,
        *(name.replace("table2", "table2.aligned") for name in table_2),
    }
    assert {name for name, runs in averages.items() if runs == 50} == {
        f"fc.table3.{part}" for part in ("mean", "mean.line", "median", "median.line")
    }


@pytest.mark.parametrize("claim", ROWS, ids=lambda claim: claim.id)
def test_rows_hold_printed_numbers(claim):
    printed = np.asarray(claim.theory().printed, float).ravel()
    assert not np.all(np.isnan(printed))
    assert set(printed[~np.isnan(printed)]) <= {number.value for number in NUMBERS}


def test_rows_take_every_place():
    """Each cell of Tables I and II of Conditioning stands in one row, in the order of the table."""
    theory = {claim.id: claim.theory for claim in ROWS}
    for table, attack in ((1, "FGSM"), (2, "FGMT")):
        kappa = [theory[f"cond.table{table}.kappa.{model}"]().printed for model in ("simple", "conv")]
        expected = [[condition_number(table, norm, layer).value for norm in NORMS] for layer in LAYERS]
        np.testing.assert_array_equal(np.concatenate(kappa), expected)
        for model in ("simple", "conv"):
            expected = [attacked_accuracy(table, model, radius).value for radius in RADII]
            np.testing.assert_array_equal(theory[f"cond.table{table}.accuracy.{model}"]().printed, expected, attack)
        expected = [clean_accuracy(table, model).value for model in ("simple", "conv")]
        np.testing.assert_array_equal(theory[f"cond.table{table}.clean"]().printed, expected)


def test_unknown_places():
    with pytest.raises(ValueError, match="no number is known of ConvNorm, Table 9"):
        find(CONVNORM, "Table 9", "PGD")
    with pytest.raises(ValueError, match="column 'wide'"):
        condition_number(1, "L2", "wide")
