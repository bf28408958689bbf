"""Images: what their digest sees, what tensors they give, and the digits that come with scikit-learn."""

import numpy as np
import pytest

from empirical.data import Images, digest, load, splits
from fragility.engine.study import UsageError


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    return Images(rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8), np.array([0, 1, 0, 2, 1, 0]), ("a", "b", "c"))


def test_digest_is_of_shape_pixels_and_labels(images):
    def digest(x=images.x, labels=images.labels):
        return Images(x, labels, images.classes).digest

    one_off, other_label = images.x.copy(), images.labels.copy()
    one_off[3, 2, 1, 0] ^= 1
    other_label[4] = 2
    digests = {images.digest, digest(one_off), digest(labels=other_label), digest(images.x.reshape(6, 5, 4, 3))}
    assert len(digests) == 4
    assert all(len(text) == 12 and int(text, 16) >= 0 for text in digests)
    assert digest(np.asfortranarray(images.x), images.labels.astype(np.int32)) == images.digest


def test_tensor_has_channels_first_in_the_unit_interval(images):
    tensor = images.tensor()
    assert tuple(tensor.shape) == (6, 3, 4, 5)
    assert tensor.is_contiguous()
    expected = (images.x.transpose(0, 3, 1, 2) / np.float64(255)).astype(np.float32)
    np.testing.assert_array_equal(tensor.numpy(), expected)
    grey = Images(np.array([[[0, 255]]], np.uint8), np.array([0]), ("a",))
    assert grey.tensor().tolist() == [[[[0.0, 1.0]]]]


def test_parts(images):
    assert images.first(2).labels.tolist() == [0, 1]
    chosen = images.of_class(0)
    assert chosen.labels.tolist() == [0, 0, 0]
    np.testing.assert_array_equal(chosen.x, images.x[[0, 2, 5]])
    assert images.spread(6).digest == images.digest
    np.testing.assert_array_equal(images.spread(4).x, images.x[[0, 1, 3, 4]])
    np.testing.assert_array_equal(images.spread(2).labels, images.labels[[0, 3]])
    outside = (lambda: images.first(7), lambda: images.first(0), lambda: images.spread(7), lambda: images.spread(0))
    for part in (*outside, lambda: images.of_class(3)):
        with pytest.raises(UsageError, match="got"):
            part()


def test_digits():
    train, test = load("digits", "train"), load("digits", "test")
    assert (len(train), len(test)) == (1437, 360)
    assert train.x.shape[1:] == (8, 8)
    assert (train.x.min(), train.x.max()) == (0, 255)
    assert len(set(np.unique(train.x))) == 17
    assert np.bincount(np.concatenate([train.labels, test.labels])).sum() == 1797
    assert len(train.classes) == 10


def test_a_set_is_read_once_and_cannot_be_written(idx_set, tmp_path):
    idx_set(tmp_path / "MNIST/raw")
    images = load("mnist", "train", tmp_path)
    assert load("mnist", "train", str(tmp_path)) is images
    for array in (images.x, images.labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    assert images.tensor().shape == (5, 1, 28, 28)


def test_a_digest_is_of_all_splits(idx_set, tmp_path):
    idx_set(tmp_path / "a/MNIST/raw")
    for folder, sizes in (("b", (5, 4)), ("c", (6, 3)), ("d", (5, 3))):
        idx_set(tmp_path / folder / "MNIST/raw", *sizes)
    one, other, third, same = (digest("mnist", tmp_path / folder) for folder in "abcd")
    assert one == same
    assert len({one, other, third, digest("digits")}) == 4


def test_images_are_those_that_were_asked_for():
    assert splits("digits", digest("digits")) == (load("digits", "train"), load("digits", "test"))
    with pytest.raises(UsageError, match="--data-dir must hold the digits 123 wherever"):
        splits("digits", "123")
