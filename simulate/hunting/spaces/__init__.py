"""Where to look for failures: SPACES maps the id of a bound or an identity to its space of worlds."""

from importlib import import_module
from pkgutil import iter_modules

from simulate.hunting.space import Space

SPACES: dict[str, Space] = {}
for module in iter_modules(__path__, f"{__name__}."):
    SPACES |= import_module(module.name).SPACES
