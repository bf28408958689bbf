"""Derivations behind the formulas, done symbolically: proofs that a reader can run."""

import pytest
import sympy as sp

d, n = sp.symbols("d n", positive=True)


def test_the_best_chernoff_exponent():
    """exp(s a^2 d) E exp(-s |Z|^2) is least at s = (1/a^2 - 1)/2, where it is (a exp((1 - a^2)/2))^d."""
    s, a = sp.symbols("s a", positive=True)
    exponent = s * a**2 - sp.log(1 + 2 * s) / 2
    best = (1 / a**2 - 1) / 2
    assert sp.simplify(sp.diff(exponent, s).subs(s, best)) == 0
    assert sp.simplify(sp.diff(exponent, s, 2)) == 2 / (2 * s + 1) ** 2
    assert sp.simplify(sp.expand_log(exponent.subs(s, best) - (sp.log(a) + (1 - a**2) / 2), force=True)) == 0


def test_the_largest_constant_of_chernoff_is_a_lambert_w():
    """u exp(1 - u) = q has the root u = -W(-q / e)."""
    w = sp.Symbol("w", negative=True)  # W(-q/e), so that w exp(w) = -q/e
    q = -sp.E * w * sp.exp(w)
    assert sp.simplify(-w * sp.exp(1 + w) - q) == 0


@pytest.mark.parametrize("layers", [2, 3])
def test_second_moments_of_triangular_products(layers):
    """E[R o R] is a product of upper triangles of ones with diagonals n_i - k + 1; its rows telescope."""
    heights = sp.symbols(f"h1:{layers + 1}")
    size = 4
    product = sp.eye(size)
    for height in heights:
        product = sp.Matrix(size, size, lambda i, j, h=height: h - i if i == j else sp.Integer(bool(i < j))) * product
    for row in range(size):
        own = sp.prod(h - row for h in heights)
        assert sp.expand(product[row, row] - own) == 0
        for column in range(row + 1, size):
            assert sp.expand(product[row, column] - (own - sp.prod(h - row - 1 for h in heights))) == 0


def test_the_swap_of_theorem_1():
    """e = Q (0, .., r_{d-1,d-1} - r_{d-1,d}, -r_dd) swaps the last two outputs, and half of it is a tie."""
    r = sp.Matrix(4, 4, lambda i, j: sp.Symbol(f"r{i + 1}{j + 1}", positive=True) if i <= j else 0)
    b = sp.Matrix([0, 0, r[2, 2] - r[2, 3], -r[3, 3]])  # Q drops out: f(x) = A^-1 x = R^-1 Q^T x
    outputs = sp.simplify(r.inv() * (r[:, 3] + b))
    tie = sp.simplify(r.inv() * (r[:, 3] + b / 2))
    assert list(outputs[2:]) == [1, 0]
    assert sp.simplify(tie[2] - tie[3]) == 0


def test_the_size_of_the_swap_is_rayleigh():
    """r_dd^2 + (chi_2 - N)^2, averaged over chi_2, has the density exp(-s/4)/4 of 2 chi^2_2."""
    s, rho = sp.symbols("s rho", positive=True)
    # Given chi_2 = rho the sum is a non-central chi^2_2 with non-centrality rho^2.
    given_rho = sp.exp(-(s + rho**2) / 2) / 2 * sp.besseli(0, sp.sqrt(s) * rho)
    density = sp.integrate((given_rho * rho * sp.exp(-(rho**2) / 2)).rewrite(sp.besseli), (rho, 0, sp.oo))
    assert sp.simplify(density - sp.exp(-s / 4) / 4) == 0


def test_moments_of_the_fraction_of_one_factor():
    """Beta((d-n+1)/2, (n-1)/2): E F^2 = (d-n+1)/d and var F^2 = 2(d-n+1)(n-1)/(d^2(d+2))."""
    a, b = sp.symbols("a b", positive=True)
    sizes = {a: (d - n + 1) / 2, b: (n - 1) / 2}

    def moment(s):
        ratio = sp.gamma(a + s) * sp.gamma(a + b) / (sp.gamma(a) * sp.gamma(a + b + s))
        return sp.gammasimp(ratio).subs(sizes)

    assert sp.simplify(moment(1) - (d - n + 1) / d) == 0
    variance = 2 * (d - n + 1) * (n - 1) / (d**2 * (d + 2))
    assert sp.simplify(moment(2) - moment(1) ** 2 - variance) == 0


def test_the_mean_fraction_of_a_large_square_matrix():
    """Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)) = sqrt(2/(pi d)) (1 + 1/4d + 1/32d^2 - 5/128d^3 + ...)."""
    x = sp.Symbol("x", positive=True)  # 1/d
    bernoulli = [(sp.Rational(1, 12), 1), (-sp.Rational(1, 360), 3)]

    def log_gamma(z):
        return (z - sp.Rational(1, 2)) * sp.log(z) - z + sum(c / z**power for c, power in bernoulli)

    log_ratio = log_gamma(1 / (2 * x)) - log_gamma(1 / (2 * x) + sp.Rational(1, 2)) + sp.log(1 / (2 * x)) / 2
    expansion = sp.series(sp.exp(sp.series(sp.expand_log(log_ratio, force=True), x, 0, 4).removeO()), x, 0, 4).removeO()
    expected = 1 + x / 4 + x**2 / 32 - 5 * x**3 / 128
    assert sp.simplify(sp.expand(expansion - expected)) == 0


def test_the_median_and_mean_difficulty_of_two_gradients():
    """rho^2 ~ Beta(1, (d-2)/2): its median solves (1-m)^((d-2)/2) = 1/2, and E rho^-2 diverges at 0."""
    u = sp.Symbol("u", positive=True)
    median = 1 - 2 ** (-2 / (d - 2))
    assert sp.simplify(sp.powdenest((1 - median) ** ((d - 2) / 2), force=True) - sp.Rational(1, 2)) == 0
    for dimension in (4, 6, 8):
        density = sp.Rational(dimension - 2, 2) * (1 - u) ** sp.Rational(dimension - 4, 2)
        assert sp.integrate(density / u, (u, 0, 1)) == sp.oo


def test_the_two_sided_length_bounds():
    """l = 2D / (g + sqrt(g^2 +- 2 b D)) solves D = g l +- b l^2 / 2."""
    D, g, b = sp.symbols("D g b", positive=True)
    for sign in (1, -1):
        length = 2 * D / (g + sp.sqrt(g**2 + sign * 2 * b * D))
        assert sp.simplify(sp.radsimp(g * length + sign * b * length**2 / 2) - D) == 0


def test_the_condition_of_two_gaussian_columns():
    """P(kappa > t) = (2t / (1 + t^2))^(m-1) is sech^(m-1) of ln t, and for m = 3 its mean logarithm is 1."""
    s = sp.Symbol("s", positive=True)
    t = sp.exp(s)
    assert sp.simplify((2 * t / (1 + t**2) - 1 / sp.cosh(s)).rewrite(sp.exp)) == 0
    # E ln kappa is the integral of the survival function: the Gudermannian at infinity, and tanh.
    assert sp.simplify(sp.diff(sp.tanh(s), s) - 1 / sp.cosh(s) ** 2) == 0
    assert sp.limit(sp.tanh(s), s, sp.oo) == 1
