"""The batch a check is run on: real images, random numbers, or one's own file."""

import math
from pathlib import Path

import numpy as np

import scratch
from compare.tracing.model_kinds import kind
from compare.tracing.validation import check_batch
from scratch import memory


def images(dataset, count: int, seed: int, dtype):
    """(x, y): test images of a loaded data set, drawn by `seed`, in that precision."""
    rows = np.random.default_rng(seed).permutation(len(dataset.x_test))[:count]
    if len(rows) < count:
        raise ValueError(f"Expected --batch to be at most the {len(rows)} test images of "
                         f"{dataset.title}. Received: {count}")
    return dataset.pixels(dataset.x_test, dtype)[rows], dataset.y_test[rows]


def random(model, count: int, seed: int):
    """(x, y) of standard normal inputs and random labels that suit the model's loss; y is None,
    and a gradient of the output takes its place, where the model has no loss.

    Raises:
        ValueError: if the outputs of all layers would not fit into the memory that there is.
    """
    memory.require(count * activations(model) * model.dtype.itemsize,
                   f"the outputs of all layers of {model} for {count} samples")
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, *model.input_shape[1:])).astype(model.dtype)
    if model.loss is None:
        return x, None
    return x, targets(model, count, rng)


def targets(model, count: int, rng) -> np.ndarray:
    """Random labels or targets that suit a compiled model's loss: class numbers, one-hot rows,
    zeros and ones, distributions, positive numbers, or normal ones."""
    loss = kind(model.loss, scratch.losses.CLASSES)
    shape, classes = (count, *model.output_shape[1:-1]), model.output_shape[-1]
    if loss in ("SparseCategoricalCrossentropy", "CategoricalCrossentropy"):
        labels = rng.integers(0, classes, shape)
        return labels if loss.startswith("Sparse") else one_hot(labels, classes, model.dtype)
    size = (*shape, classes)
    if loss in ("BinaryCrossentropy", "Hinge", "SquaredHinge"):
        return rng.integers(0, 2, size).astype(model.dtype)
    if loss == "KLDivergence":
        return rng.dirichlet(np.ones(classes), shape).astype(model.dtype)
    numbers = rng.standard_normal(size).astype(model.dtype)
    return numbers if loss not in ("Poisson", "MeanSquaredLogarithmicError") else np.abs(numbers)


def upstream(model, x, seed: int) -> np.ndarray:
    """A gradient of the output for a model without a loss: normal numbers, never all alike."""
    shape = (len(x), *model.output_shape[1:])
    return np.random.default_rng(seed + 1).standard_normal(shape).astype(model.dtype)


def one_hot(labels: np.ndarray, classes: int, dtype) -> np.ndarray:
    """A row of `classes` numbers for each label, 1 at its place and 0 elsewhere."""
    rows = np.zeros((*labels.shape, classes), dtype)
    np.put_along_axis(rows, labels[..., None], 1, axis=-1)
    return rows


def activations(model) -> int:
    """How many numbers a sample is made into: the input's and those of every layer's output."""
    shapes = [model.input_shape, *(layer.output_shape or () for layer in model.layers)]
    return sum(math.prod(shape[1:]) for shape in shapes)


def from_file(path):
    """(x, y) from a `.npz` file that holds arrays of these names; y may be missing.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such archive, or x holds no samples or numbers that are not finite.
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
    for name in {"x", "y"} & arrays.keys():
        if arrays[name].dtype.kind not in "biuf":
            raise ValueError(f"--input: expected real numbers in x and y. Received: {name} of "
                             f"dtype {arrays[name].dtype} in {path}")
    return check_batch(arrays["x"]), arrays.get("y")
