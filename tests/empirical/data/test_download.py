"""Downloads from a server of our own: sound, wrong, cut short, gone, slow and killed."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from empirical.data import load
from empirical.data.catalogue import PUBLISHED, Published
from empirical.data.download import fetch
from fragility.engine.backend import UnavailableError
from fragility.engine.files import StorageError

FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


class Server(ThreadingHTTPServer):
    """Serves `contents` by name; may spoil, cut short or delay a file; counts what it was asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.asked, self.spoils, self.pause = {}, [], {}, 0.0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[1]
        self.server.asked.append(name)
        content, spoil = self.server.contents.get(name), self.server.spoils.get(name)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        content = {"wrong": content[:-1] + b"!", "cut": content[: len(content) // 2]}.get(spoil, content)
        half = len(content) // 2
        try:
            self.wfile.write(content[:half])
            self.wfile.flush()
            time.sleep(self.server.pause)
            self.wfile.write(content[half:])
        except OSError:
            pass

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def published(server, idx_set, tmp_path, monkeypatch):
    """(mirrors) -> what the server has as MNIST is all that is known of it."""
    idx_set(tmp_path / "source")
    server.contents = {path.name: path.read_bytes() for path in (tmp_path / "source").iterdir()}

    def publish(*mirrors):
        files = {name: "sha256:" + hashlib.sha256(server.contents[name]).hexdigest() for name in FILES}
        monkeypatch.setitem(PUBLISHED, "mnist", Published("MNIST/raw", files, mirrors or (server.address,)))

    publish()
    return publish


def gone():
    """An address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def left(folder):
    """All files below a folder but the lock."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def test_missing_sets_are_fetched_into_the_cache_once(server, published, cache, capsys):
    assert len(load("mnist", "train")) == 5
    assert len(load("mnist", "test")) == 3
    assert server.asked == list(FILES)
    assert left(cache) == sorted(f"MNIST/raw/{name}" for name in FILES)
    assert capsys.readouterr().out == ""


def test_files_that_are_there_are_kept(server, published, tmp_path):
    raw = tmp_path / "to" / "MNIST/raw"
    raw.mkdir(parents=True)
    (raw / FILES[0]).write_bytes(b"mine")
    fetch("mnist", tmp_path / "to")
    assert (raw / FILES[0]).read_bytes() == b"mine"
    assert server.asked == list(FILES[1:])


def failure(folder):
    with pytest.raises(UnavailableError) as caught:
        fetch("mnist", folder)
    line = str(caught.value)
    assert "\n" not in line
    assert f"put {', '.join(FILES)} into {folder / 'MNIST/raw'}" in line
    return line


@pytest.mark.parametrize(
    ("spoil", "reason"), [("wrong", "wrong checksum"), ("cut", "the transfer broke off"), ("none", "status 404")]
)
def test_what_is_not_whole_gets_no_name(server, published, tmp_path, spoil, reason):
    if spoil == "none":
        del server.contents[FILES[2]]
    else:
        server.spoils[FILES[2]] = spoil
    assert reason in failure(tmp_path / "to")
    assert left(tmp_path / "to") == sorted(f"MNIST/raw/{name}" for name in FILES[:2])


def test_it_goes_on_where_it_stopped(server, published, tmp_path):
    server.spoils[FILES[2]] = "cut"
    failure(tmp_path / "to")
    server.spoils.clear()
    server.asked.clear()
    fetch("mnist", tmp_path / "to")
    assert server.asked == list(FILES[2:])


def test_the_next_mirror_is_tried(server, published, tmp_path, capsys):
    published(gone(), server.address + "spoiled/", server.address)
    fetch("mnist", tmp_path / "to")
    assert len(left(tmp_path / "to")) == 4
    assert capsys.readouterr().err.count(FILES[0]) == 2


def test_nobody_answers(published, tmp_path):
    first, second = gone(), gone()
    published(first, second)
    line = failure(tmp_path / "to")
    for mirror in (first, second):
        assert f"{mirror.removeprefix('http://').rstrip('/')}: cannot be reached" in line
    assert not left(tmp_path / "to")


def test_a_folder_that_cannot_be_written(published, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".download").write_bytes(b"")  # where a folder is needed
    with pytest.raises(StorageError, match="here must be writable, got: File exists"):
        fetch("mnist", tmp_path / "here")


def test_several_at_once_download_once(server, published, tmp_path):
    server.pause = 0.05
    threads = [threading.Thread(target=fetch, args=("mnist", tmp_path / "to")) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.asked == list(FILES)


KILLED = """
import sys
from pathlib import Path
from empirical.data.catalogue import PUBLISHED, Published
from empirical.data.download import fetch
address, folder, *pairs = sys.argv[1:]
PUBLISHED["mnist"] = Published("MNIST/raw", dict(pair.split("=") for pair in pairs), (address,))
fetch("mnist", Path(folder))
"""


def test_nothing_half_written_survives_a_kill(server, published, idx_set, tmp_path):
    idx_set(tmp_path / "large", train=300)
    server.contents = {path.name: path.read_bytes() for path in (tmp_path / "large").iterdir()}
    published()
    server.pause = 30.0
    pairs = [f"{name}={checksum}" for name, checksum in PUBLISHED["mnist"].files.items()]
    folder = tmp_path / "to"
    process = subprocess.Popen([sys.executable, "-c", KILLED, server.address, str(folder), *pairs], env=os.environ)
    while not any(path.stat().st_size for path in (folder / ".download").glob("tmp*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (folder / "MNIST").exists()
    server.pause = 0.0
    fetch("mnist", folder)
    assert left(folder) == sorted(f"MNIST/raw/{name}" for name in FILES)


def test_an_archive_is_unpacked_and_removed(server, batch_set, tmp_path, cache, monkeypatch):
    import tarfile

    batch_set(tmp_path)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    content = (tmp_path / "a.tar.gz").read_bytes()
    server.contents = {"cifar-10-python.tar.gz": content}
    files = {"cifar-10-python.tar.gz": "sha256:" + hashlib.sha256(content).hexdigest()}
    monkeypatch.setitem(PUBLISHED, "cifar10", Published("", files, (server.address,)))
    own, stale = (
        cache / f"{above}cifar-10-batches-py/{name}" for above, name in (("", "data_batch_1"), (".download/", "old"))
    )
    for path in (own, stale):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"mine")
    assert len(load("cifar10", "test")) == 2
    names = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
    assert left(cache) == [f"cifar-10-batches-py/{name}" for name in names]
    assert own.read_bytes() == b"mine"
