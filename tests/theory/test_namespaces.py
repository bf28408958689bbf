"""Every formula on arrays gives the same numbers with NumPy, torch, the strict array API and, on a GPU, CuPy."""

import numpy as np
import pytest

from theory.conditioning import condition_numbers, gaussian_spectrum
from theory.convolution import circulant, convnorm, robust_accuracy, wide_resnet
from theory.gradients import gradient_plane, path_length
from theory.joint import certificates, crown, margins
from theory.latent import codes, truncation
from theory.points import last_column, optimal_tolerance, probes
from theory.things import boxes, kernels, normalisation, penalties, shrinking
from theory.things.layers import AveragePool, Conv, Dense, Flatten
from theory.things.network import Budget, Network

RNG = np.random.default_rng(3)
A, WIDE, TALL = (RNG.standard_normal(shape) for shape in ((5, 5), (3, 6), (6, 3)))
X, Y, DELTA = RNG.standard_normal((3, 6))
KERNEL = RNG.standard_normal((3, 2, 3, 3))
WEIGHTS = [RNG.standard_normal(shape) for shape in ((5, 6), (4, 5), (3, 4))]
BIASES = [RNG.standard_normal(n) for n in (5, 4, 3)]
IMAGES = RNG.random((2, 2, 5, 5))
LABELS = np.array([0, 2])
BUDGET = Budget(0.1, (0.02, 0.03, 0.01), 0.01)


def dense(of):
    return Network.dense([of(W) for W in WEIGHTS], [of(b) for b in BIASES])


def convolutional(of):
    head = np.linspace(-1, 1, 4 * 12).reshape(4, 12)
    return Network([Conv(of(KERNEL), None, 1, 1), AveragePool(2), Flatten(), Dense(of(head))])


def grouped(of):
    head = np.linspace(-1, 1, 4 * 4 * 25).reshape(4, 100)
    return Network(
        [
            Conv(of(KERNEL[:2, :1]), padding=1, groups=2),
            Conv(of(KERNEL[[0, 1, 2, 0], :1]), padding=1, groups=2),
            Flatten(),
            Dense(of(head)),
        ]
    )


FORMULAS = {
    "condition 1": lambda of: condition_numbers.condition(of(TALL), 1),
    "condition 2": lambda of: condition_numbers.condition(of(WIDE)),
    "condition inf strict": lambda of: condition_numbers.condition(of(A), np.inf, strict=True),
    "condition fro": lambda of: condition_numbers.condition(of(WIDE), "fro"),
    "gauge_condition": lambda of: condition_numbers.gauge_condition(of(WIDE)),
    "row_space_bound": lambda of: condition_numbers.row_space_bound(of(WIDE), of(X), of(DELTA)),
    "effective_condition": lambda of: condition_numbers.effective_condition(of(WIDE), of(X), 1),
    "kernel_matrix": lambda of: kernels.kernel_matrix(of(KERNEL)),
    "convolution_norm_bounds": lambda of: condition_numbers.convolution_norm_bounds(of(KERNEL)),
    "telescoped_bound": lambda of: condition_numbers.telescoped_bound([of(W) for W in WEIGHTS], of(X), of(DELTA)),
    "shrink_bottom": lambda of: shrinking.shrink_bottom(of(WIDE), 2, 0.1),
    "truncation_errors": lambda of: truncation.truncation_errors(of(WIDE), 2, 0.1),
    "margin_parts": lambda of: truncation.margin_parts(of(WIDE), of(X), 0, 1, 1),
    "energy_profile": lambda of: truncation.energy_profile(of(WIDE), of(DELTA)),
    "imbalance": lambda of: codes.imbalance(of(WIDE), of(TALL @ WIDE)),
    "singular_values": lambda of: circulant.singular_values(of(KERNEL), (6, 6), 2),
    "zero_padding_bound": lambda of: circulant.zero_padding_bound(of(KERNEL), (5, 5)),
    "circular condition": lambda of: circulant.condition(of(KERNEL), (5, 5)),
    "normalised_kernel": lambda of: normalisation.normalised_kernel(of(KERNEL), (4, 4)),
    "relative_normaliser": lambda of: normalisation.relative_normaliser(of(KERNEL), (4, 4), 1e-5),
    "normalised norm": lambda of: convnorm.spectral_norm(of(KERNEL), (4, 4), 1e-5),
    "norm comparison": lambda of: convnorm.comparison(of(KERNEL), (4, 4)),
    "projection": lambda of: gradient_plane.projection(of(WIDE), of(X)),
    "compression": lambda of: gradient_plane.compression(of(WIDE), of(X)),
    "cosines": lambda of: path_length.cosines(of(WIDE), of(DELTA)),
    "signed_length": lambda of: path_length.signed_length(of(WIDE), of(DELTA), of(X)),
    "length_bounds": lambda of: path_length.length_bounds(of(np.array([1.3, 2.0])), 0.7, 0.9),
    "sign_inflation": lambda of: path_length.sign_inflation(of(WIDE)),
    "class_distances": lambda of: probes.class_distances(of(WIDE), of(X), 0),
    "worst_margin": lambda of: probes.worst_margin(of(WIDE), of(X), 1, 0.1, norm="linf"),
    "angle_cosines": lambda of: optimal_tolerance.angle_cosines(of(A[0]), of(A)),
    "swap_perturbation": lambda of: last_column.swap_perturbation(of(A), 4, 3),
    "pair_margins": lambda of: last_column.pair_margins(of(A)),
    "untargeted_margins": lambda of: last_column.untargeted_margins(of(A)),
    "column_perturbation": lambda of: last_column.column_perturbation(of(A), 2),
    "flip_perturbation": lambda of: last_column.flip_perturbation(of(A), 1.0),
    "fraction": lambda of: optimal_tolerance.fraction(of(A)),
    "area": lambda of: robust_accuracy.area(of(np.eye(3)), of(np.arange(3.0)), of(np.arange(3.0))),
    "monotone_envelope": lambda of: robust_accuracy.monotone_envelope(of(np.abs(WIDE))),
    "grouped singular values": lambda of: circulant.singular_values(of(KERNEL), (6, 6), 2, 3),
    "vanishing": lambda of: normalisation.vanishes(of(KERNEL), (4, 4)),
    "telescoped bound": lambda of: condition_numbers.telescoped_bound(
        [of(1e200 * W) for W in WEIGHTS], of(X), of(DELTA)
    ),
    "column_distances": lambda of: gaussian_spectrum.column_distances(of(np.hstack([TALL, TALL[:, :1]]))),
    "regauged": lambda of: codes.regauged(of(TALL), of(WIDE), of(A[:3, :3])),
    "certified_distance": lambda of: codes.certified_distance(of(X), of(np.abs(Y)), 0.9),
    "certified_radius": lambda of: wide_resnet.certified_radius(of(WIDE[:2, :3]), of(LABELS), 2.0),
    "tau": lambda of: margins.tau(dense(of), of(X), BUDGET),
    "theorem_increase": lambda of: margins.theorem_increase(dense(of), of(np.stack([X, Y])), BUDGET),
    "clean_increase": lambda of: margins.clean_increase(dense(of), of(np.stack([X, Y])), BUDGET),
    "interval_increase": lambda of: margins.interval_increase(dense(of), of(np.stack([X, Y])), BUDGET),
    "margin_penalties": lambda of: penalties.margin_penalties(dense(of), of(np.stack([X, Y])), of(LABELS), BUDGET),
    "crown_increase": lambda of: crown.crown_increase(dense(of), of(np.stack([X, Y])), BUDGET),
    "joint_boxes": lambda of: boxes.logit_boxes(dense(of), of(np.stack([X, Y])), BUDGET),
    "convolutional interval": lambda of: margins.interval_increase(
        convolutional(of), of(IMAGES), Budget(0.1, 0.01), (0, 1)
    ),
    "convolutional theorem": lambda of: margins.theorem_increase(convolutional(of), of(IMAGES), Budget(0.1, 0.01)),
    "convolutional CROWN": lambda of: crown.crown_increase(convolutional(of), of(IMAGES), Budget(0.1, 0.01), (0, 1)),
    "grouped CROWN": lambda of: crown.crown_increase(grouped(of), of(IMAGES), Budget(0.1, 0.01), (0, 1)),
    "certified_margins": lambda of: certificates.certified_margins(
        dense(of).logits(of(np.stack([X, Y]))),
        of(LABELS),
        margins.interval_increase(dense(of), of(np.stack([X, Y])), BUDGET),
    ),
}


def flat(value):
    if isinstance(value, tuple):
        return np.concatenate([flat(part) for part in value])
    if hasattr(value, "get"):
        value = value.get()  # CuPy
    return np.atleast_1d(np.asarray(value)).ravel()


@pytest.fixture(params=["torch", "array_api_strict", "cupy"])
def namespace(request):
    xp = pytest.importorskip(request.param)
    if request.param == "cupy" and not xp.cuda.is_available():
        pytest.skip("no GPU")
    return xp


@pytest.mark.parametrize("name", FORMULAS)
def test_all_libraries_agree(name, namespace):
    formula = FORMULAS[name]
    expected, found = (flat(formula(convert)) for convert in (np.asarray, namespace.asarray))
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)
