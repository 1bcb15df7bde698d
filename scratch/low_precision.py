"""A layer run in its own precision: what it reads and its weights are cast, what it makes rounded.

A layer of float32 or float64 is run as it is. One that computes in float16 or bfloat16 gets its
input and weights rounded, computes in float32, and has its output rounded; likewise on the way
back. Gradients of weights that were cast pass through the cast, so they are rounded, too.
"""

import contextlib
from typing import Any

import numpy as np

from scratch.precision import rounded


def forward(layer, x, training: bool = False):
    """`layer.forward`, x an array or a list of them for a layer that merges."""
    if not layer.policy.low:
        return layer.forward(x, training)
    return _run(layer, lambda: layer.forward(layer.autocast(x), training))


def affine(layer, x):
    """`layer.affine`, of a layer with an activation inside."""
    if not layer.policy.low:
        return layer.affine(x)
    return _run(layer, lambda: layer.affine(layer.autocast(x)))


def backward(layer, dy, wants_input_gradient: bool = True, method: str = "backward"):
    """`layer.backward`, or its `affine_backward` or `backward_from_logits`."""
    back = getattr(layer, method)
    if not layer.policy.low:
        return back(dy, wants_input_gradient)
    dx = _run(layer, lambda: back(lowered(layer, dy), wants_input_gradient))
    precision = layer.policy.compute if layer.casts_weights else layer.policy.variable
    layer.grads = {name: rounded(gradient, precision) for name, gradient in layer.grads.items()}
    return dx


def lowered(layer: Any, value: Any) -> Any:
    """An array, or each of several, as the layer computes with it."""
    if value is None or not layer.policy.low:
        return value
    if isinstance(value, (list, tuple)):
        return [lowered(layer, each) for each in value]
    return rounded(np.asarray(value, layer.dtype), layer.policy.compute)


def _run(layer, method):
    # float16 ends at 65504: what overflows is infinite, as in Keras, and no reason for a warning
    with cast_weights(layer), np.errstate(over="ignore", invalid="ignore"):
        return lowered(layer, method())


@contextlib.contextmanager
def cast_weights(layer):
    """The layer with weights as it computes with them, for as long as the block lasts.

    What a pass in training itself changes, such as moving statistics, is kept in its own precision.
    """
    kept = layer.params
    if layer.policy.mixed and layer.casts_weights:
        layer.params = {name: rounded(weight, layer.policy.compute)
                        for name, weight in kept.items()}
    try:
        yield
    finally:
        layer.params = kept
        keep_rounded(layer, layer.non_trainable)


def keep_rounded(layer, names) -> None:
    """Round those weights to the precision in which the layer keeps them, in place."""
    if layer.policy.low and not layer.policy.mixed:
        for name in names:
            layer.params[name][...] = rounded(layer.params[name], layer.policy.variable)
