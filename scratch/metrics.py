"""Accuracy, in the form that fits the labels: class numbers or one-hot rows."""

import numpy as np

from scratch.errors import UnsupportedError


def sparse_categorical_accuracy(y_true, y_pred) -> float:
    """Share of samples whose largest output is the labelled class; labels are class numbers."""
    labels = np.asarray(y_true).reshape(y_pred.shape[:-1])
    return share_of(y_pred.argmax(axis=-1) == labels)


def categorical_accuracy(y_true, y_pred) -> float:
    """Share of samples whose largest output is the largest target; targets are one-hot rows."""
    return share_of(y_pred.argmax(axis=-1) == np.asarray(y_true).argmax(axis=-1))


def share_of(hits: np.ndarray) -> float:
    """The share of True."""
    return np.count_nonzero(hits) / hits.size


def accuracy(y_true, y_pred) -> float:
    """Whichever of the two fits the labels' shape, as Keras chooses for 'accuracy'."""
    one_hot = np.shape(y_true) == y_pred.shape and y_pred.shape[-1] > 1
    return (categorical_accuracy if one_hot else sparse_categorical_accuracy)(y_true, y_pred)


METRICS = {"accuracy": accuracy, "acc": accuracy,
           "sparse_categorical_accuracy": sparse_categorical_accuracy,
           "categorical_accuracy": categorical_accuracy}


def get(identifier) -> tuple[str, object]:
    """(name, function(y_true, y_pred) -> float) for a metric's name.

    Raises:
        UnsupportedError: for any other.
    """
    if isinstance(identifier, str) and identifier in METRICS:
        return identifier, METRICS[identifier]
    raise UnsupportedError(f"Metric {identifier!r} is not supported. "
                           f"Expected one of: {', '.join(METRICS)}.")
