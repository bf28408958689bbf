"""The attacks of the study against the theory of single worlds, and its samplers against full matrices."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.backends import numba_backend, numpy_backend
from fragility.testing import assert_agrees
from simulate.last_column import STUDY, draw, measure
from theory.claims import BOOK
from theory.points import last_column as exact
from theory.points.optimal_tolerance import linear_margin, optimal_tolerance
from theory.products.fraction import fraction_law

BACKEND = numpy_backend.BACKEND
SHAPES = [(2, (2,)), (4, (4,)), (5, (5, 5)), (3, (7, 4)), (9, (9,)), (30, (34,))]
RATES = [claim for claim in BOOK if claim.study == "last_column" and claim.kind == "rate"]


def world(n, rows, size=20, seed=0):
    return draw(BACKEND.stream(seed, 0), size, n, rows)


def drawn(method, n, rows, size, seed=0):
    way = STUDY.methods[method]
    stream = numba_backend.BACKEND.stream(seed, 0)
    return way.measure(numba_backend.BACKEND, way.draw(stream, size, n=n, rows=rows), n=n, rows=rows)


def products(factors):
    whole = factors[0]
    for factor in factors[1:]:
        whole = factor @ whole
    return whole


@pytest.mark.parametrize(("n", "rows"), SHAPES)
class TestNetwork:
    def test_the_numbers_are_those_of_each_world_alone(self, n, rows):
        factors, signs = world(n, rows)
        found = measure(BACKEND, (factors, signs), n, rows)
        for k, data in enumerate(products(factors)):
            half = np.linalg.norm(data[:, -1] - data[:, -2]) / 2
            size, margin = exact.swap_size(data, n - 1, n - 2), exact.pair_margin(data, n - 1, n - 2)
            column = exact.column_perturbation(data, n - 1)
            expected = {
                "size": size,
                "normalised_size": size / math.sqrt(math.prod(rows[:-1])),
                "margin": margin,
                "ratio": margin / half,
                "compression": size / half / 2,
                "untargeted": exact.untargeted_margins(data)[-1],
                "column": np.linalg.norm(column),
                "normalised_column": np.linalg.norm(column) * math.sqrt(2 * math.log(n)),
                "sign_size": np.linalg.norm(exact.flip_perturbation(data, signs[k, -1])),
            }
            assert expected == pytest.approx({name: found[name][k] for name in expected}, rel=1e-9)

    def test_every_attack_does_what_it_says(self, n, rows):
        found = measure(BACKEND, world(n, rows, 200), n, rows)
        assert np.all(found["flips"] == 1)
        assert np.max(found["error"]) < 1e-9

    def test_no_attack_is_shorter_than_the_shortest(self, n, rows):
        found = measure(BACKEND, world(n, rows, 200), n, rows)
        nearly = 1 + 1e-9
        assert np.all(found["untargeted"] <= found["margin"] * nearly)
        assert np.all(found["untargeted"] <= found["column"] * nearly)
        assert np.all(2 * found["margin"] <= found["size"] * nearly)
        if n == 2:
            np.testing.assert_allclose(found["compression"], 1)


@pytest.mark.parametrize(("n", "rows"), [(2, (2,)), (5, (5, 5)), (4, (6,))])
def test_the_optima_of_theorem_6_are_those_of_solvers(n, rows):
    """The best linear classifier by a least-squares problem in a box, the best of all by a closest vector."""
    factors, signs = world(n, rows, 60)
    found = measure(BACKEND, (factors, signs), n, rows)
    for k, data in enumerate(products(factors)):
        best = linear_margin(data).value <= found["sign_size"][k] / 2 * (1 + 1e-12)
        assert found["best_linear"][k] == best
        assert found["optimal"][k] == pytest.approx(optimal_tolerance(data).value, rel=1e-9)
    assert 0 < found["best_linear"].mean() < 1


@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_lengths_scale_with_the_data_and_ratios_do_not(seed, power):
    n, rows, scale = 4, (6, 5), 10.0**power
    (first, second), signs = world(n, rows, 3, seed)
    one = measure(BACKEND, ((first, second), signs), n, rows)
    other = measure(BACKEND, ((first, scale * second), signs), n, rows)
    for name in ("ratio", "compression", "best_linear", "flips"):
        np.testing.assert_allclose(other[name], one[name], rtol=1e-7, err_msg=name)
    for name in ("size", "normalised_size", "margin", "sign_size", "column", "untargeted", "optimal"):
        np.testing.assert_allclose(other[name], scale * one[name], rtol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    ("method", "n", "rows"),
    [("direct", 2, (3, 2)), ("direct", 5, (5,)), ("direct", 4, (9, 6)), ("column", 2, (2,)), ("column", 5, (7,))],
)
def test_the_samplers_have_the_laws_of_the_network(method, n, rows):
    size = 1 << 13
    taller = tuple(height + 1 for height in rows)
    ours, full, wrong = (
        drawn(way, n, heights, size, seed)
        for seed, (way, heights) in enumerate(((method, rows), ("network", rows), ("network", taller)))
    )
    names = [name for name in ours if np.ptp(full[name]) > 1e-9]
    assert len(names) >= len(ours) - 1
    for name in names:
        assert_agrees(ours[name], full[name], tolerance=0.07, decoys={"a row more in each": wrong[name]}, name=name)


def test_the_sampler_keeps_its_law_where_no_matrix_fits():
    n, size = 2**19, 1 << 16
    ratio = drawn("direct", n, (n, n), size)["ratio"]
    assert_agrees(ratio, fraction_law(n, (n, n)), tolerance=0.02, decoys={"one layer": fraction_law(n, (n,))})


@pytest.mark.parametrize("point", [{"n": 6, "rows": (6,)}, {"n": 3, "rows": (5, 4)}])
def test_both_backends_measure_the_same_world_alike(point):
    sample = world(**point)
    one, other = (measure(backend.BACKEND, sample, **point) for backend in (numpy_backend, numba_backend))
    assert one.keys() == other.keys()
    for name in one.keys() - {"error"}:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-10, err_msg=name)


@pytest.mark.parametrize("point", [{"n": 4, "rows": (4,)}, {"n": 9, "rows": (11,)}])
@pytest.mark.parametrize("name", STUDY.methods)
def test_methods_measure_what_they_announce(name, point):
    measured = drawn(name, **point, size=7)
    assert set(measured) == set(STUDY.methods[name].statistics(**point))
    assert all(value.shape == (7,) for value in measured.values())


@pytest.mark.parametrize(
    ("method", "n", "rows", "line"),
    [
        ("network", 1, (2,), "an attack needs two classes, n >= 2"),
        ("direct", 5, (4,), "--rows must be heights of at least n = 5, got 4"),
        ("network", 9, (9,) * 7, "the product of 7 factors is too badly conditioned to be formed"),
        ("column", 4, (4, 4), "this law is known for one factor, got 2: use --method network"),
    ],
)
def test_a_method_says_where_it_cannot_be_used(method, n, rows, line):
    assert line in STUDY.methods[method].obstacle(n=n, rows=rows)


@pytest.mark.parametrize("claim", RATES, ids=lambda claim: claim.id)
def test_a_sweep_reaches_sizes_at_which_the_rate_has_set_in(claim):
    """The exact slope over the sizes is well within the tolerance, and some method offers the statistic at them all."""
    rate = claim.theory()
    slope = np.polyfit(np.log(rate.sizes), np.log([rate.value(size) for size in rate.sizes]), 1)[0]
    assert abs(slope - rate.exponent) <= claim.tolerance / 3
    points = [rate.at(size) for size in rate.sizes]
    assert any(
        all(way.obstacle(**point) is None and claim.statistic in way.statistics(**point) for point in points)
        for way in STUDY.methods.values()
    )
