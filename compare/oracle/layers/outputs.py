"""The oracle of what takes one output of a layer out of all of them."""

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded


@judges("OneOutput")
class OneOutput(Oracle):
    """Some columns of a matrix, as they are or as a sequence of rows; to the others no gradient
    goes."""

    operation = "one of several outputs"

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.shape, start, units = x.shape, self.config["start"], self.config["units"]
        if self.config.get("share") is None:
            self.own = slice(start, start + units)
        else:
            place, count = self.config["share"]
            size = (x.shape[1] - start) // count
            self.own = slice(start + place * size, start + (place + 1) * size)
        y = x.rearranged(lambda a: a[:, self.own])
        sequence = self.config.get("return_sequences")
        return y.reshape(x.shape[0], -1, units) if sequence else y

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        def placed(a: np.ndarray) -> np.ndarray:
            dx = np.zeros(self.shape)
            dx[:, self.own] = a.reshape(len(a), -1)
            return dx

        return dy.rearranged(placed), {}
