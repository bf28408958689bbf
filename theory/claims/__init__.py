"""The table of claims: a row per statement of the papers, with its theory, its evidence and its near-misses.

Rows stand by mathematical object, each in the file that bears the object's name in every room.
"""

from importlib import import_module
from pkgutil import iter_modules

from theory.claim import Claim

CLAIMS: tuple[Claim, ...] = tuple(
    claim for module in iter_modules(__path__, f"{__name__}.") for claim in import_module(module.name).CLAIMS
)
