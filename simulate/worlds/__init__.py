"""Random worlds for statements with two sides: WORLDS maps the id of a bound or an identity to a function of a
NumPy generator that draws the keyword arguments of the claim's `theory`."""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

WORLDS: dict[str, Callable[[np.random.Generator], dict[str, Any]]] = {}
for module in iter_modules(__path__, f"{__name__}."):
    WORLDS |= import_module(module.name).WORLDS
