"""a + b, a - b, a * b, a / b, the larger and the smaller of two: of tensors and numbers."""

import numpy as np

from scratch.layers.merging import Add, Elementwise, Maximum, Minimum, Multiply, Subtract
from scratch.operations.operation import Operation


class Binary(Operation, Elementwise):
    """Base: two operands, at least one of them a tensor; a number has no gradient.

    Input shape:
        (batch, ...), or a list of two such of as many axes, sizes equal or 1 along each.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for another number of operands, or shapes that do not go together.
    """

    def __init__(self, operands=(None, None), **kwargs):
        super().__init__(operands=operands, **kwargs)
        if len(self.operands) != 2 or None not in self.operands:
            raise ValueError(f"{self}: expected two operands, one of them a tensor. "
                             f"Received: {self.operands}")

    def compute_output_shape(self, input_shape):
        shapes = list(input_shape) if self.merges else [input_shape]
        if len({len(shape) for shape in shapes}) > 1:
            raise ValueError(f"{self}: expected tensors of as many axes. Received: {shapes}")
        ones = (None, *[1] * (len(shapes[0]) - 1))
        rest = iter(shapes)
        return super().compute_output_shape([next(rest) if operand is None else ones
                                             for operand in self.operands])

    def forward(self, x, training=False):
        tensors = list(x) if self.merges else [x]
        rest, ones = iter(tensors), (1,) * tensors[0].ndim
        # a number takes part as an array of shape (1, 1, ...), as exact as the precision holds it
        return super().forward([next(rest) if operand is None else
                                self.rounded(np.full(ones, operand, tensors[0].dtype))
                                for operand in self.operands], training)

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        gradients = [gradient for gradient, operand in zip(super().backward(dy), self.operands)
                     if operand is None]
        return gradients if self.merges else gradients[0]


class AddOperation(Binary, Add, operator="+"):
    """a + b.

    Args:
        operands, name: see `Operation`.

    Input shape, Output shape, Raises:
        See `Binary`.
    """

    sample_by_sample = True


class SubtractOperation(Binary, Subtract, operator="-"):
    """a - b; see `AddOperation`."""

    sample_by_sample = True


class MultiplyOperation(Binary, Multiply, operator="*"):
    """a * b; see `AddOperation`."""

    sample_by_sample = True


class TrueDivideOperation(Binary, operator="/"):
    """a / b; see `AddOperation`."""

    sample_by_sample = True

    def combine(self, a, b):
        return a / b

    def combine_backward(self, dy, a, b):
        quotient = dy / b
        # not dy * a / b^2, whose parts overflow where it is not too large itself
        return quotient, -quotient * (a / b)


class DivideOperation(TrueDivideOperation):
    """a / b, by keras.ops.divide; see `AddOperation`."""

    sample_by_sample = True


class MaximumOperation(Binary, Maximum):
    """The larger of a and b, at ties a; see `AddOperation`."""

    sample_by_sample = True


class MinimumOperation(Binary, Minimum):
    """The smaller of a and b, at ties a; see `AddOperation`."""

    sample_by_sample = True


class NegativeOperation(Operation, operator="negative"):
    """-x, of any shape; see `Operation`."""

    sample_by_sample = True

    def forward(self, x, training=False):
        return -x

    def backward(self, dy, wants_input_gradient=True):
        return -dy if wants_input_gradient else None
