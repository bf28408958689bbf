"""Rows on whether the numbers that Feature compression prints agree: lengths along one path."""

from __future__ import annotations

import numpy as np

from fragility.claim import Claim, Decoy, Sides, rows
from theory.numerics.array import Array
from theory.reported import FEATURE, find
from theory.spaces.linear import path
from theory.worlds.path_length import norms_and_cosines
from theory.worlds.reported import everything


def _close(factor: float = 2.0) -> Sides:
    """Which experiments of Table 8 agree within a factor, against the first, the third and the fourth."""
    close = []
    for experiment in ("1", "2", "3", "4"):
        found = find(FEATURE, "Table 8", "Q / (0.5 L)", experiment).value
        predicted = find(FEATURE, "Table 8", "|M / (0.5 L)|", experiment).value
        close.append(max(found / predicted, predicted / found) <= factor)
    return Sides(np.array([True, False, True, True]), np.array(close))


def _shares(norms: Array, cosines: Array) -> dict[str, bool]:
    """Whether a world has the norms of gradients and the cosines of their angles."""
    return {
        "the gradients are not 0": bool(np.all(norms > 0)),
        "the cosines are between -1 and 1": bool(np.all(abs(cosines) <= 1)),
        "as many cosines as gradients": len(norms) == len(cosines),
    }


def _mean_cosine(norms: Array, cosines: Array, bounded: bool) -> Sides:
    """Plain mean of the cosines along a path against the signed length over the path's, or their distance bounded."""
    weighted = sum(norms * cosines) / (len(norms) * norms[0])
    plain = sum(cosines) / len(norms)
    spread = sum(np.abs(norms / norms[0] - 1) * np.abs(cosines)) / len(norms)
    return Sides(abs(plain - weighted), spread if bounded else 0)


_ours = rows(FEATURE, kind="bound", status="extension", credit="ours", code=find, tolerance=1e-9)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "fc.table8.close",
        at="Table 8",
        says="predicted and found lengths agree within a factor 2 in the experiments 1, 3 and 4, and not in the second",
        formula=r"\frac{1}{2} \le \frac{|M|}{Q} \le 2",
        domain="experiments 1 to 4",
        kind="identity",
        theory=_close,
        world=everything,
        reading="The paper calls them close; the factor is ours.",
        note="Experiment 2: 0.0349 predicted, 0.0828 found, 2.37 times as much. The numbers are from a secondary text"
        " on the paper, not from the text that was read.",
        decoys=(
            Decoy("within a factor 1.5 in the same ones", lambda: _close(1.5)),
            Decoy("within a factor 2.5 in the same ones", lambda: _close(2.5)),
        ),
    ),
    _ours(
        "fc.table6.average.tempting",
        at="Tables 6 and 7",
        says="the mean of the cosines along the path is the signed length over the path's",
        formula=r"\left| \frac{1}{N} \sum_k \cos \theta_k - \frac{s}{L} \right| = 0",
        domain="any gradients along the path that are not 0",
        theory=lambda **world: _mean_cosine(**world, bounded=False),
        space=path,
        code=_mean_cosine,
        tempting=True,
        instead=("fc.table6.average",),
        hypotheses=_shares,
        note="The paper calls this mean the average compression rate, which is a name. The signed length s of Table 8"
        " weighs each cosine by its gradient's norm.",
    ),
    _ours(
        "fc.table6.average",
        at="Tables 6 and 7",
        says="the mean of the cosines is the signed length over the path's, up to the spread of the gradient's norms",
        formula=r"\left| \frac{1}{N} \sum_k \cos \theta_k - \frac{s}{L} \right|"
        r" \le \frac{1}{N} \sum_k \left| \frac{\|g_k\|}{\|g_1\|} - 1 \right| |\cos \theta_k|",
        domain="any gradients along the path that are not 0",
        theory=lambda **world: _mean_cosine(**world, bounded=True),
        world=norms_and_cosines,
        space=path,
        code=_mean_cosine,
        note="By the triangle inequality.",
        decoys=(Decoy("exactly", lambda **world: _mean_cosine(**world, bounded=False)),),
    ),
)
