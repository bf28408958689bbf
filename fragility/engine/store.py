"""Records on disk: one Parquet file per shard, written whole or not at all, and a manifest of where they are from.

results/<study>/<backend>-seed<seed>/manifest.json
results/<study>/<backend>-seed<seed>/<method>/<point>/<index>.parquet

Nothing in them is trusted: a manifest is read by `read_manifest` alone and a shard's file by `_checked` alone, whoever
asks, and what cannot be what was written is a `DamagedRecordError`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fragility.engine.files import DamagedRecordError, StorageError, read_json, reason, write_whole
from fragility.engine.records import digest
from fragility.engine.shard import Shard
from fragility.engine.study import Point, UsageError, label

MANIFEST = "manifest.json"
LONGEST_NAME, SHOWN = 255, 200  # bytes of a folder's name that file systems take, and that are kept of a longer one
SIZE = re.compile(rb"size=([0-9]{1,18})\)$")  # at the end of the name of a shard


class Store:
    """The records of one study, backend and seed.

    Parameters
    ----------
    root : the run's folder.
    code : the fingerprint of the code that makes a shard's numbers; of all shards of a world it is the same.

    Raises
    ------
    DamagedRecordError : its manifest is none.
    fragility.engine.files.StorageError : the folder cannot be written.
    """

    def __init__(self, root: Path, code: Callable[[Shard], str]) -> None:
        self.root, self._code = root, code
        self.manifest: dict[str, Any] = {"code": {}, "looks": {}}
        with suppress(FileNotFoundError):
            self.manifest = read_manifest(root)
        self.save_manifest()

    def save_manifest(self, **provenance: Any) -> None:
        """Writes the manifest, with what is new in it."""
        self.manifest.update(provenance)
        write_whole(self.root / MANIFEST, json.dumps(self.manifest, indent=1).encode())

    def path(self, shard: Shard) -> Path:
        return self.root / world_name(shard.method, dict(shard.point)) / name(shard.index)

    def code(self, shard: Shard) -> str:
        """The fingerprint of what the store holds, and may hold, of the shard's world.

        Raises
        ------
        UsageError : it holds records of other code.
        """
        world, code = world_name(shard.method, dict(shard.point)), self._code(shard)
        held = self.manifest["code"].get(world, code)
        if held != code and any((self.root / world).glob("*.parquet")):
            raise UsageError(
                f"{self.root / world} must hold records of this code ({code}), got records of other code ({held}): "
                "choose another --out, or remove that folder"
            )
        return code

    def write(self, shard: Shard, table: pa.Table) -> None:
        """Keeps a shard's table, whole or not at all."""
        world, code = world_name(shard.method, dict(shard.point)), self.code(shard)
        if self.manifest["code"].get(world) != code:
            self.manifest["code"][world] = code
            self.save_manifest()
        sink = pa.BufferOutputStream()
        identity = {
            b"shard": repr(shard).encode(),
            b"fingerprint": code.encode(),
            b"digest": digest(table).encode(),
        }
        pq.write_table(table.replace_schema_metadata(identity), sink, compression="zstd", write_page_checksum=True)
        write_whole(self.path(shard), sink.getvalue())

    def holds(self, shard: Shard) -> bool:
        """Whether there is a file in the shard's place, whatever is in it."""
        return os.path.exists(self.path(shard))

    def read(self, shard: Shard) -> pa.Table | None:
        """The shard's table, or None where it was never written.

        Raises
        ------
        DamagedRecordError : if the file cannot be read, is truncated, altered, or another shard's or other code's.
        UsageError : if it holds records of other code of that world.
        """
        if not self.holds(shard):
            return None
        return _checked(self.path(shard), self.code(shard), lambda _: shard)

    def set_aside(self, shard: Shard) -> Path:
        """Moves a damaged file out of the way, keeping it, and says where it now is.

        Raises
        ------
        StorageError : it cannot be moved.
        """
        path = self.path(shard)
        aside = path.with_suffix(".damaged")
        try:
            os.replace(path, aside)
        except OSError as error:
            raise StorageError(f"{path} must be movable to {aside}, got: {error.strerror}: remove both") from None
        return aside


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
        raise DamagedRecordError(f"{damage}: {_way_out(run)}") from None
    if not isinstance(held, dict):
        wrong = f"it must be an object, got {type(held).__name__}"
    else:
        lacking = [name for name in ("code", "looks", *required) if name not in held]
        odd = [name for name, (_, fits) in FORMS.items() if name in held and not fits(held[name])]
        wrong = f"it lacks {lacking[0]}" if lacking else f"{odd[0]} must be {FORMS[odd[0]][0]}" if odd else None
    if wrong:
        raise DamagedRecordError(f"{path} is damaged ({wrong}): {_way_out(run)}")
    return held


def world(run: Path, study: str, method: str, point: Point) -> list[pa.Table]:
    """Tables of all shards that a run holds of one world, in order, up to the first that is missing.

    Raises
    ------
    DamagedRecordError : the manifest or a file is damaged, or a file is of another world, seed, size or code.
    """
    folder, tables, size = run / world_name(method, point), list[pa.Table](), 0
    found = takewhile(os.path.exists, (folder / name(index) for index in count()))
    held: dict[str, Any] = {}
    for index, path in enumerate(found):
        held = held or read_manifest(run, "seed")
        expected = partial(_placed, study, method, tuple(point.items()), held["seed"], index, size)
        tables.append(_checked(path, held["code"].get(world_name(method, point), ""), expected))
        size = expected(tables[0].schema.metadata[b"shard"]).size
    return tables


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


def _checked(path: Path, fingerprint: str, expected: Callable[[bytes], Shard]) -> pa.Table:
    """The table in a shard's file, if it is what was written there.

    Parameters
    ----------
    fingerprint : of the code that wrote it.
    expected : the name that the file gives its shard -> the shard whose place it is in.
    """
    try:
        table = pq.ParquetFile(path, page_checksum_verification=True).read()
        found = digest(table).encode()
    except (pa.ArrowException, OSError, TypeError, ValueError, MemoryError, OverflowError) as error:
        raise DamagedRecordError(f"{path} is damaged ({reason(error)})") from None
    held = table.schema.metadata or {}
    shard, code = held.get(b"shard", b""), held.get(b"fingerprint", b"")
    wrong = None
    if held.get(b"digest") != found:
        wrong = "its contents are not those that were written"
    elif shard != repr(expected(shard)).encode():
        wrong = "it does not name the shard that its place names"
    elif code != fingerprint.encode():
        wrong = f"it was drawn by other code ({code.decode(errors='replace')})"
    if wrong:
        raise DamagedRecordError(f"{path} is damaged ({wrong})")
    return table


def _way_out(run: Path) -> str:
    return f"remove {run} and its records are drawn anew, or choose another --out"


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
    "code": ("texts", lambda value: _is_mapping(value, lambda code: isinstance(code, str))),
    "looks": (
        "lists of numbers of draws",
        lambda value: _is_mapping(value, lambda looks: _is_list(looks, lambda look: _is_whole(look, 1))),
    ),
    "pace": ("numbers of seconds", lambda value: _is_mapping(value, lambda seconds: _is_number(seconds, 0))),
    "seed": ("an integer of at least 0", lambda value: _is_whole(value, 0)),
    "backend": ("a text", lambda value: isinstance(value, str)),
    "study": ("a text", lambda value: isinstance(value, str)),
    "points": (
        "a list of points",
        lambda value: _is_list(value, lambda point: _is_mapping(point, _is_axis)),
    ),
}
