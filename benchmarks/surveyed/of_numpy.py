"""Every method of numpy's Generator, against the cdf that scipy.stats has for the same law: an implementation apart.

Of a vector one entry is looked at, whose law is known; of an order, where one element has gone. Parameters lie at the
ends of what a method takes and on both sides of a number at which an algorithm changes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.surveyed import laws
from benchmarks.surveyed.row import FINE, MIDDLE, Draw, Row, row, seed_of, shown

HERE = "numpy.random.Generator"
NEARLY = 1 - 1e-9
BINOMIALS = [
    *[(5, 0.4), (1, 1e-9), (1, NEARLY), (0, 0.5), (100, 0.299), (100, 0.301), (100, 0.701), (60, 0.5), (61, 0.5)],
    *[(10**9, 0.5), (10**9, 1e-9), (10**9, 2.9e-8), (10**9, 3.1e-8), (2**31, 0.3), (2**62, 0.5), (10**9, NEARLY)],
]
SHAPES = [(1.99,), (1.0,), (0.5,), (1e-3,), (1e-9,), (1e-300,), (1e9,), (1e15,)]
WALDS = [(1.0, 1.0), (1.0, 1e9), (1.0, 1e-9), (1e-9, 1.0), (1e9, 1.0), (1e-300, 1e-300), (1e3, 1e-3), (1e150, 1.0)]
CIRCULAR = [
    (0.0,),
    (1e-9,),
    (1e-6,),
    (1e-3,),
    (0.5,),
    (1.0,),
    (3.99,),
    (100.0,),
    (700.0,),
    (9.9e5,),
    (1.01e6,),
    (1e12,),
]
SCALED = [(1.0,), (1e-300,), (1e300,)]
MOVED = [(0.0, 1.0), (0.0, 1e-300), (0.0, 1e300), (1e9, 1.0), (-10.0, 1e-6)]
COUNTS = [
    *[(12, 18, 6), (3, 18, 12), (1, 0, 1), (0, 5, 3), (10, 10, 20), (100, 100, 9), (100, 100, 10), (100, 100, 11)],
    *[(100, 100, 190), (10, 10**6, 500000), (5 * 10**8, 4 * 10**8, 1000), (5 * 10**8, 4 * 10**8, 8 * 10**8)],
]
# How a method's parameters become those of scipy's law.
LAWS: dict[str, tuple[Callable[..., Any], list[tuple[Any, ...]]]] = {
    "beta": (
        stats.beta,
        [
            *[(2.31, 0.627), (0.5, 0.5), (1.0, 1.0), (1.0, 0.999), (1e-3, 1e-3), (1e-2, 1e2), (1e6, 1e6)],
            *[(1e12, 1e12), (1e-9, 1.0), (1.0, 1e-9), (1.0, 1e9), (1e-300, 1e-300), (1e-9, 0.9)],
        ],
    ),
    "binomial": (stats.binom, BINOMIALS),
    "chisquare": (stats.chi2, SHAPES),
    "exponential": (lambda scale: stats.expon(scale=scale), SCALED),
    "f": (stats.f, [(29, 18), (1, 1), (1e-2, 1.0), (1.0, 1e-2), (1e6, 1e6), (1e9, 2)]),
    "gamma": (lambda shape, scale: stats.gamma(shape, scale=scale), [(*shape, 1.0) for shape in SHAPES]),
    "geometric": (
        stats.geom,
        [(0.5,), (1.0,), (0.33,), (0.3333,), (0.3334,), (0.34,), (1e-3,), (1e-9,), (1e-15,), (NEARLY,)],
    ),
    "gumbel": (stats.gumbel_r, MOVED),
    "hypergeometric": (lambda good, bad, drawn: stats.hypergeom(good + bad, good, drawn), COUNTS),
    "integers": (stats.randint, [(7, 31), (0, 1), (0, 3), (-(2**31), 2**31), (0, 2**32), (0, 2**32 + 1), (0, 2**53)]),
    "laplace": (stats.laplace, MOVED),
    "logistic": (stats.logistic, MOVED),
    "lognormal": (
        lambda mean, sigma: stats.lognorm(sigma, scale=exp(mean)),
        [(0.0, 0.954), (0.0, 1e-6), (0.0, 50.0), (0.0, 1e3), (700.0, 1.0), (-700.0, 1.0)],
    ),
    "logseries": (laws.log_series, [(0.6,), (1e-9,), (0.99,), (0.999999,), (NEARLY,), (1 - 1e-15,)]),
    "negative_binomial": (
        stats.nbinom,
        [(0.4, 0.4), (5, 0.5), (1, 1.0), (1e-3, 0.5), (1e6, 0.5), (1, 1e-9), (0.1, 1e-6), (1e9, NEARLY), (1e-9, 0.5)],
    ),
    "noncentral_chisquare": (
        stats.ncx2,
        [(21, 1.06), (1.0, 1e4), (1.0001, 1.0), (1e-2, 1.0), (0.5, 0.0), (1e-3, 10.0), (3, 1e-9), (1e4, 1e6)],
    ),
    "noncentral_f": (stats.ncf, [(27, 27, 0.416), (1, 1, 0), (1, 1, 1e3), (0.5, 0.5, 10), (1e3, 1e3, 1e3)]),
    "normal": (stats.norm, MOVED),
    "pareto": (stats.lomax, [(1.88,), (1e-2,), (1e6,), (1e9,), (1e-9,)]),
    "poisson": (
        stats.poisson,
        [
            (0.6,),
            (0.0,),
            (1e-9,),
            (1.0,),
            (9.99,),
            (10.0,),
            (10.01,),
            (11.0,),
            (30.0,),
            (1e3,),
            (1e9,),
            (1e15,),
            (9e18,),
        ],
    ),
    "power": (stats.powerlaw, [(1.66,), (0.66,), (1.0,), (1e-2,), (1e-9,), (1e6,), (1e9,)]),
    "random": (stats.uniform, [()]),
    "rayleigh": (lambda scale: stats.rayleigh(scale=scale), SCALED),
    "standard_cauchy": (stats.cauchy, [()]),
    "standard_exponential": (stats.expon, [()]),
    "standard_gamma": (stats.gamma, SHAPES),
    "standard_normal": (stats.norm, [()]),
    "standard_t": (stats.t, [(2.74,), (1,), (0.1,), (1e-3,), (1e9,)]),
    "triangular": (
        lambda left, mode, right: stats.triang((mode - left) / (right - left), left, right - left),
        [(0.0, 0.158, 1.0), (0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (-1e300, 0.0, 0.5e300), (0.0, 1e-301, 1e-300)],
    ),
    "uniform": (
        lambda low, high: stats.uniform(low, high - low),
        [(0.0, 1.0), (-1e300, 1e300), (0.0, 1e-300), (1, 1 + 1e-12)],
    ),
    "vonmises": (lambda mu, kappa: stats.vonmises(kappa, mu), [(0.0, *kappa) for kappa in CIRCULAR]),
    "wald": (lambda mean, scale: stats.invgauss(mean / scale, scale=scale), WALDS),
    "weibull": (stats.weibull_min, [(1.79,), (1.0,), (1e-2,), (1e3,), (1e6,)]),
    "zipf": (laws.zipf, [(6.6,), (3.0,), (2.0,), (1.5,), (1.1,), (1.05,), (1.026,), (50.0,), (1024.0,), (1025.0,)]),
}
LEFT_OUT = {"bit_generator": "the source of bits, no sampler", "spawn": "makes generators, draws nothing"}
BITS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
TYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def rows() -> list[Row]:
    """All of them."""
    found = [_row(method, law, point) for method, (law, points) in LAWS.items() for point in points]
    return [*found, *_of_types(), *_of_vectors(), *_of_orders(), *_of_bits()]


def _row(method: str, law: Callable[..., Any], point: tuple[Any, ...]) -> Row:
    def make() -> tuple[Draw, dict[str, Any]]:
        return (lambda rng, size: getattr(rng, method)(*point, size=size)), {"against": law(*point)}

    return Row(f"{HERE}.{method}", shown(*point), make)


def _other(method: str, at: str, draw: Draw, tolerance: float = FINE, **claimed: Any) -> Row:
    """A method in another way than with its parameters alone."""
    return row(f"{HERE}.{method}", at, draw, tolerance, **claimed)


def _of_types() -> list[Row]:
    """What a method draws in other types of number, or by another algorithm."""
    single = {"dtype": np.float32}
    inverse = {"method": "inv"}
    found = [
        _other("random", "float32", lambda rng, size: rng.random(size, **single), against=stats.uniform),
        _other("standard_normal", "float32", lambda rng, size: rng.standard_normal(size, **single), against=stats.norm),
        _other(
            "standard_exponential",
            "float32",
            lambda rng, size: rng.standard_exponential(size, **single),
            against=stats.expon,
        ),
        _other(
            "standard_exponential",
            "inv",
            lambda rng, size: rng.standard_exponential(size, **inverse),
            against=stats.expon,
        ),
        _other(
            "standard_exponential",
            "float32, inv",
            lambda rng, size: rng.standard_exponential(size, **single, **inverse),
            against=stats.expon,
        ),
        *[
            _other(
                "standard_gamma",
                f"{shape:g}, float32",
                lambda rng, size, shape=shape: rng.standard_gamma(shape, size, **single),
                against=stats.gamma(shape),
            )
            for shape in (1.99, 1.0, 0.5, 1e-3, 1e-9, 1e6)
        ],
    ]
    for kind in TYPES:
        low, high = (0, 1) if kind == "bool" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))
        third = low + (high - low) * 2 // 3
        for least, most in ((low, high), (low, third)):
            found.append(
                _other(
                    "integers",
                    f"{least}, {most}, {kind}, endpoint",
                    lambda rng, size, least=least, most=most, kind=kind: rng.integers(
                        least, most, size, dtype=kind, endpoint=True
                    ),
                    against=laws.integers(least, most),
                )
            )
    return found


def _of_vectors() -> list[Row]:
    """One entry of a random vector."""
    found = [
        _other(
            "dirichlet",
            f"{alpha}, entry {entry}",
            lambda rng, size, alpha=alpha, entry=entry: rng.dirichlet(alpha, size)[:, entry],
            against=stats.beta(alpha[entry], sum(alpha[1:] if entry == 0 else alpha[:-1])),
        )
        for alpha in (
            [1.0, 2.0, 3.0],
            [0.05, 0.05, 0.05],
            [0.11, 0.05, 0.05],
            [1e-3, 1e-3],
            [1e9, 1.0, 1e-2],
            [1e-300, 1.0],
        )
        for entry in (0, -1)
    ]
    found += [
        _other(
            "multinomial",
            f"{n}, {p}, entry {entry}",
            lambda rng, size, n=n, p=p, entry=entry: rng.multinomial(n, p, size)[:, entry],
            against=stats.binom(n, p[entry]),
        )
        for n, p in ((20, [0.2, 0.3, 0.5]), (10**9, [1e-9, 0.5, 0.5 - 1e-9]), (1, [0.5, 0.25, 0.25]), (50, [1.0, 0.0]))
        for entry in (0, -1)
    ]
    found += [
        _other(
            "multivariate_hypergeometric",
            f"{colours}, {drawn}, {method}, entry {entry}",
            lambda rng, size, colours=colours, drawn=drawn, method=method, entry=entry: rng.multivariate_hypergeometric(
                colours, drawn, size, method=method
            )[:, entry],
            against=stats.hypergeom(sum(colours), colours[entry], drawn),
        )
        for colours, drawn in (([12, 8, 10], 6), ([12, 8, 10], 25), ([1, 1, 1], 1), ([1000, 1, 50], 900))
        for method in ("marginals", "count")
        for entry in (0, -1)
    ]
    near = [[1.0, 1 - 1e-12], [1 - 1e-12, 1.0]]
    found += [
        _other(
            "multivariate_normal",
            f"[1, -2], {covariance}, {method}, sum",
            lambda rng, size, covariance=covariance, method=method: rng.multivariate_normal(
                [1.0, -2.0], covariance, size, method=method
            ).sum(axis=1),
            against=stats.norm(-1.0, np.sqrt(np.sum(covariance))),
        )
        for covariance in ([[2.0, 0.5], [0.5, 1.0]], near, [[1e-12, 0.0], [0.0, 1e12]])
        for method in ("svd", "eigh", "cholesky")
    ]
    return found


def _of_orders() -> list[Row]:
    """Where an element goes, and which are taken: every place is as likely, and every pair."""
    found = [
        _other(method, f"{count} elements, place of the first", draw(count), tolerance, against=stats.randint(0, count))
        for method, draw, tolerance in (
            ("permuted", _permuted, FINE),
            ("permutation", lambda count: _each(lambda rng: np.argmin(rng.permutation(count))), MIDDLE),
            ("shuffle", lambda count: _each(lambda rng: _shuffled(rng, count)), MIDDLE),
        )
        for count in (2, 3, 10, 300)
    ]
    weights = [0.1, 0.2, 0.3, 0.4]
    found += [
        _other(
            "bytes", "1 each", lambda rng, size: np.frombuffer(rng.bytes(size), np.uint8), against=stats.randint(0, 256)
        ),
        _other("choice", "10", lambda rng, size: rng.choice(10, size), against=stats.randint(0, 10)),
        _other("choice", "4, p", lambda rng, size: rng.choice(4, size, p=weights), against=laws.weighted(weights)),
        _other(
            "choice",
            "2, p=[1e-9, 1-1e-9]",
            lambda rng, size: rng.choice(2, size, p=[1e-9, NEARLY]),
            against=laws.weighted([1e-9, NEARLY]),
        ),
        _other(
            "choice",
            "4, 2 without replacement, p, the last is among them",
            _each(lambda rng: 3 in rng.choice(4, 2, replace=False, p=weights)),
            MIDDLE,
            probability=0.4 + sum(weight * 0.4 / (1 - weight) for weight in weights[:3]),
        ),
    ]
    for count, taken in ((10, 3), (10, 10), (20000, 100), (20000, 500)):
        found += [
            _other(
                "choice",
                f"{count}, {taken} without replacement, the first",
                _each(lambda rng, count=count, taken=taken: rng.choice(count, taken, replace=False)[0]),
                MIDDLE,
                against=stats.randint(0, count),
            ),
            _other(
                "choice",
                f"{count}, {taken} without replacement or order, in the lower half",
                _each(
                    lambda rng, count=count, taken=taken: np.sum(
                        rng.choice(count, taken, replace=False, shuffle=False) < count // 2
                    )
                ),
                MIDDLE,
                against=stats.hypergeom(count, count // 2, taken),
            ),
        ]
    return found


def _each(draw: Callable[[np.random.Generator], Any]) -> Draw:
    """Draws one by one."""
    return lambda rng, size: np.array([draw(rng) for _ in range(size)])


def _permuted(count: int) -> Draw:
    return lambda rng, size: np.argmin(rng.permuted(np.tile(np.arange(count), (size, 1)), axis=1), axis=1)


def _shuffled(rng: np.random.Generator, count: int) -> int:
    order = np.arange(count)
    rng.shuffle(order)
    return int(np.argmin(order))


def _of_bits() -> list[Row]:
    """Uniform numbers and normal ones from each source of bits."""
    return [
        _other(
            method,
            f"bits of {name}",
            lambda rng, size, name=name, method=method: getattr(
                np.random.Generator(getattr(np.random, name)(seed_of(rng))), method
            )(size=size),
            against=law,
        )
        for name in BITS
        for method, law in (("random", stats.uniform), ("standard_normal", stats.norm))
    ]
