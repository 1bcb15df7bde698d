"""Exact numbers that stay in the precision in which they are kept."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from compare.oracle.running_error import Bounded, Function, Rounding


class Held(Bounded):
    """A weight: exact, and widened to float64 each time it is read.

    The oracle of each layer holds its weights until the way back. Those of a whole network in
    float64 would take twice the memory of the network itself.
    """

    def __init__(self, kept: ArrayLike, rounding: Rounding) -> None:
        self.kept = np.asarray(kept)
        self.rounding = rounding
        self.error = None
        self._flushed = None
        self._is_flushed = not rounding.bounds

    @property
    def value(self) -> np.ndarray:  # type: ignore[override]  # an attribute of the base
        return np.asarray(self.kept, np.float64)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.kept.shape

    def reshape(self, *shape: Any) -> Bounded:
        return Held(self.kept.reshape(*shape), self.rounding)

    def rearranged(self, function: Function) -> Bounded:
        return Held(function(self.kept), self.rounding)
