"""Accuracies that `evaluate` reports, held against a count of right answers.

What a metric adds up is decided by comparisons alone, so that its figure is known exactly once the
outputs are: the right answers among the candidate's own, as its `predict` gives them, over their
number. Rounding can change the division at the end and, with sample weights, the sums. What other
metrics add up is rounded itself; those are not compared, and a note says so.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from compare.checks.epochs import Epoch
from compare.checks.gate import Gate
from compare.checks.row import Row, judge, raised
from compare.checks.training_trajectory import with_fresh_optimizer
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing import execution
from compare.tracing.layer_error import RAISED, of_model
from compare.tracing.types import Network
from scratch.losses import JointLoss
from scratch.scores import Scores

EVALUATE = "evaluate metric "  # and the metric's name: the rows' tensor

Answers = Callable[[Any, np.ndarray, np.ndarray], np.ndarray]  # of (metric, labels, outputs)


def rows(model: Network, epoch: Epoch) -> list[Row]:
    """A row for each accuracy that the candidate is compiled with."""
    counted = {name: (metric, weighted) for name, metric, weighted in metrics_of(model)
               if is_counted(model, metric)}
    if not counted:
        return []
    copied = with_fresh_optimizer(model)
    try:
        figures = copied.evaluate(epoch.x, epoch.y, batch_size=epoch.size, verbose=0,
                                  return_dict=True, **execution.weighted(epoch.sample_weight))
        outputs = np.asarray(copied.predict(epoch.x, batch_size=epoch.size, verbose=0))
    except RAISED as error:  # somebody's own method may raise anything
        return [raised(Gate.WHOLE_NETWORK, "network", EVALUATE + name,
                       f"not run: {of_model(copied, error)}") for name in counted]
    found = []
    for name, (metric, weighted) in counted.items():
        right = exact(metric, epoch, outputs, weighted)
        found.append(judge(Gate.WHOLE_NETWORK, "network", EVALUATE + name,
                           np.asarray(figures.get(name, np.nan)), right.value, right))
    return found


def note(model: Network) -> list[str]:
    """A sentence on the metrics that are not compared, if there are any."""
    names = [name for name, metric, _ in metrics_of(model) if not is_counted(model, metric)]
    return [f"Of metrics, accuracies are compared. Not compared: {', '.join(names)}."
            ] if names else []


def metrics_of(model: Network) -> list[tuple[str, Any, bool]]:
    """(name, metric, whether it is weighted) of a model with a single output."""
    if isinstance(getattr(model, "loss", None), JointLoss) or not hasattr(model, "metrics"):
        return []
    scores = Scores(*copy.deepcopy((model.metrics, model.weighted_metrics)))  # which forget
    metrics = [(each, False) for each in scores.plain] + [(each, True) for each in scores.weighted]
    return [(name, metric, weighted) for name, (metric, weighted) in zip(scores.names, metrics)]


def is_counted(model: Network, metric: Any) -> bool:
    """Whether it is an accuracy, of an output of which no mask leaves out steps."""
    return kind_of(metric) in ANSWERS and not getattr(model, "has_output_masks", False)


def kind_of(metric: Any) -> str:
    """The name of Keras's metric; 'accuracy' for what is chosen by the shapes."""
    return "accuracy" if type(metric).__name__ == "ByShape" else type(metric).__name__


def exact(metric: Any, epoch: Epoch, outputs: np.ndarray, weighted: bool) -> Bounded:
    """The share of right answers, each as often as its sample counts."""
    labels = np.asarray(epoch.y)
    right = ANSWERS[kind_of(metric)](metric, labels, outputs).astype(np.float64)
    weight = np.ones(1)
    if weighted and epoch.sample_weight is not None:
        weight = np.squeeze(np.asarray(epoch.sample_weight, np.float64))
    each = weight.reshape(*weight.shape, *[1] * (right.ndim - weight.ndim)) * np.ones(right.shape)
    value = np.asarray((right * each).sum() / each.sum())
    rounding = Rounding.of("float32")  # in which Keras has its metrics; scratch's are float64
    terms = 2 if (each == 1).all() else 2 * right.size + 1
    return Bounded(value, rounding, np.asarray(rounding.gamma(terms) * abs(value)))


def _largest(rows_of: np.ndarray) -> np.ndarray:
    """Where the first of the largest numbers of each row stands."""
    best = rows_of == rows_of.max(axis=-1, keepdims=True)
    places = np.where(best, np.arange(rows_of.shape[-1]), rows_of.shape[-1])
    return np.asarray(places.min(axis=-1))


def _classes(labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return labels.reshape(outputs.shape[:-1])


def _on_the_side(metric: Any, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    threshold = outputs.dtype.type(getattr(metric, "threshold", 0.5))
    return np.asarray((outputs > threshold) == labels.reshape(outputs.shape))


def _of_rows(metric: Any, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.asarray(_largest(labels) == _largest(outputs))


def _of_classes(metric: Any, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    return np.asarray(_classes(labels, outputs) == _largest(outputs))


def _by_shape(metric: Any, labels: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    if outputs.shape[-1] == 1:
        return _on_the_side(metric, labels, outputs)
    sparse = labels.ndim < outputs.ndim or labels.shape[-1] == 1
    return (_of_classes if sparse else _of_rows)(metric, labels, outputs)


def _among(metric: Any, classes: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Whether fewer than k outputs are larger than that of the class."""
    own = (np.arange(outputs.shape[-1]) == classes[..., None])
    held = np.where(own, outputs, -np.inf).max(axis=-1, keepdims=True)
    return np.asarray((outputs > held).sum(axis=-1) < metric.k)


ANSWERS: dict[str, Answers] = {
    "accuracy": _by_shape, "BinaryAccuracy": _on_the_side, "CategoricalAccuracy": _of_rows,
    "SparseCategoricalAccuracy": _of_classes,
    "TopKCategoricalAccuracy": lambda m, y, p: _among(m, _largest(y), p),
    "SparseTopKCategoricalAccuracy": lambda m, y, p: _among(m, _classes(y, p).astype(int), p)}
