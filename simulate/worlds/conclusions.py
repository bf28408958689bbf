"""Places in the printed tables, and paths of an attack."""

from theory.reported import LAYERS, NORMS, RADII


def _model(rng):
    return {
        "table": int(rng.integers(1, 3)),
        "model": str(rng.choice(["simple", "conv"])),
        "place": int(rng.integers(0, len(RADII))),
    }


def _declining(rng):
    return {**_model(rng), "place": int(rng.integers(1, len(RADII)))}


def _width(*widths):
    return lambda rng: {"width": int(rng.choice(widths))}


WORLDS = {
    "cond.conclusion.layers.corrected": lambda rng: {"table": int(rng.integers(1, 3)), "norm": str(rng.choice(NORMS))},
    "cond.conclusion.fgsm.corrected": lambda rng: {"radius": str(rng.choice(RADII))},
    "cond.conclusion.fgmt.corrected": lambda rng: {"radius": str(rng.choice(RADII[4:]))},
    "cond.conclusion.decline.corrected": _declining,
    "cond.tables.clean.corrected": _model,
    "cond.tables.training.corrected": lambda rng: {"layer": str(rng.choice(LAYERS)), "norm": str(rng.choice(NORMS))},
    "cond.attack.radii.corrected": lambda rng: {},
    "norm.conclusion.fgsm.corrected": _width(3, 4, 5),
    "norm.conclusion.decrease.corrected": _width(1, 2),
    "norm.conclusion.batch_norm": _width(1, 2, 3, 4, 5),
}
