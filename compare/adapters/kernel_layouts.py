"""Kernels in the order of axes of somebody's own, and back in Keras's.

A layout is told in letters, one for each axis of Keras's kernel: "OIHW" says that the outputs come
first. Axes in brackets are one axis: "O(IHW)" is a matrix with a row for each output. A permutation
may stand in place of letters: own = keras_kernel.transpose(permutation).
"""

import re

import numpy as np

from scratch.layers import LAYERS, Conv2DTranspose, Dense, Layer
from scratch.layers.convolution import Convolution


def keras_order(class_name: str) -> str:
    """Keras's own order of a kernel's axes, '' for a layer without one.

    Of a depthwise kernel the multiplier is the O.
    """
    cls: type[Layer] = LAYERS.get(class_name, Layer)
    if issubclass(cls, Dense):
        return "IO"
    if not issubclass(cls, Convolution):
        return ""
    return "DHW"[-cls.rank:] + ("OI" if issubclass(cls, Conv2DTranspose) else "IO")


class Layout:
    """One order of axes, beside Keras's.

    Args:
        spec: letters such as 'OIHW' or 'O(IHW)', a permutation, or None for Keras's own order.
        class_name: of the layer, whose letters Keras's order is told in.

    Raises:
        ValueError: for letters or numbers that are no such order.
    """

    def __init__(self, spec, class_name: str):
        keras = keras_order(class_name)
        self.groups: list[int] | None = None  # how many of Keras's axes make one of the own
        if spec is None:
            self.axes: tuple[int, ...] | None = None
        elif isinstance(spec, str):
            parts = re.findall(r"\(\w+\)|\w", spec)
            letters = [part.strip("()") for part in parts]
            flat = "".join(letters)
            if "".join(parts) != spec or sorted(flat) != sorted(keras):
                raise ValueError(f"Expected kernel_layout to be the letters of {keras!r} in any "
                                 f"order, such as {keras[::-1]!r}, or a permutation. "
                                 f"Received: {spec!r}" if keras else
                                 f"Expected kernel_layout to be a permutation, as letters are not "
                                 f"agreed on for {class_name}. Received: {spec!r}")
            self.axes = tuple(keras.index(letter) for letter in flat)
            if any(len(part) > 1 for part in letters):
                self.groups = [len(part) for part in letters]
        else:
            self.axes = tuple(spec)
            if sorted(self.axes) != list(range(len(self.axes))):
                raise ValueError("Expected kernel_layout to be a permutation such as (3, 2, 0, 1). "
                                 f"Received: {spec!r}")

    def to_own(self, kernel: np.ndarray) -> np.ndarray:
        """Keras's kernel in the own order of axes."""
        if self.axes is None:
            return kernel
        if kernel.ndim != len(self.axes):
            raise ValueError(f"expected kernel_layout to permute {kernel.ndim} axes. "
                             f"Received: {self.axes}")
        moved = kernel.transpose(self.axes)
        return moved.reshape(self._merged(moved.shape))

    def to_keras(self, own: np.ndarray, shape: tuple) -> np.ndarray:
        """An array in the own order as Keras has it; as it came if it cannot be one.

        Args:
            shape: of Keras's kernel.
        """
        if self.axes is None:
            return own
        moved = tuple(shape[axis] for axis in self.axes)
        if squeezed(own.shape) in (squeezed(moved), squeezed(self._merged(moved))):
            own = own.reshape(moved)  # axes of length 1 that the object leaves out, or has besides
        if own.ndim != len(self.axes):
            return own
        return own.transpose(np.argsort(self.axes))

    def _merged(self, shape: tuple) -> tuple:
        if self.groups is None:
            return shape
        sizes, rest = [], list(shape)
        for count in self.groups:
            sizes.append(int(np.prod(rest[:count])))
            rest = rest[count:]
        return tuple(sizes)


def squeezed(shape) -> tuple:
    """A shape without its axes of length 1."""
    return tuple(n for n in shape if n != 1)
