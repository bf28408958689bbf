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
    return (world["p_1"] - world["p_2"]) @ world.get("x", world.get("x_1")) > 0


def _of_both_classes(world: World) -> bool:
    return _in_class_1(world) and (world["p_1"] - world["p_2"]) @ world["x_2"] < 0


def _first_is_largest(world: World) -> bool:
    scores = world["rows"] @ world["x"] + world["bias"]
    return bool(np.all(scores[0] > scores[1:]) and np.any(world["rows"][0] != world["rows"][1]))


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
_two_points = partial(Space, {"d": FEW}, table(**_vectors("p_1", "p_2", "x_1", "x_2")), _same)
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
    "fc.thm1.target.printed": Space(
        {"d": FEW[1:], "points": FEW[1:]},
        table(data=Part(("d", "points")), label=count(0, 3), target=count(0, 2)),
        _points,
        _of_full_rank,
    ),
    "fc.thm5.printed": _pair,
    "fc.thm5.corrected": Space(_pair.axes, _pair.layout, _with_offset, _pair.holds),
    "fc.thm5.projection.printed": _two_points(holds=_in_class_1),
    "fc.thm5.projection.corrected": _two_points(holds=_of_both_classes),
    "fc.thm5.target.printed": Space(
        {"classes": (3, 4), "d": FEW},
        table(rows=Part(("classes", "d")), bias=Part(("classes",)), x=Part(("d",))),
        _same,
        _first_is_largest,
    ),
    "fc.thm7.kink.printed": Space(
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
    "fc.thm7.labels.printed": Space(
        {"outputs": (2,), "d": FEW},
        table(gradients=Part(("outputs", "d")), offset=Part(), **_vectors("x_1", "x_2"), size=nonnegative()),
        _same,
        lambda world: world["size"] > 0 and bool(np.any(world["gradients"][0] != world["gradients"][1])),
    ),
    "fc.sec5.necessary.printed": Space({}, table(curvature=nonnegative()), _same, lambda world: world["curvature"] > 0),
    "fc.sec5.sufficient.printed": Space(
        {}, table(tilt=nonnegative(), step=nonnegative(), drop=nonnegative()), _same, _downhill
    ),
    "fc.table5.factor.printed": _linear,
    "fc.table5.factor.corrected": _linear,
    "fc.table5.sign.printed": _gradient,
    "fc.table5.sign.corrected": _gradient,
    "fc.table6.average.printed": _path,
    "fc.table6.average.corrected": _path,
    "fc.table8.sum.printed": _polynomial(_quadrature),
    "fc.table8.sum.corrected": _polynomial(_signed("ends")),
}
