"""Rows on relative errors in trained layers: what bounds the worst, and what random ones do (conditioning, III-B)."""

from __future__ import annotations

from functools import partial

from fragility.claim import Claim, Decoy, Sides, rows
from theory.claims.cond.trained_settings import EUCLIDEAN, PLAIN, ROUNDING, both, simple
from theory.conditioning import condition_numbers
from theory.numerics.array import Array


def _inequality(growth_of_bound: Array) -> Sides:
    """The worst growth over the corrected bound, against 1."""
    return Sides(growth_of_bound[..., 0], 1.0)


def _printed_inequality(growth_of_bound: Array) -> Sides:
    return Sides(growth_of_bound[..., 1], 1.0)


def _well_conditioned(growth_of_bound: Array, kappa: Array) -> Sides:
    return Sides(growth_of_bound[..., 0] * kappa[:, PLAIN, :, EUCLIDEAN], 1.0)


def _random_error(growth_random: Array) -> Sides:
    """The median growth in a random direction, against a tenth more than 1."""
    return Sides(growth_random[..., 1], 1.1)


def _worst_error(effective: Array) -> Sides:
    return Sides(effective[..., 1], 1.1)


OPEN = "no layer maps all that the images give it to 0, as one behind a dead layer does"
_ours = partial(
    rows("Conditioning, Section III-B", study="empirical.conditioning", kind="majority", tolerance=0.1),
    status="extension",
    credit="ours",
)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "cond.trained.relative_error",
        says="in a trained layer no error grows by more than the condition number times ||x|| / ||P x||",
        formula=r"\frac{\|W \delta\|}{\|W x\|} \le \kappa_2(W) \frac{\|\delta\|}{\|P x\|}",
        domain="every layer, the worst error at every image",
        kind="bound",
        theory=_inequality,
        code=condition_numbers.row_space_bound,
        tolerance=ROUNDING,
        statistic="growth_of_bound",
        given=OPEN,
        decoys=(
            Decoy("by ||x|| / ||P x|| alone", _well_conditioned),
            Decoy("by the condition number alone, as printed", _printed_inequality, where=both),
        ),
        note="cond.relative_error.corrected, on images.",
    ),
    _ours(
        "cond.trained.random_error",
        says="an error in a random direction grows by a tenth at most: images lie where a trained layer stretches more",
        formula=r"\mathrm{median}_x \frac{\|W \delta\| \, \|x\|}{\|W x\| \, \|\delta\|} \le 1.1",
        domain="every layer, one random direction for each image",
        theory=_random_error,
        statistic="growth_random",
        where=simple,
        given=OPEN,
        decoys=(Decoy("nor does the worst one", _worst_error),),
        note="Conditioning speaks of the worst case only.",
    ),
)
