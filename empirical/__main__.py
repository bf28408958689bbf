"""`python -m empirical`: the studies of this room."""

from pathlib import Path

from fragility.command.room import main

main("empirical", Path(__file__).parent)
