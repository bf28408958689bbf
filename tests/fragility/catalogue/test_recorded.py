"""What a reader is told of the statistics of a study."""

import pytest

from fragility.catalogue.recorded import recorded
from fragility.engine.fingerprint import definitions
from fragility.engine.room import studies
from fragility.engine.shard import find_study
from fragility.tables import markdown, plain_rows

EXPERIMENTS = studies("empirical")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_says_of_each_statistic_what_it_is(name):
    study = find_study(name)
    rows = plain_rows(recorded(study))
    (method,) = study.methods.values()
    assert [row["statistic"] for row in rows] == list(method.statistics())
    assert all(row["what it is"] and row["per draw"] for row in rows)
    assert markdown(recorded(study)).count("\n") == len(rows) + 3


def test_a_study_that_only_names_its_statistics_has_no_rows():
    assert not recorded(find_study("simulate.qr_product")).rows


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_what_is_said_of_statistics_is_no_part_of_the_code_that_makes_them(name):
    (method,) = find_study(name).methods.values()
    assert not [found for found in definitions(method.draw, method.measure, method.units) if "STATISTICS" in found]
