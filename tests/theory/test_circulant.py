"""Singular values of circular convolutions against dense matrices, oracles, and what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.kernels import seq
from theory.convolution import circulant
from theory.convolution.matrices import dense
from theory.things import kernels

SEEDS = st.integers(0, 2**32 - 1)


KERNEL = seq((3, 2, 3, 3), 0.2, 1)


def test_the_difference_filter_on_four_points():
    values = circulant.singular_values(np.array([[[1, -1]]]), (4,))
    assert np.sort(values, axis=None)[::-1] == pytest.approx([2, 2**0.5, 2**0.5, 0], abs=1e-15)
    assert circulant.condition(np.array([[[1, -1]]]), (4,)) == np.inf


def test_oracles():
    assert circulant.spectral_norm(KERNEL, (5, 5)) == pytest.approx(6.8104471257, rel=1e-10)
    assert circulant.singular_values(KERNEL, (5, 5)).min() == pytest.approx(1.1132792686, rel=1e-9)
    assert circulant.spectral_norm(KERNEL, (6, 6), stride=2) == pytest.approx(4.5703569036, rel=1e-10)
    assert circulant.zero_padding_bound(KERNEL, (5, 5)) == pytest.approx(6.8604373492, rel=1e-10)
    assert np.linalg.norm(dense(KERNEL, (5, 5), start=1), 2) == pytest.approx(5.9317924563, rel=1e-10)
    assert np.linalg.norm(KERNEL.reshape(3, -1), 2) == pytest.approx(3.6029772115, rel=1e-10)
    assert circulant.condition(KERNEL, (5, 5)) == pytest.approx(6.8104471257 / 1.1132792686, rel=1e-9)


def test_zero_padding_can_exceed_the_circular_norm_of_the_same_size():
    taps = np.array([[[1.0, -1.0]]])
    padded = np.linalg.norm(dense(taps, (3,), start=0), 2)
    assert padded == pytest.approx(2 * np.cos(np.pi / 7))
    assert padded > circulant.spectral_norm(taps, (3,)) == pytest.approx(3**0.5)
    assert padded <= circulant.zero_padding_bound(taps, (3,))


@given(SEEDS, st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(1, 4), min_size=1, max_size=2))
def test_the_frequencies_are_those_of_the_dense_matrix(seed, outputs, inputs, grid):
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal((outputs, inputs, *rng.integers(1, 6, size=len(grid))))
    for stride in (1, 2):
        sizes = [stride * size for size in grid]
        if np.prod(sizes) > 40:
            continue
        measured = np.linalg.svd(dense(kernel, sizes, stride), compute_uv=False)
        assert circulant.spectral_norm(kernel, sizes, stride) == pytest.approx(measured[0], rel=1e-12)
        formula = np.sort(circulant.singular_values(kernel, sizes, stride), axis=None)[::-1]
        assert formula == pytest.approx(measured, rel=1e-9, abs=1e-12 * measured[0])


@given(SEEDS, st.integers(1, 7), st.integers(-9, 9))
def test_what_leaves_the_singular_values_alone(seed, size, shift):
    """Shifts, reflection (correlation for convolution), orthogonal mixing of channels; scale multiplies."""
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal((3, 2, size))
    values = np.sort(circulant.singular_values(kernel, (size,)), axis=None)
    mixing = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    for other in (np.roll(kernel, shift, axis=-1), kernel[..., ::-1], np.einsum("ab,bcd->acd", mixing, kernel)):
        assert np.sort(circulant.singular_values(other, (size,)), axis=None) == pytest.approx(values, abs=1e-12)
    assert np.sort(circulant.singular_values(-7 * kernel, (size,)), axis=None) == pytest.approx(7 * values)
    assert np.sum(values**2) == pytest.approx(size * np.sum(kernel**2))


def test_a_batch_is_its_kernels():
    batch = seq((4, 2, 3, 2, 3), 0.7, 1)
    norms = circulant.spectral_norm(batch, (4, 6), stride=2)
    assert norms.shape == (4,)
    assert norms == pytest.approx([circulant.spectral_norm(kernel, (4, 6), stride=2) for kernel in batch])
    assert kernels.transfer(batch, (4, 6)).shape == (4, 4, 6, 2, 3)
    assert circulant.singular_values(batch, (4, 6), stride=2).shape == (4, 6, 2)
    assert circulant.condition(batch, (4, 6)).shape == (4,)


def test_integers_and_complex_kernels():
    whole = np.array([[[1, 2, 0]], [[0, 1, 1]]])
    assert circulant.spectral_norm(whole, (4,)) == pytest.approx(np.linalg.norm(dense(whole, (4,)), 2))
    small = (100 * whole).astype("uint8")
    assert np.linalg.norm(dense(small, (2,)), 2) == pytest.approx(np.linalg.norm(dense(100.0 * whole, (2,)), 2))
    assert circulant.spectral_norm(small, (2,)) == pytest.approx(np.linalg.norm(dense(100.0 * whole, (2,)), 2))
    phases = 1j * whole
    assert circulant.spectral_norm(phases, (4,)) == pytest.approx(circulant.spectral_norm(whole, (4,)))


def test_the_grid_without_wrapping():
    assert circulant.padded_grid((5, 6), (3, 3)) == (7, 8)
    assert circulant.padded_grid((5, 6), (3, 1), stride=4) == (8, 8)


def test_batch_normalisation():
    factor = kernels.batch_norm_factor(np.array([2.0, -1.0]), np.array([3.0, 0.0]), 1.0)
    assert factor == pytest.approx([1, -1])
    folded = kernels.fold_batch_norm(seq((2, 3), 0, 1), factor)
    assert folded == pytest.approx(np.diag(factor) @ seq((2, 3), 0, 1))


def test_torch_agrees_and_differentiates():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(KERNEL)
    for grid, stride in (((5, 5), 1), ((6, 6), 2), ((2, 2), 1)):
        ours = circulant.spectral_norm(tensor, grid, stride)
        assert float(ours) == pytest.approx(float(circulant.spectral_norm(KERNEL, grid, stride)), rel=1e-12)
    assert float(circulant.zero_padding_bound(tensor, (5, 5))) == pytest.approx(6.8604373492, rel=1e-10)
    assert float(circulant.condition(torch.tensor([[[1.0, -1.0]]]), (4,))) == float("inf")
    small = torch.tensor(seq((2, 2, 3), 0.2, 1), requires_grad=True)
    assert torch.autograd.gradcheck(lambda kernel: circulant.spectral_norm(kernel, (5,)), small)
    assert torch.autograd.gradcheck(lambda kernel: circulant.spectral_norm(kernel, (4,), 2), small)
    assert torch.autograd.gradcheck(lambda kernel: circulant.condition(kernel, (5,)), small)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.transfer(KERNEL, ()), "grid must hold 1 or more integers, got 0"),
        (lambda: kernels.transfer(KERNEL[0, 0, 0], (3,)), r"kernel must have axes .* got shape \(3,\)"),
        (lambda: kernels.transfer(KERNEL * 1j, (3, 3), half=True), "kernel must be real where half .*complex128"),
        (lambda: kernels.transfer(KERNEL, (0, 3)), "grid must be at least 1, got 0"),
        (lambda: kernels.transfer(KERNEL * np.nan, (3, 3)), "kernel must be finite"),
        (lambda: kernels.transfer(KERNEL[:0], (3, 3)), "kernel must not be empty"),
        (lambda: circulant.spectral_norm(KERNEL, (5, 6), 2), r"stride must divide every size of the grid, got 2"),
        (lambda: circulant.spectral_norm(KERNEL, (5, 6), 0), "stride must be at least 1, got 0"),
        (lambda: circulant.padded_grid((3,), (1, 2)), "grid and taps must be equally many"),
        (lambda: kernels.batch_norm_factor(np.ones(1), np.zeros(1), 0.0), "variance . epsilon must be positive"),
        (lambda: kernels.batch_norm_factor(np.ones(1), -np.ones(1), 2.0), "variance not negative, got -1"),
        (lambda: kernels.fold_batch_norm(KERNEL, np.ones(2)), "got 2 for 3"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(SEEDS, st.integers(1, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2))
def test_groups_against_dense_matrices(seed, groups, outputs, inputs, stride):
    rng = np.random.default_rng(seed)
    kernel = rng.standard_normal((groups * outputs, inputs, int(rng.integers(1, 4))))
    size = stride * int(rng.integers(1, 5))
    whole = dense(kernel, (size,), stride, groups=groups)
    measured = np.linalg.svd(whole, compute_uv=False)
    formula = circulant.singular_values(kernel, (size,), stride, groups)
    assert formula.shape[-1] == min(groups * outputs, stride * groups * inputs)
    assert np.sort(formula, axis=None)[::-1] == pytest.approx(measured, abs=1e-12 * measured[0])
    assert np.all(np.diff(formula, axis=-1) <= 0)
    assert circulant.spectral_norm(kernel, (size,), stride, groups) == pytest.approx(measured[0])
    if measured[-1] > 1e-6 * measured[0]:
        assert circulant.condition(kernel, (size,), stride, groups) == pytest.approx(measured[0] / measured[-1])
    padded = np.linalg.norm(dense(kernel, (size,), stride, 1, groups), 2)
    assert padded <= circulant.zero_padding_bound(kernel, (size,), stride, groups) * (1 + 1e-12)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_groups_as_torch_convolves_them(groups):
    torch = pytest.importorskip("torch")
    kernel = torch.tensor(seq((4, 4 // groups, 3, 2), 0.4, 1))
    images = torch.eye(4 * 5 * 4, dtype=torch.float64).reshape(-1, 4, 5, 4)
    wrapped = torch.nn.functional.pad(images, (0, 1, 0, 2), mode="circular")
    operator = torch.nn.functional.conv2d(wrapped, kernel, groups=groups).reshape(len(images), -1)
    expected = torch.linalg.svdvals(operator)
    found = circulant.singular_values(kernel, (5, 4), groups=groups)
    assert torch.sort(found.ravel(), descending=True)[0].numpy() == pytest.approx(expected.numpy(), abs=1e-12)
    assert circulant.spectral_norm(kernel, (5, 4), groups=groups).item() == pytest.approx(expected[0].item())


def test_a_batch_of_grouped_kernels():
    batch = seq((3, 4, 1, 3), 0.7, 1)
    for function in (circulant.spectral_norm, circulant.condition, circulant.zero_padding_bound):
        each = [float(function(kernel, (4,), groups=2)) for kernel in batch]
        assert function(batch, (4,), groups=2) == pytest.approx(each)
    assert kernels.grouped(batch, 2, 1).shape == (3, 2, 2, 1, 3)
    with pytest.raises(ValueError, match="groups must divide the output channels, got 3 for 4"):
        circulant.spectral_norm(batch, (4,), groups=3)
    with pytest.raises(ValueError, match="groups must be at least 1, got 0"):
        circulant.condition(batch, (4,), groups=0)
    with pytest.raises(ValueError, match="kernel must have at least 4 axes"):
        kernels.grouped(batch[0], 2, 2)


def test_a_complex_kernel_and_its_dense_matrix():
    kernel = seq((2, 2, 3), 0.1, 1) + 1j * seq((2, 2, 3), 0.8, 1)
    measured = np.linalg.svd(dense(kernel, (4,)), compute_uv=False)
    assert np.sort(circulant.singular_values(kernel, (4,)), axis=None)[::-1] == pytest.approx(measured)
    assert circulant.condition(kernel, (4,)) == pytest.approx(measured[0] / measured[-1])


@given(SEEDS, st.integers(2, 7), st.integers(1, 6))
def test_what_vanishes_at_one_frequency_is_singular(seed, length, turns):
    """(1, ..., 1) is 0 at the frequency that it fills evenly, and so is what it is convolved with."""
    taps = np.random.default_rng(seed).integers(-9, 10, (2, 2, 4)) / 8
    singular = sum(np.pad(taps, ((0, 0), (0, 0), (place, length - 1 - place))) for place in range(length))
    if np.any(singular):
        assert circulant.condition(singular, (length * turns,)) == np.inf
    assert circulant.condition(0 * taps, (4,)) == np.inf
