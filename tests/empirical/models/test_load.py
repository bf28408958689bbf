"""Classifiers by name: what is built, what is refused in a line, and the digest of weights."""

import sys
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from empirical.models.load import MEAN, SPREAD, build, weights_digest
from fragility.engine.backend import UnavailableError
from fragility.engine.study import UsageError

MODULE = """
import torch
from torch import nn

def build(width=4):
    torch_layers = nn.Sequential(nn.Flatten(), nn.Linear(12, width))
    with torch.no_grad():
        torch_layers[1].weight.fill_(0.5)
        torch_layers[1].bias.zero_()
    return torch_layers

def number():
    return 3

def broken():
    raise OSError("no such weights:\\n model.npz")

def needy(path):
    return build()

def leaves():
    raise SystemExit(5)

def lazy():
    return nn.LazyLinear(3)

def hollow():
    return nn.Linear(2, 3, device="meta")

def scripted():
    return torch.jit.script(build())

def talks():
    print("not a result")
    return build()
"""


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """Modules of a user in the current folder, which Python's path does not hold."""
    (tmp_path / "own_model.py").write_text(MODULE)
    (tmp_path / "own_needs.py").write_text("import no_such_package\n")
    (tmp_path / "own_fault.py").write_text("1 / 0\n")
    (tmp_path / "own_exit.py").write_text("raise SystemExit(5)\n")
    (tmp_path / "own_attribute.py").write_text("import torch\ntorch.no_such_thing\n")
    (tmp_path / "own_syntax.py").write_text("def build(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def test_a_users_function_is_built_for_measuring():
    network = build("own_model:build")
    assert torch.equal(network(torch.ones(2, 3, 2, 2)), torch.full((2, 4), 6.0))
    assert not any(module.training for module in network.modules())
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("own_model", "must be inception_resnet_v2 or module:function, got 'own_model'"),
        (":build", "must be inception_resnet_v2 or module:function, got ':build'"),
        ("own_model:", "must be inception_resnet_v2 or module:function"),
        ("no_such_module:build", "got no module no_such_module: run where it lies, or set PYTHONPATH"),
        ("own_model.inner:build", "got no module own_model.inner"),
        ("own_model:construct", "must name a function of own_model, which has no construct"),
        ("own_needs:build", "needs no_such_package, which is not installed"),
        ("own_fault:build", "must be importable, got ZeroDivisionError: division by zero"),
        ("own_syntax:build", "must be importable, got SyntaxError"),
        ("own_exit:build", "must be importable, got SystemExit: 5"),
        ("own_attribute:build", "must be importable, got AttributeError: .*no_such_thing"),
        ("own_model:leaves", "without arguments, got SystemExit: 5"),
        ("own_model:lazy", "must have numbers in its weights, got none in weight"),
        ("own_model:hollow", "must have numbers in its weights, got none in weight"),
        ("own_model:number", "must return a torch.nn.Module, got int"),
        ("own_model:needy", "must return when it is called without arguments, got TypeError: .* 'path'"),
        ("own_model:broken", "without arguments, got OSError: no such weights: model.npz"),
    ],
)
def test_what_is_no_model_is_refused_in_a_line(spec, match):
    with pytest.raises(UsageError, match=match) as refusal:
        build(spec)
    assert "\n" not in str(refusal.value)


def test_an_interrupt_is_the_users_own(own, monkeypatch):
    (own / "own_stop.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        build("own_stop:build")


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
def test_a_scripted_network_is_one_too_and_what_is_printed_is_no_result(capsys):
    assert not any(weight.requires_grad for weight in build("own_model:scripted").parameters())
    build("own_model:talks")
    assert capsys.readouterr() == ("", "not a result\n")


def test_a_checkpoint_replaces_all_weights(own):
    state = {"1.weight": torch.arange(48.0).reshape(4, 12), "1.bias": torch.ones(4)}
    torch.save(state, own / "weights.pt")
    network = build("own_model:build", own / "weights.pt")
    assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())
    torch.save(state, own / "old.pt", _use_new_zipfile_serialization=False)
    assert weights_digest(build("own_model:build", own / "old.pt")) == weights_digest(network)


def of(weight):
    """A checkpoint with that weight."""
    return {"1.weight": weight, "1.bias": torch.zeros(4)}


def test_a_checkpoint_of_another_precision_is_rounded(own):
    torch.save(of(torch.full((4, 12), 1 / 3, dtype=torch.float64)), own / "weights.pt")
    weight = build("own_model:build", own / "weights.pt").state_dict()["1.weight"]
    assert torch.equal(weight, torch.full((4, 12), 1 / 3))


def test_a_packed_checkpoint_that_would_fill_memory_is_left_packed(own):
    torch.save(of(torch.zeros(4, 12)), own / "given.pt")
    with (
        zipfile.ZipFile(own / "given.pt") as given,
        zipfile.ZipFile(own / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for name in given.namelist():
            bomb.writestr(name, bytes(1 << 26) if name.endswith("data/0") else given.read(name))
    tracemalloc.start()
    with pytest.raises(UsageError, match=r"got: a zip of [0-9,]+ bytes that unpacks to 67,"):
        build("own_model:build", own / "bomb.pt")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 22


@pytest.mark.parametrize("name", ["/dev/zero", "a" * 300, "a\0b"], ids=["device", "long", "zero character"])
def test_a_path_that_is_no_file_is_a_line(own, name):
    with pytest.raises(UsageError, match=r"must be a whole file of tensors, .* got: ") as line:
        build("own_model:build", Path(name))
    assert len(str(line.value)) < 400


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"1.weight": torch.zeros(4, 12)}, r"weights.pt lacks 1\.bias \(1 in all\)$"),
        ({"1.weight": torch.zeros(4, 12), "1.bias": torch.zeros(4), "2": torch.zeros(1)}, "has the foreign 2 "),
        ({"1.weight": torch.zeros(12, 4), "1.bias": torch.zeros(4)}, r"has another shape of 1\.weight "),
        (of(torch.zeros(4, 12, device="meta")), "no numbers like the network's in 1.weight, but shapes alone"),
        (of(torch.ones(4, 12).to_sparse()), "but sparse ones"),
        (of(torch.ones(4, 12, dtype=torch.complex64)), "but torch.complex64"),
        (of(torch.ones(4, 12, dtype=torch.int64)), "but torch.int64"),
        ([torch.zeros(4)], "must be a state_dict of tensors, got list"),
        ({"epoch": 3}, "must be a state_dict of tensors, got dict"),
        ({"1.weight": Path("x")}, "must be a whole file of tensors"),
        (None, "must be a whole file of tensors, .* got: No such file or directory"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_in_a_line(own, content, match):
    if content is not None:
        torch.save(content, own / "weights.pt")
    with pytest.raises(UsageError, match=match) as refusal:
        build("own_model:build", own / "weights.pt")
    assert "\n" not in str(refusal.value)


def library(monkeypatch, make):
    monkeypatch.setattr("pytorchcv.models.inceptionresnetv2.inceptionresnetv2", make)


def test_inception_is_given_standardised_colours(own, monkeypatch):
    library(monkeypatch, nn.Identity)
    torch.save({}, own / "weights.pt")
    network = build("inception_resnet_v2", own / "weights.pt")
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    standard = network(x)
    for channel in range(3):
        assert torch.allclose(standard[:, channel], (x[:, channel] - MEAN[channel]) / SPREAD[channel])
    standard.sum().backward()
    assert torch.allclose(x.grad, 1 / torch.tensor(SPREAD)[:, None, None].expand(2, 3, 4, 4))


def test_weights_that_cannot_be_had_are_a_line_and_stdout_stays_empty(monkeypatch, capsys):
    def make(pretrained=False):
        assert pretrained
        print("Downloading")
        raise ConnectionError("no route\nto host")

    library(monkeypatch, make)
    with pytest.raises(UnavailableError, match=r"ConnectionError: no route to host\): .* --checkpoint FILE") as line:
        build("inception_resnet_v2")
    assert "\n" not in str(line.value)
    assert capsys.readouterr() == ("", "Downloading\n")


def test_without_the_library_a_line_says_what_gets_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pytorchcv.models.inceptionresnetv2", None)
    with pytest.raises(UnavailableError, match="pip install pytorchcv"):
        build("inception_resnet_v2")


@pytest.mark.slow
def test_inception_takes_the_librarys_own_state(own):
    from pytorchcv.models.inceptionresnetv2 import inceptionresnetv2

    made = inceptionresnetv2()
    torch.save(made.state_dict(), own / "weights.pt")
    network = build("inception_resnet_v2", own / "weights.pt")
    assert sum(value.numel() for value in network.parameters()) == 55_843_464
    x = torch.rand(1, 3, 299, 299, generator=torch.Generator().manual_seed(0), requires_grad=True)
    logits = network(x)
    assert logits.shape == (1, 1000)
    (gradient,) = torch.autograd.grad(logits[0, 217] - logits[0, 160], x)
    assert gradient.norm() > 0


def test_a_digest_tells_weights_apart():
    class Named(nn.Module):
        def __init__(self, name, value):
            super().__init__()
            self.register_buffer(name, value)

    x = torch.arange(6.0)
    nearly = torch.nextafter(x, torch.full((6,), 9.0))
    cases = [("a", x), ("b", x), ("a", nearly), ("a", x.double()), ("a", x.reshape(2, 3))]
    cases += [("a", torch.zeros(6)), ("a", torch.zeros(6, dtype=torch.int32))]
    digests = [weights_digest(Named(*case)) for case in cases]
    assert len(set(digests)) == len(cases)
    assert digests[0] == weights_digest(Named("a", torch.arange(12.0).reshape(6, 2)[:, 0] / 2))
    assert len(digests[0]) == 12
    plain, named = nn.Linear(2, 2), nn.Linear(2, 2)
    plain.load_state_dict(named.state_dict())
    assert weights_digest(plain) == weights_digest(named)
    plain.mask = torch.ones(2)  # neither a weight nor a buffer, and yet it may change an answer
    named.register_buffer("mask", torch.zeros(2), persistent=False)
    assert len({weights_digest(network) for network in (plain, named, nn.Linear(2, 2))}) == 3
    assert weights_digest(nn.BatchNorm1d(2)) == weights_digest(nn.BatchNorm1d(2))
