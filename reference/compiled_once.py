"""A training step that TensorFlow compiles once for batches of all sizes.

Keras's `train_on_batch` compiles it for the size of the first batch, and again once a batch of
another size comes, which takes seconds for a deep network. `fit` reads from a dataset whose batches
may have any size, and its step is compiled once: so is this one.
"""

import weakref
from collections.abc import Iterator

import numpy as np

from reference.compiled import put
from reference.quiet import keras, tf


class AnyBatchSize:
    """Stands in for a model's `train_function`, which takes an iterator of one batch.

    Args:
        model: a compiled Keras model, for which `possible` holds.
    """

    def __init__(self, model) -> None:
        put(model, "train_function", None)
        model.make_train_function()
        self._function = model.train_function
        self._batch: tuple = ()  # which the dataset reads at each step
        self._kind: tuple = ()  # what all batches of the dataset have in common
        self._batches: Iterator = iter(())

    def __call__(self, batches: Iterator[tuple]):
        self._batch = tuple(each for each in next(batches) if each is not None)
        kind = tuple((each.shape[1:], each.dtype) for each in self._batch)
        if kind != self._kind:
            self._kind = kind
            self._batches = self._read_one_by_one()
        return self._function(self._batches)

    def _read_one_by_one(self) -> Iterator:
        """A dataset's iterator, kept, for to make one takes longer than a small network's step."""
        own = weakref.ref(self)  # TensorFlow would keep what its graphs keep, and they the iterator

        def current():
            while own() is not None:  # no name for it here, which would hold it
                yield own()._batch

        any_size = tuple(tf.TensorSpec((None, *shape), dtype) for shape, dtype in self._kind)
        dataset = tf.data.Dataset.from_generator(current, output_signature=any_size)
        ahead = tf.data.Options()
        ahead.experimental_optimization.inject_prefetch = False
        ahead.autotune.enabled = False
        return iter(dataset.with_options(ahead))


def possible(model, x, y, sample_weight) -> bool:
    """Whether a model trains on batches of any size, of one array each, by a step that is compiled
    as Keras compiles it; XLA compiles one anew for each size in any case."""
    return (not model.run_eagerly and not model.jit_compile
            and not tf.config.functions_run_eagerly()
            and type(model).make_train_function is keras.Model.make_train_function
            and all(isinstance(each, np.ndarray) for each in (x, y))
            and (sample_weight is None or isinstance(sample_weight, np.ndarray))
            and isinstance(getattr(model, "input_shape", None), tuple)
            and model.input_shape[0] is None)
