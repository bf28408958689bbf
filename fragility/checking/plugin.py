"""The plugin of pytest: splits a session's error rate over its tests, and tells what each check would have seen.

pytest finds it by the entry point of the package, and so loads it in every session: nothing heavy is imported before a
test asks for it.
"""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fragility.checking.ledger import Ledger

PUBLIC = "fragility.testing"
FIXTURE = "error_rate"
SHORT = 40  # checks that are all listed
NOTE = "fragility"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fragility", "checks of random draws")
    group.addoption(
        "--fragility-alpha",
        type=_rate,
        default=0.05,
        metavar="RATE",
        help="error rate of all checks of the session together (default 0.05)",
    )
    group.addoption(
        "--fragility-seed", type=_seed, default=0, metavar="N", help="of all checks of the session (default 0)"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Plugin(config), "fragility-session")


class Plugin:
    """One session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._ledger: Ledger | None = None
        self._verdicts: list[tuple[str, dict[str, Any]]] = []  # of all processes, by test

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        counted = frozenset(item.nodeid for item in session.items if _draws(item))
        if counted:
            from fragility.checking.ledger import SESSIONS, Ledger

            option = self._config.option
            self._ledger = Ledger(option.fragility_alpha, option.fragility_seed, counted)
            SESSIONS.append(self._ledger)

    def pytest_unconfigure(self) -> None:
        if self._ledger:
            from fragility.checking.ledger import SESSIONS

            SESSIONS.remove(self._ledger)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        if self._ledger is None:
            return (yield)
        self._ledger.begin(item.nodeid, item.user_properties)
        try:
            return (yield)
        finally:
            self._ledger.end()

    @pytest.fixture(name=FIXTURE)
    def error_rate(self) -> float:
        """What this test may spend of the session's error rate, for bands of its own."""
        assert self._ledger is not None, "a test that asks for it is counted"
        return self._ledger.spent()[0]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and not hasattr(self._config, "workerinput"):
            self._verdicts += [(report.nodeid, told) for told in _told(report)]

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        if report.when == "call" and report.failed and _is_inconclusive(report):
            return "inconclusive", "I", "INCONCLUSIVE"
        return None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for report in terminalreporter.stats.get("inconclusive", []):
            terminalreporter.section(f"inconclusive: {report.nodeid}", "_")
            terminalreporter.write_line(report.longreprtext)
        if self._verdicts:
            from fragility.checking.ledger import summary

            terminalreporter.section("checks of random draws")
            every = len(self._verdicts) <= SHORT or self._config.get_verbosity() > 0
            option = self._config.option
            terminalreporter.write_line(summary(self._verdicts, option.fragility_alpha, option.fragility_seed, every))


def _draws(item: pytest.Item) -> bool:
    """Whether a test has a share: it asks for one, or its file has something of `fragility.testing`."""
    if FIXTURE in getattr(item, "fixturenames", ()):
        return True
    module = getattr(item, "module", None)
    return module is not None and any(_is_public(value) for value in vars(module).values())


def _is_public(value: Any) -> bool:
    if isinstance(value, ModuleType):
        return value.__name__ == PUBLIC or (value.__name__ == "fragility" and PUBLIC in sys.modules)
    return getattr(value, "__module__", None) == PUBLIC


def _told(report: pytest.TestReport) -> list[dict[str, Any]]:
    """What its checks have come to."""
    return [told for name, told in report.user_properties if name == NOTE and isinstance(told, dict)]


def _is_inconclusive(report: pytest.TestReport) -> bool:
    """Whether its last check found nothing, and might have missed something."""
    match _told(report)[-1:]:
        case [{"outcome": "blunt"}]:
            return True
        case [{"outcome": "agrees", "visible": visible, "rejected": rejected}]:
            return bool(visible != rejected)
    return False


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < 1:
        raise ArgumentTypeError(f"must be a number between 0 and 1, got {text}")
    return rate


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"must be a whole number from 0 on, got {text}")
    return int(text)
