"""The training loop: kills, resumes, checkpoints that must not be taken, and what is said meanwhile."""

import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile

import pytest
import torch

from empirical.training import reporter
from empirical.training.loop import fit
from fragility.engine.files import DamagedRecordError, StorageError
from fragility.engine.study import UsageError

EPOCHS = 4


class Sum:
    """A trainee whose number after epoch k depends on the number before, and on k."""

    def __init__(self, size=3):
        self.value, self.trained = torch.zeros(size), []

    def epoch(self, number):
        self.trained.append(number)
        self.value = 2 * self.value + number
        return {"loss": 1 / number, "accuracy": 1 - 1 / number}

    def state(self):
        return {"value": self.value}

    def restore(self, state):
        if state["value"].shape != self.value.shape:
            raise ValueError("another shape")
        self.value = state["value"]


class Softmax:
    """A trainee of three steps an epoch, in an order that is a function of the epoch."""

    def __init__(self):
        stream = torch.Generator().manual_seed(0)
        self.x, self.y = torch.randn(48, 6, generator=stream), torch.randint(0, 3, (48,), generator=stream)
        self.weight = torch.zeros(3, 6)

    def step(self, chosen):
        x, y = self.x[chosen], torch.nn.functional.one_hot(self.y[chosen], 3)
        self.weight -= 0.3 * ((x @ self.weight.T).softmax(1) - y).T @ x

    def epoch(self, number):
        for chosen in torch.randperm(48, generator=torch.Generator().manual_seed(number)).split(16):
            self.step(chosen)
        right = ((self.x @ self.weight.T).argmax(1) == self.y).double().mean()
        return {"loss": float(self.weight.norm()), "accuracy": float(right)}

    def state(self):
        return {"weight": self.weight}

    def restore(self, state):
        self.weight = state["weight"]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[3], str(Path(sys.argv[3]) / "tests/empirical/training")]
from test_loop import EPOCHS, Softmax, fit

def killed_at(count, function):
    def counted(*arguments):
        calls.append(arguments)
        return os.kill(os.getpid(), signal.SIGKILL) if len(calls) == count else function(*arguments)
    return counted

calls = []
if sys.argv[1] == "within":  # the second step of the third epoch
    Softmax.step = killed_at(8, Softmax.step)
else:  # the third checkpoint is written and not renamed
    os.replace = killed_at(3, os.replace)
fit(Softmax(), EPOCHS, checkpoint=Path(sys.argv[2]), identity="softmax")
"""


@pytest.mark.parametrize("when", ["within", "before the rename"])
def test_a_killed_training_goes_on_bit_for_bit(tmp_path, request, when):
    file = tmp_path / "softmax.pt"
    root = str(request.config.rootpath)
    died = subprocess.run([sys.executable, "-c", KILLED, when, file, root], capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    whole, resumed, trained = Softmax(), Softmax(), []
    resumed.epoch = lambda number: (trained.append(number), Softmax.epoch(resumed, number))[1]
    assert fit(resumed, EPOCHS, checkpoint=file, identity="softmax") == fit(whole, EPOCHS)
    assert torch.equal(resumed.weight, whole.weight)
    assert trained == [3, 4]  # the two epochs before the one that died were kept
    without = Softmax()
    for number in trained:
        without.epoch(number)
    assert not torch.equal(without.weight, whole.weight)


def test_a_finished_training_is_kept_and_not_repeated(tmp_path):
    file = tmp_path / "folder" / "sum.pt"
    first, second = Sum(), Sum()
    history = fit(first, 3, checkpoint=file)
    assert [entry["loss"] for entry in history] == [1, 1 / 2, 1 / 3]
    assert fit(second, 3, checkpoint=file) == history
    assert second.trained == []
    assert torch.equal(second.value, first.value)
    assert len(fit(second, 5, checkpoint=file)) == 5
    assert second.trained == [4, 5]


def test_until_ends_a_training_for_good(tmp_path):
    trainee, again = Sum(), Sum()
    for each in (trainee, again):
        history = fit(each, 10, checkpoint=tmp_path / "sum.pt", until=lambda report: report["accuracy"] >= 0.5)
        assert len(history) == 2
    assert (trainee.trained, again.trained) == ([1, 2], [])


def test_threads_train_one_network_once(tmp_path, capsys):
    trainees = [Sum() for _ in range(3)]
    begun, waited = threading.Event(), threading.Event()

    def slow(number, epoch=trainees[0].epoch):
        begun.set()
        waited.wait(30)
        return epoch(number)

    def train(trainee):
        fit(trainee, 2, "sum", tmp_path / "sum.pt")

    trainees[0].epoch = slow
    threads = [threading.Thread(target=train, args=(trainee,)) for trainee in trainees]
    threads[0].start()
    begun.wait(30)
    for thread in threads[1:]:
        thread.start()
    said, patience = "", time.monotonic() + 20
    while said.count("waits for another") < 2 and time.monotonic() < patience:
        said += capsys.readouterr().err
    waited.set()
    for thread in threads:
        thread.join()
    assert [trainee.trained for trainee in trainees] == [[1, 2], [], []]
    assert len({tuple(trainee.value.tolist()) for trainee in trainees}) == 1


class Code:
    """What makes a folder where it is run."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("write", [torch.save, lambda code, file: file.write_bytes(pickle.dumps(code))])
def test_nothing_in_a_file_is_run(tmp_path, write):
    write(Code(tmp_path / "run"), tmp_path / "sum.pt")
    with pytest.raises(DamagedRecordError, match="torch does not load"):
        fit(Sum(), 2, checkpoint=tmp_path / "sum.pt")
    assert not (tmp_path / "run").exists()


def flip(file):
    """Turns a bit of a stored number, which torch itself would load without a word."""
    with zipfile.ZipFile(file) as archive:
        member = next(name for name in archive.namelist() if "/data/" in name)
        content = bytearray(file.read_bytes())
        content[content.index(archive.read(member), archive.getinfo(member).header_offset)] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "flipped": flip,
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("weights"),
    "tensors": lambda file: torch.save({"0.weight": torch.zeros(1)}, file),
    "folder": lambda file: (file.unlink(), file.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_no_checkpoint_is_refused_in_a_line_and_left(tmp_path, damage):
    file = tmp_path / "sum.pt"
    fit(Sum(), 2, checkpoint=file)
    damage(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(DamagedRecordError, match=r"sum\.pt must be") as refusal:
        fit(Sum(), 3, checkpoint=file)
    assert "\n" not in str(refusal.value)
    assert "delete it" in str(refusal.value)
    assert before is None or file.read_bytes() == before


def test_checkpoints_of_other_trainings_are_refused(tmp_path):
    file = tmp_path / "sum.pt"
    fit(Sum(), 4, checkpoint=file, identity="of these")
    before = file.read_bytes()
    for trainee, epochs, identity, match in (
        (Sum(), 4, "of those", "another training .of these; asked for: of those."),
        (Sum(5), 4, "of these", "does not fit the network: another shape"),
        (Sum(), 3, "of these", "of 4 epochs, and 3 are asked for"),
    ):
        with pytest.raises(UsageError, match=match):
            fit(trainee, epochs, checkpoint=file, identity=identity)
    assert file.read_bytes() == before


def test_faults_of_the_user_are_a_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose another --out"):
        fit(Sum(), 1, checkpoint=tmp_path / "file" / "sum.pt")
    with pytest.raises(UsageError, match="at least 1, got 0"):
        fit(Sum(), 0)


def test_a_short_training_says_nothing_and_a_long_one_how_far_it_is(tmp_path, monkeypatch, capsys):
    fit(Sum(), 2, "sum", tmp_path / "sum.pt")
    assert capsys.readouterr() == ("", "")
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(reporter.time, "monotonic", lambda: float(next(clock)))
    fit(Sum(), 4, "sum", tmp_path / "sum.pt")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "sum: goes on after epoch 2 of 4"
    assert re.fullmatch(r"sum: epoch 3 of 4, loss 0\.3333, accuracy 0\.6667, 0:00:\d0 left", err.splitlines()[1])
    assert err.splitlines()[-1].startswith("sum: 2 epochs in 0:")
