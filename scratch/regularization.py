"""What regularizers add to a training step: to the loss, and to the gradients.

The loss that is trained is the data's loss plus a penalty for every weight that has a regularizer
and is trained, plus one for the output of every layer with an activity regularizer. Layers know
nothing of it: a model adds the penalties to its loss, `add_gradients` to the weights' gradients
once per step, and `activity_gradient` to the gradient that arrives at a layer's output.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np


def regularized(layers) -> Iterator[tuple[Any, str, Any]]:
    """(layer, name of the weight, regularizer) for each weight with a penalty.

    Weights that are not trained have none, as in Keras: a frozen layer's count for nothing.
    """
    for layer in layers:
        for name in layer.trainable_params:
            if layer.regularizers.get(name) is not None:
                yield layer, name, layer.regularizers[name]


def penalty(layers) -> np.ndarray | float:
    """The sum of all weights' penalties, a scalar of the layers' dtype; 0.0 if there are none."""
    return sum((regularizer.penalty(layer.params[name])
                for layer, name, regularizer in regularized(layers)), start=0.0)


def add_gradients(layers, scale: float = 1.0) -> None:
    """Add each penalty's gradient, of a loss scaled by `scale`, to the one that the layer holds for
    the weight."""
    for layer, name, regularizer in regularized(layers):
        gradient = regularizer.gradient(layer.params[name])
        gradient = gradient if scale == 1.0 else gradient * scale
        layer.grads[name] = layer.grads[name] + gradient if name in layer.grads else gradient


def activity_penalty(regularizer, output: np.ndarray) -> np.ndarray | float:
    """The penalty on a layer's output (batch, ...) divided by the size of the batch, as in Keras.
    """
    return regularizer.penalty(output) / output.dtype.type(len(output))


def activity_gradient(regularizer, output: np.ndarray) -> np.ndarray:
    """The gradient of `activity_penalty` with respect to the output: of its shape and dtype."""
    return regularizer.gradient(output) / output.dtype.type(len(output))
