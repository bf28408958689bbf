"""The shortest l2 perturbation in [0, 1] by `bracket` and by public attacks: `python -m benchmarks.bench_attacks`.

The same networks, trained on MNIST, and the same test images, classified right, one thread and its own time, in one
run. The project's judge ends every method: what it proposes is clipped into the box, classified again, drawn towards
the image as far as it still flips, and measured in float64. A distance is told as a multiple of the shortest that any
method has found for that image; one that fails counts as infinite. The unit of time is foolbox's DDN of 100 steps.
Public attacks that are not installed are named: `pip install torchattacks adversarial-robustness-toolbox`. All
networks with 48 images each take about half an hour, most of it for C&W on the convolutional ones.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from benchmarks.command import main as command
from benchmarks.peers import PEERS, Attack
from empirical.attacks.bracket import DEFAULT, THOROUGH, bracket
from empirical.data.sets import load
from empirical.decisions.judge import Judge
from empirical.models.files import tensors as weights
from empirical.models.initial import uniform
from empirical.training.network import EVALUATED, Minibatches, Recipe
from empirical.training.once import tensors
from fragility.command.flags import Parser, argument, count
from fragility.engine.context import DATA
from fragility.engine.study import UsageError, integer
from fragility.judging.bands import clopper_pearson

BOX = (0.0, 1.0)
UNIT = "foolbox DDN 100"
BEYOND = (1.01, 1.05)  # multiples of the shortest distance, whose shares are told
ALPHA = 0.05
HELD_OUT = 1000  # the first test image of those on which nothing was chosen
RECIPE = Recipe("Adam", 1e-3, batch=128)


def own(attacks: Sequence[str]) -> Attack:
    """`bracket` with these attacks."""
    return lambda model, x, label: torch.from_numpy(bracket(model, x, label, box=BOX, attacks=attacks).x_adv).to(x)


SETS = {"DeepFool, DDN": ("deepfool", "ddn"), "DEFAULT": DEFAULT, "THOROUGH": THOROUGH}
METHODS: Mapping[str, Attack] = {**{f"bracket {name}": own(attacks) for name, attacks in SETS.items()}, **PEERS}


def dense(*widths: int) -> nn.Sequential:
    layers = [layer for shape in pairwise(widths) for layer in (nn.Linear(*shape), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def pooled() -> nn.Sequential:
    first = nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
    second = nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*first, *second, *dense(32 * 7 * 7, 100, 10))


def strided() -> nn.Sequential:
    first, second = (nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU()), (nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU())
    return nn.Sequential(*first, *second, *dense(32 * 7 * 7, 100, 10))


NETS: Mapping[str, tuple[Callable[[], nn.Sequential], int]] = {  # with the epochs that they are trained
    "linear": (partial(dense, 784, 10), 2),
    "mlp": (partial(dense, 784, 100, 100, 10), 3),
    "mlp-wide": (partial(dense, 784, 300, 10), 3),
    "mlp-deep": (partial(dense, 784, 50, 50, 50, 10), 3),
    "conv": (pooled, 1),
    "conv-strided": (strided, 1),
}


@dataclass(frozen=True)
class Found:
    """Distances (inputs,), inf where the method failed, and its CPU seconds for all of them."""

    distance: Tensor
    seconds: float


def network(name: str, seed: int, data: Path | None, saved: Path | None) -> nn.Sequential:
    """A network in evaluation mode, its weights from `saved`/NAME.pt if that is there, else trained."""
    build, epochs = NETS[name]
    model = uniform(build(), seed)
    if saved and (file := saved / f"{name}.pt").exists():
        try:
            model.load_state_dict(weights(file))
        except (RuntimeError, TypeError):
            raise UsageError(f"{file} must hold a state_dict of {name}, got others' weights") from None
    else:
        trainee = Minibatches(model, *tensors(load("mnist", "train", data)), seed, RECIPE)
        for number in range(epochs):
            trainee.epoch(number)
    return model.eval().requires_grad_(False)


def images(model: nn.Module, first: int, inputs: int, data: Path | None) -> tuple[Tensor, Tensor, float]:
    """(x, labels, accuracy): test images that are classified right, from `first` on, and the share of all that are."""
    test = load("mnist", "test", data)
    x, label = test.tensor(), torch.tensor(test.labels)
    with torch.no_grad():
        right = torch.cat([model(part).argmax(1) for part in x.split(EVALUATED)]) == label
    chosen = right.nonzero()[:, 0]
    chosen = chosen[chosen >= first][:inputs]
    return x[chosen], label[chosen], float(right.double().mean())


def compare(model: nn.Module, x: Tensor, label: Tensor, seed: int) -> dict[str, Found]:
    """What every method finds that is installed."""
    judge = Judge(model, x, label, None, BOX)
    found = {}
    for name, attack in METHODS.items():
        print(f"{name} ...", file=sys.stderr, flush=True)
        torch.manual_seed(seed)  # some draw from torch's global generator
        try:
            attack(model, x[:1], label[:1])  # imports and compilation are no part of an attack's time
        except ImportError as error:
            print(f"{name}: not installed ({error})", flush=True)
            continue
        start = process_time()
        x_adv = attack(model, x, label)
        seconds = process_time() - start
        found[name] = Found(judge.bisect(x_adv)[1], seconds)
    return found


def ratios(found: Mapping[str, Found]) -> dict[str, Tensor]:
    """Distances over the shortest of all; inf where all methods failed."""
    shortest = torch.stack([each.distance for each in found.values()]).amin(0)
    return {name: (each.distance / shortest).nan_to_num(torch.inf, torch.inf) for name, each in found.items()}


def table(found: Mapping[str, Found]) -> None:
    print(f"{'distance over the shortest found':32}{'median':>9}{'worst':>9}", end="")
    print(f"{'> 1 %':>8}{'> 5 %':>8}{'failed':>8}{'CPU ms':>11}{'DDNs':>9}")
    for name, ratio in ratios(found).items():
        parts = *(ratio > beyond for beyond in BEYOND), ratio.isinf()
        shares = "".join(f"{float(part.double().mean()):8.2f}" for part in parts)
        seconds = found[name].seconds
        unit = f"{seconds / found[UNIT].seconds:9.1f}" if UNIT in found else f"{'-':>9}"
        print(f"{name:32}{median(ratio.tolist()):9.4f}{float(ratio.max()):9.3f}", end="")
        print(f"{shares}{1e3 * seconds / len(ratio):11.2f}{unit}")
    print(flush=True)


def summary(nets: Sequence[Mapping[str, Tensor]], seed: int) -> None:
    print(f"all networks together, seed {seed}; shares with their {1 - ALPHA:.0%} Clopper-Pearson intervals")
    print("n: pairs of a network and an image, taken as independent")
    print(f"{'method':32}{'n':>6}{'> 1 %':>10}{'':16}{'> 5 %':>10}")
    for name in nets[0]:
        ratio = torch.cat([net[name] for net in nets])
        line = f"{name:32}{len(ratio):6}"
        for beyond in BEYOND:
            above = int((ratio > beyond).sum())
            low, high = clopper_pearson(above, len(ratio), ALPHA)
            line += f"{above / len(ratio):10.3f} ({low:.3f} to {high:.3f})"
        print(line)


def run(nets: Sequence[str], first: int, inputs: int, seed: int, data: Path | None, saved: Path | None) -> None:
    if unknown := [name for name in nets if name not in NETS]:
        raise UsageError(f"--nets must be names among {', '.join(NETS)}, got {unknown[0]!r}")
    together = []
    for name in nets:
        model = network(name, seed, data, saved)
        x, label, accuracy = images(model, first, inputs, data)
        print(f"{name}: accuracy {accuracy:.3f}, {len(x)} images from {first} on, seed {seed}, one thread", flush=True)
        found = compare(model, x, label, seed)
        table(found)
        together.append(ratios(found))
    summary(together, seed)


def add_flags(parser: Parser) -> None:
    """Which networks and images."""
    parser.add_argument("--data-dir", type=Path, help=f"folder of data sets (default: the variable {DATA}, the cache)")
    parser.add_argument("--inputs", type=argument(count("--inputs")), default=48, help="images a network (default 48)")
    parser.add_argument(
        "--first",
        type=argument(lambda text: integer(text, 0, "--first")),
        default=HELD_OUT,
        help=f"first test image (default {HELD_OUT})",
    )
    parser.add_argument("--nets", default=",".join(NETS), help=f"names, comma between (default {','.join(NETS)})")
    parser.add_argument("--seed", type=argument(lambda text: integer(text, 0, "--seed")), default=0, help="default 0")
    parser.add_argument("--saved", type=Path, help="folder of NAME.pt, state_dicts that are taken in place of training")


def main(nets: str, first: int, inputs: int, seed: int, data_dir: Path | None, saved: Path | None) -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        run(nets.split(","), first, inputs, seed, data_dir, saved)


if __name__ == "__main__":
    command("bench_attacks", __doc__, main, add_flags)
