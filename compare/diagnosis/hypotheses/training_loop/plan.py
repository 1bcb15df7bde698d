"""A supposed mistake of a training loop: what it makes of each step."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from compare.diagnosis.training_run import Key, Made, TrainingRun

Weights = dict[Key, np.ndarray]


class Plan(NamedTuple):
    """What a loop may do in place of the right steps.

    Attributes:
        identifier: of the catalogue.
        said: what it does.
        steps: a function of a run that yields the weights after each step.
    """

    identifier: str
    said: str
    steps: Callable[[TrainingRun], Iterator[Weights]]


def by_other_gradients(identifier: str, said: str,
                       gradients: Callable[[TrainingRun, int], Made]) -> Plan:
    """One that makes each step as the optimizer does, but by other gradients.

    Args:
        gradients: of a run and the number of a step: what a pass is taken to have computed.
    """
    def steps(run: TrainingRun) -> Iterator[Weights]:
        optimizer = run.optimizer()
        for t, step in enumerate(run.steps):
            yield run.moved(optimizer, step.before, gradients(run, t))

    return Plan(identifier, said, steps)
