"""`python -m figures`: the figures of this room."""

from pathlib import Path

from fragility.command.room import main

main("figures", Path(__file__).parent)
