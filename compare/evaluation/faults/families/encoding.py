"""Faults of classes as zeros and ones, and of the bins into which numbers fall."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import output
from compare.evaluation.faults.networks import SGD, SOFT, ended
from compare.evaluation.fuzzing.specification import Node

OUT = "output"
EDGES = [-2.0, 0.0, 1.5]


def first(class_name: str, name: str, shape=(6,), **arguments):
    """The layer at the beginning of a network, with a dense layer behind it."""
    return ended([Node(class_name, {"name": name, **arguments}, [-1])],
                 shape, SOFT, SGD, 5, "float32", 1, False, None)


def categories(mode: str):
    return first("CategoryEncoding", "category_encoding", num_tokens=5, output_mode=mode)


def bins(mode: str):
    return first("Discretization", "discretization", bin_boundaries=EDGES, output_mode=mode)


def below(layer, y, x):
    """A boundary belongs to the bin below it."""
    edges = np.asarray(layer.bin_boundaries, x.dtype)
    found = np.searchsorted(edges, x, side="left")
    return found.astype(x.dtype) if layer.output_mode == "int" else layer.encoded(found)


def fewer(layer, y, x):
    """The first boundary is left out."""
    return np.searchsorted(np.asarray(layer.bin_boundaries[1:], x.dtype), x,
                           side="right").astype(x.dtype)


def as_mode(mode: str):
    """Joins a sample's places in another way."""
    def change(layer, y, x):
        ones = (np.trunc(x)[..., None] == np.arange(layer.depth)).astype(x.dtype)
        return ones.max(axis=1) if mode == "multi_hot" else ones.sum(axis=1)
    return output(change)


def shifted(layer, y, x):
    return layer.encoded(x.astype(np.int64) - 1)


TABLE = [
    ("CategoryEncoding", "counted", "classes are counted where they are to be marked",
     categories("multi_hot"), "encoding", as_mode("count")),
    ("CategoryEncoding", "marked", "classes are marked where they are to be counted",
     categories("count"), "encoding", as_mode("multi_hot")),
    ("CategoryEncoding", "one-based", "classes are taken to begin with 1", categories("one_hot"),
     "index-offset", output(shifted)),
    ("CategoryEncoding", "mean", "counts are divided by the number of places",
     categories("count"), "scale", output(lambda layer, y, x: y / x.shape[1])),
    ("Discretization", "closed-above", "a boundary belongs to the bin below it", bins("int"),
     "bin-edges", output(below)),
    ("Discretization", "closed-above-encoded", "the same, with the bins as rows", bins("one_hot"),
     "bin-edges", output(below)),
    ("Discretization", "first-left-out", "the first boundary is left out", bins("int"),
     "bin-edges", output(fewer)),
    ("Discretization", "one-based", "bins are counted from 1", bins("int"), "index-offset",
     output(lambda layer, y, x: y + 1)),
]


def faults():
    """All of them."""
    for class_name, name, sentence, network, cause, inject in TABLE:
        layer = network.nodes[0].arguments["name"]
        yield single(class_name, f"{layer.replace('_', '-')}-{name}", sentence, network, layer,
                     OUT, cause, inject)
