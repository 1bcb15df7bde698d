"""A network on paper: what calling a layer on another's output gives before there are any numbers.

    x = scratch.Input((8, 8, 3))
    y = scratch.Conv2D(3, 3, padding="same")(x)     # a SymbolicTensor of shape (None, 8, 8, 3)
    z = scratch.Add()([y, x])
    model = scratch.Model(x, z)                     # follows z back to x

A tensor knows the layer that makes it and the tensors which that layer reads; that is the graph.
"""

import itertools
from typing import Any

from scratch.layers.unknown_sizes import worked_out

OPERATORS: dict[str, Any] = {}  # classes of operations by +, -, *, /; filled as they are defined
_numbers = itertools.count()  # only tells which of two tensors was made first


class SymbolicTensor:
    """The output of a layer, of which only the shape is known.

    Attributes:
        layer: what makes it; None for a model's input.
        sources: the tensors that the layer reads, in order; none for a model's input.
        shape: (batch or None, ...).
        number: greater than that of every tensor made before.
    """

    def __init__(self, layer, sources, shape):
        self.layer = layer
        self.sources = tuple(sources)
        self.shape = tuple(shape)
        self.number = next(_numbers)

    def __add__(self, other):
        return combined("+", self, other)

    def __radd__(self, other):
        return combined("+", other, self)

    def __sub__(self, other):
        return combined("-", self, other)

    def __rsub__(self, other):
        return combined("-", other, self)

    def __mul__(self, other):
        return combined("*", self, other)

    def __rmul__(self, other):
        return combined("*", other, self)

    def __truediv__(self, other):
        return combined("/", self, other)

    def __rtruediv__(self, other):
        return combined("/", other, self)

    def __neg__(self):
        return call(OPERATORS["negative"](), self)

    def __repr__(self):
        return f"<SymbolicTensor shape={self.shape}, of {self.layer}>"


def combined(operator: str, *operands) -> SymbolicTensor:
    """What an operator makes of two tensors, or of a tensor and a number."""
    tensors = [operand for operand in operands if isinstance(operand, SymbolicTensor)]
    layer = OPERATORS[operator](operands=[None if isinstance(operand, SymbolicTensor) else operand
                                          for operand in operands])
    return call(layer, tensors if layer.merges else tensors[0])


def is_symbolic(inputs) -> bool:
    """Whether these are tensors of a graph: one, or a list that holds any."""
    if isinstance(inputs, (list, tuple)):
        return any(isinstance(tensor, SymbolicTensor) for tensor in inputs)
    return isinstance(inputs, SymbolicTensor)


def call(layer, inputs) -> SymbolicTensor:
    """What the layer makes of a symbolic tensor, or of a list of them if it merges.

    Raises:
        TypeError: for a list that holds other things, too.
        ValueError: for a list where one input is expected, or the other way round, and for shapes
            that the layer cannot take.
    """
    if isinstance(inputs, (list, tuple)) != layer.merges:
        expected = "a list of inputs" if layer.merges else "one input"
        raise ValueError(f"{layer}: expected to be called on {expected}. Received: {inputs!r}")
    sources = inputs if layer.merges else [inputs]
    for tensor in sources:
        if not isinstance(tensor, SymbolicTensor):
            raise TypeError(f"{layer}: expected tensors that begin at an Input. "
                            f"Received: {tensor!r:.80} of type {type(tensor).__name__}")
    shapes = [tensor.shape for tensor in sources]
    return SymbolicTensor(layer, sources, worked_out(layer.compute_output_shape,
                                                     shapes if layer.merges else shapes[0]))
