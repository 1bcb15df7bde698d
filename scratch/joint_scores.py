"""The metrics of a model of several outputs, and their running figures beside each output's loss.
"""

from scratch.losses.joint import JointLoss, Value
from scratch.metrics import get, serialize
from scratch.metrics.base import Metric
from scratch.scores import counted
from scratch.several import Several, Structure, each


def by_output(given, structure: Structure, names: list[str], key: str, owner) -> list[list[Metric]]:
    """For each output its metrics.

    Args:
        given: None; a list with, for each output, a metric, a list of them or None; or a
            dictionary of them. Of a single output that has a form, a list of its metrics.
        key: 'metrics' or 'weighted_metrics', for messages.

    Raises:
        ValueError: for another number, or a name that no output has.
    """
    if not given:
        return [[] for _ in names]
    if isinstance(given, dict):
        if set(given) - set(names):
            raise ValueError(f"{owner}: expected {key} by the outputs' names, {names}. "
                             f"Received: {list(given)}")
        chosen = [given.get(name) for name in names]
    elif structure.count == 1:
        chosen = [given]
    elif isinstance(given, (list, tuple)) and len(given) == len(names):
        chosen = list(given)
    else:
        raise ValueError(f"{owner}: expected {key} to be a list with the metrics of each output of "
                         f"{names}, or a dictionary. Received: {given!r:.200}")
    return [[get(metric) for metric in (each_one if isinstance(each_one, (list, tuple))
                                        else [each_one]) if metric is not None]
            for each_one in chosen]


def serialized(metrics: list[list[Metric]], structure: Structure) -> list | dict | None:
    """Keras's description of the metrics of all outputs; None where there are none."""
    if not any(metrics):
        return None
    described = [[serialize(metric) for metric in own] for own in metrics]
    return structure.packed(described) if structure.keys is not None else described


class JointScores:
    """Losses and metrics since the start: `loss`, `a_loss`, `b_loss`, then `a_accuracy` and the
    like in alphabetical order, as Keras lists them.

    The sum weighs each batch by its size. What each output's loss is by itself is, in Keras, the
    mean over the batches, a short one counting as much as the others.

    Args:
        loss: the model's.
        plain, weighted: for each output its metrics.
    """

    def __init__(self, loss: JointLoss, plain: list[list[Metric]], weighted: list[list[Metric]]):
        self.loss, self.plain, self.weighted = loss, plain, weighted
        self.samples = 0
        self.total = 0.0
        self.terms = [0.0] * len(loss.terms)
        self.batches = 0
        for metric in sum(plain + weighted, []):
            metric.reset_state()

    def add(self, value: Value, y: Several, output: Several, sample_weight=None,
            masks: Several | None = None) -> None:
        """Count one whole batch; `masks` say for each output which of its steps count."""
        size = len(output)
        self.samples += size
        self.total += float(value) * size
        self.batches += 1
        self.terms = [total + float(term) for total, term in zip(self.terms, value.terms)]
        for i, made in enumerate(each(output)):
            if y.arrays[i] is None and (self.plain[i] or self.weighted[i]):
                raise ValueError(f"Expected labels for the output {self.loss.names[i]!r}, which "
                                 "has metrics. Received: None")
            mask = None if masks is None else masks.arrays[i]
            for metric in self.plain[i]:
                metric.update_state(y.arrays[i], made, **counted(metric, None, mask))
            weight = sample_weight.arrays[i] if isinstance(sample_weight, Several) else \
                sample_weight
            for metric in self.weighted[i]:
                metric.update_state(y.arrays[i], made, **counted(metric, weight, mask))

    def figures(self) -> dict:
        """Each figure by its name, the loss first."""
        found = {"loss": self.total / self.samples}
        if len(self.terms) > 1:
            for term, total in zip(self.loss.terms, self.terms):
                found[f"{term.name}_loss"] = total / self.batches
        return {**found, **dict(sorted(self._metrics().items()))}

    def _metrics(self) -> dict:
        results: dict[str, object] = {}
        counts: dict[str, int] = {}
        for metrics, weighted in ((self.plain, False), (self.weighted, True)):
            for name, own in zip(self.loss.names, metrics):
                prefix = f"{name}_" if len(self.loss.names) > 1 else ""
                for metric in own:
                    full = f"{prefix}{metric.name}"
                    if full in counts and weighted:
                        full = f"{prefix}weighted_{metric.name}"
                    if full in counts:
                        full, base = f"{full}_{counts[full]}", full
                        counts[base] += 1
                    else:
                        counts[full] = 1
                    results[full] = metric.result()
        return results
