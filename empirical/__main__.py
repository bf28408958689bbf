"""`python -m empirical`: the studies of this room."""

from pathlib import Path

from simulate.engine.room import listing

print(listing("empirical", Path(__file__).parent))
