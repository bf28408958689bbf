"""Attacks of foolbox 3, given problems in which distances, gradients and margins are all of order one.

foolbox's step sizes are absolute (DDN steps by 1 down to 0.01, C&W's weight starts at 1e-3, DeepFool adds 1e-4), so in
raw units an attack on points 0.01 or 100 from the boundary is silently weak. Here every element sees u, with
x_adv = x + unit u, and logits times a number of its own such that its clean margin is `MARGIN`: no decision changes.
Gradients are taken with respect to the input only, so parameters collect none, and where one vanishes (a dead unit, a
saturated loss) a random direction of the same size stands in, from the problem's own seed and not from a global one.

Every attack used here treats the elements of a batch apart: DDN, DeepFool, C&W and projected descent take sums over
the batch of losses of single elements; C&W alone stops early by the batch's total, which `abort_early` turns off.
Not usable so: foolbox's boundary, HopSkipJump and pointwise attacks, which call the model on a part of the batch.
"""

from __future__ import annotations

import math
import threading
import warnings
from functools import cache
from typing import TYPE_CHECKING, Any

from empirical.attacks.gradient import MARGIN
from empirical.attacks.pairs import Pairs
from empirical.decisions.inputs import DRAWING
from empirical.decisions.judge import flips, spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Known, Problem

REACH = 20.0  # units that a coordinate may change where there is no box
_IMPORT = threading.RLock()  # re-entered by the attack that compiles


@cache
def _load() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # foolbox imports a name that scipy has moved
        import foolbox
    return foolbox


def library() -> Any:
    """The package foolbox, imported once, without its warnings."""
    with _IMPORT:
        return _load()


class Limits(tuple):
    """Lowest and highest u of every coordinate, as foolbox unpacks them; its check of inputs asks for numbers."""

    lower, upper = float("-inf"), float("inf")


class View:
    """The problem as foolbox sees it: u -> logits, zero at the clean point.

    Parameters
    ----------
    unit : (size,), the length of u = 1.
    open_box : whether to show no box but `REACH` all around; what leaves the true box is then moved into it, and its
        gradient is 0 there, so that a shortest perturbation is the same.
    """

    def __init__(self, problem: Problem, unit: Tensor, open_box: bool = False) -> None:
        import torch

        x = problem.x
        tiny = torch.finfo(x.dtype).tiny ** 0.5
        self.problem, self.generator = problem, problem.generator()
        self.unit = spread(unit, x).to(x.dtype)
        self.scale = (MARGIN / problem.margin.abs().clamp(min=tiny))[:, None]
        box = None if open_box else problem.judge.box
        self.bounds = Limits((-REACH, REACH) if box is None else [(limit - x) / self.unit for limit in box])

    def start(self) -> Tensor:
        """The clean points."""
        return self.problem.x * 0

    def point(self, u: Tensor) -> Tensor:
        """Inputs of the model."""
        return self.problem.judge.inside(self.problem.x + self.unit * u)

    def logits(self, u: Tensor) -> Tensor:
        """What the attack sees; finite always, as one element's NaN would reach all through a shared stopping rule."""
        return (self.problem.judge.model(self.point(u)) * self.scale).nan_to_num(0.0)

    def kicked(self, gradient: Tensor) -> Tensor:
        """The gradient, with a random vector of length `MARGIN` where it vanishes or is not finite."""
        import torch

        norm = gradient.flatten(1).norm(dim=1)
        lost = ~((norm > 0) & norm.isfinite())
        if not bool(lost.any()):
            return gradient
        noise = torch.randn(gradient.shape, generator=self.generator, dtype=gradient.dtype).to(gradient.device)
        noise = noise * MARGIN / spread(noise.flatten(1).norm(dim=1), noise)
        return torch.where(spread(lost, gradient), noise, gradient)

    def __call__(self, inputs: Any) -> Any:
        import eagerpy

        u, restore = eagerpy.astensor_(inputs)
        return restore(eagerpy.astensor(_function().apply(u.raw, self)))


@cache
def _function() -> Any:
    import torch

    class Logits(torch.autograd.Function):
        """Logits of a view, with a gradient with respect to u and to nothing else."""

        @staticmethod
        def forward(ctx: Any, u: Tensor, view: View) -> Tensor:
            with torch.set_grad_enabled(ctx.needs_input_grad[0]):
                ctx.view, ctx.u = view, u.detach().requires_grad_(ctx.needs_input_grad[0])
                ctx.logits = view.logits(ctx.u)
            return ctx.logits.detach()

        @staticmethod
        def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
            (gradient,) = torch.autograd.grad(ctx.logits, ctx.u, outer[0], retain_graph=True)
            return ctx.view.kicked(gradient), None

    return Logits


def _criterion(problem: Problem) -> Any:
    criteria = library().criteria
    if problem.judge.target is None:
        return criteria.Misclassification(problem.judge.label)
    return criteria.TargetedMisclassification(problem.judge.target)


def ddn(problem: Problem, known: Known, steps: int = 100) -> Tensor:
    """Proposals of decoupled direction and norm (Rony et al. 2019)."""
    view = View(problem, problem.unit(known))
    attack = library().attacks.DDNAttack(steps=steps)
    with DRAWING:  # foolbox draws at every step, for gradients that vanish: here none does
        return view.point(attack.run(view, view.start(), _criterion(problem)))


def deepfool(problem: Problem, known: Known, steps: int = 50) -> Tensor:
    """Proposals of DeepFool in l2 (Moosavi-Dezfooli et al. 2016).

    With a target it is run on two classes, the target and whichever other is ahead, so that it ends where the target
    is ahead of all.
    """
    if problem.judge.target is not None:
        problem = Pairs.beside(problem.judge, problem.rivals).problem(problem.seed)
    view = View(problem, problem.unit(known))
    attack = library().attacks.L2DeepFoolAttack(steps=steps)
    return view.point(attack.run(view, view.start(), library().criteria.Misclassification(problem.judge.label)))


def carlini_wagner(
    problem: Problem, known: Known, steps: int = 100, searches: int = 4, rate: float = 0.05, const: float = 0.4
) -> Tensor:
    """Proposals of Carlini and Wagner (2017): Adam on the squared length plus a searched weight times the margin.

    `rate` is the length of Adam's first step in units. foolbox keeps to its bounds by a hyperbolic tangent, which has
    no slope at a pixel that is black or white: of MNIST's it would move few, so the box is shown open.
    """
    view = View(problem, problem.unit(known), open_box=True)
    size = rate / math.sqrt(problem.x[0].numel()) / REACH
    attack = library().attacks.L2CarliniWagnerAttack(
        binary_search_steps=searches, steps=steps, stepsize=size, initial_const=const, abort_early=False
    )
    return view.point(attack.run(view, view.start(), _criterion(problem)))


def least_likely(problem: Problem, known: Known, steps: int = 20, radii: int = 8) -> Tensor:
    """Proposals of projected gradient descent towards the target, or the class least likely at the clean point.

    The iterative least-likely-class method of Kurakin et al. (2017) in l2, at the smallest radius that succeeds:
    doubled until it does and then bisected, `radii` runs in all. Success is any flip that the problem asks for.
    """
    import torch

    judge, attacks = problem.judge, library().attacks
    aim = problem.least_likely if judge.target is None else judge.target
    criterion = library().criteria.TargetedMisclassification(aim)
    attack = attacks.L2ProjectedGradientDescentAttack(rel_stepsize=2.5 / steps, steps=steps, random_start=False)
    radius, best = problem.unit(known), problem.x
    low, high = torch.zeros_like(radius), torch.full_like(radius, torch.inf)
    for _ in range(radii):
        view = View(problem, radius)
        point = judge.inside(view.point(attack.run(view, view.start(), criterion, epsilon=1.0)))
        over = judge.flips(point)
        best = torch.where(spread(over, point), point, best)
        low, high = torch.where(over, low, radius), torch.where(over, radius, high)
        radius = torch.where(high.isinf(), 2 * radius, (low + high) / 2)
    return best


@cache
def _brendel_bethge() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its compilation
        library().attacks.L2BrendelBethgeAttack()
    return library().attacks.L2BrendelBethgeAttack


def brendel_bethge(problem: Problem, known: Known, steps: int = 40, region: float = 0.3) -> Tensor:
    """Proposals of Brendel et al. (2019): along the boundary, from the shortest perturbation known.

    An element without one stays where it is. The first use in a process compiles for 20 to 60 seconds. `region` is
    the first trust region in units, halved ten times; foolbox's rate is relative to the bounds' width times the
    number of coordinates of the whole batch.
    """
    import torch

    with _IMPORT:
        attack_type = _brendel_bethge()
    view = View(problem, problem.unit(known), open_box=True)
    start = (known.x_adv - problem.x) / view.unit * 1.01  # rounding must not put it back over the boundary
    with torch.no_grad():
        hopeless = ~flips(view.logits(start), problem.judge.label, problem.judge.target)
    rate = region / (problem.x.numel() * 2 * REACH)
    attack = attack_type(steps=steps, lr=rate, lr_num_decay=10)
    criterion = _criterion(problem)
    waived = _waived(type(criterion))(*vars(criterion).values(), hopeless)
    return view.point(attack.run(view, view.start(), waived, starting_points=start))


def _waived(criterion: Any) -> Any:
    class Waived(criterion):
        """The criterion, granted to some elements: the attack insists that every starting point succeeds."""

        def __init__(self, classes: Any, waived: Tensor) -> None:
            super().__init__(classes)
            self.waived = waived

        def __call__(self, perturbed: Any, outputs: Any) -> Any:
            import eagerpy

            return super().__call__(perturbed, outputs).logical_or(eagerpy.astensor(self.waived))

    return Waived
