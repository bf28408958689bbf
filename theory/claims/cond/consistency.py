"""Rows on whether the condition numbers that Conditioning prints agree: norms of one matrix."""

from __future__ import annotations

import math

from fragility.claim import Claim, Decoy, Sides, rows
from theory.reported import CONDITIONING, NORMS, condition_number, find
from theory.worlds import reported as worlds

# Ranks of the weight matrices of Conditioning. Ten classes and a 3 x 3 kernel are printed, widths are not: those of
# conv1 and dense are guesses from the code that the paper adapts.
RANKS = {"simple": 10, "conv0": 9, "conv1": 64, "dense": 128, "logits": 10}


def _kappa(table: int, layer: str) -> dict[str, float]:
    """Condition numbers of a layer in all norms."""
    return {norm: condition_number(table, norm, layer).value for norm in NORMS}


def _frobenius_above(table: int, layer: str) -> Sides:
    """The least that the Frobenius condition number may be, against what is printed."""
    kappa = _kappa(table, layer)
    return Sides(kappa["L2"] + 1 / kappa["L2"] + RANKS[layer] - 2, kappa["LF"])


def _frobenius_below(table: int, layer: str) -> Sides:
    """The printed Frobenius condition number, against the most that it may be."""
    kappa = _kappa(table, layer)
    return Sides(kappa["LF"], RANKS[layer] / 2 * (kappa["L2"] + 1 / kappa["L2"]))


def _between_norms(table: int, layer: str) -> Sides:
    """The squared condition number in the 2-norm, against the product of the other two."""
    kappa = _kappa(table, layer)
    return Sides(kappa["L2"] ** 2, kappa["L1"] * kappa["Linf"])


def _stable_rank(table: int, cap: float) -> Sides:
    """||W||_F^2 / ||W||_2^2 <= (kappa_F / kappa_2)^2 of the dense layer, with all the room that rounding leaves."""
    frobenius, spectral = (condition_number(table, norm, "dense") for norm in ("LF", "L2"))
    return Sides(((frobenius.value + frobenius.rounding) / (spectral.value - spectral.rounding)) ** 2, cap)


GUESSED_RANKS = "both tables, all layers; the ranks 64 of conv1 and 128 of dense are guesses"

_ours = rows(CONDITIONING, kind="bound", status="extension", credit="ours", code=find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "cond.tables.frobenius.lower",
        at="Tables I and II",
        says="the printed Frobenius condition numbers are no smaller than those of the 2-norm ask for",
        formula=r"\kappa_2 + \kappa_2^{-1} + r - 2 \le \kappa_F",
        domain=GUESSED_RANKS,
        theory=_frobenius_above,
        world=worlds.layer_of_table,
        note="By the inequality of Cauchy and Schwarz: kappa_F is least where all other singular values are one, the"
        " geometric mean of the extreme ones. It would hold for every rank of conv1 and dense up to 5000.",
        decoys=(
            Decoy(
                "equal singular values but one",
                lambda table, layer: _frobenius_above(table, layer)._replace(
                    left=math.sqrt(RANKS[layer]) * _kappa(table, layer)["L2"]
                ),
            ),
        ),
    ),
    _ours(
        "cond.tables.frobenius.upper",
        at="Tables I and II",
        says="the printed Frobenius condition numbers are no larger than those of the 2-norm allow",
        formula=r"\kappa_F \le \frac{r}{2} (\kappa_2 + \kappa_2^{-1})",
        domain=GUESSED_RANKS,
        theory=_frobenius_below,
        world=worlds.layer_of_table,
        note="By the inequality of Kantorovich. It would hold for every rank of conv1 and dense from 6 on.",
        decoys=(
            Decoy(
                "rank 2 for all",
                lambda table, layer: Sides(
                    _kappa(table, layer)["LF"], _frobenius_below(table, layer).right * 2 / RANKS[layer]
                ),
            ),
        ),
    ),
    _ours(
        "cond.tables.interpolation",
        at="Tables I and II",
        says="the printed condition numbers in the 2-norm are below the geometric mean of the other two",
        formula=r"\kappa_2^2 \le \kappa_1 \kappa_\infty",
        domain="both tables, all layers",
        theory=_between_norms,
        world=worlds.layer_of_table,
        note="Since ||A||_2^2 <= ||A||_1 ||A||_inf, of the matrix and of its pseudo-inverse.",
        decoys=(Decoy("above it", lambda table, layer: _between_norms(table, layer).swapped),),
    ),
    _ours(
        "cond.tables.precision",
        at="Tables I and II",
        says="the dense layer's condition number is beyond what single precision can tell from infinity",
        formula=r"\kappa_2 > 2^{24}",
        domain="dense layer, both tables",
        theory=lambda table: Sides(2**24, _kappa(table, "dense")["L2"]),
        world=worlds.table,
        note="Rounded to single precision, a random 3136 x 128 matrix of rank 127 shows 8e7 (7.9e7 to 8.6e7 in 20"
        " draws), so that the layer looks like one of lower rank. That the weights were in single precision, and"
        " that shape, are guesses: the paper prints neither.",
        decoys=(Decoy("beyond double precision", lambda table: Sides(2**53, _kappa(table, "dense")["L2"])),),
    ),
    _ours(
        "cond.tables.stable_rank",
        at="Tables I and II",
        says="the dense layer has nearly rank one: its stable rank is at most 1.08, and 1.53 in the second table",
        formula=r"\frac{\|W\|_F^2}{\|W\|_2^2} \le \left( \frac{\kappa_F}{\kappa_2} \right)^2",
        domain="dense layer, both tables",
        theory=lambda table: _stable_rank(table, (1.08, 1.53)[table - 1]),
        world=worlds.table,
        note="Since ||W^+||_F is at least ||W^+||_2; with all the room that rounding leaves. A random matrix of 3136 x"
        " 128, which is a guess at its shape, has a stable rank of about 89.",
        decoys=(Decoy("exactly rank one", lambda table: _stable_rank(table, 1.0)),),
    ),
)
