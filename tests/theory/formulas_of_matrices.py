"""Formulas of weights and kernels: a name, and a function of a converter that each array goes through."""

from fractions import Fraction

import numpy as np

from theory import circulant, conditioning, convnorm, gaussian_spectrum, latent, truncation, wide_resnet

MODULES = (circulant, conditioning, convnorm, latent, truncation, wide_resnet)
# Full rank with different singular values, as numbers and as booleans; differences of small entries wrap if unsigned.
A = np.array([[3, 1, 0], [0, 2, 1], [0, 0, 1]])
TALL, WIDE, G = np.vstack([A, [[0, 1, 1]]]), A[:2], np.array([[1, 0, 0], [2, 1, 0], [0, 0, 3]])
X, Y, BIAS = np.array([1, 0, 2]), np.array([0, 2, 1]), np.array([0, 1, 3])
KERNEL = np.array([[[3, 1], [0, 2]], [[0, 1], [1, 1]]])  # two channels, two taps
WIDER = np.concatenate([KERNEL, KERNEL[:, :, ::-1]])  # two groups of two channels each
IMAGE = KERNEL[..., None] * np.ones((1, 1, 1, 2), int)
TOP, BOTTOM = np.array([2, 3, 1]), np.array([1, 0, 3])

FORMULAS = {
    "circulant.grouped": lambda of: circulant.grouped(of(WIDER), 2, 1),
    "circulant.transfer": lambda of: circulant.transfer(of(KERNEL), (4,)),
    "circulant.singular_values": lambda of: circulant.singular_values(of(WIDER), (4,), 2, 2),
    "circulant.spectral_norm": lambda of: circulant.spectral_norm(of(WIDER), (4,), groups=2),
    "circulant.condition": lambda of: circulant.condition(of(KERNEL), (3,)),
    "circulant.zero_padding_bound": lambda of: circulant.zero_padding_bound(of(KERNEL), (4,)),
    "circulant.batch_norm_factor": lambda of: circulant.batch_norm_factor(of(TOP), of(BOTTOM), 0.5),
    "circulant.fold_batch_norm": lambda of: circulant.fold_batch_norm(of(A), of(TOP)),
    **{
        f"conditioning.{name} {norm}": lambda of, name=name, norm=norm: getattr(conditioning, name)(of(TALL), norm)
        for name in ("matrix_norm", "condition")
        for norm in conditioning.NORMS
    },
    "conditioning.vector_norm 1": lambda of: conditioning.vector_norm(of(A), 1),
    "conditioning.vector_norm 2": lambda of: conditioning.vector_norm(of(A)),
    "conditioning.rank": lambda of: conditioning.rank(of(WIDE)),
    "conditioning.gauge_condition": lambda of: conditioning.gauge_condition(of(A)),
    "conditioning.relative_growth 1": lambda of: conditioning.relative_growth(of(A), of(X), of(Y), 1),
    "conditioning.relative_growth 2": lambda of: conditioning.relative_growth(of(A), of(X), of(Y)),
    "conditioning.printed_bound": lambda of: conditioning.printed_bound(of(A), of(X), of(Y)),
    "conditioning.row_space_bound": lambda of: conditioning.row_space_bound(of(WIDE), of(X), of(Y)),
    "conditioning.row_space_factor": lambda of: conditioning.row_space_factor(of(WIDE), of(X)),
    "conditioning.effective_condition 1": lambda of: conditioning.effective_condition(of(A), of(X), 1),
    "conditioning.effective_condition 2": lambda of: conditioning.effective_condition(of(A), of(X)),
    "conditioning.stretch_moments": lambda of: conditioning.stretch_moments(of(WIDE)),
    "conditioning.random_growth": lambda of: conditioning.random_growth(of(A), of(X)),
    "conditioning.leaky_outputs": lambda of: conditioning.leaky_outputs([of(TALL), of(TALL.T)], of(X), Fraction(1, 4)),
    "conditioning.lipschitz_product 1": lambda of: conditioning.lipschitz_product([of(A), of(WIDE)], 1),
    "conditioning.lipschitz_product 2": lambda of: conditioning.lipschitz_product([of(A), of(WIDE)]),
    "conditioning.telescoped_bound 1": lambda of: conditioning.telescoped_bound([of(A), of(A)], of(X), of(Y), norm=1),
    "conditioning.telescoped_bound 2": lambda of: conditioning.telescoped_bound([of(A), of(A)], of(X), of(Y)),
    "conditioning.leaky_product_bound": lambda of: conditioning.leaky_product_bound([of(A)] * 2, of(X), of(Y), 0.25),
    "conditioning.kernel_matrix": lambda of: conditioning.kernel_matrix(of(IMAGE), 2),
    "conditioning.convolution_norm_bounds": lambda of: conditioning.convolution_norm_bounds(of(IMAGE), 2),
    "conditioning.frobenius_condition_range": lambda of: conditioning.frobenius_condition_range(of(X + 1), 3),
    "conditioning.stable_rank": lambda of: conditioning.stable_rank(of(A)),
    "convnorm.row_norms": lambda of: convnorm.row_norms(of(KERNEL), (3,)),
    "convnorm.smallest_row_norm": lambda of: convnorm.smallest_row_norm(of(KERNEL), (3,)),
    "convnorm.vanishes": lambda of: convnorm.vanishes(of(KERNEL), (3,)),
    "convnorm.normaliser": lambda of: convnorm.normaliser(of(KERNEL), (3,)),
    "convnorm.suggested_epsilon": lambda of: convnorm.suggested_epsilon(of(KERNEL), (3,)),
    "convnorm.normalised_transfer": lambda of: convnorm.normalised_transfer(of(KERNEL), (3,)),
    "convnorm.normalised_kernel": lambda of: convnorm.normalised_kernel(of(KERNEL), (3,)),
    "convnorm.spectral_norm": lambda of: convnorm.spectral_norm(of(WIDER), (3,), 0.5, 2),
    "convnorm.tight_frame_deviation": lambda of: convnorm.tight_frame_deviation(of(KERNEL), (3,), 0.5),
    "convnorm.stack_bounds": lambda of: convnorm.stack_bounds(of(X)),
    "convnorm.comparison": lambda of: convnorm.comparison(of(WIDER), (3,), 2),
    "convnorm.equilibrated_condition_bound": lambda of: convnorm.equilibrated_condition_bound(of(A), of(X + 1)),
    "gaussian_spectrum.column_distances": lambda of: gaussian_spectrum.column_distances(of(TALL)),
    "latent.regauged": lambda of: latent.regauged(of(WIDE), of(A), of(G)),
    "latent.balanced_factors": lambda of: tuple(abs(factor) for factor in latent.balanced_factors(of(A))),
    "latent.imbalance": lambda of: latent.imbalance(of(WIDE), of(A)),
    "latent.certified_distance": lambda of: latent.certified_distance(of(X), of(Y + 1), 0.75),
    "latent.stall_penalty": lambda of: latent.stall_penalty(of(Y), of(np.array([1, 0, 1]))),
    "latent.recoded": lambda of: latent.recoded(of(A), of(BIAS), of(X), of(Y)),
    "latent.linear_projection": lambda of: latent.linear_projection(of(A), of(X)),
    "truncation.bottom_part": lambda of: truncation.bottom_part(of(A), 1),
    "truncation.shrink_bottom": lambda of: truncation.shrink_bottom(of(A), 2, 0.5),
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
    *("circulant.grouped", "circulant.fold_batch_norm", "conditioning.matrix_norm 1", "conditioning.matrix_norm inf"),
    *("conditioning.vector_norm 1", "conditioning.relative_growth 1", "conditioning.effective_condition 1"),
    *("conditioning.stretch_moments", "conditioning.leaky_outputs", "conditioning.lipschitz_product 1"),
    *("conditioning.telescoped_bound 1", "conditioning.kernel_matrix", "latent.recoded"),
    *("truncation.shrunk_margin", "truncation.keeps_for_every_share", "conditioning.frobenius_condition_range"),
}
COMPLEX = {  # entries of the first array: the matrix norms, and whatever is said of kernels
    *(name for name in FORMULAS if name.split(" ")[0] in ("conditioning.matrix_norm", "conditioning.condition")),
    *(name for name in FORMULAS if name.startswith(("circulant.", "convnorm."))),
    *("conditioning.vector_norm 1", "conditioning.vector_norm 2", "conditioning.rank", "conditioning.stable_rank"),
} - {"circulant.batch_norm_factor", "convnorm.stack_bounds"}
UNBOUNDED = {("wide_resnet.certified_radius", 1)}  # constants, where nothing is known; a sequence will do, too
