"""Projections onto linearised boundaries where the answer is known, and what pairs of classes show."""

import pytest
import torch

from empirical.attacks.linearised import projections
from empirical.attacks.pairs import Pairs
from empirical.decisions.judge import Judge


def pairs(model, x, any_batch=True, box=None):
    label = model(x).argmax(1)
    return Pairs.beside(Judge(model, x, label, None, box, any_batch), (1 - label)[None])


@pytest.mark.parametrize("any_batch", [True, False])
def test_on_a_plane_one_whole_step_is_enough(any_batch):
    weight = torch.randn(2, 9, dtype=torch.float64)
    some = pairs(lambda z: z @ weight.T, torch.randn(6, 9, dtype=torch.float64), any_batch)
    point, far = projections(some, some.x, (1.0,))
    gap = -some.ahead(some.x)
    assert far.numpy() == pytest.approx((gap / (weight[0] - weight[1]).norm()).numpy(), rel=1e-3)
    assert (some.ahead(point) > 0).all()


def test_parts_of_steps_settle_on_a_ridge_where_whole_ones_go_to_and_fro():
    # Class 1 is ahead where both coordinates exceed 1: from 0 the nearest such point is (1, 1), a ridge of two planes.
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, torch.minimum(z[:, 0], z[:, 1])), 1)  # noqa: E731
    some = pairs(model, torch.zeros(1, 2, dtype=torch.float64))
    start = torch.tensor([[2.0, 3.0]], dtype=torch.float64)
    _, full = projections(some, start, (1.0,) * 40)
    _, parts = projections(some, start, tuple(0.5 * 0.02 ** (k / 39) for k in range(40)))
    assert full > 1.5 * 2**0.5
    assert 2**0.5 <= float(parts) < 1.02 * 2**0.5


def test_a_row_without_gradient_stays_and_fails():
    model = lambda z: torch.stack((z[:, 0] * 0 + 1, (z[:, 0] - 9).relu()), 1)  # noqa: E731
    some = pairs(model, torch.zeros(2, 3))
    point, far = projections(some, some.x, (0.5, 0.5))
    assert far.isinf().all()
    assert torch.equal(point, some.x)


def test_pairs_show_the_two_logits_of_each_row():
    weight = torch.randn(4, 5)
    x, label = torch.randn(3, 5), torch.tensor([0, 2, 3])
    rivals = torch.tensor([[1, 0, 0], [2, 3, 1]])
    rows = Pairs.beside(Judge(lambda z: z @ weight.T, x, label, None, None, True), rivals)
    logits = x @ weight.T
    for k, (own, rival) in enumerate(rows(rows.x)):
        assert own == pytest.approx(float(logits[k % 3, label[k % 3]]), rel=1e-5)
        assert rival == pytest.approx(float(logits[k % 3, rivals[k // 3, k % 3]]), rel=1e-5)
    gap, gradient = rows.at(torch.tensor([4])).slope(x[1:2])
    assert gap.item() == pytest.approx(float(logits[1, 3] - logits[1, 2]), rel=1e-5)
    assert gradient[0].numpy() == pytest.approx((weight[3] - weight[2]).numpy(), rel=1e-5)


def test_towards_a_target_the_other_logit_is_the_largest():
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    judge = Judge(lambda z: z, logits, torch.tensor([0, 2]), torch.tensor([1, 0]), None, True)
    rows = Pairs.beside(judge, judge.target[None])
    assert rows(rows.x).tolist() == [[3, 1], [2, 0]]
