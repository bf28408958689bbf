r"""Bounds on how far joint input and weight perturbations raise a pairwise margin, for all pairs of classes at once.

f^{ij} = f_i - f_j. Every function here takes (network, x, budget) and returns entries [..., i, j] that bound the
increase f^{ij}_{W'}(x') - f^{ij}_W(x) over all W', x' within the budget; zero on the diagonal. For a label y the
dangerous pairs are [wrong class, y]. All of them differentiate, batch over leading axes of x, and are exact on
`Fraction` for dense layers; in floating point they hold but for rounding in the precision of the arrays (integers and
truth values count as double, half as single), which `certificates.rounding_slack` bounds.

With D_ij = ||W^L_i - W^L_j||_1, N_m = ||W^m||_inf and d_m columns of W^m ("Joint margin bounds", Theorem 1):

    exact <= interval_increase <= theorem_increase = tau + zeta <= min(clean_increase, tau + zeta_one_sided).

The paper's own zeta, `zeta_printed`, is no bound from three layers on. Biases, convolutions (norms and windows in
place of row sums), other Lipschitz constants and signed activations go beyond the paper.
"""

from __future__ import annotations

import array_api_compat
from array_api_compat import array_namespace

from theory.numerics.array import Array
from theory.numerics.magnitudes import positive_part
from theory.things.boxes import Box, Within, joint_boxes, magnitude, peak
from theory.things.layers import Dense
from theory.things.network import Budget, Network, pairwise_margins, passed
from theory.things.penalties import gain, injected, last_added, row_distances, weight_reach, zeta_terms_printed
from theory.things.penalties import reach_printed as reach_printed


def apart(network: Network, values: Array) -> Array:
    """`values` (..., K, K) with a zero diagonal.

    Raises
    ------
    ValueError : if they left the range of floating point.
    """
    xp = array_namespace(values)
    if xp.isdtype(values.dtype, "real floating") and not bool(xp.all(xp.isfinite(values))):
        raise ValueError(
            f"bounds must stay within {values.dtype}, got an overflow: scale the weights or the input down"
        )
    same = xp.eye(network.classes, dtype=xp.bool, device=array_api_compat.device(values))
    return xp.where(same, xp.zeros_like(values), values)


def tau(network: Network, x: Array, budget: Budget) -> Array:
    """What perturbing the input adds, whatever the weights within their radii, (K, K): eq. (2).

    tau^{ij} = epsilon_x (D_ij + 2 d_L epsilon_L) prod_{m<L} (N_m + d_m epsilon_m); of `x` only the shape counts.
    """
    last = network.stages[-1].layer.weight
    ends = row_distances(network) + 2 * last.shape[1] * budget.layers(network)[-1].weight
    return apart(network, network.number("input", budget.input) * ends * gain(network, x, budget))


def _paired(network: Network, deviation: Array, ends: Array, last: Array) -> Array:
    """deviation * ends + last on all pairs: (..., K, K) from (...), (K, K) and (...)."""
    deviation, last = (value[..., None, None] if hasattr(value, "shape") else value for value in (deviation, last))
    return apart(network, deviation * ends + last)


def _zeta(network: Network, budget: Budget, sizes: list[Array]) -> Array:
    """zeta, (..., K, K), where `sizes` are the upper ends of what each weighted layer is given."""
    last = last_added(network, budget, sizes[-1])
    return _paired(network, injected(network, budget, sizes), row_distances(network), last)


def zeta(network: Network, x: Array, budget: Budget) -> Array:
    """What perturbing the weights adds at the clean input, (..., K, K): eq. (3), corrected; right at every depth.

    zeta^{ij} = D_ij S_{L-1} + 2 epsilon_L ||u^{L-1}||_1 with S_m = N_m S_{m-1} + epsilon_m ||u^{m-1}||_1, S_0 = 0,
    where u^m are upper ends of boxes that hold every reachable activation, in place of the paper's h^{m*}.
    """
    sizes = [magnitude(box) for box in weight_reach(network, x, budget).inputs]
    return _zeta(network, budget, sizes)


def zeta_one_sided(network: Network, x: Array, budget: Budget) -> Array:
    """A looser zeta, (..., K, K), by the one-line repair of the paper's h^{k*}: u^k = rho((W^k + epsilon_k)^+ u^{k-1}).

    Raises
    ------
    ValueError : if the activation can be negative.
    """
    if not network.activation.nonnegative:
        raise ValueError(f"the activation must be non-negative for the one-sided bound, got {network.activation.name}")
    sizes = [abs(network.activations(x)[0])]
    for m, ((layer, passes), radius) in enumerate(zip(network.stages[:-1], budget.layers(network), strict=False)):
        if m == 0:
            before = layer(network.activations(x)[0]) + radius.weight * layer.window_sums(sizes[0])
        else:
            before = layer.product(positive_part(layer.weight + radius.weight), sizes[-1]) + layer.shift
        sizes.append(passed(passes, network.activation(before + radius.bias)))
    return _zeta(network, budget, sizes)


def zeta_printed(network: Network, x: Array, budget: Budget) -> Array:
    """zeta exactly as eq. (3) prints it, (..., K, K), with h^{0*} = x: no bound for L >= 3, loose for L = 2.

    Kept so that its failure stays on record; use `zeta`.

    Raises
    ------
    ValueError : for L = 1, where eq. (3) speaks of layers 0 and -1; for biases and convolutions.
    """
    braces, last = zeta_terms_printed(network, x, budget)
    return _paired(network, braces, row_distances(network), last)


def theorem_increase(network: Network, x: Array, budget: Budget) -> Array:
    """tau + zeta, the right side of eq. (1) less the clean margin, corrected, (..., K, K)."""
    return tau(network, x, budget) + zeta(network, x, budget)


def clean_increase(network: Network, x: Array, budget: Budget) -> Array:
    """A bound from clean activations z^m and inflated norms, (..., K, K), without boxes, never below `tau + zeta`.

    (D_ij + 2 d_L epsilon_L) R_{L-1} + 2 epsilon_L ||z^{L-1}||_1, R_0 = epsilon_x,
    R_m = (N_m + d_m epsilon_m) R_{m-1} + epsilon_m ||z^{m-1}||_1.
    """
    sizes = [abs(z) for z in network.activations(x)]
    last = network.stages[-1].layer.weight
    ends = row_distances(network) + 2 * last.shape[1] * budget.layers(network)[-1].weight
    deviation = injected(network, budget, sizes, network.number("input", budget.input), inflated=True)
    return _paired(network, deviation, ends, last_added(network, budget, sizes[-1]))


def last_interval(network: Network, budget: Budget, box: Box, signed: bool) -> Array:
    """Largest margin f^{ij} over inputs in `box` of the last layer and its weights within their radii, (..., K, K)."""
    xp = array_namespace(box.lower)
    layer, classes = network.stages[-1].layer, network.classes
    weight = xp.reshape(layer.weight[:, None, :] - layer.weight[None, :, :], (classes**2, -1))
    radii = budget.layers(network)[-1]
    highest = peak(Dense(weight), weight, 2 * radii.weight, box, signed)
    highest = xp.reshape(highest, (*highest.shape[:-1], classes, classes)) + 2 * radii.bias
    return apart(network, highest if layer.bias is None else highest + pairwise_margins(layer.bias))


def interval_increase(network: Network, x: Array, budget: Budget, within: Within = None) -> Array:
    """Interval bound with the last layer merged into the margin, (..., K, K).

    Exact for one layer, and for two if the input is not perturbed. `within`: the range (low, high) inputs are
    clipped to, (0, 1) for pixels.
    """
    reach = joint_boxes(network, x, budget, within)
    highest = last_interval(network, budget, reach.inputs[-1], reach.signed[-1])
    return highest - pairwise_margins(network.logits(x))
