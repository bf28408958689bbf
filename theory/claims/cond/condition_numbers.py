"""Rows on what a condition number is, its norms, and how those of different norms are related: conditioning, III-B."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import combinations, product

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.conditioning import condition_numbers
from theory.conditioning.condition_numbers import Norm, condition, matrix_norm, rank, vector_norm
from theory.conditioning.gaussian_condition import TwoColumnCondition, two_column_frobenius
from theory.spaces import matrices as spaces
from theory.worlds import condition_numbers as worlds

PAPER = "Conditioning, Section III-B"
INDUCED = (1, 2, math.inf)


def _reciprocals(W: np.ndarray) -> Sides:
    """One over both definitions: sigma_n / sigma_1, and 1 / (||W|| ||W^+||)."""
    sigma = np.linalg.svd(W, compute_uv=False)
    return Sides(sigma[-1] / sigma[0], 1 / condition(W))


def _reciprocals_of_rank_one(W: np.ndarray) -> Sides:
    """Squared, exact for a matrix of rank one: sigma_n = 0 and W^+ = W^T / ||W||_F^2."""
    rows, columns = W.shape
    for i, j in combinations(range(rows), 2):
        for k, m in combinations(range(columns), 2):
            if W[i, k] * W[j, m] != W[i, m] * W[j, k]:
                raise ValueError("W must have rank one")
    power = np.sum(W * W)
    pseudo = W.T / power
    return Sides(Fraction(0) if min(rows, columns) > 1 else Fraction(1), 1 / (power * np.sum(pseudo * pseudo)))


def _square(A: np.ndarray, norms: Sequence[Norm] = condition_numbers.NORMS) -> Sides:
    """The condition number by the inverse, against that by the pseudo-inverse, in all norms."""
    inverse = np.linalg.inv(A)
    left = [matrix_norm(A, p) * matrix_norm(inverse, p) for p in condition_numbers.NORMS]
    return Sides(np.array(left), np.array([condition(A, p) for p in norms]))


def _orthogonal(Q: np.ndarray, right: float = 1.0) -> Sides:
    """The condition number of an orthogonal matrix, against 1."""
    return Sides(condition(Q), right)


def _largest_stretch(W: np.ndarray) -> np.ndarray:
    """max ||W x|| / ||x|| in the norms 1, 2, inf: over unit vectors, eigenvectors of W^T W, and sign vectors."""
    n = W.shape[1]
    candidates = (np.eye(n), np.linalg.eigh(W.T @ W)[1].T, np.array(list(product((-1.0, 1.0), repeat=n))))
    return np.array(
        [np.max(vector_norm(xs @ W.T, p) / vector_norm(xs, p)) for p, xs in zip(INDUCED, candidates, strict=True)]
    )


def _induced(W: np.ndarray) -> Sides:
    """The largest stretches, against the norms of the same names."""
    return Sides(_largest_stretch(W), np.array([matrix_norm(W, p) for p in INDUCED]))


def _induced_transposed(W: np.ndarray) -> Sides:
    return Sides(_largest_stretch(W), _induced(W.T).right)


def _frobenius_stretch(W: np.ndarray) -> Sides:
    """The Frobenius norm, against the largest stretch."""
    return Sides(matrix_norm(W, "fro"), _largest_stretch(W)[1])


def _frobenius_stretch_of_diagonal(W: np.ndarray) -> Sides:
    """Squared, exact for a diagonal matrix."""
    if np.any(np.diag(np.diag(W)) != W):
        raise ValueError("W must be diagonal")
    return Sides(np.sum(W * W), np.max(W * W))


def _pseudo_inverse(W: np.ndarray) -> Sides:
    """The norm of the pseudo-inverse, against 0."""
    return Sides(matrix_norm(np.linalg.pinv(W), math.inf), 0)


def _pseudo_inverse_of_rank_one(W: np.ndarray) -> Sides:
    """The same, exact for a matrix of rank one."""
    _reciprocals_of_rank_one(W)
    return Sides(matrix_norm(W.T / np.sum(W * W), math.inf), Fraction(0))


def _inverse_norm(W: np.ndarray, right: Callable[[np.ndarray], np.ndarray] = np.linalg.pinv) -> Sides:
    """One over the norm, against that of the pseudo-inverse, in all norms."""
    return Sides(
        np.array([1 / matrix_norm(W, p) for p in condition_numbers.NORMS]),
        np.array([matrix_norm(right(W), p) for p in condition_numbers.NORMS]),
    )


def _frobenius_low(W: np.ndarray, extra: float = 0.0) -> Sides:
    """The lower bound on the Frobenius condition number, against it."""
    low, _ = condition_numbers.frobenius_condition_range(condition(W), min(W.shape))
    return Sides(low + extra, condition(W, "fro"))


def _frobenius_high(W: np.ndarray, factor: float = 1.0) -> Sides:
    """The Frobenius condition number, against its upper bound."""
    _, high = condition_numbers.frobenius_condition_range(condition(W), min(W.shape))
    return Sides(condition(W, "fro"), factor * high)


def _equivalence(W: np.ndarray, power: float = 0.5) -> Sides:
    """The larger ratio of two condition numbers, against a power of m n."""
    factor, two = math.prod(W.shape) ** power, condition(W)
    others = np.array([condition(W, 1), condition(W, math.inf)])
    return Sides(np.maximum(others / two, two / others), factor)


def _transposed(W: np.ndarray, norms: Sequence[Norm] = (math.inf, 2, 1, "fro")) -> Sides:
    """Condition numbers of the transposed matrix, against those of the matrix in these norms."""
    left = [condition(W.T, p) for p in condition_numbers.NORMS]
    return Sides(np.array(left), np.array([condition(W, p) for p in norms]))


def _stable_rank(W: np.ndarray, power: float = 2.0) -> Sides:
    """The stable rank, against a power of the ratio of two condition numbers."""
    return Sides(condition_numbers.stable_rank(W), (condition(W, "fro") / condition(W)) ** power)


def _singular(W: np.ndarray) -> dict[str, bool]:
    """Whether a world is a singular matrix, and not 0."""
    return {
        "W is not 0": bool(np.any(W != 0)),
        "W is singular: its rank is below both of its sizes": rank(W.astype(float)) < min(W.shape),
    }


_row = rows(PAPER, kind="bound", tolerance=1e-8)
_textbook = rows(PAPER, kind="bound", tolerance=1e-8, status="extension", credit="textbook")


CLAIMS: tuple[Claim, ...] = (
    _row(
        "cond.definition.singular.reading",
        says="sigma_1 / sigma_n and ||W|| ||W^+|| are one condition number, of every matrix",
        theory=_reciprocals,
        space=spaces.matrix_of_clear_rank,
        formula=r"\frac{\sigma_n}{\sigma_1} = \frac{1}{\|W\|\, \|W^+\|}",
        kind="identity",
        domain="any shape and rank, W not 0",
        status="reading",
        quotes=(
            Quote("The condition number of a singular matrix is infinite", "Section III-B"),
            Quote(
                "The general condition number simply comes from using the pseudoinverse as opposed to the inverse",
                "Section III-B",
            ),
        ),
        reading="'singular' of a matrix that is not square: its rank is below both of its sizes; the 2-norm; the"
        " general condition number as the same thing, of any rank",
        instead=("cond.definition.singular.corrected",),
        defect="Section III-B gives two condition numbers, which part where the rank is below both sizes of the matrix:"
        " sigma_1 / sigma_n is infinite there, as the paper says of singular matrices, and ||B|| ||B^+|| never is",
        hypotheses=_singular,
        code=condition,
        replay=_reciprocals_of_rank_one,
        note="Of a matrix of ones with 3 rows and 2 columns the one is infinite and the other 1.",
    ),
    _row(
        "cond.definition.singular.corrected",
        says="sigma_1 / sigma_n and ||W|| ||W^+|| are one condition number where the rank is min(m, n)",
        theory=_reciprocals,
        world=worlds.full_rank,
        space=spaces.matrix_of_full_rank,
        formula=r"\frac{\sigma_n}{\sigma_1} = \frac{1}{\|W\|\, \|W^+\|}",
        kind="identity",
        domain="rank min(m, n)",
        status="corrected",
        code=condition,
        decoys=(
            Decoy("of W^T W", lambda W: Sides(_reciprocals(W).left, _reciprocals(W).right ** 2)),
            Decoy("the Frobenius norm", lambda W: Sides(_reciprocals(W).left, 1 / condition(W, "fro"))),
        ),
    ),
    _row(
        "cond.definition.square",
        says="for a square matrix the pseudo-inverse's condition number is that of the inverse",
        theory=_square,
        world=worlds.square,
        formula=r"\kappa(A) = \|A\|\, \|A^{-1}\| = \|A\|\, \|A^+\|",
        kind="identity",
        domain="A invertible; all four norms",
        quotes=(
            Quote("We calculate the condition number [..] of a square matrix [..] using", "Section III-B"),
            Quote("More generally, the condition number [..] for a non-square matrix", "Section III-B"),
        ),
        reading="'more generally': the second formula gives the same number where the first one applies",
        code=condition,
        tolerance=1e-6,
        decoys=(Decoy("the norms 1 and inf exchanged", lambda A: _square(A, (math.inf, 2, 1, "fro"))),),
    ),
    _row(
        "cond.definition.orthogonal",
        says="the condition number of an orthogonal matrix is 1",
        theory=_orthogonal,
        world=worlds.orthogonal,
        formula=r"Q^T Q = I \Rightarrow \kappa_2(Q) = 1",
        kind="identity",
        domain="Euclidean norm; in the Frobenius norm it is n",
        quotes=(Quote("the condition number of an orthogonal matrix is 1", "Section III-B"),),
        reading="Euclidean: the ratio of singular values that is defined just before",
        code=condition,
        decoys=(Decoy("n, as in the Frobenius norm", lambda Q: _orthogonal(Q, float(len(Q)))),),
    ),
    _row(
        "cond.norm.printed",
        says="all four norms, Frobenius among them, are the largest stretch of a vector",
        theory=_frobenius_stretch,
        space=spaces.matrix,
        formula=r"\|B\|_F = \max_{x \ne 0} \frac{\|B x\|}{\|x\|}",
        kind="identity",
        domain="any matrix",
        status="slip",
        quotes=(
            Quote("We use the standard definition of matrix norm in calculating condition number.", "Section III-B"),
            Quote(
                "We investigate the 1-norm, the Euclidean norm (2-norm), the [..]-norm, and the Frobenius norm.",
                "Section III-B",
            ),
        ),
        reading="the standard definition, a largest stretch, for the Frobenius norm, too, with Euclidean vectors; x not"
        " 0 under the maximum, where x = 0 is printed",
        instead=("cond.norm.corrected",),
        defect="Section III-B defines every matrix norm as a largest stretch of a vector, printed over x = 0, and"
        " counts the Frobenius norm among them, which is none: of the identity it is sqrt(n), where every largest"
        " stretch is 1",
        hypotheses=lambda W: {"a matrix, not 0": W.ndim == 2 and bool(np.any(W != 0))},
        replay=_frobenius_stretch_of_diagonal,
        note="No other vector norm induces it: in every induced norm the identity has norm 1.",
    ),
    _row(
        "cond.norm.corrected",
        says="the norms 1, 2 and inf are the largest stretch of a vector in the norm of the same name",
        theory=_induced,
        world=worlds.small_of_any_rank,
        space=spaces.matrix,
        formula=r"\|B\|_p = \max_{x \ne 0} \frac{\|B x\|_p}{\|x\|_p}, \quad p = 1, 2, \infty",
        kind="identity",
        domain="any matrix",
        status="corrected",
        code=matrix_norm,
        decoys=(Decoy("of the transposed matrix", _induced_transposed),),
    ),
    _row(
        "cond.pseudo_inverse.reading",
        says="the pseudo-inverse of a matrix that has become singular has norm 0",
        theory=_pseudo_inverse,
        space=spaces.singular_matrix,
        formula=r"\mathrm{rank}\, W < \min(m, n) \Rightarrow \|W^+\| \le 0",
        source="Conditioning, Section V-C and Figure 4",
        domain="W singular, not 0",
        status="reading",
        quotes=(
            Quote("to the point of having 0 for the pseudoinverse norm", "Section V-C"),
            Quote("values of 0 indicate a norm of 0 in the pseudoinverse", "Figure 4"),
        ),
        reading="of a matrix that is not 0 and has become singular, as the end of 'a large spike' of its condition"
        " number; any norm",
        instead=("cond.pseudo_inverse.corrected",),
        defect="Section V-C takes a pseudo-inverse of norm 0 for the end of a spike of the condition number, but only"
        " W = 0 has one: of any other matrix its norm is at least 1 / ||W||, and grows towards singularity",
        hypotheses=_singular,
        replay=_pseudo_inverse_of_rank_one,
        note="Read of W = 0 the words hold, see cond.pseudo_inverse.corrected; a condition number of 0 then tells of"
        " weights that are all 0. Which weights those of Figure 4 are, the paper does not say.",
    ),
    _row(
        "cond.pseudo_inverse.corrected",
        says="the norm of the pseudo-inverse of W is at least 1 / ||W||, and is 0 for W = 0 only",
        theory=_inverse_norm,
        world=worlds.any_rank,
        space=spaces.matrix_of_clear_rank,
        formula=r"\|W^+\| \ge \frac{1}{\|W\|}, \quad W \ne 0",
        source="Conditioning, Section V-C and Figure 4",
        domain="W not 0; all four norms",
        status="corrected",
        note="So no condition number is below 1; towards singularity the norm grows without bound.",
        decoys=(Decoy("of the norm of W itself", lambda W: _inverse_norm(W, lambda A: A)),),
    ),
    _textbook(
        "cond.relations.frobenius_low",
        says="kappa_F is at least kappa_2 + 1 / kappa_2 + r - 2",
        theory=_frobenius_low,
        world=worlds.full_rank_of_two_or_more,
        formula=r"\kappa_F \ge \kappa_2 + \frac{1}{\kappa_2} + r - 2",
        domain="rank r >= 2",
        code=condition_numbers.frobenius_condition_range,
        note="Equality for r = 2.",
        decoys=(Decoy("r - 1", lambda W: _frobenius_low(W, 1.0)),),
    ),
    _row(
        "cond.relations.frobenius_high",
        says="kappa_F is at most r (kappa_2 + 1 / kappa_2) / 2",
        theory=_frobenius_high,
        world=worlds.full_rank_of_two_or_more,
        formula=r"\kappa_F \le \frac{r}{2} \left(\kappa_2 + \frac{1}{\kappa_2}\right)",
        domain="rank r >= 2",
        status="extension",
        credit="Kantorovich 1948",
        code=condition_numbers.frobenius_condition_range,
        note="Kantorovich's inequality for the squared singular values.",
        decoys=(Decoy("half of it", lambda W: _frobenius_high(W, 0.5)),),
    ),
    _row(
        "cond.gaussian.two_columns.frobenius",
        says="the Frobenius condition number of an m x 2 Gaussian matrix is Pareto, from 2 on with exponent m - 1",
        theory=lambda n, rows: two_column_frobenius(rows[0]),
        formula=r"P(\kappa_F > t) = \left(\frac{2}{t}\right)^{m-1}, \quad t \ge 2",
        kind="law",
        source="Conditioning, Section V-C",
        domain="two columns, m >= 2 rows",
        status="extension",
        credit="Edelman 1988",
        code=two_column_frobenius,
        tolerance=0.03,
        statistic="condition_fro",
        study="simulate.conditioning",
        where=lambda n, rows: n == 2 and len(rows) == 1 and rows[0] >= 2,
        note="Exact: for two columns kappa_F = kappa_2 + 1 / kappa_2, and the law of kappa_2 is Edelman's.",
        decoys=(
            Decoy("exponent m", lambda n, rows: two_column_frobenius(rows[0] + 1)),
            Decoy("that of kappa_2", lambda n, rows: TwoColumnCondition(rows[0])),
        ),
    ),
    _textbook(
        "cond.relations.equivalence",
        says="kappa_1 and kappa_inf are within a factor sqrt(m n) of kappa_2, both ways",
        theory=_equivalence,
        world=worlds.any_rank,
        formula=r"\frac{\kappa_2}{\sqrt{m n}} \le \kappa_1, \kappa_\infty \le \sqrt{m n}\, \kappa_2",
        domain="any shape and rank",
        code=condition,
        decoys=(Decoy("equal", lambda W: _equivalence(W, 0.0)),),
    ),
    _textbook(
        "cond.relations.transpose",
        says="transposing exchanges kappa_1 and kappa_inf and keeps kappa_2 and kappa_F",
        theory=_transposed,
        world=worlds.any_rank,
        formula=r"\kappa_1(W^T) = \kappa_\infty(W), \quad \kappa_2(W^T) = \kappa_2(W), \quad"
        r" \kappa_F(W^T) = \kappa_F(W)",
        kind="identity",
        domain="any shape and rank",
        code=condition,
        note="The paper writes a layer both as W^T x and as W x: which rows of its tables are L1 and which L-infinity"
        " is open.",
        decoys=(Decoy("each norm kept", lambda W: _transposed(W, condition_numbers.NORMS)),),
    ),
    _textbook(
        "cond.relations.stable_rank",
        says="the stable rank is at most (kappa_F / kappa_2)^2",
        theory=_stable_rank,
        world=worlds.any_rank,
        formula=r"\frac{\|W\|_F^2}{\|W\|_2^2} \le \left(\frac{\kappa_F}{\kappa_2}\right)^2",
        domain="W not 0",
        code=condition_numbers.stable_rank,
        note="The ratio 1.033 of the first table's dense layer makes it a matrix of nearly rank one.",
        decoys=(Decoy("not squared", lambda W: _stable_rank(W, 1.0)),),
    ),
)
