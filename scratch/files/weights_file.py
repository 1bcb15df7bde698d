"""`.weights.h5` files: a model's weights and, if it is compiled, its optimizer's state."""

from pathlib import Path

from scratch.files import archive, atomic, hdf5, variables


def save_weights(model, filepath, overwrite: bool = True) -> None:
    """Write a built model's weights so that Keras's and our own `load_weights` read them.

    Args:
        filepath: ends in '.weights.h5'.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ValueError: for another ending, or a model that is not built.
        FileExistsError: for a file that is there, if it may not be replaced.
    """
    require_writable(filepath, ".weights.h5", overwrite)
    require_built(model, "save_weights")
    atomic.write(filepath, variables.pack(model))


def load_weights(model, filepath, skip_mismatch: bool = False, by_name: bool = False) -> None:
    """Take over the weights in a file, and the optimizer's state if there is one of its kind.

    Args:
        filepath: a '.weights.h5' file; a '.keras' file, whose config is not looked at; or '.h5', in
            which Keras 2 kept weights and whole models.
        skip_mismatch: whether a layer whose weights the file has not, or in other shapes, keeps
            what it has, with a warning; otherwise the file is refused.
        by_name: of an '.h5' file take only the layers of the same names.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a damaged file or one of another network; the model is then as it was. For
            by_name with a file of another kind.
    """
    require_built(model, "load_weights")
    name = str(filepath)
    if name.endswith(".keras") and not hdf5.is_one(filepath):
        content = archive.unpack(filepath, [archive.WEIGHTS])[archive.WEIGHTS]
    elif name.endswith((".keras", ".h5", ".hdf5")):
        content = Path(filepath).read_bytes()
    else:
        raise ValueError("Expected the name of a weights file to end in .weights.h5, .h5 or "
                         f".keras. Received: {name!r}")
    variables.restore(model, content, name, skip_mismatch, by_name)


def require_built(model, action: str) -> None:
    """Raises a ValueError for a model that has no weights yet."""
    if not model.built:
        raise ValueError(f"{model} must be built before {action}: give it an Input, call "
                         "build(input_shape), or show it a batch.")


def require_writable(filepath, ending: str, overwrite: bool) -> None:
    """Raises a ValueError for another ending, a FileExistsError for what may not be replaced."""
    if not str(filepath).endswith(ending):
        raise ValueError(f"Expected the name of the file to end in {ending}. "
                         f"Received: {str(filepath)!r}")
    if not overwrite and Path(filepath).exists():
        raise FileExistsError(f"Expected a new file, as overwrite=False. Received: {filepath}, "
                              "which exists")
