"""The Lipschitz constant of a network along its graph, from the norms of its layers with what is folded into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from empirical.certificates.graph import lipschitz
from empirical.measures.layers import FOLDED, Layer, largest_factor, traced
from fragility.engine.study import UsageError


def constant(model: nn.Module, x: Tensor, layers: Sequence[Layer], norms: Mapping[str, float]) -> float | str:
    """Upper bound on the l2 Lipschitz constant from images to logits; or in a line why there is none.

    Parameters
    ----------
    x : one image, (1, ...).
    norms : of the layers by name, the batch normalisation behind them included.
    """
    graph = traced(model)
    if isinstance(graph, str):
        return graph
    folded = {layer.follower for layer in layers}

    def norm(name: str, module: nn.Module, given: Tensor) -> float | None:
        if name in norms:
            return norms[name]
        if isinstance(module, FOLDED) and module.running_var is not None:
            return 1.0 if module in folded else largest_factor(module)
        return None

    try:
        return lipschitz(graph, x, norm)
    except UsageError as error:
        return str(error)
