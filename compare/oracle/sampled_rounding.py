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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from compare.oracle.expected import learned, optimizer_of
from compare.oracle.held import Held
from compare.oracle.network import mean_over_batches, passing
from compare.oracle.optimizers import alone
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.shared_weights import held_once
from compare.tracing.trace import Trace
from scratch.several import each

SAMPLES = 1  # of each step
MORE_SAMPLES = 16  # besides, where that explains too little
AT_ONCE = 4  # of those: each takes the memory of a pass

LOSS = ("loss", "value")
Key = tuple[str, str]  # layer and name of a weight, or `LOSS`
Slack = dict[Key, np.ndarray]
Taken = Callable[[Key, Bounded], None]


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
        self.exact = Stepping(trace)
        self.samples = [Stepping(trace, bounds=False) for _ in range(SAMPLES)]
        self.past: list[tuple[Trace, Slack]] = []  # what a step is made from takes little memory

    def step(self, trace: Trace, slack: Slack | None = None, taken: Taken | None = None
             ) -> "SampledStep":
        """The next step, from the weights and the batch of a trace.

        Args:
            slack: by (layer, name), how much further a weight's gradient may be off than its own
                bound, for gradients that had to be recovered.
            taken: is called with each weight's key and what it exactly is after the step, which is
                let go of then; None keeps them.
        """
        self.past.append((trace, slack or {}))
        return self._step(len(self.past), self.exact, list(enumerate(self.samples)), taken)

    def _step(self, number: int, exact: "Stepping", samples: list[tuple[int, "Stepping"]],
              taken: Taken | None) -> "SampledStep":
        return SampledStep(*self.past[number - 1], exact,
                           [([self.seed, number, k], stepping) for k, stepping in samples], taken)

    def widened(self, last: "SampledStep") -> "SampledStep | None":
        """The last step with more samples; None if it has them already.

        Each sample is a training of its own: what an optimizer remembers differs from the first
        step on. So all steps are made again.
        """
        if len(self.samples) > SAMPLES:
            return None
        more = [(k, Stepping(self.trace, bounds=False))
                for k in range(SAMPLES, SAMPLES + MORE_SAMPLES)]
        self.samples += [stepping for _, stepping in more]
        spread = last.spread
        for first in range(0, len(more), AT_ONCE):
            exact = Stepping(self.trace)
            for number in range(1, len(self.past) + 1):
                made = self._step(number, exact, more[first:first + AT_ONCE], _dropped)
            spread = {key: max(made.spread[key], size) for key, size in spread.items()}
        made.exact, made.spread = last.exact, spread
        return made


def _dropped(key: Key, exact: Bounded) -> None:
    """Keeps nothing."""


class Stepping:
    """An optimizer, fresh at first, that steps by what passes compute: each weight as soon as its
    gradient is there, unless a step depends on all gradients.

    Args:
        bounds: without, the values alone count.

    Attributes:
        overflows_low: whether numbers of a low precision have overflown in the last pass.
    """

    def __init__(self, trace: Trace, bounds: bool = True) -> None:
        whole = optimizer_of(trace)
        if not bounds:
            whole.rounding = values_alone(whole.rounding)
        self.trained = [(trace.parts[i].layer, name) for i, name in learned(trace)]
        self.bounds, self.overflows_low = bounds, False
        self.whole = whole if whole.joins_weights else None
        self.alone = {} if whole.joins_weights else {
            key: alone(whole, k) for k, key in enumerate(self.trained)}

    def after(self, trace: Trace, settled: Callable[[tuple[Any, ...], Bounded], Bounded]
              ) -> Iterator[tuple[Key, Bounded]]:
        """Each weight after the next step, and the loss before it, as a call returns it.

        Args:
            trace: whose weights and batch are taken.
            settled: as `passing` asks for.
        """
        rounding = Rounding.of(trace.dtype)
        rounding = rounding if self.bounds else values_alone(rounding)
        left: dict[Key, Bounded] = {key: Held(weight, rounding)
                                    for key, weight in held_once(trace.parts).items()}
        of_gradient = {(layer, f"{name}_gradient"): (layer, name) for layer, name in self.trained}
        gradients: dict[Key, Bounded] = {}
        for key, result in passing(trace, settled, rounding):
            if key in left:  # which the pass itself changes
                left[key] = result
            elif key == LOSS:
                loss = result
            elif key in of_gradient and self.whole is not None:
                gradients[of_gradient[key]] = result
            elif key in of_gradient:
                weight = of_gradient[key]
                yield weight, self.alone[weight].step([left.pop(weight)], [result])[0]
        self.overflows_low = rounding.overflows_low
        if self.whole is not None and self.trained:
            left.update(zip(self.trained, self.whole.step(
                [left[key] for key in self.trained], [gradients[key] for key in self.trained])))
        yield from left.items()
        yield LOSS, mean_over_batches(loss, len(trace.x))


class SampledStep:
    """One step: its exact result and, for each weight, how far rounding may lead away from it.

    The exact pass and those of the samples go through the network side by side, so that no more of
    what is known of the weights is held than of one layer at a time.

    Attributes:
        exact: the weights after it, by (layer, name), and `LOSS` before it, as a call returns it;
            `Bounded` by what the last operations round. Empty if they were `taken`.
        spread: for each of them, the largest 2-norm by which a sample lies apart from it.
        overflows: whether numbers on the way are so large that their squares overflow, or sums of
            such sizes: then nothing is promised, and `spread` says nothing.
    """

    def __init__(self, trace: Trace, slack: Slack, exact: Stepping,
                 samples: Sequence[tuple[list[int], Stepping]], taken: Taken | None = None) -> None:
        bounds = LocalBounds(slack_of(trace, slack))
        passes = [exact.after(trace, bounds),
                  *(stepping.after(trace, MovedWithin(bounds, np.random.default_rng(seed),
                                                      alike=sum(seed[1:]) % 2 == 0))
                    for seed, stepping in samples)]
        found: dict[Key, Bounded] = {}
        apart: dict[Key, float] = {}
        for key, right in passes[0]:
            apart[key] = 0.0
            for one in passes[1:]:
                apart[key] = max(apart[key], norm(next(one)[1].value - right.value))
            if taken is None:
                found[key] = right
            else:
                taken(key, right)
            del right
            bounds.clear()  # all have gone on from there
        order = [*held_once(trace.parts), LOSS]
        self.spread = {key: apart[key] for key in order}
        self.exact = {key: found[key] for key in order if key in found}
        largest = max(bounds.largest,
                      *(float(np.abs(x).max(initial=0.0)) for x in each(trace.x)))
        # in a low precision, after which a step may be skipped, or anywhere
        self.overflows = exact.overflows_low or largest > np.sqrt(float(np.finfo(trace.dtype).max))


def slack_of(trace: Trace, slack: Slack) -> dict[tuple[Any, ...], np.ndarray]:
    """The same by the keys under which a pass settles the gradients."""
    return {(i, f"{name}_gradient"): extra for i, part in enumerate(trace.parts)
            for (layer, name), extra in slack.items() if layer == part.layer}


class LocalBounds(dict[tuple[Any, ...], np.ndarray]):
    """Settles each result at its exact value, and keeps the bound that it has by itself.

    Args:
        slack: what is added to some of the bounds that are kept.

    Attributes:
        largest: the size of the largest number, and of the terms that it is a sum of.
    """

    def __init__(self, slack: dict[tuple[Any, ...], np.ndarray] | None = None) -> None:
        self.slack = slack or {}
        self.largest = 0.0

    def __call__(self, key: tuple[Any, ...], result: Bounded) -> Bounded:
        # where no bound holds, nothing is moved: what the rounding does there is not sampled
        bound = result.bound  # an exact result's takes no memory
        self[key] = bound if np.isfinite(bound).all() else np.where(np.isfinite(bound), bound, 0.0)
        sizes = np.nan_to_num(np.abs(result.value), nan=np.inf, posinf=np.inf)
        self.largest = max(self.largest, float(sizes.max(initial=0.0)),
                           float(self[key].max(initial=0.0)) / result.rounding.unit)
        if key in self.slack:
            self[key] = self[key] + self.slack[key]
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
