"""An ordered set of claims: the package's own, or one from a file of the user's."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple

from fragility.claim import Claim
from fragility.engine.context import OWN, SUFFIX, Context, current, using
from fragility.engine.study import UsageError

WITNESSES = "witnesses"  # folder of stored counterexamples, beside the book
NAME = "BOOK"  # what a module calls its book


class Paper(NamedTuple):
    """What statements are of: a name for tables, and the title in Markdown."""

    name: str
    title: str = ""


@dataclass(frozen=True)
class Book:
    """Claims in order, the papers that they are of, and where counterexamples are stored.

    Parameters
    ----------
    claims : their ids differ. The first part of an id, up to a full stop, says of which paper a claim is.
    papers : by that first part; one that is not named here is called by it.
    file : `__file__` of the module that states the book.
    witnesses : folder of the counterexamples, a JSON file per id; by default `witnesses` beside the file.

    Raises
    ------
    ValueError : two claims have one id.
    """

    claims: tuple[Claim, ...]
    file: str
    papers: Mapping[str, Paper] = field(default_factory=dict)
    witnesses: Path = Path()

    def __post_init__(self) -> None:
        object.__setattr__(self, "claims", tuple(self.claims))
        if self.witnesses == Path():
            object.__setattr__(self, "witnesses", Path(self.file).parent / WITNESSES)
        ids = [claim.id for claim in self.claims]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"ids of claims must differ, got {', '.join(twice)} more than once")

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def __contains__(self, claim_id: object) -> bool:
        return claim_id in self._by_id

    def __getitem__(self, claim_id: str) -> Claim:
        """The claim of that id.

        Raises
        ------
        UsageError : there is none; the text names what is near.
        """
        if claim_id not in self._by_id:
            near = ", ".join(get_close_matches(claim_id, self._by_id, n=3, cutoff=0.3)) or "none"
            raise UsageError(f"no claim {claim_id}; near it: {near} (python -m theory lists all)")
        return self._by_id[claim_id]

    def about(self, study: str) -> list[Claim]:
        """The claims that speak of what a study records."""
        return [claim for claim in self.claims if claim.study == study]

    def paper(self, claim: Claim) -> Paper:
        """The paper that a claim is of."""
        prefix = claim.id.partition(".")[0]
        return self.papers.get(prefix) or Paper(prefix)

    def place(self, claim_id: str) -> tuple[Path, int] | None:
        """File and line of a claim's row: where its id stands, whole; None if it does not."""
        return self._places.get(claim_id)

    @cached_property
    def _by_id(self) -> Mapping[str, Claim]:
        return {claim.id: claim for claim in self.claims}

    @cached_property
    def _places(self) -> Mapping[str, tuple[Path, int]]:
        """The first place of every string that is an id, in the book's file or, of a package, in all of them."""
        own = Path(self.file)
        found: dict[str, tuple[Path, int]] = {}
        for path in sorted(own.parent.rglob("*.py")) if own.stem == "__init__" else [own]:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    found.setdefault(str(node.args[0].value), (path, node.args[0].lineno))
                elif isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant):
                    found.setdefault(str(node.value.value), (path, node.value.lineno))
        return found


def put_right_after(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims with every correction right after the first statement that it puts right."""
    corrections = {claim.id: claim for claim in claims if claim.status == "corrected"}
    ordered: list[Claim] = []
    for claim in claims:
        if claim.status != "corrected":
            ordered.append(claim)
            ordered += [corrections.pop(name) for name in claim.instead if name in corrections]
    return (*ordered, *corrections.values())


def read() -> Book:
    """The book of the current context; see `load`."""
    return load(current().claims)


@cache
def load(name: str) -> Book:
    """The book that a file of Python states as `BOOK`, or that is called module:NAME; every row of it is complete.

    A file is imported under its own name; of a module without a NAME it is `BOOK`.

    Raises
    ------
    UsageError : there is no such file or module, it cannot be imported, it states no book, or a row lacks something.
    """
    if name == OWN:
        return getattr(import_module(name), NAME)
    is_file = name.endswith(SUFFIX)
    module, colon, attribute = (Path(name).stem if is_file else name).partition(":")
    attribute = attribute if colon else NAME
    words = (*module.split("."), attribute)
    if not is_file and not (all(map(str.isidentifier, words)) and f"{SUFFIX}:" not in name):
        raise UsageError(f"--claims must be a file that can be imported and ends in .py, or module:NAME, got {name!r}")
    try:
        with using(Context(name)):
            book = getattr(import_module(module), attribute, None)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's code raises, and what is no name of a module
        what = "file" if is_file else "module"
        raise UsageError(
            f"--claims must be a {what} that can be imported, got {name}: {_why(error, module)}"
        ) from error
    if not isinstance(book, Book):
        raise UsageError(
            f"--claims must state {attribute} = Book(claims, __file__), got {name} with {type(book).__name__}"
        )
    _check(book)
    return book


def _why(error: BaseException, module: str) -> str:
    """The first line of what importing a module raises, and the last line of the module's own file that led to it."""
    said = (str(error) or type(error).__name__).splitlines()[0]
    stem = module.rpartition(".")[2]
    own = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).stem == stem]
    return f"{type(error).__name__}: {said}{f', in line {own[-1].lineno}' if own else ''}"


def _check(book: Book) -> None:
    """Refuses a book with an incomplete row.

    Raises
    ------
    UsageError : with the first mistake, and where its row stands.
    """
    from fragility.mistakes import mistakes

    found = list(mistakes(book))
    if not found:
        return
    claim, lacking = found[0]
    path, line = book.place(claim) or (Path(book.file), 0)
    more = f"; {len(found) - 1} more of its rows have mistakes" if len(found) > 1 else ""
    row = f"{path.name}{f':{line}' if line else ''}, {claim}"
    raise UsageError(f"--claims must state a book of complete rows, got {row}: {lacking}{more}")
