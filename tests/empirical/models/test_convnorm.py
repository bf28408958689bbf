"""ConvNorm's layer against dense circulant matrices, its gradients, its running average and what stands behind it."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.models.convnorm import ConvNorm2d, Options, filtered
from fragility.engine.study import UsageError
from theory.convolution.matrices import normalised
from theory.things.normalisation import normaliser

SIDE, EPSILON = 4, 1e-3
BARE = Options(batch_norm=False, affine=False, running=False, epsilon=EPSILON)


def random_layer(*sizes, options=BARE, seed=0, **place):
    """A layer in float64 with normal weights."""
    layer = ConvNorm2d(*sizes, options=options, **place).double()
    drawn = torch.Generator().manual_seed(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, generator=drawn)
    return layer


def images(size, channels, side=SIDE, seed=1, dtype=torch.float64):
    return torch.randn(size, channels, side, side, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def operator(layer, channels, side=SIDE):
    """The matrix of the normalised convolution, (C_O, rows, columns, C_I, rows, columns)."""
    basis = torch.eye(channels * side**2, dtype=torch.float64).reshape(-1, channels, side, side)
    return layer.normalised(basis).detach().movedim(0, -1).unflatten(-1, (channels, side, side)).numpy()


def unit_kernel(layer):
    """The kernel that theory convolves with: torch's runs the other way; every channel of length 1."""
    kernel = layer.convolution.weight.detach().numpy()[:, :, ::-1, ::-1]
    return kernel / np.sqrt((kernel**2).sum(axis=(1, 2, 3), keepdims=True))


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_with_zeros_around_it_pads_normalises_and_crops(padding, stride, groups):
    layer = random_layer(2, 4, 3, SIDE, stride, padding, groups)
    grid = SIDE + 2
    Q = normalised(unit_kernel(layer), (grid, grid), EPSILON, groups).reshape(4, grid, grid, 2, grid, grid)
    kept = slice(2 - padding, SIDE + padding, stride)
    assert operator(layer, 2) == pytest.approx(Q[:, kept, kept, :, :SIDE, :SIDE], abs=1e-12)
    plain = nn.Conv2d(2, 4, 3, stride, padding, groups=groups)
    assert layer(images(3, 2)).shape == plain(images(3, 2).float()).shape


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_circular_images_meet_the_formula_of_the_paper(padding, stride, groups):
    options = Options(batch_norm=False, affine=False, running=False, circular=True, epsilon=EPSILON)
    layer = random_layer(2, 4, 3, SIDE, stride, padding, groups, options=options)
    Q = normalised(unit_kernel(layer), (SIDE, SIDE), EPSILON, groups).reshape(4, SIDE, SIDE, 2, SIDE, SIDE)
    shifted = np.roll(Q, (padding - 2, padding - 2), axis=(1, 2))[:, ::stride, ::stride]
    assert operator(layer, 2) == pytest.approx(shifted, abs=1e-12)


def test_circular_channels_are_tight_frames_and_cropped_ones_are_not():
    for circular, distance in ((True, 0), (False, 0.1)):
        options = Options(batch_norm=False, affine=False, running=False, circular=circular, epsilon=1e-12)
        for block in operator(random_layer(2, 3, 3, SIDE, 1, 1, options=options), 2).reshape(3, SIDE**2, -1):
            deviation = np.abs(block @ block.T - np.eye(SIDE**2)).max()
            assert deviation == pytest.approx(0, abs=1e-8) if circular else deviation > distance


def test_one_tap_is_divided_by_the_length_of_its_channel():
    layer = random_layer(3, 5, 1, SIDE, 2)
    weight = layer.convolution.weight
    lengths = weight.square().sum((1, 2, 3), keepdim=True).mul(1 + EPSILON).sqrt()
    x = images(2, 3)
    torch.testing.assert_close(layer(x), nn.functional.conv2d(x, weight / lengths, stride=2))


@pytest.mark.parametrize("taps", [1, 3])
def test_only_differentiated_normalisers_have_gradients_orthogonal_to_the_kernel(taps):
    for detached in (False, True):
        options = Options(batch_norm=False, affine=False, running=False, detached=detached)
        layer = random_layer(2, 3, taps, SIDE, options=options)
        (layer(images(2, 2)) ** 3).sum().backward()
        weight = layer.convolution.weight
        cosines = nn.functional.cosine_similarity(weight.flatten(1), weight.grad.flatten(1))
        assert (cosines.abs() > 0.1).any() if detached else (cosines.abs() < 1e-13).all()


def test_both_gradients_are_those_of_difference_quotients():
    """The detached one is of a layer whose normaliser stays where it was."""
    for detached in (False, True):
        options = Options(batch_norm=False, affine=False, running=False, detached=detached)
        layer, x = random_layer(2, 3, 3, SIDE, 2, 1, options=options), images(2, 2)
        weight, step = layer.convolution.weight, images(3, 2, side=3)
        loss = (layer(x) ** 3).sum()
        (gradient,) = torch.autograd.grad(loss, weight)
        fixed, sides = layer.normaliser().detach(), []
        for sign in (1, -1):
            with torch.no_grad():
                weight += sign * 1e-5 * step
                padded = nn.functional.pad(x, (1,) * 4)
                gains = fixed if detached else layer.normaliser()
                sides.append(float((filtered(layer.convolution(padded), gains, layer.kept) ** 3).sum()))
                weight -= sign * 1e-5 * step
        assert (sides[0] - sides[1]) / 2e-5 == pytest.approx(float((gradient * step).sum()), rel=1e-6)


@pytest.mark.parametrize("detached", [False, True])
def test_frequencies_at_which_a_row_vanishes_do_no_harm(detached):
    layer = ConvNorm2d(1, 3, 3, SIDE, options=Options(batch_norm=False, detached=detached))
    nn.init.ones_(layer.after[0].weight)
    nn.init.zeros_(layer.after[0].bias)
    with torch.no_grad():
        layer.convolution.weight[:] = torch.tensor([[1.0, -1, 0], [0, 0, 0], [0, 0, 0]])
        layer.convolution.weight[1] = 0
    found = layer(images(2, 1, dtype=torch.float32))
    found.square().sum().backward()
    assert found.isfinite().all()
    assert layer.convolution.weight.grad.isfinite().all()
    assert (found[:, 0] != 0).any()
    assert (found[:, 1] == 0).all()


def test_evaluation_takes_the_running_average_or_the_weights_of_the_moment():
    kept, moment = (random_layer(2, 3, 3, SIDE, options=Options(running=running)) for running in (True, False))
    x, lengths, seen = images(2, 2), [], []
    for layer in (kept, moment):
        assert torch.equal(layer.eval().normaliser(), layer.train().normaliser().detach())
    for batches in (0, 19_999, 60_000):  # before it: the newest value's share is then 1, 1/2, and 1/100
        with torch.no_grad():
            kept.convolution.weight += batches / 50_000
        kept.batches.fill_(batches)
        kept.train()(x)
        weight = kept.convolution.weight.detach().numpy()
        lengths.append(np.sqrt((weight**2).sum(axis=(1, 2, 3))))
        unit = weight / lengths[-1][:, None, None, None]
        seen.append(torch.tensor(normaliser(unit, (6, 6), 1e-5)[:, :4] / lengths[-1]))
    expected = 0.99 * (seen[0] + seen[1]) / 2 + 0.01 * seen[2]
    torch.testing.assert_close(kept.eval().normaliser(), expected)
    assert int(kept.batches) == 60_001
    moment.load_state_dict({name: kept.state_dict()[name] for name in moment.state_dict()})
    torch.testing.assert_close(moment.eval().normaliser(), seen[2])
    padded = nn.functional.pad(x, (1,) * 4)
    torch.testing.assert_close(kept.normalised(x), filtered(kept.convolution(padded), expected, kept.kept))


def test_a_depth_wise_convolution_and_batch_normalisation_stand_behind_it():
    layer = random_layer(2, 3, 3, SIDE, 2, 1, options=Options())
    x = images(5, 2)
    found, (affine, norm) = layer(x), layer.after
    z = nn.functional.conv2d(layer.normalised(x), affine.weight, affine.bias, padding=1, groups=3)
    z = (z - z.mean((0, 2, 3), keepdim=True)) / (z.var((0, 2, 3), keepdim=True, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(found, z * norm.weight[:, None, None] + norm.bias[:, None, None])
    assert [*ConvNorm2d(2, 3, 3, SIDE, options=BARE).after] == []
    (alone,) = ConvNorm2d(2, 3, 3, SIDE, options=Options(affine=False)).after
    assert alone.weight is None


@pytest.mark.parametrize("side", [5, 6])
@pytest.mark.parametrize("kept", [range(6), range(1, 5, 2)])
def test_filters_are_those_of_an_fft(side, kept):
    kept, image = range(kept.start, min(kept.stop, side), kept.step), images(2, 3, side)
    kernels = images(1, 3, side, seed=2)[0]
    gains = torch.fft.fft2(kernels).real[..., : side // 2 + 1]  # of its even part
    expected = torch.fft.irfft2(torch.fft.rfft2(image) * gains, s=(side, side))[..., kept, :][..., kept]
    torch.testing.assert_close(filtered(image, gains.permute(1, 2, 0), kept), expected)


def test_autocast_leaves_normaliser_and_filter_in_single_precision():
    layer, x = random_layer(2, 3, 3, SIDE).float(), images(2, 2, dtype=torch.float32)
    expected, z = layer.normalised(x), layer.convolution(nn.functional.pad(x, (1,) * 4))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(filtered(z, layer.normaliser(), layer.kept), expected)
        rough = layer.normalised(x)
    assert rough.dtype == torch.float32
    assert 0 < float((rough - expected).detach().norm() / expected.detach().norm()) < 0.05


def diverged():
    layer = ConvNorm2d(2, 3, 3, SIDE)
    nn.init.constant_(layer.convolution.weight, float("nan"))
    return layer


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ConvNorm2d(2, 3, 4, SIDE), "taps of a normalised convolution must be odd in number, got 4"),
        (
            lambda: ConvNorm2d(2, 3, 3, SIDE, padding=3),
            "padding of a normalised convolution must be from 0 to 2",
        ),
        (lambda: ConvNorm2d(2, 3, 3, SIDE)(torch.zeros(1, 2, 5, 5)), r"must have 4 x 4 pixels, got \(5, 5\)"),
        (lambda: diverged()(torch.zeros(1, 2, SIDE, SIDE)), "no normaliser, as where a training has diverged: kernel"),
    ],
)
def test_what_it_cannot_be_is_a_line(call, match):
    with pytest.raises(UsageError, match=match):
        call()
