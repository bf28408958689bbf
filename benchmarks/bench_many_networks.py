"""Training many small linear networks side by side beside a loop: `python -m benchmarks.bench_many_networks`.

The same networks, data, optimiser and steps, one thread and its own time, in one run. The loop is what one would write
first: nn.Sequential of two nn.Linear without biases, cross-entropy on all points, loss.backward() and optimiser.step()
for each network.
"""

from itertools import starmap
from statistics import median
from time import process_time

import torch

from benchmarks.command import main as command
from empirical.models.linear import LinearNetworks, sign_vectors

CASES = (  # n, hidden units, networks side by side, optimiser; all 2^n points are the batch
    (4, 16, 256, "sgd"),
    (5, 16, 256, "sgd"),
    (5, 16, 256, "adam"),
    (5, 64, 256, "adam"),
    (8, 64, 64, "adam"),
    (12, 300, 16, "adam"),
    (12, 3000, 16, "adam"),
)
ROUNDS, STEPS, LOOPED = 3, 20, 2  # repetitions; steps of each; networks that the loop trains, for all cost it the same
OPTIMISERS = {
    "sgd": lambda parameters, **options: torch.optim.SGD(parameters, lr=0.01, **options),
    "adam": lambda parameters, **options: torch.optim.Adam(parameters, lr=0.001, **options),
}


def world(n: int, hidden: int, networks: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(networks, n, n, generator=generator, dtype=torch.float64)
    first = (2 * torch.rand(networks, n, hidden, generator=generator) - 1) / n**0.5
    second = (2 * torch.rand(networks, 2, hidden, generator=generator) - 1) / hidden**0.5
    return data, first, second


def looped(n: int, hidden: int, optimiser: str) -> float:
    """Seconds for a step of one network; its best of torch's implementations of the optimiser."""
    data, first, second = world(n, hidden, LOOPED)
    z = sign_vectors(n, data)
    label = (z[:, -1] < 0).long()
    times = []
    for fused in (False, True):
        tasks = []
        for b in range(LOOPED):
            layers = torch.nn.Linear(n, hidden, bias=False), torch.nn.Linear(hidden, 2, bias=False)
            for layer, weight in zip(layers, (first[b].T, second[b]), strict=True):
                layer.weight.data.copy_(weight)
            model = torch.nn.Sequential(*layers)
            tasks.append((model, (z @ data[b].T).float(), OPTIMISERS[optimiser](model.parameters(), fused=fused)))
        rounds = []
        for _ in range(ROUNDS):
            start = process_time()
            for model, x, stepper in tasks:
                for _ in range(STEPS):
                    stepper.zero_grad()
                    torch.nn.functional.cross_entropy(model(x), label).backward()
                    stepper.step()
            rounds.append((process_time() - start) / (LOOPED * STEPS))
        times.append(median(rounds))
    return min(times)


def together(n: int, hidden: int, networks: int, optimiser: str) -> float:
    """Seconds for a step of one network among `networks`."""
    trainee = LinearNetworks(
        *world(n, hidden, networks), lambda both: OPTIMISERS[optimiser](both, fused=True), steps=STEPS
    )
    trainee.train(STEPS)
    times = []
    for _ in range(ROUNDS):
        start = process_time()
        trainee.train(STEPS)
        times.append(process_time() - start)
    return median(times) / (networks * STEPS)


def row(n: int, hidden: int, networks: int, optimiser: str) -> str:
    alone, beside = looped(n, hidden, optimiser), together(n, hidden, networks, optimiser)
    what = f"{n}-{hidden}-2, batch {2**n}, {networks} networks, {optimiser}"
    return f"{what:44}{1e6 * alone:12.0f}{1e6 * beside:12.1f}{alone / beside:10.1f}"


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'microseconds per network and step':44}{'in a loop':>12}{'together':>12}{'ratio':>10}")
    for line in starmap(row, CASES):
        print(line, flush=True)


if __name__ == "__main__":
    command("bench_many_networks", __doc__, main)
