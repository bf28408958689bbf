"""Linear classifiers, points and paths: feature compression, Theorems 1, 5 and 7 and Section 5."""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.space import Part, Parts, Space, World, count, nonnegative, share, table

FEW = (1, 2, 3, 4)


def _points(parts: Parts) -> World:
    """The data with label and target, two different columns of them."""
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
    """Whether f_1 > f_2 at x."""
    return (world["p_1"] - world["p_2"]) @ world["x"] > 0


def _of_both_classes(world: World) -> bool:
    """Whether f_1 > f_2 at x_1, and f_2 > f_1 at x_2."""
    g = world["p_1"] - world["p_2"]
    return g @ world["x_1"] > 0 > g @ world["x_2"]


def _first_is_largest(world: World) -> bool:
    scores = world["rows"] @ world["x"] + world["bias"]
    return bool(np.all(scores[0] > scores[1:]) and np.any(world["rows"][0] != world["rows"][1]))


def _of_two_labels(world: World) -> bool:
    """Whether x + x_1 is of class 1, and x + x_2 of class 2."""
    g = world["gradients"][0] - world["gradients"][1]
    return world["size"] > 0 and world["offset"] + g @ world["x_1"] > 0 > world["offset"] + g @ world["x_2"]


def _at_a_kink(world: World) -> bool:
    """Whether x is at the kink of every unit."""
    return bool(np.all(world["hidden"] @ world["x"] == 0))


def _towards_the_tie(world: World) -> bool:
    """Whether f(x_1) < 0 < f(x_2) = margin."""
    return world["margin"] > 0 and world["margin"] + world["gradient"] @ world["difference"] < 0


def _downhill(world: World) -> bool:
    """Whether both slopes fall, and the drop is more than the saturating one has."""
    return world["drop"] > world["step"] > 0 and world["tilt"] > 0


def _with_offset(parts: Parts) -> World:
    return {**parts, "offset": 0 * parts["x"][0]}


def _with_both_ends(parts: Parts) -> World:
    return {"rule": "ends", "count": int(parts["count"]), "coefficients": parts["coefficients"]}


def _vectors(*names: str) -> dict[str, Part]:
    return dict.fromkeys(names, Part(("d",)))


label_and_target = Space(
    {"d": FEW[1:], "points": FEW[1:]},
    table(data=Part(("d", "points")), label=count(0, 3), target=count(0, 2)),
    _points,
    _of_full_rank,
)
pair = Space({"d": FEW}, table(**_vectors("p_1", "p_2", "x")), dict, lambda w: _apart(w) and _in_class_1(w))
pair_and_offset = Space(pair.axes, pair.layout, _with_offset, pair.holds)
two_points = Space({"d": FEW}, table(**_vectors("p_1", "p_2", "x_1", "x_2")), dict, _of_both_classes)
classifier = Space(
    {"classes": (3, 4), "d": FEW},
    table(rows=Part(("classes", "d")), bias=Part(("classes",)), x=Part(("d",))),
    dict,
    _first_is_largest,
)
kink = Space(
    {"outputs": (1, 2), "width": FEW, "d": FEW},
    table(
        hidden=Part(("width", "d")),
        output=Part(("outputs", "width")),
        **_vectors("x", "x_1", "x_2"),
        size=nonnegative(),
    ),
    dict,
    lambda world: world["size"] > 0 and _at_a_kink(world),
)
two_labels = Space(
    {"outputs": (2,), "d": FEW},
    table(gradients=Part(("outputs", "d")), offset=Part(), **_vectors("x_1", "x_2"), size=nonnegative()),
    dict,
    _of_two_labels,
)
parabola = Space({}, table(curvature=nonnegative()), dict, lambda world: world["curvature"] > 0)
saturation = Space({}, table(tilt=nonnegative(), step=nonnegative(), drop=nonnegative()), dict, _downhill)
linear_output = Space(
    {"d": FEW}, table(**_vectors("gradient", "difference"), margin=nonnegative()), dict, _towards_the_tie
)
gradient_and_margin = Space(
    {"d": FEW},
    table(gradient=Part(("d",)), margin=nonnegative()),
    dict,
    lambda world: bool(np.any(world["gradient"] != 0)) and world["margin"] > 0,
)
path = Space(
    {"points": FEW},
    table(norms=nonnegative("points"), cosines=share("points")),
    dict,
    lambda world: bool(np.all(world["norms"] > 0)),
)
_polynomial = partial(Space, {"degree": (1, 2, 3, 4, 5)}, table(count=count(2, 30), coefficients=Part(("degree",))))
polynomial = _polynomial(dict)
polynomial_and_rule = _polynomial(_with_both_ends)
