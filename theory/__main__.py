"""`python -m theory`: the table of claims, one claim, a counterexample replayed, or any law and bound evaluated."""

from __future__ import annotations

import argparse
import inspect
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from fragility.command.ending import guarded
from fragility.command.flags import Parser, add_claims_flag, argument
from fragility.engine.files import StorageError, reason
from fragility.engine.study import UsageError, integer
from theory.evaluations import EVALUATIONS

if TYPE_CHECKING:
    from fragility.book import Book
    from fragility.claim import Claim

DRAWING = "figures.shared.law"  # draws --plot, by name: a room imports nothing to its right
MOST_BYTES = 2**30  # of all arrays of a file together
METAVARS = {"int": "K", "float": "X", "Heights": "K,K", "Arrays": "FILE"}
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


def main() -> None:
    flags = vars(_parser().parse_args())
    if code := guarded("theory", lambda: _answered(flags), keeps=False):
        sys.exit(code)


def _parser() -> Parser:
    parser = Parser(
        prog="python -m theory",
        description="Without arguments: every statement of the papers, with its status. With a name: its value.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of text")
    add_claims_flag(parser)
    parser.add_argument("--claim", metavar="ID", help="all about one claim; a prefix such as joint. shows its rows")
    parser.add_argument("--uses", metavar="NAME", help="rows that a function, a file or a study is behind")
    parser.add_argument("--replay", metavar="ID", help="replay the counterexample to a claim that fails, exactly")
    parser.add_argument("--defects", action="store_true", help="what is wrong in the papers, a sentence each")
    parser.add_argument("--markdown", action="store_true", help="of --defects: a page with quotes and counterexamples")
    names = parser.add_subparsers(dest="evaluation", metavar="NAME", title="laws and bounds, each with --help")
    for name, function in EVALUATIONS.items():
        says = (inspect.getdoc(function) or "").split("\n")[0]
        evaluation = names.add_parser(name, help=says, description=says, allow_abbrev=False)
        for parameter in inspect.signature(function).parameters.values():
            required = parameter.default is parameter.empty
            evaluation.add_argument(
                f"--{parameter.name.replace('_', '-')}",
                type=_reader(parameter),
                required=required,
                default=None if required else parameter.default,
                metavar=METAVARS[parameter.annotation],
                help="needed" if required else f"default {parameter.default!r}",
            )
        if inspect.signature(function).return_annotation == "Law":
            evaluation.add_argument(
                "--at", type=_numbers, default=(), metavar="X,X", help="probabilities at these points"
            )
            evaluation.add_argument(
                "--plot",
                nargs="?",
                type=Path,
                const=Path(f"results/figures/{name}.png"),
                metavar="FILE",
                help="draw the law (default results/figures/NAME.png)",
            )
        evaluation.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,  # left out here, it must not undo a --json that stands before the name
            help="one JSON document instead of text",
        )
    return parser


def _reader(parameter: inspect.Parameter) -> Any:
    return {"int": _whole, "float": _number, "Heights": _wholes, "Arrays": Path}[parameter.annotation]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, got {text!r}") from None


_whole = argument(lambda text: integer(text, None, "it"))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(_number, text.split(",")))


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(map(_whole, text.split(",")))


def _answered(flags: dict[str, Any]) -> int:
    try:
        answer = _answer(flags)
    except ValueError as error:
        from fragility.witness import DamagedWitnessError, ReplayError  # here, since it needs NumPy and --help does not

        if isinstance(error, ReplayError) and not isinstance(error, DamagedWitnessError):
            raise UsageError(str(error)) from None
        raise
    print(answer, flush=True)
    return 0


def _answer(flags: dict[str, Any]) -> str:
    if flags["evaluation"]:
        return _evaluate(flags)
    if flags["markdown"] and not flags["defects"]:
        raise UsageError("--markdown must come with --defects: make docs builds pages of all rows")

    from fragility.book import load
    from fragility.catalogue import rows
    from fragility.catalogue.places import resting_on
    from fragility.claim import FAULTS
    from fragility.engine.context import Context

    book = load(Context(flags["claims"]).claims)
    if flags["markdown"]:
        from fragility.catalogue.pages import defects_page

        return defects_page(book)
    if flags["defects"]:
        faulty = [rows.plain(claim, book) for claim in book if claim.status in FAULTS]
        return json.dumps(faulty, indent=1) if flags["json"] else rows.faults(book)
    if flags["replay"]:
        return _replay(book[flags["replay"]], book, flags["json"])
    if flags["uses"]:
        return _shown(resting_on(flags["uses"], book), book, flags)
    named = flags["claim"]
    if named in book and not flags["json"]:
        return rows.page(book[named], book)
    starting = [claim for claim in book if claim.id.startswith(named or "")]
    return _shown([book[named]] if named in book else starting or [book[named]], book, flags)


def _shown(claims: Sequence[Claim], book: Book, flags: Mapping[str, Any]) -> str:
    from fragility.catalogue.rows import table
    from fragility.tables import plain_rows, text

    if not claims:
        raise UsageError(f"--uses must name a function, a file or a study behind a claim, got {flags['uses']}")
    made = table(claims, book)
    return json.dumps(plain_rows(made), indent=1) if flags["json"] else text(made)


def _replay(claim: Claim, book: Book, as_json: bool) -> str:
    from fragility.catalogue.rows import LOST, meaning
    from fragility.witness import hypotheses, replay, stored

    folder = book.witnesses
    (left, right), world, met = replay(claim, folder), stored(claim.id, folder), hypotheses(claim, folder)
    if as_json:
        sides = {"left": str(left), "right": str(right)}
        return json.dumps({"claim": claim.id, "world": world, "hypotheses": list(met), **sides}, indent=1)
    relation, stated = ("!=", "==") if claim.kind == "identity" else (">", "<=")
    return "\n".join(
        [
            f"{claim.id}: {claim.says}",
            *(f'  quoted    "{quote.words}" ({quote.place})' for quote in claim.quotes),
            *([f"  read      {claim.reading}{f' ({LOST})' if claim.reconstructed else ''}"] if claim.reading else []),
            *(f"  {name} = {json.dumps(value).replace(chr(34), '')}" for name, value in world.items()),
            *(f"  meets     {name}" for name in met),
            f"  stated    left {stated} right",
            f"  exactly   {left} {relation} {right}",
            *([f"  for every constant: {claim.argument}"] if claim.argument else []),
            f"{claim.standing}: {meaning(claim)}",
            *(f"what holds: {name}" for name in claim.instead),
        ]
    )


def _evaluate(flags: dict[str, Any]) -> str:
    name, function = flags["evaluation"], EVALUATIONS[flags["evaluation"]]
    given = {parameter: flags[parameter] for parameter in inspect.signature(function).parameters}
    arguments = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
    answer = _evaluated(function, given, flags)
    if flags["json"]:
        plain = {
            key: number if not isinstance(number, float) or math.isfinite(number) else str(number)
            for key, number in answer.items()
        }
        return json.dumps({"evaluation": name, "arguments": arguments, **plain}, indent=1)
    shown = ", ".join(f"{key} = {value}" for key, value in arguments.items() if value != ())
    width = max(map(len, answer))
    lines = [
        f"  {key.ljust(width)}  {number:.10g}" if isinstance(number, float) else f"  {key.ljust(width)}  {number}"
        for key, number in answer.items()
    ]
    return "\n".join([f"{name}: {shown}", *lines])


def _evaluated(function: Callable[..., Any], given: Mapping[str, Any], flags: Mapping[str, Any]) -> dict[str, Any]:
    """What a function of `EVALUATIONS` gives, none of it NaN; of a law its summary, and its picture if that is wanted.

    Raises
    ------
    UsageError : a formula refuses its arguments, or they lead out of the range of floating point.
    """
    import warnings

    from fragility.command.flags import silenced  # what solvers print must not reach stdout, which is the result's
    from fragility.law import Law

    with silenced(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an overflow shows in the numbers, which are looked at
        try:
            value = function(**{key: _read(path) if isinstance(path, Path) else path for key, path in given.items()})
            if isinstance(value, Law):
                answer = _summary(value, flags["at"])
            else:
                answer = dict(value) if isinstance(value, Mapping) else {"value": value}
            _existing(answer)
            if flags.get("plot"):
                shown = {key: entry for key, entry in given.items() if entry != ()}
                answer["picture"] = str(
                    import_module(DRAWING).picture(value, flags["evaluation"], shown, flags["plot"])
                )
        except (UsageError, StorageError):
            raise
        except (ValueError, ArithmeticError) as error:  # of a formula, on arguments that are none
            raise UsageError(reason(error)) from None
    return answer


def _existing(answer: Mapping[str, Any]) -> None:
    """Refuses what left the range of floating point on the way."""
    for key, number in answer.items():
        if isinstance(number, float) and math.isnan(number):
            raise UsageError(f"numbers must stay within floating point, got none for {key}: take less extreme ones")


def _read(path: Path) -> dict[str, Any]:
    """Arrays of numbers in a .npy or .npz file, as they are stored; nothing in it is executed.

    Raises
    ------
    UsageError : it cannot be read, holds something else, or would take more than `MOST_BYTES`.
    """
    import numpy as np

    try:
        with _regular(path) as file:
            loaded = np.load(_sized(path, file), allow_pickle=False)
            found = {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"{path} must be a .npy or .npz file that can be read: {reason(error)}") from None
    except Exception as error:  # whatever a damaged head, zip or pickle makes NumPy raise
        raise UsageError(f"{path} must be a .npy or .npz file of numbers, got: {type(error).__name__}") from None
    arrays = {name: np.asarray(array) for name, array in found.items()}  # a member that is no array comes as bytes
    foreign = [name for name, array in arrays.items() if array.dtype.kind not in "biufc"]
    if foreign:
        raise UsageError(f"{path} must hold numbers, got {arrays[foreign[0]].dtype} in {foreign[0] or 'it'}")
    return arrays


def _regular(path: Path) -> IO[bytes]:
    """The file, open, and no folder or device: the one has no bytes, the other may have no end."""
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} must be a .npy or .npz file, got a {'folder' if path.is_dir() else 'device'}")
    return open(path, "rb")


def _sized(path: Path, file: IO[bytes]) -> IO[bytes]:
    """The file at its beginning, if its arrays, as it announces them, are small enough to be read."""
    from zipfile import ZipFile, is_zipfile

    sizes = [path.stat().st_size]
    if is_zipfile(file):
        with ZipFile(file) as archive:
            sizes.append(sum(member.file_size for member in archive.infolist()))
            if max(sizes) <= MOST_BYTES:
                sizes += [_announced(archive.open(member)) for member in archive.infolist()]
    elif sizes[0] <= MOST_BYTES:
        file.seek(0)
        sizes.append(_announced(file))
    if max(sizes) > MOST_BYTES:
        raise UsageError(f"{path} must hold at most {MOST_BYTES:,} bytes of numbers, got {max(sizes):,}")
    file.seek(0)
    return file


def _announced(file: IO[bytes]) -> int:
    """Bytes of the array at the beginning of a file, as its head says; 0 where there is no head."""
    from numpy.lib import format as heads

    try:
        version = heads.read_magic(file)
        shape, _, dtype = (heads.read_array_header_1_0 if version == (1, 0) else heads.read_array_header_2_0)(file)
    except (ValueError, EOFError):
        return 0
    return math.prod(shape) * dtype.itemsize


def _summary(law: Any, points: tuple[float, ...]) -> dict[str, Any]:
    """Mean, standard deviation, quantiles, and probabilities and density at `points`."""
    answer = {"mean": float(law.mean()), "sd": float(law.std())}
    quantiles = {f"quantile {q:g}": float(law.ppf(q)) for q in QUANTILES}
    for key, value in quantiles.items():
        if not sys.float_info.min <= abs(value) < math.inf:
            raise UsageError(
                f"the law must lie within floating point, got {value:g} for its {key}: choose another scale"
            )
    answer |= quantiles
    for x in points:
        if math.isnan(x):
            raise UsageError(f"--at must be numbers, got {x}")
        answer |= {
            f"P(X <= {x:g})": float(law.cdf(x)),
            f"P(X > {x:g})": float(law.sf(x)),
            f"density at {x:g}": float(law.pdf(x)),
        }
    return answer


if __name__ == "__main__":
    main()
