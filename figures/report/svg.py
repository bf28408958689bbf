"""A picture as an `<svg>` element that may stand beside others on one page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from figures.shared.style import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
LEFT_OUT = (f"{SVG}metadata", f"{SVG}style")  # dates, and rules that would hold for the whole page
NUMBER = re.compile(r"-?\d+\.\d{2,}")
ASIDE = re.compile(r"translate\((-?[\d.]+) 0\)")
FINE = 10.0  # points: below it hundredths are kept, beyond it tenths
POINTS = 72  # in an inch


def inline(draw: Callable[[Figure], None], size: tuple[float, float], name: str, says: str) -> str:
    """The figure as an element without a ground of its own, coordinates to a tenth of a point.

    Parameters
    ----------
    name : starts every id in it, so that no other picture has the same.
    says : what a reader is told who cannot see it.
    """
    root = ElementTree.fromstring(drawn(draw, size, "svg", transparent=True))
    used = {target: f"{name}-{number}" for number, target in enumerate(dict.fromkeys(_used(root)))}
    _share_styles(root)
    width, height = (f"{POINTS * inches:g}" for inches in size)
    whole = Element(
        "svg",
        {
            "xmlns": SVG[1:-1],
            "role": "img",
            "width": f"{width}pt",
            "height": f"{height}pt",
            "viewBox": f"0 0 {width} {height}",
            "aria-labelledby": f"{name}-title",
            "style": "stroke-linejoin:round;stroke-linecap:butt",
        },
    )
    SubElement(whole, "title", {"id": f"{name}-title"}).text = says
    for child in root:
        whole.extend(_shortened(child, used))
    return ElementTree.tostring(whole, "unicode").replace(" />", "/>")


def _used(root: Element) -> Iterator[str]:
    """Ids that other elements refer to."""
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == f"{XLINK}href" and value.startswith("#"):
                yield value[1:]
            yield from re.findall(r"url\(#([^)]+)\)", value)


def _share_styles(root: Element) -> None:
    """Marks that are all drawn alike say so once, and letters give their shift to the right in a word."""
    targets = {element.get("id"): element for element in root.iter() if "id" in element.attrib}
    uses: dict[str, list[Element]] = {}
    for use in root.iter(f"{SVG}use"):
        uses.setdefault(use.get(f"{XLINK}href", "")[1:], []).append(use)
        if shift := ASIDE.fullmatch(use.get("transform", "")):
            del use.attrib["transform"]
            use.set("x", shift[1])
    for name, alike in uses.items():
        styles = {use.get("style") for use in alike}
        if name in targets and len(styles) == 1 and None not in styles:
            targets[name].set("style", str(styles.pop()))
            for use in alike:
                del use.attrib["style"]


def _shortened(element: Element, used: dict[str, str]) -> list[Element]:
    """The element with the ids of this picture, or in its place what it holds, where it is a group of no effect."""
    if element.tag in LEFT_OUT:
        return []
    within = [found for child in element for found in _shortened(child, used)]
    given = {key: value for key, value in element.attrib.items() if key != "id" or value in used}
    if element.tag in (f"{SVG}g", f"{SVG}defs") and not (given if element.tag == f"{SVG}g" else within):
        return within
    short = Element(element.tag.removeprefix(SVG), {_plain(key): _value(key, given[key], used) for key in given})
    short.text = (element.text or "").strip() or None
    short.extend(within)
    return [short]


def _plain(key: str) -> str:
    return key.removeprefix(XLINK)


def _value(key: str, value: str, used: dict[str, str]) -> str:
    """An attribute as it stands in this picture."""
    if key == "id":
        return used[value]
    if key == f"{XLINK}href":
        return f"#{used[value[1:]]}" if value.startswith("#") else value
    if key == "style":
        value = value.replace("; ", ";").replace(": ", ":")
    if key == "d":
        value = re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(value.split()))
    value = re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{used[match[1]]})", value)
    return NUMBER.sub(lambda match: _rounded(match[0]), value)


def _rounded(number: str) -> str:
    """A coordinate to a tenth of a point, or a hundredth where it is small; a factor of a scale as it is."""
    size = abs(float(number))
    digits = 1 if size >= FINE else 2 if size >= 1 else 6
    return f"{float(number):.{digits}f}".rstrip("0").rstrip(".")
