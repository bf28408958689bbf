"""Progress on stderr: what runs, how far it is, its rate and the time left."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

EVERY = 10.0  # seconds between lines where stderr is no terminal
UNITS = {"years": 31557600, "days": 86400, "hours": 3600, "minutes": 60, "s": 1}
MOST_HOURS = 99  # that a clock shows
WINDOW = 8.0  # seconds that the rate is taken over: records that were there already come at once and are soon forgotten


class Progress:
    """A live line on a terminal, a line now and then elsewhere."""

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._bar = (
            Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[pace]}"),
                console=console,
                transient=True,
            )
            if console.is_terminal
            else None
        )
        self._task: TaskID | None = None
        self._what, self._said = "", time.monotonic()
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def note(self, line: str) -> None:
        """One line that stays."""
        if self._bar:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)

    def update(self, what: str, done: int, target: int) -> None:
        """`done` of `target` draws of `what` are there."""
        now = time.monotonic()
        if what != self._what:
            self._what, self._recent = what, deque[tuple[float, int]]()
            if self._bar:
                if self._task is not None:
                    self._bar.remove_task(self._task)
                self._task = self._bar.add_task(what, total=target, pace="")
        self._recent.append((now, done))
        while now - self._recent[0][0] > WINDOW:
            self._recent.popleft()
        since, first = self._recent[0]
        rate = (done - first) / (now - since) if now > since else 0.0
        pace = f"{done:,} of {target:,} draws"
        if rate:
            pace += f", {rate:,.3g}/s, {_clock((target - done) / rate)} left"
        if self._bar and self._task is not None:
            self._bar.update(self._task, completed=done, total=target, pace=pace)
        elif now - self._said > EVERY:
            self._said = now
            self.note(f"{what}: {pace}")


def duration(seconds: float) -> str:
    """A time to be waited for, in the largest unit that it has one of: "40 s", "300 days"."""
    for unit, size in UNITS.items():
        if seconds >= size or size == 1:
            return f"{seconds / size:,.2g} {unit}" if seconds < 100 * size else f"{seconds / size:,.0f} {unit}"
    raise AssertionError("the last unit takes what is left")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours > MOST_HOURS:
        return duration(seconds)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
