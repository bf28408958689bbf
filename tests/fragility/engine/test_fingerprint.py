"""What changes the fingerprint of a function: what it names, however far away, and nothing that stands beside it."""

import shutil
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from fragility.engine import fingerprint as module
from fragility.engine.fingerprint import definitions, fingerprint
from fragility.space import Part, Space, table

ROOT = Path(__file__).parents[3]
NUMBERS = count()
HELPER = """
'''A helper.'''
import math
FACTOR = 2.0
UNUSED = 3.0
class Scale:
    def by(self, x):
        return FACTOR * x
def twice(x: float) -> float:
    '''Twice x.'''
    return Scale().by(x)  # exactly
def other(x):
    return x + UNUSED
"""
USER = """
from typing import Any
import {helper} as aid
from {helper} import twice
LIMIT = 1
def theory(x: Any) -> float:
    if x < LIMIT:
        raise ValueError("x must be at least the limit")
    return aid.twice(x)
def beside(x):
    return twice(x)
def factory(power):
    def inner(x):
        return twice(x) ** power
    return inner
ROWS = [dict(says="a claim", theory=lambda x: theory(x) + 1), dict(says="another", theory=lambda x: theory(x) - 1)]
INNER = factory(2)
def late(x):
    from {helper} import other
    return other(x)
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a pair of modules of new names and gives the second, imported; their names are left out of the hash."""
    monkeypatch.syspath_prepend(tmp_path)

    def written(helper=HELPER, user=USER):
        number = next(NUMBERS)
        names = f"aid_{number}", f"walk_{number}"
        (tmp_path / f"{names[0]}.py").write_text(helper)
        (tmp_path / f"{names[1]}.py").write_text(user.format(helper=names[0]))
        return __import__(names[1])

    return written


def texts(*roots):
    """What a fingerprint is taken over, without the names of the modules."""
    closure = module._Closure(roots)
    found = sorted((name, text) for (_, name), text in closure.texts.items())
    return str((found, closure.written)).replace("aid_", "").translate(str.maketrans("", "", "0123456789"))


def test_only_what_is_named_counts(write):
    user = write()
    names = {name for _, name in definitions(user.theory)}
    assert names == {"theory", "LIMIT", "twice", "Scale", "FACTOR"}
    assert {name for _, name in definitions(user.late)} == {"late", "other", "UNUSED"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("return FACTOR * x", "return FACTOR + x"),
        ("FACTOR = 2.0", "FACTOR = math.tau"),
        ("return Scale().by(x)", "return -Scale().by(x)"),
        ("class Scale:", "class Scale(dict):"),
    ],
)
def test_a_change_of_what_is_named_far_away_counts(write, before, after):
    assert texts(write().theory) != texts(write(HELPER.replace(before, after)).theory)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("'''Twice x.'''", "'''Two times x.'''"),
        ("# exactly", "# nearly"),
        ("x: float", "x: int"),
        ("UNUSED = 3.0", "UNUSED = math.pi"),
        ("return x + UNUSED", "return x - UNUSED"),
        ("'''A helper.'''", "'''An aid.'''"),
    ],
)
def test_what_changes_no_number_does_not_count(write, before, after):
    assert texts(write().theory) == texts(write(HELPER.replace(before, after)).theory)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("x must be at least the limit", "x must not lie below the limit", True),
        ('says="a claim"', 'says="a claim, put better"', True),
        ("theory(x) - 1", "theory(x) - 2", True),
        ("theory(x) + 1", "theory(x) + LIMIT", False),
        ("x < LIMIT", "x <= LIMIT", False),
    ],
)
def test_a_lambda_is_told_from_others_in_its_line(write, before, after, same):
    one, other = write(), write(user=USER.replace(before, after))
    assert (texts(one.ROWS[0]["theory"]) == texts(other.ROWS[0]["theory"])) == same


def test_what_a_function_holds_on_to_counts(write):
    user = write()
    assert texts(user.INNER) == texts(user.factory(2))
    assert fingerprint(user.INNER) == fingerprint(user.factory(2))
    assert fingerprint(user.INNER) != fingerprint(user.factory(3))
    assert fingerprint(partial(user.theory, 1)) != fingerprint(partial(user.theory, 2))
    assert {"twice", "Scale"} <= {name for _, name in definitions(user.INNER)}


@pytest.mark.parametrize("other", [[1.0, 2.5], [1.0, 2.0, 3.0]])
def test_arrays_count_by_their_entries(other):
    assert fingerprint(np.array([1.0, 2.0])) == fingerprint(np.array([1.0, 2.0]))
    assert fingerprint(np.array([1.0, 2.0])) != fingerprint(np.array(other))


def test_a_space_counts_by_its_parts(write):
    user = write()
    spaces = [
        Space({"n": sizes}, table(x=Part(("n",))), build)
        for sizes in ((1, 2), (1, 3))
        for build in (user.theory, user.late)
    ]
    assert len({fingerprint(space) for space in spaces}) == 4


SCALED = """
from functools import wraps
from {helper} import FACTOR
def scaled(factor):
    def around(inner):
        @wraps(inner)
        def outer(x):
            return factor * FACTOR * inner(x)
        return outer
    return around
def theory(x):
    return x
ROWS = [scaled(2)(theory), scaled(3)(theory), theory]
"""


def test_a_wrapper_counts_beside_what_it_wraps(write):
    one, other = write(user=SCALED), write(user=SCALED.replace("factor * FACTOR", "factor + FACTOR"))
    assert len({texts(root) + str(fingerprint(root)) for root in one.ROWS}) == 3
    assert texts(one.ROWS[0]) != texts(other.ROWS[0])
    assert {"theory", "FACTOR"} <= {name for _, name in definitions(one.ROWS[0])}


@pytest.mark.parametrize(
    "imports",
    [
        "from {helper} import *",
        "try:\n    from {helper} import twice\nexcept ImportError:\n    twice = None",
        "if True:\n    import {helper}\n    twice = {helper}.twice",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    twice = 1\nelse:\n    from {helper} import twice",
    ],
)
def test_every_way_to_import_is_followed(write, imports):
    user = imports + "\ndef theory(x):\n    return twice(x)\n"
    one, other = write(user=user), write(HELPER.replace("FACTOR * x", "FACTOR - x"), user)
    assert {"twice", "Scale", "FACTOR"} <= {name for _, name in definitions(one.theory)}
    assert texts(one.theory) != texts(other.theory)


def test_imports_within_a_package_are_followed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "walks" / "inner").mkdir(parents=True)
    (tmp_path / "walks" / "__init__.py").write_text("from .inner.deep import theory\n")
    (tmp_path / "walks" / "steps.py").write_text(HELPER)
    (tmp_path / "walks" / "inner" / "__init__.py").write_text("")
    (tmp_path / "walks" / "inner" / "deep.py").write_text(
        "from ..steps import twice\nfrom .. import steps\ndef theory(x):\n    return twice(x) + steps.other(x)\n"
    )
    import walks

    names = {("walks.steps", name) for name in ("twice", "Scale", "FACTOR", "other", "UNUSED")}
    assert definitions(walks.theory) == {("walks.inner.deep", "theory"), *names}


KINDS = """
from dataclasses import dataclass, field
from typing import NamedTuple
class Slotted:
    __slots__ = ("power",)
    def __init__(self, power):
        self.power = power
    def __call__(self, x):
        return x**self.power
class Pair(NamedTuple):
    power: int
    def __call__(self, x):
        return x**self.power
@dataclass(frozen=True)
class Told:
    power: int
    says: str = field(default="", metadata={{"prose": True}})
    def __call__(self, x):
        return x**self.power
"""


@pytest.mark.parametrize("kind", ["Slotted", "Pair", "Told"])
def test_a_value_that_can_be_called_counts_by_its_class_and_by_what_it_holds(write, kind):
    one, other = (getattr(write(user=user), kind) for user in (KINDS, KINDS.replace("x**self", "x*self")))
    assert texts(one(2)) == texts(one(2))
    assert texts(one(2)) != texts(other(2))
    assert fingerprint(one(2)) != fingerprint(one(3))


def test_prose_of_a_value_does_not_count(write):
    told = write(user=KINDS).Told
    assert fingerprint(told(2, "a walk")) == fingerprint(told(2, "a random walk"))


def test_a_function_made_from_a_text_counts_by_its_code():
    made = [eval(f"(lambda: lambda x: x {sign} 1)()", {"__name__": __name__}) for sign in "+-"]
    assert fingerprint(made[0]) != fingerprint(made[1])


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_other_versions_of_python_have_the_same(write, version, tmp_path):
    """A coordinator and workers of different versions have the same code."""
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"there is no Python {version} here")
    user = write(user=USER + "\ndef shown(x):\n    return f'{{x!r:>{{LIMIT}}}} of {{twice(x)}}'\n")
    roots = "theory", "late", "INNER", "shown"
    code = f"from fragility.engine.fingerprint import *; import {user.__name__} as user; "
    code += f"print([fingerprint(getattr(user, name)) for name in {roots}], fingerprint(user.ROWS[0]['theory']))"
    done = subprocess.run(
        [python, "-c", code], env={"PYTHONPATH": f"{ROOT}:{tmp_path}"}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    ours = [fingerprint(getattr(user, name)) for name in roots], fingerprint(user.ROWS[0]["theory"])
    assert done.stdout.split("\n")[0] == f"{ours[0]} {ours[1]}"


def test_effects_of_a_module_count(write):
    loop = HELPER + "\nfor name in ('a', 'b'):\n    print(name, end='')\n"
    plain, eager = write(), write(HELPER + "\nmath.gcd(1, 2)\n")
    assert texts(plain.theory) != texts(eager.theory)
    assert texts(write(loop).theory) != texts(plain.theory)


def test_names_within_a_comprehension_are_not_the_modules(write):
    """They are bound there alone: who uses a variable of that name does not depend on the comprehension."""
    table = "\nTABLE = {x: FACTOR for x in range(3)}\n"
    assert texts(write().theory) == texts(write(HELPER + table).theory)
    held = write(user=USER.replace("LIMIT = 1", "LIMIT, *REST = (x for x in [1, 2])"))
    assert {"LIMIT", "twice"} <= {name for _, name in definitions(held.theory)}


@pytest.mark.parametrize(
    "binding",
    [
        "for LIMIT in [1]:\n    pass",
        "if True:\n    LIMIT = 1",
        "with open('/dev/null') as LIMIT:\n    pass",
        "(LIMIT, _) = 1, 2",
    ],
)
def test_every_statement_that_binds_a_name_is_found(write, binding):
    held = write(user=USER.replace("LIMIT = 1", binding))
    assert "LIMIT" in {name for _, name in definitions(held.theory)}


def test_what_is_installed_is_not_followed():
    assert all(name.partition(".")[0] in {"fragility", "theory", "simulate"} for name, _ in definitions(*_everything()))


def test_every_study_and_claim_has_one_that_is_the_same_in_another_process():
    code = (
        "from fragility.engine.fingerprint import fingerprint; from theory.claims import BOOK; "
        "print([fingerprint(row.theory, row.world, row.replay, row.space) for row in BOOK if row.is_relation])"
    )
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True) for _ in range(2)]
    assert runs[0].stderr == ""
    assert runs[0].stdout == runs[1].stdout
    assert len(set(eval(runs[0].stdout))) > 150


def _everything():
    from simulate.qr_product import STUDY
    from theory.claims import BOOK

    return [*STUDY.methods.values(), *(claim.theory for claim in BOOK)]
