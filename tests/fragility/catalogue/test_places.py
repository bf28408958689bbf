"""File and line of the code behind a claim."""

import math
from functools import partial

import numpy as np

import figures
from fragility.catalogue import rows
from fragility.catalogue.places import figure, function_place, implementation, resting_on, variable_place
from fragility.claim import Claim
from theory.claims import BOOK


def test_code_elsewhere_is_named_in_full(monkeypatch, tmp_path):
    file, line = rows.__file__, implementation.__code__.co_firstlineno
    assert function_place(partial(implementation, None)).endswith(
        f"fragility/catalogue/places.py:{line} implementation"
    )
    monkeypatch.chdir(tmp_path)
    assert function_place(rows.page).startswith(f"{file}:")
    assert function_place(dict) == "dict"


def test_a_variable_is_found_where_it_is_assigned():
    assert variable_place(rows.HOLDING).endswith("HOLDING")
    assert "catalogue/rows.py:" in variable_place(rows.HOLDING)
    assert not variable_place(object())


def test_a_figure_is_called_by_its_study_and_by_the_room_where_two_share_the_name(monkeypatch, tmp_path):
    (tmp_path / "empirical_probes.py").touch()
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    assert figure("simulate.probes") == "figures.probes"
    assert figure("empirical.probes") == "figures.empirical_probes"
    assert figure("empirical.relu_compression") == "figures.relu_compression"
    assert figure("walk") == "figures.walk"


def test_the_way_back_from_code_to_claims():
    names = ("last_law", "theory/products/qr_product.py", "theory.products.qr_product", "simulate.qr_product")
    found = [{claim.id for claim in resting_on(name, BOOK)} for name in names]
    assert all("fc.lemma3.last" in ids for ids in found)
    assert found[1] == found[2]
    assert "fc.lemma3.diagonal" not in found[0]
    assert resting_on("no_such_function", BOOK) == []
    assert resting_on("reached", BOOK) == [BOOK["joint.reach"]]


class Called:
    """Something of a user's that can be called and is no function."""

    def __call__(self):
        return 0


def test_whatever_can_be_called_has_a_place():
    """Of what is not written in Python its name alone."""

    def row(theory):
        return Claim("a.b", "s", "x", "bound", theory, 1e-9)

    assert implementation(row(Called()))[:2] == (__name__, "Called")
    assert implementation(row(np.add))[1:] == ("add", 0)
    assert implementation(row(math.hypot)) == ("math", "hypot", 0)
    rows_of_mine = [row(Called()), row(np.add)]
    assert resting_on("Called", rows_of_mine) == rows_of_mine[:1]
    assert resting_on("add", rows_of_mine) == rows_of_mine[1:]
