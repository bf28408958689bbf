"""Small dense ReLU networks whose weights and input move within their radii."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from simulate.hunting.space import Part, Parts, Point, Sizes, Space, World, count, nonnegative, share
from theory import margins
from theory.claim import Sides
from theory.claims.joint_bounds import _highest_corner
from theory.claims.margins import increase
from theory.network import Budget, Network

MOST_CORNERS = 6  # entries that move where all corners are gone through


def _chain(layers: int) -> list[str]:
    return ["inputs", *(f"width_{m}" for m in range(1, layers)), "classes"]


def _axes(layers: tuple[int, ...], most: int, classes: tuple[int, ...] = (2, 3)) -> dict[str, tuple[int, ...]]:
    wide = tuple(range(1, most + 1))
    return {"layers": layers, **dict.fromkeys(_chain(layers[-1]), wide), "classes": classes}


def _matrices(sizes: Sizes) -> Iterator[tuple[int, tuple[str, str]]]:
    """Number and axes of every weight, outputs first."""
    chain = _chain(sizes["layers"])
    for m in range(1, sizes["layers"] + 1):
        yield m, (chain[m], chain[m - 1])


def _weights(parts: Parts) -> list[Any]:
    return [parts[name] for name in parts if name.startswith("weight_")]


def _radii(parts: Parts) -> list[Any]:
    return [parts[name] for name in parts if name.startswith("radius_") and name != "radius_x"]


def _moved(parts: Parts) -> list[Any]:
    """Weights moved by a share of their radii."""
    return [
        parts[f"weight_{m}"] + parts[f"radius_{m}"] * parts[f"share_{m}"] for m in range(1, len(_weights(parts)) + 1)
    ]


def _layout(*, moves: bool = True, radii: bool = True, moves_x: bool = False, grows: bool = False) -> Any:
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


def _ball(scope: int) -> Any:
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


def _networks(layers: tuple[int, ...], layout: Any, build: Any, most: int = 3, **other: Any) -> Space:
    return Space(_axes(layers, most, **other.pop("classes", {})), layout, build, fewer=_merged, **other)


def _off_diagonal(values: Any) -> Any:
    """Pairs of different classes."""
    return values[~np.eye(len(values), dtype=bool)]


def _pairs(zeta: Any) -> Any:
    """Eq. (1) for every pair of classes."""

    def sides(weights: Any, x: Any, moved: Any, radii: Any, moved_x: Any = None, radius_x: Any = 0) -> Sides:
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        rise = increase(weights, x, moved, x if moved_x is None else moved_x, radii, radius_x)
        return Sides(_off_diagonal(rise), _off_diagonal(zeta(network, x, budget) + margins.tau(network, x, budget)))

    return sides


def _monotone(zeta: Any) -> Space:
    def sides(weights: Any, x: Any, smaller: Any, larger: Any) -> Sides:
        network = Network.dense(weights)
        return Sides(*(_off_diagonal(zeta(network, x, Budget(0, tuple(radii)))) for radii in (smaller, larger)))

    return _networks((2, 3, 4), _layout(moves=False, grows=True), _growing, entries=sides)


def _anywhere(zeta: Any) -> Space:
    return _networks((2, 3, 4), _layout(moves_x=True), _joint, entries=_pairs(zeta))


def _at_x(zeta: Any) -> Space:
    return _networks((2, 3, 4), _layout(), _clean, entries=_pairs(zeta))


def _corner_pairs(weights: Any, x: Any, moved: Any, radii: Any) -> Sides:
    rise = increase(weights, x, moved, x, radii, 0)
    return Sides(_off_diagonal(rise), _off_diagonal(_highest_corner(weights, x, radii, 0)))


_reach = _networks((2, 3, 4), _layout(), _clean)

SPACES = {
    "joint.thm1.printed": _anywhere(margins.zeta_printed),
    "joint.thm1.corrected": _anywhere(margins.zeta),
    "joint.eq3.printed": _at_x(margins.zeta_printed),
    "joint.eq3.corrected": _at_x(margins.zeta),
    "joint.reach.tempting": _reach,
    "joint.reach": _reach,
    "joint.monotone.tempting": _monotone(margins.zeta_printed),
    "joint.monotone": _monotone(margins.zeta),
    "joint.ball.printed": _ball(1),
    "joint.ball.corrected": _ball(0),
    "joint.corners.three_layers.tempting": _networks(
        (2, 3), _one_moved, _one_layer_moved, most=2, holds=_few_corners, entries=_corner_pairs
    ),
}
