"""Layer normalization (Ba, Kiros and Hinton, 2016): each sample by its own moments."""

import numpy as np

from scratch.layers.normalization import Normalization, average, axis_of, whole_axis


class LayerNormalization(Normalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, with moments over `axis`.

    Every sample, and every position on the axes that are not named, has a mean and a biased
    variance of its own, in training and at inference alike.

    Weights: gamma and beta, with the sizes of the axes, in the order of their sorted numbers.

    Args:
        axis: one axis or a list of them; not the batch's.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether beta is added.
        scale: whether gamma is multiplied with.
        beta_initializer, gamma_initializer: how the first weights are made, a name or an object of
            `scratch.initializers`.
        beta_regularizer, gamma_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        beta_constraint, gamma_constraint: None; no other is supported.
        rms_scaling: False; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes along `axis` known.

    Output shape:
        As the input.

    Raises:
        TypeError: for axes that are no integers.
        ValueError: for axes that the input lacks, the batch's, or one named twice.
        UnsupportedError: for rms_scaling or constraints.

    Example:
        >>> layer = scratch.LayerNormalization(epsilon=0.0)
        >>> layer([[1.0, 3.0], [10.0, 50.0]]).tolist()  # means 2 and 30, deviations 1 and 20
        [[-1.0, 1.0], [-1.0, 1.0]]
    """

    sample_by_sample = True
    neutral = {**Normalization.neutral, "rms_scaling": (False,)}

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(epsilon, **kwargs)
        several = isinstance(axis, (list, tuple))
        self.axis = [whole_axis(a, self) for a in axis] if several else whole_axis(axis, self)

    def compute_output_shape(self, input_shape):
        self._axes_of(input_shape)
        return tuple(input_shape)

    def _axes_of(self, input_shape) -> tuple[int, ...]:
        """The axes counted from the front, in the order of the weights' own axes."""
        named = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        axes = tuple(axis_of(axis, input_shape, self) for axis in named)
        if not axes or len(set(axes)) < len(axes):
            raise ValueError(f"{self}: expected one axis or more, each named once. "
                             f"Received: axis={self.axis}, input_shape={tuple(input_shape)}")
        return axes

    def build(self, input_shape):
        super().build(input_shape)
        self._axes = self._axes_of(input_shape)
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]  # as Keras
        # Keras only reshapes: with axes such as [-1, 1] the weights' numbers are not transposed
        broadcast = tuple(size if i in self._axes else 1 for i, size in enumerate(input_shape))
        self._add_scale_and_center(tuple(input_shape[i] for i in self._axes), broadcast)
        self._others = tuple(i for i in range(len(input_shape)) if i not in self._axes)

    def forward(self, x, training=False):
        # (N, H, W, C) - (N, H, W, 1) -> (N, H, W, C), likewise along other axes
        centred = x - average(x, self._axes)
        # (N, H, W, C) -> (N, H, W, 1)
        variance = average(np.square(centred), self._axes)
        return self._normalize(centred, variance)

    def backward(self, dy, wants_input_gradient=True):
        self._weight_gradients(dy, self._others)
        if not wants_input_gradient:
            return None
        dn = dy  # gradient with respect to the normalized values
        if self.scale:
            # (N, H, W, C) * (1, 1, 1, C) -> (N, H, W, C)
            dn = dy * self.params["gamma"].reshape(self._broadcast)
        # (N, H, W, C) -> (N, H, W, 1), twice
        mean, spread = average(dn, self._axes), average(dn * self._normal, self._axes)
        # (N, H, W, 1) * (N, H, W, C) -> (N, H, W, C)
        return self._inverse * (dn - mean - self._normal * spread)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
