"""The verdict of a check, as a person reads it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Any

import numpy as np

from fragility.checking.relations import Failure
from fragility.judging.verdict import Verdict

LONG = 10**9  # numbers from here on are written with an exponent


def _short(value: Any) -> str:
    """A number or an array in short: rationals as such."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"[{', '.join(map(_short, value))}]"
    try:
        near = Fraction(float(value)).limit_denominator(1000)
    except (TypeError, ValueError, OverflowError):
        return str(value)
    return str(near) if float(near) == float(value) and abs(near) < LONG else f"{float(value):.6g}"


@dataclass(frozen=True)
class Checked(Verdict):
    """What a check says; `print` gives it in one line, a notebook as a small table.

    Parameters
    ----------
    note : what else a reader has to know of the draws; "" for nothing.
    failure : of a relation that fails: the world.
    """

    note: str = ""
    failure: Failure | None = None

    def __str__(self) -> str:
        said = ", ".join(f"{value}" if name == "" else f"{name} {value}" for name, value in self._facts().items())
        return f"{self.claim}: {self.outcome}, {said}{self._remark('; ')}"

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        rows = {"claim": self.claim, "verdict": self.outcome, **self._facts(), "note": self._remark("")}
        cells = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows.items() if value
        )
        return f"<table>{cells}</table>"

    @property
    def _what(self) -> str:
        return "worlds" if self.of_worlds else "draws"

    def _facts(self) -> dict[str, str]:
        if self.outcome == "faulty":
            return {self._what: f"{self.samples:,}"}
        facts = {"gap": f"{self.gap:.2g}", "band": f"{self.band:.2g}"}
        if self.outcome != "disagrees":
            facts["would see"] = self.seen
        facts[self._what] = f"{self.samples:,}"
        if self.visible:
            facts["decoys"] = f"{len(self.rejected)}/{len(self.visible)}"
        return facts

    def _remark(self, before: str) -> str:
        remarks = [self.fault, self.note]
        if self.outcome == "blunt":
            remarks.append(
                f"up to {self.needed:,} {self._what} would decide"
                if self.needed
                else f"more {self._what} would not decide"
            )
        if self.failure:
            told = ", ".join(f"{name} = {_short(value)}" for name, value in self.failure.smallest.items())
            left, right = _short(self.failure.left), _short(self.failure.right)
            remarks.append(f"world {self.failure.number}, made small: {told}, where {left} > {right}")
        said = "; ".join(" ".join(remark.split()) for remark in remarks if remark)
        return before + said if said else ""
