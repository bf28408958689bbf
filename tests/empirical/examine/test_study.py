"""A user's network: against closed forms where it is linear, and what cannot be examined in a line."""

import numpy as np
import pytest
import torch

from empirical.examine import network
from empirical.examine.images import SAID, Shown
from empirical.examine.letters import coded, decoded
from empirical.examine.measure import SAYINGS
from empirical.examine.study import STUDY
from fragility.backends.torch_backend import on
from fragility.engine.context import using
from fragility.engine.study import UsageError
from tests.empirical.examine import networks

HERE = networks.__name__
AXES = {name: axis.default for name, axis in STUDY.grid.items() if name != "model"}
COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 0.8, (COUNT, *networks.SHAPE)).astype(np.float32)
    np.save(folder / "images.npy", x)
    with torch.no_grad():
        said = networks.linear()(torch.from_numpy(x)).argmax(1).numpy()
    np.savez(folder / "labelled.npz", images=x, labels=np.r_[(said[:1] + 1) % 4, said[1:]])
    return folder


@pytest.fixture
def here(folder):
    with using(Shown(images=folder / "images.npy")):
        yield folder


def points(name, **axes):
    return STUDY.points(model=[f"{HERE}:{name}"], **(AXES | axes))


def measured(point, units, seed=3):
    method, backend = STUDY.methods["images"], on("cpu")
    world = method.draw(backend.stream(seed, units.start), units, **point)
    return method.measure(backend, world, **point)


def weights():
    layer = networks.linear()[1]
    return layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()


def test_of_a_linear_network_the_prediction_is_exact_and_so_is_the_certificate(here):
    (point,) = points("linear", attacks=["nearest_rivals"])
    found = measured(point, range(COUNT))
    W, b = weights()
    x = np.load(here / "images.npy").reshape(COUNT, -1).astype(float)
    logits = x @ W.T + b
    label = logits.argmax(1)
    gaps = [
        min((row[k] - row[j]) / np.linalg.norm(W[k] - W[j]) for j in range(4) if j != k)
        for row, k in zip(logits, label, strict=True)
    ]
    assert list(found["said"]) == list(found["label"]) == list(label)
    np.testing.assert_allclose(found["first_order"], gaps, rtol=1e-4)
    inside = found["upper"] < np.minimum(x.min(1), 1 - x.max(1))  # the box is out of reach
    assert inside.any()
    np.testing.assert_allclose(found["upper"][inside], np.array(gaps)[inside], rtol=1e-3)
    np.testing.assert_allclose(found["lower"][inside], np.array(gaps)[inside], rtol=1e-4)
    assert (found["upper"] >= found["lower"] * 0.999).all()
    np.testing.assert_allclose(found["quotient"], 1, rtol=1e-3)
    assert not found["noise"].any()
    second = [np.delete(row, k).max() for row, k in zip(logits, label, strict=True)]
    np.testing.assert_allclose(found["margin"], logits.max(1) - second, rtol=1e-4)


def test_of_a_linear_network_the_gradient_is_the_same_all_along_the_way(here):
    (point,) = points("linear", nodes=[3])
    found = measured(point, range(COUNT))
    W, _ = weights()
    x, said = np.load(here / "images.npy").reshape(COUNT, -1).astype(float), found["said"].astype(int)
    for number, partner in enumerate(found["partner"].astype(int)):
        apart = np.where(said == said[number], np.inf, np.linalg.norm(x - x[number], axis=1))
        assert partner == apart.argmin()
        way, gradient = x[partner] - x[number], W[said[number]] - W[said[partner]]
        cosine = way @ gradient / np.linalg.norm(way) / np.linalg.norm(gradient)
        np.testing.assert_allclose(found["cosine"][number], cosine, rtol=1e-4)
        assert found["length"][number] == pytest.approx(np.linalg.norm(way), rel=1e-6)
        assert found["weighted"][number] == pytest.approx(-cosine, rel=1e-4)
        assert found["signed_length"][number] == pytest.approx(found["change"][number], rel=1e-4)


def test_singular_values_are_left_out_from_the_bottom(here):
    (point,) = points("linear", shrunk=["25+50"])
    found = measured(point, range(COUNT))
    W, b = weights()
    U, sigma, Vh = np.linalg.svd(W, full_matrices=False)
    x = np.load(here / "images.npy").reshape(COUNT, -1).astype(float)
    for column, kept in enumerate((3, 2)):
        logits = x @ ((U[:, :kept] * sigma[:kept]) @ Vh[:kept]).T + b
        assert list(found["shrunk_said"][:, column]) == list(logits.argmax(1))
        own = [row[k] - np.delete(row, k).max() for row, k in zip(logits, found["label"].astype(int), strict=True)]
        np.testing.assert_allclose(found["shrunk_margin"][:, column], own, atol=1e-5)
    np.testing.assert_allclose(found["layer_left_out"][0, 0], [sigma[3] / sigma[0], sigma[2] / sigma[0]], rtol=1e-5)


def test_joint_margins_of_one_layer_are_certified_as_far_as_they_are(here):
    (point,) = points("linear", radii_x=["0+0.01+0.2"], radii_w=["0+0.001"])
    found = measured(point, range(COUNT))
    W, b = weights()
    x = np.load(here / "images.npy").reshape(COUNT, -1).astype(float)
    label = (x @ W.T + b).argmax(1)
    tried = set()
    for i, radius in enumerate((0, 0.01, 0.2)):
        for j, moved in enumerate((0, 0.001)):
            for image, k, robust in zip(x, label, found["certified"][:, i, j], strict=True):
                sizes = np.abs(W[k] - np.delete(W, k, 0)) + 2 * moved  # of the moved weights' differences, at most
                least = (W[k] - np.delete(W, k, 0)) @ image + b[k] - np.delete(b, k)
                sure = least - radius * sizes.sum(1) - 2 * moved * (np.abs(image).sum() + 1)
                if (np.abs(sure) > 1e-3).all() and np.all(sure > 0):
                    assert robust == 1
                    tried.add((1, j))
                corner = least - radius * np.abs(W[k] - np.delete(W, k, 0)).sum(1) - 2 * moved * (image.sum() + 1)
                if (corner < -1e-3).any() and (image > radius).all() and (image < 1 - radius).all():
                    assert robust == 0
                    tried.add((0, j))

    assert tried == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_layers_are_measured_with_the_first_image_and_named(here):
    (point,) = points("bent")
    found = measured(point, range(2))
    assert decoded(found["layer_name"][0]) == ["first", "second", "last"]
    assert np.isnan(found["layer_norm"][1]).all()
    assert list(found["layer_kind"][0]) == [1, 1, 0]
    assert (found["layer_norm_at_most"][0] >= found["layer_norm"][0]).all()
    saying = dict(zip(SAYINGS, decoded(found["sayings"][0]), strict=True))
    assert saying["others"] == "the network itself (Bent)"
    assert saying["certificate"] == "certificates are for torch.nn.Sequential, the network is a Bent"
    assert saying["joint"] == saying["certificate"]
    assert saying["constant"] == ""
    first, second, last = found["layer_folded_norm"][0]
    assert found["lipschitz"][0] == pytest.approx(8 * first * (1 + second) * last, rel=1e-4)
    slope = found["slope"]
    assert (slope <= np.sqrt(2) * found["lipschitz"][0]).all()
    (other,) = np.isnan(measured(point, range(2, 4))["lipschitz"])[:1]
    assert other


def test_weights_that_are_no_layers_leave_no_layers(here):
    found = measured(*points("bare"), range(1))
    assert np.isnan(found["layer_norm"]).all()
    assert np.isfinite(found["upper"]).all()
    assert decoded(found["sayings"][0])[SAYINGS.index("others")] == "the network itself (Bare)"


def test_masked_gradients_are_seen(here):
    masked = measured(*points("masked"), range(COUNT))
    assert np.mean(np.abs(masked["quotient"] - 1) > 0.5) > 0.5
    saturated = measured(*points("saturated"), range(COUNT))
    assert saturated["saturated"].mean() > 0.8
    sound = measured(*points("dense"), range(COUNT))
    assert (np.abs(sound["quotient"] - 1) < 0.5).all()
    assert not sound["saturated"].any()


def test_a_shard_alone_gives_the_same_numbers(here):
    (point,) = points("bent")
    one, again = (measured(point, range(2, 5)) for _ in range(2))
    for name, values in one.items():
        np.testing.assert_array_equal(values, again[name], err_msg=name)


def test_labels_are_those_of_the_file_and_wrong_images_have_no_distance(folder):
    with using(Shown(images=folder / "labelled.npz")):
        (point,) = points("linear")
        found = measured(point, range(2))
    assert point["labels"] != SAID
    assert found["label"][0] != found["said"][0]
    assert (found["upper"][0], found["margin"][0] < 0) == (0, True)
    assert found["upper"][1] > 0


def test_other_weights_and_other_images_are_another_point(here, folder):
    (point,) = points("linear")
    with using(Shown(images=folder / "labelled.npz")):
        assert points("linear")[0] != point
    assert points("dense")[0]["weights"] != point["weights"]
    with pytest.raises(UsageError, match=f"must have the weights {'0' * 12} every time"):
        measured(point | {"weights": "0" * 12}, range(1))


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("nothing", "must return a torch.nn.Module, got int"),
        ("weightless", f"--model {HERE}:weightless must have weights, got a network without parameters"),
        ("absent", "has no absent"),
        ("failing", "got RuntimeError: no network"),
        ("wide", f"--model {HERE}:wide cannot be measured: the model must take x, torch.float32 of shape"),
        ("nan", "the model's logits at x must be finite, got NaN or infinite ones"),
        ("half", "the model must take x, torch.float32"),
    ],
)
def test_a_network_that_cannot_be_examined_is_said_before_anything_is_measured(here, name, line):
    with pytest.raises(UsageError) as error:
        points(name)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_network_without_gradient_is_said_in_a_line(here):
    with pytest.raises(UsageError, match="cannot be measured: the model's logits must have a gradient"):
        measured(*points("detached"), range(1))


def test_labels_beyond_the_outputs_are_said_in_a_line(folder):
    (folder / "labels.txt").write_text("\n".join(["7"] * COUNT))
    with (
        using(Shown(images=folder / "images.npy", labels=folder / "labels.txt")),
        pytest.raises(UsageError, match=r"--labels must be class numbers from 0 to 3, the outputs of .*, got 7"),
    ):
        points("linear")


def test_double_precision_stays_so(here, monkeypatch):
    monkeypatch.setattr(networks, "doubled", lambda: networks.dense().double(), raising=False)
    found = measured(*points("doubled"), range(2))
    assert network.like(network.network(f"{HERE}:doubled")).dtype == torch.float64
    assert np.isfinite(found["upper"]).all()


def test_texts_are_kept_as_numbers():
    for text in ("conv1.0", "", "größer, höher"):
        assert decoded(coded([text], 20)) == [text]
    (cut,) = decoded(coded(["a" * 30 + "z"], 10))
    assert (len(cut), cut[0], cut[-1]) == (10, "a", "z")
    assert decoded(np.full((1, 4), np.nan)) == [""]
