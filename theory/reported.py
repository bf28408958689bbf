"""The numbers that the five papers print, each with its place and how far it can be trusted.

Values are kept as the decimals that stand in print: `value` is the double next to one, `exact` the fraction. Marks:
"printed" was read in the paper itself; "secondary" in a text about the paper that agrees with it where both can be
seen, or in the code that the paper cites; "inferred" is a reading of settings that the paper does not print.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from theory.numerics import require

Mark = Literal["printed", "secondary", "inferred"]

FEATURE, JOINT, CONDITIONING = "Feature compression", "Joint margin bounds", "Conditioning"
LATENT, CONVNORM = "Latent and SVD defences", "ConvNorm"

RADII = ("0.001", "0.002", "0.005", "0.01", "0.05", "0.1", "0.15", "0.2")  # of Tables I and II of Conditioning
LAYERS = ("simple", "conv0", "conv1", "dense", "logits")
NORMS = ("L1", "L2", "Linf", "LF")
NORMALISATIONS = ("vanilla", "bn", "convnorm", "bn+convnorm")
WIDTHS = (1, 2, 3, 4, 5)
ALPHAS = ("0", "0.111", "0.222", "0.333", "0.444", "0.556", "0.667", "0.778", "0.889", "1")


@dataclass(frozen=True)
class Number:
    """One number of a paper.

    Parameters
    ----------
    paper : its short name, as in the table of claims.
    table : "Table 1", or "text".
    row, column : what it is of; column is empty where the row says it all.
    decimal : as printed, such as "71.27" or "1.83e9".
    mark : how it is known.
    """

    paper: str
    table: str
    row: str
    column: str
    decimal: str
    mark: Mark = "printed"

    @property
    def value(self) -> float:
        """The nearest double."""
        return float(self.decimal)

    @property
    def exact(self) -> Fraction:
        """Exactly what is printed."""
        return Fraction(self.decimal)

    @property
    def rounding(self) -> float:
        """Half a unit of the last printed digit: how far the unrounded number may be."""
        exponent = Decimal(self.decimal).as_tuple().exponent
        return 0.5 * 10.0 ** int(exponent)


def find(paper: str, table: str, row: str, column: str = "") -> Number:
    """The number at this place.

    Raises
    ------
    ValueError : if nothing is known of it.
    """
    try:
        return _PLACES[paper, table, row, column]
    except KeyError:
        raise ValueError(f"no number is known of {paper}, {table}, row {row!r}, column {column!r}") from None


def condition_number(table: int, norm: str, layer: str) -> Number:
    """kappa(W) in Table I (table = 1) or II (2), norm one of NORMS, layer one of LAYERS (Conditioning)."""
    return find(CONDITIONING, _roman(table), f"kappa {norm}", layer)


def attacked_accuracy(table: int, model: str, radius: str) -> Number:
    """Accuracy under FGSM (table = 1) or FGMT (2), model "simple" or "conv", radius one of RADII (Conditioning)."""
    return find(CONDITIONING, _roman(table), f"epsilon {radius}", model)


def clean_accuracy(table: int, model: str) -> Number:
    """Accuracy without attack in Table I (table = 1) or II (2), model "simple" or "conv" (Conditioning)."""
    return find(CONDITIONING, _roman(table), "clean accuracy", model)


def robust_accuracy(attack: str, width: int, normalisation: str, top: int = 1) -> Number:
    """Per cent under "PGD" or "FGSM", top 1 or 5, of WideResNet-16-width with one of NORMALISATIONS (ConvNorm)."""
    width, top = require.integer("width", width, 1), require.integer("top", top, 1)
    return find(CONVNORM, "Table 1", f"{attack} top-{top} k={width}", normalisation)


def _roman(table: int) -> str:
    if (table := require.integer("table", table, 1)) > 2:
        raise ValueError(f"table must be 1 or 2, got {table}")
    return "Table " + "I" * table


def _grid(paper: str, table: str, columns: tuple[str, ...], rows: dict[str, str], mark: Mark = "printed"):
    """One number for each word of each row, under the columns."""
    for row, decimals in rows.items():
        for column, decimal in zip(columns, decimals.split(), strict=True):
            yield Number(paper, table, row, column, decimal, mark)


def _widths(attack: str, top: int, block: str) -> dict[str, str]:
    """Rows k = 1..5 of a block of Table 1 of ConvNorm."""
    rows = block.split(";")
    return {f"{attack} top-{top} k={width}": row for width, row in zip(WIDTHS, rows, strict=True)}


def _radii(simple: str, conv: str) -> dict[str, str]:
    """Rows epsilon of Tables I and II of Conditioning, from the columns of the two models."""
    columns = zip(RADII, simple.split(), conv.split(), strict=True)
    return {f"epsilon {radius}": f"{one} {other}" for radius, one, other in columns}


def _text(paper: str, mark: Mark, values: dict[str, str], table: str = "text"):
    for row, decimal in values.items():
        yield Number(paper, table, row, "", decimal, mark)


NUMBERS: tuple[Number, ...] = (
    # Feature compression. Tables 4 to 6 and most of 1 and 7 are known by their captions only.
    *_text(
        FEATURE, "printed", {"experiment 9, |cos theta_1|": "0.1665", "experiment 9, fraction": "0.1480"}, "Table 1"
    ),
    *_text(FEATURE, "secondary", {"experiment 9, |cos theta_2|": "0.9942"}, "Table 1"),
    *_text(
        FEATURE,
        "secondary",
        {"mean |cos theta_1|": "0.3645", "mean fraction": "0.3280", "mean absolute difference": "0.0367"},
        "Table 2",
    ),
    *_grid(
        FEATURE,
        "Table 3",
        ALPHAS,
        {
            "mean": "0.3278 0.3275 0.3273 0.3270 0.3272 0.3275 0.3274 0.3281 0.3280 0.3276",
            "median": "0.3270 0.3261 0.3258 0.3255 0.3303 0.3307 0.3293 0.3322 0.3315 0.3324",
        },
    ),
    *_text(FEATURE, "secondary", {"least column average": "-0.035", "largest column average": "-0.002"}, "Table 7"),
    *_grid(
        FEATURE,
        "Table 8",
        ("1", "2", "3", "4"),
        {"|M / (0.5 L)|": "0.0765 0.0349 0.0387 0.0806", "Q / (0.5 L)": "0.0722 0.0828 0.0607 0.0679"},
        "secondary",
    ),
    *_text(FEATURE, "secondary", {"linear study, dimension": "12", "linear study, hidden neurons": "3000"}),
    *_text(FEATURE, "secondary", {"linear study, accurate runs of Table 2": "18"}),
    *_text(FEATURE, "inferred", {"linear study, |cos theta_2| of the second selection": "0.9"}),
    *_text(FEATURE, "printed", {"linear study, accurate runs of Table 1": "10", "non-linear study, networks": "50"}),
    # Conditioning, Tables I and II.
    *_grid(CONDITIONING, "Table I", ("simple", "conv"), {"clean accuracy": "0.918 0.989"}),
    *_grid(CONDITIONING, "Table II", ("simple", "conv"), {"clean accuracy": "0.917 0.993"}),
    *_grid(
        CONDITIONING,
        "Table I",
        LAYERS,
        {
            "kappa L1": "159.33 518.48 2.08e4 1.93e9 55.29",
            "kappa L2": "36.48 140.31 3.22e3 1.83e9 19.32",
            "kappa Linf": "115.99 262.98 5.02e4 8.76e10 83.35",
            "kappa LF": "62.33 189.11 8.53e3 1.89e9 36.84",
        },
    ),
    *_grid(
        CONDITIONING,
        "Table II",
        LAYERS,
        {
            "kappa L1": "180.12 460.18 1.83e4 7.42e8 59.82",
            "kappa L2": "35.55 111.74 2.94e3 6.94e8 20.60",
            "kappa Linf": "125.40 257.57 6.52e4 3.56e10 86.20",
            "kappa LF": "63.01 168.89 8.14e3 8.57e8 36.46",
        },
    ),
    *_grid(
        CONDITIONING,
        "Table I",
        ("simple", "conv"),
        _radii("0.903 0.847 0.456 0.088 0.034 0.031 0.031 0.031", "0.99 0.984 0.932 0.583 0.006 0.005 0.004 0.004"),
    ),
    *_grid(
        CONDITIONING,
        "Table II",
        ("simple", "conv"),
        _radii("0.920 0.921 0.893 0.637 0.000 0.000 0.000 0.000", "0.991 0.991 0.983 0.913 0.000 0.000 0.000 0.000"),
    ),
    *_text(
        CONDITIONING, "printed", {"smallest radius of the methods": "0.005", "largest radius of the methods": "0.3"}
    ),
    *_text(CONDITIONING, "inferred", {"steps of the attack": "12"}),
    # Joint margin bounds: the areas under Figure 1 are not in its text.
    *_text(JOINT, "printed", {"AUC gain over adversarial training, per cent": "24", "attack steps": "100"}),
    *_text(JOINT, "printed", {"input step": "0.01", "weight step": "0.0005"}),
    # Latent and SVD defences: figures only.
    *_text(
        LATENT,
        "printed",
        {
            "adversarial examples per classifier": "180",
            "confidence, per cent": "95",
            "latent size": "32",
            "projection steps": "500",
            "epochs in image space": "50",
            "epochs in latent space": "150",
            "batch": "1000",
            "singular values divided by": "10",
            "bottom singular values scaled for the large gain, per cent": "40",
            "least share scaled for the slight gain, per cent": "5",
            "largest share scaled for the slight gain, per cent": "15",
        },
    ),
    # ConvNorm, Table 1: per cent; vanilla, BN, ConvNorm, both; a row per widening factor.
    *(
        number
        for attack, top, block in (
            (
                "PGD",
                1,
                "29.64 37.05 38.00 37.03; 35.23 38.09 41.72 1.17; 32.95 41.18 0.26 3.19;"
                "34.33 40.67 8.03 1.31; 33.82 40.36 2.81 2.44",
            ),
            (
                "FGSM",
                1,
                "36.27 41.92 42.50 41.66; 47.30 44.20 47.41 75.73; 55.17 47.42 71.27 81.98;"
                "43.21 48.80 66.40 83.58; 43.31 47.36 87.79 74.45",
            ),
            (
                "PGD",
                5,
                "85.49 90.12 90.65 90.80; 88.93 91.47 91.93 63.53; 89.43 92.19 46.56 68.35;"
                "87.55 92.29 78.07 56.49; 88.78 92.80 68.16 62.81",
            ),
            (
                "FGSM",
                5,
                "88.32 91.34 91.75 91.79; 92.57 92.45 93.28 98.57; 94.98 93.42 98.05 99.04;"
                "90.81 93.78 97.80 99.29; 91.75 93.89 99.44 98.35",
            ),
        )
        for number in _grid(CONVNORM, "Table 1", NORMALISATIONS, _widths(attack, top, block))
    ),
    *_text(CONVNORM, "printed", {"epochs": "40", "PGD steps": "10", "learning rate": "0.001"}),
    # The code that ConvNorm cites: ResNet-18, free adversarial training, four seeds, per cent.
    *_grid(
        CONVNORM,
        "cited code",
        ("mean", "sd"),
        {
            "PGD-20 convnorm": "44.75 0.34",
            "PGD-20 spectral": "44.47 0.43",
            "PGD-20 oni": "41.08 0.35",
            "FGSM bn": "51.72 0.60",
            "FGSM convnorm": "52.87 0.28",
            "FGSM spectral": "52.34 0.39",
            "FGSM oni": "48.33 0.18",
            "FGSM ocnn": "52.49 0.24",
        },
        "secondary",
    ),
)

_PLACES = {(number.paper, number.table, number.row, number.column): number for number in NUMBERS}
