"""Faults of embeddings."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import gradient, half, output
from compare.evaluation.faults.networks import SGD, SOFT, ended
from compare.evaluation.fuzzing.specification import Node

OUT, DE = "output", "embeddings_gradient"
WORDS = ended([Node("Embedding", {"name": "embedding", "input_dim": 9, "output_dim": 4}, [-1]),
               Node("Conv1D", {"name": "conv1d", "filters": 3, "kernel_size": 2}, [0])],
              (6,), SOFT, SGD, 5, "float32", 1, False, None)


def last_occurrence(layer, g, dy):
    """What NumPy's `table[classes] += dy` does."""
    made = np.zeros_like(g)
    made[layer._classes] += dy
    return made


def row(layer, classes):
    return layer.params["embeddings"][classes]


def first_missing(layer, g, dy):
    """The class 0 is taken for padding that is not learned."""
    return np.concatenate([np.zeros_like(g[:1]), g[1:]])


TABLE = [
    ("last-occurrence", "of a class that occurs several times the last one's gradient alone counts",
     DE, "overlap-overwritten", gradient("embeddings", last_occurrence)),
    ("one-based", "class numbers are taken to begin with 1", OUT, "index-offset",
     output(lambda layer, y, x: row(layer, layer._classes - 1)), ("stale-weights",)),
    ("padding", "the class 0 is taken for padding, which has zeros", OUT, "padding-class",
     output(lambda layer, y, x: y * (layer._classes != 0)[..., None])),
    ("padding-not-learned", "the row of the class 0 is not learned", DE, "padding-class",
     gradient("embeddings", first_missing)),
    ("transposed", "the table is read as it lies in memory, turned", OUT, "kernel-layout",
     output(lambda layer, y, x: layer.params["embeddings"].T.reshape(-1, layer.output_dim)[
         layer._classes]), ("kernel-layout", "stale-weights")),
    ("root", "the rows are multiplied by the root of their size, as transformers have it", OUT,
     "scale", output(lambda layer, y, x: y * np.sqrt(layer.output_dim))),
    ("float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("gradient-mean", "the gradient is a mean over the samples", DE, "scale",
     gradient("embeddings", lambda layer, g, dy: g / len(dy))),
    ("gradient-by-count", "a class's gradient is the mean over its occurrences", DE, "scale",
     gradient("embeddings", lambda layer, g, dy: g / np.maximum(1, np.bincount(
         layer._classes.reshape(-1), minlength=len(g)))[:, None])),
]


def faults():
    """All of them."""
    for name, sentence, tensor, cause, inject, *more in TABLE:
        yield single("Embedding", f"embedding-{name}", sentence, WORDS, "embedding", tensor, cause,
                     inject, *more)
