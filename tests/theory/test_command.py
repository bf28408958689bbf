"""`python -m theory` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from fragility.catalogue.defects import counted
from fragility.claim import FAULTS
from theory.__main__ import main
from theory.claims import BOOK
from theory.evaluations import EVALUATIONS
from theory.products.fraction import fraction_law

FAILING = [claim.id for claim in BOOK if not claim.holds]


def theory(*arguments, cwd=None):
    done = subprocess.run(
        [sys.executable, "-m", "theory", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd
    )
    return done.returncode, done.stdout, done.stderr


def test_the_table_has_every_row():
    code, out, err = theory()
    assert (code, err) == (0, "")
    assert all(claim.id in out for claim in BOOK)
    assert f"{len(BOOK)} rows; of the papers' statements {counted(BOOK)}" in out


def test_the_table_as_json():
    code, out, _ = theory("--json")
    rows = json.loads(out)
    assert code == 0
    assert [row["id"] for row in rows] == [claim.id for claim in BOOK]
    assert all(row["formula"] and row["source"] and row["function"] for row in rows)


def test_one_claim_leads_to_its_code():
    code, out, _ = theory("--claim", "fc.lemma3.last")
    assert code == 0
    assert "theory/products/qr_product.py:" in out
    assert "last_law" in out
    assert "python -m simulate.qr_product" in out


def test_a_prefix_chooses_rows():
    code, out, _ = theory("--claim", "fc.lemma3.block")
    assert code == 0
    assert "fc.lemma3.block.corner" in out
    assert "fc.fraction" not in out


def test_a_counterexample_is_replayed_exactly():
    code, out, _ = theory("--replay", FAILING[0])
    assert code == 0
    assert "exactly" in out
    assert "meets" in out
    code, out, _ = theory("--json", "--replay", FAILING[0])
    assert json.loads(out)["claim"] == FAILING[0]


def test_what_is_wrong_is_listed():
    code, out, _ = theory("--defects")
    assert code == 0
    assert f"In all: {counted(BOOK)}." in out
    rows = json.loads(theory("--defects", "--json")[1])
    assert all(row["quotes"] and row["hypotheses"] and not row["holds"] for row in rows)
    assert [row["id"] for row in rows] == [claim.id for claim in BOOK if claim.status in FAULTS]


def test_that_no_constant_does_is_argued():
    code, out, _ = theory("--replay", "fc.thm6.size.bounded.printed")
    assert code == 0
    assert "for every constant: " in out


def test_a_law_is_evaluated():
    code, out, _ = theory("fraction", "--n", "12", "--at", "0.148", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["mean"] == pytest.approx(0.235172672, rel=1e-8)
    assert answer["P(X <= 0.148)"] == pytest.approx(0.3705674, abs=1e-6)
    assert answer["quantile 0.95"] == pytest.approx(float(fraction_law(12, (12,)).ppf(0.95)))


def test_a_law_is_drawn(tmp_path):
    code, out, _ = theory("fraction", "--n", "6", "--plot", cwd=tmp_path)
    assert code == 0
    assert "results/figures/fraction.png" in out
    assert (tmp_path / "results" / "figures" / "fraction.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--claim", "fc.lema3.last"), "near it: fc.lemma3.last"),
        (("--replay", "fc.fraction"), "none is stored for fc.fraction"),
        (("fraction", "--n", "1"), "n must be at least 2, got 1"),
        (("fraction",), "required: --n"),
        (("fraction", "--n", "x"), "it must be an integer, got 'x'"),
        (("fraction", "--n", "4", "--rows", "3"), "every height must be at least n = 4, got 3"),
        (("fraction", "--n", "4", "--plot", "law.gif"), "--plot must end in .png, .svg, .pdf, got law.gif"),
        (("lyapunov", "--n", "4", "--at", "1"), "unrecognized arguments: --at 1"),
        (("condition", "--matrix", "nothing.npy"), "nothing.npy must be a .npy or .npz file that can be read"),
        (("nothing",), "invalid choice"),
    ],
)
def test_bad_usage_is_one_line(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["theory", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_network_from_a_file_is_certified(tmp_path):
    rng = np.random.default_rng(0)
    weights = {f"W{k}": rng.standard_normal(shape) / 3 for k, shape in ((1, (8, 6)), (2, (8, 8)), (3, (3, 8)))}
    np.savez(tmp_path / "net.npz", x=rng.random(6), b2=rng.standard_normal(8), **weights)
    radii = ("--epsilon-x", "0.01", "--epsilon-w", "0.01")
    code, out, _ = theory("joint-margin", "--network", "net.npz", *radii, "--json", cwd=tmp_path)
    answer = json.loads(out)
    assert code == 0
    _, clean, attained, exact, linear, crown, intervals, theorem = list(answer.values())[5:]
    assert clean <= attained <= exact + 1e-6 <= min(linear, crown) + 2e-6
    assert exact == pytest.approx(attained, abs=1e-5)
    assert linear <= intervals + 1e-6 <= theorem + 2e-6


def test_json_may_stand_on_either_side_of_the_name():
    before, after = theory("--json", "lyapunov", "--n", "4"), theory("lyapunov", "--n", "4", "--json")
    assert before == after
    assert json.loads(before[1])["lambda_n"] == pytest.approx(-0.6351814227)


def test_help_loads_no_numbers():
    code = "import sys; sys.argv = ['theory', '--help']\nfrom theory.__main__ import main\ntry: main()\n"
    code += "except SystemExit: sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False).returncode == 0


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "taken").write_text("")
    code, _, err = theory("fraction", "--n", "3", "--plot", "taken/law.png", cwd=tmp_path)
    assert code == 3
    assert err.count("\n") == 1


def test_nothing_in_a_file_is_executed(tmp_path):
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    code, _, err = theory("condition", "--matrix", "objects.npy", cwd=tmp_path)
    assert code == 2
    np.save(tmp_path / "words.npy", np.array(["one", "two"]))
    assert theory("condition", "--matrix", "words.npy", cwd=tmp_path)[0] == 2
    assert err == "theory: objects.npy must be a .npy or .npz file of numbers, got: ValueError\n"


@pytest.mark.parametrize("name", EVALUATIONS)
def test_every_evaluation_says_what_it_is(name):
    assert EVALUATIONS[name].__doc__


def written(folder, name, *arrays, **named):
    """The flag's value: a file of one array, or of several by name."""
    np.save(folder / name, *arrays) if arrays else np.savez(folder / name, **named)
    return name


def evaluated(arguments, folder, monkeypatch, capsys):
    """Exit code and both streams of the command, in this process."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["theory", *arguments])
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code
    return code, *capsys.readouterr()


RADII = ("--epsilon-x", "0.01", "--epsilon-w", "0.01")
NET = {"x": np.ones(2), "W1": np.eye(2), "W2": np.array([[1.0, 0.5], [0.0, 1.0]]), "b2": np.array([0.5, 0.0])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W0": np.eye(2)}, "must hold x, W1 to W2 and biases b of these layers only, got 'W0' as well"),
        ({"W4": np.eye(2)}, "got 'W4' as well, which no layer uses: layers count from 1, without gaps"),
        ({"b3": np.ones(2)}, "got 'b3' as well"),
        ({"B1": np.ones(2), "w1": np.eye(2)}, "got 'B1', 'w1' as well"),
        ({"W1": None}, "must hold x and W1, W2, ..., got 'W2', 'b2', 'x'"),
        ({"x": None}, "must hold x and W1, W2, ..., got 'W1', 'W2', 'b2'"),
        ({"x": np.ones((1, 2))}, "x must have 1 axes, got shape (1, 2)"),
        ({"W2": np.ones(2)}, "W2 must have 2 axes, got shape (2,)"),
        ({"W2": np.eye(2) * 1j}, "W2 must hold real numbers, got dtype complex128"),
        ({"b2": np.array(["a", "b"])}, "net.npz must hold numbers, got <U1 in b2"),
        ({"b2": np.array(["2020-01-01"] * 2, "M8[D]")}, "net.npz must hold numbers, got datetime64[D] in b2"),
        ({"b2": np.zeros(2, "f8,i4")}, "net.npz must hold numbers, got"),
    ],
)
def test_a_file_that_is_another_network_is_refused(change, message, tmp_path, monkeypatch, capsys):
    arrays = {name: array for name, array in (NET | change).items() if array is not None}
    arguments = ("joint-margin", "--network", written(tmp_path, "net.npz", **arrays), *RADII)
    code, out, err = evaluated(arguments, tmp_path, monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_it_is_said_which_network_was_read(tmp_path, monkeypatch, capsys):
    """Whole numbers as they may be stored: x = (1, 1), logits (2, 1)."""
    arrays = {name: (2 * array).astype("uint8") for name, array in NET.items()}
    arguments = ("joint-margin", "--network", written(tmp_path, "net.npz", **arrays), *RADII, "--json")
    answer = json.loads(evaluated(arguments, tmp_path, monkeypatch, capsys)[1])
    assert [answer[key] for key in ("layers", "units", "layers with a bias")] == [2, "2, 2, 2", 1]
    assert answer["without perturbation"] == pytest.approx(8 - (8 + 4 + 1))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[2, 1j], [-1j, 2]]), (3, 3, 3, 10 / 3)),
        (np.array([[200, 100], [100, 200]], np.uint8), (3, 3, 3, 10 / 3)),
        (np.array([[2, 1], [1, 2]], np.float16), (3, 3, 3, 10 / 3)),
        (1e-200 * np.array([[2.0, 1.0], [1.0, 2.0]]), (3, 3, 3, 10 / 3)),
    ],
)
def test_the_numbers_of_a_file_stay_what_they_are(array, expected, tmp_path, monkeypatch, capsys):
    arguments = ("condition", "--matrix", written(tmp_path, "m.npy", array), "--json")
    code, out, err = evaluated(arguments, tmp_path, monkeypatch, capsys)
    assert (code, err) == (0, "")
    assert list(json.loads(out).values())[2:6] == pytest.approx(expected, rel=1e-6)


def damaged(path):
    """An archive whose second half is noise."""
    np.savez_compressed(path, W1=np.arange(1000.0))
    content = bytearray(path.read_bytes())
    content[60:200] = bytes(140)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: np.save(path, np.array(["2020"], "M8[Y]")), "must hold numbers, got datetime64[Y] in it"),
        (lambda path: np.save(path, np.ones((2, 3, 3))), "the matrix must have 2 axes, got shape (2, 3, 3)"),
        (lambda path: np.save(path, np.array([[1.0, np.nan]])), "the matrix must be finite"),
        (lambda path: np.savez(path, a=np.eye(2), b=np.eye(2)), "the file must hold one array, got 'a', 'b'"),
        (lambda path: np.savez(path), "the file must hold one array, got nothing"),
        (damaged, "must be a .npy or .npz file of numbers, got:"),
        (lambda path: path.write_bytes(b""), "must be a .npy or .npz file of numbers, got:"),
        (lambda path: zipfile.ZipFile(path, "w").writestr("note", "text"), "must hold numbers, got |S4 in note"),
    ],
)
def test_files_that_hold_something_else_are_one_line(write, message, tmp_path, monkeypatch, capsys):
    path = tmp_path / "file.npz"
    with path.open("wb") as file:
        write(path if write is damaged or "write_bytes" in write.__code__.co_names else file)
    code, out, err = evaluated(("condition", "--matrix", "file.npz"), tmp_path, monkeypatch, capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


SOBEL = np.outer([1.0, 2.0, 1.0], [1.0, 0.0, -1.0])[None, None]


@pytest.mark.parametrize(
    ("kernel", "circular"),
    [(np.array([[[1, -1]]]), 2), (SOBEL, 8), (np.stack([SOBEL[0], 0 * SOBEL[0]]), 8), (0 * SOBEL, 0)],
)
def test_a_kernel_that_convnorm_cannot_normalise_has_norms(kernel, circular, tmp_path, monkeypatch, capsys):
    flags = ("convolution-norm", "--kernel", written(tmp_path, "k.npy", kernel), "--size", "8", "--json")
    code, out, err = evaluated(flags, tmp_path, monkeypatch, capsys)
    answer = json.loads(out)
    assert (code, err) == (0, "")
    assert answer["circular, exact"] == pytest.approx(circular, rel=1e-15)
    assert 0 <= answer["zero-padded, at most"] <= np.abs(kernel).sum()
    assert answer["circular, after ConvNorm"].startswith("none, a channel vanishes at a frequency; ")
    most = answer["circular, after ConvNorm, at most, with any --epsilon"]
    assert most == pytest.approx(len(kernel) ** 0.5)
    hint = answer["circular, after ConvNorm"].split("--epsilon ")[1].split()[0]
    epsilon = hint if circular else "1e-5"
    answer = json.loads(evaluated((*flags, "--epsilon", epsilon), tmp_path, monkeypatch, capsys)[1])
    assert 0 <= answer["circular, after ConvNorm"] <= most
    assert answer["circular, after ConvNorm"] > 0.99 or circular == 0


def test_a_grouped_convolution_is_the_largest_of_its_groups(tmp_path, monkeypatch, capsys):
    kernel = np.random.default_rng(1).standard_normal((4, 2, 3, 3))
    answers = []
    for part, groups in ((kernel, "2"), (kernel[:2], "1"), (kernel[2:], "1")):
        flags = ("convolution-norm", "--kernel", written(tmp_path, "k.npy", part), "--size", "5", "--groups", groups)
        answers.append(list(json.loads(evaluated((*flags, "--json"), tmp_path, monkeypatch, capsys)[1]).values())[2:])
    whole, *parts = answers
    assert whole == pytest.approx([max(pair) for pair in zip(*parts, strict=True)])
    flags = ("normalised-norm", "--channels-out", "8", "--channels-in", "4", "--groups", "4", "--json")
    assert json.loads(evaluated(flags, tmp_path, monkeypatch, capsys)[1])["at most"] == pytest.approx(2**0.5)


def test_what_a_solver_prints_is_not_the_result(tmp_path):
    """HiGHS has a line that no option turns off; here its stand-in writes one every time, as compiled code does."""
    np.savez(tmp_path / "net.npz", **NET)
    code = """
import ctypes, sys
from theory.joint import program
from theory.__main__ import main
solver = program.milp
def loud(*arguments, **options):
    ctypes.CDLL(None).puts(b"tmpSolver.run();")
    return solver(*arguments, **options)
program.milp = loud
main()
"""
    flags = ["joint-margin", "--network", "net.npz", *RADII, "--json"]
    done = subprocess.run(
        [sys.executable, "-c", code, *flags], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=True
    )
    assert json.loads(done.stdout)["layers"] == 2


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["theory", "figures.table", "figures.statements"])
def test_an_interrupt_is_one_line(module, asked, tmp_path):
    """Here while a book of the user's is imported, which never ends."""
    (tmp_path / "endless.py").write_text("open('begun', 'w').close()\nimport time\ntime.sleep(60)\n")
    command = [sys.executable, "-m", module, "--claims", "endless.py"]
    running = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    )
    while not (tmp_path / "begun").exists() and running.poll() is None:
        time.sleep(0.01)
    running.send_signal(asked)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (130, "", f"{module}: interrupted\n")
