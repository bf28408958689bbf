"""Rows on what Conditioning concludes from the condition numbers of its Tables I and II, which are the witness."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory import reported
from theory.reported import CONDITIONING, LAYERS, NORMS, condition_number
from theory.worlds import reported as worlds

TABLES = (1, 2)


def _most_pairs(convolutional: Sequence[Fraction], connected: Sequence[Fraction]) -> Sides:
    """Pairs of a convolutional and a fully connected layer in which the first has the larger condition number."""
    above = sum(int(conv > full) for conv in convolutional for full in connected)
    return Sides(above, len(convolutional) * len(connected) - above)


def _kappa(table: int, norm: str) -> dict[str, float]:
    """Condition numbers of all layers."""
    return {layer: condition_number(table, norm, layer).value for layer in LAYERS}


def _layers(table: int, norm: str) -> Sides:
    """The softmax layers below both convolutional ones, and those below the dense layer."""
    kappa = _kappa(table, norm)
    small, large = max(kappa["simple"], kappa["logits"]), kappa["dense"]
    middle = (kappa["conv0"], kappa["conv1"])
    return Sides(np.array([small, max(middle)]), np.array([min(middle), large]))


def _simple(table: int, norm: str, factor: float = 3.1) -> Sides:
    """The simple model's layer no lower than the logits layer, similar to it, and lower than the dense layer."""
    kappa = _kappa(table, norm)
    logits, simple = kappa["logits"], kappa["simple"]
    return Sides(np.array([logits, simple, simple]), np.array([simple, factor * logits, kappa["dense"]]))


def _trainings(layer: str, norm: str, least: float = 1.01, most: float = 2.7) -> Sides:
    """By what factor a condition number differs between the tables, against the least and the largest."""
    first, second = (condition_number(table, norm, layer).value for table in TABLES)
    factor = max(first / second, second / first)
    return Sides(np.array([least, factor]), np.array([factor, most]))


# What the stored worlds hold stands in the tables: exactly, and in the cells that the statement speaks of.


def _kappas(*layers: str) -> list[list[Fraction]]:
    """Condition numbers of these layers, for each norm of each table."""
    return [[condition_number(table, norm, layer).exact for layer in layers] for table in TABLES for norm in NORMS]


def _same_cell(first: Fraction, second: Fraction) -> bool:
    """Whether they stand in one place of the two tables."""
    cells = [(layer, norm) for layer in LAYERS for norm in NORMS]
    return any(
        [first, second] == [condition_number(table, norm, layer).exact for table in TABLES] for layer, norm in cells
    )


_row = rows(CONDITIONING, kind="bound", code=reported.find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.conclusion.layers.printed",
        at="Section VI",
        says="convolutional layers generally have lower condition numbers than the fully connected layers of either"
        " model",
        formula=r"\#\{ \kappa_{conv} > \kappa_{fc} \} \le \#\{ \kappa_{conv} \le \kappa_{fc} \}",
        domain="pairs of a convolutional layer and a fully connected layer of one model, in one norm of one table",
        theory=_most_pairs,
        status="refuted",
        quotes=(
            Quote(
                "The convolutional layer weight matrices generally have lower condition numbers than the fully"
                " connected layer weight matrices for either model",
                "Section VI",
            ),
        ),
        reading="'generally' as: in at least half of the pairs of layers, after training, as Tables I and II have"
        " them; 'for either model' as: against the fully connected layers of the simple model, and of the CNN",
        instead=("cond.conclusion.layers.corrected",),
        defect="the conclusions order the layers of Tables I and II wrongly, and against each other: convolutional"
        " layers are said to have lower condition numbers than fully connected ones (VI) and to be nearer to"
        " singularity (V-C), where in every norm both lie above the two softmax layers and below the dense layer",
        hypotheses=lambda convolutional, connected, **_: {
            "both convolutional layers and all fully connected layers of one model, in one norm of one table": (
                [*convolutional, *connected]
                in _kappas("conv0", "conv1", "simple") + _kappas("conv0", "conv1", "dense", "logits")
            )
        },
        note="The simple model's only layer is below both convolutional layers in every norm of both tables. Over the"
        " layers of both models 4 pairs of 6 are the other way round: the sentence holds of the dense layer alone.",
    ),
    _row(
        "cond.conclusion.layers.corrected",
        at="Section VI",
        says="condition numbers of convolutional layers lie above both softmax layers' and below the dense layer's",
        formula=r"\max(\kappa_{simple}, \kappa_{logits}) < \kappa_{conv} < \kappa_{dense}",
        domain="both tables, all norms",
        theory=_layers,
        world=worlds.norm_of_table,
        status="corrected",
        decoys=(Decoy("lower than all of them", lambda table, norm: _layers(table, norm).swapped),),
    ),
    _row(
        "cond.conclusion.singularity.printed",
        at="Section V-C",
        says="the CNN's fully connected layers are further from singularity than its convolutional layers",
        formula=r"\kappa_{fc} \le \min \kappa_{conv}",
        domain="the layers of the CNN, in one norm of one table",
        theory=lambda connected, convolutional: Sides(max(connected), min(convolutional)),
        status="refuted",
        quotes=(
            Quote(
                "The fully-connected layers receive high-level representations from the convolutional layers",
                "Section V-C",
            ),
            Quote(
                "Their weight matrices thus have fewer significant inputs to transform and are further from"
                " singularity",
                "Section V-C",
            ),
        ),
        reading="of each of the CNN's two fully connected layers, against the convolutional layers of which the"
        " paragraph before speaks; the condition number tells how far from singularity a matrix is, as in Section"
        " III-B",
        cause="cond.conclusion.layers.printed",
        instead=("cond.conclusion.layers.corrected",),
        hypotheses=lambda connected, convolutional, **_: {
            "the layer that follows the convolutional ones, and both of them, in one norm of one table": (
                [*convolutional, *connected] in _kappas("conv0", "conv1", "dense")
            )
        },
        note="The dense layer, the one that the convolutional layers feed, has a condition number of 7e8 to 9e10,"
        " theirs are 112 to 65200. Only the logits layer behind it is further from singularity than they are. Section"
        " VI says the opposite of all fully connected layers.",
    ),
    _row(
        "cond.conclusion.simple.reading",
        at="Section VI",
        says="the simple model's layer has no higher condition number than any fully connected layer of the CNN",
        formula=r"\kappa_{simple} \le \min(\kappa_{dense}, \kappa_{logits})",
        domain="one norm of one table",
        theory=lambda simple, logits: Sides(simple, logits),
        status="reading",
        quotes=(
            Quote(
                "weight matrix of the simple model tends to have similar or lower condition numbers compared to the"
                " fully connected layer weight matrices of the CNN",
                "Section VI",
            ),
        ),
        reading="'similar or lower' as: no higher than that of each of the CNN's fully connected layers, dense and"
        " logits",
        instead=("cond.conclusion.simple.corrected",),
        defect="the simple model's condition number is no lower than that of each fully connected layer of the CNN: it"
        " is 1.4 to 3.0 times that of the logits layer, in all norms of Tables I and II",
        hypotheses=lambda simple, logits, **_: {
            "the simple model's layer and the CNN's logits layer, in one norm of one table": (
                [simple, logits] in _kappas("simple", "logits")
            )
        },
        note="Whoever calls a factor of 3 similar reads the sentence as the corrected row does.",
    ),
    _row(
        "cond.conclusion.simple.corrected",
        at="Section VI",
        says="the simple model's condition number is 1 to 3.1 times the logits layer's, and below the dense layer's",
        formula=r"\kappa_{logits} \le \kappa_{simple} \le 3.1 \, \kappa_{logits}, \quad"
        r" \kappa_{simple} < \kappa_{dense}",
        domain="both tables, all norms",
        theory=_simple,
        world=worlds.norm_of_table,
        status="corrected",
        decoys=(
            Decoy("no higher than the logits layer's", lambda **cell: _simple(**cell).swapped),
            Decoy("at most twice the logits layer's", lambda **cell: _simple(**cell, factor=2.0)),
        ),
    ),
    _row(
        "cond.tables.training.tempting",
        at="Tables I and II",
        says="both tables, and so both attacks, are of the same trained networks",
        formula=r"\kappa^{I}(W) = \kappa^{II}(W)",
        domain="all layers and norms",
        theory=lambda first, second: Sides(max(first / second, second / first), 1),
        status="extension",
        credit="ours",
        tempting=True,
        instead=("cond.tables.training",),
        hypotheses=lambda first, second, **_: {
            "the condition number of one layer in one norm, in Table I and in Table II": _same_cell(first, second)
        },
        note="The paper does not say whether they are. They are not, so that FGSM against FGMT compares networks, too.",
    ),
    _row(
        "cond.tables.training",
        at="Tables I and II",
        says="no condition number is the same in both tables: they differ by factors from 1.01 to 2.7, as two"
        " trainings do",
        formula=r"1.01 < \max \left( \frac{\kappa^{I}}{\kappa^{II}}, \frac{\kappa^{II}}{\kappa^{I}} \right) < 2.7",
        domain="all layers and norms",
        theory=_trainings,
        world=worlds.layer_and_norm,
        status="extension",
        credit="ours",
        note="By more than rounding explains, in every cell.",
        decoys=(
            Decoy("by a third at most", lambda **cell: _trainings(**cell, most=4 / 3)),
            Decoy("by a tenth at least", lambda **cell: _trainings(**cell, least=1.1)),
        ),
    ),
)
