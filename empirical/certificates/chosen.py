"""The certificate that a network's architecture allows, and why there is none where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from empirical.certificates.convolutional import conv_distance
from empirical.certificates.piecewise import piecewise_distance
from empirical.decisions.inputs import shown
from empirical.decisions.judge import Box, Model
from fragility.engine.study import UsageError

if TYPE_CHECKING:
    from torch import Tensor, nn


class Certified(NamedTuple):
    """Lower bounds of the distance to a flip, and what they rest on.

    Parameters
    ----------
    lower : (size,), 0 where nothing is certified.
    method : how they were found, "" where no certificate fits the network.
    why_not : what stands against one, "" where there is one.
    """

    lower: np.ndarray
    method: str
    why_not: str


def certified(
    model: Model, x: Tensor, label: Any, target: Any = None, box: Box = None, slope_steps: int = 0
) -> Certified:
    """The certificate for a model: exact for linear networks, by linear relaxation for ReLU networks.

    Sequential networks of Flatten, Linear, ReLU and LeakyReLU have one, and those of plain Conv2d, ReLU, MaxPool2d,
    Flatten and Linear. Batch normalisation behind a layer of weights and dropout may stand among them, in evaluation
    mode, a softmax at the end, and Sequential ones inside others. Bounds are of the network in float64. Only for linear
    networks they know the box.

    Parameters
    ----------
    model, x, label, target, box : as of `empirical.attacks.bracket.bracket`.
    slope_steps : as of `crown.crown_distance`, for dense ReLU networks.
    """
    from torch import nn

    nothing = np.zeros(len(x))
    if not isinstance(model, nn.Module):
        return Certified(
            nothing, "", f"certificates are for torch.nn.Sequential, the model is a {type(model).__name__}"
        )
    try:
        modules = _folded(_flat(model))
        if any(isinstance(module, nn.Conv2d) for module in modules):
            lower = conv_distance(nn.Sequential(*modules).eval(), x, label, target)
            return Certified(lower, "linear relaxation of a convolutional ReLU network", "")
        lower = piecewise_distance(modules, x, label, target, box, slope_steps)
    except UsageError as error:
        return Certified(nothing, "", str(error))
    if not any(isinstance(module, (nn.ReLU, nn.LeakyReLU)) for module in modules):
        exact = "exact" if target is None else "of the pairs of classes"
        where = f"within the box {box}" if box else "without a box"
        return Certified(lower, f"distance in a linear network, {exact}, {where}", "")
    return Certified(lower, "linear piece, Lipschitz constants and linear relaxation of a dense ReLU network", "")


def sequence(model: nn.Module) -> list[nn.Module]:
    """The steps of a Sequential network as certificates see them: none inside another, none that decides nothing.

    Raises
    ------
    UsageError : a batch normalisation stands where it cannot be folded into a layer of weights.
    """
    return _folded(_flat(model))


def _flat(model: nn.Module) -> list[nn.Module]:
    """The modules of nested Sequential ones in their order, without those that change no decision."""
    modules = [module for module in _leaves(model) if not _idle(module)]
    last = type(modules[-1]).__name__ if modules else ""
    return modules[:-1] if last in ("Softmax", "LogSoftmax") and modules[-1].dim in (1, -1) else modules


def _leaves(model: nn.Module) -> list[nn.Module]:
    from torch import nn

    return [leaf for part in model for leaf in _leaves(part)] if isinstance(model, nn.Sequential) else [model]


def _idle(module: nn.Module) -> bool:
    from torch import nn

    dropout = isinstance(module, (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)) and not module.training
    return dropout or isinstance(module, nn.Identity)


def _folded(modules: list[nn.Module]) -> list[nn.Module]:
    """The modules with batch normalisations in the weights of the layers before them."""
    from torch import nn
    from torch.nn.utils import fusion

    found: list[nn.Module] = []
    for module in modules:
        last = found[-1] if found and not module.training else None
        if isinstance(module, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
            found[-1] = fusion.fuse_conv_bn_eval(_double(last), _double(module))
        elif isinstance(module, nn.BatchNorm1d) and isinstance(last, nn.Linear):
            found[-1] = fusion.fuse_linear_bn_eval(_double(last), _double(module))
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            raise UsageError(
                f"batch normalisation must follow a layer of weights, in evaluation mode, got {shown(module)}"
            )
        else:
            found.append(module)
    return found


def _double(module: Any) -> Any:
    """A copy in float64, in which what is folded rounds no more than the network itself."""
    import copy

    return copy.deepcopy(module).double().eval()
