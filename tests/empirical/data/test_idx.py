"""Idx files are read as they are written, and every kind of damage is one line that names the file."""

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from empirical.data import load
from fragility.engine.backend import UnavailableError

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST/raw"), ("fashion-mnist", "FashionMNIST/raw")])
@pytest.mark.parametrize("split", ["train", "test"])
def test_pixels_and_labels(idx_set, tmp_path, name, folder, split):
    x, labels = idx_set(tmp_path / folder)[split]
    images = load(name, split, tmp_path)
    np.testing.assert_array_equal(images.x, x)
    np.testing.assert_array_equal(images.labels, labels)
    assert (images.x.dtype, images.labels.dtype) == (np.uint8, np.int64)


def test_unpacked_files_are_read_too(idx_set, tmp_path):
    x, _ = idx_set(tmp_path / "MNIST/raw")["train"]
    for path in (tmp_path / "MNIST/raw").iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    np.testing.assert_array_equal(load("mnist", "train", tmp_path).x, x)


def test_one_split_is_enough(idx_set, tmp_path):
    idx_set(tmp_path / "MNIST/raw")
    (tmp_path / "MNIST/raw" / LABELS).unlink()
    assert len(load("mnist", "test", tmp_path)) == 3


def damaged(tmp_path, file, content):
    (tmp_path / "MNIST/raw" / file).write_bytes(content)
    with pytest.raises(UnavailableError) as caught:
        load("mnist", "train", tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(tmp_path / "MNIST/raw" / file) in line
    return line


def images(count, side, body):
    return struct.pack(">4I", 0x803, count, side, side) + bytes(body)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"not gzip at all", "Not a gzipped file"),
        (gzip.compress(b""), "got nothing"),
        (gzip.compress(images(5, 28, 5 * 784))[:40], "Compressed file ended"),
        (gzip.compress(images(5, 28, 5 * 784))[:-8] + bytes(8), "CRC check failed"),
        (gzip.compress(images(5, 28, 5 * 784 - 1)), "announces 3920 bytes, got 3919"),
        (gzip.compress(images(5, 28, 5 * 784 + 1)), "announces 3920 bytes, got more"),
        (gzip.compress(images(2**32 - 1, 28, 100)), "at most 1,000,000 images, and its head announces 4,294,967,295"),
        (gzip.compress(images(2**20 - 2**16, 28, 100)), "got 100"),
        (gzip.compress(images(5, 27, 5 * 729)), "must be 28 x 28, got 27 x 27"),
        (gzip.compress(struct.pack(">2I", 0x801, 100) + bytes(100)), "must begin with 00000803"),
        (gzip.compress(struct.pack(">4I", 0xD03, 5, 28, 28) + bytes(3920)), "must begin with 00000803"),
        (gzip.compress(struct.pack(">2I", 0x803, 5)), "and 3 sizes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_damaged_images(idx_set, tmp_path, content, reason):
    idx_set(tmp_path / "MNIST/raw")
    assert reason in damaged(tmp_path, IMAGES, content)


@pytest.mark.parametrize(
    ("labels", "reason"), [(bytes(4), "got 4 for 5"), (bytes([0, 1, 2, 10, 3]), "below 10, got 10")]
)
def test_damaged_labels(idx_set, tmp_path, labels, reason):
    idx_set(tmp_path / "MNIST/raw")
    content = gzip.compress(struct.pack(">2I", 0x801, len(labels)) + labels)
    assert reason in damaged(tmp_path, LABELS, content)


def test_no_images_at_all(idx_set, tmp_path):
    idx_set(tmp_path / "MNIST/raw", train=0)
    with pytest.raises(UnavailableError, match="and some, got 0 for 0"):
        load("mnist", "train", tmp_path)


def test_no_more_is_unpacked_than_the_head_announces(idx_set, tmp_path):
    idx_set(tmp_path / "MNIST/raw")
    content = gzip.compress(images(5, 28, 1 << 28), 1)
    tracemalloc.start()
    assert "announces 3920 bytes, got more" in damaged(tmp_path, IMAGES, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 24
