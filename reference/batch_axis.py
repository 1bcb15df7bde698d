"""Shapes that custom layers ask for by the size of the batch, which a symbol has as None."""

import contextlib
import math
from collections.abc import Iterator

from reference.quiet import keras


@contextlib.contextmanager
def kept_by_reshapes() -> Iterator[None]:
    """Within the block keras.ops.reshape takes None, what keras.ops.shape gives for the size of the
    batch, for that size: (None, 6, 4) means (-1, 6, 4).

    Of (None, -1, 4) the second is worked out of the sizes of a sample, if they are known.
    """
    own = keras.ops.reshape

    def reshape(x, newshape):
        if isinstance(x, keras.KerasTensor) and isinstance(newshape, (tuple, list)):
            newshape = _with_batch(tuple(x.shape), tuple(newshape))
        return own(x, newshape)

    keras.ops.reshape = reshape
    try:
        yield
    finally:
        keras.ops.reshape = own


def _with_batch(shape: tuple, asked: tuple) -> tuple:
    """What is asked for with -1 in the place of None, if one can be told."""
    if not shape or shape[0] is not None or asked.count(None) != 1:
        return asked
    if -1 in asked:
        if None in shape[1:]:
            return asked
        known = math.prod(size for size in asked if size not in (None, -1))
        sizes = math.prod(shape[1:])
        if known < 1 or sizes % known:
            return asked
        asked = tuple(sizes // known if size == -1 else size for size in asked)
    return tuple(-1 if size is None else size for size in asked)
