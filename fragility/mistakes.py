"""What a row of a user's book lacks: looked at once, when the book is loaded, so that no run ends by it later.

A row is tried as a command would use it: its theory and its decoys at the points of its study, or in one random world.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from inspect import signature
from itertools import zip_longest
from typing import Any, get_args

import numpy as np

from fragility.backends.numpy_backend import BACKEND
from fragility.claim import BESIDE, Claim, Decoy, Kind, Rate, Reported, Sides, Status
from fragility.engine.backend import UnavailableError
from fragility.engine.shard import find_study
from fragility.engine.study import Method, Point, Study, UsageError, label
from fragility.law import Law, Moment
from fragility.space import Space

ID = re.compile(r"\w+(\.\w+)*")  # files and folders are called by it
FEW, CHEAP = 7, 2**16  # draws that a method is tried with, and numbers in one that are no matter
LEVELS = np.linspace(0.05, 0.95, 19)  # at which two laws are compared
ASKED = ("cdf", "sf", "pdf", "ppf", "isf", "mean", "var", "support", "rvs")  # of a law
TYPES: Mapping[Kind, type] = {"moment": Moment, "rate": Rate, "reported": Reported}


class MistakeError(Exception):
    """A row lacks something; the text says what must hold, what came, and the way out."""


def mistakes(claims: Iterable[Claim]) -> Iterator[tuple[str, str]]:
    """Id of each row that lacks something, and the first thing that it lacks."""
    for claim in claims:
        try:
            _written(claim)
            _told_apart(claim)
            if claim.of_worlds:
                _in_a_world(claim)
            elif claim.study:
                _of_a_study(claim, _study(claim))
            if claim.space:
                _in_its_space(claim, claim.space)
        except MistakeError as mistake:
            yield str(claim.id), str(mistake)


def _written(claim: Claim) -> None:
    """Its fields are what their names say."""
    if not ID.fullmatch(claim.id):
        raise MistakeError("id must be words joined by full stops, such as walk.end")
    for name, allowed in (("kind", get_args(Kind)), ("status", get_args(Status))):
        if (value := getattr(claim, name)) not in allowed:
            raise MistakeError(f"{name} must be among {', '.join(allowed)}, got {value!r}")
    tolerance = claim.tolerance
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 < tolerance < math.inf:
        raise MistakeError(f"tolerance must be a positive number, the smallest gap worth seeing, got {tolerance!r}")
    for name, function in (("theory", claim.theory), ("world", claim.world), ("where", claim.where)):
        if function is not None and not callable(function):
            raise MistakeError(f"{name} must be a function, got {type(function).__name__}")
    for decoy in claim.decoys:
        if not (isinstance(decoy, Decoy) and callable(decoy.theory)):
            raise MistakeError(f"decoys must be a tuple of Decoy(says, theory), got {decoy!r}")
    if not claim.study and claim.kind not in ("rate", "reported"):
        raise MistakeError(f"a {claim.kind} must have a study and a statistic, the recorded number that it speaks of")
    if claim.of_worlds and claim.holds and claim.world is None and claim.space is None:
        raise MistakeError("a relation must have a world, which draws what theory takes, or a space, or name a study")


def _told_apart(claim: Claim) -> None:
    """Something is there that it has to be told from."""
    if claim.holds and not claim.decoys and not (claim.kind == "reported" and not claim.study):
        raise MistakeError("decoys must hold a wrong statement close to it, which the check has to reject, got none")
    for decoy in claim.decoys:
        if decoy.theory is claim.theory:
            raise MistakeError(f"decoy {decoy.says!r} must be wrong, got the theory of the row itself")


def _in_a_world(claim: Claim) -> None:
    """Its theory and its decoys have two sides in a random world."""
    if claim.world is None:
        return
    try:
        world = claim.world(np.random.default_rng(0))
    except Exception as error:  # whatever the user's code raises
        raise MistakeError(f"world must draw a world from a NumPy generator, got {_raised(error)}") from None
    if not isinstance(world, Mapping):
        raise MistakeError(f"world must return what theory takes by name, got {type(world).__name__}")
    for who, theory in _theories(claim):
        _takes(who, theory, world, "its world draws")
        sides = _called(who, theory, world, "a random world")
        if not (isinstance(sides, tuple) and len(sides) == len(Sides._fields)):
            raise MistakeError(f"{who} must return Sides(left, right), got {type(sides).__name__}")


def _study(claim: Claim) -> Study:
    try:
        study = find_study(claim.study)
    except Exception as error:  # whatever the user's code raises, where it is no LookupError
        why = str(error) if isinstance(error, LookupError) else _raised(error)
        raise MistakeError(f"study must be a module that states STUDY, got {claim.study!r}: {why}") from None
    if study.name != claim.study:
        raise MistakeError(f"study must be called by its module, got {claim.study!r} whose name is {study.name!r}")
    return study


def _of_a_study(claim: Claim, study: Study) -> None:
    """The study records what it speaks of, and its theory and decoys speak of the points of the study."""
    reached = _swept(claim) if claim.kind == "rate" else _points(study)
    points = [point for point in reached if claim.kind == "rate" or _covered(claim, point)]
    for point in points[:1]:
        _recorded(claim, study, point)
    if claim.of_records:
        return
    taken: Sequence[Mapping[str, Any]] = [{}] if claim.kind in ("rate", "reported") else points
    theories = _theories(claim)
    for point in taken[:1]:
        for who, theory in theories:
            _takes(who, theory, point, f"the points of {study.name} have")
    stated = {who: [_stated(claim, who, theory, point) for point in taken] for who, theory in theories}
    for who, found in stated.items():
        if found and all(isinstance(one, ValueError) for one in found):
            raise MistakeError(
                f"{who} must reach a point of {study.name}, got {_raised(found[0])} at {label(taken[0])}"
            )
    own, *others = stated.values()
    for decoy, found in zip(claim.decoys, others, strict=True):
        shown = [
            (a, b) for a, b, at in zip(own, found, taken, strict=True) if claim.kind == "rate" or decoy.where(**at)
        ]
        if shown and all(_same(a, b) for a, b in shown):
            raise MistakeError(f"decoy {decoy.says!r} must be wrong, got what the row itself states at all its points")


def _points(study: Study) -> list[Point]:
    """Where the table judges the study, or its command does; none where that needs what is not here."""
    if study.table:
        return list(study.table)
    try:
        return study.points(**{name: axis.default for name, axis in study.grid.items()})
    except (UsageError, UnavailableError):
        return []


def _covered(claim: Claim, point: Point) -> bool:
    _takes("where", claim.where, point, f"the points of {claim.study} have")
    return bool(_called("where", claim.where, point, label(point)))


def _swept(claim: Claim) -> list[Point]:
    """The points of a rate's sweep."""
    rate = _called("theory", claim.theory, {}, "no point")
    if not isinstance(rate, Rate):
        raise MistakeError(f"theory of a rate must return a Rate, got {type(rate).__name__}")
    if len(rate.sizes) < 2 or rate.at is None:
        raise MistakeError(
            "a rate with a study must have two sizes or more, and `at`, the point of the study at a size"
        )
    return [rate.at(size) for size in rate.sizes]


def _recorded(claim: Claim, study: Study, point: Point) -> None:
    """A method of the study measures, at the point, all that the row speaks of."""
    measured: dict[str, None] = {}
    have = f"the points of {study.name} have"
    _takes(f"`points` of {study.name}", study.points, study.grid, "its grid has")
    for name, method in study.methods.items():
        for part, function in (("draw", method.draw), ("measure", method.measure)):
            _takes(f"`{part}` of method {name}", function, point, have, before=2)  # a stream and a size, say
        _takes(f"`statistics` of method {name}", method.statistics, point, have)
        measured |= dict.fromkeys(method.statistics(**point))
        _tried(name, method, point)
    for who, theory in _theories(claim):
        names = [name.removesuffix(BESIDE) for name in signature(theory).parameters] if claim.of_records else []
        for name in names or claim.columns:
            if name not in measured:
                what = who if names else "statistic"
                raise MistakeError(f"{what} must be of what {study.name} records, {', '.join(measured)}, got {name!r}")


def _tried(name: str, method: Method, point: Point) -> None:
    """A few draws of a method give what its `statistics` name, a number or an array for each draw.

    Where draws are dear, or those of a finite population, they are made when they are needed.
    """
    if method.block or method.units or method.obstacle(**point) or method.floats(**point) > CHEAP:
        return
    try:
        world = method.draw(BACKEND.stream(0, 0), FEW, **point)
        found = method.measure(BACKEND, world, **point)
    except Exception as error:  # whatever the user's code raises
        raise MistakeError(f"method {name} must draw and measure, got {_raised(error)} at {label(point)}") from None
    wanted = method.statistics(**point)
    if not (isinstance(found, Mapping) and set(found) == set(wanted)):
        came = ", ".join(found) if isinstance(found, Mapping) else type(found).__name__
        raise MistakeError(f"`measure` of method {name} must return {', '.join(wanted)} by name, got {came}")
    for statistic, values in found.items():
        if np.shape(values)[:1] != (FEW,):
            shape = np.shape(values)
            raise MistakeError(f"{statistic} must have an entry per draw, got shape {shape} of {FEW} draws")


def _in_its_space(claim: Claim, space: Space) -> None:
    """A hunt can draw in the space, and makes worlds there that its theory takes."""
    try:
        world = space.world(space.draw(np.random.default_rng(0)))
    except (ValueError, ArithmeticError):  # as of a matrix without an inverse
        return
    except Exception as error:  # whatever the user's code raises
        raise MistakeError(f"space must build a world, got {_raised(error)}") from None
    if world is not None and not space.exact_world:
        _takes("theory", claim.theory, world, "its space builds")


def _theories(claim: Claim) -> list[tuple[str, Callable[..., Any]]]:
    """Its theory and those of its decoys, each with what to call it."""
    return [("theory", claim.theory), *((f"decoy {decoy.says!r}", decoy.theory) for decoy in claim.decoys)]


def _takes(who: str, function: Callable[..., Any], given: Iterable[str], which: str, before: int = 0) -> None:
    """The function takes what is given, by name; `before` it so many arguments by place."""
    if not callable(function):
        raise MistakeError(f"{who} must be a function, got {type(function).__name__}")
    try:
        taken = signature(function)
    except ValueError:  # of what is not written in Python
        return
    try:
        taken.bind(*[None] * before, **dict.fromkeys(given))
    except TypeError:
        names = ", ".join(given) or "nothing"
        raise MistakeError(f"{who} must take {names}, which {which}, got {taken}") from None


def _called(who: str, function: Callable[..., Any], given: Mapping[str, Any], where: str) -> Any:
    try:
        return function(**given)
    except Exception as error:  # whatever the user's code raises
        raise MistakeError(f"{who} must have a value, got {_raised(error)} in {where}") from None


def _stated(claim: Claim, who: str, theory: Callable[..., Any], point: Point) -> Any:
    """What a theory of a law, a moment, a rate or a printed number returns at a point; the `ValueError` of its end."""
    try:
        stated = theory(**point)
    except ValueError as limit:
        return limit
    except Exception as error:  # whatever the user's code raises
        raise MistakeError(f"{who} must have a value, got {_raised(error)} at {label(point) or 'no point'}") from None
    if claim.kind == "law":
        for law in stated if isinstance(stated, Sequence) else (stated,):
            if not isinstance(law, Law):
                missing = ", ".join(name for name in ASKED if not hasattr(law, name))
                raise MistakeError(
                    f"{who} must return a law, such as a frozen distribution of scipy.stats, "
                    f"got {type(law).__name__} without {missing}"
                )
    elif not isinstance(stated, TYPES[claim.kind]):
        raise MistakeError(f"{who} must return a {TYPES[claim.kind].__name__}, got {type(stated).__name__}")
    return stated


def _same(stated: Any, other: Any) -> bool:
    """Whether two statements of one kind are one; what ends before the point is none."""
    if isinstance(stated, ValueError) or isinstance(other, ValueError):
        return True
    match stated:
        case Moment():
            return stated.per_draw is other.per_draw and stated.mean == other.mean
        case Rate():
            return stated.exponent == other.exponent
        case Reported():
            return bool(np.array_equal(stated.printed, other.printed, equal_nan=True))
    laws, wrong = (one if isinstance(one, Sequence) else (one,) for one in (stated, other))
    return all(a and b and np.array_equal(a.ppf(LEVELS), b.ppf(LEVELS)) for a, b in zip_longest(laws, wrong))


def _raised(error: BaseException) -> str:
    """An error in a few words."""
    said = next(iter(str(error).splitlines()), "")
    return type(error).__name__ + (f": {said}" if said else "")
