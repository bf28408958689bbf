"""ConvNorm against its dense definition, its invariances, and the range of norms it can have."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.theory.kernels import seq
from theory.convolution import circulant, convnorm
from theory.convolution.matrices import dense, normalised
from theory.things import kernels, normalisation

KERNEL = seq((3, 2, 3, 3), 0.2, 1)
SEEDS = st.integers(0, 2**32 - 1)


def random_kernel(seed, outputs=3, inputs=2, taps=(3,)):
    return np.random.default_rng(seed).standard_normal((outputs, inputs, *taps))


def test_oracle():
    assert convnorm.spectral_norm(KERNEL, (5, 5)) == pytest.approx(1.6209306727, rel=1e-10)
    assert np.linalg.norm(normalised(KERNEL, (5, 5)), 2) == pytest.approx(1.6209306727, rel=1e-10)


def test_two_filters_of_one_tap_gain_by_normalisation():
    filters = np.array([[[1.0]], [[0.5]]])
    assert circulant.spectral_norm(filters, (1,)) == pytest.approx(1.11803399)
    assert convnorm.spectral_norm(filters, (1,)) == pytest.approx(2**0.5)


def test_the_range_of_norms():
    assert convnorm.norm_range(16, 3) == pytest.approx((2.30940108, 4))
    assert convnorm.norm_range(2, 5) == pytest.approx((1, 2**0.5))
    assert convnorm.typical_norm(64, 16) == 3
    assert convnorm.spectral_norm(random_kernel(1, 16, 16, (3, 3)), (8, 8)) == pytest.approx(2, rel=0.1)


@given(SEEDS, st.integers(1, 4), st.integers(1, 4), st.integers(1, 6))
def test_rows_are_unit_vectors_and_the_norm_is_in_its_range(seed, outputs, inputs, size):
    kernel = random_kernel(seed, outputs, inputs)
    assume(normalisation.smallest_row_norm(kernel, (size,)) > 1e-6)
    rows = np.linalg.norm(normalisation.normalised_transfer(kernel, (size,)), axis=-1)
    assert rows == pytest.approx(np.ones_like(rows), abs=1e-12)
    assert convnorm.tight_frame_deviation(kernel, (size,)) < 1e-12
    low, high = convnorm.norm_range(outputs, inputs)
    measured = convnorm.spectral_norm(kernel, (size,))
    assert low - 1e-12 <= measured <= high + 1e-12
    below, above = convnorm.comparison(kernel, (size,))
    assert below - 1e-12 <= measured <= above * (1 + 1e-12)
    assert inputs > 1 or measured == pytest.approx(high)


@given(SEEDS, st.floats(1e-4, 1e4))
def test_scale_positive_filters_and_the_order_of_channels_leave_it_alone(seed, factor):
    kernel = random_kernel(seed, 3, 2, (5,))
    assume(normalisation.smallest_row_norm(kernel, (5,)) > 1e-3)
    ours = normalisation.normalised_kernel(kernel, (5,))
    assert normalisation.normalised_kernel(factor * kernel, (5,)) == pytest.approx(ours, abs=1e-9)
    assert normalisation.normalised_kernel(kernel[::-1], (5,)) == pytest.approx(ours[::-1], abs=1e-9)
    # Each output channel filtered by g with positive transfer function: 3 + 2 cos is never 0.
    gain = 3 + 2 * np.cos(2 * np.pi * np.arange(5) / 5)
    filtered = np.fft.ifft(np.fft.fft(kernel, axis=-1) * gain, axis=-1).real
    assert normalisation.normalised_kernel(filtered, (5,)) == pytest.approx(ours, abs=1e-9)


@given(SEEDS, st.floats(1e-6, 10))
def test_epsilon_shortens_the_rows(seed, epsilon):
    kernel = random_kernel(seed)
    powers = normalisation.row_norms(kernel, (4,)) ** 2
    rows = np.linalg.norm(normalisation.normalised_transfer(kernel, (4,), epsilon), axis=-1)
    assert rows == pytest.approx(np.sqrt(powers / (powers + epsilon)))
    deviation = convnorm.tight_frame_deviation(kernel, (4,), epsilon)
    assert deviation == pytest.approx(epsilon / (epsilon + powers.min()))
    assert convnorm.spectral_norm(kernel, (4,), epsilon) <= convnorm.spectral_norm(kernel, (4,)) + 1e-12


def test_a_filter_of_zero_mean_cannot_be_normalised():
    difference = np.array([[[1.0, -1.0]]])
    assert normalisation.smallest_row_norm(difference, (3,)) == 0
    with pytest.raises(ValueError, match="must not vanish at any frequency"):
        normalisation.normaliser(difference, (3,))
    epsilon = normalisation.suggested_epsilon(difference, (3,))
    assert epsilon == pytest.approx(1e-5 * 2)
    assert convnorm.tight_frame_deviation(difference, (3,), epsilon) == 1
    assert convnorm.comparison(difference, (3,))[1] == math.inf


@given(SEEDS, st.lists(st.integers(1, 6), min_size=1, max_size=2), st.integers(1, 4), st.floats(1e-6, 10))
def test_half_of_the_frequencies_with_an_epsilon_for_each_channel(seed, grid, taps, epsilon):
    """Channels of length 1 with a common epsilon, taps that wrap around the grid included."""
    ones = (1,) * (len(grid) + 1)
    kernel = random_kernel(seed, 3, 2, (taps,) * len(grid)) * np.array([1e-3, 1, 1e3]).reshape(3, *ones)
    lengths = np.sqrt(np.sum(kernel**2, axis=tuple(range(1, kernel.ndim))))
    unit = kernel / lengths.reshape(3, *ones)
    expected = normalisation.normaliser(unit, grid, epsilon)[..., : grid[-1] // 2 + 1, :] / lengths
    assert normalisation.relative_normaliser(kernel, grid, epsilon) == pytest.approx(expected, rel=1e-7)


def test_a_relative_epsilon_keeps_gradients_orthogonal_to_every_channel_and_suffers_zeros():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(KERNEL)
    tensor[1] = 0
    tensor.requires_grad_()
    gains = normalisation.relative_normaliser(tensor, (5, 4), 1e-3)
    assert gains[..., 1].detach().numpy() == pytest.approx(1e-3**-0.5)
    loss = (gains[..., None] * kernels.transfer(tensor, (5, 4), half=True)).abs().sum()
    (gradient,) = torch.autograd.grad(loss, tensor)
    assert torch.isfinite(gradient).all()
    along = torch.sum(gradient * tensor, dim=(1, 2, 3)).detach().numpy()
    assert along == pytest.approx(np.zeros(3), abs=1e-12)
    assert torch.max(torch.abs(gradient)).item() > 1e-3


@given(st.lists(st.just(0.0) | st.floats(1e-3, 1e3), min_size=1, max_size=6))
def test_stacked_norms(norms):
    low, high = convnorm.stack_bounds(np.array(norms))
    assert low == max(norms)
    assert low <= high * (1 + 1e-12)
    assert high == pytest.approx(math.hypot(*norms))


def test_initialisation_decides_whether_the_norm_rises():
    """Default of PyTorch: Var = 1 / (3 fan-in), mean power 1/3; He: Var = 2 / fan-in, mean power 2."""
    assert convnorm.expected_row_power(64, (3, 3), 1 / (3 * 64 * 9)) == pytest.approx(1 / 3)
    assert convnorm.expected_row_power(64, (3, 3), 2 / (64 * 9)) == pytest.approx(2)
    kernel = random_kernel(5, 32, 32, (3, 3))
    for power, ratio in ((1 / 3, 3**0.5), (2, 0.5**0.5)):
        scaled = kernel * math.sqrt(power / convnorm.expected_row_power(32, (3, 3), 1.0))
        gain = convnorm.spectral_norm(scaled, (8, 8)) / circulant.spectral_norm(scaled, (8, 8))
        assert gain == pytest.approx(ratio, rel=0.05)


@pytest.mark.parametrize(("inputs", "outputs"), [(16, 16), (32, 32), (16, 32), (32, 64)])
@pytest.mark.parametrize("side", [8, 16])
def test_normalising_raises_the_norm_of_every_default_initialisation(inputs, outputs, side):
    """As the row norm.reduces.printed says of its 60 kernels: by 1.55 to 1.75, about sqrt 3."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(side)
    for _ in range(3):
        kernel = torch.nn.Conv2d(inputs, outputs, 3, bias=False).weight.detach().double().numpy()
        gain = convnorm.spectral_norm(kernel, (side, side)) / circulant.spectral_norm(kernel, (side, side))
        assert 1.5 < gain < 1.8


def test_unit_rows_can_be_worse_than_the_best_scaling_but_not_by_more_than_the_bound():
    rng = np.random.default_rng(11)
    worst = 1.0
    for _ in range(300):
        matrix = rng.standard_normal((3, 3))
        rows = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        scaling = np.exp(rng.normal(size=3) * 0.3) / np.linalg.norm(matrix, axis=1)
        bound = convnorm.equilibrated_condition_bound(matrix, scaling)
        assert np.linalg.cond(rows) <= bound * (1 + 1e-9)
        worst = max(worst, math.sqrt(3) * np.linalg.cond(rows) / bound)
    assert worst > 1.02


def test_the_normalised_kernel_is_real_and_fills_the_grid():
    full = normalisation.normalised_kernel(KERNEL, (5, 4))
    assert full.shape == (3, 2, 5, 4)
    assert dense(full, (5, 4)) == pytest.approx(normalised(KERNEL, (5, 4)), abs=1e-10)


def test_torch_agrees_and_its_gradient_is_orthogonal_to_the_kernel():
    """Q does not depend on the scale of a channel, so no loss of Q changes along it."""
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(KERNEL, requires_grad=True)
    assert convnorm.spectral_norm(tensor, (5, 5)).item() == pytest.approx(1.6209306727, rel=1e-10)
    ours = normalisation.normalised_kernel(tensor, (5, 5))
    assert ours.detach().numpy() == pytest.approx(normalisation.normalised_kernel(KERNEL, (5, 5)), abs=1e-12)
    loss = torch.sum(ours**3 * torch.tensor(seq((3, 2, 5, 5), 1.0, 10)))
    (gradient,) = torch.autograd.grad(loss, tensor)
    along = torch.sum(gradient * tensor, dim=(1, 2, 3))
    assert along.detach().numpy() == pytest.approx(np.zeros(3), abs=1e-12)
    assert torch.max(torch.abs(gradient)).item() > 1e-3
    small = torch.tensor(seq((2, 2, 3), 0.2, 1), requires_grad=True)
    for function in (convnorm.spectral_norm, normalisation.normalised_kernel, normalisation.smallest_row_norm):
        assert torch.autograd.gradcheck(lambda kernel, function=function: function(kernel, (4,)), small)


def test_a_batch_is_its_kernels():
    batch = seq((4, 2, 3, 3), 0.3, 1)
    for function in (convnorm.spectral_norm, normalisation.smallest_row_norm, convnorm.tight_frame_deviation):
        together = function(batch, (4,))
        assert together.shape == (4,)
        assert together == pytest.approx([function(kernel, (4,)) for kernel in batch], abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: normalisation.normaliser(KERNEL, (5, 5), -1.0), "epsilon must be at least 0"),
        (lambda: normalisation.relative_normaliser(KERNEL, (5, 5), 0.0), "epsilon must be positive and finite"),
        (lambda: normalisation.relative_normaliser(KERNEL + 0j, (5, 5), 0.1), "kernel must be real where half"),
        (lambda: convnorm.norm_range(0, 1), "channels_out must be at least 1, got 0"),
        (lambda: convnorm.typical_norm(1, 0), "channels_in must be at least 1, got 0"),
        (lambda: convnorm.expected_row_power(1, (3, 0), 1.0), "taps must be at least 1, got 0"),
        (lambda: convnorm.expected_row_power(1, (3,), 0.0), "variance must be positive"),
        (lambda: convnorm.equilibrated_condition_bound(np.eye(2), np.array([1.0, 0.0])), "scaling must not hold zeros"),
        (lambda: convnorm.stack_bounds(np.array([])), "norms must not be empty"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.data())
def test_row_powers_have_the_variances_of_the_transfer_function(data):
    """Against the covariance of real and imaginary part, tap by tap."""
    sizes = st.integers(1, 7)
    axes = data.draw(st.integers(1, 2))
    taps, grid = ([data.draw(sizes) for _ in range(axes)] for _ in range(2))
    frequency = [data.draw(st.integers(0, n - 1)) for n in grid]
    phases = np.zeros(taps)
    for place in np.ndindex(*taps):
        phases[place] = sum(2 * np.pi * w * a / n for w, a, n in zip(frequency, place, grid, strict=True))
    parts = np.stack([np.cos(phases).ravel(), np.sin(phases).ravel()])
    low, high = np.linalg.eigvalsh(parts @ parts.T)
    law = convnorm.row_power_law(3, taps, grid, frequency)
    assert law.mean() == pytest.approx(3 * (low + high))
    assert law.var() == pytest.approx(6 * (low**2 + high**2))


def test_overlaps_of_real_and_of_isotropic_rows():
    assert convnorm.overlap_law(3, (2,), (4,), (1,)).mean() == pytest.approx(1 / 3)
    assert convnorm.overlap_law(3, (2,), (4,), (2,)).var() == pytest.approx(4 / 45)
    assert convnorm.overlap_law(3, (2,), (4,), (1,)).var() == pytest.approx(1 / 18)
    with pytest.raises(ValueError, match="rows must be real or isotropic at the frequency"):
        convnorm.overlap_law(3, (2,), (5,), (1,))
    with pytest.raises(ValueError, match="taps, grid and frequency must be equally many"):
        convnorm.row_power_law(3, (2,), (5, 5), (1, 1))


@given(SEEDS, st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
def test_groups_against_dense_matrices(seed, groups, outputs, inputs):
    kernel = random_kernel(seed, groups * outputs, inputs)
    assume(normalisation.smallest_row_norm(kernel, (4,)) > 1e-3)
    Q, A = normalised(kernel, (4,), groups=groups), dense(kernel, (4,), groups=groups)
    measured = np.linalg.norm(Q, 2)
    assert convnorm.spectral_norm(kernel, (4,), groups=groups) == pytest.approx(measured)
    assert dense(normalisation.normalised_kernel(kernel, (4,)), (4,), groups=groups) == pytest.approx(Q, abs=1e-10)
    below, above = convnorm.comparison(kernel, (4,), groups)
    assert above == pytest.approx(np.linalg.norm(A, 2) / normalisation.smallest_row_norm(kernel, (4,)))
    assert below * (1 - 1e-12) <= measured <= above * (1 + 1e-12)
    low, high = convnorm.norm_range(groups * outputs, groups * inputs, groups)
    assert low * (1 - 1e-12) <= measured <= high * (1 + 1e-12)


def test_groups_must_divide_the_channels():
    assert convnorm.norm_range(8, 4, 4) == pytest.approx((2**0.5, 2**0.5))
    for channels in ((8, 6), (6, 8)):
        with pytest.raises(ValueError, match="groups must divide the channels, got 4 for"):
            convnorm.norm_range(*channels, 4)


def test_a_complex_kernel_keeps_its_imaginary_part():
    kernel = random_kernel(3) + 1j * random_kernel(4)
    full = normalisation.normalised_kernel(kernel, (5,))
    assert dense(full, (5,)) == pytest.approx(normalised(kernel, (5,)), abs=1e-10)
    assert convnorm.spectral_norm(kernel, (5,)) == pytest.approx(np.linalg.norm(normalised(kernel, (5,)), 2))


def test_each_row_vanishes_or_not_by_itself():
    difference, pruned = np.array([[[1.0, -1.0]]]), np.array([[[1.0, 0.5]], [[0.0, 0.0]]])
    assert normalisation.vanishes(difference, (4,))
    assert normalisation.vanishes(pruned, (4,))
    assert not normalisation.vanishes(pruned[:1], (4,))
    batch = np.stack([difference, pruned[:1], 0 * difference])
    assert list(normalisation.vanishes(batch, (3,))) == [True, False, True]
    assert list(convnorm.comparison(batch, (3,))[0])[2] == 0
    assert list(np.isinf(convnorm.comparison(batch, (3,))[1])) == [True, False, True]
    assert convnorm.spectral_norm(pruned, (4,), 1e-9) == pytest.approx(1)
    assert normalisation.suggested_epsilon(0 * difference, (3,)) == 0
    with pytest.raises(ValueError, match="must not vanish at any frequency"):
        normalised(difference, (3,))
    assert np.linalg.norm(normalised(difference, (4,), 1e-3), 2) == pytest.approx(
        convnorm.spectral_norm(difference, (4,), 1e-3)
    )


def test_the_bound_of_all_scalings_needs_full_row_rank():
    singular = np.stack([np.eye(2), np.ones((2, 2))])
    assert list(convnorm.equilibrated_condition_bound(singular, np.ones((2, 2)))) == pytest.approx([2**0.5, math.inf])
    with pytest.raises(ValueError, match=r"at most as many rows as columns, got shape \(3, 2\)"):
        convnorm.equilibrated_condition_bound(np.ones((3, 2)), np.ones(3))
