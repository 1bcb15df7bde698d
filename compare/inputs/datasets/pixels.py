"""Turns image bytes into centred floats, only for the rows that are asked for.

60,000 images are 47 MB as bytes and 376 MB as float64. So the bytes stay bytes, and each batch is
looked up in a table of 256 floats, one for each value a byte can have. A table also settles the
rounding once: whoever uses the same 256 numbers gets the same bits, in any framework.
"""

import numpy as np


def pixel_table(scale: int, dtype) -> np.ndarray:
    """The float for each byte: `arange(256) / scale - 0.5`, computed in `dtype` itself.

    So it equals, bit for bit, `x.astype(dtype) / scale - 0.5` on the images.

    Args:
        scale: the byte that stands for white and becomes +0.5; 0 becomes -0.5.
        dtype: a float dtype or its name.

    Returns:
        An array of shape (256,).

    Raises:
        ValueError: if `dtype` is not a NumPy float dtype.
    """
    try:
        float_dtype = np.dtype(dtype)
    except TypeError:
        float_dtype = None
    # None has to be refused by hand: to NumPy it means float64.
    if dtype is None or float_dtype is None or float_dtype.kind != "f":
        raise ValueError(
            "Pixels are turned into floats. Expected: a NumPy float dtype, such as 'float32'. "
            f"Received: dtype={dtype!r}."
        )
    return np.arange(256, dtype=float_dtype) / float_dtype.type(scale) - float_dtype.type(0.5)


class Pixels:
    """A read-only array of floats that is computed where it is indexed.

    Index it as a NumPy array (an int, a slice, an array of indices, a mask): the answer is a new
    array. `pixels[:]`, or `np.asarray(pixels)`, computes everything.

    Args:
        images: uint8 array of any shape, usually (N, H, W, 1).
        table: float array of shape (256,), as from `pixel_table`.

    Raises:
        TypeError: if `images` is not an array of uint8.
    """

    def __init__(self, images: np.ndarray, table: np.ndarray):
        received = getattr(images, "dtype", type(images).__name__)
        if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
            raise TypeError(f"Expected: images as an array of uint8. Received: {received}.")
        self._images = images
        self._table = table

    @property
    def shape(self) -> tuple[int, ...]:
        return self._images.shape

    @property
    def ndim(self) -> int:
        return self._images.ndim

    @property
    def dtype(self) -> np.dtype:
        return self._table.dtype

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index):
        # (n, H, W, 1) bytes -> (n, H, W, 1) floats
        return self._table[self._images[index]]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        if copy is False:
            raise ValueError("Pixels are computed when asked for. Expected: copy=True or None.")
        return self[...] if dtype is None else self[...].astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"Pixels(shape={self.shape}, dtype={self.dtype})"
