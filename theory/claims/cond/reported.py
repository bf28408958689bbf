"""Rows on the numbers that Conditioning prints in its Tables I and II, beside networks trained for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Reported, rows
from theory import reported
from theory.claims.cond.trained_settings import CONV, OF_MODEL, PLAIN, SIMPLE, printed_radii
from theory.numerics.array import Array
from theory.reported import CONDITIONING, LAYERS, NORMS, RADII, attacked_accuracy, clean_accuracy, condition_number

MODELS = ("simple", "conv")
IMAGES = 10_000  # test images of MNIST
PerDraw = Callable[[Array], Array]


def _kappa(layers: tuple[int, ...]) -> PerDraw:
    """What each draw has in place of a printed block of condition numbers, (draws, layers, norms)."""
    return lambda kappa: kappa[:, PLAIN, list(layers)]


def _after_all_steps(model: int) -> PerDraw:
    """What each draw has in place of a printed column of accuracies under attack, (draws, radii)."""
    return lambda accuracy: accuracy[:, PLAIN, model, printed_radii(), -1]


def _unattacked(accuracy: Array) -> Array:
    """The test accuracies of each draw, (draws, models)."""
    return accuracy[:, PLAIN]


# One of each, for what is printed and for its decoys: they are compared in one and the same way.
KAPPA = tuple(map(_kappa, OF_MODEL))
ATTACKED = tuple(map(_after_all_steps, (SIMPLE, CONV)))


def _condition_numbers(
    table: int, model: int, norms: tuple[str, ...] = NORMS, of: tuple[int, ...] = ()
) -> Callable[..., Reported]:
    """A block of a table, compared by powers of ten: (layers, norms); a decoy takes other norms, or other layers."""
    printed = [[condition_number(table, p, LAYERS[layer]).value for p in norms] for layer in of or OF_MODEL[model]]
    return lambda **_: Reported(np.array(printed), per_draw=KAPPA[model], scale=np.log10)


def _accuracies(table: int, model: int) -> Callable[..., Reported]:
    """A column of a table: (radii,)."""
    printed = [attacked_accuracy(table, MODELS[model], radius).value for radius in RADII]
    return lambda **_: Reported(np.array(printed), per_draw=ATTACKED[model])


def _clean(table: int, models: tuple[str, ...] = MODELS) -> Callable[..., Reported]:
    """The accuracies without attack: (models,); a decoy takes other models."""
    printed = [clean_accuracy(table, model).value for model in models]
    return lambda **_: Reported(np.array(printed), per_draw=_unattacked)


def _on_mnist(dataset: str, **_: Any) -> bool:
    return dataset == "mnist"


def _all_images(images: int, **point: Any) -> bool:
    """Whether all test images of MNIST are attacked: of the first 1000 fewer are classified right to begin with."""
    return images == IMAGES and _on_mnist(**point)


def _pairs_on_all_images(networks: str, **point: Any) -> bool:
    return networks == "pair" and _all_images(**point)


def _pairs(networks: str, **point: Any) -> bool:
    """Whether there is a CNN of MNIST."""
    return networks == "pair" and _on_mnist(**point)


_number = rows(CONDITIONING, kind="reported", code=reported.find, study="empirical.conditioning")
_of_kappa = partial(
    _number,
    formula=r"\kappa_p(W) = \|W\|_p \|W^+\|_p",
    tolerance=0.5,
    statistic="kappa",
    reading="As printed, compared by powers of ten; the definition is that of Section III-B, with the pseudo-inverse.",
    note="Two trainings, one for each table: the numbers of one network differ between them.",
)
_of_accuracy = partial(
    _number,
    formula=r"A(\epsilon)",
    domain="eight radii, after all steps of the attack, all test images",
    tolerance=0.2,
    reading="as printed",
    note="How many steps the attack took is not printed. In networks that we trained one step of the printed size"
    " leaves far more, and twelve without projection fit: a guess.",
)
_of_clean = partial(
    _number,
    formula="A(0)",
    domain="all test images",
    tolerance=0.02,
    statistic="test_accuracy",
    reading="As printed; the tables head it 'tr. acc.', the text calls it test accuracy.",
)
NUMBERS = Quote("the condition numbers of their weight matrices calculated under different norms", "Section V-B")
ACCURACIES = Quote("the test accuracies on adversarial examples generated with different", "Section V-B")
ORIGINAL = Quote("original model test accuracies on standard (non-adversarial) examples", "Section V-B")
TRANSPOSED = ("Linf", "L2", "L1", "LF")
CONV1 = (LAYERS.index("conv1"),)


CLAIMS: tuple[Claim, ...] = (
    _of_kappa(
        "cond.table1.kappa.simple",
        at="Table I",
        says="condition numbers of the simple model's trained weights in four norms",
        domain="the simple model of Table I",
        theory=_condition_numbers(1, SIMPLE),
        where=_on_mnist,
        quotes=(NUMBERS, Quote("36.48 140.31 3.22e3 1.83e9 19.32", "Table I, row L_2")),
        decoys=(Decoy("those of conv1", _condition_numbers(1, SIMPLE, of=CONV1)),),
    ),
    _of_kappa(
        "cond.table1.kappa.conv",
        at="Table I",
        says="condition numbers of the CNN's trained weights in four norms",
        domain="the four layers of the CNN of Table I",
        theory=_condition_numbers(1, CONV),
        where=_pairs,
        quotes=(NUMBERS, Quote("36.48 140.31 3.22e3 1.83e9 19.32", "Table I, row L_2")),
        decoys=(Decoy("those of the transposed weights", _condition_numbers(1, CONV, TRANSPOSED)),),
    ),
    _of_accuracy(
        "cond.table1.accuracy.simple",
        at="Table I",
        says="accuracies of the simple model under FGSM",
        theory=_accuracies(1, SIMPLE),
        statistic="fgsm",
        where=_all_images,
        quotes=(ACCURACIES, Quote("0.088 [..] 0.583", "Table I, epsilon = 0.01")),
        decoys=(Decoy("under FGMT", _accuracies(2, SIMPLE)),),
    ),
    _of_accuracy(
        "cond.table1.accuracy.conv",
        at="Table I",
        says="accuracies of the CNN under FGSM",
        theory=_accuracies(1, CONV),
        statistic="fgsm",
        where=_pairs_on_all_images,
        quotes=(ACCURACIES, Quote("0.088 [..] 0.583", "Table I, epsilon = 0.01")),
        decoys=(Decoy("under FGMT", _accuracies(2, CONV)),),
    ),
    _of_clean(
        "cond.table1.clean",
        at="Table I",
        says="accuracies of the simple model and of the CNN without attack",
        theory=_clean(1),
        where=_pairs,
        quotes=(ORIGINAL, Quote("0.918 [..] 0.989", "Table I, tr. acc.")),
        decoys=(Decoy("that of the simple model for both", _clean(1, ("simple", "simple"))),),
    ),
    _of_kappa(
        "cond.table2.kappa.simple",
        at="Table II",
        says="condition numbers of the simple model's trained weights in four norms",
        domain="the simple model of Table II",
        theory=_condition_numbers(2, SIMPLE),
        where=_on_mnist,
        quotes=(NUMBERS, Quote("35.55 111.74 2.94e3 6.94e8 20.60", "Table II, row L_2")),
        decoys=(Decoy("those of conv1", _condition_numbers(2, SIMPLE, of=CONV1)),),
    ),
    _of_kappa(
        "cond.table2.kappa.conv",
        at="Table II",
        says="condition numbers of the CNN's trained weights in four norms",
        domain="the four layers of the CNN of Table II",
        theory=_condition_numbers(2, CONV),
        where=_pairs,
        quotes=(NUMBERS, Quote("35.55 111.74 2.94e3 6.94e8 20.60", "Table II, row L_2")),
        decoys=(Decoy("those of the transposed weights", _condition_numbers(2, CONV, TRANSPOSED)),),
    ),
    _of_accuracy(
        "cond.table2.accuracy.simple",
        at="Table II",
        says="accuracies of the simple model under FGMT",
        theory=_accuracies(2, SIMPLE),
        statistic="fgmt",
        where=_all_images,
        quotes=(ACCURACIES, Quote("0.637 [..] 0.913", "Table II, epsilon = 0.01")),
        decoys=(Decoy("under FGSM", _accuracies(1, SIMPLE)),),
    ),
    _of_accuracy(
        "cond.table2.accuracy.conv",
        at="Table II",
        says="accuracies of the CNN under FGMT",
        theory=_accuracies(2, CONV),
        statistic="fgmt",
        where=_pairs_on_all_images,
        quotes=(ACCURACIES, Quote("0.637 [..] 0.913", "Table II, epsilon = 0.01")),
        decoys=(Decoy("under FGSM", _accuracies(1, CONV)),),
    ),
    _of_clean(
        "cond.table2.clean",
        at="Table II",
        says="accuracies of the simple model and of the CNN without attack",
        theory=_clean(2),
        where=_pairs,
        quotes=(ORIGINAL, Quote("0.917 [..] 0.993", "Table II, tr. acc.")),
        decoys=(Decoy("that of the simple model for both", _clean(2, ("simple", "simple"))),),
    ),
)
