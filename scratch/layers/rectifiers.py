"""Rectifiers as layers: ReLU, LeakyReLU, ELU, and PReLU, which learns its slopes."""

import math
import numbers

import numpy as np

from scratch import activations, initializers, regularizers
from scratch.errors import UnsupportedError
from scratch.layers.activation import ActivationLayer
from scratch.layers.base import Layer
from scratch.precision import rounded


def number(value, name: str, owner, lowest=-math.inf):
    """A finite number, not below `lowest`; as it came, for a config holds it as it came."""
    if (isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value)
            or value < lowest):
        limit = "" if math.isinf(lowest) else f" of at least {lowest}"
        raise ValueError(f"{owner}: expected {name} to be a finite number{limit}. "
                         f"Received: {name}={value!r}")
    return value


@activations.may_stand_inside
class ReLU(ActivationLayer):
    """x between threshold and max_value, max_value beyond, negative_slope * (x - threshold) below.

    At the threshold nothing is passed back (without other arguments: at 0), at max_value
    everything, unless that is 6: see `activations.relu_with`.

    Args:
        max_value: the largest output, zero or above; None for no limit.
        negative_slope: the slope below the threshold, zero or above.
        threshold: where the input begins to come through, zero or above.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for an argument that is negative or no finite number.

    Example:
        >>> x = [[-10.0, -5.0, 0.0, 5.0, 10.0]]
        >>> scratch.ReLU()(x).tolist()
        [[0.0, 0.0, 0.0, 5.0, 10.0]]
        >>> scratch.ReLU(max_value=7.0, negative_slope=0.5, threshold=2.0)(x).tolist()
        [[-6.0, -3.5, -1.0, 5.0, 7.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else number(max_value, "max_value", self, 0)
        self.negative_slope = number(negative_slope, "negative_slope", self, 0)
        self.threshold = number(threshold, "threshold", self, 0)
        self.activation = activations.relu_with(self.max_value, self.negative_slope, self.threshold)
        self.take_policy(self.policy)

    def take_policy(self, policy):
        for name in ("max_value", "threshold") if policy.low else ():
            value = np.float64(vars(self).get(name) or 0.0)
            if rounded(value, policy.compute) != value:
                raise UnsupportedError(f"{self} does not support {name}={value} with "
                                       f"dtype={policy.name!r}. Expected: a number that "
                                       f"{policy.compute} holds exactly.")
        super().take_policy(policy)

    def get_config(self):
        return {**super().get_config(), "max_value": self.max_value,
                "negative_slope": self.negative_slope, "threshold": self.threshold}


@activations.may_stand_inside
class LeakyReLU(ActivationLayer):
    """x above 0, negative_slope * x elsewhere; at 0 the gradient is the slope, as in Keras.

    Args:
        negative_slope: the slope below 0, zero or above.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for a slope that is negative or no finite number.

    Example:
        >>> scratch.LeakyReLU(negative_slope=0.5)([[-2.0, 0.0, 3.0]]).tolist()
        [[-1.0, 0.0, 3.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def __init__(self, negative_slope=0.3, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = number(negative_slope, "negative_slope", self, 0)
        self.activation = activations.leaky_relu_with(self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


@activations.may_stand_inside
class ELU(ActivationLayer):
    """x above 0, alpha * (exp(x) - 1) elsewhere; at 0 the gradient is alpha, as in Keras.

    Args:
        alpha: minus the value that large negative inputs approach.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), of any shape.

    Output shape:
        As the input.

    Raises:
        ValueError: for an alpha that is no finite number.

    Example:
        >>> scratch.ELU(alpha=0.5)([[-100.0, 0.0, 3.0]]).tolist()
        [[-0.5, 0.0, 3.0]]
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = number(alpha, "alpha", self)
        self.activation = activations.elu_with(self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """x above 0, alpha * x below, with one alpha for each input but those on `shared_axes`.

    Weights: alpha, of the input's shape without the batch, 1 along the shared axes. At 0 nothing
    is passed back, as in Keras.

    Args:
        alpha_initializer: how the first slopes are drawn, a name or an object of
            `scratch.initializers`.
        alpha_regularizer: a penalty on the slopes, a name or an object of `scratch.regularizers`;
            None for none.
        alpha_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        shared_axes: axes along which a slope is shared, counted from 1, for the batch is 0; None
            for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the sizes of all axes known that are not shared.

    Output shape:
        As the input.

    Raises:
        ValueError: for inputs that have no such axis, or whose size is not known along another.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.PReLU(alpha_initializer="ones", shared_axes=[1, 2])
        >>> layer(np.full((4, 8, 6, 3), -2.0)).min(), layer.params["alpha"].shape
        (np.float32(-2.0), (1, 1, 3))
    """

    takes_low_precision = True
    sample_by_sample = True
    neutral = {"alpha_constraint": (None,)}

    def __init__(self, alpha_initializer="zeros", alpha_regularizer=None, shared_axes=None,
                 **kwargs):
        super().__init__(**kwargs)
        self.initializers = {"alpha": initializers.get(alpha_initializer)}
        if alpha_regularizer is not None:
            self.regularizers["alpha"] = regularizers.get(alpha_regularizer)
        if isinstance(shared_axes, numbers.Integral):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight("alpha", self._alpha_shape(input_shape), self.initializers["alpha"])

    def _alpha_shape(self, input_shape) -> tuple:
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            whole = isinstance(axis, numbers.Integral)
            if not whole or not 1 <= axis < len(input_shape):
                raise ValueError(f"{self}: expected shared_axes between 1 and "
                                 f"{len(input_shape) - 1}. Received: "
                                 f"shared_axes={self.shared_axes}, input_shape={input_shape}")
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(f"{self}: expected the sizes of all axes that are not shared to be "
                             f"known. Received: input_shape={tuple(input_shape)}")
        return tuple(shape)

    def compute_output_shape(self, input_shape):
        self._alpha_shape(input_shape)
        return tuple(input_shape)

    def forward(self, x, training=False):
        self._x = x
        # (N, H, W, C) * (H, W, C), or 1 along a shared axis, -> (N, H, W, C)
        return np.maximum(x, 0) + self.params["alpha"] * np.minimum(x, 0)

    def backward(self, dy, wants_input_gradient=True):
        x, alpha = self._x, self.params["alpha"]
        # alpha's axes of size 1 (and the batch, which it lacks) each add up what they shared
        axes = tuple(axis for axis in range(x.ndim) if axis == 0 or alpha.shape[axis - 1] == 1)
        # (N, H, W, C) -> (1, H, W, C) -> (H, W, C), or 1 along a shared axis
        self.grads["alpha"] = (dy * np.minimum(x, 0)).sum(axis=axes, keepdims=True)[0]
        if not wants_input_gradient:
            return None
        return dy * (x > 0) + alpha * dy * (x < 0)

    def get_config(self):
        return {**super().get_config(),
                "alpha_initializer": initializers.serialize(self.initializers["alpha"]),
                "alpha_regularizer": regularizers.serialize(self.regularizers.get("alpha")),
                "shared_axes": self.shared_axes}
