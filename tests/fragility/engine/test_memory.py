"""What does not fit into memory is said before it is drawn, in units that a user knows."""

import pytest

from fragility.engine import memory
from fragility.engine.study import UsageError


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A machine of 24 GB."""
    monkeypatch.setattr(memory, "memory", lambda: 24 * 10**9)


@pytest.mark.parametrize(
    ("numbers", "amount"),
    [(6 * 10**9 + 1, "24 GB"), (10**12, "4 TB"), (14 * 10**12, "56 TB"), (10**18, "4 EB"), (10**300, "4.0e+282 EB")],
)
def test_what_does_not_fit_is_a_line(numbers, amount):
    with pytest.raises(UsageError) as line:
        memory.check_memory("a network", numbers, 4, "choose a smaller --width")
    assert str(line.value) == (
        "a network must fit into the 24 GB of memory that this machine has, "
        f"got about {amount}: choose a smaller --width"
    )


@pytest.mark.parametrize("numbers", [0, 1, 6 * 10**9])
def test_what_fits_passes(numbers):
    memory.check_memory("a network", numbers, 4, "choose a smaller --width")


def test_a_machine_has_memory(monkeypatch):
    monkeypatch.undo()
    assert memory.memory() > 1 << 28
