"""The batch a check is run on: real images, random numbers, or one's own file."""

import math
import re
from pathlib import Path

import numpy as np

import scratch
from compare.tracing import stored_arrays
from compare.tracing.grouping import forms_of
from compare.tracing.model_kinds import is_keras, kind
from compare.tracing.validation import check_batch, each_shape, output_shapes
from scratch import memory
from scratch.losses import JointLoss
from scratch.several import Several, each

# what the arrays in a file are called
OF_A_BATCH = re.compile(r"[xy](_[1-9][0-9]?)?")
# losses whose labels are class numbers
NUMBERED = ("SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy", "Circle")


def images(dataset, count: int, seed: int, dtype):
    """(x, y): test images of a loaded data set, drawn by `seed`, in that precision."""
    rows = np.random.default_rng(seed).permutation(len(dataset.x_test))[:count]
    if len(rows) < count:
        raise ValueError(f"Expected --batch to be at most the {len(rows)} test images of "
                         f"{dataset.title}. Received: {count}")
    return dataset.pixels(dataset.x_test, dtype)[rows], dataset.y_test[rows]


def random(model, count: int, seed: int, sizes=None):
    """(x, y) of standard normal inputs and random labels that suit the model's loss; y is None,
    and a gradient of the output takes its place, where the model has no loss.

    Args:
        sizes: those that the model's input leaves open, in order; None if it leaves none open.

    Raises:
        ValueError: for another number of sizes, ones that a layer cannot take, or if the outputs of
            all layers would not fit into the memory that there is.
    """
    shapes = all_sized(each_shape(model, "inputs"), sizes)
    several = model.inputs_as is not None
    model.take_sizes(shapes if several else shapes[0])
    memory.require(count * activations(model) * model.dtype.itemsize,
                   f"the outputs of all layers of {model} for {count} samples")
    rng = np.random.default_rng(seed)
    drawn = [rng.standard_normal((count, *shape[1:])).astype(model.dtype) for shape in shapes]
    x = Several(drawn) if several else drawn[0]
    if model.loss is None:
        return x, None
    return x, targets(model, count, rng)


def all_sized(shapes: list[tuple], sizes) -> list[tuple]:
    """The inputs' shapes with sizes in the places that they leave open, one after the other.

    Raises:
        ValueError: for more or fewer sizes than there are such places.
    """
    if len(shapes) == 1:
        return [sized(shapes[0], sizes)]
    sizes, places = list(sizes or ()), [shape[1:].count(None) for shape in shapes]
    if len(sizes) != sum(places):
        raise ValueError(f"Expected --size with {sum(places)} numbers for inputs of shapes "
                         f"{shapes}. Received: {' '.join(map(str, sizes)) or 'none'}")
    rest = iter(sizes)
    return [sized(shape, [next(rest) for _ in range(count)])
            for shape, count in zip(shapes, places)]


def sized(shape: tuple, sizes) -> tuple:
    """An input's shape with sizes in the places that it leaves open.

    Raises:
        ValueError: for more or fewer sizes than there are such places.
    """
    sizes, places = list(sizes or ()), shape[1:].count(None)
    if len(sizes) != places:
        raise ValueError(f"Expected --size with {places} numbers for inputs of shape {shape}. "
                         f"Received: {' '.join(map(str, sizes)) or 'none'}" if places else
                         f"Expected no --size, as inputs of shape {shape} leave none open. "
                         f"Received: {' '.join(map(str, sizes))}")
    rest = iter(sizes)
    return (*shape[:1], *(next(rest) if n is None else n for n in shape[1:]))


def drawn_inputs(model) -> list[str]:
    """The names of those inputs of a live Keras model that take the place of what its layers draw.
    """
    if not is_keras(model):
        return []
    import reference

    found: list[str] = reference.drawn_inputs(model)
    return found


def with_draws(model, x, names: list[str], seed: int):
    """A batch with standard normal numbers for these inputs, the model's last, unless it has some.

    Args:
        x: an array, or a list of arrays for the other inputs.
    """
    arrays = list(x) if isinstance(x, (list, tuple)) else list(each(x))
    sources = model.inputs
    if len(arrays) != len(sources) - len(names):
        return x
    rng = np.random.default_rng(seed)
    return arrays + [rng.standard_normal((len(arrays[0]), *source.shape[1:])).astype(source.dtype)
                     for source in sources[-len(names):]]


def about_draws(names: list[str]) -> list[str]:
    """A sentence on the inputs that take the place of draws, none for no such inputs."""
    return [f"What layers draw at every call comes in from outside, the same for both: "
            f"{', '.join(names)}, standard normal numbers."] if names else []


def targets(model, count: int, rng):
    """Random labels for each output that has a loss; of several outputs `Several`."""
    if not isinstance(model.loss, JointLoss):
        return _targets(model, model.loss, model.layers[model.ends[0]].output_shape, count, rng)
    found: list = [None] * len(model.ends)
    for term in model.loss.terms:
        shape = model.layers[model.ends[term.output]].output_shape
        found[term.output] = _targets(model, term.loss, shape, count, rng)
    return Several(found)


def _targets(model, function, output: tuple, count: int, rng) -> np.ndarray:
    """Random labels or targets that suit a loss: class numbers, one-hot rows,
    zeros and ones, distributions, positive numbers, or normal ones."""
    loss = kind(function, scratch.losses.CLASSES)
    _, *sizes, classes = output
    shape = (count, *sizes)
    if loss == "Circle":  # of few classes, so that samples share one
        return rng.integers(0, few_classes(count), shape)
    if "Categorical" in loss:
        labels = rng.integers(0, classes, shape)
        return labels if loss in NUMBERED else one_hot(labels, classes, model.dtype)
    size = (*shape, classes)
    if "Binary" in loss or loss in ("Hinge", "SquaredHinge", "Dice", "Tversky"):
        return rng.integers(0, 2, size).astype(model.dtype)
    if loss == "KLDivergence":
        return rng.dirichlet(np.ones(classes), shape).astype(model.dtype)
    numbers = rng.standard_normal(size).astype(model.dtype)
    return numbers if loss not in ("Poisson", "MeanSquaredLogarithmicError") else np.abs(numbers)


def few_classes(count: int) -> int:
    """Of how many classes that many samples may be where most are to share one with another."""
    return min(3, max(2, count // 3))


def upstream(model, x, seed: int):
    """A gradient of the output for a model without a loss: normal numbers, never all alike."""
    rng = np.random.default_rng(seed + 1)
    drawn = [rng.standard_normal(shape).astype(model.dtype) for shape in output_shapes(model, x)]
    return drawn[0] if forms_of(model).outputs is None else Several(drawn)


def about_upstream(model, seed: int) -> str:
    """A sentence on the gradient that `upstream` drew."""
    why = "The model has no loss" if model.loss is None else "No labels were given"
    return (f"{why}: in the place of its gradient stand normal numbers, drawn with seed {seed}; "
            "loss, update and lockstep are not judged.")


def one_hot(labels: np.ndarray, classes: int, dtype) -> np.ndarray:
    """A row of `classes` numbers for each label, 1 at its place and 0 elsewhere."""
    rows = np.zeros((*labels.shape, classes), dtype)
    np.put_along_axis(rows, labels[..., None], 1, axis=-1)
    return rows


def activations(model) -> int:
    """How many numbers a sample is made into: the input's and those of every layer's output."""
    shapes = [layer.output_shape[1:] for layer in model.layers if layer.output_shape]
    sizes = model.sizes or [shape[1:] for shape in each_shape(model, "inputs")]
    return sum(math.prod(shape) for shape in [*sizes, *shapes])


def from_file(path):
    """(x, y) from a `.npz` file that holds arrays of these names; y may be missing.

    Of several inputs or outputs the arrays are x_1, x_2 ... and y_1, y_2 ... in the model's order;
    y_2 may be left out where the second output has no loss.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such archive, or one that would unpack to far more than it holds,
            or x holds no samples or numbers that are not finite.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"--input: expected a .npz file. Received: {path}, which is no "
                                "file")
    try:
        contents = Path(path).read_bytes()
        there = stored_arrays.names(contents)
        own = [name for name in there if OF_A_BATCH.fullmatch(name)]
        arrays = stored_arrays.read(contents, "x and y", own)
        there = own or there
    except Exception as error:  # numpy, zipfile and zlib each have their own
        raise ValueError(f"--input: expected a .npz archive with arrays x and y. Received {path}, "
                         f"which cannot be read: {error}") from None
    several = "x" not in arrays and "x_1" in arrays
    if "x" not in arrays and not several:
        raise ValueError("--input: expected arrays named x and y. Received: "
                         f"{', '.join(there) or 'none'} in {path}")
    for name in arrays:
        if arrays[name].dtype.kind not in "biuf":
            raise ValueError(f"--input: expected real numbers in x and y. Received: {name} of "
                             f"dtype {arrays[name].dtype} in {path}")
    try:
        return (check_batch(_numbered(arrays, "x")), _numbered(arrays, "y"))
    except ValueError as error:
        raise ValueError(f"--input {path}: {error}") from None


def _numbered(arrays: dict, letter: str):
    """The array of that name, or those numbered from 1 as `Several`; None for none."""
    if letter in arrays:
        return arrays[letter]
    numbers = [int(name[2:]) for name in arrays if name.startswith(f"{letter}_")]
    if not numbers:
        return None
    return Several([arrays.get(f"{letter}_{n}") for n in range(1, max(numbers) + 1)])
