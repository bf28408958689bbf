"""The data that experiments on real images are tested with, where there are any."""

import pytest

from empirical import places


@pytest.fixture(scope="session")
def data():
    """The folder of data sets that the environment names; without one the test is skipped."""
    folder = places.data_dir()
    if folder is None:
        pytest.skip(f"{places.DATA} points at no data")
    return folder
