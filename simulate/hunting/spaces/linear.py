"""Linear classifiers, points and paths: feature compression, Theorems 1, 5 and 7 and Section 5."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from simulate.hunting.space import Part, Parts, Space, World, count, nonnegative, share, table

FEW = (1, 2, 3, 4)


def _same(parts: Parts) -> World:
    return dict(parts)


def _points(parts: Parts) -> World:
    """Label and target, two different columns of the data."""
    classes = parts["data"].shape[1]
    label = int(parts["label"]) % classes
    target = (label + 1 + int(parts["target"]) % (classes - 1)) % classes
    return {"data": parts["data"], "label": label, "target": target}


def _of_full_rank(world: World) -> bool:
    data = world["data"].astype(float)
    return data.shape[0] >= data.shape[1] and np.linalg.matrix_rank(data, rtol=1e-6) == data.shape[1]


def _apart(world: World) -> bool:
    return bool(np.any(world["p_1"] != world["p_2"]))


def _in_class_1(world: World) -> bool:
    """f_1 > f_2 at x."""
    return (world["p_1"] - world["p_2"]) @ world["x"] > 0


def _of_both_classes(world: World) -> bool:
    """f_1 > f_2 at x_1, and f_2 > f_1 at x_2."""
    g = world["p_1"] - world["p_2"]
    return g @ world["x_1"] > 0 > g @ world["x_2"]


def _first_is_largest(world: World) -> bool:
    scores = world["rows"] @ world["x"] + world["bias"]
    return bool(np.all(scores[0] > scores[1:]) and np.any(world["rows"][0] != world["rows"][1]))


def _of_two_labels(world: World) -> bool:
    """x + x_1 is of class 1, x + x_2 of class 2."""
    g = world["gradients"][0] - world["gradients"][1]
    return world["size"] > 0 and world["offset"] + g @ world["x_1"] > 0 > world["offset"] + g @ world["x_2"]


def _at_a_kink(world: World) -> bool:
    return bool(np.all(world["hidden"] @ world["x"] == 0))


def _towards_the_tie(world: World) -> bool:
    """f(x_1) < 0 < f(x_2) = margin."""
    return world["margin"] > 0 and world["margin"] + world["gradient"] @ world["difference"] < 0


def _downhill(world: World) -> bool:
    return world["drop"] > world["step"] > 0 and world["tilt"] > 0


def _vectors(*names: str) -> dict[str, Part]:
    return dict.fromkeys(names, Part(("d",)))


_pair = Space({"d": FEW}, table(**_vectors("p_1", "p_2", "x")), _same, lambda w: _apart(w) and _in_class_1(w))
_two_points = Space({"d": FEW}, table(**_vectors("p_1", "p_2", "x_1", "x_2")), _same, _of_both_classes)
_linear = Space({"d": FEW}, table(**_vectors("gradient", "difference"), margin=nonnegative()), _same, _towards_the_tie)
_gradient = Space(
    {"d": FEW},
    table(gradient=Part(("d",)), margin=nonnegative()),
    _same,
    lambda world: bool(np.any(world["gradient"] != 0)) and world["margin"] > 0,
)
_path = Space(
    {"points": FEW},
    table(norms=nonnegative("points"), cosines=share("points")),
    _same,
    lambda world: bool(np.all(world["norms"] > 0)),
)


def _with_offset(parts: Parts) -> World:
    return {**parts, "offset": 0 * parts["x"][0]}


def _quadrature(parts: Parts) -> World:
    return {"count": parts["count"], "coefficients": parts["coefficients"]}


def _signed(rule: Any) -> Any:
    return lambda parts: {"rule": rule, "count": int(parts["count"]), "coefficients": parts["coefficients"]}


_polynomial = partial(Space, {"degree": (1, 2, 3, 4, 5)}, table(count=count(2, 30), coefficients=Part(("degree",))))

SPACES = {
    "fc.thm1.target.reading": Space(
        {"d": FEW[1:], "points": FEW[1:]},
        table(data=Part(("d", "points")), label=count(0, 3), target=count(0, 2)),
        _points,
        _of_full_rank,
    ),
    "fc.thm5.tempting": _pair,
    "fc.thm5.infimum": Space(_pair.axes, _pair.layout, _with_offset, _pair.holds),
    "fc.thm5.projection": _two_points,
    "fc.thm5.target.tempting": Space(
        {"classes": (3, 4), "d": FEW},
        table(rows=Part(("classes", "d")), bias=Part(("classes",)), x=Part(("d",))),
        _same,
        _first_is_largest,
    ),
    "fc.thm7.kink.tempting": Space(
        {"outputs": (1, 2), "width": FEW, "d": FEW},
        table(
            hidden=Part(("width", "d")),
            output=Part(("outputs", "width")),
            **_vectors("x", "x_1", "x_2"),
            size=nonnegative(),
        ),
        _same,
        lambda world: world["size"] > 0 and _at_a_kink(world),
    ),
    "fc.thm7.labels.reading": Space(
        {"outputs": (2,), "d": FEW},
        table(gradients=Part(("outputs", "d")), offset=Part(), **_vectors("x_1", "x_2"), size=nonnegative()),
        _same,
        _of_two_labels,
    ),
    "fc.sec5.necessary.tempting": Space(
        {}, table(curvature=nonnegative()), _same, lambda world: world["curvature"] > 0
    ),
    "fc.sec5.sufficient.tempting": Space(
        {}, table(tilt=nonnegative(), step=nonnegative(), drop=nonnegative()), _same, _downhill
    ),
    "fc.table5.factor.tempting": _linear,
    "fc.table5.factor": _linear,
    "fc.table5.sign.tempting": _gradient,
    "fc.table5.sign": _gradient,
    "fc.table6.average.tempting": _path,
    "fc.table6.average": _path,
    "fc.table8.sum.tempting": _polynomial(_quadrature),
    "fc.table8.sum": _polynomial(_signed("ends")),
}
