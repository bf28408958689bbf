"""Faults of real runs at seeded moments: `python -m tests.faults --seed 0 --moments 50`, from the repository.

Sweeps, verdicts, a hunt and trainings are killed, terminated and interrupted; workers are killed; two runs share a
folder; a disk is full; a bit of a record flips. Each time the command ends as it promises, leaves nothing behind, and
with --resume comes to the bytes of a run to which nothing happened. Prints a line per trial; exit code 1 if one failed.
"""

import argparse
import shlex
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.runs import JOBS, SWEEP, undisturbed
from tests.faults.trials import Trial, flip, full, moment, small_disk, together, worker

FLIPPED = "--n 4,5 --method lu --samples 3000 --backend numpy"


def trials(seed: int, moments: int, flips: int, few: int, at_once: int) -> list[Trial]:
    """What was done and what was wrong, a trial each.

    Parameters
    ----------
    few : trials of each other kind.
    at_once : commands that run side by side.
    """
    done: list[Trial] = []

    def take(trial: Trial) -> None:
        print(
            f"{'WRONG' if trial.wrong else 'well '} {trial.kind}: {trial.what}",
            *trial.wrong,
            sep="\n      ",
            flush=True,
        )
        done.append(trial)

    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(at_once) as pool:
        folder = Path(name)
        commands = {**JOBS, "fewer": SWEEP.replace("30000", "9000")}
        whole = pool.map(lambda job: undisturbed(commands[job], folder / job.replace(" ", "-")), commands)
        arguments = (seed, folder, dict(zip(commands, whole, strict=True)))
        kinds = ((moment, moments), (worker, few), (together, few), (full, few))
        running = [pool.submit(kind, number, *arguments) for kind, count in kinds for number in range(count)]
        running.append(pool.submit(small_disk, *arguments[1:]))
        for trial in running:
            take(trial.result())
        out = folder / "flips"
        whole_one = undisturbed(f"simulate.qr_product {FLIPPED}", out)
        for number in range(flips):
            take(flip(number, seed, out, whole_one, [*shlex.split(FLIPPED), "--out", str(out)]))
    return done


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of all moments (default 0)")
    parser.add_argument("--moments", type=int, default=50, help="signals (default 50)")
    parser.add_argument("--flips", type=int, default=50, help="bits (default 50)")
    parser.add_argument("--few", type=int, default=4, help="trials of each other kind (default 4)")
    parser.add_argument("--at-once", type=int, default=2, help="commands side by side (default 2)")
    start = time.monotonic()
    flags = parser.parse_args()
    done = trials(**vars(flags))
    counts, failed = Counter(trial.kind for trial in done), Counter(trial.kind for trial in done if trial.wrong)
    print("\ntrials  wrong  kind")
    for kind, count in sorted(counts.items()):
        print(f"{count:6}{failed[kind]:7}  {kind}")
    print(f"{len(done):6}{failed.total():7}  in {time.monotonic() - start:.0f} s, seed {flags.seed}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
