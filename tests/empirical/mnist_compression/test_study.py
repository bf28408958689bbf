"""Sevens and the ones made of them: on linear networks, where all is known, on digits, and the tables of both."""

import math

import numpy as np
import pytest
import torch

from empirical.data import Images, digest, load
from empirical.mnist_compression import measure
from empirical.mnist_compression.study import STUDY, draw, points
from empirical.mnist_compression.tables import compression, kept, predicted, ratio, tables
from fragility.backends.torch_backend import on
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError
from fragility.tables import plain_rows, text
from theory.gradients.path_length import first_order_length, tie_ratio

SIDE = 12
POINT = {
    "dataset": "digits",
    "construction": "enough",
    "certificate": "none",
    "epochs": 1,
    "network": 0,
    "data": digest("digits"),
}
(WAY,) = STUDY.methods.values()


def sevens(count=3):
    """Pictures of a 7 with a stem that leans more and more, (count, SIDE, SIDE)."""
    pictures = np.zeros((count, SIDE, SIDE))
    for number, picture in enumerate(pictures):
        picture[2, 2:10] = 1
        for row in range(2, 11):
            picture[row, 9 - row * number // 6] = 1
        picture[picture > 0] = 0.6 + 0.1 * number
    return pictures


def linear(bar=2.0, bias=2.0, other=-50.0):
    """A network whose f_7 - f_1 grows with the bar of the `sevens` and, at random, a little with all pixels."""
    made = torch.Generator().manual_seed(5)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDE**2, 10)).requires_grad_(False)
    weight = 0.05 * torch.randn(SIDE, SIDE, generator=made)
    weight[2, 2:8] += bar
    network[1].weight.zero_()
    network[1].bias.fill_(other)
    network[1].weight[7] = weight.flatten()
    network[1].bias[7] = 0.0
    network[1].bias[1] = bias
    return network


@pytest.fixture
def put(monkeypatch):
    """Puts a network in place of the trained one."""
    return lambda network: monkeypatch.setattr(measure, "trained_network", lambda *_: (network, 0.5))


def measured(pictures=None, **point):
    pictures = sevens() if pictures is None else pictures
    return WAY.measure(on("cpu"), (np.arange(len(pictures), dtype=float), pictures), **POINT | point)


@pytest.fixture(scope="module")
def known():
    """A linear network and what is measured on it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "trained_network", lambda *_: (linear(), 0.5))
        return linear(), measured()


def said(network, picture):
    return int(network(torch.tensor(picture.reshape(-1, 1, SIDE, SIDE), dtype=torch.float32)).argmax(1))


def test_no_more_pixels_are_blocked_than_it_takes(known):
    network, found = known
    assert found["works"].tolist() == [1, 1, 1]
    assert (found["blocked"] > 0).all()
    assert (found["blocked"] < found["stroke"]).all()
    for clean, artificial, count in zip(found["clean"], found["artificial"], found["blocked"], strict=True):
        gone = np.flatnonzero(clean != artificial)
        assert len(gone) == count
        assert said(network, artificial) == 1
        last = artificial.copy()
        last[gone.max()] = clean[gone.max()]  # the bar is one row, blocked from the left
        assert said(network, last) == 7


def test_a_linear_network_has_no_secrets(known):
    network, found = known
    weight = (network[1].weight[7] - network[1].weight[1]).double().numpy()
    change = found["artificial"] - found["clean"]
    length = np.linalg.norm(change, axis=1)
    cosine = change @ weight / length / np.linalg.norm(weight)
    np.testing.assert_allclose(found["length"], length, rtol=1e-6)
    np.testing.assert_allclose(found["cosine"], cosine, rtol=1e-5)
    np.testing.assert_allclose(found["cosines"], np.repeat(cosine[:, None], measure.NODES, 1), rtol=1e-5)
    np.testing.assert_allclose(found["weighted"], -cosine, rtol=1e-5)
    np.testing.assert_allclose(found["margin"], found["clean"] @ weight - 2, rtol=1e-5)
    np.testing.assert_allclose(found["other"], found["artificial"] @ weight - 2, rtol=1e-4)
    np.testing.assert_allclose(found["gradient"], np.repeat(weight[None], 3, 0), rtol=1e-6)
    exact = first_order_length(found["other"] - found["margin"], found["gradient"])
    np.testing.assert_allclose(found["signed_length"], exact, rtol=1e-5)
    np.testing.assert_allclose(found["midpoint_length"], exact, rtol=1e-5)
    np.testing.assert_allclose(
        found["first_order"], found["length"] * tie_ratio(cosine, found["margin"], found["other"])
    )


def test_the_perturbation_is_one(known):
    network, found = known
    assert (found["perturbed"] >= 0).all()
    assert (found["perturbed"] <= 1).all()
    assert [said(network, picture) for picture in found["perturbed"]] == [1, 1, 1]
    np.testing.assert_allclose(
        found["distance"], np.linalg.norm(found["perturbed"] - found["clean"], axis=1), rtol=1e-4
    )
    assert (found["distance"] >= found["first_order"] * (1 - 1e-4)).all()
    assert (found["distance"] <= 1.15 * found["first_order"]).all()  # the box costs little here
    each = np.stack([found[f"by_{name}"] for name in measure.ATTACKS], 1)
    np.testing.assert_array_equal(each.min(1), found["distance"])
    np.testing.assert_array_equal(each.argmin(1), found["attack"])
    assert (found["untargeted"] <= found["distance"]).all()


@pytest.mark.parametrize(
    ("network", "says", "verdict"),
    [(linear(bias=-9), 7, 7), (linear(bias=40), 1, 1), (linear(other=90), 0, 0)],
    ids=["always 7", "never 7", "something else"],
)
def test_where_the_construction_fails_there_are_no_numbers(put, network, says, verdict):
    put(network)
    found = measured()
    assert set(found["says"]) == {says}
    assert set(found["verdict"]) == {verdict}
    assert not found["works"].any()
    assert (found["artificial"] < found["clean"]).any(1).all()
    for name in ("length", "distance", "cosines", "perturbed", "blocked"):
        assert np.isnan(found[name]).all()


def test_the_whole_stroke_is_blocked_whatever_the_network_says(put):
    put(linear(bias=-9))
    found = measured(construction="whole")
    assert found["works"].all()
    np.testing.assert_array_equal(found["blocked"], found["stroke"])
    assert (found["other"] > 0).all()
    assert np.isnan(predicted(kept(found))).all()


def test_the_columns_are_those_that_are_promised(known):
    _, found = known
    assert list(found) == list(measure.STATISTICS)
    assert all(column.shape[0] == 3 and column.dtype == float for column in found.values())


def test_every_seven_is_drawn_once_in_any_blocks():
    count = WAY.units(**POINT)
    numbers, pictures = draw(on("cpu").stream(1, 0), range(count), **POINT)
    labels = load("digits", "test").labels
    assert sorted(numbers) == np.flatnonzero(labels == 7).tolist()
    assert list(numbers) != sorted(numbers)
    assert (pictures.min(), pictures.max()) == (0, 1)
    part, some = draw(on("cpu").stream(2, 1), range(8, 11), **POINT)
    np.testing.assert_array_equal(part, numbers[8:11])
    np.testing.assert_array_equal(some, pictures[8:11])
    _, moved = draw(on("cpu").stream(2, 1), range(count), **POINT | {"construction": "halfway"})
    np.testing.assert_allclose(moved.sum((1, 2)), pictures.sum((1, 2)))


def test_a_trained_network_is_measured_twice_alike(tmp_path):
    point = POINT | {"construction": "whole", "epochs": 1}
    world = draw(on("cpu").stream(0, 0), range(2), **point)
    with using(Context(checkpoints=tmp_path)):
        one, two = (WAY.measure(on("cpu"), world, **point) for _ in range(2))
    assert one["works"].any()
    for name, column in one.items():
        np.testing.assert_array_equal(column, two[name], err_msg=name)


def test_mnist_has_as_many_sevens_as_it_says(data):
    assert WAY.units(**POINT | {"dataset": "mnist"}) == 1028


def test_records_are_of_the_images_that_their_point_names():
    foreign, world = POINT | {"data": "0" * 12}, (np.arange(3.0), sevens())
    for step in (lambda: draw(None, range(1), **foreign), lambda: WAY.measure(on("cpu"), world, **foreign)):
        with pytest.raises(UsageError, match=rf"--data-dir must hold the digits {'0' * 12} .*got {digest('digits')}"):
            step()


def test_points_and_flags():
    sweep = points(["digits"], ["enough", "whole"], [5], [0, 1], ["none"])
    assert {point["data"] for point in sweep} == {digest("digits")}
    assert [(point["construction"], point["network"]) for point in sweep] == [
        ("enough", 0),
        ("enough", 1),
        ("whole", 0),
        ("whole", 1),
    ]
    with pytest.raises(UsageError, match="--dataset must be among mnist, digits, got cifar10"):
        STUDY.grid["dataset"].parse("cifar10")


@pytest.mark.parametrize(
    ("train", "test", "got"),
    [
        ([1, 3], [7], "no 7 among the 2 training images"),
        ([7, 3], [7], "no 1 among the 2 training images"),
        ([7, 1], [1, 1], "no 7 among the 2 test images"),
        ([7, 1], [7], "1 without any"),
    ],
)
def test_there_must_be_sevens_and_ones_before_anything_is_trained(monkeypatch, train, test, got):
    held = {
        split: Images(np.zeros((len(labels), 8, 8), np.uint8), np.array(labels), tuple("0123456789"))
        for split, labels in (("train", train), ("test", test))
    }
    monkeypatch.setattr("empirical.mnist_compression.study.load", lambda _, split: held[split])
    with pytest.raises(UsageError, match=f"^--data-dir must hold 7s and 1s of digits to train on, .*, got {got}$"):
        points(["digits"], ["enough"], [5], [0], ["none"])


def test_other_images_of_either_split_are_another_point(tmp_path):
    def image(digit, level):
        return np.full((28, 28), level, np.uint8), digit

    def point(train=9, test=9):
        folder = tmp_path / f"{train}-{test}" / "MNIST/raw"
        folder.mkdir(parents=True)
        for split, level in (("train", train), ("t10k", test)):
            x, labels = zip(image(7, 5), image(1, level), strict=True)
            for kind, array in (("images-idx3", np.stack(x)), ("labels-idx1", np.array(labels, np.uint8))):
                head = bytes((0, 0, 8, array.ndim)) + np.array(array.shape, ">u4").tobytes()
                (folder / f"{split}-{kind}-ubyte").write_bytes(head + array.tobytes())
        with using(Context(data=folder.parents[1])):
            return points(["mnist"], ["enough"], [5], [0], ["none"])[0]["data"]

    assert len({point(), point(train=8), point(test=8)}) == 3


class TestTables:
    def test_a_linear_network_is_as_predicted(self, known):
        found = kept(known[1])
        np.testing.assert_allclose(predicted(found), 2 * found["first_order"] / found["length"], rtol=1e-5)
        written = tables([(POINT, known[1])])
        lengths = next(table for table in written if table.title.startswith("Table 5") and table.confidence)
        rows = {row["quantity"]: row for row in plain_rows(lengths)}
        row = rows["|e| / (L/2), median"]
        assert row["measured"] == pytest.approx(np.median(ratio(found)))
        assert row["predicted"] == pytest.approx(np.median(predicted(found)))
        assert rows["|e| / L, median"]["predicted"] == pytest.approx(np.median(compression(found)))
        assert rows["|s| / (change of f / ||grad f||), median"]["measured"] == pytest.approx(1, rel=1e-4)
        assert row["images"] == len(found["works"])

    def test_several_networks_are_one_sample_of_networks(self, known):
        one = known[1]
        two = one | {"cosines": one["cosines"] / 2}
        written = tables([(POINT, one), (POINT | {"network": 1}, two)])
        along = written[-1]
        assert all(row["networks"] == 2 for row in plain_rows(along))
        both = [-np.mean(kept(columns)["cosines"]) for columns in (one, two)]
        assert plain_rows(along)[-2]["measured"] == pytest.approx(np.mean(both))

    def test_where_nothing_works_there_is_a_reason(self, put):
        put(linear(bias=-9))
        written = tables([(POINT, measured())])
        assert len(written) == 2
        assert written[1].rows == [("without the whole stroke it is classified as 7", 3, 1.0)]
        assert math.isnan(plain_rows(written[0])[-1]["measured"])
        assert "construction works for 0 of 3" in text(written[0])
