"""Layers of somebody's own that only put Keras's layers and operations together, written out.

A block of a residual network, say, is one layer of a model, whose weights are those of layers
inside it. What its `call` does with them is a graph, which can stand in the block's place. So can
what the function of a Lambda makes of its input by Keras's operations.
"""

import inspect

import numpy as np

from reference.model import compile_config, compile_model, model_dtype
from reference.outside import is_somebodys, known_from
from reference.own_weight import OwnWeight, as_layers
from reference.quiet import keras, precision

SAME = 1e-5  # apart, of the largest number
SIZE = 16  # of an axis that an input leaves open, where the two are compared


def opened(model, kept=frozenset()):
    """The functional model that has, in the place of layers of somebody's own, what is inside them.

    It shares all layers and weights. The model itself, if it has no such layers, or if one of them
    does more than that: has weights of its own, adds a loss, draws, computes otherwise in training,
    casts what it reads, or is no graph.

    Args:
        model: a Sequential or a functional model.
        kept: names of layers that are to stay as they are.
    """
    own = [layer for layer in model.layers if layer.name not in kept and (
        isinstance(layer, keras.layers.Lambda)
        or is_somebodys(layer) and not isinstance(layer, (keras.Model, OwnWeight)))]
    policies = [layer.dtype_policy for layer in own]
    if not own or not model.built or any(policy.compute_dtype != policy.variable_dtype
                                         for policy in policies):
        return model
    try:
        with precision(model_dtype(model)):
            graph, in_training = (_written_out(model, own, said) for said in (None, True))
            same = _kinds(graph) == _kinds(in_training) and _alike(model, graph)
    except Exception:  # somebody's own call may raise anything; it then stays a layer
        return model
    if not same:
        return model
    if model.compiled:
        with known_from(model):
            compile_model(graph, compile_config(model))
    return graph


def _written_out(model, own: list, training):
    """The model with the calls of some layers run on symbols."""
    def call(layer, *args, **kwargs):
        if not any(layer is each for each in own):
            return layer(*args, **kwargs)
        said = {key: value for key, value in kwargs.items()
                if value is not None and key != "training"}
        if "training" in inspect.signature(layer.call).parameters:
            said["training"] = training
        source[:] = keras.tree.flatten(args)
        return layer.call(*args, **said)

    graph = keras.Model(model.inputs, model.outputs) if isinstance(
        model, keras.Sequential) else model
    with as_layers(own) as source:
        made = keras.models.clone_model(graph, clone_function=lambda layer: layer,
                                        call_function=call)
    made.name = model.name
    return made


def _kinds(graph) -> list[type]:
    return [type(operation) for operation in graph.operations]


def _alike(model, graph) -> bool:
    """Whether both have the same weights and losses and give the same numbers."""
    rng = np.random.default_rng(0)
    x = [(rng.standard_normal if "float" in source.dtype else np.zeros)(
        [2, *(SIZE if size is None else size for size in source.shape[1:])]).astype(source.dtype)
        for source in model.inputs]
    pairs = [keras.tree.flatten(each(x if len(x) > 1 else x[0], training=False))
             for each in (model, graph)]
    weights = [{id(weight) for weight in each.weights} for each in (model, graph)]
    return weights[0] == weights[1] and len(model.losses) == len(graph.losses) and all(
        _close(np.array(a), np.array(b)) for a, b in zip(*pairs, strict=True))


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two outputs differ by no more than the order of sums does, in which a product with a
    matrix of one's own is made."""
    return a.shape == b.shape and bool(
        np.abs(a - b).max(initial=0) <= SAME * np.abs(a).max(initial=0))
