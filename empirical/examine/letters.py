"""Short texts as rows of numbers, so that records hold them: what a layer is called, why there is no certificate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def coded(texts: Sequence[str], letters: int) -> np.ndarray:
    """The code points of each text, (texts, letters), 0 behind its end; the middle of longer ones is left out."""
    found = np.zeros((len(texts), letters))
    for row, text in zip(found, texts, strict=True):
        half = letters // 2
        short = text if len(text) <= letters else f"{text[: half - 1]}…{text[-half:]}"
        row[: len(short)] = [ord(letter) for letter in short]
    return found


def decoded(codes: np.ndarray) -> list[str]:
    """The texts, "" of a row without numbers."""
    return ["".join(chr(int(code)) for code in row if code > 0) for row in np.nan_to_num(codes)]
