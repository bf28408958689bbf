"""The public face of the instrument: what it offers, and that it costs nothing before it is used."""

import subprocess
import sys

import pytest

import fragility

HEAVY = {"numpy", "scipy", "numba", "torch", "matplotlib", "pandas", "pyarrow", "theory.claims"}
COMMANDS = [
    "theory",
    "simulate.verify",
    "simulate.statements",
    "simulate.hunt",
    "simulate.qr_product",
]


def loaded(code):
    """Which of the heavy modules a process has loaded at its end."""
    ending = f"import sys; print(*({HEAVY} & {{*sys.modules}}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_every_name_that_it_offers_is_there():
    assert sorted(fragility.__all__) == fragility.__all__
    assert {name for names in fragility.HOMES.values() for name in names} == set(fragility.__all__)
    for name in fragility.__all__:
        assert getattr(fragility, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute nothing"):
        fragility.nothing  # noqa: B018


def test_its_import_loads_no_numbers():
    assert loaded("import fragility") == set()
    assert loaded("from fragility import Study, Axis, Method") == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_loads_no_numbers(command):
    code = (
        f"import runpy, sys; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('{command}', run_name='__main__')\nexcept SystemExit: pass"
    )
    assert loaded(code) == set()
