"""Rows on two linear layers, the attack's penalty, and distances in latent space: latent and SVD defences."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.latent import codes, truncation
from theory.spaces import matrices as spaces
from theory.things import shrinking
from theory.worlds import codes as worlds

PAPER = "Latent and SVD defences"


def _function(W2: np.ndarray, W1: np.ndarray, b2: np.ndarray, b1: np.ndarray, x: np.ndarray, biased: int = 1) -> Sides:
    """Two linear layers, against the one of their product."""
    return Sides(W2 @ (W1 @ x + b1) + b2, (W2 @ W1) @ x + biased * (W2 @ b1) + b2)


def _every_map(W: np.ndarray, width: int, one_less: bool = False) -> Sides:
    """How near two layers of this width come to W, least over all: 0 iff the width suffices."""
    gap = truncation.truncation_errors(W, max(min(W.shape) - width, 0))[0]
    enough = codes.represents_every_map(width + one_less, W.shape[1], W.shape[0])
    return Sides(float(gap < 1e-9), float(enough))


def _shrunk_margin(W2: np.ndarray, W1: np.ndarray, x: np.ndarray, k: int, s: float) -> Sides:
    """The margin after shrinking both factors, and after shrinking their product."""
    both = shrinking.shrink_bottom(W2, k, s) @ shrinking.shrink_bottom(W1, k, s)
    z, one = both @ x, shrinking.shrink_bottom(W2 @ W1, k, s) @ x
    return Sides(z[0] - z[1], one[0] - one[1])


def _shrunk_diagonal(W: np.ndarray, k: Fraction, s: Fraction) -> np.ndarray:
    """A shrunk diagonal matrix, exact where its absolute values differ."""
    values = np.diag(W).copy()
    if np.any(np.diag(values) != W) or len({abs(value) for value in values}) < len(values):
        raise ValueError("W must be diagonal with different absolute values")
    values[np.argsort(np.abs(values))[: int(k)]] *= s
    return np.diag(values)


def _shrunk_margin_of_diagonals(W2: np.ndarray, W1: np.ndarray, x: np.ndarray, k: Fraction, s: Fraction) -> Sides:
    """The same, exact for diagonal factors."""
    z = _shrunk_diagonal(W2, k, s) @ _shrunk_diagonal(W1, k, s) @ x
    one = _shrunk_diagonal(W2 @ W1, k, s) @ x
    return Sides(z[0] - z[1], one[0] - one[1])


def _balanced(W: np.ndarray, k: int, s: float, power: int = 2) -> Sides:
    """The product of shrunk balanced factors, against the shrunk product."""
    W2, W1 = (shrinking.shrink_bottom(factor, k, s) for factor in codes.balanced_factors(W))
    return Sides(W2 @ W1, shrinking.shrink_bottom(W, k, s**power))


def _flow(W2: np.ndarray, W1: np.ndarray, G: np.ndarray, sign: float = 1.0) -> Sides:
    """Speed of W2^T W2 - W1 W1^T under gradient flow, dW2 = -G W1^T and dW1 = -W2^T G for the product's gradient G."""
    d2, d1 = -G @ W1.T, -W2.T @ G
    return Sides(d2.T @ W2 + W2.T @ d2 - sign * (d1 @ W1.T + W1 @ d1.T), np.zeros(2 * W1.shape[:1]))


def _cross_entropy(W: np.ndarray, x: np.ndarray, goal: int) -> tuple[float, np.ndarray]:
    """Value and gradient at x."""
    z = W @ x
    z = z - z.max()
    p = np.exp(z) / np.sum(np.exp(z))
    return float(np.log(np.sum(np.exp(z))) - z[goal]), W.T @ (p - np.eye(len(W))[goal])


def _stall(W: np.ndarray, x: np.ndarray, goal: int, step: float, other: np.ndarray, factor: float = 1.0) -> Sides:
    """The clean objective against those one projected gradient step off, and at another point of the box."""
    value, gradient = _cross_entropy(W, x, goal)
    penalty = factor * codes.stall_penalty(gradient, x)
    elsewhere = [np.clip(x - step * gradient, 0, 1), other]
    there = [_cross_entropy(W, y, goal)[0] + penalty * np.linalg.norm(y - x) for y in elsewhere]
    return Sides(value, np.array(there))


def _stall_bound(W: np.ndarray, x: np.ndarray, goal: int, factor: float = math.sqrt(2)) -> Sides:
    """The penalty that stalls an attack, against a multiple of ||W||."""
    return Sides(codes.stall_penalty(_cross_entropy(W, x, goal)[1], x), factor * np.linalg.norm(W, 2))


def _certified(W: np.ndarray, x: np.ndarray, x_adv: np.ndarray, factor: float = 1.0) -> Sides:
    """The certified distance, for the confidence that x_adv reached for class 1 from class 0, against the real one."""
    confidence = math.exp(-_cross_entropy(W, x_adv, 1)[0])
    margin = (W[0] - W[1]) @ x
    bound = codes.certified_distance(margin, np.linalg.norm(W[1] - W[0]), confidence)
    return Sides(factor * bound, np.linalg.norm(x_adv - x))


def _ratio(x: np.ndarray, x_adv: np.ndarray, shift: np.ndarray) -> Sides:
    """The squared robustness of an example, and that of its code moved by a, of the same classifier."""
    gap = (x_adv - x) @ (x_adv - x)
    moved = x + shift
    return Sides(gap / (x @ x), gap / (moved @ moved))


def _recoded(W: np.ndarray, bias: np.ndarray, x: np.ndarray, shift: np.ndarray, moved: int = 1) -> Sides:
    """The logits of a moved code, with the bias moved or not, against those before."""
    code, offset = codes.recoded(W, bias, x, shift)
    return Sides(W @ code + (offset if moved else bias), W @ x + bias)


def _projected(D: np.ndarray, x: np.ndarray, transposed: bool = False) -> Sides:
    """The code of the nearest decoded point, against a formula for it."""
    formula = D.T @ x if transposed else codes.linear_projection(D, x)
    return Sides(np.linalg.lstsq(D, x, rcond=None)[0], formula)


_row = rows(PAPER, kind="identity", tolerance=1e-8)
_ours = rows(PAPER, kind="identity", status="extension", credit="ours", tolerance=1e-8)


CLAIMS: tuple[Claim, ...] = (
    _row(
        "latent.two_layers.function",
        at="Section 2.3",
        says="two linear layers are one",
        theory=_function,
        world=worlds.two_layers,
        formula=r"W_2 (W_1 x + b_1) + b_2 = (W_2 W_1) x + (W_2 b_1 + b_2)",
        domain="any width; every map is reached iff the width is at least min(inputs, classes)",
        quotes=(Quote("the 2L model is effectively equivalent to the first 1L model", "Section 2.3"),),
        reading="'effectively equivalent' as: 2L computes what a 1L of weights W_2 W_1 computes; that every 1L is"
        " reached needs a width that the paper does not print",
        note="As a function: neither its training nor what the SVD defence makes of it is the same.",
        decoys=(Decoy("the first bias forgotten", lambda **world: _function(**world, biased=0)),),
    ),
    _ours(
        "latent.two_layers.width",
        at="Section 2.3",
        says="two linear layers give every linear map iff the width is at least min(inputs, classes)",
        theory=_every_map,
        world=worlds.map_and_width,
        credit="textbook",
        formula=r"\{W_2 (W_1 x + b_1) + b_2\} = \{W x + b\} \iff h \ge \min(d, K)",
        domain="W of full rank",
        code=codes.represents_every_map,
        decoys=(Decoy("one less", lambda **world: _every_map(**world, one_less=True)),),
    ),
    _row(
        "latent.two_layers.defence.tempting",
        at="Section 2.3",
        says="the SVD defence does to two linear layers what it does to the one they are equivalent to",
        theory=_shrunk_margin,
        space=spaces.two_layers,
        formula=r"(W_2)_s (W_1)_s = (W_2 W_1)_s",
        domain="any factors",
        status="extension",
        credit="ours",
        tempting=True,
        instead=("latent.two_layers.defence",),
        hypotheses=lambda W2, W1, x, k, s, **_: {
            "two linear layers that follow each other": W2.shape[1] == len(W1) and W1.shape[1] == x.size,
            "0 <= k <= width and 0 <= s <= 1": 0 <= k <= len(W1) and 0 <= s <= 1,
        },
        code=shrinking.shrink_bottom,
        replay=_shrunk_margin_of_diagonals,
        note="The paper calls the two equivalent as they are, before the defence. What the defence makes of them"
        " depends on the factors: diag(1, 10) diag(1, 1/10) = I becomes I / 10, which decides as before.",
    ),
    _ours(
        "latent.two_layers.defence",
        at="Section 2.3",
        says="of balanced factors the SVD defence shrinks the product by s squared",
        theory=_balanced,
        world=worlds.map_and_share,
        formula=r"(W_2)_s (W_1)_s = (W_2 W_1)_{s^2}, \quad W_2^T W_2 = W_1 W_1^T",
        domain="W_2 = U Sigma^(1/2), W_1 = Sigma^(1/2) V^T; different singular values",
        code=codes.balanced_factors,
        note="A factor of 10 in either layer is one of 100 in the product.",
        decoys=(Decoy("by s", lambda **world: _balanced(**world, power=1)),),
    ),
    _ours(
        "latent.two_layers.flow",
        at="Section 2.3",
        says="gradient flow on two linear layers conserves W_2^T W_2 - W_1 W_1^T",
        theory=_flow,
        world=worlds.two_layers_and_gradient,
        credit="Arora, Cohen and Hazan 2018; Du, Hu and Lee 2018",
        formula=r"\frac{d}{dt} (W_2^T W_2 - W_1 W_1^T) = 0",
        domain="any loss of W_2 W_1; discrete steps and Adam only nearly",
        decoys=(Decoy("the sum conserved", lambda **world: _flow(**world, sign=-1.0)),),
    ),
    _ours(
        "latent.attack.stall",
        at="Section 2.4",
        says="with a penalty of at least ||P_T(-g)|| no point beats the clean input, and the attack returns it",
        theory=_stall,
        world=worlds.attack_and_step,
        formula=r"\lambda \ge \|P_T(-\nabla \mathrm{CE}(\bar{x}))\| \Rightarrow"
        r" \mathrm{CE}(\bar{x}) \le \mathrm{CE}(x) + \lambda \|x - \bar{x}\|, \; x \in [0, 1]^n",
        kind="bound",
        domain="linear classifiers; P_T drops components that leave the box",
        code=codes.stall_penalty,
        note="And only then. For deep networks it decides the first step. The paper does not print its lambda.",
        decoys=(Decoy("half of it", lambda **world: _stall(**world, factor=0.5)),),
    ),
    _ours(
        "latent.attack.stall.norm",
        at="Section 2.4",
        says="a penalty of sqrt(2) ||W|| stalls every attack on a linear classifier",
        theory=_stall_bound,
        world=worlds.confident_attack,
        formula=r"\|P_T(-\nabla \mathrm{CE})\| \le \sqrt{2} \|W\|_2",
        kind="bound",
        domain="linear classifiers",
        code=codes.stall_penalty,
        decoys=(Decoy("||W||", lambda **world: _stall_bound(**world, factor=1.0)),),
    ),
    _ours(
        "latent.robustness.certified",
        at="Section 3.4",
        says="misclassified with confidence c an input has moved by at least (logit(c) + margin) / Lipschitz constant",
        theory=_certified,
        world=worlds.moved_input,
        credit="Hein and Andriushchenko 2017, with the confidence added",
        formula=r"\|x_{adv} - x\| \ge \frac{\mathrm{logit}(c) + m_{yg}(x)}{\|w_g - w_y\|}",
        kind="bound",
        domain="linear classifiers; Lip(z_g - z_y) below the line in general",
        code=codes.certified_distance,
        note="Exact for two classes; logit(0.95) = ln 19.",
        decoys=(Decoy("twice as far", lambda **world: _certified(**world, factor=2.0)),),
    ),
    _row(
        "latent.robustness.normalised.reading",
        at="Section 3.4",
        says="dividing by ||x|| makes distances comparable between spaces that differ by a shift of the code",
        theory=_ratio,
        space=spaces.code,
        formula=r"\frac{\|x_{adv} - x\|^2}{\|x\|^2} = \frac{\|x_{adv} - x\|^2}{\|x + a\|^2}",
        domain="codes moved by a, the classifier with them",
        status="reading",
        quotes=(
            Quote(
                "Where the denominator serves as a normalization factor, so the average input perturbation of the image"
                " and latent space classifiers could be reliably compared",
                "Section 3.4",
            ),
        ),
        reading="'reliably compared' as: the same for a classifier on codes x and for the same classifier on codes x +"
        " a; the criterion is ours",
        instead=("latent.robustness.normalised.corrected",),
        defect="division by ||x|| does not make the perturbations of image and latent codes comparable: the ratio"
        " depends on where the origin of the code lies, and the same classifier on moved codes gets any robustness"
        " down to 0",
        hypotheses=lambda x, x_adv, shift, **_: {
            "an example other than 0, and an adversarial one other than it": bool(
                np.any(x != 0) and np.any(x_adv != x)
            ),
            "the moved code is not 0": bool(np.any(x + shift != 0)),
        },
        note="A change of units, which multiplies all codes, does cancel; the latent spaces of an encoder are fixed up"
        " to more than that.",
    ),
    _row(
        "latent.robustness.normalised.corrected",
        at="Section 3.4",
        says="codes moved by a with biases moved by -W a give the same logits at the same distances",
        theory=_recoded,
        world=worlds.moved_code,
        formula=r"W (x + a) + (b - W a) = W x + b",
        domain="any linear layer that reads the code",
        status="corrected",
        code=codes.recoded,
        note="Compare distances in pixel space, attacking through the encoder.",
        decoys=(Decoy("the bias left", lambda **world: _recoded(**world, moved=0)),),
    ),
    _ours(
        "latent.projection.linear",
        at="Section 2.1",
        says="on the range of a linear decoder the projection's code is D^+ x",
        theory=_projected,
        world=worlds.decoder,
        credit="textbook",
        formula=r"z_P(x) = \mathrm{argmin}_z \|D z - x\|_2 = D^+ x",
        domain="linear decoders of full column rank; the encoding agrees iff E = D^+",
        tolerance=1e-6,
        code=codes.linear_projection,
        decoys=(Decoy("D^T x", lambda **world: _projected(**world, transposed=True)),),
    ),
)
