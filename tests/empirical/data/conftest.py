"""Small data sets in the standard layouts, and a machine that has no others."""

import gzip
import pickle
import struct

import numpy as np
import pytest

from fragility.engine.context import DATA


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder of data sets of a user who named none."""
    monkeypatch.delenv(DATA, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "fragility"


@pytest.fixture
def idx_set():
    """(folder, images per split) -> {split: (pixels, labels)} as written there in the idx format, gzipped."""

    def write(folder, train=5, test=3):
        folder.mkdir(parents=True)
        rng = np.random.default_rng(train)
        written = {}
        for split, prefix, count in (("train", "train", train), ("test", "t10k", test)):
            x = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
            labels = rng.integers(0, 10, count, dtype=np.uint8)
            head = struct.pack(">4I", 0x803, *x.shape)
            (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + x.tobytes(), mtime=0))
            head = struct.pack(">2I", 0x801, count)
            (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.tobytes(), mtime=0))
            written[split] = (x, labels)
        return written

    return write


@pytest.fixture
def batch_set():
    """(folder) -> {name: (data, labels)} as written below it in the layout of CIFAR-10."""

    def write(folder, each=2):
        batches = folder / "cifar-10-batches-py"
        batches.mkdir(parents=True)
        rng = np.random.default_rng(each)
        written = {}
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
            data = rng.integers(0, 256, (each, 3072), dtype=np.uint8)
            labels = rng.integers(0, 10, each).tolist()
            (batches / name).write_bytes(pickle.dumps({b"data": data, b"labels": labels}, protocol=4))
            written[name] = (data, labels)
        return written

    return write
