"""Networks trained side by side against torch's own training of each; distances against brute force and theory."""

from inspect import signature
from itertools import product

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy.optimize import minimize

from empirical.linear_compression import study
from empirical.linear_compression.closest import half_hull_distances
from empirical.linear_compression.study import LOOKS, ROUNDS, STATISTICS, STUDY, draw, points
from empirical.linear_compression.tables import tables
from empirical.models.linear import LinearNetworks, SignTask, sign_vectors
from empirical.training.loop import fit
from fragility import witness
from fragility.backends.numpy_backend import NumpyStream
from fragility.claim import excess
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError
from fragility.tables import document, plain_rows, text
from theory.claims import BOOK
from theory.points import optimal_tolerance as exact
from theory.products.selection import selected_by_last

POINT = {"n": 5, "scale": 2.0, "hidden": 24, "optimiser": "adam", "rate": 0.01, "epochs": 2 * ROUNDS}


class Here:
    device = "cpu"


measure = STUDY.methods["trained"].measure


def world(size=6, index=0, **point):
    return draw(NumpyStream(7, index), size, **{**POINT, **point})


def networks(optimiser, size=3, steps=20, dtype=torch.float64, **point):
    data, first, second = (torch.from_numpy(array) for array in world(size, **point))
    return LinearNetworks(data, first.to(dtype), second.to(dtype), optimiser, steps)


def adam(parameters):
    return torch.optim.Adam(parameters, lr=0.01, fused=True)


OPTIMISERS = {
    "adam": adam,
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.02, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("n", [2, 5])
def test_networks_side_by_side_are_those_that_torch_trains_alone(name, n):
    together = networks(OPTIMISERS[name], n=n)
    initial = together.first.clone(), together.second.clone()
    together.epoch(1)
    x = sign_vectors(n, together.data)
    label = (x[:, -1] < 0).long()
    for b in range(3):
        alone = torch.nn.Sequential(*(torch.nn.Linear(*shape, bias=False).double() for shape in [(n, 24), (24, 2)]))
        with torch.no_grad():
            alone[0].weight.copy_(initial[0][b].T)
            alone[1].weight.copy_(initial[1][b])
        optimiser = OPTIMISERS[name](list(alone.parameters()))
        for _ in range(20):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(alone(x @ together.data[b].T), label).backward()
            optimiser.step()
        # Adam's first steps divide a gradient by its own size: rounding of tiny ones is magnified
        assert torch.allclose(together.first[b].T, alone[0].weight, atol=1e-9)
        assert torch.allclose(together.second[b], alone[1].weight, atol=1e-9)
        outputs = alone(x @ together.data[b].T)
        rows = together.seen[-1]
        q = together.shares(rows)
        assert torch.allclose(rows[b], alone[1].weight @ alone[0].weight, atol=1e-9)
        loss, right = torch.nn.functional.cross_entropy(outputs, label), (outputs.argmax(1) == label).double().mean()
        assert together.judge.loss(q)[b].item() == pytest.approx(loss.item(), abs=1e-10)
        assert together.judge.accuracy(q)[b].item() == right.item()


def test_half_of_the_sign_vectors_tell_all():
    """Also where a network is wrong at some of them."""
    q = torch.from_numpy(np.random.default_rng(0).standard_normal((9, 6))).requires_grad_()
    z = sign_vectors(6, q)
    margins = (q @ z.T) * z[:, -1]
    loss = torch.nn.functional.softplus(-margins).mean(1)
    task = SignTask(6, q)
    assert torch.allclose(task.loss(q), loss)
    assert torch.equal(task.accuracy(q), (margins > 0).double().mean(1))
    assert torch.allclose(task.gradient(q.detach()), torch.autograd.grad(loss.sum(), q)[0])
    assert 0 < task.accuracy(q).min() < task.accuracy(q).max()


def test_a_tie_is_wrong():
    assert SignTask(3, torch.zeros(1).double()).accuracy(torch.zeros(1, 3).double()).item() == 0


def test_networks_do_not_meet():
    """One among others ends as it does alone."""
    together, data = networks(adam, size=3), world(3)
    alone = LinearNetworks(*(torch.from_numpy(array[1:2]) for array in data), adam, 20)
    for trainee in (together, alone):
        trainee.epoch(1)
    assert torch.allclose(together.first[1:2], alone.first, atol=1e-12)


def test_a_training_that_was_killed_ends_as_one_that_was_not(tmp_path):
    whole, killed, resumed = (networks(adam, dtype=torch.float32) for _ in range(3))
    fit(whole, 4)
    fit(killed, 2, checkpoint=tmp_path / "some.pt")
    history = fit(resumed, 4, checkpoint=tmp_path / "some.pt")
    assert len(history) == len(resumed.seen) == 4
    assert torch.equal(whole.first, resumed.first)
    assert all(torch.equal(a, b) for a, b in zip(whole.seen, resumed.seen, strict=True))


def test_long_trainings_leave_no_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "LONG", 0)
    point = {**POINT, "epochs": ROUNDS}
    with using(Context(checkpoints=tmp_path)):
        long = measure(Here, world(), **point)
    assert not list(tmp_path.glob("*.pt"))
    assert list(tmp_path.iterdir())  # the lock: a checkpoint was there
    monkeypatch.setattr(study, "LONG", ROUNDS)
    assert np.array_equal(long["loss"], measure(Here, world(), **point)["loss"])


@pytest.fixture(scope="module")
def measured():
    return measure(Here, world(32), **POINT)


def test_what_is_measured(measured):
    for name, values in measured.items():
        assert name == "first_valid" or np.isfinite(values).all()
    assert 0 < measured["valid"].sum() < 32


def test_valid_is_a_worst_margin_above_nought(measured):
    assert np.array_equal(measured["valid"] == 1, measured["worst_margin"] > 0)
    assert np.array_equal(measured["valid"] == 1, measured["accuracy"] == 1)
    assert np.array_equal(measured["valid_path"][:, -1], measured["valid"])
    assert np.isnan(measured["first_valid"]).any()
    kept = measured["valid"] == 1
    assert np.all(measured["first_valid"][kept] <= POINT["epochs"])
    assert np.all(measured["first_valid"][kept] % (POINT["epochs"] // ROUNDS) == 0)


def test_distances_in_order(measured):
    """No network does better in the worst case than the best linear one, and that no better than any classifier."""
    chain = [measured[name] for name in ("worst_margin", "best_linear", "tolerance", "column")]
    assert np.all(np.diff(chain, axis=0) > -1e-9)
    assert np.all(measured["last"] <= measured["best_linear"] + 1e-9)
    assert np.abs(measured["mean_margin"]) == pytest.approx(measured["cos_1"] * measured["column"])


def test_angles_and_margins_are_those_of_theory(measured):
    data, first, second = world(32)
    scaled = np.concatenate((POINT["scale"] * data[:, :, :-1], data[:, :, -1:]), axis=2)
    trained = LinearNetworks(
        torch.from_numpy(scaled),
        torch.from_numpy(first).float(),
        torch.from_numpy(second).float(),
        lambda both: torch.optim.Adam(both, lr=POINT["rate"], fused=True),
        POINT["epochs"] // ROUNDS,
    )
    fit(trained, ROUNDS)
    rows = trained.probing_vectors().numpy()
    difference = rows[:, 0] - rows[:, 1]
    for name, probe in (("", difference), ("_row", rows[:, 0])):
        cosines = exact.angle_cosines(probe, data)
        assert measured["cos_1" + name] == pytest.approx(cosines[0])
        assert measured["cos_2" + name] == pytest.approx(cosines[1])
    margins = exact.margins(difference, data, POINT["scale"])
    assert measured["mean_margin"] == pytest.approx(margins.mean)
    assert measured["worst_margin"] == pytest.approx(margins.worst)
    assert measured["fraction"] == pytest.approx(exact.fraction(data))


def test_scaling_leaves_the_fraction_alone():
    some = world()
    scaled = [measure(Here, some, **{**POINT, "scale": scale, "epochs": ROUNDS}) for scale in (1.0, 9.0)]
    for name in ("fraction", "last", "column"):
        assert np.array_equal(scaled[0][name], scaled[1][name])
    assert np.all(scaled[1]["tolerance"] >= scaled[0]["tolerance"])
    assert not np.allclose(scaled[0]["cos_2"], scaled[1]["cos_2"])


@pytest.mark.parametrize("weight", [1.0, 0.05, 1e-3])
def test_minimisers_of_given_length_lean_towards_the_last_column(weight):
    """Their mean margin is at least that of the best linear classifier in the worst case, and so at least |r_nn|."""
    data = np.random.default_rng(2).standard_normal((6, 5, 5))
    task = SignTask(5, torch.zeros(1).double())
    for A, best in zip(data, half_hull_distances(data), strict=True):

        def loss(p, A=A):
            q = torch.from_numpy(A.T @ p)[None]
            gradient = A @ task.gradient(q).numpy()[0] + weight * p
            return task.loss(q).item() + weight * p @ p / 2, gradient

        p = minimize(loss, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-10}).x
        beta = A.T @ p / np.linalg.norm(p)
        assert beta[-1] >= best * (1 - 1e-6)
        assert beta[-1] >= abs(np.linalg.qr(A)[1][-1, -1])


CLAIM = {claim.id.removeprefix("fc.trained.linear."): claim for claim in BOOK if claim.id.startswith("fc.trained")}


def decided(claim, theory, values):
    """By how much a statement on recorded columns fails at worst."""
    return excess(claim.kind, theory(**{name: values[name] for name in signature(theory).parameters}))


@pytest.mark.parametrize("n", [2, 3, 6])
@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("change", [{"epochs": ROUNDS}, {"optimiser": "sgd", "rate": 1e-4}, {"rate": 1.0}])
def test_every_network_leans_as_far_as_its_gradient_says(n, scale, change):
    """At every look of every training, valid or not; and what the row must be told from is not so."""
    values = measure(Here, world(32, n=n, hidden=4), **{**POINT, "n": n, "scale": scale, "hidden": 4, **change})
    claim = CLAIM["lean"]
    assert np.isfinite(values["alignment_path"]).all()
    assert np.abs(values["alignment_path"]).max() <= 1 + 1e-12
    assert decided(claim, claim.theory, values) <= 1e-9
    for decoy in claim.decoys:
        assert decided(claim, decoy.theory, values) > claim.tolerance, decoy.says


@pytest.mark.parametrize("length", [1e-6, 1.0, 1e4])
def test_the_way_in_which_the_loss_falls(length):
    """Beside sums in 60 digits: where margins are large, no weight of a point is a number in float64."""
    data = np.random.default_rng(3).standard_normal((2, 4, 4))
    p = length * np.random.default_rng(4).standard_normal((2, 4))
    rows = torch.from_numpy(np.stack((p, 0 * p), axis=1))
    trained = LinearNetworks(*(torch.from_numpy(part) for part in (data, data, data[:, :2])), adam, 1)
    for A, vector, found in zip(data, p, trained.alignment(rows).numpy(), strict=True):
        with mp.workdps(60):
            way = mp.matrix(4, 1)
            for signs in product((-1, 1), repeat=3):
                z = mp.matrix([*signs, 1])
                x = mp.matrix(A) * z
                way += x / (1 + mp.exp(mp.fdot(vector.tolist(), x)))
            exactly = mp.fdot(vector.tolist(), way) / (mp.norm(way) * mp.norm(mp.matrix(vector.tolist())))
        assert found == pytest.approx(float(exactly), rel=1e-9)


def test_the_network_that_looks_at_less_than_the_fraction_is_a_trained_one():
    """The stored world: one step of gradient descent from logits of 0, at any rate."""
    stored = {
        name: np.array(witness.exact(value), dtype=float)
        for name, value in witness.stored(CLAIM["above.tempting"].id, BOOK.witnesses).items()
    }
    A, first, scale = stored["matrix"][None], stored["first"], float(stored["scale"])
    scaled = np.concatenate((scale * A[:, :, :-1], A[:, :, -1:]), axis=2)
    for rate in (1e-3, 1.0):
        start = torch.from_numpy(first.T[None].copy()), torch.zeros(1, 2, len(first)).double()
        trained = LinearNetworks(torch.from_numpy(scaled), *start, lambda both, r=rate: torch.optim.SGD(both, lr=r), 1)
        trained.epoch(1)
        rows = trained.seen[-1]
        p = (rows[:, 0] - rows[:, 1]).numpy()[0]
        cosine = exact.angle_cosines(p, A[0])[0]
        assert trained.judge.accuracy(trained.shares(rows)).item() == 1
        sides = witness.replay(CLAIM["above.tempting"], BOOK.witnesses)
        assert sides.left == pytest.approx(exact.fraction(A[0]) ** 2)
        assert float(sides.right) == pytest.approx(cosine**2)
        assert cosine < exact.fraction(A[0])
        least = trained.alignment(rows).item() * exact.linear_margin(A[0], scale).value
        assert least <= cosine * np.linalg.norm(A[0, :, 1])


def test_where_the_network_of_one_step_is_not_valid_nothing_is_said():
    first = witness.exact([["1", "5"]])  # p = 5 (1, 5): the largest scaled margin of the other column is as large
    assert CLAIM["above.tempting"].theory(matrix=np.eye(2, dtype=object), scale=5, first=first) == (0, 0)


def test_training_is_repeatable():
    some = [measure(Here, world(), **{**POINT, "epochs": ROUNDS}) for _ in range(2)]
    assert all(np.array_equal(some[0][name], some[1][name], equal_nan=True) for name in some[0])


GRID = {"n": [7], "scale": [5.0], "hidden": [8], "optimiser": ["adam"], "rate": [0.1], "epochs": [64]}


@pytest.mark.parametrize(("axis", "value"), [("n", [25]), ("epochs", [100])])
def test_points_that_cannot_be(axis, value):
    with pytest.raises(UsageError, match=f"--{axis} must be"):
        points(**{**GRID, axis: value})


@pytest.mark.parametrize(("axis", "text"), [("scale", "0"), ("rate", "nan"), ("optimiser", "lbfgs"), ("n", "1")])
def test_flags_that_cannot_be(axis, text):
    with pytest.raises(UsageError, match=f"--{axis} must be"):
        STUDY.grid[axis].parse(text)


def test_every_combination_is_a_point():
    assert len(points(**{**GRID, "n": [7, 8], "scale": [1.0, 5.0], "optimiser": ["adam", "sgd"]})) == 8


def made_up(count=40, share=0.5, seed=0, n=12):
    """Networks that look along q_n alone, the `share` with the largest |r_nn| of them valid."""
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((count, n, n))
    last, column = np.abs(np.linalg.qr(data)[1][:, -1, -1]), np.linalg.norm(data[:, :, -1], axis=1)
    valid = (np.argsort(np.argsort(-last)) < share * count).astype(float)
    made = {name: np.ones(shape) for name, shape in STATISTICS.shapes(count).items()}
    made |= dict.fromkeys(("last", "mean_margin", "worst_margin", "best_linear"), last)
    made |= dict.fromkeys(("fraction", "cos_1", "cos_1_row"), last / column)
    made |= {"column": column, "tolerance": column, "valid": valid}
    ones = np.ones(count)
    paths = {"valid_path": valid, "cos_1_path": last / column, "cos_2_path": ones, "alignment_path": ones}
    return made | {name: np.repeat(values[:, None], len(LOOKS), axis=1) for name, values in paths.items()}


SETTINGS = {"hidden": 3000, "optimiser": "adam", "rate": 0.001, "epochs": 1024}


def test_tables_of_the_papers_dimension():
    values = made_up()
    first, second, course = tables([({"n": 12, "scale": 5.0, **SETTINGS}, values)])
    assert [entry[0] for entry in first.rows] == [*map(str, range(1, 11)), "9, as printed"]
    assert list(first.rows[-1][1:4]) == [0.1665, 0.9942, 0.1480]
    rows = {row["quantity"]: row for row in plain_rows(second)}
    kept = values["valid"] == 1
    fraction = rows["mean fraction, valid"]
    assert fraction["printed"] == 0.3280
    assert fraction["measured"] == pytest.approx(values["fraction"][kept].mean())
    assert fraction["networks"] == 20
    assert fraction["predicted"] == pytest.approx(selected_by_last(12, 0.5).mean())
    assert rows["mean fraction, all"]["predicted"] == pytest.approx(0.2351726720)
    assert rows["mean | |cos theta_1| - fraction |, valid"]["measured"] == 0
    assert rows["runs of accuracy 1"]["measured"] == 0.5
    assert rows["optimum = ||a_n||"]["measured"] == rows["best linear margin = |r_nn|"]["measured"] == 1
    assert any("probability 1.000" in note for note in second.notes)
    assert any("2.35 standard errors" in note for note in second.notes)
    assert [row[0] for row in course.rows[:7]] == ["16", "32", "64", "128", "256", "512", "1,024"]
    chosen = values["fraction"][kept].mean()
    assert all(row[4] == pytest.approx(chosen) for row in course.rows[:7])
    assert course.rows[-1][0] == "not known, as printed"
    assert all(text(table) and document(table) for table in (first, second, course))


def test_table_2_has_both_selections_beside_what_is_printed():
    """Four valid networks, of which two are aligned by the difference of the rows, and one by the first row."""
    values = made_up(count=6, share=1.0)
    values |= {
        "valid": np.array([1.0, 1, 1, 1, 0, 0]),
        "cos_2": np.array([0.95, 0.9, 0.99, 0.5, 0.99, 0.99]),
        "cos_2_row": np.array([0.5, 0.5, 0.95, 0.5, 0.99, 0.99]),
        "fraction": np.array([0.1, 0.2, 0.3, 0.4, 0.9, 0.9]),
        "cos_1": np.array([0.2, 0.5, 0.1, 0.8, 0.0, 0.0]),
        "cos_1_row": np.array([0.0, 0.0, 0.7, 0.0, 0.0, 0.0]),
    }
    _, second, _ = tables([({"n": 12, "scale": 5.0, **SETTINGS}, values)])
    rows = {row["quantity"]: row for row in plain_rows(second)}
    printed = {"mean |cos theta_1|": 0.3645, "mean fraction": 0.3280, "mean | |cos theta_1| - fraction |": 0.0367}
    for which, networks, expected in (
        ("valid", 4, (0.4, 0.25, 0.25)),
        ("valid, |cos theta_2| > 0.9", 2, (0.15, 0.2, 0.15)),
    ):
        for (name, number), mean in zip(printed.items(), expected, strict=True):
            row = rows[f"{name}, {which}"]
            assert (row["printed"], row["networks"]) == (number, networks)
            assert row["measured"] == pytest.approx(mean)
            assert row["interval"][0] <= mean <= row["interval"][1]
    assert rows["|cos theta_2| > 0.9, of valid"]["measured"] == 0.5
    assert rows["|cos theta_2| > 0.9, of valid"]["networks"] == 4
    assert rows["the same, its |cos theta_2| > 0.9"]["measured"] == pytest.approx(0.7)
    assert rows["mean difference from the fraction, these"]["measured"] == pytest.approx(0.4)
    assert any(note.startswith("Table 2 is printed once, after two selections") for note in second.notes)


def test_other_dimensions_have_no_printed_numbers():
    records = [({"n": n, "scale": 5.0, **SETTINGS}, made_up(n=n)) for n in (7, 9)]
    first, second, course, sweep = tables(records)
    assert all("printed" not in row[0] for row in (*first.rows, *course.rows))
    assert all(row["printed"] is None for row in plain_rows(second))
    assert [row[0] for row in sweep.rows] == [7, 9]
    assert "n = 7" in second.title


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_tables_where_no_network_is_valid_or_all_are(share):
    made = tables(
        [
            ({"n": 12, "scale": 5.0, **SETTINGS}, made_up(share=share)),
            ({"n": 13, "scale": 5.0, **SETTINGS}, made_up(share=share, n=13)),
        ]
    )
    rows = {row["quantity"]: row for row in plain_rows(made[1])}
    predicted = rows["mean fraction, valid"]["predicted"]
    assert predicted is None if share == 0 else predicted == pytest.approx(0.2351726720)
    assert all(text(table) for table in made)
