"""Condition numbers against NumPy's, at the edges of rank and shape, and never NaN."""

import numpy as np
import pytest

import theory.conditioning.condition_numbers as formulas
from empirical.measures.condition import NORMS, condition, gauge_condition, row_space
from fragility.engine.study import UsageError

NUMPY = {"1": 1, "2": 2, "inf": np.inf, "fro": "fro"}
SHAPES = [(1, 1), (1, 7), (7, 1), (5, 5), (9, 4), (4, 9), (60, 10)]


def gaussian(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_the_norm_times_that_of_numpys_pseudo_inverse(shape):
    W = gaussian(*shape)
    kappa, strict = condition(W)
    for value, norm in zip(kappa, NORMS, strict=True):
        expected = np.linalg.norm(W, NUMPY[norm]) * np.linalg.norm(np.linalg.pinv(W), NUMPY[norm])
        assert value == pytest.approx(expected, rel=1e-10)
    np.testing.assert_array_equal(kappa, strict)
    assert kappa[1] == pytest.approx(np.linalg.cond(W), rel=1e-10)


def test_square_matrices_have_numpys_condition_number_in_every_norm():
    W = gaussian(6, 6)
    np.testing.assert_allclose(condition(W)[0], [np.linalg.cond(W, NUMPY[norm]) for norm in NORMS], rtol=1e-9)


@pytest.mark.parametrize("W", [[[3, 0], [4, 5]], [[1, 1], [0, 1], [1, 0]]])
def test_by_hand(W):
    expected = {2: [4.2, 3, 4.2, 10 / 3], 3: [2, 3**0.5, 8 / 3, 4 / 3**0.5]}[len(W)]
    np.testing.assert_allclose(condition(np.array(W))[0], expected, rtol=1e-12)


def test_nothing_is_left_of_the_zero_matrix():
    kappa, strict = condition(np.zeros((5, 3)))
    assert kappa.tolist() == [0, 0, 0, 0]
    assert not np.signbit(kappa).any()
    assert strict.tolist() == [np.inf] * 4
    assert row_space(np.zeros((5, 3))).shape == (0, 3)


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (5, 5)])
def test_a_lost_rank_is_left_out_of_one_and_makes_the_other_infinite(shape):
    W = gaussian(shape[0], 3) @ gaussian(3, shape[1], seed=1)
    kappa, strict = condition(W)
    inverse = np.linalg.pinv(W, rtol=1e-12)
    expected = [np.linalg.norm(W, NUMPY[norm]) * np.linalg.norm(inverse, NUMPY[norm]) for norm in NORMS]
    np.testing.assert_allclose(kappa, expected, rtol=1e-9)
    assert (strict == np.inf).all()
    np.testing.assert_allclose(condition(np.ones((4, 2)))[0], 1, rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("lost", [False, True])
def test_the_formulas_of_theory_agree(shape, lost):
    """Written another way, on whole batches; both take the same singular values for rounding."""
    W = gaussian(*shape)
    if lost:
        W[:, -1] = W[:, 0]
        W[-1] = W[0]
    for strict, found in zip((False, True), condition(W), strict=True):
        expected = [float(formulas.condition(W, NUMPY[norm], strict=strict)) for norm in NORMS]
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    if shape[0] > 1:
        assert gauge_condition(W) == pytest.approx(float(formulas.gauge_condition(W)), rel=1e-8)


def test_transposing_exchanges_1_and_inf():
    W = gaussian(9, 4)
    np.testing.assert_allclose(condition(W.T)[0], condition(W)[0][[2, 1, 0, 3]], rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e200])
def test_scale_does_not_count(scale):
    W = gaussian(6, 4)
    np.testing.assert_allclose(condition(scale * W)[0], condition(W)[0], rtol=1e-9)


def test_weights_of_single_precision_are_read_as_they_are():
    W = gaussian(20, 6).astype(np.float32)
    np.testing.assert_array_equal(condition(W)[0], condition(W.astype(np.float64))[0])
    W[:, -1] = W[:, :-1].sum(axis=1)  # a rank lost but for the rounding of its entries
    kappa, strict = condition(W)
    assert 1e6 < kappa[1] < 1e10
    np.testing.assert_array_equal(kappa, strict)


def test_no_gauge_changes_what_a_softmax_sees():
    W, added = gaussian(5, 12), gaussian(12, seed=2)
    sigma = np.linalg.svd(W - W.mean(axis=0), compute_uv=False)
    assert gauge_condition(W) == pytest.approx(sigma[0] / sigma[3], rel=1e-10)
    assert gauge_condition(W + 100 * added) == pytest.approx(gauge_condition(W), rel=1e-9)
    assert condition(W + 100 * added)[0][1] > 20 * condition(W)[0][1]
    assert gauge_condition(gaussian(5, 1)) == pytest.approx(1)
    assert gauge_condition(np.zeros((5, 3))) == gauge_condition(np.ones((5, 3))) == np.inf


def test_the_row_space_is_what_the_matrix_sees():
    W = gaussian(6, 2) @ gaussian(2, 9, seed=1)
    rows = row_space(W)
    assert rows.shape == (2, 9)
    np.testing.assert_allclose(rows @ rows.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(rows.T @ rows, np.linalg.pinv(W, rtol=1e-12) @ W, atol=1e-12)


@pytest.mark.parametrize(
    ("weights", "line"),
    [
        (np.zeros(3), "weights must be a matrix, got shape \\(3,\\)"),
        (np.zeros((0, 3)), "weights must be a matrix, got shape \\(0, 3\\)"),
        (np.array([[1.0, np.nan]]), "weights must be finite"),
        (np.array([[1.0, np.inf]]), "weights must be finite"),
    ],
)
def test_what_is_no_matrix_of_numbers_is_refused(weights, line):
    with pytest.raises(UsageError, match=line):
        condition(weights)


def test_one_logit_is_no_softmax():
    with pytest.raises(UsageError, match="at least 2 rows"):
        gauge_condition(np.ones((1, 4)))
