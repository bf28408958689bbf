"""Where an experiment finds its data and keeps its trained networks; workers of this machine inherit both."""

from __future__ import annotations

import os
from pathlib import Path

DATA, CHECKPOINTS = "FRAGILITY_DATA", "FRAGILITY_CHECKPOINTS"  # environment variables


def data_dir() -> Path | None:
    """The folder of data sets that `--data-dir` or the environment names, if any."""
    named = os.environ.get(DATA)
    return Path(named) if named else None


def checkpoints() -> Path:
    """The folder of trained networks: beside the records, unless the environment names another."""
    return Path(os.environ.get(CHECKPOINTS) or "results/checkpoints")
