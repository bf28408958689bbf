"""Sizes, counts, classes and heights are integers or an error, in one line, wherever theory/ takes one."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest

import theory
from theory import evaluations, reported
from theory.conditioning import (
    condition_numbers,
    gaussian_condition,
    gaussian_spectrum,
    gradient_attacks,
    three_column_condition,
    universality,
)
from theory.convolution import circulant, convnorm, robust_accuracy, wide_resnet
from theory.gradients import gradient_plane, path_length
from theory.joint import certificates, optimum
from theory.latent import codes, truncation
from theory.laws import chi_product, chi_square_pair
from theory.points import attack_size, last_column, nearest, optimal_tolerance, probes, separation
from theory.products import depth, fraction, qr_product, selection
from theory.things import kernels, layers, network, normalisation, shrinking
from theory.things.network import Budget, Network

DATA = np.random.default_rng(0).standard_normal((6, 6))
IMAGES = np.ones((3, 1, 2, 2))
KERNEL = np.random.default_rng(1).standard_normal((3, 3, 2))
NETWORK = Network.dense([DATA[:5], DATA[:, :5]])
BUDGET = Budget(0.01, 0.0, 0.0)
LABEL = int(np.argmax(NETWORK.logits(DATA[0])))
RIGHT, WRONG = 3, (2.9, "3", 3.0, None, [3], np.float64(3), True)
# right values, where 3 is none
RIGHTS = {
    "reported.condition_number.table": 2,
    "reported.attacked_accuracy.table": 2,
    "reported.clean_accuracy.table": 2,
    "reported.robust_accuracy.top": 5,
}


# module.function.parameter -> a call with this value of it, and the least value that is right
SIZES = {
    "attack_size.swap_law.n": (lambda v: attack_size.swap_law(v, (5,)), 2),
    "attack_size.pair_margin_law.n": (lambda v: attack_size.pair_margin_law(v, (5,)), 2),
    "attack_size.flip_law.n": (lambda v: attack_size.flip_law(v, (5,)), 1),
    "attack_size.bound_mean.n": (lambda v: attack_size.bound_mean(v, (5,)), 2),
    "attack_size.target_probability.n": (lambda v: attack_size.target_probability(v, 5), 2),
    "attack_size.target_probability.d": (lambda v: attack_size.target_probability(2, v), 2),
    "attack_size.ColumnLaw.n": (lambda v: attack_size.ColumnLaw(v, 5), 2),
    "attack_size.ColumnLaw.d": (lambda v: attack_size.ColumnLaw(2, v), 2),
    "attack_size.column_law.n": (lambda v: attack_size.column_law(v, 5), 2),
    "attack_size.column_law.d": (lambda v: attack_size.column_law(2, v), 2),
    "attack_size.typical_average_tolerance.d": (attack_size.typical_average_tolerance, 2),
    "attack_size.typical_nearest_tolerance.d": (attack_size.typical_nearest_tolerance, 2),
    "chi_square_pair.ChiSquarePair.degrees": (lambda v: chi_square_pair.ChiSquarePair(v, 1.0, 2.0), 1),
    "kernels.grouped.groups": (lambda v: kernels.grouped(KERNEL, v, 1), 1),
    "kernels.grouped.dims": (lambda v: kernels.grouped(np.ones((3, 3, 1, 1, 1)), 1, v), 1),
    "circulant.singular_values.stride": (lambda v: circulant.singular_values(KERNEL, (9,), v), 1),
    "circulant.singular_values.groups": (lambda v: circulant.singular_values(KERNEL, (9,), 1, v), 1),
    "circulant.spectral_norm.stride": (lambda v: circulant.spectral_norm(KERNEL, (9,), v), 1),
    "circulant.spectral_norm.groups": (lambda v: circulant.spectral_norm(KERNEL, (9,), 1, v), 1),
    "circulant.condition.stride": (lambda v: circulant.condition(KERNEL, (9,), v), 1),
    "circulant.condition.groups": (lambda v: circulant.condition(KERNEL, (9,), 1, v), 1),
    "circulant.padded_grid.stride": (lambda v: circulant.padded_grid((9,), (2,), v), 1),
    "circulant.zero_padding_bound.stride": (lambda v: circulant.zero_padding_bound(KERNEL, (9,), v), 1),
    "circulant.zero_padding_bound.groups": (lambda v: circulant.zero_padding_bound(KERNEL, (9,), 1, v), 1),
    "kernels.kernel_matrix.groups": (lambda v: kernels.kernel_matrix(IMAGES, v), 1),
    "kernels.kernel_matrices.groups": (lambda v: kernels.kernel_matrices(IMAGES, v), 1),
    "condition_numbers.convolution_norm_bounds.groups": (
        lambda v: condition_numbers.convolution_norm_bounds(IMAGES, v),
        1,
    ),
    "condition_numbers.frobenius_condition_range.rank": (
        lambda v: condition_numbers.frobenius_condition_range(2.0, v),
        2,
    ),
    "convnorm.spectral_norm.groups": (lambda v: convnorm.spectral_norm(KERNEL, (9,), 0.1, v), 1),
    "convnorm.norm_range.channels_out": (lambda v: convnorm.norm_range(v, 3), 1),
    "convnorm.norm_range.channels_in": (lambda v: convnorm.norm_range(3, v), 1),
    "convnorm.norm_range.groups": (lambda v: convnorm.norm_range(3, 3, v), 1),
    "convnorm.typical_norm.channels_out": (lambda v: convnorm.typical_norm(v, 3), 1),
    "convnorm.typical_norm.channels_in": (lambda v: convnorm.typical_norm(3, v), 1),
    "convnorm.comparison.groups": (lambda v: convnorm.comparison(KERNEL, (9,), v), 1),
    "convnorm.expected_row_power.channels_in": (lambda v: convnorm.expected_row_power(v, (3,), 1.0), 1),
    "convnorm.row_power_law.channels_in": (lambda v: convnorm.row_power_law(v, (3,), (8,), (1,)), 1),
    "convnorm.overlap_law.channels_in": (lambda v: convnorm.overlap_law(v, (3,), (8,), (0,)), 2),
    "depth.lyapunov_exponents.n": (lambda v: depth.lyapunov_exponents(v, (5,)), 1),
    "depth.extreme_exponents.n": (lambda v: depth.extreme_exponents(v, (5,)), 1),
    "depth.breakdown_depth.n": (depth.breakdown_depth, 2),
    "evaluations.fraction.n": (lambda v: evaluations.fraction(v), 2),
    "evaluations.fraction.layers": (lambda v: evaluations.fraction(3, v), 1),
    "evaluations.compression.n": (lambda v: evaluations.compression(v), 2),
    "evaluations.compression.kept": (lambda v: evaluations.compression(5, v), 1),
    "evaluations.compression.layers": (lambda v: evaluations.compression(5, 2, v), 1),
    "evaluations.diagonal.n": (lambda v: evaluations.diagonal(v, 1), 1),
    "evaluations.diagonal.k": (lambda v: evaluations.diagonal(5, v), 1),
    "evaluations.diagonal.layers": (lambda v: evaluations.diagonal(5, 1, v), 1),
    "evaluations.swap.n": (lambda v: evaluations.swap(v), 2),
    "evaluations.swap.layers": (lambda v: evaluations.swap(5, v), 1),
    "evaluations.pair_margin.n": (lambda v: evaluations.pair_margin(v), 2),
    "evaluations.pair_margin.layers": (lambda v: evaluations.pair_margin(5, v), 1),
    "evaluations.flip.n": (lambda v: evaluations.flip(v), 1),
    "evaluations.flip.layers": (lambda v: evaluations.flip(5, v), 1),
    "evaluations.untargeted.n": (lambda v: evaluations.untargeted(v, 5), 2),
    "evaluations.untargeted.d": (lambda v: evaluations.untargeted(2, v), 2),
    "evaluations.distance.n": (lambda v: evaluations.distance(v), 1),
    "evaluations.distance.layers": (lambda v: evaluations.distance(5, v), 1),
    "evaluations.gradient_span.d": (lambda v: evaluations.gradient_span(v), 3),
    "evaluations.gradient_span.gradients": (lambda v: evaluations.gradient_span(5, v), 1),
    "evaluations.difficulty.d": (lambda v: evaluations.difficulty(v), 3),
    "evaluations.difficulty.gradients": (lambda v: evaluations.difficulty(5, v), 1),
    "evaluations.closest_pair.d": (lambda v: evaluations.closest_pair(v, 3), 1),
    "evaluations.closest_pair.points": (lambda v: evaluations.closest_pair(3, v), 2),
    "evaluations.sign_vectors.d": (lambda v: evaluations.sign_vectors(v), 1),
    "evaluations.target_probability.n": (lambda v: evaluations.target_probability(v, 5), 2),
    "evaluations.target_probability.d": (lambda v: evaluations.target_probability(2, v), 2),
    "evaluations.interpolation_probability.m": (lambda v: evaluations.interpolation_probability(v), 1),
    "evaluations.lyapunov.n": (lambda v: evaluations.lyapunov(v), 2),
    "evaluations.lyapunov.layers": (lambda v: evaluations.lyapunov(5, v), 1),
    "evaluations.normalised_norm.channels_out": (lambda v: evaluations.normalised_norm(v, 3), 1),
    "evaluations.normalised_norm.channels_in": (lambda v: evaluations.normalised_norm(3, v), 1),
    "evaluations.normalised_norm.groups": (lambda v: evaluations.normalised_norm(3, 3, v), 1),
    "evaluations.wide_resnet_weights.widen": (evaluations.wide_resnet_weights, 1),
    "evaluations.convolution_norm.size": (lambda v: evaluations.convolution_norm({"": KERNEL}, v), 1),
    "evaluations.convolution_norm.stride": (lambda v: evaluations.convolution_norm({"": KERNEL}, 9, v), 1),
    "evaluations.convolution_norm.groups": (lambda v: evaluations.convolution_norm({"": KERNEL}, 9, 1, v, 0.1), 1),
    "fraction.FractionLaw.n": (lambda v: fraction.FractionLaw(v, (5,)), 2),
    "fraction.fraction_law.n": (lambda v: fraction.fraction_law(v, (5,)), 2),
    "fraction.compression_law.n": (lambda v: fraction.compression_law(v, (5,), 1), 2),
    "fraction.compression_law.kept": (lambda v: fraction.compression_law(5, (5,), v), 1),
    "gaussian_condition.TwoColumnCondition.m": (gaussian_condition.TwoColumnCondition, 2),
    "gaussian_condition.two_column_frobenius.m": (gaussian_condition.two_column_frobenius, 2),
    "gaussian_condition.squared_growth_law.degrees": (gaussian_condition.squared_growth_law, 1),
    "gaussian_condition.edge_ratio.m": (lambda v: gaussian_condition.edge_ratio(v, 1), 2),
    "gaussian_condition.edge_ratio.n": (lambda v: gaussian_condition.edge_ratio(5, v), 1),
    "gaussian_condition.tall_condition.m": (lambda v: gaussian_condition.tall_condition(v, 2), 3),
    "gaussian_condition.tall_condition.n": (lambda v: gaussian_condition.tall_condition(5, v), 2),
    "gaussian_spectrum.smallest_singular_law.n": (gaussian_spectrum.smallest_singular_law, 1),
    "gaussian_spectrum.SmallestSingular.n": (gaussian_spectrum.SmallestSingular, 1),
    "gaussian_spectrum.small_ball_constant.n": (gaussian_spectrum.small_ball_constant, 1),
    "gaussian_spectrum.extreme_interval.m": (lambda v: gaussian_spectrum.extreme_interval(v, 1, 0.1), 1),
    "gaussian_spectrum.extreme_interval.n": (lambda v: gaussian_spectrum.extreme_interval(5, v, 0.1), 1),
    "gradient_attacks.fast_gradient.steps": (
        lambda v: gradient_attacks.fast_gradient(DATA, DATA[0], DATA[1], 0.1, v),
        0,
    ),
    "gradient_attacks.fast_gradient_accuracy.steps": (
        lambda v: gradient_attacks.fast_gradient_accuracy(DATA, DATA[0], DATA, np.arange(6), 0.1, v),
        0,
    ),
    "gradient_attacks.two_class_attack.steps": (
        lambda v: gradient_attacks.two_class_attack(DATA[:2], DATA[0, :2], DATA[1], 0.1, v, box=None),
        0,
    ),
    "gradient_plane.span_law.d": (lambda v: gradient_plane.span_law(v, 1), 2),
    "gradient_plane.span_law.gradients": (lambda v: gradient_plane.span_law(5, v), 1),
    "gradient_plane.size_law.gradients": (gradient_plane.size_law, 1),
    "gradient_plane.log_gradient_moments.d": (lambda v: gradient_plane.log_gradient_moments(v, (2,)), 1),
    "certificates.certified_scale.label": (
        lambda v: certificates.certified_scale(NETWORK, DATA[0], v, BUDGET),
        0,
    ),
    "certificates.certified_scale.steps": (
        lambda v: certificates.certified_scale(NETWORK, DATA[0], LABEL, BUDGET, steps=v),
        1,
    ),
    "optimum.worst_margin.label": (lambda v: optimum.worst_margin(NETWORK, DATA[0], v, BUDGET), 0),
    "last_column.swap_perturbation.label": (lambda v: last_column.swap_perturbation(DATA, v, 0), 0),
    "last_column.swap_perturbation.target": (lambda v: last_column.swap_perturbation(DATA, 0, v), 0),
    "last_column.swap_size.label": (lambda v: last_column.swap_size(DATA, v, 0), 0),
    "last_column.swap_size.target": (lambda v: last_column.swap_size(DATA, 0, v), 0),
    "last_column.swap_bound.label": (lambda v: last_column.swap_bound(DATA, v, 0), 0),
    "last_column.swap_bound.target": (lambda v: last_column.swap_bound(DATA, 0, v), 0),
    "last_column.pair_margin.label": (lambda v: last_column.pair_margin(DATA, v, 0), 0),
    "last_column.pair_margin.target": (lambda v: last_column.pair_margin(DATA, 0, v), 0),
    "last_column.column_perturbation.label": (lambda v: last_column.column_perturbation(DATA, v), 0),
    "last_column.targeted_perturbation.label": (lambda v: last_column.targeted_perturbation(DATA, v, 0), 0),
    "last_column.targeted_perturbation.target": (lambda v: last_column.targeted_perturbation(DATA, 0, v), 0),
    "codes.represents_every_map.width": (lambda v: codes.represents_every_map(v, 3, 3), 1),
    "codes.represents_every_map.inputs": (lambda v: codes.represents_every_map(3, v, 3), 1),
    "codes.represents_every_map.classes": (lambda v: codes.represents_every_map(3, 3, v), 1),
    "layers.Conv.groups": (lambda v: layers.Conv(np.ones((3, 1, 1, 1)), groups=v), 1),
    "nearest.nearest_law.points": (lambda v: nearest.nearest_law(v, 3), 2),
    "nearest.nearest_law.d": (lambda v: nearest.nearest_law(3, v), 2),
    "network.class_labels.classes": (lambda v: network.class_labels(np.array([0]), v, (1,)), 1),
    "optimal_tolerance.interpolation_probability.m": (optimal_tolerance.interpolation_probability, 1),
    "optimal_tolerance.interpolation_probability.rows": (
        lambda v: None if v is None else optimal_tolerance.interpolation_probability(1, rows=v),
        1,
    ),
    "optimal_tolerance.mean_square_cosine.d": (lambda v: optimal_tolerance.mean_square_cosine(0.5, 0.5, v), 2),
    "path_length.nodes.count": (path_length.nodes, 2),
    "path_length.quadrature_error.count": (
        lambda v: path_length.quadrature_error("left", v, (0.0, 1.0), (1.0, 1.0), 0.5),
        1,
    ),
    "path_length.descent.steps": (lambda v: path_length.descent(lambda x: 2 * x, DATA[0], 1.0, v), 1),
    "probes.targeted_perturbation.target": (lambda v: probes.targeted_perturbation(DATA, DATA[0], v), 0),
    "qr_product.rank.n": (lambda v: qr_product.rank(v, (5,)), 1),
    "qr_product.degrees.n": (lambda v: qr_product.degrees(v, (5,), 1), 1),
    "qr_product.degrees.k": (lambda v: qr_product.degrees(5, (5,), v), 1),
    "qr_product.diagonal_laws.n": (lambda v: qr_product.diagonal_laws(v, (5,)), 1),
    "qr_product.factor_laws.n": (lambda v: qr_product.factor_laws(v, (5,)), 1),
    "qr_product.joint_moment.n": (lambda v: qr_product.joint_moment(v, (5,)), 1),
    "qr_product.last_law.n": (lambda v: qr_product.last_law(v, (5,)), 1),
    "qr_product.stretch_law.n": (lambda v: qr_product.stretch_law(v, (5,)), 2),
    "qr_product.determinant_law.n": (lambda v: qr_product.determinant_law(v, (5,)), 2),
    "qr_product.corner_law.n": (lambda v: qr_product.corner_law(v, (5,)), 2),
    "qr_product.off_diagonal_power.n": (lambda v: qr_product.off_diagonal_power(v, (5,)), 1),
    "qr_product.lyapunov_moment.n": (lambda v: qr_product.lyapunov_moment(v, (5,)), 1),
    "qr_product.off_diagonal_moment.n": (lambda v: qr_product.off_diagonal_moment(v, (5,)), 2),
    "qr_product.diagonal_correlation.n": (lambda v: qr_product.diagonal_correlation(v, (5,)), 2),
    "reported.condition_number.table": (lambda v: reported.condition_number(v, "L2", "dense"), 1),
    "reported.attacked_accuracy.table": (lambda v: reported.attacked_accuracy(v, "conv", "0.1"), 1),
    "reported.clean_accuracy.table": (lambda v: reported.clean_accuracy(v, "conv"), 1),
    "reported.robust_accuracy.width": (lambda v: reported.robust_accuracy("PGD", v, "bn"), 1),
    "reported.robust_accuracy.top": (lambda v: reported.robust_accuracy("PGD", 3, "bn", v), 1),
    "robust_accuracy.projected_ascent.steps": (
        lambda v: robust_accuracy.projected_ascent(DATA, lambda x: x, 0.1, 0.1, v),
        0,
    ),
    "selection.FractionSelected.n": (lambda v: selection.FractionSelected(v, 0.5), 2),
    "selection.LastSelected.n": (lambda v: selection.LastSelected(v, 0.5), 2),
    "selection.selected_by_fraction.n": (lambda v: selection.selected_by_fraction(v, 0.5), 2),
    "selection.selected_by_last.n": (lambda v: selection.selected_by_last(v, 0.5), 2),
    "selection.mean_fraction.n": (selection.mean_fraction, 2),
    "selection.selected.n": (lambda v: selection.selected(v, 0.5, "last"), 2),
    "selection.share_of_mean.n": (lambda v: selection.share_of_mean(v, 0.7, "fraction"), 2),
    "selection.mean_error.n": (lambda v: selection.mean_error(v, 0.5, 3, "last"), 2),
    "selection.mean_error.runs": (lambda v: selection.mean_error(3, 0.5, v, "last"), 1),
    "separation.log_norm_probability.d": (lambda v: separation.log_norm_probability(v, 0.5), 1),
    "separation.log_chernoff_bound.d": (lambda v: separation.log_chernoff_bound(v, 0.5), 1),
    "separation.log_series_bound.d": (lambda v: separation.log_series_bound(v, 0.5), 1),
    "separation.log_pairs.points": (separation.log_pairs, 2),
    "separation.log_sign_pairs.d": (separation.log_sign_pairs, 1),
    "separation.log_union_bound.d": (lambda v: separation.log_union_bound(v, 1.0, 0.5), 1),
    "separation.closest_pair_probability_floor.d": (
        lambda v: separation.closest_pair_probability_floor(v, 3, 0.5),
        1,
    ),
    "separation.closest_pair_probability_floor.points": (
        lambda v: separation.closest_pair_probability_floor(3, v, 0.5),
        2,
    ),
    "separation.largest_share.d": (lambda v: separation.largest_share(v, 1.0, 0.1), 1),
    "separation.log_sign_bound.d": (lambda v: separation.log_sign_bound(v, 0.5), 1),
    "separation.largest_sign_share.d": (lambda v: separation.largest_sign_share(v, 0.1), 1),
    "separation.log_product_union_bound.points": (lambda v: separation.log_product_union_bound((3,), v, 0.5), 2),
    "separation.log_layered_chernoff_bound.d": (lambda v: separation.log_layered_chernoff_bound(v, 2, 0.5), 1),
    "separation.log_layered_chernoff_bound.layers": (lambda v: separation.log_layered_chernoff_bound(2, v, 0.5), 1),
    "three_column_condition.ThreeColumnCondition.m": (three_column_condition.ThreeColumnCondition, 3),
    "shrinking.count_from_percent.q": (lambda v: shrinking.count_from_percent(10, v, "floor"), 1),
    "shrinking.kept.k": (lambda v: shrinking.kept(DATA, v), 0),
    "shrinking.bottom_part.k": (lambda v: shrinking.bottom_part(DATA, v), 0),
    "shrinking.shrink_bottom.k": (lambda v: shrinking.shrink_bottom(DATA, v, 0.5), 0),
    "truncation.truncation_errors.k": (lambda v: truncation.truncation_errors(DATA, v), 0),
    "truncation.margin_parts.label": (lambda v: truncation.margin_parts(DATA, DATA[0], v, 0, 1), 0),
    "truncation.margin_parts.other": (lambda v: truncation.margin_parts(DATA, DATA[0], 0, v, 1), 0),
    "truncation.margin_parts.k": (lambda v: truncation.margin_parts(DATA, DATA[0], 0, 1, v), 0),
    "truncation.margin_change_bounds.label": (
        lambda v: truncation.margin_change_bounds(DATA, DATA[0], v, 0, 1, 0.5),
        0,
    ),
    "truncation.margin_change_bounds.other": (
        lambda v: truncation.margin_change_bounds(DATA, DATA[0], 0, v, 1, 0.5),
        0,
    ),
    "truncation.margin_change_bounds.k": (lambda v: truncation.margin_change_bounds(DATA, DATA[0], 0, 1, v, 0.5), 0),
    "truncation.typical_margin_change.k": (lambda v: truncation.typical_margin_change(DATA, DATA[0], v, 0.5), 0),
    "truncation.bottom_share_law.n": (lambda v: truncation.bottom_share_law(v, 1), 2),
    "truncation.bottom_share_law.k": (lambda v: truncation.bottom_share_law(5, v), 1),
    "truncation.cascade_margin_bound.label": (
        lambda v: truncation.cascade_margin_bound([DATA] * 2, [DATA[0]] * 2, [1, 1], 0.5, v, 0),
        0,
    ),
    "truncation.cascade_margin_bound.other": (
        lambda v: truncation.cascade_margin_bound([DATA] * 2, [DATA[0]] * 2, [1, 1], 0.5, 0, v),
        0,
    ),
    "truncation.reachable_classes.k": (lambda v: truncation.reachable_classes(DATA, v), 0),
    "universality.norm_law.m": (lambda v: universality.norm_law(v, "uniform"), 2),
    "universality.last_law.n": (lambda v: universality.last_law(v, 5, "signs"), 2),
    "universality.last_law.m": (lambda v: universality.last_law(2, v, "signs"), 2),
    "universality.last_limit.n": (lambda v: universality.last_limit(v, 5), 2),
    "universality.last_limit.m": (lambda v: universality.last_limit(2, v), 2),
    "universality.last_expansion.n": (lambda v: universality.last_expansion(v, 5, "signs", 1.0), 2),
    "universality.last_expansion.m": (lambda v: universality.last_expansion(2, v, "signs", 1.0), 2),
    "universality.smallest_law.n": (lambda v: universality.smallest_law(v, "gaussian"), 1),
    "universality.determinant_fourth.n": (lambda v: universality.determinant_fourth(v, "signs"), 1),
    "universality.singular_probability.n": (universality.singular_probability, 1),
    "universality.mean_rank.m": (lambda v: universality.mean_rank(v, 3), 1),
    "universality.mean_rank.n": (lambda v: universality.mean_rank(3, v), 1),
    "wide_resnet.layers.widen": (wide_resnet.layers, 1),
    "wide_resnet.layers.classes": (lambda v: wide_resnet.layers(1, v), 1),
    "wide_resnet.weight_count.widen": (wide_resnet.weight_count, 1),
    "wide_resnet.weight_count.classes": (lambda v: wide_resnet.weight_count(1, v), 1),
    "wide_resnet.average_pool_norm.side": (wide_resnet.average_pool_norm, 1),
}

# the same, of a sequence of sizes that holds this value
HEIGHTS = {
    "attack_size.swap_law.rows": (lambda v: attack_size.swap_law(2, v), 2),
    "attack_size.pair_margin_law.rows": (lambda v: attack_size.pair_margin_law(2, v), 2),
    "attack_size.flip_law.rows": (lambda v: attack_size.flip_law(2, v), 2),
    "attack_size.bound_mean.rows": (lambda v: attack_size.bound_mean(2, v), 2),
    "kernels.checked.grid": (lambda v: kernels.checked(KERNEL, v), 1),
    "kernels.transfer.grid": (lambda v: kernels.transfer(KERNEL, v), 1),
    "circulant.singular_values.grid": (lambda v: circulant.singular_values(KERNEL, v), 1),
    "circulant.spectral_norm.grid": (lambda v: circulant.spectral_norm(KERNEL, v), 1),
    "circulant.condition.grid": (lambda v: circulant.condition(KERNEL, v), 1),
    "circulant.padded_grid.grid": (lambda v: circulant.padded_grid(v, (2,)), 1),
    "circulant.padded_grid.taps": (lambda v: circulant.padded_grid((9,), v), 1),
    "circulant.zero_padding_bound.grid": (lambda v: circulant.zero_padding_bound(KERNEL, v), 1),
    "normalisation.row_norms.grid": (lambda v: normalisation.row_norms(KERNEL, v), 1),
    "normalisation.smallest_row_norm.grid": (lambda v: normalisation.smallest_row_norm(KERNEL, v), 1),
    "normalisation.vanishes.grid": (lambda v: normalisation.vanishes(KERNEL, v), 1),
    "normalisation.normaliser.grid": (lambda v: normalisation.normaliser(KERNEL, v, 0.1), 1),
    "normalisation.relative_normaliser.grid": (lambda v: normalisation.relative_normaliser(KERNEL, v, 0.1), 1),
    "normalisation.suggested_epsilon.grid": (lambda v: normalisation.suggested_epsilon(KERNEL, v), 1),
    "normalisation.normalised_transfer.grid": (lambda v: normalisation.normalised_transfer(KERNEL, v, 0.1), 1),
    "normalisation.normalised_powers.grid": (lambda v: normalisation.normalised_powers(KERNEL, v, 0.1), 1),
    "normalisation.normalised_kernel.grid": (lambda v: normalisation.normalised_kernel(KERNEL, v, 0.1), 1),
    "convnorm.spectral_norm.grid": (lambda v: convnorm.spectral_norm(KERNEL, v, 0.1), 1),
    "convnorm.tight_frame_deviation.grid": (lambda v: convnorm.tight_frame_deviation(KERNEL, v, 0.1), 1),
    "convnorm.comparison.grid": (lambda v: convnorm.comparison(KERNEL, v), 1),
    "convnorm.expected_row_power.taps": (lambda v: convnorm.expected_row_power(3, v, 1.0), 1),
    "convnorm.row_power_law.taps": (lambda v: convnorm.row_power_law(3, v, (8,), (1,)), 1),
    "convnorm.row_power_law.grid": (lambda v: convnorm.row_power_law(3, (3,), v, (1,)), 1),
    "convnorm.row_power_law.frequency": (lambda v: convnorm.row_power_law(3, (3,), (8,), v), None),
    "convnorm.overlap_law.taps": (lambda v: convnorm.overlap_law(3, v, (8,), (0,)), 1),
    "convnorm.overlap_law.grid": (lambda v: convnorm.overlap_law(3, (3,), v, (0,)), 1),
    "convnorm.overlap_law.frequency": (lambda v: convnorm.overlap_law(3, (3,), (6,), v), None),
    "depth.lyapunov_exponents.rows": (lambda v: depth.lyapunov_exponents(2, v), 1),
    "depth.extreme_exponents.rows": (lambda v: depth.extreme_exponents(2, v), 1),
    "depth.normal_limit.factors": (depth.normal_limit, 1),
    "depth.skewness.factors": (depth.skewness, 1),
    "depth.normal_limit_error.factors": (depth.normal_limit_error, 1),
    "depth.edgeworth_cdf.factors": (lambda v: depth.edgeworth_cdf(1.0, v), 1),
    "evaluations.fraction.rows": (lambda v: evaluations.fraction(2, rows=v), 2),
    "evaluations.compression.rows": (lambda v: evaluations.compression(3, rows=v), 3),
    "evaluations.diagonal.rows": (lambda v: evaluations.diagonal(2, 1, rows=v), 1),
    "evaluations.swap.rows": (lambda v: evaluations.swap(2, rows=v), 2),
    "evaluations.pair_margin.rows": (lambda v: evaluations.pair_margin(2, rows=v), 2),
    "evaluations.flip.rows": (lambda v: evaluations.flip(2, rows=v), 2),
    "evaluations.distance.rows": (lambda v: evaluations.distance(2, rows=v), 1),
    "evaluations.lyapunov.rows": (lambda v: evaluations.lyapunov(2, rows=v), 1),
    "fraction.FractionLaw.rows": (lambda v: fraction.FractionLaw(2, v), 2),
    "fraction.fraction_law.rows": (lambda v: fraction.fraction_law(2, v), 2),
    "fraction.compression_law.rows": (lambda v: fraction.compression_law(2, v, 1), 2),
    "gradient_plane.zero_gradient_probability.widths": (gradient_plane.zero_gradient_probability, 1),
    "gradient_plane.log_gradient_moments.widths": (lambda v: gradient_plane.log_gradient_moments(3, v), 1),
    "optimum.joint_optimum.pair": (
        lambda v: optimum.joint_optimum(NETWORK, DATA[0], BUDGET, (0, *v) if isinstance(v, tuple) else v),
        0,
    ),
    "chi_product.chi_product.degrees": (chi_product.chi_product, 1),
    "chi_product.ChiProduct.degrees": (chi_product.ChiProduct, 1),
    "qr_product.rank.rows": (lambda v: qr_product.rank(2, v), 1),
    "qr_product.degrees.rows": (lambda v: qr_product.degrees(2, v, 1), 1),
    "qr_product.diagonal_laws.rows": (lambda v: qr_product.diagonal_laws(2, v), 1),
    "qr_product.factor_laws.rows": (lambda v: qr_product.factor_laws(2, v), 2),
    "qr_product.joint_moment.rows": (lambda v: qr_product.joint_moment(2, v), 2),
    "qr_product.last_law.rows": (lambda v: qr_product.last_law(2, v), 2),
    "qr_product.stretch_law.rows": (lambda v: qr_product.stretch_law(2, v), 2),
    "qr_product.determinant_law.rows": (lambda v: qr_product.determinant_law(2, v), 2),
    "qr_product.corner_law.rows": (lambda v: qr_product.corner_law(2, v), 1),
    "qr_product.column_norm_law.rows": (qr_product.column_norm_law, 1),
    "qr_product.basis_entry_law.rows": (qr_product.basis_entry_law, 2),
    "qr_product.off_diagonal_power.rows": (lambda v: qr_product.off_diagonal_power(2, v), 2),
    "qr_product.lyapunov_moment.rows": (lambda v: qr_product.lyapunov_moment(2, v), 2),
    "qr_product.off_diagonal_moment.rows": (lambda v: qr_product.off_diagonal_moment(2, v), 2),
    "qr_product.diagonal_correlation.rows": (lambda v: qr_product.diagonal_correlation(2, v), 1),
    "separation.distance_law.rows": (separation.distance_law, 1),
    "separation.normalising_scale.rows": (separation.normalising_scale, 1),
    "separation.log_product_union_bound.rows": (lambda v: separation.log_product_union_bound(v, 3, 0.5), 1),
    "truncation.cascade_bounds.counts": (lambda v: truncation.cascade_bounds([DATA], [DATA[0]], v, 0.5), 0),
    "truncation.cascade_margin_bound.counts": (
        lambda v: truncation.cascade_margin_bound([DATA], [DATA[0]], v, 0.5, 0, 1),
        0,
    ),
}
# a network without hidden layers is one; left out, heights are square
EMPTY = {key for key in HEIGHTS if key.startswith("evaluations.") or key.endswith(".widths")}

# declared in the source and nowhere a user's: rows of tables, parts of networks, results
DECLARED = {"wide_resnet.Layer", "layers.Flatten", "optimum.JointOptimum"}

FOLDERS = {"claims", "worlds", "spaces", "numerics"}  # what formulas are told of, and what they are made of
INSIDE = {  # what other formulas call, with sizes that they have let through
    *("theory.laws.frozen", "theory.laws.gamma", "theory.laws.jacobi", "theory.laws.mellin", "theory.laws.mixture"),
    *("theory.laws.tabulated", "theory.joint.program", "theory.convolution.matrices", "theory.things.relaxation"),
    *("theory.joint.perturbations", "theory.__main__"),
}


def sizes():
    """module.callable.parameter, and the callable, of all public ones of theory whose annotation speaks of integers."""
    for module in pkgutil.walk_packages(theory.__path__, "theory."):
        if module.ispkg or module.name.split(".")[1] in FOLDERS or module.name in INSIDE:
            continue
        namespace = importlib.import_module(module.name)
        for name, thing in vars(namespace).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module.name or not callable(thing):
                continue
            if not inspect.isfunction(inspect.unwrap(thing)) and not dataclasses.is_dataclass(thing):
                continue
            place = f"{module.name.rpartition('.')[2]}.{name}"
            for parameter in inspect.signature(thing).parameters.values():
                if place not in DECLARED and re.search(
                    r"\bint\b(?!\])|Sequence\[int\]|\bint,|Heights", str(parameter.annotation)
                ):
                    yield f"{place}.{parameter.name}", thing


def one_line(function, value):
    with pytest.raises(ValueError, match="must") as caught:
        function(value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


PARAMETERS = dict(sizes())
# a function of one integer alone needs no row: how to call it is plain, and below 0 nothing is right
ALONE = {
    name: function
    for name, function in PARAMETERS.items()
    if name not in SIZES and [p.annotation for p in inspect.signature(function).parameters.values()] == ["int"]
}


def test_the_tables_name_every_size():
    assert PARAMETERS.keys() - ALONE.keys() == SIZES.keys() | HEIGHTS.keys()


def test_a_size_alone_is_an_integer():
    for function in ALONE.values():
        function(np.int64(RIGHT))
        for wrong in (*WRONG, -1):
            one_line(function, wrong)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_integers(name):
    (function, least), right = SIZES[name], RIGHTS.get(name, RIGHT)
    function(right)  # where a cache is, it must not stand in for the check
    function(np.int64(right))
    for wrong in WRONG:
        if not (wrong is None and name.endswith("probability.rows")):  # left out there
            one_line(function, wrong)
    one_line(function, least - 1)
    one_line(function, -1)


@pytest.mark.parametrize("name", HEIGHTS)
def test_heights_are_integers(name):
    function, least = HEIGHTS[name]
    function((RIGHT,))
    function((np.int64(RIGHT),))
    if name != "optimum.joint_optimum.pair":
        function([RIGHT])
        function(np.array([RIGHT]))
    for wrong in WRONG:
        one_line(function, (wrong,))
    for wrong in (RIGHT, "3", None, *(() if name in EMPTY else ((), []))):
        one_line(function, wrong)
    if least is not None:
        one_line(function, (least - 1,))
        one_line(function, (-1,))
