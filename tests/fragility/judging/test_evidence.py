"""Evidence: what is counted in cells says the same as what is kept, and what is read again is what was there."""

import numpy as np
import pytest
from scipy import stats

from fragility.claim import Claim
from fragility.engine.records import column, counted_table, counts, is_counted, merged, raw_table
from fragility.judging import evidence as module
from fragility.judging import shelf
from fragility.judging.bands import Catoni
from fragility.judging.evidence import CELLS, Evidence, in_cells, sup_distance, sup_distance_in_cells
from fragility.judging.kinds import judge
from fragility.judging.shelf import Shelf
from fragility.law import Moment

RATE = 1e-3


def tables(rows=8, size=500):
    rng = np.random.default_rng(0)
    return [raw_table({"last": rng.chisquare(3, size), "pair": rng.chisquare(2, (size, 2))}) for _ in range(rows)]


@pytest.fixture
def few(monkeypatch):
    """Everything that has more than a hundred values is counted in cells."""
    monkeypatch.setattr(module, "FEW", 100)


def test_a_distance_in_cells_is_that_of_the_values():
    rng = np.random.default_rng(1)
    pieces = [rng.beta(1.2, 1, 700), rng.beta(1, 1.1, 900)]
    exact = sup_distance(np.concatenate(pieces))
    assert exact - 1 / CELLS <= sup_distance_in_cells(pieces) <= exact + 1e-15
    assert np.isnan(sup_distance_in_cells([np.array([0.5, np.nan])]))
    ends = [np.array([0.0, 1.0])]
    assert sup_distance_in_cells(ends) == pytest.approx(0.5, abs=1 / CELLS)


@pytest.mark.parametrize("scale", [1e-300, 1.0, -3.0, 1e300])
def test_numbers_in_cells_have_the_same_mean(scale):
    rng = np.random.default_rng(2)
    values = scale * rng.standard_normal(4000)
    means, numbers = in_cells([values[:1000], values[1000:1000], values[1000:]])
    assert numbers.sum() == 4000
    assert means @ numbers == pytest.approx(values.sum(), rel=1e-9)
    catoni = Catoni(abs(scale))
    assert catoni.estimate(means, RATE, numbers) == pytest.approx(catoni.estimate(values, RATE), abs=1e-8 * abs(scale))


def laws(**_):
    return [stats.chi2(2), stats.chi2(2)]


CLAIMS = [
    Claim(id="t.law", source="s", says="x", kind="law", theory=lambda **_: stats.chi2(3), statistic="last",
          study="own", tolerance=0.2),
    Claim(id="t.laws", source="s", says="x", kind="law", theory=laws, statistic="pair", study="own", tolerance=0.2),
    Claim(id="t.mean", source="s", says="x", kind="moment", theory=lambda **_: Moment(np.copy, 3.0, 2.5),
          statistic="last", study="own", tolerance=0.4),
    Claim(id="t.pooled", source="s", says="x", kind="moment", statistic="pair", study="own", tolerance=0.1,
          theory=lambda **_: Moment(lambda u: (u[:, 0] - 0.5) * (u[:, 1] - 0.5), 0.0, 1 / 12, (laws())[:2])),
]  # fmt: skip


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
@pytest.mark.parametrize("samples", [4000, 3100])
def test_a_verdict_on_cells_is_that_on_the_values(claim, samples, monkeypatch):
    whole = judge(claim, {"n": 3}, "made up", Evidence(tables(), samples), RATE)
    monkeypatch.setattr(module, "FEW", 100)
    cells = judge(claim, {"n": 3}, "made up", Evidence(tables(), samples), RATE)
    assert (whole.outcome, whole.samples) == (cells.outcome, cells.samples) == ("agrees", samples)
    assert cells.gap == pytest.approx(whole.gap, abs=2 / CELLS)
    assert cells.band == whole.band


def test_a_shelf_keeps_what_it_may_and_reads_the_others_again(monkeypatch):
    made = tables()
    monkeypatch.setattr(shelf, "MOST_BYTES", 2 * made[0].nbytes)
    asked = []

    def again(index):
        asked.append(index)
        return made[index]

    held = Shelf(again)
    for table in made:
        held.add(table)
    assert held.draws == 4000
    seen = Evidence(held.now(), 3999)
    np.testing.assert_array_equal(seen.values("last"), np.concatenate([column(table, "last") for table in made])[:3999])
    assert asked == [3, 4, 5, 6, 7]


def test_a_shelf_adds_counts_up():
    rng = np.random.default_rng(3)
    values = rng.chisquare(3, (40, 200))
    held = Shelf(lambda _: pytest.fail("counts are in memory"))
    for row in values:
        held.add(counted_table([{"last": row, "other": row + 1}]))
    now = held.now()
    assert len(now) <= shelf.MOST_COUNTED + 1
    assert all(map(is_counted, now))
    assert held.draws == values.size
    for name, moved in (("last", values), ("other", values + 1)):
        for one, other in zip(counts(now, name), counts([counted_table([{name: moved.ravel()}])], name), strict=True):
            np.testing.assert_array_equal(one, other)
    assert merged(now).num_rows <= sum(table.num_rows for table in now)


def test_counts_say_how_many_draws_lack_a_number():
    values = np.random.default_rng(5).chisquare(3, 200)
    values[:3] = np.nan
    seen = Evidence([counted_table([{"x": values, "y": np.ones(200)}])])
    assert (seen.lacking(("x",)), seen.lacking(("y",)), seen.lacking(("x", "y"))) == (3, 0, 3)


def test_draws_that_lack_a_number_are_left_out_of_every_piece(few):
    rng = np.random.default_rng(4)
    values = [rng.standard_normal((300, 2)) for _ in range(3)]
    values[1][5, 1] = np.nan
    whole = Evidence([raw_table({"x": piece, "y": piece[:, 0]}) for piece in values], 800)
    assert whole.lacking(("x",)) == 1
    assert whole.lacking(("y",)) == 0
    seen = whole.complete(("x",))
    assert seen.samples == 799
    assert len(seen.values("y")) == 799
    assert seen.lacking(("x",)) == 0
