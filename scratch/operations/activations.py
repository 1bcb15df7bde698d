"""Activations that are called as functions, keras.ops.relu and the like; and clip."""

import numpy as np

from scratch import activations
from scratch.errors import UnsupportedError
from scratch.layers.activation import ActivationLayer
from scratch.layers.softmax import Softmax
from scratch.operations.operation import Operation


class Function(Operation, ActivationLayer):
    """Base: applies the activation of that `function`'s name, to inputs of any shape."""

    module = "keras.src.ops.nn"
    function: str

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(self.function)


class ReluOperation(Function):
    """max(x, 0); see `Function`."""

    function = "relu"
    sample_by_sample = True


class Relu6Operation(Function):
    """min(max(x, 0), 6); see `Function`."""

    function = "relu6"
    sample_by_sample = True


class SeluOperation(Function):
    """See `scratch.activations.selu`."""

    function = "selu"
    sample_by_sample = True


class SigmoidOperation(Function):
    """1 / (1 + exp(-x)); see `Function`."""

    function = "sigmoid"
    sample_by_sample = True


class TanhOperation(Function):
    """tanh x; see `Function`."""

    module = "keras.src.ops.numpy"
    function = "tanh"
    sample_by_sample = True


class SiluOperation(Function):
    """x / (1 + exp(-x)); see `Function`."""

    function = "silu"
    sample_by_sample = True


class HardSigmoidOperation(Function):
    """min(max(x / 6 + 1/2, 0), 1); see `Function`."""

    function = "hard_sigmoid"
    sample_by_sample = True


class HardSiluOperation(Function):
    """x times its hard sigmoid; see `Function`."""

    function = "hard_silu"
    sample_by_sample = True


class SoftplusOperation(Function):
    """log(1 + exp x); see `Function`."""

    function = "softplus"
    sample_by_sample = True


class SoftsignOperation(Function):
    """x / (1 + |x|); see `Function`."""

    function = "softsign"
    sample_by_sample = True
    takes_low_precision = False  # Keras squares 1 + |x| on the way back, which overflows in float16


class GeluOperation(Function):
    """x times the normal distribution's share below it, or an approximation by tanh.

    Args:
        approximate: whether that is meant.
        operands, name: see `Operation`.
    """

    function = "gelu"
    sample_by_sample = True

    def __init__(self, approximate=True, **kwargs):
        super().__init__(**kwargs)
        self.approximate = bool(approximate)
        if self.approximate:
            self.activation = activations.approximate_gelu

    def get_config(self):
        return {**super().get_config(), "approximate": self.approximate}


class EluOperation(Function):
    """x above 0, alpha (exp(x) - 1) elsewhere.

    Args:
        alpha: a number.
        operands, name: see `Operation`.
    """

    function = "elu"
    sample_by_sample = True

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = float(alpha)
        self.activation = activations.elu_with(self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class LeakyReluOperation(Function):
    """x above 0, negative_slope times x elsewhere.

    Args:
        negative_slope: a number.
        operands, name: see `Operation`.
    """

    function = "leaky_relu"
    sample_by_sample = True

    def __init__(self, negative_slope=0.2, **kwargs):
        super().__init__(**kwargs)
        self.negative_slope = float(negative_slope)
        self.activation = activations.leaky_relu_with(self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


class LogSigmoidOperation(Function):
    """log(1 / (1 + exp(-x))); see `Function`."""

    function = "log_sigmoid"
    sample_by_sample = True


class LogSoftmaxOperation(Function):
    """x - log sum exp(x) along the last axis.

    Args:
        axis: -1; no other is supported.
        operands, name: see `Operation`.

    Raises:
        UnsupportedError: for another axis.
    """

    function = "log_softmax"
    sample_by_sample = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        if axis != -1:
            raise UnsupportedError(f"{self} does not support axis={axis!r}. Expected: -1.")
        self.axis = axis

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class SoftmaxOperation(Operation, Softmax):
    """exp(x) / sum exp(x) along an axis; see `scratch.layers.Softmax`."""

    module = "keras.src.ops.nn"
    sample_by_sample = True

    def get_config(self):
        return {**Operation.get_config(self), "axis": self.axis}


class ClipOperation(Operation):
    """min(max(x, x_min), x_max), of any shape; the gradient passes where x lies between, and at
    either end.

    Args:
        x_min, x_max: numbers, the first not above the second.
        operands, name: see `Operation`.

    Raises:
        ValueError: for other limits.
    """

    sample_by_sample = True

    def __init__(self, x_min, x_max, **kwargs):
        super().__init__(**kwargs)
        self.x_min, self.x_max = x_min, x_max
        if not all(isinstance(x, (int, float)) for x in (x_min, x_max)) or not x_min <= x_max:
            raise ValueError(f"{self}: expected numbers x_min <= x_max. "
                             f"Received: x_min={x_min!r}, x_max={x_max!r}")

    def forward(self, x, training=False):
        low, high = self.rounded(np.array([self.x_min, self.x_max], x.dtype))
        self._inside = (x >= low) & (x <= high)
        return np.clip(x, low, high)

    def backward(self, dy, wants_input_gradient=True):
        return dy * self._inside if wants_input_gradient else None

    def get_config(self):
        return {**super().get_config(), "x_min": self.x_min, "x_max": self.x_max}
