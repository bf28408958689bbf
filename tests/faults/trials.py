"""What is done to the commands: a trial each, which returns what it did and what was wrong afterwards."""

import contextlib
import io
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from simulate.qr_product import STUDY
from tests.faults.runs import EXPECTED, JOBS, ROOT, SWEEP, Run, Whole, children, remains, resumed, same

PROMPT = 5.0  # seconds within which a command that is asked to end has ended
AFTER = 3.0  # seconds after which nothing is left: Python's own tracker of shared memory outlives it by one or two
SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}
Wholes = Mapping[str, Whole]


@dataclass
class Trial:
    """What was done, by kind and in words, and what was wrong afterwards."""

    kind: str
    what: str
    wrong: list[str]


def moment(number: int, seed: int, folder: Path, wholes: Wholes) -> Trial:
    """A signal at some moment, to the process or its group, once or twice; then --resume."""
    rng = random.Random(f"moment {seed} {number}")
    job = list(JOBS)[number % len(JOBS)]
    name = rng.choice(["kill", "terminate", "interrupt", "interrupt"])
    group, wait = rng.random() < 0.5, rng.uniform(0, wholes[job].seconds)
    again = rng.uniform(0, 0.3) if name != "kill" and rng.random() < 0.4 else None
    kind = f"{name}{' twice' if again else ''}"
    what = f"{job}, {'group' if group else 'process'}, at {wait:.2f} of {wholes[job].seconds:.2f} s"
    run, wrong = Run(JOBS[job], folder / f"moment{number}"), []
    run.await_handlers()
    time.sleep(wait)
    sent = time.monotonic()
    run.send(SIGNALS[name], group)
    if again:
        time.sleep(again)
        run.send(SIGNALS[name], group)
    code, lines = run.code(PROMPT), run.said()
    took = time.monotonic() - sent
    if code not in {0, -signal.SIGKILL if name == "kill" else 130}:
        wrong.append(f"ended with {code}")
    if len(lines) != (code == 130):
        wrong.append(f"said {lines[:5]}")
    wrong += [f"left {process}" for process in run.left(AFTER)]
    if name != "kill":
        wrong += [f"left {file}" for file in remains(run.out)]
    wrong += resumed(JOBS[job], run.out, wholes[job])
    shutil.rmtree(run.out, ignore_errors=True)
    return Trial(kind, f"{what}: {code} after {took:.1f} s", wrong)


def worker(number: int, seed: int, folder: Path, wholes: Wholes) -> Trial:
    """A worker or both are killed at some moment: nobody notices."""
    rng = random.Random(f"worker {seed} {number}")
    run, wait = Run(JOBS["workers"], folder / f"worker{number}"), rng.uniform(0, wholes["workers"].seconds / 2)
    while run.process.poll() is None and not children(run.process.pid):
        time.sleep(0.02)
    time.sleep(wait)
    for process in children(run.process.pid)[: rng.randint(1, 2)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    code = run.code()
    wrong = [] if code == 0 else [f"ended with {code}"]
    wrong += [f"said {line}" for line in run.said()] + [f"left {name}" for name in remains(run.out)]
    return Trial("worker killed", f"after {wait:.2f} s: {code}", wrong + same(run.out, wholes["workers"]))


def together(number: int, seed: int, folder: Path, wholes: Wholes) -> Trial:
    """Two runs at once into one folder, one of which draws less."""
    rng = random.Random(f"together {seed} {number}")
    out, wait = folder / f"together{number}", rng.uniform(0, 1)
    fewer = SWEEP.replace("30000", "9000")
    first = Run(rng.choice([JOBS["threads"], JOBS["workers"]]), out)
    time.sleep(wait)
    second = Run(fewer, out)
    codes = first.code(), second.code()
    wrong = [] if codes == (0, 0) else [f"ended with {codes}"]
    wrong += [f"said {line}" for run in (first, second) for line in run.said()]
    wrong += [f"left {name}" for name in remains(out)]
    both = Whole(0, wholes["threads"].records, wholes["threads"].looks + wholes["fewer"].looks)
    return Trial("two runs at once", f"one {wait:.2f} s later: {codes}", wrong + same(out, both))


def full(number: int, seed: int, folder: Path, wholes: Wholes) -> Trial:
    """A disk that takes no file above some size, or that is full after some."""
    rng = random.Random(f"full {seed} {number}")
    job = list(JOBS)[number % len(JOBS)]
    blocks = rng.randint(1, max(map(len, wholes[job].records.values())) // 512 - 1)
    out = folder / f"full{number}"
    run, wrong = Run(JOBS[job], out, shell=f"ulimit -f {blocks};"), []
    code, lines = run.code(), run.said()
    if code != 3 or len(lines) != 1 or not re.search("must be writable|must find room", lines[0]):
        wrong.append(f"ended with {code}, said {lines[:3]}")
    wrong += [f"left {name}" for name in remains(out)] + [f"left {process}" for process in run.left(AFTER)]
    wrong += resumed(JOBS[job], out, wholes[job])
    return Trial("full disk", f"{job}, no file above {blocks / 2:g} kB: {code}", wrong)


def small_disk(folder: Path, wholes: Wholes) -> Trial:
    """A disk of 1 MB, which is full after a few records, and larger afterwards."""
    disk, out = folder / "disk", folder / "small"
    disk.mkdir()
    command = f"python -m {SWEEP} --out {disk}/out"
    script = f"""mount -t tmpfs -o size=1m none {disk} || exit 77
        {command} > /dev/null; echo $?; find {disk} -name '*.tmp'
        mount -o remount,size=64m {disk}; {command} --resume > /dev/null; echo $?; cp -r {disk}/out {out}"""
    python = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], env=python, capture_output=True, text=True)
    if done.returncode == 77 or "unshare" in done.stderr:
        return Trial("full disk", "of 1 MB: not tried, as none may be mounted here", [])
    lines = [line for line in done.stderr.splitlines() if not EXPECTED.match(line)]
    wrong = [] if done.stdout.split() == ["3", "0"] else [f"ended with {done.stdout.split()}"]
    if len(lines) != 1 or "must be writable" not in lines[0]:
        wrong.append(f"said {lines[:3]}")
    return Trial("full disk", f"of 1 MB: {done.stdout.split()}", wrong + same(out, wholes["threads"]))


def flip(number: int, seed: int, out: Path, whole: Whole, flags: list[str]) -> Trial:
    """A bit of a record is another one: refused, and drawn again with --resume, unless nobody reads it."""
    rng = random.Random(f"flip {seed} {number}")
    name = rng.choice(sorted(whole.records))
    content = bytearray(whole.records[name])
    most = rng.choice([len(content), 4000])  # half of them in the last bytes, where a file says what it holds
    bit = 8 * len(content) - 1 - rng.randrange(8 * most)
    content[bit // 8] ^= 1 << bit % 8
    (out / name).write_bytes(content)
    code, said = called(flags)
    if code == 0 and read(content) == read(whole.records[name]):  # such as the name of the program that wrote it
        (out / name).write_bytes(whole.records[name])
        return Trial("bit flipped that nobody reads", f"{bit} of {name}", same(out, whole))
    wrong = [] if code == 3 and name in said else [f"ended with {code}, said {said!r}"]
    code, _ = called([*flags, "--resume"])
    wrong += [] if code == 0 else [f"--resume ended with {code}"]
    for aside in out.rglob("*.damaged"):
        aside.unlink()
    return Trial("bit flipped", f"{bit} of {name}", wrong + same(out, whole))


def read(content: bytes) -> tuple[object, ...]:
    """The columns of a record."""
    table = pq.read_table(pa.BufferReader(content))
    return table.to_pydict(), table.schema.types


def called(flags: list[str]) -> tuple[object, str]:
    """Exit code and stderr of a sweep in this process."""
    from fragility.command.study import main

    said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            main(STUDY, flags)
        except SystemExit as end:
            return end.code, said.getvalue()
