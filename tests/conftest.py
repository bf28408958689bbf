"""One error budget for all statistical tests of the suite, counted when they are collected."""

import random
import sys

import numpy as np
import pytest
from hypothesis import settings

# The suite draws the same examples every time; `pytest --hypothesis-profile=explore` looks for new ones. None is timed:
# on a busy machine the first call of anything may take half a second.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile("fixed")

TOTAL_ALPHA = 1e-3  # chance that a correct library fails any statistical test, were the seeds drawn anew
MOST_CHECKS = 100


def pytest_collection_modifyitems(items):
    checks = sum("alpha" in item.fixturenames for item in items)
    assert checks <= MOST_CHECKS, f"{checks} statistical tests share a budget made for {MOST_CHECKS}"


def pytest_runtest_setup():
    """What a test leaves to global random numbers, such as a layer's first weights, is the same in every run."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002, for it is libraries that draw from it
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def alpha():
    """This test's share of the suite's error budget."""
    return TOTAL_ALPHA / MOST_CHECKS
