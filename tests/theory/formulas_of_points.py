"""Formulas of points, gradients and probes: a name, and a function of a converter that each array goes through."""

from fractions import Fraction

import numpy as np

from theory.conditioning import gradient_attacks
from theory.convolution import robust_accuracy
from theory.gradients import gradient_plane, path_length
from theory.points import last_column, optimal_tolerance, probes

MODULES = (gradient_attacks, gradient_plane, last_column, optimal_tolerance, path_length, probes, robust_accuracy)
# full rank as numbers and as booleans; a difference of small entries wraps in unsigned dtypes
A = np.array([[3, 1, 0], [0, 2, 1], [1, 0, 2]])
TALL = np.array([[3, 1], [0, 2], [1, 0]])
G, X, Y, Z = A[:2], np.array([0, 1, 3]), np.array([2, 1, 0]), np.array([1, 0, 1])
GRADIENTS, HALVES, BIAS = np.stack((A, A, A)), np.array([0, 1, 0]), np.array([0, 2, 1])
ONE, TWO = np.array([1, 1]), np.array([2, 3])
SURFACE, RADII = np.array([[1, 1], [1, 0]]), np.array([0, 3])


def always(slope):
    return lambda _: slope


FORMULAS = {
    "gradient_attacks.fast_gradient": lambda of: gradient_attacks.fast_gradient(of(A), of(BIAS), of(Z), 0.25, 2),
    "gradient_attacks.fast_gradient of a target": lambda of: gradient_attacks.fast_gradient(
        of(A), of(BIAS), of(A), 0.25, 2, target=True, box=(0, 4)
    ),
    "gradient_attacks.fast_gradient of a label": lambda of: gradient_attacks.fast_gradient(
        of(A), of(BIAS), of(A), 0.25, 2, box=None, label=np.array([2, 0, 1])
    ),
    "gradient_attacks.fast_gradient_accuracy": lambda of: gradient_attacks.fast_gradient_accuracy(
        of(A), of(BIAS), of(A), np.array([0, 1, 2]), 0.75, 3, box=None
    ),
    "gradient_attacks.two_class_attack": lambda of: gradient_attacks.two_class_attack(
        of(G), of(TWO), of(Z), 0.25, 2, label=np.array(1)
    ),
    "gradient_attacks.cross_entropy": lambda of: gradient_attacks.cross_entropy(of(A), of(BIAS), of(X), np.array(1)),
    "gradient_attacks.input_gradient": lambda of: gradient_attacks.input_gradient(of(A), of(BIAS), of(X), np.array(1)),
    "gradient_attacks.lost_radius": lambda of: gradient_attacks.lost_radius(of(A), of(BIAS), of(X)),
    "gradient_plane.projection": lambda of: gradient_plane.projection(of(G), of(X)),
    "gradient_plane.perturbation": lambda of: gradient_plane.perturbation(of(G), of(X), of(np.array(2))),
    "gradient_plane.compression": lambda of: gradient_plane.compression(of(G), of(X)),
    "gradient_plane.error_bound": lambda of: gradient_plane.error_bound(of(G), of(X), of(Y), of(ONE), of(TWO)),
    "gradient_plane.error_bound at the input": lambda of: gradient_plane.error_bound(of(G), of(X), of(Y), 1, 2, True),
    "gradient_plane.tanh_smoothness": lambda of: gradient_plane.tanh_smoothness(of(TWO), of(G)),
    "last_column.probing_vectors": lambda of: last_column.probing_vectors(of(TALL)),
    "last_column.outputs": lambda of: last_column.outputs(of(TALL), of(X)),
    "last_column.swap_perturbation": lambda of: last_column.swap_perturbation(of(A), 2, 0),
    "last_column.swap_size": lambda of: last_column.swap_size(of(A), 2, 0),
    "last_column.swap_bound": lambda of: last_column.swap_bound(of(A), 2, 0),
    "last_column.pair_margin": lambda of: last_column.pair_margin(of(A), 2, 0),
    "last_column.pair_margins": lambda of: last_column.pair_margins(of(A)),
    "last_column.untargeted_margins": lambda of: last_column.untargeted_margins(of(A)),
    "last_column.column_perturbation": lambda of: last_column.column_perturbation(of(A), 1),
    "last_column.targeted_perturbation": lambda of: last_column.targeted_perturbation(of(A), 2, 0),
    "last_column.flip_perturbation": lambda of: last_column.flip_perturbation(of(A), of(ONE)),
    "last_column.sign_outputs": lambda of: last_column.sign_outputs(of(TALL), of(X)),
    "optimal_tolerance.last_distance": lambda of: optimal_tolerance.last_distance(of(TALL)),
    "optimal_tolerance.fraction": lambda of: optimal_tolerance.fraction(of(TALL)),
    "optimal_tolerance.optimal_tolerance": lambda of: optimal_tolerance.optimal_tolerance(of(A), 0.5),
    "optimal_tolerance.point_tolerance": lambda of: optimal_tolerance.point_tolerance(of(A), of(np.ones(3, int)), 0.5),
    "optimal_tolerance.squared_tolerance": lambda of: optimal_tolerance.squared_tolerance(of(A), Fraction(1, 2)),
    "optimal_tolerance.linear_margin": lambda of: optimal_tolerance.linear_margin(of(A), 0.5),
    "optimal_tolerance.angle_cosines": lambda of: optimal_tolerance.angle_cosines(of(X), of(TALL)),
    "optimal_tolerance.angle_bounds": lambda of: optimal_tolerance.angle_bounds(of(Z), of(HALVES)),
    "optimal_tolerance.mean_square_cosine": lambda of: optimal_tolerance.mean_square_cosine(of(Z), of(HALVES), 4),
    "optimal_tolerance.margins": lambda of: optimal_tolerance.margins(of(X), of(TALL), 2),
    "path_length.cosines": lambda of: path_length.cosines(of(G), of(X)),
    "path_length.change_along": lambda of: path_length.change_along(of(A), of(X), of(HALVES)),
    "path_length.weighted_compression": lambda of: path_length.weighted_compression(of(A), of(X), of(HALVES)),
    "path_length.signed_length": lambda of: path_length.signed_length(of(A), of(X), of(Y), of(HALVES)),
    "path_length.first_order_length": lambda of: path_length.first_order_length(of(TWO), of(A[:2])),
    "path_length.quadrature_error": lambda of: path_length.quadrature_error(
        "ends", 3, (of(TWO), of(ONE)), (of(TWO), of(ONE)), of(TWO)
    ),
    "path_length.descent": lambda of: path_length.descent(always(of(Y)), of(X), 0.5, 2).points,
    "path_length.descent_change": lambda of: path_length.descent_change(of(GRADIENTS), of(Y)),
    "path_length.length_bounds": lambda of: path_length.length_bounds(of(X), of(Y), of(Z)),
    "path_length.ratio_bounds": lambda of: path_length.ratio_bounds(of(Z), of(ONE[:1]), of(TWO[:1])),
    "path_length.tie_ratio": lambda of: path_length.tie_ratio(of(Z), of(TWO[:1]), of(np.array([0]))),
    "path_length.sign_inflation": lambda of: path_length.sign_inflation(of(A)),
    "probes.probing_vectors": lambda of: probes.probing_vectors(of(A), [of(A), of(A)]),
    "probes.pair_distance": lambda of: probes.pair_distance(of(X), of(Y), of(X), of(np.array(2))),
    "probes.pair_perturbation": lambda of: probes.pair_perturbation(of(X), of(Y), of(X), of(np.array(2))),
    "probes.projected_distance": lambda of: probes.projected_distance(of(X), of(Y), of(X), of(Z)),
    "probes.class_distances": lambda of: probes.class_distances(of(A), of(X), 1, of(BIAS)),
    "probes.class_distances of a box": lambda of: probes.class_distances(of(A), of(X), 1, of(BIAS), "linf"),
    "probes.untargeted_distance": lambda of: probes.untargeted_distance(of(A), of(X), 1, of(BIAS)),
    "probes.worst_margin": lambda of: probes.worst_margin(of(A), of(X), 1, of(np.array(2)), of(BIAS)),
    "probes.sign_step": lambda of: probes.sign_step(of(A), of(X), 1, 0.5, of(BIAS)),
    "probes.targeted_perturbation": lambda of: probes.targeted_perturbation(of(A), of(X), 1, of(BIAS)),
    "robust_accuracy.area": lambda of: robust_accuracy.area(of(SURFACE), of(RADII), of(RADII)),
    "robust_accuracy.monotone_envelope": lambda of: robust_accuracy.monotone_envelope(of(A)),
    "robust_accuracy.joint_excess": lambda of: robust_accuracy.joint_excess(of(A)),
    "robust_accuracy.overfitted": lambda of: robust_accuracy.overfitted(of(X), of(Y), 0.5),
    "robust_accuracy.signed_step": lambda of: robust_accuracy.signed_step(of(X), of(Y), of(Z)),
    "robust_accuracy.projected_ascent": lambda of: robust_accuracy.projected_ascent(
        of(X), always(of(Y)), of(np.array(2)), of(np.array(1)), 3
    ),
    "robust_accuracy.MaskedMargin": lambda of: robust_accuracy.MaskedMargin(Fraction(1, 2), 1).margin(of(X)),
}
ON_NUMPY = {  # only
    *("last_column.targeted_perturbation", "probes.targeted_perturbation", "optimal_tolerance.optimal_tolerance"),
    *("optimal_tolerance.point_tolerance", "optimal_tolerance.squared_tolerance", "optimal_tolerance.linear_margin"),
}
EXACT = {  # in fractions, as their docstrings or those of their modules say
    *("gradient_plane.projection", "gradient_plane.perturbation", "probes.pair_perturbation", "probes.probing_vectors"),
    *("optimal_tolerance.squared_tolerance", "optimal_tolerance.mean_square_cosine", "path_length.change_along"),
    *("path_length.quadrature_error", "path_length.tie_ratio", "path_length.ratio_bounds", "robust_accuracy.area"),
    *("robust_accuracy.monotone_envelope", "robust_accuracy.joint_excess", "robust_accuracy.overfitted"),
    *("robust_accuracy.signed_step", "robust_accuracy.projected_ascent", "robust_accuracy.MaskedMargin"),
}
MISSING = {  # values may be: columns of records go through these
    *("optimal_tolerance.angle_bounds", "optimal_tolerance.mean_square_cosine", "path_length.tie_ratio"),
    *("path_length.quadrature_error", "path_length.ratio_bounds", "path_length.descent"),
}
SEQUENCES = {("optimal_tolerance.point_tolerance", 1)}  # signs may be one
