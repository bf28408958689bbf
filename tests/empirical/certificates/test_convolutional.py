"""Certified radii of convolutions beside attacks, closed forms and points of the certified balls."""

import numpy as np
import pytest
import torch

from empirical.attacks.bracket import bracket
from empirical.certificates.convolutional import conv_distance
from empirical.certificates.crown import crown_distance
from empirical.certificates.dense import lipschitz_distance, relu_distance
from empirical.certificates.relaxed import Relaxation, pool_lines
from fragility.engine.study import UsageError
from theory.things.layers import AveragePool, Conv, Dense, Flatten, MaxPool
from theory.things.network import ACTIVATIONS


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
    assert (found.upper / lower).max() < 6
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


def normal(*modules, seed=0):
    """The modules in a row, in float64, with normal weights and biases that keep the values' size."""
    stream = torch.Generator().manual_seed(seed)
    net = torch.nn.Sequential(*modules).double().eval()
    for parameter in net.parameters():
        fan = parameter[0].numel() if parameter.ndim > 1 else 10
        torch.nn.init.normal_(parameter, std=fan**-0.5, generator=stream)
    return net


def unrolled(net, shape):
    """Weights and biases (1, ...) of the dense network between whose layers are the ReLUs of `net`."""
    segments, layers = [[]], []
    for module in net:
        if isinstance(module, torch.nn.ReLU):
            segments.append([])
        else:
            segments[-1].append(module)
    for segment in segments:
        affine = torch.nn.Sequential(*segment)
        basis = torch.eye(int(np.prod(shape))).double().reshape(-1, *shape)
        with torch.no_grad():
            bias = affine(0 * basis[:1])
            weight = (affine(basis) - bias).flatten(1).T
        layers.append((weight.numpy()[None], bias.flatten().numpy()[None]))
        shape = bias.shape[1:]
    return layers


CONV, RELU = torch.nn.Conv2d, torch.nn.ReLU
UNPOOLED = {
    "padded": lambda: (CONV(1, 3, 3, padding=1), RELU(), CONV(3, 4, 3, stride=2, padding=1), RELU()),
    "grouped": lambda: (CONV(1, 4, (2, 3), stride=2), RELU(), CONV(4, 4, 2, padding=(1, 0), groups=2), RELU()),
    "deep": lambda: (CONV(1, 3, 3), RELU(), CONV(3, 3, 2, padding=1), RELU(), CONV(3, 4, 3, padding=1), RELU()),
    "doubled": lambda: (CONV(1, 2, 2), RELU(), CONV(2, 3, 3, padding=1), CONV(3, 3, 3, padding=2, stride=2), RELU()),
}


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("kind", UNPOOLED)
def test_convolutions_are_certified_as_the_dense_layers_that_they_unroll_to(kind, targeted):
    x = torch.rand(3, 1, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    front = UNPOOLED[kind]()
    width = torch.nn.Sequential(*front)(x.float()).flatten(1).shape[1]
    net = normal(*front, torch.nn.Flatten(), torch.nn.Linear(width, 6), RELU(), torch.nn.Linear(6, 3), seed=3)
    layers, label = unrolled(net, x.shape[1:]), net(x).argmax(1)
    target = net(x).argmin(1) if targeted else None
    flat = x.flatten(1).numpy(), label.numpy(), None if target is None else target.numpy()
    expected = crown_distance(layers, *flat, lipschitz_distance(layers, *flat))
    found = conv_distance(net, x, label, target, close=1e-4)
    assert (expected > 0).all()
    assert (found >= (1 - 1e-3) * expected).all()
    assert (found <= 1.1 * expected).all()


def relaxation(radius, pool_first, seed=0):
    """Steps of a network with padding, groups and pools that leave a row over, values at a point, and its bounds."""
    stream = torch.Generator().manual_seed(seed)

    def drawn(*shape):
        return torch.randn(*shape, generator=stream, dtype=torch.float64) / np.prod(shape[1:]) ** 0.5

    relu, pool = ACTIVATIONS["relu"], MaxPool((2, 3))
    steps = [
        Conv(drawn(4, 2, 3, 3), drawn(4), padding=1),
        *((pool, relu) if pool_first else (relu, pool)),
        Conv(drawn(6, 2, 2, 3), drawn(6), padding=(1, 2), groups=2, stride=(2, 1)),
        relu,
        MaxPool((2, 2)),
        Flatten(),
        Dense(drawn(8, 6 * 1 * 3), drawn(8)),
        relu,
        Dense(drawn(3, 8), drawn(3)),
    ]
    values = [torch.rand(2, 7, 12, generator=stream, dtype=torch.float64)]
    for step in steps:
        values.append(step(values[-1]))
    norms = [
        float(torch.linalg.matrix_norm(torch.func.jacrev(step)(value).reshape(-1, value.numel()), 2))
        if isinstance(step, (Conv, Dense))
        else 1.0
        for step, value in zip(steps, values, strict=False)
    ]
    return steps, values, Relaxation(steps, norms, values, radius)


@pytest.mark.parametrize("pool_first", [False, True])
@pytest.mark.parametrize("radius", [1e-6, 0.05, 0.3, 1.0])
def test_values_of_points_in_the_ball_lie_in_the_boxes(radius, pool_first):
    """Of random points, and of those to which the gradients of single units point; these reach the ends if near."""
    steps, values, bounds = relaxation(radius, pool_first)
    x, stream = values[0], torch.Generator().manual_seed(1)
    random = torch.randn(500, *x.shape, generator=stream, dtype=torch.float64)

    def through(points):
        found = [points]
        for step in steps:
            found.append(step(found[-1]))
        return found

    for number, (low, high) in enumerate(bounds.boxes):
        chosen = torch.randint(low.numel(), (20,), generator=stream)
        rows = torch.func.jacrev(lambda point, k=number, units=chosen: through(point)[k].flatten()[units])(x)
        moves = torch.cat([random, rows, -rows])
        lengths = moves.flatten(1).norm(dim=1)[:, None, None, None]
        seen = through(x + radius * torch.where(lengths > 0, moves / lengths, 0.0))[number]
        slack = 1e-12 + 1e-9 * radius
        assert (seen >= low - slack).all()
        assert (seen <= high + slack).all()
        if radius < 1e-3 and 0 < number < 8:  # of a dense layer decided units are bounded by intervals alone
            ends = (high - low).flatten()[chosen]
            reached = (seen.amax(0) - seen.amin(0)).flatten()[chosen]
            assert (reached >= 0.99 * ends).all()


def test_lines_of_a_pool_bound_its_maxima():
    stream = torch.Generator().manual_seed(0)
    low = torch.randn(30, 4, 7, generator=stream, dtype=torch.float64)
    high = low + 2 * torch.rand(30, 4, 7, generator=stream, dtype=torch.float64) ** 3
    high[:5] = low[:5]
    low[5:9, 1, 2], high[5:9, 1, 2] = 7, 8  # the largest of its window, whatever the others are
    lines, pool, mean = pool_lines(low, high, (2, 3)), MaxPool((2, 3)), AveragePool((2, 3))
    shares = torch.rand(200, *low.shape, generator=stream, dtype=torch.float64)
    for share in [*shares, *shares.round()]:
        x = low + share * (high - low)
        assert (6 * mean(lines.under * x) <= pool(x) + 1e-12).all()
        assert (6 * mean(lines.over * x + lines.intercept) >= pool(x) - 1e-12).all()
    assert (torch.stack(lines)[:, 5:9, 1, 2] == torch.tensor([[1.0], [0.0], [1.0]])).all()


def test_layers_that_do_not_fit_their_inputs_are_refused():
    label, last = torch.zeros(1).long(), torch.nn.Linear(32, 2)
    along = torch.nn.Sequential(torch.nn.Conv2d(2, 2, 1), torch.nn.Linear(4, 4), torch.nn.Flatten(), last)
    with pytest.raises(UsageError, match=r"need vectors before Linear .*, got \(2, 4, 4\) before Linear"):
        conv_distance(along, torch.zeros(1, 2, 4, 4), label)
    with pytest.raises(UsageError, match="close must be between 0 and 1, got 0"):
        conv_distance(torch.nn.Sequential(last), torch.zeros(1, 32), label, close=0)


def test_other_modules_are_refused():
    with pytest.raises(UsageError, match="Sigmoid"):
        conv_distance(torch.nn.Sequential(torch.nn.Sigmoid()), torch.zeros(1, 2), torch.zeros(1).long())
