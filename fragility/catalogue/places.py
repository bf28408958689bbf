"""Where the code behind a claim stands: file and line of a function, or of a variable; and the figure of its study."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fragility.claim import Claim


def implementation(claim: Claim) -> tuple[str, str, int]:
    """Module, qualified name and line of the function that holds the claim's formula; 0 if it is not in Python."""
    function = _written(claim.code or claim.theory)
    try:
        line = inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        line = 0
    return _module(function), function.__qualname__, line


def resting_on(name: str, claims: Iterable[Claim]) -> list[Claim]:
    """The claims that a function, a file or a study is behind: the way back from code to what it is for.

    Parameters
    ----------
    name : of a function, such as last_law; of a file, such as theory/products/qr_product.py, or its module; of a study.
    """
    module = name.removesuffix(".py").replace("/", ".")
    found = []
    for claim in claims:
        functions = [_written(function) for function in (claim.code, claim.theory, claim.world) if function]
        names = {part for function in functions for part in (_module(function), function.__qualname__)}
        if {name, module} & {*names, claim.study}:
            found.append(claim)
    return found


def function_place(function: Callable[..., Any]) -> str:
    """File, line and name of a function; only its name where it is not written in Python."""
    function = _written(function)
    try:
        file, line = inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        file = None
    return f"{located(Path(file), line)} {function.__qualname__}" if file else function.__qualname__


def variable_place(value: Any) -> str:
    """File, line and name of the variable of a module that a value is first assigned to; empty if there is none."""
    for module in list(sys.modules.values()):
        names = [name for name, held in getattr(module, "__dict__", {}).items() if held is value]
        file = getattr(module, "__file__", None)
        if not names or not file:
            continue
        for node in ast.parse(Path(file).read_text("utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Name) and target.id in names:
                    return f"{located(Path(file), node.lineno)} {target.id}"
    return ""


def figure(study: str) -> str:
    """Module of the figure of a study, such as "figures.qr_product" of "simulate.qr_product".

    Where the room stands before the name there is a figure of its own for this room: "figures.empirical_conditioning".
    """
    room, _, name = study.rpartition(".")
    own = f"figures.{room}_{name}"
    return own if find_spec(own) else f"figures.{name}"


def located(file: Path, line: int) -> str:
    """The line of a file as a terminal links it, relative to the working directory if the file lies within."""
    here = Path.cwd()
    shown = file.resolve().relative_to(here) if file.resolve().is_relative_to(here) else file
    return f"{shown}:{line}"


def _written(function: Callable[..., Any]) -> Any:
    """The function that a wrapper or a partial application calls; of an object that can be called, its class."""
    while isinstance(function, partial):
        function = function.func
    function = inspect.unwrap(function)
    return function if hasattr(function, "__qualname__") else type(function)


def _module(function: Any) -> str:
    """The module that a function says it is of; some that are not written in Python say none."""
    return getattr(function, "__module__", None) or ""
