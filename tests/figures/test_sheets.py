"""Figures as tables of panels: every claim finds its place, and what is drawn comes from the records of a run."""

import importlib
import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.panels import deviation, law, moment
from figures.panels.sheet import Panel, Sheet
from fragility.backends.numpy_backend import BACKEND
from fragility.catalogue.places import figure
from fragility.engine.context import Context
from fragility.engine.shard import Shard, find_study, record
from fragility.engine.store import Store
from fragility.engine.study import UsageError
from fragility.judging.stated import covers
from theory.claims import BOOK

ROOMS = Path(__file__).parent.parent.parent
SHEETS = [
    importlib.import_module(f"figures.{path.stem}").SHEET
    for path in sorted((ROOMS / "figures").glob("*.py"))
    if "\nSHEET = " in path.read_text()
]
STUDIES = sorted({claim.study for claim in BOOK} - {""})
DRAWS = 64


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_its_figure(name):
    assert find_spec(figure(name))


def test_no_two_studies_share_a_figure():
    assert len({figure(name) for name in STUDIES}) == len(STUDIES)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_that_a_claim_names_exists(name):
    assert find_study(name).name == name


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.study)
class TestSheet:
    def test_it_shows_all_claims_of_its_study_and_no_others(self, sheet):
        own = {claim.id for claim in BOOK.about(sheet.study) if claim.kind != "rate" or claim.theory().sizes}
        assert {panel.claim for panel in sheet.panels} == own

    def test_its_laws_speak_of_a_point_of_the_table(self, sheet):
        for panel in sheet.panels:
            claim = BOOK[panel.claim]
            if claim.kind == "law":
                points = [point for point in find_study(sheet.study).table if panel.at.items() <= point.items()]
                assert any(covers(claim, point) for point in points), panel.claim

    def test_its_titles_fit(self, sheet):
        most = 40 if len(sheet.panels) in (1, 2, 4) else 28  # letters above a panel, two or three side by side
        assert all(len(panel.title) <= most or "$" in panel.title for panel in sheet.panels)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of the study of probing vectors that holds one point of its table."""
    study = find_study("simulate.probes")
    point = study.table[-1]
    store = Store(tmp_path_factory.mktemp("probes") / "simulate.probes" / "numpy-seed0", lambda _: "code")
    shard = Shard("simulate.probes", "bisection", tuple(point.items()), 0, 0, DRAWS)
    store.write(shard, record(shard, BACKEND, Context()))
    store.save_manifest(study="simulate.probes", points=[dict(point)], seed=0)
    return store


@pytest.fixture(scope="module")
def sheet():
    return next(sheet for sheet in SHEETS if sheet.study == "simulate.probes")


def test_the_numbers_are_those_of_the_records(run, sheet):
    drawn = sheet.numbers(run.root, run.manifest, None)
    point = find_study("simulate.probes").table[-1]
    shard = Shard("simulate.probes", "bisection", tuple(point.items()), 0, 0, DRAWS)
    values = run.read(shard).column("flip").to_numpy()
    flip = next(shown.numbers for shown in drawn.shown if shown.panel.claim == "fc.thm5.flip")
    np.testing.assert_array_equal(flip.values, np.sort(values))
    assert flip.draws == f"{DRAWS} draws"
    assert not drawn.lacking
    assert all(isinstance(shown.numbers, law.LawNumbers | deviation.DeviationNumbers) for shown in drawn.shown)


def test_a_sheet_has_a_panel_for_each_row(run, sheet):
    drawn = sheet.numbers(run.root, run.manifest, None)
    figure = Figure(figsize=sheet.size(drawn), layout="constrained")
    sheet.draw(figure, drawn)
    figure.draw_without_rendering()
    assert [axes.get_title("left") or axes.get_title() for axes in figure.axes] == [
        f"({letter})  {panel.title}" for letter, panel in zip("abcdefgh", sheet.panels, strict=False)
    ]


def test_what_has_no_records_is_named_with_the_command_that_draws_it(run, sheet):
    other = next(sheet for sheet in SHEETS if sheet.study == "simulate.path_length")
    more = Sheet("simulate.probes", "", (*sheet.panels, *other.panels))
    (line,) = more.numbers(run.root, run.manifest, None).lacking
    assert line.startswith("no records of fc.sec5.start, fc.sec5.midpoint, fc.sec5.mean in ")
    assert f"--claim fc.sec5.start --claim fc.sec5.midpoint --claim fc.sec5.mean --out {run.root.parent.parent}" in line


def test_a_claim_that_the_book_lacks_is_named(run, sheet):
    other = Sheet("simulate.probes", "", (Panel("fc.thm5.flop", ""),))
    with pytest.raises(UsageError, match=r"no claim fc\.thm5\.flop; near it: "):
        other.numbers(run.root, run.manifest, None)


def test_nothing_at_all_is_an_error(tmp_path, sheet):
    with pytest.raises(FileNotFoundError, match=r"python -m simulate.verify --claim fc.thm5 --out"):
        sheet.numbers(tmp_path / "simulate.probes" / "numpy-seed0", {"seed": 0}, None)


def test_a_moment_is_shown_at_every_point_with_records(tmp_path):
    study = find_study("simulate.path_length")
    store = Store(tmp_path / "simulate.path_length" / "numpy-seed0", lambda _: "code")
    store.save_manifest(seed=0)
    for point in study.table:
        shard = Shard("simulate.path_length", "network", tuple(point.items()), 0, 0, DRAWS)
        store.write(shard, record(shard, BACKEND, Context()))
    sheet = next(sheet for sheet in SHEETS if sheet.study == "simulate.path_length")
    drawn = sheet.numbers(store.root, {"seed": 0}, None)
    (mean,) = [shown.numbers for shown in drawn.shown if isinstance(shown.numbers, moment.MomentNumbers)]
    claim = BOOK["fc.sec5.mean"]
    covered = [point for point in study.table if covers(claim, point)]
    np.testing.assert_allclose(mean.mean, [claim.theory(**point).mean for point in covered])
    at_one = sheet.numbers(store.root, {"seed": 0}, covered[-1])
    (mean,) = [shown.numbers for shown in at_one.shown if isinstance(shown.numbers, moment.MomentNumbers)]
    assert len(mean.labels) == 1


def test_the_command_prints_where_the_picture_is(run, monkeypatch, capsys):
    out = run.root.parent.parent
    monkeypatch.setattr(sys, "argv", ["figures.probes", "--out", str(out)])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(ROOMS / "figures" / "probes.py"), run_name="__main__")
    assert done.value.code == 0
    assert capsys.readouterr().out == f"{out}/figures/probes.png\n"
    assert (out / "figures" / "probes.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("module", "flags", "code", "line"),
    [
        ("statements", ["--page", "elsewhere"], 2, "--page must be among overview, fc, joint"),
        ("last_column", [], 3, "python -m simulate.last_column makes some"),
    ],
)
def test_bad_usage_is_one_line(tmp_path, monkeypatch, capsys, module, flags, code, line):
    monkeypatch.setattr(sys, "argv", [f"figures.{module}", "--out", str(tmp_path), *flags])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(ROOMS / "figures" / f"{module}.py"), run_name="__main__")
    assert done.value.code == code
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
