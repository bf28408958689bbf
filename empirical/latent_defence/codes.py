"""The four ways from an image to a code: either autoencoder, by its encoder or by projection on what it decodes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from empirical.data import Images
from empirical.data.points import Points
from empirical.latent_defence.setting import CODES, Setting
from empirical.latent_defence.trainings import autoencoders

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from empirical.models.autoencoders import Coder, VariationalAutoencoder
    from empirical.models.projection import Projection

AT_ONCE = 1000  # images that are coded together: bounds the memory
TRAIN, JUDGED, ATTACKED, START, NOISE = range(5)  # what is drawn for a coding, each from a stream of its own


@dataclass(frozen=True)
class Coding:
    """One way to a code: a function of the image alone, unless codes are sampled.

    Parameters
    ----------
    coder : the trained autoencoder.
    projection : how images are projected on the range of its decoder; None where its encoder codes.
    start : (32,), where every projection starts.
    sampled : whether a code is drawn from the encoder's normal distribution; else it is the mean.
    coordinates : of the streams of random numbers, nonnegative integers.
    """

    coder: Coder
    projection: Projection | None
    start: Tensor
    sampled: bool
    coordinates: tuple[int, ...]

    def codes(self, x: Tensor, stream: int) -> Tensor:
        """Codes (N, 32) of images (N, 1, size, size) in [0, 1]; sampled ones take their noise from `stream`."""
        import torch

        from empirical.training.network import generator

        drawn = generator(str(x.device), *self.coordinates, stream)
        with torch.no_grad():
            return torch.cat([self._coded(some, drawn) for some in x.split(AT_ONCE)])

    def points(self, images: Images, stream: int, device: str) -> Points:
        """The codes of images, with their labels."""
        return Points(self.codes(images.tensor(device), stream).cpu().numpy(), images.labels)

    def noise(self, count: int) -> Tensor:
        """(count, 32) of the standard normal distribution, for the expectation over sampled codes."""
        import torch

        from empirical.training.network import generator

        drawn = generator("cpu", *self.coordinates, NOISE)
        return torch.randn(count, len(self.start), generator=drawn).to(self.start.device)

    def _coded(self, x: Tensor, drawn: Generator) -> Tensor:
        if self.projection is not None:
            return self.projection.codes(self.coder.decode, x, self.start)
        if self.sampled:
            return cast("VariationalAutoencoder", self.coder).sample(x, drawn)
        return self.coder.encode(x)


def codings(setting: Setting, seed: int, train: Images, device: str) -> Mapping[str, Coding]:
    """The four ways of a seed by their names in CODES; autoencoders are trained on `train`."""
    import torch

    from empirical.models.autoencoders import LATENT
    from empirical.models.projection import Projection
    from empirical.training.network import generator

    made = {}
    coders = dict(zip(("ae", "vae"), autoencoders(setting, seed, train, device), strict=True))
    for number, space in enumerate(CODES):
        name, way = space.split("_")
        projection = Projection(setting.projection_steps, setting.projection) if way == "projection" else None
        start = torch.randn(LATENT, generator=generator("cpu", seed, number, START)).to(device)
        sampled = space == "vae_encoding" and setting.code == "sample"
        made[space] = Coding(coders[name], projection, start, sampled, (seed, number))
    return made
