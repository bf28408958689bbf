"""Both sides of every bound and identity, in random worlds; of those that fail, in the world that contradicts them.

The worlds (`simulate.worlds`) are drawn without knowing what is claimed of them; what is recorded per world is by how
much the statement fails there, and each of its near-misses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from simulate.engine.study import Axis, Method, Point, Study, UsageError

if TYPE_CHECKING:
    from simulate.backends import Array, Backend, Stream
    from theory.claim import Claim

BLOCK = 64  # worlds per shard

World = Mapping[str, Any]


@cache
def _claims() -> Mapping[str, Claim]:
    """The rows with two sides, by id."""
    from theory.claims import CLAIMS

    return {claim.id: claim for claim in CLAIMS if claim.of_worlds}


def draw(stream: Stream, size: int, claim: str) -> list[World]:
    """`size` worlds, each from a generator of its own, whose seed is all that is taken from the stream."""
    import numpy as np

    from simulate.worlds import WORLDS

    seeds = [[int(part * 2**53) for part in pair] for pair in stream.uniform(size, 2).tolist()]
    return [WORLDS[claim](np.random.default_rng(seed)) for seed in seeds]


def measure(backend: Backend, world: Sequence[World], claim: str) -> dict[str, Array]:
    """excess (size,): by how much the statement fails, see `theory.claim.excess`; decoys (size, k): each near-miss."""
    row = _claims()[claim]
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
    """
    from simulate.engine.files import DamagedRecordError
    from theory.claim import excess
    from theory.witness import DamagedWitnessError, replay

    row = _claims()[claim]
    try:
        return {"excess": backend.xp.asarray([excess(row.kind, replay(row)) for _ in world])}
    except DamagedWitnessError as damage:
        raise DamagedRecordError(str(damage)) from None


def _excess(claim: Claim, theory: Any, world: World) -> float:
    from theory.claim import excess

    return excess(claim.kind, theory(**world))


def points(claim: Sequence[str] | None) -> list[Point]:
    """The statements whose id starts with one of `claim`; all of them for None."""
    chosen: dict[str, None] = {}
    for start in claim or [""]:
        found = [name for name in _claims() if name.startswith(start)]
        if not found:
            raise UsageError(
                f"--claim must be the start of the id of a bound or an identity, got {start!r}: "
                "python -m theory lists them"
            )
        chosen |= dict.fromkeys(found)
    return [{"claim": name} for name in chosen]


def _known(claim: str) -> str | None:
    from simulate.worlds import WORLDS

    return None if claim in WORLDS else f"no random worlds are known for {claim}: python -m simulate.hunt {claim}"


def _fails(claim: str) -> str | None:
    return f"{claim} holds, and has no witness: use --method worlds" if _claims()[claim].holds else None


STUDY = Study(
    name="statements",
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
        ),
        "worlds": Method(
            "random worlds, drawn without knowing what is claimed",
            draw,
            measure,
            lambda claim: ("excess", "decoys"),
            lambda **_: 1,
            _known,
            block=BLOCK,
        ),
    },
)

if __name__ == "__main__":
    from simulate.command import main

    main(STUDY)
