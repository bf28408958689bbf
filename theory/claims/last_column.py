"""Rows on the attacks themselves: what they give for any data (feature compression, Theorems 1, 4 and 6)."""

from __future__ import annotations

from typing import Any

import numpy as np

from theory import last_column
from theory.claim import Claim, Decoy, Sides, rows
from theory.gradient_plane import projection
from theory.optimal_tolerance import last_distance

_COLUMNS = r"e = (r_{n-1,n-1} - r_{n-1,n}) q_{n-1} - r_{nn} q_n"


def _at(data: np.ndarray, label: int, step: np.ndarray) -> np.ndarray:
    """All outputs at the label's point plus a step, by least squares and not by QR."""
    return np.linalg.lstsq(data, data[:, label] + step, rcond=None)[0]


def _swap(data: np.ndarray, label: int, target: int, part: float = 1.0) -> Sides:
    scores = _at(data, label, part * last_column.swap_perturbation(data, label, target))
    return Sides(scores[[label, target]], np.array([0.0, 1.0]))


def _size(data: np.ndarray, label: int, target: int) -> Sides:
    """Distance of x_target - x_label from the span of the other points, against equation (3)."""
    others = np.delete(data, (label, target), axis=1)
    step = data[:, target] - data[:, label]
    left = step - others @ np.linalg.lstsq(others, step, rcond=None)[0]
    return Sides(np.linalg.norm(left), last_column.swap_size(data, label, target))


def _size_wrong_sign(data: np.ndarray, label: int, target: int) -> Sides:
    flipped = np.where(np.arange(data.shape[1]) == target, -data, data)
    return Sides(_size(data, label, target).left, last_column.swap_size(flipped, label, target))


def _margin(data: np.ndarray, label: int, target: int) -> Sides:
    """Distance to the tie by the probing vectors, 1 / ||p_i - p_j||, against the formula in R."""
    return Sides(last_column.pair_margins(data)[label, target], last_column.pair_margin(data, label, target))


def _margin_wrong_sign(data: np.ndarray, label: int, target: int) -> Sides:
    flipped = np.where(np.arange(data.shape[1]) == target, -data, data)
    return Sides(_margin(data, label, target).left, last_column.pair_margin(flipped, label, target))


def _tie(data: np.ndarray, label: int, target: int, part: float = 0.5) -> Sides:
    return Sides(last_column.pair_margins(data)[label, target], part * last_column.swap_size(data, label, target))


def _cosine(data: np.ndarray, label: int, target: int, part: float = 0.5) -> Sides:
    p, step = np.linalg.pinv(data), data[:, label] - data[:, target]
    normal = p[label] - p[target]
    cosine = abs(normal @ step) / (np.linalg.norm(normal) * np.linalg.norm(step))
    return Sides(last_column.pair_margin(data, label, target) / (part * np.linalg.norm(step)), cosine)


def _column(data: np.ndarray, label: int, part: float = 1.0) -> Sides:
    along = last_column.column_perturbation(data, label)
    return Sides(last_column.untargeted_margins(data)[label], part * np.linalg.norm(along))


def _targeted(data: np.ndarray, label: int, target: int, part: float = 1.0) -> Sides:
    shortest = last_column.targeted_perturbation(data, label, target)
    return Sides(last_column.pair_margin(data, label, target), part * np.linalg.norm(shortest))


def _wins(data: np.ndarray, label: int, target: int) -> Sides:
    """The best other score at x_label + e, against the target's, which is 1."""
    scores = last_column.outputs(data, data[:, label] + last_column.swap_perturbation(data, label, target))
    return Sides(np.max(np.delete(scores, target)), scores[target])


def _wins_exactly(data: np.ndarray, label: Any, target: Any) -> Sides:
    """The same in fractions, all by orthogonal projections: p_k is x_k off the others, over its squared length."""
    label, target = int(label), int(target)
    columns = list(data.T)

    def off(vector: np.ndarray, *without: int) -> np.ndarray:
        others = [column for k, column in enumerate(columns) if k not in without]
        return vector - projection(np.stack(others), vector)

    point = columns[label] + off(columns[target] - columns[label], label, target)
    residuals = [off(column, k) for k, column in enumerate(columns)]
    scores = [residual @ point / (residual @ residual) for residual in residuals]
    return Sides(max(score for k, score in enumerate(scores) if k != target), scores[target])


def _label_loses(data: np.ndarray, label: int, target: int, part: float = 1.0) -> Sides:
    """The label's score at x_label + part * e, just past the tie, against the best of all others."""
    scores = _at(data, label, part * last_column.swap_perturbation(data, label, target))
    return Sides(scores[label], np.max(np.delete(scores, label)))


def _scaled(data: np.ndarray, level: float, wrong: float = 1.0) -> Sides:
    """Exact distances of the network with f_i(x_i) = level for all i, from its probing vectors."""
    p = level * np.linalg.pinv(data)
    apart = np.linalg.norm(p[:, None] - p, axis=-1)[~np.eye(len(p), dtype=bool)]
    return Sides(level / apart, wrong * last_column.pair_margins(data)[~np.eye(len(p), dtype=bool)])


def _bound(data: np.ndarray, label: int, target: int, part: float = 1.0) -> Sides:
    size = last_column.swap_size(data, label, target)
    return Sides(size, part * last_column.swap_bound(data, label, target))


def _layered_bound(factors: list[np.ndarray], root: bool = False) -> Sides:
    """||e|| of the product's last two columns, against the product of the layers' entrywise sums."""
    data, basis, right = np.eye(factors[0].shape[1]), np.eye(factors[0].shape[1]), 1.0
    for factor in factors:
        data = factor @ data
        basis, R = np.linalg.qr(factor @ basis)
        right *= np.abs(np.triu(R)[-2:, -2:]).sum()
    n = data.shape[1]
    return Sides(last_column.swap_size(data, n - 1, n - 2), right / 2 ** len(factors) if root else right)


def _flip(data: np.ndarray, signs: np.ndarray, part: float = 1.0) -> Sides:
    attacked = data @ signs + part * last_column.flip_perturbation(data, signs[-1])
    score = np.linalg.lstsq(data, attacked, rcond=None)[0][-1]
    return Sides(np.array([score, -score]), np.array([-signs[-1], signs[-1]]))


def _flip_size(data: np.ndarray, signs: np.ndarray, factor: float = 2.0) -> Sides:
    """||e||, and twice the exact distance to the tie 2 / ||p_+ - p_-||, against equation (7)."""
    probe = np.linalg.pinv(data)[-1]
    found = [np.linalg.norm(last_column.flip_perturbation(data, signs[-1])), 4 / np.linalg.norm(2 * probe)]
    return Sides(np.array(found), factor * last_distance(data))


_row = rows(
    "fc",
    "Feature compression",
    kind="identity",
    tolerance=1e-8,
    domain="n points of full rank in dimension d >= n >= 2",
)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "thm1.swap",
        at="Theorem 1, equation (2)",
        says="the constructed perturbation swaps the outputs of the label and of the target",
        theory=_swap,
        formula=_COLUMNS + r" \;\Rightarrow\; f_n(x_n + e) = 0, \; f_{n-1}(x_n + e) = 1",
        code=last_column.swap_perturbation,
        decoys=(Decoy("half of it, which is a tie", lambda **world: _swap(**world, part=0.5)),),
    ),
    _row(
        "thm1.size",
        at="Theorem 1, equation (3)",
        says="the swap's length is a formula in three entries of R, the difference's distance from the"
        " other points' span",
        theory=_size,
        formula=r"\|e\| = \sqrt{(r_{n-1,n-1} - r_{n-1,n})^2 + r_{nn}^2}",
        code=last_column.swap_size,
        decoys=(Decoy("the sum in place of the difference", _size_wrong_sign),),
    ),
    _row(
        "thm1.untargeted",
        at="Theorem 1",
        says="past its half the label is no longer the largest output",
        theory=lambda **world: _label_loses(**world, part=0.5),
        kind="bound",
        formula=r"f_i(x_i + e/2) \le \max_{j \ne i} f_j(x_i + e/2)",
        code=last_column.swap_perturbation,
        decoys=(Decoy("past its third", lambda **world: _label_loses(**world, part=1 / 3)),),
    ),
    _row(
        "thm1.target.printed",
        at="Theorem 1, proof",
        says="the constructed perturbation is a successful target attack",
        theory=_wins,
        kind="bound",
        status="refuted",
        formula=r"\max_{k \ne j} f_k(x_i + e) \le f_j(x_i + e)",
        note="Label and target are swapped, but a third output may be above both.",
        code=last_column.swap_perturbation,
        replay=_wins_exactly,
    ),
    _row(
        "thm1.margin",
        at="Theorem 1",
        says="the exact distance to the tie with one class is the same formula with the sum, inverted",
        theory=_margin,
        status="extension",
        formula=r"m_{n,n-1} = \frac{1}{\|p_n - p_{n-1}\|}"
        r" = \frac{r_{nn}\, r_{n-1,n-1}}{\sqrt{r_{nn}^2 + (r_{n-1,n-1} + r_{n-1,n})^2}}",
        code=last_column.pair_margin,
        decoys=(Decoy("the difference in place of the sum", _margin_wrong_sign),),
    ),
    _row(
        "thm1.tie",
        at="Theorem 1",
        says="the construction of Theorem 1 is not the shortest: the tie is at most half its length away",
        theory=_tie,
        kind="bound",
        status="extension",
        formula=r"m_{ij} \le \frac{1}{2} \|e\|",
        note="The ratio is |sin U|, U uniform, for Gaussian data.",
        code=last_column.pair_margins,
        decoys=(Decoy("a quarter", lambda **world: _tie(**world, part=0.25)),),
    ),
    _row(
        "thm1.cosine",
        at="Theorem 1",
        says="the margin over half the distance of both points is the cosine between normal and difference",
        theory=_cosine,
        status="extension",
        formula=r"\frac{m_{ij}}{\|x_i - x_j\| / 2} = |\cos \angle(p_i - p_j, x_i - x_j)|",
        note="Tie against tie; the paper sets the full swap beside half the distance.",
        code=last_column.pair_margin,
        decoys=(Decoy("the whole distance", lambda **world: _cosine(**world, part=1.0)),),
    ),
    _row(
        "thm1.column",
        at="Theorem 1",
        says="the last column's direction alone leads to a tie at no less than the exact untargeted distance",
        theory=_column,
        kind="bound",
        status="extension",
        formula=r"m_i \le U = \frac{r_{nn}}{\max_{j < n} |1 - (r_{nn} A^+ q_n)_j|}",
        note="With fc.thm1.column.law this proves the second claim of the theorem.",
        code=last_column.column_perturbation,
        decoys=(Decoy("half of it", lambda **world: _column(**world, part=0.5)),),
    ),
    _row(
        "thm1.targeted",
        at="Theorem 1",
        says="to reach a prescribed class takes at least the pair's margin",
        theory=_targeted,
        kind="bound",
        tolerance=1e-6,
        status="extension",
        formula=r"m_{ij} \le m_{i \to j} = \min \{ \|e\| : f_j(x_i + e) \ge f_k(x_i + e) \; \forall k \}",
        note="Heuristically it grows like (sqrt 2 - 1) sqrt(2 ln d): no constant reaches every prescribed class.",
        code=last_column.targeted_perturbation,
        decoys=(Decoy("half of it", lambda **world: _targeted(**world, part=0.5)),),
    ),
    _row(
        "thm1.remark1",
        at="Theorem 1, Remarks 1",
        says="the 1 of condition (1) can be any positive number",
        theory=_scaled,
        formula=r"f_i(x_j) = c\, 1_{i=j} \;\Rightarrow\; m_{ij}(c) = m_{ij}(1)",
        note="The same number for all classes; with one for each the distances change.",
        code=last_column.pair_margins,
        decoys=(
            Decoy("distances grow with it", lambda data, level: _scaled(data, level, level)),
            Decoy("distances shrink with it", lambda data, level: _scaled(data, level, 1 / level)),
        ),
    ),
    _row(
        "thm4.bound",
        at="Theorem 4, proof",
        says="the perturbation is no longer than the sum of the absolute entries of the last 2 x 2 block of R",
        theory=_bound,
        kind="bound",
        formula=r"\|e\| \le |r_{n-1,n-1}| + |r_{n-1,n}| + |r_{nn}|",
        code=last_column.swap_bound,
        decoys=(Decoy("two thirds of the sum", lambda **world: _bound(**world, part=2 / 3)),),
    ),
    _row(
        "thm4.bound.layers",
        at="Theorem 4, proof",
        says="the sum of the absolute entries of the last 2 x 2 block is at most the product of the layers' sums",
        theory=_layered_bound,
        kind="bound",
        formula=r"\|e\| \le \prod_{i=1}^{L} \|R_i^{2 \times 2}\|_1",
        domain="any layers of full column rank; R_i of H_i Q_{i-1}",
        note="Loose: the median ratio to the size is 3.76 for two square layers and 9.44 for three"
        " (10^5 draws each, seed 0; quartiles 2.6 to 6.4 and 5.7 to 17.7).",
        code=last_column.swap_size,
        decoys=(Decoy("half of each layer's", lambda factors: _layered_bound(factors, root=True)),),
    ),
    _row(
        "thm6.attack",
        at="Theorem 6, equation (6)",
        says="-2 z_m r_mm q_m exchanges both outputs at every one of the 2^m points",
        theory=_flip,
        formula=r"e = -2 z_m r_{mm} q_m \;\Rightarrow\; f_{\pm 1}(A z + e) = \mp z_m",
        domain="A of full column rank, z of signs",
        code=last_column.flip_perturbation,
        decoys=(Decoy("half of it, which is a tie", lambda **world: _flip(**world, part=0.5)),),
    ),
    _row(
        "thm6.size",
        at="Theorem 6, equation (7)",
        says="the attack -2 z_m r_mm q_m is 2 r_mm long, twice the exact distance to the tie",
        theory=_flip_size,
        formula=r"\|e\| = 2 r_{mm} = 2\, \frac{f_{z_m} - f_{-z_m}}{\|p_+ - p_-\|}",
        domain="A of full column rank, z of signs",
        code=last_column.flip_perturbation,
        decoys=(Decoy("r_mm", lambda **world: _flip_size(**world, factor=1.0)),),
    ),
)
