"""What is read of a network at a user's images, and, with the first of them, of its layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from empirical.examine.letters import coded
from empirical.examine.parsed import entries
from fragility.engine.statistics import FLAG, Statistic, Statistics
from fragility.engine.study import UsageError

NAME, SAYING = 60, 180  # letters of a layer's name, and of a reason
SAYINGS = (
    "constant",
    "certificate",
    "joint",
    "others",
)  # why there is none, and which modules with weights are no layers
OF_LAYERS = (
    *("kind", "weights", "inputs", "outputs", "norm", "norm_at_most", "folded_norm", "folded_norm_at_most"),
    *("smallest", "smallest_exact", "kernel_condition"),
)
LAYERS, WAY, SHARES = ("layers",), ("nodes",), ("shares",)
FLAGS = ("zero_gradient", "saturated", "disagreement", "crossed")
OF_FIRST = "of the first image, else NaN: "
# x is an image, f = logit of its class - logit of another one, x_1 the nearest image that the network puts elsewhere.
STATISTICS = Statistics(
    {
        "label": Statistic("class of x, as given or as the network says"),
        "said": Statistic("class that the network says"),
        "margin": Statistic("logit of the label less the largest other"),
        "upper": Statistic("length of the shortest perturbation found that turns the label; 0 of wrong images", "", ()),
        "lower": Statistic("certified: none is shorter; 0 where nothing is certified"),
        "first_order": Statistic("least distance of a linearised boundary, NaN where no margin has a gradient"),
        **dict.fromkeys(FLAGS, Statistic("flag of the bracket of both", FLAG)),
        "quotient": Statistic(
            "difference quotient of f along its gradient over the gradient's length: 1 where it tells of f"
        ),
        "noise": Statistic("of eight random perturbations as long as `upper`, how many turn the label"),
        "slope": Statistic("length of the gradient of the margin"),
        "sign_factor": Statistic(
            "length of a step by the gradient's signs over that of the least step, to first order"
        ),
        "norm": Statistic("||x||"),
        "numbers": Statistic("that x has"),
        "partner": Statistic("place of x_1 among the images, NaN where all are of one class"),
        "length": Statistic("L = ||x_1 - x||"),
        "values": Statistic("f, between the classes of x and of x_1", "", WAY),
        "gradient": Statistic("||grad f||", "", WAY),
        "cosine": Statistic("cosine of grad f and x_1 - x, NaN where the gradient is 0", "", WAY),
        "weighted": Statistic("minus their mean weighted with ||grad f||"),
        "signed_length": Statistic("M, by quadrature"),
        "change": Statistic("(f(x_1) - f(x)) / ||grad f(x)||"),
        "shrunk_said": Statistic("class without the bottom singular values", "", SHARES),
        "shrunk_margin": Statistic("logit of the label less the largest other there", "", SHARES),
        "shrunk_first_order": Statistic("least distance of a linearised boundary there", "", SHARES),
        "certified": Statistic(
            "whether x is right and certified to stay so at each pair of radii, NaN without certificate",
            FLAG,
            ("x", "w"),
        ),
        "layer_name": Statistic(OF_FIRST + "its name", "code points", ("layers", NAME)),
        "sayings": Statistic(
            OF_FIRST + "why there is no Lipschitz constant, no certificate, no joint one; other modules with weights",
            "code points",
            (len(SAYINGS), SAYING),
        ),
        "all_weights": Statistic(OF_FIRST + "numbers in all parameters"),
        "layer_kind": Statistic(OF_FIRST + "0 dense, 1 convolution, 2 transposed", "", LAYERS),
        "layer_weights": Statistic(OF_FIRST + "how many it has", "", LAYERS),
        "layer_inputs": Statistic(OF_FIRST + "numbers of one image before it", "", LAYERS),
        "layer_outputs": Statistic(OF_FIRST + "and behind it", "", LAYERS),
        "layer_norm": Statistic(OF_FIRST + "its spectral norm on images of that size, attained", "", LAYERS),
        "layer_norm_at_most": Statistic(OF_FIRST + "and what it exceeds with a chance of 1e-6 at most", "", LAYERS),
        "layer_folded_norm": Statistic(OF_FIRST + "the same with batch normalisation folded in", "", LAYERS),
        "layer_folded_norm_at_most": Statistic(OF_FIRST + "and its upper end", "", LAYERS),
        "layer_smallest": Statistic(OF_FIRST + "its smallest singular value, or an upper bound", "", LAYERS),
        "layer_smallest_exact": Statistic(OF_FIRST + "which of both", FLAG, LAYERS),
        "layer_kernel_condition": Statistic(OF_FIRST + "kappa_2 of the matrix of its weights", "", LAYERS),
        "layer_left_out": Statistic(
            OF_FIRST + "largest singular value left out over the largest", "", ("layers", "shares")
        ),
        "lipschitz": Statistic(OF_FIRST + "upper bound of the network's Lipschitz constant", "", (), True),
    }
)
LACKING: Mapping[str, tuple[Any, ...]] = {  # what is NaN where there is no other class, no certificate, or no layers
    **dict.fromkeys(("length", "weighted", "signed_length", "change", "all_weights", "lipschitz"), ()),
    **dict.fromkeys(("values", "gradient", "cosine"), WAY),
    "certified": ("x", "w"),
    "sayings": (len(SAYINGS), SAYING),
    "layer_name": ("layers", NAME),
    "layer_left_out": ("layers", "shares"),
    **dict.fromkeys((f"layer_{name}" for name in OF_LAYERS), LAYERS),
}
World = Mapping[str, np.ndarray]


def measure(backend: Any, world: World, model: str, **point: Any) -> dict[str, np.ndarray]:
    """`STATISTICS` of each image, those of the layers with the first."""
    from empirical.examine.network import admitting, all_logits, network, shown, weights
    from empirical.imagenet_compression.pairs import named

    if (found := weights(model)) != point["weights"]:
        raise UsageError(f"--model {model} must have the weights {point['weights']} every time, got {found}")
    admitting(backend.device)
    net, numbers, seed = network(model).to(backend.device), world["images"].astype(int), int(world["seed"][0])
    said = all_logits(model, point["size"]).argmax(1).numpy()
    labels = classes(point["size"], said)[numbers]
    x = shown(net, point["size"], numbers)
    with named(model):
        columns, why = _images(net, x, numbers, labels, said, model, seed, point)
        first = _layers(net, model, seed, why, point) if 0 in numbers else {}
    columns |= {"label": labels, "said": said[numbers]}
    sizes = _sizes(model, point)
    for name, shape in LACKING.items():
        lacking = np.full((len(numbers), *(sizes.get(dimension, dimension) for dimension in shape)), np.nan)
        columns.setdefault(name, lacking)
    for name, values in first.items():
        columns[name][numbers == 0] = values
    return {name: np.asarray(values, dtype=float) for name, values in columns.items()}


def classes(size: int | None, said: np.ndarray) -> np.ndarray:
    """The labels of all images, (N,): as given, or what the network says."""
    from empirical.examine.images import images

    given = images(size).labels
    return said if given is None else given


def _sizes(model: str, point: Mapping[str, Any]) -> dict[str, int]:
    """How many of what statistics have."""
    from empirical.examine.network import layers

    return {
        "layers": max(1, len(layers(model, point["size"]).layers)),  # NaN where there is none
        "nodes": point["nodes"],
        "shares": len(entries(point["shrunk"])),
        "x": len(entries(point["radii_x"])),
        "w": len(entries(point["radii_w"])),
    }


def _images(
    net: Any,
    x: Any,
    numbers: np.ndarray,
    labels: np.ndarray,
    said: np.ndarray,
    model: str,
    seed: int,
    point: Mapping[str, Any],
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """What is said of images in one batch x, whose places are `numbers`; and why some of it cannot be."""
    from empirical.examine import readings
    from empirical.examine.images import images
    from empirical.examine.network import activations, shown, shrunk

    size, held = point["size"], activations(model, point["size"])
    certificate = readings.smallest(net, x, labels, held)
    attacks, steps = point["attacks"].split("+"), point["steps"]
    columns = readings.attacked(net, x, labels, certificate.lower, attacks, steps, seed)
    partners = readings.partners(images(size).x, numbers, said)
    if (some := partners >= 0).all():
        others = shown(net, size, partners)
        columns |= readings.way(net, x, others, said[numbers], said[partners], point["nodes"])
    columns["partner"] = np.where(some, partners, np.nan)
    columns["norm"] = x.double().flatten(1).norm(dim=1).cpu().numpy()
    columns["numbers"] = np.full(len(x), x[0].numel())
    changed = [
        readings.linearised(shrunk(model, size, percent).to(x.device), x, labels)
        for percent in entries(point["shrunk"])
    ]
    for name in ("said", "margin", "first_order"):
        columns[f"shrunk_{name}"] = np.stack([one[name] for one in changed], axis=1)
    radii = entries(point["radii_x"]), entries(point["radii_w"])
    joint = readings.jointly(net, x, labels, *radii, held)
    why = {"certificate": certificate.why_not, "joint": joint if isinstance(joint, str) else ""}
    return columns if isinstance(joint, str) else columns | {"certified": joint}, why


def _layers(net: Any, model: str, seed: int, why: Mapping[str, str], point: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the layers, in the order in which an image meets them."""
    from empirical.examine.network import layers, like, shown
    from empirical.examine.product import constant
    from empirical.measures.layers import measured

    held, unknown = layers(model, point["size"])
    percents = entries(point["shrunk"])
    rows = [measured(layer, like(net), seed, percents) for layer in held]
    found = {f"layer_{name}": np.array([row[name] for row in rows], dtype=float) for name in rows[0]} if rows else {}
    names = [layer.name for layer in held]
    if rows:
        found["layer_name"] = coded(names, NAME)
    norms = dict(zip(names, found.get("layer_folded_norm_at_most", ()), strict=True))
    bound = constant(net, shown(net, point["size"], slice(1)), held, norms)
    told = {**why, "constant": bound if isinstance(bound, str) else "", "others": ", ".join(unknown)}
    return found | {
        "lipschitz": np.nan if isinstance(bound, str) else bound,
        "sayings": coded([told[name] for name in SAYINGS], SAYING),
        "all_weights": sum(weight.numel() for weight in net.parameters()),
    }
