"""The numbers of a figure as a data frame: a row for each, told apart by its quantity and its axes."""

import json

import numpy as np
import pytest

from figures.report.plain import drawn_from, from_plain
from figures.report.summary import read
from figures.shared.picture import pictures
from figures.shared.reduced import Means, Ranges
from figures.shared.tidy import Quantity, tidy
from fragility.engine.study import UsageError
from fragility.frames import frame
from fragility.tables import plain_rows

pandas = pytest.importorskip("pandas")
OF_NETWORKS = {
    "convnorm_width",
    "empirical_conditioning",
    "imagenet_compression",
    "joint_robustness",
    "latent_defence",
    "linear_compression",
    "mnist_compression",
    "relu_compression",
    "svd_defence",
}
NUMBERS = {"value", "low", "high"}


@pytest.fixture(scope="module")
def drawn(request):
    """What the figures of networks are drawn from in the full run, by figure."""
    file = request.config.rootpath / "docs" / "full_run.json"
    found = {one.picture: one.numbers for run in read(json.loads(file.read_text("utf-8"))).runs for one in run.drawn}
    return {
        name: from_plain(found[name], drawn_from(picture.numbers))
        for name, picture in pictures().items()
        if name in OF_NETWORKS & set(found)
    }


def test_every_figure_of_networks_is_tidy_and_the_full_run_has_nearly_all(drawn):
    kinds = {name: drawn_from(picture.numbers) for name, picture in pictures().items()}
    assert {name for name, kind in kinds.items() if hasattr(kind, "tidy")} == OF_NETWORKS
    assert OF_NETWORKS - {*drawn} <= {"imagenet_compression"}


def test_no_two_rows_are_of_the_same(drawn):
    for name, numbers in drawn.items():
        made = frame(numbers)
        assert len(made), name
        assert not made.drop(columns=[*NUMBERS]).duplicated().any(), name
        assert made.attrs["title"], name
        assert not made["quantity"].isna().any(), name
        within = made["low"].isna() | ((made["low"] <= made["value"]) & (made["value"] <= made["high"]))
        assert (within | made["value"].isna()).all(), name


def test_a_number_stands_where_its_axes_say(drawn):
    numbers = drawn["svd_defence"]
    made = frame(numbers)
    curve = numbers.curves["test_accuracy"]
    chosen = made[(made["quantity"] == "test_accuracy") & (made["treatment"] == "tenth")].sort_values("share")
    np.testing.assert_array_equal(chosen["share"], numbers.shares)
    np.testing.assert_array_equal(chosen["value"], curve.value[1])
    np.testing.assert_array_equal(chosen["high"], curve.high[1])
    numbers = drawn["linear_compression"]
    made = frame(numbers)
    valid = made[(made["quantity"] == "valid") & (made["scale"] == numbers.rows[0].scale)]
    assert dict(zip(valid["n"], valid["value"], strict=True)) == dict(
        zip(numbers.rows[0].dimensions.tolist(), numbers.rows[0].valid.tolist(), strict=True)
    )


def test_means_ranges_and_plain_numbers_share_a_table():
    three = np.arange(3.0)
    made = tidy(
        [
            Quantity("mean", Means(three[None], three[None] - 1, three[None] + 1), {"a": ["x"], "b": [1, 2, 3]}, "m"),
            Quantity("range", Ranges(three, three, three), {"b": np.array([1, 2, 3])}),
            Quantity("count", np.array([7]), {"c": ["y"]}),
        ]
    )
    rows = plain_rows(made)
    assert rows[1] == {"quantity": "mean", "a": "x", "b": 2, "c": None} | {
        "value": 1.0,
        "low": 0.0,
        "high": 2.0,
        "ends": "interval",
        "unit": "m",
    }
    assert [row["ends"] for row in rows] == ["interval"] * 3 + ["range"] * 3 + [""]
    assert rows[-1]["value"] == 7


def test_axes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"mean must have axes of lengths \(3,\)"):
        tidy([Quantity("mean", np.zeros(3), {"a": [1, 2]})])


def test_a_picture_reads_its_records(tmp_path):
    picture = pictures()["svd_defence"]
    with pytest.raises(FileNotFoundError, match="no records of any run in"):
        picture.read(tmp_path)
    with pytest.raises(UsageError, match="--page must be among"):
        pictures()["statements"].read(tmp_path, choice="nowhere")
