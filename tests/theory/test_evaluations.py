"""Every evaluation of `python -m theory NAME` with every value that a flag can be given: a right number, or one line.

The loop is over signatures: an evaluation that is added is tried without a word here, once its ordinary arguments are.
"""

import inspect
import io
import json
import os
import signal
import sys
import zipfile

import numpy as np
import pytest

from theory.__main__ import METAVARS, MOST_BYTES, main
from theory.evaluations import EVALUATIONS

pytestmark = pytest.mark.slow  # some two hundred calls

SECONDS = 10  # that one evaluation may take
ORDINARY = {
    "channels_in": "4",
    "channels_out": "4",
    "d": "7",
    "drop": "0.1",
    "epsilon_w": "0.01",
    "epsilon_x": "0.01",
    "k": "3",
    "kernel": "kernel.npy",
    "m": "3",
    "matrix": "matrix.npy",
    "n": "6",
    "network": "network.npz",
    "points": "5",
    "size": "6",
    "slope": "1",
    "smoothness": "1",
    "widen": "2",
}
WHOLE = ("0", "-1", "1", "2", "1000", "1e6", "1e7", "1e15", "9007199254740993", "1" + 199 * "0", "1.5", "nan", "")
REAL = ("0", "-0.0", "-1", "nan", "inf", "-inf", "1e308", "1e-308", "1e-320", "1e15", "1e200", "1", "2", "x", "")
NASTY = {
    "int": WHOLE,
    "float": REAL,
    "Heights": (*WHOLE, ",", "7,", "7,1e15", ",".join(90 * "7"), ",".join(2000 * ["7"]), ",".join(20_000 * ["7"])),
    "Arrays": ("nothing.npy", ".", "", "/dev/null", "/dev/zero", 300 * "x", 3000 * "x/", "a\nb.npy"),
}
INFINITE = {  # what is so in truth
    "attack-length": {"at most"},
    "difficulty": {"mean ratio"},
    "untargeted": {"mean", "sd"},
    "condition": {f"kappa, norm {norm}, strict" for norm in ("1", "2", "inf", "Frobenius")},
}


def flags(name):
    """Each flag of an evaluation with what the values of its type are called, and whether it is needed."""
    signature = inspect.signature(EVALUATIONS[name])
    for parameter in signature.parameters.values():
        yield parameter.name, parameter.annotation, parameter.default is parameter.empty
    if signature.return_annotation == "Law":
        yield "at", "float", False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Files of an ordinary network, kernel and matrix."""
    made, rng = tmp_path_factory.mktemp("files"), np.random.default_rng(0)
    np.save(made / "kernel.npy", rng.standard_normal((4, 4, 3, 3)))
    np.save(made / "matrix.npy", rng.standard_normal((4, 4)))
    np.savez(made / "network.npz", x=np.ones(2), W1=np.eye(2), W2=np.array([[1.0, 0.5], [0.0, 1.0]]))
    return made


@pytest.fixture
def evaluate(folder, monkeypatch, capsys):
    """Exit code, answer and lines on stderr of an evaluation with the ordinary arguments and those given."""
    monkeypatch.chdir(folder)

    def late(*_):
        raise TimeoutError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)

    def run(name, **given):
        needed = {flag: ORDINARY[flag] for flag, _, needed in flags(name) if needed}
        arguments = [f"--{flag.replace('_', '-')}={value}" for flag, value in (needed | given).items()]
        monkeypatch.setattr(sys, "argv", ["theory", name, *arguments, "--json"])
        signal.alarm(SECONDS)
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            signal.alarm(0)
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if shown.out else None, shown.err.splitlines()

    yield run
    signal.signal(signal.SIGALRM, before)


def check(name, code, answer, lines):
    """Either a value, none of it silently missing, or one line that says what must hold."""
    if code:
        assert (code, answer, len(lines)) == (2, None, 1), lines
        assert " must " in lines[0] or "expected one argument" in lines[0]
        return
    assert lines == []
    odd = {key for key, value in answer.items() if value in ("nan", "inf", "-inf") and key != "arguments"}
    assert odd <= INFINITE.get(name, set())


def test_the_types_of_all_flags_are_tried():
    assert METAVARS.keys() == NASTY.keys()


@pytest.mark.parametrize("name", EVALUATIONS)
def test_ordinary_arguments_have_a_value(name, evaluate):
    code, answer, lines = evaluate(name)
    assert code == 0, lines
    check(name, code, answer, lines)


@pytest.mark.parametrize(("name", "flag", "kind"), [(name, *flag[:2]) for name in EVALUATIONS for flag in flags(name)])
def test_whatever_a_flag_is_given(name, flag, kind, evaluate):
    for value in NASTY[kind]:
        try:
            check(name, *evaluate(name, **{flag: value}))
        except AssertionError as error:
            raise AssertionError(f"{name} --{flag} {value[:40]!r}: {error}") from None


def test_products_that_leave_the_doubles_have_their_spread():
    """The standard deviation lies within them where the variance does not."""
    from theory.laws.chi_product import chi_product

    plain = chi_product((3, 4))
    for scale in (1e200, 1e-200):
        assert chi_product((3, 4), scale).std() == pytest.approx(scale * plain.std(), rel=1e-12)
    assert plain.std() ** 2 == pytest.approx(plain.var(), rel=1e-14)


def test_extreme_exponents_need_no_others(evaluate):
    from theory.products.depth import extreme_exponents, lyapunov_exponents

    for n, rows in ((5, (5,)), (7, (9, 7, 30)), (7, (3, 9))):
        assert extreme_exponents(n, rows) == pytest.approx(lyapunov_exponents(n, rows)[[0, -1]], rel=1e-14)
    _, answer, _ = evaluate("lyapunov", n="1e15")
    assert answer["lambda_1"] == pytest.approx((np.log(1e15)) / 2, rel=1e-14)


def head(shape, kind="'<f8'"):
    """The beginning of a .npy file that announces such an array."""
    says = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(says).to_bytes(2, "little") + says


def packed(content, size=0):
    """A .npz file with one array, in which `size` zeros follow."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("W.npy", "w") as member:
        member.write(content)
        for _ in range(size // 2**20):
            member.write(bytes(2**20))
    return file.getvalue()


def saved(array, pickled=False):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=pickled)
    return file.getvalue()


LARGE = f"must hold at most {MOST_BYTES:,} bytes of numbers, got "
FILES = {
    "72 TiB": (head("(3000000, 3300000)"), f"{LARGE}79,200,000,000,000"),
    "72 TiB, packed": (packed(head("(3000000, 3300000)")), f"{LARGE}79,200,000,000,000"),
    "packed zeros": (packed(head("(1048576, 150)"), 1200 * 2**20), LARGE),
    "size of 300 digits": (head(f"({300 * '9'},)"), LARGE),
    "negative size": (head("(-1, 2)"), "must be a .npy or .npz file of numbers"),
    "broken size": (head("(1.5,)"), "must be a .npy or .npz file of numbers"),
    "deep head": (head(3000 * "(" + 3000 * ")"), "must be a .npy or .npz file of numbers"),
    "endless head": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + 1000 * b" ", "must be a .npy or .npz file of numbers"),
    "truncated": (head("(4, 4)"), "must be a .npy or .npz file of numbers"),
    "of no entries": (head("(0, 9999999999999)"), "must not be empty"),
    "objects": (saved(np.array([[1, None]], object), pickled=True), "must be a .npy or .npz file of numbers"),
    "dates": (saved(np.array([["2020"]], "M8[D]")), "must hold numbers, got datetime64[D]"),
    "records": (saved(np.zeros(2, "f8,i4")), "must hold numbers"),
    "text": (saved(np.array([["a"]])), "must hold numbers, got <U1"),
    "NaN": (saved(np.full((3, 3, 3, 3), np.nan)), ""),
    "infinite": (saved(np.full((3, 3), np.inf)), ""),
    "a scalar": (saved(np.array(3.0)), "axes"),
    "a pile": (saved(np.ones((2, 3, 3))), ""),
    "largest": (saved(np.array([[1e308, 1e308], [1e308, -1e308]])), ""),
    "smallest": (saved(np.array([[1e-320, 0], [0, 2e-320]])), ""),
    "largest and smallest": (saved(np.diag([1e308, 1e-308])), ""),
    "singular": (saved(np.zeros((3, 3))), ""),
    "largest kernel": (saved(np.full((2, 2, 3, 3), 1e308)), ""),
    "smallest kernel": (saved(np.full((2, 2, 3, 3), 1e-320)), ""),
    "of thirty axes": (saved(np.ones(30 * (1,))), ""),
    "big-endian": (saved(np.eye(3).astype(">f4")), ""),
    "by columns": (saved(np.asfortranarray(np.arange(6.0).reshape(3, 2))), ""),
    "complex": (saved(1j * np.eye(3)), ""),
    "extended": (saved(np.eye(3).astype(np.longdouble)), ""),
}


@pytest.mark.parametrize(
    ("name", "flag"), [(name, flag) for name in EVALUATIONS for flag, kind, _ in flags(name) if kind == "Arrays"]
)
@pytest.mark.parametrize("what", FILES)
def test_whatever_a_file_holds(name, flag, what, evaluate, folder):
    content, says = FILES[what]
    (folder / "given").write_bytes(content)
    code, answer, lines = evaluate(name, **{flag: "given"})
    check(name, code, answer, lines)
    if code and "given must" in lines[0]:
        assert says in lines[0]
    assert code == 2 or not says


@pytest.mark.parametrize("change", ["one class", "no inputs", "other sizes", "largest", "zero"])
def test_networks_at_the_border(change, evaluate, folder):
    networks = {
        "one class": {"x": np.ones(2), "W1": np.eye(2), "W2": np.ones((1, 2))},
        "no inputs": {"x": np.ones(0), "W1": np.ones((2, 0)), "W2": np.eye(2)},
        "other sizes": {"x": np.ones(3), "W1": np.eye(2)},
        "largest": {"x": np.full(2, 1e308), "W1": np.full((2, 2), 1e308), "W2": np.eye(2)},
        "zero": {"x": np.zeros(2), "W1": np.zeros((2, 2)), "W2": np.zeros((2, 2))},
    }
    np.savez(folder / "border.npz", **networks[change])
    code, answer, lines = evaluate("joint-margin", network="border.npz")
    check("joint-margin", code, answer, lines)
    assert code == (0 if change == "zero" else 2)


def test_a_pipe_is_not_waited_for(evaluate, folder):
    os.mkfifo(folder / "pipe")
    code, _, lines = evaluate("condition", matrix="pipe")
    assert (code, lines) == (2, ["theory: pipe must be a .npy or .npz file, got a device"])
