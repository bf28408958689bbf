"""Rows that hold of every network under a joint attack: certificates below what attacks leave, and what surfaces are.

They count networks, so that it takes some hundred to see a failure that is as rare as one in a hundred.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory.claims.joint.trained_settings import networks, tiny
from theory.convolution import robust_accuracy
from theory.joint import crown, margins, optimum
from theory.numerics.array import Array

SHARES = 1e-9  # of shares of the same images, which differ by whole images or not at all
SEEN = 0.02  # of accuracies that are alike: two images of a hundred


def _left(accuracy: Array, stronger: Array) -> Array:
    """What the stronger of two attacks leaves, (networks, x, w, 1); where there is no second one it is NaN."""
    return networks(np.fmin(accuracy, stronger))[..., None]


def _certified(
    certified_theorem: Array, certified_interval: Array, certified_crown: Array, accuracy: Array, stronger: Array
) -> Sides:
    """What each certificate certifies, (networks, x, w, certificates), against what attacks leave."""
    every = certified_theorem, certified_interval, certified_crown
    return Sides(np.stack(list(map(networks, every)), axis=-1), _left(accuracy, stronger))


def _inputs_alone(certified_crown: Array, accuracy: Array, stronger: Array) -> Sides:
    """What is certified while the weights stand still, against accuracies at every radius of weights."""
    return Sides(networks(certified_crown)[..., :1, None], _left(accuracy, stronger))


def _weights_alone(certified_crown: Array, accuracy: Array, stronger: Array) -> Sides:
    """What is certified while the inputs stand still, against accuracies at every radius of inputs."""
    return Sides(networks(certified_crown)[:, :1, :, None], _left(accuracy, stronger))


def _exact(exact: Array, accuracy: Array, stronger: Array) -> Sides:
    """What no perturbation at all turns, against what attacks leave."""
    return Sides(networks(exact)[..., None], _left(accuracy, stronger))


def _all_found(exact: Array, exact_open: Array, accuracy: Array) -> Sides:
    """What the paper's attack leaves, against what no perturbation turns, or may not turn for all that is known."""
    return Sides(networks(accuracy), networks(exact + exact_open))


def _order(certified_theorem: Array, certified_interval: Array, certified_crown: Array) -> Sides:
    """Certificates, each against the next better one."""
    every = [networks(column) for column in (certified_theorem, certified_interval, certified_crown)]
    return Sides(np.stack(every[:-1], axis=-1), np.stack(every[1:], axis=-1))


def _falls(accuracy: Array, monotone: Array) -> Sides:
    """Accuracy at larger radii, against that at the next smaller ones, (networks, pairs)."""
    pairs = [(accuracy[:, :, 1:], accuracy[:, :, :-1]), (accuracy[..., 1:], accuracy[..., :-1])]
    larger, smaller = (
        np.concatenate([networks(pair[k]).reshape(monotone.size, -1) for pair in pairs], axis=1) for k in (0, 1)
    )
    return Sides(larger, smaller + networks(monotone)[:, None])


def _rises(accuracy: Array, monotone: Array) -> Sides:
    """The other way round: both axes backwards."""
    return _falls(accuracy[..., ::-1, ::-1], monotone)


def _area(auc: Array, accuracy: Array, radii_x: Array, radii_w: Array) -> Sides:
    """The recorded AUC, against the trapezoid rule on the envelope of the recorded surface."""
    envelope, _ = robust_accuracy.monotone_envelope(accuracy)
    return Sides(networks(auc), networks(robust_accuracy.area(envelope, radii_x[0], radii_w[0])))


def _mean(auc: Array, accuracy: Array) -> Sides:
    return Sides(networks(auc), networks(np.mean(accuracy, axis=(-2, -1))))


def _reach(beyond: Array) -> Sides:
    """Accuracies at radii that are farther than all steps together, against that at the reach."""
    return Sides(networks(beyond[..., 1:]), networks(beyond[..., :1]))


def _of_the_paper(attack_steps: int, **_: object) -> bool:
    return attack_steps == 100


_row = partial(
    rows(
        "Joint margin bounds", study="empirical.joint_robustness", status="extension", credit="ours", tolerance=SHARES
    ),
    kind="bound",
    domain="every network, trained or not, at every pair of radii",
)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "joint.trained.certified",
        at="beside Theorem 1",
        says="no attack that was tried leaves fewer images right than tau + zeta, corrected, certifies, or intervals, "
        "or linear bounds",
        formula=r"\Pr[\max_{j \ne y} (B^{jy} - f_W^{yj}(x)) < 0] \le A(\epsilon_x, \epsilon_w)",
        theory=_certified,
        code=margins.theorem_increase,
        note="Of one perturbed network for many images an attack leaves no fewer than of one for each. The bounds "
        "leave room for rounding in float32.",
        decoys=(
            Decoy("what is certified of inputs alone holds when weights move, too", _inputs_alone),
            Decoy("what is certified of weights alone holds when inputs move, too", _weights_alone),
        ),
    ),
    _row(
        "joint.trained.certified.order",
        at="beside Theorem 1",
        says="what tau + zeta, corrected, certifies, intervals do, and linear bounds certify what intervals do",
        formula=r"\min(\mathrm{CROWN}, \mathrm{interval}) \le \mathrm{interval} \le \tau^{ij} + \zeta^{ij}",
        theory=_order,
        code=crown.tightest_increase,
        note="As joint.order.theorem and joint.order.tightest have it, on trained networks, in float64.",
        decoys=(
            Decoy(
                "tau + zeta certifies as much as linear bounds",
                lambda certified_crown, certified_theorem: Sides(
                    networks(certified_crown), networks(certified_theorem)
                ),
            ),
        ),
    ),
    _row(
        "joint.trained.exact",
        at="beside Theorem 1",
        says="no attack that was tried leaves fewer images right than no perturbation at all can turn",
        formula=r"\Pr[\max\mathrm{MILP} < 0] \le A(\epsilon_x, \epsilon_w)",
        domain="every dense network of a few units, at every pair of radii",
        theory=_exact,
        code=optimum.joint_optimum,
        where=tiny,
        decoys=(Decoy("the paper's attack turns all that can be turned", _all_found),),
    ),
    _row(
        "joint.trained.falls",
        at="Figure 1",
        says="accuracy under attack falls in both radii, but for what the attack misses",
        formula=r"A(\epsilon_x', \epsilon_w') \le A(\epsilon_x, \epsilon_w) + m, \quad"
        r" \epsilon' \ge \epsilon",
        theory=_falls,
        credit="textbook",
        code=robust_accuracy.monotone_envelope,
        note="m is recorded: the largest correction that a running minimum makes, a defect of the attack.",
        decoys=(Decoy("it rises in both", _rises),),
    ),
    _row(
        "joint.trained.area",
        at="Figure 1",
        says="the area that is recorded is the mean over the rectangle of radii of the surface's running minimum",
        formula=r"\mathrm{AUC} = \frac{1}{|X| |W|} \int \int \bar A(\epsilon_x, \epsilon_w)"
        r" \, d\epsilon_x \, d\epsilon_w",
        kind="identity",
        theory=_area,
        credit="textbook",
        code=robust_accuracy.area,
        decoys=(Decoy("the mean of the grid's values", _mean),),
    ),
    _row(
        "joint.trained.reach",
        at="Section 4.1",
        says="beyond 0.05 the paper's attack does no more to weights: its steps do not reach farther",
        formula=r"A(0, \epsilon_w) = A(0, T \alpha_w), \quad \epsilon_w \ge T \alpha_w = 0.05",
        domain="100 steps of 0.0005, inputs unmoved",
        kind="identity",
        theory=lambda beyond_printed: _reach(beyond_printed),
        code=robust_accuracy.steps_to_boundary,
        tolerance=SEEN,
        where=_of_the_paper,
        note="joint.attack.reach says it of any loss. What is left of the difference is rounding in the last step.",
        decoys=(
            Decoy("steps that go by the radius do no more, either", lambda beyond_rescaled: _reach(beyond_rescaled)),
        ),
    ),
    _row(
        "joint.trained.restored",
        at="Section 4.1",
        says="an attack on the weights leaves the stored ones bit for bit as they were",
        formula=r"\hat W^{(0)} = W",
        domain="every network, once all attacks are over",
        kind="identity",
        theory=lambda moved_weights: Sides(moved_weights, 0.0),
        code=robust_accuracy.projected_ascent,
        decoys=(Decoy("they are moved", lambda moved_weights: Sides(moved_weights, 1.0)),),
    ),
)
