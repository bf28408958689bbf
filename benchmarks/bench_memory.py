"""How much memory a run takes, however many draws it makes: `python -m benchmarks.bench_memory`.

Each run is a process of its own, with fresh records; peak of its resident memory, and how much more that is than the
smallest run of the row takes. The first row records every value, the second counts on a grid.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from benchmarks.command import main as command

RUNS = {
    ("--n", "8", "--method", "lu"): (500_000, 1_000_000, 5_000_000),
    ("--n", "8", "--method", "direct"): (10_000_000, 20_000_000, 100_000_000),
}
GOAL = 1.1  # times what the fewest draws take


def peak(flags: tuple[str, ...], samples: int) -> float:
    """Largest resident memory of a run, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["simulate.qr_product", *flags, "--samples", str(samples), "--out", folder]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen([sys.executable, "-m", *arguments], **quiet)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}")
    return used.ru_maxrss / 1000


def main() -> None:
    """Print the table."""
    print(f"| simulate.qr_product | draws | peak MB | times the fewest (goal {GOAL}) |\n|---|--:|--:|--:|")
    for flags, sizes in RUNS.items():
        peaks = []
        for samples in sizes:
            peaks.append(peak(flags, samples))
            print(f"| {' '.join(flags)} | {samples:,} | {peaks[-1]:.0f} | {peaks[-1] / peaks[0]:.2f} |", flush=True)


if __name__ == "__main__":
    command("bench_memory", __doc__, main)
