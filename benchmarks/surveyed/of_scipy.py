"""Every distribution of scipy.stats: what `rvs` draws against its own `cdf`, at typical and at extreme parameters.

The first parameters of each are typical ones, those with which scipy tests itself. The others lie at the ends of what
it takes, and on both sides of a number at which an algorithm changes.
"""

from __future__ import annotations

from math import inf
from typing import Any

from scipy import stats

from benchmarks.surveyed.row import COARSE, FINE, MIDDLE, ROUGH, Draw, Row, row, shown

CONTINUOUS: dict[str, list[tuple[Any, ...]]] = {
    "alpha": [(3.57,), (1e-9,), (1e3,)],
    "anglit": [()],
    "arcsine": [()],
    "argus": [(1.0,), (1e-6,), (0.499,), (0.501,), (1.799,), (1.801,), (30.0,)],
    "beta": [
        *[(2.31, 0.627), (0.5, 0.5), (1.0, 1.0), (1e-3, 1e-3), (1e-2, 1e2), (1e6, 1e6), (1e12, 1e12), (1e-9, 1.0)],
        *[(1.0, 1e-9), (1.0, 1e9), (1e-300, 1e-300)],
    ],
    "betaprime": [(5, 6), (0.5, 0.5), (1e-2, 1e-2), (1e6, 1e6), (1, 1), (100, 1.1), (1e-2, 1e2)],
    "bradford": [(0.299,), (1e-9,), (1e9,), (1e-300,)],
    "burr": [(10.5, 4.3), (1e-2, 1.0), (1.0, 1e-2), (1e3, 1e3), (1e-2, 1e-2)],
    "burr12": [(10, 4), (1e-2, 1.0), (1.0, 1e-2), (1e3, 1e3), (1e-2, 1e-2)],
    "cauchy": [()],
    "chi": [(78,), (1,), (1e-3,), (1e9,)],
    "chi2": [(55,), (1,), (1e-3,), (1e9,), (1e-300,)],
    "cosine": [()],
    "crystalball": [(2.0, 3.0), (1e-3, 1.001), (10.0, 1.1), (1.0, 1e3), (1e-3, 1e6)],
    "dgamma": [(1.1,), (1e-3,), (1e6,)],
    "dpareto_lognorm": [(3, 1.2, 1.5, 2), (0, 0.01, 0.1, 1e3), (0, 1, 0.1, 0.1), (0, 10, 1, 1), (-30, 1, 3, 3)],
    "dweibull": [(2.07,), (1e-2,), (1e3,)],
    "erlang": [(10,), (1,), (10**6,)],
    "expon": [()],
    "exponnorm": [(1.5,), (1e-6,), (1e3,), (1e9,)],
    "exponpow": [(2.7,), (1e-2,), (1e3,)],
    "exponweib": [(2.89, 1.95), (1e-3, 1.0), (1.0, 1e-3), (1e3, 1e3), (1e9, 1.0)],
    "f": [(29, 18), (1, 1), (1e-2, 1.0), (1.0, 1e-2), (1e6, 1e6), (1e9, 2)],
    "fatiguelife": [(29,), (1e-3,), (1e-9,), (1e6,)],
    "fisk": [(3.09,), (1e-2,), (1e3,)],
    "foldcauchy": [(4.72,), (0.0,), (1e6,)],
    "foldnorm": [(1.95,), (0.0,), (30.0,), (1e6,)],
    "gamma": [(1.99,), (1.0,), (0.5,), (1e-3,), (1e-9,), (1e9,), (1e15,), (1e-300,)],
    "gausshyper": [(13.8, 3.12, 2.51, 5.18), (1, 1, 1, 0), (0.5, 0.5, -2, -0.9)],
    "genexpon": [(9.13, 16.2, 3.28), (1e-3, 1e-3, 1e-3), (1, 1e6, 1), (1e6, 1, 1)],
    "genextreme": [(-0.1,), (0.0,), (1e-9,), (-1e-9,), (5.0,), (-5.0,), (100.0,)],
    "gengamma": [
        *[(4.42, 3.12), (4.42, -3.12), (1e-2, 1.0), (1.0, 1e-2), (1.0, -1e-2), (1e6, 1.0), (0.1, -5.0)],
        (1e3, 100.0),
    ],
    "genhalflogistic": [(0.773,), (1e-9,), (1e3,)],
    "genhyperbolic": [(0.5, 1.5, -0.5), (-0.5, 1, 0.99), (0, 1e-2, 0), (10, 10, -9), (-2, 1, 1)],
    "geninvgauss": [(2.3, 1.5), (1e-2, 1e-2), (0, 1e-3), (-2, 0.1), (50, 1), (1, 1e3), (0.1, 0.4), (0.5, 1e-6)],
    "genlogistic": [(0.412,), (1e-3,), (1e6,)],
    "gennorm": [(1.3,), (0.05,), (2.0,), (1.0,), (100.0,)],
    "genpareto": [(0.1,), (0.0,), (-1.0,), (-0.5,), (1e-9,), (-1e-9,), (100.0,), (-100.0,)],
    "gibrat": [()],
    "gompertz": [(0.947,), (1e-9,), (1e9,)],
    "gumbel_l": [()],
    "gumbel_r": [()],
    "halfcauchy": [()],
    "halfgennorm": [(0.675,), (0.05,), (100.0,)],
    "halflogistic": [()],
    "halfnorm": [()],
    "hypsecant": [()],
    "invgamma": [(4.07,), (1.0,), (1e-2,), (1e9,)],
    "invgauss": [(0.145,), (1e-9,), (1e3,), (1e9,)],
    "invweibull": [(10.6,), (1e-2,), (1e3,)],
    "irwinhall": [(10,), (1,), (2,), (30,), (100,)],
    "jf_skew_t": [(8, 4), (0.1, 0.1), (0.5, 100), (1e3, 1e3), (1e-2, 1e-2)],
    "johnsonsb": [(4.32, 3.18), (0.0, 1e-2), (-10.0, 0.5), (0.0, 1e3)],
    "johnsonsu": [(2.55, 2.25), (0.0, 1e-2), (-10.0, 0.5), (0.0, 1e3)],
    "kappa3": [(1.0,), (1e-2,), (1e3,)],
    "kappa4": [(0.0, 0.0), (-0.1, 0.1), (0.0, 0.1), (0.1, 0.0), (1.0, 1.0), (-1.0, -0.5), (2.0, -2.0), (-1.0, 0.0)],
    "ksone": [(1000,), (1,), (2,), (100,)],
    "kstwo": [(10,), (1,), (2,), (139,), (141,), (10**5,)],
    "kstwobign": [()],
    "landau": [()],
    "laplace": [()],
    "laplace_asymmetric": [(2,), (1e-3,), (1e3,)],
    "levy": [()],
    "levy_l": [()],
    "levy_stable": [
        *[(1.8, -0.5), (2.0, 0.0), (1.0, 0.0), (0.5, 1.0), (1.0, 0.5), (0.5, 0.0), (1.01, 0.5), (0.2, 0.5)],
        *[(1.5, 1.0), (0.5, -1.0), (2.0, 1.0)],
    ],
    "loggamma": [(0.414,), (1e-2,), (1e-6,), (1e6,)],
    "logistic": [()],
    "loglaplace": [(3.25,), (1e-2,), (1e3,)],
    "lognorm": [(0.954,), (1e-6,), (50.0,), (1e3,)],
    "loguniform": [(0.01, 1.25), (1e-300, 1e300), (1.0, 1 + 1e-9)],
    "lomax": [(1.88,), (1e-2,), (1e6,)],
    "maxwell": [()],
    "mielke": [(10.4, 4.6), (1e-2, 1.0), (1.0, 1e-2), (1e3, 1e3)],
    "moyal": [()],
    "nakagami": [(4.97,), (0.5,), (1e-2,), (1e6,)],
    "ncf": [(27, 27, 0.416), (1, 1, 0), (1, 1, 1e3), (0.5, 0.5, 10), (1e3, 1e3, 1e3)],
    "nct": [(14, 0.24), (1, 0), (1, 30), (0.5, -5), (1e6, 2), (3, -100)],
    "ncx2": [(21, 1.06), (1e-2, 1.0), (1.0, 1e4), (0.5, 0.0), (1e-3, 10.0), (1e4, 1e6)],
    "norm": [()],
    "norminvgauss": [(1.25, 0.5), (1, 0.999), (1e-2, 0), (100, -99)],
    "pareto": [(2.62,), (1e-2,), (1e6,)],
    "pearson3": [(0.1,), (-2.0,), (0.0,), (1e-6,), (1e-4,), (10.0,), (100.0,)],
    "powerlaw": [(1.66,), (0.66,), (1e-2,), (1e6,)],
    "powerlognorm": [(2.14, 0.446), (1e-2, 1.0), (1e3, 1.0), (1.0, 10.0)],
    "powernorm": [(4.45,), (1e-2,), (1e6,)],
    "rayleigh": [()],
    "rdist": [(1.6,), (1.0,), (2.0,), (1e-2,), (1e6,)],
    "recipinvgauss": [(0.63,), (1e-3,), (1e3,), (1e6,)],
    "reciprocal": [(0.01, 1.25), (1e-300, 1e300)],
    "rel_breitwigner": [(36.5,), (1e-2,), (1e6,)],
    "rice": [(0.775,), (0.0,), (10.0,), (1e3,), (1e6,)],
    "semicircular": [()],
    "skewcauchy": [(0.5,), (0.0,), (0.999999,), (-0.999999,)],
    "skewnorm": [(4.0,), (0.0,), (-4.0,), (1e3,), (-1e6,)],
    "t": [(2.74,), (1,), (0.1,), (1e9,), (inf,)],
    "trapezoid": [(0.2, 0.8), (0.0, 1.0), (0.5, 0.5), (0.0, 0.0), (1.0, 1.0)],
    "triang": [(0.158,), (0.0,), (0.5,), (1.0,)],
    "truncexpon": [(4.69,), (1e-9,), (700.0,)],
    "truncnorm": [
        *[(-1.1, 2.73), (0.1, 2.0), (-inf, inf), (8.0, 9.0), (30.0, 31.0), (-40.0, -39.0), (100.0, inf)],
        *[(-1e-9, 1e-9), (1e6, 1e6 + 1)],
    ],
    "truncpareto": [(1.8, 5.3), (2, 5), (-2, 5), (1e-9, 2.0), (100, 10), (1, 1e300)],
    "truncweibull_min": [(2.5, 0.25, 1.75), (1, 0, 1), (0.1, 0, 100), (5, 2, 3), (1, 30, 31)],
    "tukeylambda": [(3.13,), (0.0,), (1e-9,), (1.0,), (2.0,), (-0.5,), (-5.0,)],
    "uniform": [()],
    "vonmises": [(3.99,), (1e-9,), (1.0,), (49.9,), (50.1,), (700.0,), (1e6,), (1e12,)],
    "vonmises_line": [(3.99,), (1e-9,), (1.0,), (49.9,), (50.1,), (700.0,), (1e6,), (1e12,)],
    "wald": [()],
    "weibull_max": [(2.87,), (1e-2,), (1e3,)],
    "weibull_min": [(1.79,), (1e-2,), (1e3,)],
    "wrapcauchy": [(0.0311,), (1e-6,), (0.999999,)],
}
DISCRETE: dict[str, list[tuple[Any, ...]]] = {
    "bernoulli": [(0.3,), (0.0,), (1.0,), (1e-9,), (1 - 1e-9,)],
    "betabinom": [(5, 2.3, 0.63), (1, 1, 1), (0, 1, 1), (1000, 0.01, 0.01), (1000, 1e6, 1e6)],
    "betanbinom": [(5, 9.3, 1), (1, 3, 0.5), (100, 30, 10)],
    "binom": [
        *[(5, 0.4), (1, 1 - 1e-9), (0, 0.5), (100, 0.299), (100, 0.301), (60, 0.5), (10**9, 0.5), (10**9, 1e-9)],
        *[(2**31 - 1, 0.3), (2**62, 0.5), (10**9, 1 - 1e-9)],
    ],
    "boltzmann": [(1.4, 19), (1e-9, 10), (1e-3, 10**6), (100.0, 2)],
    "dlaplace": [(0.8,), (1e-3,), (1e-9,), (50.0,)],
    "geom": [(0.5,), (1.0,), (1e-9,), (1 - 1e-9,), (0.33,), (0.34,), (1e-15,)],
    "hypergeom": [
        *[(30, 12, 6), (21, 3, 12), (21, 18, 11), (1, 1, 1), (10, 10, 10), (10**6, 10, 500000), (200, 100, 9)],
        *[(200, 100, 11), (10**9, 5 * 10**8, 1000)],
    ],
    "logser": [(0.6,), (1e-9,), (0.99,)],
    "nbinom": [(0.4, 0.4), (5, 0.5), (1e-3, 0.5), (1e6, 0.5), (1, 1e-9), (5, 1.0), (0.1, 1e-6)],
    "nchypergeom_fisher": [(140, 80, 60, 0.5), (140, 80, 60, 1e-6), (140, 80, 60, 1e6), (10, 5, 5, 1)],
    "nchypergeom_wallenius": [(140, 80, 60, 0.5), (140, 80, 60, 1e-6), (140, 80, 60, 1e6), (10, 5, 5, 1)],
    "nhypergeom": [(20, 7, 1), (20, 7, 0), (200, 100, 20)],
    "planck": [(0.51,), (1e-9,), (50.0,)],
    "poisson": [(0.6,), (0.0,), (1e-9,), (9.99,), (10.01,), (1e9,), (1e15,)],
    "poisson_binom": [([0.1, 0.6, 0.7, 0.8],), ([1e-9, 1 - 1e-9],), ([0.5] * 100,)],
    "randint": [(7, 31), (0, 1), (-(2**31), 2**31), (0, 2**53)],
    "skellam": [(15, 8), (1e-3, 1e-3), (1e-3, 1e3), (1e6, 1e6)],
    "yulesimon": [(11.0,), (1.0,), (1e3,), (0.5,)],
    "zipf": [(6.6,), (3.0,), (50.0,)],
    "zipfian": [(0.75, 15), (1.25, 10), (0.0, 10), (5.0, 1), (1.0, 1000)],
}
SCALES = (1e-300, 1e300)  # at which every continuous one is drawn once more, at its typical parameters
LOCATION = 10.0
SLOW = ("gausshyper", "ksone", "kstwo", "rel_breitwigner")  # milliseconds a draw, by root-finding
TOLERANCES = {
    **dict.fromkeys(["geninvgauss", "nchypergeom_wallenius", "zipfian"], MIDDLE),
    "genhyperbolic": COARSE,
    **dict.fromkeys([*SLOW, "irwinhall", "levy_stable", "norminvgauss"], ROUGH),  # the cdf takes as long
}
# What is said to have no scale, and what is a circle, of which the cdf is no probability.
UNSCALED, UNMOVED = (*SLOW, "vonmises", "vonmises_line"), (*SLOW, "vonmises")
LEFT_OUT = {"studentized_range": "half a second a draw"}


def rows() -> list[Row]:
    """All of them."""
    found = [
        _row(name, point) for table in (CONTINUOUS, DISCRETE) for name, points in table.items() for point in points
    ]
    for name, points in CONTINUOUS.items():
        found += [_row(name, points[0], scale=scale) for scale in SCALES if name not in UNSCALED]
        found += [_row(name, points[0], loc=LOCATION)] if name not in UNMOVED else []
    law = stats.hypergeom(30, 12, 6)
    return [
        *found,
        row(
            "scipy.stats.hypergeom",
            "30, 12, 6, as floating point",
            lambda rng, size: law.rvs(size=size, random_state=rng).astype(float),
            against=law,
        ),
    ]


def _row(name: str, point: tuple[Any, ...], **moved: float) -> Row:
    def make() -> tuple[Draw, dict[str, Any]]:
        law = getattr(stats, name)(*point, **moved)
        return (lambda rng, size: law.rvs(size=size, random_state=rng)), {"against": law}

    at = ", ".join(filter(None, [shown(*point), *(f"{key}={value:g}" for key, value in moved.items())]))
    return Row(f"scipy.stats.{name}", at, make, TOLERANCES.get(name, FINE))
