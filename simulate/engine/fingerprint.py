"""Which code made a record: a hash of every module of this project that can change a study's numbers."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOMS = ("theory", "simulate", "empirical")


def fingerprint(*modules: str) -> str:
    """Twelve hex digits over the syntax of `modules` and of all modules of the rooms that they import.

    Comments, docstrings, layout and what stands under `if __name__ == "__main__"` do not count: they cannot
    change a number.
    """
    digest = hashlib.blake2b(digest_size=6)
    for name, tree in sorted(closure(*modules).items()):
        digest.update(f"{name}\n{ast.dump(tree)}\n".encode())
    return digest.hexdigest()


def closure(*modules: str) -> dict[str, ast.Module]:
    """Syntax trees of `modules` and of everything in the rooms that they import, directly or not."""
    pending, trees = list(modules), {}
    while pending:
        name = pending.pop()
        if name not in trees:
            trees[name] = _code(name)
            pending += _imports(trees[name])
    return trees


@cache  # a process that outlives a change of the files goes on with what it has loaded
def _code(module: str) -> ast.Module:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {module}")
    tree = ast.parse(Path(spec.origin).read_text())
    tree.body = [node for node in tree.body if not _is_guard(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return tree


def _is_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ("__main__" in ast.dump(node.test) or "TYPE_CHECKING" in ast.dump(node.test))


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS:
            yield node.module
            for alias in node.names:
                if find_spec(node.module).submodule_search_locations and find_spec(f"{node.module}.{alias.name}"):  # type: ignore[union-attr]
                    yield f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in ROOMS)
