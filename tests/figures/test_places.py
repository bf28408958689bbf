"""Every figure and every table of the five papers has a module here and a place on the page."""

import json
import re
from pathlib import Path

import pytest

from figures.report.summary import read
from figures.shared.picture import pictures

FULL_RUN = Path(__file__).parents[2] / "docs" / "full_run.json"
FIGURES = {
    "Feature compression": (2, 3, 4, 5, 6),
    "Conditioning": (1, 2, 3, 4, 5),
    "Joint margin bounds": (1,),
    "Latent and SVD defences": (1, 4, 5, 6, 7),  # 2 and 3 are diagrams of autoencoders, not results
    "ConvNorm": (1, 2, 3),
}
TABLES = {
    "Table 1": "empirical.linear_compression",
    "Table 2": "empirical.linear_compression",
    "Table 3": "empirical.relu_compression",
    "Table 4": "empirical.relu_compression",
    "Table 5": "empirical.mnist_compression",
    "Table 6": "empirical.mnist_compression",
    "Table 7": "empirical.imagenet_compression",
    "Table 8": "empirical.imagenet_compression",
    "Table I": "empirical.conditioning",
    "Table II": "empirical.conditioning",
    "Table 1 ": "empirical.convnorm_width",
}
EVERY_FIGURE = sorted(f"{paper}, Figure {number}" for paper, numbers in FIGURES.items() for number in numbers)


def test_every_figure_has_one_module():
    assert sorted(place for picture in pictures().values() for place in picture.shows) == EVERY_FIGURE


@pytest.fixture(scope="module")
def runs():
    return {run.study: run for run in read(json.loads(FULL_RUN.read_text("utf-8"))).runs}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_in_the_full_run(runs, table):
    assert any(_names(made.title, table.strip()) for made in runs[TABLES[table]].tables)


@pytest.mark.parametrize("name", [name for name, picture in pictures().items() if picture.shows])
def test_every_figure_is_in_the_full_run(runs, name):
    assert name in [drawn.picture for drawn in runs[pictures()[name].study].drawn]


def _names(title: str, table: str) -> bool:
    """Whether a title begins with the table's name: "Table 1, ...", "Tables 7 and 8", "Tables I (FGSM) and II"."""
    return bool(re.match(rf"Tables?\b.{{,20}}\b{table.split()[1]}\b", title))
