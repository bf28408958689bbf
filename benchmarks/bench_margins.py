"""Cost and tightness of the joint margin bounds: `python -m benchmarks.bench_margins`.

Cost is that beside a forward pass and bound-propagation, on one network (784-128-128-10, ReLU), one batch, one thread,
in one run. bound-propagation moves the input only and bounds the logits; the bounds here move input and weights
together and bound all 90 margins. Tightness is the bound on the increase of the nearest rival's margin over the exact
optimum, on small random networks whose optimum is found in seconds.
"""

from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter

import bound_propagation
import numpy as np
import torch

from benchmarks.command import main as command
from theory.joint.crown import crown_increase, tightest_increase
from theory.joint.margins import clean_increase, interval_increase, theorem_increase
from theory.joint.optimum import joint_optimum
from theory.things.network import Budget, Network

WIDTHS = (784, 128, 128, 10)
BATCH, ROUNDS = 16, 5
INPUT, WEIGHTS = 0.01, 0.001
SMALL, NETWORKS = (8, 10, 10, 3), 20  # whose optimum is found
BOX = (0, 1)


def seconds(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def cost() -> None:
    torch.manual_seed(0)
    layers = [torch.nn.Linear(n, m, dtype=torch.float64) for n, m in pairwise(WIDTHS)]
    model = torch.nn.Sequential(layers[0], torch.nn.ReLU(), layers[1], torch.nn.ReLU(), layers[2]).requires_grad_(False)
    x = torch.rand(BATCH, WIDTHS[0], dtype=torch.float64)
    network = Network.dense([layer.weight for layer in layers], [layer.bias for layer in layers])
    budget = Budget(INPUT, WEIGHTS)
    region = bound_propagation.HyperRectangle.from_eps(x, INPUT)
    theirs = bound_propagation.BoundModelFactory().build(model)
    forward = seconds(lambda: model(x))
    calls = {
        "tau + zeta": lambda: theorem_increase(network, x, budget),
        "clean recursion": lambda: clean_increase(network, x, budget),
        "intervals": lambda: interval_increase(network, x, budget, BOX),
        "CROWN": lambda: crown_increase(network, x, budget, BOX),
        "bound-propagation, intervals, input only": lambda: theirs.ibp(region),
        "bound-propagation, CROWN, input only": lambda: theirs.crown(region).concretize(),
    }
    print(f"batch {BATCH}, {'-'.join(map(str, WIDTHS))}, median of {ROUNDS}; one forward pass is 1")
    for name, call in calls.items():
        print(f"{name:42}{seconds(call) / forward:10.1f}")


def tightness() -> None:
    stream, ratios = np.random.default_rng(0), []
    bounds = {
        "tau + zeta": lambda *given: theorem_increase(*given),
        "intervals": lambda *given: interval_increase(*given, BOX),
        "CROWN": lambda *given: crown_increase(*given, BOX),
        "the tighter of both, on refined boxes": lambda *given: tightest_increase(*given, BOX),
    }
    for _ in range(NETWORKS):
        weights = [stream.standard_normal((m, n)) / n**0.5 for n, m in pairwise(SMALL)]
        network, x = Network.dense(weights), stream.random(SMALL[0])
        rival, label = (int(k) for k in network.logits(x).argsort()[-2:])
        budget = Budget(INPUT, WEIGHTS)
        optimum = joint_optimum(network, x, budget, (rival, label), within=BOX).increase[1]
        ratios.append([float(bound(network, x[None], budget)[0, rival, label]) / optimum for bound in bounds.values()])
    print(f"\n{NETWORKS} networks {'-'.join(map(str, SMALL))}, seed 0; the exact largest increase is 1")
    print(f"{'':42}{'median':>10}{'worst':>10}")
    for name, found in zip(bounds, np.transpose(ratios), strict=True):
        print(f"{name:42}{np.median(found):10.4f}{found.max():10.4f}")


def main() -> None:
    torch.set_num_threads(1)
    cost()
    tightness()


if __name__ == "__main__":
    command("bench_margins", __doc__, main)
