"""What stands in for an oracle where a layer has none: the layer itself in float64, and trials.

Nothing is proved. How far rounding may lead is tried out: the layer is run in float64 on inputs,
weights and gradients that are moved at random by as much as rounding may have moved them, and once
in the audited precision. `SAFETY` times what these results spread is allowed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.oracle.base import Oracle
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

# (x, dy, weights, training) -> (output, dx, weight gradients, weights that the pass itself
# changes), in the precision of what goes in
Run = Callable[[Any, np.ndarray | None, dict[str, np.ndarray], bool], tuple[Any, ...]]
TRIALS = 6
SAFETY = 8  # roundings inside the layer that a trial of its inputs does not show
CARRIED = 4  # by so much less is moved what errors came in with, which SAFETY is not about


class Perturbed(Oracle):
    """A layer that only the reference has.

    Args:
        config: the layer's.
        exact: runs it in float64.
        rounded: runs it in the audited precision; None where that cannot be.
    """

    exact = False
    proved = False

    def __init__(self, config: Config, in_float64: Run, rounded: Run | None = None) -> None:
        super().__init__(config)
        self.run, self.rounded = in_float64, rounded

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        self.merges = isinstance(x, list)
        self.x = list(x) if isinstance(x, list) else [x]
        self.weights = weights
        y, *moved = self._results(None)
        self.updated = dict(zip(self.moved, moved))
        return y

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        _, *rest = self._results(dy)
        names = self.names
        sent = rest[:len(self.x)]
        return (sent if self.merges else sent[0]), dict(zip(names, rest[len(self.x):]))

    def _results(self, dy: Bounded | None) -> list[Bounded]:
        """The output and the weights that the pass changes; with dy the output and the gradients of
        the inputs and of the weights."""
        rounding = self.x[0].rounding
        given = [*self.x, *self.weights.values(), *([] if dy is None else [dy])]
        right = self._run(self.run, [each.value for each in given], dy is not None)
        if not rounding.bounds:
            return [Bounded(value, rounding) for value in right]
        rng = np.random.default_rng(0)
        trials = [self._run(self.run, [_moved(each, rng) for each in given], dy is not None)
                  for _ in range(TRIALS)]
        dtype = np.float32 if rounding.unit > 2.0**-40 else np.float64
        if self.rounded is not None:
            trials.append(self._run(self.rounded, [each.value.astype(dtype) for each in given],
                                    dy is not None))
        return [Bounded(value, rounding, SAFETY * (_spread(value, [trial[i] for trial in trials])
                                                   + rounding.unit * np.abs(value))
                        + rounding.tiny)
                for i, value in enumerate(right)]

    def _run(self, run: Run, arrays: list[np.ndarray], backward: bool) -> list[np.ndarray]:
        """All results of one run, in order."""
        inputs, rest = arrays[:len(self.x)], arrays[len(self.x):]
        weights = dict(zip(self.weights, rest))
        y, dx, gradients, moved = run(tuple(inputs) if self.merges else inputs[0],
                                      rest[-1] if backward else None, weights, self.training)
        if not backward:
            self.moved = list(moved)
            return [np.asarray(each, np.float64) for each in (y, *moved.values())]
        self.names = [name for name, gradient in gradients.items() if gradient is not None]
        sent = [np.zeros(x.shape) if d is None else d
                for d, x in zip(dx if isinstance(dx, tuple) else (dx,), inputs)]
        return [np.asarray(each, np.float64)
                for each in (y, *sent, *(gradients[name] for name in self.names))]


def _moved(given: Bounded, rng: np.random.Generator) -> np.ndarray:
    """Numbers moved by one rounding and part of their error, each in a direction of its own."""
    most = given.bound / CARRIED + given.rounding.unit * np.abs(given.value)
    return np.asarray(given.value + rng.choice([-1.0, 1.0], given.shape) * most)


def _spread(right: np.ndarray, trials: list[np.ndarray]) -> np.ndarray:
    """How far trials lie from the right result: the farthest of each element's, and the mean of
    all, as a few trials may happen to cancel in one."""
    away = np.abs(np.array(trials) - right)
    away = np.where(np.isnan(away), np.inf, away)
    common = float(np.sqrt(np.mean(np.square(away)))) if away.size else 0.0
    return np.asarray(away.max(axis=0) + common)
