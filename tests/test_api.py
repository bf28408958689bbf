"""Every public name has a page with an example that runs, and what is said of the package agrees with itself."""

import doctest
import inspect
import tomllib
from pathlib import Path

import pytest
import yaml

import fragility
from theory.claims import BOOK

ROOT = Path(__file__).parent.parent
PAGES = {page.stem: page for page in (ROOT / "docs" / "api").glob("*.md") if page.stem != "index"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def test_every_public_name_has_a_page_and_every_page_a_name():
    assert sorted(PAGES) == sorted(fragility.__all__)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_example_of_a_page_runs(name):
    if name == "frame":
        pytest.importorskip("pandas")
    failed, tried = doctest.testfile(str(PAGES[name]), module_relative=False)
    assert tried > 0
    assert not failed


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_says_what_the_name_is_and_uses_it(name):
    heading, sentence, *rest = PAGES[name].read_text("utf-8").split("\n\n")
    assert heading == f"# {name}"
    assert f"`{name}`" in sentence
    assert any(name in block for block in rest if block.startswith("```python"))


@pytest.mark.parametrize("name", fragility.__all__)
def test_a_public_name_is_typed(name):
    value = getattr(fragility, name)
    held = [one for key, one in vars(value).items() if not key.startswith("_")] if inspect.isclass(value) else [value]
    for function in filter(inspect.isfunction, held):
        if function.__name__ == "<lambda>":  # the default of a field, which is typed
            continue
        found = inspect.signature(function)
        every = [one.annotation for one in found.parameters.values() if one.name != "self"]
        assert inspect.Signature.empty not in (*every, found.return_annotation), function


def test_every_room_is_marked_as_typed():
    rooms = PROJECT["tool"]["mypy"]["packages"]
    assert all((ROOT / room / "py.typed").exists() for room in rooms)


def test_the_version_is_the_same_wherever_it_stands():
    version = PROJECT["project"]["version"]
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == version
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_citation_names_every_paper_of_the_book():
    references = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"]
    titles = {paper.title.split("*")[1] for paper in BOOK.papers.values() if paper.title}
    assert {reference["title"] for reference in references} == titles
    assert all({"type", "title", "authors"} <= reference.keys() for reference in references)
