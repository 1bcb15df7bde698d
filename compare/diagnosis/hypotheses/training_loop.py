"""Mistakes of a training loop: which batch a step sees, which gradients, how often it is made."""

import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from compare.checks.training_batches import Batch
from compare.diagnosis.training_run import (
    Key,
    TrainingRun,
    gradients_of,
    passed,
    with_batch,
    with_weights,
)
from compare.oracle.expected import oracle_of
from compare.oracle.regularization import of_part
from compare.oracle.running_error import Bounded, Rounding
from scratch.several import each

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


def of_loops(run: TrainingRun) -> list[Plan]:
    """All of them, the specific ones first."""
    return (of_batches() + of_memory() + of_parts() + of_timing() + of_past() + of_penalties(run)
            + of_statistics())


# which batch a step sees


def on_batches(identifier: str, said: str, change: Callable[[Batch], Batch]) -> Plan:
    def steps(run):
        optimizer = run.optimizer()
        for t, step in enumerate(run.steps):
            made = run.made(t, change(step.batch), (identifier, said))
            yield run.moved(optimizer, step.before, made)

    return Plan(identifier, said, steps)


def rows(batch: Batch, taken) -> Batch:
    """Some samples of a batch."""
    weight = batch.sample_weight
    return Batch(batch.x[taken], batch.y[taken], None if weight is None else weight[taken])


def half(batch: Batch) -> int:
    return (len(batch.x) + 1) // 2


def of_batches() -> list[Plan]:
    """Labels, samples, weights or inputs that are not the batch's own."""
    def rolled(by: int) -> Callable[[Batch], Batch]:
        return lambda b: b._replace(y=np.roll(b.y, by, axis=0))

    def taken(which: Callable[[Batch], slice]) -> Callable[[Batch], Batch]:
        return lambda b: rows(b, which(b))

    def times(factor: float) -> Callable[[Batch], Batch]:
        return lambda b: b._replace(x=np.asarray(b.x) * factor)

    found = [on_batches("batch-mixed", said, rolled(by))
             for said, by in (("each sample has the label of the one before it", 1),
                              ("each sample has the label of the next one", -1))]
    found.append(on_batches("batch-mixed", "labels are in reverse order",
                            lambda b: b._replace(y=b.y[::-1])))
    parts: list[tuple[str, Callable[[Batch], slice]]] = [
            ("the last sample of each batch is left out", lambda b: slice(max(len(b.x) - 1, 1))),
            ("the first sample of each batch is left out", lambda b: slice(len(b.x) > 1, None)),
            ("of each batch only the second half counts",
             lambda b: slice(half(b) if len(b.x) > 1 else 0, None)),
            ("of each batch only the first half counts", lambda b: slice(half(b))),
            ("of each batch only the first sample counts", lambda b: slice(1)),
            ("of each batch only the last sample counts", lambda b: slice(-1, None))]
    found += [on_batches("batch-mixed", said, taken(which)) for said, which in parts]
    found += [
        on_batches("sample-weight", "ignored", lambda b: b._replace(sample_weight=None)),
        on_batches("sample-weight", "squared", lambda b: b._replace(sample_weight=None)
                   if b.sample_weight is None else b._replace(sample_weight=b.sample_weight**2))]
    for said, factor in (("halved", 0.5), ("doubled", 2.0), ("divided by 255", 1 / 255),
                         ("multiplied by 255", 255.0), ("negated", -1.0)):
        found.append(on_batches("preprocessing", f"in training, inputs are {said}",
                                times(factor)))
    found.append(on_batches("preprocessing", "in training, the batch's mean is taken from inputs",
                            lambda b: b._replace(x=b.x - np.mean(b.x))))
    return found


def of_memory() -> list[Plan]:
    """What is kept of earlier batches."""
    def kept(said, choose):
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                same = [s.batch for s in run.steps[:t + 1] if s.batch.x.shape == step.batch.x.shape]
                made = run.made(t, choose(same), said)
                yield run.moved(optimizer, step.before, made)

        return Plan("state-leak", said, steps)

    return [
        kept("each step sees the first batch of its size", lambda same: same[0]),
        kept("inputs are those of the first batch of that size",
             lambda same: same[-1]._replace(x=same[0].x)),
        kept("labels are those of the first batch of that size",
             lambda same: same[-1]._replace(y=same[0].y)),
        kept("inputs are those of the batch before", lambda same: same[-1]._replace(
            x=same[max(len(same) - 2, 0)].x)),
        kept("labels are those of the batch before", lambda same: same[-1]._replace(
            y=same[max(len(same) - 2, 0)].y))]


# what a batch is cut into


def of_parts() -> list[Plan]:
    """A step for each sample, or a batch that is computed in two halves."""
    def in_halves(identifier, said, join):
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                made = run.made(t)
                if len(step.batch.x) > 1:
                    n = half(step.batch)
                    a, b = (run.made(t, rows(step.batch, taken), taken.start)
                            for taken in (slice(0, n), slice(n, None)))
                    made = gradients_of(a, lambda key, first, b=b: join(first, b[key]))
                yield run.moved(optimizer, step.before, made)

        return Plan(identifier, said, steps)

    def each(run):
        optimizer = run.optimizer()
        for step in run.steps:
            weights = step.before
            for i in range(len(step.batch.x)):
                trace = with_batch(with_weights(step.trace, weights),
                                   rows(step.batch, slice(i, i + 1)))
                weights = run.moved(optimizer, weights, passed(trace))
            yield weights

    return [
        Plan("update-per-sample", "each sample makes a step of its own", each),
        in_halves("mean-over-batches", "the gradients of the two halves of a batch count alike, "
                  "although one has a sample more", lambda a, b: (a + b) * 0.5),
        in_halves("gradient-accumulated", "the gradients of the two halves of a batch, each a "
                  "mean, are added", lambda a, b: a + b)]


# which gradients, and when


def of_timing() -> list[Plan]:
    """Gradients of other steps, or weights that were updated too early."""
    def cleared(every: int):
        def steps(run):
            optimizer, total = run.optimizer(), None
            for t, step in enumerate(run.steps):
                made = run.made(t)
                fresh = total is None or (every and t % every == 0)
                total = made if fresh else gradients_of(
                    made, lambda key, g, total=total: g + total[key])
                yield run.moved(optimizer, step.before, total)

        return steps

    def late(updated_first: bool):
        """The first step may be made by anything: there is none before it."""
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                last = max(t - 1, 0)
                # where the update comes first, the gradients are those of the weights after it
                before = (run.made(t, run.steps[last].batch, "the batch before") if updated_first
                          else run.made(last))
                after = run.moved(optimizer, step.before, gradients_of(
                    run.made(t), lambda key, g, before=before: before[key]))
                yield step.after if t == 0 else after

        return steps

    found = [Plan("gradient-accumulated", said, cleared(every)) for said, every in (
        ("gradients are never cleared between steps", 0),
        ("gradients are cleared after every second step only", 2),
        ("gradients are cleared after every third step only", 3))]
    found += [Plan("update-before-gradient", said, late(first)) for said, first in (
        ("each step is made by the gradients of the step before it", False),
        ("the update comes first, by the gradients of the batch before", True))]
    found += [Plan("update-before-gradient", said, functools.partial(_going_back, only_last=only))
              for said, only in (
                  ("the gradient goes back through layers that have made their step", False),
                  ("the gradient goes back through the last layer after its step", True))]
    return found


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


# what is remembered, and how far a step goes


def of_past() -> list[Plan]:
    """What is lost between steps, and steps that are made twice or divided by another size."""
    def forgetful(every: int, what: tuple[str, ...]):
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                if t % every == 0:
                    if "slots" in what:
                        optimizer.slots = []
                    if "count" in what:
                        optimizer.iteration = 0
                yield run.moved(optimizer, step.before, run.made(t))

        return steps

    def twice(run):
        optimizer = run.optimizer()
        for t, step in enumerate(run.steps):
            yield run.moved(optimizer, step.before, run.made(t), times=2)

    def as_full(run):
        optimizer, full = run.optimizer(), 0
        for t, step in enumerate(run.steps):
            full = max(full, len(step.batch.x))
            share = len(step.batch.x) / full
            yield run.moved(optimizer, step.before,
                            gradients_of(run.made(t), lambda key, g, s=share: g * s))

    found = [Plan("optimizer-state", said + often, forgetful(every, what))
             for every, often in ((1, " at every step"), (2, " at every second step"),
                                  (3, " at every third step"))
             for said, what in (("a new optimizer is made", ("slots", "count")),
                                ("what the optimizer remembers of gradients is cleared",
                                 ("slots",)),
                                ("the count of steps starts again", ("count",)))]
    return [*found, Plan("scale", "each step is made twice", twice),
            Plan("last-batch", "a shorter batch is divided by the size of a full one", as_full)]


def of_penalties(run: TrainingRun) -> list[Plan]:
    """The regularizers' part of the gradients, once more or not at all."""
    trace = run.steps[0].trace
    rounding = Rounding.of(trace.dtype)

    def held(part):
        return {name: Bounded(w, rounding) for name, w in part.weights.items()}

    if not any(of_part(trace, part, held(part)) for part in trace.parts):
        return []

    def counted(times: float):
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                more = {(part.layer, f"{name}_gradient"): g for part in step.trace.parts
                        for name, g in of_part(step.trace, part, held(part)).items()}
                made = gradients_of(run.made(t), lambda key, g, more=more: g + more[key] * times
                                    if key in more else g)
                yield run.moved(optimizer, step.before, made)

        return steps

    return [Plan("penalty-missing", said, counted(times)) for said, times in (
        ("its gradient is added twice", 1.0), ("it has no part in the gradients", -1.0))]


def of_statistics() -> list[Plan]:
    """Moving averages that move twice in a step, or not at all."""
    def moving(said, again: bool):
        def steps(run):
            optimizer = run.optimizer()
            for t, step in enumerate(run.steps):
                made = run.made(t)
                after = run.moved(optimizer, step.before, made)
                for part in step.trace.parts:
                    for key in [(part.layer, name) for name in part.weights]:
                        if key in made:
                            momentum = _momentum(step.trace, part) if again else -1.0
                            after[key] = after[key] + momentum * (after[key] - step.before[key])
                yield after

        return Plan("moving-statistics", said, steps)

    return [moving("two forward passes in each step move the averages twice", True),
            moving("the averages do not move", False)]


def _momentum(trace, part) -> float:
    """After two moves by 1 - m of the rest each, m of the first is added by the second."""
    return float(oracle_of(trace, part).config["momentum"])


def of_measured(run: TrainingRun) -> list[Plan]:
    """Weights that stand still or should, and steps of another length: what shows in the run."""
    return [*_still(run), *_frozen(run), *_other_lengths(run)]


def _still(run: TrainingRun) -> list[Plan]:
    still = [key for key in run.trained if all(
        np.array_equal(step.before[key], step.after[key]) for step in run.steps)
        and any(norm_of(step.right[key] - step.before[key]) > step.allowed[key]
                for step in run.steps)]
    if not still:
        return []

    def steps(run):
        for step in run.steps:
            yield {**step.right, **{key: step.before[key] for key in still}}

    return [Plan("update-missing", _listed(still), steps)]


def _frozen(run: TrainingRun) -> list[Plan]:
    made = run.made(0)
    moved = [key for key in run.steps[0].before if key not in run.trained and key not in made
             and any(not np.array_equal(step.before[key], step.after[key]) for step in run.steps)]
    if not moved:
        return []

    def steps(run):
        for step in run.steps:
            yield {**step.right, **{key: step.after[key] for key in moved}}

    return [Plan("frozen-weights", _listed(moved), steps)]


def _other_lengths(run: TrainingRun) -> list[Plan]:
    """Each step leads the right way, for all weights alike, but another part of it."""
    lengths = []
    for step in run.steps:
        way = np.concatenate([(step.right[k] - step.before[k]).ravel() for k in run.trained])
        gone = np.concatenate([(np.asarray(step.after[k], np.float64) - step.before[k]).ravel()
                               for k in run.trained])
        if not way.any():
            return []
        lengths.append(float(way @ gone / (way @ way)))

    def steps(run):
        for length, step in zip(lengths, run.steps):
            yield {key: step.before[key] + length * (right - step.before[key])
                   if key in run.trained else right for key, right in step.right.items()}

    same = max(lengths) - min(lengths) <= 1e-4 * max(map(abs, lengths))
    said = ", ".join(f"{length:.4g}" for length in lengths[:1 if same else None])
    return [Plan("scale" if same else "optimizer-setting",
                 f"each step is {said} times as long as it should be" if same else
                 f"the steps are {said} times as long as they should be", steps)]


def norm_of(array) -> float:
    return float(np.sqrt(np.sum(np.square(array, dtype=np.float64))))


def _listed(keys: list[Key]) -> str:
    return ", ".join(f"{layer} {name}" for layer, name in keys)
