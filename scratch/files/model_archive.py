"""`.keras` files: a model's config, how it was compiled, its weights and its optimizer's state."""

import datetime
import json

from scratch.errors import UnsupportedError
from scratch.files import archive, atomic, variables
from scratch.files.weights_file import refuse_old, require_built, require_writable
from scratch.layers import LAYERS
from scratch.models import model_from_config
from scratch.sequential import Sequential

KERAS_VERSION = "3.15.1"  # the one whose format this is; Keras itself does not look at it


def save_model(model, filepath, overwrite: bool = True) -> None:
    """Write a built model so that Keras's and our own `load_model` read it.

    Args:
        filepath: ends in '.keras'.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ValueError: for another ending, or a model that is not built.
        UnsupportedError: for a layer class of somebody's own, which a file cannot describe.
        FileExistsError: for a file that is there, if it may not be replaced.
    """
    require_writable(filepath, ".keras", overwrite)
    require_built(model, "save")
    for layer in model.layers:
        if LAYERS.get(type(layer).__name__) is not type(layer):
            raise UnsupportedError(f"{model}: {layer} is of a class of its own, which a .keras "
                                   "file cannot describe. Expected layers of scratch; or save the "
                                   "weights alone, with save_weights.")
    metadata = {"keras_version": KERAS_VERSION,
                "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    atomic.write(filepath, archive.pack({
        archive.METADATA: json.dumps(metadata).encode(),
        archive.CONFIG: json.dumps(described(model)).encode(),
        archive.WEIGHTS: variables.pack(model)}))


def described(model) -> dict:
    """The model's config, and how it is built and compiled, in the dictionary that Keras saves."""
    if isinstance(model, Sequential):
        kind = {"module": "keras", "class_name": "Sequential", "registered_name": None,
                "build_config": {"input_shape": model.input_shape}}
    else:
        kind = {"module": "keras.src.models.functional", "class_name": "Functional",
                "registered_name": "Functional", "build_config": {"input_shape": None}}
    return {**kind, "config": model.get_config(), "compile_config": model.get_compile_config()}


def load_model(filepath, compile: bool = True):
    """The model in a `.keras` file, with its weights; compiled, and ready to go on training.

    Args:
        compile: whether to compile the model as it was when it was saved, if it was.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a file that is damaged or no Keras model's.
        UnsupportedError: for a layer, a loss, an optimizer or a setting that is not supported, for
            classes of somebody's own, and for the older HDF5 format.
    """
    name = str(filepath)
    refuse_old(name)
    if not name.endswith(".keras"):
        raise ValueError("Expected the name of a model's file to end in .keras. "
                         f"Received: {name!r}")
    members = archive.unpack(filepath, [archive.CONFIG, archive.WEIGHTS])
    try:
        config = json.loads(members[archive.CONFIG])
        model = model_from_config(config)
        if compile and config.get("compile_config"):
            model.compile_from_config(config["compile_config"])
    except UnsupportedError as error:
        raise UnsupportedError(f"{name}: {error}") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError,
            RecursionError) as error:  # a config may say anything
        raise ValueError(f"{name}: expected a config.json that describes a model. "
                         f"Received: {type(error).__name__}: {error}") from None
    if model.built:
        variables.restore(model, members[archive.WEIGHTS], name)
    return model
