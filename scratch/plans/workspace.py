"""Memory for what is needed only within one call of one layer: the same for all of them."""

import math

import numpy as np


class Workspace:
    """Hands out arrays in one and the same memory."""

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def array(self, shape: tuple, dtype) -> np.ndarray:
        """An array with any numbers in it, which the next call of a layer may overwrite."""
        needed = math.prod(shape) * np.dtype(dtype).itemsize
        if needed > self._memory.size:
            self._memory = np.empty(needed, np.uint8)
        return np.ndarray(shape, dtype, self._memory)
