"""Every distribution of torch that draws, in float32 and float64, and what fills tensors with random numbers.

The law is scipy's, or a closed formula, in float64 at parameters that are rounded as the sampler's are. Where torch has
a cdf of its own, its draws in float64 are compared with that, too, within the support that torch declares. Of a vector
or a matrix one entry is looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.surveyed import laws
from benchmarks.surveyed.row import COARSE, FINE, MIDDLE, Draw, Row, row, seed_of, shown

TYPES = ("float32", "float64")
NEARLY = 1 - 1e-9
SCALED = [(0.0, 1.0), (0.0, 1e-30), (0.0, 1e30), (1e6, 1.0)]
SCALES = [(1.0,), (1e-30,), (1e30,)]
SHAPES = [(1.99,), (1.0,), (0.5,), (0.1,), (1e-2,), (1e-3,), (1e6,), (1e9,)]
Parameters = tuple[float, ...]


def _mixed(location: float, weight: float) -> Any:
    normals = [stats.norm(-location), stats.norm(location)]
    return laws.mixture([weight, 1 - weight], normals)


# Arguments by position, and the law of a draw.
SCALARS: dict[str, tuple[Callable[..., Any], list[Parameters]]] = {
    "Bernoulli": (stats.bernoulli, [(0.3,), (0.0,), (1.0,), (1e-9,), (NEARLY,)]),
    "Beta": (
        stats.beta,
        [
            *[(2.31, 0.627), (0.5, 0.5), (1.0, 1.0), (1.0, 0.1), (0.1, 0.1), (1e-2, 1e-2), (1e-3, 1e-3), (1e6, 1e6)],
            (1e-2, 1e2),
        ],
    ),
    "Binomial": (
        stats.binom,
        [
            (5, 0.4),
            (20, 1e-9),
            (20, 0.0),
            (20, 1.0),
            (100, 0.099),
            (100, 0.101),
            (1000, 0.5),
            (10**6, 0.3),
            (2**26, 0.5),
        ],
    ),
    "Cauchy": (stats.cauchy, SCALED),
    "Chi2": (stats.chi2, [(55.0,), (1.0,), (0.1,), (1e-2,), (1e-3,), (1e9,)]),
    "ContinuousBernoulli": (
        laws.continuous_bernoulli,
        [(0.3,), (0.5,), (0.498,), (0.4995,), (0.502,), (1e-3,), (1e-6,), (1 - 1e-6,)],
    ),
    "Exponential": (lambda rate: stats.expon(scale=1 / rate), SCALES),
    "FisherSnedecor": (stats.f, [(29.0, 18.0), (1.0, 1.0), (0.1, 1.0), (1e-2, 1.0), (1.0, 1e-2), (1e6, 1e6)]),
    "Gamma": (
        lambda shape, rate: stats.gamma(shape, scale=1 / rate),
        [*((*shape, 1.0) for shape in SHAPES), (1.0, 1e-30), (1.0, 1e30)],
    ),
    "GeneralizedPareto": (
        lambda loc, scale, shape: stats.genpareto(shape, loc, scale),
        [(0.0, 1.0, 0.1), (0.0, 1.0, 0.0), (0.0, 1.0, -0.5), (0.0, 1.0, 1e-9), (0.0, 1.0, 1e-4), (0.0, 1.0, 5.0)],
    ),
    "Geometric": (
        laws.geometric,
        [(0.5,), (0.3,), (1.0,), (1e-2,), (1e-6,), (1e-9,), (1e-12,), (NEARLY,)],
    ),
    "Gumbel": (stats.gumbel_r, SCALED),
    "HalfCauchy": (lambda scale: stats.halfcauchy(scale=scale), SCALES),
    "HalfNormal": (lambda scale: stats.halfnorm(scale=scale), SCALES),
    "InverseGamma": (
        lambda shape, rate: stats.invgamma(shape, scale=rate),
        [(4.07, 1.0), (1.0, 1.0), (0.5, 1.0), (0.1, 1.0), (1e-2, 1.0), (1e6, 1.0)],
    ),
    "Kumaraswamy": (laws.kumaraswamy, [(2.0, 5.0), (1.0, 1.0), (1e-2, 1.0), (1.0, 1e-2), (0.1, 0.1), (1e3, 1e3)]),
    "Laplace": (stats.laplace, SCALED),
    "LogNormal": (
        lambda mean, sd: stats.lognorm(sd, scale=np.exp(mean)),
        [(0.0, 0.954), (0.0, 1e-4), (0.0, 30.0), (0.0, 1e3), (80.0, 1.0), (-80.0, 1.0)],
    ),
    "NegativeBinomial": (
        lambda failures, p: stats.nbinom(failures, 1 - p),
        [(5.0, 0.5), (0.4, 0.6), (1.0, 0.999), (5.0, 0.0), (0.1, 0.999), (1e-2, 0.5), (1e-3, 0.5), (1e6, 0.5)],
    ),
    "Normal": (stats.norm, SCALED),
    "Pareto": (
        lambda scale, alpha: stats.pareto(alpha, scale=scale),
        [(1.0, 2.62), (1.0, 1e-2), (1.0, 1e3), (1.0, 1e6)],
    ),
    "Poisson": (
        stats.poisson,
        [(0.6,), (0.0,), (1e-9,), (9.99,), (10.01,), (11.0,), (1e3,), (1e6,), (1e8,), (1e9,), (1e12,)],
    ),
    "RelaxedBernoulli": (
        lambda heat, p: laws.logit_of(stats.logistic, heat, -np.log(p / (1 - p))),
        [(0.5, 0.3), (1e-2, 0.5), (10.0, 0.3), (1e3, 0.3), (1.0, 1e-6)],
    ),
    "StudentT": (stats.t, [(2.74,), (1.0,), (0.1,), (1e-2,), (1e9,)]),
    "Uniform": (
        lambda low, high: stats.uniform(low, high - low),
        [(0.0, 1.0), (-1e30, 1e30), (0.0, 1e-30), (1.0, 1.001)],
    ),
    "VonMises": (
        lambda loc, kappa: stats.vonmises(kappa, loc),
        [(0.0, kappa) for kappa in (3.99, 1e-9, 1e-6, 1e-4, 1e-3, 1.0, 100.0, 1e4, 1e6, 1e9)],
    ),
    "Weibull": (
        lambda scale, shape: stats.weibull_min(shape, scale=scale),
        [(1.0, 1.79), (1.0, 1.0), (1.0, 1e-2), (1.0, 1e3), (1.0, 1e6), (1e-30, 1.79)],
    ),
}
WITH_CDF = (
    *("Cauchy", "Chi2", "ContinuousBernoulli", "Exponential", "Gamma", "GeneralizedPareto", "Gumbel", "HalfCauchy"),
    *("HalfNormal", "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "Normal", "Pareto"),
    *("Uniform", "Weibull"),
)
LEFT_OUT = {
    "Distribution": "an abstract class",
    "ExponentialFamily": "an abstract class",
    "Independent": "draws what another one draws",
}


def rows() -> list[Row]:
    """All of them."""
    found = [_row(name, point, dtype) for name, (_, points) in SCALARS.items() for point in points for dtype in TYPES]
    found += [_by_its_own(name, point) for name in WITH_CDF for point in SCALARS[name][1]]
    for dtype in TYPES:
        found += [*_of_vectors(dtype), *_of_matrices(dtype), *_of_tensors(dtype)]
    return [*found, *_of_integers()]


def _row(name: str, point: Parameters, dtype: str) -> Row:
    def make() -> tuple[Draw, dict[str, Any]]:
        rounded = [float(np.dtype(dtype).type(value)) for value in point]
        return _drawing(lambda: _made(name, point, dtype)), {"against": SCALARS[name][0](*rounded)}

    return Row(f"torch.distributions.{name}", f"{shown(*point)}, {dtype}", make)


def _by_its_own(name: str, point: Parameters) -> Row:
    def make() -> tuple[Draw, dict[str, Any]]:
        import torch

        distribution = _made(name, point, "float64")
        law = _made(name, point, "float64", validate_args=False)

        def formula(x: np.ndarray) -> np.ndarray:
            places = torch.from_numpy(x)
            inside = law.support.check(places)
            values = (places >= getattr(law.support, "upper_bound", torch.inf)).double()
            values[inside] = law.cdf(places[inside])
            return values.numpy()

        return _drawing(lambda: distribution), {"against": laws.By(formula)}

    return Row(f"torch.distributions.{name}", f"{shown(*point)}, its own cdf", make)


def _made(name: str, point: Parameters, dtype: str, **options: Any) -> Any:
    """A distribution of torch, at parameters of a type."""
    import torch

    made = getattr(torch.distributions, name)
    return made(*(torch.tensor(value, dtype=getattr(torch, dtype)) for value in point), **options)


def _drawing(make: Callable[[], Any], look: Callable[[Any], Any] = lambda drawn: drawn) -> Draw:
    """Draws of a distribution, of each of which something is looked at."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        import torch

        torch.manual_seed(seed_of(rng))
        return look(make().sample((size,))).numpy()

    return draw


def _of(name: str, at: str, make: Callable[[Any, Any], Any], look: Callable[[Any], Any], dtype: str, law: Any) -> Row:
    """A distribution that is made of the module and of tensors of a type."""

    def made() -> tuple[Draw, dict[str, Any]]:
        import torch

        def number(values: Any) -> Any:
            return torch.tensor(values, dtype=getattr(torch, dtype))

        return _drawing(lambda: make(torch.distributions, number), look), {"against": law}

    return Row(f"torch.distributions.{name}", f"{at}, {dtype}", made)


def _of_vectors(dtype: str) -> list[Row]:
    """One entry of a vector, or the sum of all."""
    weights = [0.125, 0.25, 0.5, 0.125]  # as they are in either type
    found = [
        _of(
            "Categorical",
            f"{weights}",
            lambda D, n: D.Categorical(n(weights)),
            lambda x: x,
            dtype,
            laws.weighted(weights),
        )
    ]
    for name in ("OneHotCategorical", "OneHotCategoricalStraightThrough"):
        found.append(
            _of(
                name,
                f"{weights}, which",
                lambda D, n, name=name: getattr(D, name)(n(weights)),
                lambda x: x.argmax(-1),
                dtype,
                laws.weighted(weights),
            )
        )
    found += [
        _of(
            "RelaxedOneHotCategorical",
            f"{heat:g}, {weights}, largest",
            lambda D, n, heat=heat: D.RelaxedOneHotCategorical(n(heat), n(weights)),
            lambda x: x.argmax(-1),
            dtype,
            laws.weighted(weights),
        )
        for heat in (0.5, 1e-2, 100.0)
    ]
    found += [
        _of(
            "Multinomial",
            f"{count}, {weights}, entry 1",
            lambda D, n, count=count: D.Multinomial(count, n(weights)),
            lambda x: x[:, 1],
            dtype,
            stats.binom(count, weights[1]),
        )
        for count in (1, 10)
    ]
    found += [
        _of(
            "Dirichlet",
            f"{alpha}, entry 0",
            lambda D, n, alpha=alpha: D.Dirichlet(n(alpha)),
            lambda x: x[:, 0],
            dtype,
            stats.beta(alpha[0], sum(alpha[1:])),
        )
        for alpha in ([1.0, 2.0, 3.0], [0.0625] * 3, [2.0**-7] * 2, [2.0**-10] * 3, [2.0**20] * 2)
    ]
    found += [
        _of(
            "LogisticNormal",
            f"{[0.0] * 3}, {[sd] * 3}, entry 0",
            lambda D, n, sd=sd: D.LogisticNormal(n([0.0] * 3), n([sd] * 3)),
            lambda x: x[:, 0],
            dtype,
            laws.logit_of(stats.norm, 1 / sd, np.log(3) / sd),
        )
        for sd in (1.0, 0.125, 16.0)
    ]
    found.append(
        _of(
            "MixtureSameFamily",
            "normal, -2 and 2, 1/4 and 3/4",
            lambda D, n: D.MixtureSameFamily(D.Categorical(n([0.25, 0.75])), D.Normal(n([-2.0, 2.0]), n([1.0, 1.0]))),
            lambda x: x,
            dtype,
            _mixed(2.0, 0.25),
        )
    )
    found.append(
        _of(
            "TransformedDistribution",
            "normal, exp",
            lambda D, n: D.TransformedDistribution(D.Normal(n(0.0), n(1.0)), [D.transforms.ExpTransform()]),
            lambda x: x,
            dtype,
            stats.lognorm(1),
        )
    )
    covariance = [[2.0, 0.5], [0.5, 1.0]]
    found.append(
        _of(
            "MultivariateNormal",
            f"[0, 0], {covariance}, sum",
            lambda D, n: D.MultivariateNormal(n([0.0, 0.0]), n(covariance)),
            lambda x: x.double().sum(-1),
            dtype,
            stats.norm(scale=2),
        )
    )
    found.append(
        _of(
            "LowRankMultivariateNormal",
            "[0, 0], [[1], [1]], [1, 2], sum",
            lambda D, n: D.LowRankMultivariateNormal(n([0.0, 0.0]), n([[1.0], [1.0]]), n([1.0, 2.0])),
            lambda x: x.double().sum(-1),
            dtype,
            stats.norm(scale=np.sqrt(7)),
        )
    )
    return found


def _of_matrices(dtype: str) -> list[Row]:
    """One entry of a random matrix."""
    found = [
        _of(
            "LKJCholesky",
            f"{size}, {shape:g}, first correlation",
            lambda D, n, size=size, shape=shape: D.LKJCholesky(size, n(shape)),
            lambda x: x[:, 1, 0],
            dtype,
            laws.correlation(shape + size / 2 - 1),
        )
        for size, shape in ((2, 1.0), (3, 1.0), (3, 0.5), (10, 1.0), (5, 16.0), (2, 0.125), (2, 2.0**-7))
    ]
    found.append(
        _of(
            "LKJCholesky",
            "3, 1, last correlation",
            lambda D, n: D.LKJCholesky(3, n(1.0)),
            lambda x: (x[:, 2].double() * x[:, 1].double()).sum(-1),
            dtype,
            laws.correlation(1.5),
        )
    )
    for df, size in ((3.0, 2), (1.0625, 2), (10.0, 3), (1.0, 1), (2.0**20, 2)):
        for entry in (0, size - 1):
            found.append(
                _of(
                    "Wishart",
                    f"{df:g}, identity of {size}, entry {entry}, {entry}",
                    lambda D, n, df=df, size=size: D.Wishart(n(df), n(np.eye(size))),
                    lambda x, entry=entry: x[:, entry, entry],
                    dtype,
                    stats.chi2(df),
                )
            )
    return list({each.name: each for each in found}.values())


def _filled(name: str, at: str, fill: Callable[[Any, int], Any], dtype: str, law: Any, tolerance: float = FINE) -> Row:
    """What fills a tensor."""

    def draw(rng: np.random.Generator, size: int) -> np.ndarray:
        import torch

        torch.manual_seed(seed_of(rng))
        return fill(torch, size).numpy()

    return row(f"torch.{name}", ", ".join(filter(None, [at, dtype])), draw, tolerance, against=law)


def _of_tensors(dtype: str) -> list[Row]:
    """What fills tensors of a type, and what weights begin as."""

    def empty(torch: Any, *shape: int) -> Any:
        return torch.empty(*shape, dtype=getattr(torch, dtype))

    def initial(name: str, law: Any, *arguments: float) -> Row:
        return _filled(
            f"nn.init.{name}",
            shown(*arguments),
            lambda torch, size: getattr(torch.nn.init, name)(empty(torch, size), *arguments),
            dtype,
            law,
        )

    found = [
        _filled("rand", "", lambda torch, size: torch.rand(size, dtype=getattr(torch, dtype)), dtype, stats.uniform),
        _filled("randn", "", lambda torch, size: torch.randn(size, dtype=getattr(torch, dtype)), dtype, stats.norm),
        _filled("randn", "8 at once", _by_eights(dtype), dtype, stats.norm, MIDDLE),
        _filled(
            "Tensor.log_normal_",
            "1, 2",
            lambda torch, size: empty(torch, size).log_normal_(1, 2),
            dtype,
            stats.lognorm(2, scale=np.e),
        ),
        _filled(
            "Tensor.geometric_",
            "0.25",
            lambda torch, size: empty(torch, size).geometric_(0.25),
            dtype,
            stats.geom(0.25),
        ),
    ]
    for low, high in ((-2.0, 2.0), (0.0, 1.0), (3.0, 4.0), (6.0, 7.0), (-9.0, -8.0), (10.0, 11.0)):
        found.append(initial("trunc_normal_", stats.truncnorm(low, high), 0.0, 1.0, low, high))
    for fan_in, fan_out in ((64, 64), (3, 500)):
        found += [
            _filled(
                f"nn.init.{name}",
                f"{fan_out} x {fan_in}",
                lambda torch, size, name=name, fan_in=fan_in, fan_out=fan_out: _entries(
                    torch, getattr(torch.nn.init, name), fan_out, fan_in, dtype, size
                ),
                dtype,
                law(fan_in, fan_out),
                MIDDLE,
            )
            for name, law in (
                ("xavier_uniform_", lambda i, o: stats.uniform(-np.sqrt(6 / (i + o)), 2 * np.sqrt(6 / (i + o)))),
                ("xavier_normal_", lambda i, o: stats.norm(scale=np.sqrt(2 / (i + o)))),
                ("kaiming_uniform_", lambda i, o: stats.uniform(-np.sqrt(6 / i), 2 * np.sqrt(6 / i))),
                ("kaiming_normal_", lambda i, o: stats.norm(scale=np.sqrt(2 / i))),
            )
        ]
    for rows_, columns in ((2, 2), (10, 10), (3, 8), (8, 3)):
        found.append(
            _filled(
                "nn.init.orthogonal_",
                f"{rows_} x {columns}, square of the first entry",
                lambda torch, size, rows_=rows_, columns=columns: torch.stack(
                    [torch.nn.init.orthogonal_(empty(torch, rows_, columns))[0, 0] ** 2 for _ in range(size)]
                ),
                dtype,
                stats.beta(0.5, (max(rows_, columns) - 1) / 2),
                COARSE,
            )
        )
    return found


def _by_eights(dtype: str) -> Callable[[Any, int], Any]:
    """Fills short tensors, for which torch has another algorithm than for long ones."""

    def fill(torch: Any, size: int) -> Any:
        return torch.cat([torch.randn(8, dtype=getattr(torch, dtype)) for _ in range(-(-size // 8))])[:size]

    return fill


def _entries(torch: Any, initialise: Callable[[Any], Any], rows_: int, columns: int, dtype: str, size: int) -> Any:
    """Entries of as many weights as are needed."""
    every = rows_ * columns
    drawn = [
        initialise(torch.empty(rows_, columns, dtype=getattr(torch, dtype))).flatten() for _ in range(-(-size // every))
    ]
    return torch.cat(drawn)[:size]


def _of_integers() -> list[Row]:
    """Whole numbers, orders and choices."""
    found = [
        _filled(
            "randint",
            f"{low}, {high}",
            lambda torch, size, low=low, high=high: torch.randint(low, high, (size,)),
            "int64",
            laws.integers(low, high - 1),
        )
        for low, high in ((0, 10), (0, 3 * 2**30), (0, 2**32 + 1), (0, 3 * 2**61), (-(2**62), 2**62))
    ]
    found += [
        _filled(
            "randperm",
            f"{count}, place of the first",
            lambda torch, size, count=count: torch.stack([torch.randperm(count).argmin() for _ in range(size)]),
            "int64",
            stats.randint(0, count),
            MIDDLE,
        )
        for count in (2, 3, 10, 300)
    ]
    weights = [0.125, 0.25, 0.5, 0.125]
    without = sum(weight * 0.5 / (1 - weight) for weight in (0.125, 0.25, 0.125)) + 0.5
    found.append(
        _filled(
            "multinomial",
            f"{weights}, 2 without replacement, 2 is among them",
            lambda torch, size: (
                (torch.multinomial(torch.tensor(weights).expand(size, 4), 2) == 2).any(1).to(torch.int64)
            ),
            "int64",
            stats.bernoulli(without),
        )
    )
    found.append(
        _filled(
            "multinomial",
            f"{weights}, with replacement",
            lambda torch, size: torch.multinomial(torch.tensor(weights), size, replacement=True),
            "int64",
            laws.weighted(weights),
        )
    )
    return found
