"""What brackets and certificates refuse, each in one line, and that models are left as they were."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from empirical.attacks.bracket import bracket
from empirical.certificates.convolutional import conv_distance
from empirical.certificates.crown import crown_distance
from empirical.certificates.dense import linear_distance, lipschitz_distance, region_distance, relu_distance
from empirical.decisions.inputs import check_model
from fragility.engine.study import UsageError

NAN, INF = float("nan"), float("inf")
X = torch.linspace(-1, 1, 20).reshape(5, 4).sin()
LABEL = torch.tensor([0, 1, 2, 0, 1])
BIG = torch.arange(12.0).reshape(4, 3).cos()


def affine(z):
    return z @ BIG.to(z.dtype)


def refused(says, call, *given, **named):
    with pytest.raises(UsageError, match=says) as error:
        call(*given, **named)
    assert "\n" not in str(error.value)
    return str(error.value)


class Fault(nn.Module):
    def forward(self, z):
        raise KeyError("weights\nof layer 3")


def inplace(z):
    return affine(z.mul_(0.5))


def lookup(z):
    """A table by sign: no gradient reaches z."""
    return BIG[:1].expand(len(z), 3) * 1.0


def constant(value):
    """Logits of which one is no number, wherever z is."""
    return lambda z: affine(z) + torch.tensor([0.0, 0.0, value])


BAD = {
    "x: NumPy": ({"x": X.numpy()}, "x must be a tensor of torch, got ndarray"),
    "x: integers": ({"x": X.long()}, "x must be floating point, float32 or float64 .*, got torch.int64"),
    "x: complex": ({"x": X.to(torch.complex64)}, "x must be floating point, .*, got torch.complex64"),
    "x: half": ({"x": X.half()}, "x must be floating point, .*, got torch.float16"),
    "x: NaN": ({"x": torch.where(X > 0.8, NAN, X)}, "x must be finite, got NaN or infinite entries"),
    "x: infinite": ({"x": torch.where(X > 0.8, INF, X)}, "x must be finite"),
    "x: empty": ({"x": X[:0], "label": LABEL[:0]}, r"a point and a coordinate at least, got shape \(0, 4\)"),
    "x: no coordinate": ({"x": X[:, :0]}, r"a point and a coordinate at least, got shape \(5, 0\)"),
    "x: one axis": ({"x": X[0]}, r"x must be \(points, ...\), .* got shape \(4,\)"),
    "x: outside": ({"box": (0, 1)}, r"x must lie inside the box \(0.0, 1.0\): clip it first"),
    "box: order": ({"box": (2.0, -2.0)}, r"box must be the lowest and the highest value, finite, or None, got \(2.0"),
    "box: a point": ({"box": (1.0, 1.0)}, "box must be the lowest and the highest value"),
    "box: NaN": ({"box": (NAN, 1.0)}, "box must be the lowest and the highest value"),
    "box: infinite": ({"box": (-INF, INF)}, "box must be the lowest and the highest value"),
    "box: one number": ({"box": 1.0}, "box must be the lowest and the highest value"),
    "box: three": ({"box": (-2, 0, 2)}, "box must be the lowest and the highest value"),
    "box: text": ({"box": ("low", "high")}, "box must be the lowest and the highest value"),
    "box: arrays": ({"box": (-X, X)}, "box must be the lowest and the highest value"),
    "label: None": ({"label": None}, "label must be a class number for each point, an integer, got dtype object"),
    "label: float": ({"label": LABEL.float()}, "label must be a class number .* an integer, got dtype float32"),
    "label: bfloat16": ({"label": LABEL.bfloat16()}, "label must be an array of numbers, got Tensor"),
    "label: truth values": ({"label": LABEL > 1}, "label must be a class number .* an integer, got dtype bool"),
    "label: texts": ({"label": list("abcde")}, "label must be a class number .* an integer, got dtype"),
    "label: ragged": ({"label": [[0], [0, 1]]}, "label must be an array of numbers, got list"),
    "label: one for all": ({"label": 0}, r"label must be a class number for each of 5 points, got shape \(\)"),
    "label: a column": ({"label": LABEL[:, None]}, r"label must be .* each of 5 points, got shape \(5, 1\)"),
    "label: too few": ({"label": LABEL[:4]}, r"label must be .* each of 5 points, got shape \(4,\)"),
    "label: too large": ({"label": LABEL + 1}, "label must be class numbers from 0 to 2, got 3"),
    "label: negative": ({"label": LABEL - 1}, "label must be class numbers from 0 to 2, got -1"),
    "target: too large": ({"target": LABEL + 5}, "target must be class numbers from 0 to 2, got 5"),
    "target: float": ({"target": LABEL.double()}, "target must be a class number .* got dtype float64"),
    "target: the label": ({"target": torch.tensor([1, 1, 1, 1, 0])}, "target must be another class than label, got 1"),
    "lower: shape": ({"lower": np.zeros(4)}, r"lower must have shape \(5\), got \(4,\)"),
    "lower: NaN": ({"lower": [0, 0, NAN, 0, 0]}, "lower must be no NaN"),
    "lower: negative": ({"lower": [0, 0, -1e-9, 0, 0]}, "lower must be at least 0, got -1e-09"),
    "lower: complex": ({"lower": np.zeros(5) * 1j}, "lower must hold real numbers, got dtype complex128"),
    "seed: negative": ({"seed": -1}, r"seed must be an integer from 0 to 2\^64 - 1, got -1"),
    "seed: too large": ({"seed": 2**64}, "seed must be an integer from 0"),
    "seed: float": ({"seed": 1.0}, "seed must be an integer from 0 .*, got 1.0"),
    "attacks: unknown": ({"attacks": ("ddn", "magic")}, "attacks must be a sequence of names among .*, got 'magic'"),
    "attacks: a name": ({"attacks": "ddn"}, "attacks must be a sequence of names among .*, got 'ddn'"),
    "attacks: none": ({"attacks": []}, "attacks must be a sequence of names among .*, got none"),
    "attacks: lists": ({"attacks": [["ddn"]]}, r"attacks must be a sequence of names among .*, got \['ddn'\]"),
    "model: None": ({"model": None}, "the model must take x, .* got TypeError: 'NoneType' object is not callable"),
    "model: fails": ({"model": Fault()}, r"the model must take x, torch.float32 of shape \(5, 4\), got KeyError: "),
    "model: other inputs": ({"model": nn.Linear(3, 3)}, "the model must take x, .* got RuntimeError: mat1 and mat2"),
    "model: float64": ({"model": nn.Linear(4, 3).double()}, "the model must take x, torch.float32 .* got RuntimeError"),
    "logits: float64": ({"model": lambda z: affine(z.double())}, "of the dtype .* of x, torch.float32 on cpu, got tor"),
    "logits: integers": ({"model": lambda z: affine(z).long()}, "of the dtype .* got torch.int64 on cpu"),
    "logits: a pair": ({"model": lambda z: (affine(z), z)}, "the model must return a tensor of logits, got tuple"),
    "logits: one class": ({"model": lambda z: affine(z)[:, :1]}, r"two classes at least, got shape \(5, 1\)"),
    "logits: one axis": ({"model": lambda z: affine(z)[:, 0]}, r"must return logits \(5, classes\) .* shape \(5,\)"),
    "logits: a sum": ({"model": lambda z: affine(z).sum(0, keepdim=True)}, r"\(5, classes\) .* got shape \(1, 3\)"),
    "logits: NaN": ({"model": constant(NAN)}, "logits at x must be finite, got NaN or infinite ones"),
    "logits: infinite": ({"model": constant(-INF)}, "logits at x must be finite"),
    "gradient: detached": ({"model": lambda z: affine(z).detach()}, "must have a gradient with respect to x"),
    "gradient: NaN": ({"model": lambda z: affine(z) + (0 * z[:, :1]).sqrt()}, "gradient .* must be finite"),
    "model: leaves": ({"model": lambda _: exit(3)}, r"the model must take x, .* got SystemExit: 3"),
    "gradient: elsewhere": ({"model": lambda z: lookup(z) * nn.Parameter(torch.ones(3))}, "must have a gradient with"),
    "model: in place": ({"model": inplace}, "the model must leave its input as it is"),
    "model: relu in place": ({"model": nn.Sequential(nn.ReLU(True), nn.Linear(4, 3))}, "must leave its input as it is"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_attacked_is_one_line(name):
    change, says = BAD[name]
    given = {"model": affine, "x": X, "label": LABEL, "attacks": ("fast_gradient",), **change}
    before = X.clone()
    refused(says, bracket, given.pop("model"), given.pop("x"), given.pop("label"), **given)
    assert torch.equal(X, before)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int16, torch.int32, np.int32, np.uint64, list])
def test_class_numbers_are_integers_of_any_kind(kind):
    def cast(labels):
        if kind is list:
            return labels.tolist()
        return labels.to(kind) if isinstance(kind, torch.dtype) else labels.numpy().astype(kind)

    target = (LABEL + 1) % 3
    expected = bracket(affine, X, LABEL, target=target, attacks=("fast_gradient", "deepfool"), box=(-2, 2))
    found = bracket(
        affine, X, cast(LABEL), target=cast(target), attacks=["fast_gradient", "deepfool"], box=np.array([-2, 2])
    )
    assert np.array_equal(found.each, expected.each)
    assert np.array_equal(found.delta, expected.delta)
    weights = [(BIG.T[None], np.zeros((1, 3)))]
    assert np.array_equal(relu_distance(weights, X, cast(LABEL)), relu_distance(weights, X.numpy(), LABEL.numpy()))


class DropPath(nn.Module):
    """Stochastic depth of a rate at which two calls on five points nearly always agree."""

    def forward(self, z):
        return z * (torch.rand(len(z), 1) > 1e-4) if self.training else z


class Noise(nn.Module):
    """Its random numbers are its own, so that nobody sees it draw."""

    def __init__(self):
        super().__init__()
        self.stream = np.random.default_rng(0)

    def forward(self, z):
        return z + 1e-5 * torch.from_numpy(self.stream.standard_normal(z.shape)).to(z.dtype)


class Careless(nn.Module):
    """Dropout in evaluation, too."""

    def forward(self, z):
        return functional.dropout(z, 0.001)


class After(nn.Module):
    """Adds half of the point before, unless it is the first."""

    def forward(self, z):
        return torch.cat((z[:1], z[1:] + z[:-1] / 2))


class Causal(nn.Module):
    def forward(self, z):
        return z.cumsum(0)


class Norms(nn.Module):
    """Mixes after a normalisation that hides any scale and shift of a point."""

    def forward(self, z):
        unit = functional.layer_norm(z, z.shape[1:])
        return unit + unit.square().mean(0) + unit.mean(0) ** 3


class Groups(nn.Module):
    """Points 0 and 4, 1 and 5, ... belong together: numbers that differ in their third binary digit only."""

    def forward(self, z):
        return z + z.roll(4, 0)


MIX = "mixes points: when some are replaced, the logits of others change"
DRAW, AGAIN = "draws random numbers", "gives others when it is called again"
LAYERS = {
    "dropout": (nn.Dropout(0.5), DRAW),
    "dropout of a rare entry": (nn.Dropout(1e-4), DRAW),
    "alpha dropout": (nn.AlphaDropout(0.1), DRAW),
    "rrelu": (nn.RReLU(), DRAW),
    "stochastic depth": (DropPath(), DRAW),
    "dropout in evaluation": (Careless().eval(), DRAW),
    "noise of its own": (Noise().eval(), AGAIN),
    "batch statistics": (nn.BatchNorm1d(6), "changes its 1.running_mean when it is called"),
    "batch statistics that are not kept": (nn.BatchNorm1d(6, track_running_stats=False).eval(), MIX),
    "the point before": (After(), MIX),
    "all points before": (Causal(), MIX),
    "all points after": (nn.Sequential(Causal(), nn.Flatten()), MIX),
    "normalised": (Norms(), MIX),
    "in groups": (Groups(), MIX),
    "spectral norm": (
        nn.utils.parametrizations.spectral_norm(nn.Linear(6, 6)),
        r"changes its 1.parametrizations.weight.0._u when",
    ),
}
SOUND = {
    "dropout": nn.Dropout(0.5).eval(),
    "rrelu": nn.RReLU().eval(),
    "stochastic depth": DropPath().eval(),
    "batch statistics": nn.BatchNorm1d(6).eval(),
    "layer norm": nn.LayerNorm(6),
    "group norm": nn.GroupNorm(2, 6),
    "spectral norm": nn.utils.parametrizations.spectral_norm(nn.Linear(6, 6)).eval(),
    "relu in place": nn.ReLU(inplace=True),
}
POINTS = torch.randn(7, 4, generator=torch.Generator().manual_seed(1))


def network(layer):
    made = torch.Generator().manual_seed(2)
    around = nn.Linear(4, 6), nn.Linear(6, 3)
    for parameter in (parameter for part in around for parameter in part.parameters()):
        nn.init.normal_(parameter, generator=made)
    return nn.Sequential(around[0], layer, around[1])


def kept(net):
    return {name: value.clone() for name, value in net.state_dict().items()}, torch.get_rng_state()


def assert_left_alone(net, before):
    after, state = kept(net)
    assert torch.equal(state, before[1])
    assert all(torch.equal(after[name], before[0][name]) for name in before[0])
    assert all(parameter.grad is None for parameter in net.parameters())


@pytest.mark.parametrize("name", LAYERS)
def test_models_that_are_no_function_of_a_point_are_refused_and_left_alone(name):
    layer, says = LAYERS[name]
    net = network(layer)
    before = kept(net)
    message = refused(says, bracket, net, POINTS, torch.zeros(7, dtype=torch.long), attacks=("ddn",))
    assert "evaluation mode" in message
    assert_left_alone(net, before)


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("size", [1, 7])
def test_models_that_are_pass_and_are_left_alone(name, size):
    net = network(SOUND[name])
    before = kept(net)
    assert check_model(net, POINTS[:size], None) == 3
    assert_left_alone(net, before)


IMAGES = torch.rand(3, 1, 4, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.BatchNorm2d(2), "changes its 1.running_mean"),
        (nn.BatchNorm2d(2, track_running_stats=False), MIX),
        (nn.Dropout2d(1e-3), DRAW),
        (nn.InstanceNorm2d(2, track_running_stats=True), "changes its 1.running_mean"),
        (nn.InstanceNorm2d(2), None),
        (nn.GroupNorm(1, 2), None),
        (nn.BatchNorm2d(2).eval(), None),
    ],
    ids=str,
)
def test_layers_of_images(layer, says):
    net = nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.Flatten(), nn.Linear(8, 3))
    if says is None:
        assert check_model(net, IMAGES, (0.0, 1.0)) == 3
    else:
        refused(says, check_model, net, IMAGES, (0.0, 1.0))


@pytest.mark.parametrize("size", [1, 2, 3, 8, 9])
def test_every_pair_of_points_that_mix_is_seen(size):
    for one in range(size):
        for other in range(size):
            if one != other:
                move = torch.zeros(size, size)
                move[one, other] = 1e-3
                refused(MIX, check_model, lambda z, m=move: affine(z + m @ z), BIG[:, :1].T.expand(size, 4) * 1.0, None)


@pytest.mark.parametrize(("box", "value"), [(None, 0.0), (None, -3.0), ((0.0, 1.0), 0.0), ((2.0, 3.0), 2.0)])
def test_points_at_the_edge_of_the_box_are_replaced_too(box, value):
    seen = []

    def watched(z):
        seen.append(z.detach().clone())
        return affine(z + z.mean(0))

    x = torch.full((3, 4), value)
    refused(MIX, check_model, watched, x, box)
    assert not torch.equal(seen[-1], x)
    if box is not None:
        assert all(((z >= box[0]) & (z <= box[1])).all() for z in seen)


LAYER = (np.ones((1, 3, 4)), np.zeros((1, 3)))
DENSE = {
    "x: NaN": ({"x": np.full((5, 4), NAN)}, "x must be finite"),
    "x: one axis": ({"x": X[0]}, r"x must have shape \(any, any\), got \(4,\)"),
    "x: empty": ({"x": X[:0], "label": []}, "x must hold a point and a coordinate at least"),
    "x: complex": ({"x": X.numpy() * 1j}, "x must hold real numbers, got dtype complex64"),
    "x: width": ({"x": X[:, :3]}, r"weight 0 must have shape \(any, any, 3\), got \(1, 3, 4\)"),
    "layers: none": ({"layers": []}, "layers must end in two classes at least, got no layers"),
    "layers: one class": ({"layers": [(np.ones((1, 1, 4)), np.zeros((1, 1)))]}, "two classes at least, got 1"),
    "layers: no pair": ({"layers": [LAYER[0]]}, "layers must be pairs of weight and bias, got ndarray"),
    "weight: NaN": ({"layers": [(NAN * LAYER[0], LAYER[1])]}, "weight 0 must be finite"),
    "weight: axes": ({"layers": [(LAYER[0][0], LAYER[1])]}, r"weight 0 must have shape \(any, any, 4\), got \(3, 4\)"),
    "weight: networks": ({"layers": [(np.ones((2, 3, 4)), LAYER[1])]}, "weight 0 must be of 1 network or of 5"),
    "bias: width": ({"layers": [(LAYER[0], np.zeros((1, 2)))]}, r"bias 0 must have shape \(any, 3\), got \(1, 2\)"),
    "bias: networks": ({"layers": [(LAYER[0], np.zeros((4, 3)))]}, "bias 0 must be of 1 network or of 5"),
    "layers: chain": ({"layers": [LAYER, LAYER]}, r"weight 1 must have shape \(any, any, 3\), got \(1, 3, 4\)"),
    "label: too large": ({"label": LABEL + 1}, "label must be class numbers from 0 to 2, got 3"),
    "label: negative": ({"label": LABEL.numpy() - 1}, "label must be class numbers from 0 to 2, got -1"),
    "label: float": ({"label": LABEL.float()}, "label must be a class number .* got dtype float32"),
    "label: shape": ({"label": LABEL[:2]}, "label must be a class number for each of 5 points"),
    "target: too large": ({"target": LABEL + 1}, "target must be class numbers from 0 to 2, got 3"),
}


@pytest.mark.parametrize("name", DENSE)
@pytest.mark.parametrize(
    "call",
    [
        lambda layers, *rest: relu_distance(layers, *rest),
        lambda layers, *rest: region_distance(layers, *rest),
        lambda layers, *rest: lipschitz_distance(layers, *rest),
        lambda layers, *rest: crown_distance(layers, *rest, np.zeros(5)),
    ],
    ids=["relu", "region", "lipschitz", "crown"],
)
def test_certificates_of_dense_networks_refuse_in_one_line(call, name):
    change, says = DENSE[name]
    given = {"layers": [LAYER], "x": X, "label": LABEL, "target": None, **change}
    refused(says, call, *given.values())


def test_the_other_arguments_of_certificates():
    refused("weight 0 must have shape", linear_distance, LAYER[0], LAYER[1], X[:, :2], LABEL)
    refused("target must be class numbers from 0 to 2, got 3", linear_distance, *LAYER, X, LABEL, LABEL + 1)
    for start, says in ((np.full(5, NAN), "no NaN"), (np.full(5, -1.0), "at least 0, got -1.0"), (np.ones(4), "shape")):
        refused(f"start must .*{says}", crown_distance, [LAYER], X, LABEL, None, start)


CONV = (nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 3))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x": IMAGES * NAN}, "x must be finite"),
        ({"x": IMAGES.numpy()}, "x must be a tensor of torch, got ndarray"),
        ({"x": IMAGES[:, :, :2]}, "the model must take x, .* got RuntimeError"),
        ({"x": IMAGES[:, 0]}, r"the model must take x, torch.float64 of shape \(3, 4, 4\), got RuntimeError"),
        ({"label": [0, 1, 3]}, "label must be class numbers from 0 to 2, got 3"),
        ({"label": [0.0, 1.0, 2.0]}, "label must be a class number"),
        ({"target": [0, 1]}, r"target must be a class number for each of 3 points, got shape \(2,\)"),
        ({"network": CONV[0]}, "need a torch.nn.Sequential, got Conv2d"),
        ({"network": nn.Sequential()}, r"ends in Linear, got Sequential\(\)"),
        ({"network": nn.Sequential(*CONV, nn.ReLU())}, r"ends in Linear, got Sequential\( \(5\): ReLU\(\) \)"),
        ({"network": nn.Sequential(*CONV[:4], nn.Linear(2, 1))}, r"two classes at least, got shape \(3, 1\)"),
        ({"network": nn.Sequential(nn.Sequential(*CONV))}, r"got Sequential\( \(0\): Conv2d"),
        ({"network": nn.Sequential(*CONV[:4], nn.Dropout(), CONV[4])}, r"got Dropout\(p=0.5"),
        ({"network": nn.Sequential(*CONV[:2], nn.MaxPool2d(2, ceil_mode=True), *CONV[3:])}, "got MaxPool2d"),
        ({"network": nn.Sequential(*CONV[:2], nn.MaxPool2d(2, dilation=1, stride=1), *CONV[3:])}, "got MaxPool2d"),
        ({"network": nn.Sequential(nn.MaxPool2d(2, dilation=2), *CONV)}, "got MaxPool2d"),
        ({"network": nn.Sequential(*CONV[:3], nn.Flatten(0), CONV[4])}, "got Flatten"),
        ({"network": nn.Sequential(nn.Conv2d(1, 1, 3, dilation=2), *CONV[1:])}, "got Conv2d"),
    ],
)
def test_certificates_of_convolutions_refuse_in_one_line(change, says):
    given = {"network": nn.Sequential(*CONV), "x": IMAGES, "label": [0, 1, 2], "target": None, **change}
    refused(says, conv_distance, *given.values())


def test_a_convolution_whose_weights_are_no_numbers():
    broken = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    nn.init.constant_(broken[1].bias, NAN)
    refused("need finite weights and biases", conv_distance, broken, IMAGES, [0, 1, 2])
