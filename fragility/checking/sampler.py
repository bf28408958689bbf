"""Draws of a user's samplers, in pieces each of which has generators of its own: where one is made changes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from fragility.checking.dependence import autocorrelation_time, is_chain, spacing
from fragility.engine.study import UsageError

Draw: TypeAlias = Callable[[np.random.Generator, int], Any]
Mapped: TypeAlias = Callable[[Callable[["Piece"], np.ndarray], Iterable["Piece"]], Iterator[np.ndarray]]
LONGEST = 1 << 16  # draws of a piece
PILOT = 1 << 12  # draws from which the spacing of a chain is taken
BY_CHANCE = 1e-9  # how often different generators may give the same draws before it is taken for a fault


@dataclass(frozen=True)
class Piece:
    """Some draws of each of some samplers, from the generators of that number.

    Parameters
    ----------
    thin : of so many draws of a chain one is kept.
    """

    draws: tuple[Draw, ...]
    seed: int
    number: int
    size: int
    thin: int = 1

    def drawn(self) -> np.ndarray:
        """(size,) of one sampler, (size, samplers) of more.

        Raises
        ------
        UsageError : a sampler raises, or returns no numbers or too few or too many.
        """
        columns = [self._of(draw, which) for which, draw in enumerate(self.draws)]
        return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)

    def _of(self, draw: Draw, which: int) -> np.ndarray:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.number, which)))
        size = self.size * self.thin
        try:
            returned = draw(rng, size)
        except Exception as error:
            raise UsageError(
                f"{called(draw)}(rng, {size}) must return numbers, got {type(error).__name__}: {error} (piece"
                f" {self.number} of seed {self.seed})"
            ) from error
        return numbers(returned, size, f"{called(draw)}(rng, {size})")[:: self.thin]


class Sampler:
    """Pieces one after another, and what is wrong with the samplers that they come from."""

    given = None  # number of draws that are there already

    def __init__(self, draws: Sequence[Draw], seed: int, thin: int | str = 1) -> None:
        self.draws, self._seed, self._pieces = tuple(draws), seed, 0
        self.thin = self._spacing() if thin == "auto" else int(thin)
        self._first: np.ndarray | None = None
        self._recent: np.ndarray | None = None
        self._told_apart = False  # draws of two generators

    def next(self, size: int, mapped: Mapped = map) -> Iterator[np.ndarray]:
        """The next draws, until so many are there.

        Raises
        ------
        UsageError : draws hang together, or do not depend on their generator.
        """
        whole, rest = divmod(size, LONGEST)
        sizes = [LONGEST] * whole + [rest] * bool(rest)
        pieces = [self._piece(self._pieces + k, size) for k, size in enumerate(sizes)]
        self._pieces += len(pieces)
        for piece, new in zip(pieces, mapped(Piece.drawn, pieces), strict=True):
            self._require(piece, new)
            yield new

    def _piece(self, number: int, size: int) -> Piece:
        return Piece(self.draws, self._seed, number, size, self.thin)

    def _require(self, piece: Piece, new: np.ndarray) -> None:
        # Pieces may be too short for one of them to show a chain.
        self._recent = new if self._recent is None else np.concatenate([self._recent, new])[-LONGEST:]
        for draw, column in zip(self.draws, self._recent.reshape(len(self._recent), -1).T, strict=True):
            require_independent(column, f"draws of {called(draw)}")
        if self._first is None:
            self._first = new
            if not np.array_equal(new, piece.drawn(), equal_nan=new.dtype.kind == "f"):
                warnings.warn(
                    f"{self._names} must take all randomness from rng, got other draws from the same generator: "
                    "nobody will see these again",
                    stacklevel=5,
                )
        elif not self._told_apart:
            both = min(len(self._first), len(new))
            self._told_apart = not np.array_equal(self._first[:both], new[:both], equal_nan=new.dtype.kind == "f")
            if not self._told_apart and _chance(self._first) ** both < BY_CHANCE:
                raise UsageError(f"{self._names} must draw from rng, got the same {both} draws from two generators")

    @property
    def name(self) -> str:
        """How the sampler in question is called."""
        return called(self.draws[0])

    @property
    def _names(self) -> str:
        return " and ".join(dict.fromkeys(map(called, self.draws)))

    def _spacing(self) -> int:
        """Of all the samplers' chains, from draws that are not looked at again."""
        pilots = [Piece((draw,), self._seed, -1 % (1 << 32), PILOT).drawn() for draw in self.draws]
        return max(spacing(pilot) if is_chain(pilot) else 1 for pilot in pilots)


class Given:
    """Draws that are there already, of one or more samplers."""

    name = "draws"
    draws = ()

    def __init__(self, draws: Sequence[Any], thin: int | str = 1) -> None:
        columns = [numbers(values, None, "draws") for values in draws]
        if len({len(column) for column in columns}) > 1:
            counts = " and ".join(f"{len(column):,}" for column in columns)
            raise UsageError(f"as many draws must be there of each sampler, got {counts}: leave some out")
        if thin == "auto":
            thin = max(spacing(column) if is_chain(column) else 1 for column in columns)
        self.thin = int(thin)
        self._columns = [column[:: self.thin] for column in columns]
        for column in self._columns:
            require_independent(column, "draws")
        self.given = len(self._columns[0])

    def next(self, size: int, mapped: Mapped = map) -> Iterator[np.ndarray]:
        """All of them."""
        yield self._columns[0] if len(self._columns) == 1 else np.stack(self._columns, axis=1)


def drawn(draws: Sequence[Any], seed: int, thin: int | str) -> Sampler | Given:
    """Where draws come from: from functions, or from what these have drawn already.

    Raises
    ------
    UsageError : some are functions and some are draws, or draws are no numbers.
    """
    if all(map(callable, draws)):
        return Sampler(draws, seed, thin)
    if any(map(callable, draws)):
        raise UsageError("samplers that are compared must both be functions or both be draws, got one of each")
    return Given(draws, thin)


def numbers(returned: Any, size: int | None, who: str) -> np.ndarray:
    """What a sampler has returned as an array of real numbers, (size,), in their own precision.

    Raises
    ------
    UsageError : it is something else.
    """
    values = np.asarray(returned)
    if values.dtype.kind not in "biuf":
        raise UsageError(f"{who} must be real numbers, got {values.dtype} from {type(returned).__name__}")
    if values.ndim != 1 or (size is not None and len(values) != size):
        wanted = f"({size},)" if size is not None else "(number of draws,)"
        raise UsageError(f"{who} must have the shape {wanted}, got {values.shape}")
    if not len(values):
        raise UsageError(f"{who} must be draws, got none")
    return values


def require_independent(values: np.ndarray, who: str) -> None:
    """Raises UsageError if draws that come one after another hang together."""
    if values.dtype.kind == "f" and np.isnan(values).any():  # of which others will say what there is to say
        return
    if is_chain(values):
        time, apart = autocorrelation_time(values), spacing(values)
        raise UsageError(
            f"{who} must be independent, got a chain with an autocorrelation time of {time:.2g}:"
            f' keep one in {apart:,} by thin={apart} or thin="auto"'
        )


def called(function: Any) -> str:
    """How a function is called."""
    return getattr(function, "__name__", type(function).__name__)


@contextmanager
def on(workers: int | None, source: Sampler | Given) -> Iterator[Mapped]:
    """Where pieces are drawn: here, or on so many processes of this machine.

    Raises
    ------
    UsageError : no other process could load a sampler.
    """
    if workers is None:
        yield map
        return
    import pickle
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    for draw in source.draws:
        try:
            pickle.dumps(draw)
        except Exception:
            raise UsageError(
                f"with workers a sampler must be a function of a module, got {called(draw)}, which no other process"
                " can load: leave out workers"
            ) from None
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield pool.map
        pool.shutdown(cancel_futures=True)


def _chance(values: np.ndarray) -> float:
    """That two draws are the same, as these are spread over their values."""
    _, counts = np.unique(values, return_counts=True)
    return float(np.sum((counts / len(values)) ** 2))
