"""Integers are read as integers: exactly, of any size that can be named, and a seed reaches records as it was given."""

import json
import re
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fragility.backends.numpy_backend import BACKEND
from fragility.command.study import main
from fragility.engine.context import Context
from fragility.engine.shard import Shard, record
from fragility.engine.store import Store, read_manifest, world
from fragility.engine.study import MOST_DIGITS, UsageError, integer, integers
from simulate import hunt, qr_product
from simulate.ladder import command as ladder
from theory.__main__ import main as theory

EXACT = {
    "9007199254740993": 2**53 + 1,
    "123456789012345678901": 123456789012345678901,
    "1e6": 1000000,
    "1.5e3": 1500,
    "1_000_000": 1000000,
    "1e30": 10**30,
    "1.00000000000000000001e20": 10**20 + 1,
    "9007199254740993.0": 2**53 + 1,
    "12345678901234567890.5e1": 123456789012345678905,
    "1E+3": 1000,
    "100e-2": 1,
    "+7": 7,
    " 8 ": 8,
    "007": 7,
    "20.": 20,
    "-0": 0,
    "0e999999999": 0,
    "0e-999999999999": 0,
    "9" * MOST_DIGITS: 10**MOST_DIGITS - 1,
}
REFUSED = (
    *(
        "1.5",
        "1e-3",
        "1e-999999999999999",
        "9007199254740993.5",
        "nan",
        "inf",
        "-inf",
        "",
        " ",
        "--",
        "-",
        "+",
        ".",
        ".5e1",
    ),
    *(
        "0x10",
        "0b1",
        "1__0",
        "_1",
        "1_",
        "1_.0",
        "1e",
        "e5",
        "1e1.5",
        "1e1_0",
        "1 000",
        "1,5",
        "\u0663",
        "\u00b2",
        "\uff11",
    ),
    *("1/2", "1\n2", "ten", "True"),
)
TOO_LONG = (
    "1e999999999",
    "-1e999999999",
    "1e999999999999999",
    "1e200",
    "1" + "0" * MOST_DIGITS,
    "9" * 5000,
    "0." + "1" * 5000,
)


@pytest.mark.parametrize("text", EXACT)
def test_what_is_an_integer_is_read_exactly(text):
    found = integer(text, 0, "--n")
    assert type(found) is int
    assert found == EXACT[text]
    assert integers(0, "--n")(f"{text},1") == [found, 1]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_none_is_refused_in_one_line(text):
    with pytest.raises(UsageError, match=r"^--n must be an integer of at least 0, got ") as refusal:
        integer(text, 0, "--n")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("text", TOO_LONG)
def test_no_billion_digits_are_made(text):
    with pytest.raises(UsageError, match=r"^--n must be an integer of at most 200 digits, got ") as refusal:
        integer(text, 0, "--n")
    assert len(str(refusal.value)) < 200


@given(st.integers(0, 10**MOST_DIGITS - 1), st.integers(0, 300))
def test_however_it_is_written(value, zeros):
    for text in (str(value), f"{value:_}", f"{value}.{'0' * zeros}", f"{value}{'0' * zeros}e-{zeros}", f"{value}e0"):
        assert integer(text, 0, "--n") == value


@given(st.decimals(0, 10**30, allow_nan=False, places=8), st.integers(-12, 12))
def test_it_is_what_fractions_make_of_it(mantissa, exponent):
    text = f"{mantissa:f}e{exponent}"
    exact = Fraction(text)
    if exact.denominator == 1:
        assert integer(text, 0, "--n") == exact.numerator
    else:
        with pytest.raises(UsageError):
            integer(text, 0, "--n")


@pytest.mark.parametrize("minimum", [0, 1, 2**53 + 1])
def test_the_least_is_told_apart_from_its_neighbour(minimum):
    assert integer(str(minimum), minimum, "--n") == minimum
    with pytest.raises(UsageError, match=rf"^--n must be an integer of at least {minimum}, got {minimum - 1}$"):
        integer(str(minimum - 1), minimum, "--n")
    assert integer(str(-minimum), None, "it") == -minimum


SEEDS = (2**53, 2**53 + 1, 2**64, 2**64 + 1, 10**199)


def test_neighbouring_seeds_draw_different_numbers():
    tables = [
        record(Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), seed, 0, 4), BACKEND, Context())
        for seed in SEEDS
    ]
    values = [tuple(table["last"].to_pylist()) for table in tables]
    assert len(set(values)) == len(SEEDS)


@pytest.mark.parametrize("seed", SEEDS)
def test_records_and_manifest_hold_the_seed_as_it_is(tmp_path, capsys, seed):
    flags = ["--n", "2", "--samples", "4", "--method", "lu", "--backend", "numpy", "--json", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as done:
        main(qr_product.STUDY, [*flags, "--seed", f"{seed:_}"])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["seed"] == seed
    run = tmp_path / "simulate.qr_product" / f"numpy-seed{seed}"
    assert read_manifest(run)["seed"] == seed
    (table,) = world(run, "simulate.qr_product", "lu", {"n": 2, "rows": (2, 2)})
    named = table.schema.metadata[b"shard"].decode()
    assert int(re.search(r"seed=(\d+)", named)[1]) == seed


@pytest.mark.parametrize("seed", [2**53 + 1, 10**199])
def test_a_hunt_and_the_ladder_take_it_too(tmp_path, capsys, seed):
    with pytest.raises(SystemExit) as done:
        hunt.main(["cond.relative_error.printed", "--json", "--out", str(tmp_path), "--seed", str(seed)])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["seed"] == seed
    point = ["--depth", "1", "--width", "2", "--classes", "2", "--epsilon-x", "0", "--epsilon-w", "0.1"]
    with pytest.raises(SystemExit) as done:
        ladder.main([*point, "--samples", "1", "--json", "--out", str(tmp_path), "--seed", str(seed)])
    assert done.value.code == 0
    assert json.loads(capsys.readouterr().out)["provenance"]["seed"] == seed


def test_a_store_says_the_seed_again(tmp_path):
    Store(tmp_path, lambda _: "code").save_manifest(seed=2**53 + 1)
    assert Store(tmp_path, lambda _: "code").manifest["seed"] == 2**53 + 1


@pytest.mark.parametrize(("text", "same"), [("1e1", "10"), ("1_0", "10"), ("1.2e1", "12")])
def test_theory_reads_them_alike(monkeypatch, capsys, text, same):
    said = []
    for written in (text, same):
        monkeypatch.setattr(sys, "argv", ["theory", "fraction", "--n", written, "--json"])
        theory()
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


@pytest.mark.parametrize("text", ["1.5", "1e999999999", "\u0663", "0x10"])
def test_theory_refuses_the_same(monkeypatch, capsys, text):
    monkeypatch.setattr(sys, "argv", ["theory", "fraction", "--n", text])
    with pytest.raises(SystemExit) as done:
        theory()
    assert done.value.code == 2
    error = capsys.readouterr().err
    assert "argument --n: it must be an integer" in error
    assert error.count("\n") == 1


def test_networks_are_trained_from_seeds_of_any_size():
    torch = pytest.importorskip("torch")
    from empirical.models.mnist import two_conv
    from empirical.training.network import generator

    weights = [next(two_conv(seed, 8).parameters()).detach().numpy().tobytes() for seed in (*SEEDS, 2**53 + 2)]
    assert len(set(weights)) == len(weights)
    orders = [torch.randperm(64, generator=generator("cpu", seed, 1, 0)).numpy() for seed in SEEDS]
    assert len({np.asarray(order).tobytes() for order in orders}) == len(SEEDS)
