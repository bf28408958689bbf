"""Lemma 3 and its consequences against the oracles of its derivation and against itself."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.testing import assert_agrees
from theory.products.qr_product import (
    basis_entry_law,
    column_norm_law,
    corner_law,
    degrees,
    determinant_law,
    diagonal_laws,
    factor_laws,
    joint_moment,
    last_law,
    lyapunov_moment,
    off_diagonal_moment,
    off_diagonal_power,
    rank,
    stretch_law,
)

# n, rows, E r_11, E r_{n-1,n-1}, E r_nn, E r_kj^2 right of the diagonal for k = 1..n-1 (mpmath, 40 digits).
ORACLES = [
    (4, (4, 4, 4), 6.644366696, 1.968701243, 0.5079490875, [37, 19, 7]),
    (3, (5, 4, 6), 9.39985603, 6.383076486, 3.759942412, [60, 36]),
    (12, (12, 12), 11.51082405, 1.570796327, 0.6366197724, list(range(23, 1, -2))),
]
SHAPES = st.integers(2, 30).flatmap(
    lambda n: st.tuples(st.just(n), st.lists(st.integers(n, n + 20), min_size=1, max_size=5).map(tuple))
)


@pytest.mark.parametrize(("n", "rows", "first", "before", "last", "powers"), ORACLES)
def test_oracles(n, rows, first, before, last, powers):
    laws = diagonal_laws(n, rows)
    means = [laws[0].mean(), laws[-2].mean(), last_law(n, rows).mean()]
    assert means == pytest.approx([first, before, last], rel=1e-9)
    assert off_diagonal_power(n, rows)[0] == pytest.approx(powers, rel=1e-12)


def test_entries_of_q_are_coordinates_of_a_uniform_point():
    samples, rng = 20_000, np.random.default_rng(6)
    basis, _ = np.linalg.qr(rng.standard_normal((samples, 5, 4)) @ rng.standard_normal((samples, 4, 3)))
    law, decoys = basis_entry_law((4, 5)), {"a dimension more": basis_entry_law((4, 6))}
    for row, column in ((0, 0), (4, 2)):
        assert_agrees(np.abs(basis[:, row, column]), law, tolerance=0.04, decoys=decoys)
    assert law.moment(2) == pytest.approx(1 / 5, rel=1e-10)


@pytest.mark.parametrize(("k", "mean"), [(1, 132.4990704), (11, 2.4674011), (12, 0.4052847346)])
def test_means_of_four_square_factors(k, mean):
    assert diagonal_laws(12, (12,) * 4)[k - 1].mean() == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize(("n", "rows"), [(4, (5, 3)), (4, (2, 6)), (3, (1,))])
def test_a_trapezoidal_r_follows_the_same_laws(n, rows):
    """Products with a bottleneck: the diagonal that is left, against draws."""
    samples, rng = 20_000, np.random.default_rng(5)
    product = np.eye(n)
    for columns, height in zip((n, *rows), rows, strict=False):
        product = rng.standard_normal((samples, height, columns)) @ product
    diagonal = np.abs(np.diagonal(np.linalg.qr(product, mode="r"), axis1=1, axis2=2))
    laws, wrong = diagonal_laws(n, rows), diagonal_laws(n, tuple(height + 1 for height in rows))
    assert len(laws) == rank(n, rows) == min(n, *rows)
    for k, law in enumerate(laws):
        assert_agrees(diagonal[:, k], law, tolerance=0.04, decoys={"a row more in each": wrong[k]})


def test_the_last_column_of_four_square_factors():
    mean, _ = off_diagonal_power(12, (12,) * 4)
    assert mean[:2] == pytest.approx([6095, 4641])
    assert mean[-2:] == pytest.approx([65, 15])


@given(SHAPES)
def test_the_second_moments_have_the_closed_form(shape):
    n, rows = shape
    k, heights = np.arange(1, n), np.array(rows, dtype=float)[:, None]
    closed = np.prod(heights - k + 1, axis=0) - np.prod(heights - k, axis=0)
    assert off_diagonal_power(n, rows)[0] == pytest.approx(closed, rel=1e-12)


@given(SHAPES)
def test_the_trailing_block_is_the_lemma_for_two_columns(shape):
    n, rows = shape
    reduced = tuple(height - n + 2 for height in rows)
    for law in (last_law, stretch_law, determinant_law):
        assert law(n, rows) == law(2, reduced)


@given(SHAPES, st.randoms(use_true_random=False))
def test_the_order_of_the_factors_leaves_no_trace(shape, random):
    n, rows = shape
    shuffled = tuple(random.sample(rows, len(rows)))
    ours, theirs = off_diagonal_power(n, rows), off_diagonal_power(n, shuffled)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    assert ours[1] == pytest.approx(theirs[1], rel=1e-9)


def test_consequences_hang_together():
    n, rows = 6, (9, 7)
    assert corner_law(n, rows).moment(2) == pytest.approx(off_diagonal_power(n, rows)[0][-1])
    # ||R_22 e_2||^2 = r_{n-1,n}^2 + r_nn^2
    assert stretch_law(n, rows).moment(2) == pytest.approx(corner_law(n, rows).moment(2) + last_law(n, rows).moment(2))
    assert column_norm_law(rows).moment(2) == pytest.approx(63)


def test_a_square_factor_has_an_exponential_block_determinant():
    assert determinant_law(7, (7,)).sf(2.5) == pytest.approx(np.exp(-2.5), rel=1e-10)


@pytest.mark.parametrize(("n", "rows"), [(4, (4,)), (5, (7, 5)), (3, (3, 4, 6))])
def test_the_fourth_moments_behind_the_bands(n, rows):
    """Spread of p_k against a simulation by triangular factors (2e5 draws, seed 3, within 4 standard errors)."""
    generator, draws = np.random.default_rng(3), 200_000
    R = np.broadcast_to(np.eye(n), (draws, n, n))
    for height in rows:
        T = np.triu(generator.standard_normal((draws, n, n)), 1)
        for k in range(n):
            T[:, k, k] = np.sqrt(generator.chisquare(height - k, draws))
        R = T @ R
    mean, sd = off_diagonal_power(n, rows)
    for k in range(n - 1):
        power = np.mean(R[:, k, k + 1 :] ** 2, axis=1)
        squares = (power - mean[k]) ** 2
        assert abs(np.mean(squares) - sd[k] ** 2) < 4 * np.std(squares) / np.sqrt(draws)


@pytest.mark.parametrize(
    ("n", "rows"), [(3, (3,)), (5, (7, 5)), (2000, (4000, 2500, 3000)), (3, (10**6,) * 3), (10**6, (10**6,) * 2)]
)
def test_spreads_right_of_the_diagonal_in_fractions(n, rows):
    """E tau^4 (1 + 2 / (n - k)) - (E tau^2)^2 exactly, whose terms nearly cancel in large products."""
    found = off_diagonal_power(n, rows)[1]
    for k in {1, n // 2, n - 1} - {0}:
        mean = fourth = Fraction(1)
        tail = cross = Fraction(rows[0] - k)
        tail_fourth = tail * (tail + 2)
        for height in rows[1:]:
            alpha, beta = height - k + 1, height - k
            fourth = alpha * (alpha + 2) * fourth + 2 * alpha * cross + tail_fourth
            cross = beta * (alpha * cross + tail_fourth)
            mean = alpha * mean + tail
            tail, tail_fourth = beta * tail, beta * (beta + 2) * tail_fourth
        assert found[k - 1] ** 2 == pytest.approx(float(fourth * (1 + Fraction(2, n - k)) - mean**2), rel=1e-12)


def test_the_lyapunov_exponents_of_square_factors():
    """E ln chi_1 = -0.6351814227, Var ln chi_1 = pi^2 / 8."""
    for layers in (1, 2, 5):
        moment = lyapunov_moment(7, (7,) * layers)
        assert moment.mean == pytest.approx(-0.6351814227 * layers, rel=1e-9)
        assert moment.sd**2 == pytest.approx(layers * np.pi**2 / 8)


def test_the_laws_of_all_entries_are_those_of_the_factors():
    n, rows = 3, (5, 3)
    laws = factor_laws(n, rows)
    assert len(laws) == len(rows) * n * (n + 1) // 2
    mean_squares = [5, 1, 1, 4, 1, 3, 3, 1, 1, 2, 1, 1]
    assert [law.var() + law.mean() ** 2 for law in laws] == pytest.approx(mean_squares)
    assert [law.cdf(0) for law in laws] == pytest.approx([0, 0.5, 0.5, 0, 0.5, 0] * 2)


@pytest.mark.parametrize("shape", [(1, (1,)), (3, (3,)), (2, (4, 2)), (3, (3, 3, 3))])
def test_the_joint_moment_is_centred_and_as_wide_as_it_says(shape):
    moment, rng = joint_moment(*shape), np.random.default_rng(8)
    draws = moment.per_draw(rng.random((200_000, len(moment.laws))))
    assert abs(np.mean(draws)) < 4 * moment.sd / np.sqrt(len(draws))
    squares = draws**2
    assert abs(np.mean(squares) - moment.sd**2) < 4 * np.std(squares) / np.sqrt(len(draws))


def test_the_joint_moment_is_its_fourier_series():
    """One entry: sqrt(180) B_2(x) is the sum over the frequencies a of sqrt(180) cos(2 pi a x) / (pi a)^2."""
    apart, moment = np.linspace(-0.9, 0.9, 7), joint_moment(1, (1,))
    found = moment.per_draw(np.stack((np.maximum(apart, 0), np.maximum(-apart, 0)), axis=1))
    a = np.arange(1, 20_001)[:, None]
    assert found == pytest.approx(
        np.sum(np.sqrt(180) * np.cos(2 * np.pi * a * apart) / (np.pi * a) ** 2, axis=0), abs=1e-4
    )


def test_moments_are_finite_and_centred():
    moment = off_diagonal_moment(50, (50, 60))
    assert moment.mean == 1
    assert 0 < moment.sd < 1


def test_bad_shapes_are_refused():
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        degrees(3, (3,), 0)
    with pytest.raises(ValueError, match=r"k must be at most min\(n, \*rows\) = 2, got 3"):
        degrees(3, (2,), 3)
    for law in (last_law, stretch_law, determinant_law, factor_laws, joint_moment):
        with pytest.raises(ValueError, match="every height must be at least n = 3, got 2"):
            law(3, (4, 2))
    with pytest.raises(ValueError, match="at most 2 factors, got 3"):
        corner_law(3, (3, 3, 3))
