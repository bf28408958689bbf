"""Layers are found in the order in which an image meets them, with their batch normalisations; others are named."""

import math
from threading import Event, Thread

import numpy as np
import pytest
import torch
from torch import nn

from empirical.measures import layers as measures
from empirical.measures.layers import found, matrices, measured, spectrum, traced

LIKE = torch.empty(0, dtype=torch.float64)


class Branching(nn.Module):
    """Layers named out of order, one before a batch normalisation, one with two readers, one unused; a bare weight."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 3)
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 1, groups=2)
        self.other = nn.BatchNorm2d(4)
        self.unused = nn.Linear(2, 2)
        self.scale = nn.Parameter(torch.ones(1))
        for norm in (self.norm, self.other):
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.normal_(norm.weight)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x)))
        y = self.second(x)
        return self.last((self.other(y) + y).mean((2, 3))) * self.scale


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Branching().eval().double().requires_grad_(False)


def test_layers_stand_in_the_order_of_the_image_and_others_are_named(model):
    layers, unknown = found(model, torch.rand(1, 2, 6, 6).double())
    assert [layer.name for layer in layers] == ["first", "second", "last"]
    assert [layer.inputs for layer in layers] == [(2, 6, 6), (4, 3, 3), (4,)]
    assert [layer.outputs for layer in layers] == [(4, 3, 3), (4, 3, 3), (3,)]
    assert [layer.kind for layer in layers] == [1, 1, 0]
    assert [layer.follower for layer in layers] == [model.norm, None, None]  # `second` is read by the sum as well
    assert unknown == ("the network itself (Branching)", "unused (not met by an image)")


def test_a_batch_normalisation_behind_a_layer_is_folded_in(model):
    (layer, *_), _ = found(model, torch.rand(1, 2, 6, 6).double())
    unit = torch.eye(72).reshape(72, 2, 6, 6).double()
    whole = model.norm(model.first(unit)) - model.norm(model.first(0 * unit[:1]))
    expected = np.linalg.svd(whole.flatten(1).numpy(), compute_uv=False)
    said = measured(layer, LIKE, 0, [50.0])
    assert said["folded_norm"] == pytest.approx(expected[0], rel=1e-12)
    assert said["norm"] != pytest.approx(expected[0], rel=1e-2)


def test_what_acts_place_by_place_needs_no_images(monkeypatch):
    torch.manual_seed(0)
    monkeypatch.setattr(measures, "extremes", None)  # which would take a map of images
    for stride, outputs in ((1, 6), (2, 6), (2, 3)):
        layer = nn.Conv2d(4, outputs, 1, stride=stride).double()
        (held,), _ = found(layer, torch.rand(1, 4, 4, 4).double())
        unit = torch.eye(64).reshape(64, 4, 4, 4).double()
        sigma = np.linalg.svd((layer(unit) - layer.bias[:, None, None]).detach().flatten(1).numpy(), compute_uv=False)
        said = measured(held, LIKE, 0, [])
        assert said["norm"] == said["norm_at_most"] == pytest.approx(sigma[0], rel=1e-12)
        assert said["smallest"] == pytest.approx(sigma[-1], rel=1e-9, abs=1e-14)


def test_weights_are_matrices_side_by_side():
    torch.manual_seed(0)
    for layer in (nn.Linear(5, 3), nn.Conv2d(4, 6, (3, 2), groups=2), nn.ConvTranspose2d(4, 6, 3, groups=2)):
        held = matrices(layer)
        weight = layer.weight.detach().double().numpy()
        blocks = np.split(weight, len(held))
        if isinstance(layer, nn.ConvTranspose2d):
            blocks = [block.transpose(1, 0, 2, 3) for block in blocks]
        expected = [np.linalg.svd(block.reshape(len(block), -1), compute_uv=False) for block in blocks]
        np.testing.assert_allclose(spectrum(layer), np.sort(np.concatenate(expected))[::-1], rtol=1e-12)


def test_condition_numbers_and_what_is_left_out_are_those_of_the_weights():
    layer = nn.Linear(5, 4, bias=False).double()
    left, right = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0], np.eye(4)
    layer.weight.data = torch.from_numpy((right * [8.0, 4.0, 2.0, 1.0]) @ left[:4])
    (held,), _ = found(layer, torch.rand(1, 5).double())
    said = measured(held, LIKE, 0, [10.0, 50.0, 100.0])
    assert said["kernel_condition"] == pytest.approx(8)
    assert said["left_out"] == pytest.approx([0, 2 / 8, 1])
    layer.weight.data[0] = layer.weight.data[1]
    assert math.isinf(measured(held, LIKE, 0, [])["kernel_condition"])
    assert measured(held, LIKE, 0, [])["smallest"] == 0


def test_a_layer_that_would_take_long_has_no_spectrum(monkeypatch):
    monkeypatch.setattr(measures, "OPERATIONS", 10)
    layer = nn.Linear(30, 20).double()
    (held,), _ = found(layer, torch.rand(1, 30).double())
    said = measured(held, LIKE, 0, [50.0])
    assert np.isnan([said["kernel_condition"], *said["left_out"]]).all()
    assert said["norm"] == pytest.approx(float(torch.linalg.matrix_norm(layer.weight.detach(), 2)), rel=1e-9)


class Padding(nn.Conv2d):
    """A convolution that pads by itself, as other packages have it."""

    def forward(self, x):
        return super().forward(nn.functional.pad(x, (0, 1, 0, 1)))


class Deciding(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


def test_derived_classes_are_asked_what_they_do_and_graphs_stop_at_them():
    layer = Padding(1, 2, 1).double()
    model = nn.Sequential(layer, nn.Flatten(), nn.Linear(2 * 16, 2)).double()
    (held, _), _ = found(model, torch.rand(1, 1, 3, 3).double())
    assert held.outputs == (2, 4, 4)
    assert measured(held, LIKE, 0, [])["norm"] == pytest.approx(float(layer.weight.detach().norm()), rel=1e-9)
    assert [node.op for node in traced(model).graph.nodes][1] == "call_module"
    assert "cannot be written as a graph of calls (TraceError" in traced(Deciding())


def test_other_threads_go_on_while_a_network_is_traced(model):
    x, ended, faults = torch.rand(1, 2, 6, 6).double(), Event(), []
    expected = model(x)

    def call():
        while not ended.is_set():
            try:
                assert torch.equal(model(x), expected)
            except BaseException as fault:
                faults.append(fault)
                return

    threads = [Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        assert not isinstance(traced(model), str)
    ended.set()
    for thread in threads:
        thread.join()
    assert not faults
