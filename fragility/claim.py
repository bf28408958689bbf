"""What a row of the table of claims is: a statement, the theory behind it, and the decoys that it must be told from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from fragility.space import Space

Kind = Literal["law", "moment", "identity", "bound", "rate", "majority", "reported"]
Status = Literal["printed", "unmet", "refuted", "gap", "slip", "reading", "corrected", "extension"]
FAULTS: tuple[Status, ...] = ("refuted", "gap", "slip", "reading")  # what a quoted sentence that fails can be
LONGEST_QUOTE = 25  # words
FORMULA = "[..]"  # stands in a quote for a formula, or for words left out
BESIDE = "_beside"  # ends the names of another point's columns, where a statement compares two
STATEMENTS = "simulate.statements"  # the study that tries relations in random worlds, by name


class Quote(NamedTuple):
    """A paper's own words, at most `LONGEST_QUOTE` of them, and where they stand; `FORMULA` marks what is left out."""

    words: str
    place: str


class Sides(NamedTuple):
    """Both sides of a statement in one world: a bound or a majority says left <= right, an identity left == right.

    Numbers or arrays that broadcast together: floats, or `fractions.Fraction` where a witness is replayed exactly.
    """

    left: Any
    right: Any

    @property
    def swapped(self) -> Sides:
        """The opposite statement, right <= left; both hold of a tie."""
        return Sides(self.right, self.left)


@dataclass(frozen=True)
class Rate:
    """A statement of growth: `value(size)` goes like size^exponent as the size grows.

    Parameters
    ----------
    along : the axis that grows, such as "n".
    exponent : slope of ln value against ln size.
    value : what the exact theory behind the statement gives at one size, where there is one.
    between : two sizes, large enough for the slope between them to have settled.
    sizes : of a sweep that measures the slope, large enough for it to lie within the claim's tolerance of the exponent.
    at : the point of the claim's study at one of those sizes.
    quantile : level at which the recorded statistic is read there, in (0, 1).
    """

    along: str
    exponent: float
    value: Callable[[int], float] | None = None
    between: tuple[int, int] = (2**14, 2**16)
    sizes: tuple[int, ...] = ()
    at: Callable[[int], Mapping[str, Any]] | None = None
    quantile: float = 0.5

    def slope(self) -> float:
        """Slope of ln value against ln size between the two sizes; NaN without a value."""
        if self.value is None:
            return math.nan
        small, large = self.between
        return math.log(self.value(large) / self.value(small)) / math.log(large / small)


def same(values: np.ndarray) -> np.ndarray:
    return values


class Reported(NamedTuple):
    """What a paper prints, what theory says it should be near, and how a study's draws are set beside it.

    Parameters
    ----------
    printed : a number as it stands in print, or an array of such, NaN where nothing is printed.
    predicted : the same from theory; NaN where it is silent.
    per_draw : maps recorded statistics, (draws, ...) each, the claim's own and then those of `also`, to what each draw
        has in place of `printed`: (draws,) for a number, and else (draws, *shape of the array). NaN of draws that are
        not meant, such as networks that the paper leaves out.
    scale : the scale on which both are compared, such as np.log10 of numbers that span orders of magnitude.
    also : names of the statistics that `per_draw` takes besides the claim's own.
    mean_of : over how many of its authors' draws what is printed is a mean; 1 if it is of a single one.
    """

    printed: float | np.ndarray
    predicted: float | np.ndarray = float("nan")
    per_draw: Callable[..., np.ndarray] = same
    scale: Callable[[np.ndarray], np.ndarray] = same
    also: tuple[str, ...] = ()
    mean_of: int = 1


def everywhere(**_point: Any) -> bool:
    return True


@dataclass(frozen=True)
class Decoy:
    """A wrong statement close to a claim: what someone might have stated instead, and the check has to reject.

    Parameters
    ----------
    says : the wrong statement, a phrase.
    theory : as in `Claim`, but wrong.
    where : at which points it differs from the truth enough to be told from it with the claim's own draws.
    """

    says: str
    theory: Callable[..., Any]
    where: Callable[..., bool] = everywhere


@dataclass(frozen=True)
class Claim:
    """A statement, whose it is, and where its theory, its evidence and its picture are.

    Parameters
    ----------
    id : paper, statement, part, such as "fc.lemma3.last"; it ends in ".printed" where a quoted sentence fails, in
        ".reading" where it fails in one reading, in ".corrected" where it is put right, and in ".tempting" where
        nobody states what fails.
    source, says : where it stands, or what it stands beside; what it says, in one sentence.
    formula : the same in LaTeX, without dollar signs.
    domain : for which sizes and worlds, a phrase.
    kind, theory : "law": `theory(**point)` is a law, or one law per column of the statistic (columns are then pooled
        by probability integral transform); "moment": a `Moment`; "rate": a `Rate`;
        "bound", "identity": `theory(**world)` gives the `Sides` of the statement in one world; `theory(**columns)`, of
        recorded columns, gives them for each of the draws that it speaks of, (draws, ...); "majority": the same of
        recorded columns, and left <= right holds in more than half of the draws, in all entries of each; "reported":
        `theory(**point)` is a `Reported`, and `theory()` is one, too: what it takes of a point has defaults. It is
        judged if it names a study and a statistic.
    code : the function that holds the formula, where `theory` only wraps it.
    tolerance : the smallest discrepancy worth seeing, fixed before any draw. For laws the largest difference
        between two distribution functions; for moments in units of the moment; for rates of the exponent; for
        bounds and identities relative to 1 + |right side|; for majorities of the share of draws, below 1/2; for
        printed numbers that are judged half the width of the interval that they lie in, on the scale of comparison.
    status : "printed": the paper says it, and it holds; "unmet": the paper says it of its networks, and those that a
        study trains, perhaps under another protocol, do not bear it out, a finding and no defect; "refuted": the
        paper says it, and it is false within the paper's own hypotheses; "gap": a step of a proof fails, and the
        theorem stands; "slip": a misprint, a lost condition, an inconsistency; "reading": false in one reading of the
        words, and `instead` names the one that holds; "corrected": what holds instead; "extension": no paper's
        statement, but what a reader needs beside it.
    quotes : the paper's words; none of a corrected statement and of an extension.
    reading : what the row adds to the words that it quotes: quantifiers, thresholds, the domain; "as printed" for
        nothing. Of an extension: what it is for, where that needs a word.
    reconstructed : whether the quoted words had formulas that are lost in the text that was read, so that `formula`
        is a reconstruction.
    credit : whose an extension is: "ours", "textbook", or a name and a year.
    tempting : of an extension: what one might think, and nobody says; it is false, and has a witness as well.
    instead : of what fails: ids of the rows that hold, the one that puts it right first.
    defect : of what a paper says and fails: one sentence on what is wrong, shown wherever defects are listed.
    cause : in place of `defect`: the id of another row that fails for the same reason; both count as one defect.
    hypotheses : of what fails: `hypotheses(**world)` names each assumption of the statement, and tells whether the
        stored world meets it.
    argument : of "there is a constant": why no constant does, where the stored world shows it for one.
    note : what a reader should know: the way to the proof, how far off, what is asymptotic.
    statistic, study : the recorded number (or row of numbers) that it speaks of, and the study that records it, by
        room and name such as "simulate.qr_product"; empty where nothing does. A relation is tried in random worlds,
        unless it names a study, of whose `columns` it then speaks, as a majority does.
    world : of a relation: draws one random world that it speaks of, the keyword arguments of `theory`, from a NumPy
        generator, without knowing what is claimed.
    space : of a relation: where a hunt looks for a world in which it fails.
    decoys : wrong statements close to it, which the check must reject.
    given : what it is conditional on, a phrase, where a draw may lack a number that it speaks of, such as a network
        that has died: those draws are left out. Without it a number that is missing is a fault, and no verdict.
    where : the points that the statement covers.
    beside : of what compares two points of a run: `beside(point, other)`, whether `other` is the one that `point` is
        compared with; `theory` takes that one's columns by their names with `BESIDE` at the end, draw by draw.
    replay : of what fails, if `theory` does not keep rational numbers exact: its sides, or bounds that still
        contradict it (left rounded down, right rounded up), in exact arithmetic.

    Raises
    ------
    ValueError : the tolerance of a majority leaves no share below one half to rule out; or two points are compared
        without `beside`, or by a theory that takes no column of the other one.
    """

    id: str
    source: str
    says: str
    kind: Kind
    theory: Callable[..., Any]
    tolerance: float
    formula: str = ""
    domain: str = ""
    status: Status = "printed"
    quotes: tuple[Quote, ...] = ()
    reading: str = ""
    reconstructed: bool = False
    credit: str = ""
    tempting: bool = False
    instead: tuple[str, ...] = ()
    defect: str = ""
    cause: str = ""
    hypotheses: Callable[..., Mapping[str, bool]] | None = field(default=None, repr=False)
    argument: str = ""
    note: str = ""
    code: Callable[..., Any] | None = field(default=None, repr=False)
    statistic: str = ""
    study: str = ""
    world: Callable[[np.random.Generator], Mapping[str, Any]] | None = field(default=None, repr=False)
    space: Space | None = field(default=None, repr=False)
    decoys: tuple[Decoy, ...] = field(default=(), repr=False)
    given: str = ""
    where: Callable[..., bool] = everywhere
    beside: Callable[[Mapping[str, Any], Mapping[str, Any]], bool] | None = field(default=None, repr=False)
    replay: Callable[..., Sides] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.kind == "majority" and not 0 < self.tolerance < 0.5:
            raise ValueError(
                f"the tolerance of a majority must lie between 0 and 1/2, got {self.tolerance} of {self.id}"
            )
        if self.is_relation and not self.study:
            for name, value in {"study": STATEMENTS, "statistic": "excess"}.items():
                object.__setattr__(self, name, value)
        named = self.of_records and any(name.endswith(BESIDE) for name in signature(self.theory).parameters)
        if named != (self.beside is not None):
            raise ValueError(
                f"what compares two points has `beside`, and a theory of columns whose names end in {BESIDE}: {self.id}"
                " has one of both"
            )

    @property
    def is_relation(self) -> bool:
        """Whether it is a bound or an identity, with two sides in every world."""
        return self.kind in ("bound", "identity")

    @property
    def of_worlds(self) -> bool:
        """Whether its two sides are looked at in random worlds made for it, and not in a study's records."""
        return self.study == STATEMENTS

    @property
    def of_records(self) -> bool:
        """Whether it has two sides in each of a study's draws, which its theory takes from recorded columns."""
        return self.kind == "majority" or (self.is_relation and not self.of_worlds)

    @property
    def columns(self) -> tuple[str, ...]:
        """The recorded statistics that it speaks of: of two sides, those that its theory takes, at either point."""
        if self.of_records:
            return tuple(dict.fromkeys(name.removesuffix(BESIDE) for name in signature(self.theory).parameters))
        return (self.statistic, *(self.theory().also if self.kind == "reported" else ()))

    @property
    def standing(self) -> str:
        """Its status in the words of a table; an extension that fails is a "tempting" one."""
        return "tempting" if self.tempting else self.status

    @property
    def holds(self) -> bool:
        """Whether the table takes it for true; what does not hold has a stored witness."""
        return not (self.tempting or self.status in FAULTS)

    @property
    def must_agree(self) -> bool:
        """Whether draws that disagree contradict the table: it holds, and is neither a printed number nor unmet.

        Under which protocol a number was printed is not known, so that one that is not met is a finding and no error.
        """
        return self.holds and self.status != "unmet" and self.kind != "reported"


def rows(source: str = "", **defaults: Any) -> Callable[..., Claim]:
    """Makes rows that share their source, and whatever fields `defaults` sets.

    The maker takes the id, whole so that it can be searched for, the place `at` which the source says it, and every
    field of `Claim`.
    """

    def row(id: str, *, at: str = "", **fields: Any) -> Claim:  # noqa: A002, for it is the field's name
        return Claim(**{"id": id, "source": f"{source}, {at}" if at else source, **defaults, **fields})

    return row


def excess(kind: Kind, sides: Sides) -> float:
    """By how much the statement fails in one world, relative to 1 + |right side|; at most 0 if a bound holds.

    It is NaN where a side has one, for nothing was compared.

    Raises
    ------
    ValueError : unless the kind is "bound" or "identity".
    """
    if kind not in ("bound", "identity"):
        raise ValueError(f"only bounds and identities have two sides, got {kind}")
    left, right = (np.asarray(side, dtype=float) for side in sides)
    with np.errstate(invalid="ignore"):
        gap = np.where(left == right, 0.0, left - right) / (1 + np.where(np.isfinite(right), np.abs(right), 0))
    return float(np.max(np.abs(gap) if kind == "identity" else gap, initial=-np.inf))
