"""A subclassed model as a graph of its layers, in the order in which its `call` ran them."""

import inspect

import numpy as np

from reference.failures import naming_part
from reference.model import compile_config, compile_model, model_dtype
from reference.outside import known_from
from reference.quiet import keras, precision

GRAPHS = (keras.Sequential, keras.src.models.functional.Functional)
ADVICE = ("Have its call put layers and keras.ops together alone, without branches by value, or "
          "give the functional model of the same layers")


def is_graph(model) -> bool:
    """Whether its config says which layer reads whose output."""
    return isinstance(model, GRAPHS)


def as_graph(model):
    """The functional model of a subclassed model's own layers, which shares their weights; a model
    that is a graph already as it is.

    Its `call` is run once on symbols, and held against the model itself on a batch of random
    numbers.

    Args:
        model: a built Keras model of one input.

    Raises:
        ValueError: for a model that has not been built, and one whose call is no such graph.
    """
    if is_graph(model):
        return model
    shape = _input_shape(model)
    owner = f"{type(model).__name__} {model.name!r}"
    if shape is None and type(model).train_step is not keras.Model.train_step:
        parts = [name for name, value in vars(model).items() if is_graph(value)]
        raise ValueError(f"Expected a model that is a graph of layers. Received: {owner}, trained "
                         "by a train_step of its own, of which a check knows nothing. Check its "
                         f"parts by themselves: {', '.join(parts) or 'none of which are graphs'}")
    if shape is None:
        raise ValueError(f"Expected a subclassed model that knows the shape of its one input. "
                         f"Received: {owner}, not built: call it on a batch first")
    with precision(model_dtype(model)):
        source = keras.Input((*shape[1:],), dtype=model_dtype(model))
        known = inspect.signature(model.call).parameters
        try:
            with naming_part(f"the call of {owner}"):
                output = model.call(source, **({"training": None} if "training" in known else {}))
                graph = keras.Model(source, output, name=model.name)
        except Exception as error:  # somebody's own call may raise anything
            raise ValueError(f"Expected a subclassed model whose call is a graph of layers. "
                             f"Received: {owner}, of which Keras makes none: {error}. {ADVICE}"
                             ) from error
    sizes = [2, *(16 if size is None else size for size in shape[1:])]
    x = np.random.default_rng(0).standard_normal(sizes).astype(model_dtype(model))
    own, made = (np.array(each(x, training=False)) for each in (model, graph))
    if own.shape != made.shape or not np.array_equal(own, made) or \
            len(graph.weights) != len(model.weights):
        raise ValueError("Expected a subclassed model whose call is the same graph of all its "
                         f"layers each time. Received: {owner}, whose graph gives other numbers. "
                         f"{ADVICE}")
    if model.compiled:
        with known_from(model):
            compile_model(graph, compile_config(model))
    return graph


def _input_shape(model) -> tuple | None:
    """The shape that the model was built for; None if that is not known, or not one."""
    shapes = getattr(model, "_build_shapes_dict", None) or {}
    found = list(shapes.values())
    if len(found) != 1 or not isinstance(found[0], (tuple, list)) or \
            any(isinstance(size, (tuple, list)) for size in found[0]):
        return None
    return tuple(found[0])
