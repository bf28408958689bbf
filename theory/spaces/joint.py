"""Small dense ReLU networks whose weights and input move within their radii."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fragility.claim import Sides
from fragility.space import Part, Parts, Point, Sizes, Space, World, count, nonnegative, share
from theory.joint import margins
from theory.joint.perturbations import highest_corner, increase
from theory.numerics.array import Array
from theory.things.network import Budget, Network

MOST_CORNERS = 6  # entries that move where all corners are gone through
Bound = Callable[[Network, Array, Budget], Array]  # zeta as printed, or the corrected one
Layout = Callable[[Sizes], dict[str, Part]]


def _chain(layers: int) -> list[str]:
    """Names of the axes between layers, from the inputs to the classes."""
    return ["inputs", *(f"width_{m}" for m in range(1, layers)), "classes"]


def _axes(layers: tuple[int, ...], most: int) -> dict[str, tuple[int, ...]]:
    wide = tuple(range(1, most + 1))
    return {"layers": layers, **dict.fromkeys(_chain(layers[-1]), wide), "classes": (2, 3)}


def _matrices(sizes: Sizes) -> Iterator[tuple[int, tuple[str, str]]]:
    """Number and axes of every weight, outputs first."""
    chain = _chain(sizes["layers"])
    for m in range(1, sizes["layers"] + 1):
        yield m, (chain[m], chain[m - 1])


def _weights(parts: Parts) -> list[Array]:
    return [parts[name] for name in parts if name.startswith("weight_")]


def _radii(parts: Parts) -> list[Any]:
    return [parts[name] for name in parts if name.startswith("radius_") and name != "radius_x"]


def _moved(parts: Parts) -> list[Array]:
    """Weights moved by a share of their radii."""
    return [
        parts[f"weight_{m}"] + parts[f"radius_{m}"] * parts[f"share_{m}"] for m in range(1, len(_weights(parts)) + 1)
    ]


def _layout(*, moves: bool = True, radii: bool = True, moves_x: bool = False, grows: bool = False) -> Layout:
    """Weights and what goes with them: radii, moves within them, larger radii, a move of the input."""

    def layout(sizes: Sizes) -> dict[str, Part]:
        parts = {"x": Part(("inputs",))}
        for m, axes in _matrices(sizes):
            parts[f"weight_{m}"] = Part(axes)
            if radii:
                parts[f"radius_{m}"] = nonnegative()
            if moves:
                parts[f"share_{m}"] = share(*axes)
            if grows:
                parts[f"growth_{m}"] = nonnegative()
        if moves_x:
            parts |= {"radius_x": nonnegative(), "share_x": share("inputs")}
        return parts

    return layout


def _merged(point: Point) -> Iterator[Point]:
    """A layer less: one as wide as what it is given goes, or two neighbouring weights give way to their product."""
    chain = _chain(point.sizes["layers"])
    for gone in range(1, point.sizes["layers"]):
        sizes, parts = _renumbered(point, gone)
        if point.sizes[chain[gone]] == point.sizes[chain[gone - 1]]:
            yield Point(sizes, parts)
        parts = {**parts, f"weight_{gone}": np.dot(point.parts[f"weight_{gone + 1}"], point.parts[f"weight_{gone}"])}
        if f"share_{gone}" in parts:
            parts[f"share_{gone}"] = np.sign(parts[f"weight_{gone}"]) + 0 * parts[f"weight_{gone}"]
        yield Point(sizes, parts)


def _renumbered(point: Point, gone: int) -> tuple[dict[str, int], dict[str, np.ndarray]]:
    """Sizes and parts without layer `gone`: the axes and parts of later ones move up."""
    layers, parts = point.sizes["layers"], {}
    for name, array in point.parts.items():
        stem, _, number = name.partition("_")
        if not number.isdigit() or int(number) < gone:
            parts[name] = array
        elif int(number) > gone:
            parts[f"{stem}_{int(number) - 1}"] = array
    old, new = _chain(layers), _chain(layers - 1)
    kept = [axis for axis in old if axis != f"width_{gone}"]
    return {**point.sizes, "layers": layers - 1, **{a: point.sizes[b] for a, b in zip(new, kept, strict=True)}}, parts


def _joint(parts: Parts) -> World:
    return {
        "weights": _weights(parts),
        "x": parts["x"],
        "moved": _moved(parts),
        "radii": _radii(parts),
        "moved_x": parts["x"] + parts["radius_x"] * parts["share_x"],
        "radius_x": parts["radius_x"],
    }


def _clean(parts: Parts) -> World:
    return {"weights": _weights(parts), "x": parts["x"], "moved": _moved(parts), "radii": _radii(parts)}


def _growing(parts: Parts) -> World:
    radii = _radii(parts)
    larger = [radius + parts[f"growth_{m}"] for m, radius in enumerate(radii, 1)]
    return {"weights": _weights(parts), "x": parts["x"], "smaller": radii, "larger": larger}


def _one_moved(sizes: Sizes) -> dict[str, Part]:
    """A single layer moves, so that its corners are few."""
    return {**_layout(radii=False)(sizes), "layer": count(1, sizes["layers"]), "radius": nonnegative()}


def _one_layer_moved(parts: Parts) -> World:
    layers = range(1, len(_weights(parts)) + 1)
    radii = {f"radius_{m}": parts["radius"] if m == int(parts["layer"]) else 0 * parts["radius"] for m in layers}
    return _clean({**parts, **radii})


def _few_corners(world: World) -> bool:
    moving = sum(weight.size for weight, r in zip(world["weights"], world["radii"], strict=True) if r)
    return moving <= MOST_CORNERS


def ball(scope: int) -> Space:
    """One weight, moved by at most its radius; with `scope` = 1 the last row and column move freely, as printed."""

    def build(parts: Parts) -> World:
        weight, radius, shift = parts["weight"], parts["radius"], parts["shift"]
        inner = shift[: weight.shape[0] - scope, : weight.shape[1] - scope]
        moved = weight + shift
        moved[: inner.shape[0], : inner.shape[1]] += np.clip(inner, -radius, radius) - inner
        return {"weight": weight, "moved": moved, "radius": radius}

    few = tuple(range(1, 4))
    parts = {"weight": Part(("rows", "columns")), "shift": Part(("rows", "columns")), "radius": nonnegative()}
    return Space({"rows": few, "columns": few}, lambda _sizes: parts, build)


def _networks(
    layers: tuple[int, ...], layout: Layout, build: Callable[[Parts], World], most: int = 3, **other: Any
) -> Space:
    """Networks of at most `most` inputs and neurons in a layer, and of two classes or three."""
    return Space(_axes(layers, most), layout, build, fewer=_merged, **other)


def _off_diagonal(values: Array) -> Array:
    """Pairs of different classes."""
    return values[~np.eye(len(values), dtype=bool)]


def _pairs(zeta: Bound) -> Callable[..., Sides]:
    """Eq. (1) for every pair of classes."""

    def sides(
        weights: list[Array], x: Array, moved: list[Array], radii: list[Any], moved_x: Array = None, radius_x: Any = 0
    ) -> Sides:
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        rise = increase(weights, x, moved, x if moved_x is None else moved_x, radii, radius_x)
        return Sides(_off_diagonal(rise), _off_diagonal(zeta(network, x, budget) + margins.tau(network, x, budget)))

    return sides


def moving_weights_and_input(zeta: Bound) -> Space:
    """Both move; the hunt climbs eq. (1) with this zeta."""
    return _networks((2, 3, 4), _layout(moves_x=True), _joint, entries=_pairs(zeta))


def moving_weights(zeta: Bound | None = None) -> Space:
    """Weights move, the input does not; the hunt climbs eq. (1) with this zeta, if one is given."""
    return _networks((2, 3, 4), _layout(), _clean, entries=_pairs(zeta) if zeta else None)


def growing_radii(zeta: Bound) -> Space:
    """Nothing moves; each radius has a larger one beside it, and the hunt climbs the fall of zeta."""

    def sides(weights: list[Array], x: Array, smaller: list[Any], larger: list[Any]) -> Sides:
        network = Network.dense(weights)
        return Sides(*(_off_diagonal(zeta(network, x, Budget(0, tuple(radii)))) for radii in (smaller, larger)))

    return _networks((2, 3, 4), _layout(moves=False, grows=True), _growing, entries=sides)


def _corner_pairs(weights: list[Array], x: Array, moved: list[Array], radii: list[Any]) -> Sides:
    rise = increase(weights, x, moved, x, radii, 0)
    return Sides(_off_diagonal(rise), _off_diagonal(highest_corner(weights, x, radii, 0)))


one_moving_layer = _networks((2, 3), _one_moved, _one_layer_moved, most=2, holds=_few_corners, entries=_corner_pairs)
