"""The oracle of a layer that is run on every step of a sequence."""

from typing import Any

import numpy as np

from compare.oracle.base import Oracle, judges
from compare.oracle.making import oracle_for
from compare.oracle.recurrence import beside
from compare.oracle.regularization import total
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

PLAIN = (None, "linear")


def inside(entry: Config) -> Oracle:
    """The oracle of a layer that an argument of another layer's config describes."""
    config = entry["config"]
    return oracle_for(entry["class_name"], config,
                      "" if config.get("activation") in PLAIN else "whole")


@judges("TimeDistributed")
class TimeDistributed(Oracle):
    """Steps are samples of the layer inside; the gradients of its weights are summed over both.

    In training a batch normalization inside takes each step for a batch, one after the other.
    """

    operation = "a layer on every step"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.inner = inside(config["layer"])
        self.exact, self.factors = self.inner.exact, self.inner.factors
        self.divisors, self.ties = self.inner.divisors, self.inner.ties
        self.merges, self.mixes_samples = self.inner.merges, self.inner.mixes_samples

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        inputs = x if isinstance(x, list) else [x]
        self.first, self.several = inputs[0].shape[:2], isinstance(x, list)
        self.steps: list[Oracle] = []
        if self.mixes_samples and self.training:
            return self._step_after_step(inputs, weights)
        self.inner.training = self.training
        if "noise" in weights:  # of the samples inside, which are steps
            weights = weights | {"noise": weights["noise"].rearranged(
                lambda a: np.broadcast_to(a, (*self.first, *a.shape[2:])).reshape(
                    -1, *a.shape[2:]))}
        y = self.inner.forward(self._given([each.reshape(-1, *each.shape[2:])
                                            for each in inputs]), weights)
        return y.reshape(*self.first, *y.shape[1:])

    def _given(self, inputs: list[Bounded]) -> Any:
        return inputs if self.several else inputs[0]

    def _step_after_step(self, inputs: list[Bounded], weights: dict[str, Bounded]) -> Bounded:
        """Each step with the moving averages that the one before it has left."""
        made, self.updated = [], {}
        for t in range(self.first[1]):
            oracle = inside(self.config["layer"])
            made.append(oracle.forward(self._given([_step(each, t) for each in inputs]),
                                       weights | self.updated))
            self.updated = oracle.updated
            self.steps.append(oracle)
        return beside([y.reshape(y.shape[0], 1, *y.shape[1:]) for y in made], axis=1)

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        if self.steps:
            found = [oracle.backward(_step(dy, t)) for t, oracle in enumerate(self.steps)]
            gradients = {name: total([each[name] for _, each in found]) for name in found[0][1]}
            return beside([dx.reshape(dx.shape[0], 1, *dx.shape[1:]) for dx, _ in found],
                          axis=1), gradients
        dx, gradients = self.inner.backward(dy.reshape(-1, *dy.shape[2:]))
        apart = [each.reshape(*self.first, *each.shape[1:])
                 for each in (dx if self.several else [dx])]
        return self._given(apart), gradients

    def admitted(self, x: np.ndarray) -> np.ndarray:
        return self.inner.admitted(x.reshape(-1, *x.shape[2:])).reshape(x.shape)

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        made = self.inner.admitted_inputs(tuple(each.reshape(-1, *each.shape[2:]) for each in x))
        return tuple(each.reshape(own.shape) for each, own in zip(made, x))

    def admitted_weights(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return self.inner.admitted_weights(weights)

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        several = isinstance(input_shape, list)
        inner = [(shape[0] * shape[1], *shape[2:])
                 for shape in (input_shape if several else [input_shape])]
        made = (output_shape[0] * output_shape[1], *output_shape[2:])
        return self.inner.reductions(inner if several else inner[0], made)


def _step(sequence: Bounded, t: int) -> Bounded:
    return sequence.rearranged(lambda a: np.ascontiguousarray(a[:, t]))
