"""Which code made a record: a hash of the definitions that can change its numbers, wherever they stand.

A root is a function, or a value that holds some. What counts is its own syntax, and the definitions that it names,
directly or not, in all modules that are not installed: the rooms', and those of a user. Comments, docstrings, layout,
annotations, the texts of errors and fields of a dataclass that are marked as prose do not count, for they change no
number; nor does what stands beside a definition in its file and is not named by it.
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeGuard

SILENT = {"annotation", "returns", "type_comment", "type_params", "ctx", "kind"}  # fields that change no number
INSTALLED = {"site-packages", "dist-packages"}  # folders of what does not change
EFFECTS = "<effects>"  # stands for the statements of a module that may do more than bind names
PROSE = "prose"  # key in the metadata of a field that changes no number
Definition = tuple[str, str]  # module and name; of a whole module the name is empty


def fingerprint(*roots: Any) -> str:
    """Twelve hex digits over the roots and all definitions that they name; a module is all that it defines."""
    closure = _Closure(roots)
    digest = hashlib.blake2b(digest_size=6)
    for line in [*closure.written, *(f"{':'.join(key)} {text}" for key, text in sorted(closure.texts.items()))]:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def definitions(*roots: Any) -> set[Definition]:
    """The definitions that a fingerprint of the roots is taken over."""
    return set(_Closure(roots).texts)


class _Closure:
    """What roots come to: texts of definitions, each once, and what the roots are beside those."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self.texts: dict[Definition, str] = {}
        self.written: list[str] = []
        self._seen: dict[int, Any] = {}  # kept, so that no other object gets their place in memory
        self._add_all(roots)

    def add(self, value: Any) -> None:
        """Takes in a value: a function or class by its definition, a container by what it holds."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            self.written.append(repr(value))
        elif id(value) not in self._seen:
            self._seen[id(value)] = value
            self._add_object(value)

    def _add_object(self, value: Any) -> None:
        if isinstance(value, MethodType):
            self.add(value.__self__)
            self.add(value.__func__)
        elif isinstance(value, partial):
            self._add_all((value.func, value.args, value.keywords))
        elif isinstance(value, FunctionType):
            self._add_function(value)
        elif isinstance(value, type):
            self._named(value.__module__, value.__qualname__)
        elif isinstance(value, ModuleType):
            self._follow([(value.__name__, "")])
        elif wrapped := getattr(value, "__wrapped__", None) or getattr(value, "py_func", None):  # cached, or compiled
            self.add(wrapped)
        elif hasattr(value, "tobytes"):  # an array
            self.written.append(f"{value.dtype} {value.shape} {hashlib.blake2b(value.tobytes()).hexdigest()}")
        else:
            self.written.append(getattr(value, "__name__", ""))  # of what is not written in Python
            self.add(type(value))
            self._add_all(_held(value))

    def _add_all(self, values: Iterable[Any]) -> None:
        for value in values:
            self.add(value)

    def _add_function(self, function: FunctionType) -> None:
        """By its name if it has one in its module; else by its syntax and by what it holds on to.

        The names of its code are its own, where a wrapper bears those of what it wraps.
        """
        if hasattr(function, "__wrapped__"):
            self.add(function.__wrapped__)
        module, name = function.__globals__.get("__name__", ""), function.__code__.co_qualname
        if "<" not in name or not _is_followed(module):
            self._named(module, name)
            return
        nodes = _nodes_of(module, function.__code__)
        for node in nodes:
            self.written.append(_written(node))
            self._follow(_module(module).named_in(node))
        if not nodes:  # it was made from a text
            self.written.append(f"{function.__code__.co_code!r} {function.__code__.co_names}")
        cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        self._add_all((*cells, *(function.__defaults__ or ()), function.__kwdefaults__ or {}))

    def _named(self, module: str, name: str) -> None:
        if _is_followed(module):
            self._follow([(module, name.partition(".")[0])])
        else:
            self.written.append(f"{module} {name}")

    def _follow(self, found: Iterable[Definition]) -> None:
        pending = list(found)
        while pending:
            module, name = pending.pop()
            if (module, name) in self.texts or not _is_followed(module):
                continue
            if name and not _module(module).states(name):
                self._found_at_work(module, name)
                continue
            self.texts[module, name], named = _definition(module, name)
            pending += named

    def _found_at_work(self, module: str, name: str) -> None:
        """A name that no statement of its module binds: one that the module gives when it is asked."""
        self.texts[module, name] = ""
        self.add(getattr(import_module(module), name, None))


@dataclass(frozen=True)
class _Module:
    """The syntax of a module: statements by the names that they bind, and where its imports are from."""

    name: str
    package: str
    tree: ast.Module
    bound: Mapping[str, list[ast.stmt]]
    imports: Mapping[str, Definition]

    def states(self, name: str) -> bool:
        """Whether a statement of the module binds the name."""
        return name in self.bound or name in self.imports

    def definition(self, name: str) -> tuple[str, list[Definition]]:
        """The text of what binds a name, and what it names in turn; of the whole module for an empty name.

        Loops, conditions and calls are run whatever is imported of the module, and belong to each of its names.
        """
        effects = [(self.name, EFFECTS)] if EFFECTS in self.bound else []
        if name in self.imports and name not in self.bound:
            return "", [self.imports[name], *effects]
        nodes = self.bound[name] if name else self.tree.body
        named = [found for node in nodes for found in self.named_in(node)]
        return "".join(map(_written, nodes)), [*named, *effects]

    def named_in(self, node: ast.AST) -> list[Definition]:
        """The definitions of followed modules that a piece of syntax names."""
        local = dict(self.imports)
        for inner in ast.walk(node):
            local |= dict(_imported(inner, self.package))
        found: list[Definition] = []
        parts = {id(inner.value) for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
        for inner in _counted(node):
            if isinstance(inner, ast.Attribute) and (chain := _chain(inner)) and id(inner) not in parts:
                found += self._resolved(chain, local)
            elif isinstance(inner, ast.Name) and id(inner) not in parts:
                found += self._resolved([inner.id], local)
        return found

    def _resolved(self, chain: list[str], local: Mapping[str, Definition]) -> list[Definition]:
        """What a name, or a name with attributes, stands for."""
        head, *rest = chain
        if head not in local:
            return [(self.name, head)] if head in self.bound else []
        module, name = local[head]
        while not name and rest:
            step = rest.pop(0)
            module, name = (f"{module}.{step}", "") if _is_module(f"{module}.{step}") else (module, step)
        return [(module, name)]


@cache  # a process that outlives a change of the files goes on with what it has loaded
def _module(name: str) -> _Module:
    tree = ast.parse(_file(name).read_text("utf-8"))
    tree.body = [inner for node in tree.body for inner in (node.orelse if _is_guard(node) else [node])]
    bound: dict[str, list[ast.stmt]] = {}
    imports: dict[str, Definition] = {}
    package = name if _is_package(name) else name.rpartition(".")[0]
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for inner in ast.walk(node):
                imports |= dict(_imported(inner, package))
        if not (_is_text(node) or isinstance(node, ast.Import | ast.ImportFrom)):
            for target in dict.fromkeys(_targets(node)):
                bound.setdefault(target, []).append(node)
    return _Module(name, package, tree, bound, imports)


@cache
def _definition(module: str, name: str) -> tuple[str, list[Definition]]:
    return _module(module).definition(name)


def _targets(node: ast.AST) -> Iterator[str]:
    """The names that a statement of a module binds, and `EFFECTS` if it may do something else."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    bound = [*getattr(node, "targets", ()), getattr(node, "target", None)]
    bound += [item.optional_vars for item in getattr(node, "items", ())]
    names = [name.id for target in bound if target for name in ast.walk(target) if _is_stored(name)]
    yield from names
    if not (names and isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)):
        yield EFFECTS
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _targets(inner)


def _is_stored(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def _imported(node: ast.AST, package: str) -> Iterator[tuple[str, Definition]]:
    """The names that an import in a package binds, with what they stand for; of modules that are followed."""
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        module = ".".join([*above, *([node.module] if node.module else [])])
        if not _is_followed(module):
            return
        for alias in node.names:
            inner = f"{module}.{alias.name}"
            if alias.name == "*":
                held = _module(module)
                yield from ((name, (module, name)) for name in {**held.bound, **held.imports} if name != EFFECTS)
            else:
                yield alias.asname or alias.name, (inner, "") if _is_module(inner) else (module, alias.name)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if _is_followed(alias.name):
                name = alias.name if alias.asname else alias.name.partition(".")[0]
                yield alias.asname or name, (name, "")


def _chain(node: ast.Attribute) -> list[str]:
    """The names in a.b.c; none if it starts with anything but a name."""
    names = [node.attr]
    inner: ast.expr = node.value
    while isinstance(inner, ast.Attribute):
        names.append(inner.attr)
        inner = inner.value
    return [inner.id, *reversed(names)] if isinstance(inner, ast.Name) else []


def _nodes_of(module: str, code: CodeType) -> list[ast.AST]:
    """The syntax of a function without a name of its own in its module: an inner function, or a lambda."""
    nodes: list[ast.AST] = []
    for node in ast.walk(_module(module).tree):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == code.co_firstlineno:
                nodes.append(node)
        elif isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            nodes.append(node)
    if len(nodes) > 1:  # several lambdas in one line: the one whose body the code is of
        start = min((line, column) for line, _, column, _ in code.co_positions() if line and column)
        within = [node for node in nodes if _begins(node) <= start]
        nodes = [max(within, key=_begins)] if within else nodes
    return nodes


def _begins(node: Any) -> tuple[int, int]:
    body = node.body if isinstance(node, ast.Lambda) else node.body[0]
    return body.lineno, body.col_offset


def _counted(node: ast.AST) -> Iterator[ast.AST]:
    """A piece of syntax and all pieces of it that can change a number."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in SILENT:
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, ast.AST) and not _is_text(inner):
                    yield from _counted(inner)


def _written(node: Any) -> str:
    """The syntax as text, the same in every version of Python."""
    if isinstance(node, list):
        return "".join(_written(inner) for inner in node if not _is_text(inner))
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.JoinedStr):  # some versions put empty texts between its parts
        parts = [part for part in node.values if not (isinstance(part, ast.Constant) and part.value == "")]
        return f"JoinedStr({_written(parts)})"
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        return f"Raise({_written(node.exc.func)})"
    held = [(name, value) for name, value in ast.iter_fields(node) if name not in SILENT and value not in (None, [])]
    return f"{type(node).__name__}({','.join(f'{name}={_written(value)}' for name, value in held)})"


def _is_text(node: Any) -> bool:
    """Whether it is a statement of nothing but a text: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_guard(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether it is a condition that nobody meets who imports the module."""
    return isinstance(node, ast.If) and any(
        isinstance(inner, ast.Name) and inner.id in ("__name__", "TYPE_CHECKING") for inner in ast.walk(node.test)
    )


def _held(value: Any) -> Iterator[Any]:
    """What a value holds: entries of a container, fields and attributes that are no prose."""
    if isinstance(value, Mapping):
        yield from (*value.keys(), *value.values())
    elif isinstance(value, list | tuple):
        yield from value
    elif isinstance(value, set | frozenset):
        yield from sorted(map(repr, value))
    elif is_dataclass(value):
        yield from (getattr(value, field.name) for field in fields(value) if not field.metadata.get(PROSE))
    else:
        slots = {name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())}
        yield from (getattr(value, name, None) for name in sorted(slots | {*getattr(value, "__dict__", ())}))


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018, for it raises where the cell is empty
    except ValueError:
        return False
    return True


@cache
def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ModuleNotFoundError, ValueError):  # a part of the name is no package, or it is that of a script
        return False


def _is_package(name: str) -> bool:
    spec = find_spec(name)
    return spec is not None and spec.submodule_search_locations is not None


@cache
def _is_followed(name: str) -> bool:
    """Whether a name is that of a module whose code may change: one of this package's rooms, or a user's."""
    spec = find_spec(name) if _is_module(name) else None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return False
    path = Path(spec.origin)
    if set(path.parts) & INSTALLED:
        return name.partition(".")[0] in _rooms()
    return not any(path.is_relative_to(sysconfig.get_paths()[folder]) for folder in ("stdlib", "platstdlib"))


@cache
def _rooms() -> set[str]:
    """Packages that were installed together with this one."""
    try:
        return {Path(file).parts[0] for file in files(__package__.partition(".")[0]) or ()}
    except PackageNotFoundError:
        return set()


def _file(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module {name}", name=name)
    return Path(spec.origin)
