"""Batches are read from folder and archive; nothing that a pickle or an archive brings along is executed."""

import gzip
import io
import os
import pickle
import re
import struct
import tarfile
import tracemalloc

import numpy as np
import pytest

from empirical.data import cifar, load
from fragility.engine.backend import UnavailableError


def archive(source, to, add=()):
    """A .tar.gz of the batches in `source`, and of further (member, content)."""
    with tarfile.open(to, "w:gz", compresslevel=1) as tar:
        for member, content in add:
            tar.addfile(member, io.BytesIO(content))
        tar.add(source / "cifar-10-batches-py", "cifar-10-batches-py")


def member(name, content=b"", **attributes):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def test_pixels_and_labels_in_order(batch_set, tmp_path):
    written = batch_set(tmp_path)
    images = load("cifar10", "train", tmp_path)
    assert images.x.shape == (10, 32, 32, 3)
    data, labels = written["data_batch_3"]
    assert images.labels[4:6].tolist() == labels
    row, column, colour = 5, 7, 2  # a batch has all reds, then greens, then blues, row by row
    assert images.x[5, row, column, colour] == data[1, colour * 1024 + row * 32 + column]
    assert images.classes[3] == "cat"


def test_archive_and_folder_give_the_same(batch_set, tmp_path):
    batch_set(tmp_path / "folder")
    (tmp_path / "packed").mkdir()
    archive(tmp_path / "folder", tmp_path / "packed" / "cifar-10-python.tar.gz")
    for split in ("train", "test"):
        one, other = (load("cifar10", split, tmp_path / where) for where in ("folder", "packed"))
        assert one.digest == other.digest
    assert [path.name for path in (tmp_path / "packed").iterdir()] == ["cifar-10-python.tar.gz"]


def of_python_2(data, labels):
    """A pickle as Python 2 with its NumPy wrote the official files: protocol 2, texts that are bytes."""

    def text(value):
        return b"U" + bytes([len(value)]) + value

    def pair(*numbers):
        return b"".join(b"M" + struct.pack("<H", number) for number in numbers) + b"\x86"

    kind = b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R"
    kind += b"(K\x03" + text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + text(b"b") + b"\x87R"
    array += b"(K\x01" + pair(*data.shape) + kind + b"\x89T" + struct.pack("<I", data.size) + data.tobytes() + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + numbers + b"u."


def test_pickles_of_python_2_and_all_protocols(batch_set, tmp_path):
    written = batch_set(tmp_path)
    data, labels = written["test_batch"]
    official = of_python_2(data, labels)
    oracle = pickle.loads(official, encoding="bytes")
    np.testing.assert_array_equal(oracle[b"data"], data)
    contents = [official, *(pickle.dumps({"data": data, "labels": labels}, protocol) for protocol in (2, 3, 4))]
    contents.append(pickle.dumps({"data": np.asfortranarray(data), "labels": labels}, 4))
    for number, content in enumerate(contents):
        folder = tmp_path / str(number) / "cifar-10-batches-py"
        folder.mkdir(parents=True)
        (folder / "test_batch").write_bytes(content)
        images = load("cifar10", "test", folder.parent)
        np.testing.assert_array_equal(images.x.transpose(0, 3, 1, 2).reshape(-1, 3072), data)
        assert images.labels.tolist() == labels


def refused(batch_set, tmp_path, content):
    batch_set(tmp_path)
    path = tmp_path / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(content)
    with pytest.raises(UnavailableError) as caught:
        load("cifar10", "test", tmp_path)
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


class Calls:
    """Pickled as a call of `function`, which may itself be pickled as a call."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments

    def __call__(self):
        raise AssertionError("only pickled")


ATTACKS = {  # of a file to write -> the pickle that writes it
    "os.system": lambda trace: pickle.dumps(Calls(os.system, f"touch {trace}")),
    "Python 2": lambda trace: pickle.dumps(Calls(os.system, f"touch {trace}"), protocol=2),
    "in a batch": lambda trace: pickle.dumps(
        {b"labels": [1], b"data": Calls(eval, f"open({str(trace)!r}, 'w').close()")}
    ),
    "text protocol": lambda trace: pickle.dumps(Calls(exec, f"open({str(trace)!r}, 'w').close()"), protocol=0),
    "nested getattr": lambda trace: pickle.dumps(
        Calls(Calls(getattr, Calls(__import__, "os"), "system"), f"touch {trace}")
    ),
    "dots behind an allowed module": lambda trace: (
        b"\x80\x04\x8c\x16numpy._core.multiarray\x8c\x1boverrides.inspect.os.system\x93"
        + pickle.dumps((f"touch {trace}",), protocol=2)[2:-1]
        + b"R."
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_executed(batch_set, tmp_path, name):
    trace = tmp_path / "trace"
    attack = ATTACKS[name](trace)
    assert "which is refused" in refused(batch_set, tmp_path, attack)
    assert not trace.exists()
    pickle.loads(attack)
    assert trace.exists(), "the attack is none"


@pytest.mark.parametrize(("module", "name"), cifar._STAND_INS)
def test_a_pickle_leaves_nothing_behind(batch_set, tmp_path, module, name):
    """It sets an attribute of what it is given for an allowed name."""
    spoiling = f"\x80\x02c{module}\n{name}\nN}}X\x07\x00\x00\x00spoiled".encode("latin1") + b"K\x01s\x86b."
    refused(batch_set, tmp_path, spoiling)
    assert not hasattr(cifar._STAND_INS[module, name], "spoiled")


def pickled(**changes):
    return pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1, 2], **changes})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "exhausted before seeing STOP"),
        (pickled()[:1000], "truncated"),
        (pickle.dumps([1, 2]), "AttributeError"),
        (pickle.dumps({"data": 3}), "AttributeError"),
        (pickled(data=np.zeros((2, 3072))), "of type u1, got 'f8'"),
        (pickled(data=np.zeros((2, 3072), object)), "of type u1, got 'O8'"),
        (pickled(data=np.zeros((2, 3071), np.uint8)), "got (2, 3071) and 2 labels"),
        (pickled(labels=[1]), "got (2, 3072) and 1 labels"),
        (pickled(labels=[1, 10]), "from 0 to 9"),
        (pickled(labels=[1, True]), "from 0 to 9"),
        (of_python_2(np.zeros((2, 3072), np.uint8), [1, 2]).replace(b"M\x02\x00M", b"M\x03\x00M"), "cannot reshape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",
)
def test_damaged_batches(batch_set, tmp_path, content, reason):
    assert reason in refused(batch_set, tmp_path, content)


def test_a_file_that_is_no_batch_by_its_size(batch_set, tmp_path):
    batch_set(tmp_path)
    with open(tmp_path / "cifar-10-batches-py" / "test_batch", "ab") as file:
        file.truncate((1 << 26) + 1)
    with pytest.raises(UnavailableError, match="at most 67108864 bytes"):
        load("cifar10", "test", tmp_path)


def test_only_the_batches_leave_the_archive(batch_set, tmp_path):
    """Not what lies beside them, above them, at a fixed place, behind a link, or is a device."""
    written = batch_set(tmp_path / "source")
    outside = tmp_path / "outside"
    outside.mkdir()
    bad = [
        member("../escaped", b"x"),
        member(str(tmp_path / "absolute"), b"x"),
        member("cifar-10-batches-py/../../escaped", b"x"),
        member("cifar-10-batches-py/extra.py", b"x"),
        member("elsewhere/test_batch", b"x"),
        member("cifar-10-batches-py", type=tarfile.SYMTYPE, linkname=str(outside)),
        member("cifar-10-batches-py/data_batch_1", type=tarfile.SYMTYPE, linkname=str(outside / "linked")),
        member("cifar-10-batches-py/data_batch_2", type=tarfile.FIFOTYPE),
    ]
    archive(tmp_path / "source", tmp_path / "all.tar.gz", bad)
    source = tmp_path / "source" / "cifar-10-batches-py"
    assert dict(cifar.packed(tmp_path / "all.tar.gz")) == {name: (source / name).read_bytes() for name in written}
    assert {path.name for path in tmp_path.iterdir()} == {"source", "outside", "all.tar.gz"}
    assert not list(outside.iterdir())


@pytest.mark.parametrize("kept", [0, 100, 3000])
def test_truncated_archive(batch_set, tmp_path, kept):
    batch_set(tmp_path / "source")
    path = tmp_path / "cifar-10-python.tar.gz"
    archive(tmp_path / "source", path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UnavailableError, match=r"cifar-10-python\.tar\.gz cannot be read") as caught:
        load("cifar10", "train", tmp_path)
    assert "\n" not in str(caught.value)


def test_archive_without_a_batch(batch_set, tmp_path):
    batch_set(tmp_path / "source")
    (tmp_path / "source" / "cifar-10-batches-py" / "data_batch_4").unlink()
    archive(tmp_path / "source", tmp_path / "cifar-10-python.tar.gz")
    with pytest.raises(UnavailableError, match="lacks cifar-10-batches-py/data_batch_4"):
        load("cifar10", "train", tmp_path)
    assert len(load("cifar10", "test", tmp_path)) == 2


def test_what_is_wrong_in_an_archive_is_said_of_the_users_file(batch_set, tmp_path):
    batch_set(tmp_path / "source")
    (tmp_path / "source" / "cifar-10-batches-py" / "test_batch").write_bytes(b"xx")
    path = tmp_path / "cifar-10-python.tar.gz"
    archive(tmp_path / "source", path)
    with pytest.raises(
        UnavailableError, match=f"^test_batch in {re.escape(str(path))} cannot be read: UnpicklingError, it is damaged"
    ):
        load("cifar10", "test", tmp_path)


def of_length(name, length, kind=tarfile.REGTYPE):
    """The head of a member that announces a length."""
    info = tarfile.TarInfo(name)
    info.size, info.type = length, kind
    return info.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (of_length("cifar-10-batches-py/test_batch", 1 << 33), "more than the data set has"),
        (of_length("cifar-10-batches-py/extra", 1 << 33), "more than the data set has"),
        (of_length("././@LongLink", 1 << 33, tarfile.GNUTYPE_LONGNAME), "more than the data set has"),
        (of_length("pax", 1 << 33, tarfile.XHDTYPE), "more than the data set has"),
    ],
    ids=["batch", "beside", "long name", "pax"],
)
def test_an_archive_that_would_fill_memory_is_left_packed(tmp_path, head, reason):
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(gzip.compress(head + bytes(1 << 28)))
    tracemalloc.start()
    with pytest.raises(UnavailableError, match=reason):
        load("cifar10", "test", tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 27


def test_a_pickle_that_keeps_a_value_far_away_is_refused(batch_set, tmp_path):
    """Up to that place memory would be filled."""
    assert "keeps a value in place" in refused(batch_set, tmp_path, b"\x80\x02Nr\xff\xff\xff\x1f.")


def test_lists_that_hold_each_other_are_not_written_out(batch_set, tmp_path):
    twice = b"".join(b"(h" + bytes([k]) + b"h" + bytes([k]) + b"lq" + bytes([k + 1]) + b"0" for k in range(40))
    code = b"]q\x000" + twice + b"h" + bytes([40])
    line = refused(batch_set, tmp_path, b"\x80\x02cnumpy\ndtype\n" + code + b"\x85R.")
    assert "of type u1, got list" in line
