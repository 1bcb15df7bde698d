"""What rounding may do to a training step, sampled: Monte Carlo arithmetic with proved sizes.

A bound carried through a whole network adds up the worst of every layer, as if all conspired, and
soon says nothing; an optimizer such as Adam, which divides a gradient by its own size, makes a full
step of a gradient that is rounding alone. So the step is taken several times instead. Each time
every result on the way is moved within the bound that is proved for it by itself, as some right
implementation might have rounded it, and the next layer goes on from there. How far the weights
come to lie from those of the exact step is what rounding makes of it: kinks that it crosses,
saturated activations and differences of nearly equal numbers included.

Every other sample moves each number by itself; the others all numbers of a tensor to one side, as a
library does whose function is always a little too large. (D. S. Parker, Monte Carlo Arithmetic,
1997; J. Vignes, A stochastic arithmetic for reliable scientific computation, 1993.)
"""

from dataclasses import replace
from typing import Any

import numpy as np

from compare.oracle.expected import learned, optimizer_of
from compare.oracle.network import along_the_graph, mean_over_batches
from compare.oracle.optimizers import Optimizer
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.shared_weights import held_once
from compare.tracing.trace import Trace
from scratch.several import each

SAMPLES = 1  # of each step
MORE_SAMPLES = 16  # besides, where that explains too little


Slack = dict[tuple[str, str], np.ndarray]  # by layer and name


class SampledSteps:
    """The exact steps of an optimizer from given weights, one after another, and how they scatter.

    Args:
        trace: of the network, whose settings count.
        seed: of the samples.
    """

    def __init__(self, trace: Trace, seed: int) -> None:
        self.seed = seed
        self.trace = trace
        self.trained = [(trace.parts[i].layer, name) for i, name in learned(trace)]
        self.exact = optimizer_of(trace)
        self.samples = [self._of_a_sample() for _ in range(SAMPLES)]
        self.past: list[tuple[Trace, Slack]] = []  # what a step is made from takes little memory

    def _of_a_sample(self) -> Optimizer:
        """An optimizer that remembers nothing yet, of whose steps the values alone count."""
        made = optimizer_of(self.trace)
        made.rounding = values_alone(made.rounding)
        return made

    def step(self, trace: Trace, slack: Slack | None = None) -> "SampledStep":
        """The next step, from the weights and the batch of a trace.

        Args:
            slack: by (layer, name), how much further a weight's gradient may be off than its own
                bound, for gradients that had to be recovered.
        """
        self.past.append((trace, slack or {}))
        return self._step(len(self.past), self.exact, list(enumerate(self.samples)))

    def _step(self, number: int, exact: Optimizer,
              samples: list[tuple[int, Optimizer]]) -> "SampledStep":
        trace, slack = self.past[number - 1]
        made = SampledStep(self.trained, exact, trace, slack)
        for k, optimizer in samples:
            made.sample(optimizer, [self.seed, number, k])
        made.bounds.clear()  # all samples are taken
        return made

    def widened(self, last: "SampledStep") -> "SampledStep | None":
        """The last step with more samples; None if it has them already.

        Each sample is a training of its own: what an optimizer remembers differs from the first
        step on. So all steps are made again.
        """
        if len(self.samples) > SAMPLES:
            return None
        more = [(k, self._of_a_sample()) for k in range(SAMPLES, SAMPLES + MORE_SAMPLES)]
        self.samples += [optimizer for _, optimizer in more]
        exact = optimizer_of(self.trace)
        for number in range(1, len(self.past)):
            self._step(number, exact, more)
        made = self._step(len(self.past), exact, more)
        made.spread = {key: max(spread, last.spread[key]) for key, spread in made.spread.items()}
        return made


class SampledStep:
    """One step: its exact result and, for each weight, how far rounding may lead away from it.

    Attributes:
        exact: the weights after it, by (layer, name), and ('loss', 'value') before it, as a call
            returns it; `Bounded` by what the last operations round.
        spread: for each of them, the largest 2-norm by which a sample lies apart from it.
        overflows: whether numbers on the way are so large that their squares overflow, or sums of
            such sizes: then nothing is promised, and `spread` says nothing.
    """

    def __init__(self, trained: list[tuple[str, str]], optimizer: Optimizer, trace: Trace,
                 slack: Slack) -> None:
        self.trace, self.trained = trace, trained
        self.bounds = LocalBounds()
        rounding = Rounding.of(trace.dtype)
        made = along_the_graph(trace, self.bounds, rounding)
        overflown = rounding.overflows_low  # after which a step may be skipped
        self.exact = self._after(optimizer, made, rounding)
        largest = max(self.bounds.largest,
                      *(float(np.abs(x).max(initial=0.0)) for x in each(trace.x)))
        self.overflows = overflown or largest > np.sqrt(float(np.finfo(trace.dtype).max))
        for i, part in enumerate(trace.parts):
            for (layer, name), extra in slack.items():
                if layer == part.layer and (i, f"{name}_gradient") in self.bounds:
                    self.bounds[i, f"{name}_gradient"] = self.bounds[i, f"{name}_gradient"] + extra
        self.spread = dict.fromkeys(self.exact, 0.0)

    def sample(self, optimizer: Optimizer, seed: list[int]) -> None:
        """Take the step once more, rounded otherwise; the last two of the seed are the numbers of
        the step and of the sample."""
        moved = MovedWithin(self.bounds, np.random.default_rng(seed), alike=sum(seed[1:]) % 2 == 0)
        rounding = values_alone(Rounding.of(self.trace.dtype))
        after = self._after(optimizer, along_the_graph(self.trace, moved, rounding), rounding)
        for key, exact in self.exact.items():
            self.spread[key] = max(self.spread[key], norm(after[key].value - exact.value))

    def _after(self, optimizer: Optimizer, made: dict[tuple[str, str], Bounded], rounding: Rounding
               ) -> dict[tuple[str, str], Bounded]:
        """Every weight after the step, and the loss before, given what a pass computed."""
        after = {key: Bounded(weight, rounding)
                 for key, weight in held_once(self.trace.parts).items()}
        after.update({key: value for key, value in made.items() if key in after})
        if self.trained:
            gradients = [made[layer, f"{name}_gradient"] for layer, name in self.trained]
            moved = optimizer.step([after[key] for key in self.trained], gradients)
            after.update(zip(self.trained, moved))
        loss = mean_over_batches(made["loss", "value"], len(self.trace.x))
        return after | {("loss", "value"): loss}


class LocalBounds(dict[tuple[Any, ...], np.ndarray]):
    """Settles each result at its exact value, and keeps the bound that it has by itself.

    Attributes:
        largest: the size of the largest number, and of the terms that it is a sum of.
    """

    largest = 0.0

    def __call__(self, key: tuple[Any, ...], result: Bounded) -> Bounded:
        # where no bound holds, nothing is moved: what the rounding does there is not sampled
        bound = result.bound  # an exact result's takes no memory
        self[key] = bound if np.isfinite(bound).all() else np.where(np.isfinite(bound), bound, 0.0)
        sizes = np.nan_to_num(np.abs(result.value), nan=np.inf, posinf=np.inf)
        self.largest = max(self.largest, float(sizes.max(initial=0.0)),
                           float(self[key].max(initial=0.0)) / result.rounding.unit)
        return Bounded(result.value, result.rounding)


class MovedWithin:
    """Settles each result somewhere within such bounds.

    Args:
        bounds: the `LocalBounds` of the exact pass.
        alike: move all numbers of a tensor by the whole bound to one side.
    """

    def __init__(self, bounds: LocalBounds, rng: np.random.Generator, alike: bool) -> None:
        self.bounds, self.rng, self.alike = bounds, rng, alike

    def __call__(self, key: tuple[Any, ...], result: Bounded) -> Bounded:
        share = (self.rng.choice([-1.0, 1.0]) if self.alike
                 else self.rng.uniform(-1, 1, result.shape))
        return Bounded(result.value + share * self.bounds[key], result.rounding)


def values_alone(rounding: Rounding) -> Rounding:
    """The same precision, without bounds."""
    return replace(rounding, bounds=False)


def norm(array: np.ndarray) -> float:
    """The 2-norm of all entries; infinite where one is NaN."""
    size = float(np.sqrt(np.sum(np.square(array, dtype=np.float64))))
    return np.inf if np.isnan(size) else size
