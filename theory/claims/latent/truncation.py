"""Rows on shrinking bottom singular values of one layer: latent and SVD defences, 2.2 and 3.6."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import partial

import numpy as np
from scipy import stats

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Law, Moment
from theory.conditioning.gaussian_spectrum import smallest_singular_law
from theory.latent import truncation
from theory.things import shrinking
from theory.worlds import truncation as worlds

PAPER = "Latent and SVD defences, Section 2.2"
SHARES = np.linspace(0, 1, 21)
ROUNDING = 1e-13  # of a margin, relative to the norms that it is made of


def _spectrum(W: np.ndarray, k: int, s: float, top: bool = False) -> Sides:
    """The singular values of shrunk weights, against the formula; a decoy shrinks the top ones."""
    measured = np.linalg.svd(shrinking.shrink_bottom(W, k, s), compute_uv=False)
    sigma = np.linalg.svd(W, compute_uv=False)
    shrunk = np.arange(sigma.size) < k if top else np.arange(sigma.size) >= sigma.size - k
    return Sides(measured, np.sort(np.where(shrunk, s * sigma, sigma))[::-1])


def _errors(W: np.ndarray, k: int, s: float, power: int = 1) -> Sides:
    """How far shrinking moves the weights in two norms, against the formula."""
    gap = W - shrinking.shrink_bottom(W, k, s)
    scale = (1 - s) ** (power - 1)
    measured = [np.linalg.norm(gap, 2), np.linalg.norm(gap)]
    return Sides(np.array(measured), scale * np.array(truncation.truncation_errors(W, k, s)))


def _nearest(W: np.ndarray, k: int, B: np.ndarray, slack: float = 1.0) -> Sides:
    """W's truncation against another matrix of no larger rank, in both norms."""
    others = np.array([np.linalg.norm(W - B, 2), np.linalg.norm(W - B)])
    return Sides(np.array(truncation.truncation_errors(W, k)), slack * others)


def _match(W: np.ndarray, x: np.ndarray, k: int, s: float, power: float = 1.0) -> Sides:
    """How far zeroing and scaling are apart at x."""
    zeroed, scaled = shrinking.shrink_bottom(W, k, 0.0), shrinking.shrink_bottom(W, k, s)
    along = np.linalg.svd(W, full_matrices=False)[2][-k:] @ x
    return Sides(
        np.linalg.norm((scaled - zeroed) @ x),
        s**power * truncation.truncation_errors(W, k)[0] * np.linalg.norm(along),
    )


def _margin(W: np.ndarray, x: np.ndarray, bias: np.ndarray, k: int, s: float, power: int = 1, biased: int = 1) -> Sides:
    """The margin of class 0 over class 1, direct and affine in s."""
    z = shrinking.shrink_bottom(W, k, s) @ x + bias
    top, bottom = truncation.margin_parts(W, x, 0, 1, k, bias if biased else None)
    return Sides(z[0] - z[1], truncation.shrunk_margin(top, bottom, s**power))


def _margins(W: np.ndarray, x: np.ndarray, k: int) -> np.ndarray:
    """The margins at every share; 0 where one is no larger than its rounding, which has no sign."""
    margins = np.array([np.subtract(*(shrinking.shrink_bottom(W, k, s) @ x)[:2]) for s in SHARES])
    return np.where(np.abs(margins) > ROUNDING * np.linalg.norm(W) * np.linalg.norm(x), margins, 0.0)


def _every_share(W: np.ndarray, x: np.ndarray, k: int, ends: bool = True) -> Sides:
    """Whether a decision stands for every share, against the criterion."""
    parts, margins = truncation.margin_parts(W, x, 0, 1, k), _margins(W, x, k)
    keeps = truncation.keeps_for_every_share(*parts) if ends else sum(parts) > 0
    return Sides(float(np.all(margins > 0)), float(keeps)) if np.all(margins != 0) else Sides(0.0, 0.0)


def _repaired(W: np.ndarray, x: np.ndarray, k: int, swap: bool = False) -> Sides:
    """How many of the shares repair a wrong decision, against the threshold."""
    top, bottom = truncation.margin_parts(W, x, 0, 1, k)
    limit = truncation.repair_share(bottom, top) if swap else truncation.repair_share(top, bottom)
    margins = _margins(W, x, k)
    wrong = margins[-1] < 0
    expected = np.sum(limit > SHARES[margins != 0]) if not np.isnan(limit) else 0
    return Sides(float(np.sum(margins > 0)) if wrong else 0.0, float(expected) if wrong else 0.0)


def _change(W: np.ndarray, x: np.ndarray, k: int, s: float, pick: int = 0, factor: float = 1.0) -> Sides:
    """How far shrinking moves a margin, against a multiple of one of the two bounds."""
    moved = (shrinking.shrink_bottom(W, k, s) - W) @ x
    return Sides(abs(moved[0] - moved[1]), factor * truncation.margin_change_bounds(W, x, 0, 1, k, s)[pick])


def _typical_change(n: int, rows: tuple[int, ...], k: int, factor: float = 1.0) -> Moment:
    """The mean of the squared change of a margin in units of `truncation.typical_margin_change`.

    Its fourth moment, 3 + 6 sum p^2 times m n / ((m+2)(n+2)) with p the bottom part's shares of power, is largest for
    one share.
    """
    m = rows[0]
    return Moment(np.asarray, factor, math.sqrt(9 * m * n / ((m + 2) * (n + 2)) - 1))


def _share(n: int, rows: tuple[int, ...], k: int) -> Law:
    """The law of the bottom's share of an input."""
    return truncation.bottom_share_law(n, k)


def _share_of_row_space(n: int, rows: tuple[int, ...], k: int) -> Law:
    """The same, as if the inputs lay in the row space."""
    return truncation.bottom_share_law(min(n, *rows), k)


def _smallest(n: int, rows: tuple[int, ...], k: int, factor: float = 1.0) -> Law:
    """The law of a multiple of sqrt(n) sigma_min."""
    return smallest_singular_law(n, factor * math.sqrt(n))


_row = rows(PAPER, kind="bound", status="extension", credit="ours", tolerance=1e-8)
_drawn = partial(_row, kind="law", tolerance=0.05, study="simulate.truncation")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "latent.svd.spectrum",
        says="shrinking multiplies the bottom k singular values by s and leaves the others",
        theory=_spectrum,
        world=worlds.shrunk_weights,
        formula=r"W = U \Sigma V^T, \quad \sigma_i(W_s) = s \sigma_i, \; i > q - k",
        source=f"{PAPER}, equation (1)",
        kind="identity",
        domain="0 <= k <= q = min(m, n), 0 <= s <= 1",
        status="printed",
        credit="",
        quotes=(
            Quote("Zeroing out the bottom k singular values (low rank approximation)", "Section 2.2"),
            Quote("Scaling down the bottom k singular values by a factor of 10", "Section 2.2"),
        ),
        reading="both methods as one, with a share s that is left of the bottom values: s = 0, and s = 1/10",
        code=shrinking.shrink_bottom,
        note="How x% of 10 singular values are rounded is open.",
        decoys=(Decoy("the top ones shrunk", lambda **world: _spectrum(**world, top=True)),),
    ),
    _row(
        "latent.svd.factor.printed",
        says="the results scale singular values as the method does: what is scaled down keeps a tenth",
        theory=lambda kept, of_method: Sides(kept, of_method),
        formula=r"1 - \frac{10}{100} = \frac{1}{10}",
        source="Latent and SVD defences, Section 3.6",
        kind="identity",
        domain="the share of a singular value that is left",
        status="slip",
        credit="",
        quotes=(Quote("of the bottom singularvalues were scaled down by 10%", "Section 3.6"),),
        reading="scaled down by 10% leaves nine tenths, where Section 2.2 divides by a factor of 10",
        instead=("latent.svd.spectrum",),
        defect="singular values are scaled down by a factor of 10 in Section 2.2 and by 10% in Section 3.6, of the same"
        " experiment",
        hypotheses=lambda kept, of_method: {
            "10% less than the whole": kept == 1 - Fraction(10, 100),
            "a factor of 10 less": of_method == Fraction(1, 10),
        },
        code=shrinking.shrink_bottom,
        note="Which of the two Figure 7 shows is open.",
    ),
    _row(
        "latent.svd.errors",
        says="shrinking moves the weights by (1-s) sigma_(q-k+1), in Frobenius norm by (1-s) times"
        " that of the bottom part",
        theory=_errors,
        world=worlds.weights_with_a_bottom,
        credit="textbook",
        formula=r"\|W - W_s\|_2 = (1-s)\, \sigma_{q-k+1}, \quad \|W - W_s\|_F^2 = (1-s)^2 \sum_{i>q-k} \sigma_i^2",
        kind="identity",
        domain="1 <= k <= q",
        code=truncation.truncation_errors,
        decoys=(Decoy("(1-s) squared", lambda **world: _errors(**world, power=2)),),
    ),
    _row(
        "latent.svd.eckart_young",
        says="no matrix of rank q - k is nearer to W than its truncation",
        theory=_nearest,
        world=worlds.matrix_of_lower_rank,
        formula=r"\sigma_{q-k+1} \le \|W - B\|_2, \quad \mathrm{rank}\, B \le q - k",
        domain="spectral and Frobenius norm",
        credit="Eckart and Young 1936; Mirsky 1960",
        code=truncation.truncation_errors,
        decoys=(Decoy("a tenth nearer", lambda **world: _nearest(**world, slack=0.9)),),
    ),
    _row(
        "latent.svd.match",
        says="zeroing out and scaling by s differ by at most s sigma_(q-k+1) times the input's part along the bottom",
        theory=_match,
        world=worlds.shrunk_layer,
        formula=r"\|(W_s - W_0) x\| \le s\, \sigma_{q-k+1} \|V_b^T x\|",
        source="Latent and SVD defences, Section 3.6",
        domain="one layer",
        note="Why the paper found both to match.",
        decoys=(Decoy("s squared", lambda **world: _match(**world, power=2.0)),),
    ),
    _row(
        "latent.linear.margin",
        says="a linear classifier's margin is affine in s: that of the top part plus s times that of the bottom part",
        theory=_margin,
        world=worlds.shrunk_layer_with_bias,
        formula=r"m_s = m_{top} + s\, m_{bot}",
        kind="identity",
        domain="1L; biases count as top",
        code=truncation.margin_parts,
        decoys=(
            Decoy("s squared", lambda **world: _margin(**world, power=2)),
            Decoy("biases forgotten", lambda **world: _margin(**world, biased=0)),
        ),
    ),
    _row(
        "latent.linear.every_share",
        says="a decision stands for every s from 0 to 1 iff the whole and the top part's margins are positive",
        theory=_every_share,
        world=worlds.layer_and_count,
        formula=r"\forall s \in [0, 1]: m_s > 0 \iff m_{top} > 0, \; m_{top} + m_{bot} > 0",
        kind="identity",
        domain="1L",
        code=truncation.keeps_for_every_share,
        decoys=(Decoy("the whole margin alone", lambda **world: _every_share(**world, ends=False)),),
    ),
    _row(
        "latent.linear.repair",
        says="a wrong decision is repaired by the shares below m_top / |m_bot|, if the top part is right",
        theory=_repaired,
        world=worlds.layer_and_count,
        formula=r"m_{top} > 0 > m_{top} + m_{bot}: \; m_s > 0 \iff s < \frac{m_{top}}{|m_{bot}|}",
        source="Latent and SVD defences, Section 3.6",
        kind="identity",
        domain="1L; shares on a grid",
        code=truncation.repair_share,
        note="A classifier has accuracy 0 on its own adversarial examples by construction, so any change of weights"
        " raises it: compare with random changes of the same size.",
        decoys=(Decoy("top and bottom exchanged", lambda **world: _repaired(**world, swap=True)),),
    ),
    _row(
        "latent.linear.change",
        says="shrinking changes a margin by at most (1-s) sigma_(q-k+1) ||U_b^T (e_i - e_j)|| ||V_b^T x||",
        theory=_change,
        world=worlds.shrunk_layer,
        formula=r"|m_s - m_1| \le (1-s)\, \sigma_{q-k+1} \|U_b^T (e_i - e_j)\|\, \|V_b^T x\|",
        domain="1L",
        code=truncation.margin_change_bounds,
        note="Equality for k = 1.",
        decoys=(Decoy("half of it", lambda **world: _change(**world, factor=0.5)),),
    ),
    _row(
        "latent.linear.change.norm",
        says="shrinking changes a margin by at most sqrt(2) (1-s) sigma_(q-k+1) ||x||",
        theory=lambda **world: _change(**world, pick=1),
        world=worlds.opposed_classes,
        formula=r"|m_s - m_1| \le \sqrt{2} (1-s)\, \sigma_{q-k+1} \|x\|",
        domain="1L",
        code=truncation.margin_change_bounds,
        decoys=(Decoy("half of it", lambda **world: _change(**world, pick=1, factor=0.5)),),
    ),
    _drawn(
        "latent.svd.bottom_share",
        says="the share of an input's energy along the bottom k right singular vectors is Beta(k/2, (n - k)/2)",
        theory=_share,
        credit="textbook",
        formula=r"\frac{\|V_b^T x\|^2}{\|x\|^2} \sim \mathrm{Beta}\left(\frac{k}{2}, \frac{n-k}{2}\right)",
        domain="Gaussian W, any x that does not depend on it, k < n",
        code=truncation.bottom_share_law,
        statistic="bottom_share",
        where=lambda n, rows, k: k < n,
        note="Exact, mean k / n: an error with more than that in the bottom part acts on the lowest singular values.",
        decoys=(
            Decoy("the halves forgotten", lambda n, rows, k: stats.beta(k, n - k)),
            Decoy("of the part that W sees", _share_of_row_space),
        ),
    ),
    _drawn(
        "latent.svd.smallest_error",
        says="dropping the smallest singular value of square Gaussian weights moves them by Edelman's law over sqrt(n)",
        theory=_smallest,
        credit="Edelman 1988",
        formula=r"\sqrt{n}\, \|W - W_0\|_2 \overset{d}{=} \sqrt{n}\, \sigma_{min}",
        domain="square, k = 1",
        code=smallest_singular_law,
        statistic="error",
        where=lambda n, rows, k: rows == (n,) and k == 1,
        note="Exact. Scaling by s moves them by 1 - s times as much. The median is about 0.55 / sqrt(n).",
        decoys=(
            Decoy("half as much", lambda n, rows, k: _smallest(n, rows, k, 0.5)),
            Decoy("the last column's distance, |N|", lambda n, rows, k: stats.halfnorm(scale=math.sqrt(n))),
        ),
    ),
    _drawn(
        "latent.linear.change.typical",
        says="shrinking changes a margin by sqrt(2 / (m n)) (1-s) ||W_b||_F ||x|| in the quadratic mean",
        theory=_typical_change,
        formula=r"\mathbb{E} \frac{m n\, (m_s - m_1)^2}{2 (1-s)^2 \|W_b\|_F^2 \|x\|^2} = 1",
        kind="moment",
        domain="1L, Gaussian W with m >= 2 rows, any x that does not depend on it, any k and s",
        code=truncation.typical_margin_change,
        statistic="change",
        tolerance=0.1,
        where=lambda n, rows, k: rows[0] >= 2,
        note="Exact. The worst case is larger by sqrt(m n / k), or more: attacks have to look for it.",
        decoys=(
            Decoy("twice as much", lambda n, rows, k: _typical_change(n, rows, k, 4.0)),
            Decoy("one row for the pair", lambda n, rows, k: _typical_change(n, rows, k, 0.5)),
        ),
    ),
)
