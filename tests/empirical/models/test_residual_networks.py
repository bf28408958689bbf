"""WideResNet-16-k and ResNet18 with four normalisations: layers, weights, order, and what a seed decides."""

import pytest
import torch
from torch import nn
from torch.nn.functional import batch_norm, conv2d, relu

from empirical.models.convnorm import ConvNorm2d, Options
from empirical.models.normalisations import MEAN, NORMALISATIONS, SPREAD
from empirical.models.resnet18 import resnet18
from empirical.models.wide_resnet import Block, wide_resnet
from fragility.engine.study import UsageError
from theory.convolution.wide_resnet import layers, weight_count


def kernels(model):
    """Kernels, and the weight of the last layer, by the names of theory's list, without depth-wise convolutions."""
    found = {}
    for name, module in model.network.named_modules():
        if isinstance(module, ConvNorm2d):
            found[name] = module.convolution.weight
        elif isinstance(module, nn.Conv2d | nn.Linear) and not name.endswith(("convolution", "after.0")):
            found[name] = module.weight
    return found


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("widen", [1, 2])
def test_the_layers_are_those_of_theory(widen, normalisation):
    found = kernels(wide_resnet(0, widen, normalisation))
    shapes = {name: tuple(weight.shape) for name, weight in found.items()}
    taps = {layer.name: () if layer.name == "fc" else (layer.size,) * 2 for layer in layers(widen)}
    assert shapes == {layer.name: (layer.channels_out, layer.channels_in, *taps[layer.name]) for layer in layers(widen)}
    assert [*shapes] == [layer.name for layer in layers(widen)]


@pytest.mark.parametrize(("widen", "count"), [(1, 174128), (2, 689840), (4, 2745264)])
def test_weights(widen, count):
    model = wide_resnet(0, widen, "vanilla")
    assert sum(weight.numel() for weight in kernels(model).values()) == weight_count(widen) == count
    assert sum(value.numel() for value in model.parameters()) == count + 10  # the last layer alone has biases


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_every_layer_meets_images_of_the_size_that_theory_names(normalisation):
    model, sides = wide_resnet(0, 1, normalisation), {}
    for name, module in model.network.named_modules():
        module.register_forward_hook(lambda _, given, out, name=name: sides.update({name: (given[0], out)}))
    assert model(torch.rand(2, 3, 32, 32)).shape == (2, 10)
    for layer in layers(1)[:-1]:
        given, out = sides[layer.name]
        assert given.shape == (2, layer.channels_in, layer.image, layer.image)
        assert out.shape == (2, layer.channels_out, *(layer.image // layer.stride,) * 2)
    assert sides["group3"][1].shape[-1] == 8


def counted(model, kind):
    return sum(isinstance(module, kind) for module in model.modules())


def test_batch_normalisation_stands_between_layers_or_within_convnorm_or_both():
    for normalisation in NORMALISATIONS:
        normalised = "convnorm" in normalisation
        between, models = "bn" in normalisation.split("_"), [(resnet18(0, normalisation), 20, 20, True)]
        for inside in (True, False):
            models.append((wide_resnet(0, 2, normalisation, Options(batch_norm=inside)), 13, 16, inside))
        for model, places, convolutions, inside in models:
            assert counted(model, nn.BatchNorm2d) == places * between + convolutions * (normalised and inside)
            assert counted(model, ConvNorm2d) == convolutions * normalised
            assert len(kernels(model)) == convolutions + 1


def test_resnet18_is_the_one_of_small_images():
    model = resnet18(0, "bn")
    assert sum(value.numel() for value in model.parameters()) == 11_173_962
    assert model.eval()(torch.rand(1, 3, 32, 32)).shape == (1, 10)
    strides = [module.stride[0] for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert strides.count(2) == 6


def filled(model, seed):
    """Random factors and statistics of batch normalisation, so that every place matters."""
    drawn = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                value.data.uniform_(0.5, 2, generator=drawn)
    return model


def normalised(x, norm):
    return batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)


def test_activation_precedes_convolution_and_the_shortcut_starts_behind_it():
    model = filled(wide_resnet(3, 1, "bn"), 0).eval()
    same, changing = model.network.group1.block2, model.network.group2.block1
    x = torch.randn(2, 16, 32, 32, generator=torch.Generator().manual_seed(1))
    for block, stride in ((same, 1), (changing, 2)):
        entry = relu(normalised(x, block.norm1))
        inner = relu(normalised(conv2d(entry, block.conv1.weight, stride=stride, padding=1), block.norm2))
        shortcut = x if block is same else conv2d(entry, block.shortcut.weight, stride=2)
        torch.testing.assert_close(block(x), shortcut + conv2d(inner, block.conv2.weight, padding=1))
    last = model.network
    assert [isinstance(block.shortcut, nn.Conv2d) for block in last.modules() if isinstance(block, Block)] == [
        *(False, False, True, False, True, False)
    ]
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    colours = (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]
    y = last.group3(last.group2(last.group1(conv2d(colours, last.conv1.weight, padding=1))))
    expected = relu(normalised(y, last.norm)).mean((2, 3)) @ last.fc.weight.T + last.fc.bias
    torch.testing.assert_close(model(images), expected)


def test_the_blocks_of_resnet18_add_before_the_last_activation():
    block = filled(resnet18(3, "bn"), 0).eval().network.group2.block1
    x = torch.randn(2, 64, 32, 32, generator=torch.Generator().manual_seed(1))
    inner = relu(normalised(conv2d(x, block.conv1.weight, stride=2, padding=1), block.norm1))
    branch = normalised(conv2d(inner, block.conv2.weight, padding=1), block.norm2)
    shortcut = normalised(conv2d(x, block.shortcut[0].weight, stride=2), block.shortcut[1])
    torch.testing.assert_close(block(x), relu(branch + shortcut))


def test_a_seed_gives_the_same_kernels_in_all_normalisations_and_touches_no_global_state():
    state = torch.get_rng_state()
    first = kernels(wide_resnet(4, 1, "vanilla"))
    for normalisation in NORMALISATIONS:
        again, other = (wide_resnet(seed, 1, normalisation) for seed in (4, 5))
        for name, weight in kernels(again).items():
            assert torch.equal(weight, first[name])
            assert not torch.equal(weight, kernels(other)[name])
        assert all(
            torch.equal(one, two)
            for one, two in zip(again.parameters(), wide_resnet(4, 1, normalisation).parameters(), strict=True)
        )
    assert torch.equal(torch.get_rng_state(), state)
    for weight in first.values():
        bound = weight[0].numel() ** -0.5
        assert 0.95 * bound < float(weight.detach().abs().max()) <= bound


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: wide_resnet(0, 0, "bn"), "the widening factor must be at least 1, got 0"),
        (lambda: wide_resnet(0, 1, "batch"), "the normalisation must be one of vanilla, bn, .* got 'batch'"),
        (lambda: resnet18(0, ""), "the normalisation must be one of vanilla, bn, .* got ''"),
    ],
)
def test_what_there_is_not_is_a_line(call, match):
    with pytest.raises(UsageError, match=match):
        call()
