"""A book that stands outside of the rooms: a random walk with Gaussian steps, its law, a bound on it, and its study.

python -m simulate.verify --claims walk.py
"""

import math
from fractions import Fraction

import steps
from scipy.stats import norm

from fragility import Axis, Book, Claim, Decoy, Method, Paper, Part, Sides, Space, Study, UsageError


def end_law(n):
    """Law of the end of a walk of n standard normal steps: N(0, n)."""
    return norm(scale=math.sqrt(n))


def triangle(steps):
    """The end of a walk is no farther away than its steps are long together."""
    return Sides(abs(sum(steps)), sum(abs(step) for step in steps))


def half(steps):
    """The same with half the length, which fails."""
    return Sides(abs(sum(steps)), sum(abs(step) for step in steps) / Fraction(2))


def draw(stream, size, n):
    return stream.normal(size, n)


def measure(backend, world, n):
    return {"end": steps.end(world)}


def points(n):
    if max(n) > 1000:
        raise UsageError(f"--n must be at most 1000, got {max(n)}")
    return [{"n": length} for length in n]


WALKS = Space(
    axes={"steps": (1, 2, 3)},
    layout=lambda _sizes: {"steps": Part(("steps",))},
    build=lambda parts: {"steps": parts["steps"]},
)
STUDY = Study(
    name="walk",
    says="where a random walk ends",
    grid={"n": Axis(lambda text: [int(part) for part in text.split(",")], [16], "steps; a list sweeps: 4,16")},
    points=points,
    methods={"steps": Method("all steps", draw, measure, lambda **_: ("end",), lambda n: n)},
    table=({"n": 16},),
)
BOOK = Book(
    (
        Claim(
            id="walk.end",
            source="A textbook, eq. (1)",
            says="the end of a walk of n standard normal steps is normal with variance n",
            formula=r"S_n \sim N(0, n)",
            kind="law",
            theory=end_law,
            tolerance=0.05,
            status="extension",
            credit="textbook",
            statistic="end",
            study="walk",
            decoys=(Decoy("variance n - 1", lambda n: norm(scale=math.sqrt(n / 2))),),
        ),
        Claim(
            id="walk.triangle",
            source="A textbook, eq. (2)",
            says="the end is no farther away than the steps are long together",
            formula=r"|S_n| \leq \sum_k |X_k|",
            kind="bound",
            theory=triangle,
            tolerance=1e-12,
            status="extension",
            credit="textbook",
            world=steps.drawn,
            space=WALKS,
            decoys=(Decoy("half of their length", half),),
        ),
        Claim(
            id="walk.triangle.tempting",
            source="A textbook, eq. (2)",
            says="the end is no farther away than half of what the steps are long together",
            formula=r"|S_n| \leq \tfrac12 \sum_k |X_k|",
            kind="bound",
            theory=half,
            tolerance=1e-12,
            status="extension",
            credit="ours",
            tempting=True,
            instead=("walk.triangle",),
            hypotheses=lambda steps: {"there is a step": len(steps) > 0},
            world=steps.drawn,
            space=WALKS,
        ),
    ),
    __file__,
    {"walk": Paper("Random walks", "A textbook on random walks")},
)

if __name__ == "__main__":
    from fragility import main

    main(STUDY, claims=__file__)
