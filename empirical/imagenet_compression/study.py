"""Feature compression of an ImageNet classifier on photographs, without knowing what theory says of it.

A photograph is taken with the nearest one (l2) of another class. The gradient of the difference of the two logits is
read along the segment between them, and the shortest perturbation is searched that makes the first a member of the
second's class: by the paper's attack, steps by the sign of the gradient, and by attacks of minimal norm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from empirical.attacks.bracket import ATTACKS
from empirical.imagenet_compression.measure import DIRECTIONS, STATISTICS, World, measure, weights_named
from empirical.imagenet_compression.pairs import AFGHAN, ALL, NEAREST, SPRINGER, album, population
from empirical.shared.axes import whole
from empirical.shared.classifiers import attacks as known_attacks
from empirical.shared.classifiers import names, network_code
from fragility.engine.context import current
from fragility.engine.memory import check_memory
from fragility.engine.study import Axis, Method, Point, Study, UsageError

if TYPE_CHECKING:
    from fragility.backends import Stream

COPIES = 16  # of an image, at least, while it is attacked
SIDES = {"inception_resnet_v2": 299}  # of the square that a network sees; others 224


def draw(stream: Stream, units: range, size: int, **_: Any) -> World:
    """Numbers of the pairs, (pairs,), and directions in which to sample the gradient, (pairs, DIRECTIONS, 3 size^2)."""
    return {"pairs": np.array(units), "directions": stream.normal(len(units), DIRECTIONS, 3 * size * size)}


def points(model: Sequence[str], size: Sequence[int] | None, source: Sequence[str], **axes: Any) -> list[Point]:
    """Every network with every population of pairs; a point names its photographs and its weights by a digest.

    `batch` belongs to a point, since it changes results by rounding.
    """
    for side in size or SIDES.values():
        check_memory(f"an attack on images of {side} x {side}", 3 * side**2 * COPIES, 4, "choose a smaller --size")
    given = current().weights
    if given and len(model) > 1:
        raise UsageError(f"--model must be one where --checkpoint holds its weights, got {len(model)}")
    shown = {ends: album().digest(album().pairs(*ends)) for ends in product(source, axes["partners"])}
    weights = {spec: weights_named(spec) for spec in model}
    sweep: list[Point] = []
    for spec in model:
        sides = size or [SIDES.get(spec, 224)]
        how = product(sides, shown, axes["attacks"], axes["nodes"], axes["batch"])
        for side, ends, attacks, nodes, batch in how:
            held = {"model": spec, "weights": weights[spec], "photographs": shown[ends]}
            shows = {"source": ends[0], "partners": ends[1], "attacks": attacks, "size": side}
            sweep.append({**held, **shows, "nodes": nodes, "batch": batch})
    return sweep


STUDY = Study(
    name="empirical.imagenet_compression",
    says="compression between two photographs, for an ImageNet classifier (feature compression, Tables 7 and 8)",
    grid={
        "model": Axis(
            names("--model"),
            ["inception_resnet_v2"],
            "inception_resnet_v2, or module:function that builds a torch module from images in [0, 1] to logits",
        ),
        "source": Axis(names("--source"), [SPRINGER], f"wnid of the clean photographs, or {ALL}; a list sweeps"),
        "partners": Axis(
            names("--partners"),
            [AFGHAN],
            f"wnid of the class to be taken for, {ALL}, or {NEAREST}: that of the nearest photograph; a list sweeps",
        ),
        "attacks": Axis(
            known_attacks, ["nearest_rivals"], f"of minimal norm, joined by +, of {', '.join(ATTACKS)}; a list sweeps"
        ),
        "size": Axis(
            whole(32, "--size", 4096),
            None,
            "side of the images in pixels (default: 299 for inception_resnet_v2, else 224)",
        ),
        "nodes": Axis(
            whole(2, "--nodes", 10_000), [10], "points of the way at which gradients are taken; a list sweeps"
        ),
        "batch": Axis(whole(1, "--batch"), [4], "images that go through the network together: bounds its memory"),
    },
    points=points,
    methods={
        "trained": Method(
            "a trained network on photographs",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda size, **_: 3 * size * size * (DIRECTIONS + 8),
            block=1,
            units=lambda source, partners, photographs, **_: len(population(source, partners, photographs)),
            uses=network_code,
        )
    },
)
