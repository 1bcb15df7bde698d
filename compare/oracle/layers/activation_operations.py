"""Oracles of the operations between layers that are activations called as functions, and clip."""

import math

import numpy as np

from compare.oracle.base import Activation, judges
from compare.oracle.elementary import constant, power, tanh
from compare.oracle.layers import activations, smooth_activations, softmax
from compare.oracle.layers.activations import is_short
from compare.oracle.layers.piecewise import choose, same
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

CUBIC = float(np.float32(0.044715))  # as TensorFlow has it in every precision


@judges("ReluOperation")
class Relu(activations.ReLU):
    """max(x, 0)."""


@judges("Relu6Operation")
class Relu6(activations.ReLU6):
    """min(max(x, 0), 6)."""


@judges("SeluOperation")
class Selu(smooth_activations.SELU):
    """selu(x)."""


@judges("SigmoidOperation")
class Sigmoid(smooth_activations.Sigmoid):
    """1 / (1 + exp(-x))."""


@judges("TanhOperation")
class Tanh(smooth_activations.Tanh):
    """tanh x."""


@judges("SiluOperation")
class Silu(smooth_activations.SiLU):
    """x / (1 + exp(-x))."""


@judges("HardSigmoidOperation")
class HardSigmoid(activations.HardSigmoid):
    """min(max(x / 6 + 1/2, 0), 1)."""


@judges("HardSiluOperation")
class HardSilu(activations.HardSiLU):
    """x times its hard sigmoid."""


@judges("SoftplusOperation")
class Softplus(smooth_activations.Softplus):
    """log(1 + exp x)."""


@judges("SoftsignOperation")
class Softsign(smooth_activations.Softsign):
    """x / (1 + |x|)."""


@judges("GeluOperation")
class Gelu(smooth_activations.GELU):
    """x times the normal distribution's share below it; or x (1 + tanh(z)) / 2, an approximation
    with z = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel, Gaussian Error Linear Units,
    2016)."""

    def function(self, x: Bounded) -> Bounded:
        if not self.config["approximate"]:
            return super().function(x)
        self.root, self.third = (constant(number, x.rounding)
                                 for number in (math.sqrt(2 / math.pi), CUBIC))
        self.t = tanh(self.root * (x + self.third * power(x, 3)))
        return x * 0.5 * (self.t + 1.0)

    def gradient(self, dy: Bounded, x: Bounded, y: Bounded) -> Bounded:
        if not self.config["approximate"]:
            return super().gradient(dy, x, y)
        inner = self.root * (self.third * 3.0 * power(x, 2) + 1.0)
        steep = dy * (x * 0.5) * smooth_activations.one_minus(self.t * self.t) * inner
        return dy * 0.5 * (self.t + 1.0) + steep


@judges("EluOperation")
class Elu(smooth_activations.ELU):
    """x above 0, alpha (exp(x) - 1) elsewhere."""


@judges("LeakyReluOperation")
class LeakyRelu(activations.LeakyReLU):
    """x above 0, slope * x elsewhere."""


@judges("LogSigmoidOperation")
class LogSigmoid(smooth_activations.LogSigmoid):
    """log(1 / (1 + exp(-x)))."""


@judges("LogSoftmaxOperation")
class LogSoftmax(softmax.LogSoftmax):
    """x - log sum exp(x) along the last axis."""


@judges("SoftmaxOperation")
class Softmax(softmax.Softmax):
    """exp(x) / sum exp(x) along an axis."""


@judges("ClipOperation")
class Clip(Activation):
    """min(max(x, x_min), x_max), which passes the gradient on at both ends."""

    operation = "min(max(x, low), high)"
    masks = True
    blocks = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.exact = is_short(config["x_min"]) and is_short(config["x_max"])
        self.kinks = (float(config["x_min"]), float(config["x_max"]))

    def forward(self, x: Bounded, weights: dict[str, Bounded]) -> Bounded:
        self.x = x
        self.low, self.high = (x.rounding.nearest(number) for number in self.kinks)
        if self.low == self.high:
            return Bounded(np.full(x.shape, self.low), x.rounding)
        return choose(x, [self.low, self.high], [self.low, self.low, same, self.high, self.high])

    def backward(self, dy: Bounded) -> tuple[Bounded, dict[str, Bounded]]:
        dy = dy.flushed()

        def passed(x: Bounded) -> Bounded:
            return dy

        if self.low == self.high:
            return choose(self.x, [self.low], [0, passed, 0]), {}
        return choose(self.x, [self.low, self.high], [0, passed, passed, passed, 0]), {}
