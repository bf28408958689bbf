"""Linear bounds of a convolutional ReLU network over an l2 ball, by backward passes (CROWN, Zhang et al. 2018).

A linear function of a layer is carried back to the inputs, and what each nonlinear step on the way gives is replaced by
one of the two lines between which it lies on the box of its inputs. A unit of a convolution sees but a window of what
comes before: its function is kept as that window alone, and those of all places of a channel are carried back together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from theory.things.layers import Conv, Dense, Flatten, MaxPool
from theory.things.network import Activation
from theory.things.relaxation import Lines, relu_lines

if TYPE_CHECKING:
    from torch import Tensor

Pair = tuple[int, int]
Step = Dense | Conv | MaxPool | Flatten | Activation
ENTRIES = 2**18  # values in the largest layer, times functions carried back at once: what a processor's cache holds


class Windows(NamedTuple):
    """A grid of equal windows of an image, which may overlap and reach over its edge; pairs are (vertical, horizontal).

    Parameters
    ----------
    grid : how many windows there are.
    size : of each, in pixels.
    stride : pixels from one window to the next.
    start : place of the first window's first pixel, negative outside the image.
    """

    grid: Pair
    size: Pair
    stride: Pair
    start: Pair

    @property
    def end(self) -> Pair:
        """The place after the last window's last pixel."""
        bottom, right = (self.start[k] + (self.grid[k] - 1) * self.stride[k] + self.size[k] for k in (0, 1))
        return bottom, right

    def within(self, shape: Sequence[int]) -> bool:
        """Whether all windows lie on an image of this shape, (channels, height, width)."""
        return min(self.start) >= 0 and self.end[0] <= shape[1] and self.end[1] <= shape[2]

    def cut(self, image: Tensor) -> Tensor:
        """The windows of an image (channels, height, width) with zeros around it, (*grid, *size, channels)."""
        from torch.nn import functional

        (top, left), (bottom, right) = self.start, self.end
        windows = functional.pad(image, (-left, right - image.shape[2], -top, bottom - image.shape[1]))
        for k in (0, 1):
            windows = windows.unfold(k + 1, self.size[k], self.stride[k])
        return windows.permute(1, 2, 3, 4, 0).contiguous()

    def seen(self, kernel: Pair, stride: Pair, padding: Pair = (0, 0)) -> Windows:
        """What these windows of the outputs of a convolution, or of a pool, see of its inputs."""
        high, wide = ((self.size[k] - 1) * stride[k] + kernel[k] for k in (0, 1))
        down, across = (self.stride[k] * stride[k] for k in (0, 1))
        top, left = (self.start[k] * stride[k] - padding[k] for k in (0, 1))
        return Windows(self.grid, (high, wide), (down, across), (top, left))


class Functions(NamedTuple):
    """Linear functions of the values of a layer, plus constants.

    Parameters
    ----------
    slopes : (functions, *shape of the layer); with windows (functions, *grid, *size, channels), one function a window,
        where a grid of (1, 1) stands for all windows alike.
    constant : (functions,), or what broadcasts to (functions, *grid).
    windows : of the image that the layer is; None if the functions see all of the layer.
    """

    slopes: Tensor
    constant: Tensor
    windows: Windows | None = None

    @classmethod
    def units(cls, layer: Tensor) -> Functions:
        """The units of a layer, (units,) or (channels, height, width); of an image one function a channel."""
        import torch

        slopes, constant = torch.eye(len(layer)).to(layer), layer.new_zeros(len(layer))
        if layer.ndim == 1:
            return cls(slopes, constant)
        pixels = Windows((layer.shape[1], layer.shape[2]), (1, 1), (1, 1), (0, 0))
        return cls(slopes[:, None, None, None, None], constant[:, None, None], pixels)

    def signed(self) -> Functions:
        """These, followed by their negatives."""
        import torch

        slopes, constant, windows = self
        return Functions(torch.cat([slopes, -slopes]), torch.cat([constant, -constant]), windows)

    def part(self, rows: Tensor) -> Functions:
        """Those of these numbers."""
        return self._replace(slopes=self.slopes[rows], constant=self.constant[rows])

    def inside(self, shape: Sequence[int]) -> Tensor:
        """The slopes, without those outside an image of this shape, where windows reach over its edge."""
        if self.windows is None or self.windows.within(shape):
            return self.slopes
        return self.slopes * self.windows.cut(self.slopes.new_ones(1, *shape[1:]))

    def before(self, step: Step, lines: Lines | None, shape: tuple[int, ...]) -> Functions:
        """Functions of the inputs of a step, of this shape, that lie nowhere above these of its outputs.

        Parameters
        ----------
        lines : of the inputs, if the step is an activation or a pool (`pool_lines`).
        """
        slopes, constant, windows = self
        if isinstance(step, Dense):
            return Functions(slopes @ step.weight, constant + slopes @ step.bias)
        if isinstance(step, Flatten):
            slopes = slopes.reshape(-1, *shape)
            if len(shape) != 3:
                return Functions(slopes, constant)
            whole = Windows((1, 1), (shape[1], shape[2]), (1, 1), (0, 0))
            return Functions(slopes[:, None, None].movedim(3, 5), constant[:, None, None], whole)
        if windows is not None and isinstance(step, Conv):
            slopes = self.inside(step.shape_after(shape))
            constant = constant + slopes.sum((3, 4)) @ step.bias
            windows = windows.seen(step.weight.shape[2:], step.stride, step.padding)
            return Functions(_pulled(step, slopes), constant, windows)
        if windows is not None and isinstance(step, MaxPool):
            slopes, windows = _repeated(slopes, step.size), windows.seen(step.size, step.size)
        if lines is None:
            return Functions(slopes, constant, windows)
        if windows is not None:
            lines = Lines(*map(windows.cut, lines))
        slopes, added = lines.lowest(slopes)
        return Functions(slopes, constant + added.flatten(constant.ndim).sum(-1), windows)


class Alike(NamedTuple):
    """Functions of an image that differ between windows by factors alone, at least 0, as those of a channel's units do.

    The slopes of a window are the positive ones times `positive` plus the negative ones times `negative`: steps without
    weights change the factors, which all functions share.

    Parameters
    ----------
    slopes : (functions, *size, channels).
    constant : (functions, *grid), or what broadcasts to it.
    windows : of the image.
    positive, negative : (*grid, *size, channels), or what broadcasts to it.
    """

    slopes: Tensor
    constant: Tensor
    windows: Windows
    positive: Tensor
    negative: Tensor

    def before(self, step: Step, lines: Lines) -> Alike:
        """As `Functions.before`, of an activation or a pool."""
        slopes, constant, windows, positive, negative = self
        if isinstance(step, MaxPool):
            windows = windows.seen(step.size, step.size)
            slopes, positive, negative = (_repeated(values, step.size) for values in (slopes, positive, negative))
        over, intercept, under = map(windows.cut, lines)
        constant = constant + _sums(slopes.clamp(max=0), negative * intercept)
        return Alike(slopes, constant, windows, positive * under, negative * over)

    def part(self, rows: Tensor) -> Functions:
        """Those of these numbers, with slopes for every window."""
        slopes = self.slopes[rows][:, None, None]
        slopes = slopes.clamp(min=0) * self.positive + slopes.clamp(max=0) * self.negative
        return Functions(slopes, self.constant[rows], self.windows)

    def narrow(self, step: Conv) -> bool:
        """Whether `pulled` is cheaper than to write the slopes of every window out."""
        (bottom, right), (high, wide) = self.windows.grid, self.windows.size
        return high * wide <= bottom * right and step.weight[0].numel() * step.groups <= len(self.slopes)

    def pulled(self, step: Conv) -> Functions:
        """As `Functions.before`, of a convolution: pixel by pixel of the windows, one product for all of them."""
        signed = (self.slopes.clamp(min=0), self.positive), (self.slopes.clamp(max=0), self.negative)
        constant, kernel, matrix = self.constant, step.weight.shape[2:], _matrix(step)
        for slopes, factors in signed:
            constant = constant + _sums(slopes, factors * step.bias)
        windows = self.windows.seen(kernel, step.stride, step.padding)
        found = constant.new_zeros(len(constant), *windows.grid, *windows.size, matrix.shape[-1])
        for a in range(self.windows.size[0]):
            for b in range(self.windows.size[1]):
                top, left = a * step.stride[0], b * step.stride[1]
                seen = found[..., top : top + kernel[0], left : left + kernel[1], :]
                for slopes, factors in signed:
                    each = factors[:, :, a, b].flatten(0, 1).T[:, :, None] * matrix.flatten(1)[:, None]
                    seen += (slopes[:, a, b] @ each.flatten(1)).reshape(seen.shape)
        return Functions(found, constant, windows)


def _repeated(values: Tensor, size: Pair) -> Tensor:
    """Windows (..., height, width, channels) with each pixel as many times as a pool of this size sees it."""
    return values.repeat_interleave(size[0], -3).repeat_interleave(size[1], -2)


def _sums(slopes: Tensor, factors: Tensor) -> Tensor:
    """Sums of products of (functions, *size, channels) and (*grid, *size, channels), (functions, *grid)."""
    return (slopes.flatten(1) @ factors.flatten(2).flatten(0, 1).T).unflatten(1, factors.shape[:2])


def _matrix(step: Conv) -> Tensor:
    """The weights, (outputs, *kernel, inputs), with zeros between an output and inputs that are not of its group."""
    import torch

    blocks = step.weight.unflatten(0, (step.groups, -1)).movedim(2, 4)  # (groups, outputs, *kernel, inputs)
    matrix, each = blocks.new_zeros(*blocks.shape[:-1], step.groups, blocks.shape[-1]), torch.arange(step.groups)
    matrix[each, :, :, :, each] = blocks
    return matrix.flatten(4).flatten(0, 1)


def _pulled(step: Conv, slopes: Tensor) -> Tensor:
    """A convolution's transpose on windows (..., height, width, channels) of its outputs, for all that they see."""
    kernel, stride, matrix = step.weight.shape[2:], step.stride, _matrix(step)
    high, wide = ((side - 1) * apart + 1 for side, apart in zip(slopes.shape[-3:-1], stride, strict=True))
    taps = (slopes @ matrix.flatten(1)).unflatten(-1, matrix.shape[1:])
    found = slopes.new_zeros(*slopes.shape[:-3], high + kernel[0] - 1, wide + kernel[1] - 1, matrix.shape[-1])
    for a in range(kernel[0]):
        for b in range(kernel[1]):
            found[..., a : a + high : stride[0], b : b + wide : stride[1], :] += taps[..., a, b, :]
    return found


def pool_lines(low: Tensor, high: Tensor, size: Pair) -> Lines:
    """Lines of a max-pool's inputs on a box, (channels, height, width), whose sums over the windows bound the maxima.

    Below a maximum lies any of its inputs; taken is the one whose interval has the highest middle. The line over it is
    of the input with the highest upper end u, whose lower end is l: from the point (l, c), where c is l or the second
    highest upper end, whichever is larger, to (u, u). Where that input is the largest anyway, this is the input itself.
    At l it is c, which no other input exceeds, and everywhere on [l, u] at least the input and c.
    """
    import torch
    from torch.nn import functional

    def at(places: Tensor, values: Tensor) -> Tensor:
        """An image with a value at one place of each window, 0 elsewhere."""
        return torch.zeros_like(low).flatten(1).scatter(1, places.flatten(1), values.flatten(1)).reshape(low.shape)

    most, first = functional.max_pool2d(high, size, return_indices=True)
    least = low.flatten(1).gather(1, first.flatten(1)).reshape(most.shape)
    others = high.flatten(1).scatter(1, first.flatten(1), -torch.inf).reshape(high.shape)
    corner = torch.maximum(functional.max_pool2d(others, size), least)
    slope = torch.where(most > least, (most - corner) / (most - least), 0.0)
    pick = functional.max_pool2d(low + high, size, return_indices=True)[1]
    return Lines(at(first, slope), at(first, corner - slope * least), at(pick, torch.ones_like(most)))


class Relaxation:
    """A network on an l2 ball: boxes that its values lie in, and lines in the place of its nonlinear steps.

    Parameters
    ----------
    steps : the network, which ends in Dense.
    norms : of each step, upper bounds of the factor by which it lengthens a difference.
    values : of one point, the inputs of each step, and the outputs of the last.
    radius : of the ball around the point, at least 0.

    Attributes
    ----------
    boxes : lower and upper ends of the inputs of each step.
    lines : of each step but the last, None where it is linear.
    """

    def __init__(self, steps: Sequence[Step], norms: Sequence[float], values: Sequence[Tensor], radius: float) -> None:
        self.steps, self.values, self.radius = steps, values, radius
        self.boxes, self.lines = [(values[0] - radius, values[0] + radius)], list[Lines | None]()
        reach = radius
        for number, step in enumerate(steps[:-1]):
            low, high = self.boxes[-1]
            lines = None
            if isinstance(step, (Dense, Conv)):
                self.boxes.append(self._weighted(number, step, reach))
            else:
                if isinstance(step, Activation):
                    lines = relu_lines(low, high, level=0)
                elif isinstance(step, MaxPool):
                    lines = pool_lines(low, high, step.size)
                self.boxes.append((step(low), step(high)))
            self.lines.append(lines)
            reach *= norms[number]

    def _weighted(self, number: int, step: Dense | Conv, reach: float) -> tuple[Tensor, Tensor]:
        """The box of what a step with weights gives, if its inputs are at most `reach` from those of the point."""
        import torch

        middle, shape = self.values[number + 1], tuple(self.values[number].shape)
        units = Functions.units(middle)
        if not number:
            return self.between(units.before(step, None, shape), number)
        ball = reach * step.beside(step.weight.flatten(1).norm(dim=1))
        low, high = self.boxes[-1]
        centre, half = step((low + high) / 2), step.product(step.weight.abs(), (high - low) / 2)
        low, high = torch.maximum(middle - ball, centre - half), torch.minimum(middle + ball, centre + half)
        rows = torch.arange(len(middle))
        if isinstance(step, Dense):  # what comes is no max-pool: the others are decided
            rows = torch.nonzero((low < 0) & (high > 0))[:, 0]
            units = units.part(rows)
        least, most = self.between(units.before(step, None, shape), number)
        low[rows], high[rows] = torch.maximum(low[rows], least), torch.minimum(high[rows], most)
        return low, high

    def between(self, functions: Functions, number: int) -> tuple[Tensor, Tensor]:
        """Lower and upper bounds over the ball of functions of the inputs of step `number`, (functions, *grid)."""
        import torch

        grid = functions.windows.grid if functions.windows else ()
        shapes = [tuple(value.shape) for value in self.values]
        while number and self.lines[number - 1] is None:  # shared by lower and upper bounds, and by all windows
            number -= 1
            functions = functions.before(self.steps[number], None, shapes[number])
        number, signed = self._alike(functions.signed(), number)
        low = []
        count = max(1, ENTRIES // max(value.numel() for value in self.values))
        for rows in torch.arange(len(signed.slopes)).split(count):
            part = signed.part(rows)
            for k in range(number - 1, -1, -1):
                part = part.before(self.steps[k], self.lines[k], shapes[k])
            x, slopes, axis = self.values[0], part.slopes, part.constant.ndim
            if part.windows is not None:
                x, slopes = part.windows.cut(x), part.inside(shapes[0])
            centre = (slopes * x).flatten(axis).sum(-1) + part.constant
            low.append(centre - self.radius * slopes.flatten(axis).norm(dim=-1))
        least, most = torch.cat(low).reshape(-1, *grid).chunk(2)
        return least, -most

    def _alike(self, functions: Functions, number: int) -> tuple[int, Functions | Alike]:
        """How many steps are left below the nonlinear ones next, and a narrow convolution, and the functions there."""
        slopes, constant, windows = functions
        if windows is None or slopes.shape[1:3] != (1, 1):
            return number, functions
        ones = slopes.new_ones(1, 1, *slopes.shape[3:])
        alike = Alike(slopes[:, 0, 0], constant, windows, ones, ones)
        while number and (lines := self.lines[number - 1]) is not None:
            number -= 1
            alike = alike.before(self.steps[number], lines)
        step = self.steps[number - 1]
        if number and isinstance(step, Conv) and alike.narrow(step):
            return number - 1, alike.pulled(step)
        return number, alike
