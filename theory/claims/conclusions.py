"""Rows on what two papers conclude from their tables; the witness against a conclusion is the table itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from theory import reported
from theory.claim import Claim, Decoy, Sides, rows
from theory.reported import CONDITIONING, CONVNORM, RADII, attacked_accuracy, clean_accuracy, condition_number

CHANCE = 0.1


def _most_pairs(convolutional: Any, connected: Any) -> Sides:
    """Pairs of a convolutional and a fully connected layer in which the first has the larger condition number."""
    above = sum(int(conv > full) for conv in convolutional for full in connected)
    return Sides(above, len(convolutional) * len(connected) - above)


def _layers(table: int, norm: str) -> Sides:
    kappa = {layer: condition_number(table, norm, layer).value for layer in reported.LAYERS}
    small, large = max(kappa["simple"], kappa["logits"]), kappa["dense"]
    middle = (kappa["conv0"], kappa["conv1"])
    return Sides(np.array([small, max(middle)]), np.array([min(middle), large]))


def _networks(radius: str) -> tuple[float, float]:
    return attacked_accuracy(1, "simple", radius).value, attacked_accuracy(1, "conv", radius).value


def _fgsm(radius: str) -> Sides:
    """From radius 0.05 on the convolutional network below the simple one, and that below chance; else above it."""
    simple, conv = _networks(radius)
    return Sides([conv, simple], [simple, CHANCE]) if float(radius) >= 0.05 else Sides(simple, conv)


def _worse_everywhere(radius: str) -> Sides:
    return Sides(*_networks(radius)[::-1])


def _fgmt(radius: str) -> Sides:
    return Sides(*(attacked_accuracy(2, model, radius).value for model in ("simple", "conv")))


def _decline(table: int, model: str, place: int, first: int = 2) -> Sides:
    """Accuracy at a radius against that at the radius before it, from the `first` pair on."""
    small, large = (attacked_accuracy(table, model, RADII[max(place, first) + step]).value for step in (-1, 0))
    return Sides(large, small)


def _against_clean(table: int, model: str, radius: str) -> Sides:
    return Sides(attacked_accuracy(table, model, radius).value, clean_accuracy(table, model).value)


def _trainings(layer: str, norm: str, factor: float) -> Sides:
    first, second = (condition_number(table, norm, layer).value for table in (1, 2))
    return Sides(max(first / second, second / first), factor)


def _smallest_radius(methods: float) -> Sides:
    return Sides(min(map(float, RADII)), methods)


def _robust(attack: str, width: int, normalisation: str) -> float:
    return reported.robust_accuracy(attack, width, normalisation).value


def _steps(accuracies: Any) -> Sides:
    """Largest fall of accuracy from one width to the next, against none."""
    return Sides(max(before - after for before, after in pairwise(accuracies)), 0)


def _ranking(width: int, order: tuple[str, ...]) -> Sides:
    accuracies = [_robust("PGD", width, name) for name in order]
    return Sides(accuracies[:-1], accuracies[1:])


def _batch_norm(attack: str, width: int) -> Sides:
    return Sides(_robust(attack, width, "vanilla"), _robust(attack, width, "bn"))


_row = rows(kind="bound", code=reported.find, tolerance=1e-9)


def _pair(
    part: str, source: str, printed: dict[str, Any], corrected: dict[str, Any], **both: Any
) -> tuple[Claim, Claim]:
    return (
        _row(f"{part}.printed", source=source, status="refuted", **both, **printed),
        _row(f"{part}.corrected", source=source, status="corrected", **both, **corrected),
    )


CLAIMS: tuple[Claim, ...] = (
    *_pair(
        "cond.conclusion.layers",
        f"{CONDITIONING}, Section VI",
        dict(
            says="convolutional layers generally have lower condition numbers than fully connected ones",
            formula=r"\#\{ \kappa_{conv} > \kappa_{fc} \} \le \#\{ \kappa_{conv} \le \kappa_{fc} \}",
            domain="pairs of layers, of either network",
            theory=_most_pairs,
            note="Only than the dense layer: 4 of 6 pairs are the other way round, in every norm of both tables.",
        ),
        dict(
            says="condition numbers of convolutional layers lie above both softmax layers' and below the dense layer's",
            formula=r"\max(\kappa_{simple}, \kappa_{logits}) < \kappa_{conv} < \kappa_{dense}",
            domain="both tables, all norms",
            theory=_layers,
            decoys=(Decoy("lower than all of them", lambda table, norm: Sides(*_layers(table, norm)[::-1])),),
        ),
    ),
    *_pair(
        "cond.conclusion.fgsm",
        f"{CONDITIONING}, Section VI",
        dict(
            says="the convolutional network performs worse than the simple one under FGSM",
            formula=r"A_{conv}(\epsilon) \le A_{simple}(\epsilon)",
            domain="all radii of Table I",
            theory=lambda simple, conv: Sides(conv, simple),
            note="At 0.01 it keeps 0.583 where the simple one has 0.088.",
        ),
        dict(
            says="the convolutional network performs better under FGSM up to radius 0.01; from 0.05"
            " on it is worse, where both are worse than guessing",
            formula=r"A_{simple} \le A_{conv}, \; \epsilon \le 0.01; \quad"
            r" A_{conv} \le A_{simple} < 0.1, \; \epsilon \ge 0.05",
            domain="all radii of Table I",
            theory=_fgsm,
            decoys=(Decoy("worse at all radii", _worse_everywhere),),
        ),
    ),
    *_pair(
        "cond.conclusion.fgmt",
        f"{CONDITIONING}, Section VI",
        dict(
            says="both networks are equally susceptible to FGMT",
            formula=r"A_{conv}(\epsilon) = A_{simple}(\epsilon)",
            domain="all radii of Table II",
            theory=lambda simple, conv: Sides(simple, conv),
        ),
        dict(
            says="both networks have accuracy 0 under FGMT from radius 0.05 on",
            formula=r"A_{conv}(\epsilon) = A_{simple}(\epsilon) = 0, \quad \epsilon \ge 0.05",
            domain="radii of Table II from 0.05 on",
            theory=_fgmt,
            decoys=(Decoy("from 0.01 on", lambda radius: _fgmt("0.01" if radius == "0.05" else radius)),),
        ),
        kind="identity",
    ),
    *_pair(
        "cond.conclusion.decline",
        f"{CONDITIONING}, Section V-B",
        dict(
            says="accuracy declines as the radius grows",
            formula=r"A(\epsilon') \le A(\epsilon), \quad \epsilon' > \epsilon",
            domain="all radii of Tables I and II",
            theory=lambda smaller, larger: Sides(larger, smaller),
            note="FGMT leaves the simple network 0.920 at 0.001 and 0.921 at 0.002.",
        ),
        dict(
            says="accuracy declines as the radius grows beyond 0.002",
            formula=r"A(\epsilon') \le A(\epsilon), \quad \epsilon' > \epsilon \ge 0.002",
            domain="radii of Tables I and II from 0.002 on",
            theory=_decline,
            decoys=(Decoy("from 0.001 on", lambda **world: _decline(**world, first=1)),),
        ),
    ),
    *_pair(
        "cond.tables.clean",
        f"{CONDITIONING}, Tables I and II",
        dict(
            says="the accuracy above the attacked ones is test accuracy, which no attack raises",
            formula=r"A(\epsilon) \le A(0)",
            domain="all radii, both tables",
            theory=lambda clean, attacked: Sides(attacked, clean),
            note="0.99 > 0.989, 0.920 and 0.921 > 0.917; the tables call it training accuracy, the text test accuracy.",
        ),
        dict(
            says="from radius 0.005 on no attacked accuracy is above the one without attack",
            formula=r"A(\epsilon) \le A(0), \quad \epsilon \ge 0.005",
            domain="radii from 0.005 on, both tables",
            theory=lambda table, model, place: _against_clean(table, model, RADII[max(place, 2)]),
            decoys=(Decoy("at any", lambda table, model, place: _against_clean(table, model, RADII[place])),),
        ),
    ),
    *_pair(
        "cond.tables.training",
        f"{CONDITIONING}, Tables I and II",
        dict(
            says="both tables, and so both attacks, are of the same trained networks",
            formula=r"\kappa^{I}(W) = \kappa^{II}(W)",
            domain="all layers and norms",
            theory=lambda first, second: Sides(max(first / second, second / first), 1),
            note="No entry agrees: two trainings, so that FGSM against FGMT compares networks too.",
        ),
        dict(
            says="condition numbers of the two trainings differ by factors up to 2.7",
            formula=r"\max \left( \frac{\kappa^{I}}{\kappa^{II}}, \frac{\kappa^{II}}{\kappa^{I}} \right) < 2.7",
            domain="all layers and norms",
            theory=lambda layer, norm: _trainings(layer, norm, 2.7),
            decoys=(Decoy("by a third", lambda layer, norm: _trainings(layer, norm, 4 / 3)),),
        ),
    ),
    *_pair(
        "cond.attack.radii",
        f"{CONDITIONING}, Section IV",
        dict(
            says="the smallest radius is 0.005",
            formula=r"\min \epsilon = 0.005",
            domain="the radii of Tables I and II",
            theory=lambda radii, smallest: Sides(min(radii), smallest),
            note="Three ranges are given: 0.001 to 0.2, 0.005 to 0.3 in steps of 0.05, and those of the tables.",
        ),
        dict(
            says="the smallest radius is 0.001",
            formula=r"\min \epsilon = 0.001",
            domain="the radii of Tables I and II",
            theory=lambda: _smallest_radius(0.001),
            decoys=(Decoy("0.005", lambda: _smallest_radius(0.005)),),
        ),
        kind="identity",
    ),
    *_pair(
        "norm.conclusion.fgsm",
        f"{CONVNORM}, Section 5",
        dict(
            says="with ConvNorm robustness against FGSM increases with the width",
            formula=r"A_{FGSM}(k) \le A_{FGSM}(k+1)",
            domain="ConvNorm, k = 1, ..., 5",
            theory=_steps,
            note="71.27 at k = 3 falls to 66.40; and where it is high, PGD in the same ball leaves next to nothing.",
        ),
        dict(
            says="robust accuracy is at most what PGD leaves: with ConvNorm below 10 per cent from width 3 on",
            formula=r"A(k) \le A_{PGD}(k) < 10, \quad k \ge 3",
            domain="ConvNorm, k = 3, 4, 5",
            theory=lambda width: Sides(_robust("PGD", width, "convnorm"), 10),
            decoys=(Decoy("what FGSM leaves", lambda width: Sides(_robust("FGSM", width, "convnorm"), 10)),),
        ),
    ),
    *_pair(
        "norm.conclusion.decrease",
        f"{CONVNORM}, Section 5",
        dict(
            says="ConvNorm is less robust than batch normalisation",
            formula=r"A^{ConvNorm}_{PGD} \le A^{BN}_{PGD}",
            domain="k = 1, ..., 5",
            theory=lambda convnorm, batchnorm: Sides(convnorm, batchnorm),
            note="Where training has not collapsed (k = 1, 2) it is the most robust of all.",
        ),
        dict(
            says="where training has not collapsed ConvNorm beats batch normalisation, and that beats neither",
            formula=r"A^{vanilla}_{PGD} \le A^{BN}_{PGD} \le A^{ConvNorm}_{PGD}",
            domain="k = 1, 2",
            theory=lambda width: _ranking(width, ("vanilla", "bn", "convnorm")),
            decoys=(Decoy("less", lambda width: _ranking(width, ("convnorm", "bn"))),),
        ),
    ),
    _row(
        "norm.conclusion.batch_norm",
        source=f"{CONVNORM}, Section 5",
        says="batch normalisation raises accuracy under PGD at every width",
        formula=r"A^{vanilla}_{PGD} \le A^{BN}_{PGD}",
        domain="k = 1, ..., 5",
        theory=lambda width: _batch_norm("PGD", width),
        note="Under FGSM at three of five widths only: 'almost always' is 8 cells of 10.",
        decoys=(Decoy("under FGSM too", lambda width: _batch_norm("FGSM", width)),),
    ),
)
