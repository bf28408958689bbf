"""The judge believes nobody: ties, lies, boxes, and the segment between the clean point and a proposal."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from empirical.decisions.judge import Judge, flips, lengths

HALF = torch.tensor([0])


def threshold(at):
    """A network of two classes on the line that says 1 beyond `at`."""
    return lambda z: torch.stack((torch.full_like(z[:, 0], at), z[:, 0]), 1)


@pytest.mark.parametrize(
    ("logits", "label", "target", "said"),
    [
        ([1.0, 1.0, 0.0], 0, None, False),
        ([1.0, 1.0, 0.0], 1, None, False),
        ([1.0, 2.0, 0.0], 0, None, True),
        ([0.0, 2.0, 2.0], 0, 2, False),
        ([0.0, 1.0, 2.0], 0, 2, True),
        ([0.0, 2.0, 1.0], 0, 2, False),
        ([float("nan"), 2.0, 1.0], 0, None, False),
        ([0.0, float("inf"), 1.0], 0, None, False),
    ],
)
def test_a_tie_or_what_is_no_number_is_no_flip(logits, label, target, said):
    target = None if target is None else torch.tensor([target])
    assert bool(flips(torch.tensor([logits]), torch.tensor([label]), target)) is said


def test_an_attack_that_returns_the_clean_point_has_failed():
    judge = Judge(threshold(0.5), torch.zeros(1, 1), HALF)
    assert judge.measure(judge.x).item() == np.inf
    point, length = judge.bisect(judge.x)
    assert length.item() == np.inf
    assert torch.equal(point, judge.x)


def test_proposals_are_judged_inside_the_box():
    judge = Judge(threshold(1.5), torch.zeros(1, 1), HALF, box=(0.0, 1.0))
    assert judge.outside(torch.tensor([[2.0]])).item()
    assert not judge.outside(torch.tensor([[1.0]])).item()
    assert judge.measure(torch.tensor([[2.0]])).item() == np.inf


def test_lengths_are_float64_of_what_was_added():
    x = torch.full((1, 1), 1.0)
    assert lengths(x, x + 1e-9).item() == 0
    assert lengths(x, x + 1e-6).item() == pytest.approx(float(np.float32(1) + np.float32(1e-6)) - 1, rel=1e-15)


@settings(max_examples=25)
@given(at=st.floats(0.01, 10), reach=st.floats(0.02, 50))
def test_bisection_ends_at_the_boundary_and_flips(at, reach):
    judge = Judge(threshold(at), torch.zeros(1, 1, dtype=torch.float64), HALF)
    point, length = judge.bisect(torch.tensor([[reach]], dtype=torch.float64))
    if 1.02 * reach <= at:
        assert length.item() == np.inf
    elif reach > at:
        assert judge.flips(point).item()
        assert at < length.item() <= at + 1e-6 * reach


def test_a_proposal_on_the_boundary_is_stretched_over_it():
    judge = Judge(threshold(0.5), torch.zeros(1, 1, dtype=torch.float64), HALF)
    assert judge.bisect(torch.full((1, 1), 0.5, dtype=torch.float64))[1].item() == pytest.approx(0.5, rel=1e-5)


def test_elements_do_not_share_a_bisection():
    ends = torch.tensor([[0.2], [3.0], [90.0]])
    judge = Judge(threshold(0.5), torch.zeros(3, 1), torch.zeros(3, dtype=torch.long))
    assert judge.bisect(ends)[1].numpy() == pytest.approx([np.inf, 0.5, 0.5], rel=1e-4)
