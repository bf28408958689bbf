"""What a shard needs from outside and what is no coordinate of it: which book, which folders, which file of weights.

It travels with the shard, to the threads of this process and to workers elsewhere, whose environment is another.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fragility.engine.study import UsageError

DATA = "FRAGILITY_DATA"  # environment variable that names a folder of data sets where no flag does
OWN = "theory.claims"  # the book that is judged unless a file is named; by name, since the instrument imports no room
CHECKPOINTS = Path("results/checkpoints")
SUFFIX = ".py"  # of a book that is a file


@dataclass(frozen=True)
class Context:
    """Where things from outside are; paths are made absolute, since a worker has a working directory of its own.

    Parameters
    ----------
    claims : the book: a file of Python that ends in .py, beside which modules are found as well; or module:NAME, what
        a module calls it, which is BOOK where no name is given.
    data : folder of data sets; None for the cache.
    checkpoints : folder of networks that are being trained, or were.
    weights : file of a network's weights; None for those that the network comes with.
    folder : where a book that is a module is looked for as well: that in which the command runs.
    """

    claims: str = OWN
    data: Path | None = None
    checkpoints: Path = CHECKPOINTS
    weights: Path | None = None
    folder: Path | None = None

    def __post_init__(self) -> None:
        if self.claims.endswith(SUFFIX):
            object.__setattr__(self, "claims", str(Path(self.claims).absolute()))
        elif self.claims != OWN and self.folder is None:
            object.__setattr__(self, "folder", Path.cwd())
        for name in ("data", "checkpoints", "weights"):
            if (path := getattr(self, name)) is not None:
                object.__setattr__(self, name, Path(path).expanduser().absolute())


_HELD: ContextVar[Context | None] = ContextVar("context", default=None)


def current() -> Context:
    """The context of this thread; outside all of them, what the environment says of this machine."""
    return _HELD.get() or Context(data=data_named())


def data_named() -> Path | None:
    """The folder of data sets that the environment names, if any."""
    named = os.environ.get(DATA)
    return Path(named) if named else None


@contextmanager
def using(context: Context) -> Iterator[None]:
    """Makes a context the current one of this thread, until the block ends.

    Raises
    ------
    UsageError : its book is a file that is not there, or one that cannot be imported under its name.
    """
    if context.claims.endswith(SUFFIX):
        _reach(Path(context.claims))
    elif context.folder:
        _append(context.folder)
    token = _HELD.set(context)
    try:
        yield
    finally:
        _HELD.reset(token)


@cache
def _reach(book: Path) -> None:
    """Lets the book, and what stands beside it, be imported: after all other modules, so that it hides none."""
    if not book.is_file():
        raise UsageError(f"--claims must be a file of Python that states a book, got {book}: there is none")
    held = find_spec(book.stem) if book.stem.isidentifier() else None
    if not book.stem.isidentifier() or (held and held.origin and Path(held.origin).resolve() != book.resolve()):
        raise UsageError(f"--claims must have a name of its own that Python can import, got {book}: rename it")
    _append(book.parent)


def _append(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def called(claims: str) -> str:
    """What a book is called in the name of a file: by the stem of its own, or by its module and its name there."""
    return Path(claims).stem if claims.endswith(SUFFIX) else claims.replace(":", "-")
