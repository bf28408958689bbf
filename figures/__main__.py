"""`python -m figures`: the figures of this room."""

from pathlib import Path

from simulate.engine.room import listing

print(listing("figures", Path(__file__).parent))
