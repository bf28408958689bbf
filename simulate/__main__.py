"""`python -m simulate`: the studies of this room."""

from pathlib import Path

from fragility.command.room import main

main("simulate", Path(__file__).parent)
