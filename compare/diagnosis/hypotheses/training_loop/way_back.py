"""Gradients that go back through weights which have made their step already."""

import functools
from collections.abc import Iterator

import numpy as np

from compare.diagnosis.hypotheses.training_loop.plan import Plan, Weights
from compare.diagnosis.training_run import TrainingRun, passed
from compare.oracle.expected import oracle_of
from compare.oracle.running_error import Bounded, Rounding
from scratch.several import each


def of_way_back() -> list[Plan]:
    return [Plan("update-before-gradient", said, functools.partial(_going_back, only_last=only))
            for said, only in (
                ("the gradient goes back through layers that have made their step", False),
                ("the gradient goes back through the last layer after its step", True))]


def _going_back(run: TrainingRun, only_last: bool) -> Iterator[Weights]:
    """Gradients that go back through weights which plain gradient descent has moved already."""
    settings = run.reference.compile_config["optimizer"]
    config = settings["config"]
    rate = config.get("learning_rate")
    if settings["class_name"] != "SGD" or config.get("momentum") or not isinstance(rate, float):
        raise ValueError("Expected plain gradient descent at one rate. Received: another")
    optimizer = run.optimizer()
    for step in run.steps:
        yield run.moved(optimizer, step.before,
                        passed(step.trace, UpdatedOnTheWay(step.trace, rate, only_last)))


class UpdatedOnTheWay:
    """Settles results of a pass as `along_the_graph` asks for: the input's gradient of each layer
    is computed anew with its weights after their step."""

    def __init__(self, trace, rate: float, only_last: bool) -> None:
        self.trace, self.rate = trace, rate
        self.known: dict[tuple, np.ndarray] = {}
        with_weights_ = [i for i, part in enumerate(trace.parts) if part.weights]
        self.moved = with_weights_[-1:] if only_last else with_weights_

    def __call__(self, key: tuple, result: Bounded) -> Bounded:
        i, name = key
        exact = Bounded(result.value, result.rounding)
        self.known[key] = exact.value
        if i not in self.moved or name != "input_gradient_0":
            return exact
        return self._again(i, exact.rounding)

    def _again(self, i: int, rounding: Rounding) -> Bounded:
        part = self.trace.parts[i]
        (source,) = self.trace.sources[i]
        x = each(self.trace.x)[-1 - source] if source < 0 else self.known[source, "output"]
        weights = {name: w - self.rate * self.known.get((i, f"{name}_gradient"), 0)
                   for name, w in part.weights.items()}
        oracle = oracle_of(self.trace, part)
        oracle.forward(Bounded(x, rounding), {n: Bounded(w, rounding) for n, w in weights.items()})
        dx, _ = oracle.backward(Bounded(self.known[i, "output_gradient"], rounding))
        return Bounded(dx.value, rounding)
