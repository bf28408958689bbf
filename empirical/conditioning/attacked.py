"""Networks under attack: accuracies step by step, adversarial pictures, and how far images are from the boundary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from empirical.attacks.iterated import iterated

if TYPE_CHECKING:
    from torch import Tensor, nn

AT_ONCE = 100  # images through the network together


class Attacked(NamedTuple):
    """One attack with some radii on one network.

    Parameters
    ----------
    accuracy : share of images classified right after each step, (radii, steps).
    moved : largest ||x_s - x||_inf over the images after one step and after all, (radii, 2).
    classes : of the images after all steps, (radii, N).
    pictures : of the first image after all steps, (radii, pixels).
    """

    accuracy: np.ndarray
    moved: np.ndarray
    classes: np.ndarray
    pictures: np.ndarray


def attacked(model: nn.Module, x: Tensor, y: np.ndarray, method: str, radii: Sequence[float], steps: int) -> Attacked:
    """The attack on all images x (N, ...) with labels y (N,), one trajectory an image for each radius."""
    found = []
    for radius in radii:
        classes, moved, ends = iterated(model, x, method, radius, steps)
        farthest = moved[[0, -1]].max(axis=1)
        found.append(((classes == y).mean(axis=1), farthest, classes[-1], ends[0].flatten().cpu().numpy()))
    return Attacked(*(np.stack(each) for each in zip(*found, strict=True)))


def classes_of(model: nn.Module, x: Tensor) -> np.ndarray:
    """What the network takes images (N, ...) for, (N,)."""
    import torch

    with torch.no_grad():
        return torch.cat([model(images).argmax(1) for images in x.split(AT_ONCE)]).cpu().numpy()


def lead(model: nn.Module, x: Tensor) -> float:
    """Mean over images (N, ...) of how far the largest logit lies above the second."""
    import torch

    with torch.no_grad():
        tops = torch.cat([model(images).topk(2, dim=1).values for images in x.split(AT_ONCE)]).double()
    return float((tops[:, 0] - tops[:, 1]).mean())


def distances(model: nn.Module, x: Tensor, y: Tensor) -> np.ndarray:
    """min_j m_yj / ||grad m_yj||_1 for each image that is classified right, m_yj the logit of y minus that of j.

    The first-order l_inf distance to the boundary, without a box, and the distance itself where the model is linear. It
    does not change when all logits are multiplied by one number. Infinite where no gradient is left.
    """
    import torch

    found = []
    for images, labels in zip(x.split(AT_ONCE), y.split(AT_ONCE), strict=True):
        point = images.clone().requires_grad_()
        with torch.enable_grad():
            logits = model(point)
            rows = [torch.autograd.grad(column.sum(), point, retain_graph=True)[0] for column in logits.T]
        jacobian = torch.stack(rows, 1).flatten(2).double()
        right = logits.detach().argmax(1) == labels
        jacobian, values, labels = jacobian[right], logits.detach().double()[right], labels[right]
        each = torch.arange(len(labels), device=x.device)
        margins = values[each, labels][:, None] - values
        slopes = (jacobian[each, labels][:, None] - jacobian).abs().sum(2)
        far = torch.where(slopes > 0, margins / slopes, torch.inf)
        far[each, labels] = torch.inf
        found.append(far.amin(1))
    return torch.cat(found).cpu().numpy()


def first_right(y: np.ndarray, right: np.ndarray, classes: int) -> list[int | None]:
    """For each class the number of the first image with that label that is classified right, None without one."""
    chosen = [np.flatnonzero((y == label) & right) for label in range(classes)]
    return [int(numbers[0]) if len(numbers) else None for numbers in chosen]


def most_taken_for(y: np.ndarray, said: np.ndarray, classes: int) -> np.ndarray:
    """For each class what its images are most often taken for, wrongly, (classes,): the least of several, or NaN."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (y, said), 1)
    np.fill_diagonal(counts, 0)
    return np.where(counts.any(axis=1), counts.argmax(axis=1), np.nan)
