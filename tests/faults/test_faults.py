"""Faults of real runs: see `tests/faults/__main__.py`."""

import pytest

from tests.faults.__main__ import trials


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_whatever_happens_to_a_run_the_same_bytes_come_in_the_end():
    assert not [trial for trial in trials(seed=0, moments=50, flips=50, few=4, at_once=2) if trial.wrong]
