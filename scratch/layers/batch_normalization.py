"""Batch normalization (Ioffe and Szegedy, 2015): each channel by its moments over the batch."""

import numpy as np

from scratch import initializers
from scratch.errors import UnsupportedError
from scratch.layers.axes import average, axis_of, summed, whole_axis
from scratch.layers.moment_normalization import MomentNormalization
from scratch.layers.recurrent import of_input

EPSILON = 1e-7  # keras.config.epsilon(), added to the number of steps that count


class BatchNormalization(MomentNormalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, channel by channel along `axis`.

    In training, mean and variance are the batch's own, over all other axes, the variance the biased
    one (divided by the number of values); of a sequence with a mask those of the steps that count,
    by which all steps are normalized; moving averages of both are kept, by
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
    counting_inside = True

    non_trainable = ("moving_mean", "moving_variance")
    neutral = {**MomentNormalization.neutral, "synchronized": (False,), "renorm": (False,),
               "renorm_clipping": (None,), "renorm_momentum": (0.99,)}

    takes_low_precision = True
    uses_masks = hands_masks_on = True
    casts_weights = False  # what it reads is cast to float32, in which it computes

    def __init__(self, axis=-1, momentum=0.99, epsilon=1e-3, center=True, scale=True,
                 beta_initializer="zeros", gamma_initializer="ones",
                 moving_mean_initializer="zeros", moving_variance_initializer="ones", **kwargs):
        super().__init__(epsilon, center, scale, beta_initializer, gamma_initializer, **kwargs)
        self.axis = whole_axis(axis, self)
        self.momentum = float(momentum)
        self.initializers["moving_mean"] = initializers.get(moving_mean_initializer)
        self.initializers["moving_variance"] = initializers.get(moving_variance_initializer)

    def compute_output_shape(self, input_shape):
        masked, input_shape = isinstance(input_shape, list), of_input(input_shape)
        axis_of(self.axis, input_shape, self)
        if masked and len(input_shape) != 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, features) with a "
                             f"mask. Received: input_shape={tuple(input_shape)}")
        return tuple(input_shape)

    def build_config(self):
        return {"input_shape": of_input(self.input_shape)}

    def build(self, input_shape):
        super().build(input_shape)
        input_shape = of_input(input_shape)
        axis = axis_of(self.axis, input_shape, self)
        channels = input_shape[axis]
        self._axes = tuple(i for i in range(len(input_shape)) if i != axis)  # all the others
        broadcast = tuple(channels if i == axis else 1 for i in range(len(input_shape)))
        self._add_scale_and_center((channels,), broadcast)
        for name in self.non_trainable:
            self.add_weight(name, (channels,), self.initializers[name])

    def forward(self, x, training=False):
        self._by_batch = training and self.trainable
        self._before = {}
        x, mask = x if isinstance(x, (list, tuple)) else (x, None)
        self._masked, self._counts = mask is not None, None
        if self._masked and self.policy.low:
            raise UnsupportedError(f"{self} does not support a mask with dtype={self.policy.name!r}"
                                   ". Expected: float32 or float64.")
        if self._by_batch and mask is not None:
            # (N, T) -> (N, T, 1)
            self._counts = (mask != 0).astype(x.dtype)[..., None]
            self._number = summed(np.broadcast_to(self._counts, x.shape), self._axes)
            self._number = self._number + x.dtype.type(EPSILON)
            mean = summed(np.where(self._counts != 0, x, x.dtype.type(0)), self._axes)
            mean = mean / self._number
            centred = x - mean
            variance = summed(np.square(centred) * self._counts, self._axes) / self._number
            self.move_statistics(mean, variance)
        elif self._by_batch:
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
        self._move("moving_mean", mean)
        self._move("moving_variance", variance)

    def _move(self, name: str, batch: np.ndarray) -> None:
        # (1, 1, 1, C) -> (C,)
        moving = self.params[name]
        self._before[name] = moving.copy()
        moving[...] = moving * self.momentum + batch.reshape(-1) * (1 - self.momentum)

    def backward(self, dy, wants_input_gradient=True):
        dx = self._gradient(dy, wants_input_gradient)
        return [dx, None] if self._masked else dx

    def _gradient(self, dy, wanted):
        # (N, H, W, C) -> (1, 1, 1, C), twice
        scaled, plain = self._weight_gradients(dy, self._axes)
        if not wanted:
            return None
        factor = self._inverse
        if self.scale:
            factor = factor * self.params["gamma"].reshape(self._broadcast)
        if not self._by_batch:
            return dy * factor
        if self._counts is not None:
            # the mean is 0 of the counted values alone but for what EPSILON leaves of it
            left = summed(self._normal * self._counts, self._axes) / self._number
            share = (plain - scaled * left + self._normal * scaled) / self._number
            return factor * (dy - self._counts * share)
        # the mean takes from each value its share of all, the variance its share of the spread;
        # (1, 1, 1, C) * (N, H, W, C) -> (N, H, W, C)
        count = dy.size // factor.size
        return factor * (dy - plain / count - self._normal * (scaled / count))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "momentum": self.momentum}
