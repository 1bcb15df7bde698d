"""Layers of somebody's own that only put Keras's layers and operations together, written out.

A block of a residual network, say, is one layer of a model, whose weights are those of layers
inside it. What its `call` does with them is a graph, which can stand in the block's place. So can
what the function of a Lambda makes of its input by Keras's operations.
"""

import contextlib
import functools
import inspect
import re

import numpy as np

from reference.batch_axis import kept_by_reshapes
from reference.model import compile_config, compile_model, model_dtype
from reference.outside import is_somebodys, known_from
from reference.own_draws import drawing, draws_of, names_of, refusing_others
from reference.own_weight import OwnWeight, as_layers
from reference.quiet import keras, precision

GRAPHS = (keras.Sequential, keras.src.models.functional.Functional)
SAME = 1e-5  # apart, of the largest number
LONGEST = 300  # characters of a reason
SIZE = 16  # of an axis that an input leaves open, where the two are compared


def opened(model, kept=frozenset()):
    """The functional model that has, in the place of layers of somebody's own, what is inside them.

    It shares all layers and weights; one that such a layer has itself makes a layer, see
    `own_weight.py`, and what it draws an input, see `own_draws.py`. The model itself, if it has no
    such layers, or if one of them does more than that: adds a loss, computes otherwise in training,
    casts what it reads, or is no graph.

    Args:
        model: a Sequential or a functional model.
        kept: names of layers that are to stay as they are.
    """
    try:
        return _opened(model, kept)
    except Exception:  # somebody's own call may raise anything; it then stays a layer
        return model


def closed_by(model, kept=frozenset()) -> str | None:
    """Why `opened` gives a model as it is, in a sentence; None for one without such layers, or that
    is opened."""
    try:
        _opened(model, kept)
    except Exception as error:  # as above
        return _said(error)
    return None


def _opened(model, kept):
    """See `opened`.

    Raises:
        ValueError: for a model that stays as it is, and whatever somebody's own call raises.
    """
    own = _own_layers(model, kept)
    if not own or not model.built:
        return model
    for layer in own:
        policy = layer.dtype_policy
        if policy.compute_dtype != policy.variable_dtype:
            raise ValueError(f"layer {layer.name!r} casts what it reads, as its precision is "
                             f"{policy.name}")
    with precision(model_dtype(model)):
        x = _batch(model)
        draws = draws_of(model, x)
        graph, in_training = (_written_out(model, own, said, draws) for said in (None, True))
        if _kinds(graph) != _kinds(in_training):
            raise ValueError("a layer computes otherwise in training")
        if not _alike(model, graph, x, draws):
            raise ValueError("what Keras's operations make of it gives other numbers, or has other "
                             "weights or losses")
    if model.compiled:
        with known_from(model):
            compile_model(graph, compile_config(model))
    return graph


def _said(error: Exception) -> str:
    """An error's message in one line, without what Keras puts around it."""
    text = re.sub(r"\x1b\[\d*m", "", str(error))
    inside = re.match(r"Exception encountered when calling .*?\n\n(.*?)\n\nArguments received",
                      text, re.DOTALL)
    return " ".join((inside[1] if inside else text).split())[:LONGEST]


def _own_layers(model, kept) -> list:
    """The layers of somebody's own in a model, those of models in it among them."""
    found = []
    for layer in model.layers:
        if isinstance(layer, GRAPHS):
            found += _own_layers(layer, ())
        elif layer.name not in kept and (isinstance(layer, keras.layers.Lambda) or is_somebodys(
                layer) and not isinstance(layer, (keras.Model, OwnWeight))):
            found.append(layer)
    return found


def _written_out(model, own: list, training, draws: list):
    """The model with the calls of some layers run on symbols, and inputs behind its own for what
    they draw.

    Raises:
        ValueError: for draws in a model whose inputs are no list.
    """
    def call(layer, *args, **kwargs):
        if isinstance(layer, GRAPHS) and _holds(layer, own):
            # its layers stand in the place of the call, by their own names
            return _functional(layer)._run_through_graph(
                args[0], operation_fn=lambda inner: functools.partial(call, inner))
        if not any(layer is each for each in own):
            return layer(*args, **kwargs)
        said = {key: value for key, value in kwargs.items()
                if value is not None and key != "training"}
        if "training" in inspect.signature(layer.call).parameters:
            said["training"] = training
        source[:] = keras.tree.flatten(args)
        try:
            return layer.call(*args, **said)
        except Exception as error:
            raise ValueError(f"layer {layer.name!r}: {_said(error)}") from error

    graph = _functional(model)
    sources = None
    if draws:
        if isinstance(model._inputs_struct, dict):
            raise ValueError("Expected inputs in a list, as layers draw. Received: a dictionary")
        sources = [keras.Input(batch_shape=each.shape, dtype=each.dtype, name=each.name)
                   for each in graph.inputs]
        more = [keras.Input(draw.shape[1:], dtype=keras.backend.standardize_dtype(draw.dtype),
                            name=name) for draw, name in zip(draws, names_of(len(draws)))]
        graph = keras.Model([*graph.inputs, *more], graph.outputs)
        sources += more
        rest = iter(more)
    given = drawing(lambda shape: next(rest)) if draws else contextlib.nullcontext()
    with as_layers(own) as source, given, kept_by_reshapes(), refusing_others(not draws):
        made = keras.models.clone_model(graph, input_tensors=sources, call_function=call,
                                        clone_function=lambda layer: layer)
    made.name = model.name
    return made


def _functional(model):
    return keras.Model(model.inputs, model.outputs) if isinstance(
        model, keras.Sequential) else model


def _holds(model, own: list) -> bool:
    """Whether one of these layers stands in a model, at any depth."""
    return any(layer is each for layer in _own_layers(model, ()) for each in own)


def _kinds(graph) -> list[type]:
    return [type(operation) for operation in graph.operations]


def _batch(model) -> list:
    """A batch of two for each input."""
    rng = np.random.default_rng(0)
    return [(rng.standard_normal if "float" in source.dtype else np.zeros)(
        [2, *(SIZE if size is None else size for size in source.shape[1:])]).astype(source.dtype)
        for source in model.inputs]


def _alike(model, graph, x: list, draws: list) -> bool:
    """Whether both have the same weights and losses and give the same numbers."""
    rest = iter(draws)
    with drawing(lambda shape: next(rest)):
        theirs = model(x if len(x) > 1 else x[0], training=False)
    both = [*x, *draws]
    pairs = [keras.tree.flatten(each) for each in (
        theirs, graph(both if len(both) > 1 else both[0], training=False))]
    weights = [{id(weight) for weight in each.weights} for each in (model, graph)]
    return weights[0] == weights[1] and len(model.losses) == len(graph.losses) and all(
        _close(np.array(a), np.array(b)) for a, b in zip(*pairs, strict=True))


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two outputs differ by no more than the order of sums does, in which a product with a
    matrix of one's own is made."""
    return a.shape == b.shape and bool(
        np.abs(a - b).max(initial=0) <= SAME * np.abs(a).max(initial=0))
