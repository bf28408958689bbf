"""Edelman's laws against their oracles, other routes to the same numbers, and simulated matrices."""

import math
import pickle
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from fragility.law import Law
from fragility.testing import assert_agrees
from theory.conditioning import gaussian_condition as condition
from theory.conditioning import gaussian_spectrum as spectrum
from theory.conditioning.three_column_condition import ThreeColumnCondition

# P(sqrt(n) sigma_min <= t) at t = 0.1, 0.5, 1, 2 (mpmath).
POINTS = [0.1, 0.5, 1.0, 2.0]
SMALLEST = {
    2: (0.08840557087, 0.4187442325, 0.7244175548, 0.9672315597),
    3: (0.09188172727, 0.4329739331, 0.7408560589, 0.9720208626),
    12: (0.0976357644, 0.4564556643, 0.7676051163, 0.9793415077),
    60: (0.09926370033, 0.4630687716, 0.7750111991, 0.9812240915),
}
LIMIT = (0.09967547741, 0.4647385715, 0.7768698399, 0.9816843611)
# P(kappa <= 2, 5, 10, 30); the first two of m = 3 by mpmath's quadrature of the density in both variables.
THREE_COLUMNS = {
    3: (0.020746245963527, 0.339711705915406, 0.62844909, 0.87106364),
    5: (0.11820598, 0.81539559, 0.97163910, 0.99888185),
}
# m, n, edges, closed form, sd of the logarithm
LAYERS = [
    (784, 10, 1.254635, 1.210539, 0.0225),
    (32, 9, 3.258310, 2.626221, 0.1455),
    (288, 64, 2.783612, 2.661159, 0.0322),
    (3136, 128, 1.506361, 1.490415, 0.0074),
    (128, 10, 1.775883, 1.619465, 0.0592),
    (784, 32, 1.506361, 1.464569, 0.0188),
    (784, 150, 2.554980, 2.497857, 0.0164),
]
LAWS = [
    spectrum.smallest_singular_law(1),
    spectrum.smallest_singular_law(2, 3.0),
    spectrum.smallest_singular_law(40),
    spectrum.smallest_singular_law(5000),
    spectrum.ScaledSmallestLimit(),
    condition.SquareConditionLimit(),
    condition.TwoColumnCondition(2),
    condition.TwoColumnCondition(30),
    ThreeColumnCondition(3),
]


def scaled(n):
    return spectrum.smallest_singular_law(n, math.sqrt(n))


@pytest.mark.parametrize("n", SMALLEST)
def test_the_smallest_singular_value(n):
    assert scaled(n).cdf(POINTS) == pytest.approx(SMALLEST[n], rel=1e-9)


def test_its_limit():
    law = spectrum.ScaledSmallestLimit()
    assert law.cdf(POINTS) == pytest.approx(LIMIT, rel=1e-9)
    assert scaled(10**5).cdf(POINTS) == pytest.approx(LIMIT, rel=2e-5)
    assert law.log_mean() == pytest.approx(-0.8439422548, rel=1e-9)
    assert scaled(8).log_mean() == pytest.approx(-0.812999, abs=1e-6)
    assert scaled(60).log_mean() == pytest.approx(-0.839779, abs=1e-6)


def test_one_column_is_half_normal():
    law, normal = spectrum.smallest_singular_law(1), stats.halfnorm()
    x = np.array([1e-9, 0.3, 2, 20])
    for name in ("cdf", "sf", "pdf"):
        assert getattr(law, name)(x) == pytest.approx(getattr(normal, name)(x), rel=1e-12)


@pytest.mark.parametrize("law", LAWS, ids=repr)
class TestLaw:
    """Every law's parts against each other."""

    def test_it_is_one(self, law):
        assert isinstance(law, Law)
        assert pickle.loads(pickle.dumps(law)) == law

    def test_tails_add_up_and_quantiles_invert_them(self, law):
        q = np.array([1e-10, 1e-3, 0.2, 0.5, 0.9])
        x = law.ppf(q)
        assert np.all(np.diff(x) > 0)
        assert law.cdf(x) == pytest.approx(q, rel=1e-8)
        assert law.cdf(x) + law.sf(x) == pytest.approx(np.ones(5), abs=1e-12)
        assert law.sf(law.isf(q)) == pytest.approx(q, rel=1e-8)
        assert law.median() == pytest.approx(law.ppf(0.5))
        assert law.interval(0.6) == pytest.approx((law.ppf(0.2), law.isf(0.2)))

    def test_the_density_is_the_slope(self, law):
        for x in law.ppf(np.array([0.01, 0.5, 0.99])):
            step = 1e-3 * (x - law.support()[0])
            nodes, weights = np.polynomial.legendre.leggauss(12)
            mass = step * weights @ law.pdf(x + step * nodes)
            assert mass == pytest.approx(law.cdf(x + step) - law.cdf(x - step), rel=1e-7, abs=1e-14)

    def test_outside_the_support(self, law):
        low = law.support()[0]
        assert list(law.cdf([low - 1, np.inf])) == [0, 1]
        assert list(law.sf([low - 1, np.inf])) == [1, 0]
        assert list(law.pdf([low - 1, np.inf])) == [0, 0]
        assert list(law.ppf([0.0, 1.0])) == [low, np.inf]
        assert np.isnan(law.cdf(np.nan))
        assert np.isnan(law.ppf(1.5))

    def test_draws(self, law):
        draws = law.rvs(size=2000, random_state=11)
        count, tolerance = (150, 0.3) if isinstance(law, ThreeColumnCondition) else (2000, 0.1)
        # The laws are continuous, and some are slow: each is evaluated once.
        decoys = {"the largest of three draws": stats.beta(3, 1)}
        assert_agrees(law.cdf(draws[:count]), stats.uniform, tolerance=tolerance, decoys=decoys)
        assert np.ndim(law.rvs(random_state=1)) == 0
        assert law.rvs(size=(2, 3), random_state=1).shape == (2, 3)

    def test_the_mean_logarithm(self, law):
        # E ln X as the integral of quantiles by the trapezoidal rule in u, p = logistic(u)
        step = 3.0 if isinstance(law, ThreeColumnCondition) else 0.5
        u = np.arange(-18, 18.1, step)
        p, q = 1 / (1 + np.exp(-u)), 1 / (1 + np.exp(u))
        logs = np.where(u < 0, np.log(law.ppf(np.minimum(p, 0.5))), np.log(law.isf(np.minimum(q, 0.5))))
        assert law.log_mean() == pytest.approx(step * np.sum(logs * p * q), abs=1e-6 if step < 1 else 0.05)


def test_moments():
    for law in (scaled(3), spectrum.smallest_singular_law(40), spectrum.ScaledSmallestLimit()):
        assert law.mean() == pytest.approx(quad(lambda x, law=law: float(law.sf(x)), 0, 20)[0], rel=1e-7)
        second = quad(lambda x, law=law: 2 * x * float(law.sf(x)), 0, 20)[0]
        assert law.var() == pytest.approx(second - law.mean() ** 2, rel=1e-6)
        assert law.moment(1e-9) == pytest.approx(1)
        assert law.std() ** 2 == pytest.approx(law.var())
    assert spectrum.ScaledSmallestLimit().moment(1 + 1e-9) == pytest.approx(spectrum.ScaledSmallestLimit().mean())
    assert condition.SquareConditionLimit().mean() == math.inf
    assert condition.SquareConditionLimit().var() == math.inf
    assert condition.TwoColumnCondition(2).mean() == math.inf
    assert condition.TwoColumnCondition(3).mean() == pytest.approx(2 + math.pi / 2)
    three, two = ThreeColumnCondition(8), condition.TwoColumnCondition(8)
    for law in (three, two):
        tail = quad(lambda x, law=law: float(law.sf(x)), 1, 200, limit=200, points=(2, 5))[0]
        assert law.mean() == pytest.approx(1 + tail, rel=1e-6)
    assert ThreeColumnCondition(3).mean() == math.inf


@pytest.mark.parametrize("order", [-1 + 1e-9, -0.999, -0.5, -0.1, 0.3, 1.5, 10, 100, 290])
def test_moments_of_the_limit_are_parabolic_cylinder_functions(order):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(30):
        exact = mpmath.gamma(1 + mpmath.mpf(order)) * mpmath.exp(0.25) * mpmath.pcfd(-mpmath.mpf(order), 1)
    assert spectrum.ScaledSmallestLimit().moment(order) == pytest.approx(float(exact), rel=1e-10)


def test_moments_at_the_ends_of_the_doubles():
    """By mpmath from the mixture over T for n = 2, and for n = 1 of a half-normal variable."""
    mpmath = pytest.importorskip("mpmath")
    assert spectrum.ScaledSmallestLimit().moment(10**6) == math.inf
    for n, scale, order in (
        (1, 1.0, 290),
        (1, 1e-3, 500),
        (2, 1.0, 40),
        (2, 1e-2, 600),
        (2, 1e200, 1.0),
        (2, 5.0, -0.999),
    ):
        with mpmath.workdps(30):
            s = mpmath.mpf(order)
            normal = 2 ** (s / 2) * mpmath.gamma((s + 1) / 2) / mpmath.sqrt(mpmath.pi)

            def weight(v, s=s):  # t = v^2
                return 2 * (1 + v * v) ** -2 * (2 + v * v) ** (-(1 + s) / 2)

            mixture = 1 if n == 1 else mpmath.quad(weight, [0, 0.1, 1, 5, mpmath.inf])
            exact = float(mpmath.mpf(scale) ** s * normal * mixture)
        assert spectrum.smallest_singular_law(n, scale).moment(order) == pytest.approx(exact, rel=1e-10)


@pytest.mark.parametrize("n", [2, 40, 1000, 10**6])
def test_the_tails_by_the_mixture_at_30_digits(n):
    mpmath = pytest.importorskip("mpmath")
    law = spectrum.smallest_singular_law(n)
    with mpmath.workdps(30):
        start, end = mpmath.log(n) - 8 - mpmath.mpf(170) / (n - 1), mpmath.log(n) + 40
        pieces = [start + k * (end - start) / 150 for k in range(151)]

        def tail(x, of):  # over ln t
            def integrand(y):
                t = mpmath.exp(y)
                log = (n - 1) * y / 2 - (n + 2) * mpmath.log1p(t) / 2 - mpmath.log(n + t) / 2
                return n * (n - 1) / mpmath.mpf(2) * mpmath.exp(log) * of(x * mpmath.sqrt((n + t) / 2))

            return float(mpmath.quad(integrand, pieces, maxdegree=3))

        x = law.ppf(1e-200)
        assert law.cdf(x) == pytest.approx(tail(mpmath.mpf(float(x)), mpmath.erf), rel=2e-12)
        for x in law.isf([1e-30, 1e-300]):
            assert law.sf(x) == pytest.approx(tail(mpmath.mpf(float(x)), mpmath.erfc), rel=2e-12)


@pytest.mark.parametrize("n", [10**6, 10**9, 10**12])
def test_vast_matrices_have_the_limit(n):
    law, limit = scaled(n), spectrum.ScaledSmallestLimit()
    q = np.array([1e-300, 1e-10, 0.5, 0.9])
    np.testing.assert_allclose(law.ppf(q), limit.ppf(q), rtol=30 / n + 1e-12)
    np.testing.assert_allclose(law.isf([1e-10, 1e-100]), limit.isf([1e-10, 1e-100]), rtol=1e4 / n + 1e-12)
    assert law.log_mean() == pytest.approx(limit.log_mean(), abs=1 / n + 1e-12)
    assert law.moment(-0.9) == pytest.approx(limit.moment(-0.9), rel=10 / n + 1e-11)


@settings(max_examples=25)
@given(st.integers(2, 4000), st.floats(-300, -2))
def test_far_tails_keep_their_relative_accuracy(n, log_tail):
    law = scaled(n)
    tail = 10.0**log_tail
    assert law.sf(law.isf(tail)) == pytest.approx(tail, rel=1e-7)
    assert law.cdf(law.ppf(tail)) == pytest.approx(tail, rel=1e-9)
    assert law.ppf(tail) == pytest.approx(tail * math.sqrt(n) / spectrum.small_ball_constant(n), rel=1e-2)


def test_the_far_tail_against_mpmath():
    """Edelman's density by Tricomi's function, integrated at 30 digits."""

    def density(n, u):
        constant = n / mpmath.sqrt(2 * mpmath.pi) * mpmath.gamma(mpmath.mpf(n + 1) / 2)
        tricomi = mpmath.hyperu(mpmath.mpf(n - 1) / 2, mpmath.mpf(-1) / 2, u / 2)
        return constant * u**-0.5 * mpmath.exp(-n * u / 2) * tricomi

    with mpmath.workdps(30):
        for n, x in ((2, 9.0), (5, 6.0), (20, 2.0)):
            start = mpmath.mpf(x) ** 2
            exact = mpmath.quad(lambda u, n=n: density(n, u), [start, start + mpmath.mpf(20) / n, start + 400 / n])
            assert spectrum.smallest_singular_law(n).sf(x) == pytest.approx(float(exact), rel=1e-10)


def test_the_small_ball():
    for n in (1, 2, 7, 1000):
        haar = math.exp(math.lgamma(n / 2) - math.lgamma((n + 1) / 2)) / math.sqrt(math.pi)
        assert spectrum.small_ball_constant(n) * haar == pytest.approx(math.sqrt(2 / math.pi))
        assert spectrum.smallest_singular_law(n).pdf(0) == pytest.approx(spectrum.small_ball_constant(n), rel=1e-10)
    for n in (1, 2, 31, 32, 10**6, 10**8, 10**12):
        with mpmath.workdps(40):
            exact = mpmath.sqrt(2) * mpmath.gammaprod([mpmath.mpf(n + 1) / 2], [mpmath.mpf(n) / 2])
        assert spectrum.small_ball_constant(n) == pytest.approx(float(exact), rel=1e-14)


def test_square_matrices():
    """Singular values, column distances and r_nn of simulated matrices."""
    A = np.random.default_rng(12).standard_normal((3000, 8, 8))
    sigma = np.linalg.svd(A, compute_uv=False)
    distances = spectrum.column_distances(A)
    assert np.all(distances.min(axis=1) / math.sqrt(8) <= sigma[:, -1] * (1 + 1e-9))
    assert np.all(sigma[:, -1] <= distances.min(axis=1) * (1 + 1e-9))
    assert np.sum(distances**-2.0, axis=1) == pytest.approx(np.sum(sigma**-2.0, axis=1), rel=1e-6)
    R = np.abs(np.diagonal(np.linalg.qr(A)[1], axis1=1, axis2=2))
    assert R[:, -1] == pytest.approx(distances[:, -1])
    assert np.prod(R, axis=1) == pytest.approx(np.prod(sigma, axis=1))
    assert np.all(sigma[:, 0] >= R[:, 0] * (1 - 1e-12))
    decoys = {"of complex matrices": stats.rayleigh(scale=1 / math.sqrt(2 * 8))}
    assert_agrees(sigma[:, -1], spectrum.smallest_singular_law(8), tolerance=0.08, decoys=decoys)
    assert_agrees(distances[:, 3], stats.chi(1), tolerance=0.08, decoys={"a degree of freedom more": stats.chi(2)})


def test_tall_columns_have_chi_distances():
    A = np.random.default_rng(13).standard_normal((3000, 9, 4))
    decoys = {f"{degrees} degrees of freedom": stats.chi(degrees) for degrees in (5, 7)}
    assert_agrees(spectrum.column_distances(A)[:, 1], stats.chi(6), tolerance=0.08, decoys=decoys)


def test_two_columns():
    laws = [condition.TwoColumnCondition(m) for m in (2, 3, 10)]
    assert [law.log_mean() for law in laws] == pytest.approx([math.pi / 2, 1, 0.4295146206])
    assert laws[0].cdf([2, 10]) == pytest.approx([0.2, 0.8019801980])
    assert laws[0].cdf(1 + 1e-8) == pytest.approx(0.5e-16)
    A = np.random.default_rng(14).standard_normal((4000, 10, 2))
    decoys = {"two rows fewer": condition.TwoColumnCondition(8)}
    assert_agrees(np.linalg.cond(A), laws[2], tolerance=0.07, decoys=decoys)


@pytest.mark.parametrize("m", THREE_COLUMNS)
def test_three_columns(m):
    law = ThreeColumnCondition(m)
    assert law.cdf([2, 5, 10, 30]) == pytest.approx(THREE_COLUMNS[m], abs=1e-8)


def test_three_columns_simulated():
    A = np.random.default_rng(15).standard_normal((200, 6, 3))
    decoys = {"of two columns": condition.TwoColumnCondition(6)}
    assert_agrees(np.linalg.cond(A), ThreeColumnCondition(6), tolerance=0.27, decoys=decoys)


def test_three_columns_far_out():
    """Both halves are integrated apart and add up; the tail is a power, P(kappa > x) about x^-(m-2)."""
    for m in (3, 4, 10, 784):
        law = ThreeColumnCondition(m)
        for x in (1.02, 1.2, 3.0):
            assert law._below(x) + law._above(x) == pytest.approx(1, abs=1e-9)
    tail = ThreeColumnCondition(7).sf([1e3, 1e4])
    assert tail[0] / tail[1] == pytest.approx(1e5, rel=1e-2)


def test_square_limit():
    law = condition.SquareConditionLimit()
    assert law.median() == pytest.approx(3.6713177, rel=1e-8)
    assert law.log_mean() == pytest.approx(1.5370894354, rel=1e-9)
    assert law.cdf([1, 10]) == pytest.approx([0.01831564, 0.80251880], rel=1e-6)
    assert law.sf(1e9) == pytest.approx(2e-9)
    A = np.random.default_rng(16).standard_normal((400, 100, 100))
    of_complex = SimpleNamespace(cdf=lambda x: np.exp(-4 / x**2))
    assert_agrees(np.linalg.cond(A) / 100, law, tolerance=0.2, decoys={"of complex matrices": of_complex})


@pytest.mark.parametrize(("m", "n", "edges", "closed", "sd"), LAYERS)
def test_tall_layers(m, n, edges, closed, sd):
    assert condition.edge_ratio(m, n) == pytest.approx(edges, abs=1e-6)
    assert condition.tall_condition(m, n) == pytest.approx((closed, sd), abs=6e-5)


def test_the_closed_form_is_near_simulated_layers():
    rng = np.random.default_rng(17)
    for m, n, draws in ((784, 10, 100), (32, 9, 2000), (128, 10, 1000)):
        logs = np.log(np.linalg.cond(rng.standard_normal((draws, m, n))))
        mean, sd = condition.tall_condition(m, n)
        assert np.mean(logs) == pytest.approx(math.log(mean), abs=0.025)
        assert np.std(logs) == pytest.approx(sd, rel=0.25)


def test_the_hard_interval():
    low, high = spectrum.extreme_interval(100, 25, 0.01)
    t = math.sqrt(2 * math.log(200))
    assert (low, high) == pytest.approx((5 - t, 15 + t))
    sigma = np.linalg.svd(np.random.default_rng(18).standard_normal((500, 100, 25)), compute_uv=False)
    assert np.mean((sigma[:, -1] < low) | (sigma[:, 0] > high)) <= 0.01


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    A = np.random.default_rng(19).standard_normal((2, 5, 3))
    T = torch.tensor(A, requires_grad=True)
    assert spectrum.column_distances(T).detach().numpy() == pytest.approx(spectrum.column_distances(A), rel=1e-12)
    assert torch.autograd.gradcheck(spectrum.column_distances, T)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        spectrum.smallest_singular_law(0)
    with pytest.raises(ValueError, match="scale must be positive and finite, got 0"):
        spectrum.smallest_singular_law(2, 0)
    with pytest.raises(ValueError, match="order must be finite and above -1, got -1"):
        spectrum.smallest_singular_law(2).moment(-1)
    with pytest.raises(ValueError, match="order must be finite and above -1, got -1"):
        spectrum.ScaledSmallestLimit().moment(-1)
    with pytest.raises(ValueError, match="order must be above -1, got -1"):
        condition.TwoColumnCondition(2).moment(-1)
    with pytest.raises(ValueError, match="m must be at least 2, got 1"):
        condition.TwoColumnCondition(1)
    with pytest.raises(ValueError, match="m must be at least 3, got 2"):
        ThreeColumnCondition(2)
    with pytest.raises(ValueError, match="at least as many rows as columns"):
        spectrum.column_distances(np.ones((2, 3)))
    with pytest.raises(ValueError, match="miss must lie strictly between 0 and 1, got 1"):
        spectrum.extreme_interval(3, 2, 1)
    for function in (condition.edge_ratio, condition.tall_condition):
        with pytest.raises(ValueError, match="m must be at least 4, got 3"):
            function(3, 3)


def exact_distances(A):
    """By normal equations at 60 digits, and how far rounding may move them: u |a_k| + u sum_j |c_j| |a_j|."""
    mpmath = pytest.importorskip("mpmath")
    lengths = np.linalg.norm(A, axis=0)
    distances, spread = [], []
    with mpmath.workdps(60):
        for k in range(A.shape[1]):
            others = mpmath.matrix(np.delete(A, k, axis=1).tolist())
            own = mpmath.matrix(A[:, k].tolist())
            nearest = mpmath.lu_solve(others.T * others, others.T * own)
            distances.append(float(mpmath.norm(own - others * nearest)))
            spread.append(lengths[k] + np.abs(np.array(nearest, dtype=float).ravel()) @ np.delete(lengths, k))
    return np.array(distances), np.array(spread) * np.finfo(float).eps


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0, 13), st.integers(2, 4), st.integers(0, 2))
def test_distances_of_nearly_dependent_columns(seed, digits, n, more):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n + more, n))
    A[:, -1] = A[:, 0] * rng.choice((-3.0, 1.0, 7.0)) + 10.0**-digits * A[:, -1]
    A *= 10.0 ** rng.integers(-8, 9, n)
    distances, spread = exact_distances(A)
    found = spectrum.column_distances(A)
    assert np.all(found <= np.linalg.norm(A, axis=0) * (1 + 1e-15))
    assert np.all(np.abs(found - distances) <= 16 * (n + more) * spread)


def test_columns_that_depend_on_others_have_no_distance():
    """In integers, by hand: what takes part in a dependence has distance 0, and nothing else has."""
    A = np.array([[1.0, 1, 0, 2], [0, 1, 0, 1], [0, 0, 3, 0], [0, 0, 4, 0], [0, 0, 0, 0]])
    assert spectrum.column_distances(A) == pytest.approx([0, 0, 5, 0])
    assert np.all(spectrum.column_distances(A * [1e-200, 1, 1e200, 1e-20])[[0, 1, 3]] == 0)
    pair = np.stack([np.ones((3, 2)), np.eye(3, 2), np.zeros((3, 2)), [[0, 2], [0, 0], [0, 0]]])
    assert spectrum.column_distances(pair) == pytest.approx(np.array([[0, 0], [1, 1], [0, 0], [0, 2]]))
    rng = np.random.default_rng(17)
    for n in (2, 5, 20, 60):
        B = rng.standard_normal((n + 1, n))
        B[:, -1] = B[:, :-1] @ rng.standard_normal(n - 1)
        assert np.all(spectrum.column_distances(B) <= 1e-14 * np.linalg.norm(B, axis=0))
        C = np.column_stack([B, rng.standard_normal(n + 1)])  # beside them one that does not depend on them
        free = C[:, -1] - B[:, :-1] @ np.linalg.lstsq(B[:, :-1], C[:, -1], rcond=None)[0]
        assert spectrum.column_distances(C)[-1] == pytest.approx(np.linalg.norm(free))


def test_orthogonal_columns_have_a_derivative():
    torch = pytest.importorskip("torch")
    for A in (torch.eye(3, dtype=torch.float64), 1e-200 * torch.eye(4, 2, dtype=torch.float64)):
        A.requires_grad_()
        (slope,) = torch.autograd.grad(torch.sum(spectrum.column_distances(A)), A)
        assert slope.numpy() == pytest.approx(np.eye(*A.shape), abs=1e-12)
