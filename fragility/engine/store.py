"""Records on disk: one Parquet file per shard, written whole or not at all, and a manifest of where they are from.

results/<study>/<backend>-seed<seed>/manifest.json
results/<study>/<backend>-seed<seed>/looks.jsonl
results/<study>/<backend>-seed<seed>/<method>/<point>/<index>.parquet

Nothing in them is trusted: a manifest is read by `read_manifest` alone and a shard's file by `_checked` alone, whoever
asks, and what cannot be what was written is a `DamagedRecordError`.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fragility.engine.files import DamagedRecordError, StorageError, clear, read_json, reason, write_whole
from fragility.engine.looks import Looks
from fragility.engine.records import digest
from fragility.engine.shard import Shard
from fragility.engine.study import Point, UsageError, label

MANIFEST = "manifest.json"
WAY_OUT = "the command that drew the records, with --resume, makes it anew from what they say"
SHARD, CODE, DIGEST = b"shard", b"fingerprint", b"digest"  # what a shard's file says of itself
UNREADABLE = (pa.ArrowException, OSError, TypeError, ValueError, MemoryError, OverflowError)  # raised by a damaged one
LONGEST_NAME, SHOWN = 255, 200  # bytes of a folder's name that file systems take, and that are kept of a longer one
SIZE = re.compile(rb"size=([0-9]{1,18})\)$")  # at the end of the name of a shard


class Store:
    """The records of one study, backend and seed; nothing is written before there is a record or a look to keep.

    Parameters
    ----------
    root : the run's folder.
    code : the fingerprint of the code that makes a shard's numbers; of all shards of a world it is the same.
    provenance : what the manifest says of the run, once there is something to keep.
    note : takes one line for the user where a manifest or looks that are damaged are made anew; None where they end
        the run.

    Raises
    ------
    DamagedRecordError : its manifest is none, and there is no `note`.
    """

    def __init__(
        self,
        root: Path,
        code: Callable[[Shard], str],
        provenance: Mapping[str, Any] | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.root, self._code = root, code
        self.manifest: dict[str, Any] = {}
        try:
            self.manifest = read_manifest(root)
        except FileNotFoundError:
            pass
        except DamagedRecordError as damage:
            if note is None:
                raise
            note(f"{damage}: set aside as {_aside(root / MANIFEST)}")
        self.looks = Looks(root, note)
        self.manifest.update(provenance or {})
        self._told, self._admitted = False, set[Path]()

    def begin(self) -> None:
        """Makes the folder, and removes what killed runs have left in it half written.

        Raises
        ------
        StorageError : it cannot be written.
        """
        self.looks.begin()
        clear(self.root)

    def save_manifest(self, **provenance: Any) -> None:
        """Writes the manifest, with what is new in it.

        Raises
        ------
        StorageError : the folder cannot be written.
        """
        self.manifest.update(provenance)
        write_whole(self.root / MANIFEST, json.dumps(self.manifest, indent=1).encode())
        self._told = True

    def look(self, what: str, samples: int) -> int:
        """Number of the look at so many draws, counted from 1; see `Looks.look`."""
        self._tell()
        return self.looks.look(what, samples)

    def path(self, shard: Shard) -> Path:
        return self.root / world_name(shard.method, dict(shard.point)) / name(shard.index)

    def code(self, shard: Shard) -> str:
        """The fingerprint of what the store holds, and may hold, of the shard's world.

        Raises
        ------
        UsageError : it holds records of other code.
        """
        world, code = self.root / world_name(shard.method, dict(shard.point)), self._code(shard)
        if world not in self._admitted and (held := _other_code(world, code)):
            raise _of_other_code(world, code, held)
        self._admitted.add(world)
        return code

    def write(self, shard: Shard, table: pa.Table) -> None:
        """Keeps a shard's table, whole or not at all.

        Raises
        ------
        StorageError : the folder cannot be written.
        UsageError : it holds records of other code of that world.
        """
        code = self.code(shard)
        self._tell()
        sink = pa.BufferOutputStream()
        said = {SHARD: repr(shard).encode(), CODE: code.encode()}
        sealed = table.replace_schema_metadata({**said, DIGEST: _seal(table, said)})
        pq.write_table(sealed, sink, compression="zstd", write_page_checksum=True, write_statistics=False)
        write_whole(self.path(shard), sink.getvalue())

    def holds(self, shard: Shard) -> bool:
        """Whether there is a file in the shard's place, whatever is in it."""
        return os.path.exists(self.path(shard))

    def read(self, shard: Shard) -> pa.Table | None:
        """The shard's table, or None where it was never written.

        Raises
        ------
        DamagedRecordError : if the file cannot be read, is truncated, altered, or another shard's.
        UsageError : if it is of other code, or another one of that world is.
        """
        if not self.holds(shard):
            return None
        path, code = self.path(shard), self.code(shard)
        table = _checked(path, lambda _: shard)
        if (held := _code_of(table.schema)) != code:
            raise _of_other_code(path, code, held)
        return table

    def set_aside(self, shard: Shard) -> Path:
        """Moves a damaged file out of the way, keeping it, and says where it now is.

        Raises
        ------
        StorageError : it cannot be moved.
        """
        return _aside(self.path(shard))

    def _tell(self) -> None:
        """Writes the manifest before the first thing that it is about."""
        if not self._told:
            self.save_manifest()


def runs(out: Path, study: str) -> list[Path]:
    """Run folders of a study under `out`, the newest last: those with a manifest, or something in its place."""
    found = (out / study).glob(f"*/{MANIFEST}")
    return [path.parent for path in sorted(found, key=lambda path: path.stat().st_mtime)]


def read_manifest(run: Path, *required: str) -> dict[str, Any]:
    """What the manifest of a run says, in the form that `Store` writes.

    Parameters
    ----------
    required : names of what the reader cannot do without, beside what every manifest has.

    Raises
    ------
    FileNotFoundError : there is none.
    DamagedRecordError : it cannot be read, or is of another form.
    """
    path = run / MANIFEST
    wrong = None
    try:
        held = read_json(path)
    except DamagedRecordError as damage:
        raise DamagedRecordError(f"{damage}: {WAY_OUT}") from None
    if not isinstance(held, dict):
        wrong = f"it must be an object, got {type(held).__name__}"
    else:
        lacking = [name for name in required if name not in held]
        odd = [name for name, (_, fits) in FORMS.items() if name in held and not fits(held[name])]
        wrong = f"it lacks {lacking[0]}" if lacking else f"{odd[0]} must be {FORMS[odd[0]][0]}" if odd else None
    if wrong:
        raise DamagedRecordError(f"{path} is damaged ({wrong}): {WAY_OUT}")
    return held


def world(run: Path, study: str, method: str, point: Point) -> list[pa.Table]:
    """Tables of all shards that a run holds of one world, in order, up to the first that is missing.

    Raises
    ------
    DamagedRecordError : as `shards` does.
    """
    return list(shards(run, study, method, point))


def shards(run: Path, study: str, method: str, point: Point) -> Iterator[pa.Table]:
    """The same one after the other, so that no more than one of them need be in memory.

    Raises
    ------
    DamagedRecordError : the manifest or a file is damaged, or a file is of another world, seed, size or code.
    """
    folder, first = run / world_name(method, point), None
    found = takewhile(os.path.exists, (folder / name(index) for index in count()))
    held, size = dict[str, Any](), 0
    for index, path in enumerate(found):
        held = held or read_manifest(run, "seed")
        expected = partial(_placed, study, method, tuple(point.items()), held["seed"], index, size)
        table = _checked(path, expected)
        first = table.schema if first is None else first
        size = expected(first.metadata[SHARD]).size
        if _code_of(table.schema) != _code_of(first):
            raise DamagedRecordError(f"{path} is damaged (it was drawn by other code than those before it)")
        yield table


def held_shard(path: Path) -> tuple[dict[str, Any], pa.Schema]:
    """What a shard's file says its coordinates are, by name, and its columns; whether they are true, `shards` sees.

    Raises
    ------
    DamagedRecordError : it names no shard.
    """
    try:
        schema = pq.read_schema(path)
        call: Any = ast.parse((schema.metadata or {})[SHARD].decode(), mode="eval").body
        said = {part.arg: ast.literal_eval(part.value) for part in call.keywords}
        Shard(**said)
        dict(said["point"])
    except (*UNREADABLE, AttributeError, KeyError, SyntaxError, RecursionError) as error:
        raise DamagedRecordError(f"{path} is damaged ({reason(error)})") from None
    return said, schema


def world_name(method: str, point: Point) -> str:
    """The folder of a world's records within a run: the point as text, cut and told apart by a hash if it is long."""
    folder = label(point)
    if len(folder.encode()) > LONGEST_NAME:
        told = hashlib.sha256(folder.encode()).hexdigest()[:16]
        folder = f"{folder.encode()[:SHOWN].decode(errors='ignore')} ... {told}"
    return f"{method}/{folder}"


def name(index: int) -> str:
    """File name of shard `index`."""
    return f"{index:06d}.parquet"


def _placed(
    study: str, method: str, point: tuple[tuple[str, object], ...], seed: int, index: int, size: int, named: bytes
) -> Shard:
    """The shard in a place, of the size that the file names if nobody else tells (0)."""
    given = SIZE.search(named)
    return Shard(study, method, point, seed, index, size or int(given[1] if given else 0))


def _checked(path: Path, expected: Callable[[bytes], Shard]) -> pa.Table:
    """The table in a shard's file, if it is what was written there.

    Parameters
    ----------
    expected : the name that the file gives its shard -> the shard whose place it is in.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        held = table.schema.metadata or {}
        found = _seal(table, held)
    except UNREADABLE as error:
        raise DamagedRecordError(f"{path} is damaged ({reason(error)})") from None
    shard = held.get(SHARD, b"")
    wrong = None
    if held.get(DIGEST) != found:
        wrong = "its contents are not those that were written"
    elif shard != repr(expected(shard)).encode():
        wrong = "it does not name the shard that its place names"
    if wrong:
        raise DamagedRecordError(f"{path} is damaged ({wrong})")
    return table


def _seal(table: pa.Table, said: Mapping[bytes, bytes]) -> bytes:
    """Hash of a shard's values and of what its file says of itself."""
    whole = b"|".join((digest(table).encode(), said.get(SHARD, b""), said.get(CODE, b"")))
    return hashlib.blake2b(whole, digest_size=16).hexdigest().encode()


def _other_code(world: Path, code: str) -> str | None:
    """The fingerprint in the first file of a world, if that is what was written and of other code; else None."""
    first = min(world.glob("*.parquet"), default=None)
    if first is None:
        return None
    with suppress(*UNREADABLE):  # who reads it will say so
        if _code_of(pq.read_schema(first)) == code:
            return None
        table = pq.ParquetFile(first, page_checksum_verification=True).read()
        held = table.schema.metadata or {}
        if held.get(DIGEST) == _seal(table, held) and _code_of(table.schema) != code:
            return _code_of(table.schema)
    return None


def _code_of(schema: pa.Schema) -> str:
    return (schema.metadata or {}).get(CODE, b"").decode(errors="replace")


def _of_other_code(path: Path, code: str, held: str | None) -> UsageError:
    return UsageError(
        f"{path} must hold records of this code ({code}), got records of other code ({held}): choose another --out, "
        "or remove them"
    )


def _aside(path: Path) -> Path:
    """Moves a damaged file out of the way, keeping it, and gives where it now is."""
    aside = path.with_suffix(".damaged")
    try:
        os.replace(path, aside)
    except OSError as error:
        raise StorageError(f"{path} must be movable to {aside}, got: {error.strerror}: remove both") from None
    return aside


def _is_number(value: Any, least: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value < math.inf


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and _is_number(value, least)


def _is_mapping(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, dict) and all(map(fits, value.values()))


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(fits, value))


def _is_axis(value: Any) -> bool:
    return _is_list(value, _is_scalar) or _is_scalar(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


# What a manifest says, if it says it: in words, and how to tell.
FORMS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "pace": ("numbers of seconds", lambda value: _is_mapping(value, lambda seconds: _is_number(seconds, 0))),
    "seed": ("an integer of at least 0", lambda value: _is_whole(value, 0)),
    "backend": ("a text", lambda value: isinstance(value, str)),
    "study": ("a text", lambda value: isinstance(value, str)),
    "points": (
        "a list of points",
        lambda value: _is_list(value, lambda point: _is_mapping(point, _is_axis)),
    ),
}
