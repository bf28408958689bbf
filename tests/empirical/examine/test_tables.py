"""What is told of a network: each number with its claim; and the command that tells it and goes on where it ended."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from empirical import examine
from empirical.examine.letters import coded
from empirical.examine.measure import NAME, SAYING, SAYINGS, STATISTICS
from empirical.examine.tables import signs, tables
from fragility.tables import Table, plain_rows, text
from tests.empirical.examine import networks
from theory.claims import BOOK

POINT = {"model": "m:f", "weights": "w", "labels": "0" * 12, "attacks": "ddn", "shrunk": "5+40"} | {
    "radii_x": "0.1",
    "radii_w": "0+0.2",
}
COUNT = 8
COMMAND = str(Path(examine.__file__).with_name("__main__.py"))


def columns(**changes):
    """Records of eight images of a network of three layers, the last of them wrong."""
    rng = np.random.default_rng(0)
    shapes = STATISTICS.shapes(COUNT, layers=3, nodes=4, shares=2, x=1, w=2)
    held = {name: rng.uniform(0.5, 1, shape) for name, shape in shapes.items()}
    held |= {"label": np.zeros(COUNT), "said": np.r_[np.zeros(COUNT - 1), 1], "numbers": np.full(COUNT, 36)}
    held |= {name: np.zeros(COUNT) for name in ("zero_gradient", "saturated", "crossed", "noise", "disagreement")}
    held |= {"quotient": np.ones(COUNT), "upper": np.r_[np.arange(2.0, COUNT + 1), 0], "first_order": np.ones(COUNT)}
    held["certified"] = np.round(held["certified"])
    held["shrunk_said"] = np.zeros((COUNT, 2))
    held["layer_name"][0] = coded(["first", "second", "last"], NAME)
    held["layer_kind"][0], held["layer_smallest_exact"][0] = [1, 1, 0], [1, 0, 1]
    held["layer_weights"][0], held["all_weights"][0] = [10, 10, 20], 50
    held["sayings"][0] = coded(["no constant", "no certificate", "no joint one", "odd (Odd)"], SAYING)
    return held | changes


def rows(table: Table):
    return {row["quantity"].strip(): row for row in plain_rows(table)}


def test_every_number_belongs_to_a_claim_of_the_book_and_has_its_interval():
    whole, layers = tables([(POINT, columns())])
    for row in plain_rows(whole):
        assert BOOK[row["claim"]]
    found = rows(whole)
    assert found["images classified right"]["value"] == (COUNT - 1) / COUNT
    assert found["found, median"]["value"] == 5  # of 2 to 8: the wrong image is not counted
    assert (
        found["found over predicted, median"]["interval"][0]
        <= 5
        <= found["found over predicted, median"]["interval"][1]
    )
    assert found["found over predicted, median"]["images"] == COUNT - 1
    assert found["linear layers"]["note"] == "80 % of all parameters"
    assert found["decisions that stay"]["value"] == 1
    assert "odd (Odd)" in text(whole)
    assert [row["layer"] for row in plain_rows(layers)] == ["first", "second", "last"]
    assert [row["condition"].startswith(">= ") for row in plain_rows(layers)] == [False, True, False]


def test_what_there_is_not_is_said_with_its_reason():
    held = columns(lipschitz=np.full(COUNT, np.nan), lower=np.zeros(COUNT))
    held |= {name: np.full_like(held[name], np.nan) for name in ("certified", "cosine", "weighted")}
    found = rows(tables([(POINT, held)])[0])
    assert found["Lipschitz constant, at most: norms along the graph"]["note"] == SAYINGS[0].replace(
        "constant", "no constant"
    )
    assert found["certified, median"]["note"] == "no certificate"
    assert found["certified"]["note"] == "no joint one"
    assert found["compression"]["note"].startswith("all images are of one class")
    assert "radius certified by it, median" not in found


def test_a_network_that_is_always_wrong_or_annihilates_everything_has_a_table():
    wrong = rows(tables([(POINT, columns(said=np.ones(COUNT)))])[0])
    assert wrong["images classified right"]["value"] == 0
    assert wrong["found, median"] == wrong["found, median"] | {"value": None, "images": 0}
    zero = columns(margin=np.zeros(COUNT))
    zero |= {name: np.zeros_like(zero[name]) for name in ("layer_norm", "layer_norm_at_most", "layer_smallest")}
    assert rows(tables([(POINT, zero)])[0])["largest spectral norm"]["value"] == 0


def test_a_network_without_layers_has_one_table():
    held = columns()
    held |= {name: np.full_like(values, np.nan) for name, values in held.items() if name.startswith("layer_")}
    (whole,) = tables([(POINT, held)])
    assert "largest spectral norm" not in rows(whole)


def test_signs_of_masked_gradients_are_counted():
    held = columns(quotient=np.r_[0.1, 5, np.ones(COUNT - 2)], noise=np.r_[1, np.nan, np.zeros(COUNT - 2)])
    held["upper"][0] = np.nan
    found = {words: flags for words, (flags, _) in signs(held).items()}
    assert list(found["gradient is not the slope"]) == [1, 1, *[0] * (COUNT - 2)]
    assert np.nansum(found["noise does as well"]) == 1
    assert np.isnan(found["noise does as well"][1])
    assert found["no attack succeeds"].sum() == 1
    assert np.nansum(found["found over 3 x predicted"]) == 5  # 4 to 8 of them


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examined")
    x = np.random.default_rng(1).uniform(0.2, 0.8, (20, *networks.SHAPE)).astype(np.float32)
    np.savez(folder / "images.npz", images=x, labels=np.zeros(20, int))
    return folder


@pytest.fixture
def command(folder, monkeypatch, capfd):
    """The exit code of the command, and what it says on both streams."""

    def run(*arguments):
        flags = ["--model", f"{networks.__name__}:bent", *arguments]
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["empirical.examine", *flags])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(COMMAND, run_name="__main__")
        return ended.value.code, *capfd.readouterr()

    return run


def test_the_command_tells_all_of_it_and_goes_on_after_images_are_lost(folder, command):
    flags = ("--images", "images.npz", "--json", "--steps", "5")
    code, said, error = command(*flags)
    assert code == 0, error
    whole, layers = json.loads(said)["tables"]
    assert {row["claim"] for row in whole["rows"]} <= {claim.id for claim in BOOK}
    assert [row["layer"] for row in layers["rows"]] == ["first", "second", "last"]
    shards = sorted((folder / "results").rglob("*.parquet"))
    assert len(shards) == 2  # of sixteen images, and of four
    kept = shards[0].read_bytes()
    shards[1].write_bytes(kept[:100])
    code, said, error = command(*flags, "--resume")
    assert code == 0, error
    assert json.loads(said)["tables"] == [whole, layers]
    assert shards[0].read_bytes() == kept


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (("--images", "none.npz"), "No such file"),
        (("--images", "images.npz", "--labels", "none.txt"), "No such file"),
        (("--images", "images.npz", "--radii-x", "0.2+0.1"), "--radii-x must be numbers from 0 to 1 in increasing"),
        (("--images", "images.npz", "--shrunk", "101"), "--shrunk must be numbers from 0 to 100"),
        (("--images", "images.npz", "--attacks", "fgsm"), "--attacks must be among"),
        (("--images", "images.npz", "--size", "8,9"), "--size must be one side for all images, got 8,9"),
        ((), "the following arguments are required: --images"),
    ],
)
def test_what_cannot_be_examined_is_a_line(command, flags, line):
    code, said, error = command(*flags)
    assert (code, said, error.count("\n")) == (2, "", 1)
    assert line in error
