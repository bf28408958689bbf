"""A feed-forward network and how far an adversary may move it: the setting of the joint input-weight margin bounds.

f_W(x) = W^L rho(W^{L-1} ... rho(W^1 x)) with L weighted layers, dense or convolutional, and an activation after each
but the last; pools and flattenings act after the activation. Layers count from 1 to L: the paper ("Joint margin
bounds", Section 3.1) writes [L] for the integers smaller than L, which would leave the last one out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

from array_api_compat import array_namespace, is_array_api_obj, is_numpy_array

from theory.numerics import require
from theory.numerics.array import Array
from theory.numerics.magnitudes import positive_part
from theory.things.layers import Conv, Dense, Pass, Shape, Weighted


@dataclass(frozen=True)
class Activation:
    """An element-wise non-decreasing function.

    Parameters
    ----------
    name : for messages.
    function : array to array.
    lipschitz : a Lipschitz constant.
    nonnegative : whether no value is negative, as the paper assumes; otherwise bounds use both ends of every box.
    """

    name: str
    function: Callable[[Array], Array] = field(repr=False)
    lipschitz: float = 1
    nonnegative: bool = True

    def __call__(self, x: Array) -> Array:
        return self.function(x)


def _relu6(x: Array) -> Array:
    xp = array_namespace(x)
    return xp.minimum(positive_part(x), xp.zeros_like(x) + 6)


def _leaky_relu(x: Array) -> Array:
    return array_namespace(x).where(x > 0, x, x / 100)


ACTIVATIONS = {
    activation.name: activation
    for activation in (
        Activation("relu", positive_part),
        Activation("relu6", _relu6),
        Activation("softplus", lambda x: array_namespace(x).logaddexp(x, array_namespace(x).zeros_like(x))),
        Activation("sigmoid", lambda x: (1 + array_namespace(x).tanh(x / 2)) / 2, lipschitz=1 / 4),
        Activation("tanh", lambda x: array_namespace(x).tanh(x), nonnegative=False),
        Activation("leaky_relu", _leaky_relu, nonnegative=False),
        Activation("identity", lambda x: x, nonnegative=False),
    )
}


class Stage(NamedTuple):
    """A weighted layer with the pools and flattenings between its activation and the next one."""

    layer: Weighted
    passes: tuple[Pass, ...]


def _rational(array: Array) -> bool:
    """Whether the array holds fractions, and so is exact."""
    return is_numpy_array(array) and array.dtype == object


def passed(passes: Sequence[Pass], x: Array) -> Array:
    """`x` after pools and flattenings."""
    return reduce(lambda value, step: step(value), passes, x)


@dataclass(frozen=True, eq=False)
class Network:
    """Layers in order; the activation after every dense or convolutional one but the last, which must be dense.

    Parameters
    ----------
    layers : `Dense`, `Conv`, `AveragePool`, `MaxPool`, `Flatten`.
    activation : one of the names in `ACTIVATIONS`, or an `Activation` of your own.

    Raises
    ------
    ValueError : for a name that is not known, no layer, a last layer that is not dense, neighbours that do not fit, or
        weights of several libraries.
    """

    layers: Sequence[Weighted | Pass]
    activation: Any = "relu"
    before: tuple[Pass, ...] = field(init=False, repr=False)
    stages: tuple[Stage, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.activation, str):
            if self.activation not in ACTIVATIONS:
                raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation}")
            object.__setattr__(self, "activation", ACTIVATIONS[self.activation])
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or not isinstance(self.layers[-1], Dense):
            raise ValueError("the last layer must be dense: it gives the logits")
        where = [k for k, layer in enumerate(self.layers) if isinstance(layer, (Dense, Conv))]
        stages = [
            Stage(self.layers[k], tuple(self.layers[k + 1 : stop]))  # type: ignore[arg-type]
            for k, stop in zip(where, [*where[1:], len(self.layers)], strict=True)
        ]
        object.__setattr__(self, "before", tuple(self.layers[: where[0]]))
        object.__setattr__(self, "stages", tuple(stages))
        for first, second in zip(self.layers, self.layers[1:], strict=False):
            if isinstance(first, Dense) and isinstance(second, Dense):
                second.shape_after((first.weight.shape[0],))
        require.library(**{f"weight_{m}": stage.layer.weight for m, stage in enumerate(stages, start=1)})
        arrays = [array for stage in stages for array in (stage.layer.weight, stage.layer.bias) if array is not None]
        if len({_rational(array) for array in arrays}) > 1:
            raise ValueError("weights and biases must all hold fractions or all floating point, got both")

    @classmethod
    def dense(
        cls, weights: Sequence[Array], biases: Sequence[Array] | None = None, activation: Any = "relu"
    ) -> Network:
        """The network of dense layers with these weight matrices and, if given, these biases (None for no bias)."""
        biases = [None] * len(weights) if biases is None else biases
        if len(biases) != len(weights):
            raise ValueError(f"biases must be as many as the weights, got {len(biases)} for {len(weights)}")
        return cls([Dense(weight, bias) for weight, bias in zip(weights, biases, strict=True)], activation)

    @property
    def depth(self) -> int:
        """Number L of weighted layers."""
        return len(self.stages)

    @property
    def classes(self) -> int:
        """Number K of logits."""
        return self.stages[-1].layer.weight.shape[0]

    @property
    def axes(self) -> int:
        """How many trailing axes of an input belong to one sample."""
        return self.layers[0].axes

    def given(self, x: Array) -> Array:
        """`x` in floating point, as every function of a network takes it: (..., *shape of a sample).

        Raises
        ------
        ValueError : unless it is a finite real array of the weights' library, of a shape that fits.
        """
        weight, found = self.stages[0].layer.weight, require.finite("x", x)
        require.library(x=found, weight=weight)
        self._fitting(found)
        if _rational(weight) == _rational(found):
            return found
        if _rational(weight) and x.dtype.kind not in "biu":
            raise ValueError(f"x must hold fractions or integers, as the weights do, got dtype {x.dtype}")
        return x.astype(object if _rational(weight) else float)

    def number(self, name: str, value: Any) -> Any:
        """A radius or an end of a range, as arithmetic with this network's arrays takes it; see `plain`."""
        value, weight = plain(name, value), self.stages[0].layer.weight
        return float(value) if isinstance(value, Fraction) and not _rational(weight) else value

    def shapes(self, x: Array) -> list[Shape]:
        """Shapes, without samples, of the inputs h^0, ..., h^{L-1} of the weighted layers.

        Raises
        ------
        ValueError : as `given`.
        """
        return self._fitting(self.given(x))

    def _fitting(self, x: Array) -> list[Shape]:
        if len(x.shape) < self.axes:
            raise ValueError(f"x must have at least {self.axes} axes, got shape {tuple(x.shape)}")
        shape = tuple(x.shape[len(x.shape) - self.axes :])
        shapes = []
        for step in self.layers:
            if isinstance(step, (Dense, Conv)):
                shapes.append(shape)
            shape = step.shape_after(shape)
        return shapes

    def activations(self, x: Array) -> list[Array]:
        """Inputs z^0 = x, z^1, ..., z^{L-1} of the weighted layers, without perturbation."""
        values = [passed(self.before, self.given(x))]
        for layer, passes in self.stages[:-1]:
            values.append(passed(passes, self.activation(layer(values[-1]))))
        return values

    def logits(self, x: Array) -> Array:
        """f_W(x), (..., K), of inputs (..., *shape of a sample)."""
        return self.stages[-1].layer(self.activations(x)[-1])


def pairwise_margins(logits: Array) -> Array:
    """f^{ij} = f_i - f_j of all pairs, (..., K, K), of logits (..., K) ("Joint margin bounds", Section 3.1).

    Raises
    ------
    ValueError : unless the logits are finite real numbers.
    """
    logits = require.finite("logits", logits)
    if not logits.shape:
        raise ValueError("logits must have at least 1 axes, got shape ()")
    return logits[..., :, None] - logits[..., None, :]


def class_labels(labels: Array, classes: int, shape: Shape) -> Array:
    """`labels` in the integers that index, if they are that many classes: an array of integers of this shape.

    Raises
    ------
    ValueError : for anything else, truth values and whole numbers in floating point included.
    """
    classes = require.integer("classes", classes, 1)
    if not is_array_api_obj(labels):
        raise ValueError(f"labels must be an array of integers, got {type(labels).__name__}")
    xp = array_namespace(labels)
    if not xp.isdtype(labels.dtype, "integral"):
        raise ValueError(f"labels must be integers, got dtype {labels.dtype}")
    if tuple(labels.shape) != tuple(shape):
        raise ValueError(f"labels must be one per sample, of shape {tuple(shape)}, got {tuple(labels.shape)}")
    if not bool(xp.all((labels >= 0) & (labels < classes))):
        raise ValueError(f"labels must be classes 0 to {classes - 1}")
    return xp.astype(labels, xp.int64)


def plain(name: str, value: Any) -> Any:
    """One number as arithmetic with arrays takes it: a Python number, or an array without axes in floating point.

    Scalars of NumPy become Python's, which neither wrap nor change an array's precision; fractions stay exact.

    Raises
    ------
    ValueError : for a complex number.
    """
    if is_numpy_array(value) and value.size == 1:
        value = value.item()
    if is_array_api_obj(value):
        return require.finite(name, value)
    if isinstance(value, complex):
        raise ValueError(f"{name} must be a real number, got {value}")  # noqa: TRY004
    return value if isinstance(value, (int, Fraction)) else float(value)


class Radii(NamedTuple):
    """How far each entry of one layer's weight and bias may move."""

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Budget:
    """Radii of the perturbation: every entry of input, weights and biases moves by at most its own, all at once.

    Parameters
    ----------
    input : epsilon_x, in units of the input: a number, a fraction, or an array without axes.
    weights : epsilon_1, ..., epsilon_L, or one number for all layers.
    biases : the same for biases, which the paper does not have; a layer without a bias ignores it.

    Raises
    ------
    ValueError : unless every radius is at least 0 and finite.
    """

    input: Any = 0
    weights: Any = 0
    biases: Any = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "input", plain("input", require.budget("input", self.input)))
        for name in ("weights", "biases"):
            value, several = getattr(self, name), _is_list(getattr(self, name))
            radii = tuple(plain(name, require.budget(name, radius)) for radius in (value if several else (value,)))
            object.__setattr__(self, name, radii if several else radii[0])

    def layers(self, network: Network) -> list[Radii]:
        """Radii of each weighted layer, first to last.

        Raises
        ------
        ValueError : if as many radii as layers were not given.
        """
        spread = {}
        for name in ("weights", "biases"):
            value = getattr(self, name)
            spread[name] = value if _is_list(value) else (value,) * network.depth
            if len(spread[name]) != network.depth:
                raise ValueError(f"{name} must be one radius or {network.depth}, got {len(spread[name])}")
        biases = (
            0 if stage.layer.bias is None else radius
            for stage, radius in zip(network.stages, spread["biases"], strict=True)
        )
        return [
            Radii(network.number("weights", weight), network.number("biases", bias))
            for weight, bias in zip(spread["weights"], biases, strict=True)
        ]

    def scaled(self, factor: float) -> Budget:
        """All radii times `factor`, which is at least 0."""
        factor = plain("factor", require.budget("factor", factor))
        parts = (
            tuple(factor * radius for radius in value) if _is_list(value) else factor * value
            for value in (self.input, self.weights, self.biases)
        )
        return Budget(*parts)


def _is_list(value: Any) -> bool:
    """Whether the value holds one radius per layer; a number, or an array without axes, is one radius."""
    return isinstance(value, (list, tuple)) or len(getattr(value, "shape", ())) > 0
