"""Formulas as MathML, which a browser shows by itself; what is more than a formula stays code."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from markupsafe import Markup

NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"
# Elements of formulas, and attributes: none that names a place, a style, a class or an action.
ELEMENTS = re.compile(
    "math|mrow|mi|mn|mo|ms|mtext|mspace|mfrac|msqrt|mroot|mstyle|mpadded|mphantom|msub|msup|msubsup|munder|mover|"
    "munderover|mmultiscripts|mprescripts|none|mtable|mtr|mtd"
)
ATTRIBUTES = re.compile(
    "accent|accentunder|columnalign|columnlines|columnspacing|depth|display|displaystyle|fence|form|height|largeop|"
    "linethickness|lspace|mathvariant|maxsize|minsize|movablelimits|rowlines|rowspacing|rspace|scriptlevel|separator|"
    "stretchy|symmetric|voffset|width"
)
VALUE = re.compile(r"[\w.+%-]*(?: [\w.+%-]+)*", re.ASCII)
PARTS = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
LETTERS = ("mi", "mn", "mo")  # elements whose text is one symbol; a name that is not known stands there as "\name"


def mathml(formula: str) -> Markup:
    """A formula in LaTeX as a displayed `<math>` element, or as code where that cannot be done.

    The converter passes on what it is given: links, styles, and tags within words. Only elements and attributes of
    formulas get through, and a formula with any other is shown as it was written.
    """
    try:
        root = ElementTree.fromstring(convert(formula, display="block"))
        for element in root.iter():
            _checked(element)
        return Markup(ElementTree.tostring(root, encoding="unicode", short_empty_elements=False))
    except Exception:  # whatever the converter, which has many ways to fail, makes of what is no formula
        return Markup('<code class="latex">{}</code>').format(formula)


def _checked(element: ElementTree.Element) -> None:
    """Leaves its bare name to an element of a formula, and to bold digits their weight, which browsers ignore.

    Raises
    ------
    ValueError : it is none, a part of it is missing, or it has an attribute that no formula needs.
    """
    name = element.tag.removeprefix(NAMESPACE)
    if not ELEMENTS.fullmatch(name) or not element.tag.startswith(NAMESPACE):
        raise ValueError(f"no element of a formula: {name}")
    for attribute, value in element.attrib.items():
        if not ATTRIBUTES.fullmatch(attribute) or not VALUE.fullmatch(value):
            raise ValueError(f"no attribute of a formula: {attribute}")
    if len(element) != PARTS.get(name, len(element)):
        raise ValueError(f"not whole: {name}")
    if name in LETTERS and "\\" in (element.text or ""):
        raise ValueError(f"not known: {element.text}")
    element.tag = name
    if name == "mn" and element.attrib.get("mathvariant") == "bold":
        element.text = (element.text or "").translate({ord("0") + digit: 0x1D7CE + digit for digit in range(10)})
        del element.attrib["mathvariant"]
