"""Oracles of the operations between layers, keras.ops and `+ - * /`.

A number among the operands is an exact array of shape (1, 1, ...), as the audited precision holds
it; no gradient is sent to it.
"""

import math
from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.layers import image_size, merging, reshaping
from compare.oracle.layers.activations import is_short
from compare.oracle.layers.piecewise import wider
from compare.oracle.rounded_mean import mean
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


class Binary(merging.Merging):
    """Base: two operands, of which one may be a number."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.operands = config["operands"]
        self.merges = self.operands.count(None) > 1
        self.exact = type(self).exact and all(is_short(n) for n in self.operands if n is not None)

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        tensors = x if self.merges else [x]
        rest, ones = iter(tensors), (1,) * len(tensors[0].shape)
        rounding = tensors[0].rounding
        return super().forward([next(rest) if number is None else
                                Bounded(np.full(ones, rounding.nearest(number)), rounding)
                                for number in self.operands], weights)

    def backward(self, dy: Bounded) -> Any:
        gradients = [gradient for gradient, number in zip(super().backward(dy)[0], self.operands)
                     if number is None]
        return (gradients if self.merges else gradients[0]), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        """A number of up to 16 counts as so many terms, that whole numbers stay exact."""
        largest = max([1, *(math.ceil(abs(n)) * 16 for n in self.operands if n is not None)])
        shapes = input_shape if self.merges else [input_shape]
        return {name: count * largest
                for name, count in super().reductions(shapes, output_shape).items()}


@judges("AddOperation")
class Add(Binary, merging.Add):
    """a + b."""


@judges("SubtractOperation")
class Subtract(Binary, merging.Subtract):
    """a - b."""


@judges("MultiplyOperation")
class Multiply(Binary, merging.Multiply):
    """a * b."""


@judges("TrueDivideOperation", "DivideOperation")
class Divide(Binary):
    """a / b; its gradients are dy / b and -dy a / b^2: the first times a / b or, as in TensorFlow,
    dy times a / b / b."""

    operation = "a quotient"
    exact = False

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.divisors = (self.operands.count(None) - 1,) if self.operands[1] is None else ()

    def merged(self) -> Bounded:
        return self.x[0] / self.x[1]

    def gradients(self, dy: Bounded) -> list[Bounded]:
        a, b = self.x
        return [dy / b, wider(-(dy / b) * (a / b), dy * (-a / b / b))]


@judges("MaximumOperation")
class Maximum(Binary, merging.Maximum):
    """The larger of a and b."""


@judges("MinimumOperation")
class Minimum(Binary, merging.Minimum):
    """The smaller of a and b."""


@judges("NegativeOperation")
class Negative(Oracle):
    """-x: nothing is rounded."""

    operation = "a change of sign"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        return -x

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return -dy, {}


class Reduction(Oracle):
    """Base: sums along axes of the input, the batch's not among them."""

    shape: tuple[int, ...]  # of the input

    def axes(self, rank: int) -> tuple[int, ...]:
        given = self.config["axis"]
        return tuple(sorted(n % rank for n in (given if isinstance(given, list) else [given])))

    def number(self, shape: tuple[int, ...]) -> int:
        """Of how many numbers each element is a sum."""
        return math.prod(shape[n] for n in self.axes(len(shape)))

    def spread(self, dy: Bounded) -> Bounded:
        """The output's gradient at each place of the input."""
        shape, axes = self.shape, self.axes(len(self.shape))
        kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
        return dy.reshape(*kept).rearranged(lambda a: np.broadcast_to(a, shape))

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": self.number(input_shape), "input_gradient": 1}


@judges("SumOperation")
class Sum(Reduction):
    """The sum along axes."""

    operation = "a sum"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape = x.shape
        return x.flushed().sum(self.axes(len(x.shape)), bool(self.config.get("keepdims")))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return self.spread(dy.flushed()), {}


@judges("MeanOperation")
class Mean(Reduction):
    """The mean along axes."""

    operation = "a mean"
    exact = False

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape, x = x.shape, x.flushed()
        axes, keepdims = self.axes(len(x.shape)), bool(self.config.get("keepdims"))
        total, magnitude, passed_on, terms = (
            array.sum(axis=axes, keepdims=keepdims)
            for array in (x.value, np.abs(x.value), x.bound, x.support()))
        return mean(total, magnitude, passed_on, terms, self.number(self.shape), x.rounding)

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()
        return self.spread(mean(dy.value, np.abs(dy.value), dy.bound, dy.support(),
                                self.number(self.shape), dy.rounding)), {}


@judges("ReshapeOperation")
class Reshape(reshaping.Reshape):
    """The same numbers in another shape."""

    def __init__(self, config: Config) -> None:
        super().__init__({**config, "target_shape": config["newshape"][1:]})


@judges("ConcatenateOperation")
class Concatenate(merging.Concatenate):
    """The inputs one after the other along an axis."""


@judges("ResizeOperation")
class Resize(image_size.Resizing):
    """The image at another size."""

    def __init__(self, config: Config) -> None:
        height, width = config["size"]
        super().__init__({**config, "height": height, "width": width})
