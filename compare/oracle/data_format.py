"""How Keras's arrays lie: channels first or last, sequences, images or volumes.

Here: (N, H, W, C) for the first two, (N, D, H, W, C) for volumes, always.
"""

from collections.abc import Sequence

import numpy as np

from compare.oracle.running_error import Bounded


class Layout:
    """Turns a layer's arrays into images (N, H, W, C) and back; a sequence is one pixel wide.

    Volumes stay what they are: wherever images are spoken of, they have an axis more.

    Args:
        rank: spatial axes, 3 for volumes, 2 for images, 1 for sequences.
        data_format: 'channels_last' or 'channels_first'.
    """

    def __init__(self, rank: int, data_format: str | None = "channels_last") -> None:
        self.rank, self.first = rank, data_format == "channels_first"

    def image(self, array: np.ndarray) -> np.ndarray:
        """An input or an output as (N, H, W, C)."""
        array = np.moveaxis(array, 1, -1) if self.first else array
        return array if self.rank > 1 else array[:, :, None]

    def given(self, image: np.ndarray) -> np.ndarray:
        """The other way round."""
        array = image if self.rank > 1 else image[:, :, 0]
        return np.moveaxis(array, -1, 1) if self.first else array

    def image_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """An input's or output's shape as (N, H, W, C)."""
        shape = (shape[0], *shape[2:], shape[1]) if self.first else tuple(shape)
        return shape if self.rank > 1 else (*shape[:2], 1, shape[2])

    def per_axis(self, value: Sequence[int]) -> tuple[int, ...]:
        """An argument of one number per spatial axis as (rows, columns)."""
        return tuple(value) if self.rank > 1 else (value[0], 1)

    def kernel(self, array: np.ndarray) -> np.ndarray:
        """A kernel as (kh, kw, ., .)."""
        return array if self.rank > 1 else array[:, None]

    def given_kernel(self, kernel: np.ndarray) -> np.ndarray:
        """The other way round."""
        return kernel if self.rank > 1 else kernel[:, 0]

    def beside_channels(self, bias: Bounded | None) -> Bounded | None:
        """A bias (F,) in a shape that adds to the layer's output."""
        if bias is None or not self.first:
            return bias
        return bias.reshape(-1, *(1,) * self.rank)

    def sum_per_channel(self, dy: Bounded) -> Bounded:
        """The sum over all axes but the channels': (F,)."""
        last = self.rank + 1
        return dy.sum(axis=(0, *range(2, last + 1)) if self.first else tuple(range(last)))
