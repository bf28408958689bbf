"""Checks in a suite of tests, which share one error rate however many they are."""

from __future__ import annotations

from typing import Any

from fragility.checking.check import check
from fragility.checking.checked import Checked
from fragility.checking.ledger import session, told
from fragility.engine.study import UsageError

__all__ = ["Inconclusive", "assert_agrees"]


class Inconclusive(AssertionError):  # noqa: N818 - the word that the report has for it
    """Nothing was found, but what was to be seen might have been missed; it fails a test, under a word of its own."""


def assert_agrees(draw: Any, against: Any = None, **asked: Any) -> Checked:
    """Fails a test unless a check agrees and rejects all its decoys; takes what `fragility.check` takes.

    The error rate is the test's share of the session's: `--fragility-alpha`, .05 by default, split evenly over the
    collected tests of files that import this. So the chance that any of them fails while all claims hold is no larger
    than that, also under xdist. Of several checks in one test the k-th spends 1 / (k (k + 1)) of the share. The seed
    is made of the test's name, the number of the check and `--fragility-seed`.

    Returns
    -------
    The verdict, which agrees.

    Raises
    ------
    AssertionError : the draws disagree, or a number is missing.
    Inconclusive : the verdict is blunt, or a decoy was not rejected.
    UsageError : an argument is not what it must be, or the test has no share.
    """
    __tracebackhide__ = True
    for name, flag in {"alpha": "--fragility-alpha", "seed": "--fragility-seed"}.items():
        if name in asked:
            raise UsageError(f"{name} is the session's, got {name}={asked[name]!r}: leave it out, or use {flag}")
    ledger = session()
    alpha, seed = ledger.spent()
    verdict = check(draw, against, alpha=alpha, seed=seed, **asked)
    ledger.test().notes.append(("fragility", told(verdict)))
    if verdict.outcome in ("disagrees", "faulty"):
        raise AssertionError(str(verdict))
    if not verdict.agrees or verdict.visible != verdict.rejected:
        raise Inconclusive(str(verdict))
    return verdict
