"""Every layer of Keras: those that are supported, argument by argument, and the others by name."""

import contextlib
import functools
import importlib
import inspect
from collections import defaultdict

import numpy as np

from compare.evaluation.support_matrix import trial
from compare.evaluation.support_matrix.outcome import Outcome
from compare.evaluation.support_matrix.trial import FAILED, accepted, plain, verdict
from compare.evaluation.support_matrix.values import (
    COMPANIONS,
    INNER,
    Named,
    kind,
    needed,
    parameters,
    to_try,
)
from scratch.layer_config import layer_from_config
from scratch.layers import LAYERS, Layer

VOLUME, IMAGE, SEQUENCE = (None, 5, 8, 6, 4), (None, 8, 6, 4), (None, 8, 4)
VOLUMES = (None, 3, 5, 8, 6, 4)
VECTOR, MANY_CHANNELS = (None, 4), (None, 8, 6, 32)
COLOURS = (None, 3, 6, 3)  # red, green and blue, wherever the channels stand
FAMILIES = {  # Keras's folders -> headings
    "core": "Input, Dense, Activation", "convolutional": "Convolutions", "pooling": "Pooling",
    "activations": "Activations as layers", "normalization": "Normalization",
    "regularization": "Noise and penalties", "reshaping": "Shapes", "merging": "Merging",
    "applications": "In the networks of keras.applications",
    "preprocessing": "Preprocessing and augmentation", "rnn": "Recurrent",
    "attention": "Attention and transformers",
}
NO_LAYERS = ("InputSpec", "Layer", "Wrapper")


def classes(keras) -> dict[str, list]:
    """Family -> its classes, each once; what lies elsewhere is under 'other'."""
    found = {thing for thing in vars(keras.layers).values()
             if inspect.isclass(thing) and thing.__name__ not in NO_LAYERS}
    found |= {getattr(importlib.import_module(cls.keras_module), name)
              for name, cls in LAYERS.items()
              if cls.keras_module != Layer.keras_module and of_keras(cls)}
    families = defaultdict(list)
    for cls in sorted(found, key=lambda cls: cls.__name__):
        parts = cls.__module__.split(".")
        family = (parts[3] if parts[:3] == ["keras", "src", "layers"] else
                  parts[2] if parts[:2] == ["keras", "src"] else "other")
        families[family if family in FAMILIES else "other"].append(cls)
    return {family: families[family] for family in (*FAMILIES, "other") if families[family]}


def of_keras(cls) -> bool:
    """Whether a layer of scratch's stands for one of Keras's, not for a part of a custom one."""
    return bool(cls.keras_module.startswith("keras"))


def is_supported(cls) -> bool:
    return cls.__name__ in LAYERS or cls.__name__ == "InputLayer"


def refusals(cls) -> str:
    """The verdict on a class that is not supported."""
    config = {"module": "keras.layers", "class_name": cls.__name__, "registered_name": None,
              "config": {"name": "mine"}}
    return verdict(lambda: layer_from_config(config))


def outcomes(keras, cls) -> list[Outcome]:
    """Every argument of its own that a supported layer has in Keras."""
    common = parameters(keras.layers.Layer)
    return [outcome(keras, cls, argument, default)
            for argument, default in parameters(cls, leave_out=common).items()]


def common_outcomes(keras) -> list[Outcome]:
    """The arguments that every layer has, tried on Dense."""
    values = {"dtype": ("float32", "float64", "float16", "bfloat16", "mixed_float16",
                        "mixed_bfloat16"), "autocast": (True, False)}
    found = []
    for argument, default in parameters(keras.layers.Layer).items():
        made = outcome(keras, keras.layers.Dense, argument, default, values.get(argument))
        found.append(Outcome("every layer", argument, default, made.verdicts))
    return found


def outcome(keras, cls, argument: str, default, values=None) -> Outcome:
    """What becomes of each value that Keras takes."""
    found = []
    for value in values or to_try(keras, argument, default):
        for shape in shapes(cls):
            theirs = accepted(functools.partial(made, cls, argument, value, shape))
            if theirs is not None:
                found.append((value, handed_over(keras, theirs, cls, argument, value, shape)))
                break
    return Outcome(cls.__name__, argument, default, tuple(distinct(found)))


def shapes(cls) -> list:
    """Input shapes that the layer may take; the first that it does take counts."""
    of_steps = "1D" in cls.__name__ or any(
        f".{family}." in cls.__module__ for family in ("attention", "rnn"))
    first = ([COLOURS] if ".image_preprocessing." in cls.__module__
             else [SEQUENCE, IMAGE, VOLUME] if "layer" in parameters(cls)
             else [(IMAGE, VOLUME, VOLUMES)[int(cls.__name__[-2]) - 1]]
             if cls.__name__.startswith("ConvLSTM")
             else [SEQUENCE] if of_steps else [VOLUME] if "3D" in cls.__name__
             else [IMAGE, SEQUENCE, VECTOR, MANY_CHANNELS])
    return [[shape, shape] for shape in first] if LAYERS.get(
        cls.__name__) and LAYERS[cls.__name__].merges else first


def arguments(cls, argument, value, shape) -> dict:
    companions: dict = {} if value is None else COMPANIONS.get(argument, {})
    given = {**needed(cls), **companions, argument: value}
    for name in given.keys() & INNER:
        if isinstance(given[name], Named):
            given[name] = given[name].make(cls)
    if cls.__name__ == "InputLayer" and argument != "batch_shape":
        given.setdefault("shape", shape[1:])
    return given


def is_built(cls, argument: str) -> bool:
    """Whether a trial goes on to the weights: not for what names a function, which costs time."""
    return cls.__name__ != "InputLayer" and kind(argument) is None


def made(cls, argument, value, shape):
    """Keras's layer, built; an error if it does not take the value or the shape."""
    layer = cls(**arguments(cls, argument, value, shape))
    _require_rank(layer, shape)
    if argument in INNER:  # whose own ranks are looked at when it is called
        layer(np.zeros((2, *shape[1:])))
    if is_built(cls, argument) and not layer.built:
        own = LAYERS.get(cls.__name__)
        given = shape if own is not None and own.calls_apart else [shape]
        layer.build(*given)
        with contextlib.suppress(NotImplementedError):  # the layers of keras.applications have none
            layer.compute_output_shape(*given)
    return layer


def _require_rank(layer, shape) -> None:
    """What Keras looks at only when the layer is called."""
    rank, least = (getattr(layer.input_spec, name, None) for name in ("ndim", "min_ndim"))
    if rank not in (None, len(shape)) or (least or 0) > len(shape):
        raise ValueError(f"Expected inputs of {rank or least} axes. Received: {shape}")


def handed_over(keras, theirs, cls, argument, value, shape) -> str:
    """scratch's verdict on that layer's config; on the value alone if the config drops it."""
    config = plain(keras.layers.serialize(theirs))

    def read():
        layer = layer_from_config(config)
        if is_built(cls, argument):
            layer.build(shape)

    default = parameters(cls).get(argument, parameters(keras.layers.Layer).get(argument))
    if argument in config["config"] or cls.__name__ == "InputLayer" or value == default:
        return verdict(read, argument)
    own = LAYERS[cls.__name__]
    return verdict(lambda: own(**arguments(cls, argument, value, shape)), argument)


def distinct(pairs) -> list:
    """Without values that Python holds for equal, such as 1 and 1.0."""
    found = {repr(value): (value, seen) for value, seen in pairs}
    return list(found.values())


def unnamed(keras) -> list[str]:
    """Layers that are neither taken nor refused by name; there should be none."""
    return [cls.__name__ for family in classes(keras).values() for cls in family
            if not is_supported(cls) and refusals(cls) in (FAILED, trial.TAKEN)]
