"""Semi-random noise: how far a trained network's decision is within a random subspace of m dimensions.

A. Fawzi, S.-M. Moosavi-Dezfooli, P. Frossard, "Robustness of classifiers: from adversarial to random noise", NeurIPS
2016, Theorems 1 and 2: within a random subspace of R^n of m dimensions the smallest perturbation that changes the
decision is about sqrt(n / m) times as long as in all of R^n, if the boundary is flat enough: it goes like m^(-1/2).

    python subspace.py --samples 32
    python -m simulate.verify --claims subspace.py

Networks of one hidden layer are trained on the digits of scikit-learn, n = 64. A network is one draw: it has first
weights and test images of its own, each image its own subspaces, one within the next, and what is recorded is a mean
over the images. What is said of trained networks need not hold of every one: each row is judged as a majority.
"""

import math
from itertools import product

import numpy as np

from empirical.data import load
from empirical.models import mlp
from empirical.shared.axes import whole
from empirical.shared.command import main, read
from empirical.training.loop import fit
from empirical.training.many import ManyNetworks, Schedule
from fragility import Axis, Book, Decoy, Method, Paper, Sides, Study
from fragility.claim import rows
from fragility.engine.statistics import Statistic, Statistics
from fragility.judging.estimates import mean
from fragility.tables import Column, Interval, Table

N, CLASSES = 64, 10
DIMENSIONS = (8, 16, 32, 64)  # of the subspaces, the last all of R^n: below, the constants of the theorems are wide
STEPS, HALVINGS = 15, 20
STATISTICS = Statistics(
    {
        "accuracy": Statistic("share of the test images that are classified right", "in [0, 1]"),
        "log_distance": Statistic("mean logarithm of the smallest perturbation found", "", (len(DIMENSIONS),)),
    }
)


def slope(log_distance):
    """Least-squares slope of ln distance against ln m, (draws,)."""
    x = np.log(DIMENSIONS) - np.mean(np.log(DIMENSIONS))
    return log_distance @ x / (x @ x)


def near(exponent):
    """Theory of a slope that is within 0.1 of the exponent."""
    return lambda log_distance: Sides(np.abs(slope(log_distance) - exponent), np.full(len(log_distance), 0.1))


def times(factor):
    """Theory of a distance that is `factor` times sqrt(n / m) times that in all of R^n, give or take a tenth."""

    def sides(log_distance):
        off = log_distance - log_distance[:, -1:] - 0.5 * np.log(N / np.array(DIMENSIONS)) - math.log(factor)
        return Sides(np.abs(off[:, :-1]), np.full(off[:, :-1].shape, 0.1))

    return sides


def draw(stream, size, width, images, **_):
    """First weights; numbers in [0, 1) that choose images; directions of each, whose first m span its subspace."""
    return {
        "network": mlp.initial(stream, size, (N, width, CLASSES)),
        "directions": stream.normal(size, images, N, N),
        "chosen": stream.uniform(size, images),
    }


def measure(backend, world, epochs, **_):
    """`STATISTICS` of each network."""
    import torch

    device = getattr(backend, "device", "cpu")
    train, test = load("digits", "train"), load("digits", "test")
    x, labels = (torch.tensor(a, device=device) for a in (train.x.reshape(-1, N) / 255, train.labels))
    size = len(world["chosen"])
    start = mlp.layers(world["network"], torch.float32, device)
    trainee = ManyNetworks(start, x.float().expand(size, -1, -1), labels.long(), Schedule(epochs))
    fit(trainee, epochs, f"{size} networks")
    network = mlp.layers(trainee.trained, torch.float64, device)
    shown = torch.tensor(test.x.reshape(-1, N) / 255, device=device)
    right = mlp.logits(network, shown.expand(size, -1, -1)).argmax(2) == torch.tensor(test.labels, device=device)
    chosen = torch.tensor((world["chosen"] * len(test)).astype(int), device=device)
    directions = torch.linalg.qr(torch.tensor(world["directions"], device=device)).Q
    distances = [distance(network, shown[chosen], directions[..., :m]) for m in DIMENSIONS]
    return {
        "accuracy": right.double().mean(1).cpu().numpy(),
        "log_distance": torch.stack([found.log().mean(1) for found in distances], 1).cpu().numpy(),
    }


def distance(network, x, basis):
    """Length of the smallest perturbation found in the subspace, (size, points); NaN where none is.

    Steps lead onto the tangent of the nearest boundary, as DeepFool takes them, and then the way there is halved.
    """
    import torch

    own = mlp.logits(network, x).argmax(2, keepdim=True)
    way = torch.zeros_like(x)
    for _ in range(STEPS):
        logits, gradients = mlp.logits(network, x + way), mlp.jacobian(network, x + way)
        ahead = logits - logits.gather(2, own)
        slopes = gradients - gradients.gather(2, own[..., None].expand(-1, -1, -1, N))
        within = (slopes @ basis) @ basis.transpose(2, 3)
        squares = (within**2).sum(3).scatter(2, own, math.inf)
        nearest = (ahead.abs() / squares.sqrt()).scatter(2, own, math.inf).argmin(2, keepdim=True)
        step = -ahead.gather(2, nearest) / squares.gather(2, nearest)
        crossed = mlp.logits(network, x + way).argmax(2, keepdim=True) != own
        move = step * within.gather(2, nearest[..., None].expand(-1, -1, -1, N))[:, :, 0]
        way = way + (~crossed) * 1.02 * move
    way = way.where(mlp.logits(network, x + way).argmax(2, keepdim=True) != own, math.nan)
    low, high = torch.zeros_like(way[..., :1]), torch.ones_like(way[..., :1])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        crossed = mlp.logits(network, x + middle * way).argmax(2, keepdim=True) != own
        low, high = torch.where(crossed, low, middle), torch.where(crossed, middle, high)
    return (high * way).norm(dim=2)


def points(width, images, epochs):
    return [dict(zip(("width", "images", "epochs"), values, strict=True)) for values in product(width, images, epochs)]


def tables(records):
    """For each width the distances in the subspaces, in units of that in all of R^n, with intervals over networks."""
    made = []
    for point, columns in records:
        log_ratio = columns["log_distance"] - columns["log_distance"][:, -1:]
        estimates = [mean(log_ratio[:, k]) for k in range(len(DIMENSIONS))]
        lines = [
            (m, math.sqrt(N / m), math.exp(found.value), Interval(math.exp(found.low), math.exp(found.high), found.n))
            for m, found in zip(DIMENSIONS, estimates, strict=True)
        ]
        head = [Column(name, align="right") for name in ("m", "sqrt(n / m)", "measured", "95 %")]
        made.append(
            Table(head, lines, f"Distance within a subspace, over that in all of R^64 (width {point['width']})")
        )
    return made


STUDY = Study(
    name="subspace",
    says="smallest perturbations of trained networks within random subspaces",
    grid={
        "width": Axis(whole(1, "--width"), [32], "hidden units; a list sweeps"),
        "images": Axis(whole(1, "--images", 360), [80], "test images per network; a list sweeps"),
        "epochs": Axis(whole(1, "--epochs"), [30], "of training; a list sweeps"),
    },
    points=points,
    methods={
        "trained": Method(
            "networks trained on the digits",
            draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda width, images, **_: width * (N + CLASSES) + images * N * N,
            block=8,
        )
    },
    table=({"width": 32, "images": 80, "epochs": 30},),
)
row = rows(
    "Fawzi et al. 2016, Theorems 1 and 2",
    kind="majority",
    domain="networks of one hidden layer, trained on the digits",
    tolerance=0.01,
    study="subspace",
    statistic="log_distance",
    given="a perturbation was found in every subspace, of every image",
)
BOOK = Book(
    (
        row(
            "subspace.rate",
            says="within a random subspace of m dimensions the smallest perturbation shrinks like m^(-1/2)",
            formula=r"\lVert r_S \rVert \propto m^{-1/2}",
            reading="the exponent, fitted over m = 8 to 64, is within 0.1 of -1/2 for most networks",
            theory=near(-0.5),
            decoys=(
                Decoy("like 1/m", near(-1.0)),
                Decoy("like m^(-1/4)", near(-0.25)),
                Decoy("a subspace is no obstacle", near(0.0)),
            ),
        ),
        row(
            "subspace.size",
            says="it is sqrt(n / m) times as long as in all of R^n",
            formula=r"\lVert r_S \rVert \approx \sqrt{n / m}\, \lVert r^* \rVert",
            reading="the geometric mean over images is within a tenth of that, at every m, for most networks",
            note="of a linear classifier of two classes the logarithm is (psi(n/2) - psi(m/2)) / 2 on average, which "
            "is 0.06 more at m = 8; more rivals bring it down",
            theory=times(1.0),
            decoys=(Decoy("half as long", times(0.5)), Decoy("twice as long", times(2.0))),
        ),
    ),
    __file__,
    {
        "subspace": Paper(
            "Semi-random noise", "*Robustness of classifiers: from adversarial to random noise*, NeurIPS 2016"
        )
    },
)

if __name__ == "__main__":
    main(STUDY, read(STUDY, samples=32, full={"images": [360], "epochs": [60]}, claims=__file__), tables)
