"""Images and labels as users have them, and what is no image in a line."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from empirical.examine.images import SAID, Shown, images
from fragility.engine import memory
from fragility.engine.context import Context, using
from fragility.engine.study import UsageError

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (5, 6, 4, 3)).astype(np.uint8)


def read(path, labels=None, size=None):
    with using(Shown(images=path, labels=labels)):
        return images(size)


def test_arrays_come_as_bytes_or_fractions_with_channels_on_either_side(tmp_path):
    expected = BYTES.transpose(0, 3, 1, 2) / np.float32(255)
    for name, array in (("last", BYTES), ("first", expected), ("double", expected.astype(float))):
        np.savez(tmp_path / f"{name}.npz", images=array, labels=np.arange(5))
        found = read(tmp_path / f"{name}.npz")
        assert found.x.dtype == np.float32
        np.testing.assert_array_equal(found.x, expected)
        np.testing.assert_array_equal(found.labels, np.arange(5))
    np.save(tmp_path / "grey.npy", BYTES[..., 0])
    grey = read(tmp_path / "grey.npy")
    assert (grey.x.shape, grey.labels, grey.labels_digest) == ((5, 1, 6, 4), None, SAID)


def test_photographs_are_in_the_order_of_their_paths_and_whole_or_cut(tmp_path):
    for number, name in enumerate(("b/one.png", "a/two.png", "three.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 30, 3), 50 * number, np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    whole, cut = read(tmp_path), read(tmp_path, size=8)
    assert (whole.x.shape, cut.x.shape) == ((3, 3, 20, 30), (3, 3, 8, 8))
    np.testing.assert_allclose(whole.x[:, 0, 0, 0], np.array([50, 0, 100]) / 255, rtol=1e-6)


def test_photographs_of_two_sizes_must_be_cut(tmp_path):
    for name, width in (("a.png", 30), ("z.png", 31)):
        Image.fromarray(np.zeros((20, width, 3), np.uint8)).save(tmp_path / name)
    with pytest.raises(UsageError, match=r"one size, got 20 x 30 and 20 x 31 \(z\.png\): --size 224 cuts"):
        read(tmp_path)
    assert read(tmp_path, size=8).x.shape == (2, 3, 8, 8)


def test_a_digest_is_of_values_and_shape(tmp_path):
    for name, array in (("a", BYTES), ("b", BYTES[::-1]), ("c", BYTES.transpose(0, 2, 1, 3))):
        np.save(tmp_path / f"{name}.npy", array)
    assert len({read(tmp_path / f"{name}.npy").digest for name in "abc"}) == 3


@pytest.mark.parametrize("name", ["labels.txt", "labels.npy", "labels.npz"])
def test_labels_are_a_text_or_an_array(tmp_path, name):
    np.save(tmp_path / "images.npy", BYTES)
    (tmp_path / "labels.txt").write_text("0\n1\n2\n3\n4\n")
    np.save(tmp_path / "labels.npy", np.arange(5))
    np.savez(tmp_path / "labels.npz", y=np.arange(5))
    found = read(tmp_path / "images.npy", tmp_path / name)
    assert list(found.labels) == [0, 1, 2, 3, 4]
    assert found.labels_digest not in (SAID, read(tmp_path / "images.npy").labels_digest)


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (BYTES[0], "on one axis alone, got shape (6, 1, 4, 3)"),
        (BYTES.astype(np.int64), "must be bytes from 0 to 255 or fractions from 0 to 1, got int64"),
        (BYTES.astype(np.float32), "must lie in [0, 1], got values from 0 to 255"),
        (np.full((2, 3, 4, 4), np.nan), "must lie in [0, 1], got values from nan to nan"),
        (np.zeros((2, 3, 5, 3), np.uint8), "of 1 or 3 channels, on one axis alone, got shape (2, 3, 5, 3)"),
        (np.zeros((2, 4, 5, 5), np.uint8), "of 1 or 3 channels"),
        (np.zeros((0, 3, 5, 5), np.uint8), "must hold images (N, channels, height, width)"),
        (np.zeros(7, np.uint8), "must hold images (N, channels, height, width)"),
        (np.array(["a"]), "must hold images (N, channels, height, width)"),
        (np.array([{"a": 1}]), "must be a file of arrays that can be read"),
    ],
)
def test_what_is_no_array_of_images_is_said_in_a_line(tmp_path, array, line):
    np.save(tmp_path / "odd.npy", array, allow_pickle=True)
    with pytest.raises(UsageError) as error:
        read(tmp_path / "odd.npy")
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("none.npz", "No such file"),
        ("none.jpg", "--images must be a folder, or a file that ends in .npz or .npy"),
        ("text.npz", "must be a file of arrays that can be read"),
        ("other.npz", "must hold images as images or x, got a, b"),
        ("empty", "--images must name a folder with .jpeg, .jpg, .png in it, got none"),
        ("broken", "must be an image that can be read"),
    ],
)
def test_what_holds_no_images_is_said_in_a_line(tmp_path, name, line):
    (tmp_path / "text.npz").write_text("text")
    np.savez(tmp_path / "other.npz", a=BYTES, b=BYTES)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("text")
    with pytest.raises(UsageError) as error:
        read(tmp_path / name)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_announced_beyond_the_memory_is_not_read(tmp_path, monkeypatch):
    np.savez(tmp_path / "large.npz", images=BYTES)
    with zipfile.ZipFile(tmp_path / "large.npz") as archive:
        assert sum(member.file_size for member in archive.infolist()) > 300
    monkeypatch.setattr(memory, "memory", lambda: 300)
    with pytest.raises(UsageError, match="must fit into the 300 bytes of memory"):
        read(tmp_path / "large.npz")


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ("0\n1", "--labels must hold a class for each of 5 images, got 2"),
        ("cat\ndog", "--labels must be a text of one class number a line"),
        ("", "got 0"),
    ],
)
def test_labels_that_do_not_fit_are_said_in_a_line(tmp_path, labels, line):
    np.save(tmp_path / "images.npy", BYTES)
    (tmp_path / "labels.txt").write_text(labels)
    with pytest.raises(UsageError, match=line):
        read(tmp_path / "images.npy", tmp_path / "labels.txt")
    np.save(tmp_path / "labels.npy", np.linspace(0, 1, 5))
    with pytest.raises(UsageError, match="must hold labels as integers"):
        read(tmp_path / "images.npy", tmp_path / "labels.npy")


def test_arrays_are_taken_as_they_are_and_somebody_must_say_where_they_are(tmp_path):
    np.save(tmp_path / "images.npy", BYTES)
    with pytest.raises(UsageError, match="--size must be left out where images come as arrays"):
        read(tmp_path / "images.npy", size=8)
    with using(Context()), pytest.raises(UsageError, match="--images must name a folder"):
        images(None)
