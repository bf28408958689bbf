"""Places in the printed tables."""

from theory.reported import LAYERS, NORMS, RADII, WIDTHS


def _model(rng):
    return {
        "table": int(rng.integers(1, 3)),
        "model": str(rng.choice(["simple", "conv"])),
        "place": int(rng.integers(0, len(RADII))),
    }


def _declining(rng):
    return {**_model(rng), "place": int(rng.integers(1, len(RADII)))}


def _norm(rng):
    return {"table": int(rng.integers(1, 3)), "norm": str(rng.choice(NORMS))}


def _large(rng):
    """From 0.05 on."""
    return {"radius": str(rng.choice(RADII[4:]))}


def _width(*widths):
    return lambda rng: {"width": int(rng.choice(widths))}


def _whole_table(rng):
    """A statement of all its cells at once."""
    return {}


WORLDS = {
    "cond.conclusion.layers.corrected": _norm,
    "cond.conclusion.simple.corrected": _norm,
    "cond.conclusion.fgsm.corrected": lambda rng: {"radius": str(rng.choice(RADII))},
    "cond.conclusion.fgmt.corrected": _large,
    "cond.conclusion.large.corrected": _large,
    "cond.conclusion.decline.corrected": _declining,
    "cond.tables.clean": _model,
    "cond.tables.training": lambda rng: {"layer": str(rng.choice(LAYERS)), "norm": str(rng.choice(NORMS))},
    "cond.attack.radii": _whole_table,
    "norm.conclusion.fgsm.corrected": _whole_table,
    "norm.conclusion.pgd": _width(3, 4, 5),
    "norm.conclusion.decrease.corrected": _width(*WIDTHS),
    "norm.conclusion.batch_norm": lambda rng: {"top": int(rng.choice([1, 5]))},
    "norm.conclusion.vanilla.corrected": _whole_table,
}
