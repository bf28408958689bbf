"""Where records are from: command, code, versions, machine."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Point, Study

if TYPE_CHECKING:
    from fragility.backends import Backend

PACKAGES = ("fragility", "numpy", "scipy", "numba", "cupy-cuda13x", "pyarrow", "distributed", "torch", "foolbox")


def provenance(study: Study, points: Sequence[Point], backend: Backend, seed: int) -> dict[str, Any]:
    """What a reader needs to draw the same records again."""
    return {
        "study": study.name,
        "points": [dict(point) for point in points],
        **origin(backend, seed),
    }


def origin(backend: Backend, seed: int) -> dict[str, Any]:
    """Who drew: seed, backend, command, versions, machine."""
    return {
        "seed": seed,
        "backend": backend.name,
        "dtype": "float64",
        "command": shlex.join(sys.argv),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {"python": platform.python_version(), **_versions()},
        "git": _git(),
        "hardware": {"machine": platform.machine(), "processor": _processor(), "cores": os.cpu_count()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _git() -> str | None:
    """The commit of this code, marked where the tree differs from it; None outside a checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
