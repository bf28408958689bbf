"""Whether left <= right in random worlds, and the smallest world found in which it is not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fragility.checking.finding import Fault, Finding
from fragility.claim import Claim, Sides, excess
from fragility.engine.study import UsageError
from fragility.hunting.judge import Judge
from fragility.hunting.shrink import shrunk
from fragility.judging.bands import Unseen
from fragility.judging.verdict import Outcome
from fragility.space import Part, Point, Space, approximate, exact

Relation = Callable[..., Any]
World = Mapping[str, Any]
PLAIN = (bool, int, float, np.bool_, np.integer, np.floating, np.ndarray)


@dataclass(frozen=True)
class Failure:
    """A world in which a relation fails.

    Parameters
    ----------
    number : of the world, counted from 0, of the check's seed.
    world : as it was drawn.
    smallest : of those that were found from there the one with the fewest and shortest numbers; it fails as well.
    left, right : both sides in the smallest one.
    """

    number: int
    world: World
    smallest: World
    left: Any
    right: Any


class Relations:
    """A relation and its decoys in random worlds.

    Parameters
    ----------
    relation : relation(**world) -> left, right; it says left <= right, in all entries.
    world : world(rng) -> the names and values that the relation takes.
    tolerance : by how much left may lie above right, relative to 1 + |right|.
    domain : domain(**world) -> whether the relation speaks of a world; of all of them if None.
    decoys : other relations by what they say.
    """

    def __init__(
        self,
        relation: Relation,
        world: Callable[[np.random.Generator], World],
        tolerance: float,
        domain: Callable[..., bool] | None,
        decoys: Mapping[str, Relation],
        seed: int,
    ) -> None:
        self._relation, self._world, self._tolerance, self._seed = relation, world, tolerance, seed
        self._domain, self._decoys = domain, decoys
        self._rejected: set[str] = set()
        self.worst, self.tried = -math.inf, 0
        self.failed: tuple[int, World] | None = None

    def needed(self, rare: float, beta: float) -> int:
        """Worlds of which one fails, but for an error beta, if a share `rare` of them does."""
        return Unseen().needed(rare, beta)

    def try_next(self) -> bool:
        """Looks at one more world, and returns whether the relation fails there."""
        number, self.tried = self.tried, self.tried + 1
        world = self._drawn(number)
        found = self._excess(self._relation, world, number)
        if math.isnan(found):
            raise Fault(f"both sides must be numbers, got NaN in world {number} of seed {self._seed}")
        self._rejected |= {
            says for says, wrong in self._decoys.items() if self._excess(wrong, world, number) > self._tolerance
        }
        self.worst = max(self.worst, found)
        if found > self._tolerance:
            self.failed = number, world
        return self.failed is not None

    def finding(self, rare: float, beta: float) -> Finding:
        """What all worlds so far say."""
        resolution = Unseen().resolution(self.tried, beta)
        visible = tuple(self._decoys)
        rejected = tuple(says for says in visible if says in self._rejected)
        held: Outcome = "agrees" if resolution <= rare else "blunt"
        return Finding("disagrees" if self.failed else held, self.worst, self._tolerance, resolution, visible, rejected)

    def failure(self) -> Failure | None:
        """The world in which the relation failed, as small as it gets."""
        if self.failed is None:
            return None
        number, world = self.failed
        smallest = self._smallest(world)
        return Failure(number, world, smallest, *self._sides(self._relation, smallest, number))

    def _drawn(self, number: int) -> World:
        rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(number,)))
        try:
            world = self._world(rng)
        except Exception as error:
            raise UsageError(
                f"world(rng) must return what the relation takes, got {type(error).__name__}: {error} (world {number}"
                f" of seed {self._seed})"
            ) from error
        if not isinstance(world, Mapping):
            raise UsageError(f"world(rng) must return names and their values, got {type(world).__name__}")
        return world

    def _sides(self, relation: Relation, world: World, number: int) -> Sides:
        try:
            left, right = relation(**world)
        except Exception as error:
            raise UsageError(
                f"the relation must return two sides, left and right, got {type(error).__name__}: {error} (world"
                f" {number} of seed {self._seed})"
            ) from error
        return Sides(left, right)

    def _excess(self, relation: Relation, world: World, number: int) -> float:
        return excess("bound", self._sides(relation, world, number))

    def _smallest(self, world: World) -> World:
        """The world with fewer entries, zeros and short numbers, where the relation still fails clearly in floats."""
        if not all(isinstance(value, PLAIN) and np.all(np.isfinite(value)) for value in world.values()):
            return world
        point, space = _around(world, self._domain)
        judge = Judge(Claim("", "", "", "bound", _quiet(self._relation), self._tolerance), space)
        if not judge.fails_at(exact(point)):
            return world
        found, _, _ = shrunk(judge, exact(point))
        return space.world(approximate(found)) or world


def _quiet(relation: Relation) -> Relation:
    """The relation, undefined wherever it raises: a world that was made smaller may be none."""

    def sides(**world: Any) -> Sides:
        try:
            left, right = relation(**world)
        except Exception as error:
            raise ValueError(str(error)) from error
        return Sides(left, right)

    return sides


def _around(world: World, domain: Callable[..., bool] | None) -> tuple[Point, Space]:
    """The world as a point, and the space of all that are no larger; axes of one length become shorter together."""
    arrays = {name: np.asarray(value, dtype=float) for name, value in world.items()}
    kinds = {name: np.asarray(value).dtype.kind for name, value in world.items()}
    sizes = {f"{length} entries": length for array in arrays.values() for length in array.shape}
    parts = {
        name: Part(
            tuple(f"{length} entries" for length in array.shape),
            low=0.0 if np.all(array >= 0) else -math.inf,
            high=1.0 if kinds[name] == "b" else math.inf,
            whole=kinds[name] in "biu",
        )
        for name, array in arrays.items()
    }
    space = Space(
        axes={axis: tuple(range(1, length + 1)) for axis, length in sizes.items()},
        layout=lambda _sizes: parts,
        build=lambda found: {name: _as_drawn(value, world[name]) for name, value in found.items()},
        holds=lambda found: domain is None or _holds(domain, found),
    )
    return Point(sizes, arrays), space


def _as_drawn(value: Any, like: Any) -> Any:
    """A value as one that was drawn: of its type and precision; fractions as they are."""
    found = np.asarray(value)
    if found.dtype == object:
        return value
    found = found.astype(np.asarray(like).dtype)
    return found if isinstance(like, np.ndarray) else found.item()


def _holds(domain: Callable[..., bool], world: World) -> bool:
    """Whether the relation speaks of a world, where that is defined."""
    try:
        return bool(domain(**world))
    except Exception as error:
        raise ValueError(str(error)) from error
