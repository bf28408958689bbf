"""Claims on linear classifiers: a law and a bound, each with decoys; put your own in their place.

python -m simulate.verify --claims template.py
"""

import numpy as np
from scipy.stats import chi

from fragility import Axis, Book, Claim, Decoy, Method, Part, Sides, Space, Study
from fragility.engine.study import integers

# A law: what theory says of one random number. Whatever has cdf, ppf, mean, ... will do, at every point of the study.


def length_law(n):
    """Law of the length of the gradient of x -> w . x with n standard normal weights: chi with n degrees."""
    return chi(n)


# Its study draws the number without looking at the law: `draw` has all the randomness, `measure` none.


def draw(stream, size, n):
    """Weights of `size` classifiers, (size, n)."""
    return stream.normal(size, n)


def measure(backend, world, n):
    """The recorded numbers by name, one per draw."""
    return {"length": backend.xp.linalg.norm(world, axis=1)}


STUDY = Study(
    name="template",  # of this file, without .py
    says="the length of the gradient of a random linear classifier",
    grid={"n": Axis(integers(1, "--n"), [8], "input dimension; a list sweeps: 4,8")},
    points=lambda n: [{"n": size} for size in n],
    methods={"weights": Method("all weights", draw, measure, lambda n: ("length",), lambda n: n)},
    table=({"n": 2}, {"n": 8}),  # where simulate.verify judges it
)

# A bound: both sides in one world. Fractions must stay exact, so that a counterexample of a wrong one can be replayed.


def change(w, delta):
    """The score w . x changes by at most ||w||_1 times the largest entry of the perturbation."""
    return Sides(abs(w @ delta), abs(w).sum() * max(abs(delta)))


def change_by_mean(w, delta):
    """The same with the mean size of the weights in place of its sum, which fails."""
    return Sides(abs(w @ delta), abs(w).sum() * max(abs(delta)) / len(w))


def world(rng):
    """A random classifier and a perturbation, drawn from a NumPy generator."""
    n = rng.integers(1, 6)
    return {"w": rng.normal(size=n), "delta": rng.uniform(-1, 1, size=n)}


# Where a hunt looks for a world in which a bound fails: arrays, and the sizes that their axes may have.
SPACE = Space(
    axes={"n": (1, 2, 3)},
    layout=lambda _sizes: {"w": Part(("n",)), "delta": Part(("n",))},
    build=lambda parts: {"w": np.asarray(parts["w"]), "delta": np.asarray(parts["delta"])},
)
BOOK = Book(
    (
        Claim(
            id="template.length",
            source="A textbook",  # the paper and the place in it
            says="the gradient of a linear classifier with n standard normal weights has a chi-distributed length",
            formula=r"\lVert w \rVert_2 \sim \chi_n",
            kind="law",
            theory=length_law,
            study="template",
            statistic="length",
            tolerance=0.05,  # the smallest gap worth seeing, between two distribution functions
            status="extension",  # "printed" where a paper says it
            credit="textbook",
            decoys=(  # wrong statements close to it, which the same draws must reject
                Decoy("one degree of freedom less", lambda n: chi(n - 1)),
                Decoy("twice as many", lambda n: chi(2 * n)),
            ),
        ),
        Claim(
            id="template.change",
            source="A textbook",
            says="the score changes by at most the l1 norm of the weights times the largest entry of the perturbation",
            formula=r"|w \cdot \delta| \le \lVert w \rVert_1 \lVert \delta \rVert_\infty",
            kind="bound",
            theory=change,
            world=world,
            space=SPACE,
            tolerance=1e-12,
            status="extension",
            credit="textbook",
            decoys=(Decoy("the mean size of a weight in place of the sum", change_by_mean),),
        ),
    ),
    __file__,
)

if __name__ == "__main__":  # python template.py --n 4,8
    from fragility import main

    main(STUDY, claims=__file__)
