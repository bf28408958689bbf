"""Classifiers of codes as classifiers of images: what an attack on pixels has to go through.

Each maps images (B, 1, size, size) in [0, 1] to logits (B, classes) and is a function of every image alone, without
randomness of its own, so that an attack meets what a user of the defence would.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from empirical.models.autoencoders import Coder, VariationalAutoencoder
from empirical.models.projection import Decode, Projection
from fragility.engine.study import UsageError

GRADIENTS = ("steps", "implicit")
FLOOR = 1e-8  # of J^T J, in traces: singular values of J that float32 does not tell from 0 are not inverted


class Encoded(nn.Module):
    """The classifier at the code that the encoder gives: the mean, of a variational autoencoder."""

    def __init__(self, coder: Coder, classifier: nn.Module) -> None:
        super().__init__()
        self.coder, self.classifier = coder, classifier

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes)."""
        return self.classifier(self.coder.encode(x))


class Sampled(nn.Module):
    """The mean of a classifier's probabilities over samples of a variational autoencoder's code.

    This is the expectation that an attack on a random code must aim at (Athalye, Carlini and Wagner 2018), with noise
    that is drawn once.

    Parameters
    ----------
    noise : (K, latent), standard normal, the same for every image.
    """

    def __init__(self, coder: VariationalAutoencoder, classifier: nn.Module, noise: Tensor) -> None:
        super().__init__()
        self.coder, self.classifier = coder, classifier
        self.register_buffer("noise", noise)

    def forward(self, x: Tensor) -> Tensor:
        """Logarithms of the mean probabilities, (B, classes): logits that a softmax leaves as they are."""
        mean, log_variance = self.coder.moments(x)
        codes = mean + (log_variance / 2).exp() * self.get_buffer("noise")[:, None]
        logits = self.classifier(codes.flatten(0, 1)).unflatten(0, codes.shape[:2])
        return logits.log_softmax(-1).logsumexp(0) - math.log(len(codes))


class Projected(nn.Module):
    """The classifier at the code whose image is closest to x.

    Parameters
    ----------
    coder : whose decoder is meant; its encoder is not used.
    start : (latent,), of every projection.
    gradient : the derivative of the code by x. "steps" goes through all steps of the descent; "implicit" takes the
        derivative that a minimum would have if the decoder were linear about it, (J^T J)^-1 J^T with the Jacobian J of
        D at the code found: the code itself is exact, its derivative an approximation (BPDA, Athalye, Carlini and
        Wagner 2018), whatever the norm of the projection.

    Raises
    ------
    UsageError : another gradient.
    """

    def __init__(
        self, coder: Coder, classifier: nn.Module, projection: Projection, start: Tensor, gradient: str = "implicit"
    ) -> None:
        super().__init__()
        if gradient not in GRADIENTS:
            raise UsageError(f"the gradient must be one of {', '.join(GRADIENTS)}, got {gradient!r}")
        self.coder, self.classifier, self.projection, self.gradient = coder, classifier, projection, gradient
        self.register_buffer("start", start)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes)."""
        start, decode = self.get_buffer("start"), self.coder.decode
        if self.gradient == "implicit":
            return self.classifier(_Implicit.apply(x, decode, self.projection, start))
        through = x.requires_grad and torch.is_grad_enabled()
        return self.classifier(self.projection.codes(decode, x, start, through))


class _Implicit(torch.autograd.Function):
    """The projection's codes, with the derivative of a linear decoder's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, decode: Decode, projection: Projection, start: Tensor) -> Tensor:
        codes = projection.codes(decode, x, start)
        ctx.decode, ctx.shape = decode, x.shape
        ctx.save_for_backward(codes)
        return codes

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        """J (J^T J)^-1 of the gradient by the code; in float64, since J^T J squares what conditions J."""
        (codes,) = ctx.saved_tensors
        jacobian = _jacobian(ctx.decode, codes).double()
        gram = jacobian.mT @ jacobian
        trace = gram.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
        floor = FLOOR * trace * torch.eye(gram.shape[-1], dtype=gram.dtype, device=gram.device)
        solved = torch.linalg.solve(gram + floor, gradients[0].double()[:, :, None])
        return (jacobian @ solved).to(codes.dtype).reshape(ctx.shape), None, None, None


def _jacobian(decode: Decode, codes: Tensor) -> Tensor:
    """Derivatives of the pixels by the code, (B, pixels, latent)."""
    with torch.enable_grad():
        z = codes.detach().requires_grad_()
        shown = decode(z).flatten(1)
        cotangent = torch.zeros_like(shown, requires_grad=True)
        (pulled,) = torch.autograd.grad(shown, z, cotangent, create_graph=True)  # J^T u, linear in the cotangent u
        columns = [torch.autograd.grad(unit.sum(), cotangent, retain_graph=True)[0] for unit in pulled.T]
    return torch.stack(columns, dim=2)
