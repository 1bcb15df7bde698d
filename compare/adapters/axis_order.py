"""What crosses the border of somebody's layer, turned from Keras's conventions to theirs and back.

Keras has the batch first and, unless it says otherwise, channels last. Somebody's layer may have
channels first, the batch last (a column for each sample), one sample at a time, or numbers that
were flattened channel by channel.
"""

import numpy as np


class AxisOrder:
    """One side of a layer, its input or its output.

    Args:
        moved: whether the channels lie at the other end than in Keras's layer.
        channels_first: whether Keras's layer has them first.
        flattened: (H, W, C) or (L, C), if the numbers are those of such images, flattened channel
            by channel, where Keras has them pixel by pixel; else None.
        batch_axis: 0, or -1 for a column for each sample.
    """

    def __init__(self, moved=False, channels_first=False, flattened=None, batch_axis=0):
        self.moved, self.channels_first = moved, channels_first
        self.flattened, self.batch_axis = flattened, batch_axis

    def to_own(self, array: np.ndarray) -> np.ndarray:
        """From Keras's conventions; a view of the same numbers where that can be had."""
        if self.flattened is not None:
            images = array.reshape(-1, *self.flattened)  # (N, H, W, C)
            array = np.moveaxis(images, -1, 1).reshape(len(array), -1)  # (N, C * H * W)
        elif self.moved and array.ndim > 2:
            array = np.moveaxis(array, 1, -1) if self.channels_first else np.moveaxis(array, -1, 1)
        return array if self.batch_axis == 0 else np.moveaxis(array, 0, -1)

    def to_keras(self, array: np.ndarray) -> np.ndarray:
        """Back again."""
        if self.batch_axis != 0:
            array = np.moveaxis(array, -1, 0)
        if self.flattened is not None:
            *sizes, channels = self.flattened
            images = array.reshape(-1, channels, *sizes)  # (N, C, H, W)
            return np.moveaxis(images, 1, -1).reshape(len(array), -1)  # (N, H * W * C)
        if self.moved and array.ndim > 2:
            return np.moveaxis(array, -1, 1) if self.channels_first else np.moveaxis(array, 1, -1)
        return array

    def own_shape(self, shape: tuple) -> tuple:
        """The shape that an array of Keras's `shape` has on the other side."""
        return self.to_own(np.broadcast_to(np.float32(0), shape)).shape


def boundaries(how, layer) -> tuple[AxisOrder, AxisOrder]:
    """(of the input, of the output) of a built layer that is to stand for Keras's.

    Args:
        how: the object's `Conventions`.
    """
    theirs = getattr(layer, "data_format", None) or "channels_last"
    moved = (how.data_format or theirs) != theirs
    common = {"channels_first": theirs == "channels_first", "batch_axis": how.batch_axis}
    source = AxisOrder(moved, **common)
    order = how.flatten_order or ("CHW" if moved else "HWC")
    shape = layer.input_shape
    if order == "CHW" and _flattens(layer) and len(shape) > 2 and theirs == "channels_last":
        return source, AxisOrder(flattened=shape[1:], batch_axis=how.batch_axis)
    return source, AxisOrder(moved, **common)


def _flattens(layer) -> bool:
    return any(cls.__name__ == "Flatten" for cls in type(layer).__mro__)
