"""The odds chain by its inverse Jacobi transform: both tails for p = F^2 <= 1/2, and the moments.

See theory/fraction.py for the formulas. a: (L,), half degrees of the layers, positive; b: positive.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, gammaln, log_expit, loggamma, logsumexp, polygamma

from theory.laws.gamma import log_gamma_ratio

NEGLIGIBLE = 1e-18  # term of a series
CANCELLED = 1e-4  # what is left of a contour's sum may be no less
AGREEMENT = 1e-8  # of two successive trapezoidal sums: each halving squares the error
LOG_NEGLIGIBLE = -52.0  # ln of a term of a sum of fewer than 10^6
LOG_LINE, LINE_STEP = (-50.0, 40.0), 0.25  # ln of the imaginary part on the line of the moments, and the first step
LOG_REACH = 45.0  # the integrand counts until it has fallen by e^-45
HALVINGS = 8


def _log_symbol(s: np.ndarray, a: np.ndarray, b: float) -> np.ndarray:
    """ln prod_i m_i(s) c(s)."""
    return 2 * log_gamma_ratio(b, s) - log_gamma_ratio(b, 2 * s) + _log_eigenvalues(s, a, b)


def _log_eigenvalues(s: np.ndarray, a: np.ndarray, b: float) -> np.ndarray:
    """ln prod_i m_i(s)."""
    total = np.zeros_like(s)
    for value, count in zip(*np.unique(a, return_counts=True), strict=True):
        ratio = log_gamma_ratio(value, -s) + log_gamma_ratio(value + b, s) + s * np.log1p(b / value)
        total = total + count * ratio
    return total


def tails(y: np.ndarray, a: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """(whether it is the lower tail, its logarithm), each point on the contour that passes nearest its saddle.

    NaN where all contours cancel: towards p = 1 the saddle point nears -b / 2, and meets its mirror image.
    """
    log_p, p, least = log_expit(y), expit(y), a.min()
    spread = np.sqrt(np.sum(polygamma(1, a) - polygamma(1, a + b)))
    steps = 2.0 ** (-np.arange(0.5, 40, 0.5))
    c = np.concatenate([-b / 2 * steps, -b / 2 * (1 - steps[2:12]), least * steps])
    c = np.concatenate([c[np.abs(c) > 0.2 / spread], least * (1 - steps[2:20])])
    with np.errstate(all="ignore"):  # far from the saddle the series may overflow
        height = np.log(np.abs(_series(c, p, b)[0] / c)) + _log_symbol(c, a, b) + np.outer(log_p, c)
    height[~np.isfinite(height)] = np.inf
    chosen = np.argmin(height, axis=1)
    log_tail = np.empty(y.shape)
    for k in np.unique(chosen):
        here = chosen == k
        with np.errstate(all="ignore"):
            log_tail[here] = _on_contour(c[k], log_p[here], p[here], height[here, k], a, b)
    return c[chosen] > 0, np.minimum(log_tail, -1e-300)


def _on_contour(c: float, log_p: np.ndarray, p: np.ndarray, peak: np.ndarray, a: np.ndarray, b: float) -> np.ndarray:
    """Trapezoidal sums over Im s; the contour bends right, where p^s falls off, in time to pass the poles."""
    gaps = a - c
    second = np.sum(polygamma(1, gaps)) + c**-2
    bend = max(np.sum(-polygamma(2, gaps)) - 2 / c**3, 0) / (6 * second)

    def path(v):
        root = np.hypot(2 * bend * v, 1)
        return c + 2 * bend * v * v / (root + 1) + 1j * v, 1 - 2j * bend * v / root

    end = step = min(abs(c), gaps.min()) / 2
    top, largest = _log_symbol(np.array([c]), a, b)[0] + c * log_p.max(), log_p.max()
    while (_log_symbol(s := path(np.array([end]))[0], a, b) + s * largest)[0].real > top - 40:
        end *= 2
    offset, coarse = 0.0, None
    for _ in range(12):
        s, slope = path(step * np.arange(offset, end / step))
        weight = np.where(s.imag == 0, 0.5, 1.0) * slope / s
        factor = np.exp(_log_symbol(s, a, b) + np.outer(log_p, s) - peak[:, None]) * weight * (step / np.pi)
        series, moduli = _series(s, p, b)
        total = np.sign(c) * np.sum(factor * series, axis=1).real
        size = np.sum(np.abs(factor) * moduli, axis=1)
        if coarse is None:
            coarse, offset = total, 0.5
            continue
        fine, step = (coarse + total) / 2, step / 2
        if np.all(np.abs(coarse - total) <= AGREEMENT * np.maximum(fine, CANCELLED * size)):
            break
        coarse = fine
    return np.log(np.where(fine > CANCELLED * size, fine, np.nan)) + peak


def _series(s: np.ndarray, p: np.ndarray, b: float) -> tuple[np.ndarray, np.ndarray]:
    """2F1(s, s + 1; 1 + b + 2s; p) and the sum of its terms' moduli, for all p (P,) and s (S,): shapes (P, S)."""
    length, largest = 16, max(p.max(), 1e-300)
    while True:
        k = np.arange(length)[:, None]
        terms = np.cumprod((s + k) * (s + 1 + k) / ((1 + b + 2 * s + k) * (k + 1)) * largest, axis=0)
        if np.all(np.abs(terms[-1]) < NEGLIGIBLE * np.maximum(1, np.abs(terms).max(axis=0))) or length > 10**4:
            powers = (p[:, None] / largest) ** np.arange(1, length + 1)
            return 1 + powers @ terms, 1 + powers @ np.abs(terms)
        length *= 2


def log_moment(q: float, a: np.ndarray, b: float) -> float:
    """ln E F^(2q) for -min(a) < q < inf: a sum over poles and an integral over the line Re s = -b/2, all positive.

    For one factor it is that of a Beta law in closed form, by the smaller of its steps.
    """
    if a.size == 1:
        step, other = sorted((q, b), key=abs)
        ratios = log_gamma_ratio(a[0], np.array([step])) - log_gamma_ratio(a[0] + other, np.array([step]))
        return float(ratios[0]) - step * math.log((a[0] + other) / a[0])
    poles = _log_poles(q, a, b) if q < b / 2 else -np.inf
    polynomial = q <= 0 and q == round(q)  # in the odds: 1 / Gamma(q) is 0, and the line adds nothing
    return float(poles if polynomial else np.logaddexp(poles, _log_line(q, a, b)))


def _log_poles(q: float, a: np.ndarray, b: float) -> float:
    """ln of the sum over the poles s = -q - k right of the line; its terms fall once they have begun to."""
    total, start, length, log_factor = -np.inf, 0, 64, 0.0
    while start < b / 2 - q:
        k = np.arange(start, min(start + length, np.ceil(b / 2 - q)))
        with np.errstate(divide="ignore"):  # for whole q <= 0 the sum ends
            ratios = 2 * np.log(np.abs(q + k)) - np.log((k + 1) * b)
        factors = log_factor + np.append(0.0, np.cumsum(ratios))  # of (q)_k^2 / (k! b^k)
        s = -q - k
        gammas = 2 * log_gamma_ratio(b, s) - log_gamma_ratio(b, s - q + 1)
        terms = factors[:-1] + np.log1p(2 * s / b) + gammas + _log_eigenvalues(s, a, b)
        total = np.logaddexp(total, logsumexp(terms))
        if terms[-1] < min(total + LOG_NEGLIGIBLE, terms[-2:][0]):
            break
        start, length, log_factor = start + length, 2 * length, factors[-1]
    return total


def _log_line(q: float, a: np.ndarray, b: float) -> float:
    """ln of the integral over s = -b/2 + i lambda: trapezoidal sums in ln(lambda), where no pole comes near."""

    def log_integrand(v):
        line = 1j * np.exp(v)
        gammas = 2 * loggamma(q - b / 2 + line).real + 4 * loggamma(b / 2 + line).real
        swing = 2 * np.pi * line.imag
        measure = np.log(-np.expm1(-2 * swing)) + swing + 2 * v - np.log(2 * np.pi**2)
        return gammas + measure + _log_eigenvalues(line - b / 2, a, b).real

    v, step = np.arange(*LOG_LINE, LINE_STEP), LINE_STEP
    logs = log_integrand(v)
    seen = np.flatnonzero(logs > logs.max() - LOG_REACH)
    v = v[max(seen[0] - 1, 0) : seen[-1] + 2]
    total = logsumexp(log_integrand(v)) + np.log(step)
    for _ in range(HALVINGS):
        between = logsumexp(log_integrand(v + step / 2)) + np.log(step)
        apart, total = abs(total - between), np.logaddexp(total, between) - np.log(2)
        if apart < AGREEMENT:
            break
        v, step = np.sort(np.append(v, v + step / 2)), step / 2
    return total - gammaln(b) - 2 * gammaln(q)
