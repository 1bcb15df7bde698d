"""Layers and functions of somebody's own in a Keras model: made anew, also in float64.

Keras finds such a class by its name only where it is registered, and never the function of a
Lambda. Here the live model has them, and what is made anew takes them from it.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from reference.ops import Op, array, inner_activation, restored, run_op, without_activation
from reference.quiet import keras, precision, tf
from reference.statistics import in_use
from reference.weight_names import weight_names

UNKNOWN_SIZE = 8  # of an axis that a layer leaves open, and of the batch, where it is tried


def is_somebodys(thing) -> bool:
    """Whether a class's object or a function is none of Keras's own."""
    named = thing if hasattr(thing, "__name__") else type(thing)
    return str(getattr(named, "__module__", "")).split(".")[0] != "keras"


def names_of_class(layer) -> dict:
    """By which names a config has a layer's class."""
    return {"class_name": type(layer).__name__,
            "registered_name": keras.saving.get_registered_name(type(layer)),
            "config": {"name": layer.name}}


def objects_of(model) -> dict:
    """The classes and the functions of somebody's own in a model, by the names in its config."""
    found = {}
    for layer in model._flatten_layers():
        if is_somebodys(layer):
            found[type(layer).__name__] = type(layer)
        function = getattr(layer, "activation", None)
        if callable(function) and is_somebodys(function):
            found[keras.saving.get_registered_name(function)] = function
    return found


def lambdas_of(model) -> list:
    """The Lambda layers of a model, those of models in it among them."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Lambda)]


@contextlib.contextmanager
def known_from(model) -> Iterator[None]:
    """Within the block Keras finds what a live model has of somebody's own."""
    with keras.saving.CustomObjectScope(objects_of(model)), \
            keras.src.saving.serialization_lib.SafeModeScope(not lambdas_of(model)):
        yield


def known(classes: dict[str, type]):
    """Within the block Keras finds these classes by their names."""
    return keras.saving.CustomObjectScope(classes)


def take_functions(copy, model) -> None:
    """Give the Lambdas of a model's copy the functions that the model's own have."""
    for made, own in zip(lambdas_of(copy), lambdas_of(model)):
        made.function = own.function


def in_float64(op: Op) -> Op:
    """The same op with a layer of its own that computes in float64.

    Raises:
        ValueError: for a layer that cannot be made anew from its config.
    """
    if op.is_activation:
        return op
    layer = op.layer
    try:
        with precision("float64"):
            if isinstance(layer, keras.layers.Lambda):
                made = keras.layers.Lambda(layer.function, arguments=layer.arguments,
                                           dtype="float64", name=layer.name)
            else:
                config = {**layer.get_config(), "dtype": "float64"}
                with keras.saving.CustomObjectScope({type(layer).__name__: type(layer)}):
                    made = type(layer).from_config(config)
                built = layer.get_build_config() if layer.built else None
                if built:
                    made.build_from_config(built)
    except Exception as error:  # somebody's own constructor may raise anything
        raise ValueError(f"Layer {op.name!r} ({type(layer).__name__}): expected a layer that "
                         "from_config makes anew from its own get_config, as it is to be run in "
                         f"float64. Received: {type(error).__name__}: {error}") from error
    made.trainable = layer.trainable
    inside = not op.part and inner_activation(layer) is not None  # which is an op of its own
    return replace(op, layer=made, call=without_activation(made) if inside else made,
                   variables=made.weights)


def run_outside(op: Op, x, dy, weights: dict, training=True) -> tuple:
    """`reference.run_op`, and what a pass in training itself makes of the layer's weights.

    Returns:
        (output, input gradient, weight gradients by name, changed weights by name): of the last
        none at inference or with dy.
    """
    moved = {}
    if training and dy is None and op.state:
        with restored(op.variables):
            for variable in op.variables:
                variable.assign(weights[op.names[id(variable)]])
            with in_use(op.layer):
                op.run([tf.constant(value) for value in (x if op.merges else [x])],
                       weights.get("noise"), gradients=False)
            moved = {op.names[id(variable)]: array(variable) for variable in op.state}
    return (*run_op(op, x, dy, weights, training), moved)


@dataclass
class Outline:
    """What a layer is from outside, whatever it computes.

    Attributes:
        weights: by name, in Keras's order: the layer's own, or fresh ones of a layer not built yet.
        non_trainable: the names of those that no optimizer changes.
        output_shape: with None for the batch.
    """

    weights: dict[str, np.ndarray]
    non_trainable: tuple[str, ...]
    output_shape: tuple


def outline(layer, input_shape: tuple, dtype: str) -> Outline:
    """What a layer of one input and one output is from outside.

    Args:
        layer: of Keras's kind, built or not; it is left as it is.
        input_shape: with None for the batch.
        dtype: 'float32' or 'float64'.

    Raises:
        ValueError: for a layer that cannot be made anew from its config, that cannot take such
            inputs, that draws at random, or that has penalties or constraints of its own.
    """
    said = f"Layer {layer.name!r} ({type(layer).__name__})"
    try:
        with precision(dtype):
            made = type(layer).from_config({**layer.get_config(), "dtype": dtype,
                                            "trainable": True})
            y = made(keras.Input(batch_shape=input_shape, dtype=dtype))
        if layer.built:
            made.set_weights(layer.get_weights())
    except Exception as error:  # somebody's own constructor may raise anything
        raise ValueError(f"{said}: expected a layer that from_config makes anew from its own "
                         f"get_config, and that takes inputs of shape {tuple(input_shape)}. "
                         f"Received: {type(error).__name__}: {error}") from error
    if not isinstance(y, keras.KerasTensor):
        raise ValueError(f"{said}: expected a layer of one output. Received: {type(y).__name__}")
    names = weight_names(made)
    weights = {names[id(v)]: np.array(v.numpy()) for v in made.weights}
    if _draws(made, input_shape):
        raise ValueError(f"{said}: expected a layer that draws nothing at random, as its draw "
                         "cannot be given to both sides. Received one that draws in training")
    if made.losses or any(v.regularizer or v.constraint for v in made.weights) or \
            made.activity_regularizer is not None:
        raise ValueError(f"{said}: expected a layer without penalties and constraints of its own. "
                         "Received one that has some")
    return Outline(weights, tuple(names[id(v)] for v in made.weights if not v.trainable),
                   tuple(y.shape))


def _draws(layer, input_shape: tuple) -> bool:
    """Whether a pass in training draws from a generator of the layer's own; it changes weights."""
    generators = [one for each in layer._flatten_layers() for one in each._seed_generators]
    if not generators:
        return False
    before = [array(one.state) for one in generators]
    layer(np.zeros([size or UNKNOWN_SIZE for size in input_shape], layer.compute_dtype),
          training=True)
    return any(not np.array_equal(array(one.state), kept) for one, kept in zip(generators, before))
