"""The survey of samplers: it leaves nothing out without a reason, calls right ones right and wrong ones wrong."""

import doctest
import json
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import sklearn.random_projection
import torch
from scipy import stats
from scipy.stats._multivariate import multi_rv_generic

from benchmarks.survey import every, run, surveyed, versions
from benchmarks.surveyed import of_matrices, of_numpy, of_scipy, of_torch
from benchmarks.surveyed.row import row

ROWS = every()
PAGE = Path(__file__).parent.parent.parent / "docs" / "survey.md"


def of_scipy_stats(*kinds):
    return {name for name in dir(stats) if isinstance(getattr(stats, name), kinds)}


def of_torch_distributions():
    found = {name: getattr(torch.distributions, name) for name in torch.distributions.__all__}
    base = torch.distributions.Distribution
    return {name for name, made in found.items() if isinstance(made, type) and issubclass(made, base)}


def of_scikit_learn():
    matrices = {name for name in dir(sklearn.datasets) if name.startswith("make_") and name.endswith("_matrix")}
    return matrices | {name for name in sklearn.random_projection.__all__ if name.endswith("Projection")}


@pytest.mark.parametrize(
    ("family", "module", "there"),
    [
        ("scipy", of_scipy, of_scipy_stats(stats.rv_continuous, stats.rv_discrete)),
        ("numpy", of_numpy, {name for name in dir(np.random.Generator) if not name.startswith("_")}),
        ("torch", of_torch, of_torch_distributions()),
        ("matrices", of_matrices, of_scipy_stats(multi_rv_generic) | of_scikit_learn()),
    ],
)
def test_everything_that_draws_is_surveyed_or_left_out_for_a_reason(family, module, there):
    listed = {each.of.split("(")[0].rpartition(".")[2] for each in ROWS[family]}
    assert there <= listed | set(module.LEFT_OUT)
    assert not listed & set(module.LEFT_OUT)
    assert set(module.LEFT_OUT) <= there
    assert all(module.LEFT_OUT.values())


def test_no_two_checks_have_one_name():
    names = [each.name for rows in ROWS.values() for each in rows]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "name",
    [
        "scipy.stats.gamma(1.99)",
        "numpy.random.Generator.binomial(100, 0.301)",
        "numpy.random.Generator.logseries(0.999999)",
        "torch.distributions.Gamma(1.99, 1, float32)",
        "scipy.stats.ortho_group(3, square of entry 0, 0)",
    ],
)
def test_a_right_sampler_agrees(name, error_rate):
    (found,) = [each for rows in ROWS.values() for each in rows if each.name == name]
    facts = surveyed(found, error_rate, 0, 0.1, 60.0)
    assert facts["outcome"] == "agrees", facts
    assert facts["resolution"] <= 0.1


def test_a_decoy_disagrees(error_rate):
    wrong = row("decoy", "", lambda rng, size: rng.gamma(2.5, size=size), against=stats.gamma(1.99))
    assert surveyed(wrong, error_rate, 0, 0.1, 60.0)["outcome"] == "disagrees"


def test_what_a_library_raises_or_leaves_undefined_is_an_outcome(error_rate):
    def raising(rng, size):
        raise FloatingPointError("overflow")

    facts = surveyed(row("decoy", "", raising, against=stats.norm), error_rate, 0, 0.1, 60.0)
    assert (facts["outcome"], facts["samples"]) == ("raises", 0)
    assert "overflow" in facts["said"]
    missing = row("decoy", "", lambda rng, size: np.full(size, np.nan), against=stats.norm)
    assert surveyed(missing, error_rate, 0, 0.1, 60.0)["outcome"] == "faulty"


def test_what_is_there_is_not_drawn_again(tmp_path, capsys, error_rate):
    out = str(tmp_path / "found")
    flags = dict(family=["numpy"], only="rayleigh", tolerance=0.2, alpha=error_rate, seed=0, budget=60.0, out=out)
    assert run(**flags, json_=True) == 0
    first = json.loads(capsys.readouterr().out)
    lines = (tmp_path / "found").read_text().splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["agrees"] * 3
    (tmp_path / "found").write_text("\n".join(line.replace('"agrees"', '"blunt"') for line in lines[:1]))
    run(**flags, json_=True)
    again = json.loads(capsys.readouterr().out)
    assert (first[0]["rows"][0]["agrees"], again[0]["rows"][0]["agrees"], again[0]["rows"][0]["blunt"]) == (3, 2, 1)


@pytest.mark.filterwarnings("ignore")
def test_what_the_page_shows_of_these_versions_is_so():
    text = " ".join(PAGE.read_text("utf-8").split())
    there = [each for each in versions().split(", ") if each.partition("+")[0] in text]
    if len(there) < len(versions().split(", ")):
        pytest.skip(f"the page is about other versions than {versions()}")
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 50
    assert not failed
