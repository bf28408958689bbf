"""Two linear layers, the attack's penalty, distances and codes, against direct evaluation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.latent import codes
from theory.things.shrinking import shrink_bottom

SEEDS = st.integers(0, 2**32 - 1)


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def test_two_layers_are_shrunk_otherwise_than_one():
    """diag(1, 10) diag(1, 1/10) = I becomes I / 10: every decision stands, while half of I is shrunk in one layer."""
    W2, W1 = np.diag([1.0, 10.0]), np.diag([1.0, 0.1])
    assert shrink_bottom(W2, 1, 0.1) @ shrink_bottom(W1, 1, 0.1) == pytest.approx(0.1 * np.eye(2))
    assert np.linalg.svd(shrink_bottom(W2 @ W1, 1, 0.1), compute_uv=False) == pytest.approx([1, 0.1])


@given(SEEDS)
def test_the_gauge_of_the_factors(seed):
    rng = np.random.default_rng(seed)
    W2, W1, G = rng.standard_normal((4, 3)), rng.standard_normal((3, 5)), rng.standard_normal((3, 3)) + 4 * np.eye(3)
    other2, other1 = codes.regauged(W2, W1, G)
    assert other2 @ other1 == pytest.approx(W2 @ W1)
    ours, theirs = (shrink_bottom(A, 1, 0.1) @ shrink_bottom(B, 1, 0.1) for A, B in ((W2, W1), (other2, other1)))
    assert np.max(np.abs(ours - theirs)) > 1e-6


@given(SEEDS, st.floats(0, 1))
def test_balanced_factors_square_the_share(seed, s):
    W = np.random.default_rng(seed).standard_normal((4, 6))
    W2, W1 = codes.balanced_factors(W)
    assert pytest.approx(W) == W2 @ W1
    assert codes.imbalance(W2, W1) == pytest.approx(0, abs=1e-12)
    both = shrink_bottom(W2, 2, s) @ shrink_bottom(W1, 2, s)
    assert both == pytest.approx(shrink_bottom(W, 2, s**2), abs=1e-10)


def test_imbalance_of_unbalanced_factors():
    assert codes.imbalance(np.diag([1.0, 10]), np.diag([1.0, 0.1])) == pytest.approx((100 - 0.01) / math.sqrt(2))


@pytest.mark.parametrize(
    ("width", "inputs", "classes", "all_maps"), [(10, 784, 10, True), (9, 784, 10, False), (3, 3, 10, True)]
)
def test_which_maps_two_layers_reach(width, inputs, classes, all_maps):
    assert codes.represents_every_map(width, inputs, classes) is all_maps


@given(SEEDS, st.floats(0.01, 0.99))
def test_the_certified_distance_is_exact_for_two_classes(seed, confidence):
    rng = np.random.default_rng(seed)
    W, x = rng.standard_normal((2, 5)), rng.standard_normal(5)
    gap = W[1] - W[0]
    distance = codes.certified_distance(-gap @ x, np.linalg.norm(gap), confidence)
    reached = softmax(W @ (x + distance * gap / np.linalg.norm(gap)))[1]
    assert reached == pytest.approx(max(confidence, softmax(W @ x)[1]))


def test_no_attack_beats_the_certified_distance():
    rng = np.random.default_rng(3)
    assert codes.certified_distance(np.array(0.0), 1.0, 0.95) == pytest.approx(2.9444389792)
    for _ in range(100):
        W, x = rng.standard_normal((5, 6)), rng.standard_normal(6)
        x_adv = x + (W[1] - W[0]) * rng.random() + 0.1 * rng.standard_normal(6)
        p = softmax(W @ x_adv)[1]
        bound = codes.certified_distance((W[0] - W[1]) @ x, np.linalg.norm(W[1] - W[0]), p)
        assert np.linalg.norm(x_adv - x) >= bound * (1 - 1e-9)


@given(SEEDS)
def test_above_the_threshold_nothing_beats_the_clean_input(seed):
    """And below it a projected gradient step does."""
    rng = np.random.default_rng(seed)
    W, x = rng.standard_normal((3, 4)), np.clip(rng.uniform(-0.4, 1.4, 4), 0, 1)
    gradient = W.T @ (softmax(W @ x) - np.eye(3)[2])
    threshold = codes.stall_penalty(gradient, x)
    assert threshold <= math.sqrt(2) * np.linalg.norm(W, 2) * (1 + 1e-12)

    def objective(y, penalty):
        return -math.log(softmax(W @ y)[2]) + penalty * np.linalg.norm(y - x)

    for y in rng.random((50, 4)):
        assert objective(y, threshold) >= objective(x, threshold) - 1e-12
    if threshold > 1e-3:
        y = np.clip(x - 1e-4 * gradient, 0, 1)
        assert objective(y, 0.5 * threshold) < objective(x, 0.5 * threshold)


def test_pixels_at_the_ends_are_blocked():
    gradient, x = np.array([1.0, -1.0, 1.0, -1.0]), np.array([0.0, 0.0, 1.0, 1.0])
    assert codes.stall_penalty(gradient, x) == pytest.approx(math.sqrt(2))


def test_recoding_leaves_the_classifier_and_breaks_the_ratio():
    rng = np.random.default_rng(4)
    W, bias, x, x_adv = rng.standard_normal((3, 4)), rng.standard_normal(3), *rng.standard_normal((2, 4))
    ratios = []
    for size in (0.0, 10.0, 1000.0):
        code, offset = codes.recoded(W, bias, x, np.full(4, size))
        other, _ = codes.recoded(W, bias, x_adv, np.full(4, size))
        assert W @ code + offset == pytest.approx(W @ x + bias)
        ratios.append(np.linalg.norm(other - code) / np.linalg.norm(code))
    assert ratios[2] < ratios[0] / 100


def test_projection_on_a_linear_decoder():
    rng = np.random.default_rng(5)
    D, x = rng.standard_normal((6, 3)), rng.standard_normal((2, 6))
    assert codes.linear_projection(D, x) == pytest.approx(np.linalg.lstsq(D, x.T, rcond=None)[0].T)


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(6)
    W, D, x = rng.standard_normal((3, 4)), rng.standard_normal((6, 4)), rng.random(4)
    T, E, y = (torch.tensor(value, requires_grad=True) for value in (W, D, x))
    for ours, theirs in zip(codes.balanced_factors(W), codes.balanced_factors(T), strict=True):
        assert np.abs(theirs.detach().numpy()) == pytest.approx(np.abs(ours), rel=1e-12)
    assert codes.imbalance(E, T.mT).item() == pytest.approx(codes.imbalance(D, W.T), rel=1e-12)
    assert codes.linear_projection(E, E[:, 0]).detach().numpy() == pytest.approx([1, 0, 0, 0], abs=1e-12)
    assert codes.stall_penalty(y - 0.5, y).item() == pytest.approx(codes.stall_penalty(x - 0.5, x), rel=1e-12)
    certified = codes.certified_distance(T[0] @ y, 2.0, 0.95)
    assert certified.item() == pytest.approx(codes.certified_distance(np.asarray(W[0] @ x), 2.0, 0.95))
    assert torch.autograd.gradcheck(codes.imbalance, (E, T.mT))
    assert torch.autograd.gradcheck(codes.linear_projection, (E, E[:, 0].detach().clone().requires_grad_()))
    assert torch.autograd.gradcheck(lambda g: codes.stall_penalty(g, y.detach()), (y - 0.5).detach().requires_grad_())


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        codes.represents_every_map(0, 3, 3)
    with pytest.raises(ValueError, match="confidence must lie strictly between 0 and 1, got 1"):
        codes.certified_distance(np.array(1.0), 1.0, 1)
    with pytest.raises(ValueError, match="W must have at least 2 axes"):
        codes.balanced_factors(np.ones(3))


def test_a_singular_gauge_is_refused_and_a_badly_scaled_one_is_not():
    W2, W1 = np.random.default_rng(7).standard_normal((2, 3, 3))
    for G in (np.ones((3, 3)), np.zeros((3, 3)), np.stack([np.eye(3), np.diag([1.0, 1.0, 0.0])])):
        with pytest.raises(ValueError, match="G must be invertible, got a singular matrix, to rounding"):
            codes.regauged(W2, W1, G)
    with pytest.raises(ValueError, match="G must be square and fit between W2 and W1"):
        codes.regauged(W2, W1, np.ones((3, 2)))
    far = np.diag([1e-200, 1.0, 1e150]) @ (W1 @ W1.T + np.eye(3))
    other2, other1 = codes.regauged(W2, W1, far)
    assert other2 @ other1 == pytest.approx(W2 @ W1)


def test_factors_without_a_product():
    zero, first = np.zeros((2, 2)), np.diag([1.0, 0.0])
    assert codes.imbalance(zero, zero) == 0
    assert codes.imbalance(first, np.diag([0.0, 1.0])) == math.inf
    assert codes.imbalance(np.stack([zero, first]), np.stack([zero, first])) == pytest.approx([0, 0])
    assert codes.imbalance(1e-200 * first, 1e-200 * first) == 0
    for factor in codes.balanced_factors(zero):
        assert np.array_equal(factor, zero)


def test_a_margin_that_does_not_move():
    """Equal rows: the goal is never reached, unless it is to begin with."""
    distances = codes.certified_distance(np.array([1.0, -5.0]), np.zeros(2), 0.9)
    assert list(distances) == [math.inf, 0]
    with pytest.raises(ValueError, match="lipschitz must be at least 0"):
        codes.certified_distance(np.array(1.0), -1.0, 0.9)


def test_projection_on_a_decoder_without_full_rank_is_the_shortest():
    D, x = np.array([[1.0, 1.0], [2.0, 2.0], [0.0, 0.0]]), np.array([1.0, 2.0, 7.0])
    assert codes.linear_projection(D, x) == pytest.approx([0.5, 0.5])
    assert codes.linear_projection(np.stack([D, 0 * D]), x)[1] == pytest.approx([0, 0])
