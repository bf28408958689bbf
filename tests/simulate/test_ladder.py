"""The ladder against its rungs one by one and against bound-propagation; its order, its records and its command."""

import json
import subprocess
import sys

import numpy as np
import pytest

from figures import ladder
from figures.shared.style import save
from fragility.backends.numpy_backend import BACKEND
from fragility.engine.study import UsageError
from simulate.ladder.command import main
from simulate.ladder.order import InversionError, check
from simulate.ladder.study import STUDY, draw, points
from simulate.ladder.table import summary
from theory.joint.margins import clean_increase, interval_increase, tau, zeta, zeta_printed
from theory.joint.optimum import joint_optimum
from theory.things.network import Budget, Network

POINT = {"depth": 3, "width": 3, "classes": 3, "x": "0.1", "w": "0.05"}
INPUT_ONLY = {"depth": 3, "width": 6, "classes": 2, "x": "0.1", "w": "0"}


def measured(point, method, size=4):
    world = draw(BACKEND.stream(7, 0), size, **point)
    return world, STUDY.methods[method].measure(BACKEND, world, **point)


def test_every_rung_is_that_of_its_world():
    (parts, _), found = measured(POINT, "exact")
    for k in range(4):
        *weights, x = (part[k] for part in parts)
        given = Network.dense(weights), x, Budget(0.1, 0.05)
        assert found["interval"][k] == interval_increase(*given)[0, 1]
        assert found["theorem"][k] == pytest.approx((tau(*given) + zeta(*given))[0, 1])
        assert found["printed"][k] == pytest.approx((tau(*given) + zeta_printed(*given))[0, 1])
        assert found["clean"][k] == clean_increase(*given)[0, 1]
        assert found["exact"][k] == joint_optimum(*given, (0, 1)).increase[1]
        assert found["lp"][k] == joint_optimum(*given, (0, 1), relax=True).increase[1]
    assert found["attack"] == pytest.approx(np.max([found[name] for name in ("corners", "ascent", "gradient")], axis=0))
    check(found, "here")


@pytest.mark.parametrize("method", STUDY.methods)
@pytest.mark.parametrize("point", [POINT, {**INPUT_ONLY, "depth": 1}], ids=["joint", "one layer"])
def test_methods_measure_what_they_announce(method, point):
    _, found = measured(point, method, size=2)
    assert set(found) == set(STUDY.methods[method].statistics(**point))
    assert all(values.shape == (2,) for values in found.values())


def test_where_only_the_input_moves_bound_propagation_agrees():
    bound_propagation, torch = pytest.importorskip("bound_propagation"), pytest.importorskip("torch")
    (parts, _), found = measured(INPUT_ONLY, "bounds", size=4)
    for k in range(4):
        *weights, x = (torch.asarray(part[k]) for part in parts)
        weights[-1] = weights[-1][:1] - weights[-1][1:]  # the margin
        layers = []
        for weight in weights:
            layers += [torch.nn.Linear(*weight.T.shape, bias=False, dtype=torch.float64), torch.nn.ReLU()]
            layers[-2].weight.data = weight
        model = torch.nn.Sequential(*layers[:-1]).requires_grad_(False)
        bounded = bound_propagation.BoundModelFactory(adaptive_relu=True).build(model)
        region = bound_propagation.HyperRectangle.from_eps(x[None], 0.1)
        clean = model(x[None]).item()
        assert bounded.ibp(region).upper.item() - clean == pytest.approx(found["interval"][k], abs=1e-12)
        assert bounded.crown(region).concretize().upper.item() - clean == pytest.approx(found["crown"][k], abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high"), [("attack", "exact"), ("lp", "interval"), ("interval", "theorem"), ("theorem", "clean")]
)
def test_an_inversion_names_the_world_and_both_values(low, high):
    _, found = measured(POINT, "exact")
    found[low][2] = found[high][2] + 1e-3
    with pytest.raises(InversionError, match=rf"^inverted in world 2 of shard 5: {low} .* > {high} "):
        check(found, "shard 5")
    found[low][2] = np.nan
    with pytest.raises(InversionError, match="nan"):
        check(found, "shard 5")


def test_ratios_are_to_the_exact_optimum_where_there_is_one():
    values = {
        "attack": np.array([1.0, 1.5, 4.0, 0.0]),
        "attained": np.array([1.0, 2.0, 4.0, 0.0]),
        "exact": np.array([1.0, 2.0, 4.0, 0.0]),
        "interval": np.array([1.0, 4.0, 12.0, 0.0]),
        "printed": np.array([2.0, 1.9, 4.0, 0.0]),
    }
    row = summary(POINT, values)
    assert (row.over, row.samples, row.worlds, row.contradicted) == ("exact", 4, 3, 1)
    assert row.quartiles["interval"] == (1.5, 2, 2.5)
    assert row.reached == pytest.approx(2 / 3)
    row = summary(POINT, {"attack": values["attack"], "interval": values["interval"]})
    assert (row.over, row.reached, row.contradicted) == ("attack", None, None)
    assert row.quartiles["interval"][1] == pytest.approx(8 / 3)


def test_points_are_those_where_something_moves():
    assert [(p["x"], p["w"]) for p in points([1], [2], [2], ["0", "0.1"], ["0", "0.2"])] == [
        ("0", "0.2"), ("0.1", "0"), ("0.1", "0.2"),
    ]  # fmt: skip
    with pytest.raises(UsageError, match="nothing would move"):
        points([1], [2], [2], ["0"], ["0"])
    assert STUDY.grid["x"].parse("5e-2,0,-0") == ["0.05", "0", "0"]
    with pytest.raises(UsageError, match=r"--epsilon-w must be a number from 0 to 1e\+06, got 'wide'"):
        STUDY.grid["w"].parse("wide")


def test_the_command_goes_on_from_its_records_and_draws_its_figure(tmp_path, capsys):
    flags = ["--depth", "1,2", "--width", "2", "--epsilon-x", "0.1", "--epsilon-w", "0.05", "--samples", "9"]
    first = subprocess.run(
        [sys.executable, "-m", "simulate.ladder", *flags], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert first.returncode == 0, first.stderr
    assert "contradicts printed" in first.stdout.splitlines()[0]
    shards = sorted((tmp_path / "results").rglob("*.parquet"))
    assert len(shards) == 4
    before = [path.read_bytes() for path in shards]
    shards[1].unlink()
    shards[3].write_bytes(b"damaged")

    def again(*more):
        with pytest.raises(SystemExit) as exit_:
            main([*flags, "--out", str(tmp_path / "results"), *more])
        return exit_.value.code, *capsys.readouterr()

    code, _, line = again()
    assert (code, "add --resume to set it aside" in line) == (3, True)
    code, table, _ = again("--resume", "--json")
    rows = json.loads(table)["ladder"]
    assert [(row["point"]["depth"], row["samples"], row["over"]) for row in rows] == [(1, 9, "exact"), (2, 9, "exact")]
    assert [path.read_bytes() for path in shards] == before
    run = shards[0].parents[2]
    drawn = ladder.numbers(run, json.loads((run / "manifest.json").read_text()), rows[0]["point"])
    assert [rungs.point["depth"] for rungs in drawn.rungs] == [1, 2]
    save(lambda figure: ladder.draw(figure, drawn), (7, 5), tmp_path / "ladder.svg")
    assert "as printed" in (tmp_path / "ladder.svg").read_text()


def test_an_inversion_is_one_line_and_exit_code_1(tmp_path, capsys, monkeypatch):
    def inverted(*_):
        raise InversionError("inverted in world 3 of shard 0")

    monkeypatch.setattr("simulate.ladder.command.check", inverted)
    with pytest.raises(SystemExit) as exit_:
        main(["--depth", "1", "--width", "1", "--samples", "1", "--out", str(tmp_path)])
    printed = capsys.readouterr()
    assert (exit_.value.code, printed.out) == (1, "")
    assert printed.err.splitlines()[-1] == "simulate.ladder: inverted in world 3 of shard 0"
