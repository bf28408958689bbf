"""The one loop that trains: epochs, a checkpoint after each, and going on where a killed run stood.

The randomness of epoch k is to be a function of (seed, k) and of nothing before it. Then a training that was killed and
goes on from its checkpoint ends with the weights of one that never stopped, bit for bit, and a kill costs at most the
epoch it fell into.
"""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from empirical.training import checkpoint as checkpoints
from empirical.training.reporter import Reporter
from fragility.engine.files import StorageError
from fragility.engine.stop import look
from fragility.engine.study import UsageError

History = list[dict[str, float]]


class Trainee(Protocol):
    """What can be trained an epoch at a time: one network, or a batch of small ones.

    Epochs that may take long look at `fragility.engine.stop` between their steps, so that a process can end.
    """

    def epoch(self, number: int) -> Mapping[str, float]:
        """Trains epoch `number` = 1, 2, ... and returns at least "loss" and "accuracy" over it."""
        ...

    def state(self) -> dict[str, Any]:
        """All that the next epoch depends on: tensors, numbers and texts, in dictionaries, lists and tuples."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Takes up a state; KeyError, TypeError, ValueError or RuntimeError where it is not one of this trainee."""
        ...


def fit(
    trainee: Trainee,
    epochs: int,
    name: str = "network",
    checkpoint: Path | None = None,
    until: Callable[[Mapping[str, float]], bool] | None = None,
    identity: str = "",
    reporter: Reporter | None = None,
) -> History:
    """Trains up to epoch `epochs` and returns what each epoch reported, the first first.

    With a checkpoint file, training goes on from the epoch that the file holds; a file that holds them all is the
    trained network, and nothing is trained. Threads and processes that train into one file do so one after another, so
    that the second finds the network trained.

    Parameters
    ----------
    epochs : at least 1. A trainee of many small networks counts some hundred full-batch steps as one epoch.
    name : what the lines on stderr call the training; one of less than some seconds prints none.
    checkpoint : a file of its own for every training; written whole after each epoch, kept when all are trained.
    until : training ends after the first epoch whose report it accepts.
    identity : one line that says what is trained on what, and how: a file with another one is refused.
    reporter : where the trainee reports within its epochs; by default one is made that hears of whole epochs.

    Raises
    ------
    DamagedRecordError : the file is damaged, or no checkpoint. It is left as it is.
    UsageError : `epochs` below 1; the file is of another training, or of more epochs. It is left as it is.
    StorageError : the file cannot be written.
    """
    if epochs < 1:
        raise UsageError(f"epochs must be at least 1, got {epochs}")
    reporter = reporter or Reporter()
    with _alone(name, checkpoint):
        history = _resumed(trainee, epochs, checkpoint, identity)
        if _finished(history, epochs, until):
            return history
        reporter.start(name, len(history), epochs)
        while not _finished(history, epochs, until):
            look()
            report = trainee.epoch(len(history) + 1)
            history.append({key: float(value) for key, value in report.items()})
            if checkpoint is not None:
                checkpoints.save(checkpoint, identity, history, trainee.state())
            reporter.epoch(len(history), history[-1])
        reporter.finish(history[-1])
    return history


def _finished(history: History, epochs: int, until: Callable[[Mapping[str, float]], bool] | None) -> bool:
    return len(history) >= epochs or bool(until and history and until(history[-1]))


def _resumed(trainee: Trainee, epochs: int, checkpoint: Path | None, identity: str) -> History:
    """The history in the file, whose state the trainee has taken up; empty where there is none."""
    if checkpoint is None or not checkpoint.exists():
        return []
    history, state = checkpoints.read(checkpoint, identity)
    if len(history) > epochs:
        raise UsageError(
            f"{checkpoint} holds a network of {len(history)} epochs, and {epochs} are asked for: "
            "train into another file, or delete this one"
        )
    try:
        trainee.restore(state)
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise checkpoints.refusal(checkpoint, f"a state that does not fit the network: {error}") from None
    return history


@contextmanager
def _alone(name: str, checkpoint: Path | None) -> Iterator[None]:
    """Holds the lock beside the checkpoint, which a killed process gives back; without one, work is done twice."""
    if checkpoint is None:
        yield
        return
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        lock = open(checkpoint.with_name(f".{checkpoint.name}.lock"), "wb")  # noqa: SIM115
    except OSError as error:
        raise StorageError(
            f"{checkpoint.parent} must be a folder for checkpoints that can be written, got: {error.strerror}: "
            "choose another --out"
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{name}: waits for another thread or process that trains it", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        yield
