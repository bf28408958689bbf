"""What a check is given, as it must be, or one line that says what must hold, what came and the way out."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fragility.checking.sampler import called
from fragility.command.flags import seconds
from fragility.engine.study import UsageError


def between(name: str, value: Any, low: float = 0.0, high: float = 1.0, why: str = "") -> float:
    """A number strictly between two others."""
    number = _number(name, value)
    if not low < number < high:
        within = f"lie between {low:g} and {high:g}" if math.isfinite(high) else f"be larger than {low:g}, and finite"
        raise UsageError(f"{name} must {within}, got {value!r}{why and f': {why}'}")
    return number


def whole_number(name: str, value: Any, least: int) -> int:
    """A whole number that is not too small."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < least:
        raise UsageError(f"{name} must be a whole number, at least {least}, got {value!r}")
    return int(value)


def positive(name: str, value: Any) -> float:
    """A positive, finite number."""
    return between(name, value, 0.0, math.inf)


def mean_within(name: str, mean: Any, bounds: Any) -> tuple[float, tuple[float, float]]:
    """A mean and the two numbers between which all draws lie."""
    try:
        low, high = (_number("bounds", end) for end in bounds)
    except (TypeError, ValueError):
        raise UsageError(f"bounds must be two numbers, such as (0, 1), got {bounds!r}") from None
    if not -math.inf < low < high < math.inf:
        raise UsageError(f"bounds must be finite and increasing, got {bounds!r}")
    number = _number(name, mean)
    if not low <= number <= high:
        raise UsageError(f"{name} must lie between {low:g} and {high:g}, got {mean!r}")
    return number, (low, high)


def finite(name: str, value: Any) -> float:
    """A finite number."""
    number = _number(name, value)
    if not math.isfinite(number):
        raise UsageError(f"{name} must be finite, got {value!r}")
    return number


def budgeted(budget: Any) -> float:
    """Seconds that a check may take."""
    if budget is None:
        return math.inf
    return seconds(budget) if isinstance(budget, str) else positive("budget", budget)


def thinned(thin: Any) -> int | str:
    """Of how many draws one is kept, or "auto"."""
    return thin if isinstance(thin, str) and thin == "auto" else whole_number('thin, if not "auto",', thin, 1)


def named(decoys: Any, call: Callable[[Any], str]) -> dict[str, Any]:
    """Decoys by their names, of which those that have none get one."""
    if isinstance(decoys, Mapping):
        return {str(says): decoy for says, decoy in decoys.items()}
    if not isinstance(decoys, Sequence) or isinstance(decoys, str):
        raise UsageError(f"decoys must be a list, or names with their decoys, got {decoys!r}")
    found: dict[str, Any] = {}
    for number, decoy in enumerate(decoys, start=1):
        says = call(decoy)
        found[says if says not in found else f"{says} ({number})"] = decoy
    return found


def law_name(law: Any) -> str:
    """How a law is called: "norm(0, 1.2)" of a frozen distribution of scipy.stats."""
    frozen = getattr(law, "dist", None)
    if frozen is None or not hasattr(law, "args"):
        return getattr(law, "name", None) or called(law)
    given = [*map(_short, law.args), *(f"{key}={_short(value)}" for key, value in law.kwds.items())]
    return f"{frozen.name}({', '.join(given)})"


def takes(function: Any) -> int:
    """How many arguments a function needs that are given by position, `size` always; -1 where that is not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return -1
    return sum(
        (parameter.default is parameter.empty or parameter.name == "size")
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UsageError(f"{name} must be a number, got {value!r}") from None


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value}"
