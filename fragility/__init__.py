"""The instrument: states claims, draws the worlds that they speak of, judges, and looks for counterexamples.

What stands in `__all__` is its public interface. It knows no paper and loads nothing before it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fragility.book import Book, Paper
    from fragility.checking.check import check
    from fragility.claim import Claim, Decoy, Quote, Rate, Reported, Sides
    from fragility.command.study import main
    from fragility.engine.study import Axis, Method, Study, UsageError
    from fragility.frames import frame
    from fragility.judging.verdict import Verdict
    from fragility.law import Law, Moment
    from fragility.space import Part, Space

HOMES = {
    "fragility.book": ("Book", "Paper"),
    "fragility.checking.check": ("check",),
    "fragility.claim": ("Claim", "Decoy", "Quote", "Rate", "Reported", "Sides"),
    "fragility.command.study": ("main",),
    "fragility.engine.study": ("Axis", "Method", "Study", "UsageError"),
    "fragility.frames": ("frame",),
    "fragility.space": ("Part", "Space"),
    "fragility.judging.verdict": ("Verdict",),
    "fragility.law": ("Law", "Moment"),
}
__all__ = [
    "Axis",
    "Book",
    "Claim",
    "Decoy",
    "Law",
    "Method",
    "Moment",
    "Paper",
    "Part",
    "Quote",
    "Rate",
    "Reported",
    "Sides",
    "Space",
    "Study",
    "UsageError",
    "Verdict",
    "check",
    "frame",
    "main",
]


def __getattr__(name: str) -> Any:
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module {__name__} has no attribute {name}")


def __dir__() -> list[str]:
    return __all__
