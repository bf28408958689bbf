"""Rows on shrinking bottom singular values of many layers, on classes they leave, and where gradients point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from fragility.claim import Claim, Decoy, Quote, Sides, rows
from theory.latent import truncation
from theory.numerics.array import Array
from theory.spaces import matrices as spaces
from theory.things import shrinking
from theory.worlds import truncation as worlds

PAPER = "Latent and SVD defences, Section 2.2"
Arrays = Sequence[Array]


def _cascade(weights: Arrays, biases: Arrays, x: Array) -> tuple[Array, list[Array]]:
    """Logits and the activations h^0..h^(L-1) of a ReLU network."""
    hidden = [x]
    for W, b in zip(weights[:-1], biases[:-1], strict=True):
        hidden.append(np.maximum(W @ hidden[-1] + b, 0))
    return weights[-1] @ hidden[-1] + biases[-1], hidden


def _moved(weights: Arrays, biases: Arrays, x: Array, counts: Sequence[int], s: float) -> tuple[Array, list[Array]]:
    """Change of the logits, and the clean activations."""
    clean, hidden = _cascade(weights, biases, x)
    shrunk = [shrinking.shrink_bottom(W, k, s) for W, k in zip(weights, counts, strict=True)]
    return _cascade(shrunk, biases, x)[0] - clean, hidden


def _cascade_change(pick: int, factor: float = 1.0) -> Callable[..., Sides]:
    """How far the logits move, against one of the two bounds on it."""

    def theory(weights: Arrays, biases: Arrays, x: Array, counts: Sequence[int], s: float) -> Sides:
        moved, hidden = _moved(weights, biases, x, counts, s)
        return Sides(np.linalg.norm(moved), factor * truncation.cascade_bounds(weights, hidden, counts, s)[pick])

    return theory


def _last_layer_only(weights: Arrays, biases: Arrays, x: Array, counts: Sequence[int], s: float) -> Sides:
    """How far the logits move, against the bound for the last layer alone."""
    moved, hidden = _moved(weights, biases, x, counts, s)
    return Sides(np.linalg.norm(moved), truncation.cascade_bounds(weights[-1:], hidden[-1:], counts[-1:], s)[0])


def _cascade_margin(
    weights: Sequence[Array],
    biases: Sequence[Array],
    x: np.ndarray,
    counts: Sequence[int],
    s: float,
    factor: float = 1.0,
) -> Sides:
    """How far a margin moves, against a multiple of its bound."""
    moved, hidden = _moved(weights, biases, x, counts, s)
    bound = truncation.cascade_margin_bound(weights, hidden, counts, s, 0, 1)
    return Sides(abs(moved[0] - moved[1]), factor * bound)


def _classes(W: np.ndarray, X: np.ndarray, k: int, most: int = 2) -> Sides:
    """Different predictions of W of rank one."""
    logits = X @ shrinking.shrink_bottom(W, k, 0.0).T
    return Sides(np.unique(np.argmax(logits, axis=1)).size, most)


def _seen(W: np.ndarray, X: np.ndarray, k: int, spare: int = 0) -> Sides:
    """Predictions that are not reachable: none."""
    logits = X @ shrinking.shrink_bottom(W, k, 0.0).T
    reachable = truncation.reachable_classes(W, k)[spare:]
    return Sides(float(np.sum(~np.isin(np.argmax(logits, axis=1), reachable))), 0.0)


def _energy(W: np.ndarray, residual: np.ndarray, power: int = 2) -> Sides:
    """The energy of the gradient W^T r along the right singular vectors, against the formula."""
    _, sigma, Vh = np.linalg.svd(W, full_matrices=False)
    formula = truncation.gradient_energy(W, residual) * sigma ** (power - 2)
    return Sides((Vh @ (W.T @ residual)) ** 2, formula)


def _bottom_heavy(W: np.ndarray, residual: np.ndarray, k: int) -> Sides:
    """The gradient's energy along the upper singular vectors, against that along the k lowest."""
    energy = truncation.gradient_energy(W, residual)
    return Sides(np.sum(energy[:-k]), np.sum(energy[-k:]))


def _bottom_heavy_of_diagonal(W: np.ndarray, residual: np.ndarray, k: Fraction) -> Sides:
    """Exact for a square diagonal matrix, whose singular vectors are unit vectors."""
    if np.any(np.diag(np.diag(W)) != W):
        raise ValueError("W must be square and diagonal")
    energy = (np.diag(W) * residual)[np.argsort(-np.abs(np.diag(W)))] ** 2
    return Sides(np.sum(energy[: -int(k)]), np.sum(energy[-int(k) :]))


def _softmax_residual(residual: np.ndarray) -> bool:
    """Whether it is p - e_y for probabilities p and a label y."""
    below = residual[residual < 0]
    return sum(residual) == 0 and bool(np.all(residual <= 1)) and len(below) <= 1 and bool(np.all(below >= -1))


def _bottom_share(W: np.ndarray, k: int, extra: float = 1.0) -> Sides:
    """Expected energy of the bottom k for an isotropic residual, from the mean over unit residuals."""
    units = np.array([truncation.gradient_energy(W, unit) for unit in np.eye(len(W))])
    energy = np.mean(units, axis=0)
    return Sides(np.sum(energy[energy.size - k :]) / np.sum(energy), extra * k / energy.size)


_row = rows(PAPER, kind="bound", tolerance=1e-8)
_ours = rows(PAPER, kind="bound", status="extension", credit="ours", tolerance=1e-8)


CLAIMS: tuple[Claim, ...] = (
    _ours(
        "latent.cascade.logits",
        says="shrinking all layers moves the logits by at most what each layer's change does, passed"
        " on by the shrunk ones",
        theory=_cascade_change(0),
        world=worlds.cascade,
        formula=r"\|f_s - f\| \le \sum_l \prod_{m>l} \|W_s^m\|\, \|E_l h^{l-1}\|",
        domain="1-Lipschitz activations, any biases",
        code=truncation.cascade_bounds,
        decoys=(
            Decoy("half of it", _cascade_change(0, 0.5)),
            Decoy("the last layer alone", _last_layer_only),
        ),
    ),
    _ours(
        "latent.cascade.norms",
        says="a cascade's change has a bound from the norms of its layers and activations alone",
        theory=_cascade_change(1),
        world=worlds.cascade,
        formula=r"\|f_s - f\| \le \sum_l \prod_{m>l} \|W^m\|\, (1-s)\, \sigma^{(l)}_{q_l-k_l+1} \|h^{l-1}\|",
        domain="1-Lipschitz activations, any biases",
        code=truncation.cascade_bounds,
        decoys=(Decoy("half of it", _cascade_change(1, 0.5)),),
    ),
    _ours(
        "latent.cascade.margin",
        says="shrinking all layers moves a margin by at most ||w_i - w_j|| times the change below, and the last's own",
        theory=_cascade_margin,
        world=worlds.cascade,
        formula=r"|\Delta m_{ij}| \le \|w_i - w_j\| \sum_{l<L} \prod_{l<m<L} \|W_s^m\|\, \|E_l h^{l-1}\|"
        r" + |(e_i - e_j)^T E_L h^{L-1}|",
        domain="1-Lipschitz activations, any biases; w_i rows of the shrunk last layer",
        code=truncation.cascade_margin_bound,
        note="A larger margin keeps its sign.",
        decoys=(Decoy("half of it", lambda **world: _cascade_margin(**world, factor=0.5)),),
    ),
    _ours(
        "latent.rank_one",
        says="a classifier of rank one without biases predicts at most two classes",
        theory=_classes,
        world=worlds.weights_but_one,
        formula=r"\mathrm{rank}\, W = 1 \Rightarrow |\{\mathrm{argmax}_i (W x)_i : x\}| \le 2",
        domain="1L, all but the largest singular value zeroed out",
        decoys=(Decoy("one class", lambda **world: _classes(**world, most=1)),),
    ),
    _ours(
        "latent.reachable",
        says="a truncated linear classifier predicts only classes whose row of U_top Sigma_top is an exposed point",
        theory=_seen,
        world=worlds.weights_and_inputs,
        formula=r"\mathrm{argmax}_i (W_0 x)_i = i \Rightarrow (U_{top} \Sigma_{top})_i"
        r" \in \mathrm{exp\, conv}\, \{(U_{top} \Sigma_{top})_j\}",
        kind="identity",
        domain="1L without biases, bottom k zeroed out, no ties",
        code=truncation.reachable_classes,
        decoys=(Decoy("one class fewer", lambda **world: _seen(**world, spare=1)),),
    ),
    _ours(
        "latent.gradient.energy",
        says="the attack's gradient has energy sigma_i^2 (u_i^T r)^2 along v_i: top directions are weighted up",
        theory=_energy,
        world=worlds.softmax_residual,
        credit="textbook",
        formula=r"\langle W^T r, v_i \rangle^2 = \sigma_i^2 (u_i^T r)^2, \quad r = p - e_y",
        kind="identity",
        domain="1L, cross entropy",
        code=truncation.gradient_energy,
        decoys=(Decoy("sigma not squared", lambda **world: _energy(**world, power=1)),),
    ),
    _row(
        "latent.gradient.bottom.reading",
        says="of every linear classifier the gradient lies mainly along the lowest singular values",
        theory=_bottom_heavy,
        space=spaces.softmax_layer,
        formula=r"\sum_{i \le q-k} \langle W^T r, v_i \rangle^2 \le \sum_{i > q-k} \langle W^T r, v_i \rangle^2",
        domain="the gradient of 1L, bottom k = q / 2, any residual",
        status="reading",
        quotes=(
            Quote(
                "We hypothesized therefore that [..] the adversarial perturbation were mainly attacking the lowest"
                " singular values of the weight matrices",
                "Section 2.2",
            ),
        ),
        reading="a perturbation as the gradient W^T r of the cross entropy, r = p - e_y, of one linear layer; 'mainly'"
        " as half of its energy or more along the lower half of the singular vectors; of every W and r, where the"
        " paper speaks of trained networks",
        instead=("latent.gradient.energy", "latent.gradient.bottom"),
        defect="that perturbations mainly attack the lowest singular values does not follow from how they are made: a"
        " gradient W^T r weighs the direction v_i by sigma_i, the top ones most, and in the stored layer has a fifth of"
        " its energy in the lower half",
        hypotheses=lambda W, residual, k, **_: {
            "the weights of a linear classifier, a row for each class": W.ndim == 2 and len(W) == residual.size,
            "the residual of a softmax, p - e_y": _softmax_residual(residual),
            "the lower half of the singular values": 2 * k == min(W.shape),
        },
        replay=_bottom_heavy_of_diagonal,
        note="The paper has it as a hypothesis and does not measure it. It needs residuals along the bottom left"
        " vectors; whether those of trained networks are so is for an experiment, and no matrix decides it.",
    ),
    _ours(
        "latent.gradient.bottom",
        says="for an isotropic residual the bottom k directions carry at most k / q of the gradient's expected energy",
        theory=_bottom_share,
        world=worlds.wide_weights,
        formula=r"\frac{\sum_{i>q-k} \sigma_i^2}{\sum_i \sigma_i^2} \le \frac{k}{q}",
        domain="1L, m <= n",
        note="For a residual of no preferred direction the hypothesis of the paper is the wrong way round.",
        code=truncation.gradient_energy,
        decoys=(Decoy("half of it", lambda **world: _bottom_share(**world, extra=0.5)),),
    ),
)
