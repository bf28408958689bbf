"""Normal and chi variables on the GPU, each a function of its coordinates: key, shard, call, number.

cuRAND's generators take the size of their state from the number of multiprocessors, so a draw would depend on
the device. Here a thread computes the block of Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random
numbers: as easy as 1, 2, 3") that its number names, whichever thread that is.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cupy
import numpy as np

from fragility.backends import Array

THREADS = 256
MOST_NUMBERS = 1 << 32  # of a call: a word of the counter
MOST_CALLS = 1 << 24  # of a stream: what the attempts of `chi` leave of another

SOURCE = r"""
// One Philox block: four independent 32-bit words.
__device__ uint4 philox(uint4 c, uint2 k) {
    #pragma unroll
    for (int round = 0; round < 10; ++round) {
        unsigned high0 = __umulhi(0xD2511F53u, c.x), low0 = 0xD2511F53u * c.x;
        unsigned high1 = __umulhi(0xCD9E8D57u, c.z), low1 = 0xCD9E8D57u * c.z;
        c = make_uint4(high1 ^ c.y ^ k.x, low1, high0 ^ c.w ^ k.y, low0);
        k.x += 0x9E3779B9u;
        k.y += 0xBB67AE85u;
    }
    return c;
}

// Where a call's numbers lie among all blocks of a key: no two numbers, calls or shards share a block.
struct Call {
    uint2 key;
    unsigned long long shard;
    unsigned call;  // below 2^24

    __device__ uint4 words(unsigned number, unsigned attempt) const {  // attempt below 2^8
        return philox(make_uint4(number, call | attempt << 24, (unsigned)shard, (unsigned)(shard >> 32)), key);
    }
};

__device__ Call call_of(unsigned long long key, unsigned long long shard, unsigned call) {
    return {make_uint2((unsigned)key, (unsigned)(key >> 32)), shard, call};
}

// Multiples of 2^-53 in (0, 1]: its logarithm is finite.
__device__ double uniform(unsigned high, unsigned low) {
    return ((((unsigned long long)high << 32 | low) >> 11) + 1) * 0x1p-53;
}

__device__ double2 box_muller(uint4 w) {
    double radius = sqrt(-2.0 * log(uniform(w.x, w.y))), sine, cosine;
    sincospi(2.0 * uniform(w.z, w.w), &sine, &cosine);
    return make_double2(radius * cosine, radius * sine);
}

__device__ long long thread() { return (long long)blockIdx.x * blockDim.x + threadIdx.x; }

extern "C" __global__ void philox_words(const uint4* counters, const uint2* keys, uint4* out, long long size) {
    long long i = thread();
    if (i < size) out[i] = philox(counters[i], keys[i]);
}

// A thread per pair of normals.
extern "C" __global__ void normal(
    double* out, long long size, unsigned long long key, unsigned long long shard, unsigned call
) {
    long long i = thread();
    if (2 * i >= size) return;
    double2 pair = box_muller(call_of(key, shard, call).words(i, 0));
    out[2 * i] = pair.x;
    if (2 * i + 1 < size) out[2 * i + 1] = pair.y;
}

// Multiples of 2^-53 in [0, 1).
extern "C" __global__ void unit(
    double* out, long long size, unsigned long long key, unsigned long long shard, unsigned call
) {
    long long i = thread();
    if (i >= size) return;
    uint4 w = call_of(key, shard, call).words(i, 0);
    out[i] = uniform(w.x, w.y) - 0x1p-53;
}

// The norm of two normals: the radius of Box and Muller.
extern "C" __global__ void rayleigh(
    double* out, long long size, unsigned long long key, unsigned long long shard, unsigned call
) {
    long long i = thread();
    if (i >= size) return;
    uint4 w = call_of(key, shard, call).words(i, 0);
    out[i] = sqrt(-2.0 * log(uniform(w.x, w.y)));
}

// sqrt(2 Gamma(degrees / 2)) by Marsaglia and Tsang (2000), degrees >= 2: more than 95 of 100 attempts are accepted.
extern "C" __global__ void chi(
    double* out, long long size, unsigned long long key, unsigned long long shard, unsigned call, double degrees
) {
    long long i = thread();
    if (i >= size) return;
    Call call_blocks = call_of(key, shard, call);
    double d = 0.5 * degrees - 1.0 / 3.0, c = 1.0 / sqrt(9.0 * d);
    for (unsigned attempt = 0;; attempt += 2) {
        double x = box_muller(call_blocks.words(i, attempt)).x, v = 1.0 + c * x;
        if (v <= 0.0) continue;
        v *= v * v;
        uint4 w = call_blocks.words(i, attempt + 1);
        if (log(uniform(w.x, w.y)) < 0.5 * x * x + d * (1.0 - v + log(v))) {
            out[i] = sqrt(2.0 * d * v);
            return;
        }
    }
}
"""


@cache
def _kernel(name: str) -> Any:
    return cupy.RawModule(code=SOURCE, options=("-std=c++17",)).get_function(name)


class CupyStream:
    """Random numbers of shard `index` under a 128-bit `key`, which is folded to the 64 bits of a Philox4x32 key.

    Two shards (0 <= index < 2^64), and two calls of one shard, have counters of their own: their draws never overlap.
    """

    def __init__(self, key: int, index: int) -> None:
        self._key = np.uint64((key ^ key >> 64) & (1 << 64) - 1)
        self._shard = np.uint64(index)
        self._calls = 0

    def normal(self, *shape: int) -> Array:
        """Independent N(0, 1), float64, by Box and Muller: |x| <= 8.6, whose complement has probability 1e-17."""
        return self._fill("normal", shape, per_thread=2)

    def uniform(self, *shape: int) -> Array:
        """Independent, uniform on the multiples of 2^-53 in [0, 1), float64."""
        return self._fill("unit", shape)

    def chi(self, degrees: int, *shape: int) -> Array:
        """Independent chi variables with `degrees` >= 0 degrees of freedom."""
        if degrees == 0:
            return cupy.zeros(shape)
        if degrees == 1:
            return cupy.abs(self.normal(*shape))
        if degrees == 2:
            return self._fill("rayleigh", shape)
        return self._fill("chi", shape, np.float64(degrees))

    def _fill(self, kernel: str, shape: tuple[int, ...], *law: np.float64, per_thread: int = 1) -> Array:
        if math.prod(shape) > MOST_NUMBERS or self._calls == MOST_CALLS:
            raise ValueError(f"a stream gives {MOST_CALLS} times at most {MOST_NUMBERS} numbers, got the shape {shape}")
        out = cupy.empty(shape)
        blocks = -(-out.size // (per_thread * THREADS))
        if blocks:
            arguments = (out, np.int64(out.size), self._key, self._shard, np.uint32(self._calls), *law)
            _kernel(kernel)((blocks,), (THREADS,), arguments)
        self._calls += 1
        return out


def philox(counters: Array, keys: Array) -> Array:
    """Blocks of Philox4x32-10, (size, 4) uint32, of counters (size, 4) uint32 and keys (size, 2) uint32."""
    out = cupy.empty_like(counters)
    arguments = (counters, keys, out, np.int64(len(out)))
    _kernel("philox_words")((-(-len(out) // THREADS),), (THREADS,), arguments)
    return out
