"""How the documentation is built: pages in Markdown, the claims and the interface of theory/ from the code itself."""

import inspect
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from latex2mathml.converter import convert

sys.path.insert(0, str(Path(__file__).parent.parent))

import theory
from fragility.catalogue import pages, places
from fragility.catalogue.recorded import recorded
from fragility.engine.room import studies
from fragility.engine.shard import find_study
from fragility.tables import markdown
from theory.claims import BOOK

NOT_SHOWN = ("theory.__main__", "theory.claims", "theory.spaces", "theory.worlds")  # rows and draws, no formulas

project = "fragility"
extensions = ["myst_parser", "sphinx.ext.viewcode"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
highlight_language = "text"
html_theme = "furo"
html_title = "fragility"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["claims.css"]
html_math_renderer = "mathml"  # shown by the browser itself: no script, no network


def setup(app):
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    app.connect("source-read", _generate)


def _inline(writer, node):
    _write(writer, node, "inline")


def _displayed(writer, node):
    _write(writer, node, "block")


def _write(writer, node, display):
    from docutils.nodes import SkipNode

    writer.body.append(convert(node.astext(), display=display))
    raise SkipNode


def _generate(app, name, source):
    """Appends to pages what the code knows: rows of the table, statistics of experiments, docstrings of functions."""
    if name == "claims":
        source[0] += pages.claims_page(
            BOOK, lambda module, function: f"_modules/{module.replace('.', '/')}.html#{function}"
        )
    if name == "experiments":
        source[0] += "\n\n".join(markdown(recorded(find_study(study))) for study in studies("empirical"))
    if name == "theory":
        source[0] += "\n".join(_interface())


def _interface():
    """Every public function and class of theory/, and those private ones that hold the formula of a claim."""
    held = {}
    for claim in BOOK:
        held.setdefault(places.implementation(claim)[:2], []).append(claim)
    for entry in walk_packages(theory.__path__, "theory."):
        if entry.ispkg or entry.name.startswith(NOT_SHOWN):
            continue
        module = import_module(entry.name)
        yield from (f"## {module.__name__}", "", "```{eval-rst}", f".. py:module:: {module.__name__}", "```", "")
        yield from (_verbatim(inspect.getdoc(module)))
        for name, value in vars(module).items():
            ours = getattr(value, "__module__", None) == module.__name__ and callable(value)
            if ours and (not name.startswith("_") or (module.__name__, name) in held):
                yield from _entry(module.__name__, name, value)
                yield from _claims(held.get((module.__name__, name), ()))


def _entry(module, name, value):
    kind = "class" if inspect.isclass(value) else "function"
    error = inspect.isclass(value) and issubclass(value, Exception)
    arguments = "" if error else f"({', '.join(inspect.signature(value).parameters)})"
    yield from ("```{eval-rst}", f".. py:{kind}:: {name}{arguments}", f"   :module: {module}", "")
    # Formulas in docstrings are written for the eye; as plain text no markup can misread them.
    yield from ("   ::", "", *(f"      {line}" for line in _reflowed(inspect.getdoc(value) or "Undocumented.")))
    yield from ("```", "")


def _claims(claims):
    """The claims whose formula an entry holds, as links to their rows."""
    if claims:
        links = ", ".join(f"[`{claim.id}`](#{pages.anchor(claim.id)})" for claim in claims)
        yield from (f"Claims: {links}", "")


def _verbatim(text):
    return ["```text", *_reflowed(text), "```", ""]


def _reflowed(text):
    """Lines of a docstring with its paragraphs joined, so that they wrap once; sections and formulas stay as set."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        set_by_hand = any(line.startswith(" ") or set(line) == {"-"} for line in lines)
        yield from lines if set_by_hand else [" ".join(lines)]
        yield ""
