"""Nearest points of half-spaces in boxes, by their optimality conditions."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from empirical.decisions.halfspace import nearest

BOX = (0.0, 1.0)


def problem(seed, n, share):
    """A point of the unit cube, some coordinates of it at its faces, a normal, and a share of what it can gain."""
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    x[rng.random(n) < 0.3] = 0.0
    x[rng.random(n) < 0.2] = 1.0
    normal = rng.normal(size=n) * (rng.random(n) < 0.8)
    most = np.where(normal > 0, normal * (1 - x), -normal * x).sum()
    return x, normal, share * most


@settings(max_examples=200)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 40), share=st.floats(1e-3, 0.999), guess=st.floats(0, 100))
def test_it_meets_the_conditions_of_an_optimum(seed, n, share, guess):
    x, normal, offset = problem(seed, n, share)
    if offset <= 0:
        return
    rows = [torch.tensor(value)[None] for value in (x, normal)]
    delta, multiplier = nearest(*rows, torch.tensor([offset]), BOX, torch.tensor([guess], dtype=torch.float64))
    reach = lambda t: normal @ np.clip(t * normal, -x, 1 - x) - offset  # noqa: E731
    highest = 1 / np.abs(normal[normal != 0]).min() + 1
    t = brentq(reach, 0, highest, xtol=1e-14, rtol=1e-14)
    assert delta[0].numpy() == pytest.approx(np.clip(t * normal, -x, 1 - x), abs=1e-9)
    assert normal @ delta[0].numpy() == pytest.approx(offset, rel=1e-9)
    assert delta[0].numpy() == pytest.approx(np.clip(float(multiplier) * normal, -x, 1 - x), abs=1e-12)


def test_without_a_box_it_is_the_foot_of_the_perpendicular():
    normal = torch.randn(5, 7, dtype=torch.float64)
    offset = torch.tensor([1.0, 2.0, 0.0, -1.0, 5.0], dtype=torch.float64)
    delta, _ = nearest(torch.randn(5, 7).double(), normal, offset, None)
    expected = normal * (offset.clamp(min=0) / normal.square().sum(1))[:, None]
    assert delta.numpy() == pytest.approx(expected.numpy(), rel=1e-12)


def test_what_the_box_does_not_reach_ends_as_far_as_it_goes():
    x, normal, offset = problem(3, 20, 1.5)
    delta, _ = nearest(torch.tensor(x)[None], torch.tensor(normal)[None], torch.tensor([offset]), BOX)
    assert 0 < normal @ delta[0].numpy() <= offset / 1.5 * (1 + 1e-12)
    still, _ = nearest(torch.tensor(x)[None], torch.zeros(1, 20).double(), torch.tensor([1.0]).double(), BOX)
    assert not still.any()
