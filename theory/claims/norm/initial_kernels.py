"""Rows on kernels of Gaussian weights: laws of the transfer function that a layer starts with."""

from __future__ import annotations

from collections.abc import Callable

from scipy import stats

from fragility.claim import Claim, Decoy, rows
from fragility.law import Law
from theory.convolution import convnorm


def _row_powers(n: int, channels_in: int, channels_out: int, taps: int, frequency: tuple[int, int]) -> list[Law]:
    """A law per output channel: they are independent."""
    return [convnorm.row_power_law(channels_in, (taps, taps), (n, n), frequency)] * channels_out


def _scaled(law: Callable[..., Law]) -> Callable[..., list[Law]]:
    """One law for every frequency."""
    return lambda channels_in, channels_out, taps, **_: [law(channels_in, scale=taps**2)] * channels_out


def _pure(n: int, channels_in: int, channels_out: int, taps: int, frequency: tuple[int, int]) -> bool:
    """Whether rows, two at least, are real or isotropic: T = K or T = 0."""
    twice = [2 * w % n for w in frequency if taps > 1]
    return min(channels_in, channels_out) > 1 and (not any(twice) or any(w * taps % n == 0 < w for w in twice))


_drawn = rows(
    "ConvNorm, Section 4",
    kind="law",
    status="extension",
    credit="ours, from textbook laws of Gaussian vectors",
    study="simulate.circulant",
)


CLAIMS: tuple[Claim, ...] = (
    _drawn(
        "norm.initial.row_power",
        says="Gaussian weights give a row of the transfer function a squared norm that is a sum of two chi-squares",
        formula=r"\|\hat a_k(w)\|^2 \overset{d}{=} \frac{K + T}{2} \chi^2_{C_I} + \frac{K - T}{2} \chi^2_{C_I}, \quad"
        r" T = \left| \sum_a e^{-4 \pi i \, w \cdot a / n} \right|",
        domain="N(0, 1) weights, K taps; every frequency, output channels independent",
        theory=_row_powers,
        tolerance=0.03,
        statistic="row_power",
        note="Exact, mean C_I K.",
        code=convnorm.row_power_law,
        decoys=(
            Decoy("isotropic everywhere", _scaled(stats.gamma)),
            Decoy("real everywhere", _scaled(stats.chi2)),
        ),
    ),
    _drawn(
        "norm.initial.overlap",
        says="after normalisation two rows of the transfer function are independent random unit vectors",
        formula=r"|\langle \hat q_k, \hat q_l \rangle|^2 \sim \mathrm{Beta}(1, C_I - 1) \; (T = 0), \quad"
        r" \mathrm{Beta}\left(\frac{1}{2}, \frac{C_I - 1}{2}\right) \; (T = K)",
        domain="N(0, 1) weights, two channels or more on either side, T as for the squared norm of a row",
        theory=lambda n, channels_in, channels_out, taps, frequency: convnorm.overlap_law(
            channels_in, (taps, taps), (n, n), frequency
        ),
        tolerance=0.05,
        statistic="overlap",
        where=_pure,
        note="Exact. Two rows alone have the squared norm 1 + |<q_k, q_l>|: never 1, however they are normalised.",
        code=convnorm.overlap_law,
        decoys=(
            Decoy("complex everywhere", lambda channels_in, **_: stats.beta(1, channels_in - 1)),
            Decoy("real everywhere", lambda channels_in, **_: stats.beta(0.5, (channels_in - 1) / 2)),
        ),
    ),
)
