"""Every classifier as a model of pixels: the smallest perturbations of the same images, in one unit, by each attack.

A classifier of codes is attacked through whatever makes its codes. `GRADIENTS` names the ways:

    transfer   along the smallest perturbation found for the image classifier of the same kind
    exact      by the derivative of the encoder, without sampling; of images, by that of the classifier itself
    implicit   through a projection by the derivative of the point that it looks for, whatever steps lead there
    steps      through a projection by the derivative of all of its steps
    expected   by the derivative of the mean probability over fixed samples of the code

Whatever a way proposes is judged by one model, the whole pipeline: of a classifier of sampled codes, that mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from empirical.latent_defence.codes import Coding
from empirical.latent_defence.setting import GRADIENTS, Setting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from empirical.attacks.problem import Known, Problem
    from empirical.decisions.judge import Model
    from empirical.models.autoencoders import Autoencoder, VariationalAutoencoder
    from empirical.models.projection import Projection

BOX = (0.0, 1.0)
HALVINGS = 10  # of the segment to a proposal: a projection takes 500 steps for each look at it


class Found(NamedTuple):
    """Perturbations of images by one way: lengths (B,), inf where none flips the judge, and deltas, as the images."""

    lengths: np.ndarray
    delta: Tensor


@dataclass(frozen=True)
class Pipeline:
    """A classifier as a model of images (B, 1, size, size), attacked at some of them.

    Parameters
    ----------
    coding : what makes the codes; None of a classifier of images.
    x : (B, 1, size, size) in [0, 1], the images that are attacked.
    labels : (B,) int64.
    seed : of the attacks' random numbers.
    """

    setting: Setting
    coding: Coding | None
    classifier: nn.Sequential
    x: Tensor
    labels: Tensor
    seed: int

    @cached_property
    def judged(self) -> Model:
        """The model whose decisions count."""
        from empirical.models.coded import Sampled

        if self.coding is None:
            return self.classifier
        if self.coding.projection is not None:
            return self._projected(self.coding, self.coding.projection, "implicit")
        if not self.coding.sampled:
            return self._encoded(self.coding)
        noise = self.coding.noise(self.setting.noises)
        return Sampled(cast("VariationalAutoencoder", self.coding.coder), self.classifier, noise)

    def found(self, images: Found | None) -> Mapping[str, Found]:
        """The smallest perturbations that each way finds.

        Parameters
        ----------
        images : of the image classifier of the same kind, along which "transfer" looks; None where it is the one
            attacked.
        """
        ways = {} if images is None else {"transfer": self._along(images)}
        if self.coding is None:
            return ways | {"exact": self._bracketed(self.judged)}
        if self.coding.projection is not None:
            return ways | self._through(self.coding, self.coding.projection)
        exact = self._bracketed(self._encoded(self.coding))
        if not self.coding.sampled:
            return ways | {"exact": exact}
        return ways | {"exact": self._along(exact), "expected": self._bracketed(self.judged)}

    def lower(self) -> np.ndarray:
        """Certified lower bounds of the distances to a flip, (B,); 0 of projections and sampled codes."""
        from empirical.certificates.piecewise import piecewise_distance
        from empirical.models.autoencoders import VariationalAutoencoder

        if self.coding is None:
            return piecewise_distance(self.classifier, self.x, self.labels, box=BOX)
        if self.coding.projection is not None or self.coding.sampled:
            return np.zeros(len(self.x))
        coder = cast("Autoencoder | VariationalAutoencoder", self.coding.coder)
        last = (coder.mean,) if isinstance(coder, VariationalAutoencoder) else ()
        return piecewise_distance((*coder.encoder, *last, *self.classifier), self.x, self.labels)

    def surviving(self) -> float:
        """Accuracy that AutoAttack leaves; NaN of projections, whose looks are too dear for thousands of steps."""
        from empirical.attacks.ensemble import STANDARD, auto_attack

        if self.coding is not None and self.coding.projection is not None:
            return np.nan
        radius = self.setting.auto_radius
        attacks = STANDARD if self.setting.auto == "standard" else STANDARD[:2]
        left = auto_attack(self.judged, self.x, self.labels, "l2", radius, self.seed, attacks)
        return float(np.asarray(left).mean())

    @property
    def right(self) -> np.ndarray:
        """Whether the judged model has each image that is attacked right, (B,) bool."""
        return (self._problem.logits.argmax(1) == self.labels).cpu().numpy()

    def accuracy(self) -> float:
        """Of the judged model, on the images that are attacked."""
        return float(self.right.mean())

    def taken_for(self, delta: Tensor) -> np.ndarray:
        """The likeliest class besides the label, by the judged model, of each image moved by `delta`, (B,)."""
        import torch

        with torch.no_grad():
            logits = self.judged(self.x + delta)
        return logits.scatter(1, self.labels[:, None], -torch.inf).argmax(1).cpu().numpy()

    def _bracketed(self, model: Model) -> Found:
        import torch

        from empirical.attacks.bracket import bracket

        seen = bracket(model, self.x, self.labels, box=BOX, seed=self.seed)
        return Found(seen.upper, torch.as_tensor(seen.delta, device=self.x.device))

    def _through(self, coding: Coding, projection: Projection) -> dict[str, Found]:
        """By the implicit derivative, and by that of all steps, which projections by signs have not.

        Attacks are those of a bracket, with fewer looks at each image.
        """
        from empirical.attacks.foolbox_attacks import ddn
        from empirical.attacks.gradient import along, fast_gradient, loss_gradient

        problem, nothing = self._problem, self._known(None)
        first = self._drawn_in(fast_gradient(problem, nothing))
        second = self._drawn_in(ddn(problem, self._known(first), self.setting.ddn_implicit))
        ways = {"implicit": _shorter(first, second)}
        if projection.norm == "l2":
            steps = self._attacked(self._projected(coding, projection, "steps"))
            ways["steps"] = self._drawn_in(along(problem, loss_gradient(steps), nothing))
            if self.setting.ddn_steps:
                again = self._drawn_in(ddn(steps, self._known(ways["steps"]), self.setting.ddn_steps))
                ways["steps"] = _shorter(ways["steps"], again)
        return ways

    def _along(self, found: Found) -> Found:
        """The smallest perturbations along given ones, longer or shorter, that flip the judge."""
        from empirical.attacks.gradient import along

        return self._drawn_in(along(self._problem, found.delta, self._known(found)))

    def _drawn_in(self, proposal: Tensor) -> Found:
        """What becomes of proposals that are drawn towards the images as far as they flip the judge."""
        point, lengths = self._problem.judge.bisect(proposal, HALVINGS)
        lengths = lengths.where(self._problem.margin >= 0, 0.0)
        return Found(lengths.cpu().numpy(), point - self.x)

    def _known(self, found: Found | None) -> Known:
        """What attacks are told of earlier ones, none at first."""
        import torch

        from empirical.attacks.problem import Known

        if found is None:
            return Known(torch.full_like(self._problem.margin, torch.inf, dtype=torch.float64), self.x)
        return Known(torch.as_tensor(found.lengths, device=self.x.device), self.x + found.delta)

    @cached_property
    def _problem(self) -> Problem:
        return self._attacked(self.judged)

    def _attacked(self, model: Model) -> Problem:
        from empirical.attacks.problem import Problem
        from empirical.decisions.judge import Judge

        return Problem(Judge(model, self.x, self.labels, box=BOX), self.seed)

    def _encoded(self, coding: Coding) -> Model:
        from empirical.models.coded import Encoded

        return Encoded(coding.coder, self.classifier)

    def _projected(self, coding: Coding, projection: Projection, gradient: str) -> Model:
        from empirical.models.coded import Projected

        return Projected(coding.coder, self.classifier, projection, coding.start, gradient)


def _shorter(one: Found, other: Found) -> Found:
    """For each image the shorter of two perturbations."""
    import torch

    from empirical.decisions.judge import spread

    closer = other.lengths < one.lengths
    chosen = spread(torch.as_tensor(closer, device=one.delta.device), one.delta)
    return Found(np.where(closer, other.lengths, one.lengths), torch.where(chosen, other.delta, one.delta))


def cell(made: Pipeline, images: Found | None) -> tuple[dict[str, float | np.ndarray], Found]:
    """What is recorded of one classifier in pixels, and its smallest perturbations."""
    ways = made.found(images)
    nothing = np.full(len(made.x), np.nan)
    lengths = np.array([ways[way].lengths if way in ways else nothing for way in GRADIENTS])
    best, absent = np.nanmin(lengths, axis=0), np.isnan(lengths).any(1)
    left, accuracy = made.surviving(), made.accuracy()
    measured: dict[str, float | np.ndarray] = {
        "pixels": float(np.median(best)),
        "pixels_lower": float(np.median(made.lower())),
        "pixels_by": np.median(lengths, axis=1),
        "pixels_clean": accuracy,
        "failed": float(np.isinf(best).mean()),
        "failed_by": np.where(absent, np.nan, np.isinf(lengths).mean(1)),
        "auto": left,
        "auto_clean": np.nan if np.isnan(left) else accuracy,
    }
    return measured, reduce(_shorter, ways.values())
