"""`.keras` files: a model's config, how it was compiled, its weights and its optimizer's state.

A file gives a config and arrays; `scratch.models` makes the model of them.
"""

import datetime
import json

from scratch.errors import UnsupportedError
from scratch.files import archive, atomic, variables
from scratch.files.weights_file import refuse_old, require_built, require_writable
from scratch.layers import LAYERS
from scratch.operations import OPERATIONS

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
        if {**LAYERS, **OPERATIONS}.get(type(layer).__name__) is not type(layer):
            raise UnsupportedError(f"{model}: {layer} is of a class of its own, which a .keras "
                                   "file cannot describe. Expected layers of scratch; or save the "
                                   "weights alone, with save_weights.")
    metadata = {"keras_version": KERAS_VERSION,
                "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    atomic.write(filepath, archive.pack({
        archive.METADATA: json.dumps(metadata).encode(),
        archive.CONFIG: json.dumps(model.description()).encode(),
        archive.WEIGHTS: variables.pack(model)}))


def read_model(filepath) -> tuple[bytes, bytes]:
    """(what config.json holds, what model.weights.h5 holds) of a `.keras` file.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for another ending, or a file that is damaged or no Keras model's.
        UnsupportedError: for the older HDF5 format.
    """
    name = str(filepath)
    refuse_old(name)
    if not name.endswith(".keras"):
        raise ValueError("Expected the name of a model's file to end in .keras. "
                         f"Received: {name!r}")
    members = archive.unpack(filepath, [archive.CONFIG, archive.WEIGHTS])
    return members[archive.CONFIG], members[archive.WEIGHTS]
