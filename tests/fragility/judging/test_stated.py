"""What claims and decoys state at a point: only where they speak of it, and only as far as their theory reaches."""

import math

import pytest
from scipy import stats

from fragility.claim import Claim, Decoy, Rate, Reported, Sides
from fragility.judging.stated import covers, stated, stated_by_decoys


def claim(kind, theory, **fields):
    return Claim(id="test", source="", says="", kind=kind, theory=theory, tolerance=0.1, **fields)


def of_root(n):
    return stats.norm(math.sqrt(n))  # a ValueError below 0


LAW = claim("law", of_root, study="own", statistic="x", where=lambda n: n < 9)


@pytest.mark.parametrize(("n", "speaks", "lines"), [(4, True, 0), (9, False, 0), (-1, False, 1)])
def test_a_law_speaks_where_it_says_so_and_its_theory_reaches(n, speaks, lines):
    notes = []
    assert covers(LAW, {"n": n}, notes.append) is speaks
    assert len(notes) == lines
    assert all(note.startswith(f"test is not judged at n={n}: ") for note in notes)


def test_a_relation_speaks_of_its_own_worlds_or_of_the_records_of_its_study():
    of_worlds = claim("bound", lambda x: Sides(x, 1))
    assert covers(of_worlds, {"claim": "test"})
    assert not covers(of_worlds, {"claim": "another"})
    recorded = claim("bound", lambda x: Sides(x, 1), study="own", where=lambda n: n > 3)
    assert covers(recorded, {"n": 4})
    assert not covers(recorded, {"n": 3})


def test_a_rate_speaks_of_no_single_point():
    assert not covers(claim("rate", lambda: Rate("n", 1.0), study="own", statistic="x"), {"n": 4})


def test_a_majority_speaks_of_the_records_of_its_study():
    row = claim("majority", lambda x: Sides(x, 1), study="own", where=lambda n: n > 3)
    assert covers(row, {"n": 4})
    assert not covers(row, {"n": 3})


def test_a_printed_number_speaks_of_points_if_it_names_a_study():
    def printed(n=1):
        if n > 9:
            raise ValueError("nothing is printed")
        return Reported(n)

    judged = claim("reported", printed, study="own", statistic="x", where=lambda n: n > 3)
    assert [covers(judged, {"n": n}) for n in (3, 4, 10)] == [False, True, False]
    assert stated(judged, {"n": 4}).printed == 4
    assert not covers(claim("reported", printed), {"n": 4})


def test_what_is_stated_is_kept():
    assert stated(LAW, {"n": 4}) is stated(LAW, {"n": 4})
    assert stated(LAW, {"n": 4}).mean() == 2


def test_decoys_state_something_only_where_they_speak():
    decoys = (
        Decoy("elsewhere", of_root, where=lambda n: n > 4),
        Decoy("of what does not exist", lambda n: of_root(-n)),
        Decoy("one more", lambda n: of_root(n + 1)),
    )
    assert list(stated_by_decoys(claim("law", of_root, study="own", decoys=decoys), {"n": 3})) == ["one more"]
