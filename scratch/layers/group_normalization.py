"""Group normalization (Wu and He, 2018): each sample by the moments of groups of its channels."""

import numbers

from scratch.layers.axes import axis_of, whole_axis
from scratch.layers.moment_normalization import MomentNormalization


class GroupNormalization(MomentNormalization):
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, with moments of groups of channels.

    The channels are cut into `groups` of neighbours. Every sample and group has a mean and a biased
    variance of its own, over the group's channels and all other axes, in training and at inference
    alike. One group makes it a layer normalization over the whole sample, but with weights for
    channels only; a group for each channel an instance normalization.

    Weights: gamma and beta, each (channels,).

    Args:
        groups: how many; a divisor of the number of channels, or -1 for a group for each channel.
        axis: the axis of the channels, counted from the front or, below zero, from the back.
        epsilon: added to the variance, so that nothing is divided by zero.
        center: whether beta is added.
        scale: whether gamma is multiplied with.
        beta_initializer, gamma_initializer: how the first weights are made, a name or an object of
            `scratch.initializers`.
        beta_regularizer, gamma_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        beta_constraint, gamma_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ..., channels, ...), with all sizes but the batch's known.

    Output shape:
        As the input.

    Raises:
        TypeError: for an axis that is no integer.
        ValueError: for groups that do not divide the channels, an axis that the input lacks, or the
            batch's.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.GroupNormalization(2, epsilon=0.0)
        >>> layer([[1.0, 3.0, 10.0, 50.0]]).tolist()  # means 2 and 30, deviations 1 and 20
        [[-1.0, 1.0, -1.0, 1.0]]
    """

    sample_by_sample = True
    takes_low_precision = True
    casts_weights = False  # it computes in float32
    casts_inputs = False  # it computes in the precision of what it reads

    def __init__(self, groups=32, axis=-1, epsilon=1e-3, **kwargs):
        super().__init__(epsilon, **kwargs)
        whole = isinstance(groups, numbers.Integral) and not isinstance(groups, bool)
        if not whole or (groups <= 0 and groups != -1):
            raise ValueError(f"{self}: expected groups to be a positive integer, or -1 for a group "
                             f"for each channel. Received: groups={groups!r}")
        self.groups = int(groups)
        self.axis = whole_axis(axis, self)

    def compute_output_shape(self, input_shape):
        axis = axis_of(self.axis, input_shape, self)
        if None in input_shape[1:]:
            raise ValueError(f"{self}: expected all sizes but the batch's to be known. "
                             f"Received: input_shape={tuple(input_shape)}")
        channels = input_shape[axis]
        if self.groups != -1 and (channels < self.groups or channels % self.groups):
            raise ValueError(f"{self}: expected a number of groups that divides that of the "
                             f"channels. Received: groups={self.groups}, {channels} channels")
        return tuple(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        axis, rank = axis_of(self.axis, input_shape, self), len(input_shape)
        channels = input_shape[axis]
        self.groups = channels if self.groups == -1 else self.groups  # as Keras
        cut = (self.groups, channels // self.groups)
        self._grouped = (*input_shape[1:axis], *cut, *input_shape[axis + 1:])
        broadcast = (1,) * axis + cut + (1,) * (rank - axis - 1)
        self._add_scale_and_center((channels,), broadcast)
        # of an input whose channels have two axes, that of the groups and that within them
        self._axes = tuple(i for i in range(1, rank + 1) if i != axis)
        self._others = tuple(i for i in range(rank + 1) if i not in (axis, axis + 1))

    def forward(self, x, training=False):
        # (N, H, W, C) -> (N, H, W, groups, C / groups), where the channels come last
        y = self._by_own_moments(x.reshape(len(x), *self._grouped), self._axes)
        # (N, H, W, groups, C / groups) -> (N, H, W, C)
        return y.reshape(x.shape)

    def backward(self, dy, wants_input_gradient=True):
        # (N, H, W, C) -> (N, H, W, groups, C / groups)
        grouped = dy.reshape(len(dy), *self._grouped)
        self._weight_gradients(grouped, self._others)
        if not wants_input_gradient:
            return None
        # (N, H, W, groups, C / groups) -> (N, H, W, C)
        return self._own_moments_backward(grouped, self._axes).reshape(dy.shape)

    def get_config(self):
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}
