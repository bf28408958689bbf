"""Rows on the attacks themselves: what they give for any data (feature compression, Theorems 1 and 4)."""

from __future__ import annotations

from typing import Any

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.gradients.gradient_plane import projection
from theory.numerics.array import Array, Number
from theory.points import last_column
from theory.spaces import linear as spaces
from theory.worlds import last_column as worlds

_COLUMNS = r"e = (r_{n-1,n-1} - r_{n-1,n}) q_{n-1} - r_{nn} q_n"


def _at(data: Array, label: int, step: Array) -> Array:
    """All outputs at the label's point plus a step, by least squares and not by QR."""
    return np.linalg.lstsq(data, data[:, label] + step, rcond=None)[0]


def _swap(data: Array, label: int, target: int, part: float = 1.0) -> Sides:
    """The outputs of label and target at the label's point plus a part of the swap, against 0 and 1."""
    scores = _at(data, label, part * last_column.swap_perturbation(data, label, target))
    return Sides(scores[[label, target]], np.array([0.0, 1.0]))


def _size(data: Array, label: int, target: int) -> Sides:
    """The distance of x_target - x_label from the span of the other points, against equation (3)."""
    others = np.delete(data, (label, target), axis=1)
    step = data[:, target] - data[:, label]
    left = step - others @ np.linalg.lstsq(others, step, rcond=None)[0]
    return Sides(np.linalg.norm(left), last_column.swap_size(data, label, target))


def _size_wrong_sign(data: Array, label: int, target: int) -> Sides:
    flipped = np.where(np.arange(data.shape[1]) == target, -data, data)
    return Sides(_size(data, label, target).left, last_column.swap_size(flipped, label, target))


def _margin(data: Array, label: int, target: int) -> Sides:
    """The distance to the tie by the probing vectors, 1 / ||p_i - p_j||, against the formula in R."""
    return Sides(last_column.pair_margins(data)[label, target], last_column.pair_margin(data, label, target))


def _margin_wrong_sign(data: Array, label: int, target: int) -> Sides:
    flipped = np.where(np.arange(data.shape[1]) == target, -data, data)
    return Sides(_margin(data, label, target).left, last_column.pair_margin(flipped, label, target))


def _tie(data: Array, label: int, target: int, part: float = 0.5) -> Sides:
    """The distance to the tie, against a part of the swap's length."""
    return Sides(last_column.pair_margins(data)[label, target], part * last_column.swap_size(data, label, target))


def _cosine(data: Array, label: int, target: int, part: float = 0.5) -> Sides:
    """The margin over a part of the points' distance, against the cosine between normal and difference."""
    p, step = np.linalg.pinv(data), data[:, label] - data[:, target]
    normal = p[label] - p[target]
    cosine = abs(normal @ step) / (np.linalg.norm(normal) * np.linalg.norm(step))
    return Sides(last_column.pair_margin(data, label, target) / (part * np.linalg.norm(step)), cosine)


def _column(data: Array, label: int, part: float = 1.0) -> Sides:
    """The exact untargeted distance, against a part of the step along the last column."""
    along = last_column.column_perturbation(data, label)
    return Sides(last_column.untargeted_margins(data)[label], part * np.linalg.norm(along))


def _targeted(data: Array, label: int, target: int, part: float = 1.0) -> Sides:
    """The pair's margin, against a part of the shortest step to where the target wins."""
    shortest = last_column.targeted_perturbation(data, label, target)
    return Sides(last_column.pair_margin(data, label, target), part * np.linalg.norm(shortest))


def _wins(data: Array, label: int, target: int) -> Sides:
    """The best other score at x_label + e, against the target's, which is 1."""
    scores = last_column.outputs(data, data[:, label] + last_column.swap_perturbation(data, label, target))
    return Sides(np.max(np.delete(scores, target)), scores[target])


def _wins_exactly(data: Array, label: Number, target: Number) -> Sides:
    """The same in fractions."""
    label, target = int(label), int(target)
    step = data[:, target] - data[:, label]
    scores = _interpolating(data) @ (data[:, label] + _off_all_others(data, step, label, target))
    return Sides(max(score for k, score in enumerate(scores) if k != target), scores[target])


def _off_all_others(data: Array, vector: Array, *without: int) -> Array:
    """What is left of a vector outside the span of all points but some."""
    return vector - projection(np.delete(data, without, axis=1).T, vector)


def _interpolating(data: Array) -> Array:
    """The rows p_k of the network with condition (1), in fractions: x_k off the others, over its squared length."""
    residuals = [_off_all_others(data, point, k) for k, point in enumerate(data.T)]
    return np.stack([residual / (residual @ residual) for residual in residuals])


def _of_theorem_1(data: Array, label: Number, target: Number) -> dict[str, bool]:
    """The hypotheses of Theorem 1."""
    d, n = data.shape
    return {
        "as many points as dimensions, three or more": d == n >= 3,
        "label and target are the classes of two of them": label != target and {int(label), int(target)} < {*range(n)},
        "condition (1): f_i(x_j) is 1 for i = j and else 0": bool(
            np.all(_interpolating(data) @ data == np.eye(n, dtype=int))
        ),
    }


def _label_loses(data: Array, label: int, target: int, part: float = 1.0, lead: float = 1.0) -> Sides:
    """The label's score at x_label + part * e and a lead, against the best of all others."""
    scores = _at(data, label, part * last_column.swap_perturbation(data, label, target))
    return Sides(scores[label] + lead, np.max(np.delete(scores, label)))


def _scaled(data: Array, level: float, wrong: float = 1.0) -> Sides:
    """The distances to all ties by the probing vectors of f_i(x_i) = level, against those of level 1."""
    p = level * np.linalg.pinv(data)
    apart = np.linalg.norm(p[:, None] - p, axis=-1)[~np.eye(len(p), dtype=bool)]
    return Sides(level / apart, wrong * last_column.pair_margins(data)[~np.eye(len(p), dtype=bool)])


def _bound(data: Array, label: int, target: int, part: float = 1.0) -> Sides:
    """The swap's length, against a part of the sum of the absolute entries of the last 2 x 2 block of R."""
    size = last_column.swap_size(data, label, target)
    return Sides(size, part * last_column.swap_bound(data, label, target))


def _layered_bound(factors: list[Array], root: bool = False) -> Sides:
    """The entrywise sum of the last 2 x 2 block of the product's R, against the product of the layers' sums."""
    data, basis, right = np.eye(factors[0].shape[1]), np.eye(factors[0].shape[1]), 1.0
    for factor in factors:
        data = factor @ data
        basis, R = np.linalg.qr(factor @ basis)
        right *= np.abs(np.triu(R)[-2:, -2:]).sum()
    n = data.shape[1]
    return Sides(last_column.swap_bound(data, n - 1, n - 2), right / 2 ** len(factors) if root else right)


_shared: dict[str, Any] = {"kind": "identity", "tolerance": 1e-8, "domain": "n points of full rank in R^d, d >= n >= 2"}
_row = rows("Feature compression", reconstructed=True, **_shared)
_ours = rows("Feature compression", status="extension", credit="ours", **_shared)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "fc.thm1.swap",
        at="proof of Theorem 1, equation (2)",
        says="the constructed perturbation swaps the outputs of the label and of the target",
        theory=_swap,
        world=worlds.label_and_target,
        formula=_COLUMNS + r" \;\Rightarrow\; f_n(x_n + e) = 0, \; f_{n-1}(x_n + e) = 1",
        quotes=(
            Quote("In fact, when the input is [..], the output at the output neurons is [..]", "proof of Theorem 1"),
        ),
        reading="the lost outputs are read as 0 of the label and 1 of the target; for any pair of classes, and for"
        " d > n by the shortest network with condition (1)",
        code=last_column.swap_perturbation,
        decoys=(Decoy("half of it, which is a tie", lambda **world: _swap(**world, part=0.5)),),
    ),
    _row(
        "fc.thm1.size",
        at="proof of Theorem 1, equation (3)",
        says="the swap's length is a formula in three entries of R, the difference's distance from the"
        " other points' span",
        theory=_size,
        world=worlds.label_and_target,
        formula=r"\|e\| = \sqrt{(r_{n-1,n-1} - r_{n-1,n})^2 + r_{nn}^2}",
        quotes=(Quote("The magnitude of this perturbation is [..]", "proof of Theorem 1, equation (3)"),),
        reading="the lost equation is read as the length of equation (2); that it is the distance from the span is"
        " ours",
        code=last_column.swap_size,
        decoys=(Decoy("the sum in place of the difference", _size_wrong_sign),),
    ),
    _row(
        "fc.thm1.untargeted",
        at="Theorem 1",
        says="after the swap some other output is larger than the label's, by 1 or more",
        theory=_label_loses,
        world=worlds.label_and_target,
        kind="bound",
        formula=r"f_i(x_i + e) + 1 \le \max_{j \ne i} f_j(x_i + e)",
        quotes=(
            Quote(
                "the classification result of the neural network is changed, namely [..] for a certain [..]",
                "Theorem 1, second item",
            ),
        ),
        reading="said of the swap of equation (2), whatever its size; the lost inequality is read as f_j > f_i; the 1"
        " is ours",
        code=last_column.swap_perturbation,
        decoys=(Decoy("half of it, which is a tie", lambda **world: _label_loses(**world, part=0.5)),),
    ),
    _ours(
        "fc.thm1.untargeted.half",
        at="Theorem 1",
        says="past half of the swap the label is no longer the largest output",
        theory=lambda **world: _label_loses(**world, part=0.5, lead=0.0),
        world=worlds.label_and_target,
        kind="bound",
        formula=r"f_i(x_i + e/2) \le \max_{j \ne i} f_j(x_i + e/2)",
        code=last_column.swap_perturbation,
        decoys=(Decoy("past its third", lambda **world: _label_loses(**world, part=1 / 3, lead=0.0)),),
    ),
    _row(
        "fc.thm1.target.reading",
        at="proof of Theorem 1",
        says="after the swap the target is the largest of all outputs",
        theory=_wins,
        space=spaces.label_and_target,
        kind="bound",
        status="reading",
        formula=r"\max_{k \ne j} f_k(x_i + e) \le f_j(x_i + e)",
        quotes=(
            Quote(
                "Then the NN input is [..] and we will have a successful target attack such that [..] and [..]",
                "proof of Theorem 1",
            ),
        ),
        reading="'successful target attack' read as: the network predicts the target, the largest of ALL outputs. The"
        " sentence goes on to name two outputs (lost), those of label and target, and of these it is true",
        instead=("fc.thm1.swap", "fc.thm1.untargeted", "fc.thm1.target.probability"),
        defect="Theorem 1's proof calls its perturbation 'a successful target attack': it exchanges the outputs of"
        " label and target, but a third output may be above both, and is with a probability that tends to 1 with the"
        " number of classes (0.15 for 3, 0.97 for 64)",
        hypotheses=_of_theorem_1,
        note="The theorem needs less, a changed label, and that holds. The failure is open: it survives any small"
        " change of the data, so that Gaussian data show it, too.",
        code=last_column.swap_perturbation,
        replay=_wins_exactly,
    ),
    _ours(
        "fc.thm1.margin",
        at="Theorem 1",
        says="the exact distance to the tie with one class is the same formula with the sum, inverted",
        theory=_margin,
        world=worlds.label_and_target,
        formula=r"m_{n,n-1} = \frac{1}{\|p_n - p_{n-1}\|}"
        r" = \frac{r_{nn}\, r_{n-1,n-1}}{\sqrt{r_{nn}^2 + (r_{n-1,n-1} + r_{n-1,n})^2}}",
        code=last_column.pair_margin,
        decoys=(Decoy("the difference in place of the sum", _margin_wrong_sign),),
    ),
    _ours(
        "fc.thm1.tie",
        at="Theorem 1",
        says="the construction of Theorem 1 is not the shortest: the tie is at most half its length away",
        theory=_tie,
        world=worlds.label_and_target,
        kind="bound",
        formula=r"m_{ij} \le \frac{1}{2} \|e\|",
        note="The ratio is |sin U|, U uniform, for Gaussian data.",
        code=last_column.pair_margins,
        decoys=(Decoy("a quarter", lambda **world: _tie(**world, part=0.25)),),
    ),
    _ours(
        "fc.thm1.cosine",
        at="Theorem 1",
        says="the margin over half the distance of both points is the cosine between normal and difference",
        theory=_cosine,
        world=worlds.label_and_target,
        formula=r"\frac{m_{ij}}{\|x_i - x_j\| / 2} = |\cos \angle(p_i - p_j, x_i - x_j)|",
        note="Tie against tie; the paper sets the full swap beside half the distance.",
        code=last_column.pair_margin,
        decoys=(Decoy("the whole distance", lambda **world: _cosine(**world, part=1.0)),),
    ),
    _ours(
        "fc.thm1.column",
        at="Theorem 1",
        says="the last column's direction alone leads to a tie at no less than the exact untargeted distance",
        theory=_column,
        world=worlds.one_label,
        kind="bound",
        formula=r"m_i \le U = \frac{r_{nn}}{\max_{j < n} |1 - (r_{nn} A^+ q_n)_j|}",
        note="With fc.thm1.column.law this proves the second claim of the theorem.",
        code=last_column.column_perturbation,
        decoys=(Decoy("half of it", lambda **world: _column(**world, part=0.5)),),
    ),
    _ours(
        "fc.thm1.targeted",
        at="Theorem 1",
        says="to reach a prescribed class takes at least the pair's margin",
        theory=_targeted,
        world=worlds.label_and_target_of_order_one,
        kind="bound",
        tolerance=1e-6,
        formula=r"m_{ij} \le m_{i \to j} = \min \{ \|e\| : f_j(x_i + e) \ge f_k(x_i + e) \; \forall k \}",
        note="Heuristically it grows like (sqrt 2 - 1) sqrt(2 ln d): no constant reaches every prescribed class.",
        code=last_column.targeted_perturbation,
        decoys=(Decoy("half of it", lambda **world: _targeted(**world, part=0.5)),),
    ),
    _row(
        "fc.thm1.remark1",
        at="Remarks 1, below Theorem 1",
        says="the 1 of condition (1) can be any positive number",
        theory=_scaled,
        world=worlds.points_and_level,
        formula=r"f_i(x_j) = c\, 1_{i=j} \;\Rightarrow\; m_{ij}(c) = m_{ij}(1)",
        quotes=(Quote("The ‘1’ can be changed to any positive number.", "Remarks 1, below Theorem 1"),),
        reading="the same number for all classes; what does not change are the exact distances to the ties, hence all"
        " that the theorem says of them",
        note="With one number for each class the distances change.",
        code=last_column.pair_margins,
        decoys=(
            Decoy("distances grow with it", lambda data, level: _scaled(data, level, level)),
            Decoy("distances shrink with it", lambda data, level: _scaled(data, level, 1 / level)),
        ),
    ),
    _row(
        "fc.thm4.bound",
        at="proof of Theorem 4",
        says="the perturbation is no longer than the sum of the absolute entries of the last 2 x 2 block of R",
        theory=_bound,
        world=worlds.label_and_target,
        kind="bound",
        formula=r"\|e\| \le |r_{n-1,n-1}| + |r_{n-1,n}| + |r_{nn}|",
        quotes=(
            Quote(
                "in order to change the prediction label, we only need a perturbation of magnitude at most [..]",
                "proof of Theorem 4",
            ),
        ),
        reading="the lost bound is read as the sum over the block's absolute entries, as the next sentence of the proof"
        " describes it",
        code=last_column.swap_bound,
        decoys=(Decoy("two thirds of the sum", lambda **world: _bound(**world, part=2 / 3)),),
    ),
    _row(
        "fc.thm4.bound.layers",
        at="proof of Theorem 4",
        says="the sum of the absolute entries of the last 2 x 2 block of R is at most the product of the layers' sums",
        theory=_layered_bound,
        world=worlds.factors,
        kind="bound",
        formula=r"\|e\| \le \|R^{2 \times 2}\|_1 \le \prod_{i=1}^{L} \|R_i^{2 \times 2}\|_1",
        domain="any layers of full column rank; R_i of H_i Q_{i-1}",
        quotes=(
            Quote(
                "where [..] is the sum of the absolute values of elements in the bottom [..] submatrix of [..]",
                "proof of Theorem 4",
            ),
        ),
        reading="the inequality before these words is lost: read as one between the sum for R and the product of the"
        " sums for R_1, ..., R_L; for layers of any heights",
        note="Loose: the median ratio of the product to ||e|| is 3.76 for two square layers and 9.44 for three"
        " (10^5 draws each, seed 0; quartiles 2.6 to 6.4 and 5.7 to 17.7).",
        code=last_column.swap_size,
        decoys=(Decoy("half of each layer's", lambda factors: _layered_bound(factors, root=True)),),
    ),
)
