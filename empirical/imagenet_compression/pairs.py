"""Photographs in folders named by their class: which output of a network is which folder, and which pairs they make.

A folder's name is the WordNet number of its class (wnid). A network sees the square in the middle of a photograph,
its shorter side scaled to 8/7 of the square's, as ImageNet classifiers are tested.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from empirical.data.folders import unreadable
from fragility.engine.context import current
from fragility.engine.study import UsageError

CROP = 0.875  # side of the square over the shorter side of the photograph
AFGHAN, SPRINGER = "n02088094", "n02102040"
LANDMARKS = {AFGHAN: 160, SPRINGER: 217}  # their places among the 1000 classes of ImageNet
WHOLE = {118: 151, 1000: 0}  # folders there are of dogs, and of all of ImageNet, and the class of the first
CLASSES = "classes.txt"  # beside the folders, with a wnid in each line: line k is output k, from 0
ALL, NEAREST = "all", "nearest"
TRIALS, TOGETHER = 8, 2  # photographs on which a network is tried before anything is measured, and in one batch
BOX = (0.0, 1.0)  # of a pixel
OF_MODELS = ("the model", "the gradient of the model")  # how errors begin that do not say which


@dataclass(frozen=True)
class Pair:
    """A photograph and the class that it is to be taken for (None: the class of whatever photograph is nearest)."""

    clean: Path
    source: str
    partner: str | None


@dataclass(frozen=True)
class Gallery:
    """Photographs by wnid, and the network's output for each wnid, where it is known."""

    files: Mapping[str, tuple[Path, ...]]
    outputs: Mapping[str, int]
    told: bool  # by a file of the user's

    def pairs(self, source: str, partners: str) -> list[Pair]:
        """Every photograph of `source` with every partner: a wnid, "all" other folders, or the "nearest" photograph's.

        Raises
        ------
        UsageError : there is no such folder, or no pair.
        """
        for flag, wnid in (("--source", source), ("--partners", partners)):
            if wnid not in (*self.files, ALL, *([NEAREST] if flag == "--partners" else ())):
                raise UsageError(
                    f"{flag} must be one of the {len(self.files)} folders of photographs, or all, got {wnid}"
                )
        sources = sorted(self.files) if source == ALL else [source]
        chosen: list[str | None] = [*sorted(self.files)] if partners == ALL else [partners]
        if partners == NEAREST:
            chosen = [None] if len(self.files) > 1 else []
        pairs = [
            Pair(clean, wnid, partner)
            for wnid in sources
            for clean in self.files[wnid]
            for partner in chosen
            if partner != wnid
        ]
        if not pairs:
            raise UsageError(f"--partners must be another class than --source, got {partners} and {source}")
        return pairs

    def nearest(self, clean: np.ndarray, pair: Pair, side: int) -> tuple[str, int, np.ndarray]:
        """The partner's photograph of least l2 distance: wnid, place in its folder, pixels as in `pixels`.

        One photograph is in memory at a time, however many there are.
        """
        wnids = [pair.partner] if pair.partner else [wnid for wnid in sorted(self.files) if wnid != pair.source]
        least, found = np.inf, None
        for wnid in wnids:
            for place, path in enumerate(self.files[wnid]):
                other = pixels(path, side)
                distance = float(np.linalg.norm((other.astype(np.float64) - clean).ravel()))
                if distance < least:
                    least, found = distance, (wnid, place, other)
        assert found is not None  # `pairs` has seen to it
        return found

    def digest(self, pairs: Sequence[Pair]) -> str:
        """12 hex digits over all photographs that can be met in these pairs, and over the outputs of their classes.

        Raises
        ------
        UnavailableError : a photograph cannot be read.
        """
        met = {pair.source for pair in pairs} | {pair.partner for pair in pairs if pair.partner}
        if not all(pair.partner for pair in pairs):
            met = set(self.files)
        content = hashlib.blake2b(digest_size=6)
        for wnid in sorted(met):
            content.update(f"{wnid}={self.output(wnid)}\n".encode())
            for path in self.files[wnid]:
                content.update(f"{path.name}\n".encode() + _digested(path))
        return content.hexdigest()

    def output(self, wnid: str) -> int:
        """Which output of the network is this class.

        Raises
        ------
        UsageError : nobody says which.
        """
        if wnid not in self.outputs:
            where = next(iter(self.files.values()))[0].parent.parent / CLASSES
            raise UsageError(
                f"{where} must say which output is {wnid}, a wnid in each line in the order of the outputs: ranks tell "
                f"it only where there are folders of all {' dogs or all '.join(map(str, WHOLE))} classes, got "
                f"{len(self.files)}"
            )
        return self.outputs[wnid]


def album() -> Gallery:
    """The photographs of the context's folder of data sets, found once.

    Raises
    ------
    UnavailableError : there are none.
    """
    return _album(current().data)


@lru_cache(maxsize=2)
def _album(folder: Path | None) -> Gallery:
    from empirical.data import photographs

    return gallery(photographs(folder))


@lru_cache(maxsize=8)
def population(source: str, partners: str, digest: str) -> list[Pair]:
    """The pairs of these photographs and no others.

    Raises
    ------
    UsageError : the photographs here have another digest.
    """
    pairs = album().pairs(source, partners)
    if (found := album().digest(pairs)) != digest:
        raise UsageError(f"--data-dir must hold the photographs {digest} wherever shards are measured, got {found}")
    return pairs


def gallery(photographs: Sequence[tuple[str, Path]]) -> Gallery:
    """The gallery of (wnid, path) pairs, at least one; where no file tells the outputs, ranks of the folders do.

    Ranks count only where there are as many folders as dogs or as classes, and English springer and Afghan hound have
    the ranks that they have there; else these two are the only classes whose outputs are known.

    Raises
    ------
    UsageError : the file of classes cannot be read, or names a class twice.
    """
    files: dict[str, list[Path]] = {}
    for wnid, path in photographs:
        files.setdefault(wnid, []).append(Path(path))
    told = Path(photographs[0][1]).parent.parent / CLASSES
    ordered = {wnid: tuple(sorted(files[wnid])) for wnid in sorted(files)}
    if told.exists():
        return Gallery(ordered, _told(told), told=True)
    by_rank = {wnid: output for output, wnid in enumerate(ordered, WHOLE.get(len(ordered), 0))}
    if len(ordered) in WHOLE and all(by_rank.get(wnid) == output for wnid, output in LANDMARKS.items()):
        return Gallery(ordered, by_rank, told=False)
    return Gallery(ordered, LANDMARKS, told=False)


def _digested(path: Path) -> bytes:
    """A hash of a file's bytes, which are not all in memory at once."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, hashlib.blake2b).digest()
    except OSError as error:
        unreadable(path, str(error.strerror))


def _told(path: Path) -> dict[str, int]:
    try:
        wnids = path.read_text("utf-8").split()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"{path} must be a text of one wnid in each line: it cannot be read") from None
    outputs = {wnid: output for output, wnid in enumerate(wnids)}
    if len(outputs) < len(wnids):
        raise UsageError(f"{path} must name each class once, got {len(wnids)} lines and {len(outputs)} classes")
    return outputs


def pixels(path: Path, side: int) -> np.ndarray:
    """The photograph as a network sees it, (3, side, side), uint8.

    Raises
    ------
    UnavailableError : it cannot be read.
    """
    from empirical.data import read_photograph

    return read_photograph(path, side, round(side / CROP)).transpose(2, 0, 1)


def try_out(network: Any, shown: Gallery, side: int, name: str) -> None:
    """Tries a torch network in host memory, from images in [0, 1] to logits, on a few photographs, one of a class.

    Raises
    ------
    UsageError : it cannot be attacked there, has too few outputs, or, where ranks tell the classes, is right on none.
    """
    import torch

    from empirical.decisions.inputs import check_model, logits

    known = [wnid for wnid in shown.files if wnid in shown.outputs]
    tried = [known[k] for k in sorted({*np.linspace(0, len(known) - 1, TRIALS).astype(int)})] if known else []
    right = 0
    seen = [torch.from_numpy(unit(pixels(shown.files[wnid][0], side))) for wnid in tried]
    for wnid, x in zip(tried, seen, strict=True):
        try:
            with torch.no_grad():
                found = logits(network, x)
        except UsageError as error:
            raise UsageError(
                f"--model {name} must map images (1, 3, {side}, {side}) to (1, classes), got: {error}; --size gives "
                "the side"
            ) from error.__cause__
        if (largest := max(shown.output(one) for one in known)) >= (outputs := found.shape[1]):
            raise UsageError(f"--model {name} must have an output for each class, up to {largest}, got {outputs}")
        right += int(found.argmax()) == shown.output(wnid)
    with named(name):
        check_model(network, torch.cat(seen[:TOGETHER] or [torch.full((1, 3, side, side), 0.5)]), BOX)
    if tried and not right and not shown.told:
        raise UsageError(
            f"--model {name} must have its outputs in ImageNet's order, got none of {len(tried)} photographs right: "
            f"put a file {CLASSES} beside their folders, with a wnid in each line in the order of the outputs"
        )


@contextmanager
def named(name: str) -> Iterator[None]:
    """Says which model it is of which something is wrong inside."""
    try:
        yield
    except UsageError as error:
        if not str(error).startswith(OF_MODELS):
            raise
        raise UsageError(f"--model {name} cannot be measured: {error}") from error.__cause__


def unit(image: np.ndarray) -> np.ndarray:
    """A batch of one in [0, 1], float32, of `pixels`."""
    return (image[None] / 255).astype(np.float32)


def coded(image: Any, side: int) -> np.ndarray:
    """An image (1, 3, ., .) in [0, 1], torch, averaged to side x side: (side^2,), 65536 red + 256 green + blue."""
    from torch.nn.functional import interpolate

    small = interpolate(image.float().cpu(), (side, side), mode="area")[0]
    red, green, blue = (255 * small.clamp(0, 1).double()).round().flatten(1).numpy()
    return 65536 * red + 256 * green + blue
