"""Smallest perturbations by way of the nearest rivals: one search for each class that may be the first to overtake.

An attack that lets the class choose itself ends in the basin in which it started, and the nearest class in logits need
not be the nearest in distance. Here rivals are ranked by the first-order distance of their boundaries within the box.
Towards the nearest ones runs a short DDN (Rony et al. 2019) on two logits, and towards the very nearest a longer one
from further away, which may end in another basin. Projections from the clean point onto the boundary's tangents, by
smaller and smaller parts, settle the last per cent. In few dimensions, and where there are few rivals, more searches
begin at pairs of opposite random points: a boundary may come near on a side to which no gradient leads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from empirical.attacks.foolbox_attacks import View, library
from empirical.attacks.linearised import projections
from empirical.attacks.pairs import Pairs
from empirical.decisions.halfspace import nearest
from empirical.decisions.inputs import DRAWING
from empirical.decisions.judge import spread

if TYPE_CHECKING:
    from torch import Tensor

    from empirical.attacks.problem import Known, Problem

SEARCHES = (((0, 1, 2, 3), 1.0, 0.25), ((0,), 3.0, 1.0))  # rivals, the nearest is 0; DDN's first ball, in first-order
# distances; its share of the steps
SEARCH = tuple(0.5 * 0.2 ** (k / 19) for k in range(20))  # rates, from .5 to .1, after each DDN
POLISH = tuple(0.1 * 0.1 ** (k / 29) for k in range(30))  # from .1 to .01, of the two nearest
FEW, PAIRS = 100, 3  # coordinates up to which so many pairs of random points begin searches of the nearest rival, too
APART = 0.9  # cosine below which two perturbations are ways of their own


def nearest_rivals(problem: Problem, known: Known, steps: int = 40) -> tuple[Tensor, Tensor]:
    """Two proposals, (size, ...) each: the nearest point found, and the nearest of another class or another direction.

    They are the same where there is no other. What earlier attacks have found is not used.

    Parameters
    ----------
    steps : of the longest DDN, at least 1; the short ones take a quarter.
    """
    import torch

    size = len(problem.x)
    pairs, far = _ranked(problem)
    rows, ends = [], []
    for ranks, ball, share in SEARCHES:
        there = [rank for rank in ranks if rank < len(problem.rivals)]
        rows.append(torch.cat([torch.arange(size, device=far.device) + rank * size for rank in there]))
        ends.append(_ddn(pairs.at(rows[-1]), problem.seed, far[rows[-1]], ball, max(1, round(share * steps))))
    missing = max(0, len(SEARCHES[0][0]) - len(problem.rivals))  # in their place the nearest is searched again
    if again := missing + (PAIRS if problem.x[0].numel() <= FEW else 0):
        rows.append(torch.arange(size, device=far.device).repeat(2 * again))
        ends.append(_random(problem, far[:size], again))
    some = pairs.at(torch.cat(rows))
    point, found = projections(some, torch.cat(ends), SEARCH)
    first, second = _two(some, point, found, size)
    both = torch.cat((first, second))
    finest, length = projections(some.at(both), point[both], POLISH)
    finer = length <= found[both]
    polished = torch.where(spread(finer, finest), finest, point[both])
    return polished[:size], polished[size:]


def _two(pairs: Pairs, point: Tensor, far: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Rows of the nearest point of each element, (size,), and of the nearest that is apart from it, if there is one."""
    import torch

    columns = torch.arange(size, device=far.device)
    lengths = far.reshape(-1, size)
    first = lengths.argmin(0) * size + columns
    way = (point - pairs.x).flatten(1)
    cosine = torch.nn.functional.cosine_similarity(way.unflatten(0, (-1, size)), way[first], dim=2)
    rival = pairs.rival.reshape(-1, size)
    apart = (rival != pairs.rival[first]) | (cosine < APART)
    second = lengths.where(apart, torch.inf).argmin(0) * size + columns
    return first, torch.where(apart.flatten()[second], second, first)


def _ranked(problem: Problem) -> tuple[Pairs, Tensor]:
    """Every point beside every rival, the nearest first, and the boundaries' first-order distances within the box.

    They are rows of all points, one rival after another, and (rows,) in float64: inf where a margin has no gradient.
    """
    import torch

    pairs = Pairs.beside(problem.judge, problem.rivals)
    distances, gradients = problem.linearised
    offset = distances.T.flatten().clamp(min=0).to(problem.x.dtype)
    usable = offset.isfinite()
    normal = -gradients.flatten(0, 1).flatten(1)
    normal = (normal / normal.norm(dim=1, keepdim=True)).where(usable[:, None], 0.0)
    delta, _ = nearest(pairs.x.flatten(1), normal, offset.where(usable, 0.0), problem.judge.box)
    far = delta.double().norm(dim=1).where(usable, torch.inf).reshape(problem.rivals.shape)
    order = far.argsort(0)
    return Pairs.beside(problem.judge, problem.rivals.gather(0, order)), far.gather(0, order).flatten()


def towards_nearest(problem: Problem, count: int) -> View:
    """The problems of two classes of every point beside its `count` nearest rivals, in units of their distances."""
    import torch

    pairs, far = _ranked(problem)
    rows = torch.arange(len(far), device=far.device)[: count * len(problem.x)]
    return _view(pairs.at(rows), problem.seed, far[rows])


def _view(pairs: Pairs, seed: int, far: Tensor) -> View:
    """In units of the distances `far`, (rows,)."""
    return View(pairs.problem(seed), _usual(far))


def _usual(far: Tensor) -> Tensor:
    """The distances, (rows,), and what is usual among them where one is 0 or not known."""
    import torch

    known = far.where(far.isfinite() & (far > 0), torch.nan)
    return known.where(known.isfinite(), known.nanmedian().nan_to_num(nan=1.0))


def _random(problem: Problem, far: Tensor, count: int) -> Tensor:
    """Points (2 * count * size, ...) in random directions and in their opposites, as far as the distances, (size,)."""
    import torch

    x, generator = problem.x, problem.generator()
    found = []
    for _ in range(count):
        way = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
        way = way * spread(_usual(far) / way.double().flatten(1).norm(dim=1), x).to(x.dtype)
        found += [problem.judge.inside(x + way), problem.judge.inside(x - way)]
    return torch.cat(found)


def _ddn(pairs: Pairs, seed: int, far: Tensor, ball: float, steps: int) -> Tensor:
    """Where DDN ends whose first ball is `ball` times the distance `far`, (rows,): the rows' points."""
    view = _view(pairs, seed, far)
    attack = library().attacks.DDNAttack(steps=steps, init_epsilon=ball)
    with DRAWING:  # foolbox draws at every step, for gradients that vanish: here none does
        ended = attack.run(view, view.start(), library().criteria.Misclassification(view.problem.judge.label))
    return view.point(ended)
