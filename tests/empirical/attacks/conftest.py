"""Attacks and certificates are tried as commands run them: with torch's deterministic algorithms only."""

import pytest

from fragility.engine.backend import choose_device


@pytest.fixture(autouse=True, scope="session")
def _deterministic():
    choose_device("cpu")
