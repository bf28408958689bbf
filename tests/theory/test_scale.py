"""Freedom of scale: f(s A) = s^degree f(A) to the ends of floating point, with gradients that stay finite."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.convolution import robust_accuracy
from theory.gradients import gradient_plane, path_length
from theory.numerics import magnitudes
from theory.points import last_column, optimal_tolerance, probes

RNG = np.random.default_rng(8)
A, TALL, G = (RNG.standard_normal(shape) for shape in ((4, 4), (5, 3), (2, 5)))
GRADIENTS = RNG.standard_normal((3, 5))
X, Y, Z = RNG.standard_normal((3, 5))
HALVES = np.array([0.25, 0.5, 0.25])
BIAS, POINT = RNG.standard_normal(4), RNG.standard_normal(4)
LABEL = int(np.argmax(A @ POINT + BIAS))
RADII = np.array([0.1, 0.4, 1])

# each of a function `s` that scales what it is given, and one `of` that leaves it; and the degree
ROWS = {
    "projection, gradients": (lambda s, of: gradient_plane.projection(s(G), of(X)), 0),
    "projection, vector": (lambda s, of: gradient_plane.projection(of(G), s(X)), 1),
    "perturbation": (lambda s, of: gradient_plane.perturbation(s(G), s(X), 0.5), 1),
    "compression": (lambda s, of: gradient_plane.compression(s(G), s(X)), 0),
    "error_bound, gradients": (lambda s, of: gradient_plane.error_bound(s(G), of(X), of(Y), 0.5, 2.0), 0),
    "error_bound, smoothness": (lambda s, of: gradient_plane.error_bound(of(G), of(X), of(Y), 0.5, s(HALVES[:1])), 1),
    "tanh_smoothness": (lambda s, of: gradient_plane.tanh_smoothness(s(TALL[:, 0]), of(TALL)), 1),
    "probing_vectors": (lambda s, of: last_column.probing_vectors(s(TALL)), -1),
    "outputs": (lambda s, of: last_column.outputs(s(TALL), s(X)), 0),
    "outputs, x": (lambda s, of: last_column.outputs(of(TALL), s(X)), 1),
    "sign_outputs": (lambda s, of: last_column.sign_outputs(s(TALL), s(X)), 0),
    "swap_perturbation": (lambda s, of: last_column.swap_perturbation(s(A), 3, 1), 1),
    "swap_size": (lambda s, of: last_column.swap_size(s(A), 3, 1), 1),
    "swap_bound": (lambda s, of: last_column.swap_bound(s(A), 3, 1), 1),
    "pair_margin": (lambda s, of: last_column.pair_margin(s(A), 3, 1), 1),
    "untargeted_margins": (lambda s, of: last_column.untargeted_margins(s(A)), 1),
    "column_perturbation": (lambda s, of: last_column.column_perturbation(s(A), 2), 1),
    "flip_perturbation": (lambda s, of: last_column.flip_perturbation(s(A), -1), 1),
    "targeted on data": (lambda s, of: last_column.targeted_perturbation(s(A), 3, 1), 1),
    "last_distance": (lambda s, of: optimal_tolerance.last_distance(s(TALL)), 1),
    "fraction": (lambda s, of: optimal_tolerance.fraction(s(TALL)), 0),
    "optimal_tolerance": (lambda s, of: optimal_tolerance.optimal_tolerance(s(A), 0.5).value, 1),
    "decoded tolerance": (lambda s, of: optimal_tolerance.optimal_tolerance(s(np.eye(11)[:, ::-1] + 0.3)).value, 1),
    "point_tolerance": (lambda s, of: optimal_tolerance.point_tolerance(s(A), [1, -1, 1, 1], 0.5).value, 1),
    "linear_margin": (lambda s, of: optimal_tolerance.linear_margin(s(A), 0.5).value, 1),
    "angle_cosines, probe": (lambda s, of: optimal_tolerance.angle_cosines(s(X), of(TALL)), 0),
    "angle_cosines, matrix": (lambda s, of: optimal_tolerance.angle_cosines(of(X), s(TALL)), 0),
    "margins, both": (lambda s, of: optimal_tolerance.margins(s(X), s(TALL), 2.0), 1),
    "cosines": (lambda s, of: path_length.cosines(s(GRADIENTS), s(X)), 0),
    "change_along": (lambda s, of: path_length.change_along(s(GRADIENTS), of(X), of(HALVES)), 1),
    "weighted_compression": (lambda s, of: path_length.weighted_compression(s(GRADIENTS), s(X), of(HALVES)), 0),
    "signed_length": (lambda s, of: path_length.signed_length(s(GRADIENTS), s(X), s(Y)), 1),
    "first_order_length": (lambda s, of: path_length.first_order_length(s(X[0] + 0 * X[:1]), s(Y)), 0),
    "descent_change": (lambda s, of: path_length.descent_change(s(GRADIENTS), 2.0), 1),
    "descent": (lambda s, of: path_length.descent(lambda x: s(Y) + 0 * x, of(X), 2.0, 3).points[-1], 0),
    "length_bounds, f": (lambda s, of: path_length.length_bounds(s(X**2), s(Y**2), s(Z**2)), 0),
    "length_bounds, x": (lambda s, of: path_length.length_bounds(of(X**2), 1 / s(4 + Y**2), s(Z**2)), 1),
    "ratio_bounds": (lambda s, of: path_length.ratio_bounds(0.5, s(X**2), s(2 * X**2)), 0),
    "tie_ratio": (lambda s, of: path_length.tie_ratio(0.5, s(X**2), s(-(Y**2))), 0),
    "sign_inflation": (lambda s, of: path_length.sign_inflation(s(X)), 0),
    "pair_distance": (lambda s, of: probes.pair_distance(s(X), s(Y), of(X), s(Z[:1])), 0),
    "pair_distance, x": (lambda s, of: probes.pair_distance(s(X), s(Y), s(X)), 1),
    "pair_distance of a box": (lambda s, of: probes.pair_distance(s(X), s(Y), s(X), 0, "linf"), 1),
    "pair_perturbation": (lambda s, of: probes.pair_perturbation(s(X), s(Y), of(X), s(Z[:1])), 0),
    "pair_perturbation, x": (lambda s, of: probes.pair_perturbation(s(X), s(Y), s(X)), 1),
    "projected_distance": (lambda s, of: probes.projected_distance(s(X), s(Y), s(X), s(Z)), 1),
    "class_distances": (lambda s, of: probes.class_distances(s(A), of(POINT), LABEL, s(BIAS)), 0),
    "untargeted_distance": (lambda s, of: probes.untargeted_distance(s(A), s(POINT), 1), 1),
    "worst_margin": (lambda s, of: probes.worst_margin(s(A), of(POINT), 1, 0.5, s(BIAS)), 1),
    "sign_step": (lambda s, of: probes.sign_step(s(A)[:2], of(POINT), 1, 0.5) - of(POINT), 0),
    "targeted": (lambda s, of: probes.targeted_perturbation(s(A), of(POINT), (LABEL + 1) % 4, s(BIAS)), 0),
    "area": (lambda s, of: robust_accuracy.area(of(np.outer(RADII, RADII)), s(RADII), s(RADII)), 0),
    "signed_step": (lambda s, of: robust_accuracy.signed_step(s(X), s(Y), 0.0), 1),
}
ON_NUMPY = {
    "targeted on data",
    "optimal_tolerance",
    "decoded tolerance",
    "point_tolerance",
    "linear_margin",
    "targeted",
}
RECIPROCAL = {"length_bounds, x"}  # its row divides by what is scaled: there the test's own derivative overflows


def flat(value):
    return np.concatenate([np.ravel(part) for part in (value if isinstance(value, tuple) else (value,))])


@pytest.mark.parametrize("scale", [1e-200, 1e-23, 1e30, 1e200])
@pytest.mark.parametrize("name", ROWS)
def test_numpy_in_double_precision(name, scale):
    formula, degree = ROWS[name]
    expected = flat(formula(np.asarray, np.asarray))
    found = flat(formula(lambda values: scale * values, np.asarray))
    assert found / scale**degree == pytest.approx(expected, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("scale", [1e-23, 1e30])
@pytest.mark.parametrize("name", ROWS)
def test_numpy_in_single_precision(name, scale):
    formula, degree = ROWS[name]
    expected = flat(formula(np.asarray, np.asarray))
    found = flat(formula(lambda values: np.float32(scale * values), np.float32))
    assert found.astype(float) / scale**degree == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(
    ("dtype", "scale"), [("float64", 1e-200), ("float64", 1e200), ("float32", 1e-23), ("float32", 1e30)]
)
@pytest.mark.parametrize("name", sorted(ROWS.keys() - ON_NUMPY))
def test_torch_and_its_gradients(name, dtype, scale):
    torch = pytest.importorskip("torch")
    formula, degree = ROWS[name]
    factor, precise = torch.tensor(1.0, dtype=torch.float64, requires_grad=True), dtype == "float64"

    def scaled(values, by=1.0):
        return (factor * torch.asarray(values) * by).to(getattr(torch, dtype))

    value = formula(lambda values: scaled(values, scale), scaled)
    value = torch.cat([torch.ravel(part) for part in (value if isinstance(value, tuple) else (value,))])
    expected = flat(formula(np.asarray, np.asarray))
    assert value.detach().double().numpy() / scale**degree == pytest.approx(
        expected, rel=1e-10 if precise else 1e-4, abs=1e-13 if precise else 1e-5
    )
    if name in RECIPROCAL:
        return
    finite = torch.where(torch.isfinite(value), value, 0).double()
    (finite / scale**degree).sum().backward()
    assert math.isfinite(factor.grad.item())


RANGES = {"float64": 1e308, "float32": 3e38}


@pytest.mark.parametrize("dtype", RANGES)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=5), st.integers(-1074, 1023))
def test_lengths_in_many_digits(dtype, entries, exponent):
    with np.errstate(over="ignore"):
        vector = np.array([math.ldexp(entry, exponent) for entry in entries]).astype(dtype)
    if not np.all(np.isfinite(vector)):
        return
    with mpmath.workdps(700):
        expected = mpmath.sqrt(mpmath.fsum(mpmath.mpf(float(entry)) ** 2 for entry in vector))
        found = float(magnitudes.length(vector))
        least = float(np.finfo(dtype).smallest_subnormal)
        if expected < RANGES[dtype]:
            assert abs(found - expected) <= 4 * np.finfo(dtype).eps * expected + least
    if expected > 1e8 * least:
        assert np.linalg.norm(magnitudes.direction(vector).astype(float)) == pytest.approx(
            1, abs=8 * float(np.finfo(dtype).eps)
        )


@pytest.mark.parametrize("dtype", RANGES)
def test_powers_of_two_are_their_own_units(dtype):
    limits = np.finfo(dtype)
    powers = 2.0 ** np.arange(limits.minexp, limits.maxexp).astype(dtype)
    assert np.array_equal(magnitudes.power(powers), powers)
    ends = magnitudes.power(np.array([0, limits.smallest_subnormal, limits.max], dtype=dtype))
    assert ends.tolist() == [1, limits.smallest_normal, powers[-1]]
    assert ends.dtype == dtype
