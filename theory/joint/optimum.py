"""The exact worst margin under joint input and weight perturbations of a dense ReLU network, with its attacker.

For one h and entry-wise weight perturbations the reachable set is a box again,

    {W' h : |W' - W| <= epsilon} = W h + epsilon ||h||_1 [-1, 1]^n,

and behind a ReLU ||h||_1 = 1 . h is linear. Products of variables vanish, and the joint problem is an ordinary mixed
integer linear program, of the size that perturbing the input alone gives: a binary per ReLU that can switch and per
input that can change its sign. Enumerating the corners of the weight boxes does not do: from three layers on the worst
weights can lie inside. Solved by HiGHS (`scipy.optimize.milp`) in double precision, in units of the boxes
(`theory.joint.program`), and never believed where another bound or a network that was evaluated contradicts it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from array_api_compat import is_numpy_array, is_torch_array, to_device
from scipy.sparse import eye_array

from theory.joint.crown import last_linear, refined_boxes
from theory.joint.margins import interval_increase, last_interval
from theory.joint.program import NEGLECTED, Program, absolute, relu
from theory.numerics import require
from theory.numerics.array import Array
from theory.things.boxes import Reach, Within, joint_boxes, magnitude
from theory.things.layers import Dense, Flatten
from theory.things.network import Budget, Network, pairwise_margins

SOLVER_TOLERANCE = 1e-6  # of HiGHS on its constraints and its gap, relative to the boxes and to the objective over them
UNIT = 2.0**-53


@dataclass(frozen=True)
class JointOptimum:
    """What is known of the largest margin f^{ij} over all networks and inputs within a budget.

    Parameters
    ----------
    pair : the classes (i, j).
    clean : the margin without perturbation.
    upper : no network and input within the budget has a larger margin, up to `tolerance`; never below `attained`, and
        at most the interval bound (the linear one, too, unless relaxed).
    attained : the margin that `network` has at `x`, evaluated, never just claimed by the solver.
    network, x : a perturbed network and input within the budget, to the last place of every entry.
    status : "optimal" (of the relaxation, if relaxed), or why it is not known to be; then `upper` and `attained` may
        lie apart, and where the solver failed or was contradicted `upper` is the bound that took its place.
    tolerance : no margin exceeds `upper` + `tolerance`: 1e-6 of half the range that the margin has over the boxes of
        the hidden layers, or less where another bound is as near, plus what rounding does to it.
    """

    pair: tuple[int, int]
    clean: float
    upper: float
    attained: float
    network: Network = field(repr=False)
    x: np.ndarray = field(repr=False)
    status: str
    tolerance: float

    @property
    def increase(self) -> tuple[float, float]:
        """Lower and upper bound on the largest increase of the margin."""
        return self.attained - self.clean, self.upper - self.clean

    @property
    def robust(self) -> bool | None:
        """Whether class j stays ahead of class i throughout; None if that is not known.

        False as soon as `network`, evaluated in double precision at `x`, has class i ahead or level.
        """
        return True if self.upper + self.tolerance < 0 else False if self.attained >= 0 else None


def _double(array: Array) -> np.ndarray:
    if is_torch_array(array):
        array = array.detach()
    return np.asarray(array if is_numpy_array(array) else to_device(array, "cpu"), dtype=float)


def _arrays(network: Network, x: Array, budget: Budget) -> tuple[Network, np.ndarray, Budget]:
    """Copies in double precision, once it is clear that the program covers them."""
    if network.activation.name != "relu":
        raise ValueError(f"the activation must be relu for the exact optimum, got {network.activation.name}")
    for layer in network.layers:
        if not isinstance(layer, (Dense, Flatten)):
            raise ValueError(  # noqa: TRY004
                f"layers must be dense for the exact optimum, got {type(layer).__name__}: positions that share a "
                "perturbed kernel reach no box; use crown_increase or interval_increase"
            )
    x = _double(network.given(x))
    if x.ndim != network.axes:
        raise ValueError(f"x must be one sample with {network.axes} axes, got shape {x.shape}")
    layers: list[Any] = [
        Dense(_double(step.weight), None if step.bias is None else _double(step.bias))
        if isinstance(step, Dense)
        else step
        for step in network.layers
    ]
    weights, biases = (tuple(map(float, radii)) for radii in zip(*budget.layers(network), strict=True))
    return Network(layers), x, Budget(float(budget.input), weights, biases)


def _rounding(network: Network, reach: Reach, budget: Budget) -> list[np.ndarray]:
    """How far rounding can move what is computed of each weighted layer's outputs: the boxes and the rows.

    A chain of n sums errs by at most n u times the sum of the absolute values of all its terms; linear bounds add up
    one such sum per layer.
    """
    size, found = magnitude(reach.inputs[0]), []
    terms = sum(stage.layer.weight.shape[1] + 2 for stage in network.stages)
    for (layer, _), radius in zip(network.stages, budget.layers(network), strict=True):
        size = layer.product(np.abs(layer.weight) + radius.weight, size) + np.abs(layer.shift) + radius.bias
        found.append(4 * UNIT * (network.depth + 1) * terms * size)
    if not all(np.all(np.isfinite(error)) for error in found):
        raise ValueError("the network must stay within double precision in its budget, got an overflow: scale it down")
    return found


def _written(network: Network, budget: Budget, reach: Reach, rounding: list[np.ndarray]) -> tuple[Program, list[int]]:
    """The program, and its blocks: the input, the pre-activations, what the last layer is given and its modulus."""
    program = Program()
    lower, upper = reach.inputs[0]
    value = source = program.variables(lower, upper)
    size = value if bool(np.all(lower >= 0)) else absolute(program, value, lower, upper)
    before = []
    parts = zip(network.stages[:-1], budget.layers(network), reach.before, rounding, strict=False)
    for (layer, _), radius, box, rounded in parts:
        error = np.where(rounded < NEGLECTED * (box.upper - box.lower), 0.0, rounded)  # else the solver would see it
        lower, upper = box.lower - error, box.upper + error
        a = program.variables(lower, upper)
        rows, columns = layer.weight.shape
        shift, spread = np.broadcast_to(layer.shift, rows), np.full((rows, columns), float(radius.weight))
        up, down = {value: -layer.weight, a: eye_array(rows)}, {value: layer.weight, a: -eye_array(rows)}
        for terms, limit in ((up, radius.bias + shift), (down, radius.bias - shift)):
            program.at_most({**terms, size: terms.get(size, 0) - spread}, limit + error)
        value = size = relu(program, a, lower, upper)
        before.append(a)
    return program, [source, *before, value, size]


def joint_optimum(
    network: Network,
    x: Array,
    budget: Budget,
    pair: tuple[int, int],
    *,
    within: Within = None,
    relax: bool = False,
    time_limit: float | None = None,
    gap: float = 0.0,
) -> JointOptimum:
    """Largest margin f^{ij}, pair = (i, j), over all networks and inputs within the budget, and where it is attained.

    Parameters
    ----------
    network : dense layers (after a `Flatten`, if inputs are images), ReLU, with or without biases.
    x : one sample.
    within : the range (low, high) inputs are clipped to, (0, 1) for pixels: spares the binaries of the inputs' signs.
    relax : drop integrality: the LP ("triangle") bound over interval boxes. `attained` is then what the rounded
        solution attains.
    time_limit : seconds; when they are over, `upper` and `attained` say what is known.
    gap : relative gap at which the solver may stop.

    Raises
    ------
    ValueError : for other layers or activations, a batch of samples, or no such pair.
    """
    network, x, budget = _arrays(network, x, budget)
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(f"pair must be two different classes below {network.classes}, got {pair!r}")
    i, j = (require.integer("pair", index, 0) for index in pair)
    if not (i < network.classes and j < network.classes and i != j):
        raise ValueError(f"pair must be two different classes below {network.classes}, got {pair}")
    options = {"mip_rel_gap": require.budget("gap", gap)}
    if time_limit is not None:
        options["time_limit"] = require.positive("time_limit", time_limit)
    reach = (joint_boxes if relax else refined_boxes)(network, x, budget, within)
    rounding = _rounding(network, reach, budget)
    program, (source, *before, value, size) = _written(network, budget, reach, rounding)
    last, radius = network.stages[-1].layer, budget.layers(network)[-1]
    objective = {value: last.weight[i] - last.weight[j]}
    objective[size] = objective.get(size, 0) + np.full(last.weight.shape[1], 2.0 * radius.weight)
    solution = program.solve(objective, relax, options)
    values = solution.values
    targets = None if values is None else [values[a] for a in before]
    point = x if values is None else np.clip(values[source], *reach.inputs[0]).reshape(x.shape)
    point = _inside(x, point, budget.input)
    worst = _recover(network, point, budget, pair, targets)
    clean, attained = (float(pairwise_margins(net.logits(at))[i, j]) for net, at in ((network, x), (worst, point)))
    ceiling = float(last_interval(network, budget, reach.inputs[-1], reach.signed[-1])[i, j])
    if not relax:
        ceiling = min(ceiling, float(last_linear(network, budget, reach)[i, j]))
    constant = float(pairwise_margins(np.broadcast_to(last.shift, network.classes))[i, j] + 2 * radius.bias)
    claim = np.inf if solution.bound is None else constant + solution.bound
    tolerance = SOLVER_TOLERANCE * solution.spread
    error = float(rounding[-1][i] + rounding[-1][j]) * (2 * network.depth + 1)  # of boxes and rows of every layer
    why, room = solution.why, tolerance + error
    low, high = max(clean, attained), ceiling if relax else attained  # an optimum is between; a stopped solver is above
    if claim < low - room or (why == "" and gap == 0 and claim > high + room):
        why = f"the solver claims {claim!r} where {attained!r} is attained and {ceiling!r} bounds it"
        claim = np.inf
    known = {"": "optimal", "time limit": "stopped at the time limit"}
    upper = max(min(claim, ceiling), clean, attained)
    return JointOptimum(
        pair=(i, j),
        clean=clean,
        upper=upper,
        attained=attained,
        network=worst,
        x=point,
        status=known.get(why, f"not solved, other bounds stand in: {why}"),
        tolerance=max(min(claim + tolerance, ceiling) - upper, 0.0) + error,
    )


def _inside(centre: np.ndarray, moved: np.ndarray, radius: float) -> np.ndarray:
    """The entries that were moved by a radius, without the last place by which rounding can exceed it."""
    return np.where(np.abs(moved - centre) > radius, np.nextafter(moved, centre), moved)


def _recover(network: Network, x: np.ndarray, budget: Budget, pair: tuple[int, int], targets: Any) -> Network:
    """The network within the budget whose pre-activations at `x` are the targets (or come nearest, row by row)."""
    h = network.activations(x)[0]
    layers: list[Any] = list(network.before)
    for m, ((layer, passes), radius) in enumerate(zip(network.stages, budget.layers(network), strict=True)):
        if m == network.depth - 1:
            theta = np.zeros(network.classes)
            theta[list(pair)] = 1, -1
        else:
            room = radius.weight * np.sum(np.abs(h)) + radius.bias
            wanted = np.zeros(layer.weight.shape[0]) if targets is None else targets[m] - layer(h)
            theta = np.clip(wanted, -room, room) / (room if room > 0 else 1.0)
        weight = layer.weight + radius.weight * theta[:, None] * np.sign(h)
        bias = None if layer.bias is None else _inside(layer.bias, layer.bias + radius.bias * theta, radius.bias)
        moved = Dense(_inside(layer.weight, weight, radius.weight), bias)
        h = network.activation(moved(h))
        layers += [moved, *passes]
    return Network(layers)


def worst_margin(
    network: Network,
    x: Array,
    label: int,
    budget: Budget,
    *,
    within: Within = None,
    relax: bool = False,
    time_limit: float | None = None,
    gap: float = 0.0,
) -> JointOptimum:
    """Largest margin of any other class over `label` within the budget: negative iff no attack changes the decision.

    One `joint_optimum` per class, the most promising first, skipping those that the linear bound rules out. `upper`
    holds for all classes together; `time_limit` is seconds per class. Parameters as in `joint_optimum`.

    Raises
    ------
    ValueError : as `joint_optimum`, and if `label` is no class.
    """
    network, x, budget = _arrays(network, x, budget)
    label = require.integer("label", label, 0)
    if label >= network.classes or network.classes < 2:
        raise ValueError(f"label must be a class below {network.classes} beside another, got {label}")
    ceiling = interval_increase(network, x, budget, within) + pairwise_margins(network.logits(x))
    order = sorted((i for i in range(network.classes) if i != label), key=lambda i: -ceiling[i, label])

    def search(i: int) -> JointOptimum:
        options = {"within": within, "relax": relax, "time_limit": time_limit, "gap": gap}
        return joint_optimum(network, x, budget, (i, label), **options)  # type: ignore[arg-type]

    searched = [best := search(order[0])]
    for i in order[1:]:
        if ceiling[i, label] > best.attained:
            searched.append(search(i))
            best = max(best, searched[-1], key=lambda found: found.attained)
    upper = max(found.upper for found in searched)
    return replace(
        best,
        upper=upper,
        status=next((found.status for found in searched if found.status != "optimal"), "optimal"),
        tolerance=max(found.upper + found.tolerance for found in searched) - upper,
    )


def closed_form_increase(network: Network, x: Array, budget: Budget, within: Within = None) -> Array:
    """Exact increase of every pairwise margin, (..., K, K), where it has a closed form: the interval bound is it.

    One layer: sum_b max_{s=+-1} v_b (x_b + s eps_x) + 2 eps_1 |x_b + s eps_x| with v = W_i - W_j, less v . x.
    Two, the input fixed: sum_k c_k rho(w_k . x + sgn(c_k) eps_1 ||x||_1) with c = W^2_i - W^2_j + 2 eps_2.

    Raises
    ------
    ValueError : for more layers, or two and an input that moves.
    """
    if network.depth > 2 or (network.depth == 2 and bool(budget.input > 0)):
        raise ValueError("layers must be 1, or 2 with an input radius of 0, for the closed form; see joint_optimum")
    return interval_increase(network, x, budget, within)
