"""Normal and chi variables in compiled loops that hold no lock: numpy's numbers, bit for bit.

The algorithms are those of numpy's Generator: the ziggurat of 256 layers (Marsaglia and Tsang, J. Stat. Softw. 5,
2000), whose tables numba keeps too, and their gamma method of the same year (ACM TOMS 26). About 99 words in 100
lie inside their layer: they are used up in bursts, and only the others take the slow way.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numba.np.random import _constants as tables

from fragility.backends._philox import BUFFER, POSITION, UNIT, refill, unit, word

_WORD = np.uint64
_BITS_52 = _WORD(2**52 - 1)
_LAYERS = _WORD(255)
_NORMAL_WIDTHS = np.concatenate([tables.wi_double, -tables.wi_double])  # the ninth bit of a word is the sign
_NORMAL_INSIDE, _NORMAL_HEIGHTS = tables.ki_double, tables.fi_double
_NORMAL_TAIL, _NORMAL_TAIL_INVERSE = tables.ziggurat_nor_r, tables.ziggurat_nor_inv_r
_EXPONENTIAL_WIDTHS, _EXPONENTIAL_INSIDE = tables.we_double, tables.ke_double
_EXPONENTIAL_HEIGHTS, _EXPONENTIAL_TAIL = tables.fe_double, tables.ziggurat_exp_r


@njit(nogil=True, cache=True, error_model="numpy")
def normal(state: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
    """Fill the flat `out` with N(0, 1)."""
    _fill(state, words, 1, out)


@njit(nogil=True, cache=True, error_model="numpy")
def uniform(state: np.ndarray, words: np.ndarray, out: np.ndarray) -> None:
    """Fill the flat `out` with the multiples of 2^-53 in [0, 1)."""
    for i in range(out.size):
        out[i] = unit(state, words)


@njit(nogil=True, cache=True, error_model="numpy")
def chi(state: np.ndarray, words: np.ndarray, degrees: int, out: np.ndarray) -> None:
    """Fill the flat `out` with chi variables, by the ways and in the order of `numpy_backend.Stream.chi`."""
    if degrees == 0:
        out[:] = 0.0
        return
    for first in range(0, out.size, BUFFER):
        part = out[first : first + BUFFER]
        _fill(state, words, degrees, part)
        if degrees == 1:
            for i in range(part.size):
                part[i] = abs(part[i])
        else:
            for i in range(part.size):
                part[i] = math.sqrt(2.0 * part[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _fill(state: np.ndarray, words: np.ndarray, degrees: int, out: np.ndarray) -> None:
    """N(0, 1) for one degree of freedom, else gamma(degrees / 2), which is exponential for two."""
    b = 0.5 * degrees - 1.0 / 3.0
    done = 0
    while done < out.size:
        if state[POSITION] == _WORD(words.size):
            refill(state, words)
        position = np.int64(state[POSITION])
        if degrees == 1:
            used = quick = _normal_burst(words[position:], out[done:])
        elif degrees == 2:
            used = quick = _exponential_burst(words[position:], out[done:])
        else:
            quick = _gamma_burst(words[position:], out[done:], b)
            used = 2 * quick
        done += quick
        state[POSITION] = _WORD(position + used)
        if done == out.size or position + used == words.size:
            continue
        if degrees == 1:
            out[done] = _normal(state, words)
        elif degrees == 2:
            out[done] = _exponential(state, words)
        else:
            out[done] = _gamma(state, words, b)
        done += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _normal_burst(words: np.ndarray, out: np.ndarray) -> int:
    """Words used up, and numbers written, before the first word outside its layer."""
    size = min(words.size, out.size)
    for i in range(size):
        bits = words[i]
        place = (bits >> _WORD(9)) & _BITS_52
        if place >= _NORMAL_INSIDE[bits & _LAYERS]:
            return i
        out[i] = np.float64(np.int64(place)) * _NORMAL_WIDTHS[bits & _WORD(511)]
    return size


@njit(nogil=True, cache=True, error_model="numpy")
def _normal(state: np.ndarray, words: np.ndarray) -> float:
    while True:
        bits = word(state, words)
        layer, place = bits & _LAYERS, (bits >> _WORD(9)) & _BITS_52
        x = np.float64(np.int64(place)) * _NORMAL_WIDTHS[bits & _WORD(511)]
        if place < _NORMAL_INSIDE[layer]:
            return x
        if layer == 0:
            while True:
                beyond = -_NORMAL_TAIL_INVERSE * math.log1p(-unit(state, words))
                height = -math.log1p(-unit(state, words))
                if height + height > beyond * beyond:
                    return -(_NORMAL_TAIL + beyond) if (place >> _WORD(8)) & _WORD(1) else _NORMAL_TAIL + beyond
        top, bottom = _NORMAL_HEIGHTS[layer - _WORD(1)], _NORMAL_HEIGHTS[layer]
        if (top - bottom) * unit(state, words) + bottom < math.exp(-0.5 * x * x):
            return x


@njit(nogil=True, cache=True, error_model="numpy")
def _exponential_burst(words: np.ndarray, out: np.ndarray) -> int:
    size = min(words.size, out.size)
    for i in range(size):
        layer, place = (words[i] >> _WORD(3)) & _LAYERS, words[i] >> _WORD(11)
        if place >= _EXPONENTIAL_INSIDE[layer]:
            return i
        out[i] = np.float64(np.int64(place)) * _EXPONENTIAL_WIDTHS[layer]
    return size


@njit(nogil=True, cache=True, error_model="numpy")
def _gamma_burst(words: np.ndarray, out: np.ndarray, b: float) -> int:
    """Numbers written, from two words each, before the first that takes more."""
    c = 1.0 / math.sqrt(9.0 * b)
    size = min(words.size // 2, out.size)
    for i in range(size):
        bits, u = words[2 * i], (words[2 * i + 1] >> _WORD(11)) * UNIT
        place = (bits >> _WORD(9)) & _BITS_52
        x = np.float64(np.int64(place)) * _NORMAL_WIDTHS[bits & _WORD(511)]
        v = 1.0 + c * x
        if place >= _NORMAL_INSIDE[bits & _LAYERS] or v <= 0.0:
            return i
        v = v * v * v
        if not _accepts(x, v, u, b):
            return i
        out[i] = b * v
    return size


@njit(nogil=True, cache=True, error_model="numpy")
def _exponential(state: np.ndarray, words: np.ndarray) -> float:
    while True:
        bits = word(state, words)
        layer, place = (bits >> _WORD(3)) & _LAYERS, bits >> _WORD(11)
        x = np.float64(np.int64(place)) * _EXPONENTIAL_WIDTHS[layer]
        if place < _EXPONENTIAL_INSIDE[layer]:
            return x
        if layer == 0:
            return _EXPONENTIAL_TAIL - math.log1p(-unit(state, words))
        top, bottom = _EXPONENTIAL_HEIGHTS[layer - _WORD(1)], _EXPONENTIAL_HEIGHTS[layer]
        if (top - bottom) * unit(state, words) + bottom < math.exp(-x):
            return x


@njit(nogil=True, cache=True, error_model="numpy")
def _gamma(state: np.ndarray, words: np.ndarray, b: float) -> float:
    """Gamma of shape b + 1/3 > 1."""
    c = 1.0 / math.sqrt(9.0 * b)
    while True:
        x = _normal(state, words)
        v = 1.0 + c * x
        if v <= 0.0:
            continue
        v = v * v * v
        if _accepts(x, v, unit(state, words), b):
            return b * v


@njit(nogil=True, cache=True, error_model="numpy")
def _accepts(x: float, v: float, u: float, b: float) -> bool:
    return u < 1.0 - 0.0331 * (x * x) * (x * x) or math.log(u) < 0.5 * x * x + b * (1.0 - v + math.log(v))
