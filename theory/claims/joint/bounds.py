"""Rows on the joint margin bounds: one and two layers, eq. (4), other layers and activations, certificates."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides
from theory.claims.joint.margins import RHO, Quantity, Theory, chained, largest, near, ours, row, textbook, theorem
from theory.joint import margins
from theory.joint.certificates import certified_margins
from theory.joint.optimum import closed_form_increase
from theory.joint.perturbations import highest_corner, inside
from theory.numerics.array import Array
from theory.spaces import joint as spaces
from theory.things import penalties
from theory.things.layers import Conv
from theory.things.network import Budget, Network, pairwise_margins
from theory.worlds import margins as worlds


def _norm(scope: int, slack: Callable[[int], float] = lambda columns: columns) -> Theory:
    """||W'||_inf of a weight in a ball whose index sets [m], [n] end `scope` early."""

    def sides(weight: Array, moved: Array, radius: float) -> Sides:
        inside([weight], [moved], [radius], scope)
        rows = np.max(np.sum(np.abs(weight), axis=-1))
        return Sides(np.max(np.sum(np.abs(moved), axis=-1)), rows + slack(weight.shape[1]) * radius)

    return sides


def _two_layers(times: int) -> Theory:
    """The printed zeta, against the corrected one and so many times what it counts twice."""

    def sides(weights: Sequence[Array], x: Array, radii: Sequence[float]) -> Sides:
        network, budget = Network.dense(weights), Budget(0, tuple(radii))
        twice = radii[0] * np.sum(np.abs(x)) * penalties.row_distances(network)
        return Sides(margins.zeta_printed(network, x, budget), margins.zeta(network, x, budget) + times * twice)

    return sides


def _closed_form(formula: Quantity) -> Theory:
    """The largest increase that corners give, against a formula for it."""

    def sides(weights: Sequence[Array], x: Array, radii: Sequence[float], radius_x: float) -> Sides:
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        return Sides(highest_corner(weights, x, radii, radius_x), formula(network, x, budget))

    return sides


def _corners_suffice(weights: Sequence[Array], x: Array, moved: Sequence[Array], radii: Sequence[float]) -> Sides:
    """The increase that some weights within their radii give, against the largest that corners give."""
    inside(weights, moved, radii)
    rise = pairwise_margins(Network.dense(moved).logits(x)) - pairwise_margins(Network.dense(weights).logits(x))
    return largest(rise, highest_corner(weights, x, radii, 0))


def _loss(penalty: Callable[[Network, Array, Array, Budget], Array]) -> Theory:
    """The largest tau + zeta of a wrong class over the label, against what eq. (4) adds for alpha = beta = 1."""

    def sides(weights: Sequence[Array], x: Array, label: int, radii: Sequence[float], radius_x: float) -> Sides:
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        wrong = np.arange(network.classes) != label
        bound = margins.theorem_increase(network, x, budget)[wrong, label]
        return Sides(np.max(bound), penalty(network, x, np.asarray(label), budget))

    return sides


def _runner_up(network: Network, x: Array, label: Array, budget: Budget) -> Array:
    """The penalty at the wrong class of largest clean logit."""
    logits = np.where(np.arange(network.classes) == label, -np.inf, network.logits(x))
    return margins.theorem_increase(network, x, budget)[np.argmax(logits), label]


def _any_network(bound: Quantity) -> Theory:
    """Increase of two perturbed networks of any layers against a bound on it."""

    def sides(network: Network, moved: Network, x: Array, moved_x: Array, budget: Budget) -> Sides:
        rise = pairwise_margins(moved.logits(moved_x)) - pairwise_margins(network.logits(x))
        return largest(rise, bound(network, x, budget))

    return sides


def _no_biases(network: Network, x: Array, budget: Budget) -> Array:
    return margins.theorem_increase(network, x, Budget(budget.input, budget.weights))


def _no_weights(network: Network, x: Array, budget: Budget) -> Array:
    return margins.theorem_increase(network, x, Budget(budget.input))


def _dense_norm(norm: Callable[[Conv, tuple[int, ...]], float]) -> Theory:
    """Largest absolute row sum of the matrix that a convolution unrolls to, against a formula for it."""

    def sides(layer: Conv, shape: Sequence[int]) -> Sides:
        size = int(np.prod(shape))
        unit = np.reshape(np.eye(size), (size, *shape))
        matrix = np.reshape(layer.product(layer.weight, unit), (size, -1)).T
        return Sides(np.max(np.sum(np.abs(matrix), axis=1)), norm(layer, tuple(shape)))

    return sides


def _certificate(bound: Quantity) -> Theory:
    """The worst margin that an attack found, sign turned, against what a certificate says it cannot exceed."""

    def sides(
        weights: Sequence[Array],
        x: Array,
        label: int,
        moved: Sequence[Array],
        moved_x: Array,
        radii: Sequence[float],
        radius_x: float,
    ) -> Sides:
        inside(weights, moved, radii)
        network, budget = Network.dense(weights), Budget(radius_x, tuple(radii))
        attacked = pairwise_margins(Network.dense(moved).logits(moved_x))[label]
        left = np.max(-np.delete(attacked, label))
        return Sides(left, -certified_margins(network.logits(x), np.asarray(label), bound(network, x, budget)))

    return sides


def _reversed_pair(network: Network, x: Array, budget: Budget) -> Array:
    return margins.interval_increase(network, x, budget).T


def _of_the_ball(weight: Array, moved: Array, radius: float) -> dict[str, bool]:
    """Whether W' is in the ball of W, with [m] as defined."""
    inner = [each[:-1, :-1] for each in (weight, moved)]
    return {
        "W and W' are of one shape": weight.shape == moved.shape,
        "epsilon is not negative": radius >= 0,
        "|W'_ij - W_ij| <= epsilon for all positive i < m and j < n": near([inner[0]], [inner[1]], [radius]),
    }


def _three_layers(
    weights: Sequence[Array], x: Array, moved: Sequence[Array], radii: Sequence[float]
) -> dict[str, bool]:
    return {
        "a network of three layers": chained(weights, x) and len(weights) == 3,
        "every weight within its radius": near(weights, moved, radii),
    }


NOTATION = "Section 3.1"
HIDDEN = "dense ReLU networks without biases"

CLAIMS: tuple[Claim, ...] = (
    row(
        "joint.ball.printed",
        at=NOTATION,
        says="with [m] the positive integers smaller than m, the ball of a weight bounds its norm, as eq. (2) needs",
        kind="bound",
        theory=_norm(1),
        space=spaces.ball(1),
        formula=r"\| \hat W \|_\infty \le \| W \|_\infty + n \epsilon, \quad [m] = \{1, \dots, m-1\}",
        domain="false for every shape",
        status="slip",
        quotes=(
            Quote("Let [L] be the set containing all positive integers smaller than L.", NOTATION),
            Quote("we could define the norm ball as [..]", NOTATION),
        ),
        reading="what the factor ||W^m||_inf + d_m epsilon_m of eq. (2) needs of the ball over [m] and [n]",
        instead=("joint.ball.corrected",),
        defect="Section 3.1 defines [L] as the positive integers smaller than L, which leaves the last layer of the"
        " network, and the last row and column of every perturbed weight, out of what is assumed",
        hypotheses=_of_the_ball,
        note="A misprint: [m] must include m. Everything else here reads it so.",
    ),
    row(
        "joint.ball.corrected",
        at=NOTATION,
        says="with [m] = {1, ..., m} the ball of a weight bounds its norm, as eq. (2) needs",
        kind="bound",
        theory=_norm(0),
        world=worlds.ball,
        space=spaces.ball(0),
        formula=r"\| \hat W \|_\infty \le \| W \|_\infty + n \epsilon, \quad [m] = \{1, \dots, m\}",
        domain="any matrix with n columns",
        status="corrected",
        note="Attained by W + epsilon sgn(W).",
        decoys=(
            Decoy("one column short", _norm(0, lambda columns: columns - 1)),
            Decoy("the root of n", _norm(0, np.sqrt)),
        ),
    ),
    ours(
        "joint.thm1.two_layers",
        at="Theorem 1, eq. (1)",
        says="tau + zeta as printed bounds the increase of every pairwise margin of two layers",
        kind="bound",
        theory=theorem(margins.zeta_printed),
        world=worlds.attacked(depth=2),
        formula=r"f_{\hat W}^{ij}(\hat x) \le f_W^{ij}(x) + \tau^{ij} + \zeta^{ij}, \quad L = 2",
        domain=f"dense networks without biases, L = 2, reading h^{{0*}} as x; {RHO}",
        note="Where Theorem 1 holds as it is printed: h^{1*} is an upper end, for the first layer is given x itself.",
        decoys=(Decoy("zeta alone", theorem(margins.zeta_printed, lambda *_: 0)),),
    ),
    ours(
        "joint.eq3.two_layers",
        at="eq. (3)",
        says="for two layers the printed zeta counts the first twice: an excess of D_ij epsilon_1 ||x||_1",
        kind="identity",
        theory=_two_layers(1),
        world=worlds.fixed(depth=2),
        formula=r"\zeta_{\mathrm{printed}}^{ij} = \zeta^{ij} + D_{ij} \epsilon_1 \| x \|_1, \quad L = 2",
        domain=f"{HIDDEN}, L = 2",
        note="Layer 1 is layer L - 1 here, and eq. (3) has a term for either. For L = 1 it speaks of layers 0 and -1.",
        code=margins.zeta_printed,
        decoys=(Decoy("no excess", _two_layers(0)), Decoy("twice as much", _two_layers(2))),
    ),
    ours(
        "joint.one_layer",
        at="Theorem 1, at L = 1",
        says="the largest increase for one layer is a sum over the inputs, each moved to one of its ends",
        kind="identity",
        theory=_closed_form(closed_form_increase),
        world=worlds.fixed(budget_x=True, depth=1, most=2, classes=2),
        formula=r"\sum_b \max_{s=\pm 1} (v_b (x_b + s\epsilon_x) + 2\epsilon_1 |x_b + s\epsilon_x|) - v^T x",
        domain="L = 1, any input",
        code=closed_form_increase,
        decoys=(Decoy("tau + zeta, attained only if v_b x_b >= 0 for all b", _closed_form(margins.theorem_increase)),),
    ),
    ours(
        "joint.corners.two_layers",
        at="Theorem 1, at L = 2",
        says="the largest increase for two layers at the clean input is attained at corners of the balls, in closed"
        " form",
        kind="identity",
        theory=_closed_form(closed_form_increase),
        world=worlds.two_layers_fixed,
        formula=r"\sum_k c_k \rho(w_k^T x + \mathrm{sgn}(c_k) \epsilon_1 \| x \|_1) - f^{ij}(x), "
        r"\quad c = v + 2\epsilon_2",
        domain=f"{HIDDEN}, L = 2, the clean input",
        code=closed_form_increase,
        decoys=(Decoy("tau + zeta", _closed_form(margins.theorem_increase)),),
    ),
    ours(
        "joint.corners.three_layers.tempting",
        at="Theorem 1, at L = 3",
        says="the largest increase is attained at corners of the weights' balls at every depth",
        kind="bound",
        theory=_corners_suffice,
        space=spaces.one_moving_layer,
        formula=r"\max_{\mathbb{B}} f_{\hat W}^{ij}(x) = \max_{\mathrm{ext}\,\mathbb{B}} f_{\hat W}^{ij}(x)",
        domain="false for L >= 3",
        tempting=True,
        instead=("joint.exact.attained", "joint.corners.two_layers"),
        hypotheses=_three_layers,
        note="What one expects, and the paper does not say: the worst weights can lie inside their balls. Enumeration"
        " is not exact, the mixed program is.",
    ),
    ours(
        "joint.eq4",
        at="eq. (4)",
        says="the two maxima of the loss are attained at one wrong class, the farthest last row, whatever the input",
        kind="identity",
        theory=_loss(lambda *world: sum(penalties.margin_penalties(*world))),
        world=worlds.labelled,
        formula=r"\max_{y'} \tau^{y'y} + \max_{y'} \zeta^{y'y} = \max_{y'} (\tau^{y'y} + \zeta^{y'y})",
        domain=f"{HIDDEN}, any label",
        note="The paper takes the two maxima apart and does not say that they meet. So one look-up in D replaces all"
        " pairs of classes in training.",
        code=penalties.margin_penalties,
        decoys=(Decoy("the class of second largest logit", _loss(_runner_up)),),
    ),
    ours(
        "joint.thm1.biases",
        at="Theorem 1, with biases",
        says="each bias adds its radius to the deviation of its layer, the last one twice",
        kind="bound",
        theory=_any_network(margins.theorem_increase),
        world=worlds.biased,
        formula=r"S_m = N_m S_{m-1} + \epsilon_m \| u^{m-1} \|_1 + \epsilon_m^b, \; \zeta^{ij} = \dots + 2\epsilon_L^b",
        domain="dense ReLU networks, any biases and radii",
        decoys=(Decoy("biases that do not move", _any_network(_no_biases)),),
    ),
    ours(
        "joint.thm1.activations",
        at="Theorem 1, other activations",
        says="a c-Lipschitz activation multiplies each layer's deviation by c; signed ones need both ends of the boxes",
        kind="bound",
        theory=_any_network(margins.theorem_increase),
        world=worlds.activated,
        formula=r"S_m = c (N_m S_{m-1} + \epsilon_m \| \max(|l^{m-1}|, |u^{m-1}|) \|_1)",
        domain="relu6, softplus, sigmoid, tanh, leaky ReLU, identity",
        decoys=(Decoy("weights that do not move", _any_network(_no_weights)),),
    ),
    ours(
        "joint.thm1.convolutions",
        at="Theorem 1, convolutions",
        says="a perturbed kernel acts like a dense layer with the largest window sum in place of ||h||_1",
        kind="bound",
        theory=_any_network(margins.theorem_increase),
        world=worlds.convolved,
        formula=r"S_m = N_m S_{m-1} + \epsilon_m \max_p \| u^{m-1}_{\mathrm{patch}(p)} \|_1",
        domain="convolutions with any stride, zero padding and dilation, pools, a dense last layer",
        decoys=(Decoy("weights that do not move", _any_network(_no_weights)),),
    ),
    textbook(
        "joint.convolution_norm",
        at="Theorem 1, convolutions",
        says="the l_inf norm of a convolution is its largest response of |K| to an image of ones",
        kind="identity",
        theory=_dense_norm(lambda layer, shape: layer.norm_inf(shape)),
        world=worlds.kernel,
        formula=r"\| \mathrm{conv}_K \|_\infty = \max\, \mathrm{conv}_{|K|}(1)",
        domain="any stride, zero padding and dilation",
        note="The sum of |K| over a channel is larger where no window lies inside the image.",
        code=Conv.norm_inf,
        decoys=(
            Decoy("the sum of |K|", _dense_norm(lambda layer, _: np.max(np.sum(np.abs(layer.weight), axis=(1, 2, 3))))),
            Decoy("the l_1 norm", _dense_norm(lambda layer, shape: layer.norm_one(shape))),
        ),
    ),
    textbook(
        "joint.certificate",
        at="Section 3.2",
        says="no attack within the budget takes a margin below the clean one less a bound for the pair [wrong class,"
        " label]",
        kind="bound",
        theory=_certificate(margins.interval_increase),
        world=worlds.certified,
        formula=r"f_{\hat W}^{yj}(\hat x) \ge f_W^{yj}(x) - B^{jy}",
        domain=f"{HIDDEN}, any valid bound B; the interval bound here",
        note="The interval bound is not symmetric in the pair: mind the order.",
        code=certified_margins,
        decoys=(Decoy("the pair the other way round", _certificate(_reversed_pair)),),
    ),
)
