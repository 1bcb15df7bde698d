"""The running figures of an epoch: the mean loss and the metrics."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from scratch.losses.targets import same_rank


class Scores:
    """Loss and metrics since the start; a batch's loss weighs by its size, so a short one is fair.

    Two metrics of the same name are told apart as Keras does: `name_1`, and `weighted_name` for a
    weighted one.
    """

    def __init__(self, metrics: Iterable[Any], weighted_metrics: Iterable[Any] = ()) -> None:
        self.plain, self.weighted = list(metrics), list(weighted_metrics)
        self.names = _names(self.plain, self.weighted)
        self.samples = 0
        self.total = 0.0
        for metric in [*self.plain, *self.weighted]:
            metric.reset_state()

    def add(self, loss, y, output, sample_weight=None, masks=None) -> None:
        """Count one whole batch.

        Args:
            masks: `Several` of one: which of the output's steps count; None for all.
        """
        size = len(output)
        self.samples += size
        self.total += float(loss) * size
        mask = None if masks is None else masks.arrays[0]
        for metric in self.plain:
            metric.update_state(y, output, **counted(metric, None, mask))
        for metric in self.weighted:
            metric.update_state(y, output, **counted(metric, sample_weight, mask))

    def figures(self) -> dict:
        """Each figure by its name, the loss first."""
        results = (metric.result() for metric in self.plain + self.weighted)
        return {"loss": self.total / self.samples, **dict(zip(self.names, results))}


def counted(metric, sample_weight, mask) -> dict:
    """What a metric takes as sample weights: those, masked steps having none, if it is one that
    looks at masks."""
    if mask is None or not metric.uses_masks:
        return {} if sample_weight is None else {"sample_weight": sample_weight}
    weights = np.asarray(mask, np.float64)
    if sample_weight is not None:
        weights, given = same_rank(weights, np.asarray(sample_weight, np.float64))
        weights = weights * given
    return {"sample_weight": weights}


def _names(plain, weighted) -> list[str]:
    counts: dict[str, int] = {}
    names = []
    for metric, prefix in [(m, "") for m in plain] + [(m, "weighted_") for m in weighted]:
        name = metric.name
        if name in counts and prefix:
            name = prefix + name
        if name in counts:
            name, base = f"{name}_{counts[name]}", name
            counts[base] += 1
        else:
            counts[name] = 1
        names.append(name)
    return names
