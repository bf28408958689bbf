"""What can be run in a room: its modules with a main block, and the first line of what they say of themselves."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from fragility.engine.shard import find_study

GUARD = 'if __name__ == "__main__"'


def listing(package: str, folder: Path) -> str:
    """A line per command `python -m package.name`."""
    texts = {path.stem: path.read_text() for path in folder.glob("*.py") if path.stem != "__main__"}
    commands = {name: _first_line(text) for name, text in texts.items() if GUARD in text}
    commands |= {path.parent.name: _first_line(path.read_text()) for path in folder.glob("*/__main__.py")}
    width = max(map(len, commands), default=0)
    return "\n".join(f"python -m {package}.{name.ljust(width)}  {says}" for name, says in sorted(commands.items()))


def studies(room: str) -> list[str]:
    """Names of all studies of a room, which are imported to be found."""
    names = [f"{room}.{entry.name}" for entry in iter_modules(import_module(room).__path__) if entry.name != "__main__"]
    return [name for name in names if _is_study(name)]


def _is_study(name: str) -> bool:
    try:
        return bool(find_study(name))
    except LookupError:
        return False


def _first_line(text: str) -> str:
    return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
