"""The figure of bounds and identities: worst worlds, decoys, witnesses, and what has no records."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from figures.statements import OVERVIEW, draw, numbers, pages, size
from fragility.engine.records import raw_table
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from theory.claims import BOOK

STATEMENTS = [claim for claim in BOOK if claim.of_worlds]
FC, JOINT = ([claim for claim in STATEMENTS if claim.id.startswith(paper)] for paper in ("fc.", "joint."))
FAILING = next(claim for claim in JOINT if not claim.holds)
BOUND = next(claim for claim in FC if claim.kind == "bound" and claim.holds)
IDENTITY = next(claim for claim in JOINT if claim.kind == "identity" and claim.holds)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("statements") / "simulate.statements" / "numpy-seed7", lambda _: "code")

    def write(claim, method, **values):
        shard = Shard("simulate.statements", method, (("claim", claim.id),), 7, 0, len(values["excess"]))
        store.write(shard, raw_table({name: np.array(value) for name, value in values.items()}))

    store.save_manifest(seed=7)
    decoys = np.full((3, len(BOUND.decoys)), 0.5)
    write(FAILING, "witness", excess=[0.25])
    write(BOUND, "worlds", excess=[-0.5, -0.25, -0.125], decoys=decoys)
    write(IDENTITY, "worlds", excess=[0.0, 1e-16, math.inf])
    return store


def found(run, page):
    drawn = numbers(run.root, run.manifest, page)
    return drawn, {one.id: one for row in drawn.rows for one in row.statements}


def test_all_papers_stand_on_the_first_page(run):
    drawn, statements = found(run, OVERVIEW)
    assert set(statements) == {FAILING.id, BOUND.id, IDENTITY.id}
    assert [row.name for row in drawn.rows if not row.statements] == ["Feature compression", "Joint margin bounds"]
    assert statements[FAILING.id].worst == 0.25 / FAILING.tolerance
    assert statements[BOUND.id].slack[0] == 0.125
    np.testing.assert_array_equal(statements[BOUND.id].decoys, 0.5 / BOUND.tolerance)
    assert statements[IDENTITY.id].worst == math.inf


def test_a_paper_has_a_page_with_a_row_for_each_statement(run):
    drawn, statements = found(run, "joint")
    assert set(statements) == {FAILING.id, IDENTITY.id}
    assert all(len(row.statements) == 1 for row in drawn.rows)


@pytest.mark.parametrize("page", [OVERVIEW, "fc", "joint"])
def test_it_is_drawn_without_a_warning(run, page):
    drawn, _ = found(run, page)
    figure = Figure(figsize=size(drawn), layout="constrained")
    draw(figure, drawn)
    figure.draw_without_rendering()
    assert [name.get_text() for name in figure.axes[0].get_yticklabels()] == [row.name for row in drawn.rows]


def test_statements_without_records_are_counted_with_the_command(run):
    (line,) = found(run, "joint")[0].lacking
    assert "more claims" in line
    assert f"python -m simulate.verify --claim joint --out {run.root.parent.parent} draws them" in line


def test_a_paper_without_records_is_an_error(run):
    with pytest.raises(FileNotFoundError, match=r"simulate\.verify --claim norm"):
        numbers(run.root, run.manifest, "norm")


def test_every_statement_has_a_page():
    assert {claim.id.split(".")[0] for claim in STATEMENTS} == set(pages()) - {OVERVIEW}
