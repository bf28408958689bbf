"""Spectral norms of layers beside dense matrices, and Lipschitz constants beside what power iterations find."""

import numpy as np
import pytest
import torch
from torch import nn

from empirical.certificates.spectral import layer_norms, lipschitz
from empirical.models.convnorm import ConvNorm2d, Options
from empirical.models.normalisations import SPREAD
from empirical.models.resnet18 import resnet18
from empirical.models.wide_resnet import wide_resnet
from fragility.engine.study import UsageError
from theory.convolution.circulant import spectral_norm, zero_padding_bound
from theory.convolution.matrices import dense
from theory.convolution.wide_resnet import Block, layers
from theory.convolution.wide_resnet import lipschitz as product
from theory.things.normalisation import normalised_kernel

SIDE = 4


def random_model(*modules, seed=0):
    """The modules in a row, in float64, with normal weights and positive random statistics of batch normalisation."""
    drawn = torch.Generator().manual_seed(seed)
    model = nn.Sequential(*modules).double()
    for value in model.parameters():
        nn.init.normal_(value, generator=drawn)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(generator=drawn)
            module.running_var.uniform_(0.5, 2, generator=drawn)
    return model


def matrix(function, channels, side=SIDE):
    """The matrix of an affine map of images, without its shift."""
    basis = torch.eye(channels * side**2, dtype=torch.float64).reshape(-1, channels, side, side)
    with torch.no_grad():
        return (function(basis) - function(0 * basis)).flatten(1).T.numpy()


def norm(function, channels, side=SIDE):
    return np.linalg.norm(matrix(function, channels, side), 2)


def test_norms_of_plain_convolutions_are_those_of_the_grid_on_which_nothing_wraps_around():
    model = random_model(
        nn.Conv2d(2, 4, 3, padding=1, groups=2), nn.Conv2d(4, 3, 3, stride=2, padding=1), nn.Conv2d(3, 5, 1, stride=2)
    )
    found, (first, second, third) = layer_norms(model, (2, SIDE, SIDE)), model
    assert found.names == ("0", "1", "2")
    for place, (module, stride) in enumerate(((first, 1), (second, 2))):
        grid = (SIDE + 2,) * 2
        expected = np.linalg.norm(dense(module.weight.detach().numpy(), grid, stride, groups=module.groups), 2)
        assert found.weights[place] == pytest.approx(expected)
        exact = norm(module, module.in_channels)
        assert 0.6 * expected < exact <= expected
    assert found.weights[2] == pytest.approx(np.linalg.norm(third.weight[:, :, 0, 0].detach().numpy(), 2))
    assert (found.layer == found.weights).all()
    assert np.isnan(found.bound).all()
    assert (found.after == 1).all()


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_norms_of_circular_normalised_layers_are_exact(stride, groups):
    options = Options(circular=True, epsilon=1e-9)
    model = random_model(ConvNorm2d(2, 4, 3, SIDE, stride, 1, groups, options))
    (layer,), found = model, layer_norms(model, (2, SIDE, SIDE))
    layer.eval()
    weight = layer.convolution.weight.detach().numpy()
    assert found.weights == pytest.approx(np.linalg.norm(dense(weight, (SIDE, SIDE), stride, groups=groups), 2))
    assert found.layer == pytest.approx(norm(layer.normalised, 2))
    assert found.bound == pytest.approx(2, rel=1e-6)
    exact = norm(layer.after, 4, SIDE // stride)
    assert 0.4 * found.after < exact <= found.after


@pytest.mark.parametrize(("stride", "side"), [(1, 4), (2, 4), (2, 5)])
def test_norms_of_cropped_normalised_layers_are_bounds(stride, side):
    """Padding and cropping lengthen nothing; where the stride does not divide the grid, all of its pixels are kept."""
    model = random_model(ConvNorm2d(2, 3, 3, side, stride, 1))
    found, (layer,) = layer_norms(model, (2, side, side)), model.eval()
    exact = norm(layer.normalised, 2, side)
    assert 0.6 * found.layer < exact <= found.layer <= found.bound
    whole = ConvNorm2d(2, 3, 3, side, padding=2, options=Options(running=False)).double()
    whole.convolution.weight = layer.convolution.weight
    if side % 2:
        assert norm(whole.normalised, 2, side) <= found.layer


def test_of_one_tap_the_norm_is_that_of_a_matrix():
    model = random_model(ConvNorm2d(3, 4, 1, SIDE, 2, options=Options(epsilon=1e-9)))
    weight, found = model[0].convolution.weight[:, :, 0, 0].detach(), layer_norms(model, (3, SIDE, SIDE))
    assert found.weights == pytest.approx(np.linalg.norm(weight.numpy(), 2))
    assert found.layer == pytest.approx(np.linalg.norm(nn.functional.normalize(weight).numpy(), 2))
    assert found.bound == pytest.approx(2)
    affine, batch = model[0].after
    factor = affine.weight.flatten() * batch.weight / (batch.running_var + batch.eps).sqrt()
    assert found.after == pytest.approx(float(factor.abs().max().detach()))


def test_evaluation_is_measured_with_the_running_normaliser_and_nothing_is_changed():
    model = random_model(ConvNorm2d(2, 3, 3, SIDE, padding=1, options=Options(circular=True)))
    before = layer_norms(model, (2, SIDE, SIDE)).layer
    model(torch.randn(2, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
    with torch.no_grad():
        model[0].convolution.weight *= 3
    state = {name: value.clone() for name, value in model.state_dict().items()}
    assert layer_norms(model, (2, SIDE, SIDE)).layer == pytest.approx(3 * before)
    assert model.training
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())


def factor(norm):
    return (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()


@pytest.mark.parametrize("normalisation", ["bn", "bn_convnorm"])
def test_the_lipschitz_constant_of_a_wide_resnet_is_put_together_from_its_pieces(normalisation):
    """Written out block by block, with the norms of kernels that were multiplied by their factors beforehand."""
    model = wide_resnet(0, 1, normalisation).eval()
    drawn = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5, generator=drawn)
            module.running_var.uniform_(0.5, 2, generator=drawn)
    network, sides = model.network, {layer.name: layer.image for layer in layers(1)}

    def whole(name, scale=1.0, spread=1.0):
        layer, side = network.get_submodule(name), sides[name]
        if isinstance(layer, nn.Conv2d):
            kernel = layer.weight.detach() / spread * torch.as_tensor(scale).reshape(-1, 1, 1, 1)
            return float(zero_padding_bound(kernel, (side, side), layer.stride[0]))
        weight, stride = layer.convolution.weight.detach(), layer.stride
        unit = weight / weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        grid = (side + weight.shape[-1] - 1,) * 2
        behind = layer.after[0].weight.detach() * (factor(layer.after[1]) * scale)[:, None, None, None]
        inner = spectral_norm(normalised_kernel(unit, grid, 1e-5) / spread, grid, stride)
        return float(inner * zero_padding_bound(behind, (side // stride,) * 2, groups=len(behind)))

    blocks = []
    for name in (f"group{group}.block{number}" for group in (1, 2, 3) for number in (1, 2)):
        block = network.get_submodule(name)
        short = whole(f"{name}.shortcut") if f"{name}.shortcut" in sides else None
        first = whole(f"{name}.conv1", factor(block.norm2))
        blocks.append(Block(float(factor(block.norm1).abs().max()), first, whole(f"{name}.conv2"), short))
    connected = float(torch.linalg.matrix_norm(network.fc.weight.detach(), 2))
    first = whole("conv1", spread=torch.tensor(SPREAD)[:, None, None])
    assert lipschitz(model) == pytest.approx(
        product(first, blocks, float(factor(network.norm).abs().max()), connected), rel=1e-4
    )


@pytest.mark.parametrize("normalisation", ["vanilla", "convnorm"])
def test_no_network_is_steeper_than_its_lipschitz_constant(normalisation):
    model = wide_resnet(0, 1, normalisation).eval()
    x = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    rows = [torch.autograd.grad(logit, x, retain_graph=True)[0].flatten() for logit in model(x)[0]]
    assert 0 < float(torch.linalg.matrix_norm(torch.stack(rows), 2)) <= lipschitz(model)


def test_layers_have_the_names_of_theory():
    assert layer_norms(wide_resnet(0, 1, "convnorm")).names == tuple(layer.name for layer in layers(1)[:-1])


def test_other_layers_and_networks_are_refused():
    diverged = nn.Sequential(nn.Conv2d(1, 1, 3))
    nn.init.constant_(diverged[0].weight, np.nan)
    with pytest.raises(UsageError, match="need convolutions with zeros around, one stride and no dilation"):
        layer_norms(nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2)), (1, 5, 5))
    with pytest.raises(UsageError, match="norms need finite weights"):
        layer_norms(diverged, (1, 5, 5))
    with pytest.raises(UsageError, match="known of a WideResNet, got ResNet18"):
        lipschitz(resnet18(0, "vanilla"))
