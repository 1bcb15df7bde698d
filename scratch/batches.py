"""Where the batches of a run come from: arrays, a sequence of batches, or a generator.

`adapt` makes one of three sources of whatever the user has. Iterating over a source is one pass
through its batches (x, y, sample_weight), y and sample_weight being None where there are none;
`Epochs` cuts the passes into epochs.
"""

import math
import warnings

import numpy as np

from scratch import seed
from scratch.several import Several, mapped


class ArrayBatches:
    """Rows of arrays.

    Args:
        x: (samples, ...), anything with a length that is indexed by sample numbers.
        y, sample_weight: as many, or None.
        rows: the samples to use, a range.
        shuffle: a new order in every pass; 'batch' shuffles within each batch only.
    """

    def __init__(self, x, y, sample_weight, batch_size: int, rows: range, shuffle=False):
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.batch_size, self.rows, self.shuffle = batch_size, rows, shuffle
        self.steps = math.ceil(len(rows) / batch_size)

    def __iter__(self):
        order = None
        if self.shuffle and self.shuffle != "batch":
            order = self.rows.start + seed.generator().permutation(len(self.rows))
        for start in range(0, len(self.rows), self.batch_size):
            if order is not None:
                rows = order[start:start + self.batch_size]
            else:
                chosen = self.rows[start:start + self.batch_size]
                rows = slice(chosen.start, chosen.stop)
                if self.shuffle:
                    rows = chosen.start + seed.generator().permutation(len(chosen))
            yield (self.x[rows], None if self.y is None else self.y[rows],
                   None if self.sample_weight is None else self.sample_weight[rows])


class SequenceBatches:
    """An object with a length and numbered batches, as `keras.utils.PyDataset` is one.

    Its `on_epoch_begin` and `on_epoch_end` are called, if it has them.

    Args:
        shuffle: a new order of the batches in every pass.
    """

    def __init__(self, batches, shuffle=False, class_weight=None):
        self.batches, self.shuffle, self.class_weight = batches, shuffle, class_weight
        self.steps = len(batches)

    def __iter__(self):
        getattr(self.batches, "on_epoch_begin", _nothing)()
        order = range(self.steps)
        if self.shuffle:
            order = seed.generator().permutation(self.steps).tolist()
        for i in order:
            yield _weighted(_unpacked(self.batches[i]), self.class_weight)
        getattr(self.batches, "on_epoch_end", _nothing)()


class GeneratorBatches:
    """An iterable whose length is not known; one that can only be run through once goes on where
    it stopped."""

    steps = None

    def __init__(self, batches, class_weight=None):
        self.batches, self.class_weight = batches, class_weight

    def __iter__(self):
        for batch in self.batches:
            yield _weighted(_unpacked(batch), self.class_weight)


class Epochs:
    """Epochs out of a source.

    Args:
        steps: of an epoch. None: a pass is an epoch. Otherwise a pass goes on from one epoch to the
            next, and a new one begins with an epoch once all batches are used up.
    """

    def __init__(self, source, steps: int | None = None):
        self.source, self.wanted = source, steps
        self.steps = steps or source.steps
        self.exhausted = False
        self._pass, self._used = None, 0

    def __iter__(self):
        if self.wanted is None:
            yield from self.source
            return
        for _ in range(self.wanted):
            if self._pass is None:
                self._pass, self._used = iter(self.source), 0
            batch = next(self._pass, None)
            if batch is None:
                self._ran_out()
                return
            self._used += 1
            yield batch
        if self._used == self.source.steps:
            self._pass = None

    def _ran_out(self) -> None:
        self._pass = None
        self.exhausted = self.source.steps is None
        warnings.warn(f"The data ran out before an epoch had its {self.wanted} steps. Expected at "
                      "least steps_per_epoch * epochs batches.", stacklevel=4)


def adapt(x, y=None, sample_weight=None, class_weight=None, batch_size=None, shuffle=False,
          steps=None, rows: range | None = None):
    """The source for what was given to fit, evaluate or predict.

    Args:
        x: arrays, or an object that gives batches: x, (x,), (x, y) or (x, y, sample_weight).
        rows: only these samples of arrays.

    Raises:
        ValueError: for labels or weights beside an object that gives batches, for class weights
            beside sample weights, and for arrays of different lengths.
    """
    if gives_batches(x):
        for key, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise ValueError(f"Expected {key} to be part of the batches, since x gives "
                                 f"batches: x is a {type(x).__name__}. Received: {key}")
        if hasattr(x, "__getitem__") and hasattr(x, "__len__"):
            return SequenceBatches(x, shuffle, class_weight)
        return GeneratorBatches(x, class_weight)
    if rows is None:
        rows = range(len(x))
    if len(x) == 0:
        raise ValueError("Expected at least one sample. Received: 0 samples")
    if sample_weight is not None and class_weight is not None:
        raise ValueError("Expected sample_weight or class_weight, not both. Received: both")
    if class_weight is not None:
        sample_weight = class_weights_of(y, class_weight)
    if sample_weight is not None:
        sample_weight = mapped(np.asarray, sample_weight)
        if len(sample_weight) != len(x):
            raise ValueError("Expected as many sample weights as inputs. Received: "
                             f"{len(sample_weight)} weights and {len(x)} inputs")
    if batch_size is None and steps:
        batch_size = math.ceil(len(rows) / steps)
    return ArrayBatches(x, y, sample_weight, checked_batch_size(batch_size), rows, shuffle)


def gives_batches(x) -> bool:
    """Whether x is not an array, nor a list of samples, but something that gives batches."""
    if hasattr(x, "shape") or isinstance(x, (list, tuple, dict, Several)):
        return False
    return hasattr(x, "__iter__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__"))


def numeric(x):
    """x as something with a shape to index, once it is sure that it holds numbers.

    Raises:
        TypeError: for strings, dates, complex numbers and objects.
    """
    if isinstance(x, Several):
        return mapped(numeric, x)
    x = x if hasattr(x, "shape") else np.asarray(x)
    dtype = getattr(x, "dtype", None)
    if getattr(dtype, "kind", "f") not in "biufV":  # V: ml_dtypes' bfloat16 and its like
        raise TypeError(f"Expected inputs to be numbers. Received: an array of {dtype}")
    return x


def class_weights_of(y, class_weight: dict) -> np.ndarray:
    """Each sample's weight by its class, 1 for classes that are not named: (samples,), float32.

    Args:
        y: (samples,) or (samples, 1) class numbers, or (samples, classes) rows, of which the
            largest entry tells the class.

    Raises:
        ValueError: for labels of another shape.
        TypeError: for weights that are no dictionary.
    """
    if not isinstance(class_weight, dict):
        raise TypeError("Expected class_weight to be a dictionary {class number: weight}. "
                        f"Received: {class_weight!r:.80}")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(axis=-1)
    if labels.ndim != 1:
        raise ValueError("Expected one class for each sample, for class_weight. Received: labels "
                         f"of shape {np.shape(y)}")
    return np.array([class_weight.get(int(label), 1.0) for label in np.round(labels)], np.float32)


def validation_rows(samples: int, validation_split: float) -> tuple[range, range]:
    """(rows to train on, rows to validate on): the last part is for validation.

    Raises:
        ValueError: if one of the two would be empty.
    """
    split = math.floor(samples * (1 - validation_split))
    if not 0 < split < samples:
        raise ValueError(f"Expected validation_split to leave samples on both sides of {samples}. "
                         f"Received: validation_split={validation_split!r}")
    return range(split), range(split, samples)


def checked_batch_size(value) -> int:
    """The batch size, 32 for None.

    Raises:
        ValueError: for what is no positive integer.
    """
    value = 32 if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"Expected batch_size to be a positive integer. Received: {value!r}")
    return int(value)


def _unpacked(batch) -> tuple:
    """(x, y, sample_weight) of what a source of batches gave."""
    if not isinstance(batch, (tuple, list)):
        batch = (batch,)
    if not 1 <= len(batch) <= 3:
        raise ValueError("Expected batches x, (x, y) or (x, y, sample_weight). Received: "
                         f"{len(batch)} values")
    return (*batch, None, None)[:3]


def _weighted(batch: tuple, class_weight) -> tuple:
    x, y, sample_weight = batch
    if class_weight is None:
        return batch
    if sample_weight is not None:
        raise ValueError("Expected sample_weight or class_weight, not both. Received: both")
    return x, y, class_weights_of(y, class_weight)


def _nothing() -> None:
    """In place of a hook that a sequence of batches does not have."""
