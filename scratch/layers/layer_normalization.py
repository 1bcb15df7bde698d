"""Layer normalization (Ba, Kiros and Hinton, 2016): each sample by its own moments."""

from scratch.layers.axes import distinct_axes, whole_axes
from scratch.layers.moment_normalization import MomentNormalization


class LayerNormalization(MomentNormalization):
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
        beta_constraint, gamma_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        rms_scaling: False; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes along `axis` known.

    Output shape:
        As the input.

    Raises:
        TypeError: for axes that are no integers.
        ValueError: for axes that the input lacks, the batch's, or one named twice.
        UnsupportedError: for rms_scaling.

    Example:
        >>> layer = scratch.LayerNormalization(epsilon=0.0)
        >>> layer([[1.0, 3.0], [10.0, 50.0]]).tolist()  # means 2 and 30, deviations 1 and 20
        [[-1.0, 1.0], [-1.0, 1.0]]
    """

    sample_by_sample = True
    takes_low_precision = True
    casts_weights = False  # it computes in float32
    casts_inputs = False  # it computes in the precision of what it reads
    neutral = {**MomentNormalization.neutral, "rms_scaling": (False,)}

    def __init__(self, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(epsilon, **kwargs)
        self.axis = whole_axes(axis, self)

    def compute_output_shape(self, input_shape):
        distinct_axes(self.axis, input_shape, self)
        return tuple(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        self._axes = distinct_axes(self.axis, input_shape, self)
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]  # as Keras
        # Keras only reshapes: with axes such as [-1, 1] the weights' numbers are not transposed
        broadcast = tuple(size if i in self._axes else 1 for i, size in enumerate(input_shape))
        self._add_scale_and_center(tuple(input_shape[i] for i in self._axes), broadcast)
        self._others = tuple(i for i in range(len(input_shape)) if i not in self._axes)

    def forward(self, x, training=False):
        return self._by_own_moments(x, self._axes)

    def backward(self, dy, wants_input_gradient=True):
        self._weight_gradients(dy, self._others)
        return self._own_moments_backward(dy, self._axes) if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
