"""A picture as an `<svg>` element that may stand beside others on one page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from figures.shared.style import drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROLOGUE = re.compile(r"^.*?(?=<svg\b)", re.DOTALL)
METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
STYLE = re.compile(r"\s*<style\b.*?</style>", re.DOTALL)  # which would be the whole page's
COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
OPENING = re.compile(r"^<svg [^>]*>")
NAMED = re.compile(r' ?\bid="([^"]+)"')
USED = re.compile(r'(?:xlink:)?(href="#|url\(#)([^")]+)')
DIGITS = re.compile(r"-?\d+\.\d{3,}")  # of coordinates, in points
STYLED = re.compile(r'style="([^"]*)"')
PATH = re.compile(r' d="([^"]*)"')


def inline(draw: Callable[[Figure], None], size: tuple[float, float], name: str, says: str) -> str:
    """The figure as an element: no prologue, no metadata, a transparent ground, coordinates to a hundredth of a point.

    Parameters
    ----------
    name : starts every id in it, so that no other picture has the same.
    says : what a reader is told who cannot see it.
    """
    text = drawn(draw, size, "svg", transparent=True).decode()
    for left_out in (PROLOGUE, METADATA, STYLE, COMMENT):
        text = left_out.sub("", text)
    numbers: dict[str, int] = {}
    for match in USED.finditer(text):
        numbers.setdefault(match[2], len(numbers))
    text = NAMED.sub(lambda match: f' id="{name}-{numbers[match[1]]}"' if match[1] in numbers else "", text)
    text = USED.sub(lambda match: f"{match[1]}{name}-{numbers[match[2]]}", text)
    text = DIGITS.sub(lambda match: _rounded(float(match[0])), text)
    text = STYLED.sub(lambda match: 'style="{}"'.format(match[1].replace("; ", ";").replace(": ", ":")), text)
    text = PATH.sub(lambda match: f' d="{_dense(match[1])}"', text)
    width, height = (f"{72 * inches:g}" for inches in size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" aria-labelledby="{name}-title" '
        'style="stroke-linejoin:round;stroke-linecap:butt">'
        f'<title id="{name}-title">{escape(says)}</title>'
    )
    return re.sub(r">\s+<", "><", OPENING.sub(lambda _: head, text, count=1)).strip()


def _rounded(number: float) -> str:
    """A coordinate to a hundredth; a factor of a scale, which is small, to what it is."""
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) >= 1 else f"{number:.6g}"


def _dense(path: str) -> str:
    """The commands of a path without the space that none of them needs."""
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(path.split()))
