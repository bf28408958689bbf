"""Condition numbers against their definitions, their relations, and worst cases found by search."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fragility.testing import assert_agrees
from theory.conditioning import condition_numbers
from theory.conditioning.condition_numbers import NORMS, condition, gauge_condition, matrix_norm, vector_norm
from theory.convolution.matrices import dense
from theory.things import kernels

# W, kappa in the norms 1, 2, inf, Frobenius
WAVES = np.sin(1.7 * np.arange(12) + 0.1 * np.arange(12) ** 2 + 0.5).reshape(4, 3)
ORACLES = [
    (WAVES, (9.9120657612, 7.9882819610, 15.0193522097, 9.6534852693)),
    ([[3, 0], [4, 5]], (4.2, 3, 4.2, 10 / 3)),
    ([[1, 1], [0, 1], [1, 0]], (2, 1.73205081, 2.66666667, 2.30940108)),
]
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def matrices(draw, least=1):
    """Any shape, rank and scale; kappa_2 is at most 1e3."""
    rows, columns = draw(st.integers(least, 6)), draw(st.integers(least, 6))
    rank = draw(st.integers(1, min(rows, columns)))
    rng = np.random.default_rng(draw(SEEDS))
    left, right = (np.linalg.qr(rng.standard_normal((size, rank)))[0] for size in (rows, columns))
    return draw(st.sampled_from((1e-6, 1.0, 1e6))) * (left * 10 ** rng.uniform(0, 3, rank)) @ right.T


@pytest.mark.parametrize(("W", "expected"), ORACLES)
def test_oracles(W, expected):
    W = np.array(W, dtype=float)
    assert [condition(W, p) for p in NORMS] == pytest.approx(expected, rel=1e-8)
    assert [condition(W, p, strict=True) for p in NORMS] == pytest.approx(expected, rel=1e-8)


def test_the_two_definitions_part_on_singular_matrices():
    ones = np.ones((2, 2))
    assert condition(ones) == pytest.approx(1)
    for norm in NORMS:
        assert condition(ones, norm, strict=True) == math.inf
        assert condition(np.zeros((2, 3)), norm) == 0
        assert condition(np.zeros((2, 3)), norm, strict=True) == math.inf


def test_stacks_are_conditioned_one_by_one():
    stack = np.random.default_rng(1).standard_normal((2, 3, 4, 5))
    stack[1, 2] = 1
    for norm in NORMS:
        for strict in (False, True):
            each = [[condition(W, norm, strict) for W in row] for row in stack]
            assert condition(stack, norm, strict) == pytest.approx(np.array(each))


@pytest.mark.parametrize("norm", NORMS)
def test_against_numpy(norm):
    A = np.random.default_rng(2).standard_normal((5, 5))
    assert condition(A, norm) == pytest.approx(np.linalg.cond(A, norm))


@given(matrices())
def test_laws_of_condition_numbers(W):
    kappa = {p: condition(W, p) for p in NORMS}
    rank = int(condition_numbers.rank(W))
    assert rank == np.linalg.matrix_rank(W)
    assert min(kappa.values()) >= 1 - 1e-9
    assert kappa["fro"] >= rank * (1 - 1e-9)
    for p, q in ((1, math.inf), (2, 2), ("fro", "fro")):
        assert condition(W.T, p) == pytest.approx(kappa[q], rel=1e-7)
        assert condition(-7 * W, p) == pytest.approx(kappa[p], rel=1e-7)
    for p in (1, math.inf):
        assert kappa[2] / math.sqrt(W.size) * (1 - 1e-9) <= kappa[p] <= kappa[2] * math.sqrt(W.size) * (1 + 1e-9)
    if rank >= 2:
        low, high = condition_numbers.frobenius_condition_range(kappa[2], rank)
        assert low * (1 - 1e-9) <= kappa["fro"] <= high * (1 + 1e-9)
        if rank == 2:
            assert low == pytest.approx(high)
    assert condition_numbers.stable_rank(W) <= (kappa["fro"] / kappa[2]) ** 2 * (1 + 1e-9)


@given(matrices(), SEEDS)
def test_orthogonal_transforms_and_signed_permutations(W, seed):
    rng = np.random.default_rng(seed)
    Q = np.linalg.qr(rng.standard_normal(2 * [len(W)]))[0]
    P = np.eye(len(W))[rng.permutation(len(W))] * rng.choice((-1, 1), len(W))
    for p in (2, "fro"):
        assert condition(Q @ W, p) == pytest.approx(condition(W, p), rel=1e-7)
    for p in NORMS:
        assert condition(P @ W, p) == pytest.approx(condition(W, p), rel=1e-7)


@given(matrices(), SEEDS)
def test_no_relative_error_beyond_the_row_space_bound(W, seed):
    rng = np.random.default_rng(seed)
    x, delta = rng.standard_normal((2, 20, W.shape[1]))
    delta[0] = np.linalg.svd(W)[2][0]
    for norm in NORMS:
        growth = condition_numbers.relative_growth(W, x, delta, norm)
        factor = condition_numbers.row_space_factor(W, x, norm)
        assert np.all(growth <= condition_numbers.row_space_bound(W, x, delta, norm) * (1 + 1e-7))
        effective = condition_numbers.effective_condition(W, x, norm)
        assert np.all(growth <= effective * vector_norm(delta, norm) / vector_norm(x, norm) * (1 + 1e-7))
        assert np.all(effective <= condition(W, norm) * factor * (1 + 1e-7))
        if np.linalg.matrix_rank(W) == W.shape[1]:
            assert factor == pytest.approx(1, rel=1e-6)


def test_the_printed_bound_fails_for_wide_layers():
    W, x, delta = np.array([[1.0, 0.0]]), np.array([1e-3, 1.0]), np.array([1e-3, 0.0])
    for norm in NORMS:
        assert condition_numbers.relative_growth(W, x, delta, norm) == 1
    assert condition_numbers.printed_bound(W, x, delta) == pytest.approx(0.000999999500, rel=1e-9)
    assert condition_numbers.row_space_bound(W, x, delta) == pytest.approx(1)


def test_it_fails_for_typical_inputs_of_a_softmax_layer():
    """10 x 784 with orthonormal rows: always, by sqrt(n / r) = 8.854 or so; the share seen is Beta(5, 387)."""
    rng = np.random.default_rng(5)
    W = np.linalg.qr(rng.standard_normal((784, 10)))[0].T
    x = rng.standard_normal((2000, 784))
    excess = condition_numbers.relative_growth(W, x, W[0]) / condition_numbers.printed_bound(W, x, W[0])
    assert excess.min() > 1
    assert np.median(excess) == pytest.approx(9.14, rel=0.03)
    seen = condition_numbers.row_space_factor(W, x) ** -2.0
    assert_agrees(seen, stats.beta(5, 387), tolerance=0.1, decoys={"two rows more": stats.beta(6, 386)})


def test_the_gauge():
    """Adding a functional to all logits: kappa without bound, gauge-fixed kappa and probabilities as they were."""
    rng = np.random.default_rng(6)
    W, c = rng.standard_normal((10, 784)), rng.standard_normal(784) / 28
    kappas = [condition(W + size * c) for size in (0, 100, 10000)]
    assert kappas[0] < 1.3
    assert kappas[1] > 10
    assert kappas[2] > 1000
    for size in (0, 10, 1000):
        assert gauge_condition(W + size * c) == pytest.approx(gauge_condition(W), rel=1e-6)
    assert gauge_condition(np.ones((3, 4))) == math.inf
    assert condition(W - W.mean(axis=0), strict=True) == math.inf


def test_random_directions():
    rng = np.random.default_rng(7)
    W, x = rng.standard_normal((3, 5)), rng.standard_normal(5)
    mean, variance = condition_numbers.stretch_moments(W)
    d = rng.standard_normal((400_000, 5))
    squares = np.sum((d @ W.T) ** 2, axis=1) / np.sum(d**2, axis=1)
    assert np.mean(squares) == pytest.approx(mean, rel=0.01)
    assert np.var(squares) == pytest.approx(variance, rel=0.02)
    # Whichever side the Gram matrix is taken on.
    assert condition_numbers.stretch_moments(np.vstack([W, np.zeros((4, 5))])) == pytest.approx((mean, variance))
    growth = condition_numbers.random_growth(W, x)
    assert growth == pytest.approx(math.sqrt(mean) * np.linalg.norm(x) / np.linalg.norm(W @ x))


def test_many_layers():
    rng = np.random.default_rng(8)
    for _ in range(200):
        sizes = np.sort(rng.integers(1, 6, 4))
        weights = [rng.standard_normal((rows, columns)) for columns, rows in pairwise(sizes)]
        x, delta = rng.standard_normal((2, sizes[0])) * [[1], [10 ** rng.uniform(-3, 1)]]
        change = condition_numbers.leaky_outputs(weights, x + delta, 0.2) - condition_numbers.leaky_outputs(
            weights, x, 0.2
        )
        growth = np.linalg.norm(change) / np.linalg.norm(condition_numbers.leaky_outputs(weights, x, 0.2))
        telescoped = condition_numbers.telescoped_bound(weights, x, delta, 0.2)
        assert growth <= telescoped * (1 + 1e-9)
        assert telescoped <= condition_numbers.leaky_product_bound(weights, x, delta, 0.2) * (1 + 1e-9)


def test_kernels_are_reshaped_as_in_the_paper():
    kernel = np.random.default_rng(9).standard_normal((7, 2, 3, 4))
    matrix = kernels.kernel_matrix(kernel)
    tensorflow = np.transpose(kernel, (2, 3, 1, 0))
    assert np.array_equal(matrix, tensorflow.reshape(3 * 4 * 2, 7))
    rows = kernel.reshape(7, -1)
    assert condition(matrix) == pytest.approx(condition(rows))
    assert condition(matrix, 1) == pytest.approx(condition(rows, math.inf))


@settings(max_examples=30)
@given(SEEDS, st.integers(1, 3), st.integers(1, 2))
def test_a_convolution_lies_within_its_norm_bounds(seed, tap, stride):
    kernel = np.random.default_rng(seed).standard_normal((2, 3, tap, 2))
    low, high = condition_numbers.convolution_norm_bounds(kernel)
    norm = np.linalg.norm(dense(kernel, (6, 6), stride), 2)
    assert low * (1 - 1e-9) <= norm <= high * (1 + 1e-9)


def test_the_condition_number_of_a_reshaped_kernel_says_nothing_of_the_convolution():
    edge, copies = np.array([[[[1.0, -1.0]]]]), np.array([[[[1.0, 0.0]]], [[[1.0, 0.0]]]])
    assert condition(kernels.kernel_matrix(edge)) == 1
    assert condition(dense(edge, (1, 6)), strict=True) == math.inf
    assert condition(kernels.kernel_matrix(copies), strict=True) == math.inf
    assert condition(dense(copies, (1, 6))) == pytest.approx(1)


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(10)
    W, x, delta, kernel = (rng.standard_normal(shape) for shape in ((2, 4, 3), 3, 3, (2, 3, 2, 2)))
    T = {name: torch.tensor(value, requires_grad=True) for name, value in dict(W=W, x=x, d=delta, K=kernel).items()}
    for norm in NORMS:
        for strict in (False, True):
            assert condition(T["W"], norm, strict).detach().numpy() == pytest.approx(
                condition(W, norm, strict), rel=1e-12
            )
        for measure in (
            condition_numbers.relative_growth,
            condition_numbers.printed_bound,
            condition_numbers.row_space_bound,
        ):
            ours, theirs = measure(W, x, delta, norm), measure(T["W"], T["x"], T["d"], norm)
            assert theirs.detach().numpy() == pytest.approx(ours, rel=1e-12)
        assert torch.autograd.gradcheck(lambda W, norm=norm: condition(W, norm), T["W"])
        assert torch.autograd.gradcheck(
            lambda W, x, norm=norm: condition_numbers.effective_condition(W, x, norm), (T["W"], T["x"])
        )
        assert torch.autograd.gradcheck(
            lambda W, x, norm=norm: condition_numbers.row_space_factor(W.mT, W[..., 0], norm), (T["W"], T["x"])
        )
    assert torch.autograd.gradcheck(gauge_condition, T["W"])
    assert torch.autograd.gradcheck(condition_numbers.stretch_moments, T["W"])
    assert torch.autograd.gradcheck(condition_numbers.convolution_norm_bounds, T["K"])
    assert condition_numbers.rank(T["W"]).tolist() == [3, 3]


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="norm must be 1, 2, inf or 'fro', got 3"):
        condition(np.eye(2), 3)
    with pytest.raises(ValueError, match="W must have at least 2 axes"):
        condition(np.ones(2))
    with pytest.raises(ValueError, match="W must be finite"):
        matrix_norm(np.full((2, 2), np.nan))
    with pytest.raises(ValueError, match="at least 2 rows"):
        gauge_condition(np.ones((1, 2)))
    with pytest.raises(ValueError, match="kernel must have 4 axes"):
        kernels.kernel_matrix(np.ones((2, 2)))
    with pytest.raises(ValueError, match="slope must be above 0 and at most 1, got 0"):
        condition_numbers.leaky_product_bound([np.eye(2)], np.ones(2), np.ones(2), 0)
    with pytest.raises(ValueError, match="rank must be at least 2, got 1"):
        condition_numbers.frobenius_condition_range(1.0, 1)


@pytest.mark.parametrize("norm", NORMS)
def test_complex_matrices(norm):
    """[[2, i], [-i, 2]] has the eigenvalues 1 and 3: 3 in every induced norm, ||A||_F ||A^-1||_F = 10 / 3 by hand."""
    A = np.array([[2, 1j], [-1j, 2]])
    assert condition(A, norm) == pytest.approx(10 / 3 if norm == "fro" else 3)
    rng = np.random.default_rng(11)
    other = rng.standard_normal((4, 4)) + 1j * rng.standard_normal((4, 4))
    assert condition(other, norm) == pytest.approx(np.linalg.cond(other, norm))
    assert matrix_norm(other, norm) == pytest.approx(np.linalg.norm(other, norm))


def test_what_a_singular_layer_gives():
    """Where something is 0, annihilated or missing: what the docstrings say, and never NaN."""
    rng = np.random.default_rng(12)
    zero, one, regular = np.zeros((3, 3)), np.ones((3, 3)), rng.standard_normal((3, 3))
    stack, x, delta = np.stack([zero, one, regular]), np.array([1.0, -1.0, 0.0]), rng.standard_normal(3)
    assert list(condition_numbers.rank(stack)) == [0, 1, 3]
    assert list(condition_numbers.stable_rank(stack)[:2]) == pytest.approx([0, 1])
    for norm in NORMS:
        assert list(condition(stack, norm, strict=True)[:2]) == [math.inf, math.inf]
        assert condition(stack, norm)[2] == pytest.approx(np.linalg.cond(regular, norm))
        for measure in (condition_numbers.effective_condition, condition_numbers.row_space_factor):
            assert list(measure(stack, x, norm)[:2]) == [math.inf, math.inf]
            assert measure(stack, 0 * x, norm)[2] == math.inf
        for bound in (condition_numbers.relative_growth, condition_numbers.row_space_bound):
            assert list(bound(stack, x, delta, norm)[:2]) == [math.inf, math.inf]
        assert condition_numbers.printed_bound(regular, 0 * x, delta, norm) == math.inf
        assert condition_numbers.telescoped_bound([zero], x, delta, norm=norm) == math.inf
    assert list(condition_numbers.random_growth(stack, x)[:2]) == [math.inf, math.inf]
    with pytest.raises(ValueError, match="weights must hold at least one matrix, got none"):
        condition_numbers.lipschitz_product([])
    with pytest.raises(ValueError, match=r"x must have 3 entries along its last axis, got shape \(2,\)"):
        condition_numbers.relative_growth(regular, x[:2], delta)


@given(SEEDS, st.integers(1, 15))
def test_full_column_rank_sees_everything_however_near_it_is_to_losing_it(seed, digits):
    """The factor is 1 where W x = 0 for x = 0 only; W^+ W x, computed, is only within kappa u of x."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((size, 3)))[0] for size in (5, 3))
    W, x = (left * np.array([1.0, 0.5, 10.0**-digits])) @ right.T, rng.standard_normal(3)
    for norm in NORMS:
        if condition_numbers.rank(W) == 3:
            assert condition_numbers.row_space_factor(W, x, norm) == pytest.approx(1, rel=1e-15)


@given(SEEDS, st.floats(0.5, 15))
def test_condition_numbers_near_the_loss_of_rank(seed, digits):
    """Against 50 digits: kappa errs by some kappa u of itself, as a change of the entries by u does."""
    mpmath = pytest.importorskip("mpmath")
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((3, 3))
    W[2] = W[0] + 10.0**-digits * W[2]
    with mpmath.workdps(50):
        exact, inverse = mpmath.matrix(W.tolist()), mpmath.matrix(W.tolist()) ** -1
        ratio = mpmath.svd_r(exact, compute_uv=False)
        kappas = [mpmath.mnorm(exact, p) * mpmath.mnorm(inverse, p) for p in (1, mpmath.inf, "f")]
        kappas.insert(1, ratio[0] / ratio[2])
    if condition_numbers.rank(W) == 3:
        for norm, kappa in zip(NORMS, map(float, kappas), strict=True):
            assert condition(W, norm) == pytest.approx(kappa, rel=20 * kappa * 2.3e-16)


def test_weights_that_centring_takes_to_zero_have_no_gauge_condition():
    """1 c^T minus its mean is rounding, of which no ratio is a condition number."""
    c = np.random.default_rng(13).standard_normal(6) * 0.1
    assert gauge_condition(np.tile(c, (7, 1))) == math.inf
    assert gauge_condition(np.tile(c, (7, 1)) + 1e-20) == math.inf
    assert gauge_condition(np.zeros((2, 3))) == math.inf
    logits = np.random.default_rng(16).standard_normal((7, 6))
    assert gauge_condition(logits + 1e6 * c) == pytest.approx(gauge_condition(logits), rel=1e-8)
    rounded = np.tile(c, (7, 1)) * (1 + np.sign(logits) * np.finfo(float).eps)
    assert gauge_condition(rounded) == math.inf  # though what is left, pure rounding, has full rank
    assert gauge_condition(np.array([[1.0], [3.0]])) == 1


def test_the_variance_of_equal_stretches_is_zero():
    Q = np.linalg.qr(np.random.default_rng(14).standard_normal((6, 6)))[0]
    mean, variance = condition_numbers.stretch_moments(0.1 * Q)
    assert mean == pytest.approx(0.01)
    assert 0 <= variance < 1e-30


def test_groups_are_kernels_side_by_side():
    kernel = np.random.default_rng(15).standard_normal((4, 2, 3, 2))
    stack = kernels.kernel_matrix(kernel, 2)
    assert np.array_equal(stack[1], kernels.kernel_matrix(kernel[2:]))
    low, high = condition_numbers.convolution_norm_bounds(kernel, 2)
    assert low == pytest.approx(max(np.linalg.norm(part, 2) for part in stack))
    assert low <= np.linalg.norm(dense(kernel, (5, 5), groups=2), 2) <= high
    with pytest.raises(ValueError, match="groups must divide the output channels, got 3 for 4"):
        kernels.kernel_matrix(kernel, 3)
