"""Formulas of weights and kernels: a name, and a function of a converter that each array goes through."""

from fractions import Fraction

import numpy as np

from theory.conditioning import condition_numbers, gaussian_spectrum
from theory.convolution import circulant, convnorm, wide_resnet
from theory.latent import codes, truncation
from theory.things import kernels, normalisation, shrinking

MODULES = (circulant, codes, condition_numbers, convnorm, kernels, normalisation, shrinking, truncation, wide_resnet)
# Full rank with different singular values, as numbers and as booleans; differences of small entries wrap if unsigned.
A = np.array([[3, 1, 0], [0, 2, 1], [0, 0, 1]])
TALL, WIDE, G = np.vstack([A, [[0, 1, 1]]]), A[:2], np.array([[1, 0, 0], [2, 1, 0], [0, 0, 3]])
X, Y, BIAS = np.array([1, 0, 2]), np.array([0, 2, 1]), np.array([0, 1, 3])
KERNEL = np.array([[[3, 1], [0, 2]], [[0, 1], [1, 1]]])  # two channels, two taps
WIDER = np.concatenate([KERNEL, KERNEL[:, :, ::-1]])  # two groups of two channels each
IMAGE = KERNEL[..., None] * np.ones((1, 1, 1, 2), int)
TOP, BOTTOM = np.array([2, 3, 1]), np.array([1, 0, 3])

FORMULAS = {
    "kernels.grouped": lambda of: kernels.grouped(of(WIDER), 2, 1),
    "kernels.checked": lambda of: kernels.checked(of(KERNEL), (4,))[0],
    "kernels.kernel_matrices": lambda of: kernels.kernel_matrices(of(IMAGE), 2),
    "kernels.transfer half": lambda of: kernels.transfer(of(KERNEL), (4,), half=True),
    "kernels.transfer": lambda of: kernels.transfer(of(KERNEL), (4,)),
    "circulant.singular_values": lambda of: circulant.singular_values(of(WIDER), (4,), 2, 2),
    "circulant.spectral_norm": lambda of: circulant.spectral_norm(of(WIDER), (4,), groups=2),
    "circulant.condition": lambda of: circulant.condition(of(KERNEL), (3,)),
    "circulant.zero_padding_bound": lambda of: circulant.zero_padding_bound(of(KERNEL), (4,)),
    "kernels.batch_norm_factor": lambda of: kernels.batch_norm_factor(of(TOP), of(BOTTOM), 0.5),
    "kernels.fold_batch_norm": lambda of: kernels.fold_batch_norm(of(A), of(TOP)),
    **{
        f"condition_numbers.{function.__name__} {norm}": lambda of, function=function, norm=norm: function(
            of(TALL), norm
        )
        for function in (condition_numbers.matrix_norm, condition_numbers.condition)
        for norm in condition_numbers.NORMS
    },
    "condition_numbers.vector_norm 1": lambda of: condition_numbers.vector_norm(of(A), 1),
    "condition_numbers.vector_norm 2": lambda of: condition_numbers.vector_norm(of(A)),
    "condition_numbers.rank": lambda of: condition_numbers.rank(of(WIDE)),
    "condition_numbers.gauge_condition": lambda of: condition_numbers.gauge_condition(of(A)),
    "condition_numbers.relative_growth 1": lambda of: condition_numbers.relative_growth(of(A), of(X), of(Y), 1),
    "condition_numbers.relative_growth 2": lambda of: condition_numbers.relative_growth(of(A), of(X), of(Y)),
    "condition_numbers.printed_bound": lambda of: condition_numbers.printed_bound(of(A), of(X), of(Y)),
    "condition_numbers.row_space_bound": lambda of: condition_numbers.row_space_bound(of(WIDE), of(X), of(Y)),
    "condition_numbers.row_space_factor": lambda of: condition_numbers.row_space_factor(of(WIDE), of(X)),
    "condition_numbers.effective_condition 1": lambda of: condition_numbers.effective_condition(of(A), of(X), 1),
    "condition_numbers.effective_condition 2": lambda of: condition_numbers.effective_condition(of(A), of(X)),
    "condition_numbers.stretch_moments": lambda of: condition_numbers.stretch_moments(of(WIDE)),
    "condition_numbers.random_growth": lambda of: condition_numbers.random_growth(of(A), of(X)),
    "condition_numbers.leaky_outputs": lambda of: condition_numbers.leaky_outputs(
        [of(TALL), of(TALL.T)], of(X), Fraction(1, 4)
    ),
    "condition_numbers.lipschitz_product 1": lambda of: condition_numbers.lipschitz_product([of(A), of(WIDE)], 1),
    "condition_numbers.lipschitz_product 2": lambda of: condition_numbers.lipschitz_product([of(A), of(WIDE)]),
    "condition_numbers.telescoped_bound 1": lambda of: condition_numbers.telescoped_bound(
        [of(A), of(A)], of(X), of(Y), norm=1
    ),
    "condition_numbers.telescoped_bound 2": lambda of: condition_numbers.telescoped_bound([of(A), of(A)], of(X), of(Y)),
    "condition_numbers.leaky_product_bound": lambda of: condition_numbers.leaky_product_bound(
        [of(A)] * 2, of(X), of(Y), 0.25
    ),
    "kernels.kernel_matrix": lambda of: kernels.kernel_matrix(of(IMAGE), 2),
    "condition_numbers.convolution_norm_bounds": lambda of: condition_numbers.convolution_norm_bounds(of(IMAGE), 2),
    "condition_numbers.frobenius_condition_range": lambda of: condition_numbers.frobenius_condition_range(of(X + 1), 3),
    "condition_numbers.stable_rank": lambda of: condition_numbers.stable_rank(of(A)),
    "normalisation.row_norms": lambda of: normalisation.row_norms(of(KERNEL), (3,)),
    "normalisation.smallest_row_norm": lambda of: normalisation.smallest_row_norm(of(KERNEL), (3,)),
    "normalisation.vanishes": lambda of: normalisation.vanishes(of(KERNEL), (3,)),
    "normalisation.normaliser": lambda of: normalisation.normaliser(of(KERNEL), (3,)),
    "normalisation.relative_normaliser": lambda of: normalisation.relative_normaliser(of(KERNEL), (3,), 0.5),
    "normalisation.suggested_epsilon": lambda of: normalisation.suggested_epsilon(of(KERNEL), (3,)),
    "normalisation.normalised_transfer": lambda of: normalisation.normalised_transfer(of(KERNEL), (3,)),
    "normalisation.normalised_powers": lambda of: normalisation.normalised_powers(of(KERNEL), (3,), 0.5),
    "normalisation.normalised_kernel": lambda of: normalisation.normalised_kernel(of(KERNEL), (3,)),
    "convnorm.spectral_norm": lambda of: convnorm.spectral_norm(of(WIDER), (3,), 0.5, 2),
    "convnorm.tight_frame_deviation": lambda of: convnorm.tight_frame_deviation(of(KERNEL), (3,), 0.5),
    "convnorm.stack_bounds": lambda of: convnorm.stack_bounds(of(X)),
    "convnorm.comparison": lambda of: convnorm.comparison(of(WIDER), (3,), 2),
    "convnorm.equilibrated_condition_bound": lambda of: convnorm.equilibrated_condition_bound(of(A), of(X + 1)),
    "gaussian_spectrum.column_distances": lambda of: gaussian_spectrum.column_distances(of(TALL)),
    "codes.regauged": lambda of: codes.regauged(of(WIDE), of(A), of(G)),
    "codes.balanced_factors": lambda of: tuple(abs(factor) for factor in codes.balanced_factors(of(A))),
    "codes.imbalance": lambda of: codes.imbalance(of(WIDE), of(A)),
    "codes.certified_distance": lambda of: codes.certified_distance(of(X), of(Y + 1), 0.75),
    "codes.stall_penalty": lambda of: codes.stall_penalty(of(Y), of(np.array([1, 0, 1]))),
    "codes.recoded": lambda of: codes.recoded(of(A), of(BIAS), of(X), of(Y)),
    "codes.linear_projection": lambda of: codes.linear_projection(of(A), of(X)),
    "shrinking.decomposed": lambda of: shrinking.decomposed(of(A))[1],
    "shrinking.kept": lambda of: shrinking.kept(of(A), 1),
    "shrinking.bottom_part": lambda of: shrinking.bottom_part(of(A), 1),
    "shrinking.shrink_bottom": lambda of: shrinking.shrink_bottom(of(A), 2, 0.5),
    "truncation.truncation_errors": lambda of: truncation.truncation_errors(of(A), 2, 0.5),
    "truncation.margin_parts": lambda of: truncation.margin_parts(of(A), of(X), 0, 1, 1, of(BIAS)),
    "truncation.shrunk_margin": lambda of: truncation.shrunk_margin(of(TOP), of(BOTTOM), of(X)),
    "truncation.keeps_for_every_share": lambda of: truncation.keeps_for_every_share(of(TOP), of(BOTTOM)),
    "truncation.repair_share": lambda of: truncation.repair_share(of(TOP), of(BOTTOM)),
    "truncation.margin_change_bounds": lambda of: truncation.margin_change_bounds(of(A), of(X), 0, 1, 1, 0.5),
    "truncation.typical_margin_change": lambda of: truncation.typical_margin_change(of(A), of(X), 1, 0.5),
    "truncation.cascade_bounds": lambda of: truncation.cascade_bounds([of(A), of(G)], [of(X), of(Y)], [1, 2], 0.5),
    "truncation.cascade_margin_bound": lambda of: truncation.cascade_margin_bound(
        [of(A), of(G)], [of(X), of(Y)], [1, 2], 0.5, 0, 1
    ),
    "truncation.reachable_classes": lambda of: truncation.reachable_classes(of(A), 1),
    "truncation.energy_profile": lambda of: truncation.energy_profile(of(WIDE), of(X)),
    "truncation.gradient_energy": lambda of: truncation.gradient_energy(of(A), of(X)),
    "wide_resnet.lipschitz": lambda of: wide_resnet.lipschitz(2.0, [wide_resnet.Block(1, 2, 3)], 0.5, of(X)),
    "wide_resnet.certified_radius": lambda of: wide_resnet.certified_radius(of(A), np.array([0, 1, 2]), of(A + 1)),
}
ON_NUMPY = {"truncation.reachable_classes"}
EXACT = {  # in fractions, as their docstrings or those of their modules say
    *("kernels.grouped", "kernels.fold_batch_norm", "kernels.kernel_matrix", "kernels.kernel_matrices"),
    *(
        f"condition_numbers.{name} 1"
        for name in ("matrix_norm", "vector_norm", "lipschitz_product", "telescoped_bound")
    ),
    *("condition_numbers.matrix_norm inf", "condition_numbers.relative_growth 1", "condition_numbers.leaky_outputs"),
    *("condition_numbers.effective_condition 1", "condition_numbers.stretch_moments", "codes.recoded"),
    *("truncation.shrunk_margin", "truncation.keeps_for_every_share", "condition_numbers.frobenius_condition_range"),
}
COMPLEX = {  # entries of the first array: the matrix norms, and whatever is said of kernels
    *(name for name in FORMULAS if name.startswith(("condition_numbers.matrix_norm ", "condition_numbers.condition "))),
    *(name for name in FORMULAS if name.startswith(("circulant.", "convnorm.", "kernels.", "normalisation."))),
    *(f"condition_numbers.{name}" for name in ("vector_norm 1", "vector_norm 2", "rank", "stable_rank")),
} - {
    *("kernels.batch_norm_factor", "kernels.kernel_matrix", "kernels.kernel_matrices", "kernels.transfer half"),
    *("convnorm.stack_bounds", "normalisation.relative_normaliser"),
}
UNBOUNDED = {("wide_resnet.certified_radius", 1)}  # constants, where nothing is known; a sequence will do, too
