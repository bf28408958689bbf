"""The files that the rows of this folder name, all of them wrong in one way or sound and of no use."""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from fragility.engine.shard import Shard
from fragility.engine.store import Store

LONG = 300 * "x"  # a name that no file system takes
RAW = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
INCOMPLETE = """
from fragility import Book, Claim, Sides

BOOK = Book(
    (
        Claim(
            id="walk.triangle",
            source="A textbook",
            says="the end is no farther away than the steps are long together",
            kind="bound",
            theory=lambda steps: Sides(abs(sum(steps)), sum(map(abs, steps))),
            world=lambda rng: {"steps": rng.normal(size=3)},
            tolerance=1e-12,
        ),
    ),
    __file__,
)
"""
MANIFEST = {"seed": 0, "points": [{"n": 4, "rows": [4]}]}


def prepare(folder: Path) -> None:
    """Makes all of them in an empty folder."""
    (folder / "file.txt").write_text("text")
    for name in ("empty", "folder", "folder.png", "folder.py", "folder.npy"):
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.npy")
    books(folder)
    arrays(folder)
    runs(folder)
    digits(folder)
    photographs(folder)


def books(folder: Path) -> None:
    """What `--claims` cannot take."""
    (folder / "raising.py").write_text("raise RuntimeError('no\\nbook')")
    (folder / "leaving.py").write_text("import sys\nsys.exit(3)")
    (folder / "binary.py").write_bytes(bytes(range(256)))
    (folder / "number.py").write_text("BOOK = 7")
    (folder / "incomplete.py").write_text(INCOMPLETE)


def arrays(folder: Path) -> None:
    """Matrices, kernels and networks of a user; those called huge announce 72 TiB, and nothing follows."""
    head = b"{'descr': '<f8', 'fortran_order': False, 'shape': (3000000, 3300000), }"
    head = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
    (folder / "huge.npy").write_bytes(head)
    with zipfile.ZipFile(folder / "huge.npz", "w") as archive:
        archive.writestr("W.npy", head)
    np.save(folder / "pile.npy", np.ones((2, 3, 3)))
    np.save(folder / "nan.npy", np.full((2, 2), np.nan))
    np.save(folder / "dates.npy", np.array([["2020"]], "M8[D]"))
    np.save(folder / "matrix.npy", np.eye(2))
    np.save(folder / "kernel.npy", np.ones((2, 2, 3, 3)))
    np.savez(folder / "two.npz", a=np.eye(2), b=np.eye(2))
    np.savez(folder / "net.npz", x=np.ones(2), W1=np.eye(2))


def runs(folder: Path) -> None:
    """Runs whose manifest, record or looks are damaged or not this code's; tables of verdicts that are none."""
    for name, content in {
        "list": "[]",
        "null": "null",
        "object": "{}",
        "points": json.dumps({"seed": 0, "points": 7}),
        "foreign": json.dumps({"seed": 0, "points": [{"depth": 2}]}),
        "none": json.dumps(MANIFEST),  # sound, and without records
    }.items():
        manifest(folder / name, content)
        (folder / name / "verify").mkdir()
        (folder / name / "verify" / "verdicts.json").write_text(content)
    (manifest(folder / "looked") / "looks.jsonl").write_text("looked\n")
    for name in ("torn", "other"):
        run = manifest(folder / name)
        (run / "looks.jsonl").touch()
        shard = Shard("simulate.qr_product", "lu", (("n", 4), ("rows", (4, 4))), 0, 0, 1)
        Store(run, lambda _: "0123456789ab").write(shard, pa.table({"last": [1.0]}))
    (record,) = (folder / "torn").rglob("*.parquet")
    record.write_bytes(b"PAR1")


def manifest(out: Path, content: str = json.dumps(MANIFEST)) -> Path:
    """The folder of a run of `simulate.qr_product` with this manifest."""
    run = out / "simulate.qr_product" / "numpy-seed0"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text(content)
    return run


def digits(folder: Path) -> None:
    """MNIST of 200 training and 100 test images of noise, whole and wrong in some ways; CIFAR-10, always wrong."""
    noise = np.random.default_rng(0).integers(0, 255, (300, 28, 28))
    labels = np.arange(200) % 10
    sound = {RAW[0]: noise[:200], RAW[1]: labels, RAW[2]: noise[200:], RAW[3]: labels[:100]}

    def head(images: int) -> bytes:
        return struct.pack(">4B3I", 0, 0, 8, 3, images, 28, 28)

    for name, changes in {
        "mnist": {},
        "nosevens": {RAW[1]: np.arange(200) % 7, RAW[3]: np.arange(100) % 7},
        "noones": {RAW[1]: np.full(200, 7)},
        "blank": {RAW[2]: np.zeros((100, 28, 28))},
        "labels": {RAW[3]: np.full(100, 11)},
        "lengths": {RAW[3]: np.arange(50) % 10},
        "noimages": {RAW[2]: np.zeros((0, 28, 28)), RAW[3]: np.zeros(0)},
        "nogzip": {RAW[2]: b"no gzip"},
        "bomb": {RAW[2]: gzip.compress(head(100) + bytes(1 << 26), 1)},
        "announced": {RAW[2]: gzip.compress(head(2**32 - 1))},
    }.items():
        raw = folder / name / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for file, content in (sound | changes).items():
            (raw / f"{file}.gz").write_bytes(content if isinstance(content, bytes) else packed(content))
    batch = pickle.dumps({b"data": np.zeros((20, 3072), np.uint8), b"labels": [*range(10)] * 2}, 2)
    archive(folder / "cifar_lacks", dict.fromkeys(BATCHES[1:], batch))
    archive(folder / "cifar_bad", dict.fromkeys(BATCHES, batch) | {BATCHES[-1]: b"xx"})
    (folder / "cifar_text").mkdir()
    (folder / "cifar_text" / "cifar-10-python.tar.gz").write_text("hello")


def packed(values: np.ndarray) -> bytes:
    """An idx file of bytes, compressed."""
    values = np.asarray(values, np.uint8)
    head = bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape)
    return gzip.compress(head + values.tobytes(), 1)


def archive(folder: Path, batches: dict[str, bytes]) -> None:
    """CIFAR-10's archive of these batches."""
    folder.mkdir()
    with tarfile.open(folder / "cifar-10-python.tar.gz", "w:gz") as packing:
        for name, content in batches.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            packing.addfile(member, io.BytesIO(content))


def photographs(folder: Path) -> None:
    """Two classes of one photograph each."""
    for wnid in ("n02102040", "n02088094"):
        shown = folder / "photos" / "imagenet" / wnid
        shown.mkdir(parents=True)
        Image.new("RGB", (60, 60), "teal").save(shown / "a.png")
    (folder / "photos" / "imagenet" / "classes.txt").write_text("n02088094\nn02102040\n")
