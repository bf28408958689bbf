"""The study of photographs: against closed forms on a linear network, and through the command on made-up ones."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from empirical.imagenet_compression import measure
from empirical.imagenet_compression.measure import FLAGS, OWN, PICTURE, STATISTICS
from empirical.imagenet_compression.pairs import AFGHAN, SPRINGER, unit
from empirical.imagenet_compression.study import STUDY
from empirical.imagenet_compression.tables import kept, tables
from empirical.shared.command import main, read
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError
from fragility.tables import plain_rows

ROOT = Path(__file__).parents[3]
BASSET = "n02088238"
OUTPUTS = (BASSET, AFGHAN, SPRINGER)  # in the order of the networks' outputs; a photograph's class is its main colour
NETWORKS = """
import torch

class Colours(torch.nn.Module):
    '''Mean colours, and the mean of some features that bend them.'''
    def __init__(self, bend):
        super().__init__()
        draw = torch.Generator().manual_seed(5)
        self.bend = bend
        self.features = torch.nn.Parameter(torch.randn(4, 3, 5, 5, generator=draw))
        self.read = torch.nn.Parameter(torch.randn(3, 4, generator=draw))
        self.tilt = torch.nn.Parameter(torch.randn(3, 3 * 32 * 32, generator=draw) / 300)

    def forward(self, x):
        bent = torch.tanh(torch.nn.functional.conv2d(x - 0.5, self.features, stride=3)).mean((2, 3))
        return 20 * x.mean((2, 3)) + x.flatten(1) @ self.tilt.T + self.bend * bent @ self.read.T

def linear():
    return Colours(0.0)

def bent():
    return Colours(3.0)

def wide():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 64 * 64, 3))

def narrow():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 2))

def drawn():
    return Colours(1.0).requires_grad_(False).apply(lambda one: one.read.normal_())

class Odd(torch.nn.Module):
    def __init__(self, change, calls=0):
        super().__init__()
        self.inner, self.change, self.left = Colours(0.0), change, calls
    def forward(self, x):
        self.left -= 1
        return self.inner(x) if self.left >= 0 else self.change(self.inner(x), x)

def leave(y, x):
    raise SystemExit(7)

def fail(y, x):
    raise ValueError("late\\nand more")

def four(): return Odd(lambda y, x: y[:, :, None, None])
def whole(): return Odd(lambda y, x: y.long())
def detached(): return Odd(lambda y, x: y.detach())
def double(): return Odd(lambda y, x: y.double())
def pair(): return Odd(lambda y, x: (y, y))
def named(): return Odd(lambda y, x: {"logits": y})
def nothing(): return Odd(lambda y, x: None)
def no_number(): return Odd(lambda y, x: y * float("nan"))
def steep(): return Odd(lambda y, x: y + 0 * (0 * x).sum((1, 2, 3))[:, None].sqrt())
def dropping(): return Odd(lambda y, x: torch.nn.functional.dropout(y, 0.5, True))
def changing(): return Odd(lambda y, x: y + 0 * x.mul_(0.5).sum())
def leaving(): return Odd(leave)
def late_leaving(): return Odd(leave, 40)
def late_fault(): return Odd(fail, 40)
def late_number(): return Odd(lambda y, x: y * float("nan"), 60)
"""
POINT = {"source": [SPRINGER], "partners": ["all"], "attacks": ["deepfool"], "nodes": [4], "batch": [3]}


def photograph(path, colour, seed):
    pixels = np.random.default_rng(seed).normal(0.4, 0.04, (44, 50, 3))
    pixels[..., colour] += 0.2
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((255 * pixels.clip(0, 1)).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two springers, one of which looks like a basset, two Afghans, one basset; and networks beside them."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "colour_networks.py").write_text(NETWORKS)
    named = [(SPRINGER, "a.png", 2), (SPRINGER, "b.JPEG", 0), (AFGHAN, "a.jpg", 1), (AFGHAN, "b.png", 1)]
    for seed, (wnid, name, colour) in enumerate([*named, (BASSET, "a.png", 0)]):
        photograph(folder / "imagenet" / wnid / name, colour, seed)
    (folder / "imagenet" / "classes.txt").write_text("\n".join(OUTPUTS))
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    with using(Context(data=folder)):
        yield folder


def points(model, size=32, **axes):
    return STUDY.points(model=[f"colour_networks:{model}"], size=[size], **(POINT | axes))


def measured(point, units, seed=3):
    method, backend = STUDY.methods["trained"], on("cpu")
    world = method.draw(backend.stream(seed, units.start), units, **point)
    return method.measure(backend, world, **point)


def test_on_a_linear_network_lengths_angles_and_curvature_are_those_of_the_closed_form(here):
    (point,) = points("linear", attacks=["fast_gradient+deepfool"])
    found = measured(point, range(2))
    assert {len(values) for values in found.values()} == {2}
    assert list(found["partner"]) == [1, 0]  # folders in sorted order: Afghan, basset
    compression = found["first_order"] / found["length"]
    np.testing.assert_allclose(found["cosine"], np.tile(compression[:, None], 4), rtol=1e-4)
    np.testing.assert_allclose(found["weighted"], -compression, rtol=1e-4)
    np.testing.assert_allclose(found["signed_length"], found["first_order"], rtol=1e-4)
    np.testing.assert_allclose(found["distance"], found["tie"], rtol=0.01)
    assert np.all(found["distance"] >= found["tie"] * 0.999)
    np.testing.assert_allclose(found["untargeted"], found["distance"].min(), rtol=0.01)
    np.testing.assert_allclose(found["sign_tie"] / found["distance"], inflation(here), rtol=0.05)
    one_step = 3 * 32 * 32 * (1 / 255) ** 2
    shares = found["sign_attack"] / (found["sign_steps"] * np.sqrt(one_step))
    assert np.all((shares > 0.95) & (shares < 1 + 1e-6))  # a third class may turn the sign of some entries on the way
    assert np.all(found["sign_attack"] * (1 - 1 / found["sign_steps"]) < found["sign_tie"])
    assert np.all(found["smoothness"] < 1e-3 * found["gradient"][:, 0])
    assert not any(found[flag].any() for flag in FLAGS)


def inflation(here):
    """Of the sign step over the shortest, of the cross-entropy's gradient as two classes see it; per partner."""
    import colour_networks
    import torch

    weights = torch.autograd.functional.jacobian(colour_networks.linear(), torch.zeros(1, 3, 32, 32))[0].flatten(1)
    rows = [weights[2] - weights[1], weights[2] - weights[0]]
    return [float(len(g) ** 0.5 * g.norm() / g.abs().sum()) for g in rows]


def test_a_bent_network_has_curvature_and_a_path_whose_mean_slope_is_the_change(here):
    (point,) = points("bent", nodes=[64])
    found = measured(point, range(1))
    assert found["smoothness"][0] > 1e-2 * found["gradient"][0, 0]
    assert abs(found["signed_length"][0] / found["first_order"][0] - 1) < 0.05
    assert np.ptp(found["cosine"][0]) > 1e-3
    ends = found["margin"][0, [0, -1]] / found["gradient"][0, 0]
    np.testing.assert_allclose([found["tie"][0], found["first_order"][0]], [ends[0], ends[1] - ends[0]], rtol=1e-9)


def test_the_partner_is_the_nearest_photograph_and_pictures_are_of_the_first_pair(here):
    from empirical.data import read_photograph

    (point,) = points("linear", partners=[AFGHAN])
    found = measured(point, range(2))
    images = {
        (wnid, name): unit(read_photograph(here / "imagenet" / wnid / name, 32, 37).transpose(2, 0, 1)).astype(float)
        for wnid, name in ((SPRINGER, "a.png"), (AFGHAN, "a.jpg"), (AFGHAN, "b.png"))
    }
    lengths = [np.linalg.norm(images[SPRINGER, "a.png"] - images[AFGHAN, name]) for name in ("a.jpg", "b.png")]
    assert found["place"][0] == np.argmin(lengths)
    assert found["length"][0] == pytest.approx(min(lengths), rel=1e-6)
    codes = found["pictures"][0].astype(int).reshape(3, PICTURE, PICTURE)
    assert np.mean(codes[0] & 255) == pytest.approx(255 * images[SPRINGER, "a.png"][0, 2].mean(), abs=1)
    assert np.mean(codes[0] >> 16) == pytest.approx(255 * images[SPRINGER, "a.png"][0, 0].mean(), abs=1)
    assert np.isnan(found["pictures"][1]).all()


def test_a_shard_alone_gives_the_same_numbers_and_other_weights_or_photographs_are_another_point(here, tmp_path):
    import colour_networks
    import torch

    (point,) = points("bent")
    own, again = (measured(point, range(1, 2)) for _ in range(2))
    assert own["distance"][0] == again["distance"][0]
    torch.save(colour_networks.Colours(1.0).state_dict(), tmp_path / "same.pt")
    torch.save(colour_networks.bent().state_dict() | {"read": torch.zeros(3, 4)}, tmp_path / "other.pt")
    given = [Context(data=here, weights=tmp_path / name) for name in ("same.pt", "other.pt")]
    found = []
    for context in given:
        with using(context):
            (other,) = points("bent")
            found.append((other["weights"], measured(other, range(1, 2))))
    (same, of_same), (changed, of_changed) = found
    assert len({point["weights"], same, changed}) == 3
    assert of_same["network"] == own["network"] != of_changed["network"]
    assert of_same["distance"] == own["distance"] != of_changed["distance"]
    with using(given[1]), pytest.raises(UsageError, match=f"--checkpoint must be the file {same} .*, got {changed}"):
        measured(point | {"weights": same}, range(1))
    with pytest.raises(UsageError, match=rf"--data-dir must hold the photographs {'0' * 12}"):
        measured(point | {"photographs": "0" * 12}, range(1))


@pytest.mark.parametrize(
    ("axes", "line"),
    [
        ({"source": ["n00000000"]}, "--source must be one of the 3 folders of photographs, or all, got n00000000"),
        ({"partners": [SPRINGER]}, f"--partners must be another class than --source, got {SPRINGER} and {SPRINGER}"),
    ],
)
def test_pairs_that_there_are_not_are_said_in_a_line(here, axes, line):
    with pytest.raises(UsageError) as error:
        points("linear", **axes)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "line"),
    [
        ("wide", "--model colour_networks:wide must map images"),
        ("narrow", "--model colour_networks:narrow must have an output for each class, up to 2, got 2"),
        ("missing", "--model colour_networks:missing must name a function"),
        ("four", "--model colour_networks:four must map images (1, 3, 32, 32) to (1, classes), got"),
        ("whole", "must be of the dtype and on the device of x, torch.float32 on cpu, got torch.int64"),
        ("double", "must be of the dtype and on the device of x, torch.float32 on cpu, got torch.float64"),
        ("pair", "must return a tensor of logits, got tuple"),
        ("named", "must return a tensor of logits, got dict"),
        ("nothing", "must return a tensor of logits, got NoneType"),
        ("no_number", "--model colour_networks:no_number must map images"),
        ("changing", "must leave its input as it is, got one that changes it in place"),
        ("leaving", "got SystemExit: 7"),
        ("detached", "--model colour_networks:detached cannot be measured: the model's logits must have a gradient"),
        ("steep", "cannot be measured: the gradient of the model's logits must be finite, got NaN"),
        ("dropping", "cannot be measured: the model must give a point the same logits every time"),
        ("late_leaving", "--model colour_networks:late_leaving cannot be measured: the model must take x"),
        ("late_fault", "got ValueError: late and more"),
        ("late_number", "--model colour_networks:late_number cannot be measured: the model's logits at x must be"),
    ],
)
def test_a_network_that_cannot_be_measured_is_said_in_a_line(here, model, line):
    with pytest.raises(UsageError) as error:
        measured(*points(model), range(1))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_point_names_the_weights_that_a_network_is_built_with(here, monkeypatch):
    import colour_networks
    import torch

    (one,), (again,) = points("bent"), points("bent")
    assert one == again
    measure._built.cache_clear()
    monkeypatch.setattr(colour_networks, "bent", lambda: colour_networks.Colours(3.0).double().float())
    assert points("bent") == [one]
    measure._built.cache_clear()
    other = colour_networks.Colours(3.0)
    other.load_state_dict(other.state_dict() | {"read": torch.zeros(3, 4)})
    monkeypatch.setattr(colour_networks, "bent", lambda: other)
    (changed,) = points("bent")
    assert changed["weights"] != one["weights"]
    with pytest.raises(UsageError, match=f"must have the weights {one['weights']} .* got {changed['weights']}"):
        measured(one, range(1))


def test_a_network_that_begins_at_random_is_another_in_another_process(here):
    (point,) = points("drawn")
    assert points("drawn") == [point]
    found = measured(point, range(1))
    assert found["network"][0] == int(point["weights"], 16)
    measure._built.cache_clear()
    assert points("drawn") != [point]


def test_a_file_of_weights_is_one_networks_and_must_be_there(here, tmp_path):
    with using(Context(data=here, weights=tmp_path / "nowhere.pt")), pytest.raises(UsageError, match=r"nowhere\.pt"):
        points("bent")
    with using(Context(data=here, weights=tmp_path)), pytest.raises(UsageError, match="--model must be one where"):
        STUDY.points(model=["a:b", "c:d"], size=None, **POINT)


ARGUMENTS = ("--model", "colour_networks:bent", "--partners", "all", "--size", "32", "--nodes", "4", "--json")


def test_the_command_counts_what_it_leaves_out_and_goes_on_after_a_pair_is_lost(here, monkeypatch, capfd):
    monkeypatch.chdir(here)
    arguments = [*ARGUMENTS, "--attacks", "deepfool", "--data-dir", str(here)]
    done = subprocess.run(
        [sys.executable, "-m", "empirical.imagenet_compression", *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(here)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["tables"]) == 4
    notes = document["tables"][1]["notes"]
    assert notes[0] == "2 of 4 pairs; left out: 2 clean photograph misclassified (a pair may count twice)."
    shards = sorted((here / "results").rglob("*.parquet"))
    assert [shard.name for shard in shards] == [f"00000{k}.parquet" for k in range(4)]
    held = {shard: (shard.read_bytes(), shard.stat().st_mtime_ns) for shard in shards}
    shards[1].unlink()
    shards[2].write_bytes(held[shards[2]][0][:100])  # as a disk that was pulled might leave it
    with pytest.raises(SystemExit) as end:
        main(STUDY, read(STUDY, None, {}, checkpoint=True, arguments=[*arguments, "--resume"]), tables)
    said = capfd.readouterr()
    assert end.value.code == 0, said.err
    assert json.loads(said.out)["tables"] == document["tables"]
    for shard, (content, time) in held.items():
        assert shard.read_bytes() == content
        assert (shard.stat().st_mtime_ns == time) == (shard not in shards[1:3])


@pytest.fixture
def columns():
    """Three pairs that can be compared and one for each reason not to."""
    count, rng = 7, np.random.default_rng(2)
    made = {name: rng.uniform(0.5, 1.0, shape) for name, shape in STATISTICS.shapes(count, nodes=5).items()}
    made |= {"clean_right": np.ones(count), "partner_right": np.ones(count), "length": np.full(count, 100.0)}
    made["network"] = np.full(count, 0xABC)
    made["clean_right"][3] = made["partner_right"][4] = made["gradient"][5, 0] = 0
    made["distance"][6] = np.nan
    return made


def test_tables_compare_the_pairs_that_can_be(columns):
    point = {"model": "m:f", "weights": "w", "source": SPRINGER, "partners": "all", "size": 32}
    np.testing.assert_array_equal(kept(columns), [True] * 3 + [False] * 4)
    along, compression, lengths, misses = tables([(point, columns)])
    assert [row[0] for row in along.rows] == [0, 0.25, 0.5, 0.75, 1, "Avg."]
    assert "(000000000abc)" in along.title
    rows = {row["quantity"]: row for table in (compression, lengths, misses) for row in plain_rows(table)}
    assert {row["pairs"] for row in rows.values()} == {3}
    predicted = np.median(columns["signed_length"][:3] / 50)
    assert rows["|M|, by quadrature"]["measured"] == pytest.approx(predicted)
    assert rows["|M|, by quadrature"]["printed"] == pytest.approx((0.0765 + 0.0387) / 2)
    assert rows["Q, the paper's attack"]["predicted"] == pytest.approx(predicted)
    assert rows["Q, least of all attacks"]["predicted"] == pytest.approx(np.median(columns["tie"][:3] / 50))
    assert rows["column average, least of four"]["printed"] == -0.035
    ends = (columns["length"][:, None] * columns["gradient"] * columns["cosine"])[:3, [0, -1]].mean(1)
    ratio = 1 + (ends / (columns["first_order"] * columns["gradient"][:, 0])[:3] - 1) / 5
    assert rows["M by quadrature / from two evaluations"]["predicted"] == pytest.approx(np.median(ratio))
    assert any("over partners" in note for note in compression.notes)


def test_pairs_of_networks_with_different_weights_are_not_mixed(columns):
    columns["network"][0] += 1
    point = {"model": "m:f", "weights": OWN, "source": SPRINGER, "partners": "all", "size": 32}
    with pytest.raises(UsageError, match="same weights in every run, got 000000000abc, 000000000abd"):
        tables([(point, columns)])


def test_without_a_pair_to_compare_the_table_says_why(columns):
    columns["clean_right"][:] = 0
    point = {"model": "m:f", "weights": "w", "source": "all", "partners": "nearest", "size": 32}
    (table,) = tables([(point, columns)])
    assert "no pair can be compared" in table.title
    assert "7 clean photograph misclassified" in table.notes[0]
