"""What `python -m theory NAME` evaluates: laws and bounds as functions of numbers, each parameter a flag.

A function returns a law, a number, or several numbers by name. `rows` are the heights n_1, ..., n_L of the factors;
left out, there is one square factor, or as many as `layers` says. Networks and matrices come from files of NumPy, and
an array that nothing is done with is an error.
Each imports what it needs when it is called: naming them all, as --help does, costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from fragility.law import Law
    from theory.conditioning.condition_numbers import Norm
    from theory.things.network import Network

MOST_NAMED = 8  # arrays, in one line
MOST_LAYERS = 10_000
MOST_SIGNS = 500_000  # dimension of sign vectors: a sum over all of them, a dozen times, is two seconds
MOST_FREQUENCIES, MOST_ENTRIES = 2**18, 2**24  # of a convolution: of as many matrices singular values are a few seconds

Heights = tuple[int, ...]
Arrays = Mapping[str, "np.ndarray"]  # of a file: .npz by name, .npy under the empty name


def fraction(n: int, layers: int = 1, rows: Heights = ()) -> Law:
    """|r_nn| / ||a_n||, the share of the last column that no other column has"""
    from theory.products.fraction import fraction_law

    return fraction_law(n, _heights(n, layers, rows))


def compression(n: int, kept: int = 2, layers: int = 1, rows: Heights = ()) -> Law:
    """share of a feature in the span of the last KEPT directions: swap over distance for 2"""
    from theory.products.fraction import compression_law

    return compression_law(n, _heights(n, layers, rows), kept)


def diagonal(n: int, k: int, layers: int = 1, rows: Heights = ()) -> Law:
    """r_kk of R of a product of Gaussian matrices (Lemma 3)"""
    from theory.laws.chi_product import chi_product
    from theory.products import qr_product

    return chi_product(qr_product.degrees(n, _heights(n, layers, rows), k))


def swap(n: int, layers: int = 1, rows: Heights = (), scale: float = 1.0) -> Law:
    """size of the attack of Theorems 1 and 4, which swaps two outputs"""
    from theory.points import attack_size

    return attack_size.swap_law(n, _heights(n, layers, rows), scale)


def pair_margin(n: int, layers: int = 1, rows: Heights = (), scale: float = 1.0) -> Law:
    """distance of a point from the tie of two classes (Theorems 1 and 4)"""
    from theory.points import attack_size

    return attack_size.pair_margin_law(n, _heights(n, layers, rows), scale)


def flip(n: int, layers: int = 1, rows: Heights = (), scale: float = 1.0) -> Law:
    """size of the attack of Theorem 6, which exchanges both outputs"""
    from theory.points import attack_size

    return attack_size.flip_law(n, _heights(n, layers, rows), scale)


def untargeted(n: int, d: int) -> Law:
    """size of the perturbation along the last column that changes the class (Theorem 1)"""
    from theory.points import attack_size

    return attack_size.column_law(n, d)


def distance(n: int, layers: int = 1, rows: Heights = (), scale: float = 1.0) -> Law:
    """distance of two points of a linear generative model (Theorem 4)"""
    from theory.points import separation

    return separation.distance_law(_heights(n, layers, rows), scale)


def gradient_span(d: int, gradients: int = 2) -> Law:
    """compression of a difference of inputs onto the span of gradients (Theorem 7)"""
    from theory.gradients import gradient_plane

    return gradient_plane.span_law(d, gradients)


def difficulty(d: int, gradients: int = 2) -> dict[str, float]:
    """how much harder an optimal classifier is to attack (Theorem 7): mean, median, ratio of means"""
    from theory.gradients import gradient_plane
    from theory.numerics import require

    d = require.integer("d", d, require.integer("gradients", gradients, 1) + 1)
    return {
        "ratio of means": gradient_plane.difficulty_of_means(d, gradients),
        "mean ratio": gradient_plane.mean_difficulty(d, gradients),
        "median ratio": gradient_plane.median_difficulty(d, gradients),
    }


def closest_pair(d: int, points: int, delta: float = 0.01) -> dict[str, float]:
    """largest alpha with all distances of POINTS points above alpha sqrt(2d), but for DELTA (Theorem 1)"""
    from theory.numerics import require
    from theory.points import separation

    pairs, delta = separation.log_pairs(points), require.probability("delta", delta)
    return {
        "alpha, exact tail": separation.largest_share(d, pairs, delta),
        "alpha, Chernoff": separation.largest_share(d, pairs, delta, chernoff=True),
    }


def sign_vectors(d: int, delta: float = 0.01) -> dict[str, float]:
    """largest alpha with both classes 2 alpha sqrt(d) apart, but for DELTA (Theorem 6)"""
    from theory.numerics import require
    from theory.points import separation

    d, delta = _at_most("d", require.integer("d", d, 1), MOST_SIGNS), require.probability("delta", delta)
    all_pairs, differences = separation.log_sign_pairs(d), separation.log_sign_pairs(d, distinct=True)
    return {
        "alpha, 4^(d-1) pairs, Chernoff": separation.largest_share(d, all_pairs, delta, chernoff=True),
        "alpha, 4^(d-1) pairs, exact tail": separation.largest_share(d, all_pairs, delta),
        "alpha, 3^(d-1) differences, exact tail": separation.largest_share(d, differences, delta),
        "alpha, differences by length": separation.largest_sign_share(d, delta),
    }


def target_probability(n: int, d: int) -> float:
    """probability that the swap of Theorem 1 makes its target the predicted class"""
    from theory.points import attack_size

    return attack_size.target_probability(n, d)


def interpolation_probability(m: int, scale: float = 1.0) -> float:
    """probability that the best linear classifier of Theorem 6's data is the one that interpolates"""
    from theory.points import optimal_tolerance

    return optimal_tolerance.interpolation_probability(m, scale)


def attack_length(slope: float, smoothness: float, drop: float) -> dict[str, float]:
    """two-sided bounds on the shortest perturbation that lowers a smooth function by DROP (Section 5)"""
    from theory.gradients import path_length

    shortest, longest = path_length.length_bounds(slope, smoothness, drop)
    return {"at least": float(shortest), "at most": float(longest)}


def lyapunov(n: int, layers: int = 1, rows: Heights = ()) -> dict[str, float]:
    """exponents lambda_1 and lambda_n of a product, and the depth at which rounding hides r_nn"""
    from theory.products import depth

    first, last = depth.extreme_exponents(n, _heights(n, layers, rows))
    return {
        "lambda_1": first,
        "lambda_n": last,
        "breakdown depth, double precision": depth.breakdown_depth(n),
        "breakdown depth, single precision": depth.breakdown_depth(n, 2**-24),
    }


def normalised_norm(channels_out: int, channels_in: int, groups: int = 1) -> dict[str, float]:
    """range of the spectral norm of a ConvNorm layer (Proposition 3.1 and its converse)"""
    from theory.convolution import convnorm

    least, largest = convnorm.norm_range(channels_out, channels_in, groups)
    typical = min(convnorm.typical_norm(channels_out, channels_in), largest)  # of many channels, where it is exceeded
    return {"at least": least, "typically": typical, "at most": largest}


def wide_resnet_weights(widen: int) -> int:
    """number of weights in the convolutions and the last layer of WideResNet-16-k"""
    from theory.convolution import wide_resnet

    return wide_resnet.weight_count(widen)


def joint_margin(network: Arrays, epsilon_x: float, epsilon_w: float, seconds: float = 60.0) -> dict[str, Any]:
    """largest lead of another class over the predicted one while input and weights move; below 0: certified

    The file holds x, W1, ..., WL and, where there are biases, b1, ..., bL of a dense ReLU network. Every entry of x
    moves by at most epsilon_x, every entry of the weights and biases by at most epsilon_w.
    """
    import numpy as np

    from theory.joint import crown, margins, optimum
    from theory.numerics import require
    from theory.things.network import Budget, pairwise_margins

    require.positive("seconds", seconds)
    radii = require.budget("epsilon_x", epsilon_x), require.budget("epsilon_w", epsilon_w)
    net, x = _network(network)
    budget = Budget(radii[0], radii[1], radii[1])
    label = int(np.argmax(net.logits(x)))
    clean = pairwise_margins(net.logits(x))

    def lead(increase: np.ndarray) -> float:
        return float(np.delete((clean + increase)[:, label], label).max())

    relaxed = optimum.worst_margin(net, x, label, budget, relax=True, time_limit=seconds)
    exact = optimum.worst_margin(net, x, label, budget, time_limit=seconds)
    weights = [stage.layer.weight for stage in net.stages]
    return {
        "layers": net.depth,
        "units": ", ".join(str(width) for width in (x.size, *map(len, weights))),
        "layers with a bias": sum(stage.layer.bias is not None for stage in net.stages),
        "predicted class": label,
        "without perturbation": lead(0 * clean),
        f"attained, by class {exact.pair[0]}": exact.attained,
        f"mixed integer program ({exact.status})": exact.upper,
        "linear program": relaxed.upper,
        "CROWN": lead(crown.crown_increase(net, x, budget)),
        "intervals": lead(margins.interval_increase(net, x, budget)),
        "tau + zeta, corrected": lead(margins.theorem_increase(net, x, budget)),
    }


def condition(matrix: Arrays) -> dict[str, float]:
    """condition number of a matrix in four norms, by its pseudo-inverse and strictly"""
    from theory.conditioning import condition_numbers
    from theory.numerics import require

    W = require.finite("the matrix", _only(matrix), 2, complex_entries=True)
    named: dict[str, Norm] = {"1": 1, "2": 2, "inf": math.inf, "Frobenius": "fro"}
    return {
        f"kappa, norm {name}{', strict' if strict else ''}": float(condition_numbers.condition(W, norm, strict))
        for strict in (False, True)
        for name, norm in named.items()
    }


def convolution_norm(
    kernel: Arrays, size: int, stride: int = 1, groups: int = 1, epsilon: float = 0.0
) -> dict[str, float | str]:
    """spectral norm of a convolution on SIZE x SIZE images: circular, zero-padded, and after ConvNorm

    The kernel is (C_O, C_I / groups, k_1, ..., k_d). ConvNorm is that of stride 1, with epsilon added to squared norms.
    """
    from theory.convolution import circulant, convnorm
    from theory.numerics import require
    from theory.things import normalisation

    K = require.finite("the kernel", _only(kernel), complex_entries=True)
    if K.ndim < 3:
        raise ValueError(f"the kernel must have axes C_O, C_I / groups and one or more of taps, got shape {K.shape}")
    grid = (require.integer("size", size, 1),) * (K.ndim - 2)
    points = math.prod(size + taps - 1 for taps in K.shape[2:])  # without the zeros nothing wraps around
    if points > MOST_FREQUENCIES or points * math.prod(K.shape[:2]) > MOST_ENTRIES:
        raise ValueError(
            f"size must leave at most {MOST_FREQUENCIES} points and {MOST_ENTRIES} entries of the kernel at all of "
            f"them, got {points} and {points * math.prod(K.shape[:2])}: a smaller one comes as near as its square"
        )
    answer: dict[str, float | str] = {
        "circular, exact": float(circulant.spectral_norm(K, grid, stride, groups)),
        "zero-padded, at most": float(circulant.zero_padding_bound(K, grid, stride, groups)),
    }
    if math.isinf(max(float(number) for number in answer.values())):
        raise ValueError(f"the kernel must have norms within floating point, got entries up to {abs(K).max():g}")
    normalised = "circular, after ConvNorm" + (", before striding" if stride > 1 else "")
    if require.budget("epsilon", epsilon) == 0 and normalisation.vanishes(K, grid):
        enough = normalisation.suggested_epsilon(K, grid)
        hint = f"--epsilon {enough:.1g} gives it one" if enough else "any --epsilon gives it one"
        answer[normalised] = f"none, a channel vanishes at a frequency; {hint}"
        answer[f"{normalised}, at most, with any --epsilon"] = math.sqrt(len(K) // groups)
    else:
        answer[normalised] = float(convnorm.spectral_norm(K, grid, epsilon, groups))
    return answer


def _network(arrays: Arrays) -> tuple[Network, np.ndarray]:
    """The dense network and its input, if every array of the file belongs to one or the other."""
    from theory.numerics import require
    from theory.things.network import Network

    names = list(takewhile(arrays.__contains__, (f"W{layer}" for layer in count(1))))
    biases = [name.replace("W", "b") for name in names]
    if "x" not in arrays or not names:
        raise ValueError(f"the network's file must hold x and W1, W2, ..., got {_listed(arrays)}")
    if unused := set(arrays) - {"x", *names, *biases}:
        raise ValueError(
            f"the network's file must hold x, {names[0]} to {names[-1]} and biases b of these layers only, "
            f"got {_listed(unused)} as well, which no layer uses: layers count from 1, without gaps"
        )
    given = {name: require.numpy_array(name, arrays[name], 2 if name[0] == "W" else 1) for name in arrays}
    return Network.dense([given[name] for name in names], [given.get(name) for name in biases]), given["x"]


def _only(arrays: Arrays) -> np.ndarray:
    if len(arrays) != 1:
        raise ValueError(f"the file must hold one array, got {_listed(arrays)}")
    return next(iter(arrays.values()))


def _listed(names: Iterable[str]) -> str:
    named = sorted(map(repr, names))
    more = [f"and {len(named) - MOST_NAMED} more"] if len(named) > MOST_NAMED else []
    return ", ".join([*named[:MOST_NAMED], *more]) or "nothing"


def _at_most(name: str, value: int, most: int) -> int:
    """`value`, if what is made of it is small enough."""
    if value > most:
        raise ValueError(f"{name} must be at most {most}, got {value}")
    return value


def _heights(n: int, layers: int, rows: Heights) -> Heights:
    from theory.numerics import require

    n, layers = require.integer("n", n, 1), _at_most("layers", require.integer("layers", layers, 1), MOST_LAYERS)
    rows = require.integers("rows", rows, 1, fewest=0)
    _at_most("the number of rows", len(rows), MOST_LAYERS)
    if rows and layers not in (1, len(rows)):
        raise ValueError(f"layers and rows must agree, got {layers} and {len(rows)} rows; one of them is enough")
    return rows or (n,) * layers


EVALUATIONS: dict[str, Callable[..., Any]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        fraction,
        compression,
        diagonal,
        swap,
        pair_margin,
        flip,
        untargeted,
        distance,
        gradient_span,
        difficulty,
        closest_pair,
        sign_vectors,
        target_probability,
        interpolation_probability,
        attack_length,
        lyapunov,
        normalised_norm,
        wide_resnet_weights,
        joint_margin,
        condition,
        convolution_norm,
    )
}
