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
from scratch.several import grouped

OPERATORS: dict[str, Any] = {}  # classes of operations by +, -, *, /; filled as they are defined
_numbers = itertools.count()  # only tells which of two tensors was made first


class SymbolicTensor:
    """The output of a layer, of which only the shape is known.

    Attributes:
        layer: what makes it; None for a model's input.
        sources: the tensors that the layer reads, in order; none for a model's input.
        shape: (batch or None, ...).
        number: greater than that of every tensor made before.
        call: the first tensor that the same call has made; mostly the tensor itself.
        place: which of the call's outputs it is, from 0: a model may have several.
        told: of the first of a call, whether that is made with training=True.
    """

    def __init__(self, layer, sources, shape, call=None, place=0):
        self.layer = layer
        self.sources = tuple(sources)
        self.shape = tuple(shape)
        self.number = next(_numbers)
        self.call = call or self
        self.place = place
        self.told = False

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

    def __matmul__(self, other):
        return combined("@", self, other)

    def __pow__(self, other):
        return combined("**", self, other)

    def __gt__(self, other):
        return combined(">", self, other)

    def __ge__(self, other):
        return combined(">=", self, other)

    def __lt__(self, other):
        return combined("<", self, other)

    def __le__(self, other):
        return combined("<=", self, other)

    def __getitem__(self, key):
        return call(OPERATORS["[]"](key), self)

    __iter__ = None  # which would take one index after the other, without end

    def __repr__(self):
        return f"<SymbolicTensor shape={self.shape}, of {self.layer}>"


def combined(operator: str, *operands) -> SymbolicTensor:
    """What an operator makes of two tensors, or of a tensor and a number."""
    tensors = [operand for operand in operands if isinstance(operand, SymbolicTensor)]
    layer = OPERATORS[operator](operands=[None if isinstance(operand, SymbolicTensor) else operand
                                          for operand in operands])
    return call(layer, tensors if layer.merges else tensors[0])


def is_symbolic(inputs) -> bool:
    """Whether these are tensors of a graph: one, or a list or dictionary that holds any."""
    if isinstance(inputs, dict):
        inputs = list(inputs.values())
    if isinstance(inputs, (list, tuple)):
        return any(isinstance(tensor, SymbolicTensor) for tensor in inputs)
    return isinstance(inputs, SymbolicTensor)


def call(layer, inputs, told: bool = False) -> Any:
    """What the layer makes of a symbolic tensor, or of a list of them if it merges. A model of
    several outputs makes as many, in the form in which it was given them.

    Args:
        told: whether it is called with training=True.

    Raises:
        TypeError: for a list that holds other things, too.
        ValueError: for a list where one input is expected, or the other way round, and for shapes
            that the layer cannot take.
    """
    inputs_as = getattr(layer, "inputs_as", None)
    if inputs_as is not None:
        inputs = list(grouped(inputs, inputs_as, layer.input_names).arrays)
    if isinstance(inputs, (list, tuple)) != layer.called_on_list:
        expected = "a list of inputs" if layer.called_on_list else "one input"
        raise ValueError(f"{layer}: expected to be called on {expected}. Received: {inputs!r}")
    sources = inputs if layer.called_on_list else [inputs]
    for tensor in sources:
        if not isinstance(tensor, SymbolicTensor):
            raise TypeError(f"{layer}: expected tensors that begin at an Input. "
                            f"Received: {tensor!r:.80} of type {type(tensor).__name__}")
    shapes = [tensor.shape for tensor in sources]
    made = worked_out(layer.compute_output_shape, shapes if layer.called_on_list else shapes[0])
    outputs_as = layer.outputs_as
    first = SymbolicTensor(layer, sources, made if outputs_as is None else made[0])
    first.told = told
    if outputs_as is None:
        return first
    return outputs_as.packed([first, *(SymbolicTensor(layer, sources, shape, first, place)
                                       for place, shape in enumerate(made[1:], start=1))])
