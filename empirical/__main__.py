"""`python -m empirical`: the studies of this room."""

from pathlib import Path

from fragility.engine.room import listing

print(listing("empirical", Path(__file__).parent))
