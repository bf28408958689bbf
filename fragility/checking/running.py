"""Draws until a question is decided, or the time is up."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from fragility.checking.checked import Checked
from fragility.checking.finding import Fault, Finding, Question, Terms
from fragility.checking.looks import Look
from fragility.checking.relations import Relations
from fragility.checking.sampler import Given, Sampler, on
from fragility.engine.progress import Progress, duration

LONG = 60.0  # seconds that are worth a word
TELLING = 1.0, 1 << 12  # seconds of drawing, and draws at once, that tell the pace
PATIENCE = 5.0  # seconds after which fewer draws must tell it
FAULTY = Finding("faulty", math.nan, math.inf, math.inf)


@dataclass(frozen=True)
class Effort:
    """Seconds that a check may take, and processes to draw on; this one if None."""

    budget: float
    workers: int | None


class Watch:
    """The time of a check, and a line for the user, with its progress afterwards, if it takes long."""

    def __init__(self, name: str, most: int, budget: float, what: str) -> None:
        self._name, self._most, self._what, self._start = name, most, what, time.monotonic()
        self._budget, self._told = budget, False
        self._last = self._start, 0  # when draws have last come, and how many there were
        self._shown = ExitStack()
        self._progress: Progress | None = None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shown.__exit__(kind, error, trace)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() - self._start > self._budget

    def update(self, done: int) -> None:
        """So many draws are there."""
        now, (since, before) = time.monotonic(), self._last
        self._last = now, done
        least, at_once = TELLING
        telling = now - self._start > least and done - before >= at_once
        if not self._told and (telling or now - self._start > PATIENCE):
            self._told = True
            left = (now - since) * (self._most - done) / (done - before)
            if min(left, self._budget) > LONG:
                self._progress = self._shown.enter_context(Progress())
                end = "budget= ends it earlier" if math.isinf(self._budget) else f"ended after {duration(self._budget)}"
                self._progress.note(f"{self._name}: up to {self._most:,} {self._what}, about {duration(left)}; {end}")
        if self._progress:
            self._progress.update(self._name, done, self._most)


def judged(question: Question, source: Sampler | Given, terms: Terms, effort: Effort, name: str) -> Checked:
    """The verdict on draws."""
    looks, samples, fault = question.looks(), 0, ""
    low, high = math.inf, -math.inf
    found = FAULTY
    with on(effort.workers, source) as mapped, Watch(name, looks[-1].samples, effort.budget, "draws") as watch:
        try:
            for look in looks:
                for piece in source.next(look.samples - samples, mapped):
                    question.add(piece)
                    samples += len(piece)
                    low, high = min(low, float(np.min(piece))), max(high, float(np.max(piece)))
                    watch.update(samples)
                    if watch.over:
                        break
                # What no look has spent is there for one that comes too early.
                at = look if samples == look.samples else Look(samples, looks[-1].alpha, looks[-1].beta)
                if question.decided(at):
                    break
                if watch.over:
                    at = Look(samples, looks[-1].alpha, looks[-1].beta)
                    question.decided(at)
                    break
            found = question.finding(at)
        except Fault as missing:
            fault = str(missing)
    notes = [f"one in {source.thin} draws of a chain"] if source.thin > 1 else []
    notes += [f"every draw is {low:g}"] if low == high and samples > 1 else []
    if near := [says for says in question.decoys if says not in found.visible] if not fault else []:
        notes.append(f"nearer than the tolerance, and left out: {', '.join(near)}")
    return _checked(name, found, terms, samples, question.needed, fault=fault, note="; ".join(notes))


def tried(relations: Relations, terms: Terms, rare: float, effort: Effort, name: str) -> Checked:
    """The verdict on a relation in random worlds."""
    most, fault = relations.needed(rare, terms.beta), ""
    with Watch(name, most, effort.budget, "worlds") as watch:
        try:
            while relations.tried < most and not relations.try_next() and not watch.over:
                watch.update(relations.tried)
        except Fault as missing:
            fault = str(missing)
    found = FAULTY if fault else relations.finding(rare, terms.beta)
    told = {"unit": "worlds", "wanted": rare, "alpha": 0.0}
    return _checked(name, found, terms, relations.tried, most, fault=fault, failure=relations.failure(), **told)


def _checked(name: str, found: Finding, terms: Terms, samples: int, most: int, **other: Any) -> Checked:
    """The verdict that a finding makes, after so many draws of those that would decide."""
    told: dict[str, Any] = {"unit": "gap", "wanted": terms.tolerance, "alpha": terms.alpha, **other}
    return Checked(
        claim=name,
        point={},
        method="check",
        outcome=found.outcome,
        gap=found.gap,
        band=found.band,
        tolerance=terms.tolerance,
        resolution=found.resolution,
        samples=samples,
        needed=most if most > samples else 0,
        visible=found.visible,
        rejected=found.rejected,
        **told,
    )
