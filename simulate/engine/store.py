"""Records on disk: one Parquet file per shard, written whole or not at all, and a manifest of where they are from.

results/<study>/<backend>-seed<seed>/manifest.json
results/<study>/<backend>-seed<seed>/<method>/<point>/<index>.parquet
"""

from __future__ import annotations

import json
import os
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from simulate.engine.files import write_whole
from simulate.engine.records import digest
from simulate.engine.shard import Shard
from simulate.engine.study import Point, UsageError, label


class DamagedRecordError(Exception):
    """A shard file that cannot be what was written."""


class Store:
    """The records of one study, backend and seed.

    Parameters
    ----------
    root : the run's folder.
    fingerprint : of the code whose numbers it holds.

    Raises
    ------
    UsageError : the folder holds records of other code.
    simulate.engine.files.StorageError : the folder cannot be written.
    """

    def __init__(self, root: Path, fingerprint: str) -> None:
        self.root = root
        self.manifest: dict[str, Any] = {"fingerprint": fingerprint, "looks": {}}
        path = root / "manifest.json"
        if path.exists():
            try:
                self.manifest = json.loads(path.read_text())
                held = self.manifest["fingerprint"]
            except (ValueError, KeyError):
                raise UsageError(
                    f"{path} must be a manifest, got something else: choose another --out or remove {root}"
                ) from None
            if held != fingerprint:
                raise UsageError(
                    f"{root} must hold records of this code ({fingerprint}), got records of other code ({held}): "
                    "choose another --out, or remove that folder"
                )
        self.save_manifest()

    def save_manifest(self, **provenance: Any) -> None:
        """Writes the manifest, with what is new in it."""
        self.manifest.update(provenance)
        write_whole(self.root / "manifest.json", json.dumps(self.manifest, indent=1).encode())

    def path(self, shard: Shard) -> Path:
        return self.root / shard.method / label(dict(shard.point)) / name(shard.index)

    def write(self, shard: Shard, table: pa.Table) -> None:
        """Keeps a shard's table, whole or not at all."""
        sink = pa.BufferOutputStream()
        identity = {
            b"shard": repr(shard).encode(),
            b"fingerprint": self.manifest["fingerprint"].encode(),
            b"digest": digest(table).encode(),
        }
        pq.write_table(table.replace_schema_metadata(identity), sink, compression="zstd", write_page_checksum=True)
        write_whole(self.path(shard), sink.getvalue())

    def read(self, shard: Shard) -> pa.Table | None:
        """The shard's table, or None where it was never written.

        Raises
        ------
        DamagedRecordError : if the file is truncated, altered, or another shard's.
        """
        path = self.path(shard)
        if not path.exists():
            return None
        try:
            table = pq.ParquetFile(path, page_checksum_verification=True).read()
            found = digest(table)
        except (pa.ArrowException, OSError, TypeError, ValueError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise DamagedRecordError(f"{path} is damaged ({reason})") from None
        held = table.schema.metadata or {}
        if held.get(b"digest") != found.encode():
            raise DamagedRecordError(f"{path} is damaged (its contents are not those that were written)")
        if held.get(b"shard") != repr(shard).encode():
            raise DamagedRecordError(f"{path} is damaged (it does not name the shard that its place names)")
        return table

    def set_aside(self, shard: Shard) -> Path:
        """Moves a damaged file out of the way, keeping it, and says where it now is."""
        path = self.path(shard)
        aside = path.with_suffix(".damaged")
        os.replace(path, aside)
        return aside


def runs(out: Path, study: str) -> dict[Path, dict[str, Any]]:
    """Run folders of a study under `out` with their manifests, the newest last."""
    paths = sorted((out / study).glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    return {path.parent: json.loads(path.read_text()) for path in paths}


def world(run: Path, method: str, point: Point) -> list[pa.Table]:
    """Tables of all shards that a run holds of one world, in order, up to the first that is missing."""
    folder = run / method / label(point)
    found = takewhile(Path.exists, (folder / name(index) for index in count()))
    return [pq.ParquetFile(path, page_checksum_verification=True).read() for path in found]


def name(index: int) -> str:
    """File name of shard `index`."""
    return f"{index:06d}.parquet"
