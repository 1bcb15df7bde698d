"""Some training steps of the candidate, and where each should have led, by the oracles.

A step goes from the weights that the candidate had before it, so that each is judged by itself. A
supposed mistake is a plan: what each step makes of weights, batch and gradients. It explains the
run if every weight after every step lies where the plan says, as far as rounding may lead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compare.checks import training_batches
from compare.checks.training_batches import Batch
from compare.checks.training_trajectory import (
    allowance,
    apart,
    trace_of_step,
    train_candidate,
    with_fresh_optimizer,
)
from compare.oracle.expected import optimizer_of
from compare.oracle.network import along_the_graph
from compare.oracle.optimizers import Optimizer
from compare.oracle.running_error import Bounded, Rounding
from compare.oracle.sampled_rounding import SampledSteps, norm
from compare.tracing.trace import Trace

STEPS = 5
ROOM = 4.0  # times what rounding is sampled to do: a mistaken step rounds in its own way
ROUNDINGS = 16  # of a weight that a mistake made so large that its own rounding counts
SHARE = 0.02  # of the whole difference, what may remain

Key = tuple[str, str]  # layer and name of a weight
Made = dict[Key, Bounded]  # what a pass computes; see `along_the_graph`


@dataclass
class Step:
    """One step of the candidate.

    Attributes:
        trace: its weights before, its batch and its noise.
        after: its weights after it.
        right: where it should have led.
        allowed: how far rounding may lead from there, in the 2-norm.
        loss: what the candidate said of it.
    """

    trace: Trace
    after: dict[Key, np.ndarray]
    right: dict[Key, np.ndarray]
    allowed: dict[Key, float]
    loss: float

    @property
    def batch(self) -> Batch:
        assert self.trace.y is not None  # as it was trained
        return Batch(self.trace.x, self.trace.y, self.trace.sample_weight)

    @property
    def holds(self) -> bool:
        """Whether it led where it should have."""
        return all(apart(self.after[key], self.after[key], right) <= self.allowed[key]
                   for key, right in self.right.items())

    @property
    def before(self) -> dict[Key, np.ndarray]:
        return {(part.layer, name): weight for part in self.trace.parts
                for name, weight in part.weights.items()}


class TrainingRun:
    """The candidate trained for some steps.

    Args:
        model: the candidate, compiled.
        reference: a trace of the reference, whose settings count.

    Attributes:
        steps: those that were made.
        trained: the weights that the optimizer moves.

    Raises:
        LayerError: if the candidate raises.
    """

    def __init__(self, model: Any, reference: Trace, steps: int = STEPS) -> None:
        model = with_fresh_optimizer(model)
        sampled = SampledSteps(reference, 0)
        self.reference, self.dtype = reference, np.dtype(reference.dtype)
        self.trained: list[Key] = sampled.trained
        self.steps: list[Step] = []
        self._made: dict[tuple, Made] = {}
        for batch in training_batches.drawn(reference.x, reference.y, reference.sample_weight,
                                            steps, 0):
            before = [np.array(w) for w in model.get_weights()]
            loss, noise, slack = train_candidate(model, reference, batch)
            trace = trace_of_step(reference, before, batch, noise)
            exact = sampled.step(trace, slack)
            weights = [key for key in exact.exact if key != ("loss", "value")]
            after = dict(zip(weights, (np.array(w) for w in model.get_weights())))
            if exact.overflows or not all(np.isfinite(w).all() for w in after.values()):
                break
            right = {key: exact.exact[key].value for key in after}
            allowed = {key: allowance(exact.spread[key], norm(exact.exact[key].bound))
                       for key in after}
            self.steps.append(Step(trace, after, right, allowed, float(loss)))

    def optimizer(self) -> Optimizer:
        """What each step is made by, by the oracle, with no past."""
        return optimizer_of(self.reference)

    def made(self, number: int, batch: Batch | None = None, name: Any = None) -> Made:
        """What a pass with the weights before a step computes.

        Args:
            batch: another one than the step's own, called `name`, by which it is remembered.
        """
        key = (number, name)
        if key not in self._made:
            trace = self.steps[number].trace
            self._made[key] = passed(trace if batch is None else with_batch(trace, batch))
        return self._made[key]

    def moved(self, optimizer: Optimizer, before: dict[Key, np.ndarray], made: Made,
              times: int = 1) -> dict[Key, np.ndarray]:
        """The weights after so many steps of the optimizer by what a pass computed."""
        rounding = Rounding.of(self.dtype)
        after = dict(before)
        after.update({key: made[key].value for key in before if key in made})
        if self.trained:
            gradients = [made[layer, f"{name}_gradient"] for layer, name in self.trained]
            weights = [Bounded(after[key], rounding) for key in self.trained]
            for _ in range(times):
                weights = optimizer.step(weights, gradients)
            after.update(zip(self.trained, (weight.value for weight in weights)))
        return after

    def explained(self, plan: Callable[["TrainingRun"], Iterator[dict[Key, np.ndarray]]]) -> bool:
        """Whether every step led where the plan says; it yields the weights after each."""
        remaining = whole = 0.0
        for step, said in zip(self.steps, plan(self)):
            for key, right in step.right.items():
                size = norm(right) or 1.0
                off = apart(step.after[key], step.after[key], said[key])
                rounding = ROUNDINGS * Rounding.of(self.dtype).unit * norm(said[key])
                if not off <= ROOM * max(step.allowed[key], rounding):
                    return False
                remaining += off / size
                whole += apart(step.after[key], step.after[key], right) / size
        return remaining < SHARE * whole


def with_batch(trace: Trace, batch: Batch) -> Trace:
    weight = batch.sample_weight
    return replace(trace, x=np.asarray(batch.x, trace.dtype), y=batch.y,
                   sample_weight=None if weight is None else np.asarray(weight, trace.dtype))


def with_weights(trace: Trace, weights: dict[Key, np.ndarray]) -> Trace:
    parts = [replace(part, weights={name: weights[part.layer, name] for name in part.weights})
             for part in trace.parts]
    return replace(trace, parts=parts)


def passed(trace: Trace, settled: Callable | None = None) -> Made:
    """Every tensor of a pass, each taken to be exact."""
    rounding = replace(Rounding.of(trace.dtype), bounds=False)
    return along_the_graph(trace, settled or _exactly, rounding)


def _exactly(key: tuple, result: Bounded) -> Bounded:
    return Bounded(result.value, result.rounding)


def gradients_of(made: Made, change: Callable[[Key, Bounded], Bounded]) -> Made:
    """The same with every weight's gradient changed."""
    return {key: change(key, value) if key[0] != "network" and key[1].endswith("_gradient")
            else value for key, value in made.items()}
