"""Where a set is looked for: in the folder that somebody named, and only there; else in the cache."""

import pytest

from empirical.data import catalogue, load, photographs
from empirical.data.download import fetch
from fragility.engine.backend import UnavailableError
from fragility.engine.context import DATA
from fragility.engine.study import UsageError


def test_argument_before_environment_before_cache(idx_set, tmp_path, monkeypatch, cache):
    for size, folder in enumerate((cache, tmp_path / "environment", tmp_path / "argument"), start=4):
        idx_set(folder / "MNIST/raw", train=size)
    assert len(load("mnist", "train")) == 4
    monkeypatch.setenv(DATA, str(tmp_path / "environment"))
    assert len(load("mnist", "train")) == 5
    assert len(load("mnist", "train", tmp_path / "argument")) == 6


def test_home_of_the_cache(idx_set, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    idx_set(tmp_path / ".cache" / "fragility" / "MNIST/raw")
    assert len(load("mnist", "train")) == 5
    monkeypatch.setenv(DATA, "~/.cache/fragility")
    assert len(load("mnist", "test")) == 3


@pytest.mark.parametrize("by_argument", [True, False])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_a_named_folder_is_not_passed_over(idx_set, tmp_path, monkeypatch, cache, name, by_argument):
    """Though the cache has the set, and though it could be downloaded."""
    idx_set(cache / "MNIST/raw")
    (tmp_path / "named here").mkdir()
    if not by_argument:
        monkeypatch.setenv(DATA, str(tmp_path / "named here"))
    with pytest.raises(UsageError) as caught:
        load(name, "train", tmp_path / "named here" if by_argument else None)
    line = str(caught.value)
    assert "\n" not in line
    assert catalogue.LAYOUTS[name] in line
    assert f"python -m empirical.data {name} --data-dir '{tmp_path}/named here' fetches it" in line


def test_photographs_of_a_named_folder_and_of_the_cache(tmp_path, cache):
    with pytest.raises(UsageError, match="imagenet/WNID"):
        photographs(tmp_path)
    with pytest.raises(UnavailableError, match=f"https://image-net.org into {cache} as imagenet/WNID"):
        photographs()


@pytest.mark.parametrize(("name", "split"), [("minst", "train"), ("mnist", "validation")])
def test_no_such_set_or_split(name, split):
    with pytest.raises(UsageError, match="must be one of"):
        load(name, split)


def test_the_catalogue_knows_all_files_of_a_set():
    """Every file that is looked for can be downloaded, with a checksum of the right length."""
    for name in ("mnist", "fashion-mnist"):
        wanted = {f"{file}.gz" for split in catalogue.SPLITS for file in catalogue.IDX_FILES[split]}
        assert set(catalogue.PUBLISHED[name].files) == wanted
    for published in catalogue.PUBLISHED.values():
        assert all(mirror.endswith("/") for mirror in published.mirrors)
        assert all(len(checksum) == len("sha256:") + 64 for checksum in published.files.values())
    assert {name: len(classes) for name, classes in catalogue.CLASSES.items()} == dict.fromkeys(catalogue.CLASSES, 10)


@pytest.mark.parametrize("folder", ["a" * 300, "a\0b", "~/" + "b" * 300], ids=["long", "zero character", "at home"])
@pytest.mark.parametrize("name", ["mnist", "cifar10", "imagenet"])
def test_a_name_that_no_folder_can_have_is_a_line(name, folder):
    with pytest.raises(UsageError, match=f"^--data-dir or {DATA} must name a folder of data sets, got ") as caught:
        photographs(folder) if name == "imagenet" else load(name, "train", folder)
    assert "\n" not in str(caught.value)
    assert "\0" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_file_is_no_folder_to_download_to(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UsageError, match=r"must name a folder, got .*/file, a file"):
        fetch("mnist", tmp_path / "file")
