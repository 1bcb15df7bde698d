"""Arrays of a trace that nobody reads until a row fails, kept in a file meanwhile.

Once each layer is judged, the gradients of its weights and the weights after the step are asked for
by the diagnosis alone. Of a network with hundreds of millions of weights they take gigabytes.
"""

import tempfile
from collections.abc import Iterable

import numpy as np

from compare.tracing.types import Weights

LARGE = 64 * 2**20  # bytes of all arrays together, below which they may as well stay
SMALL = 2**16  # bytes of one, below which it stays in any case


def set_aside(kept: Iterable[Weights]) -> None:
    """Move the arrays of these dictionaries into a file that vanishes with them, and map it: they
    are read from there when they are asked for. If they are few, or there is no room for a file,
    they stay where they are."""
    kept = list(kept)
    if sum(array.nbytes for weights in kept for array in weights.values()) < LARGE:
        return
    try:
        for weights in kept:
            for name, array in weights.items():
                weights[name] = _in_a_file(array)
    except OSError:  # a full disk: what is not moved stays
        pass


def _in_a_file(array: np.ndarray) -> np.ndarray:
    """The same numbers in the same order in memory, in a file without a name."""
    if array.nbytes < SMALL or not array.size or isinstance(array.base, np.memmap):
        return array
    order = sorted(range(array.ndim), key=lambda axis: (-array.strides[axis], axis))
    with tempfile.TemporaryFile() as file:
        np.ascontiguousarray(array.transpose(order)).tofile(file)
        mapped = np.memmap(file, array.dtype, "r", shape=tuple(array.shape[axis] for axis in order))
    return np.asarray(mapped.transpose(np.argsort(order)))
