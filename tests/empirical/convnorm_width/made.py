"""Columns of the study as networks would give them that behave as ConvNorm's Table 1 and Figures 1 to 3 say."""

import math

import numpy as np

from empirical.convnorm_width.measure import RADII
from empirical.convnorm_width.trainings import NORMALISATIONS
from theory import reported
from theory.convolution.wide_resnet import layers

LAYERS, RESNET_LAYERS, EPOCHS = 16, 20, 6
CLEAN = {"vanilla": 0.60, "bn": 0.68, "convnorm": 0.70, "bn_convnorm": 0.72}  # at k = 1
COLLAPSED = {("convnorm", 3), ("convnorm", 4), ("convnorm", 5)} | {("bn_convnorm", k) for k in (2, 3, 4, 5)}
COLLAPSES = 3  # the epoch from which on PGD leaves nothing
AT = RADII.index(8 / 255)


def columns(seeds=3, widths=reported.WIDTHS, normalisations=NORMALISATIONS, overfitted=True, auto=True, trained=True):
    """All columns that tables, claims and the figure read, a little different from seed to seed.

    `overfitted` is whether cells look so that do in the table, `auto` whether AutoAttack was run, `trained` whether
    the ResNet18 was.
    """
    found = [
        _draw(shift, widths, normalisations, overfitted) for shift in np.random.default_rng(0).normal(0, 0.002, seeds)
    ]
    made = {name: np.stack([one[name] for one in found]) for name in found[0]}
    if not auto:
        for name in ("auto", "auto_clean", "auto_pgd"):
            made[name] = np.full_like(made[name], np.nan)
    if not trained:
        for name in ("resnet_before_trained", "resnet_after_trained"):
            made[name] = np.full_like(made[name], np.nan)
    return made


def _draw(shift, widths, normalisations, overfitted):
    cells = [[_cell(name, width, shift, overfitted) for name in normalisations] for width in widths]
    before = 1.15 + 0.02 * np.arange(RESNET_LAYERS) + shift
    return {
        "seed": np.float64(0),
        "width": np.array(widths, float),
        "normalisation": np.array([NORMALISATIONS.index(name) for name in normalisations], float),
        "radii": np.array(RADII),
        **{name: np.array([[cell[name] for cell in row] for row in cells]) for name in cells[0][0]},
        "resnet_before": before,
        "resnet_after": math.sqrt(3) * before * np.where(np.arange(RESNET_LAYERS) % 2, 1.02, 0.98),
        "resnet_before_trained": 5 * before,
        "resnet_after_trained": 2 * before,
    }


def _cell(normalisation, width, shift, overfitted):
    """The network of one cell, without leading axes."""
    printed = {
        f"{attack.lower()}{'' if top == 1 else top}": min(
            (1 + shift) * _printed(attack, width, normalisation, top), 1.0
        )
        for attack in ("PGD", "FGSM")
        for top in (1, 5)
    }
    collapsed = overfitted and (normalisation, width) in COLLAPSED
    if not overfitted:
        printed["pgd"] = 0.9 * printed["fgsm"]
    clean = CLEAN[normalisation] + 0.04 * math.log(width) + shift
    clean = max(clean, printed["fgsm"] + 0.02)
    falls = np.array(RADII) / RADII[AT]
    curves = {name: clean * (printed[name] / clean) ** falls for name in ("fgsm", "pgd")}
    if collapsed:
        curves["fgsm"][1:AT] = 0.3 * clean
    after = np.arange(EPOCHS) >= COLLAPSES
    rises = clean * (1 - 0.5 ** (1 + np.arange(EPOCHS)))
    held = {
        "course_clean": rises,
        "course_fgsm": np.where(after, printed["fgsm"], 0.55 * rises) if collapsed else 0.6 * rises,
        "course_pgd": np.where(after, printed["pgd"], 0.5 * rises) if collapsed else 0.5 * rises,
    }
    return {
        "clean": clean,
        "clean5": 0.5 + clean / 2,
        **printed,
        "auto": 0.9 * printed["pgd"],
        "auto_clean": clean,
        "auto_pgd": printed["pgd"],
        "train_accuracy": clean + 0.05,
        **held,
        **{f"curve_{name}": curve for name, curve in curves.items()},
        **_norms(normalisation, width, shift),
    }


def _printed(attack, width, normalisation, top):
    """A cell of Table 1, as a share."""
    name = normalisation.replace("_", "+")
    return reported.robust_accuracy(attack, width, name, top).value / 100


def _norms(normalisation, width, shift):
    normalised = "convnorm" in normalisation
    there = layers(width)[:-1]  # without the fully connected one
    found = {name: np.full(LAYERS, np.nan) for name in ("norm_weights", "norm_layer", "bound")}
    found["norm_weights"][: len(there)] = (5 if normalised else 4) + 0.1 * np.arange(len(there)) + shift
    applied = 2 + 0.05 * np.arange(len(there)) + shift if normalised else found["norm_weights"][: len(there)]
    found["norm_layer"][: len(there)] = applied
    if normalised:
        found["bound"][: len(there)] = [math.sqrt(layer.channels_out) for layer in there]
    return found | {"lipschitz": np.prod(found["norm_layer"][: len(there)])}
