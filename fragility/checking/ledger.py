"""The error rate of a session of tests: what each test may spend of it, with which seeds, and what came of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from fragility.engine.study import UsageError
from fragility.judging.bands import spend
from fragility.tables import listing, text

SEEDS = 1 << 63


@dataclass
class Test:
    """A test that runs.

    Parameters
    ----------
    name : its node id, from which its seeds are made.
    share : of the error rate, for all its checks together.
    notes : takes what its report is to carry.
    """

    __test__ = False  # it is no class of tests

    name: str
    share: float
    notes: list[tuple[str, object]]
    checks: int = 0


@dataclass
class Ledger:
    """A session's error rate, split evenly over the tests that draw.

    Parameters
    ----------
    alpha : of the whole session.
    seed : of all its draws.
    counted : node ids of the tests that have a share.
    """

    alpha: float
    seed: int
    counted: Collection[str] = field(default_factory=frozenset)
    running: Test | None = None

    @property
    def share(self) -> float:
        """What one test may spend."""
        return self.alpha / max(1, len(self.counted))

    def begin(self, name: str, notes: list[tuple[str, object]]) -> None:
        """A test begins to run."""
        self.running = Test(name, self.share, notes)

    def end(self) -> None:
        """The test has ended."""
        self.running = None

    def test(self) -> Test:
        """The test that runs.

        Raises
        ------
        UsageError : none does, or it has no share.
        """
        __tracebackhide__ = True
        if self.running is None:
            raise UsageError(
                "assert_agrees spends the error rate of a session of pytest, got none: use check elsewhere"
            )
        if self.running.name not in self.counted:
            raise UsageError(
                f"{self.running.name} must have a share of the session's error rate: import assert_agrees, or"
                " fragility.testing, by name in the file of the test"
            )
        return self.running

    def spent(self) -> tuple[float, int]:
        """Error rate and seed of the next check of the test that runs: one of its checks after another gets less."""
        __tracebackhide__ = True
        test = self.test()
        test.checks += 1
        digest = sha256(f"{self.seed} {test.checks} {test.name}".encode()).digest()
        return spend(test.share, test.checks), int.from_bytes(digest[:8]) % SEEDS


SESSIONS: list[Ledger] = []  # of this process, the one that runs last: tests of tests run one within another


def session() -> Ledger:
    """The session that runs.

    Raises
    ------
    UsageError : there is none.
    """
    if not SESSIONS:
        raise UsageError("assert_agrees spends the error rate of a session of pytest, got none: use check elsewhere")
    return SESSIONS[-1]


def told(verdict: Any) -> dict[str, Any]:
    """What a report carries of a verdict: plain values, which any process may pass on."""
    return {
        "claim": verdict.claim,
        "outcome": verdict.outcome,
        "seen": "" if verdict.outcome == "disagrees" else verdict.seen,
        "samples": verdict.samples,
        "alpha": verdict.alpha,
        "visible": len(verdict.visible),
        "rejected": len(verdict.rejected),
    }


def summary(verdicts: Sequence[tuple[str, Mapping[str, Any]]], alpha: float, seed: int, every: bool) -> str:
    """What a session says of its checks, by test.

    Parameters
    ----------
    every : whether those that agree are listed, too.
    """
    rows = [
        (name, told["claim"], told["samples"], told["seen"], f"{told['rejected']}/{told['visible']}", told["outcome"])
        for name, told in verdicts
        if every or told["outcome"] != "agrees" or told["rejected"] < told["visible"]
    ]
    draws = sum(told["samples"] for _, told in verdicts)
    checks = f"{len(verdicts):,} check{'s' * (len(verdicts) > 1)}"
    notes = [f"{checks} with an error rate of {alpha:g} together, {draws:,} draws, seed {seed}"]
    if len(rows) < len(verdicts):
        notes.append(f"{len(verdicts) - len(rows):,} that agree are not listed: -v lists them")
    if not rows:
        return "\n".join(notes)
    return text(listing("", ("test", "claim", "draws", "would see", "decoys", "verdict"), rows, notes))
