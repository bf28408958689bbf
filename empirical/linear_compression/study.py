"""How much of the last column of A a trained linear network looks at (Theorem 6, Tables 1 and 2, Figure 2).

Data are x = A z for all 2^n sign vectors z, with label z_n; A has independent N(0, 1) entries, and all columns but the
last are then multiplied by a scale, whose value the paper's text has lost. The network is n - hidden - 2, without
biases. Optimiser, rate and number of epochs are not known of the paper's networks either: here an epoch is one step on
all points, from torch's default initialisation and in its default precision, float32, and the course of training is
recorded, so that fewer epochs can be looked at, too. A network of training accuracy 1 is valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from empirical.shared.axes import between, whole
from fragility.engine.context import current
from fragility.engine.fingerprint import fingerprint
from fragility.engine.memory import DRAWN, TRAINED, check_memory
from fragility.engine.statistics import FLAG, SHARE, Statistic, Statistics
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among

if TYPE_CHECKING:
    import numpy as np

    from empirical.models.linear import LinearNetworks
    from fragility.backends import Stream

    World = tuple[np.ndarray, np.ndarray, np.ndarray]

OPTIMISERS = ("adam", "sgd")
BLOCK = 16  # networks that are trained side by side
ROUNDS = 64  # of a training, after each of which validity is looked at
LOOKS = tuple(2**k for k in range(7))  # rounds after which the statistics `_path` are taken
LOOKED = (len(LOOKS),)
LARGEST = 20  # of n: 2^19 numbers for every network
LONG = 8192  # steps; a shorter training ends within a minute or two, and is begun anew if it was killed
STATISTICS = Statistics(
    {
        "fraction": Statistic("|r_nn| / ||a_n||", SHARE),
        "last": Statistic("|r_nn|"),
        "column": Statistic("||a_n||"),
        "accuracy": Statistic("share of all points that are classified right", SHARE),
        "valid": Statistic("whether all are", FLAG),
        "loss": Statistic("mean cross-entropy"),
        "cos_1": Statistic(
            "|cosine| of a_n and p, the difference of the rows of W2 W1 and all that an argmax sees", SHARE
        ),
        "cos_2": Statistic("|cosine| of p and the last row of A^-1", SHARE),
        "cos_1_row": Statistic("cos_1 of the first row of W2 W1 alone", SHARE),
        "cos_2_row": Statistic("cos_2 of the first row alone", SHARE),
        "mean_margin": Statistic("mean signed distance of the points to the boundary"),
        "worst_margin": Statistic("least of these distances"),
        "tolerance": Statistic("half the distance of the two classes: the optimum of any classifier"),
        "best_linear": Statistic("half the distance of their hulls: the optimum of a linear one"),
        "first_valid": Statistic("first step, by rounds, after which it was valid; NaN where it never was", "steps"),
        "valid_path": Statistic("valid at the looks, the last of which is the end", FLAG, LOOKED),
        "cos_1_path": Statistic("cos_1 at the looks", SHARE, LOOKED),
        "cos_2_path": Statistic("cos_2 at the looks", SHARE, LOOKED),
        "alignment_path": Statistic("cosine of p and minus the gradient of the loss by p, at the looks", "", LOOKED),
    }
)


def draw(stream: Stream, size: int, n: int, hidden: int, **_: Any) -> World:
    """A unscaled (size, n, n), and as torch begins, W1 transposed (size, n, hidden), and W2 (size, 2, hidden)."""
    data = stream.normal(size, n, n)
    first = (2 * stream.uniform(size, n, hidden) - 1) / n**0.5
    second = (2 * stream.uniform(size, 2, hidden) - 1) / hidden**0.5
    return data, first, second


def measure(backend: Any, world: World, scale: float, **point: Any) -> Mapping[str, np.ndarray]:
    """`STATISTICS` of each network, after its training and along it."""
    import numpy as np

    from empirical.linear_compression.closest import half_distances, half_hull_distances

    A = world[0]
    scaled = np.concatenate((scale * A[:, :, :-1], A[:, :, -1:]), axis=2)
    networks = _trained(backend.device, scaled, world[1:], **point)
    seen = np.stack([rows.cpu().numpy() for rows in networks.seen], axis=1)
    valid = np.stack([networks.judge.accuracy(networks.shares(rows)).cpu().numpy() for rows in networks.seen], 1) == 1
    Q, R = np.linalg.qr(A)
    last, normal = A[:, :, -1], Q[:, :, -1]
    looks = np.array(LOOKS) - 1
    path = seen[:, looks, 0] - seen[:, looks, 1]
    p, row = path[:, -1], seen[:, -1, 0]
    q = networks.shares(networks.seen[-1])
    margins = networks.judge.margins(q).flatten(1).cpu().numpy() / np.linalg.norm(p, axis=1, keepdims=True)
    column = np.linalg.norm(last, axis=1)
    steps = point["epochs"] // ROUNDS * (1 + np.argmax(valid, axis=1))
    return {
        "fraction": np.abs(R[:, -1, -1]) / column,
        "last": np.abs(R[:, -1, -1]),
        "column": column,
        "accuracy": networks.judge.accuracy(q).cpu().numpy(),
        "valid": valid[:, -1].astype(float),
        "loss": networks.judge.loss(q).cpu().numpy(),
        "cos_1": _cosine(p, last),
        "cos_2": _cosine(p, normal),
        "cos_1_row": _cosine(row, last),
        "cos_2_row": _cosine(row, normal),
        "mean_margin": margins.mean(axis=1),
        "worst_margin": margins.min(axis=1),
        "tolerance": half_distances(scaled),
        "best_linear": half_hull_distances(scaled),
        "first_valid": np.where(valid.any(axis=1), steps, np.nan),
        "valid_path": valid[:, looks].astype(float),
        "cos_1_path": _cosine(path, last[:, None]),
        "cos_2_path": _cosine(path, normal[:, None]),
        "alignment_path": np.stack([networks.alignment(networks.seen[k]).cpu().numpy() for k in looks], axis=1),
    }


def _trained(
    device: str, data: np.ndarray, weights: Sequence[np.ndarray], optimiser: str, rate: float, epochs: int, **point: Any
) -> LinearNetworks:
    import torch

    from empirical.models.linear import LinearNetworks
    from empirical.training.loop import fit

    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimiser]
    first, second = (torch.from_numpy(array).to(device, torch.float32) for array in weights)
    networks = LinearNetworks(
        torch.from_numpy(data).to(device), first, second, lambda both: kind(both, lr=rate, fused=True), epochs // ROUNDS
    )
    name = f"{len(data)} linear networks, n = {data.shape[-1]}"
    if epochs <= LONG:
        fit(networks, ROUNDS, name)
        return networks
    code = fingerprint(LinearNetworks, fit)
    identity = (
        f"{name} {optimiser} {rate} {epochs} {code} {blake2b(data.tobytes() + weights[0].tobytes()).hexdigest()[:24]}"
    )
    checkpoint = current().checkpoints / f"linear-{blake2b(identity.encode(), digest_size=8).hexdigest()}.pt"
    fit(networks, ROUNDS, name, checkpoint, identity=identity)
    with suppress(FileNotFoundError):
        checkpoint.unlink()
    return networks


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    import numpy as np

    inner, lengths = (a * b).sum(-1), np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.abs(inner) / lengths


def points(
    n: Sequence[int],
    scale: Sequence[float],
    hidden: Sequence[int],
    optimiser: Sequence[str],
    rate: Sequence[float],
    epochs: Sequence[int],
) -> list[Point]:
    """Every combination.

    Raises
    ------
    UsageError : there would be too many points, or the networks of a shard do not fit into memory; or the epochs are
        not whole rounds.
    """
    if max(n) > LARGEST:
        raise UsageError(f"--n must be at most {LARGEST}, for there are 2^n points, got {max(n)}")
    check_memory(
        f"{BLOCK} networks of {max(hidden):,} hidden units",
        BLOCK * max(hidden) * (max(n) + 2),
        DRAWN + TRAINED,
        "choose a smaller --hidden",
    )
    for steps in epochs:
        if steps % ROUNDS:
            raise UsageError(f"--epochs must be a multiple of {ROUNDS}, the rounds that are looked at, got {steps}")
    return [
        {"n": size, "scale": c, "hidden": width, "optimiser": kind, "rate": step, "epochs": steps}
        for size in n
        for c in scale
        for width in hidden
        for kind in optimiser
        for step in rate
        for steps in epochs
    ]


STUDY = Study(
    name="empirical.linear_compression",
    says="trained linear networks on all sign vectors (feature compression, Theorem 6, Tables 1 and 2, Figure 2)",
    grid={
        "n": Axis(whole(2, "--n"), [12], "input dimension; a list sweeps: 7,12,17"),
        "scale": Axis(between("--scale", 1e-6), [5.0, 1.0], "factor of all columns of A but the last; a list sweeps"),
        "hidden": Axis(whole(1, "--hidden"), [3000], "units of the hidden layer; a list sweeps"),
        "optimiser": Axis(among(OPTIMISERS, "--optimiser"), ["adam"], f"{' or '.join(OPTIMISERS)}; a list sweeps"),
        "rate": Axis(between("--rate"), [0.001], "learning rate; a list sweeps"),
        "epochs": Axis(whole(ROUNDS, "--epochs"), [1024], f"steps on all points, a multiple of {ROUNDS}"),
    },
    points=points,
    methods={
        "trained": Method(
            "networks trained side by side on all sign vectors",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda n, hidden, **_: n * n + hidden * (n + 2),
            block=BLOCK,
        ),
    },
)
