"""WideResNet-16-k: its layer list, its weights, and constants that must cover every slope."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.convolution.wide_resnet import Block, average_pool_norm, certified_radius, layers, lipschitz, weight_count

NORMS = st.floats(0, 10)


@pytest.mark.parametrize(("widen", "count"), [(1, 174128), (2, 689840), (4, 2745264), (8, 10954160)])
def test_weights(widen, count):
    assert weight_count(widen) == count


def test_the_layers_of_the_narrowest_net():
    net = layers(1)
    assert len(net) == 16
    assert [layer.name for layer in net if layer.size == 1] == [
        "group2.block1.shortcut",
        "group3.block1.shortcut",
        "fc",
    ]
    assert [layer.stride for layer in net].count(2) == 4
    assert net[0].weights == 432


@given(st.integers(2, 10), st.integers(1, 100))
def test_layers_fit_together(widen, classes):
    *convolutions, connected = layers(widen, classes)
    assert len(convolutions) == 16
    assert (connected.channels_in, connected.channels_out) == (64 * widen, classes)
    main = [layer for layer in convolutions if layer.size == 3]
    for before, after in pairwise(main):
        assert before.channels_out == after.channels_in
        assert before.image // before.stride == after.image
    assert main[-1].image == 8
    assert {layer.image for layer in main} == {32, 16, 8}
    shortcuts = [layer for layer in convolutions if layer.size == 1]
    assert [(s.channels_in, s.channels_out) for s in shortcuts] == [
        (16, 16 * widen),
        (16 * widen, 32 * widen),
        (32 * widen, 64 * widen),
    ]


def test_blocks():
    assert Block(2, 3, 5).lipschitz == 31
    assert Block(2, 3, 5, shortcut=7).lipschitz == 44
    assert average_pool_norm() == 0.125
    assert lipschitz(2, [Block(2, 3, 5), Block(1, 1, 1)], 4, 3) == pytest.approx(2 * 31 * 2 * 4 / 8 * 3)


@given(st.lists(st.tuples(NORMS, NORMS, NORMS), max_size=6), NORMS, NORMS, NORMS)
def test_the_constant_grows_with_every_norm(blocks, first, final, connected):
    def constant(extra):
        return lipschitz(
            first + extra, [Block(*(norm + extra for norm in block)) for block in blocks], final, connected
        )

    assert constant(0) <= constant(0.1) * (1 + 1e-12)


def test_the_average_pool_has_norm_one_eighth():
    pool = np.full((1, 64), 1 / 64)
    assert np.linalg.norm(pool, 2) == pytest.approx(average_pool_norm())


def test_radii():
    logits = np.array([[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, 2.0, 2.0]])
    constants = np.array([[9.0, 1.0, 3.0]] * 3)
    radii = certified_radius(logits, np.array([0, 1, 1]), constants)
    assert radii == pytest.approx([1, 0, 0])
    assert certified_radius(logits[0], 0, 2.0) == pytest.approx(1)


def test_what_is_not_read_may_be_anything_and_an_unknown_constant_promises_nothing():
    constants = np.array([np.nan, 2.0, np.inf])
    assert certified_radius(np.array([3.0, 1.0, 2.0]), 0, constants) == 0
    assert certified_radius(np.array([3.0, 1.0, 2.0]), 0, np.array([np.inf, 2.0, 0.5])) == 1


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.integers(1, 6))
def test_no_smaller_perturbation_changes_a_linear_classifier(seed, classes, inputs):
    rng = np.random.default_rng(seed)
    weights, x = rng.standard_normal((classes, inputs)), rng.standard_normal(inputs)
    label = int(np.argmax(weights @ x))
    pairs = weights[label] - weights
    radius = float(certified_radius(weights @ x, label, np.linalg.norm(pairs, axis=1)))
    inside = rng.standard_normal((50, inputs))
    inside *= radius * (1 - 1e-9) / np.linalg.norm(inside, axis=1, keepdims=True)
    assert np.all(np.argmax((x + inside) @ weights.T, axis=1) == label)
    # ... and one of that length reaches the tie.
    steps = [-(pair @ x) / (pair @ pair) * pair for j, pair in enumerate(pairs) if j != label]
    assert min(map(np.linalg.norm, steps)) == pytest.approx(radius)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    logits = torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 5.0]], dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1])
    ours = certified_radius(logits, labels, 2.0)
    assert ours.detach().numpy() == pytest.approx([1, 0])
    assert torch.autograd.gradcheck(lambda values: certified_radius(values, labels, 2.0), logits)
    assert float(lipschitz(1.0, [Block(1, 1, 1)], 1.0, torch.tensor(8.0))) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layers(0), "widen must be at least 1, got 0"),
        (lambda: layers(1, 0), "classes must be at least 1, got 0"),
        (lambda: average_pool_norm(0), "side must be at least 1"),
        (lambda: lipschitz(-1.0, [], 1, 1), "first must be at least 0"),
        (lambda: lipschitz(1.0, [Block(1, math.inf, 1)], 1, 1), "a block's first must be"),
        (lambda: lipschitz(1.0, [Block(1, 1, 1, -1.0)], 1, 1), "a block's shortcut must be"),
        (lambda: certified_radius(np.ones(1), 0, 1.0), "logits must be at least 2, got 1"),
        (lambda: certified_radius(np.ones(3), 3, 1.0), "labels must be classes 0 to 2"),
        (lambda: certified_radius(np.ones(3), 1.0, 1.0), "labels must be integers, got dtype float64"),
        (lambda: certified_radius(np.ones((2, 3)), np.array([True, False]), 1.0), "labels must be integers, got dtype"),
        (lambda: certified_radius(np.ones((2, 3)), np.array([0]), 1.0), "labels must be one per sample"),
        (lambda: certified_radius(np.ones(3), 0, 0.0), "constants must be positive"),
        (lambda: certified_radius(np.ones(3), 0, np.array([1.0, np.nan, 1.0])), "constants must hold numbers"),
        (lambda: lipschitz(1.0, [], 1, -1.0), "connected must be at least 0"),
        (lambda: lipschitz(1.0, [], 1, np.array([1.0, np.inf])), "connected must be finite"),
        (lambda: certified_radius(np.array([1, np.nan]), 0, 1.0), "logits must be finite"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
