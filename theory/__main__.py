"""`python -m theory`: the table of claims, one claim, a counterexample replayed, or any law and bound evaluated."""

from __future__ import annotations

import argparse
import inspect
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from fragility.command.flags import add_claims_flag
from theory.evaluations import EVALUATIONS

if TYPE_CHECKING:
    from fragility.book import Book
    from fragility.claim import Claim
    from fragility.law import Law

USAGE, UNAVAILABLE = 2, 3
DRAWING = "figures.shared.law"  # draws --plot, by name: a room imports nothing to its right
METAVARS = {"int": "K", "float": "X", "Heights": "K,K", "Arrays": "FILE"}
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Parser(argparse.ArgumentParser):
    """One line per usage error."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message}\n")


def main() -> None:
    parser = _parser()
    flags = vars(parser.parse_args())
    try:
        print(_answer(flags), flush=True)
    except BrokenPipeError:  # whoever read the table has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        from fragility.witness import DamagedWitnessError  # here, since it needs NumPy and --help does not

        code = UNAVAILABLE if isinstance(error, DamagedWitnessError) else USAGE
        parser.exit(code, f"{parser.prog}: {error}\n")


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
        raise argparse.ArgumentTypeError(f"must be a number, got {text}") from None


def _whole(text: str) -> int:
    from fragility.engine.study import UsageError, integer  # what the other rooms' commands read as an integer

    try:
        return integer(text, None, "it")
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(_number, text.split(",")))


def _wholes(text: str) -> tuple[int, ...]:
    return tuple(map(_whole, text.split(",")))


def _answer(flags: dict[str, Any]) -> str:
    if flags["evaluation"]:
        return _evaluate(flags)

    from fragility.book import load
    from fragility.catalogue import rows
    from fragility.catalogue.places import resting_on
    from fragility.claim import FAULTS
    from fragility.engine.context import Context

    book = load(Context(flags["claims"]).claims)
    if flags["markdown"]:
        from fragility.catalogue.pages import defects_page

        if not flags["defects"]:
            raise ValueError("--markdown must come with --defects: make docs builds pages of all rows")
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
        raise ValueError(f"--uses must name a function, a file or a study behind a claim, got {flags['uses']}")
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
    from fragility.command.flags import silenced  # what solvers print must not reach stdout, which is the result's
    from fragility.law import Law

    name, function = flags["evaluation"], EVALUATIONS[flags["evaluation"]]
    given = {parameter: flags[parameter] for parameter in inspect.signature(function).parameters}
    with silenced():
        value = function(
            **{key: _read(argument) if isinstance(argument, Path) else argument for key, argument in given.items()}
        )
    arguments = {key: str(argument) if isinstance(argument, Path) else argument for key, argument in given.items()}
    if isinstance(value, Law):
        answer = _summary(value, flags["at"])
    else:
        answer = dict(value) if isinstance(value, Mapping) else {"value": value}
    if flags.get("plot"):
        drawing = import_module(DRAWING)
        answer["picture"] = str(drawing.picture(value, name, arguments, flags["plot"]))
    if flags["json"]:
        plain = {
            key: number if not isinstance(number, float) or math.isfinite(number) else str(number)
            for key, number in answer.items()
        }
        return json.dumps({"evaluation": name, "arguments": arguments, **plain}, indent=1)
    shown = ", ".join(f"{key} = {argument}" for key, argument in arguments.items() if argument != ())
    width = max(map(len, answer))
    lines = [
        f"  {key.ljust(width)}  {number:.10g}" if isinstance(number, float) else f"  {key.ljust(width)}  {number}"
        for key, number in answer.items()
    ]
    return "\n".join([f"{name}: {shown}", *lines])


def _read(path: Path) -> dict[str, Any]:
    """Arrays of numbers in a .npy or .npz file, as they are stored; nothing in it is executed."""
    import numpy as np

    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            found = {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except OSError as error:
        raise ValueError(f"{path} must be a .npy or .npz file that can be read: {error.strerror or error}") from None
    except Exception as error:  # whatever a damaged head, zip or pickle makes NumPy raise
        raise ValueError(f"{path} must be a .npy or .npz file of numbers, got: {type(error).__name__}") from None
    arrays = {name: np.asarray(array) for name, array in found.items()}  # a member that is no array comes as bytes
    foreign = [name for name, array in arrays.items() if array.dtype.kind not in "biufc"]
    if foreign:
        raise ValueError(f"{path} must hold numbers, got {arrays[foreign[0]].dtype} in {foreign[0] or 'it'}")
    return arrays


def _summary(law: Law, points: tuple[float, ...]) -> dict[str, Any]:
    """Mean, standard deviation, quantiles, and probabilities and density at `points`."""
    answer = {"mean": float(law.mean()), "sd": math.sqrt(law.var())}
    answer |= {f"quantile {q:g}": float(law.ppf(q)) for q in QUANTILES}
    for x in points:
        answer |= {
            f"P(X <= {x:g})": float(law.cdf(x)),
            f"P(X > {x:g})": float(law.sf(x)),
            f"density at {x:g}": float(law.pdf(x)),
        }
    return answer


if __name__ == "__main__":
    main()
