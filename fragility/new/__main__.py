"""Writes a file of claims to start from: a law and a bound, which run at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from fragility.command.ending import guarded
from fragility.command.flags import Parser
from fragility.engine.study import UsageError

TEMPLATE = "template"  # stands in the file for its name
NEXT = {
    "theory --claims {name}.py": "lists its rows",
    "simulate.verify --claims {name}.py": "judges them",
    "simulate.hunt {name}.change --claims {name}.py": "looks for a counterexample of the bound",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the file and prints what to do with it; returns the exit code."""
    parser = Parser(
        prog="python -m fragility.new",
        description="Writes a file of claims to start from: a law and a bound, which run at once.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="of the file, without .py, and of its study")
    flags = parser.parse_args(arguments)
    return guarded("fragility.new", lambda: _written(flags.name), keeps=False)


def _written(name: str) -> int:
    from fragility.engine.files import write_alone

    path = Path(f"{name}.py")
    if not name.isidentifier() or iskeyword(name):
        raise UsageError(f"NAME must be a name that Python can import, such as walk, got {name!r}")
    if path.exists():
        raise UsageError(f"NAME must be of a file that is not there yet, got {name}: {path} is")
    if find_spec(name):
        raise UsageError(f"NAME must be a name of its own, got {name}, which is that of a module: choose another")
    text = Path(__file__).with_name(f"{TEMPLATE}.py").read_text("utf-8")
    write_alone(path, text.replace(TEMPLATE, name).encode())
    commands = {f"python -m {command.format(name=name)}": says for command, says in NEXT.items()}
    width = max(map(len, commands))
    lines = (f"{command.ljust(width)}  {says}" for command, says in commands.items())
    print(
        "\n".join([f"{path} holds a law and a bound on linear classifiers, to be replaced by yours:", *lines]),
        flush=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
