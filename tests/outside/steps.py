"""What the book on random walks imports: it stands beside the book, and is part of its records' fingerprints."""


def drawn(rng):
    return {"steps": rng.normal(size=rng.integers(1, 6))}


def end(world):
    return world.sum(axis=1)
