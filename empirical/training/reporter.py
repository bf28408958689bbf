"""What a training says while it runs: a line on stderr now and then."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from datetime import timedelta

EVERY = 5.0  # seconds between lines, and before the first: a shorter training says nothing


class Reporter:
    """Lines such as "two_conv, seed 0: epoch 2 of 6, loss 0.0812, accuracy 0.9751, 0:03:20 left"."""

    def start(self, name: str, done: int, epochs: int) -> None:
        """A training of which `done` epochs were there already."""
        self._name, self._first, self._done, self._epochs = name, done, done, epochs
        self._begun = self._said = time.monotonic()
        if done:
            self._say(f"goes on after epoch {done} of {epochs}")

    def due(self) -> bool:
        """Whether the next report will be printed: numbers for one that is not need not be computed."""
        return time.monotonic() - self._said >= EVERY

    def within(self, part: float, numbers: Mapping[str, float]) -> None:
        """`part` in [0, 1] of the running epoch is done."""
        if self.due():
            reached = self._done + part
            passed = time.monotonic() - self._begun
            left = passed / (reached - self._first) * (self._epochs - reached) if reached > self._first else 0.0
            number = min(self._done + 1, self._epochs) if part else self._done
            self._say(f"epoch {number} of {self._epochs}, {_text(numbers)}, {_clock(left)} left")

    def epoch(self, number: int, numbers: Mapping[str, float]) -> None:
        """Epoch `number` is done."""
        self._done = number
        self.within(0.0, numbers)

    def finish(self, numbers: Mapping[str, float]) -> None:
        """All is done."""
        passed = time.monotonic() - self._begun
        if passed >= EVERY:
            self._say(f"{self._done - self._first} epochs in {_clock(passed)}, {_text(numbers)}")

    def _say(self, what: str) -> None:
        self._said = time.monotonic()
        print(f"{self._name}: {what}", file=sys.stderr, flush=True)


def _text(numbers: Mapping[str, float]) -> str:
    said = [key for key, value in numbers.items() if not (key == "accuracy" and math.isnan(value))]
    return ", ".join(f"{key.replace('_', ' ')} {numbers[key]:.4f}" for key in said)


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
