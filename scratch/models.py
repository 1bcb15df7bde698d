"""Models out of Keras's configs and files: which kind a config describes, and that model."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from scratch import files, initializers
from scratch.custom_objects import custom_object_scope, of_layers
from scratch.errors import UnsupportedError, shortened
from scratch.files import description, variables
from scratch.layer_config import MODELS
from scratch.model import Model
from scratch.network import Network
from scratch.sequential import Sequential

Objects = dict[str, Any] | None  # see `scratch.custom_objects`


def model_from_config(config: dict, custom_objects: Objects = None) -> Network:
    """A `Sequential` or a `Model` from Keras's config of either; new weights, as Keras makes them.

    Args:
        config: what `get_config()` gives, or the dictionary around it with its `class_name`, as
            Keras writes it into files.
        custom_objects: somebody's own classes and functions, see `scratch.custom_objects`.

    Raises:
        UnsupportedError: for a class of somebody's own, and for a layer, a setting or a kind of
            graph that is not supported, by its name.
        ValueError: for a dictionary that is no model's.
    """
    with custom_object_scope(custom_objects):
        if isinstance(config, dict) and "class_name" in config:
            name, inner = config["class_name"], config.get("config")  # which it checks itself
            module = config.get("module") or "keras"
            if name not in MODELS or not isinstance(module, str) or module.split(".")[0] != "keras":
                raise UnsupportedError(
                    f"A model of class {name!r} from {module!r} is not supported. Expected keras's "
                    "Sequential or Functional; of a class of somebody's own `parity check --model "
                    "module:callable` takes the live model, as far as its call is a graph.")
            made: Network = MODELS[name].from_config(inner)
            return made
        if isinstance(config, dict) and "output_layers" in config:
            return Model.from_config(config)
        return Sequential.from_config(config)


def model_from_json(text: str, custom_objects: Objects = None) -> Network:
    """A model from what its `to_json()`, or that of a Keras model, gives; new weights.

    Raises:
        UnsupportedError, ValueError: see `model_from_config`, and for what is no JSON dictionary.
    """
    with naming("", "a model's description in JSON"):
        return model_from_config(description.parse(text.encode(), "the text"), custom_objects)


def clone_model(model: Network) -> Network:
    """Another model with the same layers and settings, and new weights; not compiled.

    Raises:
        UnsupportedError: for a layer of a class of somebody's own that no config has named.
    """
    return model_from_config({**model.saved_as(), "config": model.get_config()},
                             of_layers(model.layers))


def load_model(filepath, custom_objects: Objects = None, compile: bool = True) -> Network:
    """The model in a `.keras` file, with its weights; compiled, and ready to go on training.

    Or in an `.h5` file, in which Keras 2 kept whole models; as far as its layers are those of Keras
    3.

    Args:
        custom_objects: somebody's own classes and functions, see `scratch.custom_objects`.
        compile: whether to compile the model as it was when it was saved, if it was.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a file that is damaged or no Keras model's.
        UnsupportedError: for a layer, a loss, an optimizer or a setting that is not supported, for
            classes of somebody's own, for the folder of a SavedModel, and for what Keras 2 meant
            otherwise than Keras 3.
    """
    with custom_object_scope(custom_objects):
        return load_compiled_by(filepath, _compiled if compile else None)


def _compiled(model: Network, config: dict) -> None:
    """Compile a model as a file says.

    Raises:
        UnsupportedError: for what is not supported, with the way round it.
    """
    try:
        model.compile_from_config(config)
    except UnsupportedError as error:
        raise UnsupportedError(f"{error} With compile=False the model is loaded without its loss "
                               "and optimizer.") from None


def load_compiled_by(filepath, compiling: Callable[[Network, dict], None] | None) -> Network:
    """The same, compiled in a way of one's own.

    Args:
        compiling: takes the model and Keras's dictionary of how it was compiled, if it was; None
            leaves it uncompiled.
    """
    name = str(filepath)
    stored = files.read_model(filepath)
    place = f"{name}: {stored.saved_by}"
    with naming(place, "a model saved by Keras, with a config that describes it"):
        model = _described(stored.description(), compiling)
    if model.built:
        variables.restore(model, stored.weights, name)
    return model


def model_with_weights(config: dict, weights) -> Network:
    """A model of that config that has these weights, and draws none.

    Args:
        config: see `model_from_config`.
        weights: arrays, in the model's order.

    Raises:
        UnsupportedError: for what is not supported, by its name.
        ValueError: for a dictionary that is no model's, and for weights that are not its own.
    """
    with naming("", "a config that describes a model"):
        with initializers.undrawn():
            model = model_from_config(config)
    model.set_weights(weights)
    return model


@contextlib.contextmanager
def naming(place: str, expected: str) -> Iterator[None]:
    """Around the making of a model of what a file says, which may be anything: every error is a
    ValueError of bounded length, or an UnsupportedError, that begins with the place."""
    try:
        yield
    except UnsupportedError as error:
        raise UnsupportedError(f"{place}{shortened(error)}") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
            RecursionError) as error:
        raise ValueError(f"{place}expected {expected}. "
                         f"Received: {type(error).__name__}: {shortened(error)}") from None


def _described(saved: dict, compiling: Callable[[Network, dict], None] | None) -> Network:
    """The model that a file's dictionary describes, its weights still without numbers."""
    with initializers.undrawn():
        model = model_from_config(saved)
    compiled = saved.get("compile_config")
    if not isinstance(compiled, (dict, type(None))):
        raise TypeError(f"a compile_config that is no dictionary: {compiled!r:.50}")
    if compiling and compiled:
        compiling(model, compiled)
    description.require_understood(saved)
    return model
