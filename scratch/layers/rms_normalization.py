"""Root mean square normalization (Zhang and Sennrich, 2019): a scale is taken out, no mean."""

import numpy as np

from scratch import initializers
from scratch.layers.axes import average, distinct_axes, whole_axes
from scratch.layers.base import Layer


class RMSNormalization(Layer):
    """scale * x / sqrt(mean of x^2 + epsilon), with the mean over `axis`.

    Weights: scale, with the sizes of the axes, in the order of their sorted numbers. As in Keras it
    is multiplied along the last axes, whichever `axis` names: it has to fit there.

    Args:
        axis: one axis or a list of them; not the batch's.
        epsilon: added to the mean square, so that nothing is divided by zero.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes along `axis` known.

    Output shape:
        As the input.

    Raises:
        TypeError: for axes that are no integers.
        ValueError: for axes that the input lacks, the batch's, one named twice, or those whose
            sizes do not fit the last axes.

    Example:
        >>> layer = scratch.RMSNormalization(epsilon=0.0)
        >>> layer([[4.0, 4.0, -4.0, 4.0], [0.0, 2.0, 0.0, 0.0]]).tolist()  # mean squares 16 and 1
        [[1.0, 1.0, -1.0, 1.0], [0.0, 2.0, 0.0, 0.0]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = float(epsilon)
        self.axis = whole_axes(axis, self)
        self.initializers = {"scale": initializers.get("ones")}

    def compute_output_shape(self, input_shape):
        axes = distinct_axes(self.axis, input_shape, self)
        sizes = tuple(input_shape[axis] for axis in axes)
        if any(n not in (1, size) for n, size in zip(sizes, input_shape[-len(sizes):])):
            raise ValueError(f"{self}: expected axes whose sizes fit the last axes, along which "
                             f"the scale is multiplied. Received: axis={self.axis}, "
                             f"input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        self._axes = distinct_axes(self.axis, input_shape, self)
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]  # as Keras
        shape = tuple(input_shape[axis] for axis in self._axes)
        self.add_weight("scale", shape, self.initializers["scale"])
        padded = (1,) * (len(input_shape) - len(shape)) + shape
        # along these the scale is the same: its gradient is summed
        self._shared = tuple(i for i, n in enumerate(padded) if n == 1)

    def forward(self, x, training=False):
        # (N, H, W, C) -> (N, H, W, 1), likewise along other axes
        self._inverse = 1 / np.sqrt(average(np.square(x), self._axes) + self.epsilon)
        # (N, H, W, C) * (N, H, W, 1) -> (N, H, W, C)
        self._normal = x * self._inverse
        # (N, H, W, C) * (C,) -> (N, H, W, C)
        return self._normal * self.params["scale"]

    def backward(self, dy, wants_input_gradient=True):
        # (N, H, W, C) -> (1, 1, 1, C) -> (C,)
        total = (dy * self._normal).sum(axis=self._shared, keepdims=True)
        self.grads = {"scale": total.reshape(self.params["scale"].shape)}
        if not wants_input_gradient:
            return None
        # (N, H, W, C) * (C,) -> (N, H, W, C): gradient with respect to the normalized values
        dn = dy * self.params["scale"]
        # (N, H, W, 1) * ((N, H, W, C) - (N, H, W, C) * (N, H, W, 1)) -> (N, H, W, C)
        return self._inverse * (dn - self._normal * average(dn * self._normal, self._axes))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
