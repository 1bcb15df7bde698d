"""The oracle of a layer that is run on every step of a sequence."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.making import oracle_for
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config


def inside(entry: Config) -> Oracle:
    """The oracle of a layer that an argument of another layer's config describes."""
    return oracle_for(entry["class_name"], entry["config"], "whole")


@judges("TimeDistributed")
class TimeDistributed(Oracle):
    """Steps are samples of the layer inside; the gradients of its weights are summed over both."""

    operation = "a layer on every step"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.inner = inside(config["layer"])
        self.exact, self.factors = self.inner.exact, self.inner.factors
        self.divisors, self.ties = self.inner.divisors, self.inner.ties

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.inner.training = self.training
        self.first = x.shape[:2]
        if "noise" in weights:  # of the samples inside, which are steps
            weights = weights | {"noise": weights["noise"].rearranged(
                lambda a: np.broadcast_to(a, (*self.first, *a.shape[2:])).reshape(
                    -1, *a.shape[2:]))}
        y = self.inner.forward(x.reshape(-1, *x.shape[2:]), weights)
        return y.reshape(*self.first, *y.shape[1:])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dx, gradients = self.inner.backward(dy.reshape(-1, *dy.shape[2:]))
        return dx.reshape(*self.first, *dx.shape[1:]), gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        samples = input_shape[0] * input_shape[1]
        return self.inner.reductions((samples, *input_shape[2:]), (samples, *output_shape[2:]))
