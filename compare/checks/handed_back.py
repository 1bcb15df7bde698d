"""What a network in one class is handed on its way back: the gradient of what it puts out."""

from typing import Any

import numpy as np

from compare.checks.one_class import ends_in_logits
from compare.tracing.trace import Trace
from scratch import losses


def upstream(trace: Trace) -> tuple[np.ndarray, np.ndarray | None]:
    """The gradients (of the output, of the logits or None where there are none)."""
    last = trace.parts[-1]
    if not ends_in_logits(trace):
        assert last.output_gradient is not None
        return last.output_gradient, None
    if not trace.fused:
        assert last.output_gradient is not None and isinstance(last.input_gradient, np.ndarray)
        return last.output_gradient, last.input_gradient
    loss: Any = losses.get(trace.compile_config["loss"])
    loss.forward(trace.y, last.output.astype(np.float64), from_logits=False,
                 sample_weight=trace.sample_weight)
    gradient: np.ndarray = loss.backward()
    if isinstance(loss, (losses.CategoricalCrossentropy, losses.SparseCategoricalCrossentropy)) \
            and not getattr(loss, "label_smoothing", 0):
        gradient = _of_labels_alone(gradient, one_hot(trace.y, last.output.shape),
                                    last.output.astype(np.float64))
    return gradient.astype(trace.dtype), trace.loss_gradient


def _of_labels_alone(gradient: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The gradient of a cross-entropy with respect to probabilities p as people write it, -k y / p.

    Keras divides p by its sum first, which makes it k (sum(y) - y / p). Both lead to the same
    gradient of the logits.
    """
    ratio = y / p
    apart = y.sum(-1, keepdims=True) - ratio
    at = np.abs(apart).argmax(-1)[..., None]  # where k is best known
    with np.errstate(invalid="ignore", divide="ignore"):
        k = np.take_along_axis(gradient, at, -1) / np.take_along_axis(apart, at, -1)
    return np.asarray(-np.where(np.isfinite(k), k, 0) * ratio)


def one_hot(y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Labels as rows, class numbers as rows with a single one."""
    y = np.asarray(y)
    if y.shape == tuple(shape):
        return y.astype(np.float64)
    return np.asarray(np.eye(shape[-1])[y.reshape(shape[:-1]).astype(int)])
