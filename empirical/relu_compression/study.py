"""Feature compression of trained ReLU networks on x = A z, without knowing what theory says of it.

A is Gaussian, z runs through all sign vectors of length n, and the label of x = A z is the last sign. Networks of some
hidden layers are trained on all 2^n points. Two points whose signs differ in the last place only are 2 ||a_n|| apart,
a_n the last column of A; the gradients of both outputs are taken along the segment between them, and what of it they
see is recorded (Table 3), before training too. From one end the shortest perturbation that changes the decision is
bracketed (Table 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.relu_compression.measure import ALPHAS, STATISTICS, World, measure
from empirical.shared.axes import between, whole
from fragility.engine.memory import DRAWN, TRAINED, check_memory
from fragility.engine.study import Axis, Method, Point, Study, UsageError

if TYPE_CHECKING:
    from fragility.backends import Stream

BLOCK = 16  # networks that are trained side by side
MOST_N = 16  # 2^n points of n numbers for each network


def draw(stream: Stream, size: int, n: int, layers: int, width: int, inputs: int, **_: Any) -> World:
    """ "data", standard Gaussian (size, n, n); "signs" of the first points, (size, inputs, n); initial "network"."""
    from empirical.models.mlp import initial

    return {
        "data": stream.normal(size, n, n),
        "signs": np.where(stream.uniform(size, inputs, n) < 0.5, -1.0, 1.0),
        "network": initial(stream, size, (n, *[width] * layers, 2)),
    }


def points(
    n: Sequence[int],
    layers: Sequence[int],
    width: Sequence[int],
    scale: Sequence[float],
    inputs: Sequence[int],
    epochs: Sequence[int],
) -> list[Point]:
    """Every combination.

    Raises
    ------
    UsageError : there would be too many points, or the networks of a shard do not fit into memory.
    """
    if max(n) > MOST_N:
        raise UsageError(f"--n must be at most {MOST_N}, as all 2^n points are trained on, got {max(n)}")
    largest = {"n": max(n), "layers": max(layers), "width": max(width)}
    check_memory(
        f"{BLOCK} networks of {largest['layers']} x {largest['width']:,} units",
        BLOCK * _floats(**largest),
        DRAWN + TRAINED,
        "choose a smaller --width, or fewer --layers",
    )
    check_memory(
        f"what {BLOCK} networks make of {max(inputs):,} pairs of points",
        BLOCK * max(inputs) * len(ALPHAS) * (max(n) + max(width)),
        DRAWN,
        "choose fewer --inputs",
    )
    axes = ("n", "layers", "width", "scale", "inputs", "epochs")
    return [dict(zip(axes, point, strict=True)) for point in product(n, layers, width, scale, inputs, epochs)]


def _floats(n: int, layers: int, width: int, **_: Any) -> int:
    return n * n + width * (n + 1) + (layers - 1) * width * (width + 1) + 2 * (width + 1) + (n << n)


STUDY = Study(
    name="empirical.relu_compression",
    says="feature compression of trained ReLU networks on sign vectors (feature compression, Tables 3 and 4)",
    grid={
        "n": Axis(whole(3, "--n"), [12], "input dimension, with 2^n points; a list sweeps: 8,10,12"),
        "layers": Axis(whole(1, "--layers", 64), [1], "hidden layers; a list sweeps: 1,2,3,4"),
        "width": Axis(whole(1, "--width"), [64], "units of each hidden layer; a list sweeps"),
        "scale": Axis(between("--scale", 1e-6), [5.0, 1.0], "factor of all columns of A but the last; a list sweeps"),
        "inputs": Axis(whole(1, "--inputs", 1_000_000), [10], "pairs of points per network; a list sweeps"),
        "epochs": Axis(whole(1, "--epochs"), [100], "of training; a list sweeps"),
    },
    points=points,
    methods={
        "trained": Method(
            "networks trained to the end", draw, STATISTICS.checked(measure), STATISTICS, _floats, block=BLOCK
        )
    },
    table=({"n": 8, "layers": 1, "width": 32, "scale": 5.0, "inputs": 4, "epochs": 40},),
)
