"""The data that experiments on real images are tested with, where there are any."""

import pytest

from fragility.engine.context import DATA, data_named


@pytest.fixture(scope="session")
def data():
    """The folder of data sets that the environment names; without one the test is skipped."""
    folder = data_named()
    if folder is None:
        pytest.skip(f"{DATA} points at no data")
    return folder
