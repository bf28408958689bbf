"""Rows on relative errors in one layer, and what a softmax hides from condition numbers: conditioning, III-B."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from fragility.law import Law
from theory.conditioning import condition_numbers
from theory.conditioning.condition_numbers import condition, rank
from theory.conditioning.gaussian_condition import squared_growth_law
from theory.spaces import matrices as spaces
from theory.worlds import relative_errors as worlds
from theory.worlds.condition_numbers import full_rank

PAPER = "Conditioning, Section III-B"
Theory = Callable[..., Sides]
Constant = Callable[[np.ndarray, np.ndarray], float]


def _growth(bound: Callable[..., float]) -> Theory:
    """The growth of a relative error against a bound, in all four norms."""

    def theory(W: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Sides:
        norms = condition_numbers.NORMS
        return Sides(
            np.array([condition_numbers.relative_growth(W, x, delta, p) for p in norms]),
            np.array([bound(W, x, delta, p) for p in norms]),
        )

    return theory


_printed_growth = _growth(condition_numbers.printed_bound)
_true_growth = _growth(condition_numbers.row_space_bound)


def _growth_of_row(W: np.ndarray, x: np.ndarray, delta: np.ndarray) -> Sides:
    """The squared Euclidean growth, exact for a single row w: w^+ = w / ||w||^2, so that kappa(w) = 1."""
    (w,) = W
    return Sides((w @ delta) ** 2 / (w @ x) ** 2, (delta @ delta) / (x @ x))


def _attained(W: np.ndarray, power: float = 1.0) -> Sides:
    """delta along the first right singular vector, x along the last."""
    Vh = np.linalg.svd(W, full_matrices=False)[2]
    return Sides(condition_numbers.relative_growth(W, Vh[-1], Vh[0]), condition(W) ** power)


def _effective(W: np.ndarray, x: np.ndarray, constant: Constant = condition_numbers.effective_condition) -> Sides:
    """The worst delta's growth per relative size, against the constant."""
    worst = np.linalg.svd(W)[2][0]
    return Sides(condition_numbers.relative_growth(W, x, worst) * np.linalg.norm(x), constant(W, x))


def _effective_below(W: np.ndarray, x: np.ndarray, factor: Constant = condition_numbers.row_space_factor) -> Sides:
    """The effective condition number, against the condition number times a factor."""
    return Sides(condition_numbers.effective_condition(W, x), condition(W) * factor(W, x))


def _wide(n: int, rows: tuple[int, ...]) -> bool:
    """Where a layer has fewer outputs than inputs."""
    return len(rows) == 1 and rows[0] < n


def _seen_by(share: float = 1.0, half: float = 0.5) -> Callable[..., Law]:
    """The law of the share of an input that a layer of so many rows sees; decoys take other numbers."""
    return lambda n, rows: stats.beta(half * share * rows[0], half * (n - share * rows[0]))


def _fixed_input(n: int, rows: tuple[int, ...], degrees: int) -> Law:
    """The law of the squared growth, were the input stretched by its mean."""
    return stats.chi2(degrees, scale=1 / degrees)


def _gauge(
    W: np.ndarray, c: np.ndarray, measure: Callable[[np.ndarray], float] = condition_numbers.gauge_condition
) -> Sides:
    """The condition number of one classifier, written in two ways."""
    return Sides(condition_numbers.gauge_condition(W + c), measure(W + 2 * c))


def _row_sums(W: np.ndarray, X: np.ndarray, labels: np.ndarray, rate: float, decay: float, start: float) -> np.ndarray:
    """1^T W after steps of gradient descent on softmax regression, from the multiple `start` of W."""
    W = start * W
    for x, label in zip(X, labels, strict=True):
        z = W @ x
        p = np.exp(z - z.max())
        residual = p / p.sum() - np.eye(len(W))[label]
        W = (1 - rate * decay) * W - rate * np.outer(residual, x)
    return W.sum(axis=0)


def _zero_start(start: float) -> Theory:
    """Row sums after training from zero weights, against those of other weights."""

    def theory(**world: Any) -> Sides:
        return Sides(_row_sums(**world, start=0.0), start * world["W"].sum(axis=0))

    return theory


def _frozen(without_decay: bool) -> Theory:
    """Row sums after training, against those before it, decayed."""

    def theory(decay: float, **world: Any) -> Sides:
        kept = 1 if without_decay else (1 - world["rate"] * decay) ** len(world["X"])
        return Sides(_row_sums(**world, decay=decay, start=1.0), kept * world["W"].sum(axis=0))

    return theory


def _layer_and_input(W: np.ndarray, x: np.ndarray, delta: np.ndarray) -> dict[str, bool]:
    """What the inequality of Section III-B assumes."""
    return {
        "W has full rank: its condition number is the same by both definitions": rank(W.astype(float)) == min(W.shape),
        "W x is not 0, so that it has a relative error": bool(np.any(W @ x != 0)),
        "x is not 0, so that it has a relative error": bool(np.any(x != 0)),
        "delta is of the shape of x": delta.shape == x.shape,
    }


_row = rows(PAPER, kind="bound", tolerance=1e-8)
_textbook = rows(PAPER, kind="bound", tolerance=1e-8, status="extension", credit="textbook")
_ours = rows(PAPER, kind="identity", tolerance=1e-8, status="extension", credit="ours")
_drawn = rows(PAPER, kind="law", tolerance=0.05, status="extension", study="simulate.conditioning")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.relative_error.printed",
        says="the relative error of W x is at most the condition number times that of x",
        theory=_printed_growth,
        space=spaces.relative_error,
        formula=r"\frac{\|W \delta\|}{\|W x\|} \le \kappa(W) \frac{\|\delta\|}{\|x\|}",
        domain="any shape, all four norms",
        status="refuted",
        quotes=(
            Quote(
                "which can also be described using condition number, after combining b and z into z_1", "Section III-B"
            ),
            Quote(
                "we can use the linear system defined by a neural network layer, before activation is applied, to"
                " indicate the effect of a perturbation",
                "Section III-B",
            ),
        ),
        reading="for every W of a layer, every x with W x not 0 and every delta, in each of the four norms; z_1 = W x,"
        " the delta of z_1 is W delta",
        instead=("cond.relative_error.corrected", "cond.relative_error.full_rank"),
        defect="the inequality of Section III-B fails for layers with more inputs than outputs, such as the softmax"
        " layer of 784 inputs and 10 outputs: where its rows are orthonormal, an error along one of them"
        " breaks it 9-fold at random inputs",
        hypotheses=_layer_and_input,
        code=condition_numbers.printed_bound,
        replay=_growth_of_row,
        note="It holds of square and tall W of full column rank, see cond.relative_error.full_rank. Wherever W has a"
        " null space, as every map from 784 pixels to 10 logits, x may lie nearly inside: W x is then small, and W"
        " delta need not be. With orthonormal rows, kappa = 1, and delta along one of them, the factor is about"
        " sqrt(n / r) for a random x: 9.1 in the median and 5.0 at least over 4000 standard normal x, 10 x 784, seed"
        " 0.",
    ),
    _row(
        "cond.relative_error.corrected",
        says="the relative error of W x is at most the condition number times ||delta|| over the part of x that W sees",
        theory=_true_growth,
        world=worlds.error,
        space=spaces.relative_error,
        formula=r"\frac{\|W \delta\|}{\|W x\|} \le \kappa(W) \frac{\|\delta\|}{\|W^+ W x\|}",
        domain="any shape and rank, all four norms, W x not 0",
        status="corrected",
        code=condition_numbers.row_space_bound,
        decoys=(Decoy("as printed", _printed_growth),),
    ),
    _textbook(
        "cond.relative_error.full_rank",
        says="with full column rank the relative error of W x is at most the condition number times that of x",
        theory=_printed_growth,
        world=worlds.error_of_full_column_rank,
        space=spaces.relative_error_of_full_column_rank,
        formula=r"\frac{\|W \delta\|}{\|W x\|} \le \kappa(W) \frac{\|\delta\|}{\|x\|}",
        domain="W of full column rank, all four norms, without the bias",
        code=condition_numbers.printed_bound,
        note="And only then: a null vector x makes the left side unbounded.",
        decoys=(Decoy("half of it", _growth(lambda *world: condition_numbers.printed_bound(*world) / 2)),),
    ),
    _textbook(
        "cond.relative_error.attained",
        says="the Euclidean bound is attained: delta along the first right singular vector, x along the last",
        theory=_attained,
        world=full_rank,
        formula=r"\frac{\|W v_1\|}{\|W v_r\|} = \kappa_2(W)",
        kind="identity",
        domain="rank min(m, n)",
        code=condition,
        tolerance=1e-6,
        decoys=(Decoy("its square root", lambda W: _attained(W, 0.5)),),
    ),
    _textbook(
        "cond.effective",
        says="the worst growth of relative errors at a given x is ||W|| ||x|| / ||W x||",
        theory=_effective,
        world=worlds.layer_and_input,
        formula=r"\max_{\delta} \frac{\|W \delta\| / \|W x\|}{\|\delta\| / \|x\|} = \frac{\|W\|\, \|x\|}{\|W x\|}",
        kind="identity",
        domain="W x not 0, any shape and rank; Euclidean",
        code=condition_numbers.effective_condition,
        note="What to report of a trained layer, over the test set, instead of one condition number.",
        decoys=(Decoy("the condition number", lambda W, x: _effective(W, x, lambda W, x: condition(W))),),
    ),
    _textbook(
        "cond.effective.bound",
        says="the effective condition number is at most the condition number times ||x|| / ||P x||",
        theory=_effective_below,
        world=worlds.layer_and_input,
        formula=r"\frac{\|W\|\, \|x\|}{\|W x\|} \le \kappa_2(W) \frac{\|x\|}{\|P x\|}",
        domain="W x not 0, any shape and rank; Euclidean",
        code=condition_numbers.row_space_factor,
        decoys=(Decoy("without the row-space factor", lambda W, x: _effective_below(W, x, lambda W, x: 1.0)),),
    ),
    _drawn(
        "cond.row_space",
        says="the share of a random input that a wide layer with r outputs sees is Beta(r/2, (n - r)/2)",
        credit="textbook",
        theory=_seen_by(),
        formula=r"\frac{\|P x\|^2}{\|x\|^2} \sim \mathrm{Beta}\left(\frac{r}{2}, \frac{n-r}{2}\right)",
        domain="x uniform on the sphere of R^n, rank r < n",
        code=condition_numbers.row_space_factor,
        statistic="seen",
        where=_wide,
        note="Exact for every rank: Gaussian vectors, projected. Mean r / n, 10 / 784 for a softmax layer. Images are"
        " not uniform.",
        decoys=(Decoy("half the outputs", _seen_by(share=0.5)), Decoy("the halves forgotten", _seen_by(half=1.0))),
    ),
    _drawn(
        "cond.growth.random",
        says="an error beside the input grows, relative to it, by the root of an F(m, m) in a Gaussian layer",
        credit="textbook",
        theory=lambda n, rows: squared_growth_law(rows[0]),
        formula=r"\left(\frac{\|W \delta\| \|x\|}{\|W x\| \|\delta\|}\right)^2 \sim F(m, m), \quad \delta \perp x",
        domain="x and delta orthogonal and independent of W; m outputs, any n >= 2",
        code=squared_growth_law,
        statistic="growth",
        where=lambda n, rows: len(rows) == 1 and n >= 2 and min(n, *rows) <= 64,  # beyond, no full matrix is drawn
        note="Exact: a ratio of independent chi-squares. Median 1, however large the condition number, which is about n"
        " for a square layer.",
        decoys=(
            Decoy("n degrees", lambda n, rows: squared_growth_law(n)),
            Decoy("a fixed stretch of the input", lambda n, rows: _fixed_input(n, rows, rows[0])),
        ),
    ),
    _drawn(
        "cond.growth.row_space",
        says="of an error and an input that a wide Gaussian layer sees wholly it is the root of an F(n, n)",
        credit="ours",
        theory=lambda n, rows: squared_growth_law(n),
        formula=r"\left(\frac{\|W \delta\| \|x\|}{\|W x\| \|\delta\|}\right)^2 \sim F(n, n), \quad \delta \perp x, \;"
        r" P x = x, \; P \delta = \delta",
        domain="random orthogonal directions of the row space; 2 to n - 1 outputs",
        code=squared_growth_law,
        statistic="row_space_growth",
        where=lambda n, rows: _wide(n, rows) and rows[0] >= 2,
        note="Exact: squared stretches are diagonal entries of the Wishart matrix W W^T in a random basis.",
        decoys=(
            Decoy("m degrees", lambda n, rows: squared_growth_law(rows[0])),
            Decoy("a fixed stretch of the input", lambda n, rows: _fixed_input(n, rows, n)),
        ),
    ),
    _ours(
        "cond.gauge",
        says="adding one functional to all logits of a softmax leaves the centred weights' condition number as it is",
        theory=_gauge,
        world=worlds.softmax_and_functional,
        formula=r"\kappa\left(\left(I - \frac{1}{K} \mathbf{1} \mathbf{1}^T\right) (W + \mathbf{1} c^T)\right)"
        r" = \kappa\left(\left(I - \frac{1}{K} \mathbf{1} \mathbf{1}^T\right) W\right)",
        domain="softmax layers, K >= 2 logits; W + 1 c^T is the same classifier",
        code=condition_numbers.gauge_condition,
        tolerance=1e-6,
        note="The condition number of W itself grows without bound with c, and says nothing about robustness here.",
        decoys=(Decoy("of the weights themselves", lambda W, c: _gauge(W, c, condition)),),
    ),
    _ours(
        "cond.zero_start",
        says="softmax regression trained from zero weights keeps 1^T W = 0, and so a rank of at most K - 1",
        theory=_zero_start(0.0),
        world=worlds.softmax_training,
        formula=r"W_0 = 0 \Rightarrow \mathbf{1}^T W_t = 0",
        source="Conditioning, Section V-C, Figure 4",
        domain="gradient descent, with or without weight decay",
        note="The ratio sigma_1 / sigma_K is then infinite from the first step to the last, at a pseudo-inverse whose"
        " norm is not 0; not so for Adam. Whether the paper starts its simple model from zeros, as the tutorial that it"
        " adapts does, it does not say.",
        decoys=(Decoy("from random weights", _zero_start(1.0)),),
    ),
    _ours(
        "cond.frozen_start",
        says="from random weights, the sum of the logits' weights is frozen, up to decay",
        theory=_frozen(False),
        world=worlds.softmax_training,
        formula=r"\mathbf{1}^T W_t = (1 - \eta \mu)^t\, \mathbf{1}^T W_0",
        source="Conditioning, Section V-C, Figure 4",
        domain="gradient descent with rate eta and weight decay mu",
        note="So sigma_K is at most ||1^T W_0|| / sqrt(K): the trained kappa measures learned against initial scale.",
        decoys=(Decoy("decay forgotten", _frozen(True)),),
    ),
)
