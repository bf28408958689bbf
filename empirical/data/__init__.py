"""Images to train on and to attack, in the layouts that everybody uses: found on disk, or downloaded once."""

from empirical.data.images import Images
from empirical.data.photographs import Photograph, photographs, read_photograph
from empirical.data.sets import load

__all__ = ["Images", "Photograph", "load", "photographs", "read_photograph"]
