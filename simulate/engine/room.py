"""What can be run in a room: its modules with a main block, and the first line of what they say of themselves."""

from __future__ import annotations

import ast
from pathlib import Path

GUARD = 'if __name__ == "__main__"'


def listing(package: str, folder: Path) -> str:
    """A line per command `python -m package.name`."""
    texts = {path.stem: path.read_text() for path in folder.glob("*.py") if path.stem != "__main__"}
    commands = {name: _first_line(text) for name, text in texts.items() if GUARD in text}
    commands |= {path.parent.name: _first_line(path.read_text()) for path in folder.glob("*/__main__.py")}
    width = max(map(len, commands), default=0)
    return "\n".join(f"python -m {package}.{name.ljust(width)}  {says}" for name, says in sorted(commands.items()))


def studies(room: str = "simulate") -> list[str]:
    """Names of all studies of a room."""
    folder = Path(__file__).parent.parent.parent / room
    return [path.stem for path in sorted(folder.glob("*.py")) if "\nSTUDY = " in path.read_text()]


def _first_line(text: str) -> str:
    return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
