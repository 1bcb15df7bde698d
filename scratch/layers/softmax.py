"""Softmax as a layer, along an axis or several."""

import numbers

from scratch import activations
from scratch.layers.activation import ActivationLayer


@activations.may_stand_inside
class Softmax(ActivationLayer):
    """exp(x) / sum exp(x), the sum going along `axis`: one axis, or a list of several.

    Along one axis, whichever it is, it leaves its logits to a cross-entropy behind it, as in Keras;
    along several it does not.

    Args:
        axis: one or several, counted from the front with the batch as 0 or, below zero, from the
            back.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: if an axis is not an integer, not the input's, or the batch.

    Example:
        >>> scratch.Softmax()([[0.0, 0.0], [1000.0, 0.0]]).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        axes = axis if isinstance(axis, (list, tuple)) else [axis]
        if not axes or any(isinstance(a, bool) or not isinstance(a, numbers.Integral)
                           for a in axes):
            raise ValueError(f"{self}: expected axis to be an integer or a list of integers. "
                             f"Received: axis={axis!r}")
        self.axis = axis  # as it came, for a config holds it as it came
        self.axes = tuple(int(a) for a in axes)
        self.activation = activations.softmax_along(
            self.axes[0] if len(self.axes) == 1 else self.axes)

    def compute_output_shape(self, input_shape):
        rank = len(input_shape)
        if (any(not -rank <= a < rank or a % rank == 0 for a in self.axes)
                or len({a % rank for a in self.axes}) < len(self.axes)):
            raise ValueError(f"{self}: expected axes of the input other than the batch, each once. "
                             f"Received: axis={self.axis}, input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    @property
    def logits_kind(self):
        return "softmax" if len(self.axes) == 1 and not self.policy.low else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
