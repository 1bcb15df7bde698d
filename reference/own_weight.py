"""A weight of a custom layer as a layer by itself, and the place where one stands for the other."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from reference.quiet import keras, tf
from reference.weight_names import own_name

EACH = ("Add", "Subtract", "Multiply", "Divide", "TrueDivide", "Maximum", "Minimum")


def _broadcast(shape):
    return (lambda own: tuple(shape[1:])) if shape[0] is None else None


def _tiled(repeats):
    rest = set(repeats[1:]) <= {1}
    return (lambda own: (*[1] * (len(repeats) - len(own)), *own)[1:]) \
        if repeats[0] is None and rest else None


def _repeated(repeats, axis=None):
    return (lambda own: own[1:]) if repeats is None and axis == 0 else None


# What repeats a weight of one sample as often as there are samples, which a symbol has as None:
# functions of the arguments that give, of the weight's own shape, that of a sample.
REPEATING = {"broadcast_to": _broadcast, "tile": _tiled, "repeat": _repeated}


@tf.custom_gradient
def _for_each_sample(x, weight, output_shape):
    """The weight in that shape, once for each sample of x, whose gradient is zero."""
    made = tf.broadcast_to(tf.reshape(weight, tf.concat([[1], output_shape], 0)),
                           tf.concat([tf.shape(x)[:1], output_shape], 0))

    def back(dy):
        return tf.zeros_like(x), tf.reshape(tf.reduce_sum(dy, axis=0), tf.shape(weight)), None

    return made, back


class OwnWeight(keras.layers.Layer):
    """Puts out its weight, (batch, *output_shape), whatever it reads.

    Args:
        weight: the weight's name.
        shape: the weight's shape.
        output_shape: in which shape it is put out for a sample.
        initializer: how the first weight is made.
    """

    def __init__(self, weight, shape, output_shape, initializer="zeros", **kwargs):
        super().__init__(**kwargs)
        self.weight, self.shape, self.sample = weight, tuple(shape), tuple(output_shape)
        self.initializer = keras.initializers.get(initializer)
        self.variable = None

    def build(self, input_shape):
        """Make the weight, unless it is another layer's."""
        if self.variable is None:
            self.variable = self.add_weight(shape=self.shape, initializer=self.initializer,
                                            name=self.weight)
        self.built = True

    def call(self, x):
        """The weight for each sample."""
        return tf.ensure_shape(_for_each_sample(x, tf.convert_to_tensor(self.variable),
                                                tf.constant(self.sample, tf.int32)),
                               [x.shape[0], *self.sample])

    @property
    def own_names(self) -> dict[int, str]:
        """What its weight is called, by the variable's `id`."""
        return {id(self.variable): self.weight}

    def compute_output_shape(self, input_shape):
        """(batch, *output_shape)."""
        return (input_shape[0], *self.sample)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "weight": self.weight, "shape": list(self.shape),
                "output_shape": list(self.sample),
                "initializer": keras.initializers.serialize(self.initializer)}


keras.utils.get_custom_objects()[OwnWeight.__name__] = OwnWeight


@contextlib.contextmanager
def as_layers(own: list) -> Iterator[list]:
    """Within the block operations on a symbol and a weight of one of these layers, or of layers
    inside them, read that weight from an `OwnWeight`; so does what repeats one for every sample;
    and an embedding of all its classes in order is its table.

    Gives a list, into which a call of such a layer puts the symbols that it reads.

    Raises:
        ValueError: within it, for a weight that has a penalty or a constraint, for other operations
            than those of each number and products with a matrix, for shapes that do not go
            together, and for another embedding of constants.
    """
    owners = {id(weight): layer for top in own for layer in [top, *top._flatten_layers()]
              for weight in (*layer._trainable_variables, *layer._non_trainable_variables)}
    made: dict[tuple, Any] = {}
    source: list = []

    def held(weight, sample: tuple, x):
        key = (id(weight), sample)
        if key not in made:
            if weight.regularizer is not None or weight.constraint is not None:
                raise ValueError("Expected a weight without penalty and constraint. "
                                 f"Received: {weight.path}")
            owner = owners[id(weight)]
            name = own_name(owner, weight)
            layer = OwnWeight(name, weight.shape, sample, name=f"{owner.name}_{name}",
                              dtype=weight.dtype, trainable=weight.trainable)
            layer.variable = weight
            made[key] = layer(x)
        return made[key]

    def symbolic_call(operation, *args, **kwargs):
        mine = [arg for arg in args if id(arg) in owners]
        symbols = [arg for arg in args if isinstance(arg, keras.KerasTensor)]
        if not mine:
            return whole(operation, *args, **kwargs)
        kind, (weight,), (x,) = type(operation).__name__, mine, symbols
        rank = len(x.shape)
        if kind == "Matmul" and args[0] is x and len(weight.shape) == 2:
            if rank > 2:
                return whole(operation, x, held(weight, _of_rank(weight.shape, rank), x))
            rows = keras.ops.expand_dims(x, 1)  # (batch, 1, features)
            return keras.ops.squeeze(whole(operation, rows, held(weight, tuple(weight.shape), x)),
                                     1)
        if kind not in EACH:
            raise ValueError(f"Expected one of {EACH}, or a product with a matrix. Received: {kind}"
                             f" with {weight.path}")
        spread = held(weight, _of_rank(weight.shape, rank), x)
        return whole(operation, *(spread if arg is weight else arg for arg in args), **kwargs)

    def looked_up(layer, inputs, *args, **kwargs):
        if isinstance(inputs, keras.KerasTensor) or not layer.built:
            return embedded(layer, inputs, *args, **kwargs)
        if layer.mask_zero or not np.array_equal(np.array(inputs).reshape(-1),
                                                 np.arange(layer.input_dim)):
            raise ValueError(f"Layer {layer.name!r}: expected all its classes in their order, or a "
                             "symbol")
        return layer._embeddings

    def repeating(operation, sample_of):
        def repeated(x, *args, **kwargs):
            sample = sample_of(*args, **kwargs) if id(x) in owners else None
            return operation(x, *args, **kwargs) if sample is None else held(
                x, sample(tuple(x.shape)), source[0])
        return repeated

    whole, embedded = keras.Operation.symbolic_call, keras.layers.Embedding.__call__
    kept = {name: getattr(keras.ops, name) for name in REPEATING}
    keras.Operation.symbolic_call, keras.layers.Embedding.__call__ = symbolic_call, looked_up
    for name, sample_of in REPEATING.items():
        setattr(keras.ops, name, repeating(kept[name], sample_of))
    try:
        yield source
    finally:
        keras.Operation.symbolic_call, keras.layers.Embedding.__call__ = whole, embedded
        for name, operation in kept.items():
            setattr(keras.ops, name, operation)


def _of_rank(shape, rank: int) -> tuple:
    """A weight's shape as that of a sample of so many axes, the batch's among them.

    Raises:
        ValueError: for one that has more.
    """
    shape = tuple(shape)
    if len(shape) == rank and shape[0] == 1:
        return shape[1:]
    if len(shape) >= rank:
        raise ValueError(f"Expected a weight of fewer axes than the tensor. Received: {shape}")
    return (*[1] * (rank - 1 - len(shape)), *shape)
