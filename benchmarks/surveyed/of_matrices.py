"""Random matrices, vectors and designs of scipy and scikit-learn: one number of each, whose law follows from theirs.

Laws of entries, traces and determinants are derived by hand: an entry of a Haar orthogonal matrix squared is
Beta(1/2, (n - 1) / 2); a diagonal entry of Wishart's is chi-square; twice the root of the determinant of a 2 x 2 one is
chi-square of 2 df - 2 degrees (Wilks 1932).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.surveyed import laws
from benchmarks.surveyed.row import COARSE, FINE, MIDDLE, ROUGH, Draw, Row, row, seed_of, shown

SPREAD = [[2.0, 0.5], [0.5, 1.0]]  # a covariance: its sum is 4, its determinant 1.75
IDENTITY = [[1.0, 0.0], [0.0, 1.0]]
LEFT_OUT = {
    "dirichlet_multinomial": "it draws nothing",
    "make_low_rank_matrix": "its singular values are given, and no law of its vectors is promised",
}


def rows() -> list[Row]:
    """All of them."""
    groups = (_of_groups, _of_spreads, _of_vectors, _of_counts, _of_designs, _of_scikit_learn)
    return [each for group in groups for each in group()]


def _row(
    name: str,
    point: tuple[Any, ...],
    look: Callable[[np.ndarray], np.ndarray],
    what: str,
    law: Any,
    tolerance: float = FINE,
    **options: Any,
) -> Row:
    """A matrix of scipy.stats, of each draw of which something is looked at."""

    def make() -> tuple[Draw, dict[str, Any]]:
        def draw(rng: np.random.Generator, size: int) -> np.ndarray:
            drawn = getattr(stats, name).rvs(*point, size=size, random_state=rng, **options)
            return look(np.reshape(drawn, (size, *_shape(name, np.shape(drawn)))))

        return draw, {"against": law}

    at = ", ".join(filter(None, [shown(*point), *(f"{key}={value}" for key, value in options.items()), what]))
    return Row(f"scipy.stats.{name}", at, make, tolerance)


def _shape(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of one draw, of which scipy leaves out axes where there is one draw, or one entry."""
    vectors = ("dirichlet", "multinomial", "multivariate", "uniform_direction", "vonmises_fisher")
    axes = 1 if name.startswith(vectors) else 2
    return shape[-axes:] if len(shape) >= axes else (1,) * axes


def _of_groups() -> list[Row]:
    """Haar's measure on orthogonal and unitary matrices."""
    found = []
    for name, law in (
        ("ortho_group", lambda n: stats.beta(0.5, (n - 1) / 2)),
        ("special_ortho_group", lambda n: stats.beta(0.5, (n - 1) / 2)),
        ("unitary_group", lambda n: stats.beta(1, n - 1)),
    ):
        for size, tolerance in ((2, FINE), (3, FINE), (10, MIDDLE), (50, COARSE)):
            for entry in (0, -1):
                found.append(
                    _row(
                        name,
                        (size,),
                        lambda x, entry=entry: np.abs(x[:, entry, entry]) ** 2,
                        f"square of entry {entry}, {entry}",
                        law(size),
                        tolerance,
                    )
                )
    for size in (1, 2, 3):
        found.append(_row("ortho_group", (size,), lambda x: np.round(np.linalg.det(x)), "determinant", laws.signs()))
        found.append(
            _row("unitary_group", (size,), lambda x: np.angle(np.linalg.det(x)), "phase of determinant", _turn())
        )
    found.append(_row("special_ortho_group", (2,), lambda x: np.arctan2(x[:, 1, 0], x[:, 0, 0]), "angle", _turn()))
    found.append(
        _row(
            "special_ortho_group",
            (3,),
            lambda x: np.arccos(np.clip((np.trace(x, axis1=1, axis2=2) - 1) / 2, -1, 1)),
            "angle",
            laws.rotation(),
        )
    )
    found.append(
        _row("special_ortho_group", (4,), lambda x: np.round(np.linalg.det(x)), "determinant", laws.signs(plus=1.0))
    )
    return found


def _turn() -> Any:
    return stats.uniform(-np.pi, 2 * np.pi)


def _of_spreads() -> list[Row]:
    """Wishart's law, its inverse, and what is normal or Student in a matrix."""
    found = []
    for df in (2, 7, 1.01, 1e6):
        for entry in (0, 1):
            found.append(
                _row(
                    "wishart",
                    (df, SPREAD),
                    lambda x, entry=entry: x[:, entry, entry] / SPREAD[entry][entry],
                    f"entry {entry}, {entry}",
                    stats.chi2(df),
                )
            )
            found.append(
                _row(
                    "invwishart",
                    (df, SPREAD),
                    lambda x, entry=entry: SPREAD[entry][entry] / x[:, entry, entry],
                    f"inverse of entry {entry}, {entry}",
                    stats.chi2(df - 1),
                )
            )
    for df in (2, 7, 1e6):  # near 1 degree the determinant is lost in rounding
        degrees = stats.chi2(2 * df - 2)
        found += [
            _row("wishart", (df, SPREAD), lambda x: _root(x / 1.75**0.5), "twice the root of the determinant", degrees),
            _row("invwishart", (df, SPREAD), lambda x: 4 / _root(x / 1.75**0.5), "the same of its inverse", degrees),
        ]
    found += [_row("wishart", (df, 1.0), lambda x: x[:, 0, 0], "", stats.chi2(df)) for df in (1, 0.1)]
    found += [
        _row("matrix_normal", ([[0.0, 0.0], [0.0, 0.0]], SPREAD, [[1.0, 0.25], [0.25, 3.0]]), look, what, law)
        for look, what, law in (
            (lambda x: x[:, 0, 1], "entry 0, 1", stats.norm(scale=np.sqrt(6.0))),
            (lambda x: x.sum(axis=(1, 2)), "sum", stats.norm(scale=np.sqrt(18.0))),
        )
    ]
    found += [
        _row(
            "matrix_t",
            (np.zeros((2, 2)).tolist(), SPREAD, [[1.0, 0.25], [0.25, 3.0]], df),
            lambda x: x[:, 0, 1],
            "entry 0, 1",
            stats.t(df, scale=np.sqrt(6.0 / df)),
        )
        for df in (1, 5, 0.1, 1e6)
    ]
    found += [
        _eigenvalues(eigenvalues)
        for eigenvalues in ([0.5, 0.8, 1.2, 1.5], [1e-9, 2 - 1e-9], [1.0, 1.0, 1.0], [0.0, 3.0, 0.0])
    ]
    return found


def _root(matrices: np.ndarray) -> np.ndarray:
    """Twice the root of the determinant of each."""
    return 2 * np.sqrt(np.maximum(np.linalg.det(matrices), 0.0))


def _eigenvalues(eigenvalues: list[float]) -> Row:
    """Whether a random correlation matrix has ones on its diagonal, and the eigenvalues that were asked for."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        made = np.array([stats.random_correlation.rvs(eigenvalues, random_state=rng) for _ in range(size)])
        ones = np.abs(np.diagonal(made, axis1=1, axis2=2) - 1).max(axis=1) < 1e-7
        return ones & (np.abs(np.linalg.eigvalsh(made) - np.sort(eigenvalues)).max(axis=1) < 1e-7)

    of, at = "scipy.stats.random_correlation", f"{eigenvalues}, diagonal and eigenvalues"
    return row(of, at, draw, ROUGH, probability=1.0)


def _of_vectors() -> list[Row]:
    """Vectors that are normal, Student, uniform on a sphere or near a direction."""
    found = [
        _row("multivariate_normal", ([1.0, -2.0], SPREAD), lambda x: x.sum(axis=1), "sum", stats.norm(-1, 2)),
        _row(
            "multivariate_normal",
            (
                [0.0, 0.0],
                [[1.0, 1.0], [1.0, 1.0]],
            ),
            lambda x: x.sum(axis=1),
            "sum",
            stats.norm(0, 2),
        ),
        *[
            _row(
                "multivariate_t",
                ([1.0, -2.0], SPREAD, df),
                lambda x: x.sum(axis=1),
                "sum",
                stats.t(df, -1, 2),
            )
            for df in (1, 5, 0.1, 1e6, np.inf)
        ],
    ]
    for size in (2, 3, 10, 100):
        half = (size - 1) / 2
        for entry in (0, -1):
            found.append(
                _row(
                    "uniform_direction",
                    (size,),
                    lambda x, entry=entry: x[:, entry],
                    f"entry {entry}",
                    laws.correlation(half),
                )
            )
    found.append(_row("uniform_direction", (1,), lambda x: x[:, 0], "", laws.signs()))
    for kappa in (1e-9, 1e-3, 1.0, 50.0, 1e4, 1e9):
        found.append(
            _row(
                "vonmises_fisher",
                ([1.0, 0.0], kappa),
                lambda x: np.arctan2(x[:, 1], x[:, 0]),
                "angle",
                stats.vonmises(kappa),
            )
        )
        if kappa < 1e9:
            found.append(
                _row(
                    "vonmises_fisher",
                    ([0.0, 0.6, 0.8], kappa),
                    lambda x: x @ np.array([0.0, 0.6, 0.8]),
                    "cosine",
                    laws.direction(kappa),
                )
            )
        found.append(
            _row(
                "vonmises_fisher",
                ([0.0, 0.0, 0.0, 1.0], kappa),
                lambda x: np.arctan2(x[:, 1], x[:, 0]),
                "angle about the direction",
                _turn(),
            )
        )
    for a, b in ((1, 1), (0.5, 1e-3), (1e-2, 1), (1e6, 1e6)):
        found += [_normal_inverse_gamma(2.0, a, b, which) for which in (0, 1)]
    return found


def _normal_inverse_gamma(precision: float, a: float, b: float, which: int) -> Row:
    """The mean or the variance of a normal law, of a pair of them."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        return stats.normal_inverse_gamma(0, precision, a, b).rvs(size=size, random_state=rng)[which]

    law = (stats.t(2 * a, scale=np.sqrt(b / (a * precision))), stats.invgamma(a, scale=b))[which]
    what = ("mean", "variance")[which]
    return row("scipy.stats.normal_inverse_gamma", f"0, {shown(precision, a, b)}, {what}", draw, against=law)


def _of_counts() -> list[Row]:
    """Counts with given totals."""
    found = []
    for entry in (0, -1):
        found += [
            _row(
                "dirichlet",
                (alpha,),
                lambda x, entry=entry: x[:, entry],
                f"entry {entry}",
                stats.beta(alpha[entry], sum(alpha[1:] if entry == 0 else alpha[:-1])),
            )
            for alpha in ([1.0, 2.0, 3.0], [0.05, 0.05, 0.05], [1e-3, 1e-3], [1e9, 1.0])
        ]
        found += [
            _row("multinomial", (n, p), lambda x, entry=entry: x[:, entry], f"entry {entry}", stats.binom(n, p[entry]))
            for n, p in ((20, [0.2, 0.3, 0.5]), (10**9, [1e-9, 0.5, 0.5 - 1e-9]), (1, [0.5, 0.25, 0.25]))
        ]
        found += [
            _row(
                "multivariate_hypergeom",
                (colours, drawn),
                lambda x, entry=entry: x[:, entry],
                f"entry {entry}",
                stats.hypergeom(sum(colours), colours[entry], drawn),
            )
            for colours, drawn in (([12, 8, 10], 6), ([12, 8, 10], 25), ([1, 1, 1], 1), ([1000, 1, 50], 900))
        ]
    for method in ("boyett", "patefield"):
        for across, down in (
            ([3, 4], [2, 5]),
            ([10, 1, 9], [5, 15]),
            ([5], [2, 3]),
            ([100, 200], [150, 150]),
            ([1], [1]),
        ):
            for entry in (0, -1):
                found.append(
                    _row(
                        "random_table",
                        (across, down),
                        lambda x, entry=entry: x[:, entry, entry],
                        f"entry {entry}, {entry}",
                        stats.hypergeom(sum(across), across[entry], down[entry]),
                        MIDDLE,
                        method=method,
                    )
                )
    return found


def _of_designs() -> list[Row]:
    """A point of a scrambled design, which is uniform whichever point it is; and what methods for any density draw."""

    def first(name: str, dimension: int, number: int, **options: Any) -> Row:
        def draw(rng: np.random.Generator, size: int) -> np.ndarray:
            made = getattr(stats.qmc, name)
            return np.array([made(dimension, rng=rng, **options).random(number)[-1, -1] for _ in range(size)])

        at = ", ".join([f"{dimension}", *(f"{key}={value}" for key, value in options.items()), f"point {number}"])
        return row(f"scipy.stats.qmc.{name}", at, draw, COARSE, against=stats.uniform)

    return [
        *[first("Sobol", dimension, number) for dimension in (1, 5) for number in (1, 4)],
        *[first("Halton", dimension, number) for dimension in (1, 5) for number in (1, 3)],
        *[first("LatinHypercube", 2, number) for number in (1, 5)],
        first("LatinHypercube", 2, 9, strength=2),
    ]


def _of_scikit_learn() -> list[Row]:
    """Projections, samples without replacement, and matrices that are made up."""
    found = []
    for components, features in ((1, 50), (4, 100), (50, 10)):
        found.append(
            _entries(
                f"random_projection.GaussianRandomProjection({components})",
                f"{features} features, entries",
                lambda rng, components=components, features=features: _projection(
                    "GaussianRandomProjection", components, features, rng
                ),
                stats.norm(scale=components**-0.5),
            )
        )
    for components, features, density in ((4, 100, "auto"), (4, 100, 0.5), (4, 1000, 1e-3)):
        share = features**-0.5 if density == "auto" else density
        found.append(
            _entries(
                f"random_projection.SparseRandomProjection({components}, density={density})",
                f"{features} features, signs of entries",
                lambda rng, components=components, features=features, density=density: np.sign(
                    _projection("SparseRandomProjection", components, features, rng, density=density).toarray()
                ),
                laws.By(lambda x, share=share: np.select([x < -1, x < 0, x < 1], [0.0, share / 2, 1 - share / 2], 1.0)),
            )
        )
    for method in ("auto", "tracking_selection", "reservoir_sampling", "pool"):
        for count, taken in ((10, 3), (10, 10), (1000, 5), (1000, 500), (1, 1)):
            found.append(_sample(method, count, taken))
    found += [_trace(size) for size in (1, 2, 10)]
    found += [_sparse(alpha) for alpha in (0.95, 0.5, 0.0, 1.0)]
    return found


def _entries(name: str, at: str, make: Callable[[np.random.Generator], np.ndarray], law: Any) -> Row:
    """All entries of as many matrices as are needed."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        drawn = [make(rng).ravel()]
        every = len(drawn[0])
        drawn += [make(rng).ravel() for _ in range(-(-size // every) - 1)]
        return np.concatenate(drawn)[:size]

    return row(f"sklearn.{name}", at, draw, MIDDLE, against=law)


def _projection(name: str, components: int, features: int, rng: np.random.Generator, **options: Any) -> Any:
    from sklearn import random_projection

    made = getattr(random_projection, name)(components, random_state=_state(rng), **options)
    return made.fit(np.zeros((2, features))).components_


def _state(rng: np.random.Generator) -> int:
    """A seed as scikit-learn takes it."""
    return seed_of(rng) % 2**32


def _sample(method: str, count: int, taken: int) -> Row:
    """How many of a sample without replacement lie in the lower half."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        from sklearn.utils.random import sample_without_replacement

        state = np.random.RandomState(_state(rng))
        return np.array(
            [
                (sample_without_replacement(count, taken, method=method, random_state=state) < count // 2).sum()
                for _ in range(size)
            ]
        )

    at = f"{count}, {taken}, {method}, in the lower half"
    law = stats.hypergeom(count, count // 2, taken)
    return row("sklearn.utils.random.sample_without_replacement", at, draw, COARSE, against=law)


def _trace(size: int) -> Row:
    """The trace of a positive definite matrix, whose eigenvalues are uniform on [1, 2]."""

    def draw(rng: np.random.Generator, count: int) -> np.ndarray:
        from sklearn.datasets import make_spd_matrix

        state = np.random.RandomState(_state(rng))
        return np.array([np.trace(make_spd_matrix(size, random_state=state)) - size for _ in range(count)])

    return row("sklearn.datasets.make_spd_matrix", f"{size}, trace", draw, COARSE, against=stats.irwinhall(size))


def _sparse(alpha: float) -> Row:
    """Whether the coefficient of a sparse positive definite 2 x 2 matrix is zero."""

    def draw(rng: np.random.Generator, count: int) -> np.ndarray:
        from sklearn.datasets import make_sparse_spd_matrix

        state = np.random.RandomState(_state(rng))
        return np.array([make_sparse_spd_matrix(2, alpha=alpha, random_state=state)[0, 1] == 0 for _ in range(count)])

    at = f"2, alpha={alpha:g}, no coefficient"
    return row("sklearn.datasets.make_sparse_spd_matrix", at, draw, ROUGH, probability=alpha)
