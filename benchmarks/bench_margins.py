"""Cost of the joint margin bounds beside a forward pass and bound-propagation: `python -m benchmarks.bench_margins`.

All on one network (784-128-128-10, ReLU), one batch, one thread, in one run. bound-propagation moves the input only and
bounds the logits; the bounds here move input and weights together and bound all 90 margins.
"""

from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter

import bound_propagation
import torch

from theory.joint.crown import crown_increase
from theory.joint.margins import clean_increase, interval_increase, theorem_increase
from theory.things.network import Budget, Network

WIDTHS = (784, 128, 128, 10)
BATCH, ROUNDS = 16, 5
INPUT, WEIGHTS = 0.01, 0.001


def seconds(call: Callable[[], object]) -> float:
    call()
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return median(times)


def main() -> None:
    torch.set_num_threads(1)
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
        "intervals": lambda: interval_increase(network, x, budget, (0, 1)),
        "CROWN": lambda: crown_increase(network, x, budget, (0, 1)),
        "bound-propagation, intervals, input only": lambda: theirs.ibp(region),
        "bound-propagation, CROWN, input only": lambda: theirs.crown(region).concretize(),
    }
    print(f"batch {BATCH}, {'-'.join(map(str, WIDTHS))}, median of {ROUNDS}; one forward pass is 1")
    for name, call in calls.items():
        print(f"{name:42}{seconds(call) / forward:10.1f}")


if __name__ == "__main__":
    main()
