"""Photographs: their order, what is cut out of them, and files that are none."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from empirical.data import Photograph, photographs, read_photograph
from fragility.engine.backend import UnavailableError
from fragility.engine.study import UsageError


def test_sorted_by_class_and_file(tmp_path):
    files = ["n02/x", "n02102040/b.JPEG", "n02102040/a.jpg", "n02102040/notes.txt", "n02088094/c.png", "extra/d.JPEG"]
    for file in files:
        (tmp_path / "imagenet" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "imagenet" / file).write_bytes(b"")
    folder = tmp_path / "imagenet"
    assert photographs(tmp_path) == [
        Photograph("n02088094", folder / "n02088094" / "c.png"),
        Photograph("n02102040", folder / "n02102040" / "a.jpg"),
        Photograph("n02102040", folder / "n02102040" / "b.JPEG"),
    ]


def test_val_has_the_photographs_where_there_is_one(tmp_path):
    for place in ("imagenet/n00000001", "imagenet/val/n00000002"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "a.JPEG").write_bytes(b"")
    assert [wnid for wnid, _ in photographs(tmp_path)] == ["n00000002"]


def test_folders_without_photographs(tmp_path):
    (tmp_path / "imagenet/n00000001").mkdir(parents=True)
    with pytest.raises(UnavailableError, match="no photograph in them"):
        photographs(tmp_path)


def test_the_middle_of_an_image_of_the_right_size(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (256, 300, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    middle = read_photograph(tmp_path / "a.png")
    assert middle.dtype == np.uint8
    np.testing.assert_array_equal(middle, pixels[16:240, 38:262])


@pytest.mark.parametrize(("height", "width"), [(512, 1024), (1024, 512)])
def test_the_shorter_side_is_scaled(tmp_path, height, width):
    """A linear ramp of brightness over the longer side keeps its slope: 1024 pixels become 512."""
    ramp = np.linspace(0, 255, 1024)
    grey = np.broadcast_to(ramp, (512, 1024)) if width == 1024 else np.broadcast_to(ramp[:, None], (1024, 512))
    Image.fromarray(np.rint(grey).astype(np.uint8)).save(tmp_path / "a.png")
    middle = read_photograph(tmp_path / "a.png").astype(float)
    along = middle[112, :, 0] if width == 1024 else middle[:, 112, 0]
    expected = ramp.reshape(512, 2).mean(1)[144:368]
    assert np.abs(along - expected).max() <= 1
    np.testing.assert_array_equal(middle[..., 0], middle[..., 2])


def test_scaling_is_bilinear_over_all_pixels(tmp_path):
    """Half as wide: a column goes to the two nearest with the weights 3/8 and 1/8 of a triangle four pixels wide."""
    pixels = np.zeros((512, 512), np.uint8)
    pixels[:, 256] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    row = read_photograph(tmp_path / "a.png")[100, :, 1]
    expected = np.zeros(224)
    expected[[111, 112]] = 255 / 8, 255 * 3 / 8
    assert np.abs(row - expected).max() <= 1


def test_size_for_inception(tmp_path):
    Image.new("CMYK", (500, 400), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    middle = read_photograph(tmp_path / "a.jpg", size=299, shorter=342)
    assert middle.shape == (299, 299, 3)
    assert np.abs(middle[150, 150].astype(int) - [255, 0, 0]).max() <= 3
    with pytest.raises(UsageError, match="between 1 and 256 pixels"):
        read_photograph(tmp_path / "a.jpg", size=299)


def header_of_png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


def unreadable(path):
    with pytest.raises(UnavailableError) as caught:
        read_photograph(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path} cannot be read")
    return str(caught.value)


@pytest.mark.parametrize(("width", "height"), [(9_461, 9_461), (60_000, 60_000), (1_000, 89_300), (1, 40_000)])
@pytest.mark.filterwarnings("default")
def test_bombs_are_not_unpacked(tmp_path, recwarn, width, height):
    """Beyond Pillow's warning, beyond its error, between ours and its, and small until it is scaled."""
    (tmp_path / "a.png").write_bytes(header_of_png(width, height))
    assert "a photograph has" in unreadable(tmp_path / "a.png")
    assert not recwarn


def test_files_that_are_no_photographs(tmp_path):
    unreadable(tmp_path / "missing.JPEG")
    (tmp_path / "text.JPEG").write_text("no image")
    unreadable(tmp_path / "text.JPEG")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:5000])
    assert "truncated" in unreadable(tmp_path / "a.jpg")
    (tmp_path / "short.png").write_bytes(header_of_png(300, 300))
    unreadable(tmp_path / "short.png")
    Image.new("RGB", (300, 300)).save(tmp_path / "a.gif")
    unreadable(tmp_path / "a.gif")
