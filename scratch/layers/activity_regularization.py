"""A penalty on the values that pass through."""

from scratch import regularizers
from scratch.layers.base import Layer


class ActivityRegularization(Layer):
    """The input as it is, with the penalty l1 sum |x| + l2 sum x^2, divided by the batch's size.

    Args:
        l1: the factor of the sum of absolute values.
        l2: the factor of the sum of squares.
        name, trainable, dtype: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for a factor that is negative or no finite number.

    Example:
        >>> model = scratch.Sequential([scratch.Input((2,)),
        ...                             scratch.ActivityRegularization(l1=0.5)])
        >>> model.forward([[1.0, -3.0], [2.0, 2.0]]).tolist()
        [[1.0, -3.0], [2.0, 2.0]]
        >>> float(model.activity_penalty())  # 0.5 (1 + 3 + 2 + 2) / 2
        2.0
    """

    sample_by_sample = True

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(**kwargs)
        self.l1, self.l2 = l1, l2
        self.activity_regularizer = regularizers.L1L2(l1, l2)

    def forward(self, x, training=False):
        return x

    def backward(self, dy, wants_input_gradient=True):
        return dy

    def get_config(self):
        config = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        config.pop("activity_regularizer", None)
        return config
