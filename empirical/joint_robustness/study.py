"""Robustness against perturbations of inputs and weights at once, of networks that were trained for some of it.

Seven trainings begin with the same weights and meet the same images. Each of their networks is attacked by the joint
projected gradient ascent of "Joint margin bounds", Section 4.1, on a grid of input and weight radii, and what no
perturbation can turn is certified (Figure 1). One draw is one seed with all its trainings.

The paper prints neither data nor network nor budgets nor coefficients. The defaults were searched on held-out training
images of MNIST (`--held-out 1`), each training's by its own area under the surface of the dense network. Where zeta
weighs too much nothing is learned: the loss falls faster as all logits vanish. It does so at 0.03 where inputs are
attacked (0.02 with the corrected zeta), and at 0.2 where they are not (0.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from empirical.joint_robustness.measure import STATISTICS, measure
from empirical.joint_robustness.trainings import Setting, check_counts
from empirical.shared import seeds
from empirical.shared.axes import between, whole
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among, switch

DATASETS = ("mnist", "fashion-mnist", "digits")
ARCHITECTURES = ("mlp", "cnn", "tiny")
ZETAS = ("printed", "corrected")
WEIGHTS = ("batch", "image")


def points(dataset: Sequence[str], **axes: Sequence[Any]) -> list[Point]:
    """As `seeds.points`.

    Raises
    ------
    UsageError : there are fewer training images than asked for; the printed zeta with convolutions or biases, for which
        it is not stated.
    """
    found = seeds.points(dataset, **axes)
    for point in found:
        check_counts(Setting(**point))
    for point in found:
        if point["zeta"] == "printed" and (point["architecture"] == "cnn" or point["biases"]):
            raise UsageError(
                "--zeta must be corrected with --architecture cnn or --biases 1, got printed: the paper states it for "
                "dense layers without biases"
            )
    return found


STUDY = Study(
    name="empirical.joint_robustness",
    says="accuracy under joint attacks on inputs and weights, by training (Joint margin bounds, Figure 1)",
    grid={
        "dataset": Axis(among(DATASETS, "--dataset"), ["mnist"], f"{', '.join(DATASETS)}; a list sweeps"),
        "architecture": Axis(
            among(ARCHITECTURES, "--architecture"),
            ["mlp"],
            "mlp, 784-128-64-10; cnn, two small convolutions and a dense layer; tiny, 16-8-6-10 on images of 4 x 4 "
            "pixels, for which the exact optimum is found, too",
        ),
        "biases": Axis(switch("--biases"), [0], "1 for networks with biases, which the paper's theorem has not"),
        "zeta": Axis(
            among(ZETAS, "--zeta"), ["printed"], "of the penalties: as printed, or corrected, so that it is a bound"
        ),
        "alpha_tau": Axis(between("--alpha-tau"), [0.003], "coefficient of tau, the paper's alpha"),
        "beta": Axis(between("--beta"), [0.05], "coefficient of zeta beside the loss at clean inputs"),
        "beta_attacked": Axis(
            between("--beta-attacked"), [0.015], "the same beside the loss at attacked inputs, where less is borne"
        ),
        "radius_x": Axis(between("--radius-x"), [0.1], "of inputs, in training"),
        "radius_w": Axis(between("--radius-w"), [0.005], "of weights, in training"),
        "epochs": Axis(whole(1, "--epochs"), [10], "of training"),
        "training": Axis(whole(1, "--training"), [10_000], "training images"),
        "images": Axis(whole(1, "--images"), [300], "images that are attacked, at most"),
        "held_out": Axis(
            switch("--held-out"), [0], "1 to attack the held-out last training images in place of test images"
        ),
        "weights": Axis(
            among(WEIGHTS, "--weights"),
            ["batch"],
            "batch, one perturbation of the weights for all of 100 images; image, one for each, which takes longer",
        ),
        "attack_steps": Axis(whole(1, "--attack-steps"), [100], "of the attacks"),
        "restarts": Axis(whole(0, "--restarts", 10_000), [0], "random starts of the stronger attack; 0 leaves it out"),
        "grid_x": Axis(whole(2, "--grid-x", 1000), [6], "input radii from 0 to 0.3"),
        "grid_w": Axis(whole(2, "--grid-w", 1000), [6], "weight radii from 0 to 0.02"),
    },
    points=points,
    methods={
        "trained": Method(
            "networks trained in seven ways from each seed",
            seeds.draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda **_: 1,
            block=1,
        )
    },
)
