"""A model's file: its config, how it was compiled, its weights and its optimizer's state.

`.keras`, an archive, and `.h5` or `.hdf5`, in which Keras 2 kept whole models. A file gives a
dictionary and arrays; `scratch.models` makes the model of them.
"""

import datetime
import io
import json
import re
from pathlib import Path
from typing import NamedTuple

from scratch.errors import UnsupportedError, shortened
from scratch.files import archive, atomic, description, hdf5, keras2, variables
from scratch.files.limits import TEXT, RefusedFile
from scratch.files.weights_file import require_built, require_writable
from scratch.layers import LAYERS
from scratch.layers.one_output import OneOutput
from scratch.operations import OPERATIONS

KERAS_VERSION = "3.15.1"  # the one whose format this is; Keras itself does not look at it
OLDER = (".h5", ".hdf5")
COMPILED = {"optimizer_config": "optimizer"}  # what was called otherwise


class Stored(NamedTuple):
    """What a model's file holds.

    Attributes:
        text: the JSON dictionary that describes it, or of an older file its config.
        weights: an HDF5 file with the weights.
        version: of the Keras that saved it, '' if that is not known.
        compiled: of an older file the JSON dictionary of how it was compiled, None for none.
    """

    text: bytes
    weights: bytes
    version: str = ""
    compiled: bytes | None = None

    @property
    def saved_by(self) -> str:
        """'saved by Keras 2.15.0: ' for a file from before Keras 3, else ''."""
        return f"saved by Keras {self.version}: " if keras2.is_of_keras_2(self.version) else ""

    def description(self) -> dict:
        """The dictionary of the model, with `class_name`, `config` and `compile_config`.

        Raises:
            ValueError: if it is none.
            UnsupportedError: for what Keras 2 meant otherwise than Keras 3.
        """
        saved = description.parse(self.text)
        if self.compiled is not None:
            compiled = description.parse(self.compiled, "training_config")
            saved = {"class_name": saved.get("class_name"), "config": saved.get("config"),
                     "compile_config": {COMPILED.get(key, key): value
                                        for key, value in compiled.items()}}
        return keras2.translated(saved) if keras2.is_of_keras_2(self.version) else saved


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
        known = {**LAYERS, **OPERATIONS, OneOutput.__name__: OneOutput}
        if known.get(type(layer).__name__) is not type(layer):
            raise UnsupportedError(f"{model}: {layer} is of a class of its own, which a .keras "
                                   "file cannot describe. Expected layers of scratch; or save the "
                                   "weights alone, with save_weights.")
    metadata = {"keras_version": KERAS_VERSION,
                "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")}
    atomic.write(filepath, archive.pack({
        archive.METADATA: json.dumps(metadata).encode(),
        archive.CONFIG: json.dumps(model.description()).encode(),
        archive.WEIGHTS: variables.pack(model)}))


def read_model(filepath) -> Stored:
    """What a model's file holds.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for another ending, or a file that is damaged or no Keras model's.
        UnsupportedError: for the folder of a SavedModel, and an older file of weights alone.
    """
    name = str(filepath)
    refuse_folder(filepath)
    if not name.endswith((".keras", *OLDER)):
        raise ValueError("Expected the name of a model's file to end in .keras, or .h5 of an older "
                         f"one. Received: {name!r}")
    if name.endswith(OLDER) or hdf5.is_one(filepath):
        return _read_older(filepath)
    members = archive.unpack(filepath, [archive.CONFIG, archive.WEIGHTS], [archive.METADATA])
    return Stored(members[archive.CONFIG], members[archive.WEIGHTS],
                  _version(members.get(archive.METADATA, b"")))


def refuse_folder(filepath) -> None:
    """Raises an UnsupportedError for the folder of a SavedModel, with the nearest way."""
    if Path(filepath, "saved_model.pb").is_file():
        raise UnsupportedError(
            f"{filepath}: a SavedModel, a folder with TensorFlow's graph, is not supported. "
            "Expected a .keras file. The Keras that saved it can make one: "
            "tf.keras.models.load_model(folder).save('model.keras'), before Keras 2.13 "
            "'model.h5'.")


def _version(metadata: bytes) -> str:
    """The version that metadata.json names; '' for anything else than a version."""
    found = re.search(rb'"keras_version": "(\d{1,3}(\.\d{1,4}){1,3})', metadata[:1000])
    return found[1].decode() if found else ""


def _read_older(filepath) -> Stored:
    """What a whole model's HDF5 file says."""
    import h5py

    content = Path(filepath).read_bytes()
    try:
        with h5py.File(io.BytesIO(content), "r") as store:
            if "model_config" not in store.attrs:
                raise RefusedFile("expected a whole model, with its config. Received an HDF5 file "
                                  "without, such as one of weights alone, which model.load_weights "
                                  "reads")
            texts = [hdf5.text(store, name) for name in ("model_config", "training_config")]
            version = hdf5.text(store, "keras_version")[:20]
    except RefusedFile as refusal:
        raise ValueError(f"{filepath}: {refusal}") from None
    except Exception as error:  # a damaged file makes HDF5 raise all sorts
        raise ValueError(f"{filepath}: expected a model saved by Keras, an HDF5 file. Received: "
                         f"{type(error).__name__}: {shortened(error)}") from None
    if any(len(text) > TEXT for text in texts):
        raise ValueError(f"{filepath}: expected a config of at most {TEXT} bytes. Received: "
                         f"{max(map(len, texts))}")
    version = version if re.fullmatch(r"\d+(\.\d+)+[-\w.]*", version) else "2"
    return Stored(texts[0].encode(), content, version, texts[1].encode() or b"{}")
