"""What all tests of the suite share: the examples that hypothesis draws, and global random numbers."""

import random
import sys

import numpy as np
from hypothesis import settings

# The suite draws the same examples every time; `pytest --hypothesis-profile=explore` looks for new ones. None is timed:
# on a busy machine the first call of anything may take half a second.
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None)
settings.load_profile("fixed")


def pytest_runtest_setup():
    """What a test leaves to global random numbers, such as a layer's first weights, is the same in every run."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002, for it is libraries that draw from it
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
