"""An autoencoder and a variational one, whose latent codes the first defence classifies (Sections 2.1 and 3.2).

Both have 32 latent units and a sigmoid at the output. The paper prints widths and kinds of activation; the slope 0.01
of the leaky ReLU and the initial weights, uniform in +-1/sqrt(inputs of a unit), are torch's defaults.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from empirical.models.initial import uniform

LATENT = 32  # units of every code
HIDDEN = 150  # units of the variational autoencoder's other hidden layers
BLACK = -30.0  # a pixel's logit below which it is 0 but for 1e-13


class Coder(nn.Module):
    """What both have in common: an image has a code, and a code an image."""

    decoder: nn.Sequential

    def encode(self, x: Tensor) -> Tensor:
        """The code (B, 32) of images (B, 1, size, size) in [0, 1]."""
        raise NotImplementedError

    def logits(self, z: Tensor) -> Tensor:
        """What pixels are the sigmoids of, (B, 1, size, size); a cross-entropy by it cannot overflow."""
        return self.decoder(z)

    def decode(self, z: Tensor) -> Tensor:
        """Images (B, 1, size, size) in [0, 1] of codes (B, 32).

        Logits below -30 count as -30. Of far lower ones, as codes long since beyond the images have them, derivatives
        are denormal numbers, with which a processor takes several times as long.
        """
        return self.logits(z).clamp(min=BLACK).sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """decode(encode(x))."""
        return self.decode(self.encode(x))


class Autoencoder(Coder):
    """Pixels - 32 - pixels, the code after a leaky ReLU; of images of 28 x 28, 50,992 parameters."""

    def __init__(self, seed: int, size: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), skip_init(nn.Linear, size**2, LATENT), nn.LeakyReLU())
        self.decoder = nn.Sequential(skip_init(nn.Linear, LATENT, size**2), nn.Unflatten(1, (1, size, size)))
        uniform(nn.Sequential(*self.encoder, *self.decoder), seed)

    def encode(self, x: Tensor) -> Tensor:
        """The code (B, 32) of images (B, 1, size, size) in [0, 1]."""
        return self.encoder(x)


class VariationalAutoencoder(Coder):
    """Pixels - 150 - 32 - 150 - pixels; the code is normal, given the image (Kingma and Welling 2013).

    Both layers of 150 units have a leaky ReLU; mean and logarithm of the variance of the 32 latent units are linear in
    the first of them. Of images of 28 x 28, 250,748 parameters.
    """

    def __init__(self, seed: int, size: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), skip_init(nn.Linear, size**2, HIDDEN), nn.LeakyReLU())
        self.mean, self.log_variance = skip_init(nn.Linear, HIDDEN, LATENT), skip_init(nn.Linear, HIDDEN, LATENT)
        self.decoder = nn.Sequential(
            skip_init(nn.Linear, LATENT, HIDDEN),
            nn.LeakyReLU(),
            skip_init(nn.Linear, HIDDEN, size**2),
            nn.Unflatten(1, (1, size, size)),
        )
        uniform(nn.Sequential(*self.encoder, self.mean, self.log_variance, *self.decoder), seed)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of the codes of images (B, 1, size, size) in [0, 1], (B, 32) each."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def encode(self, x: Tensor) -> Tensor:
        """The mean of the codes, (B, 32)."""
        return self.mean(self.encoder(x))

    def sample(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """One code of each image, (B, 32), drawn from `generator`, which is of the device of x."""
        return drawn(*self.moments(x), generator)


def drawn(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """Independent normal numbers of these moments, from `generator`; both moments differentiate through them."""
    noise = torch.randn(mean.shape, dtype=mean.dtype, device=mean.device, generator=generator)
    return mean + (log_variance / 2).exp() * noise


def autoencoder(seed: int, size: int = 28) -> Autoencoder:
    """An untrained `Autoencoder`.

    Parameters
    ----------
    seed : of initial weights, at least 0.
    size : side of the images in pixels, at least 1.
    """
    return Autoencoder(seed, size)


def variational(seed: int, size: int = 28) -> VariationalAutoencoder:
    """An untrained `VariationalAutoencoder`, as `autoencoder`."""
    return VariationalAutoencoder(seed, size)
