"""Constants, sizes and dimensions of statements whose sides come from an exact law: feature compression."""

from __future__ import annotations

from fragility.space import Part, Parts, Space, World, count, nonnegative, table, whole

LARGEST_POWER = 40  # of ten, for dimensions at which orders without their logarithm fail
LARGEST_DIMENSION = 64  # the median of a product of many chi variables takes its time


def _ratio(parts: Parts) -> World:
    return {"layers": whole(parts["layers"]), "d": whole(parts["d"]), "constant": parts["constant"]}


def _level(parts: Parts) -> World:
    return {"delta": parts["delta"], "d": int(parts["d"])}


def _span(parts: Parts) -> World:
    """No more gradients than dimensions."""
    return {"n": parts["rest"] + parts["gradients"], "gradients": parts["gradients"]}


def _even(parts: Parts) -> World:
    return {"n": 2 * parts["half"], "floor": parts["floor"]}


def _share(parts: Parts) -> World:
    return {"constant": parts["constant"], "d": 10 ** int(parts["power"])}


constant = Space({}, table(limit=nonnegative()), dict, lambda world: world["limit"] > 0)
constant_and_dimension = Space(
    {},
    table(constant=nonnegative(), power=count(1, LARGEST_POWER)),
    _share,
    lambda world: world["constant"] > 0,
)
constant_and_layers = Space(
    {},
    table(layers=count(2, 4), d=count(3, LARGEST_DIMENSION), constant=nonnegative()),
    _ratio,
    lambda world: world["constant"] > 0,
)
error_level = Space(
    {},
    table(delta=Part((), 0.0, 1.0), d=count(2, 50)),
    _level,
    lambda world: 0 < world["delta"] < 1,
)
heights = Space({"layers": (1, 2, 3, 4)}, table(n=count(1, 8), rows=count(1, 8, "layers")), dict)
dimensions = Space({}, table(rest=count(0, 50), gradients=count(1, 10)), _span)
even_dimension = Space(
    {},
    table(half=count(2, 8), floor=Part((), 0.0, 1.0)),
    _even,
    lambda world: world["floor"] > 0,
)
