"""The layer that does nothing: a place with a name."""

from scratch.layers.base import Layer


class Identity(Layer):
    """The output is the input.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Example:
        >>> scratch.Identity()([[1.0, -2.0]]).tolist()
        [[1.0, -2.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def forward(self, x, training=False):
        return x

    def backward(self, dy, wants_input_gradient=True):
        return dy
