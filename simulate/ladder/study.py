"""The worlds of the ladder: random ReLU networks, and every rung measured in each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integers
from theory.worlds.joint_attacks import ATTACKS, Problem, affordable, judged, starts

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

PAIR = (0, 1)
MOST_LAYERS = 1000
LARGEST_RADIUS = 1e6  # beside inputs and weights of order 1: bounds of many layers stay within a double
MOST_NEURONS = {"exact": 40, "relaxed": 400}  # and inputs, of a program: a fraction of a second each
BLOCK = 8  # worlds per shard of the methods that solve programs
MOST_STARTS, STARTED = 16, 1 << 16  # attacks per network, and the numbers that they may take together


def _shapes(depth: int, width: int, classes: int) -> list[tuple[int, ...]]:
    """Of W^1, ..., W^L and x."""
    return [*[(width, width)] * (depth - 1), (classes, width), (width,)]


def _entries(depth: int, width: int, classes: int) -> int:
    return sum(math.prod(shape) for shape in _shapes(depth, width, classes))


def _starts(entries: int) -> int:
    return max(2, min(MOST_STARTS, STARTED // entries))


def _radii(depth: int, x: str, w: str) -> tuple[float, ...]:
    return (float(w),) * depth + (float(x),)


def draw(
    stream: Stream, size: int, depth: int, width: int, classes: int, x: str, w: str
) -> tuple[list[Array], tuple[Array, ...]]:
    """W^1, ..., W^L with N(0, 2 / columns) entries and inputs with N(0, 1) entries; where attacks start."""
    *weights, inputs = _shapes(depth, width, classes)
    parts = [stream.normal(size, *shape) * math.sqrt(2 / width) for shape in weights] + [stream.normal(size, *inputs)]
    count = _starts(_entries(depth, width, classes))
    return parts, starts(Problem(tuple(parts), _radii(depth, x, w), PAIR), stream.uniform, count)


def measure(
    backend: Backend, world: tuple[list[Array], tuple[Array, ...]], programs: Sequence[str] = (), **point: Any
) -> dict[str, Array]:
    """Largest increase of f_0 - f_1 by every attack, and every bound on it, each (size,).

    `programs` : "exact" for the optimum and what its network attains, "lp" for the linear relaxation.
    """
    import numpy as np

    from theory.joint.crown import crown_increase
    from theory.joint.margins import clean_increase, interval_increase, tau, theorem_increase, zeta_printed
    from theory.joint.optimum import joint_optimum
    from theory.things.network import Budget, Network

    parts, noise = world
    problem = Problem(tuple(parts), _radii(point["depth"], point["x"], point["w"]), PAIR)
    budget = Budget(float(point["x"]), float(point["w"]))
    found = {name: np.max(judged(problem, ATTACKS[name](problem, noise)), axis=1) for name in _attacks(**point)}
    found["attack"] = np.max(list(found.values()), axis=0)
    bounds = {"crown": crown_increase, "interval": interval_increase, "theorem": theorem_increase}
    bounds["clean"] = clean_increase
    if point["depth"] > 1:
        bounds["printed"] = lambda *given: tau(*given) + zeta_printed(*given)
    rungs: dict[str, list[float]] = {}
    for *weights, x in zip(*parts, strict=True):
        network = Network.dense(weights)
        values = {name: float(bound(network, x, budget)[PAIR]) for name, bound in bounds.items()}
        if "lp" in programs:
            values["lp"] = joint_optimum(network, x, budget, PAIR, relax=True).increase[1]
        if "exact" in programs:
            values["attained"], values["exact"] = joint_optimum(network, x, budget, PAIR).increase
        for name, value in values.items():
            rungs.setdefault(name, []).append(value)
    return found | {name: np.asarray(values) for name, values in rungs.items()}


def _attacks(depth: int, width: int, classes: int, x: str, w: str) -> list[str]:
    shapes, radii = _shapes(depth, width, classes), _radii(depth, x, w)
    moving = sum(math.prod(shape) for shape, radius in zip(shapes, radii, strict=True) if radius > 0)
    return affordable(_entries(depth, width, classes), moving)


def _statistics(programs: Sequence[str], **point: Any) -> list[str]:
    bounds = ["crown", "interval", "theorem", "clean", *(["printed"] if point["depth"] > 1 else []), *programs]
    return [*_attacks(**point), "attack", *bounds, *(["attained"] if "exact" in programs else [])]


def _method(says: str, name: str, programs: Sequence[str]) -> Method:
    def floats(depth: int, width: int, classes: int, **_: Any) -> int:
        entries = _entries(depth, width, classes)
        return entries * (1 + 6 * _starts(entries))  # every start with its gradient, its best and its next iterate

    def obstacle(depth: int, width: int, **_: Any) -> str | None:
        most = MOST_NEURONS.get(name, math.inf)
        return None if depth * width <= most else f"depth times width must be at most {most}, got {depth * width}"

    return Method(
        says,
        draw,
        lambda backend, world, **point: measure(backend, world, programs, **point),
        lambda **point: _statistics(programs, **point),
        floats,
        obstacle,
        blind=False,
        block=BLOCK if name in MOST_NEURONS else None,
    )


def points(
    depth: Sequence[int], width: Sequence[int], classes: Sequence[int], x: Sequence[str], w: Sequence[str]
) -> list[Point]:
    """Every combination in which something can move."""
    sweep: list[Point] = [
        {"depth": L, "width": n, "classes": k, "x": input_radius, "w": weight_radius}
        for L, n, k, input_radius, weight_radius in product(depth, width, classes, x, w)
        if (input_radius, weight_radius) != ("0", "0")
    ]
    if not sweep:
        raise UsageError("--epsilon-x or --epsilon-w must be positive, got 0 for both: nothing would move")
    return sweep


def _list(flag: str) -> Any:
    return lambda text: [_radius(part, flag) for part in text.split(",")]


def _radius(text: str, flag: str) -> str:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LARGEST_RADIUS:
        raise UsageError(f"{flag} must be a number from 0 to {LARGEST_RADIUS:g}, got {text!r}")
    return repr(abs(value)).removesuffix(".0")


STUDY = Study(
    name="simulate.ladder",
    says="how tight the joint margin bounds are: attacks, the exact optimum and every bound in the same random worlds",
    grid={
        "depth": Axis(integers(1, "--depth", MOST_LAYERS), [1, 2, 3, 4], "number of layers"),
        "width": Axis(integers(1, "--width"), [4, 8], "neurons per hidden layer, and inputs"),
        "classes": Axis(integers(2, "--classes"), [3], "number of logits"),
        "x": Axis(_list("--epsilon-x"), ["0", "0.05"], "radius of the input"),
        "w": Axis(_list("--epsilon-w"), ["0", "0.05"], "radius of every weight"),
    },
    points=points,
    methods={
        "exact": _method("all rungs", "exact", ("lp", "exact")),
        "relaxed": _method("without the exact optimum", "relaxed", ("lp",)),
        "bounds": _method("without any program", "bounds", ()),
    },
)
