"""Batch normalization (Ioffe and Szegedy, 2015): each channel by its moments over the batch."""

import numpy as np

from scratch import initializers
from scratch.layers.axes import average, axis_of, whole_axis
from scratch.layers.moment_normalization import MomentNormalization


class BatchNormalization(MomentNormalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel along `axis`.

    In training, mean and variance are the batch's own, over all other axes, the variance the biased
    one (divided by the number of values); moving averages of both are kept, by
    moving = moving * momentum + batch * (1 - momentum). At inference, and always while the layer is
    not trainable, the moving averages take their place.

    Weights: gamma, beta, moving_mean, moving_variance, each (channels,).

    Args:
        axis: the axis of the channels, counted from the front or, below zero, from the back.
        momentum: how much of a moving average stays at each step.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether beta is added.
        scale: whether gamma is multiplied with.
        beta_initializer, gamma_initializer, moving_mean_initializer, moving_variance_initializer:
            how the first weights are made, a name or an object of `scratch.initializers`.
        beta_regularizer, gamma_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        beta_constraint, gamma_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        synchronized, renorm: False; no other is supported.
        renorm_clipping, renorm_momentum: say nothing without renorm.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ..., channels, ...), with the channels on `axis` and their number known.

    Output shape:
        As the input.

    Raises:
        TypeError: for an axis that is no integer.
        ValueError: for an axis that the input lacks, or the batch's.
        UnsupportedError: for renormalization or synchronized moments.

    Example:
        >>> layer = scratch.BatchNormalization(momentum=0.5, epsilon=0.0)
        >>> layer([[1.0], [3.0]], training=True).tolist()  # the batch's mean is 2, its variance 1
        [[-1.0], [1.0]]
        >>> layer.params["moving_mean"].tolist()  # 0.5 * 0 + 0.5 * 2
        [1.0]
        >>> layer([[1.0], [3.0]]).tolist()
        [[0.0], [2.0]]
    """

    sample_by_sample_at_inference = True

    non_trainable = ("moving_mean", "moving_variance")
    neutral = {**MomentNormalization.neutral, "synchronized": (False,), "renorm": (False,),
               "renorm_clipping": (None,), "renorm_momentum": (0.99,)}

    takes_low_precision = True
    casts_weights = False  # what it reads is cast to float32, in which it computes

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
                 beta_initializer="zeros", gamma_initializer="ones",
                 moving_mean_initializer="zeros", moving_variance_initializer="ones", **kwargs):
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs)
        self.axis = whole_axis(axis, self)
        self.momentum = float(momentum)
        self._before: dict[str, np.ndarray] = {}  # the moving averages before the last pass
        self.initializers["moving_mean"] = initializers.get(moving_mean_initializer)
        self.initializers["moving_variance"] = initializers.get(moving_variance_initializer)

    def compute_output_shape(self, input_shape):
        axis_of(self.axis, input_shape, self)
        return tuple(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        axis = axis_of(self.axis, input_shape, self)
        channels = input_shape[axis]
        self._axes = tuple(i for i in range(len(input_shape)) if i != axis)  # all the others
        broadcast = tuple(channels if i == axis else 1 for i in range(len(input_shape)))
        self._add_scale_and_center((channels,), broadcast)
        for name in self.non_trainable:
            self.add_weight(name, (channels,), self.initializers[name])

    def forward(self, x, training=False):
        self._by_batch = training and self.trainable
        self.forget_statistics()
        if self._by_batch:
            # (N, H, W, C) -> (1, 1, 1, C), likewise for other shapes and another axis
            mean = average(x, self._axes)
            # (N, H, W, C) - (1, 1, 1, C) -> (N, H, W, C)
            centred = x - mean
            # (N, H, W, C) -> (1, 1, 1, C)
            variance = average(np.square(centred), self._axes)
            self.move_statistics(mean, variance)
        else:
            # (C,) -> (1, 1, 1, C)
            centred = x - self.params["moving_mean"].reshape(self._broadcast)
            variance = self.params["moving_variance"].reshape(self._broadcast)
        return self._normalize(centred, variance)

    def move_statistics(self, mean: np.ndarray, variance: np.ndarray) -> None:
        """Let the moving averages follow a batch's mean and variance, (1, 1, 1, C)."""
        for name, batch in (("moving_mean", mean), ("moving_variance", variance)):
            moving = self.params[name]
            self._before[name] = moving.copy()
            # (1, 1, 1, C) -> (C,)
            moving[...] = moving * self.momentum + batch.reshape(-1) * (1 - self.momentum)

    def forget_statistics(self) -> None:
        """Take it that the last pass has moved no averages."""
        self._before = {}

    def take_back_statistics(self):
        for name, before in self._before.items():
            self.params[name][...] = before
        self.forget_statistics()

    def backward(self, dy, wants_input_gradient=True):
        # (N, H, W, C) -> (1, 1, 1, C), twice
        scaled, plain = self._weight_gradients(dy, self._axes)
        if not wants_input_gradient:
            return None
        factor = self._inverse
        if self.scale:
            factor = factor * self.params["gamma"].reshape(self._broadcast)
        if not self._by_batch:
            return dy * factor
        # the mean takes from each value its share of all, the variance its share of the spread;
        # (1, 1, 1, C) * (N, H, W, C) -> (N, H, W, C)
        count = dy.size // factor.size
        return factor * (dy - plain / count - self._normal * (scaled / count))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "momentum": self.momentum}
