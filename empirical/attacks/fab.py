"""The attack FAB (Croce and Hein 2020) by the package pyautoattack: projections of the last and the first point, mixed.

The package searches in the box [0, 1]; what it sees is the problem's own box, or one so wide that it is never reached.
It leaves points that are classified wrong out of the batch: here each is given the class that it has, towards each of
its nearest rivals, so that batches stay whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from empirical.attacks.foolbox_attacks import REACH
from empirical.attacks.rivals import towards_nearest
from fragility.engine.backend import UnavailableError
from fragility.engine.stop import look

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Known, Problem

NEAREST = 4  # rivals


def fab(problem: Problem, known: Known, steps: int = 100) -> tuple[Tensor, ...]:
    """Proposals towards each of the nearest rivals.

    Raises
    ------
    UnavailableError : pyautoattack is not installed.
    """
    import torch

    from empirical.attacks.ensemble import single

    try:
        from pyautoattack.fab_pt import FABAttack_PT
    except ImportError:
        raise UnavailableError("FAB needs the package pyautoattack: pip install pyautoattack") from None
    view, judge = towards_nearest(problem, NEAREST), problem.judge
    x, pairs = view.problem.x, view.problem.judge.model
    if judge.box is None:
        corner, width = x - REACH * view.unit, 2 * REACH * view.unit
    else:
        corner, width = torch.full_like(x, judge.box[0]), torch.full_like(x, judge.box[1] - judge.box[0])

    def point(z: Tensor) -> Tensor:
        return judge.inside(corner + width * z.to(x.dtype))

    def logits(z: Tensor) -> Tensor:
        look()
        return single(lambda some: pairs(point(some)), z)

    clean = ((x - corner) / width).float()
    attack = FABAttack_PT(logits, norm="L2", n_iter=steps, device=x.device)
    return tuple(point(attack.attack_single_run(clean, logits(clean).argmax(1))).split(len(problem.x)))
