"""Both sides of every bound and identity, in random worlds; of those that fail, in the world that contradicts them.

The worlds are drawn by the claim's `world`, which does not know what is claimed of them; what is recorded per world is
by how much the statement fails there, and each of its decoys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream
    from fragility.book import Book
    from fragility.claim import Claim

BLOCK = 64  # worlds per shard

World = Mapping[str, Any]


def _book() -> Book:
    """The book of the current context; --help needs none."""
    from fragility.book import read

    return read()


def draw(stream: Stream, size: int, claim: str) -> list[World]:
    """`size` worlds, each from a generator of its own, whose seed is all that is taken from the stream."""
    import numpy as np

    world = _book()[claim].world
    assert world is not None, "a claim without worlds has an obstacle"
    seeds = [[int(part * 2**53) for part in pair] for pair in stream.uniform(size, 2).tolist()]
    return [world(np.random.default_rng(seed)) for seed in seeds]


def measure(backend: Backend, world: Sequence[World], claim: str) -> dict[str, Array]:
    """excess (size,): by how much the statement fails, see `fragility.claim.excess`; decoys (size, k): each decoy."""
    row = _book()[claim]
    measured = {"excess": backend.xp.asarray([_excess(row, row.theory, kwargs) for kwargs in world])}
    if row.decoys:
        wrong = [[_excess(row, decoy.theory, kwargs) for decoy in row.decoys] for kwargs in world]
        measured["decoys"] = backend.xp.asarray(wrong)
    return measured


def draw_witness(stream: Stream, size: int, claim: str) -> list[str]:
    """The one world that is stored, whatever the stream."""
    return [claim] * size


def measure_witness(backend: Backend, world: Sequence[str], claim: str) -> dict[str, Array]:
    """excess (size,) in exact arithmetic, rounded once.

    Raises
    ------
    DamagedRecordError : the file of the witness is damaged.
    UsageError : its world does not contradict the statement, or breaks a hypothesis, or none is named.
    """
    from fragility.claim import excess
    from fragility.engine.files import DamagedRecordError
    from fragility.witness import DamagedWitnessError, ReplayError, replay

    book = _book()
    row = book[claim]
    try:
        return {"excess": backend.xp.asarray([excess(row.kind, replay(row, book.witnesses)) for _ in world])}
    except DamagedWitnessError as damage:
        raise DamagedRecordError(str(damage)) from None
    except ReplayError as error:
        raise UsageError(f"{error}: python -m simulate.hunt {claim} looks for another") from None


def _excess(claim: Claim, theory: Any, world: World) -> float:
    from fragility.claim import excess

    return excess(claim.kind, theory(**world))


def _relations() -> list[Claim]:
    """The bounds and identities that are tried in random worlds."""
    return [claim for claim in _book() if claim.of_worlds]


def points(claim: Sequence[str] | None) -> list[Point]:
    """The statements whose id starts with one of `claim`; all of them for None."""
    chosen: dict[str, None] = {}
    for start in claim or [""]:
        found = [row.id for row in _relations() if row.id.startswith(start)]
        if not found:
            raise UsageError(
                f"--claim must be the start of the id of a bound or an identity, got {start!r}: "
                "python -m theory lists them"
            )
        chosen |= dict.fromkeys(found)
    return [{"claim": name} for name in chosen]


def _known(claim: str) -> str | None:
    worlds = _book()[claim].world
    return None if worlds else f"no random worlds are known for {claim}: python -m simulate.hunt {claim}"


def _fails(claim: str) -> str | None:
    book = _book()
    if book[claim].holds:
        return f"{claim} holds, and has no witness: use --method worlds"
    stored = book.witnesses / f"{claim}.json"
    return None if stored.is_file() else f"no witness is stored in {stored}: python -m simulate.hunt {claim} finds one"


def _tried(claim: str) -> tuple[Any, ...]:
    """What a world is drawn by, and what is measured in it."""
    row = _book()[claim]
    return row.kind, row.world, row.theory, tuple(decoy.theory for decoy in row.decoys)


def _replayed(claim: str) -> tuple[Any, ...]:
    """The sides of the statement, its assumptions, and the world that is stored."""
    book = _book()
    row, stored = book[claim], book.witnesses / f"{claim}.json"
    return row.kind, row.theory, row.replay, row.hypotheses, stored.read_bytes() if stored.is_file() else b""


STUDY = Study(
    name="simulate.statements",
    says="both sides of every bound and identity in random worlds",
    grid={
        "claim": Axis(
            lambda text: [text],
            None,
            "start of ids, such as joint.thm1; may be repeated (default: all bounds and identities)",
            repeat=True,
        )
    },
    points=points,
    methods={
        "witness": Method(
            "the stored counterexample of a statement that fails, in exact arithmetic",
            draw_witness,
            measure_witness,
            lambda **_: ("excess",),
            lambda **_: 1,
            _fails,
            block=1,
            uses=_replayed,
        ),
        "worlds": Method(
            "random worlds, drawn without knowing what is claimed",
            draw,
            measure,
            lambda claim: ("excess", "decoys"),
            lambda **_: 1,
            _known,
            block=BLOCK,
            uses=_tried,
        ),
    },
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
