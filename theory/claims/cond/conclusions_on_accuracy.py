"""Rows on what Conditioning concludes from the accuracies of its Tables I and II, which are the witness."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory import reported
from theory.reported import CONDITIONING, RADII, attacked_accuracy, clean_accuracy, find
from theory.worlds import reported as worlds

CHANCE = 0.1
LARGE = RADII[4:]  # from 0.05 on: the perturbations that Section V-B calls larger
MODELS = ("simple", "conv")
TABLES = (1, 2)


def _networks(radius: str) -> tuple[float, float]:
    """Accuracies of the simple network and of the convolutional one, under FGSM."""
    return attacked_accuracy(1, "simple", radius).value, attacked_accuracy(1, "conv", radius).value


def _fgsm(radius: str) -> Sides:
    """From radius 0.05 on the convolutional network is below the simple one, and that below chance; else above."""
    simple, conv = _networks(radius)
    return Sides([conv, simple], [simple, CHANCE]) if radius in LARGE else Sides(simple, conv)


def _worse_everywhere(radius: str) -> Sides:
    """The convolutional network is below the simple one."""
    return Sides(*_networks(radius)).swapped


def _fgmt(radius: str) -> Sides:
    """Accuracies of both networks under FGMT."""
    return Sides(*(attacked_accuracy(2, model, radius).value for model in MODELS))


def _fooled(radius: str, model: str = "conv") -> Sides:
    """Accuracy under FGSM, against one per cent."""
    return Sides(attacked_accuracy(1, model, radius).value, 0.01)


def _decline(table: int, model: str, place: int, first: int = 2) -> Sides:
    """Accuracy at a radius against that at the radius before it, from the `first` pair on."""
    small, large = (attacked_accuracy(table, model, RADII[max(place, first) + step]).value for step in (-1, 0))
    return Sides(large, small)


def _against_clean(table: int, model: str, radius: str) -> Sides:
    """Accuracy under attack, against that without."""
    return Sides(attacked_accuracy(table, model, radius).value, clean_accuracy(table, model).value)


def _range(least: float, most: float) -> Sides:
    """The least and the largest radius of the tables, against these."""
    radii = list(map(float, RADII))
    return Sides(np.array([min(radii), max(radii)]), np.array([least, most]))


# What the stored worlds hold stands in the tables: exactly, and in the cells that the statement speaks of.


def _attacked(table: int, model: str) -> list[Fraction]:
    """Accuracies under attack, radius by radius."""
    return [attacked_accuracy(table, model, radius).exact for radius in RADII]


def _one_radius(table: int, simple: Fraction, conv: Fraction) -> bool:
    """Whether both accuracies stand in one row of a table."""
    return (simple, conv) in zip(*(_attacked(table, model) for model in MODELS), strict=True)


def _of_one_network(clean: Fraction, attacked: Fraction) -> bool:
    """Whether both accuracies stand in one column of a table."""
    columns = [(table, model) for table in TABLES for model in MODELS]
    return any(
        clean == clean_accuracy(table, model).exact and attacked in _attacked(table, model) for table, model in columns
    )


def _neighbours(smaller: Fraction, larger: Fraction) -> bool:
    """Whether both accuracies stand one below the other in a column."""
    columns = [_attacked(table, model) for table in TABLES for model in MODELS]
    return any((smaller, larger) in pairwise(column) for column in columns)


_row = rows(CONDITIONING, kind="bound", code=reported.find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.conclusion.fgsm.printed",
        at="Section VI",
        says="the convolutional network performs worse than the simple one under FGSM",
        formula=r"A_{conv}(\epsilon) \le A_{simple}(\epsilon)",
        domain="all radii of Table I",
        theory=lambda simple, conv: Sides(conv, simple),
        status="refuted",
        quotes=(
            Quote(
                "the convolutional network performs significantly worse than the simple model under FGSM", "Abstract"
            ),
            Quote(
                "the accuracy of the simple model under FGSM attacks is almost a full order of magnitude larger than"
                " the accuracy of the convolutional model",
                "Section VI",
            ),
        ),
        reading="at each radius of Table I; 'significantly' and the order of magnitude are not even asked for",
        instead=("cond.conclusion.fgsm.corrected",),
        defect="the CNN is not worse than the simple model under FGSM but better at half of the radii of Table I, up to"
        " 0.583 against 0.088 at radius 0.01; where it is worse, from 0.05 on, both are worse than guessing",
        hypotheses=lambda simple, conv, **_: {
            "accuracies of both networks at one radius of Table I": _one_radius(1, simple, conv)
        },
        note="From radius 0.05 on the simple model's accuracy is 5.7 to 7.8 times the CNN's, at 0.01 it is less than a"
        " sixth of it.",
    ),
    _row(
        "cond.conclusion.fgsm.corrected",
        at="Section VI",
        says="the convolutional network performs better under FGSM up to radius 0.01; from 0.05"
        " on it is worse, where both are worse than guessing",
        formula=r"A_{simple} \le A_{conv}, \; \epsilon \le 0.01; \quad"
        r" A_{conv} \le A_{simple} < 0.1, \; \epsilon \ge 0.05",
        domain="all radii of Table I",
        theory=_fgsm,
        world=worlds.radius,
        status="corrected",
        decoys=(Decoy("worse at all radii", _worse_everywhere),),
    ),
    _row(
        "cond.conclusion.fgmt.reading",
        at="Section VI",
        says="both networks are equally susceptible to FGMT at every radius",
        formula=r"A_{conv}(\epsilon) = A_{simple}(\epsilon)",
        domain="all radii of Table II",
        theory=lambda simple, conv: Sides(simple, conv),
        kind="identity",
        status="reading",
        quotes=(
            Quote(
                "Both models are equally susceptible to the FGMT attack due to its targeting ability and drop to"
                " < 1% accuracy",
                "Section VI",
            ),
        ),
        reading="'equally susceptible' as: of the same accuracy at each radius of Table II",
        instead=("cond.conclusion.fgmt.corrected",),
        defect="both networks are 'equally susceptible' to FGMT only from radius 0.05 on, where Table II has 0.000 for"
        " both: at 0.01 the simple model keeps 0.637 and the CNN 0.913",
        hypotheses=lambda simple, conv, **_: {
            "accuracies of both networks at one radius of Table II": _one_radius(2, simple, conv)
        },
        note="The second half of the sentence, 'drop to < 1% accuracy', speaks of the radii at which it holds; those at"
        " which the networks differ are where the attack does not yet decide everything.",
    ),
    _row(
        "cond.conclusion.fgmt.corrected",
        at="Section VI",
        says="both networks have accuracy 0 under FGMT from radius 0.05 on",
        formula=r"A_{conv}(\epsilon) = A_{simple}(\epsilon) = 0, \quad \epsilon \ge 0.05",
        domain="radii of Table II from 0.05 on",
        theory=_fgmt,
        world=worlds.large_radius,
        kind="identity",
        status="corrected",
        decoys=(Decoy("from 0.01 on", lambda radius: _fgmt("0.01" if radius == "0.05" else radius)),),
    ),
    _row(
        "cond.conclusion.large.reading",
        at="Section V-B",
        says="large FGSM perturbations leave either network an accuracy of less than 1%",
        formula=r"A(\epsilon) < 0.01, \quad \epsilon \ge 0.05",
        domain="both networks, radii of Table I from 0.05 on",
        theory=lambda accuracy: Sides(accuracy, Fraction(1, 100)),
        status="reading",
        quotes=(
            Quote(
                "large FGSM perturbations, which do not always fool the classifier (though it becomes less than 1%"
                " accurate)",
                "Section V-B",
            ),
        ),
        reading="'the classifier' as either of the two; 'large' as 0.05 and more, as the sentence before it says of"
        " FGMT",
        instead=("cond.conclusion.large.corrected",),
        defect="large FGSM perturbations make the CNN 'less than 1% accurate', not 'the classifier': the simple model"
        " of Table I keeps 3.1 to 3.4 per cent",
        hypotheses=lambda accuracy, **_: {
            "an accuracy of one of the networks in Table I at a radius of 0.05 or more": (
                accuracy in [attacked_accuracy(1, model, radius).exact for model in MODELS for radius in LARGE]
            )
        },
        note="The paragraph starts from an accuracy of 0.99, the CNN's, of which the sentence holds.",
    ),
    _row(
        "cond.conclusion.large.corrected",
        at="Section V-B",
        says="large FGSM perturbations leave the CNN an accuracy of less than 1%",
        formula=r"A_{conv}(\epsilon) < 0.01, \quad \epsilon \ge 0.05",
        domain="radii of Table I from 0.05 on",
        theory=_fooled,
        world=worlds.large_radius,
        status="corrected",
        decoys=(Decoy("leave the simple model so little", lambda radius: _fooled(radius, "simple")),),
    ),
    _row(
        "cond.conclusion.decline.reading",
        at="Section V-B",
        says="accuracy declines with every step of the radius, or stays",
        formula=r"A(\epsilon') \le A(\epsilon), \quad \epsilon' > \epsilon",
        domain="all radii of Tables I and II",
        theory=lambda smaller, larger: Sides(larger, smaller),
        status="reading",
        quotes=(
            Quote("The accuracies decline with increasing [..], then plateau after a certain point", "Section V-B"),
        ),
        reading="from each radius of a table to the next, to the last digit printed",
        instead=("cond.conclusion.decline.corrected",),
        defect="accuracies do not decline at every step of the radius: under FGMT Table II has 0.920 for the simple"
        " model at 0.001 and 0.921 at 0.002",
        hypotheses=lambda smaller, larger, **_: {
            "accuracies of one network at neighbouring radii of a table": _neighbours(smaller, larger)
        },
        note="The one rise in both tables, of 0.001: as a trend the sentence is right.",
    ),
    _row(
        "cond.conclusion.decline.corrected",
        at="Section V-B",
        says="accuracy declines as the radius grows beyond 0.002, or stays",
        formula=r"A(\epsilon') \le A(\epsilon), \quad \epsilon' > \epsilon \ge 0.002",
        domain="radii of Tables I and II from 0.002 on",
        theory=_decline,
        world=worlds.accuracy_after_another,
        status="corrected",
        decoys=(Decoy("from 0.001 on", lambda **world: _decline(**world, first=1)),),
    ),
    _row(
        "cond.tables.clean.tempting",
        at="Tables I and II",
        says="no accuracy under attack is above the accuracy without attack in the same column",
        formula=r"A(\epsilon) \le A(0)",
        domain="all radii, both tables",
        theory=lambda clean, attacked: Sides(attacked, clean),
        status="extension",
        credit="ours",
        tempting=True,
        instead=("cond.tables.clean",),
        hypotheses=lambda clean, attacked, **_: {
            "accuracies of one network in one table, without attack and under it": _of_one_network(clean, attacked)
        },
        note="0.99 > 0.989, 0.920 and 0.921 > 0.917. The tables head the first number 'tr. acc.', the text calls it"
        " test accuracy. A small step towards the least likely class, as FGMT takes it, need not lower accuracy.",
    ),
    _row(
        "cond.tables.clean",
        at="Tables I and II",
        says="from radius 0.005 on no accuracy under attack is above the accuracy without attack",
        formula=r"A(\epsilon) \le A(0), \quad \epsilon \ge 0.005",
        domain="radii from 0.005 on, both tables",
        theory=lambda table, model, place: _against_clean(table, model, RADII[max(place, 2)]),
        world=worlds.accuracy,
        status="extension",
        credit="ours",
        decoys=(Decoy("at any", lambda table, model, place: _against_clean(table, model, RADII[place])),),
    ),
    _row(
        "cond.attack.radii",
        at="Section III-C",
        says="the radii of both attacks range from 0.001 to 0.2",
        formula=r"\min \epsilon = 0.001, \quad \max \epsilon = 0.2",
        domain="the radii of Tables I and II",
        theory=lambda: _range(0.001, 0.2),
        world=worlds.everything,
        kind="identity",
        quotes=(
            Quote(
                "We explore adversarial examples generated with the FGSM attack for [..] ranging from 0.001 to 0.2",
                "Section III-C",
            ),
            Quote(
                "we explore adversarial examples generated with the FGMT attack for [..] ranging from 0.001 to 0.2",
                "Section III-C",
            ),
        ),
        reading="the range is taken to be that of the radii in Tables I and II",
        decoys=(Decoy("from 0.005 to 0.3", lambda: _range(0.005, 0.3)),),
    ),
    _row(
        "cond.attack.radii.printed",
        at="Section IV",
        says="the smallest radius is 0.005",
        formula=r"\min \epsilon = 0.005",
        domain="the radii of Tables I and II",
        theory=lambda radii, smallest: Sides(min(radii), smallest),
        kind="identity",
        status="slip",
        quotes=(
            Quote(
                "Adversarial examples are produced for [..] within the range [0.005, 0.3] with a step size of 0.05",
                "Section IV",
            ),
        ),
        reading="the lower end of the range is taken to be the smallest radius in Tables I and II",
        instead=("cond.attack.radii",),
        defect="the radii are given in three ways that do not agree: 0.005 to 0.3 in steps of 0.05 in Section IV, 0.001"
        " to 0.2 in Section III-C, and eight of no fixed step in Tables I and II",
        hypotheses=lambda radii, smallest, **_: {
            "the radii of Tables I and II": list(radii) == list(map(Fraction, RADII)),
            "the smallest radius of Section IV": (
                smallest == find(CONDITIONING, "text", "smallest radius of the methods").exact
            ),
        },
        note="Of the radii in the tables only 0.005 lies on the grid of Section IV.",
    ),
)
