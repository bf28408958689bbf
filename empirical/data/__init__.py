"""Images to train on and to attack, in the layouts that everybody uses: found on disk, or downloaded once."""

from empirical.data.images import Images
from empirical.data.photographs import Photograph, photographs, read_photograph
from empirical.data.sets import digest, load, splits

__all__ = ["Images", "Photograph", "digest", "load", "photographs", "read_photograph", "splits"]
