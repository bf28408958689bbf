"""Pictures as elements of one page: no ids in common, nothing that acts, the same bytes each time."""

import re
from xml.etree import ElementTree

import pytest

from figures.report.svg import inline

SIZE = (3.0, 2.0)


def draw(figure):
    axes = figure.subplots()
    axes.plot([0, 0.5, 1], [0, 1, 0.25], "o-")
    axes.set_title(r"$\alpha$ and <b>")
    axes.imshow([[0.0, 1.0]], extent=(0.6, 0.8, 0.1, 0.2))


@pytest.fixture(scope="module")
def picture():
    return inline(draw, SIZE, "f1", 'says <b> & "more"')


def test_it_is_an_element_with_a_name(picture):
    root = ElementTree.fromstring(picture)
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == f"{space}svg"
    assert root.get("viewBox") == "0 0 216 144"
    (title,) = root.findall(f"{space}title")
    assert title.text == 'says <b> & "more"'
    assert root.get("aria-labelledby") == title.get("id")
    assert not {"style", "metadata", "script"} & {element.tag.removeprefix(space) for element in root.iter()}


def test_every_reference_has_its_target_and_every_id_the_name(picture):
    ids = re.findall(r'\bid="([^"]+)"', picture)
    used = re.findall(r'href="#([^"]+)"', picture) + re.findall(r"url\(#([^)]+)\)", picture)
    assert len(ids) == len(set(ids))
    assert set(used) <= set(ids)
    assert all(name.startswith("f1-") for name in ids)
    assert not {*re.findall(r'\bid="([^"]+)"', inline(draw, SIZE, "f2", ""))} & {*ids}


def test_it_is_drawn_alike_each_time(picture):
    assert inline(draw, SIZE, "f1", 'says <b> & "more"') == picture


def test_letters_keep_their_size(picture):
    """Factors of scales are small numbers, and are not rounded as coordinates are."""
    scales = {float(number) for number in re.findall(r"scale\((-?[\d.]+)", picture)}
    assert any(abs(number - 0.015625) < 1e-9 for number in scales)


def test_the_ground_is_the_page(picture):
    assert "fill:#ffffff" not in picture.split("</title>")[1][:400]
