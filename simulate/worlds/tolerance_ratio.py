"""Nothing but laws and rates: no worlds."""

WORLDS: dict = {}
