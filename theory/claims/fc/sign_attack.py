"""Rows on the attack on signs: what it gives for any data (feature compression, Theorem 6)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.numerics.array import Array
from theory.points import last_column
from theory.points.optimal_tolerance import last_distance
from theory.worlds import last_column as worlds


def _flip(data: Array, signs: Array, part: float = 1.0) -> Sides:
    """Both outputs after a part of the attack on signs, against the outputs before it, exchanged."""
    attacked = data @ signs + part * last_column.flip_perturbation(data, signs[-1])
    score = np.linalg.lstsq(data, attacked, rcond=None)[0][-1]
    return Sides(np.array([score, -score]), np.array([-signs[-1], signs[-1]]))


def _flip_size(data: Array, signs: Array, factor: float = 2.0) -> Sides:
    """The length of the attack against equation (7), r_mm being the last column's distance from the others' span."""
    return Sides(np.linalg.norm(last_column.flip_perturbation(data, signs[-1])), factor * last_distance(data))


def _flip_tie(data: Array, signs: Array, factor: float = 1.0) -> Sides:
    """The distance to the tie |f_+ - f_-| / ||p_+ - p_-|| at A z, p_- = -p_+, against r_mm."""
    probe = np.linalg.pinv(data)[-1]
    return Sides(abs(probe @ data @ signs) / np.linalg.norm(probe), factor * last_distance(data))


_shared: dict[str, Any] = {"kind": "identity", "tolerance": 1e-8, "domain": "A of full column rank, z of signs"}
_row = rows("Feature compression", reconstructed=True, **_shared)
_ours = rows("Feature compression", status="extension", credit="ours", **_shared)

CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm6.attack",
        at="proof of Theorem 6",
        says="-2 z_m r_mm q_m exchanges both outputs at every one of the 2^m points",
        theory=_flip,
        world=worlds.signed_points,
        formula=r"e = -2 z_m r_{mm} q_m \;\Rightarrow\; f_{\pm 1}(A z + e) = \mp z_m",
        quotes=(
            Quote(
                "We claim that under such a perturbation [..], the input will be [..] and we have [..] thus changing"
                " the classification result to the wrong label",
                "proof of Theorem 6",
            ),
        ),
        reading="the lost formulas are read as the perturbation -2 z_m r_mm q_m and outputs of opposite sign; the paper"
        " shows it for one point, and the rest 'without loss of generality'",
        code=last_column.flip_perturbation,
        decoys=(Decoy("half of it, which is a tie", lambda **world: _flip(**world, part=0.5)),),
    ),
    _row(
        "fc.thm6.size",
        at="proof of Theorem 6, equation (7)",
        says="the attack -2 z_m r_mm q_m is 2 r_mm long",
        theory=_flip_size,
        world=worlds.signed_points,
        formula=r"\|e\| = 2 r_{mm}",
        quotes=(Quote("The magnitude of this perturbation is [..]", "proof of Theorem 6, equation (7)"),),
        reading="the lost equation is read as the length of -2 z_m r_mm q_m",
        code=last_column.flip_perturbation,
        decoys=(Decoy("r_mm", lambda **world: _flip_size(**world, factor=1.0)),),
    ),
    _ours(
        "fc.thm6.tie",
        at="Theorem 6",
        says="the exact distance to the tie of Theorem 6's two classes is r_mm, at every one of the 2^m points",
        theory=_flip_tie,
        world=worlds.signed_points,
        formula=r"\min \{ \|e\| : f_{+1}(A z + e) = f_{-1}(A z + e) \} = r_{mm}",
        note="Both outputs are multiples of p . x, p = q_m / r_mm the last row of A^+: no step shorter than"
        " 1 / ||p|| = r_mm changes p . x by 1, and only with |p . e| >= 1 is the label lost.",
        code=last_column.flip_perturbation,
        decoys=(Decoy("2 r_mm", lambda **world: _flip_tie(**world, factor=2.0)),),
    ),
)
