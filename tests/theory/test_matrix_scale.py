"""Formulas on weights and kernels at every scale of their dtype: powers of two change nothing but the exponent."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.conditioning import condition_numbers, gaussian_spectrum
from theory.conditioning.condition_numbers import NORMS
from theory.convolution import circulant, convnorm, wide_resnet
from theory.latent import codes, truncation
from theory.numerics import magnitudes
from theory.things import normalisation, shrinking

RNG = np.random.default_rng(4)
W, X, POSITIVE = RNG.standard_normal((4, 3)), RNG.standard_normal(3), RNG.uniform(1, 2, 3)
OTHER, DELTA = RNG.standard_normal((3, 4)), RNG.standard_normal(3)
LABEL = int(np.argmax(W[0]))


def like(array, values):
    """The constant as an array of the same library and precision."""
    if isinstance(array, np.ndarray):
        return values.astype(array.dtype)
    import torch

    return torch.asarray(values).to(array.dtype)


def kernel(weights):
    return weights.reshape(*weights.shape[:-2], 2, 2, 3)


def grouped(weights):
    return weights.reshape(*weights.shape[:-2], 4, 1, 3)


# Functions of the weights and a vector, and their degree of homogeneity in each.
TABLE = {
    **{
        f"{name} {norm}": (lambda w, x, name=name, norm=norm: getattr(condition_numbers, name)(w, norm), (degree, 0))
        for name, degree in (("matrix_norm", 1), ("condition", 0))
        for norm in NORMS
    },
    **{
        f"vector_norm {norm}": (lambda w, x, norm=norm: condition_numbers.vector_norm(x, norm), (0, 1))
        for norm in NORMS
    },
    **{
        f"{name} {norm}": (lambda w, x, name=name, norm=norm: getattr(condition_numbers, name)(w, x, norm), (0, 0))
        for name in ("row_space_factor", "effective_condition")
        for norm in NORMS
    },
    **{
        name: (lambda w, x, name=name: getattr(condition_numbers, name)(w, x, like(x, DELTA)), (0, -1))
        for name in ("relative_growth", "printed_bound", "row_space_bound")
    },
    "relative_growth by delta": (lambda w, x: condition_numbers.relative_growth(w, like(x, DELTA), x), (0, 1)),
    "row_space_factor of a wide layer": (lambda w, x: condition_numbers.row_space_factor(w[..., :2, :], x), (0, 0)),
    "condition, strict": (lambda w, x: condition_numbers.condition(w, 1, strict=True), (0, 0)),
    "gauge_condition": (lambda w, x: condition_numbers.gauge_condition(w), (0, 0)),
    "stable_rank": (lambda w, x: condition_numbers.stable_rank(w), (0, 0)),
    "stretch mean": (lambda w, x: condition_numbers.stretch_moments(w)[0], (2, 0)),
    "stretch variance": (lambda w, x: condition_numbers.stretch_moments(w)[1], (4, 0)),
    "random_growth": (lambda w, x: condition_numbers.random_growth(w, x), (0, 0)),
    "leaky_outputs": (lambda w, x: condition_numbers.leaky_outputs([w, like(w, OTHER)], x, 0.25), (1, 1)),
    "lipschitz_product": (lambda w, x: condition_numbers.lipschitz_product([w, like(w, OTHER), w], 2), (2, 0)),
    "telescoped_bound": (
        lambda w, x: condition_numbers.telescoped_bound([w, like(w, OTHER), w], x, like(x, DELTA), 0.5),
        (0, -1),
    ),
    "leaky_product_bound": (
        lambda w, x: condition_numbers.leaky_product_bound([w, like(w, OTHER)], like(x, DELTA), x, 0.5),
        (0, 1),
    ),
    "convolution_norm_bounds": (
        lambda w, x: condition_numbers.convolution_norm_bounds(w.reshape(2, 2, 3, 1), 2)[1],
        (1, 0),
    ),
    "bottom_part": (lambda w, x: shrinking.bottom_part(w, 2), (1, 0)),
    "shrink_bottom": (lambda w, x: shrinking.shrink_bottom(w, 1, 0.25), (1, 0)),
    "truncation error": (lambda w, x: truncation.truncation_errors(w, 2)[0], (1, 0)),
    "truncation error, Frobenius": (lambda w, x: truncation.truncation_errors(w, 2)[1], (1, 0)),
    "top margin": (lambda w, x: truncation.margin_parts(w, x, 0, 1, 1)[0], (1, 1)),
    "margin change": (lambda w, x: truncation.margin_change_bounds(w, x, 0, 1, 2, 0.5)[0], (1, 1)),
    "typical_margin_change": (lambda w, x: truncation.typical_margin_change(w, x, 2, 0.5), (1, 1)),
    "energy_profile": (lambda w, x: truncation.energy_profile(w, x), (0, 0)),
    "gradient_energy": (lambda w, x: truncation.gradient_energy(w[..., :3, :], x), (2, 2)),
    "imbalance": (lambda w, x: codes.imbalance(w, w[..., :3, :]), (0, 0)),
    "regauged, inverse": (lambda w, x: codes.regauged(like(w, W), like(w, OTHER), w[..., :3, :])[0], (-1, 0)),
    "regauged": (lambda w, x: codes.regauged(like(w, W), like(w, OTHER), w[..., :3, :])[1], (1, 0)),
    "linear_projection": (lambda w, x: codes.linear_projection(w[..., :3, :], x), (-1, 1)),
    "stall_penalty": (lambda w, x: codes.stall_penalty(x, 0 * x + 0.5), (0, 1)),
    "column_distances": (lambda w, x: gaussian_spectrum.column_distances(w), (1, 0)),
    "circular norm": (lambda w, x: circulant.spectral_norm(kernel(w), (5,)), (1, 0)),
    "circular norm, strided": (lambda w, x: circulant.spectral_norm(grouped(w), (4,), 2, 4), (1, 0)),
    "circular singular values": (lambda w, x: circulant.singular_values(grouped(w), (5,), 1, 2), (1, 0)),
    "circular condition": (lambda w, x: circulant.condition(kernel(w), (5,)), (0, 0)),
    "zero_padding_bound": (lambda w, x: circulant.zero_padding_bound(kernel(w), (5,)), (1, 0)),
    "row_norms": (lambda w, x: normalisation.row_norms(kernel(w), (5,)), (1, 0)),
    "smallest_row_norm": (lambda w, x: normalisation.smallest_row_norm(kernel(w), (5,)), (1, 0)),
    "normaliser": (lambda w, x: normalisation.normaliser(kernel(w), (5,)), (-1, 0)),
    "relative_normaliser": (lambda w, x: normalisation.relative_normaliser(kernel(w), (5,), 0.1), (-1, 0)),
    "normalised_kernel": (lambda w, x: normalisation.normalised_kernel(kernel(w), (5,)), (0, 0)),
    "normalised norm": (lambda w, x: convnorm.spectral_norm(grouped(w), (5,), groups=2), (0, 0)),
    "tight_frame_deviation": (lambda w, x: convnorm.tight_frame_deviation(kernel(w), (5,)), (0, 0)),
    "stack_bounds": (lambda w, x: convnorm.stack_bounds(abs(x))[1], (0, 1)),
    "comparison": (lambda w, x: convnorm.comparison(kernel(w), (5,))[1], (0, 0)),
    "equilibrated_condition_bound": (lambda w, x: convnorm.equilibrated_condition_bound(w[..., :3, :], abs(x)), (0, 0)),
    "Lipschitz": (
        lambda w, x: wide_resnet.lipschitz(1e30, [wide_resnet.Block(1e-20, 1e-10, 1.0)], 1e-30, abs(x)),
        (0, 1),
    ),
    "certified_radius": (lambda w, x: wide_resnet.certified_radius(w[..., 0, :], LABEL, abs(x)), (1, -1)),
}
EXPONENTS = {"float64": (-990, -500, -1, 520, 990), "float32": (-115, -70, 1, 70, 115)}
STACKED = [name for name, (_, degrees) in TABLE.items() if degrees[0] in (0, 1) and name not in (
    "convolution_norm_bounds", "Lipschitz", "stack_bounds", "stall_penalty", "certified_radius"
)]  # fmt: skip


def shifted(array, exponent):
    """Times a power of two, exactly unless it leaves the range."""
    half = exponent // 2
    return array * 2.0**half * 2.0 ** (exponent - half)


def fits(values, exponent, dtype):
    """Whether numbers, and what is lost of them, stay in the range of the dtype after a shift."""
    limits, sizes = np.finfo(dtype), np.abs(np.asarray(values, dtype=float))
    sizes = np.log2(sizes[(sizes > 0) & np.isfinite(sizes)])
    return np.all(sizes + exponent < limits.maxexp) and np.all(sizes + exponent > limits.minexp + limits.nmant)


@pytest.mark.parametrize("dtype", EXPONENTS)
@pytest.mark.parametrize("name", TABLE)
def test_powers_of_two_only_move_the_exponent(name, dtype):
    formula, (by_weights, by_vector) = TABLE[name]
    w, x = W.astype(dtype), X.astype(dtype)
    expected = formula(w, x)
    checked = 0
    for a in EXPONENTS[dtype]:
        for b in EXPONENTS[dtype]:
            shift = a * by_weights + b * by_vector
            if fits(expected, shift, dtype):
                assert np.array_equal(formula(shifted(w, a), shifted(x, b)), shifted(expected, shift))
                checked += 1
    assert checked >= 5


@pytest.mark.parametrize("dtype", EXPONENTS)
@pytest.mark.parametrize("name", TABLE)
def test_other_factors_change_nothing_but_rounding(name, dtype):
    formula, (by_weights, by_vector) = TABLE[name]
    ends = {"float64": (1e-300, 1e-23, 1e200, 1e300), "float32": (1e-37, 1e-23, 1e20, 1e37)}[dtype]
    w, x = W.astype(dtype), X.astype(dtype)
    expected = formula(w, x)
    for factor in ends:
        exponent = math.log2(factor) * (by_weights + by_vector)
        if fits(expected, exponent, dtype):
            found = np.asarray(formula((factor * w).astype(dtype), (factor * x).astype(dtype)), dtype=float)
            if by_weights + by_vector:
                found = found / 10.0 ** (round(math.log10(factor)) * (by_weights + by_vector))
            precision = 1e-12 if dtype == "float64" else 1e-4
            assert found == pytest.approx(np.asarray(expected, dtype=float), rel=precision, abs=precision)


@pytest.mark.parametrize("dtype", EXPONENTS)
@pytest.mark.parametrize("name", TABLE)
def test_torch_agrees_and_gradients_stay_finite(name, dtype):
    torch = pytest.importorskip("torch")
    formula, (by_weights, by_vector) = TABLE[name]

    def gradients(a, b):
        w, x = (
            shifted(torch.asarray(array).to(getattr(torch, dtype)), exponent).requires_grad_()
            for array, exponent in ((W, a), (X, b))
        )
        value = formula(w, x)
        parts = torch.autograd.grad(torch.sum(value), (w, x), allow_unused=True)
        return value.detach().numpy(), *(None if part is None else part.numpy() for part in parts)

    expected, *slopes = gradients(0, 0)
    low, *_, high = EXPONENTS[dtype]
    for a, b in ((low, low), (low, 0), (0, high), (high, high), (EXPONENTS[dtype][1], EXPONENTS[dtype][3])):
        shift = a * by_weights + b * by_vector
        moved = [(slope, shift - own) for slope, own in zip(slopes, (a, b), strict=True) if slope is not None]
        if not all(fits(values, exponent, dtype) for values, exponent in ((expected, shift), *moved)):
            continue
        found, *rest = gradients(a, b)
        assert found == pytest.approx(shifted(expected, shift), rel=1e-12 if dtype == "float64" else 1e-4)
        for slope, (before, exponent) in zip([part for part in rest if part is not None], moved, strict=True):
            size = float(np.max(np.abs(before)))
            back = shifted(slope.astype(float), -exponent)
            assert back == pytest.approx(before, abs=size * (1e-10 if dtype == "float64" else 1e-3))


@pytest.mark.parametrize("name", STACKED)
def test_every_matrix_of_a_stack_has_its_own_scale(name):
    formula, (degree, _) = TABLE[name]
    exponents = (-990, 0, 990)
    stack, x = np.stack([shifted(W, a) for a in exponents]), np.stack([X] * 3)
    expected = formula(W, X)
    found = formula(stack, x)
    for each, a in zip(found, exponents, strict=True):
        if degree == 0 or fits(expected, a * degree, "float64"):
            assert np.asarray(shifted(each, -a * degree)) == pytest.approx(np.asarray(expected), rel=1e-12)


def test_dead_units_and_the_ends_of_the_range_by_hand():
    for s, dtype in ((1e-200, np.float64), (1e200, np.float64), (1e-23, np.float32), (1e-37, np.float32)):
        unit = (s * np.eye(3)).astype(dtype)
        assert [float(condition_numbers.condition(unit, p)) for p in NORMS] == pytest.approx([1, 1, 1, 3], rel=1e-6)
        assert float(condition_numbers.stable_rank(unit)) == pytest.approx(3, rel=1e-6)
        assert float(condition_numbers.matrix_norm(unit, "fro")) == pytest.approx(s * math.sqrt(3), rel=1e-6)
        assert codes.imbalance(unit, unit) == 0
        assert float(truncation.truncation_errors(unit, 2)[1]) == pytest.approx(s * math.sqrt(2), rel=1e-6)


def test_products_out_of_range_on_the_way_are_none_at_the_end():
    large, small, one = 1e200 * np.eye(2), 1e-300 * np.eye(2), np.ones(2)
    assert condition_numbers.lipschitz_product([large, large, small]) == pytest.approx(1e100)
    assert condition_numbers.leaky_outputs([large, large, small], one, 0.5) == pytest.approx(1e100 * one)
    assert condition_numbers.telescoped_bound([large, large], one, one) == pytest.approx(1)
    assert condition_numbers.leaky_product_bound([np.eye(2)] * 3, one, 1e-300 * one, 1e-200) == pytest.approx(1e100)
    assert truncation.cascade_bounds([large, large, small], [one, 0 * one, 0 * one], [1, 1, 1], 0.0)[
        1
    ] == pytest.approx(1e100 * math.sqrt(2))
    assert wide_resnet.Block(1e-300, 1e200, 1e200).lipschitz == pytest.approx(1e100)
    blocks = [wide_resnet.Block(1, 1e200, 1e100), wide_resnet.Block(1, 1e200, 1e-200)]
    assert wide_resnet.lipschitz(1e-200, blocks, 1e-100, 1e200) == pytest.approx(2e200 / 8)
    assert codes.imbalance(1e200 * np.eye(2), 1e100 * np.eye(2)) == pytest.approx(1e100)


def test_one_output_channel_may_be_smaller_than_another():
    """Rows are normalised one by one; a channel that is 1e-20 of another is as good."""
    kernel = RNG.standard_normal((2, 2, 3))
    faint = kernel * np.array([1.0, 1e-200])[:, None, None]
    assert normalisation.normalised_kernel(faint, (5,)) == pytest.approx(
        normalisation.normalised_kernel(kernel, (5,)), rel=1e-10
    )
    assert not normalisation.vanishes(faint, (5,))
    rows = np.linalg.norm(normalisation.normalised_transfer(faint, (5,), 1e-30), axis=-1)
    assert rows[..., 0] == pytest.approx(np.ones(5))
    assert np.all(rows[..., 1] < 1e-180)


@given(st.lists(st.tuples(st.floats(-280, 280), st.floats(1, 2), st.booleans()), min_size=1, max_size=12))
def test_products_against_fractions(drawn):
    """In any order, of numbers and of arrays: to rounding wherever the result is in range."""
    factors = [mantissa * 10.0**digits for digits, mantissa, above in drawn if above]
    over = [mantissa * 10.0**digits for digits, mantissa, above in drawn if not above]
    exact = math.prod(map(Fraction, factors)) / math.prod(map(Fraction, over))
    if factors and Fraction(10) ** -300 < exact < Fraction(10) ** 300:
        assert magnitudes.product(*factors, over=over) == pytest.approx(float(exact), rel=1e-14)
        arrays = [np.array([value, 1.0]) for value in factors], [np.array([value, 1.0]) for value in over]
        assert magnitudes.product(*arrays[0], over=arrays[1]) == pytest.approx([float(exact), 1], rel=1e-14)
        assert magnitudes.product(*map(Fraction, factors), over=list(map(Fraction, over))) == exact


def test_products_with_zeros():
    zero, one = np.array([0.0, 1.0]), np.array([1.0, 1.0])
    assert list(magnitudes.product(one, over=[zero])) == [math.inf, 1]
    assert list(magnitudes.product(zero, over=[zero])) == [math.inf, 1]
    assert list(magnitudes.product(zero, 1e300, 1e300, 1e-300)) == pytest.approx([0, 1e300])
    assert magnitudes.product(Fraction(1), over=[Fraction(0)]) == math.inf
