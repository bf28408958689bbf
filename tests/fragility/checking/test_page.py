"""What the page on checks shows is what they say."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "checks.md"


def test_the_page_runs():
    failed, tried = doctest.testfile(str(PAGE), module_relative=False)
    assert tried > 15
    assert not failed
