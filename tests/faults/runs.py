"""The commands that faults happen to, and what is looked at afterwards. None of them needs data."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SWEEP = "simulate.qr_product --n 16,24 --method lu --samples 30000 --backend numpy"
JOBS = {
    "threads": SWEEP,
    "workers": f"{SWEEP} --workers 2",
    "verify": "simulate.verify --claim latent.svd --budget 10m",
    "hunt": "simulate.hunt joint.thm1.corrected --restarts 4",
    "linear networks": "empirical.linear_compression --n 3,4 --hidden 8 --epochs 64 --samples 8 --scale 5 --device cpu",
    "relu networks": "empirical.relu_compression --n 3,4 --width 8 --epochs 64 --samples 8 --scale 5 --device cpu",
}
EXPECTED = re.compile(r"backend |device |records in |.* draws")  # lines of a run that is well
LONGEST = 180.0  # seconds that a run may take here


class Run:
    """A command in a session of its own, whose records lie in `out`.

    Parameters
    ----------
    shell : words before the command, such as a limit of the shell.
    """

    def __init__(self, command: str, out: Path, *flags: str, shell: str = "") -> None:
        self.out, self.stderr = out, out.with_suffix(f".{time.monotonic_ns()}")
        words = f"{shell} exec {sys.executable} -m {command} --out '{out}' {' '.join(flags)}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with open(self.stderr, "w") as said:
            self.process = subprocess.Popen(
                ["sh", "-c", words],
                cwd=out.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def await_handlers(self) -> None:
        """Returns when signals are the command's, no longer those of a Python that starts, or when it has ended."""
        while self.process.poll() is None:
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            caught = int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16)
            if caught & 1 << signal.SIGTERM - 1:
                return
            time.sleep(0.002)

    def send(self, number: int, group: bool = False) -> None:
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(self.process.pid, number)

    def code(self, seconds: float = LONGEST) -> int | None:
        """Its exit code, None if it does not end in time; it is killed then."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL, group=True)
            self.process.wait()
            return None

    def said(self) -> list[str]:
        """Its lines on stderr, other than those of a run that is well."""
        return [line for line in self.stderr.read_text().splitlines() if not EXPECTED.match(line)]

    def left(self, seconds: float) -> list[str]:
        """What is left of its session after so long."""
        end = time.monotonic() + seconds
        while (found := members(self.process.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        return found


def members(session: int) -> list[str]:
    """The processes of a session, zombies left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, of = (path / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state not in "ZX":
                found.append((path / "cmdline").read_text().replace("\0", " ")[:80])
        except OSError:
            continue
    return found


def children(process: int) -> list[int]:
    """The workers of a process."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == process and "spawn_main" in (path / "cmdline").read_text():
                found.append(int(path.name))
        except OSError:
            continue
    return found


def records(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


def looks(out: Path) -> Counter[tuple[str, str, int]]:
    """How often each look is written down."""
    found = Counter[tuple[str, str, int]]()
    for path in out.rglob("looks.jsonl"):
        for line in filter(str.strip, path.read_text().splitlines()):
            look = json.loads(line)
            found[str(path.relative_to(out)), look["what"], look["samples"]] += 1
    return found


def remains(out: Path) -> list[str]:
    """Files that no run that is well leaves."""
    return [path.name for path in out.rglob("*") if path.suffix in (".tmp", ".damaged")]


@dataclass
class Whole:
    """A run to which nothing happened."""

    seconds: float
    records: dict[str, bytes]
    looks: Counter[tuple[str, str, int]]


def undisturbed(command: str, out: Path) -> Whole:
    run = Run(command, out)
    run.await_handlers()
    start = time.monotonic()
    code = run.code()
    assert (code, run.said()) == (0, []), (command, code, run.said())
    return Whole(time.monotonic() - start, records(out), looks(out))


def same(out: Path, whole: Whole) -> list[str]:
    """In what the records differ from those of a run to which nothing happened."""
    found, wrong = records(out), []
    if found.keys() != whole.records.keys():
        wrong.append(f"files {sorted(found.keys() ^ whole.records.keys())[:3]} are in one of the runs only")
    wrong += [f"{name} differs" for name in found.keys() & whole.records.keys() if found[name] != whole.records[name]]
    if twice := [look for look, count in looks(out).items() if count > 1]:
        wrong.append(f"counted twice: {twice[:3]}")
    if lost := whole.looks.keys() - looks(out).keys():  # a run that goes on may look once more, at other draws
        wrong.append(f"looks lost: {sorted(lost)[:3]}")
    return wrong


def resumed(command: str, out: Path, whole: Whole) -> list[str]:
    """What is wrong with a run that goes on from what is in `out`."""
    run = Run(command, out, "--resume")
    code = run.code()
    wrong = [] if code == 0 else [f"--resume ended with {code}"]
    wrong += [f"--resume said {line}" for line in run.said()]
    wrong += [f"--resume left {name}" for name in remains(out)]
    return wrong + same(out, whole)
