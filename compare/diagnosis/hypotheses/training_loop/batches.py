"""Which batch a step sees: labels, samples, weights or inputs that are not the batch's own."""

from collections.abc import Callable

import numpy as np

from compare.checks.training_batches import Batch
from compare.diagnosis.hypotheses.training_loop.plan import Plan, by_other_gradients


def samples(batch: Batch, taken: slice) -> Batch:
    """Some samples of a batch."""
    weight = batch.sample_weight
    return Batch(batch.x[taken], batch.y[taken], None if weight is None else weight[taken])


def half(batch: Batch) -> int:
    """How many samples its first half has."""
    return (len(batch.x) + 1) // 2


def of_batches() -> list[Plan]:
    """Changes of the step's own batch."""
    return _of_labels() + _of_samples() + _of_weights() + _of_inputs()


def _on_batches(identifier: str, said: str, change: Callable[[Batch], Batch]) -> Plan:
    return by_other_gradients(identifier, said, lambda run, t: run.made(
        t, change(run.steps[t].batch), (identifier, said)))


def _of_labels() -> list[Plan]:
    def rolled(by: int) -> Callable[[Batch], Batch]:
        return lambda b: b._replace(y=np.roll(b.y, by, axis=0))

    return [_on_batches("batch-mixed", "each sample has the label of the one before it", rolled(1)),
            _on_batches("batch-mixed", "each sample has the label of the next one", rolled(-1)),
            _on_batches("batch-mixed", "labels are in reverse order",
                        lambda b: b._replace(y=b.y[::-1]))]


def _of_samples() -> list[Plan]:
    def left(which: Callable[[Batch], slice]) -> Callable[[Batch], Batch]:
        return lambda b: samples(b, which(b))

    parts: list[tuple[str, Callable[[Batch], slice]]] = [
        ("the last sample of each batch is left out", lambda b: slice(max(len(b.x) - 1, 1))),
        ("the first sample of each batch is left out", lambda b: slice(len(b.x) > 1, None)),
        ("of each batch only the second half counts",
         lambda b: slice(half(b) if len(b.x) > 1 else 0, None)),
        ("of each batch only the first half counts", lambda b: slice(half(b))),
        ("of each batch only the first sample counts", lambda b: slice(1)),
        ("of each batch only the last sample counts", lambda b: slice(-1, None))]
    return [_on_batches("batch-mixed", said, left(which)) for said, which in parts]


def _of_weights() -> list[Plan]:
    def squared(b: Batch) -> Batch:
        return b if b.sample_weight is None else b._replace(sample_weight=b.sample_weight**2)

    return [_on_batches("sample-weight", "ignored", lambda b: b._replace(sample_weight=None)),
            _on_batches("sample-weight", "squared", squared)]


def _of_inputs() -> list[Plan]:
    def times(factor: float) -> Callable[[Batch], Batch]:
        return lambda b: b._replace(x=np.asarray(b.x) * factor)

    found = [_on_batches("preprocessing", f"in training, inputs are {said}", times(factor))
             for said, factor in (("halved", 0.5), ("doubled", 2.0), ("divided by 255", 1 / 255),
                                  ("multiplied by 255", 255.0), ("negated", -1.0))]
    return [*found, _on_batches("preprocessing",
                                "in training, the batch's mean is taken from inputs",
                                lambda b: b._replace(x=b.x - np.mean(b.x)))]


def of_earlier_batches() -> list[Plan]:
    """What is kept of earlier batches, of those that have the size of the step's own."""
    def kept(said: str, choose: Callable[[list[Batch]], Batch]) -> Plan:
        def made(run, t):
            own = run.steps[t].batch
            same = [step.batch for step in run.steps[:t + 1] if step.batch.x.shape == own.x.shape]
            return run.made(t, choose(same), said)

        return by_other_gradients("state-leak", said, made)

    def before(same: list[Batch]) -> Batch:
        return same[max(len(same) - 2, 0)]

    return [
        kept("each step sees the first batch of its size", lambda same: same[0]),
        kept("inputs are those of the first batch of that size",
             lambda same: same[-1]._replace(x=same[0].x)),
        kept("labels are those of the first batch of that size",
             lambda same: same[-1]._replace(y=same[0].y)),
        kept("inputs are those of the batch before",
             lambda same: same[-1]._replace(x=before(same).x)),
        kept("labels are those of the batch before",
             lambda same: same[-1]._replace(y=before(same).y))]
