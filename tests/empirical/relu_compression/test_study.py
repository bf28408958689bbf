"""The ReLU study: what gradients see, against other ways to find it; trained and untrained networks; its tables."""

from itertools import product

import numpy as np
import pytest
import torch

from empirical.models import mlp
from empirical.relu_compression.measure import ALPHAS, STATISTICS, Pairs, along, shares
from empirical.relu_compression.study import STUDY, draw, points
from empirical.relu_compression.tables import expected_compression, tables
from fragility import check
from fragility.backends.torch_backend import on
from fragility.engine.study import UsageError
from fragility.tables import plain_rows
from fragility.testing import assert_agrees
from theory.claims import BOOK
from theory.gradients.gradient_plane import compression, mean_compression, span_law
from theory.reported import ALPHAS as PRINTED
from theory.reported import FEATURE, find

POINT = {"n": 4, "layers": 1, "width": 16, "scale": 4.0, "inputs": 3, "epochs": 300}
SIZE = 8
measure = STUDY.methods["trained"].measure


def world(point=POINT, size=SIZE, index=0):
    return draw(on("cpu").stream(11, index), size, **point)


@pytest.fixture(scope="module")
def measured():
    return measure(on("cpu"), world(), **POINT)


def gaussian(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def test_shares_are_those_of_an_orthogonal_projection():
    one, other, v = gaussian(3, 20, 7)
    found = shares(one, other, v)
    expected = compression(torch.stack([one, other], 1).numpy(), v.numpy())
    np.testing.assert_allclose(found["compression"], expected, rtol=1e-12)
    g = (one - other).numpy()
    np.testing.assert_allclose(found["cosine"], compression(g[:, None], v.numpy()), rtol=1e-12)
    left = np.sqrt(1 - found["cosine"].numpy() ** 2)
    together = np.hypot(found["cosine"].numpy(), left * found["common"].numpy())
    np.testing.assert_allclose(together, expected, rtol=1e-12)


def test_dependent_gradients_see_one_direction_and_dead_ones_nothing():
    one, v = gaussian(2, 5, 7)
    for other in (-one, 3 * one, 0 * one):
        found = shares(one, other, v)
        np.testing.assert_allclose(found["compression"], found["cosine"], rtol=1e-10)
        assert found["common"].isnan().all()
    dead = shares(0 * one, 0 * one, v)
    assert (dead["compression"] == 0).all()
    assert dead["cosine"].isnan().all()


def test_along_a_network_that_is_linear_where_the_points_are():
    """Biases that keep all units open: the gradients are rows of a product, the same at every place."""
    data, signs = gaussian(SIZE, 5, 5), gaussian(SIZE, 3, 5, seed=1).sign()
    first, last = gaussian(SIZE, 9, 5, seed=2), gaussian(SIZE, 2, 9, seed=3)
    network = [(first, torch.full((SIZE, 9), 1e3).double()), (last, torch.zeros(SIZE, 2).double())]
    found, turn = along(network, Pairs(data, signs))
    expected = compression((last @ first).numpy(), data[:, :, -1].numpy())
    for k, pair in product(range(len(ALPHAS)), range(3)):
        np.testing.assert_allclose(found["compression"][:, pair, k], expected, rtol=1e-10)
    np.testing.assert_allclose(turn, 1, rtol=1e-12)


def test_places_run_from_one_point_to_the_other():
    """Of a unit that opens halfway along the segment, the gradient is seen in the second half only."""
    data, signs = torch.eye(3).double()[None], torch.tensor([[[1.0, 1.0, 1.0]]]).double()
    unit = torch.tensor([[[0.0, 0.0, -1.0]]]).double()  # open where the last sign has turned
    network = [
        (unit, torch.zeros(1, 1).double()),
        (torch.tensor([[[1.0], [-1.0]]]).double(), torch.zeros(1, 2).double()),
    ]
    found, _ = along(network, Pairs(data, signs))
    np.testing.assert_allclose(found["compression"][0, 0], np.where(np.arange(10) < 5, 0.0, 1.0))


def test_what_is_recorded(measured):
    assert set(np.unique(measured["valid"])) <= {0.0, 1.0}
    assert measured["valid"].sum() >= 2
    np.testing.assert_array_equal(measured["valid"], measured["accuracy"] == 1)
    assert not measured["crossed"].any()
    assert (measured["lower"] <= measured["distance"] * (1 + 1e-9)).all()


def test_data_and_optimum_are_those_of_brute_force(measured):
    drawn = world()
    for k in range(SIZE):
        A = drawn["data"][k] * [4.0, 4.0, 4.0, 1.0]
        R = np.linalg.qr(A).R
        assert measured["fraction"][k] == pytest.approx(abs(R[-1, -1]) / np.linalg.norm(A[:, -1]), rel=1e-9)
        assert measured["column"][k] == pytest.approx(np.linalg.norm(A[:, -1]), rel=1e-12)
        for pair, z in enumerate(drawn["signs"][k]):
            others = [A @ other for other in product([-1, 1], repeat=4) if other[-1] != z[-1]]
            nearest = min(np.linalg.norm(A @ z - other) for other in others) / 2
            assert measured["optimum"][k, pair] == pytest.approx(nearest, rel=1e-9)


def test_accurate_networks_stand_between_a_point_and_the_nearest_of_the_other_label(measured):
    """So they flip on the way to it: at most twice the half distance away."""
    valid = measured["valid"] == 1
    assert (measured["distance"][valid] <= 2 * measured["optimum"][valid]).all()
    assert (measured["margin"][valid] > 0).all()
    assert (measured["other_margin"][valid] > 0).all()


def test_training_moves_gradients_towards_the_label(measured):
    assert np.abs(measured["cosine"] - measured["untrained_cosine"][:, None]).max() > 0.1
    assert measured["inverse"].mean() > 0.8
    assert measured["gradients"].mean() < -0.9


def test_the_same_world_gives_the_same_numbers_and_another_gives_others():
    short = {**POINT, "epochs": 20}
    first, again, other = (measure(on("cpu"), world(index=index), **short) for index in (0, 0, 1))
    for name in STATISTICS:
        np.testing.assert_array_equal(first[name], again[name])
    assert not np.array_equal(first["compression"], other["compression"])


@pytest.mark.parametrize("statistic", ["untrained_start", "untrained_cosine"])
def test_before_training_gradients_know_nothing_of_the_data(statistic):
    """Beta laws, exact for every width, depth and scale; and one dimension more is seen to be wrong."""
    from empirical.models import mlp

    n, size = 5, 5000
    drawn = world({**POINT, "n": n, "width": 32, "inputs": 1}, size)  # wide enough that none is dead
    data = torch.tensor(drawn["data"])
    data[:, :, :-1] *= 3
    found, _ = along(mlp.layers(drawn["network"], torch.float64), Pairs(data, torch.tensor(drawn["signs"])))
    name, gradients = {"untrained_start": ("compression", 2), "untrained_cosine": ("cosine", 1)}[statistic]
    values = found[name][:, 0, 0].numpy()
    decoys = {"a dimension more": span_law(n + 1, gradients)}
    assert assert_agrees(values, span_law(n, gradients), tolerance=0.055, decoys=decoys).rejected


def test_points_are_all_combinations():
    sweep = points([5, 6], [1], [8, 9], [1.0, 5.0], [10], [20])
    assert len(sweep) == 8
    assert sweep[0] == {"n": 5, "layers": 1, "width": 8, "scale": 1.0, "inputs": 10, "epochs": 20}


@pytest.mark.parametrize("text", ["0", "1,-2", "x", "inf", "nan"])
def test_scales_are_positive(text):
    with pytest.raises(UsageError, match="--scale must be positive"):
        STUDY.grid["scale"].parse(text)


def test_too_many_points_are_refused():
    with pytest.raises(UsageError, match="--n must be at most 16"):
        points([17], [1], [8], [1.0], [10], [20])


def test_a_learned_direction_with_an_isotropic_rest_has_the_law_of_two_gradients():
    """Squares Beta(1/2, 11/2) and the rest Beta(1/2, 5) of what is left make Beta(1, 5)."""
    learned = span_law(12, 1).ppf((np.arange(400) + 0.5) / 400)
    assert expected_compression(np.asarray(learned), 12) == pytest.approx(mean_compression(12, 2), rel=1e-3)
    assert expected_compression(np.array([1.0]), 12) == pytest.approx(1)
    assert expected_compression(np.array([0.0]), 12) == pytest.approx(mean_compression(11, 1), rel=1e-3)


def row(table, quantity):
    (found,) = [row for row in plain_rows(table) if row["quantity"] == quantity]
    return found


def columns(size=6, inputs=3):
    """Records with one invalid network, the last, whose numbers would spoil every mean."""
    rng = np.random.default_rng(4)
    made = {name: rng.uniform(0.1, 0.9, shape) for name, shape in STATISTICS.shapes(size, inputs=inputs).items()}
    for values in made.values():
        values[-1] = 1e6
    made["valid"] = np.array([1.0] * (size - 1) + [0.0])
    return made


def test_tables_have_what_is_printed_predicted_and_measured():
    values = columns()
    both, single, reasons, attacked = tables([({**POINT, "n": 12, "layers": 1}, values)])
    for k, alpha in enumerate(PRINTED):
        found = row(both, f"mean, alpha = {alpha}")
        assert found["printed"] == find(FEATURE, "Table 3", "mean", alpha).value
        assert found["predicted"] == mean_compression(12, 2)
        assert found["measured"] == pytest.approx(values["compression"][:-1, k].mean())
        assert found["networks"] == 5
        middle = row(single, f"median, alpha = {alpha}")
        assert middle["printed"] == find(FEATURE, "Table 3", "median", alpha).value
        assert middle["measured"] == pytest.approx(np.median(values["cosine"][:-1, k]))
    assert row(reasons, "share of networks with accuracy 1")["measured"] == pytest.approx(5 / 6)
    ratio = row(attacked, "|e| / half that distance")["measured"]
    assert ratio == pytest.approx((values["distance"] / values["optimum"])[:-1].mean())


def test_nothing_is_printed_of_other_dimensions_and_depths():
    for other in ({"n": 11}, {"layers": 2}):
        both, *_ = tables([({**POINT, "n": 12, "layers": 1, **other}, columns())])
        assert all(row["printed"] is None for row in plain_rows(both))


def test_the_tie_with_both_margins_is_exact_for_a_linear_network():
    """f = g . x + b, the distance is f(x_1) / |g|, whatever the two margins are."""
    rng = np.random.default_rng(0)
    made = columns(4, 2)
    made["valid"][:] = 1
    a, g = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    slope = np.abs((a * g).sum(1))[:, None]
    made["column"] = np.linalg.norm(a, axis=1)
    made["margin"] = slope * rng.uniform(0.1, 1.9, (4, 2))
    made["other_margin"] = 2 * slope - made["margin"]
    length = np.linalg.norm(g, axis=1)[:, None]
    made["input_cosine"] = np.repeat(slope / (length * made["column"][:, None]), 2, axis=1)
    made["distance"] = made["margin"] / length
    attacked = tables([({**POINT, "n": 12, "layers": 1}, made)])[3]
    assert row(attacked, "|e| / tie with both margins")["measured"] == pytest.approx(1, rel=1e-12)


def test_several_points_are_compared_and_attacks_that_failed_left_out():
    made = columns()
    made["distance"][0] = np.inf
    sweep = [({**POINT, "scale": scale}, made) for scale in (1.0, 5.0)]
    *_, attacked, summary = tables(sweep)
    assert len(summary.rows) == 4
    assert row(attacked, "smallest perturbation found |e|")["networks"] == 4


def test_no_accurate_network_makes_tables_of_nothing():
    made = columns()
    made["valid"][:] = 0
    both, *_ = tables([({**POINT, "n": 12, "layers": 1}, made)])
    assert row(both, "mean, alpha = 0")["networks"] == 0


@pytest.mark.parametrize(("name", "units"), [("untrained.plane", 2), ("untrained.line", 1), ("common", 2)])
def test_rows_on_gradients_begin_where_no_run_meets_a_network_of_too_few_open_units(name, units):
    """Beside a count of all patterns of open units for narrow layers, and of a share in a million for others."""
    claim = BOOK[f"fc.trained.relu.{name}"]
    first = {1: 20, 2: 25}[units]
    assert not claim.where(n=9, layers=1, width=first - 1)
    assert claim.where(n=9, layers=1, width=first)
    assert claim.where(n=9, layers=1, width=10**5)
    assert claim.where(n=9, layers=4, width=64) is (name != "common")
    for width in (1, 2, 3, 8):
        closed = sum(sum(pattern) < units for pattern in product((0, 1), repeat=width)) / 2**width
        assert closed > 1e-6
        assert not claim.where(n=9, layers=1, width=width)


def test_the_plane_of_a_narrow_network_is_none(error_rate):
    """Law of two gradients before training: not of four units, of which a share of 5/16 has fewer than two open."""
    verdicts = {}
    for width in (4, 25):
        drawn = draw(on("cpu").stream(3, 0), 4000, n=6, layers=1, width=width, inputs=1)
        pairs = Pairs(torch.tensor(drawn["data"]), torch.tensor(drawn["signs"]))
        seen, _ = along(mlp.layers(drawn["network"], torch.float64), pairs)
        values, law = seen["compression"][:, 0, 0].numpy(), span_law(6, 2)
        verdicts[width] = check(values, law, tolerance=0.07, alpha=error_rate)
        shut = (seen["compression"][:, 0, 0] == 0).double().mean().item()
        assert shut == pytest.approx(2.0**-width, abs=0.015)
    assert [verdicts[width].outcome for width in (4, 25)] == ["disagrees", "agrees"]
    assert verdicts[4].gap > 0.1
