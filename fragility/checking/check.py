"""The function that checks a sampler or a relation, and says what it would have seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fragility.checking import arguments
from fragility.checking.checked import Checked
from fragility.checking.finding import Question, Terms
from fragility.checking.laws import CELLS, HasLaw
from fragility.checking.means import HasMean, HasProbability
from fragility.checking.relations import Relations
from fragility.checking.running import Effort, judged, tried
from fragility.checking.sampler import called, drawn
from fragility.checking.samples import SameLaw
from fragility.checking.sequence import Range, Spread
from fragility.engine.study import UsageError

EXACT = 1e-9  # relative rounding that is no failure of a relation
LEAST = 2 / CELLS  # of a gap between probabilities
WAYS = "a law, another sampler, mean=, probability=, or the world of a relation"


def check(
    draw: Any,
    against: Any = None,
    *,
    mean: float | None = None,
    sd: float | None = None,
    bounds: tuple[float, float] | None = None,
    probability: float | None = None,
    tolerance: float | None = None,
    decoys: Mapping[str, Any] | Sequence[Any] = (),
    domain: Callable[..., bool] | None = None,
    rare: float = 0.01,
    alpha: float = 0.05,
    power: float = 0.95,
    thin: int | str = 1,
    seed: int = 0,
    budget: float | str | None = None,
    workers: int | None = None,
    name: str = "",
) -> Checked:
    """Says whether draws have a law or a mean, or whether a relation holds, and what it would have seen.

    ====================================================== =====================================================
    `check(draw, law, tolerance=0.05)`                     a law, by Kolmogorov's distance of the draws from it
    `check(draw, other, tolerance=0.05)`                   whether two samplers have one law
    `check(draw, mean=0, sd=1, tolerance=0.1)`             a mean, of draws whose standard deviation is known
    `check(draw, mean=0.5, bounds=(0, 1), tolerance=0.1)`  a mean, of draws between two numbers
    `check(draw, probability=0.3, tolerance=0.1)`          a probability, of booleans
    `check(relation, world)`                               left <= right in random worlds
    ====================================================== =====================================================

    It draws until it is decided, and looks on the way, which spoils nothing. What holds disagrees with probability
    `alpha` at most; what is off by the tolerance or more agrees with probability 1 - `power` at most. The band is exact
    or the narrowest that is known: the law of Kolmogorov's distance at that number of draws; of a mean, bets against
    it, which hold at all numbers of draws at once; of booleans that are all there, Clopper and Pearson's limits.

    Parameters
    ----------
    draw : draw(rng, size) -> (size,) independent real numbers, all of whose randomness is the NumPy generator; or such
        numbers, drawn already; or relation(**world) -> left, right, numbers or arrays.
    against : anything with a `cdf` that takes arrays, continuous or not, such as a frozen distribution of scipy.stats;
        another sampler, or as many draws of it; of a relation, world(rng) -> {name: value}.
    mean, sd, bounds : what the mean is claimed to be, and an upper bound on the standard deviation, positive, or two
        numbers between which all draws lie.
    probability : of True among booleans, in [0, 1].
    tolerance : the gap that is to be seen: between distribution functions or probabilities, in (0, 1); between means,
        in their unit, positive; of a relation, how far rounding may carry left above right, relative to 1 + |right|,
        1e-9 if left out.
    decoys : wrong laws, means, probabilities, samplers or relations, which the same draws must reject; a list, or names
        with them. Those that are off by less than the tolerance are left out.
    domain : domain(**world) -> whether a relation speaks of a world: within it a failure is made smaller.
    rare : share of failing worlds of which one is to be met, in (0, 1).
    alpha, power : in (0, 1).
    thin : of so many draws of a chain one is kept, or "auto": as many as are independent. Draws that hang together are
        refused.
    seed : of all generators, a whole number from 0 on: the draws depend on nothing else.
    budget : seconds, or a time such as "5m", after which what is not decided is blunt.
    workers : processes of this machine to draw on; this one if left out. The draws are the same.
    name : of the claim.

    Raises
    ------
    UsageError : an argument, a sampler, a law or a world is not what it must be; the text is one line.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> verdict = check(lambda rng, size: rng.standard_normal(size), norm, tolerance=0.05, decoys=[norm(0, 1.3)])
    >>> verdict.agrees, verdict.rejected
    (True, ('norm(0, 1.3)',))
    """
    alpha, beta = arguments.between("alpha", alpha), 1 - arguments.between("power", power)
    seed = arguments.whole_number("seed", seed, 0)
    processes = None if workers is None else arguments.whole_number("workers", workers, 1)
    effort = Effort(arguments.budgeted(budget), processes)
    claims = [claim for claim in (against, mean, probability) if claim is not None]
    if len(claims) != 1:
        raise UsageError(f"a check must be against one thing, {WAYS}, got {len(claims)} of them")
    if mean is None and (sd is not None or bounds is not None):
        raise UsageError("sd and bounds speak of a mean, got none: add mean=")
    if _is_world(against):
        if processes is not None or thin != 1:
            raise UsageError("workers and thin speak of a sampler, got a relation: leave them out")
        slack = EXACT if tolerance is None else arguments.positive("tolerance", tolerance)
        relations = Relations(draw, against, slack, domain, arguments.named(decoys, called), seed)
        return tried(
            relations, Terms(slack, alpha, beta), arguments.between("rare", rare), effort, name or called(draw)
        )
    if domain is not None:
        raise UsageError("domain speaks of the worlds of a relation, got no relation")
    if tolerance is None:
        raise UsageError("tolerance must say which gap is to be seen, got none: add tolerance=")
    others = {} if against is None or hasattr(against, "cdf") else _samplers(against, decoys)
    source = drawn([draw, *others.values()], seed, arguments.thinned(thin))
    terms = Terms(tolerance, alpha, beta, source.given)
    if others:
        question: Question = SameLaw(_of_probabilities(terms), [*others][1:])
        says = f"the law of {next(iter(others))}"
    elif mean is not None:
        question, says = _of_mean(mean, sd, bounds, terms, decoys), f"mean {mean:g}"
    elif probability is not None:
        chance, _ = arguments.mean_within("probability", probability, (0, 1))
        wrong = _wrong(decoys, chance, lambda decoy: arguments.mean_within("a decoy", decoy, (0, 1))[0])
        question, says = HasProbability(chance, _of_probabilities(terms), wrong), f"probability {chance:g}"
    else:
        says = arguments.law_name(against)
        question, says = HasLaw(against, says, _of_probabilities(terms), _laws(decoys, against)), f"law {says}"
    return judged(question, source, terms, effort, name or f"{source.name}: {says}")


def _is_world(against: Any) -> bool:
    """Whether it draws worlds, and is neither a law nor a sampler, which is asked for a number of draws as well."""
    return callable(against) and not hasattr(against, "cdf") and arguments.takes(against) == 1


def _of_probabilities(terms: Terms) -> Terms:
    """Terms whose tolerance is a gap between probabilities."""
    why = "it is a gap between probabilities"
    return replace(terms, tolerance=arguments.between("tolerance", terms.tolerance, LEAST, 1.0, why))


def _of_mean(mean: Any, sd: Any, bounds: Any, terms: Terms, decoys: Any) -> HasMean:
    terms = replace(terms, tolerance=arguments.positive("tolerance", terms.tolerance))
    if (sd is None) == (bounds is None):
        came = "neither" if sd is None else "both"
        raise UsageError(f"a mean needs sd=, a bound on the standard deviation, or bounds= of all draws, got {came}")
    if sd is not None:
        mean = arguments.finite("mean", mean)
        wrong = _wrong(decoys, mean, lambda decoy: arguments.finite("a decoy", decoy))
        return HasMean(mean, Spread(arguments.positive("sd", sd), terms.tolerance), terms, wrong)
    mean, ends = arguments.mean_within("mean", mean, bounds)
    wrong = _wrong(decoys, mean, lambda decoy: arguments.mean_within("a decoy", decoy, ends)[0])
    return HasMean(mean, Range((ends[0] - mean, ends[1] - mean), terms.tolerance), terms, wrong)


def _wrong(decoys: Any, right: float, read: Callable[[Any], float]) -> dict[str, float]:
    """Decoys of a number."""
    found = {says: read(decoy) for says, decoy in arguments.named(decoys, str).items()}
    for says, decoy in found.items():
        if decoy == right:
            raise UsageError(f"a decoy must differ from what is claimed, got {says} for {right:g}")
    return found


def _laws(decoys: Any, law: Any) -> dict[str, Any]:
    """Decoys of a law."""
    found = arguments.named(decoys, arguments.law_name)
    for says, decoy in found.items():
        if not hasattr(decoy, "cdf"):
            raise UsageError(f"a decoy of a law must have a cdf, got {says}")
        if decoy is law:
            raise UsageError(f"a decoy must differ from what is claimed, got {says} for itself")
    return found


def _samplers(against: Any, decoys: Any) -> dict[str, Any]:
    """The other sampler, or its draws, and its decoys."""
    return {"the other" if not callable(against) else called(against): against, **arguments.named(decoys, called)}
