"""What the gradients of k random outputs see of a random difference of two points, without knowing its law.

A random network is drawn, linear, of ReLU or of tanh units, and three Gaussian points. The gradients of its outputs at
the first are found by going forwards and backwards through the layers, and the difference of the other two is projected
on their span by least squares. The second method draws from the theorem itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fragility.engine.study import Axis, Method, Point, Study, UsageError, integers
from simulate.qr_product import draw as draw_factors

if TYPE_CHECKING:
    from fragility.backends import Array, Backend, Stream

MODELS = {"isotropic": (), "relu": (64, 64), "features": (64,)}  # and heights of their hidden layers, if not given
PROJECTED = ("compression", "size", "difficulty")
SPANNED = 1e-12  # of the largest eigenvalue of the Gram matrix: what is smaller counts as no direction of the span
World = tuple[Any, Sequence[Any]]


def draw(stream: Stream, size: int, n: int, gradients: int, rows: Sequence[int] = (), **_: Any) -> World:
    """Points x, x_1, x_2, (size, 3, n), and the layers' weights up to a factor, the last with a row per output."""
    return stream.normal(size, 3, n), draw_factors(stream, size, n, (*rows, gradients))


def measure(backend: Backend, world: World, model: str, **_: Any) -> dict[str, Array]:
    """Numbers of the gradients at x and of P (x_2 - x_1), P projecting on their span, each (size,).

    compression ||P Delta|| / ||Delta||; size ||P Delta||; difficulty, the inverse square of the compression;
    along_input |cosine| of the first gradient and x itself; gradient_norm its length; open 1, or 0 where it vanishes;
    output_error: largest difference between the changes of an output along P Delta and along Delta, to first order,
    relative to the lengths of its gradient and of Delta. Compression is 0 where all gradients vanish.
    """
    xp = backend.xp
    points, weights = world
    G = gradients_at(xp, points[:, 0], weights, model)
    difference = points[:, 2] - points[:, 1]
    projected = projection(xp, G, difference)
    size, whole = xp.linalg.norm(projected, axis=1), xp.linalg.norm(difference, axis=1)
    lengths = xp.linalg.norm(G, axis=2)
    some = xp.where(lengths > 0, lengths, 1.0)
    along = xp.abs(xp.sum(G[:, 0] * points[:, 0], axis=1))
    error = xp.abs(_apply(xp, G, projected - difference)) / (some * whole[:, None])
    return {
        "compression": size / whole,
        "size": size,
        "difficulty": xp.where(size > 0, whole**2 / xp.where(size > 0, size**2, 1.0), xp.inf),
        "along_input": along / (some[:, 0] * xp.linalg.norm(points[:, 0], axis=1)),
        "gradient_norm": lengths[:, 0],
        "open": xp.where(lengths[:, 0] > 0, 1.0, 0.0),
        "output_error": xp.max(error, axis=1),
    }


def draw_direct(stream: Stream, size: int, n: int, gradients: int, **_: Any) -> tuple[Array, Array]:
    """Lengths of the parts of a standard Gaussian vector inside and outside a space of `gradients` dimensions."""
    return stream.chi(gradients, size), stream.chi(n - gradients, size)


def measure_direct(backend: Backend, world: tuple[Array, Array], **_: Any) -> dict[str, Array]:
    """compression, size and difficulty as `measure` gives them, each (size,)."""
    seen, unseen = world
    whole = backend.xp.hypot(seen, unseen)
    return {"compression": seen / whole, "size": 2**0.5 * seen, "difficulty": (whole / seen) ** 2}


def gradients_at(xp: Any, x: Array, weights: Sequence[Array], model: str) -> Array:
    """Gradients of all outputs at x, (size, k, n), for weights of variance 2 / (inputs of the layer) (He et al. 2015).

    Parameters
    ----------
    x : (size, n).
    weights : of the layers, entries N(0, 1), (size, height, width); units after all but the last.
    model : "relu", or "features" for tanh units; with one layer there are no units.
    """
    scales = [(2 / weight.shape[2]) ** 0.5 for weight in weights]
    slopes = []
    for weight, scale in zip(weights[:-1], scales[:-1], strict=True):
        before = scale * _apply(xp, weight, x)
        x = xp.tanh(before) if model == "features" else xp.maximum(before, 0.0)
        slopes.append(1 - x**2 if model == "features" else xp.where(before > 0, 1.0, 0.0))
    G = scales[-1] * weights[-1]
    for weight, scale, slope in zip(weights[-2::-1], scales[-2::-1], slopes[::-1], strict=True):
        G = xp.matmul(G * (scale * slope)[:, None, :], weight)
    return G


def projection(xp: Any, G: Array, v: Array) -> Array:
    """The vector of the span of k rows, of any rank, that is nearest to v, by the normal equations: (size, n).

    Parameters
    ----------
    G : (size, k, n).
    v : (size, n).
    """
    values, vectors = xp.linalg.eigh(xp.matmul(G, xp.swapaxes(G, 1, 2)))
    kept = values > SPANNED * values[:, -1:]
    inverse = xp.where(kept, 1 / xp.where(kept, values, 1.0), 0.0)
    along = xp.sum(vectors * _apply(xp, G, v)[:, :, None], axis=1)
    return xp.sum(_apply(xp, vectors, inverse * along)[:, :, None] * G, axis=1)


def _apply(xp: Any, matrices: Array, vectors: Array) -> Array:
    return xp.matmul(matrices, vectors[:, :, None])[:, :, 0]


def points(
    n: Sequence[int], gradients: Sequence[int], model: Sequence[str], rows: Sequence[tuple[int, ...]] | None
) -> list[Point]:
    """Every n with every number of gradients, every model, and for networks every tuple of hidden heights."""
    if rows and not set(model) & {"relu", "features"}:
        raise UsageError("--rows are heights of hidden layers, and model isotropic has none: add --model relu")
    sweep: list[Point] = []
    for width in n:
        for count in gradients:
            if count >= width:
                raise UsageError(
                    f"--gradients must be fewer than --n, got {count} and {width}: they may span the whole space, and "
                    "then nothing of the difference is lost"
                )
            for kind in model:
                for hidden in [()] if kind == "isotropic" else rows or [MODELS[kind]]:
                    if hidden and min(hidden) < count:
                        raise UsageError(
                            f"--rows must be heights of at least --gradients = {count}, got "
                            f"{','.join(map(str, hidden))}: gradients that pass fewer units are dependent"
                        )
                    layers = {"rows": hidden} if hidden else {}
                    sweep.append({"n": width, "gradients": count, "model": kind, **layers})
    return sweep


def _models(text: str) -> list[str]:
    for part in text.split(","):
        if part not in MODELS:
            raise UsageError(f"--model must be among {', '.join(MODELS)}, got {part}")
    return text.split(",")


def heights(text: str) -> list[tuple[int, ...]]:
    """The one tuple of layer heights that the flag --rows gives."""
    return [tuple(integers(1, "--rows")(text))]


def _floats(n: int, gradients: int, rows: Sequence[int] = (), **_: Any) -> int:
    weights = sum(height * width for height, width in zip((*rows, gradients), (n, *rows), strict=True))
    return weights + 4 * sum(rows) + (6 + 3 * gradients) * n


STUDY = Study(
    name="simulate.gradient_plane",
    says="projection of a difference on the gradients of random outputs (feature compression, Theorem 7)",
    grid={
        "n": Axis(integers(2, "--n"), [100], "input dimension; a list sweeps: 8,32,128,1000"),
        "gradients": Axis(integers(1, "--gradients"), [2], "outputs whose gradients span the space; a list sweeps"),
        "model": Axis(_models, ["isotropic"], f"where gradients come from: {', '.join(MODELS)}; a list sweeps"),
        "rows": Axis(
            heights,
            None,
            "heights of the hidden layers of relu and features (default 64,64 and 64); may be repeated",
            repeat=True,
        ),
    },
    points=points,
    methods={
        "network": Method(
            "a random network and points, gradients by going backwards",
            draw,
            measure,
            lambda **_: (*PROJECTED, "along_input", "gradient_norm", "open", "output_error"),
            _floats,
        ),
        "direct": Method(
            "the theorem's own sampler, for any n; verifies nothing",
            draw_direct,
            measure_direct,
            lambda **_: PROJECTED,
            lambda **_: 2,
            counts=True,
            blind=False,
        ),
    },
    # So few dimensions that one more is seen; dependent gradients; ReLU layers, wide ones and some that are often shut.
    table=(
        {"n": 4, "gradients": 2, "model": "isotropic"},
        {"n": 8, "gradients": 3, "model": "features", "rows": (16,)},
        {"n": 3, "gradients": 2, "model": "relu", "rows": (48, 48)},
        {"n": 3, "gradients": 1, "model": "relu", "rows": (2, 2)},
    ),
)

if __name__ == "__main__":
    from fragility.command.study import main

    main(STUDY)
