"""How relative errors grow in the layers of a trained network, at the inputs that its images give them (III-B).

A layer is z = W x without its bias, W (outputs, inputs). Lengths are Euclidean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from empirical.conditioning.looks import matrix
from empirical.measures.condition import condition, row_space

if TYPE_CHECKING:
    from torch import Tensor, nn

AT_ONCE = 100  # images through the network together


class Growth(NamedTuple):
    """What one layer does to relative errors of what it is given, at each of N inputs that it does not annihilate.

    Parameters
    ----------
    effective : ||W|| ||x|| / ||W x||, the least constant for this x, (N,).
    random : (||W d|| / ||W x||) / (||d|| / ||x||) along one random d for each, (N,).
    row_space : ||x|| / ||P x||, P the projector on W's row space, (N,).
    worst : the growth along the first right singular vector, (N,).
    condition : kappa_2 of W.
    """

    effective: np.ndarray
    random: np.ndarray
    row_space: np.ndarray
    worst: np.ndarray
    condition: float

    @property
    def of_bound(self) -> tuple[float, float]:
        """Largest worst growth over kappa ||x|| / ||P x||, and over kappa as the paper has it; NaN without inputs."""
        if not len(self.worst):
            return np.nan, np.nan
        corrected, printed = self.condition * self.row_space, self.condition
        return float((self.worst / corrected).max()), float((self.worst / printed).max())


def growth(weights: np.ndarray, x: np.ndarray, random: np.random.Generator) -> Growth:
    """The growth of relative errors in a layer W (outputs, inputs) at inputs x (N, inputs).

    Inputs of 0, of which nothing is a relative error, and inputs that the layer annihilates are left out.
    """
    seen = row_space(weights)
    kappa, _ = condition(weights)
    top = np.linalg.svd(weights, full_matrices=False)[2][0]
    parts = []
    for start in range(0, len(x), AT_ONCE):
        given = x[start : start + AT_ONCE].astype(np.float64)
        direction = random.standard_normal(given.shape)
        lengths = [
            np.linalg.norm(vectors, axis=1)
            for vectors in (given, given @ weights.T, direction, direction @ weights.T, given @ seen.T)
        ]
        parts.append(np.stack(lengths))
    length, image, other, other_image, projected = np.concatenate(parts, axis=1)
    kept = image > 0
    length, image, projected = length[kept], image[kept], projected[kept]
    return Growth(
        effective=np.linalg.norm(weights, 2) * length / image,
        random=other_image[kept] / other[kept] * length / image,
        row_space=length / projected,
        worst=np.linalg.norm(weights @ top) * length / image,
        condition=float(kappa[1]),
    )


def growths(model: nn.Module, names: Sequence[str], x: Tensor, seed: int) -> list[Growth]:
    """The growth in each layer at the inputs that images (N, ...) give it, along directions that are of the seed."""
    given = layer_inputs(model, names, x)
    return [
        growth(matrix(model, name).T, given[name], np.random.default_rng([seed, number]))
        for number, name in enumerate(names)
    ]


def layer_inputs(model: nn.Module, names: Sequence[str], x: Tensor) -> dict[str, np.ndarray]:
    """What each layer is given by images (N, ...), one vector an image: (N, inputs), as its weights have them.

    To a convolution that is the patch around the middle of its input, zeros beyond the edge.
    """
    import torch

    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}

    def listen(name: str) -> torch.utils.hooks.RemovableHandle:
        return model.get_submodule(name).register_forward_pre_hook(
            lambda layer, given: parts[name].append(_vectors(layer, given[0]).cpu().numpy())
        )

    handles = [listen(name) for name in names]
    try:
        with torch.no_grad():
            for images in x.split(AT_ONCE):
                model(images)
    finally:
        for handle in handles:
            handle.remove()
    return {name: np.concatenate(found) for name, found in parts.items()}


def _vectors(layer: nn.Module, given: Tensor) -> Tensor:
    """Inputs of a dense layer, (N, inputs), or patches of a convolution, (N, C_in K_x K_y)."""
    import torch

    if not isinstance(layer, torch.nn.Conv2d):
        return given.flatten(1)
    rows, columns = layer.kernel_size
    padded = torch.nn.functional.pad(given, (columns // 2, columns // 2, rows // 2, rows // 2))
    row, column = given.shape[2] // 2, given.shape[3] // 2
    return padded[:, :, row : row + rows, column : column + columns].flatten(1)
