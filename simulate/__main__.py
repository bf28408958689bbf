"""`python -m simulate`: the studies of this room."""

from pathlib import Path

from fragility.engine.room import listing

print(listing("simulate", Path(__file__).parent))
