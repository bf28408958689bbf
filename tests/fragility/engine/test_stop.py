"""A process that is to end waits for its threads, which notice between their steps."""

from threading import Event, Thread

import pytest

from fragility.engine import stop
from fragility.engine.stop import StoppedError, look


@pytest.fixture(autouse=True)
def another_process(monkeypatch):
    """What ends here is not the process of the tests."""
    monkeypatch.setattr(stop, "_ENDING", Event())


def test_a_thread_ends_at_its_next_look():
    begun, ended = Event(), []

    def compute():
        try:
            while True:
                look()
                begun.set()
        except StoppedError:
            ended.append(True)

    thread = Thread(target=compute)
    thread.start()
    assert begun.wait(10)
    stop.stop()
    thread.join(10)
    assert ended
