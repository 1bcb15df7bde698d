"""The oracle of masking: steps of one number alone become zeros."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.running_error import Bounded


@judges("Masking")
class Masking(Oracle):
    """Steps with another number than `mask_value` stay, others become zeros."""

    operation = "zeros for masked steps"
    exact = True
    factors = 1

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        mask = x.rounding.nearest(self.config.get("mask_value", 0.0))
        self.counts = (x.value != mask).any(axis=-1, keepdims=True)
        return x.where(np.broadcast_to(self.counts, x.shape))

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        return dy.where(np.broadcast_to(self.counts, dy.shape)), {}

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return {"output": 1, "input_gradient": 1}
