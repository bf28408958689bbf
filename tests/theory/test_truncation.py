"""Shrinking bottom singular values: oracles, exact margins, bounds against what networks do, and classes left over."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.latent import truncation
from theory.latent.truncation import margin_parts, truncation_errors
from theory.things.shrinking import count_from_percent, shrink_bottom

SHARES = st.floats(0, 1)


@st.composite
def shrunk(draw, least=2):
    """W with distinct singular values, k and s."""
    shape = draw(st.integers(least, 6)), draw(st.integers(least, 6))
    W = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).standard_normal(shape)
    return W, draw(st.integers(0, min(shape))), draw(SHARES)


def network(rng, layers):
    sizes = rng.integers(2, 6, layers + 1)
    weights = [rng.standard_normal((sizes[k + 1], sizes[k])) for k in range(layers)]
    biases = [rng.standard_normal(len(W)) for W in weights]
    return weights, biases, rng.standard_normal(sizes[0])


def forward(weights, biases, x):
    hidden = [x]
    for W, b in zip(weights, biases, strict=True):
        hidden.append(np.maximum(W @ hidden[-1] + b, 0))
    return weights[-1] @ hidden[-2] + biases[-1], hidden[:-1]


def test_diagonal_oracle():
    W = np.diag([3.0, 2.0, 1.0])
    assert shrink_bottom(W, 2, 0.1) == pytest.approx(np.diag([3, 0.2, 0.1]))
    assert truncation_errors(W, 2, 0.1) == pytest.approx((1.8, 2.01246118))


def test_margin_oracle():
    W = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    for x, before, after in (((0.6, 1.0), 0.2, 1.1), ((0.1, 1.0), -0.8, 0.1)):
        top, bottom = margin_parts(W, np.array(x), 0, 1, 1)
        assert top + bottom == pytest.approx(before)
        assert truncation.shrunk_margin(top, bottom, 0.1) == pytest.approx(after)
    assert truncation.repair_share(top, bottom) == pytest.approx(0.2)


def test_dense_oracle():
    t = np.arange(24)
    W, x = np.sin(1.7 * t + 0.1 * t**2 + 0.3).reshape(4, 6), np.cos(np.arange(6))
    sigma = [2.3483710183, 2.0762888915, 1.6614826483, 1.4853263358]
    assert np.linalg.svd(W, compute_uv=False) == pytest.approx(sigma)
    top, bottom = margin_parts(W, x, 0, 1, 2)
    margins = [truncation.shrunk_margin(top, bottom, s) for s in (1, 0.1, 0)]
    assert margins == pytest.approx([-0.0243155360, 0.7296487249, 0.8134225317])
    assert truncation_errors(W, 2, 0.1)[0] == pytest.approx(1.4953343835)


@pytest.mark.parametrize(("percent", "counts"), [(5, (0, 0, 1)), (15, (1, 2, 2)), (40, (4, 4, 4)), (29, (2, 3, 3))])
def test_percent_of_ten(percent, counts):
    assert tuple(count_from_percent(percent, 10, rule) for rule in ("floor", "round", "ceil")) == counts


def test_percent_is_exact():
    assert count_from_percent(0.7, 1000, "floor") == 7
    assert count_from_percent(100, 3, "ceil") == 3


@given(shrunk())
def test_what_shrinking_does(world):
    W, k, s = world
    shrunk_W = shrink_bottom(W, k, s)
    sigma, after = np.linalg.svd(W, compute_uv=False), np.linalg.svd(shrunk_W, compute_uv=False)
    kept = sigma.size - k
    assert after == pytest.approx(np.sort(np.where(np.arange(sigma.size) < kept, sigma, s * sigma))[::-1], abs=1e-12)
    assert np.linalg.norm(W - shrunk_W, 2) == pytest.approx(truncation_errors(W, k, s)[0], abs=1e-12)
    assert np.linalg.norm(W - shrunk_W) == pytest.approx(truncation_errors(W, k, s)[1], abs=1e-12)
    assert shrink_bottom(W, k, 1) == pytest.approx(W)
    assert shrink_bottom(W, 0, s) == pytest.approx(W)
    assert np.linalg.matrix_rank(shrink_bottom(W, k, 0), tol=1e-10) == kept
    once = shrink_bottom(W, k, 0)
    assert shrink_bottom(once, k, 0) == pytest.approx(once, abs=1e-12)
    assert shrink_bottom(W.T, k, s) == pytest.approx(shrunk_W.T, abs=1e-12)


@given(shrunk(), st.integers(0, 2**32 - 1))
def test_margins_of_one_layer(world, seed):
    W, k, s = world
    rng = np.random.default_rng(seed)
    X, bias = rng.standard_normal((20, W.shape[1])), rng.standard_normal(len(W))
    top, bottom = margin_parts(W, X, 0, 1, k, bias)
    direct = {share: X @ shrink_bottom(W, k, share).T + bias for share in (0.0, s, 0.3, 1.0)}
    margins = {share: z[:, 0] - z[:, 1] for share, z in direct.items()}
    for share, margin in margins.items():
        assert truncation.shrunk_margin(top, bottom, share) == pytest.approx(margin, abs=1e-10)
    keeps = truncation.keeps_for_every_share(top, bottom)
    assert np.array_equal(keeps, (margins[0.0] > 0) & (margins[1.0] > 0))
    repair = truncation.repair_share(top, bottom)
    wrong = margins[1.0] < 0
    assert np.array_equal(np.isnan(repair), ~wrong)
    clear = wrong & (np.abs(repair - s) > 1e-9)
    assert np.array_equal((margins[s] > 0)[clear], (s < repair)[clear])
    sharp, plain = truncation.margin_change_bounds(W, X, 0, 1, k, s)
    change = np.abs(margins[s] - margins[1.0])
    assert np.all(change <= sharp + 1e-10)
    assert np.all(sharp <= plain + 1e-10)
    if k == 1:
        assert change == pytest.approx(sharp, abs=1e-10)


@pytest.mark.parametrize("layers", [1, 2, 4])
def test_cascades(layers):
    rng = np.random.default_rng(layers)
    tightest = 0.0
    for _ in range(100):
        weights, biases, x = network(rng, layers)
        counts, s = [int(rng.integers(0, min(W.shape) + 1)) for W in weights], rng.random()
        clean, hidden = forward(weights, biases, x)
        moved = forward([shrink_bottom(W, k, s) for W, k in zip(weights, counts, strict=True)], biases, x)[0] - clean
        sharp, plain = truncation.cascade_bounds(weights, hidden, counts, s)
        assert np.linalg.norm(moved) <= sharp * (1 + 1e-9) + 1e-12
        assert sharp <= plain * (1 + 1e-9) + 1e-12
        margin = truncation.cascade_margin_bound(weights, hidden, counts, s, 0, 1)
        assert abs(moved[0] - moved[1]) <= margin * (1 + 1e-9) + 1e-12
        tightest = max(tightest, np.linalg.norm(moved) / max(sharp, 1e-12))
    assert tightest > 0.5


def test_a_chain_of_scalars_attains_the_cascade_bound():
    weights, x = [np.array([[2.0]])] * 3, np.array([1.0])
    hidden = [x, 2 * x, 4 * x]
    sharp, _ = truncation.cascade_bounds(weights, hidden, [1, 1, 1], 0.5)
    assert sharp == pytest.approx(8 - 1)


@settings(max_examples=40)
@given(shrunk(), st.integers(0, 2**32 - 1))
def test_reachable_classes(world, seed):
    W, k, _ = world
    X = np.random.default_rng(seed).standard_normal((300, W.shape[1]))
    reachable = truncation.reachable_classes(W, k)
    if k == min(W.shape):
        assert reachable == ()
        return
    predicted = np.argmax(X @ shrink_bottom(W, k, 0).T, axis=1)
    assert set(predicted.tolist()) <= set(reachable)
    if k == min(W.shape) - 1:
        assert len(reachable) <= 2
        u = np.linalg.svd(W)[0][:, 0]
        assert set(reachable) == {int(np.argmax(u)), int(np.argmin(u))}


def test_a_class_inside_the_hull_is_lost():
    W = np.array([[1.0, 0.0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0.1, 0.1, 0.01]])
    assert truncation.reachable_classes(W, 0) == (0, 1, 2, 3, 4)
    assert truncation.reachable_classes(W, 1) == (0, 1, 2, 3)


def test_where_energy_goes():
    rng = np.random.default_rng(5)
    W, residual = rng.standard_normal((4, 9)), rng.standard_normal(4)
    gradient = W.T @ residual
    profile = truncation.energy_profile(W, gradient)
    energy = truncation.gradient_energy(W, residual)
    assert profile[:-1] == pytest.approx(energy / np.sum(energy))
    assert profile[-1] == pytest.approx(0, abs=1e-25)
    signs = truncation.energy_profile(W, np.sign(gradient))
    assert np.sum(signs) == pytest.approx(1)
    assert signs[-1] > 0.1
    assert truncation.energy_profile(W, np.stack([gradient, np.sign(gradient)])) == pytest.approx(
        np.stack([profile, signs]), abs=1e-12
    )


def test_stacks():
    rng = np.random.default_rng(6)
    W, x = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 5))
    each = np.array([[shrink_bottom(A, 2, 0.3) for A in row] for row in W])
    assert shrink_bottom(W, 2, 0.3) == pytest.approx(each)
    assert truncation_errors(W, 2, 0.3)[0].shape == (2, 3)
    assert truncation_errors(W, 0)[1].shape == (2, 3)
    assert margin_parts(W, x, 0, 1, 2)[0].shape == (2, 3)
    assert truncation.margin_change_bounds(W, x, 0, 1, 2, 0.3)[0].shape == (2, 3)


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(7)
    W, x = rng.standard_normal((4, 5)), rng.standard_normal(5)
    T, y = torch.tensor(W, requires_grad=True), torch.tensor(x, requires_grad=True)

    def agree(ours, theirs):
        for one, other in zip(np.atleast_1d(ours), theirs if isinstance(theirs, tuple) else (theirs,), strict=True):
            assert other.detach().numpy() == pytest.approx(np.asarray(one), rel=1e-12, abs=1e-13, nan_ok=True)

    assert shrink_bottom(T, 2, 0.1).detach().numpy() == pytest.approx(shrink_bottom(W, 2, 0.1), abs=1e-13)
    agree(truncation_errors(W, 2, 0.1), truncation_errors(T, 2, 0.1))
    agree(margin_parts(W, x, 0, 1, 2), margin_parts(T, y, 0, 1, 2))
    agree(truncation.repair_share(*margin_parts(W, x, 0, 1, 2)), truncation.repair_share(*margin_parts(T, y, 0, 1, 2)))
    agree(truncation.margin_change_bounds(W, x, 0, 1, 2, 0.1), truncation.margin_change_bounds(T, y, 0, 1, 2, 0.1))
    agree(truncation.cascade_bounds([W], [x], [2], 0.1), truncation.cascade_bounds([T], [y], [2], 0.1))
    agree(
        truncation.cascade_margin_bound([W], [x], [2], 0.1, 0, 1),
        truncation.cascade_margin_bound([T], [y], [2], 0.1, 0, 1),
    )
    assert truncation.energy_profile(T, y).detach().numpy() == pytest.approx(truncation.energy_profile(W, x))
    assert torch.autograd.gradcheck(lambda W: shrink_bottom(W, 2, 0.1), T)
    assert torch.autograd.gradcheck(lambda W, x: margin_parts(W, x, 0, 1, 2), (T, y))
    assert torch.autograd.gradcheck(lambda W, x: truncation.cascade_bounds([W, W.mT], [x, x[:4]], [2, 1], 0.1), (T, y))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"k must be between 0 and min\(m, n\) = 2, got 3"):
        shrink_bottom(np.eye(2), 3, 0.1)
    with pytest.raises(ValueError, match="s must lie from 0 to 1, got 2"):
        shrink_bottom(np.eye(2), 1, 2)
    with pytest.raises(ValueError, match="percent must be between 0 and 100, got 101"):
        count_from_percent(101, 10, "floor")
    with pytest.raises(ValueError, match="rounding must be floor, round or ceil, got 'up'"):
        count_from_percent(10, 10, "up")
    with pytest.raises(ValueError, match="q must be at least 1, got 0"):
        count_from_percent(10, 0, "floor")
    with pytest.raises(ValueError, match="as many as layers, got 2, 1 and 2"):
        truncation.cascade_bounds([np.eye(2)] * 2, [np.ones(2)], [1, 1], 0.1)
    with pytest.raises(ValueError, match="W must be finite"):
        shrink_bottom(np.full((2, 2), np.inf), 1, 0.1)


def test_the_typical_change_of_a_margin_over_all_turns_of_the_singular_vectors():
    """Signed permutations have the second moments of uniformly distributed rotations."""
    sigma, x, k, s = np.array([3.0, 2.0, 0.5]), np.array([1.0, -2.0, 0.3]), 2, 0.25
    turns = [
        np.eye(3)[list(order)] * np.array(signs)
        for order in permutations(range(3))
        for signs in product((1, -1), repeat=3)
    ]
    changes = []
    for U in turns:
        for V in turns:
            top, bottom = margin_parts(U * sigma @ V.T, x, 0, 1, k)
            changes.append(truncation.shrunk_margin(top, bottom, s) - top - bottom)
    expected = truncation.typical_margin_change(np.diag(sigma), x, k, s)
    assert np.sqrt(np.mean(np.square(changes))) == pytest.approx(expected)


def test_the_bottom_share_of_a_random_input():
    assert truncation.bottom_share_law(8, 2).mean() == pytest.approx(2 / 8)
    assert truncation.bottom_share_law(4, 2).cdf(0.3) == pytest.approx(0.3)
    with pytest.raises(ValueError, match="n must be at least 4, got 3"):
        truncation.bottom_share_law(3, 3)


def test_a_perturbation_of_size_zero_has_no_profile():
    W = np.random.default_rng(8).standard_normal((2, 3))
    profile = truncation.energy_profile(W, np.array([[0.0, 0.0, 0.0], [1e-200, 0.0, 0.0]]))
    assert np.all(np.isnan(profile[0]))
    assert np.sum(profile[1]) == pytest.approx(1)


def test_singular_matrices_lose_nothing_with_their_zeros():
    singular = np.diag([2.0, 0.0, 0.0])
    stack = np.stack([singular, np.zeros((3, 3)), np.diag([3.0, 2.0, 1.0])])
    assert shrink_bottom(stack, 2, 0.0) == pytest.approx(np.stack([singular, 0 * singular, np.diag([3.0, 0.0, 0.0])]))
    assert truncation_errors(stack, 2)[1] == pytest.approx([0, 0, 5**0.5])
    assert truncation.reachable_classes(singular, 1) == (0,)
    assert truncation.reachable_classes(np.zeros((3, 3)), 1) == ()
    assert truncation.reachable_classes(1e-200 * np.eye(3), 0) == (0, 1, 2)


def test_without_shrinking_nothing_moves_whatever_the_inputs():
    W, X = np.random.default_rng(9).standard_normal((3, 4)), np.ones((5, 4))
    for bound in truncation.margin_change_bounds(W, X, 0, 1, 0, 0.5):
        assert list(bound) == [0] * 5
