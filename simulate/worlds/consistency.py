"""Places in the printed tables, and paths of an attack."""

from theory.reported import LAYERS


def _table(rng):
    return {"table": int(rng.integers(1, 3))}


def _layer(rng):
    return {**_table(rng), "layer": str(rng.choice(LAYERS))}


def _gradients(rng):
    size = int(rng.integers(1, 12))
    return {"norms": rng.uniform(0.1, 2, size), "cosines": rng.uniform(-1, 1, size)}


WORLDS = {
    "cond.tables.frobenius.lower": _layer,
    "cond.tables.frobenius.upper": _layer,
    "cond.tables.interpolation": _layer,
    "cond.tables.precision": _table,
    "cond.tables.stable_rank": _table,
    "norm.table1.flags": lambda rng: {},
    "norm.table1.attacks": lambda rng: {"top": int(rng.choice([1, 5]))},
    "norm.table1.top": lambda rng: {"attack": str(rng.choice(["PGD", "FGSM"]))},
    "fc.table8.close": lambda rng: {},
    "fc.table6.average": _gradients,
}
