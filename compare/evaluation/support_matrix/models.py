"""Kinds of model, methods and files: each tried once with a small model of Keras."""

import inspect
import logging
import tempfile
from functools import partial
from pathlib import Path

import scratch
from compare.evaluation.support_matrix.trial import TAKEN, accepted, plain, verdict
from compare.evaluation.support_matrix.values import needed, parameters
from scratch.operations import OPERATIONS

METHODS = ("compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch",
           "predict_on_batch", "save", "save_weights", "load_weights")


def stack(keras):
    return keras.Sequential([keras.Input((6, 5, 2)), keras.layers.Conv2D(3, 2),
                             keras.layers.BatchNormalization(), keras.layers.Flatten(),
                             keras.layers.Dense(4)])


def branching(keras):
    source = keras.Input((6, 5, 2))
    x = keras.layers.Conv2D(2, 3, padding="same")(source)
    return keras.Model(source, keras.layers.Add()([x, source]))


def nested(keras):
    return keras.Sequential([keras.Input((6, 5, 2)), stack(keras)])


def shared(keras):
    source, layer = keras.Input((4,)), keras.layers.Dense(4)
    return keras.Model(source, layer(layer(source)))


def two_inputs(keras):
    sources = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(sources, keras.layers.Add()(sources))


def two_outputs(keras):
    source = keras.Input((4,))
    return keras.Model(source, [keras.layers.Dense(2)(source), keras.layers.Dense(3)(source)])


def named(keras):
    sources = {name: keras.Input((4,), name=name) for name in ("a", "b")}
    made = keras.layers.Add()(list(sources.values()))
    return keras.Model(sources, {"c": keras.layers.Dense(2)(made), "d": made})


def inner_outputs(keras):
    source = keras.Input((4,))
    first, second = two_outputs(keras)(source)
    return keras.Model(source, keras.layers.Concatenate()([first, second]))


def states_handed_on(keras):
    source = keras.Input((5, 2))
    y, *states = keras.layers.LSTM(3, return_sequences=True, return_state=True)(source)
    return keras.Model(source, keras.layers.LSTM(3)(y, initial_state=states))


def nested_lists(keras):
    source = keras.Input((4,))
    one, other = keras.layers.Dense(2)(source), keras.layers.Dense(3)(source)
    return keras.Model(source, {"a": [one, other], "b": keras.layers.Dense(1)(one)})


def handed_on(keras):
    source = keras.Input((4,))
    return keras.Model(source, [keras.layers.Dense(2)(source), source])


def arithmetic(keras):
    source = keras.Input((4,))
    return keras.Model(source, 1 - keras.layers.Dense(4)(source) * source / 2)


def operations(keras):
    source = keras.Input((4,))
    return keras.Model(source, keras.ops.sinh(source))


def at_inference(keras):
    source = keras.Input((4,))
    return keras.Model(source, keras.layers.Dropout(0.5)(source, training=False))


def in_training(keras):
    source = keras.Input((4,))
    return keras.Model(source, keras.layers.Dropout(0.5)(source, training=True))


def two_precisions(keras):
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="float64"),
                             keras.layers.Dense(2, dtype="float32")])


def unknown_sizes(keras):
    return keras.Sequential([keras.Input((None, None, 2)), keras.layers.Conv2D(3, 2),
                             keras.layers.GlobalAveragePooling2D()])


def without_input(keras):
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])


def on_every_step(keras):
    inner = keras.Sequential([keras.Input((6, 5, 1)), keras.layers.Conv2D(2, 3),
                              keras.layers.BatchNormalization(), keras.layers.Flatten()])
    source = keras.Input((3, 6, 5, 1))
    return keras.Model(source, keras.layers.LSTM(2)(keras.layers.TimeDistributed(inner)(source)))


def custom(keras, call, own=lambda layer, shape: None):
    """A live model with a custom layer, of which a function of its input, and of itself, is the
    call, and one of a shape makes the weights."""
    layer = type("Custom", (keras.layers.Layer,), {"build": own, "call": call})(name="custom")
    source = keras.Input((3, 4))
    return keras.Model(source, layer(source))


def gained(layer, shape):
    layer.gain = layer.add_weight(shape=shape[-1:], initializer="ones")


def drawing(keras, x):
    return x + keras.random.normal(keras.ops.shape(x))


MODELS = {
    "Sequential": stack, "Sequential without an Input, built on its first batch": without_input,
    "functional, layers that fork and merge": branching,
    "a model inside a model": nested, "a layer that is called twice": shared,
    "several inputs, in a list": two_inputs, "several outputs, in a list": two_outputs,
    "several inputs and outputs, in dictionaries": named,
    "a model of several outputs inside a model": inner_outputs,
    "a recurrent layer called on states that another one puts out": states_handed_on,
    "lists or dictionaries of outputs inside others": nested_lists,
    "an input that is an output, too": handed_on,
    "`+ - * /` between layers, and with numbers": arithmetic,
    f"keras.ops: {', '.join(n.removesuffix('Operation') for n in OPERATIONS)}": arithmetic,
    "other operations between layers, such as keras.ops.sinh": operations,
    "a layer called with training=False, which fit overrules in Keras": at_inference,
    "a layer called with training=True, which fit, evaluate and predict overrule in Keras":
        in_training,
    "`TimeDistributed` around a model": on_every_step,
    "layers of several precisions": two_precisions, "images of unknown size": unknown_sizes,
}


# in a live model, where the layer's own call is run
LIVE = {
    "that puts Keras's layers and operations together":
        lambda keras: custom(keras, lambda layer, x: keras.ops.relu(x) * 2),
    "with weights of its own that are added, multiplied with, or a matrix":
        lambda keras: custom(keras, lambda layer, x: x * layer.gain, gained),
    "with weights of its own in other operations":
        lambda keras: custom(keras, lambda layer, x: keras.ops.power(x, layer.gain), gained),
    "that draws by keras.random.normal for each sample":
        lambda keras: custom(keras, lambda layer, x: drawing(keras, x)),
    "that draws by another function of keras.random":
        lambda keras: custom(keras, lambda layer, x: x + keras.random.uniform(keras.ops.shape(x))),
    "that adds a loss": lambda keras: custom(keras, lambda layer, x: (
        layer.add_loss(keras.ops.mean(x)), x)[1]),
}


def kinds_of_model(keras) -> list[list[str]]:
    """[kind, what becomes of it] for a config handed over, and for a live model."""
    import reference

    rows = []
    for name, build in MODELS.items():
        config = plain(build(keras).get_config())
        rows.append([name, verdict(partial(scratch.model_from_config, config), "xpected")])
    for name, build in LIVE.items():
        config = plain(reference.opened(build(keras)).get_config())
        rows.append([f"a custom layer in a live model, {name}",
                     verdict(partial(scratch.model_from_config, config), "xpected")])
    return rows


def methods(keras) -> list[list]:
    """[method, arguments that scratch has as well, those that it does not know]."""
    rows = []
    for name in METHODS:
        ours = arguments(getattr(scratch.Model, name))
        theirs = arguments(getattr(keras.Model, name))
        rows.append([name, [a for a in theirs if a in ours], [a for a in theirs if a not in ours]])
    return rows


def callbacks(keras) -> list[list]:
    """[callback, arguments taken, arguments not known], None for both if it is not there."""
    base, rows = keras.callbacks.Callback, []
    for name, theirs in sorted(vars(keras.callbacks).items()):
        if not inspect.isclass(theirs) or not issubclass(theirs, base) or name in (
                "Callback", "CallbackList", "History", "ProgbarLogger"):
            continue
        ours = getattr(scratch.callbacks, name, None)
        if ours is None:
            rows.append([name, None, None])
            continue
        seen = {argument: takes(ours, argument, default)
                for argument, default in parameters(theirs).items()}
        rows.append([name, [a for a in seen if seen[a]], [a for a in seen if not seen[a]]])
    return rows


def takes(callback, argument: str, default) -> bool:
    """Whether scratch's callback is made with that argument."""
    value = {} if default is inspect.Parameter.empty else {argument: default}
    return argument in parameters(callback) or verdict(
        lambda: callback(**needed(callback), **value)) == TAKEN


def arguments(function) -> list[str]:
    return [name for name, parameter in inspect.signature(function).parameters.items()
            if name != "self" and parameter.kind not in (
                inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)]


def formats(keras) -> list[list[str]]:
    """[file, whether scratch reads what Keras writes, whether Keras reads what scratch writes]."""
    logging.disable(logging.WARNING)  # Keras's, about the older format
    try:
        return tried_formats(keras)
    finally:
        logging.disable(logging.NOTSET)


def tried_formats(keras) -> list[list[str]]:
    twin = stack(keras)
    model = scratch.model_from_config(plain(twin.get_config()))
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".keras", ".h5"):
            path = Path(folder) / f"theirs{ending}"
            accepted(partial(twin.save, path))
            rows.append([f"`{ending}`, a whole model", verdict(partial(scratch.load_model, path)),
                         written(model.save, keras.saving.load_model,
                                 Path(folder) / f"ours{ending}")])
        for ending in (".weights.h5", ".weights.json"):
            path = Path(folder) / f"theirs{ending}"
            accepted(partial(twin.save_weights, path))
            rows.append([f"`{ending}`, weights alone", verdict(partial(model.load_weights, path),
                                                               ending.split(".")[-1]),
                         written(model.save_weights, twin.load_weights,
                                 Path(folder) / f"ours{ending}")])
    return rows


def written(write, read, path) -> str:
    """The verdict on writing, once Keras has read what was written."""
    seen = verdict(partial(write, path), path.suffix)
    if seen == "taken":
        read(path)
    return seen
