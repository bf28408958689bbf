"""How the documentation is built: pages in Markdown, the claims and the interface of theory/ from the code itself."""

import inspect
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from latex2mathml.converter import convert

sys.path.insert(0, str(Path(__file__).parent.parent))

import fragility
import theory
from fragility.catalogue import pages, places
from fragility.catalogue.recorded import recorded
from fragility.engine.room import studies
from fragility.engine.shard import find_study
from fragility.tables import markdown
from theory.claims import BOOK

SECTIONS = ("Parameters", "Returns", "Raises")  # of a docstring
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
    if name == "api/index":
        source[0] += "\n".join(_names())
    elif name.startswith("api/"):
        source[0] += "\n".join(_reference(name.removeprefix("api/")))


def _names():
    """A row for each public name with what it is, and their pages in the table of contents."""
    yield from ("| name | what it is |", "| --- | --- |")
    for name in fragility.__all__:
        says = inspect.getdoc(getattr(fragility, name)).split("\n")[0].replace("|", r"\|")
        yield f"| [{name}]({name}.md) | {says} |"
    yield from ("", "```{toctree}", ":hidden:", "", *fragility.__all__, "```", "")


def _reference(name):
    """Signature and docstring of a public name, and of what a value of it has."""
    value = getattr(fragility, name)
    yield from ("", "## Reference", "")
    bare = inspect.isclass(value) and (issubclass(value, Exception) or getattr(value, "_is_protocol", False))
    yield from _entry("fragility", name, value, "" if bare else _signature(value))
    for member, held in vars(value).items() if inspect.isclass(value) else ():
        if isinstance(held, property):
            yield from _entry("fragility", f"{name}.{member}", held, "", "property")
        elif not member.startswith("_") and inspect.isfunction(held) and held.__doc__:
            yield from _entry("fragility", f"{name}.{member}", held, _signature(held), "method")


def _signature(function):
    """Names, types and defaults of arguments; a default that is no plain value is written as dots."""
    found = inspect.signature(function)
    words, keyword = [], False
    for one in found.parameters.values():
        if one.kind is one.KEYWORD_ONLY and not keyword:
            words.append("*")
        keyword = one.kind is one.KEYWORD_ONLY
        if one.name != "self":
            plain = isinstance(one.default, str | int | float | tuple | None)
            default = "" if one.default is one.empty else f" = {one.default!r}" if plain else " = ..."
            words.append(f"{one.name}: {_typed(one.annotation)}{default}")
    gives = "" if inspect.isclass(function) else f" -> {_typed(found.return_annotation)}"
    return f"({', '.join(words)}){gives}"


def _typed(annotation):
    """A type as it is written."""
    return annotation if isinstance(annotation, str) else getattr(annotation, "__forward_arg__", str(annotation))


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


def _entry(module, name, value, arguments=None, kind=None):
    kind = kind or ("class" if inspect.isclass(value) else "function")
    error = inspect.isclass(value) and issubclass(value, Exception)
    if arguments is None:
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
    """Lines of a docstring with paragraphs and entries of sections joined, to wrap once; else as set by hand."""
    for paragraph in text.split("\n\n"):
        lines = paragraph.splitlines()
        if lines[:1] and lines[0] in SECTIONS:
            yield from _entries(lines)
        elif any(line.startswith(" ") or {*line} <= {*"-= "} for line in lines):
            yield from lines
        else:
            yield " ".join(lines)
        yield ""


def _entries(lines):
    """Lines of a section, each entry in one."""
    joined = lines[:2]
    for line in lines[2:]:
        if line.startswith(" ") and len(joined) > 2:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return joined
