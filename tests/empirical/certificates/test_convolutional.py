"""Certified radii of convolutions beside attacks, closed forms and points of the certified balls."""

import numpy as np
import pytest
import torch

from empirical.attacks.bracket import bracket
from empirical.certificates.convolutional import conv_distance
from empirical.certificates.dense import relu_distance
from fragility.engine.study import UsageError


def small_convolution(seed=0):
    stream = torch.Generator().manual_seed(seed)
    layers = (
        torch.nn.Conv2d(1, 3, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(3, 4, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(16, 8),
        torch.nn.ReLU(),
        torch.nn.Linear(8, 3),
    )
    net = torch.nn.Sequential(*layers).double().eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.4, generator=stream)
    return net, torch.rand(4, 1, 10, 10, generator=stream, dtype=torch.float64)


@pytest.mark.parametrize("targeted", [False, True])
def test_convolutions_do_not_flip_within_the_certified_radius(targeted):
    net, x = small_convolution()
    label = net(x).argmax(1)
    target = net(x).argmin(1) if targeted else None
    lower = conv_distance(net, x, label, target)
    found = bracket(net, x, label, target=target, lower=lower, attacks=("deepfool", "ddn"))
    assert (lower > 0).all()
    assert not found.flags["crossed"].any()
    assert np.isfinite(found.upper).all()
    assert (found.upper / lower).min() < 20
    wrong = (label + 1) % 3
    assert conv_distance(net, x, wrong)[0] == 0


def pointwise(*affine):
    """1 x 1 convolutions z -> a z + b with ReLU, the largest of four pixels, and class 1 where that exceeds 1/4."""
    steps = []
    for slope, shift in affine:
        convolution = torch.nn.Conv2d(1, 1, 1)
        torch.nn.init.constant_(convolution.weight, slope)
        torch.nn.init.constant_(convolution.bias, shift)
        steps += [convolution, torch.nn.ReLU()]
    head = torch.nn.Linear(1, 2)
    head.weight.data, head.bias.data = torch.tensor([[0.0], [1.0]]), torch.tensor([0.25, 0.0])
    return torch.nn.Sequential(*steps, torch.nn.MaxPool2d(2), torch.nn.Flatten(), head)


@pytest.mark.parametrize(
    ("affine", "distance"),
    [([(1.0, 0.0)], 0.15), ([(1.0, 0.0), (1.0, -1.0)], 1.15), ([(2.0, 0.0), (1.0, -1.0)], 0.525)],
)
def test_pools_and_shut_units_are_certified_tightly_where_one_pixel_decides(affine, distance):
    x = torch.tensor([0.1, 0.1, 0.05, 0.0]).reshape(1, 1, 2, 2)
    found = conv_distance(pointwise(*affine), x, torch.zeros(1, dtype=torch.long))[0]
    assert 0.97 * distance <= found <= distance


def test_a_dense_network_is_certified_alike_by_both_roads():
    net, _ = small_convolution(3)
    dense, x = net[6:], torch.rand(3, 16, dtype=torch.float64)
    layers = [(step.weight.detach().numpy()[None], step.bias.detach().numpy()[None]) for step in (dense[0], dense[2])]
    label = dense(x).argmax(1)
    expected = relu_distance(layers, x.numpy(), label.numpy())
    assert conv_distance(dense, x, label) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("first", [torch.nn.Flatten(), torch.nn.ReLU(), torch.nn.MaxPool2d(2)], ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_networks_may_begin_without_weights(first, seed):
    """Their inputs are a ball, not a point: no nearer flip is found than is certified, by attacks or by chance."""
    stream = torch.Generator().manual_seed(seed)
    inputs = 4 if isinstance(first, torch.nn.MaxPool2d) else 16
    dense = torch.nn.Linear(inputs, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    net = torch.nn.Sequential(first, torch.nn.Flatten(), *dense).double()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.4, generator=stream)
    x = torch.rand(4, 1, 4, 4, generator=stream, dtype=torch.float64) - 0.5
    label = net(x).argmax(1)
    lower = conv_distance(net, x, label)
    assert (lower > 0).all()
    assert not bracket(net, x, label, lower=lower, attacks=("deepfool", "ddn")).flags["crossed"].any()
    steps = torch.randn(500, *x.shape, generator=stream, dtype=torch.float64)
    radii = torch.from_numpy(lower).reshape(4, 1, 1, 1) / steps.flatten(2).norm(dim=2)[:, :, None, None, None]
    assert (net((x + radii * steps).flatten(0, 1)).argmax(1).unflatten(0, (500, 4)) == label).all()
    if isinstance(first, torch.nn.Flatten):
        flat = torch.nn.Sequential(*net[2:])
        assert lower == pytest.approx(conv_distance(flat, x.flatten(1), label), rel=1e-9)


def test_groups_are_certified_as_the_whole_kernels_that_they_are_part_of():
    """With zeros where a group does not look, a grouped convolution is an ordinary one: same bounds, both ways."""
    stream = torch.Generator().manual_seed(5)
    grouped = [torch.nn.Conv2d(4, 4, 3, padding=1, groups=2), torch.nn.Conv2d(4, 8, 3, stride=2, groups=4)]
    whole = [torch.nn.Conv2d(4, 4, 3, padding=1), torch.nn.Conv2d(4, 8, 3, stride=2)]
    head = torch.nn.Linear(8 * 4, 3)
    for part, full in zip(grouped, whole, strict=True):
        torch.nn.init.normal_(part.weight, std=0.4, generator=stream)
        full.bias.data, full.weight.data = part.bias.data, torch.zeros_like(full.weight)
        for unit in range(part.out_channels):
            first = unit // (part.out_channels // part.groups) * (4 // part.groups)
            full.weight.data[unit, first : first + 4 // part.groups] = part.weight.data[unit]
    ours, theirs = (
        torch.nn.Sequential(one, torch.nn.ReLU(), two, torch.nn.ReLU(), torch.nn.Flatten(), head).double()
        for one, two in (grouped, whole)
    )
    x = torch.rand(3, 4, 6, 6, generator=stream, dtype=torch.float64)
    label = ours(x).argmax(1)
    lower = conv_distance(ours, x, label)
    assert (lower > 0).all()
    assert lower == pytest.approx(conv_distance(theirs, x, label), rel=1e-9)


def test_other_modules_are_refused():
    with pytest.raises(UsageError, match="Sigmoid"):
        conv_distance(torch.nn.Sequential(torch.nn.Sigmoid()), torch.zeros(1, 2), torch.zeros(1).long())
