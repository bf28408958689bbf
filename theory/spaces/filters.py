"""Filters of circular convolutions, their normalisation, and the two attacks that ConvNorm prints."""

from __future__ import annotations

from typing import Any

import numpy as np

from fragility.space import Part, Parts, Space, World, count, nonnegative, share, table
from theory.spaces.matrices import FEW

VANISHING = 1e-3  # a row below this share of the largest vanishes at a frequency


def _on_circle(parts: Parts) -> World:
    """A kernel on a circle of as many points as the axis `grid` has."""
    return {"kernel": parts["kernel"], "grid": (len(parts["grid"]),)}


def _vanishes_nowhere(world: World) -> bool:
    """No row of the kernel vanishes at a frequency."""
    points = world["grid"][0]
    taps = world["kernel"].shape[-1]
    waves = np.exp(-2j * np.pi * np.outer(np.arange(points), np.arange(taps)) / points)
    sizes = np.linalg.norm(np.asarray(world["kernel"], dtype=float) @ waves.T, axis=1)
    return bool(sizes.min() > VANISHING * max(sizes.max(), VANISHING))


def _of_kernel(**other: Any) -> Space:
    return Space(
        {"outputs": (1, 2, 3), "inputs": (1, 2), "taps": (1, 2, 3), "points": FEW},
        table(kernel=Part(("outputs", "inputs", "taps")), grid=count(0, 0, "points"), **other.pop("parts", {})),
        holds=_vanishes_nowhere,
        **other,
    )


def _padded(parts: Parts) -> World:
    world = {**_on_circle(parts), "stride": int(parts["stride"])}
    return {**world, "start": int(parts["start"]) % parts["kernel"].shape[-1]}


def _bowl(parts: Parts) -> World:
    """A concave loss with its maximum in the ball, and steps that are long enough to cross it."""
    steps, epsilon = int(parts["steps"]), parts["epsilon"]
    return {
        "x": parts["x"],
        "centre": parts["x"] + epsilon * parts["place"],
        "curvature": parts["curvature"],
        "epsilon": epsilon,
        "step": epsilon / steps * (1 + parts["longer"]),
        "steps": steps,
    }


def _curved(world: World) -> bool:
    return world["epsilon"] > 0 and bool(np.all(world["curvature"] > 0))


steps_in_a_bowl = Space(
    {"d": FEW},
    table(
        x=Part(("d",)),
        place=share("d"),
        curvature=nonnegative("d"),
        epsilon=nonnegative(),
        longer=Part((), 0.0, 1.0),
        steps=count(1, 12),
    ),
    _bowl,
    _curved,
)
gradient_step = Space({"d": FEW}, table(x=Part(("d",)), gradient=Part(("d",)), epsilon=nonnegative()), dict)

one_filter = Space({"taps": (1, 2, 3, 4, 5)}, table(a=Part(("taps",))), dict)
filter_of_square_length = Space({"taps": (1, 4, 9)}, table(a=Part(("taps",))), dict)
padded_filter = Space(
    {"taps": (1, 2, 3), "points": FEW},
    table(taps=Part(("taps",)), x=Part(("points",))),
    dict,
    lambda world: bool(np.any(world["x"] != 0)),
    exact_world=True,
)
padded_kernel = Space(
    {"outputs": (1, 2), "inputs": (1, 2), "taps": (1, 2, 3), "points": FEW},
    table(
        kernel=Part(("outputs", "inputs", "taps")),
        grid=count(0, 0, "points"),
        stride=count(1, 2),
        start=count(0, 2),
    ),
    _padded,
)
filter_of_channels = Space(
    {"inputs": (2, 3), "taps": (1, 2)},
    table(taps=Part(("inputs", "taps"))),
    dict,
    lambda world: bool(np.any(world["taps"] != 0)),
    exact_world=True,
)
single_taps = Space(
    {"filters": FEW},
    table(filters=Part(("filters",))),
    dict,
    lambda world: bool(np.all(world["filters"] != 0)),
    exact_world=True,
)
kernel = _of_kernel(build=_on_circle)
kernel_and_epsilon = _of_kernel(
    build=lambda parts: {**_on_circle(parts), "epsilon": parts["epsilon"]}, parts={"epsilon": nonnegative()}
)
