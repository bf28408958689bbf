"""The two attacks of the paper: FGSM, and PGD of ten steps of 2/255, within 8/255 of every pixel (Section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from empirical.training.adversarial import InputAttack

RADIUS, STEPS = 8 / 255, 10


def fgsm(radius: float = RADIUS) -> InputAttack:
    """x + radius sign(gradient), clipped to [0, 1]; the paper prints it without "x +"."""
    from empirical.training.adversarial import InputAttack

    return InputAttack(radius, 1, random=False)


def pgd(radius: float = RADIUS) -> InputAttack:
    """From a uniform start in the ball ten steps of a quarter of the radius, each by the gradient at the last iterate.

    The paper prints the gradient at x instead, which would be the same at every step. The random start is that of the
    code that it cites.
    """
    from empirical.training.adversarial import InputAttack

    return InputAttack(radius, STEPS)


def attacks(radius: float = RADIUS) -> dict[str, InputAttack]:
    """Both by their names in the columns."""
    return {"fgsm": fgsm(radius), "pgd": pgd(radius)}
