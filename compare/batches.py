"""The batch a check is run on: real images, random numbers of the right shape, or one's own file."""

from pathlib import Path

import numpy as np


def for_benchmark(model, count: int, seed: int, dataset: str, data_dir=None):
    """(x, y, where from): test images of the data set, drawn by `seed`."""
    from compare import data

    loaded = data.load(dataset, data_dir)
    rows = np.random.default_rng(seed).permutation(len(loaded.x_test))[:count]
    if len(rows) < count:
        raise ValueError(f"Expected --batch to be at most the {len(rows)} test images of "
                         f"{loaded.title}. Received: {count}")
    return loaded.pixels(loaded.x_test, model.dtype)[rows], loaded.y_test[rows], loaded


def random(model, count: int, seed: int):
    """(x, y) of standard normal inputs and random labels that suit the model's loss; y is None,
    and a gradient of the output takes its place, where the model has no loss."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, *model.input_shape[1:])).astype(model.dtype)
    *shape, classes = (count, *model.output_shape[1:])
    if model.loss is None:
        return x, None
    y = rng.integers(0, classes, shape)
    if not type(model.loss).__name__.startswith("Sparse"):
        y = np.eye(classes, dtype=model.dtype)[y]
    return x, y


def from_file(path):
    """(x, y) from a `.npz` file that holds arrays of these names; y may be missing.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such archive.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"--input: expected a .npz file. Received: {path}, which is no "
                                "file")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # numpy, zipfile and zlib each have their own
        raise ValueError(f"--input: expected a .npz archive with arrays x and y. Received {path}, "
                         f"which cannot be read: {error}") from None
    if "x" not in arrays:
        raise ValueError("--input: expected arrays named x and y. Received: "
                         f"{', '.join(arrays) or 'none'} in {path}")
    return arrays["x"], arrays.get("y")
