"""`python -m figures`: the figures of this room."""

from pathlib import Path

from fragility.engine.room import listing

print(listing("figures", Path(__file__).parent))
