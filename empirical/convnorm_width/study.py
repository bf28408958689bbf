"""WideResNets by width and normalisation, trained adversarially, under attacks of one step and of many.

ConvNorm, Section 4: WideResNet-16-k, k = 1, ..., 5, without normalisation, with BatchNorm, with ConvNorm, with both, on
CIFAR-10 by free adversarial training (Table 1, Figures 2 and 3). Accuracy under FGSM and PGD is followed from epoch to
epoch on held-out images, since a training whose attack is one step may overfit to that step from one epoch to the next;
the alternative is a training by PGD. The spectral norm of every layer is recorded (Figure 1, for a ResNet18, too).

What the paper does not say is an axis. Defaults are the choices of the code that it cites where the numbers stay
meaningful: BatchNorm within the ConvNorm layer, a detached normaliser with a running average, perturbations that begin
with 0 in each batch, as many epochs as without replays. But nothing that is judged is trained on, and the last network
is taken: the best by clean accuracy is the one that has given up its robustness. One draw is one seed with all its
networks. The default sizes are for two cores and some twenty minutes, far below what such networks need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from empirical.convnorm_width.measure import STATISTICS, measure
from empirical.convnorm_width.trainings import HELD_OUT, NORMALISATIONS
from empirical.data import load
from empirical.shared import seeds
from empirical.shared.axes import whole
from fragility.engine.memory import TRAINED, check_memory
from fragility.engine.study import Axis, Method, Point, Study, UsageError, among, integer, switch

DATASETS = ("cifar10", "digits")
ADVERSARIES = ("free", "pgd")
NOISES = ("zero", "carried", "random")
JUDGED = ("held_out", "test")
KEPT = ("last", "best")
SQUARE = 170_000  # weights of WideResNet-16-k over k^2, from below
PRECISIONS = ("bfloat16", "float32")


def points(dataset: Sequence[str], **axes: Sequence[Any]) -> list[Point]:
    """As `seeds.points`.

    Raises
    ------
    UsageError : the networks do not fit into memory; there are fewer training images than asked for that are not held
        out.
    """
    widest = max(int(factor) for widths in axes["widths"] for factor in widths.split("+"))
    check_memory(f"a WideResNet-16-{widest}", SQUARE * widest**2, TRAINED, "choose smaller --widths")
    for name in dataset:
        count = len(load(name, "train"))
        if max(axes["training"]) > count - count // HELD_OUT:
            raise UsageError(
                f"--training must be at most {count - count // HELD_OUT} for {name}, whose last {count // HELD_OUT} "
                f"training images are held out, got {max(axes['training'])}"
            )
    return seeds.points(dataset, **axes)


def _widths(text: str) -> list[str]:
    """Widening factors joined by +, increasing, in their shortest form; a comma parts one point from another."""
    found = []
    for part in text.split(","):
        factors = [integer(factor, 1, "--widths") for factor in part.split("+")]
        if factors != sorted(set(factors)):
            raise UsageError(f"--widths must increase from one to the next, joined by +, got {part}")
        found.append("+".join(map(str, factors)))
    return found


def _normalisations(text: str) -> list[str]:
    """Some of `NORMALISATIONS` in their order, joined by +."""
    parse = among(NORMALISATIONS, "--normalisations")
    for part in text.split(","):
        names = [name for entry in part.split("+") for name in parse(entry)]
        if names != [name for name in NORMALISATIONS if name in names]:
            raise UsageError(f"--normalisations must be in the order {'+'.join(NORMALISATIONS)}, got {part}")
    return text.split(",")


STUDY = Study(
    name="empirical.convnorm_width",
    says="WideResNets by width and normalisation under FGSM and PGD (ConvNorm, Table 1, Figures 1 to 3)",
    grid={
        "dataset": Axis(
            among(DATASETS, "--dataset"), ["cifar10"], "cifar10; digits, of 8 x 8 grey pixels, for a try; a list sweeps"
        ),
        "widths": Axis(_widths, ["1+2"], "widening factors k, joined by +: one point; a list sweeps: 1+2,3"),
        "normalisations": Axis(
            _normalisations, ["+".join(NORMALISATIONS)], "of each width, joined by +; a list sweeps"
        ),
        "adversary": Axis(
            among(ADVERSARIES, "--adversary"),
            ["free"],
            "of the training: free, one step of the perturbation with each step of the weights; pgd, ten steps of "
            "2/255 from a random start before each",
        ),
        "epochs": Axis(whole(1, "--epochs"), [4], "of training"),
        "batch": Axis(
            whole(1, "--batch"), [32], "images in a step; the cited code has 128, for far more of them than here"
        ),
        "replays": Axis(whole(1, "--replays"), [4], "steps on each batch in free training"),
        "divided": Axis(switch("--divided"), [0], "1 to divide the epochs by the replays, as the method was published"),
        "noise": Axis(
            among(NOISES, "--noise"),
            ["zero"],
            "how a batch's perturbation begins: zero, as in the cited code; carried, where that of the batch before "
            "ended, as the method was published; random, uniform in the ball",
        ),
        "inner_bn": Axis(
            switch("--inner-bn"), [1], "BatchNorm within each ConvNorm layer, the default of the cited code; 0: none"
        ),
        "detached": Axis(
            switch("--detached"), [1], "a normaliser that counts as a constant for gradients, as there; 0: it does not"
        ),
        "running": Axis(
            switch("--running"),
            [1],
            "a running average of the normaliser in evaluation, as there; 0: its own kernel's",
        ),
        "leak": Axis(switch("--leak"), [0], "1 to train on the held-out images, too, as the cited code may"),
        "evaluated": Axis(
            among(JUDGED, "--evaluated"),
            ["held_out"],
            "images that accuracies are of: held_out, the paper's words; test, those of its cited code",
        ),
        "kept": Axis(
            among(KEPT, "--kept"),
            ["last"],
            "network of which epoch: the last, or, as in the cited code, the best by clean accuracy on watched images",
        ),
        "training": Axis(
            whole(1, "--training"), [600], "training images, the first; the last tenth of all of them is held out"
        ),
        "watched": Axis(whole(1, "--watched"), [25], "held-out images looked at after each epoch, at most"),
        "images": Axis(whole(1, "--images"), [100], "images that accuracies are of, at most"),
        "curve_images": Axis(whole(1, "--curve-images"), [10], "of these, for accuracy over the radius"),
        "auto_images": Axis(whole(0, "--auto-images"), [0], "of these, for AutoAttack; 0 leaves it out"),
        "precision": Axis(
            among(PRECISIONS, "--precision"), ["bfloat16"], "of training, bfloat16 or float32; measured in float32"
        ),
        "resnet": Axis(
            whole(0, "--resnet"), [0], "epochs of the ResNet18 of Figure 1; 0 for its initial weights alone"
        ),
    },
    points=points,
    methods={
        "trained": Method(
            "networks of all widths and normalisations from each seed",
            seeds.draw,
            STATISTICS.checked(measure),
            STATISTICS,
            lambda **_: 1,
            block=1,
        )
    },
)
