"""The exact worst margin under joint input and weight perturbations of a dense ReLU network, with its attacker.

For one h and entry-wise weight perturbations the reachable set is a box again,

    {W' h : |W' - W| <= epsilon} = W h + epsilon ||h||_1 [-1, 1]^n,

and behind a ReLU ||h||_1 = 1 . h is linear. Products of variables vanish, and the joint problem is an ordinary mixed
integer linear program, of the size that perturbing the input alone gives: a binary per ReLU that can switch and per
input that can change its sign. Enumerating the corners of the weight boxes does not do: from three layers on the worst
weights can lie inside. Solved by HiGHS (`scipy.optimize.milp`) in double precision; NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.sparse import eye_array

from theory._program import Program, absolute, relu
from theory.joint_boxes import Within, joint_boxes
from theory.joint_crown import refined_boxes
from theory.layers import Dense, Flatten
from theory.margins import interval_increase, last_interval
from theory.network import Budget, Network, pairwise_margins

SOLVER_TOLERANCE = 1e-6  # of HiGHS on its constraints: margins nearer to 0 than this decide nothing


@dataclass(frozen=True)
class JointOptimum:
    """What is known of the largest margin f^{ij} over all networks and inputs within a budget.

    Parameters
    ----------
    pair : the classes (i, j).
    clean : the margin without perturbation.
    upper : no network and input within the budget has a larger margin (up to the solver's tolerance, about 1e-6).
    attained : the margin that `network` has at `x`, evaluated, never just claimed by the solver.
    network, x : a perturbed network and input within the budget.
    status : "optimal", or why the solver stopped; then `upper` and `attained` may lie apart.
    """

    pair: tuple[int, int]
    clean: float
    upper: float
    attained: float
    network: Network = field(repr=False)
    x: np.ndarray = field(repr=False)
    status: str

    @property
    def increase(self) -> tuple[float, float]:
        """Lower and upper bound on the largest increase of the margin."""
        return self.attained - self.clean, self.upper - self.clean

    @property
    def robust(self) -> bool | None:
        """Whether class j stays ahead of class i throughout; None if the solver cannot tell."""
        return True if self.upper < -SOLVER_TOLERANCE else False if self.attained >= 0 else None


def _arrays(network: Network, x: Any) -> tuple[Network, np.ndarray]:
    """Copies in double precision, once it is clear that the program covers them."""
    if network.activation.name != "relu":
        raise ValueError(f"the activation must be relu for the exact optimum, got {network.activation.name}")
    for layer in network.layers:
        if not isinstance(layer, (Dense, Flatten)):
            raise ValueError(  # noqa: TRY004
                f"layers must be dense for the exact optimum, got {type(layer).__name__}: positions that share a "
                "perturbed kernel reach no box; use crown_increase or interval_increase"
            )
    x = np.asarray(x, dtype=float)
    if x.ndim != network.axes:
        raise ValueError(f"x must be one sample with {network.axes} axes, got shape {x.shape}")
    layers: list[Any] = [
        Dense(np.asarray(step.weight, dtype=float), None if step.bias is None else np.asarray(step.bias, dtype=float))
        if isinstance(step, Dense)
        else step
        for step in network.layers
    ]
    return Network(layers), x


def joint_optimum(
    network: Network,
    x: Any,
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
    network, x = _arrays(network, x)
    i, j = pair
    if not (0 <= i < network.classes and 0 <= j < network.classes and i != j):
        raise ValueError(f"pair must be two different classes below {network.classes}, got {pair}")
    reach = (joint_boxes if relax else refined_boxes)(network, x, budget, within)
    radii = budget.layers(network)
    program = Program()
    lower, upper = reach.inputs[0]
    value = source = program.variables(lower, upper)
    size = value if bool(np.all(lower >= 0)) else absolute(program, value, lower, upper)
    before = []
    for (layer, _), radius, box in zip(network.stages[:-1], radii, reach.before, strict=False):
        a = program.variables(*box)
        rows = box.upper.size
        shift = np.broadcast_to(layer.shift, rows)
        spread = np.full((rows, lower.size), float(radius.weight))
        up, down = {value: -layer.weight, a: eye_array(rows)}, {value: layer.weight, a: -eye_array(rows)}
        for terms, limit in ((up, shift + radius.bias), (down, radius.bias - shift)):
            program.at_most({**terms, size: terms.get(size, 0) - spread}, limit)
        value = size = relu(program, a, *box)
        before.append(a)
        lower = box.lower
    last, radius = network.stages[-1].layer, radii[-1]
    objective = {value: last.weight[i] - last.weight[j]}
    objective[size] = objective.get(size, 0) + np.full(lower.size, 2.0 * radius.weight)
    options = {"mip_rel_gap": gap} | ({} if time_limit is None else {"time_limit": time_limit})
    result, values = program.solve(objective, relax, options)
    if result.status not in (0, 1):
        raise RuntimeError(f"HiGHS could not solve the program: {result.message}")
    constant = float(pairwise_margins(np.broadcast_to(last.shift, network.classes))[i, j] + 2 * radius.bias)
    highest = float(last_interval(network, budget, reach.inputs[-1], reach.signed[-1])[i, j])
    dual = result.fun if relax and result.status == 0 else result.mip_dual_bound
    bound = highest if dual is None or not np.isfinite(dual) else constant - dual
    targets = None if values is None else [values[a] for a in before]
    point = x if values is None else np.clip(values[source], *reach.inputs[0]).reshape(x.shape)
    worst = _recover(network, point, budget, pair, targets)
    return JointOptimum(
        pair=(i, j),
        clean=float(pairwise_margins(network.logits(x))[i, j]),
        upper=bound,
        attained=float(pairwise_margins(worst.logits(point))[i, j]),
        network=worst,
        x=point,
        status="optimal" if result.status == 0 else "stopped at the time limit",
    )


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
            wanted = 0 if targets is None else targets[m] - layer(h)
            theta = np.clip(wanted / room, -1, 1) if room > 0 else np.zeros(layer.weight.shape[0])
            theta = np.broadcast_to(theta, layer.weight.shape[:1])
        weight = layer.weight + radius.weight * theta[:, None] * np.sign(h)
        moved = Dense(weight, None if layer.bias is None else layer.bias + radius.bias * theta)
        h = network.activation(moved(h))
        layers += [moved, *passes]
    return Network(layers)


def worst_margin(
    network: Network,
    x: Any,
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
    network, x = _arrays(network, x)
    if not 0 <= label < network.classes or network.classes < 2:
        raise ValueError(f"label must be a class below {network.classes} beside another, got {label}")
    ceiling = interval_increase(network, x, budget, within) + pairwise_margins(network.logits(x))
    order = sorted((i for i in range(network.classes) if i != label), key=lambda i: -ceiling[i, label])

    def search(i: int) -> JointOptimum:
        options = {"within": within, "relax": relax, "time_limit": time_limit, "gap": gap}
        return joint_optimum(network, x, budget, (i, label), **options)  # type: ignore[arg-type]

    best = search(order[0])
    upper = best.upper
    for i in order[1:]:
        if ceiling[i, label] <= best.attained:
            continue
        found = search(i)
        upper = max(upper, found.upper)
        best = found if found.attained > best.attained else best
    return replace(best, upper=max(upper, best.attained))


def closed_form_increase(network: Network, x: Any, budget: Budget, within: Within = None) -> Any:
    """Exact increase of every pairwise margin, (..., K, K), where it has a closed form: the interval bound is it.

    One layer: sum_b max_{s=+-1} v_b (x_b + s eps_x) + 2 eps_1 |x_b + s eps_x| with v = W_i - W_j, less v . x.
    Two, the input fixed: sum_k c_k rho(w_k . x + sgn(c_k) eps_1 ||x||_1) with c = W^2_i - W^2_j + 2 eps_2.

    Raises
    ------
    ValueError : for more layers, or two and an input that moves.
    """
    if network.depth > 2 or (network.depth == 2 and budget.input > 0):
        raise ValueError("layers must be 1, or 2 with an input radius of 0, for the closed form; see joint_optimum")
    return interval_increase(network, x, budget, within)
