"""Comparisons, what is made of them, and choices by them: keras.ops.greater, logical_and, where ...

Truth is held in numbers here, 1 and 0, and has no gradient.
"""

from typing import Any

import numpy as np

from scratch.errors import UnsupportedError
from scratch.layers.merging import shapes_of, summed_to
from scratch.operations.arithmetic import Binary
from scratch.operations.operation import Operation, is_tensor


class Comparison(Binary):
    """Base: 1 where a comparison of a and b holds, else 0; see `AddOperation`. Not a number is
    equal to nothing."""

    without_input_gradient = True
    gives_truth = True
    takes_low_precision = False  # whose errors may turn a choice over
    holds: Any  # a function of two arrays

    def combine(self, a, b):
        return type(self).holds(a, b).astype(a.dtype)

    def backward(self, dy, wants_input_gradient=True):
        return [None, None] if self.merges else None


class GreaterOperation(Comparison, operator=">"):
    """a > b; see `Comparison`."""

    sample_by_sample = True
    holds = np.greater


class GreaterEqualOperation(Comparison, operator=">="):
    """a >= b; see `Comparison`."""

    sample_by_sample = True
    holds = np.greater_equal


class LessOperation(Comparison, operator="<"):
    """a < b; see `Comparison`."""

    sample_by_sample = True
    holds = np.less


class LessEqualOperation(Comparison, operator="<="):
    """a <= b; see `Comparison`."""

    sample_by_sample = True
    holds = np.less_equal


class EqualOperation(Comparison):
    """a == b; see `Comparison`."""

    sample_by_sample = True
    holds = np.equal


class NotEqualOperation(Comparison):
    """a != b; see `Comparison`."""

    sample_by_sample = True
    holds = np.not_equal


class LogicalAndOperation(Comparison):
    """Whether neither is 0; see `Comparison`."""

    sample_by_sample = True
    holds = np.logical_and


class LogicalOrOperation(Comparison):
    """Whether not both are 0; see `Comparison`."""

    sample_by_sample = True
    holds = np.logical_or


class LogicalXorOperation(Comparison):
    """Whether one of them is 0; see `Comparison`."""

    sample_by_sample = True
    holds = np.logical_xor


class LogicalNotOperation(Operation):
    """Whether x is 0, of any shape; see `Comparison`."""

    takes_low_precision = False
    sample_by_sample = True
    without_input_gradient = True
    gives_truth = True

    def forward(self, x, training=False):
        return (x == 0).astype(x.dtype)

    def backward(self, dy, wants_input_gradient=True):
        return None


class StopGradientOperation(Operation):
    """x, to which no gradient goes back."""

    module = "keras.src.ops.core"
    sample_by_sample = True
    without_input_gradient = True

    def forward(self, x, training=False):
        return x

    def backward(self, dy, wants_input_gradient=True):
        return None

    @classmethod
    def settings_of_call(cls, args, kwargs, owner):
        return super().settings_of_call(args[:1], kwargs, owner)


class CastOperation(Operation):
    """Truth as numbers, 1 and 0, or numbers of the network's precision as they are.

    Args:
        truth: whether truth is cast, which has no gradient.
        dtype: the precision that it is cast to; "bool" makes truth of numbers.
        operands, name: see `Operation`.

    Raises:
        UnsupportedError: for whole numbers.
    """

    module = "keras.src.ops.core"
    takes_low_precision = False
    sample_by_sample = True
    said_at_call = ("truth",)

    def __init__(self, truth=False, dtype="float32", **kwargs):
        super().__init__(**kwargs)
        if dtype not in ("bool", "float32", "float64"):
            raise UnsupportedError(f"{self} does not support a cast to {dtype!r}. Expected: bool, "
                                   "float32 or float64.")
        self.truth, self.target = bool(truth), dtype
        self.gives_truth = dtype == "bool"

    @property
    def cuts_the_way_back(self) -> bool:
        """Whether no gradient goes back."""
        return self.truth or self.gives_truth

    def forward(self, x, training=False):
        return (x != 0).astype(x.dtype) if self.gives_truth else x

    def backward(self, dy, wants_input_gradient=True):
        return None if self.cuts_the_way_back else dy

    @classmethod
    def settings_of_call(cls, args, kwargs, owner):
        read = args[0].get("config", {}).get("dtype") if is_tensor(args[0]) else None
        return {"truth": read == "bool"}

    def get_config(self):
        return {"name": self.name, "truth": self.truth, "dtype": self.target}


class WhereOperation(Operation):
    """a where a condition is not 0, b elsewhere; gradients go to what was chosen.

    Args:
        operands: of condition, a and b: None for a tensor, or a number for a or b.
        name: see `Operation`.

    Input shape:
        The condition, or a list of that and other tensors, sizes equal or 1 along each axis.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for another number of operands, a condition that is no tensor, and tensors of
            different ranks.
    """

    takes_low_precision = False
    sample_by_sample = True
    merges = True  # unless a and b are numbers
    inputs_without_gradient = (0,)

    def __init__(self, operands=(None, None, None), **kwargs):
        super().__init__(operands=operands, **kwargs)
        if len(self.operands) != 3 or self.operands[0] is not None:
            raise ValueError(f"{self}: expected a condition, which is a tensor, and two operands. "
                             f"Received: {self.operands}")

    def compute_output_shape(self, input_shape):
        shapes = shapes_of(list(input_shape), self) if self.merges else [tuple(input_shape)]
        if len({len(shape) for shape in shapes}) > 1:
            raise ValueError(f"{self}: expected tensors of as many axes. Received: {shapes}")
        try:
            return (shapes[0][0], *np.broadcast_shapes(*(shape[1:] for shape in shapes)))
        except ValueError:
            raise ValueError(f"{self}: expected inputs whose shapes are equal, or 1 along an axis. "
                             f"Received: {shapes}") from None

    def forward(self, x, training=False):
        tensors = list(x) if self.merges else [x]
        rest = iter(tensors)
        condition, a, b = (next(rest) if operand is None else tensors[0].dtype.type(operand)
                           for operand in self.operands)
        self._chosen, self._shapes = condition != 0, [each.shape for each in tensors]
        return np.where(self._chosen, a, b)

    def backward(self, dy, wants_input_gradient=True):
        if not self.merges:
            return None
        if not wants_input_gradient:
            return [None] * len(self._shapes)
        shares = [np.where(mask, dy, dy.dtype.type(0)) for mask, operand in zip(
            (self._chosen, ~self._chosen), self.operands[1:]) if operand is None]
        return [None, *(summed_to(share, shape) for share, shape in zip(shares, self._shapes[1:]))]
