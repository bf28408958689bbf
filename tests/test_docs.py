"""What the guide shows is what the code does."""

import doctest
from pathlib import Path

import pytest


def test_the_guide_runs():
    pytest.importorskip("torch")
    guide = Path(__file__).parent.parent / "docs" / "guide.md"
    failed, tried = doctest.testfile(str(guide), module_relative=False)
    assert tried > 20
    assert not failed
