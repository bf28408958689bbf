"""Areas and envelopes of accuracy surfaces, the flag of collapsed training, and the two attacks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from theory.convolution import robust_accuracy
from theory.convolution.robust_accuracy import MaskedMargin, projected_ascent, signed_step

GRID = (np.array([0, 0.1, 0.3]), np.array([0, 0.02, 0.04]))
SURFACE = np.array([[1, 0.8, 0.2], [0.9, 0.5, 0.1], [0.4, 0.1, 0]])
SURFACES = arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 6)), elements=st.floats(0, 1))
VECTORS = arrays(float, st.integers(1, 6), elements=st.floats(-5, 5))


def exact(array):
    return np.vectorize(lambda value: Fraction(str(value)), otypes=[object])(array)


def test_areas():
    assert robust_accuracy.area(np.ones((3, 3)), *GRID) == pytest.approx(1)
    assert robust_accuracy.area(SURFACE, *GRID) == pytest.approx(5 / 12)
    assert robust_accuracy.area(exact(SURFACE), *map(exact, GRID)) == Fraction(5, 12)
    u, v = np.linspace(0, 1, 7) ** 2, np.linspace(0, 1, 5)
    assert robust_accuracy.area((1 - u[:, None]) * (1 - v), u, v) == pytest.approx(0.25)


@given(SURFACES, st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_an_area_is_a_mean(surface, unit, seed):
    rng = np.random.default_rng(seed)
    x, w = (np.cumsum(rng.uniform(0.1, 1, size)) for size in surface.shape)
    ours = robust_accuracy.area(surface, x, w)
    assert surface.min() - 1e-12 <= ours <= surface.max() + 1e-12
    assert robust_accuracy.area(surface.T, unit * w, x) == pytest.approx(ours, abs=1e-12)
    assert robust_accuracy.area(np.stack([surface, 1 - surface]), x, w) == pytest.approx([ours, 1 - ours], abs=1e-12)
    nested = np.trapezoid(np.trapezoid(surface, w, axis=1), x) / ((x[-1] - x[0]) * (w[-1] - w[0]))
    assert ours == pytest.approx(nested, abs=1e-12)


@given(SURFACES)
def test_the_envelope_is_the_largest_falling_surface_below(surface):
    envelope, correction = robust_accuracy.monotone_envelope(surface)
    brute = [[surface[: i + 1, : j + 1].min() for j in range(surface.shape[1])] for i in range(surface.shape[0])]
    assert np.array_equal(envelope, brute)
    assert correction == (surface - envelope).max()
    again, rest = robust_accuracy.monotone_envelope(envelope)
    assert np.array_equal(again, envelope)
    assert rest == 0


def test_an_accuracy_that_rises_is_corrected():
    envelope, correction = robust_accuracy.monotone_envelope(np.array([[1, 0.5], [0.6, 0.7]]))
    assert envelope.tolist() == [[1, 0.5], [0.6, 0.5]]
    assert correction == pytest.approx(0.2)
    assert robust_accuracy.monotone_envelope(exact(SURFACE))[1] == 0


def test_the_excess_of_joint_attacks():
    excess = robust_accuracy.joint_excess(SURFACE)
    assert excess[-1, -1] == pytest.approx(0.4 + 0.2 - 1 - 0)
    assert np.abs([excess[0], excess[:, 0]]).max() < 1e-15


def test_collapsed_training_is_flagged():
    fgsm, pgd = np.array([71.27, 55.17, 38.0, 10.0]), np.array([0.26, 32.95, 30.0, 0.0])
    assert robust_accuracy.overfitted(fgsm, pgd).tolist() == [True, False, False, False]
    assert robust_accuracy.overfitted(fgsm, pgd, gap=5.0).tolist() == [True, False, False, True]


@given(VECTORS, st.floats(0, 2), st.integers(1, 12), st.floats(1.001, 3))
def test_a_fixed_gradient_makes_pgd_fgsm(x, epsilon, steps, surplus):
    gradient = np.sin(7 * x + 1)
    last = projected_ascent(x, lambda iterate: gradient, epsilon, surplus * epsilon / steps, steps)
    assert last == pytest.approx(signed_step(x, gradient, epsilon), abs=1e-12)
    short = projected_ascent(x, lambda iterate: gradient, epsilon, epsilon / (2 * steps), steps)
    assert np.max(np.abs(short - x)) == pytest.approx(epsilon / 2, abs=1e-12)


@given(VECTORS, st.floats(0, 2), st.floats(0, 1), st.integers(0, 12))
def test_pgd_stays_in_its_ball(x, epsilon, step, steps):
    last = projected_ascent(x, lambda iterate: np.cos(9 * iterate), epsilon, step, steps)
    assert np.all(np.abs(last - x) <= min(epsilon, steps * step) + 1e-12)


def test_the_printed_settings_reach_the_boundary_and_no_farther():
    assert robust_accuracy.steps_to_boundary(8, 2) == 4
    assert robust_accuracy.steps_to_boundary(0.1, 0.0005) == 200
    assert robust_accuracy.steps_to_boundary(8 / 255, 2 / 255) == 4
    assert robust_accuracy.steps_to_boundary(0.0, 0.1) == 0
    for hundredths in range(1, 300):  # decimals, which floats round: 1.1 / 0.1 is above 11
        for step in range(1, 20):
            steps = robust_accuracy.steps_to_boundary(hundredths / 100, step / 100)
            assert steps == -(-hundredths // step)
    assert robust_accuracy.steps_to_boundary(1.05e-9, 1e-9) == 2
    assert robust_accuracy.steps_to_boundary(Fraction(1, 3), Fraction(1, 10)) == 4
    assert robust_accuracy.steps_to_boundary(2.0**60, 1.0) == 2**60


def test_a_margin_that_one_step_overshoots():
    toy = MaskedMargin()
    assert toy.margin(0) == pytest.approx(0.06)
    assert toy.margin(1) == pytest.approx(0.26)
    assert toy.smallest_margin(1) == pytest.approx(-0.1)
    assert [toy.fgsm_accuracy(epsilon) for epsilon in (0.1, 0.2, 0.4, 0.6, 0.8, 1)] == [0, 0, 0, 0, 1, 1]
    assert [toy.accuracy(epsilon) for epsilon in (0, 0.05, 0.1, 0.2, 0.6, 1)] == [1, 1, 0, 0, 0, 0]
    ascent = projected_ascent(np.zeros(1), lambda t: -2 * (t - toy.centre), 1.0, 0.2, 10)
    assert toy.margin(ascent[0]) == pytest.approx(-0.1)


def test_torch_agrees():
    torch = pytest.importorskip("torch")
    surface = torch.tensor(SURFACE, requires_grad=True)
    radii = [torch.tensor(values) for values in GRID]
    assert robust_accuracy.area(surface, *radii).item() == pytest.approx(5 / 12)
    assert torch.autograd.gradcheck(lambda values: robust_accuracy.area(values, *radii), surface)
    envelope, correction = robust_accuracy.monotone_envelope(torch.tensor(SURFACE[::-1].copy()))
    ours = robust_accuracy.monotone_envelope(SURFACE[::-1])
    assert np.array_equal(envelope.numpy(), ours[0])
    assert correction.item() == ours[1]
    assert robust_accuracy.joint_excess(surface)[2, 2].item() == pytest.approx(-0.4)
    x, slope = torch.zeros(2), torch.tensor([3.0, -1.0])
    assert projected_ascent(x, lambda iterate: slope, 0.5, 0.2, 4).tolist() == [0.5, -0.5]
    fgsm, pgd = torch.tensor([71.27, 55.17]), torch.tensor([0.26, 32.95])
    assert robust_accuracy.overfitted(fgsm, pgd).tolist() == [True, False]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: robust_accuracy.area(SURFACE, GRID[0][::-1], GRID[1]), "input_radii must increase"),
        (lambda: robust_accuracy.area(SURFACE, GRID[0], GRID[1][:2]), "weight_radii must be 2 or more, .* got 2 for 3"),
        (lambda: robust_accuracy.area(SURFACE[0], *GRID), "accuracy must have an axis per radius"),
        (lambda: robust_accuracy.monotone_envelope(SURFACE * np.nan), "accuracy must be finite"),
        (
            lambda: robust_accuracy.area(SURFACE, GRID[0] - 1, GRID[1]),
            "input_radii must be at least 0 and finite, got ent",
        ),
        (
            lambda: robust_accuracy.area(SURFACE, GRID[0], np.zeros(3)),
            "weight_radii must increase, got a smallest step",
        ),
        (lambda: signed_step(np.ones(2), np.ones(2), -0.1), "epsilon must be at least 0 and finite, got -0.1"),
        (lambda: signed_step(np.ones(2), np.array([np.nan, 1]), 0.1), "gradient must be finite"),
        (lambda: robust_accuracy.steps_to_boundary(1e300, 1e-300), "epsilon / step must be at least 0 and finite"),
        (lambda: MaskedMargin().margin("0.1"), "t must be a number and be finite, got '0.1'"),
        (lambda: robust_accuracy.overfitted(np.array([101.0]), np.array([1.0])), "fgsm must lie from 0 to 100"),
        (lambda: robust_accuracy.overfitted(np.array([1.0]), np.array([-1.0])), "pgd must lie from 0 to 100"),
        (lambda: projected_ascent(np.ones(1), np.cos, -1.0, 1.0, 1), "epsilon must be at least 0"),
        (lambda: projected_ascent(np.ones(1), np.cos, 1.0, 1.0, -1), "steps must be at least 0, got -1"),
        (lambda: robust_accuracy.steps_to_boundary(1.0, 0.0), "step must be positive"),
        (lambda: MaskedMargin(centre=0), "centre must be positive"),
        (lambda: MaskedMargin().accuracy(-1), "epsilon must be at least 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
