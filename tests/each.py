"""One test for many values of an argument: all of them are tried, and those that fail are named."""

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest


def each(name: str, values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Calls a test with every value of the argument `name`, in place of a test of its own for each.

    Thousands of quick questions to a table are asked sooner so, and none the less sharply: the test fails if it does
    for any value, and says for which; a value for which it skips is left out, and the test skips if all are.
    """
    chosen = list(values)

    def together(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def asked(*fixed: Any, **given: Any) -> None:
            failing, skipped = {}, []
            for value in chosen:
                try:
                    test(*fixed, **given, **{name: value})
                except pytest.skip.Exception as skip:
                    skipped.append(skip)
                except Exception as error:
                    failing[getattr(value, "id", str(value))] = error
            for error in failing.values():
                error.add_note(f"for {len(failing)} of {len(chosen)} values of {name}: {', '.join(failing)}")
                raise error
            assert chosen, f"no value of {name} is left to try"
            if len(skipped) == len(chosen):
                raise skipped[0]

        signature = inspect.signature(test)
        kept = [parameter for parameter in signature.parameters.values() if parameter.name != name]
        asked.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return asked

    return together
