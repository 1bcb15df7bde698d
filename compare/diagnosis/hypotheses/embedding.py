"""Mistakes of a look-up of class numbers in a table."""

import numpy as np

from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.embedding import Embedding
from compare.oracle.running_error import Bounded


def of_embedding(c) -> list[Variant]:
    """Another row, a class that is taken for padding, or occurrences that do not add up."""
    if not isinstance(c.layer, Embedding):
        return []
    found = [inside("index-offset", f"class {first} is taken for the first row",
                    lambda c, first=first: c.changed(x=np.trunc(c.x) - first))
             for first in (1, -1)]
    if c.tensor == "output":
        found += [inside("padding-class", "class 0 gets zeros", lambda c: c.weighing(
            embeddings=_first_row_zero(c.weights["embeddings"]))),
            inside("kernel-layout", "the table is read as it lies in memory, turned",
                   lambda c: c.weighing(embeddings=np.reshape(
                       np.transpose(c.weights["embeddings"]), np.shape(c.weights["embeddings"]))))]
    if c.tensor == "embeddings_gradient":
        found += [inside("padding-class", "class 0 is not learned",
                         lambda c: c.moved(_first_row_zero)),
                  inside("overlap-overwritten", "of a class that occurs several times one place's "
                         "gradient alone counts", lambda c: c.changed(own=_last_place)),
                  inside("scale", "each class's is divided by how often it occurs", lambda c:
                         c.then(lambda g: _by_count(g, _classes(c))))]
    return found


def _first_row_zero(table: np.ndarray) -> np.ndarray:
    left = np.array(table)
    left[0] = 0
    return left


def _classes(c) -> np.ndarray:
    """Of all places, in one row."""
    return np.trunc(np.asarray(c.x, np.float64)).astype(np.int64).reshape(-1) % len(
        c.weights["embeddings"])


def _last_place(c) -> Bounded:
    dy = c.exact(c.dy)
    rows = dy.reshape(-1, dy.shape[-1])
    made, error = np.zeros((2, *np.shape(c.weights["embeddings"])))
    made[_classes(c)], error[_classes(c)] = rows.value, rows.bound
    return Bounded(made, c.rounding, error)


def _by_count(g: Bounded, classes: np.ndarray) -> Bounded:
    times = np.maximum(1, np.bincount(classes, minlength=g.shape[0]))[:, None]
    return g / Bounded(times.astype(np.float64), g.rounding)
