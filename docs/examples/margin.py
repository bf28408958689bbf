"""The Lipschitz margin: how far a perturbation of length c can push a network whose largest stretch is known.

Y. Tsuzuku, I. Sato, M. Sugiyama, "Lipschitz-Margin Training: Scalable Certification of Perturbation Invariance for
Deep Neural Networks", NeurIPS 2018, Proposition 1: if F is L-Lipschitz and the margin F_t(x) - max_{i != t} F_i(x) is
at least sqrt(2) L c, no perturbation of length c or less makes it negative.

    python -m simulate.verify --claims margin.py
    python -m simulate.hunt margin.plain.tempting --claims margin.py

The root of 2 is the length of e_t - e_i, along which the change of F is read. L of a ReLU network is at most the
product of the largest singular values of its layers, which stands for it here; outputs w . x, -w . x attain the bound.
"""

import math

import numpy as np

from fragility import Book, Decoy, Paper, Part, Sides, Space
from fragility.claim import rows


def margin(first, last, x, label):
    """F_label(x) - max of the other outputs, F(x) = last relu(first x); exact in fractions."""
    hidden = first @ x
    outputs = last @ (hidden * (hidden > 0))
    return outputs[label] - max(np.delete(outputs, label))


def drop(first, last, x, delta, label):
    """What the margin loses on the way from x to x + delta."""
    return margin(first, last, x, label) - margin(first, last, x + delta, label)


def stretch(matrix):
    """Largest singular value."""
    return float(np.linalg.norm(matrix, 2))


def certified(first, last, x, delta, label):
    """The margin drops by no more than sqrt(2) L ||delta||."""
    return Sides(drop(first, last, x, delta, label), math.sqrt(2) * plain(first, last, x, delta, label).right)


def plain(first, last, x, delta, label):
    """The same without the root of 2, which fails."""
    return Sides(drop(first, last, x, delta, label), stretch(first) * stretch(last) * float(np.linalg.norm(delta)))


def by_entries(first, last, x, delta, label):
    """The same with the largest entries of the layers in place of their largest singular values, which fails."""
    largest = float(np.abs(first).max() * np.abs(last).max())
    return Sides(drop(first, last, x, delta, label), math.sqrt(2) * largest * float(np.linalg.norm(delta)))


def plain_squared(first, last, x, delta, label):
    """Squares of both sides of `plain` in exact numbers, the right one rounded up: ||W||_F is at least the stretch."""
    change = drop(first, last, x, delta, label)
    right = (first**2).sum() * (last**2).sum() * (delta**2).sum()
    return Sides(change * abs(change), right)


def networks(rng):
    """A network of up to three inputs, hidden units and outputs, a point, a perturbation and a label."""
    inputs, hidden = rng.integers(1, 4, 2)
    classes = rng.integers(2, 4)
    return {
        "first": rng.normal(size=(hidden, inputs)),
        "last": rng.normal(size=(classes, hidden)),
        "x": rng.normal(size=inputs),
        "delta": rng.normal(size=inputs) * 10.0 ** rng.uniform(-3, 1),
        "label": int(rng.integers(classes)),
    }


NETWORKS = Space(
    axes={"inputs": (1, 2), "hidden": (1, 2), "classes": (2, 3)},
    layout=lambda _sizes: {
        "first": Part(("hidden", "inputs")),
        "last": Part(("classes", "hidden")),
        "x": Part(("inputs",)),
        "delta": Part(("inputs",)),
    },
    build=lambda parts: {**parts, "label": 0},
)
row = rows(
    "Tsuzuku et al. 2018, Proposition 1",
    kind="bound",
    domain="networks of one hidden layer of ReLU units without biases, any label",
    tolerance=1e-9,
    world=networks,
    space=NETWORKS,
)
BOOK = Book(
    (
        row(
            "margin.certified",
            says="a perturbation of length c takes at most sqrt(2) L c from the margin of an L-Lipschitz network",
            formula=r"m(x) - m(x + \delta) \le \sqrt2\, L\, \lVert\delta\rVert_2",
            theory=certified,
            reading="the margin may start anywhere, and L is the product of the largest singular values of the layers",
            decoys=(
                Decoy("without the root of 2", plain),
                Decoy("largest entries in place of largest singular values", by_entries),
            ),
        ),
        row(
            "margin.plain.tempting",
            says="a perturbation of length c takes at most L c from the margin of an L-Lipschitz network",
            formula=r"m(x) - m(x + \delta) \le L\, \lVert\delta\rVert_2",
            theory=plain,
            status="extension",
            credit="ours",
            tempting=True,
            instead=("margin.certified",),
            hypotheses=lambda first, last, x, delta, label: {"there are two classes or more": len(last) > 1},
            replay=plain_squared,
        ),
    ),
    __file__,
    {"margin": Paper("Lipschitz margin", "*Lipschitz-Margin Training*, NeurIPS 2018")},
)
