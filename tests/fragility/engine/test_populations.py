"""Studies of a finite population: every unit once, in blocks of a fixed size, and none twice."""

import numpy as np
import pytest

from fragility.backends.numpy_backend import BACKEND
from fragility.engine import shard
from fragility.engine.backend import choose_device, load
from fragility.engine.context import Context
from fragility.engine.executor import in_process
from fragility.engine.store import Store
from fragility.engine.study import Method, Study, UsageError
from fragility.judging.campaign import Campaign

COUNT, BLOCK = 11, 4
SEEN = []


def draw(stream, units, **_):
    SEEN.append(list(units))
    return np.array(units)


def measure(backend, world, **_):
    return {"number": world.astype(float)}


STUDY = Study(
    "population",
    "eleven things",
    {},
    lambda: [{}],
    {"look": Method("", draw, measure, lambda **_: ("number",), lambda **_: 1, block=BLOCK, units=lambda **_: COUNT)},
)


@pytest.fixture
def running(tmp_path, monkeypatch):
    SEEN.clear()
    monkeypatch.setattr(shard, "find_study", lambda name: STUDY)
    return lambda: Campaign(STUDY, BACKEND, in_process(BACKEND, Context()), Store(tmp_path, lambda _: "code"))


def numbers(campaign, count):
    return [table["number"].to_pylist() for table in campaign.tables("look", {}, count)]


def test_every_unit_is_measured_once_and_the_last_block_is_short(running):
    assert numbers(running(), 99) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_a_part_is_continued_and_not_repeated(running):
    assert numbers(running(), 1) == [[0, 1, 2, 3]]
    assert len(numbers(running(), 3)) == 3
    assert sorted(SEEN) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_the_device_is_chosen_aloud():
    backend, why = choose_device("auto")
    assert backend.name in ("cpu", "cuda")
    assert why.startswith("auto: ")
    assert load("cpu") is choose_device("cpu")[0]
    with pytest.raises(UsageError, match="--device must be auto or one of cpu, cuda, got 'tpu'"):
        choose_device("tpu")
