"""The command as a user runs it: tables, sweeps, JSON, and every bad input as one clear line."""

import json
import resource
import signal
import subprocess
import sys
import time

import pyarrow.parquet as pq
import pytest

from fragility.command.study import main
from fragility.engine import cluster
from fragility.engine.shard import Shard
from fragility.engine.store import Store
from simulate.qr_product import STUDY as STUDIED

STUDY = [sys.executable, "-m", "simulate.qr_product"]
QUICK = ["--backend", "numpy", "--samples", "200"]


def run(*arguments, cwd, **options):
    return subprocess.run([*STUDY, *arguments], cwd=cwd, capture_output=True, text=True, check=False, **options)


def error(result, code):
    """The one line on stderr of a run that was refused."""
    assert result.returncode == code, result
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("backend ")]
    assert len(lines) == 1, lines
    return lines[0]


def test_it_prints_a_table_of_verdicts_and_nothing_else_on_stdout(tmp_path):
    result = run("--n", "8", *QUICK, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    header, rule, *rows = result.stdout.splitlines()
    assert header.split() == ["claim", "point", "gap", "band", "would", "see", "samples", "decoys", "verdict"]
    assert set(rule) == {"-", " "}
    assert rows[0].startswith("fc.lemma3.diagonal")
    assert "backend numpy" in result.stderr
    assert (tmp_path / "results/simulate.qr_product/numpy-seed0/manifest.json").exists()


def test_a_list_sweeps(tmp_path):
    result = run("--n", "2,3", "--layers", "1,2", "--json", *QUICK, cwd=tmp_path)
    points = [row["point"] for row in json.loads(result.stdout)["verdicts"]]
    assert {"n": 3, "rows": [3]} in points
    assert {(point["n"], len(point["rows"])) for point in points} == {(2, 1), (2, 2), (3, 1), (3, 2)}


def test_json_has_null_for_a_number_that_five_draws_do_not_give(tmp_path):
    """For NaN and infinity it has no word."""
    done = run("--n", "4", "--backend", "numpy", "--samples", "5", "--json", cwd=tmp_path)
    document = json.loads(done.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert None in {verdict["gap"] for verdict in document["verdicts"]}


def test_json_is_one_document_with_provenance(tmp_path):
    document = json.loads(run("--n", "4", "--rows", "6,5", "--json", *QUICK, cwd=tmp_path).stdout)
    assert {row["outcome"] for row in document["verdicts"]} <= {"agrees", "blunt"}
    assert document["provenance"]["seed"] == 0
    assert document["provenance"]["points"] == [{"n": 4, "rows": [6, 5]}]
    assert {"numpy", "scipy", "python"} <= set(document["provenance"]["versions"])


def test_the_direct_method_says_that_it_verifies_nothing(tmp_path):
    result = run("--n", "1000000", "--method", "direct", "--backend", "numpy", "--samples", "1", cwd=tmp_path)
    assert result.returncode == 0
    assert "tests the sampler, not the theorem" in result.stdout


def test_one_column_has_no_block(tmp_path):
    result = run("--n", "1", "--rows", "3,2", *QUICK, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "block" not in result.stdout


REFUSED = [
    (["--n", "0"], "argument --n: --n must be an integer of at least 1, got 0"),
    (["--n", "2.5"], "--n must be an integer of at least 1, got 2.5"),
    (["--n", "many"], "--n must be an integer of at least 1, got 'many'"),
    (["--n", "8,,9"], "--n must be an integer of at least 1, got ''"),
    (["--layers", "0"], "--layers must be an integer of at least 1, got 0"),
    (["--samples", "0"], "--samples must be an integer of at least 1, got 0"),
    (["--n", "5", "--rows", "4,6", "--method", "qr"], "--rows must be heights of at least n = 5, got 4,6: below n the"),
    (["--rows", "9", "--layers", "2", "--n", "3"], "--rows gives one height per factor"),
    (["--backend", "abacus"], "--backend must be auto or one of numpy, numba, cupy, got 'abacus'"),
    (["--budget", "soon"], "--budget must be a time such as 60s, 5m or 2h, got soon"),
    (["--tolerance", "2"], "--tolerance must be a number between 0 and 1, got 2"),
    (["--alpha", "0"], "--alpha must be a number between 0 and 1, got 0"),
    (["--tolerance", "1e-200"], "--tolerance must be at least 1e-12, got 1e-200"),
    (["--alpha", "1e-310"], "--alpha must be at least 1e-12, got 1e-310"),
    (["--seed", "-1"], "--seed must be an integer of at least 0, got -1"),
    (["--seed", "1e999999999"], "--seed must be an integer of at most 200 digits, got '1e999999999'"),
    (["--samples", "9007199254740992.5"], "--samples must be an integer of at least 1, got 9007199254740992.5"),
    (["--workers", "2", "--scheduler", "tcp://x:1"], "not allowed with argument"),
    (["--n", "1", "--method", "lu"], "--method lu cannot be used at n=1"),
    (["--nn", "3"], "unrecognized arguments: --nn 3"),
]


@pytest.mark.parametrize(
    ("arguments", "line"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_bad_usage_is_one_line_and_leaves_nothing(tmp_path, arguments, line):
    assert line in error(run(*arguments, cwd=tmp_path), 2)
    assert not list(tmp_path.rglob("*.parquet"))


def test_trapezoidal_factors_are_explained(tmp_path):
    line = error(run("--n", "5", "--rows", "4", "--method", "qr", cwd=tmp_path), 2)
    assert "R is trapezoidal; its leading block follows the same lemma with --n 4" in line


def test_a_backend_that_is_not_here_says_what_would_get_it(tmp_path):
    from fragility.backends.cupy_backend import unavailable

    if unavailable() is None:
        pytest.skip("there is a GPU")
    assert unavailable() in error(run("--backend", "cupy", cwd=tmp_path), 3)


def test_a_scheduler_that_does_not_answer_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER", 0.5)
    with pytest.raises(SystemExit) as end:
        main(STUDIED, ["--n", "4", *QUICK, "--scheduler", "tcp://127.0.0.1:9", "--out", str(tmp_path)])
    shown = capsys.readouterr()
    assert (end.value.code, shown.out) == (3, "")
    (line,) = shown.err.splitlines()
    assert "--scheduler must be the address of a running Dask scheduler, got tcp://127.0.0.1:9" in line


def test_records_of_other_code_are_not_touched(tmp_path):
    run("--n", "4", *QUICK, cwd=tmp_path)
    (path, *others) = sorted(tmp_path.rglob("lu/**/*.parquet"))
    table = pq.read_table(path)
    for each in (path, *others):
        each.unlink()
    shard = Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), 0, 0, len(table))
    Store(tmp_path / "results/simulate.qr_product/numpy-seed0", lambda _: "0123456789ab").write(shard, table)
    assert "records of other code (0123456789ab): choose another --out" in error(
        run("--n", "4", *QUICK, cwd=tmp_path), 2
    )


def test_a_damaged_shard_is_named_and_drawn_again_on_resume(tmp_path):
    run("--n", "4", *QUICK, cwd=tmp_path)
    (shard, *_) = sorted(tmp_path.rglob("*.parquet"))
    content = shard.read_bytes()
    shard.write_bytes(content[: len(content) // 2])
    line = error(run("--n", "4", *QUICK, cwd=tmp_path), 3)
    assert str(shard.relative_to(tmp_path)) in line
    assert "add --resume" in line
    assert run("--n", "4", *QUICK, "--resume", cwd=tmp_path).returncode == 0
    assert shard.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "results").write_text("in the way")
    assert "must be writable, got: Not a directory" in error(run("--n", "4", *QUICK, cwd=tmp_path), 3)


def test_a_full_disk_is_one_line(tmp_path):
    """A limit on file size stands in for the disk: writes fail half way."""

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    result = run(
        "--n", "4", *QUICK, cwd=tmp_path,
        preexec_fn=small_files,
    )  # fmt: skip
    assert "must be writable, got: File too large: free some space" in error(result, 3)
    assert not list(tmp_path.rglob("*.parquet"))


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    arguments = ["--n", "64", "--samples", "1e6", "--backend", "numpy"]
    process = subprocess.Popen(
        [*STUDY, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.rglob("*.parquet")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stdout == ""
    assert stderr.splitlines()[-1].endswith(
        "python -m simulate.qr_product --n 64 --samples 1e6 --backend numpy --resume goes on from there"
    )


def test_a_reader_that_leaves_early_gets_no_traceback(tmp_path):
    command = f"{' '.join(STUDY)} --n 4 --samples 50 --backend numpy | true"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
    assert "BrokenPipe" not in result.stderr


HELP = """
import sys
from fragility.command import study
from simulate import qr_product
try:
    study.main(qr_product.STUDY, ["--help"])
finally:
    print(sorted({"torch", "numba", "matplotlib", "scipy", "pyarrow", "rich"} & set(sys.modules)))
"""


def test_help_needs_no_heavy_import(tmp_path):
    result = subprocess.run([sys.executable, "-c", HELP], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert "--n" in result.stdout
