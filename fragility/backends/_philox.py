"""Philox4x64-10 in a compiled loop: the words of numpy's bit generator, several times as fast.

Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as 1, 2, 3 (SC 2011). Words are made a buffer at a
time; what is left of it serves the next call, so a stream does not depend on how it is cut into calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

BUFFER = 1024  # words, a multiple of four: with the tables of the ziggurat they stay in the level 1 cache
UNIT = 2.0**-53  # of `unit`
KEY_LOW, KEY_HIGH, BLOCK, INDEX, POSITION = range(5)  # entries of a state

_WORD, _ZERO = np.uint64, np.uint64(0)
_MULTIPLIERS = _WORD(0xD2E7470EE14C6C93), _WORD(0xCA5A826395121157)
_WEYL = _WORD(0x9E3779B97F4A7C15), _WORD(0xBB67AE8584CAA73B)
_MASK = 2**64 - 1


def start(key: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    """State and (empty) buffer of the stream of `numpy.random.Philox(key=key, counter=index << 192)`.

    The counter's low word counts blocks of four words, from one on; the next two stay zero within 2^66 words.
    """
    state = np.array([key & _MASK, key >> 64, 1, index, BUFFER], np.uint64)
    return state, np.empty(BUFFER, np.uint64)


def _upper_half(_context: Any, _a: Any, _b: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


_high_product: Any = intrinsic(_upper_half)  # of two words: the upper half of their 128-bit product


@njit(nogil=True, cache=True, error_model="numpy")
def refill(state: np.ndarray, words: np.ndarray) -> None:
    """Put the next words of the stream into the buffer, and the position at its beginning."""
    low, high, block, index = state[KEY_LOW], state[KEY_HIGH], state[BLOCK], state[INDEX]
    for b in range(words.size // 4):
        key0, key1 = low, high
        c0, c1, c2, c3 = block + _WORD(b), _ZERO, _ZERO, index
        for _ in range(10):
            high0, low0 = _high_product(_MULTIPLIERS[0], c0), _MULTIPLIERS[0] * c0
            high1, low1 = _high_product(_MULTIPLIERS[1], c2), _MULTIPLIERS[1] * c2
            c0, c1, c2, c3 = high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0
            key0, key1 = key0 + _WEYL[0], key1 + _WEYL[1]
        four = words[4 * b : 4 * b + 4]
        four[0], four[1], four[2], four[3] = c0, c1, c2, c3
    state[BLOCK] = block + _WORD(words.size // 4)
    state[POSITION] = _ZERO


@njit(nogil=True, cache=True, error_model="numpy")
def word(state: np.ndarray, words: np.ndarray) -> np.uint64:
    """The next word."""
    if state[POSITION] == _WORD(words.size):
        refill(state, words)
    position = state[POSITION]
    state[POSITION] = position + _WORD(1)
    return words[position]


@njit(nogil=True, cache=True, error_model="numpy")
def unit(state: np.ndarray, words: np.ndarray) -> float:
    """The next word as a number in [0, 1), with 53 bits."""
    return (word(state, words) >> _WORD(11)) * UNIT
