"""Circular convolutions with Gaussian kernels: their spectra before and after ConvNorm's preconditioner.

A kernel has channels_out x channels_in filters of taps x taps independent N(0, 1) entries and acts on a periodic grid
of n x n points. On small grids everything is measured in the operator's matrix, written down shift by shift; on larger
ones the convolution theorem is taken for granted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integer, integers

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

LARGEST_MATRIX = 128  # rows or columns of an operator that is written down


def draw(stream: Stream, size: int, channels_in: int, channels_out: int, taps: int, **_point: Any) -> Array:
    """Kernels, (size, channels_out, channels_in, taps, taps)."""
    return stream.normal(size, channels_out, channels_in, taps, taps)


def measure_matrix(
    backend: Backend, world: Array, n: int, frequency: tuple[int, int], **_point: int
) -> dict[str, Array]:
    """From the operator A, its rows A_k of one output channel, and Q_k = (A_k A_k^T)^(-1/2) A_k stacked to Q.

    row_power (size, channels_out): ||A_k^T e||^2 for the plane wave e of the frequency; norm, norm_after (size,): ||A||
    and ||Q||; overlap (size,), for two output channels or more: |<Q_1^T e, Q_2^T e>|^2.
    """
    xp = backend.xp
    size, outputs, inputs = world.shape[:3]
    A = _matrix(xp, world, n)
    values, vectors = xp.linalg.eigh(xp.matmul(A, xp.swapaxes(A, -1, -2)))
    turned = xp.matmul(xp.swapaxes(vectors, -1, -2), A)
    Q = xp.matmul(vectors / xp.sqrt(values)[..., None, :], turned)
    down, right = xp.arange(n)[:, None] * frequency[0], xp.arange(n) * frequency[1]
    wave = (xp.exp(2j * math.pi * (down + right) / n) / n).reshape(n * n)
    before, after = (xp.matmul(wave, M.reshape(size, outputs, n * n, inputs * n * n)) for M in (A, Q))
    norms = [xp.linalg.svd(M.reshape(size, outputs * n * n, -1), compute_uv=False)[:, 0] for M in (A, Q)]
    measured = {"row_power": xp.sum(xp.abs(before) ** 2, axis=2), "norm": norms[0], "norm_after": norms[1]}
    return measured | _overlap(xp, after)


def _matrix(xp: Any, kernel: Array, n: int) -> Array:
    """(size, channels_out, n^2, channels_in n^2): column by column, what the convolution makes of unit images."""
    size, outputs, inputs, taps = kernel.shape[:4]
    image = xp.zeros((size, outputs, inputs, n, n))
    image[..., :taps, :taps] = kernel
    columns = [xp.roll(image, shift, axis=(-2, -1)) for shift in product(range(n), repeat=2)]
    matrix = xp.stack([column.reshape(size, outputs, inputs, n * n) for column in columns], axis=-1)
    return xp.swapaxes(matrix, 2, 3).reshape(size, outputs, n * n, inputs * n * n)


def measure_frequencies(
    backend: Backend, world: Array, n: int, frequency: tuple[int, int], **_point: int
) -> dict[str, Array]:
    """The same from one channels_out x channels_in matrix per frequency."""
    xp = backend.xp
    spectrum = xp.moveaxis(xp.fft.fft2(world, (n, n)), (1, 2), (3, 4))
    lengths = xp.linalg.norm(spectrum, axis=4)
    unit = spectrum / lengths[..., None]
    norms = [xp.linalg.svd(M, compute_uv=False).reshape(len(world), -1).max(axis=1) for M in (spectrum, unit)]
    measured = {"row_power": lengths[:, *frequency] ** 2, "norm": norms[0], "norm_after": norms[1]}
    return measured | _overlap(xp, unit[:, *frequency])


def _overlap(xp: Any, rows: Array) -> dict[str, Array]:
    """|<q_1, q_2>|^2 of the first two rows, (size, rows, columns), where there are two."""
    if rows.shape[1] < 2:
        return {}
    return {"overlap": xp.abs(xp.sum(rows[:, 0] * xp.conj(rows[:, 1]), axis=1)) ** 2}


def points(
    n: Sequence[int],
    channels_in: Sequence[int],
    channels_out: Sequence[int],
    taps: Sequence[int],
    frequency: Sequence[tuple[int, int]] | None,
) -> list[Point]:
    """Every combination."""
    sweep: list[Point] = []
    for side, inputs, outputs, width, place in product(n, channels_in, channels_out, taps, frequency or [(0, 1)]):
        if width > side:
            raise UsageError(f"--taps must be at most n = {side}, the points along a side of the grid, got {width}")
        if max(place) >= side:
            raise UsageError(
                f"--frequency must be two integers from 0 to n - 1 = {side - 1}, got {place[0]},{place[1]}"
            )
        sweep.append({"n": side, "channels_in": inputs, "channels_out": outputs, "taps": width, "frequency": place})
    return sweep


def _frequency(text: str) -> list[tuple[int, int]]:
    parts = [integer(part, 0, "--frequency") for part in text.split(",")]
    if len(parts) != 2:
        raise UsageError(f"--frequency must be two integers, down and right, got {text}")
    return [(parts[0], parts[1])]


def _large(n: int, channels_in: int, channels_out: int, **_point: Any) -> str | None:
    size = n * n * max(channels_in, channels_out)
    if size <= LARGEST_MATRIX:
        return None
    return f"the operator's matrix would have a side of {size}, above {LARGEST_MATRIX}: use --method frequencies"


def _statistics(channels_out: int, **_point: Any) -> tuple[str, ...]:
    return ("row_power", "norm", "norm_after", *(("overlap",) if channels_out > 1 else ()))


def _points(n: int, channels_in: int, channels_out: int, **_point: Any) -> int:
    return n * n * channels_in * channels_out


STUDY = Study(
    name="simulate.circulant",
    says="circular convolutions with Gaussian kernels, before and after ConvNorm (ConvNorm, 2.2 and 3)",
    grid={
        "n": Axis(integers(1, "--n"), [4], "points along each side of the input image; a list sweeps"),
        "channels_in": Axis(integers(1, "--channels-in"), [3], "input channels; a list sweeps"),
        "channels_out": Axis(integers(1, "--channels-out"), [2], "output channels; a list sweeps"),
        "taps": Axis(integers(1, "--taps"), [3], "taps along each side of a filter, at most n; a list sweeps"),
        "frequency": Axis(
            _frequency,
            None,
            "where rows are looked at, two integers below n (default 0,1); may be repeated",
            repeat=True,
        ),
    },
    points=points,
    methods={
        "matrix": Method(  # first wherever it can be used: it takes the least for granted
            "the operator's matrix, for small grids",
            draw,
            measure_matrix,
            _statistics,
            lambda n, **point: 5 * n * n * _points(n, **point),
            _large,
        ),
        "frequencies": Method(
            "a small matrix per frequency, for any grid",
            draw,
            measure_frequencies,
            _statistics,
            lambda **point: 6 * _points(**point),
        ),
    },
    table=(
        # Real and imaginary parts alike, imaginary parts zero, and in between.
        {"n": 4, "channels_in": 2, "channels_out": 2, "taps": 2, "frequency": (1, 0)},
        {"n": 4, "channels_in": 3, "channels_out": 2, "taps": 3, "frequency": (0, 2)},
        {"n": 3, "channels_in": 1, "channels_out": 2, "taps": 2, "frequency": (0, 1)},
        {"n": 7, "channels_in": 3, "channels_out": 4, "taps": 3, "frequency": (1, 0)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
